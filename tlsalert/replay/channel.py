"""The way to the server: a TCP socket with deadlines and limits that writes down what passes.

It reads while it writes: a server may refuse in the midst of a long flight, and its alert would be lost, or both sides
would wait for each other for ever. Each call of :meth:`Channel.send` is one send where the system's buffer allows, and
goes out at once (TCP_NODELAY): servers that close with unread data reset the connection, and that destroys the alert
on its way (RFC 9293 §3.10.7.4).
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Literal, Self

from tlsalert.replay.exchange import Address, Segment
from tlsalert.replay.target import Limits

#: Bytes that are read in one go.
CHUNK: Final = 1 << 16
#: Segments that are kept apart; later ones of one side that follow each other become one.
SEGMENTS: Final = 2_000
SECOND: Final = 1_000_000_000


class Stopped(Exception):  # noqa: N818, it is how a conversation ends
    """There is nothing more to read or to wait for; ``how`` says why, ``limit`` which limit was passed."""

    def __init__(self, how: Literal["fin", "rst", "timeout", "limit"], limit: str | None = None) -> None:
        super().__init__(how, limit)
        self.how, self.limit = how, limit


class Channel:
    """A connection to a server. Leaving the ``with`` block closes it.

    ``wrap`` and ``unwrap`` put what is sent into a protocol's packets and take it out of them (MS-TDS). ``reset`` says
    that the peer reset the connection; ``waited`` is how long the last wait without an answer was, in seconds.
    """

    def __init__(self, peer: socket.socket, limits: Limits, clock: Callable[[], int] = time.time_ns) -> None:
        self.segments: list[Segment] = []
        self.reset = False
        self.waited = 0.0
        self.wrap: Callable[[bytes], bytes] | None = None
        self.unwrap: Callable[[bytes], bytes] | None = None
        self._socket = peer
        self._limits = limits
        self._began, self._start = time.monotonic_ns(), clock()
        self._deadline = self._began + int(limits.total * SECOND)
        self._unsent = b""
        self._received = 0
        self._broken = False
        self._open = True
        self._merged = bytearray()
        self._poll = select.poll()
        self._poll.register(peer, select.POLLIN)
        peer.setblocking(False)
        with contextlib.suppress(OSError):  # a Unix socket has no such option
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def now(self) -> int:
        """The time in nanoseconds since 1970; it follows the monotonic clock, so that it never goes backwards."""
        return self._start + time.monotonic_ns() - self._began

    @property
    def started(self) -> int:
        """When it began, in nanoseconds since 1970."""
        return self._start

    def addresses(self) -> tuple[Address, Address] | None:
        """Return the addresses of client and server, None where they are no addresses of IP."""
        try:
            own, peer = self._socket.getsockname(), self._socket.getpeername()
        except OSError:
            return None
        if self._socket.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        return (_host(own[0]), int(own[1])), (_host(peer[0]), int(peer[1]))

    def send(self, data: bytes) -> None:
        """Send ``data``; what the system does not take at once goes out while :meth:`receive` reads."""
        if not data or self._broken or not self._open:
            return
        if self.wrap is not None:
            data = self.wrap(data)
        self._record("client", data)
        self._unsent += data
        self._write()

    def receive(self, wait: float | None = None) -> bytes:
        """Return the next bytes of the server, waiting so many seconds for them (None: the limit of a read).

        Raises :class:`Stopped` when it has closed, reset, or said nothing for so long. Bytes that it
        sent before a reset are returned first.
        """
        began = time.monotonic_ns()
        until = min(began + int((self._limits.read if wait is None else wait) * SECOND), self._deadline)
        while True:
            left = until - time.monotonic_ns()
            events = self._ready(left)
            if events & ~select.POLLOUT:  # also where it hung up: to read says how
                data = self._read()
                if data and self.unwrap is not None:
                    data = self.unwrap(data)
                if data:
                    return data
            elif events:
                self._write()
            elif left <= 0:
                self.waited = (time.monotonic_ns() - began) / SECOND
                if until == self._deadline:
                    raise Stopped("timeout", f"{self._limits.total:g} s in all")
                raise Stopped("timeout")

    def finish(self, wait: float) -> None:
        """Close the own half, and read on for so many seconds: to close with unread data would be a reset."""
        if not self._open:
            return
        self._open = False
        with contextlib.suppress(OSError, Stopped):
            end = time.monotonic() + wait
            while self._unsent and (left := end - time.monotonic()) > 0:
                self.receive(left)
            self._socket.shutdown(socket.SHUT_WR)
            while (left := end - time.monotonic()) > 0:
                self.receive(left)

    def taken(self) -> tuple[Segment, ...]:
        """Return all that passed."""
        if self._merged:
            last = self.segments[-1]
            self.segments[-1] = Segment(last.sender, last.data + bytes(self._merged), last.time)
            self._merged.clear()
        return tuple(self.segments)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def _ready(self, wait: int) -> int:
        """Wait so many nanoseconds at most until something can be read or written; return poll's events."""
        self._poll.modify(self._socket, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        found = self._poll.poll(max(0, -(-wait // 1_000_000)))
        return found[0][1] if found else 0

    def _read(self) -> bytes:
        try:
            data = self._socket.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError:
            self.reset = True
            raise Stopped("rst") from None
        if not data:
            raise Stopped("rst" if self.reset else "fin")
        self._received += len(data)
        self._record("server", data)
        if self._received > self._limits.bytes:
            raise Stopped("limit", f"{self._limits.bytes} bytes")
        return data

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except ConnectionResetError:
            self.reset = self._broken = True  # what it sent before can still be read
            self._unsent = b""
        except OSError:
            self._broken = True
            self._unsent = b""
        else:
            self._unsent = self._unsent[sent:]

    def _record(self, sender: Literal["client", "server"], data: bytes) -> None:
        kept = self.segments
        if len(kept) < SEGMENTS or kept[-1].sender != sender:
            self.taken()
            kept.append(Segment(sender, data, self.now))
        else:
            self._merged += data


def _host(name: str) -> str:
    return name.split("%")[0]


def connect(place: tuple[str, int], limits: Limits) -> socket.socket:
    """Connect to a host and port. Raises OSError, whose words say why it did not work."""
    return socket.create_connection(place, limits.connect)
