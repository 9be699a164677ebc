"""A flow's transcript → the public model of a connection, made when it is asked for."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final, final

from mypy_extensions import i64

from tlsalert.errors import DecodeError
from tlsalert.messages import CompressedCertificate
from tlsalert.model import (
    Alert,
    Certificate,
    CertificateRequest,
    Certificates,
    ClientHello,
    Closing,
    Connection,
    EncryptedRecord,
    Endpoint,
    HandshakeMessage,
    Position,
    ServerHello,
    Side,
)
from tlsalert.pki.certificate import read_certificate
from tlsalert.pki.names import name_from_der
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.registry.certificates import ClientCertificateType
from tlsalert.registry.cipher_suites import cipher_suite_name
from tlsalert.registry.handshake_types import HandshakeType
from tlsalert.registry.signature_schemes import SignatureScheme
from tlsalert.registry.versions import version_label
from tlsalert.wire.before import before
from tlsalert.wire.contents import read_contents
from tlsalert.wire.fingerprint import ja3, ja4
from tlsalert.wire.flow import RST, Flow
from tlsalert.wire.hello import chosen_protocol, read_sslv2_client_hello
from tlsalert.wire.inference import inferred_alerts, unread_alerts
from tlsalert.wire.messages import read_certificate_list, read_certificate_request
from tlsalert.wire.repeated import client_hello, server_hello
from tlsalert.wire.transcript import (
    ALERT,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    SSLV2,
    SSLV2_VERSION,
    TLS13,
    Event,
    Transcript,
)

CLIENT_HELLO: Final = 1
SERVER_HELLO: Final = 2
ENCRYPTED_EXTENSIONS: Final = 8
CERTIFICATE: Final = 11
SERVER_KEY_EXCHANGE: Final = 12
CERTIFICATE_REQUEST: Final = 13
SERVER_HELLO_DONE: Final = 14
COMPRESSED_CERTIFICATE: Final = 25
PRE_SHARED_KEY: Final = 41

#: A Certificate message with more bytes than this is decoded anew each time, or strangers could fill the memory.
REMEMBERED_CHAIN: Final = 16_384
MOST_CHAINS: Final = 512
#: Certificates of a compressed message that are decoded: a thousand bytes can hold thousands of them.
MOST_COMPRESSED: Final = 32

#: The numbers of a dotted address as text.
NUMBERS: Final = [str(number) for number in range(256)]
DOT: Final = 0x2E
ZERO: Final = 0x30

#: Handshake messages by number; one without a name of its own shows its number.
NAMES: Final[list[str]] = [
    member.name if member.name in HandshakeType.__members__ else str(member)
    for member in map(HandshakeType, range(256))
]
#: The messages of SSLv2 by their numbers (draft-hickman-netscape-ssl-00, RFC 6101 §E).
SSLV2_NAMES: Final = {
    0: "sslv2_error",
    1: "sslv2_client_hello",
    2: "sslv2_client_master_key",
    3: "sslv2_client_finished",
    4: "sslv2_server_hello",
    5: "sslv2_server_verify",
    6: "sslv2_server_finished",
    7: "sslv2_request_certificate",
    8: "sslv2_client_certificate",
}


def connection(flow: Flow, source: str, number: int, digits: int) -> Connection:
    """Return the model of a flow that has ended. Clocks and verdict are for others to add."""
    transcript = flow.transcript
    if transcript is None:
        transcript = Transcript()
    transcript.put_in_order()
    client = client_side(flow, transcript)
    story = _Story(transcript, client)
    near, far = endpoints(flow.key)
    offered = story.client_hello
    chosen = story.server_hello
    protocol, preamble = before(transcript, client)
    return Connection(
        source=source,
        connection=number,
        client=near if client == 0 else far,
        server=far if client == 0 else near,
        start=int(flow.start),
        end=int(flow.end),
        digits=digits,
        protocol=protocol,
        tls_version=_version(transcript, chosen, story.whole[1]),
        cipher_suite=cipher_suite_name(chosen.cipher_suite)
        if chosen is not None and chosen.cipher_suite >= 0
        else None,
        server_name=offered.server_name if offered is not None else None,
        alpn=story.alpn if story.alpn is not None or chosen is None else chosen.alpn,
        ja3=story.ja3,
        ja3s=story.ja3s,
        ja4=story.ja4,
        resumed=story.resumed(),
        client_hello=offered,
        server_hello=chosen,
        messages=tuple(story.messages),
        alerts=story.all_alerts(),
        certificates=Certificates(story.certificates[0], story.certificates[1]),
        certificate_request=story.request,
        closed=_closing(flow, client),
        reset=_reset(flow, client),
        notes=(*story.notes, *_losses(flow), *transcript.notes),
        encrypted_records=story.records(),
        application_records=(
            int(transcript.records_a if client == 0 else transcript.records_b),
            int(transcript.records_b if client == 0 else transcript.records_a),
        ),
        plain=(
            transcript.plain_a if client == 0 else transcript.plain_b,
            transcript.plain_b if client == 0 else transcript.plain_a,
        ),
        inside=(b"", b"") if transcript.inside is None else (transcript.inside[client], transcript.inside[1 - client]),
        preamble=preamble,
        hello_records=_hello_records(transcript, story.hello_size),
    )


def client_side(flow: Flow, transcript: Transcript) -> int:
    """Return which side is the client: by its hello, else by the SYN, else the one with the higher port."""
    if transcript.client_side >= 0:
        return int(transcript.client_side)
    if flow.opener >= 0:
        return int(flow.opener)
    return 0 if flow.key[-4:-2] >= flow.key[-2:] else 1


def endpoints(key: bytes) -> tuple[Endpoint, Endpoint]:
    """Return a flow key's two ends: side 0, then side 1."""
    size = (len(key) - 4) // 2
    return (
        Endpoint(address(key[:size]), key[-4] << 8 | key[-3]),
        Endpoint(address(key[size : 2 * size]), key[-2] << 8 | key[-1]),
    )


def address(packed: bytes) -> str:
    """Return an address as text: dotted, or RFC 5952's form."""
    if len(packed) == 4:
        return f"{NUMBERS[packed[0]]}.{NUMBERS[packed[1]]}.{NUMBERS[packed[2]]}.{NUMBERS[packed[3]]}"
    return _long_address(packed)


def packed(address: str) -> bytes:
    """Return the bytes of an address that :func:`address` has made text of."""
    if ":" in address:
        return _long_packed(address)
    value: i64 = 0
    part: i64 = 0
    for character in address.encode():
        if character == DOT:
            value = value << 8 | part
            part = 0
        else:
            part = part * 10 + i64(character) - ZERO
    return int(value << 8 | part).to_bytes(4, "big")


@lru_cache(maxsize=4096)
def _long_address(packed: bytes) -> str:
    return str(IPv6Address(packed))


@lru_cache(maxsize=4096)
def _long_packed(address: str) -> bytes:
    return IPv6Address(address).packed


def _version(transcript: Transcript, hello: ServerHello | None, whole: bool) -> str | None:
    if hello is not None:
        if not whole and hello.version == 0x0303:
            return None  # it says 1.2 or 1.3: the extension that tells was not captured
        return version_label(hello.version)
    return "SSLv2" if transcript.version == SSLV2_VERSION else None


def _hello_records(transcript: Transcript, size: int) -> tuple[tuple[int, int], ...]:
    """Return version and length of the records in which the ClientHello of ``size`` bytes came."""
    if transcript.opening == 0 or size == 0:
        return ()
    cuts = transcript.cuts
    if cuts is None:
        return ((int(transcript.opening), size),)
    return tuple([(cut >> 16, cut & 0xFFFF) for cut in cuts])


def _closing(flow: Flow, client: int) -> Closing:
    if flow.how == 0:
        return Closing()
    return Closing(
        "rst" if flow.how == RST else "fin",
        "client" if flow.close_side == client else "server",
        Position(int(flow.close_frame)),
        int(flow.close_time),
    )


def _reset(flow: Flow, client: int) -> Closing | None:
    if flow.rst_side < 0:
        return None
    sender: Side = "client" if flow.rst_side == client else "server"
    return Closing("rst", sender, Position(int(flow.rst_frame)), int(flow.rst_time))


def _losses(flow: Flow) -> list[str]:
    notes: list[str] = []
    if flow.missing > 0:
        notes.append(f"frame {flow.missing_frame}: {flow.missing} bytes before it are missing from the capture")
    if flow.cut > 0:
        notes.append(f"{flow.cut} packets were cut short by the capture's snap length (record with tcpdump -s 0)")
    return notes


class _Story:
    """Goes through a transcript once and gathers what the model shows."""

    def __init__(self, transcript: Transcript, client: int) -> None:
        self.transcript = transcript
        self.client = client
        self.messages: list[HandshakeMessage] = []
        self.alerts: list[Alert] = []
        self.notes: list[str] = []
        self.client_hello: ClientHello | None = None
        self.server_hello: ServerHello | None = None
        self.ja3: str | None = None
        self.ja3s: str | None = None
        self.ja4: str | None = None
        self.certificates: list[tuple[Certificate, ...]] = [(), ()]
        self.request: CertificateRequest | None = None
        self.alpn: str | None = None
        self.after: str | None = None
        self.hello_size = 0
        self.whole = [True, True]
        self._position = Position(0)
        self._frame: i64 = 0
        self.unread = unread_alerts(transcript)
        for event in transcript.events:
            if event.kind == ALERT:
                self._alert(event)
            else:
                self._message(event)

    def sender(self, side: i64) -> Side:
        """Return who a side is."""
        return "client" if side == self.client else "server"

    def position(self, frame: i64) -> Position:
        """Return a frame as a position: one object for all that a packet completed."""
        if frame != self._frame:
            self._frame = frame
            self._position = Position(int(frame))
        return self._position

    def all_alerts(self) -> tuple[Alert, ...]:
        """Return the alerts that were read, and those that lengths and order give away in TLS 1.3."""
        for event, says in inferred_alerts(self.transcript, self.client):
            self.alerts.append(
                Alert(
                    None,
                    None,
                    self.sender(event.side),
                    self.position(event.frame),
                    int(event.time),
                    True,
                    False,
                    says,
                    self.after,
                )
            )
        return tuple(self.alerts)

    def records(self) -> tuple[EncryptedRecord, ...]:
        """Return the first and last records of application data."""
        return tuple(
            [
                EncryptedRecord(
                    int(e.kind), self.sender(e.side), self.position(e.frame), int(e.time), int(e.length), e.decrypted
                )
                for e in self.transcript.records
            ]
        )

    def resumed(self) -> bool:
        """Whether an earlier session was taken up: RFC 8446 §2.2, RFC 5246 §7.3, RFC 5077 §3.1."""
        hello = self.server_hello
        if hello is None:
            return False
        if self.transcript.version >= TLS13:
            return any(extension.type == PRE_SHARED_KEY for extension in hello.extensions)
        changed = False
        for event in self.transcript.events:
            if event.side == self.client or event.kind == ALERT:
                continue
            if event.kind == CHANGE_CIPHER_SPEC:
                changed = True
            elif event.kind == HANDSHAKE and event.code in (CERTIFICATE, SERVER_KEY_EXCHANGE, SERVER_HELLO_DONE):
                return False
        return changed

    def _alert(self, event: Event) -> None:
        sender = self.sender(event.side)
        position, time = self.position(event.frame), int(event.time)
        if event.code < 0:
            says = self.unread.pop(0)
            self.alerts.append(Alert(None, None, sender, position, time, True, False, says, self.after))
            return
        level, description = AlertLevel(int(event.code >> 8)), AlertDescription(int(event.code & 0xFF))
        inside = event.decrypted
        self.alerts.append(Alert(level, description, sender, position, time, inside, inside, None, self.after))

    def _message(self, event: Event) -> None:
        code: int | None = None
        encrypted = event.decrypted
        if event.kind == CHANGE_CIPHER_SPEC:
            name = "change_cipher_spec"
            encrypted = event.length > 1
        elif event.kind == SSLV2:
            code = int(event.code)
            name = SSLV2_NAMES.get(code, f"sslv2_{code}")
            self._sslv2(code, event)
        elif event.code < 0:
            name = "encrypted_handshake"
            encrypted = True
        else:
            code = int(event.code)
            name = NAMES[code]
            if event.body is not None and self._read(event, code):
                name = "hello_retry_request"
        self.after = name
        self.messages.append(
            HandshakeMessage(
                name,
                code,
                self.sender(event.side),
                self.position(event.frame),
                int(event.time),
                int(event.length),
                encrypted,
                event.decrypted,
                event.body if code is not None else None,
                event.cut,
            )
        )

    def _sslv2(self, code: int, event: Event) -> None:
        """Decode SSLv2's ClientHello, and the certificate in its ServerHello (draft-hickman-netscape-ssl-00 §2.6)."""
        body = event.body
        if body is None:
            return
        if code == CLIENT_HELLO:
            hello = read_sslv2_client_hello(body)
            self.client_hello = hello
            self.ja3 = ja3(hello) if self.whole[0] else None
            self.ja4 = ja4(hello) if self.whole[0] else None
        elif code == 4 and len(body) >= 11:
            size = body[5] << 8 | body[6]
            if 0 < size <= len(body) - 11:
                self.certificates[1] = (read_certificate(body[11 : 11 + size]),)

    def _read(self, event: Event, code: int) -> bool:
        """Decode the messages that the model shows; say whether it was a HelloRetryRequest."""
        body = event.body
        if body is None:
            return False
        if code == CLIENT_HELLO:
            self._client_hello(event, body)
        elif code == SERVER_HELLO:
            return self._server_hello(event, body)
        elif code == CERTIFICATE:
            self._certificates(event, body)
        elif code == CERTIFICATE_REQUEST:
            self._request(event, body)
        elif code == ENCRYPTED_EXTENSIONS:
            self.alpn = chosen_protocol(body)
        elif code == COMPRESSED_CERTIFICATE:
            self._compressed(event, body)
        return False

    def _client_hello(self, event: Event, body: bytes) -> None:
        if event.cut and len(body) < 38:
            return
        if self.client_hello is not None and self.client_hello.random == body[2:34]:
            return  # the second one, after a HelloRetryRequest: RFC 8446 §4.1.2
        if self.client_hello is not None and event.decrypted:
            return  # a renegotiation's: the first one is what the connection began with
        offer = client_hello(body)
        if self.client_hello is None:
            self.hello_size = int(event.length) + 4
        self.client_hello = offer.hello
        self.whole[0] = not event.cut
        self.ja3 = None if event.cut else offer.ja3
        self.ja4 = None if event.cut else offer.ja4
        if offer.hello.problems:
            self._problems(event, "client_hello", offer.hello.problems)

    def _server_hello(self, event: Event, body: bytes) -> bool:
        if len(body) < 34:
            return False
        answer = server_hello(body)
        hello = answer.hello
        if self.server_hello is not None and event.decrypted:
            return hello.hello_retry_request
        self.server_hello = hello
        self.whole[1] = not event.cut
        self.ja3s = answer.ja3s if hello.cipher_suite >= 0 and not event.cut else None
        if hello.problems:
            self._problems(event, "server_hello", hello.problems)
        return hello.hello_retry_request

    def _certificates(self, event: Event, body: bytes) -> None:
        tls13 = self.transcript.version >= TLS13
        chain, problem = _chain(body, tls13)
        self.certificates[0 if event.side == self.client else 1] = chain
        if problem is not None:
            self._problems(event, "certificate", (problem,))

    def _compressed(self, event: Event, body: bytes) -> None:
        chain, problems = _compressed_chain(body)
        self.certificates[0 if event.side == self.client else 1] = chain
        if problems:
            self._problems(event, "compressed_certificate", problems)

    def _request(self, event: Event, body: bytes) -> None:
        try:
            self.request = certificate_request(body, int(self.transcript.version))
        except DecodeError as error:
            self._problems(event, "certificate_request", (error.what,))

    def _problems(self, event: Event, message: str, problems: tuple[str, ...]) -> None:
        if not event.cut:
            self.notes.extend([f"frame {event.frame}: {message}: {problem}" for problem in problems])


@final
class _Chain:
    """A Certificate message that was decoded."""

    def __init__(self, body: bytes, chain: tuple[Certificate, ...], problem: str | None) -> None:
        self.body = body
        self.chain = chain
        self.problem = problem


#: Certificate messages that were seen, by their ends: the first certificate's serial number, the last one's signature.
_CHAINS: Final[dict[bytes, _Chain]] = {}


def _chain(body: bytes, tls13: bool) -> tuple[tuple[Certificate, ...], str | None]:
    """Decode a Certificate message: its certificates, and what is wrong with it if anything is."""
    ends = body[:48] + body[-32:] + (b"3" if tls13 else b"2")
    known = _CHAINS.get(ends)
    if known is not None and known.body == body:
        return known.chain, known.problem
    encoded, problem = read_certificate_list(body, tls13)
    chain = tuple([read_certificate(der) for der in encoded])
    if len(body) <= REMEMBERED_CHAIN:
        if len(_CHAINS) >= MOST_CHAINS:
            _CHAINS.clear()
        _CHAINS[ends] = _Chain(body, chain, problem)
    return chain, problem


def _compressed_chain(body: bytes) -> tuple[tuple[Certificate, ...], tuple[str, ...]]:
    """Unpack a CompressedCertificate, RFC 8879 §4: its certificates, and what is wrong with it."""
    unpacked = int.from_bytes(body[2:5], "big")
    if len(body) <= REMEMBERED_CHAIN and unpacked <= REMEMBERED_CHAIN:
        return _remembered_chain(body)
    return _unpacked_chain(body)


@lru_cache(maxsize=256)
def _remembered_chain(body: bytes) -> tuple[tuple[Certificate, ...], tuple[str, ...]]:
    return _unpacked_chain(body)


def _unpacked_chain(body: bytes) -> tuple[tuple[Certificate, ...], tuple[str, ...]]:
    found = read_contents(COMPRESSED_CERTIFICATE, body, TLS13, -1)
    if not isinstance(found, CompressedCertificate) or found.certificate is None:
        return (), found.problems
    entries = found.certificate.entries
    problems = found.problems
    if len(entries) > MOST_COMPRESSED:
        problems = (*problems, f"of {len(entries)} certificates only the first {MOST_COMPRESSED} are told")
    return tuple([read_certificate(entry.der) for entry in entries[:MOST_COMPRESSED]]), problems


@lru_cache(maxsize=256)
def certificate_request(body: bytes, version: int) -> CertificateRequest:
    """Decode a CertificateRequest: a server sends the same one each time. Raises :class:`DecodeError`."""
    names, schemes, types = read_certificate_request(body, version)
    return CertificateRequest(
        tuple([name_from_der(name) for name in names]),
        tuple([_listed(SignatureScheme(code)) for code in schemes]),
        tuple([_listed(ClientCertificateType(code)) for code in types]),
    )


def _listed(member: SignatureScheme | ClientCertificateType) -> str:
    return member.name if member.name in type(member).__members__ else str(member)
