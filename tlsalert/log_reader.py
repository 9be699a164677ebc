"""Reads logs that show handshakes: lines go to the kind of log that they belong to, and connections come out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial

from msgspec import structs

from tlsalert.errors import CaptureError
from tlsalert.given import Given
from tlsalert.model import Connection, Summary
from tlsalert.placed import in_lines
from tlsalert.secrets.opening import OpenWith
from tlsalert.sources.files import ByteSource
from tlsalert.sources.lines import Lines
from tlsalert.sources.log import LAST, Kind, Log, kind_of
from tlsalert.telling import Telling, Wanted
from tlsalert.wire.conversation import Conversation
from tlsalert.wire.transcript import Keeping

#: Lines that are remembered until one shows what kind of log it is.
UNDECIDED = 20_000
#: About how much memory connections that have ended may take before they are told.
HELD_BYTES = 48 << 20
#: Connections made of words that may wait to be told in their order.
HELD_WORDS = 10_000


class LogReader:
    """Reads one log, once. Iterate over it for the connections; ``summary`` is whole when they have ended.

    The other attributes and arguments are those of :class:`tlsalert.packet_reader.Reader`. The kind of log is known by
    the first line that shows it; what stood before counts as well.
    """

    def __init__(
        self,
        source: ByteSource,
        wanted: Wanted = "all",
        secrets: OpenWith | None = None,
        given: Given | None = None,
    ) -> None:
        self.summary = Summary(source.name)
        self.progress: Callable[[int], None] | None = None
        self.size = source.size
        self.live = source.pipe
        self.parts: tuple[str, ...] = getattr(source, "parts", ())
        self._source = source
        self._lines = Lines()
        self._chunks = source.chunks()
        self._number = 0
        self._words: list[Connection] = []
        self._found = False
        self._telling = Telling(source.name, wanted, secrets, given)
        self._keeping = Keeping()
        if secrets is not None:
            self._telling.keep_good()
            self._keeping.on = True
            if secrets.everything:
                self._keeping.each = self._keeping.left
        self._log = self._decide()

    def __iter__(self) -> Iterator[Connection]:
        with self._source as source:
            yield from self._now()
            for chunk in self._chunks:
                for text in self._lines.feed(chunk):
                    self._line(text)
                yield from self._now()
                if self.progress is not None:
                    self.progress(source.advanced())
        for text in self._lines.finish():
            self._line(text)
        log = self._log
        log.finish()
        self._take()
        yield from self._told(final=True)
        notes = [*self._lines.notes(), *self._parted(), *log.notes()]
        if source.damage is not None:
            notes.append(source.damage)
        began = log.began if log.timed else None
        ended = log.ended if log.timed else None
        self.summary = self._telling.summary(began, ended, self._lines.count, tuple(notes))

    def _parted(self) -> list[str]:
        """Say that several files were read as one."""
        others = [os.path.basename(part) for part in self.parts if part != self.summary.source]
        if not others:
            return []
        named = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
        return [f"read with {named} as one trace (strace -ff): lines count as strace-log-merge prints them"]

    def _decide(self) -> Log:
        """Read until a line shows what kind of log it is, and give that log all lines so far."""
        seen: list[bytes] = []
        kind: Kind | None = None
        while kind is None and len(seen) < UNDECIDED:
            chunk = next(self._chunks, None)
            fresh = list(self._lines.finish() if chunk is None else self._lines.feed(chunk))
            kind = next(filter(None, map(kind_of, fresh)), None)
            seen += fresh
            if chunk is None:
                break
            if chunk == b"" and any(map(LAST.sign.search, seen)):
                break  # a pipe that is idle has said what it is
        if kind is None and any(map(LAST.sign.search, seen)):
            kind = LAST
        if kind is None:
            self._source.close()
            raise CaptureError(
                self._source.damage or "not a capture, and not a log that shows a TLS handshake",
                self._source.name,
                "tlsalert reads pcap, pcapng and the logs that 'tlsalert read --help' names; "
                "'tlsalert explain' takes single error lines",
            )
        log = kind.open(self._source.name, self._keeping)
        for number, text in enumerate(seen, 1):
            log.line(text, number)
        self._number = len(seen)
        return log

    def _line(self, text: bytes) -> None:
        self._number += 1
        self._log.line(text, self._number)

    def _now(self) -> Iterator[Connection]:
        """Take what has ended, and tell it already where it comes from a pipe or too much waits."""
        self._take()
        if self.live or self._telling.held_bytes > HELD_BYTES or len(self._words) > HELD_WORDS:
            yield from self._told()

    def _take(self) -> None:
        """Take what has ended: bytes become flows, and words are connections already."""
        log = self._log
        if log.began is not None:
            self._telling.began = log.began
        flows = []
        for ended in log.take():
            if isinstance(ended, Conversation):
                if ended.amend is not None:
                    self._telling.amends[ended.number] = ended.amend
                flows.append(ended.finish())
            else:
                self._words.append(ended)
        if flows:
            self._telling.take(flows)

    def _told(self, final: bool = False) -> Iterator[Connection]:
        """Tell what has ended and was held, by its lines."""
        log = self._log
        given = self._telling.given
        if log.chain and (given is None or not given.chain):
            self._telling.given = structs.replace(given or Given(), chain=log.chain)
            self._found = True
        self._telling.dated = log.timed and getattr(log, "dated", True)
        self._telling.placed = partial(in_lines, timed=log.timed, dated=self._telling.dated, found=self._found)
        yield from self._telling.told(final)
        words, self._words = sorted(self._words, key=_number), []
        for connection in words:
            yield from self._telling.judged(connection)


def _number(connection: Connection) -> int:
    return connection.connection
