"""Compressed files as containers of one: gzip, xz, lzma, bzip2 and zstd, expanded no further than the budget allows."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Any, Final

from tlsalert.pki.containers import Blob, Budget, Covered, Damage, Data, Inside

CHUNK: Final = 1 << 16
#: Memory that an xz or zstd stream may ask for: its dictionary. Both let a stranger ask for gigabytes.
DICTIONARY: Final = 128 << 20


def open_gzip(blob: Blob, budget: Budget) -> Iterator[Inside]:
    """Yield what a gzip file (RFC 1952) holds, all of its members as one, under the file's own place."""
    return _opened(blob, budget, lambda: zlib.decompressobj(31), b"\x1f\x8b", "gzip")


def open_bzip2(blob: Blob, budget: Budget) -> Iterator[Inside]:
    """Yield what a bzip2 file holds."""
    return _opened(blob, budget, bz2.BZ2Decompressor, b"BZh", "bzip2")


def open_xz(blob: Blob, budget: Budget) -> Iterator[Inside]:
    """Yield what an xz file holds."""
    return _opened(blob, budget, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, DICTIONARY), b"\xfd7zXZ\0", "xz")


def open_lzma(blob: Blob, budget: Budget) -> Iterator[Inside]:
    """Yield what a file in the old format of lzma holds; its sign is weak, so that nothing may come of it."""
    return _opened(blob, budget, lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, DICTIONARY), b"", "lzma")


def open_zstd(blob: Blob, budget: Budget) -> Iterator[Inside]:
    """Yield what a zstd file (RFC 8878) holds."""
    import zstandard

    most = budget.most(len(blob.data))
    made: list[bytes] = []
    size, damage = 0, None
    data = memoryview(blob.data)
    reader = zstandard.ZstdDecompressor(max_window_size=DICTIONARY).stream_reader(data, read_across_frames=True)
    try:
        while size <= most and (part := reader.read(16 * CHUNK)):
            made.append(part)
            size += len(part)
        promised = zstandard.frame_content_size(blob.data[:32])
        if size < promised:
            damage = f"it promises {promised} bytes"
    except (zstandard.ZstdError, MemoryError) as error:
        damage = str(error)
    yield from _told(blob, budget, b"".join(made)[: most + 1], damage, "zstd")


def _opened(blob: Blob, budget: Budget, make: Any, sign: bytes, name: str) -> Iterator[Inside]:
    plain, damage, stop = expand(blob.data, make, sign, budget.most(len(blob.data)))
    yield from _told(blob, budget, plain, damage if plain or sign else None, name)
    if plain and damage is None and blob.data[stop:].strip(b"\0\xff"):
        yield Covered(0, stop)  # what follows is something else, and looked through for itself


def _told(blob: Blob, budget: Budget, plain: bytes, damage: str | None, name: str) -> Iterator[Inside]:
    budget.admit(blob.where, len(blob.data), len(plain))
    if plain:
        yield Blob(blob.where, plain, blob.depth + 1, blob.mode)
    if damage is not None:
        yield Damage(blob.where, f"the {name} data is damaged or cut short: {damage}")


def expand(data: Data, make: Any, sign: bytes, most: int) -> tuple[bytes, str | None, int]:
    """Return the bytes that ``make()`` makes of ``data``, what went wrong, and where in ``data`` it ended.

    Streams that follow each other are one, where each begins with ``sign``. One byte more than ``most`` is returned
    where there are more, so that the budget refuses them.
    """
    made: list[bytes] = []
    size, at, begun = 0, 0, 0
    machine = make()
    while at < len(data):
        chunk = data[at : at + CHUNK]
        at += len(chunk)
        try:
            while True:
                part, chunk = _step(machine, chunk, most + 1 - size)
                made.append(part)
                size += len(part)
                if size > most:
                    return b"".join(made)[: most + 1], None, at
                if not chunk and not _holds(machine, part):
                    break
        except (zlib.error, EOFError, OSError, ValueError, lzma.LZMAError, MemoryError) as error:
            return b"".join(made), _said(error), begun
        if machine.eof:
            at -= len(machine.unused_data)
            begun = at
            if not sign or data[at : at + len(sign)] != sign:
                return b"".join(made), None, at
            machine = make()
    return b"".join(made), None if begun == at else "it ends before its end", at


def _step(machine: Any, chunk: bytes, room: int) -> tuple[bytes, bytes]:
    """Return what a chunk expands to, at most ``room`` bytes, and what zlib wants to be given again."""
    if hasattr(machine, "unconsumed_tail"):
        part = machine.decompress(chunk, max(room, 1))
        return part, machine.unconsumed_tail
    return machine.decompress(chunk, max(room, 1)), b""


def _holds(machine: Any, part: bytes) -> bool:
    """Whether a decompressor has more to give before it needs input."""
    return bool(part) and not machine.eof and getattr(machine, "needs_input", True) is False


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
