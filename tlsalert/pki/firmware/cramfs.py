"""CramFS of both byte orders (include/uapi/linux/cramfs_fs.h and fs/cramfs/inode.c of Linux), its CRC checked.

Big-endian images have their bit fields from the other end, too: a word's first field is in its highest bits.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Budget, Data
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
from tlsalert.pki.firmware.unpack import inflate

MAGIC: Final = 0x28CD3D45
SIGNATURE: Final = b"Compressed ROMFS"
HEADER: Final = 76
BLOCK: Final = 4096
#: Flags of a superblock: its CRC is there; the root does not follow it; block pointers have flags of their own.
VERSION_2, SHIFTED_ROOT, BLOCK_FLAGS = 0x1, 0x400, 0x800
#: Flags of a block pointer.
PLAIN, DIRECT = 1 << 31, 1 << 30
#: Where the superblock lies when boot code comes first.
BOOT_CODE: Final = 512


def part_at(data: Data, at: int, budget: Budget) -> Part | None:
    """Return the file system whose superblock lies here."""
    order = struct.unpack_from("<I", data[at : at + 4])[0] == MAGIC
    header = View(data, at, HEADER, "little" if order else "big")
    if header.present < HEADER or header.number(0) != MAGIC or header.take(16, 16) != SIGNATURE:
        return None
    flags, root = header.number(8), _inode(header, 64)
    shift = BOOT_CODE if flags & SHIFTED_ROOT and root.offset == BOOT_CODE + HEADER and at >= BOOT_CODE else 0
    size = header.number(4) if flags & VERSION_2 else len(data) - at
    if size < HEADER or not _is_folder(root.mode):
        return None
    view = View(data, at - shift, size, header.order)
    return Part("cramfs", at - shift, view.stop, _Reader(view, shift, flags, budget).contents(root))


@dataclass(frozen=True, slots=True)
class _Inode:
    mode: int
    size: int
    name_size: int
    offset: int


def _inode(view: View, at: int) -> _Inode:
    """Read the twelve bytes of an inode: three words of bit fields."""
    first, second, third = (view.number(at + 4 * i) for i in range(3))
    if view.order == "little":
        return _Inode(first & 0xFFFF, second & 0xFFFFFF, (third & 0x3F) * 4, (third >> 6) * 4)
    return _Inode(first >> 16, second >> 8, (third >> 26) * 4, (third & 0x3FFFFFF) * 4)


def _is_folder(mode: int) -> bool:
    return mode & KIND == FOLDER


class _Reader:
    """One file system, gone through once."""

    def __init__(self, view: View, shift: int, flags: int, budget: Budget) -> None:
        self._view, self._shift, self._flags, self._budget = view, shift, flags, budget
        self._seen: set[int] = set()

    def contents(self, root: _Inode) -> Iterator[Content]:
        cut = list(self._view.cut())
        yield from cut
        if not cut and self._flags & VERSION_2 and (says := self._sum()):
            yield Broken("", says)
        yield from self._folder("", root, 0)

    def _sum(self) -> str:
        """Compare the CRC-32 over the whole image, in which its own four bytes count as zero."""
        view, at = self._view, self._shift + 32
        stated = view.number(at)
        crc, begin = zlib.crc32(bytes(4), zlib.crc32(view.take(0, at))), at + 4
        while begin < view.present:
            piece = view.take(begin, min(1 << 20, view.present - begin))
            crc, begin = zlib.crc32(piece, crc), begin + len(piece)
        return (
            "" if crc == stated else f"its CRC is {crc:08x}, its superblock says {stated:08x}: it was changed or broken"
        )

    def _folder(self, path: str, folder: _Inode, depth: int) -> Iterator[Content]:
        if depth > DEEPEST or folder.offset in self._seen:
            yield Broken(path, "a folder that lies in itself: not read again")
            return
        if folder.size:
            self._seen.add(folder.offset)
        at, end = folder.offset, folder.offset + folder.size
        while at < end:
            try:
                inode = _inode(self._view, at)
                name = name_of(self._view.take(at + 12, inode.name_size))
            except BROKEN as error:
                yield Broken(path or "/", f"the folder can't be read to its end: {error}")
                return
            at += 12 + inode.name_size
            self._budget.admit(path, None, 0)
            if _is_folder(inode.mode):
                yield from self._folder(f"{path}/{name}", inode, depth + 1)
            elif inode.mode & KIND == REGULAR and inode.size:
                yield from self._file(f"{path}/{name}", inode)

    def _file(self, path: str, inode: _Inode) -> Iterator[Content]:
        """Yield a file; blocks that are broken count as zeros, and are told."""
        blocks = -(-inode.size // BLOCK)
        self._budget.admit(path, self._view.present, inode.size)
        plain, stop = bytearray(), inode.offset + 4 * blocks
        for i in range(blocks):
            wanted = min(BLOCK, inode.size - i * BLOCK)
            try:
                pointer = self._view.number(inode.offset + 4 * i)
            except BROKEN as error:
                yield Broken(path, f"it can't be read from block {i} on: {error}")
                break
            try:
                block, stop = self._block(pointer, stop)
                if block and len(block) < wanted:
                    yield Broken(path, f"block {i} has {len(block)} bytes, not {wanted}")
            except BROKEN as error:
                yield Broken(path, f"block {i} can't be read: {error}")
                block, stop = b"", pointer & ~(PLAIN | DIRECT) if self._flags & BLOCK_FLAGS else pointer
            plain += block[:wanted].ljust(wanted, b"\0")
        if plain:
            yield File(path, bytes(plain), inode.mode)

    def _block(self, pointer: int, begin: int) -> tuple[bytes, int]:
        """Return a block's bytes (none: a hole) and where the next one begins, unless that says so itself."""
        flags = pointer & (PLAIN | DIRECT) if self._flags & BLOCK_FLAGS else 0
        stop = pointer & ~flags
        if flags & DIRECT:
            begin = stop << 2
            size = BLOCK if flags & PLAIN else self._view.number(begin, 2)
            begin += 0 if flags & PLAIN else 2
            stop = begin + size
        if stop < begin:
            raise DecodeError(f"it ends at {stop:#x}, before its begin")
        packed = self._view.take(begin, stop - begin)
        return packed if flags & PLAIN or not packed else inflate(packed, BLOCK * 4), stop
