"""What the lab tells of each connection that it has served, and the folder in which it keeps captures of them."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tlsalert.errors import UsageError
from tlsalert.lab.recorder import Address
from tlsalert.lab.tape import Tape

#: How a connection went: the handshake succeeded; one side refused by an alert; the client left before the end,
#: by FIN or by RST; it was silent too long or sent too much; a fault was played; it never asked for TLS; the device
#: was stopped.
Happened = Literal["accepted", "refused", "client_refused", "left", "reset", "timeout", "limit", "fault", "no_tls"]


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
    recorded: Path | None = None


class Recording:
    """A folder for the captures of connections, ``0001.pcap`` and so on, and one key log, ``keys.log`` (mode 0600).

    Raises UsageError where it can't be written or has captures already.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.glob("[0-9]*.pcap")) or (folder / "keys.log").exists():
                raise UsageError("there are captures in it already", str(folder), "give another folder")
            self._keys = os.open(folder / "keys.log", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except OSError as error:
            raise UsageError(f"cannot record: {error.strerror}", str(folder), "give a folder to write to") from error

    def keep(self, number: int, tape: Tape, peer: Address, server: Address, secrets: list[bytes]) -> Path:
        """Write one connection; return its capture. Raises OSError where the disk is full or the like."""
        path = self.folder / f"{number:04}.pcap"
        path.write_bytes(tape.pcap(peer, server, number))
        with self._lock:
            os.write(self._keys, b"".join(line + b"\n" for line in secrets))
        return path

    def close(self) -> None:
        """Close the key log."""
        os.close(self._keys)
