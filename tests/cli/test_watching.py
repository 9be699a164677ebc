"""The line at the bottom of a terminal, and the sums."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sources.test_live import FakeInterface
from tlsalert.cli.watching import Asked, Status, Watch, failures
from tlsalert.live_reader import reader_of
from tlsalert.model import Summary
from tlsalert.sources.live import LiveSource

ASKED = Asked("all", "text", False, False, None, None, None, (), None, None, None)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_is_written_over_and_taken_away() -> None:
    terminal = Terminal()
    status = Status(terminal)
    status.clear()
    status.show("one")
    status.show("two")
    status.clear()
    status.clear()
    assert terminal.getvalue() == "\rone\x1b[K\rtwo\x1b[K\r\x1b[K"


def test_what_is_no_terminal_gets_no_line() -> None:
    file = io.StringIO()
    Status(file).show("one")
    assert file.getvalue() == ""


@pytest.fixture
def source() -> Iterator[LiveSource]:
    with LiveSource([FakeInterface("eth0", (b"", 5), lost=1234)]) as made:
        made.stop()
        yield made


def test_the_line_tells_rate_losses_and_connections(source: LiveSource, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 10.1, 12.0])
    monkeypatch.setattr("tlsalert.cli.watching.time.monotonic", lambda: next(clock))
    watch = Watch(source, reader_of(source), ASKED, io.StringIO())
    terminal = Terminal()
    watch._status = Status(terminal)
    source._thread.join()
    watch._tick(0)
    assert terminal.getvalue() == ""  # too early
    source.packets = 3000
    watch._tick(0)
    assert terminal.getvalue() == "\r1,500 packets/s   1,234 dropped   0 connections, 0 failed\x1b[K"


def test_failures_are_counted_whoever_refused() -> None:
    assert failures(Summary("eth0", failed_by_server=1, failed_by_client=2, failed_other=4)) == 7


def test_the_sums_name_what_was_lost(source: LiveSource, capsys: Any) -> None:
    Watch(source, reader_of(source), ASKED, io.StringIO()).run()
    assert "0 packets in" in (said := capsys.readouterr().err)
    assert "1,234 dropped; 0 connections, 0 failed" in said
