"""What holds other files: the type that archives, file systems and their readers share, and the limits they keep to.

A reader (an opener) is given a :class:`Blob`, yields what is inside as further blobs, and never writes to a disk.
Whatever it expands it first reports to the :class:`Budget`, which refuses bombs with a sentence.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Final, NamedTuple

from tlsalert.errors import TlsalertError

#: What a blob's bytes are: a mapped file is read in pieces. Both have find(), len() and slices that are bytes.
Data = bytes | mmap.mmap


class RefusedError(TlsalertError):
    """A container is not read on, for what it would cost: the sentence says which limit it broke."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read out of one thing that was named: sizes in bytes, all counted over the whole nest."""

    depth: int = 8
    members: int = 1_000_000
    member_bytes: int = 256 << 20
    total_bytes: int = 1 << 30
    #: Plain bytes to packed bytes, where the plain ones are more than ``ratio_from``: a flash image of 64 MiB is mostly
    #: 0xff and packs a thousandfold, so that small ones may.
    ratio: int = 400
    ratio_from: int = 96 << 20


@dataclass(frozen=True, slots=True, repr=False)
class Blob:
    """Bytes and where they lie: "FILE", "FILE!/member", "FILE!cramfs@0x400000:/etc/stunnel/client.crt", nested."""

    where: str
    data: Data
    depth: int = 0
    #: Permission bits and owner's number where a file system tells them, else None.
    mode: int | None = None

    def __repr__(self) -> str:
        return f"Blob({self.where!r}, {len(self.data)} bytes)"  # the bytes may be a private key

    def member(self, path: str, data: Data, mode: int | None = None) -> Blob:
        """Return what an archive holds under ``path``, which is told as from its root: "FILE!/path"."""
        return Blob(f"{self.where}!{rooted(path)}", data, self.depth + 1, mode)

    def inside(self, kind: str, offset: int, path: str, data: Data, mode: int | None = None) -> Blob:
        """Return a file of a file system in an image: "FILE!cramfs@0x400000:/path"; without path, its part of it."""
        told = f":{rooted(path)}" if path else ""
        return Blob(f"{self.where}!{kind}@{offset:#x}{told}", data, self.depth + 1, mode)

    def renamed(self, where: str) -> Blob:
        """Return the same bytes under another place."""
        return replace(self, where=where)


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that could not be read, or was left out: where, and in a sentence, what and why."""

    where: str
    says: str


@dataclass(frozen=True, slots=True)
class Covered:
    """Bytes ``start`` to ``stop`` of the blob that was given are told by what was yielded, so they are not carved."""

    start: int
    stop: int


Inside = Blob | Damage | Covered


@dataclass(slots=True)
class Budget:
    """What may still be expanded of one thing that was named; one for the whole nest."""

    limits: Limits = field(default_factory=Limits)
    members: int = 0
    total: int = 0

    def admit(self, where: str, packed: int | None, plain: int) -> None:
        """Count a member of ``plain`` bytes that ``packed`` bytes made (None: unknown).

        Raises RefusedError, before or after it was expanded: openers call it with the size that a header claims, and
        expand no further than :meth:`most` allows.
        """
        limits = self.limits
        if plain > limits.member_bytes:
            raise RefusedError(f"{where}: {_size(plain)} unpacked, more than {_size(limits.member_bytes)}: not read")
        if packed is not None and plain > limits.ratio_from and plain > max(packed, 1) * limits.ratio:
            raise RefusedError(f"{where}: unpacks to more than {limits.ratio} times its size, as a bomb does: not read")
        self.members += 1
        if packed is None or plain > packed:  # what is stored takes no more than it did before
            self.total += plain
        if self.members > limits.members:
            raise RefusedError(f"{where}: more than {limits.members} members: the rest is not read")
        if self.total > limits.total_bytes:
            raise RefusedError(f"{where}: more than {_size(limits.total_bytes)} unpacked in all: the rest is not read")

    @property
    def spent(self) -> bool:
        """Whether no more can be admitted at all, so that going on makes no sense."""
        return self.members > self.limits.members or self.total > self.limits.total_bytes

    def most(self, packed: int | None) -> int:
        """Return how many bytes a stream of ``packed`` bytes may expand to; one byte more is a reason to refuse."""
        limits = self.limits
        most = min(limits.member_bytes, max(limits.total_bytes - self.total, 0))
        return most if packed is None else min(most, max(limits.ratio_from, packed * limits.ratio))


class Opener(NamedTuple):
    """A reader of one family of containers: its module is imported when the first one is met.

    ``sign`` tells by content whether a blob is one; ``whole`` that it explains every byte, so that nothing is carved
    out of the packed form (an image with gaps says so byte by byte with Covered instead). The module has a function
    ``open_NAME(blob, budget) -> Iterator[Inside]`` that never raises anything but RefusedError.
    """

    name: str
    sign: Callable[[Data], bool]
    whole: bool
    module: str

    def open(self, blob: Blob, budget: Budget) -> Iterator[Inside]:
        """Yield what is inside."""
        found: Iterator[Inside] = getattr(import_module(self.module), f"open_{self.name}")(blob, budget)
        return found


def opener_for(data: Data) -> Opener | None:
    """Return who reads this container; None where it is none."""
    return next((opener for opener in OPENERS if opener.sign(data)), None)


def rooted(path: str) -> str:
    """Return a member's path from the archive's root, with "./" and leading slashes made one slash; ".." stays."""
    while path.startswith(("./", "/")):
        path = path[1:] if path.startswith("/") else path[2:]
    return f"/{path}"


def starts(*signs: bytes) -> Callable[[Data], bool]:
    """Return a test for bytes at the start."""
    longest = max(map(len, signs))
    return lambda data: data[:longest].startswith(signs)


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count} bytes"


def _tar(data: Data) -> bool:
    return data[257:262] == b"ustar"


#: Fewer bytes hold nothing that an image is looked through for.
SMALLEST_IMAGE: Final = 64

#: In the order they are tried. The first whose sign fits reads the blob; images without a sign of their own at byte 0
#: come last, as their sign has to look everywhere.
OPENERS: Final[list[Opener]] = [
    Opener("zip", starts(b"PK\3\4", b"PK\5\6", b"PK00PK"), True, "tlsalert.pki.archives"),
    Opener("tar", _tar, True, "tlsalert.pki.archives"),
    Opener("cpio", starts(b"070701", b"070702", b"070707", b"\xc7\x71", b"\x71\xc7"), True, "tlsalert.pki.archives"),
    Opener("ar", starts(b"!<arch>\n"), True, "tlsalert.pki.archives"),
    Opener("gzip", starts(b"\x1f\x8b\x08"), True, "tlsalert.pki.streams"),
    Opener("xz", starts(b"\xfd7zXZ\0"), True, "tlsalert.pki.streams"),
    Opener("bzip2", starts(b"BZh"), True, "tlsalert.pki.streams"),
    Opener("zstd", starts(b"\x28\xb5\x2f\xfd"), True, "tlsalert.pki.streams"),
    Opener("lzma", starts(b"\x5d\0\0"), True, "tlsalert.pki.streams"),
    Opener("firmware", lambda data: len(data) >= SMALLEST_IMAGE, False, "tlsalert.pki.firmware"),
]
