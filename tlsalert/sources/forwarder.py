"""Passes connections on to a server, and tells an observer all that passes: bytes, half-closes, resets.

What one side does reaches the other as it was: a FIN as a FIN while the other half stays open (RFC 9293 §3.6), a RST
as a RST. Where one side does not read, the other is not read from either, so that no more than :data:`HIGH` bytes of a
connection wait here. One thread serves thousands of connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import struct
import threading
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Final, Literal, Protocol, Self, cast

from tlsalert.errors import UsageError
from tlsalert.model import Side

#: An address and port, or the path of a Unix socket.
Place = tuple[str, int] | str

#: Bytes that may wait for a side that does not read before its peer is not read from any more.
HIGH: Final = 256 << 10
#: Connections that may wait to be accepted.
BACKLOG: Final = 4096
#: Seconds that a server gets to accept a connection.
PATIENCE: Final = 30.0
#: Lingers for no time when it is closed: that resets the connection.
NO_LINGER: Final = struct.pack("ii", 1, 0)


class Observer(Protocol):
    """Is told what happens on each connection, by its number (from 1), in the forwarder's own thread."""

    def opened(self, number: int, client: Place | None, server: Place | None) -> None:
        """A client is connected to the server; None for an end without an address."""

    def said(self, number: int, side: Side, data: bytes) -> None:
        """A side has sent bytes."""

    def ended(self, number: int, side: Side, how: Literal["fin", "rst"]) -> None:
        """A side has ended its half, or reset the connection."""

    def closed(self, number: int) -> None:
        """Nothing more passes on it: told once for each that was opened."""

    def unreachable(self, number: int, client: Place | None, says: str) -> None:
        """The server could not be reached, so the client was reset."""


class Forwarder:
    """Listens at ``listen`` and passes connections on to ``target``, from :meth:`start` on until :meth:`stop`.

    ``idle`` is how many seconds nothing may pass before a connection is closed, ``total`` how long it may last in all;
    None: for ever. Raises UsageError where it can't listen.
    """

    def __init__(
        self, listen: Place, target: Place, observer: Observer, idle: float | None = None, total: float | None = None
    ) -> None:
        self.target = target
        self.observer = observer
        self.idle = idle
        self.total = total
        self.links: dict[int, _Link] = {}
        self.count = 0
        self._sockets = _listening(listen)
        self._path = listen if isinstance(listen, str) else None
        #: Where it listens.
        self.address: Place = listen if isinstance(listen, str) else self._sockets.getsockname()[:2]
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._complained)
        self._thread = threading.Thread(target=self._run, daemon=True, name="forwarding")
        self._half_closed = _HalfClosed(self._loop)
        self._stopped: asyncio.Event | None = None
        self.troubles: list[str] = []

    def start(self) -> Self:
        """Begin to forward."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and close the connections that are open."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # it has ended in between
                self._loop.call_soon_threadsafe(self._stop)
            self._thread.join()
        elif not self._loop.is_closed():
            self._loop.close()
        self._sockets.close()
        self._half_closed.close()
        if self._path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def every(self, seconds: float, call: Any) -> None:
        """Call something again and again in the forwarder's thread; say so before :meth:`start`."""

        def again() -> None:
            call()
            self._loop.call_later(seconds, again)

        self._loop.call_soon(again)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stopped = asyncio.Event()
        loop = self._loop
        if isinstance(self.address, str):
            server = await loop.create_unix_server(self._accepted, sock=self._sockets)
        else:
            server = await loop.create_server(self._accepted, sock=self._sockets, backlog=BACKLOG)
        await self._stopped.wait()
        server.close()
        for link in list(self.links.values()):
            link.abandon()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # closing takes one more turn

    def _stop(self) -> None:
        if self._stopped is not None:
            self._stopped.set()
        else:
            self._loop.call_soon(self._stop)

    def _accepted(self) -> _End:
        self.count += 1
        return _Link(self, self.count).client

    def _complained(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep what the event loop complains about: no more descriptors, above all."""
        error = context.get("exception")
        says = (error.strerror if isinstance(error, OSError) else None) or str(error or context.get("message"))
        if says not in self.troubles and len(self.troubles) < 8:
            self.troubles.append(says)


class _Link:
    """One connection: its two ends, and how far each of them has ended."""

    def __init__(self, forwarder: Forwarder, number: int) -> None:
        self.forwarder = forwarder
        self.number = number
        self.client = _End(self, "client")
        self.server = _End(self, "server")
        self.over = False
        self._opened = False
        self._last = 0.0
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Connect to the server: the client is connected and waits."""
        forwarder = self.forwarder
        forwarder.links[self.number] = self
        self._task = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        forwarder = self.forwarder
        loop = asyncio.get_running_loop()
        target = forwarder.target
        patience = PATIENCE if forwarder.idle is None else min(PATIENCE, forwarder.idle)
        try:
            async with asyncio.timeout(patience):
                if isinstance(target, str):
                    await loop.create_unix_connection(lambda: self.server, target)
                else:
                    await loop.create_connection(lambda: self.server, *target)
        except (OSError, TimeoutError) as error:
            if not self.over:
                self.over = True
                says = (os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "") or str(error)
                forwarder.observer.unreachable(self.number, self.client.peer(), says or "it does not answer")
                self.client.reset()
                forwarder.links.pop(self.number, None)
            return
        if self.over:
            self.server.close()
            return
        self._opened = True
        forwarder.observer.opened(self.number, self.client.peer(), self.server.peer())
        self._last = loop.time()
        if forwarder.idle is not None:
            loop.call_later(forwarder.idle, self._look)
        if forwarder.total is not None:
            loop.call_later(forwarder.total, self.abandon)
        for end in (self.client, self.server):
            end.resume()

    def other(self, end: _End) -> _End:
        """Return the peer of an end."""
        return self.server if end is self.client else self.client

    def said(self, end: _End, data: bytes) -> None:
        """Pass bytes on."""
        if self.over:
            return
        self.forwarder.observer.said(self.number, end.side, data)
        if self.forwarder.idle is not None:
            self._last = asyncio.get_running_loop().time()
        self.other(end).write(data)

    def ended(self, end: _End) -> None:
        """Pass a FIN on; after the second one the connection is over."""
        if self.over:
            return
        self.forwarder.observer.ended(self.number, end.side, "fin")
        self.other(end).end()
        if self.other(end).has_ended:
            self._finish()
            self.client.close()
            self.server.close()
        else:
            self.forwarder._half_closed.watch(end)

    def was_reset(self, end: _End) -> None:
        """Pass a RST on."""
        if self.over:
            return
        self.forwarder.observer.ended(self.number, end.side, "rst")
        self._finish()
        self.other(end).reset()
        end.close(at_once=True)

    def abandon(self) -> None:
        """Close both ends: time is up, or the forwarder stops."""
        if self.over:
            return
        if self._opened:
            self._finish()
        else:
            self.over = True
            self.forwarder.links.pop(self.number, None)
        self.client.close(at_once=True)
        self.server.close(at_once=True)

    def _finish(self) -> None:
        self.over = True
        for end in (self.client, self.server):
            self.forwarder._half_closed.forget(end)
        self.forwarder.links.pop(self.number, None)
        self.forwarder.observer.closed(self.number)

    def _look(self) -> None:
        """See whether something has passed lately."""
        idle = self.forwarder.idle
        if self.over or idle is None:
            return
        loop = asyncio.get_running_loop()
        left = self._last + idle - loop.time()
        if left <= 0:
            self.abandon()
        else:
            loop.call_later(left, self._look)


class _End(asyncio.Protocol):
    """One end of a connection: what it does is told to the link."""

    def __init__(self, link: _Link, side: Side) -> None:
        self.side = side
        self.has_ended = False
        self.descriptor = -1
        self._link = link
        self._transport: asyncio.Transport | None = None

    # -- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.descriptor = transport.get_extra_info("socket").fileno()
        self._transport.set_write_buffer_limits(HIGH)
        self._transport.pause_reading()  # until both ends are there
        if self.side == "client":
            self._link.begin()

    def data_received(self, data: bytes) -> None:
        self._link.said(self, data)

    def eof_received(self) -> bool:
        if not self.has_ended:
            self.has_ended = True
            self._link.ended(self)
        return True  # the other half stays open

    def pause_writing(self) -> None:
        self._link.other(self).pause()

    def resume_writing(self) -> None:
        self._link.other(self).resume()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self._link.was_reset(self)

    # -- what the link wants

    def peer(self) -> Place | None:
        """Return the address at the other side of this end; None for a Unix socket without a name."""
        name = None if self._transport is None else self._transport.get_extra_info("peername")
        if isinstance(name, tuple):
            return str(name[0]).partition("%")[0], int(name[1])
        return name if isinstance(name, str) and name else None

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._transport is not None:
            self._transport.write(data)

    def end(self) -> None:
        """Send a FIN, after all that still waits."""
        if self._transport is not None:
            with contextlib.suppress(OSError):  # it has been reset meanwhile, which is told by itself
                self._transport.write_eof()

    def pause(self) -> None:
        """Read no more for now."""
        if self._transport is not None and not self.has_ended:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self.has_ended:
            self._transport.resume_reading()

    def reset(self) -> None:
        """Send a RST."""
        if self._transport is not None:
            with contextlib.suppress(OSError):
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self._transport.abort()

    def close(self, at_once: bool = False) -> None:
        """Close it, after all that still waits or at once."""
        if self._transport is not None:
            (self._transport.abort if at_once else self._transport.close)()

    def error(self) -> int:
        """Return what the socket has to complain about."""
        if self._transport is None:
            return 0
        return int(self._transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


class _HalfClosed:
    """Watches ends that have sent a FIN for a RST behind it: asyncio does not look at them any more.

    An epoll tells of errors even where nothing else is asked for (epoll_ctl(2)). Elsewhere the next write tells.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ends: dict[int, _End] = {}
        self._poll = select.epoll() if hasattr(select, "epoll") else None
        if self._poll is not None:
            loop.add_reader(self._poll.fileno(), self._look)

    def watch(self, end: _End) -> None:
        """Watch an end."""
        if self._poll is not None and end.descriptor >= 0:
            with contextlib.suppress(OSError):
                self._poll.register(end.descriptor, 0)
                self._ends[end.descriptor] = end

    def forget(self, end: _End) -> None:
        """Watch it no more."""
        if self._poll is not None and self._ends.pop(end.descriptor, None) is not None:
            with contextlib.suppress(OSError):
                self._poll.unregister(end.descriptor)

    def close(self) -> None:
        """Watch nothing any more."""
        if self._poll is not None:
            self._poll.close()

    def _look(self) -> None:
        if self._poll is None:
            return
        for descriptor, _ in self._poll.poll(0):
            end = self._ends.get(descriptor)
            if end is None:
                continue
            self.forget(end)
            if end.error():
                end._link.was_reset(end)


def _listening(place: Place) -> socket.socket:
    """Return a socket that listens."""
    if isinstance(place, str):
        return _listening_at(place)
    host, port = place
    try:
        version = ip_address(host).version
    except ValueError:
        raise UsageError("that is no address", host, "give an IP address such as 127.0.0.1 or ::1") from None
    if not 0 <= port <= 0xFFFF:
        raise UsageError("cannot listen: there is no such port", f"{host} port {port}", "give one up to 65535, or 0")
    try:
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        said = os.strerror(error.errno) if error.errno else str(error)
        raise UsageError(f"cannot listen: {said}", f"{host} port {port}", "give another port, or 0") from error


def _listening_at(path: str) -> socket.socket:
    """Return a Unix socket that listens, for this user alone."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(path)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(f"cannot listen: {error.strerror or error}", path, "give another path") from error
    finally:
        os.umask(before)
    return listener
