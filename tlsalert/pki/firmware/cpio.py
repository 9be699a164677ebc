"""cpio archives as an initramfs has them: "newc" with and without checksums, and the older octal and binary forms.

Several may follow each other, with zeros between them (Documentation/driver-api/early-userspace/buffer-format.rst of
Linux).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Budget, Data, RefusedError, rooted
from tlsalert.pki.firmware.parts import BROKEN, KIND, REGULAR, Broken, Content, File

NEWC, CRC, ODC = b"070701", b"070702", b"070707"
OLD_LITTLE, OLD_BIG = b"\xc7\x71", b"\x71\xc7"
END: Final = b"TRAILER!!!"
LONGEST_NAME: Final = 4096


class _Entry(NamedTuple):
    mode: int
    name: bytes
    begin: int
    size: int
    #: Where the next entry begins.
    after: int
    #: The sum of the file's bytes where the form has one.
    check: int | None
    inode: int
    links: int


def begins(data: Data, at: int = 0) -> bool:
    """Return whether an archive begins here."""
    try:
        return _entry(data, at) is not None
    except BROKEN:
        return False


def end(data: Data, at: int) -> int:
    """Return where the last of the archives that begin here ends; ``at`` where none does."""
    while True:
        try:
            entry = _entry(data, at)
        except BROKEN:
            return at
        if entry is None:
            return at
        at = min(entry.after, len(data))
        if entry.name == END:
            following = _skipped(data, at)
            if _magic(data, following) is None:
                return at
            at = following


def contents(name: str, data: Data, budget: Budget, at: int = 0) -> Iterator[Content]:
    """Yield the files of the archives that begin at ``at``; their paths follow ``name`` and a colon."""
    linked: dict[int, list[str]] = {}
    while at < len(data):
        try:
            entry = _entry(data, at)
        except BROKEN as error:
            yield Broken(name, f"it can't be read to its end: {error}")
            return
        if entry is None:
            yield Broken(name, f"no entry begins at {at:#x}, where one should: the rest is not read")
            return
        at = entry.after
        if entry.name == END:
            linked = {}
            following = _skipped(data, at)
            if _magic(data, following) is None:
                rest = data[following:] if following < len(data) else b""
                if rest.strip(b"\0"):
                    from tlsalert.pki.firmware.layers import layers

                    yield from layers(f"{name}+{following:#x}:", rest, budget)
                return
            at = following
            continue
        if entry.mode & KIND != REGULAR:
            budget.admit(name, None, 0)
            continue
        path = f"{name}:{rooted(entry.name.decode('utf-8', 'backslashreplace'))}"
        if not entry.size:
            if entry.links > 1:  # "newc" gives the bytes with the last name of a file only
                linked.setdefault(entry.inode, []).append(path)
            continue
        yield from _file(path, entry, data, budget)
        for other in linked.pop(entry.inode, ()):
            yield from _file(other, entry, data, budget)


def _file(path: str, entry: _Entry, data: Data, budget: Budget) -> Iterator[Content]:
    there = min(entry.size, max(len(data) - entry.begin, 0))
    try:
        budget.admit(path, None, there)
    except RefusedError as refused:
        if budget.spent:
            raise
        yield Broken(path, refused.what)
        return
    plain = data[entry.begin : entry.begin + there]
    if there < entry.size:
        yield Broken(path, f"{entry.size} bytes by its header, {there} of them are there")
    elif entry.check is not None and sum(plain) & 0xFFFFFFFF != entry.check:
        yield Broken(path, "its checksum is wrong")
    if plain:
        yield File(path, plain, entry.mode)


def _magic(data: Data, at: int) -> bytes | None:
    head = data[at : at + 6]
    if head in (NEWC, CRC, ODC):
        return head
    return head[:2] if head[:2] in (OLD_LITTLE, OLD_BIG) else None


def _skipped(data: Data, at: int) -> int:
    """Return where the zeros end that lie between two archives."""
    while at < len(data):
        piece = data[at : at + 4096]
        left = len(piece.lstrip(b"\0"))
        if left:
            return at + len(piece) - left
        at += len(piece)
    return at


def _entry(data: Data, at: int) -> _Entry | None:
    """Return the entry that begins here; None where none does. Raises DecodeError, ValueError where it is broken."""
    magic = _magic(data, at)
    if magic in (NEWC, CRC):
        head = data[at : at + 110]
        if len(head) < 110:
            raise DecodeError("its end is missing")
        inode, mode, _, _, links, _, size, _, _, _, _, name_size, check = (
            int(head[i : i + 8], 16) for i in range(6, 110, 8)
        )
        name = _name(data, at + 110, name_size)
        begin = _aligned(at, 110 + name_size, 4)
        return _Entry(
            mode, name, begin, size, _aligned(at, begin - at + size, 4), check if magic == CRC else None, inode, links
        )
    if magic == ODC:
        head = data[at : at + 76]
        if len(head) < 76:
            raise DecodeError("its end is missing")
        inode, mode, links = (int(head[i : i + 6], 8) for i in (12, 18, 36))
        name_size, size = int(head[59:65], 8), int(head[65:76], 8)
        begin = at + 76 + name_size
        return _Entry(mode, _name(data, at + 76, name_size), begin, size, begin + size, None, inode, 1)
    if magic is not None:
        order = "little" if magic == OLD_LITTLE else "big"
        head = data[at : at + 26]
        if len(head) < 26:
            raise DecodeError("its end is missing")
        words = [int.from_bytes(head[i : i + 2], "little" if order == "little" else "big") for i in range(0, 26, 2)]
        size, name_size = words[11] << 16 | words[12], words[10]
        begin = _aligned(at, 26 + name_size, 2)
        return _Entry(
            words[3], _name(data, at + 26, name_size), begin, size, _aligned(at, begin - at + size, 2), None, 0, 1
        )
    return None


def _name(data: Data, at: int, size: int) -> bytes:
    raw = data[at : at + size]
    if not 2 <= size <= LONGEST_NAME or len(raw) < size or raw[-1]:
        raise DecodeError("its name makes no sense")
    return raw[:-1]


def _aligned(base: int, size: int, to: int) -> int:
    return base + -(-size // to) * to
