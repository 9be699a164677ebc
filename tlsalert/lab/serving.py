"""Serves one connection of a device: what comes before TLS, the handshake, what follows, and its faults."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Literal

from OpenSSL import SSL, crypto

from tlsalert.lab.device import NothingInCommon, reason
from tlsalert.lab.faults import Fault, Stage
from tlsalert.lab.levels import LabDevice
from tlsalert.lab.line import Line, TooMuchError
from tlsalert.lab.openssl import set_clock, verify_error
from tlsalert.lab.served import Happened
from tlsalert.lab.speaking import speak_after, speak_before
from tlsalert.pki.certificate import read_certificate
from tlsalert.registry.alerts import AlertDescription

#: Key-log lines that are kept of one connection: TLS 1.3 has five, and a few more for each update of keys.
SECRETS = 64
_RECORD_VERSIONS = {"TLS 1.0": 0x0301, "TLS 1.1": 0x0302, "TLS 1.2": 0x0303, "TLS 1.3": 0x0303}


@dataclass(slots=True)
class Course:
    """How a connection went, so far. ``secrets`` are lines of a key log: they open the connection to who has them."""

    happened: Happened = "left"
    says: str = ""
    tls_version: str | None = None
    cipher_suite: str | None = None
    client: str | None = None
    sent: int | None = None
    received: int | None = None
    secrets: list[bytes] = field(default_factory=list, repr=False)


class Service:
    """The settings of a device at one moment, which many connections share."""

    def __init__(self, device: LabDevice, context: SSL.Context, clock: Callable[[], datetime]) -> None:
        self.device = device
        self.context = context
        self.clock = clock
        self._lock = Lock() if device.alpn else contextlib.nullcontext()
        context.set_info_callback(_note_alert)
        context.set_keylog_callback(_note_secret)

    def serve(self, line: Line, number: int) -> Course:
        """Serve one connection to its end."""
        course = Course()
        try:
            self._serve(line, number, course)
        except TimeoutError:
            self._broken(course, "timeout", "the client was silent for too long")
        except TooMuchError:
            self._broken(course, "limit", "the client sent more than it may")
        except OSError:
            self._broken(course, "reset", "the client reset the connection")
        except Exception as error:  # the client must not see the device fall over, nor the lab's output a traceback
            course.happened, course.says = "failed", f"the lab failed ({type(error).__name__}: {error})"
            with contextlib.suppress(OSError):
                line.close()
        return course

    def shake(self, tls: SSL.Connection) -> None:
        """Go on with a handshake; one at a time where a protocol is chosen.

        pyOpenSSL keeps in the context what that choice raises, and another connection's call could get it.
        """
        with self._lock:
            tls.do_handshake()

    def _serve(self, line: Line, number: int, course: Course) -> None:
        if self.device.fault is not None and self.device.fault.name == "drip":
            line.pause = self.device.fault.seconds
        if fault := self._due("connect"):
            self._play(fault, line, number, course)
            return
        if self.device.starttls is not None and not speak_before(line, self.device.starttls):
            course.happened, course.says = "no_tls", "the client did not ask for TLS"
            line.close()
            return
        talk = _Tls(line, self, course)
        if not self._handshake(talk, line, number, course):
            return
        course.happened = "accepted"
        course.says = speak_after(talk, self.device.after, self.clock)
        talk.close()

    def _handshake(self, talk: _Tls, line: Line, number: int, course: Course) -> bool:
        """Shake hands; return whether that succeeded. Otherwise the connection is closed and ``course`` tells why."""
        step = talk.step()
        while step == "more":
            if talk.waiting and self._due("hello"):
                break
            talk.flush()
            if not talk.feed():
                course.happened, course.says = "left", "the client left before the handshake was finished"
                line.close()
                return False
            step = talk.step()
        if fault := self._due("certificate" if talk.flights else "hello"):
            self._play(fault, line, number, course)
            return False
        talk.flush()
        if step == "failed":
            line.close()
        return step == "done"

    def _broken(self, course: Course, happened: Happened, says: str) -> None:
        """Note how a connection ended, unless its handshake has been decided."""
        if course.happened == "left" and not course.says:
            course.happened, course.says = happened, says
        elif course.happened == "fault":
            course.says += f", and {says}"

    def _due(self, stage: Stage) -> Fault | None:
        """Return the fault that is to be played at this stage, if any."""
        fault = self.device.fault
        return fault if fault is not None and fault.name != "drip" and fault.stage == stage else None

    def _play(self, fault: Fault, line: Line, number: int, course: Course) -> None:
        course.happened, course.says = "fault", f"played {fault}"
        if fault.name == "reset":
            line.reset()
        elif fault.name == "silence":
            line.wait_for_the_end()
        else:
            if answer := fault.answer(_RECORD_VERSIONS[self.device.versions[1]], number):
                line.send(answer)
            line.close()


class _Tls:
    """The device's end of a TLS connection over a line."""

    def __init__(self, line: Line, service: Service, course: Course) -> None:
        self.waiting = b""
        self.flights = 0
        self._line = line
        self._service = service
        self._course = course
        self._tls = SSL.Connection(service.context, None)
        self._tls.set_app_data(course)
        self._tls.set_accept_state()
        if service.device.clock is not None:
            set_clock(self._tls, service.clock())

    def step(self) -> Literal["more", "done", "failed"]:
        """Work on what has come; what is to be sent waits for :meth:`flush`."""
        step: Literal["more", "done", "failed"] = "done"
        try:
            self._service.shake(self._tls)
        except SSL.WantReadError:
            step = "more"
        except (SSL.Error, NothingInCommon) as error:
            step = "failed"
            self._note_failure(reason(error) if isinstance(error, SSL.Error) else str(error))
        self._gather()
        if step == "done":
            self._note_success()
        return step

    def flush(self) -> None:
        """Send what waits."""
        if self.waiting:
            self.flights += 1
            data, self.waiting = self.waiting, b""
            self._line.send(data)

    def feed(self) -> bool:
        """Wait for the client; return whether it sent something."""
        data = self._line.receive()
        if data:
            self._tls.bio_write(data)
        return bool(data)

    def receive(self) -> bytes:
        """Return application data; nothing at its end."""
        while True:
            try:
                return self._tls.recv(65536)
            except SSL.WantReadError:
                self._gather()
                self.flush()
                if not self.feed():
                    return b""
            except (SSL.Error, NothingInCommon):  # close_notify, or a fault after the handshake, which the alert tells
                self._gather()
                self.flush()
                return b""

    def send(self, data: bytes) -> None:
        """Send application data."""
        try:
            self._tls.sendall(data)
        except SSL.Error:
            raise ConnectionError from None
        self._gather()
        self.flush()

    def close(self) -> None:
        """Send close_notify (RFC 8446 §6.1) and close."""
        with contextlib.suppress(SSL.Error):
            self._tls.shutdown()
        self._gather()
        self.flush()
        self._line.close()

    def _gather(self) -> None:
        """Take what OpenSSL has to send."""
        with contextlib.suppress(SSL.WantReadError):
            while True:
                self.waiting += self._tls.bio_read(65536)

    def _note_success(self) -> None:
        course = self._course
        course.tls_version = _version(self._tls)
        course.cipher_suite = self._tls.get_cipher_name()
        certificate = self._tls.get_peer_certificate()
        if certificate is not None:
            course.client = _subject(certificate)

    def _note_failure(self, said: str) -> None:
        course = self._course
        course.tls_version = _version(self._tls) if self.flights else None
        said = verify_error(self._tls) or said
        if course.received is not None:
            course.happened, course.says = "client_refused", _alert(course.received)
        elif course.sent is not None:
            course.happened, course.says = "refused", f"{_alert(course.sent)}: {said}"
        else:
            course.happened, course.says = "refused", f"closed without an alert: {said}"


def _version(tls: SSL.Connection) -> str:
    """Return the version as the model writes it; OpenSSL's names are "TLSv1" to "TLSv1.3"."""
    name = tls.get_protocol_version_name().removeprefix("TLSv")
    return f"TLS {name}" if "." in name else f"TLS {name}.0"


def _subject(certificate: crypto.X509) -> str:
    # What OpenSSL takes, cryptography may refuse: a version 4 is none of its, and no ValueError.
    read = read_certificate(crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate))
    return "(a subject that cannot be read)" if read.subject is None else read.subject


def _alert(code: int) -> str:
    return f"{AlertDescription(code).name} ({code})"


def _note_alert(tls: SSL.Connection, where: int, value: int) -> None:
    if not where & SSL.SSL_CB_ALERT:
        return
    course = tls.get_app_data()
    if not isinstance(course, Course) or value & 0xFF in (0, 90):  # close_notify and user_canceled are no refusals
        return
    if where & SSL.SSL_CB_WRITE_ALERT == SSL.SSL_CB_WRITE_ALERT:
        course.sent = value & 0xFF
    else:
        course.received = value & 0xFF


def _note_secret(tls: SSL.Connection, line: bytes) -> None:
    course = tls.get_app_data()
    if isinstance(course, Course) and len(course.secrets) < SECRETS:
        course.secrets.append(line)


def now() -> datetime:
    """Return the process's time."""
    return datetime.now(UTC)
