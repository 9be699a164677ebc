"""cpio archives as an initramfs has them: "newc" with and without checksums, and the older octal and binary forms.

Several may follow each other, with zeros between them (Documentation/driver-api/early-userspace/buffer-format.rst of
Linux).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Data

NEWC, CRC, ODC = b"070701", b"070702", b"070707"
OLD_LITTLE, OLD_BIG = b"\xc7\x71", b"\x71\xc7"
END: Final = b"TRAILER!!!"
LONGEST_NAME: Final = 4096
#: The bits of a file's kind in st_mode.
KIND, REGULAR = 0o170000, 0o100000
#: What a broken entry raises: a name or an end that is not there, digits that are none.
BROKEN: Final = (DecodeError, ValueError)


class Member(NamedTuple):
    """A name in an archive. ``size`` is what the header claims; only a file has bytes, from ``begin`` on."""

    name: str
    mode: int
    begin: int
    size: int
    check: int | None

    @property
    def is_file(self) -> bool:
        """Whether it is a file, and neither a folder nor a device nor a link."""
        return self.mode & KIND == REGULAR

    def present(self, data: Data) -> int:
        """Return how many of its bytes are there."""
        return min(self.size, max(len(data) - self.begin, 0))

    def read(self, data: Data) -> tuple[bytes, str | None]:
        """Return its bytes, as many as are there, and what is wrong with them."""
        plain = data[self.begin : self.begin + self.present(data)]
        if len(plain) < self.size:
            return plain, f"{self.size} bytes by its header, {len(plain)} of them are there"
        if self.check is not None and sum(plain) & 0xFFFFFFFF != self.check:
            return plain, "its checksum is wrong"
        return plain, None


class Stopped(NamedTuple):
    """Where reading ended before the data did: ``says`` why; None where the archives ended and other bytes follow."""

    at: int
    says: str | None


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


def members(data: Data, at: int = 0) -> Iterator[Member | Stopped]:
    """Yield what the archives that begin at ``at`` hold, and where they ended, if not with the data or in zeros.

    "newc" gives the bytes of a file with several names with the last of them only: each name has them here.
    """
    linked: dict[int, list[_Entry]] = {}
    while at < len(data):
        try:
            entry = _entry(data, at)
        except BROKEN as error:
            yield Stopped(at, f"it can't be read to its end: {error}")
            return
        if entry is None:
            yield Stopped(at, f"no entry begins at {at:#x}, where one should: the rest is not read")
            return
        at = entry.after
        if entry.name == END:
            linked = {}
            following = _skipped(data, at)
            if _magic(data, following) is None:
                if following < len(data):
                    yield Stopped(following, None)
                return
            at = following
        elif entry.mode & KIND == REGULAR and not entry.size and entry.links > 1:
            linked.setdefault(entry.inode, []).append(entry)
        else:
            yield _member(entry, entry)
            if entry.mode & KIND == REGULAR and entry.size:
                for other in linked.pop(entry.inode, ()):
                    yield _member(other, entry)


def _member(named: _Entry, entry: _Entry) -> Member:
    name = named.name.decode("utf-8", "backslashreplace")
    return Member(name, entry.mode, entry.begin, entry.size, entry.check)


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
        order = "<" if magic == OLD_LITTLE else ">"
        head = data[at : at + 26]
        if len(head) < 26:
            raise DecodeError("its end is missing")
        words = struct.unpack(f"{order}13H", head)
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
