"""A connection whose bytes come in order and without packets: out of an strace log, a debug dump, a replay.

Places are numbers of lines from 1 (or whatever else counts up in the evidence) and stand where frames stand for
captures; times are nanoseconds since 1970 (UTC). What a :class:`Conversation` was told becomes a
:class:`~tlsalert.wire.flow.Flow` like one from a capture, so that everything behind it is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from mypy_extensions import i64

from tlsalert.model import Connection
from tlsalert.wire.flow import FIN, RST, Ending, Flow
from tlsalert.wire.flowmap import ends
from tlsalert.wire.inference import FATAL, unread_alerts
from tlsalert.wire.records import RecordStream
from tlsalert.wire.transcript import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, TLS13, Event, Keeping, Kept, Transcript

#: What stands where an address and port are not known: 0.0.0.0 and port 0.
NOWHERE: Final = bytes(6)


@final
class Conversation:
    """One connection in the making. Side 0 is the end ``near``, side 1 the other one, ``far``.

    ``near`` and ``far`` are an address (4 or 16 bytes) and a port (2 bytes), both of the same length. ``opener`` is
    the side that connected, or -1 where that is not known. With ``keeping`` on, protected records are kept to be
    opened with secrets. ``amend`` adds what the evidence says besides, in words, before the connection is judged.
    """

    def __init__(
        self, number: i64, near: bytes, far: bytes, opener: i64, place: i64, time: i64, keeping: Keeping
    ) -> None:
        key = _key(near, far)
        short, long = ends(key)
        self._flow = Flow(short, long, key if short < 0 else None, number, place, time)
        self._flow.last_frame = place
        self._flow.opener = 0 if opener == 0 else (1 if opener == 1 else -1)
        self._transcript = Transcript()
        if keeping.on:
            self._transcript.kept = Kept(keeping)
        self._flow.transcript = self._transcript
        self._readers = [RecordStream(self._transcript, 0), RecordStream(self._transcript, 1)]
        self._spoke = [False, False]
        self._hidden: i64 = -1
        self.amend: Callable[[Connection], Connection] | None = None

    @property
    def tls(self) -> bool:
        """Whether TLS was recognised, or asked for in vain, so far."""
        return self._transcript.tls or self._transcript.declined

    @property
    def spoke(self) -> bool:
        """Whether either side said anything."""
        return self._spoke[0] or self._spoke[1]

    @property
    def number(self) -> int:
        """The number that it was given: connections are told in its order."""
        return int(self._flow.number)

    def between(self, near: bytes, far: bytes) -> None:
        """Say which its ends are, where that shows only after it has begun."""
        key = _key(near, far)
        short, long = ends(key)
        self._flow.near = short
        self._flow.far = long
        self._flow.long_key = key if short < 0 else None

    def begin_anywhere(self, side: i64) -> None:
        """Say that the stream of ``side`` was not seen from its first byte."""
        self._readers[side].begin_anywhere()

    def said(self, side: i64, data: bytes, place: i64, time: i64) -> None:
        """Take the next bytes that ``side`` said."""
        if len(data) == 0:
            return
        self._touch(place, time)
        self._spoke[side] = True
        self._readers[side].feed(data, 0, len(data), place, time)

    def missing(self, side: i64, size: i64, place: i64, time: i64) -> None:
        """Step over ``size`` bytes that ``side`` said and the evidence does not hold."""
        if size <= 0:
            return
        self._touch(place, time)
        self._spoke[side] = True
        losses = self._flow.loss()
        losses.missing += size
        if losses.frame == 0:
            losses.frame = place
        self._readers[side].gap(size, place, time)

    @property
    def version(self) -> int:
        """The version that the server's hello chose, 0 until it was said."""
        return int(self._transcript.version)

    def told(
        self, side: i64, kind: i64, code: i64, size: i64, body: bytes | None, place: i64, time: i64, hidden: bool
    ) -> None:
        """Take what the evidence says in words that ``side`` said, or shows as it was before it was encrypted.

        ``kind`` is the content type, ``code`` the handshake type, or an alert's level << 8 | description; ``size`` is
        the length of the body, -1 where nobody knows it. ``hidden`` says that it went over the wire encrypted.
        """
        self._touch(place, time)
        self._spoke[side] = True
        transcript = self._transcript
        transcript.tls = True
        unknown = size < 0
        if kind == HANDSHAKE and not hidden:
            transcript.message(code, side, place, time, 0 if unknown else size, body, unknown)
            return
        event = Event(kind, code, side, place, time, 0 if unknown else size, body, unknown)
        if hidden:
            event.mark_decrypted()
            self._hidden = max(self._hidden, place)
        if kind == ALERT:
            transcript.alerts += 1
        transcript.add(event)

    def agree(self, version: i64) -> None:
        """Say which version was negotiated, where the evidence says so and does not show the server's hello."""
        if self._transcript.version == 0:
            self._transcript.version = version

    def has_alert(self, side: i64, description: i64) -> bool:
        """Whether an alert of this number is known of ``side``; -1 asks for any that is fatal."""
        for event in self._transcript.events:
            if event.kind != ALERT or event.side != side or event.code < 0:
                continue
            if event.code & 0xFF == description or (description < 0 and event.code >> 8 == 2):
                return True
        return False

    def has_message(self, side: i64, code: i64) -> bool:
        """Whether a handshake message of this type is known of ``side``."""
        for event in self._transcript.events:
            if event.kind == HANDSHAKE and event.side == side and event.code == code:
                return True
        return False

    @property
    def changed(self) -> tuple[bool, bool]:
        """Whether each side has begun to encrypt, up to TLS 1.2."""
        sides = [False, False]
        for event in self._transcript.events:
            if event.kind == CHANGE_CIPHER_SPEC:
                sides[event.side] = True
        return sides[0], sides[1]

    def uncover(self) -> None:
        """Take away what could not be read where the evidence shows it decrypted as well (:meth:`told`).

        In TLS 1.3 every record up to the last message so shown is one of those; before it each encrypted handshake
        message or alert of a side that has some.
        """
        transcript = self._transcript
        if self._hidden < 0:
            return
        shown = [False, False]
        for event in transcript.events:
            if event.decrypted:
                shown[event.side] = True
        events = [one for one in transcript.events if one.code >= 0 or not shown[one.side] or one.kind == 20]
        records = list(transcript.records)
        if transcript.version >= TLS13:
            records = [one for one in records if one.frame > self._hidden]
            for record in records:
                record.mark_decrypted()
        transcript.retell(events, records)

    def forget_unread(self, side: i64, short: i64) -> bool:
        """Take away the last thing of ``side`` that could not be read and is no longer than ``short``: it is known.

        Returns whether that was an alert in the middle of a handshake, by the order of what was said.
        """
        transcript = self._transcript
        events = transcript.events
        says = unread_alerts(transcript)
        for at in range(len(events) - 1, -1, -1):
            if events[at].kind == ALERT and events[at].code < 0:
                meant = says.pop()
                if events[at].side == side:
                    transcript.retell([*events[:at], *events[at + 1 :]], list(transcript.records))
                    return meant == FATAL
        if transcript.version < TLS13:
            return False
        records = list(transcript.records)
        for at in range(len(records) - 1, -1, -1):
            if records[at].side == side:
                if records[at].length <= short:
                    transcript.retell(list(events), [*records[:at], *records[at + 1 :]])
                return False
        return False

    def closed(self, side: i64, reset: bool, place: i64, time: i64, delivered: bool = False) -> None:
        """Say that ``side`` closed the connection, or reset it.

        ``delivered`` says that the other side's program read all that came before: the reset destroyed nothing.
        """
        self._touch(place, time)
        ending = self._flow.ending
        if ending is None:
            ending = Ending(RST if reset else FIN, side, place, time)
            self._flow.ending = ending
        if reset and not delivered and ending.rst_side < 0:
            ending.rst_side = side
            ending.rst_frame = place
            ending.rst_time = time

    def note(self, says: str) -> None:
        """Keep one remark about it."""
        self._transcript.note(says)

    def finish(self) -> Flow:
        """Return what was said as a flow that has ended. Nothing can be added afterwards."""
        flow = self._flow
        for reader in self._readers:
            reader.finish(flow.last_frame, flow.end)
        flow.done = True
        return flow

    def _touch(self, place: i64, time: i64) -> None:
        if place > self._flow.last_frame:
            self._flow.last_frame = place
        if time > self._flow.end:
            self._flow.end = time


def _key(near: bytes, far: bytes) -> bytes:
    """Return two ends as the key of a flow: addresses first, then ports."""
    size = len(near) - 2
    return near[:size] + far[:size] + near[size:] + far[size:]
