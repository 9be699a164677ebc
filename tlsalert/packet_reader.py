"""Reads captures: their packets go through ``wire``, and connections come out with verdicts.

A capture is read once (twice where it holds secrets behind the packets that they open), in bounded memory.
Connections come in the order of their first packets; those that have ended are held back until the capture's end (or
until :data:`HELD_BYTES` is reached), so that every handshake of a machine can speak for its clock. From a pipe they
come as they end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from tlsalert.errors import CaptureError
from tlsalert.given import Given
from tlsalert.model import Connection, Summary
from tlsalert.secrets.opening import OpenWith
from tlsalert.sources.files import ByteSource
from tlsalert.sources.recognise import capture_kind
from tlsalert.sources.scapy_links import ScapyLinks
from tlsalert.sources.source import Source
from tlsalert.telling import Telling, Wanted
from tlsalert.wire.capfile import CaptureParser
from tlsalert.wire.network import Network
from tlsalert.wire.tcp import TcpTable

#: About how much memory connections that have ended may take before they are told.
HELD_BYTES = 48 << 20


class Reader:
    """Reads one capture, once. Iterate over it for the connections; ``summary`` is whole when they have ended.

    With ``wanted`` "failed" those that surely went well are counted and not built; with "alerts" those without an
    alert. ``progress``, where it is set, is called with how many more of the file's ``size`` bytes were read (less than
    none where reading begins anew); ``size`` is None of a pipe, ``live`` says that it is one. With ``secrets``
    what they open is decrypted, as with those that a pcapng brings itself; ``given`` are facts that it lacks.
    ``source`` are the capture's bytes where somebody has opened it already, or is just making it. ``looker``, where it
    is set, is shown the table of connections after each chunk.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        wanted: Wanted = "all",
        secrets: OpenWith | None = None,
        given: Given | None = None,
        source: Source | None = None,
    ) -> None:
        self.summary = Summary(os.fspath(path))
        self._wanted = wanted
        self._secrets = secrets
        self._own = False  # all secrets are the capture's own: nobody else tells what is odd about them
        self._given = given
        self._late = 0
        self.progress: Callable[[int], None] | None = None
        self.looker: Callable[[TcpTable], None] | None = None
        self._source: Source = ByteSource(path) if source is None else source
        self.size = self._source.size
        self.live = self._source.pipe
        self._begin()
        try:
            if self._source.damage is not None and len(self._source.head) < 24:
                raise CaptureError(self._source.damage, self._source.name)
            capture_kind(self._source.head, self._source.name)
        except CaptureError:
            self._source.close()
            raise

    @property
    def so_far(self) -> Summary:
        """The counts of all that was read up to now."""
        return self._telling.summary(None, None, int(self._parser.frames), ())

    @property
    def flow(self) -> int:
        """The number of the flow of the connection that was given last: see :mod:`tlsalert.tracing`."""
        return self._telling.flow

    @property
    def secrets(self) -> OpenWith | None:
        """What was decrypted with: the secrets that were given, and those that the capture brought."""
        return self._secrets

    def _begin(self) -> None:
        """Make everything that one pass over the capture fills."""
        self._tcp = TcpTable()
        self._dissector = ScapyLinks()
        self._network = Network(self._tcp, self._dissector)
        self._parser = CaptureParser(self._network)
        self._telling = Telling(self.summary.source, self._wanted, None, self._given)
        if self._secrets is not None:
            self._keep(self._secrets)

    def _keep(self, secrets: OpenWith) -> None:
        """Keep what may be opened."""
        self._telling.secrets = secrets
        self._telling.keep_good()
        self._tcp.keeping.on = True
        if secrets.everything:
            self._tcp.keeping.each = self._tcp.keeping.left

    def __iter__(self) -> Iterator[Connection]:
        again, done = False, 0
        with self._source as source:
            for chunk in source.chunks():
                if chunk:
                    self._parser.feed(chunk)
                    self._tcp.settle()
                else:
                    self._tcp.settle_all()
                if self._parser.secrets and self._learn():
                    again = True
                    break
                if self.looker is not None:
                    self.looker(self._tcp)
                self._take()
                if source.pipe or self._telling.held_bytes > HELD_BYTES:
                    yield from self._told()
                if self.progress is not None:
                    read = source.advanced()
                    done += read
                    self.progress(read)
        if again:  # the secrets came after packets that they open
            if self.progress is not None:
                self.progress(-done)
            self._source = ByteSource(self.summary.source)
            self._begin()
            yield from self
            return
        self._parser.finish()
        self._tcp.finish()
        if self.looker is not None:
            self.looker(self._tcp)
        self._take()
        yield from self._told(final=True)
        self._finish()

    def _learn(self) -> bool:
        """Take the key logs that the capture brings; say whether it has to be read again for their sake."""
        if self._secrets is None:
            self._secrets, self._own = OpenWith(), True
        name = "its decryption secrets" if self._own else f"{self.summary.source}, its decryption secrets"
        for block in self._parser.secrets:
            self._secrets.keyring.keylog.add(block, name)
        self._parser.secrets = []
        self._keep(self._secrets)
        if not self._parser.late_secrets:
            return False
        self._parser.late_secrets = False
        if self._telling.told_some or not os.path.isfile(self.summary.source):  # a pipe, with a name or without
            self._late += 1
            return False
        return True

    def _take(self) -> None:
        if self._tcp.recognised:
            self._telling.recognise_all(self._tcp.recognised)
            self._tcp.recognised = []
        flows = self._tcp.finished
        if flows:
            self._tcp.finished = []
            self._telling.take(flows)

    def _told(self, final: bool = False) -> Iterator[Connection]:
        """Tell what has ended and was held."""
        self._telling.began = int(self._parser.first_time)
        self._telling.digits = self._parser.digits
        return self._telling.told(final)

    def _finish(self) -> None:
        parser = self._parser
        notes = list(self._tcp.notes)
        notes.extend((*self._network.notes(), *self._dissector.notes()))
        if parser.snapped:
            notes.append(f"{parser.snapped} packets were cut short when they were recorded (use tcpdump -s 0)")
        if parser.orphans:
            notes.append(f"{parser.orphans} packets belong to an interface that the file does not describe")
        if parser.lost_secrets:
            notes.append(f"{parser.lost_secrets} blocks of decryption secrets were too many and not read")
        if self._own and self._secrets is not None:
            notes.extend(self._secrets.keyring.keylog.problems)
        if self._late:
            notes.append("secrets came after connections that had been told already: give them with --keylog")
        notes.extend(self._source.notes())
        notes.extend(damage for damage in (parser.damage, self._source.damage) if damage is not None)
        timed = parser.first_time >= 0
        self.summary = self._telling.summary(
            parser.first_time if timed else None, parser.time if timed else None, parser.frames, tuple(notes)
        )
