"""Where in an image something may begin: the signs of all formats, found in the order of their places.

Each sign is a pattern of its own that begins with fixed bytes: those are sought at 1.6 GB/s, all of them in one pattern
at 3 MB/s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tlsalert.pki.containers import Data


class Sign(NamedTuple):
    """A format's sign, and how many bytes behind the format's begin it lies."""

    kind: str
    pattern: re.Pattern[bytes]
    behind: int = 0


def _sign(kind: str, pattern: bytes, behind: int = 0) -> Sign:
    return Sign(kind, re.compile(pattern, re.DOTALL), behind)


#: The formats, those first that win where two begin at one place.
SIGNS: Final[tuple[Sign, ...]] = (
    _sign("cramfs", rb"\x45\x3d\xcd\x28.{12}Compressed ROMFS"),
    _sign("cramfs", rb"\x28\xcd\x3d\x45.{12}Compressed ROMFS"),
    *(_sign("squashfs", magic) for magic in (b"hsqs", b"sqsh", b"shsq", b"qshs", b"tqsh", b"hsqt", b"sqlz")),
    _sign("ubi", rb"UBI#\x01\0\0\0"),
    _sign("romfs", rb"-rom1fs-"),
    _sign("jffs2", rb"\x85\x19[\x01\x02\x08\x09]\xe0"),
    _sign("jffs2", rb"\x85\x19[\x03\x04\x06]\x20"),
    _sign("jffs2", rb"\x19\x85\xe0[\x01\x02\x08\x09]"),
    _sign("jffs2", rb"\x19\x85\x20[\x03\x04\x06]"),
    # s_state, s_errors and s_minor_rev_level follow the magic, then the time of the last check and s_creator_os.
    _sign("ext", rb"\x53\xef[\0-\x07]\0[\0-\x03]\0.{10}[\0-\x04]\0\0\0[\0\x01]\0\0\0", 1024 + 56),
    _sign("fat", rb"FAT12   ", 54),
    _sign("fat", rb"FAT16   ", 54),
    _sign("fat", rb"FAT32   ", 82),
    _sign("uImage", rb"\x27\x05\x19\x56"),
    _sign("fit", rb"\xd0\x0d\xfe\xed"),
    _sign("gzip", rb"\x1f\x8b\x08[\0-\x1f].{4}[\0\x02\x04][\0-\x0d\xff]"),  # RFC 1952 §2.3: flags, XFL, OS
    _sign("xz", rb"\xfd7zXZ\0\0[\0\x01\x04\x0a]"),
    # The dictionary is a power of two, and so is three times its third; the size is unknown, or below 4 GiB.
    _sign(
        "lzma",
        rb"\x5d\0\0[\0\x01\x02\x04\x08\x10\x20\x40\x80\x03\x06\x0c\x18\x30\x60\xc0][\0-\x08](?:\xff{8}|.{4}\0{4})",
    ),
    _sign("bzip2", rb"BZh[1-9]1AY&SY"),
    _sign("zstd", rb"\x28\xb5\x2f\xfd"),
    _sign("lz4", rb"\x04\x22\x4d\x18[\x40-\x7d]"),
    _sign("lz4", rb"\x02\x21\x4c\x18"),
    _sign("cpio", rb"070701[0-9A-Fa-f]{104}"),
    _sign("cpio", rb"070702[0-9A-Fa-f]{104}"),
    _sign("cpio", rb"070707[0-7]{70}"),
    _sign("zip", rb"PK\x03\x04"),
    _sign("tar", rb"ustar[\0 ]", 257),
)


class Hits:
    """The places where something may begin, in their order; those before :attr:`after` are passed."""

    def __init__(self, data: Data, begin: int = 0) -> None:
        self._data = data
        #: Nothing before it is looked at any more: a part that was found moves it.
        self.after = begin
        self._next: list[int | None] = [None] * len(SIGNS)
        for i in range(len(SIGNS)):
            self._seek(i, begin)

    def _seek(self, i: int, begin: int) -> None:
        """Find a sign's next place."""
        sign = SIGNS[i]
        found = sign.pattern.search(self._data, begin + sign.behind)
        self._next[i] = None if found is None else found.start() - sign.behind

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield place and format."""
        while True:
            place, chosen = -1, -1
            for i, at in enumerate(self._next):
                if at is None:
                    continue
                if at < self.after:
                    self._seek(i, self.after)
                    at = self._next[i]
                if at is not None and (chosen < 0 or at < place):
                    place, chosen = at, i
            if chosen < 0:
                return
            self._seek(chosen, place + 1)
            yield place, SIGNS[chosen].kind
