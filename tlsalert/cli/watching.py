"""What ``live`` and ``tap`` share: they show connections as they end, until somebody stops them."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, BinaryIO, TextIO

import click

from tlsalert.counted import counted
from tlsalert.live_reader import reader_of, stopping_after
from tlsalert.model import Connection, Summary
from tlsalert.packet_reader import Reader
from tlsalert.render.style import escape
from tlsalert.sources.live import LiveSource
from tlsalert.sources.tapped import TapSource

#: Seconds between two status lines.
STATUS = 0.5


@dataclass(frozen=True)
class Asked:
    """The options that both verbs have, by the names of their parameters."""

    only: Any
    form: str
    follow: bool
    full: bool
    write: str | None
    duration: float | None
    count: int | None
    keylogs: tuple[str, ...]
    server_clock: str | None
    client_cert: str | None
    fail_on: str | None


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that both verbs have."""
    given = [
        click.option(
            "--only",
            type=click.Choice(["all", "failed", "alerts"]),
            default="all",
            show_default=True,
            help="Which connections to show: all, those that failed, or those with an alert.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(["text", "jsonl"]),
            default="text",
            show_default=True,
            help="How to write them: for people, or one JSON object a line.",
        ),
        click.option("--follow", is_flag=True, help="Show messages and alerts as they pass, too."),
        click.option("--full", is_flag=True, help="Show connections that went well as fully as the others."),
        click.option(
            "--write", type=click.Path(dir_okay=False), metavar="FILE", help="Write the packets to a new capture file."
        ),
        click.option(
            "--duration", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="End after so many seconds."
        ),
        click.option("--count", type=click.IntRange(1), metavar="N", help="End when N connections have been shown."),
        click.option(
            "--keylog",
            "keylogs",
            multiple=True,
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="Decrypt with a key log (SSLKEYLOGFILE), which may grow meanwhile. Repeat for several.",
        ),
        click.option(
            "--server-clock", metavar="TIME", help="The server's clock at the first packet: RFC 3339, or a date."
        ),
        click.option(
            "--client-cert",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="The client's certificate (PEM or DER), where it sends one that cannot be seen.",
        ),
        click.option("--fail-on", type=click.Choice(["fatal"]), help="End with 1 if a handshake failed."),
    ]
    for option in reversed(given):
        command = option(command)
    return command


def prepare(asked: Asked) -> Callable[[LiveSource | TapSource, str], None]:
    """Look at all that can be wrong with the options; return what then shows a source's connections to their end.

    It is given the source and what to say as soon as it can be stopped.
    """
    from tlsalert.given import given
    from tlsalert.secrets.opening import open_with

    if asked.follow and asked.form != "text":
        raise click.UsageError("--follow goes with --format text")
    secrets = open_with(asked.keylogs) if asked.keylogs else None
    facts = given(asked.server_clock, asked.client_cert)
    copy = None if asked.write is None else _new_file(asked.write)

    def show(source: LiveSource | TapSource, says: str) -> None:
        gc.enable()
        gc.set_threshold(1_000_000, 50, 50)
        source.copy = copy
        with source, _stopped_by_signals(source), stopping_after(source, asked.duration):
            click.echo(f"tlsalert: {says}", err=True)
            reader = reader_of(source, asked.only, secrets, facts)
            Watch(source, reader, asked, sys.stdout).run()
        if copy is not None:
            copy.close()
        problems = [] if secrets is None else secrets.keyring.keylog.problems
        for problem in problems:
            click.echo(f"tlsalert: {problem}", err=True)
        if asked.fail_on and failures(reader.summary):
            sys.exit(1)

    return show


class Watch:
    """Shows what a reader gives as it comes."""

    def __init__(self, source: LiveSource | TapSource, reader: Reader, asked: Asked, out: TextIO) -> None:
        self._source = source
        self._reader = reader
        self._asked = asked
        self._out = out
        self._status = Status(sys.stderr)
        self._began = self._last = time.monotonic()
        self._packets = 0

    def run(self) -> None:
        """Show all connections, then the sums."""
        reader, out = self._reader, self._out
        reader.progress = self._tick
        if self._asked.follow:
            from tlsalert.render.follow import Follower

            reader.looker = Follower(self._line).look
        if self._asked.form == "text":
            from tlsalert.render.text import TextWriter

            writer = TextWriter(out, full=self._asked.full)
            for connection in self._counted():
                self._status.clear()
                writer.write(connection)
                out.flush()
            self._status.clear()
            writer.finish(reader.summary)
        else:
            from tlsalert.render.json import jsonl

            for connection in self._counted():
                self._status.clear()
                out.buffer.write(jsonl(connection))
                out.buffer.flush()
            self._status.clear()
            for note in reader.summary.notes:
                click.echo(f"tlsalert: {escape(reader.summary.source)}: {escape(note)}", err=True)
        out.flush()
        click.echo(f"tlsalert: {self._sum()}", err=True)

    def _counted(self) -> Iterator[Connection]:
        left = self._asked.count
        for connection in self._reader:
            if left != 0:
                yield connection
            if left is not None and left > 0:
                left -= 1
                if left == 0:
                    self._source.stop()  # what comes after it is counted, and not shown

    def _line(self, text: str) -> None:
        """Show a message that passes."""
        self._status.clear()
        self._out.write(text + "\n")
        self._out.flush()

    def _tick(self, _: int) -> None:
        """Show how it goes, now and then."""
        now = time.monotonic()
        if not self._status.shows or now - self._last < STATUS:
            return
        rate = (self._source.packets - self._packets) / (now - self._last)
        self._last, self._packets = now, self._source.packets
        so_far = self._reader.so_far
        waiting = self._source.waiting >> 20
        parts = [
            f"{rate:,.0f} packets/s",
            f"{self._source.dropped:,} dropped",
            f"{counted(so_far.connections, 'connection')}, {failures(so_far):,} failed",
            *([f"{waiting} MiB wait to be read"] if waiting else []),
        ]
        self._status.show("   ".join(parts))

    def _sum(self) -> str:
        """Return what passed, in one line."""
        seconds = time.monotonic() - self._began
        dropped = f"{self._source.dropped:,}" if self._source.dropped else "none"
        summary = self._reader.summary
        return (
            f"{counted(summary.packets, 'packet')} in {seconds:.1f} s, {dropped} dropped; "
            f"{counted(summary.connections, 'connection')}, {failures(summary):,} failed"
        )


class Status:
    """A line at the bottom of a terminal that is written over and over; nothing where it is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self.shows = stream.isatty()
        self._stream = stream
        self._there = False

    def show(self, text: str) -> None:
        """Write the line in the place of the one before."""
        if self.shows:
            self._stream.write(f"\r{text}\x1b[K")  # ECMA-48's EL: what stood further right goes
            self._stream.flush()
            self._there = True

    def clear(self) -> None:
        """Take the line away: something else is to be written."""
        if self._there:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._there = False


def failures(summary: Summary) -> int:
    """Return how many connections failed."""
    return summary.failed_by_server + summary.failed_by_client + summary.failed_other


def _new_file(path: str) -> BinaryIO:
    """Make the file for the packets, readable by this user alone: they may hold secrets."""
    import os

    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        raise click.UsageError(f"{path} is there already: packets are written to a new file only") from None
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from error


@contextmanager
def _stopped_by_signals(source: LiveSource | TapSource) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop the source, and the second of them end everything."""
    stopping: list[threading.Thread] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if stopping:
            raise KeyboardInterrupt
        stopping.append(threading.Thread(target=source.stop, daemon=True))  # it waits for locks that may be held here
        stopping[0].start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
