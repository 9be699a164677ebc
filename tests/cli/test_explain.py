"""``tlsalert explain`` as it is typed."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.cli.explain import command

ERROR_LINES = Path(__file__).parents[1] / "understanding" / "error_lines.jsonl"
UNKNOWN_PSK = """\
unknown_psk_identity (115)
always fatal   TLS 1.0 to 1.3, DTLS   by a server   RFC 4279 §2

The server does not know the PSK identity of the client, or does not want to
tell whether it does: then decrypt_error says the same.

next  compare the identity byte by byte: case, spaces, a missing prefix
      check that the server has the key
"""


@pytest.fixture(autouse=True)
def no_colour_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(command, arguments, input=stdin)


def test_an_alert_is_told_in_few_lines() -> None:
    result = run("115")
    assert (result.exit_code, result.stdout, result.stderr) == (0, UNKNOWN_PSK, "")


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("0x30", "always fatal   TLS 1.0 to 1.3, DTLS   by either side   RFC 8446 §6.2"),
        ("21", "always fatal   TLS 1.0 and 1.1   by either side   RFC 5246 §7.2.2"),
        ("no_certificate", "warning   SSLv3   by a client   RFC 6101 §5.4.2"),
        ("116", "always fatal   TLS 1.3, DTLS   by a server   RFC 8446 §6.2"),
        ("52", "always fatal   DTLS   by either side   RFC 9147 §9"),
        ("1", "warning   by either side   draft-ietf-tls-tls13-18 §6.1"),
        ("200", "unassigned"),
    ],
)
def test_the_second_line_holds_the_facts(text: str, head: str) -> None:
    assert run(text).stdout.splitlines()[1] == head


def test_what_became_of_an_alert_is_noted() -> None:
    assert "note  only in SSLv3; reserved since TLS 1.0\n" in run("41").stdout


@pytest.mark.parametrize("code", range(256))
def test_no_line_is_wider_than_eighty_columns(code: int) -> None:
    assert max(map(len, run(str(code)).stdout.splitlines())) <= 80


@pytest.mark.parametrize("columns", [40, 64, 100])
@pytest.mark.parametrize("text", ["42", "120", "remote error: tls: bad certificate", "not yet valid", "no such thing"])
def test_lines_follow_the_width_of_the_terminal(text: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    result = run(text)
    widest = max(len(line) for line in result.output.splitlines())
    assert columns - 15 < widest <= columns


def test_lines_longer_than_a_hundred_columns_are_hard_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert 90 < max(len(line) for line in run("42").stdout.splitlines()) <= 100


def test_the_times_in_a_line_are_told_once() -> None:
    times = "current time 2015-03-12T05:41:50Z is before 2016-05-19T00:00:00Z"
    told = " ".join(run(f"x509: certificate has expired or is not yet valid: {times}").stdout.split())
    assert told.count("Its clock says 2015-03-12 05:41:50 UTC; the certificate is valid from 2016-05-19 00:00:00.") == 1


def test_several_texts_are_told_one_after_the_other() -> None:
    heads = re.findall(r"^(\w+) \(\d+\)$", run("42", "unknown_ca", "0x28").stdout, re.MULTILINE)
    assert heads == ["bad_certificate", "unknown_ca", "handshake_failure"]


def test_a_name_in_two_words_needs_no_quotes() -> None:
    assert run("unknown", "ca").stdout == run("unknown_ca").stdout


def test_a_dash_reads_lines_from_stdin() -> None:
    result = run("-", stdin="42\n\n  unknown ca\r\n")
    assert re.findall(r"^(\w+) \(", result.stdout, re.MULTILINE) == ["bad_certificate", "unknown_ca"]


def test_text_that_is_not_understood_goes_to_stderr_and_the_rest_is_told() -> None:
    result = run("115", "nonsense")
    assert result.exit_code == 0
    assert result.stdout == UNKNOWN_PSK
    assert "nonsense\nThis is no alert that is known here." in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["-"], ["--format", "xml", "42"], [], ["--format", "json", "nonsense"]],
    ids=["nothing understood", "empty stdin", "no such format", "no text", "nothing understood, json"],
)
def test_a_call_that_tells_nothing_ends_with_2(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_json_is_a_list_with_one_object_per_input() -> None:
    result = run("--format", "json", "42", "nonsense", "0xc8")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert [one["input"] for one in told] == ["42", "nonsense", "0xc8"]
    assert [one["alert"] and one["alert"]["code"] for one in told] == [42, None, 200]
    assert all(
        list(one)[:8] == ["input", "program", "direction", "alert", "error_code", "meaning", "causes", "next"]
        for one in told
    )


def test_json_may_stand_behind_the_texts() -> None:
    assert json.loads(run("42", "--format", "json").stdout)[0]["alert"]["description"] == "bad_certificate"


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_strangers_wrote_steers_no_terminal(form: str) -> None:
    line = "\x1b[2J\u202eevil\x07 GNUTLS_E_EXPIRED\x07: peer \x1b[2J sslv3 alert bad certificate"
    result = run("--format", form, "-", stdin=f"42\n{line}\n".encode())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", result.output)
    told = run("--format", form, line)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", told.output)
    nonsense = run("--format", form, "\x1b[2J\u202eevil\x07")
    assert "evil" in nonsense.output
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", nonsense.output)


def test_bytes_that_are_no_text_are_told_of_and_not_fatal() -> None:
    result = run("-", stdin=b"\xff\xfe\x00\n115\n")
    assert result.exit_code == 0
    assert result.stdout == UNKNOWN_PSK


def test_colours_come_when_forced_and_never_against_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run("42").stdout.startswith("\x1b[1;31mbad_certificate (42)\x1b[0m")
    assert re.sub(r"\x1b\[[0-9;]*m", "", run("115").stdout) == UNKNOWN_PSK
    monkeypatch.setenv("NO_COLOR", "1")
    assert run("115").stdout == UNKNOWN_PSK


def test_help_has_examples_that_run() -> None:
    text = run("--help").output
    examples = re.findall(r"^ +tlsalert explain (.+)$", text, re.MULTILINE)
    assert len(examples) >= 2
    for example in examples:
        assert run(*example.split()).exit_code == 0
    (stdin, arguments) = re.findall(r'echo "(.+)" \| tlsalert explain (.+)', text)[0]
    assert json.loads(run(*arguments.split(), stdin=stdin).stdout)[0]["alert"]["code"] == 46


def test_lines_that_say_nothing_are_counted() -> None:
    result = run("-", stdin="Listening on port 443\nremote error: tls: bad certificate\nbye\n")
    assert result.exit_code == 0
    assert result.stdout.startswith("bad_certificate (42), received: the peer sent it.\n")
    assert result.stderr == "2 lines of 3 said nothing that is understood here\n"
    told = json.loads(run("-", "--format", "json", stdin="nothing\nsslv3 alert bad certificate\n").stdout)
    assert [one["alert"]["code"] for one in told] == [42]


def test_the_founding_surprise_is_told_with_both_alerts() -> None:
    for code in ("42", "45"):
        text = " ".join(run(code).stdout.split())
        assert "answers a certificate that is not yet valid with 42, and only an expired one with 45" in text


def test_who_sends_it_for_what_stands_between_the_sentence_and_what_to_do() -> None:
    text = run("42").stdout
    assert text.index("The sender could not") < text.index("who sends it for what") < text.index("\nnext  ")
    assert re.search(r"^  OpenSSL 1\.1\.1 to 4\.0 +not yet valid", text, re.MULTILINE)


def test_a_stack_is_told_condition_by_condition_with_sources() -> None:
    text = run("42", "--stack", "OpenSSL 3").stdout
    assert "OpenSSL 1.1.1 to 4.0 sends it for\n  - " in text
    assert "ssl/statem/statem_lib.c" in text
    assert "GnuTLS" not in text


def test_a_stack_that_is_not_known_is_a_usage_error() -> None:
    result = run("42", "--stack", "frobnicate")
    assert result.exit_code == 2
    assert "no TLS stack is called frobnicate" in result.stderr
    assert "GnuTLS" in result.stderr


def test_every_alert_and_stack_is_listed() -> None:
    text = run("--list").stdout
    assert re.search(r"^ 42  bad_certificate +usually fatal", text, re.MULTILINE)
    assert "--stack" in text
    assert {one["alert"]["code"] for one in json.loads(run("--list", "--format", "json").stdout)} >= {0, 42, 121}


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("14094412", "bad_certificate (42), received: the peer sent it."),
        ("LOG7[0]: SSL alert (write): fatal: unknown CA", "unknown_ca (48), sent by stunnel."),
        ("verify error:num=9:certificate is not yet valid", "bad_certificate (42), sent: OpenSSL answers with it."),
        ("tls: first record does not look like a TLS handshake", "not TLS"),
        ("not yet valid", "not yet valid"),
        ("-12", "no alert named"),
    ],
)
def test_the_first_line_is_the_sentence(text: str, head: str) -> None:
    assert run("--", text).stdout.splitlines()[0] == head


def test_lines_in_quotes_stay_lines_though_one_of_them_says_nothing() -> None:
    lines = "SSL alert number 42", "SSL alert number 48", "good morning to you"
    told = json.loads(run(*lines, "--format", "json").stdout)
    assert [one["input"] for one in told] == list(lines)


def test_a_line_without_quotes_is_one_line() -> None:
    words = "remote error: tls: bad certificate"
    assert run(*words.split()).stdout == run(words).stdout


@pytest.mark.parametrize("arguments", [[], ["--stack", "openssl"]], ids=["all stacks", "one stack"])
def test_every_known_line_is_told_in_printable_lines_of_eighty_columns(arguments: list[str]) -> None:
    lines = [json.loads(line)["line"] for line in ERROR_LINES.read_text("utf-8").splitlines()]
    result = run("-", *arguments, stdin="\n".join(lines))
    assert result.exit_code == 0
    for line in result.stdout.splitlines():
        assert len(line) <= 80
        assert line.isprintable()


@given(line=st.text(st.characters(codec="utf-8"), max_size=120), place=st.integers(0, 40))
def test_no_line_brings_its_control_characters_along(line: str, place: int) -> None:
    known = "error:14094412:SSL routines: alert bad certificate"
    result = run("--", known[:place] + line + known[place:])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert all(part.isprintable() for part in result.output.split("\n"))
