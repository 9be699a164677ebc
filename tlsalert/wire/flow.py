"""What is known of one TCP connection, and the arithmetic of its sequence numbers (RFC 9293 §3.4).

A million connections may be open at one time, so each takes as little as it can: what only few of them need
(how one ended, what waits, what was lost) is made when it is needed. Nothing here points back at what holds it, so
that the garbage collector need not know these objects: that saves 16 bytes of each, and its walks.
"""

from __future__ import annotations

from typing import Final, final

from librt.strings import BytesWriter, read_i16_be, read_i32_be, read_i64_be, write_i32_be
from mypy_extensions import i16, i32, i64, mypyc_attr

from tlsalert.wire.records import RecordStream
from tlsalert.wire.transcript import Transcript

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10


@final
@mypyc_attr(acyclic=True)
class Segment:
    """Bytes that came before the ones they follow. ``size`` counts those the capture cut off, too."""

    def __init__(self, seq: i64, data: bytes, size: i64, frame: i64, time: i64) -> None:
        self.seq = seq
        self.data = data
        self.size = size
        self.frame = frame
        self.time = time


@final
@mypyc_attr(acyclic=True)
class Waiting:
    """The segments of one direction that wait for missing bytes, in the order of their sequence numbers.

    ``passed`` counts the packets since the other side acknowledged what is missing.
    """

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.bytes: i64 = 0
        self.passed: i64 = 0


@final
@mypyc_attr(acyclic=True)
class Half:
    """One direction of a flow: where its stream stands.

    ``isn`` is the SYN's number and ``next`` the next byte's, or -1 where they are not known. The beginning of the last
    segment that was read is kept (``seen_size`` bytes, at most eight, from number ``seen_at``): it shows whether a
    later copy of it says something else.
    """

    def __init__(self) -> None:
        self.isn: i64 = -1
        self.next: i64 = -1
        self.seen_at: i64 = 0
        self.seen: i64 = 0
        self.reader: RecordStream | None = None
        self.waiting: Waiting | None = None
        self.seen_size: i16 = 0
        self.fin = False


@final
@mypyc_attr(acyclic=True)
class Ending:
    """The first FIN or RST (``how``), and the first RST: side, frame and time.

    ``closed_at`` is when both sides had closed it or one had reset it, or when one last spoke after that; else -1.
    """

    def __init__(self, how: i64, side: i64, frame: i64, time: i64) -> None:
        self.how = how
        self.side = side
        self.frame = frame
        self.time = time
        self.rst_side: i64 = -1
        self.rst_frame: i64 = 0
        self.rst_time: i64 = 0
        self.closed_at: i64 = -1


@final
@mypyc_attr(acyclic=True)
class Losses:
    """What is odd about a flow's packets: how many were cut, and bytes that never came, told at ``frame``.

    ``stray`` is the frame of a reset that no host can have heeded.
    """

    def __init__(self) -> None:
        self.cut: i64 = 0
        self.missing: i64 = 0
        self.frame: i64 = 0
        self.stray: i64 = 0


@final
@mypyc_attr(acyclic=True)
class Flow:
    """One TCP connection. Its ends are numbers: see :func:`tlsalert.wire.flowmap.ends`.

    Side 0 (``a``) is the one that sent the first packet, from ``near``. ``opener`` is the side that sent the SYN,
    or -1.
    """

    def __init__(self, near: i64, far: i64, long_key: bytes | None, number: i64, frame: i64, time: i64) -> None:
        self.near = near
        self.far = far
        self.long_key = long_key
        self.following: Flow | None = None
        self.number = number
        self.frame = frame
        self.start = time
        self.end = time
        self.last_frame = frame
        self.a: Half | None = None
        self.b: Half | None = None
        self.transcript: Transcript | None = None
        self.ending: Ending | None = None
        self.losses: Losses | None = None
        self.opener: i16 = -1
        self.done = False
        self.tls = False

    @property
    def key(self) -> bytes:
        """Addresses and ports as on the wire, as the first packet had them."""
        if self.long_key is not None:
            return self.long_key
        writer = BytesWriter()
        write_i32_be(writer, signed(self.near >> 16))
        write_i32_be(writer, signed(self.far >> 16))
        write_i32_be(writer, signed((self.near & 0xFFFF) << 16 | self.far & 0xFFFF))
        return writer.getvalue()

    def begin(self, side: i64) -> Half:
        """Make the direction from ``side``, of which nothing was seen so far."""
        half = Half()
        if side == 0:
            self.a = half
        else:
            self.b = half
        return half

    def loss(self) -> Losses:
        """Return the account of what is missing, begun if need be."""
        losses = self.losses
        if losses is None:
            losses = Losses()
            self.losses = losses
        return losses

    @property
    def how(self) -> int:
        """0 while it is open, else FIN or RST, whichever came first."""
        return 0 if self.ending is None else int(self.ending.how)

    @property
    def close_side(self) -> int:
        """Who closed it first, or -1."""
        return -1 if self.ending is None else int(self.ending.side)

    @property
    def close_frame(self) -> int:
        """The frame of the first FIN or RST, or 0."""
        return 0 if self.ending is None else int(self.ending.frame)

    @property
    def close_time(self) -> int:
        """The time of the first FIN or RST, or 0."""
        return 0 if self.ending is None else int(self.ending.time)

    @property
    def rst_side(self) -> int:
        """Who sent the first RST, or -1."""
        return -1 if self.ending is None else int(self.ending.rst_side)

    @property
    def rst_frame(self) -> int:
        """The frame of the first RST, or 0."""
        return 0 if self.ending is None else int(self.ending.rst_frame)

    @property
    def rst_time(self) -> int:
        """The time of the first RST, or 0."""
        return 0 if self.ending is None else int(self.ending.rst_time)

    @property
    def cut(self) -> int:
        """How many packets the snap length cut."""
        return 0 if self.losses is None else int(self.losses.cut)

    @property
    def missing(self) -> int:
        """How many bytes were stepped over."""
        return 0 if self.losses is None else int(self.losses.missing)

    @property
    def missing_frame(self) -> int:
        """The first frame after bytes that were stepped over, or 0."""
        return 0 if self.losses is None else int(self.losses.frame)


def signed(value: i64) -> i32:
    """Return 32 bits as the signed number that they are, too."""
    return i32(value - ((value & 0x80000000) << 1))


def head(segment: Segment, size: i64) -> Segment:
    """Return a segment's first ``size`` bytes."""
    return Segment(segment.seq, segment.data[:size], size, segment.frame, segment.time)


def tail(segment: Segment, skip: i64) -> Segment:
    """Return a segment without its first ``skip`` bytes, of size 0 where nothing is left."""
    if skip <= 0:
        return segment
    left = segment.size - skip
    seq = (segment.seq + skip) & 0xFFFFFFFF
    return Segment(seq, segment.data[skip:], left if left > 0 else 0, segment.frame, segment.time)


def differ(known: Segment, fresh: Segment) -> bool:
    """Whether two segments say different things in the same place, as far as both were captured."""
    ahead = distance(fresh.seq, known.seq)
    from_known = max(ahead, 0)
    from_fresh = max(-ahead, 0)
    size = min(i64(len(known.data)) - from_known, i64(len(fresh.data)) - from_fresh)
    if size <= 0:
        return False
    return known.data[from_known : from_known + size] != fresh.data[from_fresh : from_fresh + size]


def beginning(data: bytes, start: i64, end: i64) -> i64:
    """Return the first eight bytes of ``data[start:end]`` as a signed number; zeros stand for missing ones."""
    if end - start >= 8:
        return read_i64_be(data, start)
    value: i64 = 0
    for at in range(start, start + 8):
        if at == start:
            first: i64 = data[at] if at < end else 0
            value = first - 256 if first >= 128 else first
        else:
            value = value * 256 + (i64(data[at]) if at < end else 0)
    return value


def distance(seq: i64, base: i64) -> i64:
    """Return how far ``seq`` is ahead of ``base``; sequence numbers wrap at 2^32 (RFC 9293 §3.4)."""
    return ((seq - base + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def u32(data: bytes, at: i64) -> i64:
    """Return four bytes at ``at`` as a number."""
    return i64(read_i32_be(data, at)) & 0xFFFFFFFF


def u16(data: bytes, at: i64) -> i64:
    """Return two bytes at ``at`` as a number."""
    return i64(read_i16_be(data, at)) & 0xFFFF
