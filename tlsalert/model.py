"""The one data model that every part speaks: a connection, what was said on it, and the verdict.

All values are frozen; they compare, hash, print and pickle. They are msgspec structs because a
capture makes millions of them: one costs a tenth of what a frozen dataclass does. None can be part of
a cycle (each is made of what was there before it), so the garbage collector need not look at them.

Times are whole nanoseconds since 1970-01-01 UTC (``int``), so that no capture's precision is lost;
:func:`rfc3339` prints one and :func:`when` makes a ``datetime`` of it. Frames and lines count from 1.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from tlsalert.registry.alerts import AlertDescription, AlertLevel

if TYPE_CHECKING:
    from tlsalert.render.notebook.plain import Page

Side = Literal["client", "server"]
Outcome = Literal["established", "failed", "incomplete", "not_tls"]
Fault = Literal["client", "server", "network"]

#: How a note ends that tells of an alert which Wireshark cannot read, and others but seldom.
HANDSHAKE_KEYS = "is encrypted under the handshake keys although the traffic keys were due"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(time: int, digits: int = 6) -> str:
    """Return ``time`` (nanoseconds since 1970, UTC) as RFC 3339 with ``digits`` decimals (0 to 9)."""
    seconds, fraction = divmod(time, 1_000_000_000)
    try:
        day = (EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
    except OverflowError:  # a damaged capture can hold any number
        day = "9999-12-31T23:59:59" if seconds > 0 else "0001-01-01T00:00:00"
    return f"{day}.{fraction:09d}"[: 20 + digits] + "Z" if digits else day + "Z"


def when(time: int) -> datetime:
    """Return ``time`` (nanoseconds since 1970, UTC) as a datetime, cut to whole microseconds and to the calendar."""
    try:
        return EPOCH + timedelta(microseconds=time // 1000)
    except OverflowError:  # as in rfc3339
        return datetime.max.replace(tzinfo=UTC) if time > 0 else datetime.min.replace(tzinfo=UTC)


class Position(Struct, frozen=True, gc=False):
    """Where something stands in its evidence: a frame of a capture or a line of a log, from 1."""

    frame: int | None = None
    line: int | None = None

    def __str__(self) -> str:
        return f"frame {self.frame}" if self.frame is not None else f"line {self.line}"


class Endpoint(Struct, frozen=True, gc=False):
    """One end of a connection: its address as text and its port."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class HandshakeMessage(Struct, frozen=True, gc=False):
    """One handshake message, RFC 8446 §4 (RFC 5246 §7.4), or what stands in its place.

    ``message`` is the RFC's name; "change_cipher_spec" and "encrypted_handshake" have type None.
    ``position`` and ``time`` are those of the packet that completed it; ``length`` is that of the
    body in bytes, without the four bytes before it. ``body`` is None where it could not be read or
    was not kept; where ``cut`` is true it holds only the beginning.
    """

    message: str
    type: int | None
    sender: Side
    position: Position
    time: int | None
    length: int
    encrypted: bool = False
    decrypted: bool = False
    body: bytes | None = None
    cut: bool = False


class Alert(Struct, frozen=True, gc=False):
    """One alert, RFC 8446 §6 (RFC 5246 §7.2): ``sender`` sent it; blame is the verdict's business.

    An alert that could not be read has neither level nor description; ``inferred`` then says what
    the pattern of lengths and closing shows: "close_notify" or "fatal alert". ``after`` names the
    last message of the handshake before it, from either side.
    """

    level: AlertLevel | None
    description: AlertDescription | None
    sender: Side
    position: Position
    time: int | None
    encrypted: bool = False
    decrypted: bool = False
    inferred: str | None = None
    after: str | None = None

    @property
    def code(self) -> int | None:
        """The description's number, or None where it could not be read."""
        return None if self.description is None else int(self.description)

    @property
    def fatal(self) -> bool:
        """Whether it ends the connection: by its level, or by what was inferred."""
        if self.description is None:
            return self.inferred == "fatal alert"
        return self.level is not None and int(self.level) == 2


class EncryptedRecord(Struct, frozen=True, gc=False):
    """A record of application data, or one that was not read: its outer content type and its length without the header.

    ``decrypted`` says that it was opened and holds application data.
    """

    content_type: int
    sender: Side
    position: Position
    time: int | None
    length: int
    decrypted: bool = False


class Extension(Struct, frozen=True, gc=False):
    """One extension of a hello, as it was sent: its IANA number and its bytes."""

    type: int
    data: bytes


class ClientHello(Struct, frozen=True, gc=False):
    """A ClientHello, RFC 8446 §4.1.2. Numbers are IANA's, in the order they were offered.

    ``versions`` are those of supported_versions, or ``legacy_version`` alone; ``groups``,
    ``signature_schemes``, ``point_formats``, ``key_shares`` (groups with a share) and ``alpn`` come from
    their extensions and are empty where those are missing. GREASE values stay in.
    """

    legacy_version: int
    random: bytes
    session_id: bytes
    cipher_suites: tuple[int, ...]
    compression_methods: tuple[int, ...]
    extensions: tuple[Extension, ...]
    versions: tuple[int, ...] = ()
    server_name: str | None = None
    alpn: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    point_formats: tuple[int, ...] = ()
    signature_schemes: tuple[int, ...] = ()
    key_shares: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()


class ServerHello(Struct, frozen=True, gc=False):
    """A ServerHello (or HelloRetryRequest), RFC 8446 §4.1.3. ``version`` is the one it chose."""

    legacy_version: int
    random: bytes
    session_id: bytes
    cipher_suite: int
    compression_method: int
    extensions: tuple[Extension, ...]
    version: int
    alpn: str | None = None
    group: int | None = None
    hello_retry_request: bool = False
    problems: tuple[str, ...] = ()


class CertificateRequest(Struct, frozen=True, gc=False):
    """What the server asked for, RFC 5246 §7.4.4: names as RFC 4514 text, schemes and types by IANA's name."""

    authorities: tuple[str, ...] = ()
    signature_schemes: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


class Certificate(Struct, frozen=True, gc=False):
    """The facts of one X.509 certificate, RFC 5280, as it was sent.

    Names are RFC 4514 text. A field that could not be read is None (or empty) and ``problems`` says why.
    ``ca`` is basicConstraints' cA and ``path_length`` its pathLenConstraint, None where they are missing. ``version``
    counts as people do, from 1. ``unknown_critical`` are critical extensions that path validation does not know, by
    their dotted numbers; the key identifiers are hexadecimal; ``permitted_names`` and ``excluded_names`` are the name
    constraints of a CA.
    """

    der: bytes
    sha256: str
    subject: str | None = None
    issuer: str | None = None
    serial: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    key: str | None = None
    signature_algorithm: str | None = None
    subject_alt_names: tuple[str, ...] = ()
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ()
    self_signed: bool | None = None
    ca: bool | None = None
    problems: tuple[str, ...] = ()
    version: int | None = None
    path_length: int | None = None
    unknown_critical: tuple[str, ...] = ()
    key_identifier: str | None = None
    issuer_key_identifier: str | None = None
    permitted_names: tuple[str, ...] = ()
    excluded_names: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        from tlsalert.render.notebook.cells import certificate_html

        return certificate_html(self)

    def _repr_pretty_(self, page: Page, cycle: bool) -> None:
        from tlsalert.render.notebook.plain import show_certificate

        show_certificate(self, page)


class Certificates(Struct, frozen=True, gc=False):
    """The certificate chains that were sent, leaf first, as they came."""

    client: tuple[Certificate, ...] = ()
    server: tuple[Certificate, ...] = ()

    def _repr_html_(self) -> str:
        from tlsalert.render.notebook.cells import certificates_html

        return certificates_html(self)

    def _repr_pretty_(self, page: Page, cycle: bool) -> None:
        from tlsalert.render.notebook.plain import show_certificates

        show_certificates(self, page)


class Clock(Struct, frozen=True, gc=False):
    """What one side's clock said at ``at`` (the capture's time), and how that is known.

    ``skew_seconds`` is the clock less the capture's; ``confidence`` is how sure it is that this is a clock at all.
    ``jump`` says in words where it jumped within the capture.
    """

    time: int
    at: int
    source: str
    confidence: float
    position: Position | None = None
    agreeing: int = 1
    jump: str | None = None

    @property
    def skew_seconds(self) -> float:
        """Seconds that the clock is ahead of the capture's; negative where it is behind."""
        return (self.time - self.at) / 1e9


class Clocks(Struct, frozen=True, gc=False):
    """The clocks by which a connection can be judged; ``capture`` is that of its first packet."""

    capture: int | None
    server: Clock | None = None
    client: Clock | None = None


class Closing(Struct, frozen=True, gc=False):
    """How the transport ended: "fin" or "rst" and who sent the first one, or "open"."""

    how: Literal["fin", "rst", "open"] = "open"
    sender: Side | None = None
    position: Position | None = None
    time: int | None = None


class Evidence(Struct, frozen=True, gc=False):
    """One thing that supports a verdict, in words, and where it was seen (None: it is known, not seen)."""

    position: Position | None
    says: str


class Alternative(Struct, frozen=True, gc=False):
    """Another cause that the evidence leaves open, and how likely it is."""

    cause: str
    confidence: float


class Verdict(Struct, frozen=True, gc=False):
    """Who refused what, why, and what to change. The causes are DESIGN's stable names.

    ``refused_by`` is the side that ended it, ``at_fault`` the side where the mend belongs.
    ``confidence`` is the probability that ``cause`` is right, 0 to 1.
    """

    outcome: Outcome
    summary: str
    refused_by: Side | None = None
    cause: str | None = None
    confidence: float = 0.0
    at_fault: Fault | None = None
    alert_lost: bool = False
    evidence: tuple[Evidence, ...] = ()
    advice: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()

    def _repr_html_(self) -> str:
        from tlsalert.render.notebook.cells import verdict_html

        return verdict_html(self)

    def _repr_pretty_(self, page: Page, cycle: bool) -> None:
        from tlsalert.render.notebook.plain import show_verdict

        show_verdict(self, page)


class Testimony(Struct, frozen=True, gc=False):
    """What the program that wrote the evidence says of the connection, where that is words: a log, a debug text.

    ``established`` is whether it says that the handshake was done. ``causes`` are what it objected to itself, as
    ``sender``: it says so in ``says`` at ``position``.
    """

    established: bool | None = None
    sender: Side | None = None
    causes: tuple[str, ...] = ()
    says: str = ""
    position: Position | None = None


class Preamble(Struct, frozen=True, gc=False):
    """What was spoken before TLS, or where TLS was asked for in vain.

    ``command`` is what asks for TLS in this protocol ("" where nothing does), ``asked`` where it stands, ``until``
    where the last words before TLS do. ``refusal`` is how the server declined. ``answer`` is what the server said in
    plain text after the ClientHello, from ``answered`` on.
    """

    command: str = ""
    asked: Position | None = None
    until: Position | None = None
    refusal: str | None = None
    refused: Position | None = None
    answer: bytes = b""
    answered: Position | None = None


class Objection(Struct, frozen=True, gc=False):
    """What a program says in its own log that it refused the peer for, in its words.

    ``about_certificate`` tells whether it is about the peer's certificate; ``cause`` is None where the words do not
    tell the cause, and ``others`` are causes that have the same words. ``alert`` is the number that this kind of
    program sends for it where it does not say so itself: known, not seen. With ``soft`` it went on all the same.
    """

    says: str
    position: Position
    cause: str | None = None
    about_certificate: bool = False
    others: tuple[str, ...] = ()
    alert: int | None = None
    inside: bool = False
    soft: bool = False


class Account(Struct, frozen=True, gc=False):
    """What one side's own log tells in words: ``side`` keeps it, so its times are that side's clock.

    ``side`` is None where the log does not say which side it is. ``completed`` is where it says that the handshake was
    done; ``failed`` where it says that it failed, without saying who refused; ``none_sent`` where it shows that the
    client answered the request for a certificate with none.
    """

    program: str
    side: Side | None = None
    objections: tuple[Objection, ...] = ()
    completed: Position | None = None
    none_sent: Position | None = None
    failed: Position | None = None


class Connection(Struct, frozen=True, kw_only=True, gc=False):
    """One TLS connection as the evidence shows it. ``connection`` counts from 0 within ``source``.

    ``digits`` is the number of decimals of a second that the evidence's times have. ``reset`` is the first TCP reset,
    which may come after ``closed``. ``encrypted_records`` are the first and last records of application data, or that
    could not be read (their lengths tell much in TLS 1.3), and ``application_records`` counts those of client and
    server; ``plain`` is the beginning of what client and server said that is not TLS, ``inside`` that of what they said
    inside TLS, where it was decrypted. ``protocol`` names what was spoken before TLS, and ``preamble`` tells how TLS
    was asked for there. ``hello_records`` are version and length (of what is the ClientHello's, with its header) of the
    records in which the first ClientHello came, the first 1024 of them; empty where it was not seen in a record.
    ``account`` is there where the evidence is a log that tells the connection in words.
    ``testimony`` is what a program said of it in words.
    """

    source: str
    connection: int
    transport: Literal["tcp", "udp", "quic", "eap"] = "tcp"
    protocol: str | None = None
    client: Endpoint | None = None
    server: Endpoint | None = None
    start: int | None = None
    end: int | None = None
    digits: int = 6
    tls_version: str | None = None
    cipher_suite: str | None = None
    server_name: str | None = None
    alpn: str | None = None
    ja3: str | None = None
    ja3s: str | None = None
    ja4: str | None = None
    resumed: bool = False
    client_hello: ClientHello | None = None
    server_hello: ServerHello | None = None
    messages: tuple[HandshakeMessage, ...] = ()
    alerts: tuple[Alert, ...] = ()
    certificates: Certificates = Certificates()
    certificate_request: CertificateRequest | None = None
    clocks: Clocks = Clocks(None)
    closed: Closing = Closing()
    reset: Closing | None = None
    notes: tuple[str, ...] = ()
    verdict: Verdict | None = None
    encrypted_records: tuple[EncryptedRecord, ...] = ()
    application_records: tuple[int, int] = (0, 0)
    plain: tuple[bytes, bytes] = (b"", b"")
    inside: tuple[bytes, bytes] = (b"", b"")
    preamble: Preamble | None = None
    hello_records: tuple[tuple[int, int], ...] = ()
    account: Account | None = None
    testimony: Testimony | None = None

    @property
    def lossy(self) -> bool:
        """Whether a note says that something of it is missing or damaged; others are about secrets alone."""
        return any("client random" not in note and HANDSHAKE_KEYS not in note for note in self.notes)

    @property
    def packets(self) -> Any:
        """Its packets as scapy's PacketList: see :func:`tlsalert.scapy_layer.packets`."""
        from tlsalert import scapy_layer

        return scapy_layer.packets(self)

    @property
    def records(self) -> Any:
        """Its records as layers of scapy's TLS: see :func:`tlsalert.scapy_layer.records`."""
        from tlsalert import scapy_layer

        return scapy_layer.records(self)

    @property
    def tls13(self) -> bool:
        """Whether TLS 1.3 (or a draft of it) was negotiated."""
        return self.tls_version is not None and self.tls_version.startswith("TLS 1.3")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from tlsalert.render.notebook.cells import connection_html
        from tlsalert.render.picture.card import card_svg

        return {"text/html": connection_html(self), "image/svg+xml": card_svg(self)}

    def _repr_pretty_(self, page: Page, cycle: bool) -> None:
        from tlsalert.render.notebook.plain import show_connection

        show_connection(self, page)


class Summary(Struct, frozen=True, gc=False):
    """What one piece of evidence held: ``start`` and ``end`` of its packets, and counts.

    The three numbers of failures are by who ended them; ``other_streams`` are TCP streams without any TLS; ``notes``
    tell what was missing or damaged.
    """

    source: str
    start: int | None = None
    end: int | None = None
    packets: int = 0
    connections: int = 0
    failed_by_server: int = 0
    failed_by_client: int = 0
    failed_other: int = 0
    other_streams: int = 0
    notes: tuple[str, ...] = ()
