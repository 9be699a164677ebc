"""``tlsalert read`` as it is typed: what it prints where, and how it ends."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zstandard
from click.testing import CliRunner, Result

from tests.evidence import CAPTURES, ROOT
from tests.secrets import captured
from tests.secrets.peers import Peers, identity
from tests.secrets.peers import Talk as Spoken
from tests.talks import (
    CERTIFICATE,
    IN_2015,
    Talk,
    answer,
    established,
    flight,
    hello,
    other,
    refused,
    refused_hello,
    write,
)
from tests.wire import tls
from tlsalert.capture import Reader
from tlsalert.cli.read import command
from tlsalert.errors import CaptureError
from tlsalert.model import Connection

CONSOLE, SUCCESS = CAPTURES / "console.pcap", CAPTURES / "success.pcap"
PROGRAM = [sys.executable, "-c", "from tlsalert.cli import main; main()"]
#: What no terminal shall get from evidence: C0 and C1 but the newline, DEL, and what turns the direction of text.
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(autouse=True)
def no_colour_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    """Run the verb inside this process."""
    return CliRunner().invoke(command, [str(argument) for argument in arguments], input=stdin)


def tlsalert(*arguments: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the program as a user does."""
    words = [argument if isinstance(argument, bytes) else os.fsencode(str(argument)) for argument in arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    whole = [*map(os.fsencode, PROGRAM), *words]
    return subprocess.run(whole, input=stdin, capture_output=True, env=environment, timeout=60, check=False)


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code in (0, 1, 3)
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Three connections: refused with an alert, established, closed without an alert."""
    silent = Talk((hello(3), flight(3), answer(CERTIFICATE)), at=4, port=3, how="rst")
    return write(tmp_path / "mixed.pcap", refused(48, port=1), established(at=2, port=2), silent)


# --- the formats ----------------------------------------------------------------------------------------------------


def test_the_text_tells_who_refused_what_and_why() -> None:
    result = run(CONSOLE)
    assert (result.exit_code, result.stderr) == (0, "")
    for fact in (
        "3 connections, 3 refused by the server",
        "10.0.0.7:5900",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "ALERT fatal bad_certificate (42)",
        "The server refused the client's certificate",
        "2015-03-12",
        "2026-05-17",
        "0.99",
    ):
        assert fact in result.stdout, fact


def test_json_is_one_array_of_connections_and_jsonl_one_object_a_line() -> None:
    array = run(CONSOLE, "--format", "json")
    lines = run(CONSOLE, "--format", "jsonl")
    assert (array.exit_code, lines.exit_code, array.stderr, lines.stderr) == (0, 0, "", "")
    assert json.loads(array.stdout) == rows(lines)
    assert [row["connection"] for row in rows(lines)] == [0, 1, 2]
    assert {row["source"] for row in rows(lines)} == {str(CONSOLE)}


def test_a_connection_in_json_holds_the_verdict_and_what_it_stands_on() -> None:
    row = rows(run(CONSOLE, "--format", "jsonl"))[2]
    verdict = row["verdict"]
    assert (verdict["outcome"], verdict["refused_by"], verdict["cause"]) == (
        "failed", "server", "certificate_not_yet_valid")  # fmt: skip
    assert (verdict["at_fault"], verdict["confidence"]) == ("server", 0.99)
    assert [(alert["code"], alert["from"], alert["position"]) for alert in row["alerts"]] == [
        (42, "server", {"frame": 33})]  # fmt: skip
    assert row["clocks"]["server"]["time"].startswith("2015-03-12T05:41:50")
    assert row["clocks"]["server"]["skew_seconds"] < -6 * 365 * 86_400
    assert row["certificates"]["client"][0]["not_before"] == "2016-05-19T09:46:36Z"
    assert row["client"] == {"address": "10.0.0.5", "port": row["client"]["port"]}
    assert row["server_name"] is None
    assert row["notes"] == []


def test_csv_has_a_head_and_a_row_for_each_connection() -> None:
    result = run(CONSOLE, "--format", "csv")
    head, *table = csv.reader(io.StringIO(result.stdout))
    assert [len(row) for row in table] == [len(head)] * 3
    third = dict(zip(head, table[2], strict=True))
    assert third["cause"] == "certificate_not_yet_valid"
    assert third["outcome"] == "failed"
    assert "42" in third["alert"]


def test_parquet_has_a_row_for_each_connection_and_goes_to_a_file_or_a_pipe(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run(CONSOLE, "--format", "parquet", "-o", tmp_path / "a.parquet").exit_code == 0
    table = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert [row["cause"] for row in table] == ["no_client_certificate", "unknown_ca", "certificate_not_yet_valid"]
    piped = run(CONSOLE, "--format", "parquet", "--only", "failed").stdout_bytes
    assert parquet.read_table(io.BytesIO(piped)).to_pylist() == table


def test_parquet_without_its_library_is_refused_before_a_file_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    result = run(CONSOLE, "--format", "parquet", "-o", tmp_path / "a.parquet")
    assert "pip install 'tlsalert[tables]'" in str(result.exception)
    assert not (tmp_path / "a.parquet").exists()


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv", "html"])
def test_nothing_to_show_is_still_well_formed(form: str, tmp_path: Path) -> None:
    path = write(tmp_path / "other.pcap", other())
    result = run(path, "--format", form)
    assert (result.exit_code, result.stderr) == (0, "")
    if form == "json":
        assert json.loads(result.stdout) == []
    if form == "jsonl":
        assert result.stdout == ""


def test_html_is_one_page_over_all_files(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    result = run(CONSOLE, SUCCESS, "--format", "html", "-o", page, "--fail-on", "fatal")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")
    told = page.read_text(encoding="utf-8")
    assert told.startswith("<!DOCTYPE html>")
    assert "4 connections, 3 refused by the server" in told
    assert "2 files" in told


def test_one_connection_of_many_goes_on_one_array_over_several_files() -> None:
    told = json.loads(run(CONSOLE, SUCCESS, "--format", "json").stdout)
    assert [(Path(row["source"]).name, row["connection"]) for row in told] == [
        ("console.pcap", 0), ("console.pcap", 1), ("console.pcap", 2), ("success.pcap", 0)]  # fmt: skip


# --- the choice -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ((), [0, 1, 2]),
        (("--only", "all"), [0, 1, 2]),
        (("--only", "failed"), [0, 2]),
        (("--only", "alerts"), [0]),
        (("--connection", "1"), [1]),
        (("--connection", "1", "--only", "failed"), [1]),
    ],
)
def test_what_is_chosen_is_shown_under_its_own_number(
    mixed: Path, options: tuple[str, ...], numbers: list[int]
) -> None:
    assert [row["connection"] for row in rows(run(mixed, "--format", "jsonl", *options))] == numbers
    assert len(run(mixed, "--format", "csv", *options).stdout.splitlines()) == 1 + len(numbers)


def test_a_connection_that_is_not_there_is_told(mixed: Path) -> None:
    result = run(mixed, "--connection", "7", "--format", "jsonl")
    assert result.stdout == ""
    assert "no connection 7" in result.stderr


def test_the_text_of_a_choice_still_counts_all(mixed: Path) -> None:
    text = run(mixed, "--only", "failed").stdout
    assert "3 connections" in text
    assert "10.0.0.5:2 " not in text


def test_a_connection_that_went_well_is_short_unless_asked_for(mixed: Path) -> None:
    short, full, one = run(mixed).stdout, run(mixed, "--full").stdout, run(mixed, "--connection", "1").stdout
    assert len(short) < len(full)
    assert short.count("client_hello") == full.count("client_hello") - 1
    assert one.count("client_hello") == 1


# --- where it goes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv", "html"])
def test_a_file_gets_what_standard_output_would(tmp_path: Path, form: str) -> None:
    target = tmp_path / "told"
    result = run(CONSOLE, "--format", form, "-o", target)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert target.read_bytes() == run(CONSOLE, "--format", form, "-o", "-").stdout_bytes


def test_evidence_is_never_written_over(mixed: Path, tmp_path: Path) -> None:
    before = mixed.read_bytes()
    link = tmp_path / "link.pcap"
    link.symlink_to(mixed)
    for target in (mixed, link):
        result = run(CONSOLE, mixed, "-o", target)
        assert result.exit_code == 2
        assert mixed.read_bytes() == before


def test_a_file_that_cannot_be_written_is_a_wrong_call(tmp_path: Path) -> None:
    result = run(CONSOLE, "-o", tmp_path / "none" / "told")
    assert result.exit_code == 2
    assert "No such file or directory" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("form", ["text", "jsonl", "json", "csv", "html"])
def test_a_full_disk_is_told_in_one_line(form: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*PROGRAM, "read", "--format", form, str(CONSOLE)],
            stdout=full, stderr=subprocess.PIPE, cwd=ROOT, timeout=60, check=False, text=True)  # fmt: skip
    assert done.returncode not in (0, 1)
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_colours_come_when_forced_and_never_against_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = run(CONSOLE).stdout
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = run(CONSOLE).stdout
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(CONSOLE).stdout == plain


# --- how it ends ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "path", "code"),
    [
        ((), CONSOLE, 0),
        (("--fail-on", "fatal"), CONSOLE, 1),
        (("--fail-on", "fatal"), SUCCESS, 0),
        (("--fail-on", "fatal", "--only", "failed"), CONSOLE, 1),
        (("--fail-on", "fatal", "--only", "failed"), SUCCESS, 0),
        (("--fail-on", "fatal", "--only", "alerts"), CONSOLE, 1),
        (("--fail-on", "fatal", "--format", "json"), CONSOLE, 1),
    ],
)
def test_it_ends_with_1_only_if_asked_to_watch(options: tuple[str, ...], path: Path, code: int) -> None:
    assert run(path, *options).exit_code == code
    assert tlsalert("read", path, *options).returncode == code


def test_a_failure_without_an_alert_is_watched_for_even_where_only_alerts_are_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "silent.pcap", Talk((hello(), flight(), answer(CERTIFICATE)), how="rst"))
    assert run(path, "--fail-on", "fatal", "--only", "alerts").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--format", "xml", str(CONSOLE)],
        ["--only", "some", str(CONSOLE)],
        ["--connection", "-1", str(CONSOLE)],
        ["--connection", "first", str(CONSOLE)],
        ["--fail-on", "warning", str(CONSOLE)],
        ["--nothing", str(CONSOLE)],
    ],
)
def test_a_wrong_call_ends_with_2_and_says_how_it_is_done(arguments: list[str]) -> None:
    done = tlsalert("read", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Try 'tlsalert read --help'" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_verb_that_is_none_ends_with_2() -> None:
    done = tlsalert("reed")
    assert done.returncode == 2
    assert b"No such command 'reed'" in done.stderr


def bad(folder: Path) -> dict[str, bytes]:
    """Return evidence that cannot be read, and words of the error for each."""
    contents: dict[str, tuple[bytes, bytes]] = {
        "empty": (b"", b"the file is empty"),
        "text": (b"a line of text\n", b"not a capture"),
        "cut": (CONSOLE.read_bytes()[:10], b"ends inside its file header"),
        "zip": (b"PK\x03\x04", b"a zip archive; unpack it first"),
        "damaged": (b"\x1f\x8bgarbage", b"damaged"),
    }
    for name, (content, _) in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
    words = {name: words for name, (_, words) in contents.items()}
    return words | {"folder": b"that is a directory; name the files in it", "missing": b"there is no such file"}


def test_evidence_that_cannot_be_read_ends_with_3_and_a_line_that_helps(tmp_path: Path) -> None:
    for name, words in bad(tmp_path).items():
        result = run(tmp_path / name)
        assert (result.exit_code, result.stdout) == (3, "")
        (line,) = result.stderr_bytes.splitlines()
        assert line.startswith(b"tlsalert: " + bytes(tmp_path / name))
        assert words in line


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv", "html"])
def test_one_bad_file_among_many_spoils_no_other(tmp_path: Path, form: str) -> None:
    names = bad(tmp_path)
    result = run(CONSOLE, *(tmp_path / name for name in names), SUCCESS, "--format", form, "--fail-on", "fatal")
    assert result.exit_code == 3  # it counts more than what was watched for
    assert len(result.stderr.splitlines()) == len(names)
    good = run(CONSOLE, SUCCESS, "--format", form)
    assert result.stdout == good.stdout


def test_a_file_that_fails_while_it_is_read_spoils_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Reader.__iter__

    def breaks(reader: Reader) -> Iterator[Connection]:
        yield from whole(reader)
        if reader.summary.source == str(CONSOLE):
            raise CaptureError("Input/output error", str(CONSOLE))

    monkeypatch.setattr(Reader, "__iter__", breaks)
    result = run(CONSOLE, SUCCESS, "--format", "jsonl")
    assert (result.exit_code, len(rows(result))) == (3, 4)
    assert result.stderr == f"tlsalert: {CONSOLE}: Input/output error\n"


def test_a_capture_cut_short_is_read_and_the_cut_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(CONSOLE.read_bytes()[:-30])
    lines = run(path, "--format", "jsonl")
    assert (lines.exit_code, len(rows(lines))) == (0, 3)
    assert "cut short" in lines.stderr
    text = run(path)
    assert (text.exit_code, "cut short" in text.stdout) == (0, True)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_compressed_evidence_is_the_same_evidence(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "console"
    path.write_bytes(compress(CONSOLE.read_bytes()))
    plain, packed = rows(run(CONSOLE, "--format", "jsonl")), rows(run(path, "--format", "jsonl"))
    assert [row | {"source": ""} for row in packed] == [row | {"source": ""} for row in plain]


def test_a_name_that_is_no_text_is_a_name(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.pcap"
    Path(os.fsdecode(path)).write_bytes(CONSOLE.read_bytes())
    for form in ("text", "json", "jsonl", "csv", "html"):
        done = tlsalert("read", "--format", form, path)
        assert (done.returncode, done.stderr) == (0, b"")
        done.stdout.decode("utf-8")


# --- pipes ----------------------------------------------------------------------------------------------------------


def test_a_dash_reads_standard_input() -> None:
    done = tlsalert("read", "-", "--format", "jsonl", stdin=CONSOLE.read_bytes())
    assert done.returncode == 0
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["source"], row["connection"]) for row in told] == [("-", 0), ("-", 1), ("-", 2)]
    packed = tlsalert("read", "-", "--format", "jsonl", stdin=gzip.compress(CONSOLE.read_bytes()))
    assert packed.stdout == done.stdout


def test_a_capture_in_a_pipe_that_is_none_is_an_error_line() -> None:
    done = tlsalert("read", "-", stdin=b"nothing of the kind")
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.startswith(b"tlsalert: -: not a capture")


def test_a_standard_input_that_is_closed_is_an_error_line() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    closed = ["sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM, "read", "-"]
    done = subprocess.run(closed, capture_output=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (3, b"")
    assert len(done.stderr.splitlines()) == 1


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the program with pipes on all sides; whatever it does, it ends with the test."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    ) as process:  # fmt: skip
        patience = threading.Timer(60, process.kill)  # what waits for more than it needs would wait for ever
        patience.start()
        try:
            yield process
        finally:
            patience.cancel()
            process.kill()


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_from_a_pipe_a_connection_is_shown_before_the_pipe_ends(tmp_path: Path, form: str) -> None:
    capture = write(tmp_path / "two.pcap", refused(48, port=1), refused_hello(70, at=30, port=2), refused(42, at=60))
    content = capture.read_bytes()
    with running("read", "-", "--format", form) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(content[:-60])  # the last packet stays out
        process.stdin.flush()
        said = b""
        while b"unknown_ca" not in said:
            line = process.stdout.readline()
            assert line, "it ended"
            said += line
        assert b"40112" not in said  # the port of the third, which has not ended
        process.stdin.write(content[-60:])
        process.stdin.close()
        rest = process.stdout.read()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait() == 0
    assert b"40112" in rest
    if form == "jsonl":
        assert [json.loads(line)["connection"] for line in (said + rest).splitlines()] == [0, 1, 2]


def test_what_has_ended_is_shown_while_a_pipe_says_nothing() -> None:
    """All packets have come, and none will for hours: the capture of a quiet line is still open."""
    with running("read", "-", "--format", "jsonl") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(CONSOLE.read_bytes())
        process.stdin.flush()
        causes = [json.loads(process.stdout.readline())["verdict"]["cause"] for _ in range(3)]
    assert causes[-1] == "certificate_not_yet_valid"


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    for form in ("text", "json", "jsonl", "csv", "html"):
        with running("read", "--format", form, *[str(CONSOLE)] * 400) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.read(10)
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait() == 0


def test_an_interrupt_ends_with_130_and_without_a_traceback() -> None:
    with running("read", "-", "--format", "jsonl") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(CONSOLE.read_bytes())
        process.stdin.flush()
        process.stdout.readline()  # it is at work now
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert b"Traceback" not in process.stderr.read()


# --- hostile evidence -----------------------------------------------------------------------------------------------

EVIL = b"\x1b[31m\x07evil\n\r\x9b2J\xe2\x80\xae"


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv", "html"])
def test_what_strangers_wrote_steers_no_terminal(tmp_path: Path, form: str) -> None:
    offer = tls.client_hello(extensions=[tls.server_name(EVIL), tls.alpn(EVIL)])
    talk = Talk((("client", tls.said(tls.message(tls.CLIENT_HELLO, offer))), ("server", tls.alert(2, 112))))
    plain = Talk((hello(2), ("server", EVIL)), at=1, port=2)
    result = run(write(tmp_path / "evil.pcap", talk, plain), "--format", form, "--full")
    assert result.exit_code == 0
    assert "evil" in result.stdout
    said = result.stdout if form != "csv" else result.stdout.replace("\r\n", "\n")
    assert not STEERING.search(said)


def test_a_name_of_a_file_steers_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31mb\n.pcap"
    for content in (CONSOLE.read_bytes(), b"no capture"):
        path.write_bytes(content)
        result = run(path)
        assert not STEERING.search(result.stdout + result.stderr)


# --- help -----------------------------------------------------------------------------------------------------------


def test_help_has_an_example_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = run("--help").stdout
    (example,) = re.findall(r"^ +tlsalert read (captures/\S+)$", text, re.MULTILINE)
    assert run(example).exit_code == 0
    for option in re.findall(r"--[a-z-]+", re.sub(r"(?s)Examples:.*", "", text)):
        assert option in {"--help", *(name for parameter in command.params for name in parameter.opts)}


def test_the_program_names_its_verbs_and_its_version() -> None:
    done = tlsalert("--help")
    assert done.returncode == 0
    assert b"read " in done.stdout
    assert b"explain " in done.stdout
    assert b"130 when" in done.stdout
    assert tlsalert("--version").stdout.startswith(b"tlsalert, version ")


def test_a_clock_that_stands_in_2015_is_found_by_its_handshakes(tmp_path: Path) -> None:
    """The founding case, end to end."""
    path = write(tmp_path / "bmc.pcap", *(refused(at=9 * n, port=n + 1, clock=IN_2015) for n in range(3)))
    (verdict, *_) = [row["verdict"] for row in rows(run(path, "--format", "jsonl"))]
    assert (verdict["cause"], verdict["at_fault"]) == ("certificate_not_yet_valid", "server")
    assert verdict["confidence"] >= 0.9


# --- decryption -----------------------------------------------------------------------------------------------------

REFUSED, REFUSED_KEYS = CAPTURES / "tls13-unknown-ca.pcap", CAPTURES / "tls13-unknown-ca.keys"


@pytest.fixture(scope="module")
def static() -> Iterator[Spoken]:
    """A handshake of TLS 1.2 with static RSA key exchange."""
    peers = Peers("TLS 1.2", "AES128-SHA")
    yield peers.talk()
    peers.close()


def decrypted(result: Result) -> list[tuple[str, int | None]]:
    return [(alert["from"], alert["code"]) for row in rows(result) for alert in row["alerts"] if alert["decrypted"]]


def test_a_key_log_shows_the_alert_of_tls13() -> None:
    assert decrypted(run(REFUSED, "--format", "jsonl")) == []
    assert decrypted(run(REFUSED, "--format", "jsonl", "--keylog", REFUSED_KEYS)) == [("server", 48)]
    text = run(REFUSED, "--keylog", REFUSED_KEYS)
    assert (text.exit_code, text.stderr) == (0, "")
    assert "unknown_ca (48)" in text.stdout


def test_one_key_log_for_several_captures_and_several_for_one(tmp_path: Path) -> None:
    both = tmp_path / "both.keys"
    both.write_bytes(REFUSED_KEYS.read_bytes() + (CAPTURES / "tls13-no-certificate.keys").read_bytes())
    paths = REFUSED, CAPTURES / "tls13-no-certificate.pcap"
    assert decrypted(run(*paths, "--format", "jsonl", "--keylog", both)) == [("server", 48), ("server", 116)]
    two = ("--keylog", CAPTURES / "tls13-no-certificate.keys", "--keylog", REFUSED_KEYS)
    assert decrypted(run(REFUSED, "--format", "jsonl", *two)) == [("server", 48)]


def test_the_wrong_key_log_is_told(tmp_path: Path) -> None:
    result = run(REFUSED, "--keylog", CAPTURES / "tls13-success.keys")
    assert result.exit_code == 0
    assert "the key log has no secret for this client random" in result.stdout
    path = tmp_path / "no.keys"
    path.write_text("this is no key log\n")
    result = run(REFUSED, "--keylog", path)
    assert result.exit_code == 0
    assert "no line of it is one of a key log" in result.stderr
    assert "this is" not in result.stderr


def test_a_key_log_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = tlsalert("read", REFUSED, "--keylog", tmp_path / "none")
    assert done.returncode in (2, 3)
    assert b"Traceback" not in done.stderr
    assert b"cannot be read" in done.stderr


def test_a_locked_key_needs_its_passphrase(static: Spoken, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    pcap, key, phrase = captured.write(tmp_path / "rsa.pcap", static), tmp_path / "key.pem", tmp_path / "phrase"
    lock = BestAvailableEncryption(b"correct horse")
    key.write_bytes(identity("rsa").key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    phrase.write_text("correct horse\n")
    given = ("read", pcap, "--format", "jsonl", "--rsa-key", key)
    done = tlsalert(*given, "--passphrase-file", phrase)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["alerts"][0]["decrypted"]
    phrase.write_text("wrong horse\n")
    for words in (("--passphrase-file", phrase), ()):
        done = tlsalert(*given, *words, stdin=b"")
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"Traceback" not in done.stderr
        assert b"horse" not in done.stderr
        assert b"passphrase" in done.stderr


def test_what_was_derived_is_written_once_and_for_the_owner_alone(static: Spoken, tmp_path: Path) -> None:
    pcap, key, out = captured.write(tmp_path / "rsa.pcap", static), tmp_path / "key.pem", tmp_path / "out.keys"
    key.write_bytes(identity("rsa").to_pem())
    result = run(pcap, "--rsa-key", key, "--write-keylog", out)
    assert result.exit_code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    lines = out.read_text().splitlines()
    assert lines == [line for line in static.keylog.decode().splitlines() if line.startswith("CLIENT_RANDOM")]
    secret = lines[0].split()[2]
    assert secret not in result.output
    again = run(pcap, "--rsa-key", key, "--write-keylog", out)
    assert again.exit_code == 2
    assert "is there already" in again.stderr
    assert out.read_text().splitlines() == lines
    written = run(pcap, "--keylog", out, "--format", "jsonl")
    assert ("client", 0) in decrypted(written)


def test_a_psk_is_hexadecimal_and_shown_to_nobody() -> None:
    result = run(REFUSED, "--psk", "c0ffee-secret")
    assert result.exit_code == 2
    assert "c0ffee" not in result.stderr
    assert run(REFUSED, "--psk", "c0ffee").exit_code == 0


def test_all_application_data_is_opened_only_when_asked_for(tmp_path: Path) -> None:
    success, keys = CAPTURES / "tls13-success.pcap", CAPTURES / "tls13-success.keys"
    for words in ((), ("--decrypt", "all")):
        result = run(success, "--keylog", keys, "--format", "jsonl", *words)
        assert result.exit_code == 0
        assert ("client", 0) in decrypted(result)


def test_a_key_log_that_grows_while_a_pipe_is_read(tmp_path: Path) -> None:
    """The connection ends after its secrets were written, as with tcpdump and a program that logs them."""
    keys = tmp_path / "growing.keys"
    keys.write_bytes(b"")
    command = [*PROGRAM, "read", "-", "--format", "jsonl", "--keylog", str(keys)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        data = REFUSED.read_bytes()
        process.stdin.write(data[:600])
        process.stdin.flush()
        keys.write_bytes(REFUSED_KEYS.read_bytes())
        process.stdin.write(data[600:])
        process.stdin.close()
        (row,) = [json.loads(line) for line in process.stdout]
    assert [alert["code"] for alert in row["alerts"]] == [48]


def test_no_secret_is_in_any_output() -> None:
    secrets = [line.split()[2] for line in REFUSED_KEYS.read_text().splitlines() if line and line[0] != "#"]
    for form in ("text", "json", "jsonl", "csv", "html"):
        result = run(REFUSED, "--keylog", REFUSED_KEYS, "--format", form, "--decrypt", "all")
        assert not [secret for secret in secrets if secret in result.output]
