"""The one place where the parts meet: a source's bytes go through ``wire``, and connections come out with verdicts.

A capture is read once (twice where it holds secrets behind the packets that they open), in bounded memory.
Connections come in the order of their first packets; those that have ended are held back until the capture's end (or
until :data:`HELD_BYTES` is reached), so that every handshake of a machine can speak for its clock. From a pipe they
come as they end.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, overload

from msgspec import structs

from tlsalert.diagnosis.inside import may_refuse
from tlsalert.diagnosis.verdict import judge
from tlsalert.errors import CaptureError
from tlsalert.given import Given, given
from tlsalert.model import Connection, Summary
from tlsalert.secrets.opening import OpenWith, open_with
from tlsalert.sources.files import ByteSource
from tlsalert.sources.recognise import capture_kind
from tlsalert.sources.scapy_links import ScapyLinks
from tlsalert.wire.capfile import CaptureParser
from tlsalert.wire.connection import client_side, connection
from tlsalert.wire.flow import Flow
from tlsalert.wire.harvest import Harvest
from tlsalert.wire.network import Network
from tlsalert.wire.opened import opened_well
from tlsalert.wire.readings import server_key
from tlsalert.wire.tcp import TcpTable
from tlsalert.wire.transcript import Transcript
from tlsalert.witnesses import Witnesses

if TYPE_CHECKING:
    from tlsalert.secrets.glance import Glance

Wanted = Literal["all", "failed", "alerts"]

#: About how much memory connections that have ended may take before they are told.
HELD_BYTES = 48 << 20


class Reader:
    """Reads one capture, once. Iterate over it for the connections; ``summary`` is whole when they have ended.

    With ``wanted`` "failed" those that surely went well are counted and not built; with "alerts" those without an
    alert. ``progress``, where it is set, is called with the number of bytes of each chunk; ``size`` is the file's size
    in bytes where that is known and what is read is not compressed; ``live`` says that it is a pipe. With ``secrets``
    what they open is decrypted, as with those that a pcapng brings itself; ``given`` are facts that it lacks.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        wanted: Wanted = "all",
        secrets: OpenWith | None = None,
        given: Given | None = None,
    ) -> None:
        self.summary = Summary(os.fspath(path))
        self._tally: Counter[str] = Counter()
        self._wanted = wanted
        self._secrets = secrets
        self._own = False  # all secrets are the capture's own: nobody else tells what is odd about them
        self._given = given
        self._told_some = False
        self._late = 0
        self._glance: Glance | None = None
        self.progress: Callable[[int], None] | None = None
        self._source = ByteSource(path)
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

    def _begin(self) -> None:
        """Make everything that one pass over the capture fills."""
        self._tcp = TcpTable()
        self._dissector = ScapyLinks()
        self._network = Network(self._tcp, self._dissector)
        self._parser = CaptureParser(self._network)
        self._harvest = Harvest(self._wanted == "all", self._wanted == "alerts")
        self._witnesses = Witnesses(self._harvest.readings, self._harvest.servers)
        if self._secrets is not None:
            self._keep(self._secrets)

    def _keep(self, secrets: OpenWith) -> None:
        """Keep what may be opened: without it nobody knows which connections went well."""
        self._tcp.keeping.on = True
        self._harvest.with_good = True
        if secrets.everything:
            self._tcp.keeping.each = self._tcp.keeping.left

    def __iter__(self) -> Iterator[Connection]:
        again = False
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
                self._take()
                if source.pipe or self._harvest.held_bytes > HELD_BYTES:
                    yield from self._told()
                if self.progress is not None:
                    self.progress(len(chunk))
        if again:  # the secrets came after packets that they open
            self._source = ByteSource(self.summary.source)
            self._begin()
            yield from self
            return
        self._parser.finish()
        self._tcp.finish()
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
        if self._told_some or not os.path.isfile(self.summary.source):  # a pipe, with a name or without
            self._late += 1
            return False
        return True

    def _take(self) -> None:
        if self._tcp.recognised:
            self._harvest.recognise_all(self._tcp.recognised)
            self._tcp.recognised = []
        flows = self._tcp.finished
        if flows:
            self._tcp.finished = []
            self._harvest.take(flows)

    def _told(self, final: bool = False) -> Iterator[Connection]:
        """Build and judge what is held, in the order of first packets."""
        flows = self._harvest.release()
        self._told_some = self._told_some or bool(flows)
        opened = self._open(flows, final)
        for flow in flows:
            well = flow.transcript is not None and not opened and flow.transcript.went_well()  # before the model's use
            built = connection(flow, self.summary.source, self._harvest.rank(flow.number), self._parser.digits)
            _forget(flow)
            judged = self._judge(built, well)
            self._count(judged)
            if self._is_wanted(judged):
                yield judged

    def _judge(self, built: Connection, well: bool) -> Connection:
        """Judge a connection, by what was given as well where the capture does not show it."""
        if self._given is None:
            return judge(built, self._witnesses, well)
        supplied = self._given.supplied(built)
        clock = self._given.server_clock(built, int(self._parser.first_time))
        judged = judge(supplied, self._witnesses, well, clock)
        return judged if supplied is built else structs.replace(judged, certificates=built.certificates)

    def _open(self, flows: list[Flow], final: bool) -> bool:
        """Decrypt what the secrets at hand open, and note the clocks that show inside; say whether there are any.

        Where only failures are wanted, those that surely went well are counted and taken out of ``flows``.
        """
        secrets = self._secrets
        if secrets is None or not self._tcp.keeping.on:
            return False
        from tlsalert.secrets.reveal import reveal

        secrets.keyring.keylog.refresh(final)
        glance = self._glancing(secrets)
        left = []
        for flow in flows:
            transcript = flow.transcript
            if transcript is None:
                left.append(flow)
                continue
            known = transcript.answer
            client = client_side(flow, transcript)
            well = glance is not None and glance.surely_well(transcript, client) and _agreed(transcript, client)
            if well or reveal(transcript, client, secrets.keyring, secrets.everything):
                self._harvest.servers.note_opened(server_key(flow.key, client), transcript)
                well = well or (self._wanted == "failed" and opened_well(transcript) and _agreed(transcript, client))
            if known is None and transcript.answer is not None:
                self._harvest.readings.note_date(flow.key, transcript)
            if well:
                self._tally["connections"] += 1
                _forget(flow)
            else:
                left.append(flow)
        flows[:] = left
        return True

    def _glancing(self, secrets: OpenWith) -> Glance | None:
        """Return what tells connections that surely went well, where they are not wanted."""
        if self._wanted != "failed" or secrets.everything:
            return None
        if self._glance is None:
            from tlsalert.secrets.glance import Glance

            self._glance = Glance(secrets.keyring)
        return self._glance

    def _is_wanted(self, judged: Connection) -> bool:
        if self._wanted == "alerts":
            return bool(judged.alerts)
        return self._wanted == "all" or (judged.verdict is not None and judged.verdict.outcome in ("failed", "not_tls"))

    def _count(self, judged: Connection) -> None:
        self._tally["connections"] += 1
        if judged.verdict is not None and judged.verdict.outcome == "failed":
            self._tally[f"failed_by_{judged.verdict.refused_by or 'other'}"] += 1

    def _finish(self) -> None:
        parser, tally = self._parser, self._tally
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
        notes.extend(damage for damage in (parser.damage, self._source.damage) if damage is not None)
        self.summary = Summary(
            self.summary.source,
            parser.first_time if parser.first_time >= 0 else None,
            parser.time if parser.first_time >= 0 else None,
            parser.frames,
            tally["connections"] + self._harvest.good,
            tally["failed_by_server"],
            tally["failed_by_client"],
            tally["failed_by_other"],
            self._harvest.other_streams,
            tuple(notes),
        )


def _agreed(transcript: Transcript, client: int) -> bool:
    """Whether nothing that the server is seen to say inside TLS refuses the client's certificate."""
    return transcript.inside is not None and not may_refuse(transcript.inside[1 - client])


def _forget(flow: Flow) -> None:
    """Give up the protected records that were kept of a connection."""
    if flow.transcript is not None and flow.transcript.kept is not None:
        flow.transcript.kept.release()


class Capture(Sequence[Connection]):
    """The connections of one capture, read as they are asked for, in the order of their first packets."""

    def __init__(
        self, path: str | os.PathLike[str], secrets: OpenWith | None = None, given: Given | None = None
    ) -> None:
        self._reader = Reader(path, secrets=secrets, given=given)
        self._connections = iter(self._reader)
        self._read: list[Connection] = []

    @property
    def source(self) -> str:
        """The path that was read."""
        return self._reader.summary.source

    @property
    def summary(self) -> Summary:
        """Counts, times and notes of the whole capture; reads it to its end."""
        self._reach(None)
        return self._reader.summary

    @property
    def failed(self) -> tuple[Connection, ...]:
        """The connections whose handshake failed."""
        return tuple(c for c in self if c.verdict is not None and c.verdict.outcome == "failed")

    def __iter__(self) -> Iterator[Connection]:
        place = 0
        while self._reach(place):
            yield self._read[place]
            place += 1

    def __len__(self) -> int:
        self._reach(None)
        return len(self._read)

    @overload
    def __getitem__(self, place: int) -> Connection: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Connection]: ...
    def __getitem__(self, place: int | slice) -> Connection | Sequence[Connection]:
        self._reach(place if isinstance(place, int) and place >= 0 else None)
        return self._read[place]

    def __repr__(self) -> str:
        return f"<Capture {self.source}: {len(self._read)} connections read so far>"

    def _reach(self, place: int | None) -> bool:
        """Read on until the connection at ``place`` is there (None: to the end); say whether it is."""
        while place is None or place >= len(self._read):
            following = next(self._connections, None)
            if following is None:
                return False
            self._read.append(following)
        return True


def read(
    path: str | os.PathLike[str],
    *,
    keylog: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    rsa_key: str | os.PathLike[str] | None = None,
    passphrase: bytes | None = None,
    psk: bytes | None = None,
    server_clock: str | datetime | None = None,
    client_cert: str | os.PathLike[str] | None = None,
) -> Capture:
    """Read a capture (pcap or pcapng, plain or compressed; "-" is standard input).

    What is encrypted is decrypted with the secrets in ``keylog`` (one or more files in the format of SSLKEYLOGFILE),
    with the server's private key in the file ``rsa_key`` where the key exchange is static RSA (``passphrase`` opens
    it), and with the pre-shared key ``psk``; a pcapng may bring its own secrets.

    ``server_clock`` is what the server's clock said when the capture began (RFC 3339, or a date), and ``client_cert`` a
    file with the client's certificate (PEM or DER): facts that the capture may lack. The certificate counts only where
    the client sent one that is not to be seen.

    Raises :class:`tlsalert.errors.CaptureError` where a file is none or cannot be opened, and
    :class:`tlsalert.errors.UsageError` where the key or its passphrase is wrong, or what is given is no
    time or no certificate.
    """
    facts = given(server_clock, client_cert)
    if keylog is None and rsa_key is None and psk is None:
        return Capture(path, given=facts)
    logs = [keylog] if isinstance(keylog, str | os.PathLike) else list(keylog or ())
    keys = [] if rsa_key is None else [rsa_key]
    return Capture(path, open_with(logs, keys, lambda _: passphrase, [] if psk is None else [psk]), facts)
