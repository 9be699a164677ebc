"""What was in protected records, once they are open: messages and alerts in their place among those in clear."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from tlsalert.wire.http_date import response_date
from tlsalert.wire.records import RecordStream
from tlsalert.wire.transcript import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    SHORT,
    TLS13,
    Answer,
    Event,
    Transcript,
)

#: How much of the application data of each side is kept: the head of an HTTP message, and the beginning of its body.
INSIDE: Final = 2048

CLIENT_HELLO: Final = 1
CERTIFICATE_REQUEST: Final = 13
FINISHED: Final = 20
#: Level warning, description 0.
CLOSE_NOTIFY: Final = 1 << 8


@final
class Inside(Transcript):
    """Gathers the events of what was opened, each marked as decrypted."""

    def __init__(self, outer: Transcript) -> None:
        super().__init__()
        self.version = outer.version
        self.client_side = outer.client_side
        self.found: list[Event] = []

    def add(self, event: Event) -> None:
        """Keep an event."""
        event.mark_decrypted()
        self.found.append(event)


@final
class Opened:
    """Goes through a connection's kept items, told one by one what is in the protected ones, and tells it anew."""

    def __init__(self, outer: Transcript) -> None:
        self.outer = outer
        self.inner = Inside(outer)
        self.streams = [RecordStream(self.inner, 0), RecordStream(self.inner, 1)]
        self.events: list[Event] = []
        self.records: list[Event] = []
        self.inside = [b"", b""]

    def leave(self, item: Event) -> None:
        """Take an item as it is: it was in clear, or it stays shut."""
        if item.code < 0 and item.kind >= APPLICATION_DATA:
            self.records.append(item)
        else:
            self.events.append(item)

    def take(self, item: Event, kind: i64, data: bytes) -> None:
        """Take what was in a protected record: ``kind`` is the content type that it really had."""
        stream = self.streams[item.side]
        if kind == HANDSHAKE or kind == ALERT:
            stream.content(kind, data, item.frame, item.time)
            self.events += self.inner.found
            self.inner.found = []
        elif kind == APPLICATION_DATA:
            have: i64 = len(self.inside[item.side])
            if have < INSIDE:
                self.inside[item.side] += data[: INSIDE - have]
                dated_answer(self.outer, item, self.inside[item.side])
            item.mark_decrypted()
            self.records.append(item)
        else:
            self.events.append(Event(kind, 1, item.side, item.frame, item.time, len(data), None, False))

    def gap(self, item: Event) -> None:
        """Take note that bytes are missing: a message in the making will not be complete."""
        self.streams[item.side].lost(item.frame, item.time)
        self.events += self.inner.found
        self.inner.found = []

    def finish(self) -> None:
        """Put all of it into the transcript in the place of what it had."""
        outer = self.outer
        for event in self.events:
            if event.kind == ALERT and event.decrypted:
                outer.alerts += 1
        outer.retell(self.events, self.records)
        outer.inside = self.inside
        for says in self.inner.notes:
            outer.note(says)


def dated_answer(outer: Transcript, item: Event, head: bytes) -> None:
    """Look for the Date of the first HTTP response in what a side said: it is the clock of the machine that made it."""
    if outer.answer is not None or not head.startswith(b"HTTP/1."):
        return
    if b"\r\n\r\n" in head or len(head) >= INSIDE:
        answer = Answer(item.side, item.frame, item.time, head)
        answer.date = response_date(head)
        answer.head = None
        outer.answer = answer


def opened_well(outer: Transcript) -> bool:
    """Whether a connection that was opened surely was established, and nobody sent an alert but to take leave.

    The look of :meth:`Transcript.went_well` for what is decrypted: one whole handshake of which everything was read,
    and in TLS 1.3 an answer of the server after it. It may say no where the full diagnosis says yes, never the other
    way; what was said inside is not looked at.
    """
    client = outer.client_side
    if client < 0 or outer.inside is None or len(outer.notes) > 0 or outer.spoken is not None:
        return False
    hellos: i64 = 0
    asked: i64 = 0
    changes = [0, 0]
    finished = [0, 0]
    done: i64 = 0
    for event in outer.events:
        kind = event.kind
        code = event.code
        if code < 0 or event.cut:
            return False
        if kind == HANDSHAKE:
            if code == FINISHED:
                finished[event.side] += 1
                done = event.frame if event.side == client else done
            elif code == CLIENT_HELLO:
                hellos += 1
            elif code == CERTIFICATE_REQUEST:
                asked += 1
        elif kind == CHANGE_CIPHER_SPEC:
            changes[event.side] += 1
        elif kind != ALERT or code != CLOSE_NOTIFY:
            return False
    if finished[0] != 1 or finished[1] != 1 or asked > 1:
        return False
    if outer.version < TLS13:
        return hellos == 1 and changes[0] == 1 and changes[1] == 1
    theirs = [record for record in outer.records if record.side != client]
    if hellos == 0 or hellos > 2 or len(theirs) == 0 or not theirs[-1].decrypted:
        return False
    return any(record.decrypted and record.length > SHORT and record.frame > done for record in theirs)
