"""Any capture as blocks of pcapng, to be written again: each as its bytes are, with what is needed to change it.

pcapng: draft-ietf-opsawg-pcapng; pcap (draft-ietf-opsawg-pcap) is told as the blocks that say the same. Frames count
as :mod:`tlsalert.wire.capfile` counts them, and damage ends the blocks where it ends the packets there.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterable, Iterator
from typing import Final, NamedTuple

from tlsalert.wire.capfile import MAX_PACKET, PCAP_MAGICS, PCAPNG_MAGIC, is_other_frame

SECTION: Final = 0x0A0D0D0A
INTERFACE: Final = 1
OLD_PACKET: Final = 2
SIMPLE_PACKET: Final = 3
ENHANCED_PACKET: Final = 6
SECRETS: Final = 10
PACKETS: Final = frozenset((OLD_PACKET, SIMPLE_PACKET, ENHANCED_PACKET))
COMMENT: Final = 1
#: The longest option that is written: its length is a number of 16 bits.
MAX_OPTION: Final = 0xFFFC
#: Where the captured bytes of a packet begin in its block.
DATA_AT: Final = {OLD_PACKET: 28, SIMPLE_PACKET: 12, ENHANCED_PACKET: 28}
_TSRESOL, _FCSLEN = 9, 13


class Block(NamedTuple):
    """One block: its type, all its bytes, its byte order as :mod:`struct` writes it, and a packet's frame, else 0."""

    kind: int
    data: bytes
    order: str
    frame: int


class Blocks:
    """Goes once through a capture's chunks, whose first one has at least its file header.

    ``left`` is how many bytes at the end were no whole block or packet, or come after damage. Of a pcap only the
    frames that are ``wanted`` are told, for there the blocks have to be made; a pcapng tells all that it has.
    """

    def __init__(self, chunks: Iterable[bytes], wanted: Container[int] | None = None) -> None:
        self.left = 0
        self._wanted = wanted
        self._chunks = iter(chunks)
        self._rest = b""
        self._frame = 0

    def __iter__(self) -> Iterator[Block]:
        self._rest = next(self._chunks, b"")
        yield from self._pcapng() if self._rest.startswith(PCAPNG_MAGIC) else self._pcap()

    # -- pcapng

    def _pcapng(self) -> Iterator[Block]:
        order = "<"
        data, at = self._rest, 0
        while True:
            if len(data) - at >= 12:
                if data[at : at + 4] == PCAPNG_MAGIC:
                    order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
                kind, length = struct.unpack_from(order + "II", data, at)
                if length < 12 or length > MAX_PACKET + 4096 or length & 3:
                    break
                if kind == SECTION and length < 28:
                    break
                if len(data) - at >= length:
                    yield Block(kind, data[at : at + length], order, self._counted(kind, length))
                    at += length
                    continue
            more = next(self._chunks, None)
            if more is None:
                break
            data, at = data[at:] + more, 0
        self.left = len(data) - at + sum(len(chunk) for chunk in self._chunks)

    def _counted(self, kind: int, length: int) -> int:
        """Return a packet's frame; one whose block cannot hold it counts for none, as the reader has it."""
        if is_other_frame(kind):
            self._frame += 1
            return 0
        if kind not in PACKETS or length < (16 if kind == SIMPLE_PACKET else 32):
            return 0
        self._frame += 1
        return self._frame

    # -- pcap

    def _pcap(self) -> Iterator[Block]:
        data = self._rest
        if data[:4] not in PCAP_MAGICS or len(data) < 24:
            self.left = len(data) + sum(len(chunk) for chunk in self._chunks)
            return
        little, unit = PCAP_MAGICS[data[:4]]
        order = "<" if little else ">"
        snap, link = struct.unpack_from(order + "II", data, 16)
        yield section(order)
        yield interface(order, link & 0xFFFF, snap, 9 if unit == 1 else 6, link >> 28 if link & 0x04000000 else 0)
        head = 24 if data[:4] in (b"\x34\xcd\xb2\xa1", b"\xa1\xb2\xcd\x34") else 16
        per_second = 1_000_000_000 // unit
        at = 24
        fields = struct.Struct(order + "IIII")
        while True:
            if len(data) - at >= head:
                seconds, fraction, captured, length = fields.unpack_from(data, at)
                if captured > MAX_PACKET:
                    break
                end = at + head + captured
                if len(data) >= end:
                    self._frame += 1
                    if self._wanted is None or self._frame in self._wanted:
                        ticks = seconds * per_second + fraction
                        yield packet(order, ticks, length, data[at + head : end], self._frame)
                    at = end
                    continue
            more = next(self._chunks, None)
            if more is None:
                break
            data, at = data[at:] + more, 0
        self.left = len(data) - at + sum(len(chunk) for chunk in self._chunks)


# -- blocks that are made


def made(kind: int, body: bytes, order: str, frame: int = 0) -> Block:
    """Make a block of its type and body, which is filled up to whole words."""
    length = struct.pack(order + "I", 12 + len(body) + (-len(body) & 3))
    return Block(kind, struct.pack(order + "I", kind) + length + body + bytes(-len(body) & 3) + length, order, frame)


def section(order: str) -> Block:
    """Make a section header without options: version 1.0, of unknown length."""
    return made(SECTION, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(order: str, link: int, snap: int, digits: int, fcs_words: int = 0) -> Block:
    """Make an interface description. Frame check sequences have ``fcs_words`` words of 16 bits, 0: not known."""
    options = option(_TSRESOL, bytes((digits,)), order)
    if fcs_words:
        options += option(_FCSLEN, bytes((2 * fcs_words,)), order)
    return made(INTERFACE, struct.pack(order + "HHI", link, 0, snap) + options + bytes(4), order)


def packet(order: str, ticks: int, length: int, data: bytes, frame: int, where: int = 0) -> Block:
    """Make the packet of ``length`` bytes of which ``data`` was captured at ``ticks``, on interface ``where``."""
    head = struct.pack(order + "IIIII", where, ticks >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF, len(data), length)
    return made(ENHANCED_PACKET, head + data, order, frame)


def key_log(text: bytes, order: str) -> Block:
    """Make a block of decryption secrets that holds a key log of TLS ("TLSK")."""
    return made(SECRETS, struct.pack(order + "II", 0x544C534B, len(text)) + text, order)


def option(code: int, value: bytes, order: str) -> bytes:
    """Return an option, filled up to whole words."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) & 3)


# -- blocks that are changed


def commented(block: Block, comments: Iterable[str]) -> Block | None:
    """Return a packet or section header with comments before its other options, all else as it was.

    None where it has no room: a simple packet block has no options, and a damaged one not where they belong.
    """
    at = _options_at(block)
    if at is None:
        return None
    added = b"".join(option(COMMENT, _cut(text), block.order) for text in comments)
    if at == len(block.data) - 4:
        added += bytes(4)  # opt_endofopt: none was there
    return unmeasured(made(block.kind, block.data[8:at] + added + block.data[at:-4], block.order, block.frame))


def unmeasured(block: Block) -> Block:
    """Return a section header that does not say how long its section is, which is another now; any other as it is."""
    if block.kind != SECTION:
        return block
    return block._replace(data=block.data[:16] + b"\xff" * 8 + block.data[24:])


def captured(block: Block) -> tuple[int, int, bytes]:
    """Return a packet's interface, its full length and its captured bytes (those that are there, where it is damaged).

    A simple packet block is filled up beyond the snap length, which its interface alone knows.
    """
    if block.kind == SIMPLE_PACKET:
        (length,) = struct.unpack_from(block.order + "I", block.data, 8)
        return 0, length, block.data[12 : min(12 + length, len(block.data) - 4)]
    form = "I" if block.kind == ENHANCED_PACKET else "H"
    (where,) = struct.unpack_from(block.order + form, block.data, 8)
    size, length = struct.unpack_from(block.order + "II", block.data, 20)
    return where, length, block.data[28 : min(28 + size, len(block.data) - 4)]


def _options_at(block: Block) -> int | None:
    """Return where a block's options begin, or could."""
    if block.kind == SECTION:
        return 24
    if block.kind not in (ENHANCED_PACKET, OLD_PACKET):
        return None
    (size,) = struct.unpack_from(block.order + "I", block.data, 20)
    at = int(28 + size + (-size & 3))
    return at if at <= len(block.data) - 4 else None


def _cut(text: str) -> bytes:
    """Return a comment as UTF-8 that fits into an option."""
    return text.encode("utf-8", "backslashreplace")[:MAX_OPTION].decode("utf-8", "ignore").encode()
