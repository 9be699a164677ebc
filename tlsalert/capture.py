"""The one place where the parts meet: any evidence is opened here, and its connections come out with verdicts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, overload

from tlsalert.collector import paused
from tlsalert.connections import Connections
from tlsalert.errors import CaptureError
from tlsalert.given import Given, given
from tlsalert.model import Connection, Summary
from tlsalert.packet_reader import Reader
from tlsalert.secrets.opening import OpenWith, open_with
from tlsalert.sources.files import ByteSource
from tlsalert.sources.recognise import evidence_kind
from tlsalert.telling import Wanted

if TYPE_CHECKING:
    from scapy.packet import Packet

    from tlsalert.log_reader import LogReader

__all__ = ["Capture", "Reader", "Wanted", "open_evidence", "read"]


def open_evidence(
    path: str | os.PathLike[str],
    wanted: Wanted = "all",
    secrets: OpenWith | None = None,
    given: Given | None = None,
    source: ByteSource | None = None,
) -> Reader | LogReader:
    """Open a capture, or a log that shows handshakes, whichever it is by its content. ``source`` may hold its bytes.

    Raises :class:`tlsalert.errors.CaptureError` where it cannot be opened or is neither.
    """
    source = ByteSource(path) if source is None else source
    try:
        kind = evidence_kind(source.head, source.name, source.damage)
    except CaptureError:
        source.close()
        raise
    if kind == "log":
        from tlsalert.log_reader import LogReader
        from tlsalert.sources.strace_parts import with_parts

        return LogReader(with_parts(source), wanted, secrets, given)
    return Reader(path, wanted, secrets, given, source)


class Capture(Connections):
    """The connections of one capture or log, read as they are asked for, in the order of their first packets.

    In a notebook a bar shows how far a large capture has been read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Iterable[Packet],
        secrets: OpenWith | None = None,
        given: Given | None = None,
    ) -> None:
        source: ByteSource | None = None
        if not isinstance(path, str | os.PathLike):
            from tlsalert.scapy_layer import PacketSource

            self._packets = PacketSource(path)  # as long as this lives its connections find their packets
            path, source = self._packets.name, self._packets.open()
        self._reader = open_evidence(path, "all", secrets, given, source)
        self._following = iter(self._reader)
        self._read: list[Connection] = []
        self._watched = False

    @property
    def source(self) -> str:
        """The path that was read."""
        return self._reader.summary.source

    @property
    def summary(self) -> Summary:
        """Counts, times and notes of the whole capture; reads it to its end."""
        self._reach(None)
        return self._reader.summary

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
    def __getitem__(self, place: slice) -> Connections: ...
    def __getitem__(self, place: int | slice) -> Connection | Connections:
        self._reach(place if isinstance(place, int) and place >= 0 else None)
        return Connections(self._read[place]) if isinstance(place, slice) else self._read[place]

    def __repr__(self) -> str:
        return f"<Capture {self.source}: {len(self._read)} connections read so far>"

    _repr_pretty_ = Connections._repr_pretty_  # IPython asks the class that has a __repr__ of its own

    def _reach(self, place: int | None) -> bool:
        """Read on until the connection at ``place`` is there (None: to the end); say whether it is."""
        if not self._watched:
            self._watched = True
            self._watch()
        if place is None:
            with paused():
                self._read.extend(self._following)
            return False
        while place >= len(self._read):
            following = next(self._following, None)
            if following is None:
                return False
            self._read.append(following)
        return True

    def _watch(self) -> None:
        """Show a bar where this runs in a notebook and the evidence is large."""
        if "IPython" in sys.modules:
            from tlsalert.render.notebook.progress import watch

            watch(self._reader)


def read(
    path: str | os.PathLike[str] | Iterable[Packet],
    *,
    keylog: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    rsa_key: str | os.PathLike[str] | None = None,
    passphrase: bytes | None = None,
    psk: bytes | None = None,
    server_clock: str | datetime | None = None,
    client_cert: str | os.PathLike[str] | None = None,
) -> Capture:
    """Read a capture (pcap or pcapng) or a log, plain or compressed; "-" is standard input. scapy's packets do as well.

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
