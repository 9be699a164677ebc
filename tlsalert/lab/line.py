"""A socket with limits: every byte that passes is on the tape, every wait ends."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from dataclasses import dataclass
from threading import Event

from tlsalert.lab.tape import Tape


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a client may be silent (``idle``) and stay in all (``total``), and the ``bytes`` it may send.

    ``linger`` is how many seconds a device waits for its client to close after a refusal: a socket closed with
    unread bytes in it sends a reset, and that destroys the alert on its way (RFC 1122 §4.2.2.13).
    """

    idle: float = 10.0
    total: float = 60.0
    bytes: int = 16 << 20
    linger: float = 1.0


class TooMuchError(OSError):
    """The client sent more than it may."""


class Line:
    """The server's end of one connection. ``pause`` is the wait after each single byte sent; None: no dripping.

    Its methods raise TimeoutError where time is up, TooMuchError, and OSError as sockets do.
    """

    def __init__(self, plain: socket.socket, tape: Tape, limits: Limits, stopping: Event) -> None:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pause: float | None = None
        self._socket = plain
        self._tape = tape
        self._limits = limits
        self._stopping = stopping
        self._end = time.monotonic() + limits.total
        self._left = limits.bytes
        self._ended = False

    def receive(self, patience: float | None = None) -> bytes:
        """Return what the client has sent; nothing once it has ended its half."""
        left = min(patience if patience is not None else self._limits.idle, self._end - time.monotonic())
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            self._tape.note("client", "rst")
            raise
        if not self._ended:
            self._tape.note("client", data or "fin")
        self._ended = self._ended or not data
        self._left -= len(data)
        if self._left < 0:
            raise TooMuchError
        return data

    def send(self, data: bytes) -> None:
        """Send ``data`` in one piece, or dripping."""
        if self.pause is None:
            self._send(data)
            return
        for at in range(len(data)):
            self._send(data[at : at + 1])
            if self._stopping.wait(self.pause):
                raise TimeoutError

    def wait_for_the_end(self) -> None:
        """Read and forget until the client leaves or time is up."""
        while self.receive():
            pass

    def close(self) -> None:
        """Send a FIN, then read for a moment what the client still sends: its end comes before ours."""
        self._tape.note("server", "fin")
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            end = time.monotonic() + self._limits.linger
            while (left := end - time.monotonic()) > 0 and self.receive(left):
                pass

    def reset(self) -> None:
        """Send a RST: what a socket does that is closed with nothing to linger for."""
        self._tape.note("server", "rst")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _send(self, data: bytes) -> None:
        left = min(self._limits.idle, self._end - time.monotonic())
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        self._socket.sendall(data)
        self._tape.note("server", data)
