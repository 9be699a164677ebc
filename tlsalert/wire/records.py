"""One direction of a connection: bytes in any slicing → records → messages and alerts.

RFC 8446 §5 and RFC 5246 §6.2; SSLv2's two-byte header from RFC 6101 §E. What is encrypted follows from
the state of the handshake: a change_cipher_spec up to TLS 1.2, the outer content type in TLS 1.3.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i32, i64, mypyc_attr

from tlsalert.wire.envelope import LONGEST_HEAD, Envelope, envelope_at, packet_before
from tlsalert.wire.http_date import response_date
from tlsalert.wire.transcript import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    SSLV2,
    SSLV2_VERSION,
    TAIL,
    TLS13,
    Answer,
    Event,
    Transcript,
)

#: 2^14 bytes of content and 2048 of expansion, RFC 5246 §6.2.3; SSLv3 and TLS 1.0 to 1.2 allow the most.
MAX_RECORD: Final = 16384 + 2048
#: The longest handshake message that is kept; a longer one is told, not kept.
MAX_MESSAGE: Final = 1 << 20
#: What one direction may keep of handshake bodies before it stops keeping more.
MAX_KEPT: Final = 4 << 20
#: How much of an HTTP response is looked at for its Date.
HEAD: Final = 1024

#: The content types in IANA's registry: change_cipher_spec to heartbeat (RFC 6520), tls12_cid (RFC 9146) and ACK
#: (RFC 9147). The last two are DTLS's, but what a stranger sends over TCP is up to him.
FIRST_TYPE: Final = 20
LAST_TYPE: Final = 26

START: Final = 0  # nothing seen yet, and the stream's first byte is known to come first
SEARCH: Final = 1  # not TLS so far: a hello may still begin at a later segment
READ: Final = 2  # at a record boundary, or inside a record
LOST: Final = 3  # bytes are missing: go on at the next boundary that checks out
SSL2: Final = 4  # SSLv2 records, of which only the first are in clear
WRAPPED: Final = 5  # in packets of another protocol, from which another reader gets what is TLS

#: How far into a stream a hello may begin in the middle of a segment: behind a proxy's header or a command.
WINDOW: Final = 4096
#: What it takes to know such a hello: the record's header, the message's, and a version.
SURE: Final = 11
#: More bytes than any record or message has: so many are missing where nobody knows how many are.
UNKNOWN: Final = 1 << 40


@final
@mypyc_attr(acyclic=True)
class Aside:
    """What only few streams need to remember; apart, so that it takes no room of the others.

    ``pass_over`` is what is left of a message that is not kept, ``half_alert`` the first byte of a split alert, ``odd``
    the last unknown content type; -1 where there is none. Before TLS: ``seen`` counts the stream's bytes, and ``tail``
    are the last ones of them, in which a hello may have begun. ``envelope`` and ``inner`` take TLS out of packets.
    """

    def __init__(self) -> None:
        self.pass_over: i64 = 0
        self.half_alert: i64 = -1
        self.odd: i64 = -1
        self.seen: i64 = 0
        self.tail = b""
        self.envelope: Envelope | None = None
        self.inner: RecordStream | None = None


@final
@mypyc_attr(acyclic=True)
class RecordStream:
    """The records of one direction. Feed it the stream's bytes in order; it tells the transcript."""

    def __init__(self, transcript: Transcript, side: i64) -> None:
        self.transcript = transcript
        self.side = side
        self.state: i64 = START
        self.skip: i64 = 0
        self.carry = b""
        self.encrypted = False
        self.known = True  # whether the state of encryption is known: not after bytes were missed
        self.parts: bytearray | None = None  # the message in the making, from its header on
        self.kept: i64 = 0
        self.aside: Aside | None = None

    def begin_anywhere(self) -> None:
        """Say that the stream was not seen from its first byte."""
        self.state = LOST
        self.known = False

    def feed(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> None:
        """Take the next bytes of the stream, ``data[start:end]``, which came in ``frame`` at ``time``."""
        if self.skip > 0:
            if end - start <= self.skip:
                self.skip -= end - start
                return
            start += self.skip
            self.skip = 0
        if len(self.carry) > 0:
            data = self.carry + data[start:end]
            self.carry = b""
            start = 0
            end = len(data)
        if self.state != READ:
            if self.state == WRAPPED:
                self._unwrap(data, start, end, frame, time)
                return
            first = start
            start = self._begin(data, start, end, frame, time)
            if start < 0:
                if self.state == READ or self.state == WRAPPED:
                    return
                if self.transcript.answer is not None or (end - first > 16 and data[first] == 72):
                    self._answer(data, first, end, frame, time)
                return
            if self.state == SSL2:
                self._sslv2(data, start, end, frame, time)
                return
        self._records(data, start, end, frame, time)

    def gap(self, missing: i64, frame: i64, time: i64) -> None:
        """Step over ``missing`` bytes that were not captured; ``frame`` is the first packet after them."""
        if self.state == WRAPPED:
            self._unwrap_gap(missing, frame, time)
            return
        if self.skip >= missing:
            self.skip -= missing
            return
        missing -= self.skip
        self.skip = 0
        carry = self.carry
        self.carry = b""
        if self.aside is not None:
            self.aside.half_alert = -1
        if self.state == READ and len(carry) >= 5:
            size = i64(carry[3]) << 8 | i64(carry[4])
            rest = 5 + size - i64(len(carry))
            beyond: i64 = 0
            clear = self._partly(carry, size, frame, time)
            have: i64 = 0 if self.parts is None else len(self.parts)
            if clear and have >= 4:
                beyond = self._need() - have - rest
            elif clear and self.aside is not None:
                beyond = self.aside.pass_over - rest
            unsure = 0 < have < 4
            self._cut(frame, time)
            if missing <= rest:
                self.skip = rest - missing
                if beyond > 0:
                    self._aside().pass_over = beyond  # what later records hold of the message that was cut
                self.known = self.known and not unsure
                return
        else:
            self._cut(frame, time)
        self.transcript.gap(self.side, frame, time, missing)
        if self.state != SEARCH:
            self.state = LOST
            self.known = False
        elif self.aside is not None:
            self.aside.tail = b""
            self.aside.seen += missing

    def _partly(self, carry: bytes, size: i64, frame: i64, time: i64) -> bool:
        """Read what was captured of a record; say whether that was a handshake in clear."""
        kind = carry[0]
        if kind == CHANGE_CIPHER_SPEC:
            self._change(size, frame, time, None)
        elif kind == HANDSHAKE and not self._hides(carry, 5, len(carry)):
            self._handshake(carry, 5, len(carry), frame, time)
            return True
        elif kind == HANDSHAKE or (kind == ALERT and size > 2):
            self.transcript.unread(kind, self.side, frame, time, size, None)
        elif kind >= APPLICATION_DATA:  # it waited to be whole, to be decrypted
            self.transcript.record(kind, self.side, frame, time, size)
        return False

    def finish(self, frame: i64, time: i64) -> None:
        """Tell what the stream's end leaves incomplete."""
        aside = self.aside
        if aside is not None and aside.inner is not None:
            aside.inner.finish(frame, time)
            return
        carry = self.carry
        if self.state == READ and len(carry) >= 5 and carry[0] != CHANGE_CIPHER_SPEC:
            self._partly(carry, i64(carry[3]) << 8 | i64(carry[4]), frame, time)
        if self.state == READ and len(carry) >= 5 and carry[0] < APPLICATION_DATA and carry[0] != CHANGE_CIPHER_SPEC:
            self.transcript.note(f"the {self.name()} stream ends inside a record (frame {frame})")
        self._cut(frame, time)
        self.carry = b""
        answer = self.transcript.answer
        if answer is not None and answer.head is not None:  # it was not whole
            answer.date = response_date(answer.head)
            answer.head = None

    def content(self, kind: i64, data: bytes, frame: i64, time: i64) -> None:
        """Take the content of a record that was decrypted: a handshake fragment, or alerts."""
        if kind == HANDSHAKE:
            self._handshake(data, 0, len(data), frame, time)
        else:
            self._alert(data, 0, len(data), frame, time)

    def lost(self, frame: i64, time: i64) -> None:
        """Give up the message in the making: records are missing."""
        self._cut(frame, time)

    def waits(self) -> bool:
        """Whether missing bytes are worth waiting for: not in the middle of what is no TLS."""
        return self.state != SEARCH or self.transcript.tls or self.aside is None or self.aside.seen < WINDOW

    def name(self) -> str:
        """Return whose stream it is: "client's", "server's", or "first" and "second" where that is not known."""
        if self.transcript.client_side < 0:
            return "first" if self.side == 0 else "second"
        return "client's" if self.transcript.client_side == self.side else "server's"

    def _begin(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> i64:
        """Return where records begin in ``data[start:end]``, or -1 where they don't (yet) or have been read."""
        if self.state == SSL2:
            return start
        if self.state == START:
            found = looks_like_start(data, start, end)
            if found == 0:
                self.carry = data[start:end]
                return -1
            if found == 2 or (found == 3 and self.transcript.version == SSLV2_VERSION):
                self.state = SSL2
                self.transcript.tls = True
                return start
            if found == 1:
                self.state = READ
                self.transcript.tls = True
                return start
            self.state = SEARCH
        if self.state == SEARCH:
            return self._search(data, start, end, frame, time)
        return self._resume(data, start, end, frame)

    def _search(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> i64:
        """Look for TLS in a stream that is something else so far: a hello, or any record where the peer speaks TLS."""
        transcript = self.transcript
        have = end - start
        follows = transcript.tls and have > 0 and 20 <= data[start] <= 24
        needs: i64 = 9 if follows and data[start] == HANDSHAKE else 6
        if follows and have < needs and (have == 1 or data[start + 1] == 3):
            self.carry = data[start:end]  # too few bytes to tell an alert, or a hello, from something else
            return -1
        aside = self._aside()
        if aside.seen < WINDOW and self._inside(aside, data, start, end, frame, time):
            return -1
        if (follows and boundary(data, start, end, self.encrypted)) or hello_at(data, start, end):
            self._leave_search()
            return start
        transcript.plain(self.side, data, start, end, frame, False)
        return -1

    def _inside(self, aside: Aside, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> bool:
        """Look for a hello that begins anywhere near the stream's beginning; read on from there if there is one."""
        before: i64 = len(aside.tail)
        near = data[start : min(end, start + WINDOW)]
        if before > 0:
            near = aside.tail + near
        stop: i64 = len(near)
        found: i64 = before
        if not hello_at(near, before, stop):
            found = find_hello(near, max(0, before - SURE + 1), stop)
        if found < 0:
            aside.seen += end - start
            aside.tail = near[max(0, stop - LONGEST_HEAD - SURE) :] if aside.seen < WINDOW else b""
            return False
        packet = packet_before(near, found, stop)
        known = aside.seen - before + packet
        aside.tail = b""
        spoken = self.transcript.spoken
        if packet < before and spoken is not None:
            spoken.cut(self.side, known)
        elif packet > before:
            self.transcript.plain(self.side, near, before, packet, frame, False)
        rest = near[packet:]
        if end - start > WINDOW:
            rest += data[start + WINDOW : end]
        envelope = envelope_at(rest, 0, len(rest)) if packet < found else None
        self._leave_search()
        if envelope is None:
            self._records(rest, found - packet, len(rest), frame, time)
            return True
        self.state = WRAPPED
        self.transcript.framing = i32(envelope.kind)
        aside.envelope = envelope
        aside.inner = RecordStream(self.transcript, self.side)
        self._unwrap(rest, 0, len(rest), frame, time)
        return True

    def _leave_search(self) -> None:
        self.state = READ
        self.transcript.tls = True

    def _unwrap(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> None:
        """Read what packets of another protocol hold of TLS."""
        aside = self._aside()
        envelope, inner = aside.envelope, aside.inner
        if envelope is None or inner is None:
            return
        if envelope.bare:
            inner.feed(data, start, end, frame, time)
            return
        content = envelope.open(data, start, end)
        if len(content) > 0:
            inner.feed(content, 0, len(content), frame, time)

    def _unwrap_gap(self, missing: i64, frame: i64, time: i64) -> None:
        """Step over bytes that were not captured, of which it may not be known how many were TLS."""
        aside = self._aside()
        envelope, inner = aside.envelope, aside.inner
        if envelope is None or inner is None:
            return
        known = envelope.gap(missing)
        if known > 0:
            inner.gap(known, frame, time)
        if envelope.lost:
            inner.gap(UNKNOWN, frame, time)

    def _resume(self, data: bytes, start: i64, end: i64, frame: i64) -> i64:
        """Find the next record boundary that checks out after bytes were missed; -1 where there is none."""
        at = start
        while at + 5 <= end:
            kind = data[at]
            if (
                20 <= kind <= 24
                and data[at + 1] == 3
                and ((at == start and boundary(data, at, end, self.encrypted)) or chained(data, at, end))
            ):
                self.state = READ
                self.transcript.tls = True
                return at
            at += 1
        if not self.transcript.tls:
            self.transcript.plain(self.side, data, start, end, frame, False)
        return -1

    def _answer(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> None:
        """Look for the Date in the head of the first HTTP response: it is its machine's clock."""
        answer = self.transcript.answer
        if answer is None:
            if data[start : start + 7] != b"HTTP/1.":
                return
            answer = Answer(self.side, frame, time, data[start : min(end, start + HEAD)])
            self.transcript.answer = answer
        elif answer.side == self.side and answer.head is not None:
            answer.head += data[start : min(end, start + HEAD)]
        head = answer.head
        if head is not None and (len(head) >= HEAD or b"\r\n\r\n" in head):
            answer.date = response_date(head)
            answer.head = None

    def _records(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> None:
        while end - start >= 5:
            kind: i64 = data[start]
            size = i64(data[start + 3]) << 8 | i64(data[start + 4])
            if data[start + 1] != 3 or size > MAX_RECORD:
                self._not_a_record(data, start, end, frame, time)
                return
            body = start + 5
            if kind < FIRST_TYPE or kind > LAST_TYPE:
                if end - body < size and data[start + 2] <= 4:
                    break  # whether it is one shows where it ends
                if not chained(data, start, end):
                    self._not_a_record(data, start, end, frame, time)
                    return
                self._unknown(kind, frame, time, size)
            elif size == 0 and kind < APPLICATION_DATA:
                pass  # RFC 8446 §5.1 forbids it, and it says nothing
            elif kind >= APPLICATION_DATA:
                if self.transcript.kept is not None:
                    wish = self.transcript.kept.wish(self.side, self.transcript.version, size)
                    if wish > 0:
                        if end - body < size:
                            break
                        tail = body if wish == 2 else max(body, body + size - TAIL)
                        self.transcript.protected(kind, self.side, frame, time, size, data[tail : body + size])
                        start = body + size
                        continue
                self.transcript.record(kind, self.side, frame, time, size)
                if end - body < size:
                    self.skip = size - (end - body)
                    return
            else:
                if end - body < size:
                    break
                self._fragment(kind, data, body, body + size, frame, time)
            start = body + size
        if start < end:
            self.carry = data[start:end]

    def _unknown(self, kind: i64, frame: i64, time: i64, size: i64) -> None:
        """Count a record of a type that nobody knows, and say so once: a host would refuse it (RFC 8446 §5)."""
        aside = self._aside()
        if kind != aside.odd:
            aside.odd = kind
            self.transcript.note(f"frame {frame}: the {self.name()} stream has records of the unknown type {kind}")
        self.transcript.record(kind, self.side, frame, time, size)

    def _not_a_record(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> None:
        self.transcript.note(f"the {self.name()} stream stops being TLS records at frame {frame}")
        self._cut(frame, time)
        self.state = LOST
        self.known = False
        self.transcript.plain(self.side, data, start, end, frame, True)

    def _fragment(self, kind: i64, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> None:
        size = end - start
        transcript = self.transcript
        if kind == HANDSHAKE:
            if not self.known and self.parts is None:
                self._unsure(data, start, end, frame, time)
            elif self._hides(data, start, end):
                transcript.unread(HANDSHAKE, self.side, frame, time, size, self._kept(data, start, end))
            else:
                if transcript.client_side < 0:
                    self._opening(data, start, end)
                self._handshake(data, start, end, frame, time)
        elif kind == ALERT:
            self._alert(data, start, end, frame, time)
        elif kind == CHANGE_CIPHER_SPEC:
            self._change(size, frame, time, self._kept(data, start, end) if self.encrypted else None)

    def _opening(self, data: bytes, start: i64, end: i64) -> None:
        """Take note of the records in which the first ClientHello comes: ``data[start:end]`` is the content of one."""
        transcript = self.transcript
        version = i64(data[start - 4]) << 8 | i64(data[start - 3])
        parts = self.parts
        size = end - start
        if parts is None and data[start] == 1:
            transcript.opening = i32(version)
            transcript.cuts = None
            if size < 4 or size < 4 + message_size(data, start):
                transcript.cut_at(version, size)
        elif parts is not None and parts[0] == 1:
            have: i64 = len(parts)
            head = bytes(parts[:4]) + data[start : min(end, start + 4)]
            if have + size > 4:
                size = min(size, 4 + message_size(head, 0) - have)  # what is left belongs to another message
            transcript.cut_at(version, size)

    def _kept(self, data: bytes, start: i64, end: i64) -> bytes | None:
        """Return a protected record's bytes where they are kept."""
        return None if self.transcript.kept is None else data[start:end]

    def _change(self, size: i64, frame: i64, time: i64, fragment: bytes | None) -> None:
        """Take a change_cipher_spec: up to TLS 1.2 all that this side sends after it is encrypted."""
        if self.transcript.version < TLS13:
            self.encrypted = True
            self.known = True
        self._cut(frame, time)
        code: i64 = 1 if size == 1 else -1  # one in a renegotiation is encrypted itself
        self.transcript.add(Event(CHANGE_CIPHER_SPEC, code, self.side, frame, time, size, fragment, False))

    def _hides(self, data: bytes, start: i64, end: i64) -> bool:
        """Whether a handshake fragment is encrypted: after this side's change_cipher_spec, up to TLS 1.2.

        A TLS 1.3 client sends one for the middleboxes' sake before its second ClientHello (RFC 8446 §D.4); where the
        server's half was not captured only that hello itself shows it.
        """
        transcript = self.transcript
        if not self.encrypted or transcript.version >= TLS13 or transcript.null_cipher:
            return False
        second = end - start > 40 and data[start] == 1 and message_size(data, start) == end - start - 4
        return not (second and transcript.version == 0 and data[start + 4] == 3)

    def _unsure(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> None:
        """After missed bytes nobody knows whether keys have changed: read what is exactly a message, else not."""
        if end - start >= 4 and plausible_message(data, start, end):
            self.known = True
            if self.transcript.client_side < 0:
                self._opening(data, start, end)
            self._handshake(data, start, end, frame, time)
        else:
            self.transcript.unread(HANDSHAKE, self.side, frame, time, end - start, self._kept(data, start, end))

    def _alert(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> None:
        """Read alerts: split, coalesced and repeated ones too. No cipher makes a record of two bytes."""
        size = end - start
        transcript = self.transcript
        if transcript.null_cipher and self.encrypted and size > 2:
            end = start + 2
        elif size > 2 and (self.encrypted or not self.known):
            transcript.unread(ALERT, self.side, frame, time, size, self._kept(data, start, end))
            return
        aside = self.aside
        half: i64 = -1 if aside is None else aside.half_alert
        while start < end:
            value: i64 = data[start]
            if half < 0:
                half = value
            else:
                transcript.alert(half, value, self.side, frame, time)
                half = -1
            start += 1
        if half >= 0 or aside is not None:
            self._aside().half_alert = half

    def _handshake(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> None:
        """Take messages out of a handshake fragment; one may lie in many records, and many in one."""
        aside = self.aside
        if aside is not None and aside.pass_over > 0:
            step = min(aside.pass_over, end - start)
            aside.pass_over -= step
            start += step
        while start < end:
            if self.parts is None and end - start >= 4:
                size = message_size(data, start)
                stop = start + 4 + size
                if stop > end or size > MAX_MESSAGE:
                    start = self._collect(data, start, end, frame, time)
                    continue
                self._message(data[start], size, data[start + 4 : stop], frame, time)
                start = stop
                if self.encrypted and self.transcript.null_cipher:
                    return  # what follows is the MAC
            else:
                start = self._collect(data, start, end, frame, time)

    def _collect(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> i64:
        """Add bytes to the message in the making, and tell it when they complete it; return what follows them."""
        need = self._need()
        parts = self.parts
        have: i64 = 0 if parts is None else len(parts)
        take = min(need - have, end - start)
        if parts is None:
            parts = bytearray()  # not a list: fragments of a byte or two would take ten times their bytes
            self.parts = parts
        parts += data[start : start + take]
        start += take
        if have + take == 4 and need == 4:
            head = bytes(parts)
            size = message_size(head, 0)
            need = 4 + size
            if size > MAX_MESSAGE:
                self.transcript.note(f"frame {frame}: a handshake message of {size} bytes is not kept")
                self._message(head[0], size, None, frame, time)
                self.parts = None
                beyond = min(size, end - start)
                if beyond < size:
                    self._aside().pass_over = size - beyond
                return start + beyond
        if have + take == need:
            whole = bytes(parts)
            self.parts = None
            self._message(whole[0], len(whole) - 4, whole[4:], frame, time)
        return start

    def _need(self) -> i64:
        """Return how long the message in the making is with its header, or 4 as long as that is not known."""
        parts = self.parts
        if parts is None or len(parts) < 4:
            return 4
        return 4 + message_size(bytes(parts[:4]), 0)

    def _aside(self) -> Aside:
        aside = self.aside
        if aside is None:
            aside = Aside()
            self.aside = aside
        return aside

    def _cut(self, frame: i64, time: i64) -> None:
        """Tell the message in the making as far as it came: the rest of it will not."""
        if self.aside is not None:
            self.aside.pass_over = 0
        parts = self.parts
        if parts is None:
            return
        if len(parts) >= 4:
            head = bytes(parts)
            size = message_size(head, 0)
            self.transcript.message(head[0], self.side, frame, time, size, head[4:], True)
            self.transcript.note(
                f"frame {frame}: of a handshake message of {size} bytes only {len(head) - 4} were captured"
                " (record whole packets: tcpdump -s 0)"
            )
        self.parts = None

    def _message(self, code: i64, size: i64, body: bytes | None, frame: i64, time: i64) -> None:
        if body is not None:
            self.kept += size
            if self.kept > MAX_KEPT:
                self.transcript.note(
                    f"frame {frame}: more than {MAX_KEPT} bytes of handshake; bodies after it are not kept"
                )
                body = None
        self.transcript.message(code, self.side, frame, time, size, body, False)

    def _sslv2(self, data: bytes, start: i64, end: i64, frame: i64, time: i64) -> None:
        """Read SSLv2 records: a hello, after which SSLv3 or later goes on with records of its own."""
        transcript = self.transcript
        while end - start >= 3:
            if data[start] & 0x80:
                head: i64 = 2
                size = i64(data[start] & 0x7F) << 8 | i64(data[start + 1])
            else:
                head = 3
                size = i64(data[start] & 0x3F) << 8 | i64(data[start + 1])
            if 20 <= data[start] <= 24 and data[start + 1] == 3:
                self.state = READ
                self._records(data, start, end, frame, time)
                return
            if end - start < head + size:
                break
            body = data[start + head : start + head + size]
            start += head + size
            if self.encrypted or size == 0:
                self.encrypted = True
                transcript.record(SSLV2, self.side, frame, time, size)
                continue
            self.kept += size
            kept = body if self.kept <= MAX_KEPT else None
            transcript.add(Event(SSLV2, body[0], self.side, frame, time, size, kept, False))
            self._sslv2_message(body)
            if transcript.version != SSLV2_VERSION and body[0] == 1:
                self.state = READ
                self._records(data, start, end, frame, time)
                return
        if start < end:
            self.carry = data[start:end]

    def _sslv2_message(self, body: bytes) -> None:
        """Learn from SSLv2's hellos and master key, RFC 6101 §E.2 and the SSLv2 draft."""
        transcript = self.transcript
        code = body[0]
        if code == 1:
            transcript.client_side = self.side
            if len(body) >= 3 and body[1] == 0 and body[2] == 2:
                transcript.version = SSLV2_VERSION
        elif code == 4:
            transcript.client_side = 1 - self.side
            transcript.version = SSLV2_VERSION
            self.encrypted = True  # what follows from the server is under its keys
        elif code == 2:
            self.encrypted = True


def message_size(data: bytes, at: i64) -> i64:
    """Return the length in the handshake header at ``at``, RFC 8446 §4."""
    return i64(data[at + 1]) << 16 | i64(data[at + 2]) << 8 | i64(data[at + 3])


def looks_like_start(data: bytes, start: i64, end: i64) -> i64:
    """Tell what a stream's first bytes are.

    0: too few to say, 1: TLS, 2: an SSLv2 ClientHello, 3: an SSLv2 ServerHello if the client spoke SSLv2, 4: none.
    """
    have = end - start
    if have == 0:
        return 0
    first: i64 = data[start]
    if 20 <= first <= 24:
        if have < 6:
            return 0 if have < 2 or data[start + 1] == 3 else 4
        return 1 if boundary(data, start, end, False) else 4
    if first & 0x80:
        if have < 5:
            return 0 if have < 3 or data[start + 2] == 1 or data[start + 2] == 4 else 4
        size = (first & 0x7F) << 8 | i64(data[start + 1])
        kind = data[start + 2]
        major = data[start + 3]
        if kind == 1 and size >= 12 and (major == 3 or (major == 0 and data[start + 4] == 2)):
            return 2
        if kind == 4 and size >= 11:
            return 3
    return 4


def boundary(data: bytes, at: i64, end: i64, encrypted: bool) -> bool:
    """Whether a record may begin at ``at``: its header, and as much of its content as there is, check out."""
    if end - at < 5 or data[at + 1] != 3 or data[at + 2] > 4:
        return False
    kind = data[at]
    size = i64(data[at + 3]) << 8 | i64(data[at + 4])
    if size == 0 or size > MAX_RECORD:
        return False
    stop = at + 5 + size
    if stop + 2 <= end and not (FIRST_TYPE <= data[stop] <= LAST_TYPE and data[stop + 1] == 3):
        return False
    if kind == CHANGE_CIPHER_SPEC:
        return size == 1
    if kind == ALERT:
        return size >= 18 or end - at < 6 or data[at + 5] == 1 or data[at + 5] == 2
    if kind == HANDSHAKE and size < 4:
        return end - at < 6 or data[at + 5] <= 24
    if kind == HANDSHAKE:
        return encrypted or end - at < 9 or plausible_message(data, at + 5, min(stop, end)) or size >= 40
    return APPLICATION_DATA <= kind <= LAST_TYPE


def plausible_message(data: bytes, at: i64, end: i64) -> bool:
    """Whether a clear handshake message may begin at ``at``: a type in use and a length that can be meant."""
    kind = data[at]
    known = kind <= 8 or 11 <= kind <= 16 or 20 <= kind <= 25 or kind == 67 or kind == 254
    return known and end - at >= 4 and message_size(data, at) < 1 << 17


def hello_at(data: bytes, at: i64, end: i64) -> bool:
    """Whether a ClientHello or ServerHello in a record begins at ``at`` (TLS that begins inside another protocol)."""
    if end - at < 9 or data[at] != HANDSHAKE or data[at + 1] != 3 or data[at + 2] > 4:
        return False
    size = i64(data[at + 3]) << 8 | i64(data[at + 4])
    kind = data[at + 5]
    if size > MAX_RECORD or (kind != 1 and kind != 2):
        return False
    return message_size(data, at + 5) < 1 << 16 and size >= 4


def find_hello(data: bytes, start: i64, end: i64) -> i64:
    """Return where a record with a hello begins in ``data[start:end]`` that can hardly be anything else, or -1."""
    at: i64 = data.find(b"\x16\x03", start, end)
    while at >= 0 and at + SURE <= end:
        if hello_at(data, at, end) and message_size(data, at + 5) >= 38 and data[at + 9] in (3, 0x7F):
            size = i64(data[at + 3]) << 8 | i64(data[at + 4])
            if size >= SURE and (message_size(data, at + 5) + 4 >= size or data[at + 5] == 2):
                return at
        at = data.find(b"\x16\x03", at + 1, end)
    return -1


def chained(data: bytes, at: i64, end: i64) -> bool:
    """Whether a record begins at ``at`` and ends exactly with the data, or where another one begins."""
    if data[at + 2] > 4:
        return False
    size = i64(data[at + 3]) << 8 | i64(data[at + 4])
    stop = at + 5 + size
    if size == 0 or size > MAX_RECORD or stop > end:
        return False
    return stop == end or (end - stop >= 5 and boundary(data, stop, end, True))
