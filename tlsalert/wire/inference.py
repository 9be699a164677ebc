"""What encrypted alerts must be, from lengths and order: RFC 8446 §5.2 gives the length of one, §6 its place.

In TLS 1.3 an alert is a record of application data: two bytes, the inner content type, and the cipher's tag. Up to
TLS 1.2 its content type shows, and change_cipher_spec says whether a handshake was under way.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from tlsalert.wire.transcript import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    TLS13,
    Event,
    Transcript,
    in_order,
)

CLOSE_NOTIFY: Final = "close_notify"
FATAL: Final = "fatal alert"
SERVER_HELLO: Final = 2

#: Tag lengths other than 16: AES-CCM-8 (RFC 8446 §B.4), and the integrity-only suites (RFC 9150).
TAGS: Final = {0x1305: 8, 0xC0B4: 32, 0xC0B5: 48}


#: Java's JSSE pads its alerts with 16 zero bytes (seen from OpenJDK 17); the others seen send them bare.
PADDINGS: Final = (0, 16)


def alert_lengths(cipher: int) -> tuple[int, ...]:
    """Return the lengths that a TLS 1.3 record with an alert has: bare, or padded as a known stack pads it."""
    return tuple([3 + TAGS.get(cipher, 16) + padding for padding in PADDINGS])


def inferred_alerts(transcript: Transcript, client: i64) -> list[tuple[Event, str]]:
    """Return the records of a TLS 1.3 connection that must be alerts, each with what it must say."""
    if transcript.version != TLS13:
        return []
    sizes = alert_lengths(int(transcript.cipher))
    records = [e for e in transcript.records if e.kind == APPLICATION_DATA]
    inside = [e for e in transcript.events if e.decrypted]
    if len(inside) > 0:
        records = in_order([*[e for e in inside if e.kind == HANDSHAKE], *records])
    found: list[tuple[Event, str]] = []
    for side in (client, 1 - client):
        own = [e for e in records if e.side == side]
        if not own or own[-1].decrypted or int(own[-1].length) not in sizes:
            continue
        last, words = own[-1], _last_words(own, sizes)
        if side == client:
            found.append((last, FATAL if len(own) == 1 else CLOSE_NOTIFY))
        elif _answers_the_flight(records, words[0], client, sizes):
            found += [(word, FATAL) for word in words]
        elif any(e.side == client for e in records):
            found.append((last, CLOSE_NOTIFY))
    found.sort(key=_frame)
    return found


def _last_words(own: list[Event], sizes: tuple[int, ...]) -> list[Event]:
    """Return the records at the end of a side that are as long as alerts: gnutls-serv sends its 49 and then a 42."""
    start = len(own)
    while start > 0 and int(own[start - 1].length) in sizes:
        start -= 1
    return own[start:]


def _answers_the_flight(records: list[Event], last: Event, client: i64, sizes: tuple[int, ...]) -> bool:
    """Whether the server's last record is its first one after the client's, which did not take leave itself."""
    before: list[Event] = []
    for record in records:
        if record is last:
            break
        before.append(record)
    if not before:
        return False
    previous = before[-1]
    if previous.side != client or len([e for e in before if e.side != client]) == 0:
        return False
    if int(previous.length) in sizes:
        return False
    first_client = next(index for index, e in enumerate(before) if e.side == client)
    return all(e.side == client for e in before[first_client:])


def unread_alerts(transcript: Transcript) -> list[str | None]:
    """Return what each encrypted alert up to TLS 1.2 must say: within a handshake it is fatal, after one a farewell.

    One change_cipher_spec of each side ends a handshake; handshake records of both after it are another one. A side
    that asks for another in vain is told so by a warning (no_renegotiation, RFC 5246 §7.2.2), which is no end.
    """
    hellos = 0
    changes = [0, 0]
    spoken = [0, 0]
    farewells = [-1, -1]
    says: list[str | None] = []
    for event in transcript.events:
        side = int(event.side)
        if event.kind == HANDSHAKE and event.code == SERVER_HELLO:
            hellos += 1
        if event.kind == CHANGE_CIPHER_SPEC:
            changes[side] += 1
            spoken[side] = 0
        elif event.kind == HANDSHAKE and event.code < 0:
            spoken[side] += 1
        elif event.kind == ALERT and event.code < 0:
            busy = (changes[0] != changes[1] and hellos < 2) or min(spoken) > 1
            unsure = not busy and (max(spoken) > 1 or changes[0] != changes[1])
            if farewells[side] >= 0:
                says[farewells[side]] = None  # it was not the last of its side, so it was no farewell
            farewells[side] = -1 if busy or unsure else len(says)
            says.append(FATAL if busy else None if unsure else CLOSE_NOTIFY)
    return says


def _frame(pair: tuple[Event, str]) -> int:
    return int(pair[0].frame)
