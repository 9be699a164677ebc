"""JFFS2 of both byte orders (include/uapi/linux/jffs2.h and fs/jffs2 of Linux): a log of nodes, each with its CRCs.

The nodes of a whole partition are read first; of each name and each file the newest versions then count.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Budget, Data, RefusedError
from tlsalert.pki.firmware.parts import BROKEN, Broken, Content, File, Order, Part, View, tree
from tlsalert.pki.firmware.unpack import inflate, unlzo, unrtime

MAGIC: Final = 0x1985
#: Kinds of nodes, without the bit that says that a node still counts, and that bit.
DIRENT, INODE, CLEAN, PADDING, SUMMARY, XATTR, XREF = 0xC001, 0xC002, 0x0003, 0x0004, 0x0006, 0xC008, 0xC009
ACCURATE: Final = 0x2000
KINDS: Final = frozenset({DIRENT, INODE, CLEAN, PADDING, SUMMARY, XATTR, XREF})
HEADER, DIRENT_HEADER, INODE_HEADER = 12, 40, 68
#: The inode's number of the root folder.
ROOT: Final = 1
#: A folder's entry of this kind is a folder, of that one a file.
IS_FOLDER, IS_FILE = 4, 8
#: Between two nodes of one partition lies at most so much: erased blocks without a marker, or one that was broken.
GAP: Final = 1 << 20
#: The most plain bytes of one node: the kernel writes one page (up to 64 KiB) at a time.
NODE_BYTES: Final = 1 << 17
NOT_READ: Final = {3: "rubinmips", 4: "copy", 5: "dynrubin", 8: "lzma"}

_STARTS: Final[dict[Order, re.Pattern[bytes]]] = {
    "little": re.compile(rb"\x85\x19(?:[\x01\x02\x08\x09]\xe0|[\x03\x04\x06]\x20)", re.DOTALL),
    "big": re.compile(rb"\x19\x85(?:\xe0[\x01\x02\x08\x09]|\x20[\x03\x04\x06])", re.DOTALL),
}


def part_at(data: Data, at: int, budget: Budget) -> Part | None:
    """Return the partition whose first node lies here."""
    order: Order = "little" if data[at : at + 2] == b"\x85\x19" else "big"
    view = View(data, at, len(data) - at, order)
    first = _node(view, 0)
    if first is None:
        return None
    reader = _Reader(view, budget)
    stop = reader.scan()
    return Part("jffs2", at, at + stop, reader.contents()) if reader.names or reader.pieces else None


def _crc(raw: bytes) -> int:
    """Return the CRC-32 as JFFS2 takes it: from 0, and not inverted."""
    return zlib.crc32(raw, 0xFFFFFFFF) ^ 0xFFFFFFFF


def _node(view: View, at: int) -> tuple[int, int] | None:
    """Return kind and size of the node here; None where there is none."""
    if at + HEADER > view.present:
        return None
    head = view.take(at, HEADER)
    kind, size, crc = (int.from_bytes(head[a:b], view.order) for a, b in ((2, 4), (4, 8), (8, 12)))
    if int.from_bytes(head[:2], view.order) != MAGIC or size < HEADER:
        return None
    if _crc(head[:8]) != crc:
        # Clearing the bit makes a node obsolete in place; its CRC was taken with it.
        whole = (kind | ACCURATE).to_bytes(2, view.order)
        if _crc(head[:2] + whole + head[4:8]) != crc:
            return None
        return 0, size
    return (kind & ~ACCURATE if kind & ~ACCURATE in KINDS else 0), size


@dataclass(slots=True)
class _Piece:
    """A node with bytes of a file."""

    version: int
    at: int
    size: int


@dataclass(slots=True)
class _Reader:
    view: View
    budget: Budget
    #: (folder, name): version, inode, kind of the newest entry.
    names: dict[tuple[int, bytes], tuple[int, int, int]] = field(default_factory=dict)
    pieces: dict[int, list[_Piece]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    #: What tells two partitions apart that follow each other: the same version of the same thing with other bytes.
    known: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def scan(self, limit: int | None = None) -> int:
        """Read all nodes' headers, those before ``limit``; return where the last one ends."""
        view, at, stop, gap = self.view, 0, 0, 0
        while limit is None or at < limit:
            node = _node(view, at)
            if node is None:
                found = self._next(at, stop + GAP)
                if found is None:
                    return stop
                gap, at = stop, found
                continue
            kind, size = node
            if at + size > view.present:
                self.troubles.append(f"it is cut: the image ends inside the node at {view.start + at:#x}")
                return view.present
            if not self._take(kind, at, size):
                if not gap or at - gap > 2 * GAP:
                    return stop
                # The other partition began behind the last gap, with nodes that could have been of this one.
                self.names, self.pieces, self.known, self.troubles = {}, {}, {}, []
                return self.scan(gap)
            stop = at + size
            at = (stop + 3) & ~3
        return stop

    def _next(self, at: int, limit: int) -> int | None:
        """Return where the next node may begin, before ``limit``."""
        view = self.view
        starts = _STARTS[view.order].finditer(view.data, view.start + at, min(view.start + limit, len(view.data)))
        for start in starts:
            place = start.start() - view.start
            if place % 4 == 0 and place > at and _node(view, place) is not None:
                return place
        return None

    def _take(self, kind: int, at: int, size: int) -> bool:
        """Keep what a node says; False where it is another partition's."""
        view, order = self.view, self.view.order
        if kind == DIRENT and size >= DIRENT_HEADER:
            head = view.take(at, DIRENT_HEADER)
            folder, version, inode = (int.from_bytes(head[i : i + 4], order) for i in (12, 16, 20))
            if _crc(head[:32]) != int.from_bytes(head[32:36], order):
                self.troubles.append(f"the CRC of the folder's entry at {view.start + at:#x} is wrong")
                return True
            name = view.take(at + DIRENT_HEADER, min(head[28], size - DIRENT_HEADER))
            if _crc(name) != int.from_bytes(head[36:40], order):
                self.troubles.append(f"the CRC of the name at {view.start + at + DIRENT_HEADER:#x} is wrong")
                return True
            if not self._same(DIRENT, folder, version, head + name):
                return False
            self.budget.admit("", None, 0)
            newest = self.names.get((folder, name))
            if newest is None or newest[0] < version:
                self.names[folder, name] = version, inode, head[29]
        elif kind == INODE and size >= INODE_HEADER:
            head = view.take(at, INODE_HEADER)
            if _crc(head[:60]) != int.from_bytes(head[64:68], order):
                self.troubles.append(f"the CRC of the inode at {view.start + at:#x} is wrong")
                return True
            inode, version = (int.from_bytes(head[i : i + 4], order) for i in (12, 16))
            if not self._same(INODE, inode, version, head):
                return False
            self.budget.admit("", None, 0)
            self.pieces.setdefault(inode, []).append(_Piece(version, at, size))
        return True

    def _same(self, kind: int, number: int, version: int, said: bytes) -> bool:
        """A node that was copied is the same byte for byte; other bytes are of another partition."""
        return self.known.setdefault((kind, number, version), crc := zlib.crc32(said)) == crc

    def contents(self) -> Iterator[Content]:
        for trouble in self.troubles:
            yield Broken("", trouble)
        yield from tree(self.names, (ROOT, IS_FOLDER, IS_FILE), self._file)

    def _file(self, path: str, inode: int) -> Iterator[Content]:
        """Put a file together, version by version, as fs/jffs2/readinode.c does."""
        pieces = sorted(self.pieces.get(inode, ()), key=lambda piece: piece.version)
        plain, mode = bytearray(), None
        try:
            heads = [self.view.take(piece.at, INODE_HEADER) for piece in pieces]
            claimed = max([self._field(head, 44) + min(self._field(head, 52), NODE_BYTES) for head in heads], default=0)
            self.budget.admit(path, sum(piece.size for piece in pieces), claimed)
        except RefusedError as refused:
            if self.budget.spent:
                raise
            yield Broken(path, refused.what)
            return
        for piece, head in zip(pieces, heads, strict=True):
            mode, size, begin = (self._field(head, at) for at in (20, 28, 44))
            try:
                block = self._block(piece, head)
            except BROKEN as error:
                yield Broken(path, f"the node at {self.view.start + piece.at:#x} can't be read: {error}")
                block = b""
            plain.extend(bytes(max(begin + len(block) - len(plain), 0)))
            plain[begin : begin + len(block)] = block
            del plain[size:]
        if plain:
            yield File(path, bytes(plain), mode)

    def _field(self, head: bytes, at: int) -> int:
        return int.from_bytes(head[at : at + 4], self.view.order)

    def _block(self, piece: _Piece, head: bytes) -> bytes:
        """Return the plain bytes of a node."""
        packed_size, plain_size, crc = (self._field(head, at) for at in (48, 52, 60))
        if not plain_size:
            return b""
        if plain_size > NODE_BYTES:
            raise DecodeError(f"{plain_size} bytes in one node")
        packed = self.view.take(piece.at + INODE_HEADER, min(packed_size, piece.size - INODE_HEADER))
        if _crc(packed) != crc:
            raise DecodeError("its CRC is wrong")
        match head[56]:
            case 0:
                return packed[:plain_size]
            case 1:
                return bytes(plain_size)
            case 2:
                return unrtime(packed, plain_size)
            case 6:
                return inflate(packed, plain_size)
            case 7:
                return unlzo(packed, plain_size)
            case other:
                raise DecodeError(f"its compression, {NOT_READ.get(other, other)}, is not known here")
