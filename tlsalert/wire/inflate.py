"""Unpacking certificates, RFC 8879, with a limit that a hostile sender cannot leave."""

from __future__ import annotations

import zlib
from importlib import import_module
from typing import Any, Final

from tlsalert.errors import DecodeError

ZLIB: Final = 1
BROTLI: Final = 2
ZSTD: Final = 3

#: What an honest certificate message never reaches; the field itself allows 16 MiB.
MOST_BYTES: Final = 1 << 20
#: How far back zstd may refer, which is what it allocates: RFC 8878 §3.1.1.1.2 recommends to support this much.
ZSTD_WINDOW: Final = 1 << 23


def inflate(algorithm: int, data: bytes, size: int) -> bytes:
    """Return ``data`` unpacked, which must be ``size`` bytes then. Raises :class:`DecodeError`.

    The claim is checked first, and unpacking stops one byte behind it.
    """
    if size > MOST_BYTES:
        raise DecodeError(f"uncompressed_length claims {size} bytes, {MOST_BYTES} are allowed")
    if algorithm == ZLIB:
        found = _zlib(data, size + 1)
    elif algorithm == BROTLI:
        found = _brotli(data, size + 1)
    elif algorithm == ZSTD:
        found = _zstd(data, size + 1)
    else:
        raise DecodeError(f"compression algorithm {algorithm} is not known")
    if len(found) != size:
        more = "more" if len(found) > size else f"{len(found)}"
        raise DecodeError(f"uncompressed_length claims {size} bytes, unpacked are {more}")
    return found


def _zlib(data: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        return unpacker.decompress(data, limit)
    except zlib.error:
        raise DecodeError("compressed_certificate_message is not zlib's") from None


def _brotli(data: bytes, limit: int) -> bytes:
    try:
        module: Any = import_module("brotli")
    except ImportError:
        raise DecodeError("compressed with brotli: the package brotli is needed to read it") from None
    unpacker = module.Decompressor()
    parts: list[bytes] = []
    total = 0
    try:
        part: bytes = unpacker.process(data, output_buffer_limit=limit)
        while part:
            parts.append(part)
            total += len(part)
            if total >= limit or unpacker.is_finished():
                break
            part = unpacker.process(b"", output_buffer_limit=limit - total)
    except TypeError:  # before 1.2 it could not be told where to stop
        raise DecodeError("compressed with brotli: the package brotli is needed from version 1.2 on") from None
    except module.error:
        raise DecodeError("compressed_certificate_message is not brotli's") from None
    return b"".join(parts)


def _zstd(data: bytes, limit: int) -> bytes:
    module: Any = import_module("zstandard")
    try:
        with module.ZstdDecompressor(max_window_size=ZSTD_WINDOW).stream_reader(data) as reader:
            found: bytes = reader.read(limit)
            return found
    except module.ZstdError:
        raise DecodeError("compressed_certificate_message is not zstd's, or its window is over 8 MiB") from None
