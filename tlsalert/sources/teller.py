"""One connection as it is told in words, line by line: its parts are gathered here until the log lets go of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tlsalert.model import (
    Account,
    Alert,
    Certificate,
    Certificates,
    Closing,
    Connection,
    Endpoint,
    HandshakeMessage,
    Objection,
    Position,
    Side,
)
from tlsalert.registry import openssl_reasons, verify_errors
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.registry.cipher_suites import CipherSuite
from tlsalert.registry.handshake_types import HandshakeType
from tlsalert.sources.openssl_words import GONE, library_errors, step

#: More of one kind are not kept: no handshake has as many messages, and a log that repeats itself has no news.
MOST: Final = 64

#: Said where nothing tells whose program it is that received an alert.
ASSUMED: Final = "nothing here says which side's program this is from: it is taken for the client's"

FATAL: Final = AlertLevel(2)
WARNING: Final = AlertLevel(1)
#: TLS versions as OpenSSL writes them (ssl/ssl_lib.c, SSL_get_version) → as they are told.
VERSIONS: Final = {
    "SSLv2": "SSLv2",
    "SSLv3": "SSLv3",
    "TLSv1": "TLS 1.0",
    "TLSv1.0": "TLS 1.0",
    "TLSv1.1": "TLS 1.1",
    "TLSv1.2": "TLS 1.2",
    "TLSv1.3": "TLS 1.3",
    "DTLSv1": "DTLS 1.0",
    "DTLSv1.2": "DTLS 1.2",
}


class Teller:
    """Gathers what a log's lines tell of one connection. ``number`` is the connection's place in its log, from 0.

    ``side`` is whose log it is; ``over`` says that the lines have told its end.
    """

    def __init__(self, program: str, number: int, line: int, time: int | None, side: Side | None = None) -> None:
        self.program = program
        self.number = number
        self.side = side
        self.peers: dict[Side, Endpoint] = {}
        self.version: str | None = None
        self.suite: str | None = None
        self.server_name: str | None = None
        self.protocol: str | None = None
        self.over = False
        self.spoke = False
        #: Whether it reached another machine before any word of TLS.
        self.reached = False
        self.notes: list[str] = []
        self.closing = Closing()
        self.completed: Position | None = None
        self.transport: str = "tcp"
        #: Called with it before it is built: what is known of the log then.
        self.settle: Callable[[Teller], None] | None = None
        self._line = line
        self._start = time
        self._end = time
        self._now = time
        self._steps: list[tuple[str, Side | None, str, Position, int | None]] = []
        self._alerts: list[tuple[bool, AlertLevel, AlertDescription, Position, int | None]] = []
        self._objections: list[Objection] = []
        self._chain: dict[int, Certificate] = {}
        self._none_sent: Position | None = None
        self._failed: Position | None = None

    def at(self, line: int, time: int | None) -> None:
        """Note that a line belongs to this connection: what follows is told there."""
        self._line = line
        self._now = time
        if time is not None:
            self._start = time if self._start is None else self._start
            self._end = time

    @property
    def here(self) -> Position:
        """Where the lines stand."""
        return Position(frame=self._line)

    @property
    def news(self) -> bool:
        """Whether anything of TLS was told."""
        return bool(self._steps or self._alerts or self._objections or self.completed or self._failed) or self.spoke

    @property
    def refused(self) -> bool:
        """Whether it told of a refusal."""
        return bool(self._objections) or any(fatal for _, fatal, *_ in self._alerts)

    def peer(self, side: Side, address: str, port: int) -> None:
        """Note one end's address, the first that is told."""
        self.peers.setdefault(side, Endpoint(address, port))

    def step(self, text: str) -> bool:
        """Take one step of OpenSSL's handshake, and say whether it was one."""
        found = step(text)
        if found is None:
            return False
        does, whose, name = found
        if len(self._steps) < MOST and not any((d, w, n) == found for d, w, n, *_ in self._steps):
            self._steps.append((does, whose, name, self.here, self._now))
        return True

    def alert(self, sent: bool, description: AlertDescription, fatal: bool = True) -> None:
        """Note an alert that this side sent or received; what says it again is no second one."""
        level = FATAL if fatal else WARNING
        if len(self._alerts) >= MOST:
            return
        if not any((s, d) == (sent, description) for s, _, d, *_ in self._alerts):
            self._alerts.append((sent, level, description, self.here, self._now))

    def object(self, objection: Objection) -> None:
        """Note what this side says that it refused the peer for."""
        if len(self._objections) < MOST:
            self._objections.append(objection)

    def verify_error(
        self, error: verify_errors.VerifyError | None, words: str, inside: bool = False, soft: bool = False
    ) -> None:
        """Note what the verifier of this side objects to in the peer's certificate."""
        error = error or verify_errors.by_words(words)
        if error is None:
            self.object(Objection(words, self.here, None, True, inside=inside, soft=soft))
            return
        alert = None if inside else error.alert
        self.object(Objection(words, self.here, error.cause, True, error.others, alert, inside, soft))

    def errors(self, text: str, side: Side | None = None) -> bool:
        """Take the errors of OpenSSL in a line, and say whether there were any."""
        found = library_errors(text)
        for error in found:
            reason = error.reason.lower()
            if error.alert is not None:
                self.alert(False, error.alert)
            elif reason in GONE:
                self.spoke = True
                if reason == "unexpected eof while reading":
                    self.gone("fin")
            else:
                known = openssl_reasons.by_words(reason) or openssl_reasons.Reason(None, None)
                alert = known.alert if known.tls13 is None else None  # which version it was is not known here
                about, others = known.about_certificate, known.others
                self.object(Objection(error.reason, self.here, known.cause, about, others, alert))
        return bool(found)

    def certificate(self, depth: int, certificate: Certificate) -> None:
        """Note a certificate of the peer's chain."""
        if depth < MOST:
            self._chain.setdefault(depth, certificate)

    def done(self) -> None:
        """Note that the handshake was completed."""
        if self.completed is None:
            self.completed = self.here

    def none_sent(self) -> None:
        """Note that the client sent no certificate where one was asked for."""
        if self._none_sent is None:
            self._none_sent = self.here

    def failed(self) -> None:
        """Note that the handshake failed, of which the log does not say who refused it."""
        if self._failed is None:
            self._failed = self.here

    def gone(self, how: str, by_peer: bool = True) -> None:
        """Note how the transport ended, the first that is told; its sender is known with the side."""
        if self.closing.how == "open":
            self.closing = Closing(
                "rst" if how == "rst" else "fin", "client" if by_peer else "server", self.here, self._now
            )

    def build(self, source: str) -> Connection:
        """Return the connection, complete but for clocks and verdict."""
        side = self.side
        own: Side = side or "client"
        if side is None and self._alerts and ASSUMED not in self.notes:
            self.notes.append(ASSUMED)
        peer: Side = "server" if own == "client" else "client"
        messages = self._messages(own, peer)
        alerts = self._told_alerts(own, peer, messages)
        none_sent = self._none_sent or (self._nothing_sent(messages) if side is not None else None)
        closing = self.closing
        if closing.how != "open":  # "client" stood for the peer
            closing = Closing(closing.how, peer if closing.sender == "client" else own, closing.position, closing.time)
        chain = tuple(self._chain[depth] for depth in sorted(self._chain))
        certificates = Certificates(chain, ()) if peer == "client" else Certificates((), chain)
        return Connection(
            source=source,
            connection=self.number,
            transport="udp" if self.transport == "udp" else "tcp",
            protocol=self.protocol,
            client=self.peers.get("client"),
            server=self.peers.get("server"),
            start=self._start,
            end=self._end,
            tls_version=self.version or self._version(messages),
            cipher_suite=self.suite,
            server_name=self.server_name,
            messages=messages,
            alerts=alerts,
            certificates=certificates,
            closed=closing,
            notes=tuple(self.notes),
            account=Account(self.program, side, tuple(self._objections), self.completed, none_sent, self._failed),
        )

    def _messages(self, own: Side, peer: Side) -> tuple[HandshakeMessage, ...]:
        told = []
        for does, whose, name, position, time in self._steps:
            sender = whose or (own if does == "write" else peer)
            number = HandshakeType.__members__.get(name)
            told.append(HandshakeMessage(name, None if number is None else int(number), sender, position, time, 0))
        return tuple(told)

    def _told_alerts(self, own: Side, peer: Side, messages: tuple[HandshakeMessage, ...]) -> tuple[Alert, ...]:
        told = []
        for sent, level, description, position, time in self._alerts:
            before = [m.message for m in messages if (m.position.frame or 0) < (position.frame or 0)]
            sender = own if sent else peer
            told.append(Alert(level, description, sender, position, time, after=before[-1] if before else None))
        return tuple(told)

    def _nothing_sent(self, messages: tuple[HandshakeMessage, ...]) -> Position | None:
        """Return where a client finished that had been asked for a certificate and proved no key.

        RFC 5246 §7.4.8: a CertificateVerify follows each certificate that can sign, which all in use can.
        """
        said = {(m.sender, m.message): m for m in messages}
        finished = said.get(("client", "finished")) or said.get(("client", "change_cipher_spec"))
        if ("server", "certificate_request") not in said or finished is None:
            return None
        if ("client", "certificate_verify") in said or self.version == "TLS 1.3" or self._version(messages):
            return None
        return finished.position

    def _version(self, messages: tuple[HandshakeMessage, ...]) -> str | None:
        """Return "TLS 1.3" where messages are told that only it has."""
        only = {("server", "encrypted_extensions"), ("server", "certificate_verify")}
        return "TLS 1.3" if any((m.sender, m.message) in only for m in messages) else None


def told_version(text: str) -> str | None:
    """Return a version as it is told, from OpenSSL's name for it; None where it is none, or "TLSv1/SSLv3"."""
    return VERSIONS.get(text)


def told_suite(name: str) -> str | None:
    """Return IANA's name of a cipher suite, from OpenSSL's or IANA's own; None where it is not known."""
    if name in CipherSuite.__members__:
        return name
    parts = name.split("-")
    exchange = parts.pop(0) if parts and parts[0] in ("ECDHE", "DHE", "ECDH", "PSK", "SRP") else "RSA"
    signed = parts.pop(0) if exchange != "RSA" and parts and parts[0] in ("RSA", "ECDSA", "DSS", "PSK") else ""
    rest = "_".join(parts).replace("AES256", "AES_256").replace("AES128", "AES_128")
    rest = rest.replace("CAMELLIA256", "CAMELLIA_256").replace("CAMELLIA128", "CAMELLIA_128")
    rest = rest.replace("CHACHA20_POLY1305", "CHACHA20_POLY1305_SHA256").replace("DES_CBC3_SHA", "3DES_EDE_CBC_SHA")
    if rest.startswith("RC4_"):
        rest = rest.replace("RC4_", "RC4_128_")
    if not any(mode in rest for mode in ("GCM", "CCM", "POLY1305", "RC4", "CBC")):
        head, _, mac = rest.rpartition("_")
        rest = f"{head}_CBC_{mac}"
    said = f"TLS_{exchange}{'_' + signed if signed else ''}_WITH_{rest}"
    return said if said in CipherSuite.__members__ else None
