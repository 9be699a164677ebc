"""A TLS device that listens, with a clock of its own and settings that change while it runs: no root, one process.

    device = LabDevice(identity, trusted=(authority,), clock=datetime(2015, 3, 12, tzinfo=UTC))
    with serve(device) as running:
        connect(running.address)
        running.clock = datetime(2021, 6, 17, tzinfo=UTC)

It is a real OpenSSL server (pyOpenSSL), so it sends the alerts that OpenSSL sends; for other stacks see
:mod:`tlsalert.lab.stacks`. The clock in ServerHello.random is the process's (:mod:`tlsalert.lab.device`).
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from OpenSSL import SSL

from tlsalert.errors import UsageError
from tlsalert.lab.device import reason
from tlsalert.lab.levels import LabDevice, context_of
from tlsalert.lab.line import Limits, Line
from tlsalert.lab.listener import Listener
from tlsalert.lab.served import Happened, Recording, Served
from tlsalert.lab.serving import Course, Service, now
from tlsalert.lab.tape import LIMIT, Tape
from tlsalert.recorder import Address

__all__ = ["LabDevice", "Limits", "Recording", "RunningDevice", "Served", "serve"]

#: How many of the last connections, and lines of the key log, a device remembers.
REMEMBERED = 1000


class RunningDevice:
    """A device that listens on ``address``. Leaving its ``with`` block stops it.

    ``counts`` tells how many connections went which way, ``served`` the last thousand of them in the order in which
    they ended, ``secrets`` the last lines of their key log. ``told`` is called with each connection that has ended,
    in its thread. ``real_time`` is the time of captures, in nanoseconds since 1970.
    """

    def __init__(
        self,
        device: LabDevice,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        limits: Limits | None = None,
        connections: int = 64,
        record: Path | None = None,
        told: Callable[[Served], None] | None = None,
        real_time: Callable[[], int] = time.time_ns,
    ) -> None:
        self.counts: Counter[Happened] = Counter()
        self.served: deque[Served] = deque(maxlen=REMEMBERED)
        self.secrets: deque[bytes] = deque(maxlen=REMEMBERED)
        self._limits = limits or Limits()
        self._told = told
        self._real_time = real_time
        self._lock = threading.Lock()
        self._service = self._serviced(device)
        self._listener = Listener(self._serve, host, port, connections)
        try:
            self._recording = None if record is None else Recording(record)
        except UsageError:
            self._listener.stop()
            raise

    @property
    def address(self) -> Address:
        """Where to connect to."""
        return self._listener.address

    @property
    def device(self) -> LabDevice:
        """The settings by which the next connection is served."""
        return self._service.device

    @property
    def clock(self) -> datetime:
        """What the device's clock says now. Set it, and the next connection is judged by the new time."""
        return self._service.clock()

    @clock.setter
    def clock(self, time: datetime | None) -> None:
        self.change(clock=time)

    @property
    def trusted(self) -> tuple[x509.Certificate, ...]:
        """The certification authorities that the device trusts; may be set."""
        return self.device.trusted

    @trusted.setter
    def trusted(self, certificates: tuple[x509.Certificate, ...]) -> None:
        self.change(trusted=certificates)

    @property
    def pinned(self) -> tuple[x509.Certificate, ...]:
        """The clients' certificates that the device has; may be set."""
        return self.device.pinned

    @pinned.setter
    def pinned(self, certificates: tuple[x509.Certificate, ...]) -> None:
        self.change(pinned=certificates)

    def change(self, **settings: Any) -> None:
        """Change fields of :class:`LabDevice` for connections that come from now on.

        A clock that is not among them runs on. Raises UsageError where OpenSSL can't do with the settings.
        """
        old = self._service
        if "clock" not in settings and old.device.clock is not None:
            settings["clock"] = old.clock()
        self._service = self._serviced(replace(old.device, **settings))

    def start(self) -> Self:
        """Begin to serve."""
        self._listener.start()
        return self

    def stop(self) -> None:
        """Stop listening, end the connections that are open, and close what was recorded."""
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

    def _serviced(self, device: LabDevice) -> Service:
        try:
            return Service(device, context_of(device), _running(device.clock))
        except SSL.Error as error:
            raise UsageError(f"OpenSSL takes no such settings: {reason(error)}") from error

    def _serve(self, plain: socket.socket, peer: Address, number: int) -> None:
        tape = Tape(self._real_time, 0 if self._recording is None else LIMIT)
        course = self._service.serve(Line(plain, tape, self._limits, self._listener.stopping), number)
        self._record(number, tape, peer, course)
        served = Served(
            number,
            tape.start,
            peer,
            course.happened,
            course.says,
            course.tls_version,
            course.cipher_suite,
            course.client,
            course.sent,
            course.received,
        )
        with self._lock:
            self.counts[served.happened] += 1
            self.served.append(served)
            self.secrets += course.secrets
        if self._told is not None:
            self._told(served)

    def _record(self, number: int, tape: Tape, peer: Address, course: Course) -> None:
        if self._recording is None:
            return
        left_out = "; recorded in part: it was too long" if tape.full else ""
        try:
            self._recording.keep(number, tape, peer, self.address, course.secrets)
        except OSError as error:
            left_out = f"; not recorded: {error.strerror}"
        course.says += left_out


def serve(device: LabDevice, host: str = "127.0.0.1", port: int = 0, **options: Any) -> RunningDevice:
    """Start a device and return it; the options are those of :class:`RunningDevice`.

    Raises UsageError where it can't listen there or OpenSSL can't do with its settings.
    """
    return RunningDevice(device, host, port, **options).start()


def _running(clock: datetime | None) -> Callable[[], datetime]:
    """Return a clock that says ``clock`` now and runs on."""
    if clock is None:
        return now
    start = time.monotonic()
    return lambda: clock + timedelta(seconds=time.monotonic() - start)
