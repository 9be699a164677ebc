"""Listens on a port and serves each connection in a thread of its own, so many at a time and no more."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tlsalert.errors import UsageError
from tlsalert.recorder import Address

#: Seconds between two looks at whether to stop, where nothing wakes the listener.
_TICK = 0.5
#: Seconds that connections get to end when the listener stops.
_PATIENCE = 5.0

#: Serves one connection: its socket, which is closed afterwards, the client's address, its number (from 1).
Serve = Callable[[socket.socket, Address, int], None]


class Listener:
    """A listening socket on ``host`` and ``port`` (0: any that is free). It serves from :meth:`start` on.

    More than ``limit`` connections at a time wait in the system's queue. Raises UsageError where it can't listen.
    """

    def __init__(self, serve: Serve, host: str = "127.0.0.1", port: int = 0, limit: int = 64) -> None:
        self.stopping = threading.Event()
        self._serve = serve
        self._slots = threading.BoundedSemaphore(limit)
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._count = 0
        self._socket = _listening(host, port)
        #: Where it listens.
        self.address: Address = self._socket.getsockname()[:2]
        self._thread = threading.Thread(target=self._run, daemon=True, name="lab listener")

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, end the connections that are open, and wait for their threads, some seconds at most."""
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept() on Linux; elsewhere it wakes by itself
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
        self._socket.close()
        with self._lock:
            threads = list(self._open.items())
        for plain, _ in threads:
            with contextlib.suppress(OSError):
                plain.shutdown(socket.SHUT_RDWR)
        end = time.monotonic() + _PATIENCE
        for _, thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self.stopping.is_set():
            if not self._slots.acquire(timeout=_TICK):
                continue
            try:
                plain, peer = self._socket.accept()
            except TimeoutError:
                self._slots.release()
                continue
            except OSError:  # the client has gone already, or there are no descriptors left: those come back
                self._slots.release()
                self.stopping.wait(0.02)
                continue
            self._count += 1
            thread = threading.Thread(
                target=self._one, args=(plain, (str(peer[0]), int(peer[1])), self._count), daemon=True
            )
            with self._lock:
                self._open[plain] = thread
            thread.start()

    def _one(self, plain: socket.socket, peer: Address, number: int) -> None:
        try:
            with plain:
                self._serve(plain, peer, number)
        finally:
            with self._lock:
                del self._open[plain]
            self._slots.release()


def _listening(host: str, port: int) -> socket.socket:
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        raise UsageError("that is no address", host, "give an IP address such as 127.0.0.1 or ::1") from None
    try:
        listener = socket.create_server(
            (host, port), family=socket.AF_INET6 if version == 6 else socket.AF_INET, backlog=128
        )
    except (OSError, OverflowError) as error:
        said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise UsageError(f"cannot listen: {said}", f"{host} port {port}", "give another --port, or 0") from error
    listener.settimeout(_TICK)
    return listener
