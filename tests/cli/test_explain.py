"""``tlsalert explain`` as it is typed."""

import json
import re

import pytest
from click.testing import CliRunner, Result

from tlsalert.cli.explain import command

BAD_CERTIFICATE = """\
bad_certificate (42)   usually fatal   TLS 1.0 to 1.3, SSLv3, DTLS   RFC 8446 §6.2
The sender could not accept the peer's certificate: damaged, wrongly signed, or refused for a reason
that its library maps to this alert. With OpenSSL that includes a certificate that is not valid yet.
next  compare the certificate's validity with the clock of the side that sent the alert
      check that each certificate of the chain is signed by the next one, and the key size and hash
      check the purposes (extendedKeyUsage) and, if the sender logs, its verify error
"""


@pytest.fixture(autouse=True)
def no_colour_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(command, arguments, input=stdin)


def test_an_alert_is_told_in_few_lines() -> None:
    result = run("42")
    assert (result.exit_code, result.stdout, result.stderr) == (0, BAD_CERTIFICATE, "")


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("0x30", "unknown_ca (48)   always fatal   TLS 1.0 to 1.3, DTLS   RFC 8446 §6.2"),
        ("21", "decryption_failed (21)   always fatal   TLS 1.0 and 1.1   RFC 5246 §7.2.2"),
        ("no_certificate", "no_certificate (41)   warning   SSLv3   RFC 6101 §5.4.2"),
        ("116", "certificate_required (116)   always fatal   TLS 1.3, DTLS   RFC 8446 §6.2"),
        ("52", "too_many_cids_requested (52)   always fatal   DTLS   RFC 9147 §9"),
        ("1", "end_of_early_data (1)   warning   draft-ietf-tls-tls13-18 §6.1"),
        ("200", "unlisted (200)   unassigned"),
    ],
)
def test_the_first_line_holds_the_facts(text: str, head: str) -> None:
    assert run(text).stdout.splitlines()[0] == head


def test_what_became_of_an_alert_is_noted() -> None:
    assert "note  only in SSLv3; reserved since TLS 1.0\n" in run("41").stdout


@pytest.mark.parametrize("code", range(256))
def test_no_line_is_wider_than_a_hundred_columns(code: int) -> None:
    assert max(map(len, run(str(code)).stdout.splitlines())) <= 100


def test_several_texts_are_told_one_after_the_other() -> None:
    heads = [block.split()[0] for block in run("42", "unknown_ca", "0x28").stdout.split("\n\n")]
    assert heads == ["bad_certificate", "unknown_ca", "handshake_failure"]


def test_a_name_in_two_words_needs_no_quotes() -> None:
    assert run("unknown", "ca").stdout == run("unknown_ca").stdout


def test_a_dash_reads_lines_from_stdin() -> None:
    result = run("-", stdin="42\n\n  unknown ca\r\n")
    assert re.findall(r"^(\w+) \(", result.stdout, re.MULTILINE) == ["bad_certificate", "unknown_ca"]


def test_text_that_is_not_understood_goes_to_stderr_and_the_rest_is_told() -> None:
    result = run("42", "nonsense")
    assert result.exit_code == 0
    assert result.stdout == BAD_CERTIFICATE
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
        list(one) == ["input", "program", "direction", "alert", "error_code", "meaning", "causes", "next"]
        for one in told
    )


def test_json_may_stand_behind_the_texts() -> None:
    assert json.loads(run("42", "--format", "json").stdout)[0]["alert"]["description"] == "bad_certificate"


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_strangers_wrote_steers_no_terminal(form: str) -> None:
    result = run("--format", form, "-", stdin="42\n\x1b[2J\u202eevil\x07\n".encode())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", result.output)
    assert "evil" in result.output


def test_bytes_that_are_no_text_are_told_of_and_not_fatal() -> None:
    result = run("-", stdin=b"\xff\xfe\x00\n42\n")
    assert result.exit_code == 0
    assert result.stdout.endswith(BAD_CERTIFICATE)


def test_colours_come_when_forced_and_never_against_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run("42").stdout.startswith("\x1b[1;31mbad_certificate (42)\x1b[0m")
    assert re.sub(r"\x1b\[[0-9;]*m", "", run("42").stdout) == BAD_CERTIFICATE
    monkeypatch.setenv("NO_COLOR", "1")
    assert run("42").stdout == BAD_CERTIFICATE


def test_help_has_examples_that_run() -> None:
    text = run("--help").output
    examples = re.findall(r"^ +tlsalert explain (.+)$", text, re.MULTILINE)
    assert len(examples) >= 2
    for example in examples:
        assert run(*example.split()).exit_code == 0
    (stdin, arguments) = re.findall(r'echo "(.+)" \| tlsalert explain (.+)', text)[0]
    assert json.loads(run(*arguments.split(), stdin=stdin).stdout)[0]["alert"]["code"] == 46
