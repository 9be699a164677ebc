"""A capture's packets one by one, with frames, link types and times: for what works on packets, not on streams."""

from __future__ import annotations

import struct
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from tlsalert.sources.blocks import INTERFACE, SECTION, SIMPLE_PACKET, Block, Blocks, captured

_TSRESOL, _TSOFFSET = 9, 14


class Packet(NamedTuple):
    """One packet as captured. ``length`` is what it had on the wire; ``time`` is in nanoseconds since 1970, UTC.

    A packet whose block has no time has that of the packet before it.
    """

    frame: int
    link: int
    time: int
    length: int
    data: bytes


class _Interface(NamedTuple):
    link: int
    snap: int
    per_second: int
    offset: int


def packets(chunks: Iterable[bytes], wanted: Container[int] | None = None) -> Iterator[Packet]:
    """Go through the packets in a capture's bytes, or the ``wanted`` frames of them.

    Those of an interface that is not described are left out.
    """
    interfaces: list[_Interface] = []
    time = 0
    for block in Blocks(chunks, wanted):
        if block.kind == SECTION:
            interfaces = []
        elif block.kind == INTERFACE and len(block.data) >= 20:
            interfaces.append(_interface(block))
        elif block.frame:
            number, length, data = captured(block)
            if number >= len(interfaces):
                continue
            interface = interfaces[number]
            if block.kind == SIMPLE_PACKET:
                data = data[: interface.snap] if interface.snap else data
            else:
                high, low = struct.unpack_from(block.order + "II", block.data, 12)
                time = (high << 32 | low) * 1_000_000_000 // interface.per_second + interface.offset * 1_000_000_000
            if wanted is None or block.frame in wanted:
                yield Packet(block.frame, interface.link, time, length, data)


def _interface(block: Block) -> _Interface:
    """Read an interface description: link type, snap length, and what its times count in."""
    link, _, snap = struct.unpack_from(block.order + "HHI", block.data, 8)
    per_second, offset = 1_000_000, 0
    at, stop = 16, len(block.data) - 4
    while at + 4 <= stop:
        code, size = struct.unpack_from(block.order + "HH", block.data, at)
        if code == 0 or at + 4 + size > stop:
            break
        if code == _TSRESOL and size >= 1:
            value = block.data[at + 4]
            per_second = 1 << min(value & 0x7F, 62) if value & 0x80 else 10 ** min(value, 18)
        elif code == _TSOFFSET and size == 8:
            (offset,) = struct.unpack_from(block.order + "q", block.data, at + 4)
        at += 4 + size + (-size & 3)
    return _Interface(link, snap, per_second, offset)
