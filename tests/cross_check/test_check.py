"""The comparison of captures with Wireshark: its report, and that it finds nothing unknown in public captures."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from msgspec import structs

from tests.corpus.truth import captures
from tests.cross_check.test_differences import OURS, seen
from tests.evidence import CAPTURES, CORPUS, captures_under, needs_corpus
from tests.wireshark import needs_tshark
from tlsalert.capture import read
from tlsalert.cross_check import check
from tlsalert.cross_check.check import Check
from tlsalert.cross_check.seen import Stream
from tlsalert.errors import CaptureError

HELLO = [("10.0.0.5 40112", 1)]


def checked(monkeypatch: pytest.MonkeyPatch, *streams: Stream) -> tuple[bool, list[str]]:
    monkeypatch.setattr(check, "streams_of", lambda *_: (list(streams), None))
    one, out = Check(), io.StringIO()
    one.add("x.pcap")
    return one.report(out), out.getvalue().splitlines()


def test_what_differs_stands_in_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = frozenset(("10.0.0.5 40112", "10.0.0.7 \x1b[31m"))
    odd, (head, line) = checked(monkeypatch, Stream(4, ends, HELLO), Stream(5, ends))
    assert odd
    assert head == "x.pcap: 1 stream with TLS in Wireshark, 1 difference, 0 more that are known"
    assert line == (
        r"  tcp.stream 4, no connection: found: Wireshark says 10.0.0.5 40112 and 10.0.0.7 \x1b[31m, tlsalert no TLS"
    )


def test_too_many_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [Stream(number, frozenset((f"a {number}", "b 443")), HELLO) for number in range(105)]
    odd, lines = checked(monkeypatch, *streams)
    assert odd
    assert len(lines) == 102
    assert lines[-1] == "  … 5 more"


def test_known_ones_are_told_with_their_reasons_and_are_nothing_odd(monkeypatch: pytest.MonkeyPatch) -> None:
    hello = OURS.server_hello
    assert hello is not None
    broken = structs.replace(OURS, server_hello=structs.replace(hello, problems=("supported_versions is empty",)))
    monkeypatch.setattr(check, "streams_of", lambda *_: ([seen(version=0x002C)], "it was cut short"))
    one, out = Check(), io.StringIO()
    one.take(broken)
    assert not one.report(out)
    head, complaint, known = out.getvalue().splitlines()
    assert head.endswith("1 stream with TLS in Wireshark, 0 differences, 1 more that are known")
    assert complaint == "  tshark complains: it was cut short"
    assert known.startswith("  known (1): Wireshark errs: an extension of the ServerHello is shorter")


def test_wireshark_gets_all_key_logs_as_one_that_nobody_else_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    logs = [tmp_path / "one.keys", tmp_path / "two.keys.gz"]
    logs[0].write_bytes(b"CLIENT_RANDOM 01 02")
    logs[1].write_bytes(gzip.compress(b"CLIENT_RANDOM 03 04\n"))
    given: list[tuple[str, str, int]] = []

    def look(_: str, __: object, keylog: str) -> tuple[list[Stream], None]:
        given.append((keylog, Path(keylog).read_text(), Path(keylog).stat().st_mode & 0o777))
        return [], None

    monkeypatch.setattr(check, "streams_of", look)
    one = Check([str(log) for log in logs])
    one.add("x.pcap")
    one.report(io.StringIO())
    ((path, text, mode),) = given
    assert (text.split("\n")[:2], mode) == (["CLIENT_RANDOM 01 02", "CLIENT_RANDOM 03 04"], 0o600)
    assert not Path(path).exists()


def test_a_pipe_cannot_be_compared() -> None:
    one = Check()
    one.add("-")
    with pytest.raises(CaptureError, match="Wireshark reads the capture once more; save the pipe to a file"):
        one.report(io.StringIO())


def compared(*paths: object) -> str:
    """Compare captures with Wireshark; return what is said of those in which something unknown differs."""
    said = ""
    for path in paths:
        one, out = Check(), io.StringIO()
        one.add(str(path))
        for connection in read(str(path)):
            one.take(connection)
        if one.report(out):
            said += out.getvalue()
    return said


@needs_tshark
def test_the_project_s_own_captures_differ_in_nothing() -> None:
    pytest.importorskip("pyshark", reason="needs the extra wireshark")
    assert compared(*captures_under(CAPTURES)) == ""


@needs_tshark
@needs_corpus
@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in range(1, 20))]
)  # a twentieth each
def test_public_captures_differ_in_nothing_unknown(part: int) -> None:
    pytest.importorskip("pyshark", reason="needs the extra wireshark")
    assert compared(*(CORPUS / capture["path"] for capture in list(captures())[part::20])) == ""
