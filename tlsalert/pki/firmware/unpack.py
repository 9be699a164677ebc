"""Unpacking blocks and streams, each bounded: what a header claims is never allocated, a bomb ends with a sentence."""

from __future__ import annotations

import bz2
import lzma
import zlib
from io import BytesIO
from typing import Any, Final, Protocol

import zstandard

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Data

#: What a decoder of LZMA may take for its dictionary: xz -9 wants 64 MiB.
LZMA_MEMORY: Final = 128 << 20
#: The window that a Zstandard frame may want; what "zstd --long" takes by default.
ZSTD_WINDOW: Final = 1 << 27
CHUNK: Final = 1 << 16

GZIP, XZ, LZMA, BZIP2, ZSTD = b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x5d\0\0", b"BZh", b"\x28\xb5\x2f\xfd"
LZ4, LZ4_LEGACY = b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18"
#: The names of streams and how they begin.
STREAMS: Final = (
    ("gzip", GZIP),
    ("xz", XZ),
    ("bzip2", BZIP2),
    ("zstd", ZSTD),
    ("lz4", LZ4),
    ("lz4", LZ4_LEGACY),
    ("lzma", LZMA),
)

_TOO_MUCH = "it unpacks to more than {} bytes"


class _Decoder(Protocol):
    """What zlib, lzma and bz2 have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


def inflate(packed: bytes, most: int, wbits: int = zlib.MAX_WBITS) -> bytes:
    """Return a zlib block's plain bytes; with ``wbits`` -15 a bare DEFLATE block's."""
    decoder = zlib.decompressobj(wbits)
    plain = decoder.decompress(packed, most + 1)
    if len(plain) > most:
        raise DecodeError(_TOO_MUCH.format(most))
    if not decoder.eof:
        raise DecodeError("its compressed bytes end too early")
    return plain


def unxz(packed: bytes, most: int) -> bytes:
    """Return the plain bytes of a block of xz or of the older LZMA."""
    decoder = lzma.LZMADecompressor(memlimit=LZMA_MEMORY)
    plain = decoder.decompress(packed, most + 1)
    if len(plain) > most:
        raise DecodeError(_TOO_MUCH.format(most))
    return plain


def unzstd(packed: bytes, most: int) -> bytes:
    """Return the plain bytes of a Zstandard frame, RFC 8878."""
    with zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).stream_reader(BytesIO(packed)) as reader:
        plain: bytes = reader.read(most + 1)
    if len(plain) > most:
        raise DecodeError(_TOO_MUCH.format(most))
    return plain


def unlz4(packed: bytes, most: int, before: bytes = b"") -> bytes:
    """Return the plain bytes of an LZ4 block (lz4_Block_format.md of the LZ4 project), after what came ``before``."""
    out, at, end, base = bytearray(before), 0, len(packed), len(before)
    while at < end:
        token = packed[at]
        size, at = _lz4_length(packed, at + 1, token >> 4)
        if at + size > end or len(out) - base + size > most:
            raise DecodeError("a literal of its LZ4 block reaches too far")
        out += packed[at : at + size]
        at += size
        if at == end:
            break  # the last sequence has no match
        if at + 2 > end:
            raise DecodeError("its LZ4 block ends inside a sequence")
        distance = packed[at] | packed[at + 1] << 8
        size, at = _lz4_length(packed, at + 2, token & 15)
        _copy_back(out, distance, size + 4, most + base)
    return bytes(out[base:])


def _lz4_length(packed: bytes, at: int, size: int) -> tuple[int, int]:
    """Return a length and where it ends: 15 goes on in further bytes, until one is not 255."""
    if size == 15:
        while True:
            if at >= len(packed):
                raise DecodeError("its LZ4 block ends inside a length")
            more = packed[at]
            at, size = at + 1, size + more
            if more != 255:
                break
    return size, at


def _copy_back(out: bytearray, distance: int, size: int, most: int) -> None:
    """Repeat bytes that were written ``distance`` ago; where that is less than ``size``, they repeat themselves."""
    start = len(out) - distance
    if distance < 1 or start < 0 or len(out) + size > most:
        raise DecodeError("a repetition of its block reaches too far")
    if distance >= size:
        out += out[start : start + size]
    else:
        out += (bytes(out[start:]) * (size // distance + 1))[:size]


def unlzo(packed: bytes, most: int) -> bytes:
    """Return the plain bytes of an LZO1X block (Documentation/staging/lzo.rst of Linux), without its RLE of zeros."""
    reader, out = _Lzo(packed), bytearray()
    literals = 0  # 0 to 3 after a match; 4: a run of literals came before
    first = reader.peek()
    if first > 17:
        reader.byte()
        size = first - 17
        out += reader.take(size)
        literals = min(size, 4)
    while True:
        code = reader.byte()
        if code < 16 and literals == 0:
            out += reader.take(3 + (code or reader.long(15)))
            literals = 4
            if len(out) > most:
                raise DecodeError(_TOO_MUCH.format(most))
            continue
        if code < 16:
            low = reader.byte()
            distance = (low << 2) + (code >> 2) + (2049 if literals == 4 else 1)
            size = 3 if literals == 4 else 2
            state = code & 3
        elif code < 64:
            size = 2 + ((code & (31 if code >= 32 else 7)) or reader.long(31 if code >= 32 else 7))
            word = reader.byte() | reader.byte() << 8
            state = word & 3
            if code >= 32:
                distance = (word >> 2) + 1
            else:
                distance = ((code & 8) << 11) + (word >> 2) + 16384
                if distance == 16384:
                    return bytes(out)  # the block's end
        else:
            low = reader.byte()
            size = (code >> 5) + 1 if code >= 128 else 3 + (code >> 5 & 1)
            distance = (low << 3) + (code >> 2 & 7) + 1
            state = code & 3
        _copy_back(out, distance, size, most)
        out += reader.take(state)
        literals = state


class _Lzo:
    """The bytes of an LZO block, taken in order."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def peek(self) -> int:
        if self._at >= len(self._data):
            raise DecodeError("its LZO block ends too early")
        return self._data[self._at]

    def byte(self) -> int:
        value = self.peek()
        self._at += 1
        return value

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise DecodeError("its LZO block ends too early")
        self._at += size
        return self._data[self._at - size : self._at]

    def long(self, base: int) -> int:
        """Return a length whose code was 0: each zero byte adds 255, the first other one ends it."""
        while (more := self.byte()) == 0:
            base += 255
        return base + more


def unrtime(packed: bytes, plain_size: int) -> bytes:
    """Return the plain bytes of a block of rtime, JFFS2's own compressor (fs/jffs2/compr_rtime.c of Linux)."""
    positions, out = [0] * 256, bytearray()
    for at in range(0, len(packed) - 1, 2):
        if len(out) >= plain_size:
            break
        value, repeat = packed[at], packed[at + 1]
        out.append(value)
        back = positions[value]
        positions[value] = len(out)
        if repeat:
            _copy_back(out, len(out) - back, min(repeat, plain_size - len(out)), plain_size)
    return bytes(out)


def stream_kind(data: Data, at: int = 0) -> str | None:
    """Return which kind of compressed stream begins here."""
    head = data[at : at + 6]
    return next((name for name, sign in STREAMS if head.startswith(sign)), None)


def unpack_stream(kind: str, data: Data, at: int, most: int, ratio: int, ratio_from: int) -> tuple[bytes, int, str]:
    """Return a stream's plain bytes, where it ends in ``data``, and what is wrong with it ("" where nothing is).

    No more than ``most`` bytes are made, and beyond ``ratio_from`` no more than ``ratio`` times the packed ones: what
    came so far is returned. Raises DecodeError (or the decoder's error) where not even its beginning is such a stream.
    """
    if kind == "zstd":
        return _zstd_stream(data, at, most, ratio, ratio_from)
    if kind == "lz4":
        return _lz4_stream(data, at, most, ratio, ratio_from)
    decoder: Any
    if kind == "gzip":
        decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    elif kind == "bzip2":
        decoder = bz2.BZ2Decompressor()
    else:
        form = lzma.FORMAT_XZ if kind == "xz" else lzma.FORMAT_ALONE
        decoder = lzma.LZMADecompressor(format=form, memlimit=LZMA_MEMORY)
    return _drained(decoder, data, at, (most, ratio, ratio_from))


def _drained(decoder: Any, data: Data, at: int, bounds: tuple[int, int, int]) -> tuple[bytes, int, str]:
    """Feed a decoder in pieces until its stream ends, breaks, or has given too much."""
    most, ratio, ratio_from = bounds
    out, begin, wrong = bytearray(), at, ""
    is_zlib = not hasattr(decoder, "needs_input")
    waiting = b""
    try:
        while not decoder.eof:
            step = min(max(len(out), 1024), CHUNK * 4)  # an error takes with it what the same call would have given
            if is_zlib:
                waiting = waiting or data[at : at + CHUNK]
                fresh = len(waiting)
                piece = decoder.decompress(waiting, step)
                waiting = decoder.unconsumed_tail
                at += fresh - len(waiting)
                starved = not fresh
            else:
                waiting = data[at : at + CHUNK] if decoder.needs_input else b""
                starved = decoder.needs_input and not waiting
                at += len(waiting)
                piece = decoder.decompress(waiting, step)
                waiting = b""
            out += piece
            if starved and not piece:
                wrong = "its compressed bytes end too early"
                break
            if len(out) > most or (len(out) > ratio_from and len(out) > (at - begin) * ratio):
                wrong = f"it unpacks to more than {len(out)} bytes, as a bomb does: the rest is not read"
                break
    except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
        if not out:
            raise
        wrong = f"its compressed bytes are broken ({error})"
    return bytes(out), at - len(decoder.unused_data) if decoder.eof else at, wrong


def _zstd_stream(data: Data, at: int, most: int, ratio: int, ratio_from: int) -> tuple[bytes, int, str]:
    stop = _zstd_end(data, at)
    if stop is None:
        raise DecodeError("it is no whole Zstandard frame")
    most = min(most, max(ratio_from, (stop - at) * ratio))
    reader = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).stream_reader(BytesIO(data[at:stop]))
    out, wrong = bytearray(), ""
    try:
        while piece := reader.read(min(CHUNK * 4, most + 1 - len(out))):
            out += piece
            if len(out) > most:
                wrong = f"it unpacks to more than {most} bytes, as a bomb does: the rest is not read"
                break
    except zstandard.ZstdError as error:
        if not out:
            raise
        wrong = f"its compressed bytes are broken ({error})"
    return bytes(out), stop, wrong


def _zstd_end(data: Data, at: int) -> int | None:
    """Return where a Zstandard frame ends, RFC 8878 §3.1.1; None where it breaks off."""
    descriptor = data[at + 4 : at + 5]
    if not descriptor or descriptor[0] & 0x08:
        return None
    flags = descriptor[0]
    single = flags >> 5 & 1
    size = (single, 2, 4, 8)[flags >> 6]
    at += 5 + (1 - single) + (0, 1, 2, 4)[flags & 3] + size
    while True:
        header = data[at : at + 3]
        if len(header) < 3:
            return None
        word = int.from_bytes(header, "little")
        kind = word >> 1 & 3
        if kind == 3:
            return None
        at += 3 + (1 if kind == 1 else word >> 3)
        if word & 1:
            at += 4 if flags & 4 else 0
            return at if at <= len(data) else None


def _lz4_stream(data: Data, at: int, most: int, ratio: int, ratio_from: int) -> tuple[bytes, int, str]:
    """Read an LZ4 frame (lz4_Frame_format.md of the LZ4 project), or the older form that kernels are packed in."""
    begin, legacy = at, data[at : at + 4] == LZ4_LEGACY
    linked, checked, tail = False, 0, 0
    if legacy:
        at += 4
    else:
        flags = data[at + 4] if at + 6 < len(data) else 0
        if flags >> 6 != 1 or flags & 2:
            raise DecodeError("it is no LZ4 frame")
        linked, checked = not flags & 0x20, 4 if flags & 0x10 else 0
        tail = 4 if flags & 4 else 0
        at += 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
    out, wrong = bytearray(), ""
    while True:
        size = int.from_bytes(data[at : at + 4], "little")
        if at + 4 > len(data) or (legacy and (size > 9 << 20 or not size)):
            wrong = "" if legacy and out else "its compressed bytes end too early"
            break
        if size == 0:
            at += 4 + tail
            break
        plain, size = bool(size >> 31) and not legacy, size & 0x7FFFFFFF
        block = data[at + 4 : at + 4 + size]
        if len(block) < size:
            wrong = "its compressed bytes end too early"
            break
        before = bytes(out[-65536:]) if linked else b""
        try:
            out += block if plain else unlz4(block, (8 << 20), before)
        except DecodeError as error:
            if not out and not legacy:
                raise
            wrong = "" if legacy and out else str(error)
            break
        at += 4 + size + checked
        if len(out) > most or (len(out) > ratio_from and len(out) > (at - begin) * ratio):
            wrong = f"it unpacks to more than {len(out)} bytes, as a bomb does: the rest is not read"
            break
    if not out:
        raise DecodeError(wrong or "it is empty")
    return bytes(out), at, wrong
