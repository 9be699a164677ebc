"""A connection whose bytes come in order and without packets: out of an strace log, a debug dump, a replay.

Places are numbers of lines from 1 (or whatever else counts up in the evidence) and stand where frames stand for
captures; times are nanoseconds since 1970 (UTC). What a :class:`Conversation` was told becomes a
:class:`~tlsalert.wire.flow.Flow` like one from a capture, so that everything behind it is the same.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from tlsalert.wire.flow import FIN, RST, Ending, Flow
from tlsalert.wire.flowmap import ends
from tlsalert.wire.records import RecordStream
from tlsalert.wire.transcript import Keeping, Kept, Transcript

#: What stands where an address and port are not known: 0.0.0.0 and port 0.
NOWHERE: Final = bytes(6)


@final
class Conversation:
    """One connection in the making. Side 0 is the end ``near``, side 1 the other one, ``far``.

    ``near`` and ``far`` are an address (4 or 16 bytes) and a port (2 bytes), both of the same length. ``opener`` is
    the side that connected, or -1 where that is not known. With ``keeping`` on, protected records are kept to be
    opened with secrets.
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
