"""FAT12, FAT16 and FAT32 with long names (Microsoft's "FAT: General Overview of On-Disk Format", 1.03).

The reader is our own: a chain of clusters that a stranger wrote may run in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Budget, Data, RefusedError
from tlsalert.pki.firmware.parts import BROKEN, DEEPEST, Broken, Content, File, Part, View

#: Where the name of the kind stands in the boot sector: of FAT12 and FAT16, and of FAT32.
NAMES_AT: Final = {b"FAT12   ": 54, b"FAT16   ": 54, b"FAT32   ": 82}
#: Files have fewer clusters in the smaller kinds: the number of clusters alone tells the kind.
FAT12_CLUSTERS, FAT16_CLUSTERS = 4085, 65525
ENTRY: Final = 32
LONG_NAME, LABEL, FOLDER = 0x0F, 0x08, 0x10
#: Bits of Windows NT: the name and its ending are lower-case.
LOWER_NAME, LOWER_END = 0x08, 0x10


def part_at(data: Data, at: int, budget: Budget) -> Part | None:
    """Return the file system whose boot sector is here."""
    boot = View(data, at, 512, "little")
    if boot.present < 512 or boot.take(0, 1) not in (b"\xeb", b"\xe9"):
        return None
    sector, per_cluster, reserved, tables = (boot.number(i, n) for i, n in ((11, 2), (13, 1), (14, 2), (16, 1)))
    if sector not in (512, 1024, 2048, 4096) or per_cluster.bit_count() != 1 or not reserved or tables not in (1, 2):
        return None
    sectors = boot.number(19, 2) or boot.number(32)
    size = boot.number(22, 2) or boot.number(36)
    roots = boot.number(17, 2)
    root_at = (reserved + tables * size) * sector
    first = root_at + -(-roots * ENTRY // sector) * sector
    clusters = (sectors * sector - first) // (per_cluster * sector)
    if not size or clusters < 1:
        return None
    view = View(data, at, sectors * sector, "little")
    reader = _Reader(view, budget, reserved * sector, size * sector, first, per_cluster * sector, clusters)
    root = (root_at, roots * ENTRY) if clusters < FAT16_CLUSTERS else boot.number(44)
    return Part("fat", at, view.stop, reader.contents(root))


class _Reader:
    def __init__(
        self, view: View, budget: Budget, table: int, table_size: int, first: int, cluster: int, clusters: int
    ) -> None:
        self._view, self._budget, self._first, self._cluster = view, budget, first, cluster
        self._clusters, self._seen = clusters, set[int]()
        self._bits = 12 if clusters < FAT12_CLUSTERS else 16 if clusters < FAT16_CLUSTERS else 32
        self._table = view.take(table, min(table_size, max(view.present - table, 0)))

    def contents(self, root: tuple[int, int] | int) -> Iterator[Content]:
        yield from self._view.cut()
        if isinstance(root, int):
            yield from self._folder("", root, 0)
            return
        begin, size = root
        try:
            yield from self._entries("", self._view.take(begin, size), 0)
        except BROKEN as error:
            yield Broken("/", f"the folder can't be read: {error}")

    def _next(self, cluster: int) -> int:
        """Return the cluster that follows; 0 where the chain ends."""
        at = cluster * self._bits // 8
        raw = int.from_bytes(self._table[at : at + (4 if self._bits == 32 else 2)], "little")
        if self._bits == 12:
            raw = raw >> 4 if cluster & 1 else raw & 0xFFF
        elif self._bits == 32:
            raw &= 0x0FFFFFFF
        return raw if 2 <= raw < self._clusters + 2 else 0

    def _chain(self, cluster: int, size: int | None) -> Iterator[bytes]:
        """Yield the bytes of a file (``size`` of them) or of a folder. Raises DecodeError where the chain is broken."""
        left = size if size is not None else 65536 * ENTRY
        for _ in range(self._clusters):
            if not 2 <= cluster < self._clusters + 2:
                raise DecodeError("its chain of clusters breaks off")
            begin = self._first + (cluster - 2) * self._cluster
            yield self._view.take(begin, min(self._cluster, left))
            left -= min(self._cluster, left)
            cluster = self._next(cluster)
            if not left or (not cluster and size is None):
                return
        raise DecodeError("its chain of clusters runs in a circle")

    def _folder(self, path: str, cluster: int, depth: int) -> Iterator[Content]:
        if depth > DEEPEST or cluster in self._seen:
            yield Broken(path, "a folder that lies in itself: not read again")
            return
        self._seen.add(cluster)
        raw = bytearray()
        try:
            for piece in self._chain(cluster, None):
                raw += piece
        except BROKEN as error:
            yield Broken(path or "/", f"the folder can't be read to its end: {error}")
        yield from self._entries(path, bytes(raw), depth)

    def _entries(self, path: str, raw: bytes, depth: int) -> Iterator[Content]:
        """Go through a folder's entries; those of a long name come before the one that they name, the last first."""
        long: dict[int, bytes] = {}
        for at in range(0, len(raw) - ENTRY + 1, ENTRY):
            entry = raw[at : at + ENTRY]
            if not entry[0]:
                return
            if entry[0] == 0xE5:  # deleted
                long = {}
                continue
            if entry[11] & 0x3F == LONG_NAME:
                long[entry[0] & 0x3F] = entry[1:11] + entry[14:26] + entry[28:32]
                continue
            name, long = _name(entry, long), {}
            if entry[11] & LABEL or name in (".", ".."):
                continue
            self._budget.admit(path, None, 0)
            high, low, size = (int.from_bytes(entry[i : i + n], "little") for i, n in ((20, 2), (26, 2), (28, 4)))
            cluster = low | (high << 16 if self._bits == 32 else 0)
            if entry[11] & FOLDER:
                yield from self._folder(f"{path}/{name}", cluster, depth + 1)
            elif size:
                yield from self._file(f"{path}/{name}", cluster, size)

    def _file(self, path: str, cluster: int, size: int) -> Iterator[Content]:
        plain = bytearray()
        try:
            self._budget.admit(path, None, min(size, self._view.present))
            for piece in self._chain(cluster, size):
                plain += piece
        except RefusedError as refused:
            if self._budget.spent:
                raise
            yield Broken(path, refused.what)
            return
        except BROKEN as error:
            yield Broken(path, f"{len(plain)} of its {size} bytes can be read: {error}")
        if plain:
            yield File(path, bytes(plain))


def _name(entry: bytes, long: dict[int, bytes]) -> str:
    """Return a file's long name, or its short one in the case that Windows NT notes."""
    pieces = [long[i] for i in sorted(long)]
    if pieces and sorted(long) == list(range(1, len(long) + 1)):
        name = b"".join(pieces).decode("utf-16-le", "replace").split("\0", 1)[0]
    else:
        stem, end = entry[:8].rstrip(), entry[8:11].rstrip()
        stem = b"\xe5" + stem[1:] if stem[:1] == b"\x05" else stem
        told = stem.decode("cp437").lower() if entry[12] & LOWER_NAME else stem.decode("cp437")
        ending = end.decode("cp437").lower() if entry[12] & LOWER_END else end.decode("cp437")
        name = f"{told}.{ending}" if ending else told
    return name.replace("/", "\\x2f")
