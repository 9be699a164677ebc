"""Facts that an engineer has and the capture lacks: the server's clock, and the client's certificate."""

from __future__ import annotations

import base64
import binascii
import os
import re
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct, structs

from tlsalert.diagnosis.ending import certificate_asked, certificate_sent, client_flight, ending
from tlsalert.diagnosis.words import GIVEN
from tlsalert.errors import CaptureError, UsageError
from tlsalert.model import Certificate, Certificates, Clock, Connection
from tlsalert.pki.certificate import read_certificate

_PEM: Final = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(.*?)-----END", re.DOTALL)
#: Certificates are small; who gives a larger file means another one.
LARGEST: Final = 1 << 20
SECOND: Final = 1_000_000_000


class Given(Struct, frozen=True):
    """What was given.

    ``clock`` is the server's when the capture begins, in nanoseconds since 1970; ``chain`` the client's certificates,
    leaf first.
    """

    clock: int | None = None
    chain: tuple[Certificate, ...] = ()

    def server_clock(self, connection: Connection, began: int) -> Clock | None:
        """Return the server's clock at a connection's start; ``began`` is the time of the capture's first packet."""
        if self.clock is None or connection.start is None:
            return None
        return Clock(self.clock + connection.start - began, connection.start, GIVEN, 1.0)

    def supplied(self, connection: Connection) -> Connection:
        """Return the connection with the client's certificate where it sent one that the capture does not show."""
        if not self.chain or connection.certificates.client or not _hidden(connection):
            return connection
        return structs.replace(connection, certificates=Certificates(self.chain, connection.certificates.server))


def given(server_clock: str | datetime | None, client_cert: str | os.PathLike[str] | None) -> Given | None:
    """Read what a user gives; None where that is nothing.

    Raises :class:`tlsalert.errors.UsageError` where it is no time or no certificate, and
    :class:`tlsalert.errors.CaptureError` where the file cannot be read.
    """
    if server_clock is None and client_cert is None:
        return None
    clock = None if server_clock is None else read_time(server_clock)
    return Given(clock, () if client_cert is None else read_chain(client_cert))


def read_time(said: str | datetime) -> int:
    """Return a time in nanoseconds since 1970: RFC 3339, or a date alone; UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(said.strip()) if isinstance(said, str) else said
    except ValueError:
        raise UsageError(f"{said!r} is no time: give one like 2015-03-12T05:41:50Z, or a date") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp()) * SECOND


def read_chain(path: str | os.PathLike[str]) -> tuple[Certificate, ...]:
    """Return the certificates in a file, PEM or DER, in its order."""
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST)
    except OSError as error:
        raise CaptureError(error.strerror or "cannot be read", name) from error
    try:
        encoded = [base64.b64decode(text) for text in _PEM.findall(content)] or [content]
    except binascii.Error:
        raise UsageError(f"{name}: a certificate in it is damaged") from None
    chain = tuple(read_certificate(der) for der in encoded)
    if any(certificate.subject is None and certificate.key is None for certificate in chain):
        raise UsageError(f"{name} holds no certificate that can be decoded (PEM or DER)")
    return chain


def _hidden(connection: Connection) -> bool:
    """Whether the client sent a certificate that is not to be seen: it is encrypted, or was not captured."""
    if any(m.sender == "client" and m.message == "certificate" for m in connection.messages):
        return False
    if certificate_asked(connection) is False and ending(connection).stage != "renegotiation":
        return False
    if connection.tls13:
        return certificate_sent(connection) is True
    if any(m.sender == "client" and m.message == "certificate_verify" for m in connection.messages):
        return True
    return ending(connection).stage == "renegotiation" and client_flight(connection)
