"""SquashFS 4 (fs/squashfs/squashfs_fs.h of Linux), with every compressor that Linux has; older ones are told.

The reader is our own: images come from strangers, and a block must not unpack to more than it may have.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Budget, Data, RefusedError
from tlsalert.pki.firmware.parts import BROKEN, DEEPEST, Broken, Content, File, Part, View, name_of
from tlsalert.pki.firmware.unpack import inflate, unlz4, unlzo, unxz, unzstd

MAGIC: Final = b"hsqs"
#: Of big-endian images (before version 4), and of those that router makers changed.
OTHER_MAGICS: Final = (b"sqsh", b"shsq", b"qshs", b"tqsh", b"hsqt", b"sqlz")
_SUPERBLOCK: Final = struct.Struct("<5I6H8Q")
#: A metadata block's plain bytes at most, and the bit of its size that says that it is not packed; a data block's bit.
METADATA, META_PLAIN, DATA_PLAIN = 8192, 0x8000, 1 << 24
BLOCK_BITS: Final = range(12, 21)
NO_FRAGMENT: Final = 0xFFFFFFFF
FOLDER, REGULAR, LONG_FOLDER, LONG_REGULAR = 1, 2, 8, 9
#: Metadata blocks and fragments that are kept: files of one folder share them.
KEPT_METADATA, KEPT_FRAGMENTS = 256, 4

_UNPACK: Final[dict[int, tuple[str, Callable[[bytes, int], bytes]]]] = {
    1: ("gzip", inflate),
    2: ("lzma", unxz),
    3: ("lzo", unlzo),
    4: ("xz", unxz),
    5: ("lz4", unlz4),
    6: ("zstd", unzstd),
}


def part_at(data: Data, at: int, budget: Budget) -> Part | None:
    """Return the file system whose superblock lies here."""
    head = data[at : at + _SUPERBLOCK.size]
    if len(head) < _SUPERBLOCK.size:
        return None
    if head[:4] != MAGIC:
        return _other(head, data, at)
    _, _, _, block_size, _, compression, block_bits, _, _, major, _, *rest = _SUPERBLOCK.unpack(head)
    if major != 4:
        return _other(head, data, at)
    if block_bits not in BLOCK_BITS or block_size != 1 << block_bits or rest[1] < _SUPERBLOCK.size:
        return None
    view = View(data, at, rest[1], "little")
    return Part("squashfs", at, view.stop, _Reader(view, budget, compression).contents())


def _other(head: bytes, data: Data, at: int) -> Part | None:
    """Tell a version or a vendor's variant that is not read; nothing where the rest makes no sense."""
    order = "<" if head[:4] in (MAGIC, b"shsq", b"hsqt") else ">"
    major, minor = struct.unpack_from(f"{order}2H", head, 28)
    if not (1 <= major <= 4 and minor <= 1):
        return None
    old = struct.unpack_from(f"{order}I", head, 8)[0] if major < 3 else struct.unpack_from(f"{order}Q", head, 63)[0]
    size = old if 0 < old <= len(data) - at else _SUPERBLOCK.size
    says = f"SquashFS {major}.{minor}, begun with {head[:4]!r}: only version 4 as Linux has it is read"
    return Part("squashfs", at, at + size, iter([Broken("", f"{says}; unpack it with sasquatch and give its folder")]))


class _Reader:
    """One file system, gone through once."""

    def __init__(self, view: View, budget: Budget, compression: int) -> None:
        fields = _SUPERBLOCK.unpack(view.take(0, _SUPERBLOCK.size))
        self._view, self._budget, self._compression = view, budget, compression
        self._block_size, self._fragments = fields[3], fields[4]
        self._root = fields[11]
        self._inodes, self._folders, self._fragment_table = fields[15:18]
        self._metadata: OrderedDict[int, tuple[bytes, int]] = OrderedDict()
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._seen: set[int] = set()

    def contents(self) -> Iterator[Content]:
        yield from self._view.cut()
        if self._compression not in _UNPACK:
            yield Broken("", f"its compression {self._compression} is not known here")
            return
        yield from self._inode("", self._root, 0)

    def _unpacked(self, packed: bytes, most: int) -> bytes:
        return _UNPACK[self._compression][1](packed, most)

    def block(self, at: int) -> tuple[bytes, int]:
        """Return the metadata block at ``at`` and where the next one begins."""
        known = self._metadata.get(at)
        if known is None:
            size = self._view.number(at, 2)
            packed = self._view.take(at + 2, size & ~META_PLAIN)
            plain = packed if size & META_PLAIN else self._unpacked(packed, METADATA)
            known = plain[:METADATA], at + 2 + len(packed)
            if not plain:
                raise DecodeError(f"the metadata block at {at:#x} is empty")
            self._metadata[at] = known
            if len(self._metadata) > KEPT_METADATA:
                self._metadata.popitem(last=False)
        return known

    def _inode(self, path: str, reference: int, depth: int) -> Iterator[Content]:
        """Go through the file or folder whose inode this refers to: a block and a place in it."""
        try:
            inode = _Cursor(self, self._inodes + (reference >> 16), reference & 0xFFFF)
            kind, mode = inode.numbers("<2H12x")
            if kind in (FOLDER, LONG_FOLDER):
                yield from self._folder(path, reference, inode, kind, depth)
            elif kind in (REGULAR, LONG_REGULAR):
                yield from self._file(path, inode, kind, mode)
        except RefusedError as refused:
            if self._budget.spent:
                raise
            yield Broken(path, refused.what)
        except BROKEN as error:
            yield Broken(path or "/", f"it can't be read: {error}")

    def _folder(self, path: str, reference: int, inode: _Cursor, kind: int, depth: int) -> Iterator[Content]:
        if depth > DEEPEST or reference in self._seen:
            yield Broken(path, "a folder that lies in itself: not read again")
            return
        self._seen.add(reference)
        if kind == FOLDER:
            start, _, size, offset, _ = inode.numbers("<2I2HI")
        else:
            _, size, start, _, _, offset, _ = inode.numbers("<4I2HI")
        entries = _Cursor(self, self._folders + start, offset)
        left = size - 3  # the two that are in no table, "." and ".."
        while left > 0:
            count, block, _ = entries.numbers("<3I")
            left -= 12
            for _ in range(count + 1):
                place, _, _, length = entries.numbers("<HhHH")
                name = name_of(entries.take(length + 1))
                left -= 9 + length
                self._budget.admit(path, None, 0)
                yield from self._inode(f"{path}/{name}", block << 16 | place, depth + 1)
                if left <= 0:
                    break

    def _file(self, path: str, inode: _Cursor, kind: int, mode: int) -> Iterator[Content]:
        if kind == REGULAR:
            start, fragment, offset, size = inode.numbers("<4I")
        else:
            start, size, _, _, fragment, offset, _ = inode.numbers("<3Q4I")
        self._budget.admit(path, self._view.present, size)
        if not size:
            return
        whole = size // self._block_size if fragment != NO_FRAGMENT else -(-size // self._block_size)
        plain = bytearray()
        for i in range(whole):
            (word,) = inode.numbers("<I")
            packed = word & ~DATA_PLAIN
            wanted = min(self._block_size, size - len(plain))
            block = b""
            try:
                block = self._data(start, word) if packed else b""
            except BROKEN as error:
                yield Broken(path, f"block {i} can't be read: {error}")
            plain += block[:wanted].ljust(wanted, b"\0")
            start += packed
        if len(plain) < size:
            try:
                plain += self._fragment(fragment)[offset : offset + size - len(plain)]
            except BROKEN as error:
                yield Broken(path, f"its end can't be read: {error}")
        if plain:
            yield File(path, bytes(plain), mode | 0o100000)

    def _data(self, at: int, word: int) -> bytes:
        packed = self._view.take(at, word & ~DATA_PLAIN)
        return packed if word & DATA_PLAIN else self._unpacked(packed, self._block_size)

    def _fragment(self, number: int) -> bytes:
        """Return the block in which several files have their ends."""
        if number >= self._fragments:
            raise DecodeError(f"there is no fragment {number}")
        known = self._kept.get(number)
        if known is None:
            table = self._view.number(self._fragment_table + 8 * (number * 16 // METADATA), 8)
            start, word = _Cursor(self, table, number * 16 % METADATA).numbers("<QI")
            known = self._data(start, word)
            self._kept[number] = known
            if len(self._kept) > KEPT_FRAGMENTS:
                self._kept.popitem(last=False)
        return known


class _Cursor:
    """A place in the metadata, which goes on from block to block."""

    def __init__(self, reader: _Reader, block: int, offset: int) -> None:
        self._reader, self._offset = reader, offset
        self._block, self._next = reader.block(block)

    def take(self, size: int) -> bytes:
        piece = self._block[self._offset : self._offset + size]
        self._offset += size
        while len(piece) < size:
            self._block, self._next = self._reader.block(self._next)
            self._offset = size - len(piece)
            piece += self._block[: self._offset]
        return piece

    def numbers(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form)))
