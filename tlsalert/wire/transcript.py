"""What was said on one connection, as light native values in the order it was seen.

An event costs some 40 ns to make; the public model of it is made only when somebody asks.
Sides are 0 for the end that spoke (or opened) first and 1 for the other; which of them is the
client is known once a hello was seen.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i32, i64, mypyc_attr

from tlsalert.wire.preamble import declined, may_ask

HANDSHAKE: Final = 22
ALERT: Final = 21
CHANGE_CIPHER_SPEC: Final = 20
APPLICATION_DATA: Final = 23
HEARTBEAT: Final = 24
SSLV2: Final = 128

#: Messages and alerts that are kept of one connection.
MAX_EVENTS: Final = 4096
#: Records that cannot be read are kept at both ends of a connection; those between only count.
FIRST_RECORDS: Final = 24
LAST_RECORDS: Final = 4
#: How much of what a side says that is not TLS is kept, to say what it is and how TLS was asked for.
PLAIN: Final = 1024
#: Pieces of it whose frames are kept.
PIECES: Final = 64

#: Records into which a ClientHello was cut whose lengths are kept.
MOST_CUTS: Final = 1024

#: Bytes of protected records that are kept for decryption: of one side of a connection, and of all together.
KEPT_OF_ONE: Final = 64 << 10
#: Bytes of application data of one side up to TLS 1.2 from which on no more is kept: they hold an HTTP response's head.
FIRST_BYTES: Final = 2048
KEPT_OF_ALL: Final = 128 << 20
#: What is so short may be an alert or a KeyUpdate and is kept beyond that, up to so many items of one connection.
SHORT: Final = 64
KEPT_ITEMS: Final = 8192
#: What stands among the kept records besides them: bytes that are missing, and a number of records not kept.
GAP: Final = 0
RUN: Final = 1
#: How much of a record that is not kept the next one's IV may need (TLS 1.0's CBC, RFC 2246 §6.2.3.2).
TAIL: Final = 64

TLS10: Final = 0x0301
TLS13: Final = 0x0304
SSLV2_VERSION: Final = 0x0002

#: Cipher suites that encrypt nothing (RFC 5246 §A.5, RFC 4492 §6, RFC 4279, RFC 4785, RFC 5487, RFC 5489).
NULL_CIPHERS: Final = frozenset(
    {
        *(0x0000, 0x0001, 0x0002, 0x001C, 0x0047),
        *(0x002C, 0x002D, 0x002E, 0x003B, 0x0082, 0x0083, 0x00B0, 0x00B1, 0x00B4, 0x00B5),
        *(0x00B8, 0x00B9, 0xC001, 0xC006, 0xC00B, 0xC010, 0xC015, 0xC039, 0xC03A, 0xC03B),
    }
)


@final
@mypyc_attr(acyclic=True)
class Event:
    """One thing that was said: a handshake message, an alert, a change_cipher_spec or an unread record.

    ``kind`` is the record's content type (128 for SSLv2), ``code`` the handshake type, or level and
    description of an alert (level << 8 | description), or -1 where it could not be read. ``body`` is a
    message's body as far as it was kept.
    """

    def __init__(
        self, kind: i64, code: i64, side: i64, frame: i64, time: i64, length: i64, body: bytes | None, cut: bool
    ) -> None:
        # four small numbers in one: an event takes 64 bytes and not 96
        self.what = (code + 1) << 16 | kind << 8 | side << 1 | (1 if cut else 0)
        self.frame = frame
        self.time = time
        self.length = length
        self.body = body

    @property
    def kind(self) -> i64:
        """The record's content type."""
        return self.what >> 8 & 0xFF

    @property
    def code(self) -> i64:
        """The handshake type, or level and description, or -1."""
        return (self.what >> 16) - 1

    @property
    def side(self) -> i64:
        """Who said it."""
        return self.what >> 1 & 1

    @property
    def cut(self) -> bool:
        """Whether bytes of it are missing."""
        return self.what & 1 == 1

    @property
    def decrypted(self) -> bool:
        """Whether it was read out of a protected record."""
        return self.what & 4 == 4

    def mark_decrypted(self) -> None:
        """Say that it was read out of a protected record."""
        self.what |= 4


@final
class Keeping:
    """Whether protected records are kept to be opened with secrets, how much of one side, and what is left for all."""

    def __init__(self) -> None:
        self.on = False
        self.each: i64 = KEPT_OF_ONE
        self.left: i64 = KEPT_OF_ALL


@final
@mypyc_attr(acyclic=True)
class Kept:
    """What was seen of one connection, in its order: events, gaps, and the protected records with their bytes."""

    def __init__(self, keeping: Keeping) -> None:
        self.keeping = keeping
        self.items: list[Event] = []
        self.size: i64 = 0
        self.of_a: i64 = 0
        self.of_b: i64 = 0
        self.lacking: i64 = 0  # records for which there was no room

    def wish(self, side: i64, version: i64, size: i64) -> i64:
        """Say what is to be kept of a record of application data: 2 all of it, 1 its tail, 0 its length alone.

        TLS 1.3 hides alerts and messages in such records; before it the first ones may hold an HTTP response, the
        very first perhaps one byte of it (what TLS 1.0 does against BEAST).
        """
        have = self.of_a if side == 0 else self.of_b
        hides = version == 0 or version >= TLS13
        room = have + size <= self.keeping.each if hides or self.keeping.each > KEPT_OF_ONE else have < FIRST_BYTES
        if (room or (hides and size <= SHORT)) and size <= self.keeping.left and len(self.items) < KEPT_ITEMS:
            return 2
        if hides:
            self.lacking += 1
        return 1 if SSLV2_VERSION < version <= TLS10 else 0

    def put(self, event: Event) -> None:
        """Keep an event, a gap, or a protected record, whose bytes are its body."""
        if len(self.items) >= KEPT_ITEMS and event.code >= 0:
            return
        body = event.body
        if event.code < 0 and body is not None:
            size: i64 = len(body)
            if size > self.keeping.left:
                self.pass_by(event.kind, event.side, event.frame, event.time, event.length, None)
                return
            self.size += size
            self.keeping.left -= size
            if event.kind >= APPLICATION_DATA and event.side == 0:
                self.of_a += size
            elif event.kind >= APPLICATION_DATA:
                self.of_b += size
        self.items.append(event)

    def pass_by(self, kind: i64, side: i64, frame: i64, time: i64, length: i64, tail: bytes | None) -> None:
        """Count a record that is not kept; those that follow each other are one item."""
        items = self.items
        many: i64 = 1
        if len(items) > 0:
            last = items[-1]
            if last.kind == RUN and last.side == side:
                many += last.code
                length += last.length
                items.pop()
        items.append(Event(RUN, many, side, frame, time, length, tail, False))

    def release(self) -> None:
        """Give the bytes back: the connection has been told."""
        self.keeping.left += self.size
        self.size = 0
        self.items = []


@final
@mypyc_attr(acyclic=True)
class Answer:
    """The first HTTP response in clear: its head as long as that is not whole, and then its Date, or -1."""

    def __init__(self, side: i64, frame: i64, time: i64, head: bytes) -> None:
        self.side = side
        self.frame = frame
        self.time = time
        self.head: bytes | None = head
        self.date: i64 = -1


@final
@mypyc_attr(acyclic=True)
class Spoken:
    """The beginning of what both sides said that is not TLS.

    ``pieces`` are (side, offset, frame) of what came, in its order. ``asked`` says which side may have asked for TLS,
    or is -1; ``late`` has a bit for each side whose words came only after TLS.
    """

    def __init__(self) -> None:
        self.a = b""
        self.b = b""
        self.pieces: list[tuple[int, int, int]] = []
        self.asked: i64 = -1
        self.late: i64 = 0

    def of(self, side: i64) -> bytes:
        """Return what a side said."""
        return self.a if side == 0 else self.b

    def put(self, side: i64, data: bytes, frame: i64) -> None:
        """Add to what a side said."""
        kept = self.of(side)
        many = len(self.pieces)
        if many < PIECES or (many < 4 * PIECES and self.pieces[-1][0] != side):  # turns tell more than slices
            self.pieces.append((int(side), len(kept), int(frame)))
        self._set(side, kept + data)

    def cut(self, side: i64, size: i64) -> None:
        """Keep only the first ``size`` bytes of what a side said: the rest proved to be TLS."""
        if size >= len(self.of(side)):
            return
        self._set(side, self.of(side)[:size])
        self.pieces = [piece for piece in self.pieces if piece[0] != side or piece[1] < size]

    def _set(self, side: i64, data: bytes) -> None:
        if side == 0:
            self.a = data
        else:
            self.b = data


@mypyc_attr(acyclic=True)
class Transcript:
    """All events of one connection, and the little state that both directions share.

    ``client_clock`` and ``server_clock`` are the hellos whose random may begin with a clock. ``opening`` is the version
    of the record in which the first ClientHello began, or 0; ``cuts`` are version << 16 | length of its records where
    it did not come in one alone.
    """

    def __init__(self) -> None:
        self._first: Event | None = None  # apart from the others: a list takes 100 bytes, and many say one thing only
        self._others: list[Event] | None = None
        self._records: list[Event] | None = None
        self._notes: list[str] | None = None
        self.spoken: Spoken | None = None
        self.client_clock: Event | None = None
        self.server_clock: Event | None = None
        self.client_side: i64 = -1
        self.version: i64 = 0
        self.cipher: i64 = -1
        self.records_a: i64 = 0
        self.records_b: i64 = 0
        self.null_cipher = False
        self.tls = False
        self.hello_retry = False
        self.declined = False
        self.framing: i32 = 0
        self.alerts: i32 = 0
        self.opening: i32 = 0
        self.cuts: list[int] | None = None
        self.answer: Answer | None = None
        self.kept: Kept | None = None
        self.inside: list[bytes] | None = None  # how the decrypted application data of both sides begins

    @property
    def events(self) -> list[Event]:
        """All that was said, in the order in which it was read."""
        others = self._others
        first = self._first
        if first is None:
            return [] if others is None else others
        return [first] if others is None else [first, *others]

    @events.setter
    def events(self, events: list[Event]) -> None:
        self._first = None
        self._others = events

    @property
    def plain_a(self) -> bytes:
        """The beginning of what side 0 said that is not TLS."""
        return b"" if self.spoken is None else self.spoken.a

    @property
    def plain_b(self) -> bytes:
        """The same of side 1."""
        return b"" if self.spoken is None else self.spoken.b

    def plain(self, side: i64, data: bytes, start: i64, end: i64, frame: i64, late: bool) -> None:
        """Keep the beginning of what is not TLS; ``late`` says that the side spoke TLS before it."""
        spoken = self.spoken
        if spoken is None:
            spoken = Spoken()
            self.spoken = spoken
        have: i64 = len(spoken.of(side))
        if have >= PLAIN or start >= end:
            return
        if late:
            if have > 0 and not spoken.late >> side & 1:
                return  # how TLS began tells more than what followed it
            spoken.late |= 1 << side
        spoken.put(side, data[start : min(end, start + PLAIN - have)], frame)
        if not self.tls and not self.declined:
            if spoken.asked < 0 and may_ask(spoken.of(side)):
                spoken.asked = side
            if spoken.asked >= 0 and spoken.asked != side:
                self._decline(spoken)

    def _decline(self, spoken: Spoken) -> None:
        """Find out whether a side that was asked for TLS said no."""
        client = spoken.asked
        if declined(spoken.of(client), spoken.of(1 - client), spoken.pieces, int(client)) is not None:
            self.declined = True
            self.client_side = client

    def note(self, says: str) -> None:
        """Keep one remark; a connection that is all damage is not allowed to fill the memory with them."""
        notes = self._notes
        if notes is None:
            self._notes = [says]
        elif len(notes) < 50 and says not in notes:
            notes.append(says)

    @property
    def notes(self) -> list[str]:
        """The remarks in the order of their making."""
        return self._notes or []

    @property
    def records(self) -> list[Event]:
        """The first :data:`FIRST_RECORDS` records that could not be read, and the last :data:`LAST_RECORDS`."""
        return self._records or []

    def went_well(self) -> bool:
        """Whether this is surely a connection that was established and where nobody refused anything.

        A quick look for those who only want the others: it may say no where the full diagnosis says yes, never the
        other way round.
        """
        if self.client_side < 0 or self.records_a == 0 or self.records_b == 0 or self._notes is not None:
            return False
        changes_a: i64 = 0
        changes_b: i64 = 0
        finals_a: i64 = 0
        finals_b: i64 = 0
        first = self._first
        others = self._others
        if first is None or others is None or first.code < 0 or first.kind < HANDSHAKE:
            return False
        for event in others:
            if event.kind == CHANGE_CIPHER_SPEC:
                if event.side == 0:
                    changes_a += 1
                else:
                    changes_b += 1
            elif event.kind == ALERT:
                if event.code >= 0:
                    return False
            elif event.code < 0:
                if event.side == 0:
                    finals_a += 1
                else:
                    finals_b += 1
        if self.version >= TLS13:
            return self.alerts == 0 and self._answered()
        return changes_a == 1 and changes_b == 1 and finals_a == 1 and finals_b == 1

    def _answered(self) -> bool:
        """Whether a TLS 1.3 server sent more than an alert could be after the client's first encrypted records."""
        began = False
        spoken = False
        for record in self.records:
            if record.side == self.client_side:
                spoken = began  # what comes before the server's flight is 0-RTT data
            elif spoken and record.length > 64:
                return True
            else:
                began = True
        return False

    def put_in_order(self) -> None:
        """Put what was said in the order of its frames.

        A side whose segments waited for missing ones was read late; its own order stays as it is.
        """
        self.events = in_order(self.events)
        if self._records is not None:
            self._records = in_order(self._records)

    def unanswered(self) -> bool:
        """Whether only one side ever spoke and nobody refused anything: a handshake that never came to an answer."""
        if self.alerts > 0 or (self.records_a > 0 and self.records_b > 0) or self.spoken is not None:
            return False
        return all(event.side == self.client_side for event in self.events)

    def record(self, kind: i64, side: i64, frame: i64, time: i64, length: i64) -> None:
        """Count a record of application data; the first ones and the last keep their lengths."""
        kept = self.kept
        if kept is not None:
            kept.pass_by(kind, side, frame, time, length, None)
        self._count(Event(kind, -1, side, frame, time, length, None, False))

    def protected(self, kind: i64, side: i64, frame: i64, time: i64, length: i64, fragment: bytes) -> None:
        """Count a record of application data, and keep its bytes, or the last of them, for decryption."""
        kept = self.kept
        if kept is None:
            return
        event = Event(kind, -1, side, frame, time, length, fragment, False)
        if i64(len(fragment)) == length:
            kept.put(event)
        else:
            kept.pass_by(kind, side, frame, time, length, fragment)
        self._count(event)

    def _count(self, event: Event) -> None:
        if event.side == 0:
            self.records_a += 1
        else:
            self.records_b += 1
        records = self._records
        if records is None:
            self._records = [event]
            return
        if len(records) == FIRST_RECORDS + LAST_RECORDS:
            del records[FIRST_RECORDS]
        records.append(event)

    def add(self, event: Event) -> None:
        """Keep an event; of a connection with too many the first ones are kept, and the last alert."""
        if self.kept is not None:
            self.kept.put(event)
        events = self._others
        if events is None:
            if self._first is None:
                self._first = event
            else:
                self._others = [event]
            return
        if len(events) < MAX_EVENTS - 1:
            events.append(event)
            return
        self.note(f"more than {MAX_EVENTS} messages and alerts: only the first ones are told, and the last alert")
        if event.kind == ALERT and event.code >= 0:
            events[-1] = event

    def alert(self, level: i64, description: i64, side: i64, frame: i64, time: i64) -> None:
        """Keep an alert that could be read."""
        self.alerts += 1
        self.add(Event(ALERT, level << 8 | description, side, frame, time, 2, None, False))

    def unread(self, kind: i64, side: i64, frame: i64, time: i64, length: i64, fragment: bytes | None) -> None:
        """Keep a handshake or alert record that is encrypted; its bytes only where they may be decrypted."""
        if kind == ALERT:
            self.alerts += 1
        self.add(Event(kind, -1, side, frame, time, length, None if self.kept is None else fragment, False))

    def cut_at(self, version: i64, length: i64) -> None:
        """Take note of a record that holds a part of the ClientHello."""
        cuts = self.cuts
        if cuts is None:
            self.cuts = [int(version << 16 | length)]
        elif len(cuts) < MOST_CUTS:
            cuts.append(int(version << 16 | length))

    def gap(self, side: i64, frame: i64, time: i64, missing: i64) -> None:
        """Take note, for decryption, that bytes are missing."""
        if self.kept is not None:
            self.kept.put(Event(GAP, -1, side, frame, time, missing, None, False))

    def retell(self, events: list[Event], records: list[Event]) -> None:
        """Take what decryption made of the events, and the records that stay shut."""
        self.events = events
        self._records = None
        self.records_a = 0
        self.records_b = 0
        for event in records:
            self._count(event)

    def message(self, code: i64, side: i64, frame: i64, time: i64, length: i64, body: bytes | None, cut: bool) -> None:
        """Keep a handshake message, and learn from the hellos what everything after them depends on."""
        event = Event(HANDSHAKE, code, side, frame, time, length, body, cut)
        self.add(event)
        if code == 1:
            self.client_side = side
            if body is not None and len(body) >= 6 and self.client_clock is None:
                self.client_clock = event
        elif code == 2:
            self.client_side = 1 - side
            if body is not None:
                self._server_hello(body, event)
        elif self.client_side < 0:
            if code == 16:
                self.client_side = side
            elif 12 <= code <= 14 or code == 4 or code == 22:
                self.client_side = 1 - side

    def _server_hello(self, body: bytes, event: Event) -> None:
        """Take version and cipher suite from a ServerHello, RFC 8446 §4.1.3 (drafts before 22: RFC 5246's)."""
        size: i64 = len(body)
        if size < 6:
            return
        version: i64 = _u16(body, 0)
        if size < 36:  # cut by the snap length; in TLS 1.3 the alert would not be in clear
            self._clock(event)
            return
        at: i64 = 34
        if version >> 8 == 0x7F or version == TLS13:  # TLS 1.3 up to draft 21 has no session_id here
            self.version = TLS13
            self.cipher = _u16(body, 34)
            return
        at += 1 + body[34]
        if size < at + 3:
            self._clock(event)
            return
        cipher: i64 = _u16(body, at)
        selected = selected_version(body, at + 3)
        if selected == TLS13 or selected >> 8 == 0x7F or selected >> 8 == 0xFB:
            version = TLS13
        elif event.cut and version == 0x0303:  # what would tell 1.2 from 1.3 was not captured
            self._clock(event)
            return
        self.hello_retry = version == TLS13 and body[2:34] == HELLO_RETRY_REQUEST
        self.version = version
        self.cipher = cipher
        self.null_cipher = int(cipher) in NULL_CIPHERS
        if version < TLS13:
            self._clock(event)

    def _clock(self, event: Event) -> None:
        """Keep what may be the server's clock: gmt_unix_time, RFC 5246 §7.4.1.2."""
        if self.server_clock is None:
            self.server_clock = event


#: SHA-256 of "HelloRetryRequest", RFC 8446 §4.1.3.
HELLO_RETRY_REQUEST: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def in_order(events: list[Event]) -> list[Event]:
    """Return events merged by frame, each side's own order kept."""
    latest: i64 = 0
    for event in events:
        if event.frame < latest:
            break
        latest = event.frame
    else:
        return events
    merged: list[tuple[int, int, Event]] = []
    reached = [0, 0]
    for place, event in enumerate(events):
        side = int(event.side)
        reached[side] = max(reached[side], int(event.frame))
        merged.append((reached[side], place, event))
    merged.sort(key=_place)
    return [event for _, _, event in merged]


def _place(entry: tuple[int, int, Event]) -> tuple[int, int]:
    return entry[0], entry[1]


def _u16(data: bytes, at: i64) -> i64:
    return i64(data[at]) << 8 | i64(data[at + 1])


def selected_version(body: bytes, at: i64) -> i64:
    """Return the version in supported_versions (RFC 8446 §4.2.1), looked for in extensions at ``at``; 0 if none."""
    end: i64 = len(body)
    at += 2
    while at + 4 <= end:
        kind = _u16(body, at)
        size = _u16(body, at + 2)
        if kind == 43 and size == 2 and at + 6 <= end:
            return _u16(body, at + 4)
        at += 4 + size
    return 0
