"""ext2, ext3 and ext4 (Documentation/filesystems/ext4 of Linux): extents and block maps, inline data, 64 bits.

The reader is our own: a tree of extents that a stranger wrote may run in a circle, a size may be absurd.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Budget, Data, RefusedError
from tlsalert.pki.firmware.parts import (
    BROKEN,
    DEEPEST,
    FOLDER,
    KIND,
    REGULAR,
    Broken,
    Content,
    File,
    Part,
    View,
    name_of,
)

MAGIC: Final = 0xEF53
#: Where the superblock lies, and how large it is.
SUPERBLOCK: Final = 1024
ROOT: Final = 2
#: Features without which a reader goes wrong: extents, 64-bit numbers of blocks, encrypted files.
HAS_EXTENTS, WIDE = 0x40, 0x80
#: Flags of an inode: encrypted, a map of extents, its bytes in the inode itself.
ENCRYPTED, EXTENTS, INLINE = 0x800, 0x80000, 0x10000000
EXTENT_MAGIC: Final = 0xF30A
#: Longer extents were reserved but never written.
LONGEST_EXTENT: Final = 0x8000
EXTENT_LEVELS: Final = 5
XATTR_MAGIC: Final = 0xEA020000
#: The name space and name of the attribute that inline data goes on in.
SYSTEM, INLINE_NAME = 7, b"data"
FOLDER_BYTES: Final = 16 << 20


def part_at(data: Data, at: int, budget: Budget) -> Part | None:
    """Return the file system that begins here, 1024 bytes before its superblock."""
    view = View(data, at, 2 * SUPERBLOCK, "little")
    if view.present < 2 * SUPERBLOCK or view.number(SUPERBLOCK + 56, 2) != MAGIC:
        return None
    word = {name: view.number(SUPERBLOCK + offset) for name, offset in _FIELDS.items()}
    revision, inode_size, group_size = word["revision"], 128, 32
    if revision > 1 or word["log_block"] > 6 or not (word["inodes"] and word["group_inodes"] and word["group_blocks"]):
        return None
    if view.number(SUPERBLOCK + 90, 2):  # s_block_group_nr: a copy of the superblock, not the first one
        return None
    if revision:
        inode_size = view.number(SUPERBLOCK + 88, 2)
    if word["incompatible"] & WIDE:
        group_size = max(view.number(SUPERBLOCK + 254, 2), 32)
    if inode_size < 128 or inode_size.bit_count() != 1 or inode_size > 1024 << word["log_block"]:
        return None
    block = 1024 << word["log_block"]
    whole = View(data, at, word["blocks"] * block, "little")
    if whole.size < 4 * SUPERBLOCK:
        return None
    layout = _Layout(block, word["inodes"], word["group_inodes"], inode_size, group_size, word["first"] + 1)
    kind = "ext4" if word["incompatible"] & HAS_EXTENTS else "ext3" if word["compatible"] & 4 else "ext2"
    return Part(kind, at, whole.stop, _Reader(whole, layout, budget).contents())


_FIELDS: Final = {
    "inodes": 0,
    "blocks": 4,
    "first": 20,
    "log_block": 24,
    "group_blocks": 32,
    "group_inodes": 40,
    "revision": 76,
    "compatible": 92,
    "incompatible": 96,
}


@dataclass(frozen=True, slots=True)
class _Layout:
    """Sizes in bytes; ``groups`` is the block at which the table of groups begins."""

    block: int
    inodes: int
    group_inodes: int
    inode: int
    group: int
    groups: int


@dataclass(frozen=True, slots=True)
class _Inode:
    mode: int
    size: int
    flags: int
    map: bytes
    #: The bytes of the inode behind its first 128.
    extra: bytes


class _Reader:
    def __init__(self, view: View, layout: _Layout, budget: Budget) -> None:
        self._view, self._layout, self._budget = view, layout, budget
        self._seen: set[int] = set()

    def contents(self) -> Iterator[Content]:
        yield from self._view.cut()
        yield from self._entry("", ROOT, 0)

    def _inode(self, number: int) -> _Inode:
        layout = self._layout
        if not 1 <= number <= layout.inodes:
            raise DecodeError(f"there is no inode {number}")
        group, place = divmod(number - 1, layout.group_inodes)
        at = layout.groups * layout.block + group * layout.group
        table = self._view.number(at + 8)
        if layout.group >= 64:
            table |= self._view.number(at + 40) << 32
        raw = self._view.take(table * layout.block + place * layout.inode, layout.inode)
        mode, low, flags = struct.unpack_from("<H2xI24xI", raw)
        size = low | int.from_bytes(raw[108:112], "little") << 32
        return _Inode(mode, size, flags, raw[40:100], raw[128:])

    def _entry(self, path: str, number: int, depth: int) -> Iterator[Content]:
        """Go through a file or a folder."""
        try:
            inode = self._inode(number)
            if inode.mode & KIND == FOLDER:
                yield from self._folder(path, number, inode, depth)
            elif inode.mode & KIND == REGULAR and inode.size:
                yield from self._file(path, inode)
        except RefusedError as refused:
            if self._budget.spent:
                raise
            yield Broken(path, refused.what)
        except BROKEN as error:
            yield Broken(path or "/", f"it can't be read: {error}")

    def _folder(self, path: str, number: int, inode: _Inode, depth: int) -> Iterator[Content]:
        if depth > DEEPEST or number in self._seen:
            yield Broken(path, "a folder that lies in itself: not read again")
            return
        self._seen.add(number)
        size = min(inode.size, FOLDER_BYTES)
        if inode.flags & INLINE:
            raw = self._inline(inode)[4:]  # the parent's number comes first
        else:
            raw, troubles = self._bytes(inode, size)
            for trouble in troubles:
                yield Broken(path or "/", trouble)
        at = 0
        while at + 8 <= len(raw):
            child, length, name_size = struct.unpack_from("<IHB", raw, at)
            if length < 8:
                at = (at // self._layout.block + 1) * self._layout.block  # an index's block, or a broken one
                continue
            name = raw[at + 8 : at + 8 + name_size]
            at += length
            if child and name not in (b".", b"..", b""):
                self._budget.admit(path, None, 0)
                yield from self._entry(f"{path}/{name_of(name)}", child, depth + 1)

    def _file(self, path: str, inode: _Inode) -> Iterator[Content]:
        if inode.flags & ENCRYPTED:
            yield Broken(path, "it is encrypted (fscrypt): not read")
            return
        self._budget.admit(path, self._view.present, inode.size)
        if inode.flags & INLINE:
            yield File(path, self._inline(inode)[: inode.size], inode.mode)
            return
        plain, troubles = self._bytes(inode, inode.size)
        for trouble in troubles:
            yield Broken(path, trouble)
        yield File(path, plain, inode.mode)

    def _bytes(self, inode: _Inode, size: int) -> tuple[bytes, list[str]]:
        """Return what the map of an inode leads to, and what of it is missing, which counts as zeros."""
        block, plain, troubles = self._layout.block, bytearray(size), list[str]()
        runs = self._extents(inode.map, 0) if inode.flags & EXTENTS else self._mapped(inode.map, -(-size // block))
        try:
            for begin, count, start in runs:
                at = begin * block
                if at >= size:
                    continue
                wanted = min(count * block, size - at)
                there = min(wanted, max(self._view.present - start * block, 0))
                plain[at : at + there] = self._view.take(start * block, there) if there else b""
                if there < wanted and len(troubles) < 4:
                    troubles.append(f"{wanted - there} bytes from {at + there:#x} on lie behind the image's end")
        except BROKEN as error:
            troubles.append(f"its map of blocks is broken: {error}")
        return bytes(plain), troubles

    def _extents(self, node: bytes, level: int) -> Iterator[tuple[int, int, int]]:
        """Yield (first block of the file, how many, where) of a tree of extents."""
        magic, entries, _, depth = struct.unpack_from("<4H", node)
        if magic != EXTENT_MAGIC or level > EXTENT_LEVELS or 12 + entries * 12 > len(node):
            raise DecodeError("a node of extents makes no sense")
        for i in range(entries):
            entry = node[12 + i * 12 : 24 + i * 12]
            if depth:
                first, low, high = struct.unpack("<IIH2x", entry)
                child = self._view.take((high << 32 | low) * self._layout.block, self._layout.block)
                self._budget.admit("", None, 0)
                yield from self._extents(child, level + 1)
            else:
                first, count, high, low = struct.unpack("<IHHI", entry)
                if count <= LONGEST_EXTENT:
                    yield first, count, high << 32 | low

    def _mapped(self, table: bytes, blocks: int) -> Iterator[tuple[int, int, int]]:
        """Yield the same of a map as ext2 has it: twelve blocks, then one to three levels of tables of blocks."""
        pointers = struct.unpack("<15I", table)
        for i, pointer in enumerate(pointers[:12]):
            if pointer:
                yield i, 1, pointer
        first, each = 12, self._layout.block // 4
        for level in (1, 2, 3):
            if first < blocks:
                yield from self._table(pointers[11 + level], level, first, blocks)
            first += each**level

    def _table(self, pointer: int, level: int, first: int, blocks: int) -> Iterator[tuple[int, int, int]]:
        if not pointer:
            return
        raw, each = self._view.take(pointer * self._layout.block, self._layout.block), self._layout.block // 4
        self._budget.admit("", None, 0)
        for i, inner in enumerate(struct.unpack(f"<{each}I", raw)):
            begin = first + i * each ** (level - 1)
            if begin >= blocks:
                return
            if inner and level == 1:
                yield begin, 1, inner
            elif inner:
                yield from self._table(inner, level - 1, begin, blocks)

    def _inline(self, inode: _Inode) -> bytes:
        """Return the bytes that lie in an inode: 60 where the map would be, the rest as an attribute behind it."""
        extra = inode.extra
        if len(extra) < 8:
            return inode.map
        begin = int.from_bytes(extra[:2], "little")
        attributes = extra[begin:]
        if attributes[:4] != XATTR_MAGIC.to_bytes(4, "little"):
            return inode.map
        at = 4
        while at + 16 <= len(attributes) and any(attributes[at : at + 4]):
            name_size, space, offset, _, size = struct.unpack_from("<BBHII", attributes, at)
            if space == SYSTEM and attributes[at + 16 : at + 16 + name_size] == INLINE_NAME:
                return inode.map + attributes[4 + offset : 4 + offset + size]
            at += 16 + (name_size + 3 & ~3)
        return inode.map
