"""UBIFS, the file system in UBI's volumes (fs/ubifs/ubifs-media.h of Linux), read by its nodes.

The index is not followed: every node has a number that only grows, so that the newest of each kind count. That
reads what the journal holds, too, and all that is left where the index is broken.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Budget, Data, RefusedError
from tlsalert.pki.firmware.parts import BROKEN, Broken, Content, File, tree
from tlsalert.pki.firmware.unpack import inflate, unlzo, unzstd

MAGIC: Final = b"\x31\x18\x10\x06"
HEADER: Final = 24
INODE, DATA, DIRENT, PADDING = 0, 1, 2, 5
INODE_HEADER, DATA_HEADER, DIRENT_HEADER = 160, 48, 56
ROOT: Final = 1
IS_FILE, IS_FOLDER = 0, 1
BLOCK: Final = 4096
#: An inode's flag: what it holds is encrypted (fscrypt).
ENCRYPTED: Final = 0x40


def contents(data: Data, lebs: list[tuple[int, int]], budget: Budget) -> Iterator[Content]:
    """Yield the files of a volume; ``lebs`` are begin and size of its erase blocks, in their order."""
    reader = _Reader(data, budget)
    for begin, size in lebs:
        reader.scan(begin, begin + size)
    yield from reader.contents()


@dataclass(slots=True)
class _Inode:
    age: int
    size: int
    mode: int
    flags: int


@dataclass(slots=True)
class _Reader:
    data: Data
    budget: Budget
    inodes: dict[int, _Inode] = field(default_factory=dict)
    #: (folder, name): age, inode, kind.
    names: dict[tuple[int, bytes], tuple[int, int, int]] = field(default_factory=dict)
    #: inode: block: age, where its node lies, that node's size.
    blocks: dict[int, dict[int, tuple[int, int, int]]] = field(default_factory=dict)
    damaged: int = 0
    first_damage: int = 0

    def scan(self, at: int, stop: int) -> None:
        """Read the nodes of one erase block."""
        data = self.data
        while at + HEADER <= stop:
            head = data[at : at + HEADER]
            size = int.from_bytes(head[16:20], "little")
            if head[:4] == MAGIC and HEADER <= size <= stop - at:
                node = data[at : at + size]
                if zlib.crc32(node[8:]) ^ 0xFFFFFFFF == int.from_bytes(head[4:8], "little"):
                    self._take(node, at)
                    skipped = int.from_bytes(node[24:28], "little") if head[20] == PADDING else 0
                    at += (size + min(skipped, stop - at) + 7) & ~7
                    continue
                self.damaged += 1
                self.first_damage = self.first_damage or at
            following = data.find(MAGIC, at + 8, stop)
            if following < 0:
                return
            at = following

    def _take(self, node: bytes, at: int) -> None:
        age, kind = int.from_bytes(node[8:16], "little"), node[20]
        key, what = (int.from_bytes(node[i : i + 4], "little") for i in (24, 28))
        if kind == INODE and len(node) >= INODE_HEADER:
            known = self.inodes.get(key)
            if known is None or known.age < age:
                self.budget.admit("", None, 0)
                size = int.from_bytes(node[48:56], "little")
                mode, flags = (int.from_bytes(node[i : i + 4], "little") for i in (104, 108))
                self.inodes[key] = _Inode(age, size, mode, flags)
        elif kind == DIRENT and len(node) > DIRENT_HEADER:
            name = node[DIRENT_HEADER : DIRENT_HEADER + int.from_bytes(node[50:52], "little")]
            entry = self.names.get((key, name))
            if entry is None or entry[0] < age:
                self.budget.admit("", None, 0)
                self.names[key, name] = age, int.from_bytes(node[40:48], "little"), node[49]
        elif kind == DATA and len(node) > DATA_HEADER:
            blocks = self.blocks.setdefault(key, {})
            number = what & 0x1FFFFFFF
            block = blocks.get(number)
            if block is None or block[0] < age:
                self.budget.admit("", None, 0)
                blocks[number] = age, at, len(node)

    def contents(self) -> Iterator[Content]:
        if self.damaged:
            yield Broken("", f"{self.damaged} nodes have a wrong CRC, the first at {self.first_damage:#x}: not read")
        yield from tree(self.names, (ROOT, IS_FOLDER, IS_FILE), self._file)

    def _file(self, path: str, number: int) -> Iterator[Content]:
        blocks, inode = self.blocks.get(number, {}), self.inodes.get(number)
        if inode is None:
            size, mode = (max(blocks, default=-1) + 1) * BLOCK, None
            if blocks:
                yield Broken(path, "its inode is missing, and with it its size")
        else:
            size, mode = inode.size, inode.mode
        if inode is not None and inode.flags & ENCRYPTED:
            yield Broken(path, "it is encrypted (fscrypt): not read")
            return
        if not size:
            return
        try:
            self.budget.admit(path, sum(node for _, _, node in blocks.values()), size)
        except RefusedError as refused:
            yield Broken(path, refused.what)
            return
        plain = bytearray(size)
        for block, (_, at, node) in sorted(blocks.items()):
            begin = block * BLOCK
            if begin >= size:
                continue  # older than a truncation
            try:
                piece = _block(self.data[at : at + node])[: size - begin]
                plain[begin : begin + len(piece)] = piece
            except BROKEN as error:
                yield Broken(path, f"block {block} can't be read: {error}")
        yield File(path, bytes(plain), mode)


def _block(node: bytes) -> bytes:
    """Return the plain bytes of a data node."""
    size, packed = int.from_bytes(node[40:44], "little"), node[DATA_HEADER:]
    if size > BLOCK:
        raise DecodeError(f"{size} bytes in one block")
    match int.from_bytes(node[44:46], "little"):
        case 0:
            return packed[:size]
        case 1:
            return unlzo(packed, size)
        case 2:
            return inflate(packed, size, -15)
        case 3:
            return unzstd(packed, size)
        case other:
            raise DecodeError(f"its compression {other} is not known here")
