"""One session as a program's text shows it, gathered line by line, and told as a connection when it has ended.

A text can show the same handshake in several ways at once: as the bytes on the wire, as messages decoded (and
decrypted) by the program, as the names of states, as a summary, and as an error at the end. The surest way that there
is tells the messages, and alerts are taken from all of them.
"""

from __future__ import annotations

import ipaddress
from enum import IntEnum
from typing import Any, Final

from msgspec import Struct, structs

from tlsalert.model import Certificate, CertificateRequest, Certificates, Connection, Position, Side, Testimony
from tlsalert.pki.certificate import read_certificate
from tlsalert.wire.conversation import NOWHERE, Conversation
from tlsalert.wire.transcript import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, Keeping

CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, CERTIFICATE = 1, 2, 4, 11
CERTIFICATE_REQUEST, SERVER_HELLO_DONE, CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED = 13, 14, 15, 16, 20
TLS13: Final = 0x0304
FATAL: Final = 2
#: Alerts that are about the certificate of who gets them, so that he must have sent one, or should have: RFC 8446 §6.2.
ABOUT_CERTIFICATES: Final = frozenset((41, 42, 43, 44, 45, 46, 48, 49, 113, 116))
#: Alerts with which a server of TLS 1.3 refuses what a client said last: those, and those about a Finished.
REFUSALS: Final = ABOUT_CERTIFICATES | {20, 40, 47, 50, 51, 71, 80}
#: Bytes and things of one session that wait until more is known of it, its time above all; from then on it is told as
#: it comes.
WAITING_BYTES, WAITING = 1 << 20, 20_000
#: A record of TLS 1.3 that is no longer than this can be an alert: RFC 8446 §5.4 lets it be padded.
SHORT: Final = 64
#: Certificates of one side that are kept.
MOST_CERTIFICATES: Final = 100


class Grade(IntEnum):
    """How a text shows a message: in a summary after it, as a state of the program, or by itself."""

    summary = 0
    state = 1
    detail = 2


class Bytes(Struct, frozen=True):
    """Bytes on the wire. ``own`` says that the program that wrote the text sent them, not its peer."""

    own: bool
    data: bytes
    place: int


class Gap(Struct, frozen=True):
    """Bytes on the wire that the text does not show."""

    own: bool
    size: int
    place: int


class Said(Struct, frozen=True):
    """A message (``kind`` 22), an alert (21: ``code`` is level << 8 | description) or a change_cipher_spec (20).

    ``size`` is -1 where the text does not say it. ``guessed`` says that an alert does not show: what the program says
    has it for a consequence.
    """

    own: bool
    kind: int
    code: int
    size: int
    body: bytes | None
    place: int
    grade: Grade
    guessed: bool = False


class Closed(Struct, frozen=True):
    """The end of the connection."""

    own: bool
    reset: bool
    place: int


Item = Bytes | Gap | Said | Closed


class Facts:
    """What a text says of a session besides its messages.

    ``version`` and ``cipher`` are those that were negotiated, ``asked`` whether the server wanted a certificate, and
    ``sent`` whether the client had one; None: the text does not say. ``certificates`` are the server's and the
    client's, as DER; ``described`` is what is only said of one. ``objection`` is what the program minded: causes,
    words and place. ``missed`` is where a server says that it got an empty Certificate message, ``written`` how many
    bytes a client wrote in the handshake, and ``rebuilt`` whether a hello was put together again from words.
    """

    def __init__(self) -> None:
        self.version: str | None = None
        self.cipher: str | None = None
        self.alpn: str | None = None
        self.server_name: str | None = None
        self.asked: bool | None = None
        self.sent: bool | None = None
        self.authorities: list[str] = []
        self.established: bool | None = None
        self.certificates: dict[Side, list[bytes]] = {"client": [], "server": []}
        self.described: dict[Side, Certificate] = {}
        self.objection: tuple[frozenset[str], str, int] | None = None
        self.written: int | None = None
        self.missed: int | None = None
        self.rebuilt = False


class Talk:
    """One session in the making. ``server`` says that the program is the server; None: nothing shows it yet."""

    def __init__(self, number: int, place: int, keeping: Keeping) -> None:
        self.number = number
        self.place = place
        self.server: bool | None = None
        self.time: int | None = None
        self.addresses: dict[Side, tuple[str, int]] = {}
        self.facts = Facts()
        self.notes: list[str] = []
        self._keeping = keeping
        self._items: list[Item] = []
        self._size = 0
        self._told: _Telling | None = None
        self.raw = False
        self.best = Grade.summary
        self._hello = False

    @property
    def empty(self) -> bool:
        """Whether nothing was said in it, and nothing is known of it."""
        return not self._items and self._told is None

    @property
    def own(self) -> Side:
        """Which side the program is."""
        return "server" if self.server else "client"

    @property
    def peer(self) -> Side:
        """Which side the other one is."""
        return "client" if self.server else "server"

    def add(self, item: Item) -> None:
        """Take what comes next."""
        if isinstance(item, Bytes):
            self.raw = True
            self._size += len(item.data)
        elif isinstance(item, Said):
            if item.kind != ALERT:
                self.best = max(self.best, item.grade)
            self._size += 0 if item.body is None else len(item.body)
        if self._told is not None:
            self._told.tell(item)
            return
        self._items.append(item)
        if self._size > WAITING_BYTES or len(self._items) > WAITING:
            self._begin(None)

    def message(
        self, own: bool, code: int, place: int, grade: Grade, size: int = -1, body: bytes | None = None
    ) -> None:
        """Take a handshake message: its type, and the length of its body, and the body where they are known."""
        if self.server is None and code in (CLIENT_HELLO, SERVER_HELLO):
            self.server = own == (code == SERVER_HELLO)
        self.add(Said(own, HANDSHAKE, code, size if body is None else len(body), body, place, grade))

    def alert(self, own: bool, level: int, description: int, place: int, grade: Grade, guessed: bool = False) -> None:
        """Take an alert."""
        self.add(Said(own, ALERT, level << 8 | description, 2, None, place, grade, guessed))

    def change(self, own: bool, place: int, grade: Grade) -> None:
        """Take a change_cipher_spec."""
        self.add(Said(own, CHANGE_CIPHER_SPEC, 1, 1, None, place, grade))

    def certificate(self, side: Side, der: bytes) -> None:
        """Take a certificate that the text shows beside the messages."""
        chain = self.facts.certificates[side]
        if der not in chain and len(chain) < MOST_CERTIFICATES:
            chain.append(der)

    def object(self, causes: frozenset[str], says: str, place: int) -> None:
        """Take what the program minds in its peer's certificate."""
        self.facts.objection = (causes, says, place)

    def heard(self, code: int, own: bool = False) -> bool:
        """Whether an alert of this number was heard of."""
        return any(
            isinstance(item, Said) and item.kind == ALERT and item.code & 0xFF == code and item.own == own
            for item in self._items
        )

    def alerted(self) -> bool:
        """Whether any fatal alert was heard of."""
        return any(isinstance(item, Said) and item.kind == ALERT and item.code >> 8 == FATAL for item in self._items)

    def _no_certificate(self) -> bytes:
        """Return an empty Certificate message: RFC 5246 §7.4.6, RFC 8446 §4.4.2 (its context is empty as well)."""
        return bytes(4 if self.facts.version == "TLS 1.3" else 3)

    def settle_certificate(self) -> None:
        """Find out whether the client had a certificate where only names of messages show.

        Who sends one proves that he has its key: without a CertificateVerify (RFC 5246 §7.4.8) the client's Certificate
        was empty, if it went on at all.
        """
        client = self.server is not True
        said = [
            item.code
            for item in self._items
            if isinstance(item, Said) and item.kind == HANDSHAKE and item.own == client
        ]
        if CERTIFICATE not in said or CERTIFICATE_VERIFY in said or FINISHED not in said:
            return
        nothing = self._no_certificate()
        self._items = [
            structs.replace(item, size=len(nothing), body=nothing)
            if isinstance(item, Said) and item.kind == HANDSHAKE and item.code == CERTIFICATE and item.own == client
            else item
            for item in self._items
        ]

    def finish(self, now: int) -> Conversation | None:
        """Return the session as a conversation; None where nothing of it shows. ``now`` stands for an unknown time."""
        if self._told is None:
            if self.best == Grade.summary and not self.raw:
                self._summarise()
            if not self._items:
                return None
            self._begin(now)
        told = self._told
        if told is None:
            return None
        told.finish()
        talk = told.talk
        talk.amend = _Amend(self, frozenset(told.guessed), frozenset(told.worded) if self.raw else frozenset())
        return talk

    def _begin(self, now: int | None) -> None:
        """Tell what waited."""
        self.place = min(self.place, min((item.place for item in self._items), default=self.place))
        base = self.time if self.time is not None else now if now is not None else 0
        ends = [self._end("client"), self._end("server")]
        long = any(len(end) > len(NOWHERE) for end in ends)
        client, server = [_long(end) if long else end for end in ends]
        talk = Conversation(self.number, client, server, 0, self.place, base, self._keeping)
        if self.facts.version == "TLS 1.3" and not self.raw:
            talk.agree(TLS13)
        self._told = _Telling(self, talk, base)
        items, self._items = self._items, []
        for item in items:
            self._told.tell(item)
        self._items = [item for item in items if isinstance(item, Said) and item.kind == ALERT]

    def _end(self, side: Side) -> bytes:
        """Return an address and port in bytes, as far as they are known."""
        address, port = self.addresses.get(side, ("", 0))
        try:
            packed = ipaddress.ip_address(address.strip("[]").partition("%")[0]).packed
        except ValueError:
            packed = b"\0\0\0\0"
        return packed + (port & 0xFFFF).to_bytes(2, "big")

    def _summarise(self) -> None:
        """Put the messages in front that there must have been, by what the program says at the end.

        It named none; what is told here are those without which it could not have said what it says.
        """
        facts, place = self.facts, self.place
        alerts = [item for item in self._items if isinstance(item, Said) and item.kind == ALERT]
        fatal = next((item for item in alerts if item.code >> 8 == FATAL), None)
        if fatal is None and facts.established is None and not facts.version and not facts.certificates["server"]:
            return
        by_server = fatal is not None and fatal.own == bool(self.server)
        about = fatal is not None and fatal.code & 0xFF in ABOUT_CERTIFICATES
        answered = bool(facts.established) or (by_server and (about or self._client_spoke()))
        flight = answered or (about and not by_server) or bool(facts.certificates["server"])
        said: list[tuple[Side, int, bytes | None]] = [("client", CLIENT_HELLO, None)]
        if flight or facts.version:
            said.append(("server", SERVER_HELLO, None))
        if (flight and facts.established is None) or facts.certificates["server"]:
            said.append(("server", CERTIFICATE, None))
        if facts.asked or (facts.asked is None and facts.sent is not None):
            said.append(("server", CERTIFICATE_REQUEST, None))
        if answered:
            tls13 = facts.version == "TLS 1.3"
            if facts.sent is not None:
                said.append(("client", CERTIFICATE, None if facts.sent else self._no_certificate()))
            said.append(("client", FINISHED if tls13 else CLIENT_KEY_EXCHANGE, None))
        self._items = [
            *(
                Said(side == self.own, HANDSHAKE, code, -1 if body is None else len(body), body, place, Grade.summary)
                for side, code, body in said
            ),
            *self._items,
        ]
        self.notes.append("the text does not show the messages: those that are told follow from what it says")

    def _client_spoke(self) -> bool:
        """Whether the client answered the server's flight: it has the certificate, and said more than a hello."""
        facts = self.facts
        if not facts.certificates["server"] and facts.sent is None:
            return False
        return facts.written is None or facts.written > 0


class _Telling:
    """Tells a conversation what a session holds."""

    def __init__(self, session: Talk, talk: Conversation, base: int) -> None:
        self.session = session
        self.talk = talk
        self.guessed: set[tuple[Side, int]] = set()
        self.worded: set[int] = set()
        self._base = base
        self._ticks = 0
        self._changed = [False, False]
        self._hello = False
        self._later: list[Said] = []

    def tell(self, item: Item) -> None:
        """Tell the next item where it is the surest of its kind, or keep it for the end."""
        self._ticks += 1  # a moment later: there is an order, though no times
        time = self._base + self._ticks
        side = int(item.own == bool(self.session.server))
        talk = self.talk
        if isinstance(item, Bytes):
            talk.said(side, item.data, item.place, time)
        elif isinstance(item, Gap):
            talk.missing(side, item.size, item.place, time)
        elif isinstance(item, Closed):
            talk.closed(side, item.reset, item.place, time)
        elif item.kind == ALERT and (item.grade < Grade.detail or self.session.raw):
            self._later.append(item)
            del self._later[:-100]
        elif item.kind == ALERT or item.grade == self.session.best:
            self._said(item, side, time)

    def finish(self) -> None:
        """Tell what had to wait: alerts of which no surer sign came."""
        talk = self.talk
        talk.uncover()
        self._nothing_sent()
        for item in self._later:
            side = int(item.own == bool(self.session.server))
            if talk.has_alert(side, -1 if item.guessed else item.code & 0xFF):
                continue
            self._ticks += 1
            hidden = self._hides(side, ALERT, 0) or talk.changed[side]
            self.worded.add(item.place)
            busy = self.session.raw and talk.forget_unread(side, SHORT)
            talk.told(side, ALERT, item.code, 2, None, item.place, self._base + self._ticks, hidden)
            if item.guessed or busy:
                self.guessed.add(("server" if side else "client", item.code & 0xFF))

    def _nothing_sent(self) -> None:
        """Tell the empty Certificate message that a server says it got, where nothing shows it."""
        place = self.session.facts.missed
        if place is None or self.session.raw or self.talk.has_message(0, CERTIFICATE):
            return
        hidden = self._hides(0, HANDSHAKE, CERTIFICATE)
        self._ticks += 1
        body = bytes(4 if hidden else 3)
        self.talk.told(0, HANDSHAKE, CERTIFICATE, len(body), body, place, self._base + self._ticks, hidden)
        if hidden:  # RFC 8446 §4.4.2.4: certificate_required
            self._later = [structs.replace(one, code=FATAL << 8 | 116) if one.guessed else one for one in self._later]

    def _said(self, item: Said, side: int, time: int) -> None:
        hidden = self._hides(side, item.kind, item.code)
        if item.kind == CHANGE_CIPHER_SPEC:
            self._changed[side] = True
        if item.kind == HANDSHAKE and item.code == SERVER_HELLO:
            self._hello = True
        if self.session.raw and not hidden:
            return  # the bytes tell it
        body = item.body
        if item.code == CERTIFICATE and body is None and item.size == (4 if hidden else 3):
            body = bytes(item.size)  # an empty list can be written in one way only
        self.talk.told(side, item.kind, item.code, item.size, body, item.place, time, hidden)

    def _hides(self, side: int, kind: int, code: int) -> bool:
        """Whether what a side says goes over the wire encrypted: RFC 8446 §2, RFC 5246 §7.1."""
        if kind == CHANGE_CIPHER_SPEC:
            return False
        if self.talk.version >= TLS13 or self.session.facts.version == "TLS 1.3":
            begun = self._hello or self.talk.has_message(1, SERVER_HELLO)
            return begun and not (kind == HANDSHAKE and code in (CLIENT_HELLO, SERVER_HELLO))
        return self._changed[side]


class _Amend:
    """Adds to a connection what the text says besides."""

    def __init__(self, session: Talk, guessed: frozenset[tuple[Side, int]], worded: frozenset[int]) -> None:
        self._facts = session.facts
        self._own: Side = session.own
        self._notes = tuple(session.notes)
        self._guessed = guessed
        self._worded = worded
        self._timed = session.time is not None

    def __call__(self, connection: Connection) -> Connection:
        facts = self._facts
        changed: dict[str, Any] = {}
        for name, value in (
            ("tls_version", facts.version),
            ("cipher_suite", facts.cipher),
            ("server_name", facts.server_name),
            ("alpn", facts.alpn),
        ):
            if value is not None and getattr(connection, name) is None:
                changed[name] = value
        if any(facts.certificates.values()) or facts.described:
            changed["certificates"] = Certificates(
                connection.certificates.client or _chain(facts, "client"),
                connection.certificates.server or _chain(facts, "server"),
            )
        if facts.authorities and connection.certificate_request is None:
            changed["certificate_request"] = CertificateRequest(tuple(facts.authorities))
        if facts.rebuilt:
            changed.update(ja3=None, ja3s=None, ja4=None)
        if not self._timed:
            changed.update(start=None, end=None)
        if self._notes:
            changed["notes"] = (*connection.notes, *self._notes)
        if self._guessed:
            changed["alerts"] = tuple(
                structs.replace(alert, inferred="fatal alert")
                if (alert.sender, alert.code or 0) in self._guessed
                else alert
                for alert in connection.alerts
            )
        read = {(a.sender, a.code) for a in connection.alerts if a.position.frame not in self._worded}
        doubled = [a for a in connection.alerts if a.position.frame in self._worded and (a.sender, a.code) in read]
        if doubled:  # decryption has shown what the words had told
            alerts = changed.get("alerts", connection.alerts)
            changed["alerts"] = tuple(
                a for a in alerts if a.position.frame not in {one.position.frame for one in doubled}
            )
        said = self._testimony(connection)
        if said is not None:
            changed["testimony"] = said
        return structs.replace(connection, **changed) if changed else connection

    def _testimony(self, connection: Connection) -> Testimony | None:
        facts = self._facts
        established = facts.established
        late = any(a.fatal and a.sender == "server" and a.code in REFUSALS for a in connection.alerts)
        if established and self._own == "client" and late:
            established = False  # a client of TLS 1.3 has finished before it learns that it is refused
        if established is None and facts.objection is None:
            return None
        if facts.objection is None:
            return Testimony(established)
        causes, says, place = facts.objection
        return Testimony(established, self._own, tuple(sorted(causes)), says, Position(frame=place))


def _chain(facts: Facts, side: Side) -> tuple[Certificate, ...]:
    """Return a side's certificates: those that are shown, else the one that is described."""
    encoded = facts.certificates[side]
    if encoded or side not in facts.described:
        return tuple(map(read_certificate, encoded))
    return (facts.described[side],)


def _long(end: bytes) -> bytes:
    """Return an end with its address in IPv6's form (RFC 4291 §2.5.5.2), because the other one's is."""
    if len(end) > len(NOWHERE):
        return end
    if end[:4] == b"\0\0\0\0":
        return bytes(16) + end[4:]
    return b"\0" * 10 + b"\xff\xff" + end
