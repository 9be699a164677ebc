"""Forwards connections to a real server and tells what passed on each, as a running device tells of its own."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

from tlsalert.errors import UsageError
from tlsalert.lab.line import Limits
from tlsalert.lab.listener import Listener
from tlsalert.lab.served import Happened, Recording, Served
from tlsalert.lab.tape import Tape
from tlsalert.model import Connection, Side
from tlsalert.recorder import Address


class Relay:
    """Listens on ``address`` and forwards to ``target``. Leaving its ``with`` block stops it.

    What happened is read from the bytes, as ``tlsalert read`` reads a capture. The key log stays empty: the secrets
    are the server's.
    """

    def __init__(
        self,
        target: Address,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        limits: Limits | None = None,
        record: Path | None = None,
        told: Callable[[Served], None] | None = None,
    ) -> None:
        self.counts: Counter[Happened] = Counter()
        self._target = target
        self._limits = limits or Limits()
        self._told = told
        self._lock = threading.Lock()
        self._listener = Listener(self._serve, host, port)
        try:
            self._recording = None if record is None else Recording(record)
        except UsageError:
            self._listener.stop()
            raise

    @property
    def address(self) -> Address:
        """Where to connect to."""
        return self._listener.address

    def start(self) -> Self:
        """Begin to forward."""
        self._listener.start()
        return self

    def stop(self) -> None:
        """Stop listening, and end the connections that are open."""
        self._listener.stop()
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self, plain: socket.socket, peer: Address, number: int) -> None:
        tape = Tape()
        with contextlib.suppress(OSError), socket.create_connection(self._target, self._limits.idle) as server:
            carry(plain, server, tape, self._limits, self._listener.stopping)
        served = self._told_of(tape, peer, number)
        with self._lock:
            self.counts[served.happened] += 1
        if self._told is not None:
            self._told(served)

    def _told_of(self, tape: Tape, peer: Address, number: int) -> Served:
        left_out = ""
        if self._recording is not None:
            try:
                self._recording.keep(number, tape, peer, self.address, [])
            except OSError as error:
                left_out = f"; not recorded: {error.strerror}"
        connection = read_tape(tape, peer, self.address)
        if connection is None or connection.verdict is None:
            return Served(number, tape.start, peer, "left", f"no TLS passed{left_out}")
        happened, says = _happened(connection), connection.verdict.summary
        return Served(
            number,
            tape.start,
            peer,
            happened,
            ("" if happened == "accepted" else says) + left_out,
            connection.tls_version,
            connection.cipher_suite,
            alert_sent=_code(connection, "server"),
            alert_received=_code(connection, "client"),
        )


def carry(client: socket.socket, server: socket.socket, tape: Tape, limits: Limits, stopping: Event) -> None:
    """Carry what each side sends to the other until both have ended their halves, one has reset it, or time is up."""
    peers: dict[socket.socket, tuple[Side, socket.socket]]
    peers = {client: ("client", server), server: ("server", client)}
    speaking = [client, server]
    end = time.monotonic() + limits.total
    for plain in peers:
        plain.settimeout(limits.idle)
    while speaking and (left := end - time.monotonic()) > 0 and not stopping.is_set():
        ready, _, _ = select.select(speaking, [], [], min(left, limits.idle))
        if not ready:
            return
        for source in ready:
            side, target = peers[source]
            try:
                data = source.recv(65536)
            except OSError:
                tape.note(side, "rst")
                target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return  # closed without lingering: that resets it
            tape.note(side, data or "fin")
            if not data:
                speaking.remove(source)
            with contextlib.suppress(OSError):  # who does not listen any more has said how it ended
                if data:
                    target.sendall(data)
                else:
                    target.shutdown(socket.SHUT_WR)


def read_tape(tape: Tape, client: Address, server: Address) -> Connection | None:
    """Return what ``tlsalert read`` makes of a tape; None where no TLS passed."""
    from tlsalert.capture import read

    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(tape.pcap(client, server))
        file.flush()
        return next(iter(read(file.name)), None)


def _happened(connection: Connection) -> Happened:
    verdict = connection.verdict
    if verdict is None or verdict.outcome == "not_tls":
        return "no_tls"
    if verdict.outcome == "established":
        return "accepted"
    if verdict.outcome == "incomplete":
        return "left"
    return "client_refused" if verdict.refused_by == "client" else "refused"


def _code(connection: Connection, side: Side) -> int | None:
    return next((alert.code for alert in connection.alerts if alert.fatal and alert.sender == side), None)
