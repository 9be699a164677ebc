"""What the readers of firmware share: parts of an image, the files in them, and bytes that are never read past."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from zstandard import ZstdError

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Data

Order = Literal["little", "big"]

#: Folders inside folders: as deep as the longest path that Linux takes (PATH_MAX, 4096) allows names of a usual length.
DEEPEST = 128
#: The bits of a file's kind in st_mode.
KIND, FOLDER, REGULAR = 0o170000, 0o040000, 0o100000
#: What reading bytes that someone broke can raise.
BROKEN = (DecodeError, ValueError, struct.error, zlib.error, lzma.LZMAError, EOFError, OSError, ZstdError)


@dataclass(frozen=True, slots=True, repr=False)
class File:
    """A file in a part. ``path`` is all that follows the part's colon: "/etc/x", "rootfs:/etc/x", "gzip:cpio:/x"."""

    path: str
    data: bytes
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """What could not be read: of the whole part where ``path`` is empty."""

    path: str
    says: str


Content = File | Broken


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes ``start`` to ``stop`` of an image that are explained, and the way to go through what is in them."""

    kind: str
    start: int
    stop: int
    contents: Iterator[Content]


class View:
    """A part's bytes, counted from its start, its numbers in one byte order.

    ``size`` is what it claims, ``present`` what the image has of that: the readers get no byte from behind it.
    """

    __slots__ = ("data", "order", "present", "size", "start")

    def __init__(self, data: Data, start: int, size: int, order: Order) -> None:
        self.data, self.start, self.size, self.order = data, start, size, order
        self.present = max(min(size, len(data) - start), 0)

    @property
    def stop(self) -> int:
        """Where the part ends in the image."""
        return self.start + self.present

    def take(self, at: int, size: int) -> bytes:
        """Return ``size`` bytes. Raises DecodeError where they are not there."""
        if at < 0 or size < 0 or at + size > self.present:
            raise DecodeError(f"{size} bytes at {at:#x} lie behind its end at {self.present:#x}")
        return self.data[self.start + at : self.start + at + size]

    def number(self, at: int, size: int = 4) -> int:
        """Return an unsigned number. Raises DecodeError where it is not there."""
        return int.from_bytes(self.take(at, size), self.order)

    def cut(self) -> Iterator[Broken]:
        """Tell when the image ends before the part does."""
        if self.present < self.size:
            yield Broken("", f"it is cut: {self.size} bytes by its header, {self.present} of them are there")


def name_of(raw: bytes) -> str:
    """Return a file's name: UTF-8 where it is that; what is not stays visible, and a slash in it can't make a path."""
    return raw.split(b"\0", 1)[0].decode("utf-8", "backslashreplace").replace("/", "\\x2f")


def tree(
    names: Mapping[tuple[int, bytes], tuple[int, int, int]],
    numbers: tuple[int, int, int],
    file: Callable[[str, int], Iterator[Content]],
) -> Iterator[Content]:
    """Go through a file system that keeps no tree: ``names`` leads from folder and name to age, inode and kind.

    ``numbers`` are the root's inode, and what the kinds of folder and file are; inode 0 is one that was deleted. What
    lies in a folder whose own entry is missing stands under "/#INODE".
    """
    root, is_folder, is_file = numbers
    folders: dict[int, list[tuple[bytes, int, int]]] = {}
    for (folder, name), (_, inode, kind) in names.items():
        folders.setdefault(folder, []).append((name, inode, kind))
    inside = {inode for entries in folders.values() for _, inode, kind in entries if kind == is_folder}
    lost = [folder for folder in folders if folder not in inside and folder != root]
    for first, top in ((root, ""), *((folder, f"/#{folder}") for folder in lost)):
        waiting = [(first, top, 0)]
        while waiting:
            folder, path, depth = waiting.pop()
            for raw, inode, kind in folders.pop(folder, ()):  # taken out: none is gone through twice
                where = f"{path}/{name_of(raw)}"
                if not inode:
                    continue
                if kind == is_folder and depth < DEEPEST:
                    waiting.append((inode, where, depth + 1))
                elif kind == is_file:
                    yield from file(where, inode)
