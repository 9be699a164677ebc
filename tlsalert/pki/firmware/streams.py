"""Compressed streams and archives somewhere in an image: where they end, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tlsalert.pki import cpio
from tlsalert.pki.containers import Budget, Data
from tlsalert.pki.firmware.layers import archived, opened
from tlsalert.pki.firmware.parts import BROKEN, Content, File, Part
from tlsalert.pki.firmware.unpack import unpack_stream

#: A stream that breaks off counts as one only when it gave so much: by chance, bytes begin like one.
ENOUGH: Final = 4096
#: So many bytes are made of streams that turn out to be none, or broken.
MOST_IN_VAIN: Final = 128 << 20

_ZIP_END: Final = re.compile(rb"PK\x05\x06")
_METHODS: Final = frozenset({0, 1, 6, 8, 9, 12, 14, 93, 95, 99})
MOST_ZIPS: Final = 10_000


class Streams:
    """What is compressed in one image. It keeps account of what was unpacked in vain, which has its limit."""

    def __init__(self, data: Data, budget: Budget) -> None:
        self._data, self._budget = data, budget
        self._vain = 0
        #: From where on streams were left alone, as too many before were broken.
        self.given_up: int | None = None
        self._zips: dict[int, int] | None = None

    def stream_at(self, kind: str, at: int) -> Part | None:
        """Return the compressed stream that begins here, unpacked."""
        if self._vain > MOST_IN_VAIN:
            self.given_up = at if self.given_up is None else self.given_up
            return None
        limits = self._budget.limits
        left = len(self._data) - at
        try:
            plain, stop, wrong = unpack_stream(
                kind, self._data, at, self._budget.most(left), limits.ratio, limits.ratio_from
            )
        except BROKEN:
            self._vain += 1024
            return None
        if wrong:
            self._vain += len(plain)
            if len(plain) < ENOUGH:
                return None
            stop = at + 1  # what lies behind may be anything
        return Part(kind, at, stop, _unprefixed(kind, opened(kind, stop - at, plain, wrong, self._budget)))

    def cpio_at(self, at: int) -> Part | None:
        """Return the cpio archives that begin here."""
        stop = cpio.end(self._data, at)
        if stop == at:
            return None
        found = archived("cpio", self._data[at:stop], self._budget)
        return Part("cpio", at, stop, _unprefixed("cpio", found))

    def tar_at(self, at: int) -> Part | None:
        """Return the tar archive that begins here: its reader gets it as one file."""
        stop = _tar_end(self._data, at)
        return None if stop == at else Part("tar", at, stop, _whole(self._data, at, stop))

    def zip_at(self, at: int) -> Part | None:
        """Return the zip archive whose first member begins here."""
        if self._zips is None:
            self._zips = dict(_zips(self._data))
        stop = self._zips.get(at) or _zip_members(self._data, at)
        return None if stop is None else Part("zip", at, stop, _whole(self._data, at, stop))


def end_of(kind: str, data: Data) -> int:
    """Return where an archive that begins at byte 0 ends, if anything but padding follows it; else the data's end."""
    if kind == "zip":
        stop = dict(_zips(data)).get(0, len(data))
    elif kind in ("tar", "cpio"):
        stop = _tar_end(data, 0) if kind == "tar" else cpio.end(data, 0)
    else:
        return len(data)
    return stop if 0 < stop < len(data) and data[stop:].strip(b"\0\xff") else len(data)


def _whole(data: Data, at: int, stop: int) -> Iterator[Content]:
    yield File("", data[at:stop])


def _unprefixed(kind: str, contents: Iterator[Content]) -> Iterator[Content]:
    """Take the first layer's name off the paths: it stands before the place, as in "xz@0x100000:cpio:/x"."""
    for found in contents:
        path = found.path.removeprefix(kind).removeprefix(":")
        yield File(path, found.data, found.mode) if isinstance(found, File) else type(found)(path, found.says)


def _tar_end(data: Data, at: int) -> int:
    """Return where a tar archive ends (POSIX.1-1988 ustar): ``at`` where none begins."""
    begin = at
    while True:
        head = data[at : at + 512]
        if len(head) < 512 or not any(head):
            return at if at == begin else min(at + 1024, len(data))
        try:
            stated, size = int(head[148:156].split(b"\0")[0] or b"0", 8), _tar_number(head[124:136])
        except ValueError:
            return at
        if sum(head) - sum(head[148:156]) + 8 * 32 != stated:
            return at
        size = 0 if head[156:157] in b"123456" else size  # links, devices and folders have no bytes
        at = min(at + 512 + -(-size // 512) * 512, len(data))


def _tar_number(raw: bytes) -> int:
    if raw[0] & 0x80:  # GNU: binary where it is too large for octal
        return int.from_bytes(raw[1:], "big")
    return int(raw.split(b"\0")[0].strip() or b"0", 8)


def _zips(data: Data) -> Iterator[tuple[int, int]]:
    """Yield begin and end of the zip archives that are whole, by the record at their end (APPNOTE.TXT 4.3.16)."""
    for i, found in enumerate(_ZIP_END.finditer(data)):
        if i >= MOST_ZIPS:
            return
        end = data[found.start() : found.start() + 22]
        if len(end) < 22:
            return
        size, offset, comment = (int.from_bytes(end[a:b], "little") for a, b in ((12, 16), (16, 20), (20, 22)))
        begin = found.start() - size - offset
        if begin >= 0 and data[found.start() - size : found.start() - size + 4] in (b"PK\1\2", b"PK\5\6"):
            yield begin, found.start() + 22 + comment


def _zip_members(data: Data, at: int) -> int | None:
    """Return where the members end of an archive that has lost its end; None where no member begins here."""
    begin = at
    while data[at : at + 4] == b"PK\3\4":
        head = data[at : at + 30]
        if len(head) < 30:
            break
        version, flags, method = (int.from_bytes(head[i : i + 2], "little") for i in (4, 6, 8))
        packed = int.from_bytes(head[18:22], "little")
        names = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
        if version & 0xFF > 63 or method not in _METHODS or not 0 < names[0] <= 4096:
            break
        at = min(at + 30 + sum(names) + packed, len(data))
        if flags & 8 and not packed:  # the size stands behind the bytes
            following = data.find(b"PK\7\x08", at)
            at = following + 16 if following >= 0 else len(data)
    return at if at > begin else None
