"""UBI, the volumes on raw flash (drivers/mtd/ubi/ubi-media.h of Linux): erase blocks put back into their order."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tlsalert.pki.containers import Budget, Data
from tlsalert.pki.firmware import ubifs
from tlsalert.pki.firmware.parts import Broken, Content, File, Part, View, name_of

BLOCK_MAGIC, VOLUME_MAGIC = b"UBI#", b"UBI!"
HEADER: Final = 64
#: The sizes of erase blocks, in bits: 2 KiB (some NOR) to 8 MiB.
BLOCK_BITS: Final = range(11, 24)
#: The volume that holds the table of the others, and the size of an entry in it.
TABLE, ENTRY = 0x7FFFEFFF, 172
MOST_VOLUMES: Final = 128
#: So many blocks in a row without a header end the device: erased ones have one, unless nothing ever wrote them.
MOST_MISSING: Final = 64


def part_at(data: Data, at: int, budget: Budget) -> Part | None:
    """Return the device whose first erase block begins here."""
    if not _is_block(data, at):
        return None
    size = next((1 << bits for bits in BLOCK_BITS if _is_block(data, at + (1 << bits))), 0)
    if not size:  # a single block, or all but the first are broken
        size = next((1 << bits for bits in BLOCK_BITS if 1 << bits >= len(data) - at), 1 << BLOCK_BITS[-1])
    device = _Device(data, at, size)
    return Part("ubi", at, device.stop, device.contents(budget))


def _crc(raw: bytes) -> int:
    """Return the CRC-32 as UBI takes it: not inverted at the end."""
    return zlib.crc32(raw) ^ 0xFFFFFFFF


def _is_block(data: Data, at: int) -> bool:
    """Return whether a header of an erase block is here, whole and with the right CRC."""
    head = data[at : at + HEADER]
    return len(head) == HEADER and head[:4] == BLOCK_MAGIC and _crc(head[:60]) == int.from_bytes(head[60:64], "big")


@dataclass(slots=True)
class _Leb:
    """A logical erase block: the newest of those with its number."""

    age: int
    begin: int
    size: int


class _Device:
    def __init__(self, data: Data, start: int, block: int) -> None:
        self._data, self.start, self._block = data, start, block
        self.stop = start
        self._volumes: dict[int, dict[int, _Leb]] = {}
        self._troubles: list[Broken] = []
        self._scan()

    def _scan(self) -> None:
        """Read the headers of all erase blocks."""
        image, at, missing, damaged = self._data[self.start + 24 : self.start + 28], self.start, 0, 0
        while at < len(self._data) and missing < MOST_MISSING:
            if not _is_block(self._data, at):
                damaged += self._data[at : at + 4] == BLOCK_MAGIC
                missing += 1
            elif self._data[at + 24 : at + 28] != image:
                break  # another device follows
            else:
                missing = 0
                self.stop = min(at + self._block, len(self._data))
                if at + self._block > len(self._data):
                    self._troubles.append(Broken("", f"it is cut: the image ends inside the erase block at {at:#x}"))
                self._volume_block(at)
            at += self._block
        if damaged:
            self._troubles.append(Broken("", f"{damaged} erase blocks have a header with a wrong CRC: not read"))

    def _volume_block(self, at: int) -> None:
        head = View(self._data, at, HEADER, "big")
        volume_header, begin = head.number(16), head.number(20)
        view = View(self._data, at + volume_header, HEADER, "big")
        if volume_header + HEADER > self._block or not HEADER < begin < self._block or view.present < HEADER:
            return
        if view.take(0, 4) != VOLUME_MAGIC:
            return  # nothing was ever written to it
        if _crc(view.take(0, 60)) != view.number(60):
            self._troubles.append(Broken("", f"the volume header at {view.start:#x} has a wrong CRC: not read"))
            return
        volume, number, pad, age = view.number(8), view.number(12), view.number(28), view.number(40, 8)
        size = max(min(self._block - begin - pad, len(self._data) - at - begin), 0)
        blocks = self._volumes.setdefault(volume, {})
        if number not in blocks or blocks[number].age < age:
            blocks[number] = _Leb(age, at + begin, size)

    def contents(self, budget: Budget) -> Iterator[Content]:
        yield from self._troubles
        names = self._names()
        for volume, blocks in sorted(self._volumes.items()):
            if volume == TABLE:
                continue
            name = names.get(volume) or f"volume{volume}"
            lebs = [(leb.begin, leb.size) for _, leb in sorted(blocks.items())]
            if any(self._data[begin : begin + 4] == ubifs.MAGIC for begin, _ in lebs):
                for found in ubifs.contents(self._data, lebs, budget):
                    yield _under(name, found)
            else:
                size = sum(size for _, size in lebs)
                budget.admit(name, None, size)
                yield File(name, b"".join(self._data[begin : begin + size] for begin, size in lebs))

    def _names(self) -> dict[int, str]:
        """Return the volumes' names by the table, of which there are two copies."""
        for _, leb in sorted(self._volumes.get(TABLE, {}).items()):
            table, names = View(self._data, leb.begin, leb.size, "big"), dict[int, str]()
            for i in range(min(MOST_VOLUMES, table.present // ENTRY)):
                entry = table.take(i * ENTRY, ENTRY)
                if _crc(entry[:168]) != int.from_bytes(entry[168:], "big"):
                    break
                if any(entry[:4]):
                    names[i] = name_of(entry[16 : 16 + int.from_bytes(entry[14:16], "big")])
            if names:
                return names
        return {}


def _under(volume: str, found: Content) -> Content:
    """Put a volume's name before the path of what was found in it."""
    path = f"{volume}:{found.path}" if found.path else volume
    return Broken(path, found.says) if isinstance(found, Broken) else File(path, found.data, found.mode)
