"""Handshakes written down as they went, line by line, and the connections that a capture would tell of them.

A line is one packet: who sent it, then what was in it. Besides the names of messages there are

``empty_certificate``      a Certificate message without a certificate
``alert:42``               a fatal alert in clear; ``warning:112`` one of level warning
``hidden:fatal``           an encrypted alert, by what the pattern shows: ``fatal``, ``close_notify`` or ``unknown``
``record:25``              an unread record of application data and its length
``spoke:3``                application data: so many records
``plain:SSH-2.0``          bytes that are no TLS
``fin``, ``rst``           the end
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import msgspec

from tests import stories
from tlsalert.diagnosis.clocks import Dated, Witness
from tlsalert.diagnosis.offers import ServerSeen
from tlsalert.diagnosis.stacks import server_stack
from tlsalert.diagnosis.verdict import verdict
from tlsalert.model import (
    Alert,
    Certificate,
    Certificates,
    Clock,
    Clocks,
    Closing,
    Connection,
    EncryptedRecord,
    HandshakeMessage,
    Position,
    Side,
    Verdict,
)
from tlsalert.registry.alerts import AlertDescription, AlertLevel

replace = msgspec.structs.replace

#: The flights of a full handshake up to TLS 1.2 with a client certificate, RFC 5246 §7.3.
HELLO = "client client_hello"
FLIGHT = "server server_hello certificate server_key_exchange certificate_request server_hello_done"
FLIGHT_WITHOUT_REQUEST = "server server_hello certificate server_key_exchange server_hello_done"
ANSWER = "client certificate client_key_exchange certificate_verify change_cipher_spec encrypted_handshake"
EMPTY_ANSWER = "client empty_certificate client_key_exchange change_cipher_spec encrypted_handshake"
BARE_ANSWER = "client client_key_exchange change_cipher_spec encrypted_handshake"
FINISHED = "server new_session_ticket change_cipher_spec encrypted_handshake"
DONE = (HELLO, FLIGHT, ANSWER, FINISHED)

#: TLS 1.3, RFC 8446 §2: what can be seen of it. EncryptedExtensions to Finished are the server's four records.
HELLO_13 = "server server_hello change_cipher_spec record:27 record:950 record:281 record:69"
ANSWER_13 = "client change_cipher_spec record:1010 record:281 record:69"
EMPTY_ANSWER_13 = "client change_cipher_spec record:25 record:69"
TICKETS_13 = "server record:255 record:255"

MILLISECOND = stories.MILLISECOND
#: Valid at the capture's time, and what the device's clock of the founding case says then.
NOW, IN_2015 = stories.START, stories.at("2015-03-12 05:41:50")
IPMI, BMC = stories.IPMI, stories.BMC


def spoken(*lines: str, version: str | None = "TLS 1.2", **fields: Any) -> Connection:
    """Return the connection that these packets tell of; ``fields`` replace what would be filled in."""
    notes = _Notes(version)
    for number, line in enumerate(lines, 1):
        sender, *said = line.split()
        assert sender in ("client", "server")
        for word in said:
            notes.take(word, "client" if sender == "client" else "server", number)
    names = {(m.sender, m.message) for m in notes.messages}
    filled: dict[str, Any] = {
        "source": "made by hand",
        "connection": 0,
        "client": stories.console().client,
        "server": stories.console().server,
        "start": NOW,
        "end": NOW + len(lines) * 10 * MILLISECOND,
        "tls_version": version,
        "cipher_suite": "TLS_AES_256_GCM_SHA384" if version == "TLS 1.3" else "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "client_hello": stories.HELLO if ("client", "client_hello") in names else None,
        "server_hello": stories.ANSWER if ("server", "server_hello") in names else None,
        "messages": tuple(notes.messages),
        "alerts": tuple(notes.alerts),
        "certificates": Certificates(
            client=(IPMI,) if "client" in notes.showed else (), server=(BMC,) if "server" in notes.showed else ()
        ),
        "certificate_request": stories.console().certificate_request
        if ("server", "certificate_request") in names
        else None,
        "clocks": Clocks(NOW),
        "closed": notes.closed,
        "reset": notes.reset,
        "encrypted_records": tuple(notes.records),
        "application_records": (notes.spoken["client"], notes.spoken["server"]),
        "plain": (notes.plain["client"], notes.plain["server"]),
    }
    return Connection(**{**filled, **fields})


def spoken_13(*lines: str, **fields: Any) -> Connection:
    """Return the same for TLS 1.3."""
    return spoken(*lines, version="TLS 1.3", **fields)


def judged(connection: Connection, stack: str | None = None) -> Verdict:
    """Return the verdict; ``stack`` is the server's where a test does not want it guessed."""
    return verdict(connection, server_stack(connection) if stack is None else {stack: 1.0})


def by_clock(connection: Connection, clock: Clock, side: Side = "server") -> Connection:
    """Return the connection with one side's clock known."""
    return replace(connection, clocks=replace(connection.clocks, **{side: clock}))


def clock_at(time: int, agreeing: int = 3, confidence: float = 0.999) -> Clock:
    """Return a clock that said ``time`` when the capture's clock said NOW; by default one that is proven."""
    return Clock(time, NOW, "ServerHello.random", confidence, Position(frame=2), agreeing)


def showing(connection: Connection, *chain: Certificate, side: Side = "client") -> Connection:
    """Return the connection with another chain sent."""
    return replace(connection, certificates=replace(connection.certificates, **{side: chain}))


def day(year: int, month: int = 1, day_: int = 1) -> datetime:
    return datetime(year, month, day_, tzinfo=UTC)


class Reading(NamedTuple):
    """One hello's clock, as wire keeps it: ``time`` in seconds, ``at`` in nanoseconds since 1970."""

    time: int
    at: int
    frame: int


@dataclass
class Witnesses:
    """What a capture's other connections say about each side's clock, and of the server."""

    of_server: Witness | None = None
    of_client: Witness | None = None
    asked: list[bytes] = field(default_factory=list)
    others: tuple[Reading, ...] = ()
    dates: dict[Side, Dated] = field(default_factory=dict)
    seen: ServerSeen | None = None

    def clock(self, connection: Connection, side: Side, random: bytes) -> Witness | None:
        self.asked.append(random)
        return self.of_server if side == "server" else self.of_client

    def beside(self, connection: Connection, side: Side, random: bytes) -> tuple[Reading, ...]:
        return self.others

    def agree(self, connection: Connection) -> bool:
        return False

    def dated(self, connection: Connection, side: Side) -> Dated | None:
        return self.dates.get(side)

    def server(self, connection: Connection) -> ServerSeen | None:
        return self.seen


class _Notes:
    """What is written down of the packets, one word after the other."""

    def __init__(self, version: str | None) -> None:
        self.version = version
        self.messages: list[HandshakeMessage] = []
        self.alerts: list[Alert] = []
        self.records: list[EncryptedRecord] = []
        self.showed: set[Side] = set()
        self.spoken: dict[Side, int] = {"client": 0, "server": 0}
        self.plain: dict[Side, bytes] = {"client": b"", "server": b""}
        self.closed = Closing()
        self.reset: Closing | None = None

    def take(self, word: str, sender: Side, number: int) -> None:
        kind, _, detail = word.partition(":")
        position, time = Position(frame=number), NOW + number * 10 * MILLISECOND
        if kind in ("alert", "warning"):
            level = AlertLevel.fatal if kind == "alert" else AlertLevel.warning
            self._alert(Alert(level, AlertDescription(int(detail)), sender, position, time))
        elif kind == "hidden":
            inferred = {"fatal": "fatal alert", "close_notify": "close_notify", "unknown": None}[detail]
            self._alert(Alert(None, None, sender, position, time, True, False, inferred))
            if self.version == "TLS 1.3":
                self.records.append(EncryptedRecord(23, sender, position, time, 19))
                self.spoken[sender] += 1
        elif kind == "record":
            self.records.append(EncryptedRecord(23, sender, position, time, int(detail)))
            self.spoken[sender] += 1
        elif kind == "spoke":
            self.spoken[sender] += int(detail)
        elif kind == "plain":
            self.plain[sender] = detail.encode()
        elif kind in ("fin", "rst"):
            self._close("rst" if kind == "rst" else "fin", sender, position, time)
        else:
            self._message(kind, sender, position, time)

    def _alert(self, alert: Alert) -> None:
        self.alerts.append(replace(alert, after=self.messages[-1].message if self.messages else None))

    def _close(self, how: Literal["fin", "rst"], sender: Side, position: Position, time: int) -> None:
        closing = Closing(how, sender, position, time)
        if self.closed.how == "open":
            self.closed = closing
        if how == "rst" and self.reset is None:
            self.reset = closing

    def _message(self, name: str, sender: Side, position: Position, time: int) -> None:
        encrypted = name == "encrypted_handshake"
        if name == "certificate":
            self.showed.add(sender)
        length = 3 if name == "empty_certificate" else 40 if encrypted else 1000
        name = name.removeprefix("empty_")
        body = b"\x03\x03" + stories.ANSWER.random if name in ("client_hello", "server_hello") else None
        code = None if encrypted or name == "change_cipher_spec" else CODES[name]
        self.messages.append(HandshakeMessage(name, code, sender, position, time, length, encrypted, body=body))


#: RFC 8446 §4 and RFC 5246 §7.4.
CODES = {
    "client_hello": 1,
    "server_hello": 2,
    "hello_retry_request": 2,
    "new_session_ticket": 4,
    "certificate": 11,
    "server_key_exchange": 12,
    "certificate_request": 13,
    "server_hello_done": 14,
    "certificate_verify": 15,
    "client_key_exchange": 16,
    "finished": 20,
    "sslv2_client_hello": 1,
    "sslv2_server_hello": 4,
}
