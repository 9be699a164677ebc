"""Fragments of datagrams, RFC 791 §3.2 and RFC 8200 §4.5, put together: the first copy of a byte wins.

What waits is bounded in number, bytes and age; what is given up or stays incomplete is counted.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

#: Datagrams, and bytes with what it costs to keep them, that may wait for the rest at one time.
MAX_DATAGRAMS: Final = 4096
MAX_BYTES: Final = 16 << 20
#: Pieces of one datagram: 65,535 bytes in fragments for the smallest link that IPv4 allows (68 bytes) are fewer.
MAX_PIECES: Final = 1536
#: Nanoseconds of the capture's clock that a datagram may take to arrive (RFC 8200 §4.5).
MAX_AGE: Final = 60_000_000_000
#: About what a piece or a datagram takes beside its bytes.
OVERHEAD: Final = 160


@final
class Piece:
    """Bytes at their place. ``size`` counts those that the capture cut off, too."""

    def __init__(self, offset: i64, data: bytes, size: i64) -> None:
        self.offset = offset
        self.data = data
        self.size = size


@final
class Datagram:
    """A datagram of which a part is known; ``total`` is its size, or -1 as long as its last fragment is missing."""

    def __init__(self, time: i64) -> None:
        self.time = time
        self.head = b""
        self.pieces: list[Piece] = []
        self.total: i64 = -1
        self.size: i64 = 0
        self.cost: i64 = OVERHEAD
        self.frames: list[int] = []  # those it came in, where somebody wants to know

    def payload(self) -> bytes:
        """Return the bytes up to the first one that the capture cut off."""
        known: list[bytes] = []
        place: i64 = 0
        for piece in self.pieces:
            if piece.offset != place:
                break
            known.append(piece.data)
            place += len(piece.data)
        return b"".join(known)[: max(self.total, 0)]


@final
class Fragments:
    """Datagrams that wait for their missing fragments."""

    def __init__(self) -> None:
        self.waiting: dict[bytes, Datagram] = {}
        self.cost: i64 = 0
        self.given_up: i64 = 0  # datagrams that were too old
        self.crowded: i64 = 0  # datagrams for which there was no room
        self.conflicts: i64 = 0  # fragments that say something else about bytes that were known
        self.impossible: i64 = 0  # fragments that reach beyond what a datagram can hold
        self.frame: i64 = 0  # the frame of the next fragment, where frames are to be remembered

    @property
    def incomplete(self) -> int:
        """How many datagrams have not become whole, those that still wait included."""
        return int(self.given_up) + len(self.waiting)

    def add(
        self, key: bytes, head: bytes, offset: i64, more: bool, data: bytes, start: i64, end: i64, size: i64, time: i64
    ) -> Datagram | None:
        """Take a fragment of ``size`` bytes at ``data[start:end]``; ``end`` comes early where the capture cut it.

        ``key`` tells datagrams apart, ``head`` is what the fragment with offset 0 says of them. Returns the datagram
        when this made it whole.
        """
        if offset + size > 0xFFFF or size <= 0:
            self.impossible += 1
            return None
        self._expire(time)
        datagram = self.waiting.get(key)
        if datagram is None:
            datagram = Datagram(time)
            self.waiting[key] = datagram
            self.cost += OVERHEAD
        if self.frame > 0 and len(datagram.frames) < MAX_PIECES:
            datagram.frames.append(int(self.frame))
        if offset == 0 and len(datagram.head) == 0:
            datagram.head = head
        if not more and datagram.total < 0:
            datagram.total = offset + size
        before = datagram.cost
        self._insert(datagram, Piece(offset, data[start : max(start, min(end, start + size))], size))
        self.cost += datagram.cost - before
        if datagram.total >= 0 and datagram.size >= datagram.total and len(datagram.head) > 0:
            self._forget(key, datagram)
            return datagram
        if len(datagram.pieces) > MAX_PIECES:
            self._forget(key, datagram)
            self.crowded += 1
        while self.cost > MAX_BYTES or len(self.waiting) > MAX_DATAGRAMS:
            oldest = next(iter(self.waiting))
            self._forget(oldest, self.waiting[oldest])
            self.crowded += 1
        return None

    def _insert(self, datagram: Datagram, rest: Piece) -> None:
        """Put a piece in its place, less what is known already."""
        pieces = datagram.pieces
        place = len(pieces)
        while place > 0 and pieces[place - 1].offset > rest.offset:
            place -= 1
        clash = False
        if place > 0:
            known = pieces[place - 1]
            if known.offset + known.size > rest.offset:
                clash = differ(known, rest)
                rest = tail(rest, known.offset + known.size - rest.offset)
        while place < len(pieces) and rest.size > 0 and pieces[place].offset < rest.offset + rest.size:
            known = pieces[place]
            clash = clash or differ(known, rest)
            ahead = known.offset - rest.offset
            if ahead > 0:
                self._put(datagram, place, Piece(rest.offset, rest.data[:ahead], ahead))
                place += 1
            rest = tail(rest, ahead + known.size)
            place += 1
        if rest.size > 0:
            self._put(datagram, place, rest)
        if clash:
            self.conflicts += 1

    def _put(self, datagram: Datagram, place: i64, piece: Piece) -> None:
        datagram.pieces.insert(place, piece)
        datagram.size += piece.size
        datagram.cost += len(piece.data) + OVERHEAD

    def _expire(self, time: i64) -> None:
        """Give up the datagrams that have waited too long, or since a time that the capture's clock has left."""
        while len(self.waiting) > 0:
            oldest = next(iter(self.waiting))
            datagram = self.waiting[oldest]
            age = time - datagram.time
            if -MAX_AGE <= age <= MAX_AGE:
                return
            self._forget(oldest, datagram)
            self.given_up += 1

    def _forget(self, key: bytes, datagram: Datagram) -> None:
        self.waiting.pop(key, None)
        self.cost -= datagram.cost


def tail(piece: Piece, skip: i64) -> Piece:
    """Return a piece without its first ``skip`` bytes, of size 0 where nothing is left."""
    left = piece.size - skip
    return Piece(piece.offset + skip, piece.data[skip:], left if left > 0 else 0)


def differ(known: Piece, piece: Piece) -> bool:
    """Whether two pieces say something different about bytes that both have."""
    start = max(known.offset, piece.offset)
    stop = min(known.offset + i64(len(known.data)), piece.offset + i64(len(piece.data)))
    if start >= stop:
        return False
    ours = known.data[start - known.offset : stop - known.offset]
    return ours != piece.data[start - piece.offset : stop - piece.offset]
