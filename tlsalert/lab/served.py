"""What the lab tells of each connection that it has served, and the folder in which it keeps captures of them."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tlsalert.errors import UsageError
from tlsalert.lab.tape import Tape
from tlsalert.recorder import PCAP_HEADER, Address

#: How a connection went: the handshake succeeded; one side refused by an alert; the client left before the end,
#: by FIN or by RST; it was silent too long or sent too much; a fault was played; it never asked for TLS; the lab itself
#: came upon something that it is not made for.
Happened = Literal[
    "accepted", "refused", "client_refused", "left", "reset", "timeout", "limit", "fault", "no_tls", "failed"
]


@dataclass(frozen=True, slots=True)
class Served:
    """One connection that has ended. ``number`` counts from 1, ``time`` (nanoseconds since 1970, UTC) is its start.

    ``alert_sent`` and ``alert_received`` are the codes of alerts that refuse something. ``client`` is the subject of
    the certificate that was accepted, as the client wrote it: escape it before it is shown.
    """

    number: int
    time: int
    peer: Address
    happened: Happened
    says: str
    tls_version: str | None = None
    cipher_suite: str | None = None
    client: str | None = None
    alert_sent: int | None = None
    alert_received: int | None = None


class Recording:
    """A folder for the capture of all connections, ``lab.pcap``, and their key log, ``keys.log`` (mode 0600).

    Connections are written as they end, so that the times of one may lie before those of another that stands before
    it. Raises UsageError where it can't be written or has such files already.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._keys = _new(folder / "keys.log")
            self._pcap = _new(folder / "lab.pcap")
            os.write(self._pcap, PCAP_HEADER)
        except FileExistsError as error:
            raise UsageError("it is there already", str(error.filename), "give another folder") from error
        except OSError as error:
            raise UsageError(f"cannot record: {error.strerror}", str(folder), "give a folder to write to") from error

    def keep(self, number: int, tape: Tape, peer: Address, server: Address, secrets: list[bytes]) -> None:
        """Write one connection. Raises OSError where the disk is full or the like."""
        packets = memoryview(tape.pcap(peer, server, number))[len(PCAP_HEADER) :]
        with self._lock:
            _write(self._keys, b"".join(line + b"\n" for line in secrets))
            _write(self._pcap, packets)

    def close(self) -> None:
        """Close both files."""
        with self._lock:
            os.close(self._keys)
            os.close(self._pcap)


def _new(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _write(file: int, data: bytes | memoryview) -> None:
    """Write all of it: os.write() may write less."""
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
