"""The progress bar: it goes to standard error, counts what was done, and is gone at the end."""

from __future__ import annotations

import bz2
import fcntl
import gzip
import io
import pty
import struct
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.evidence import CAPTURES
from tlsalert.capture import open_evidence
from tlsalert.cli.progress import PATIENCE, Bar, bar, columns, steps
from tlsalert.render.spans import cells


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


def going(total: int, rate: int, seconds: float) -> tuple[Bar, Terminal]:
    """A bar whose work has gone on at ``rate`` bytes a second for so long."""
    clock, out = Clock(), Terminal()
    shown = Bar(total, out, clock)
    for _ in range(round(seconds * 20)):
        clock.now += 0.05
        shown.advance(rate // 20)
    return shown, out


def test_a_bar_tells_how_much_how_fast_and_how_long() -> None:
    shown, _ = going(500_000_000, 50_000_000, 5)
    assert shown.line(80) == "━" * 20 + "─" * 20 + "   50%  250/500 MB  50 MB/s  0:05 left"


def test_the_width_is_that_of_the_terminal_that_the_bar_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output may be a file meanwhile: a bar that is too wide leaves a line behind at each drawing."""
    monkeypatch.delenv("COLUMNS")
    ours, terminal = pty.openpty()
    with open(ours, "rb"), open(terminal, "w") as out:
        fcntl.ioctl(out, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        assert columns(out) == 40
        monkeypatch.setenv("COLUMNS", "60")
        assert columns(out) == 60


@pytest.mark.parametrize("width", range(10, 201))
def test_a_bar_fits_every_terminal(width: int) -> None:
    shown, _ = going(80_000_000_000, 123_456_789, 30)
    assert cells(shown.line(width)) <= width
    assert "5%" in shown.line(width)


def test_work_of_less_than_a_second_shows_none() -> None:
    assert going(45_000_000, 50_000_000, 0.9)[1].getvalue() == ""


def test_work_of_more_than_a_second_shows_one_soon() -> None:
    assert "%" in going(500_000_000, 50_000_000, PATIENCE + 0.1)[1].getvalue()


def test_a_bar_that_is_erased_leaves_nothing_and_comes_again() -> None:
    shown, out = going(500_000_000, 50_000_000, 2)
    shown.erase()
    assert out.getvalue().endswith("\r\x1b[K")
    length = len(out.getvalue())
    shown.erase()
    assert len(out.getvalue()) == length


def test_work_that_begins_anew_goes_back() -> None:
    shown, _ = going(100_000_000, 25_000_000, 2)
    shown.advance(-50_000_000)
    assert "   0%  " in shown.line(80)


def test_nothing_at_all_is_done_at_once() -> None:
    assert "100%" in Bar(0, Terminal()).line(80)


def test_an_encoding_without_lines_gets_ascii() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert Bar(100, out).line(40).isascii()


def test_progress_is_shown_on_standard_error_only(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(1000) as advance:
        advance(250)
        advance(750)
    assert capsys.readouterr().out == ""


def test_steps_are_shown_there_too_whatever_their_names_hold(capsys: pytest.CaptureFixture[str]) -> None:
    with steps(2) as done:
        done("expired TLS 1.2")
        done("[bold]not markup[/]")
    assert capsys.readouterr().out == ""


def as_capture() -> bytes:
    console = (CAPTURES / "console.pcap").read_bytes()
    return console[:24] + console[24:] * 20


def as_log() -> bytes:
    return b"curl: (35) error:0A000412:SSL routines::sslv3 alert bad certificate\n" * 40_000


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress], ids=["plain", "gzip", "bzip2"])
@pytest.mark.parametrize("made", [as_capture, as_log])
def test_reading_counts_all_bytes_of_the_file(
    made: Callable[[], bytes], pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "evidence"
    path.write_bytes(pack(made()))
    reader = open_evidence(path, "failed", None, None)
    clock, out = Clock(), Terminal()
    shown = Bar(reader.size or 0, out, clock)
    told: list[int] = []

    def advance(done: int) -> None:
        clock.now += 1
        told.append(done)
        shown.advance(done)

    reader.progress = advance
    assert list(reader)
    assert sum(told) == path.stat().st_size
    assert len(told) > 1
    assert "100%" in shown.line(80)
    assert "B/s" in out.getvalue()
