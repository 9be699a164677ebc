"""A block of the ring that Linux fills with packets (TPACKET_V3) → pcapng, in one walk.

The layout is that of the kernel's <linux/if_packet.h>; numbers are in the machine's own order, and only little-endian
machines use it. pcapng: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

from typing import Final

from librt.strings import BytesWriter, read_i16_le, read_i32_le, write_i32_le
from mypy_extensions import i64

from tlsalert.wire.flow import signed

#: Where a block says how many packets it holds, where the first one is, and how many of its bytes are used.
PACKETS: Final = 12
FIRST: Final = 16
USED: Final = 20
#: The fixed part of a packet's header: struct tpacket3_hdr, then struct sockaddr_ll up to its sll_pkttype.
HEADER: Final = 59
VLAN_VALID: Final = 0x10
VLAN_PROTOCOL_VALID: Final = 0x40
VLAN: Final = 0x8100
#: sll_pkttype of what this machine sent itself.
OUTGOING: Final = 4
#: Both MAC addresses: a VLAN's tag, which the kernel took out, stands behind them.
ADDRESSES: Final = 12

ENHANCED_PACKET: Final = 6
#: What an enhanced packet block takes besides the packet.
AROUND: Final = 32


def enhanced_packets(block: bytes, interface: i64, both_ways: bool) -> tuple[bytes, int]:
    """Return a block's packets as enhanced packet blocks (times in nanoseconds), and how many they are.

    Without ``both_ways`` what the machine sent itself is left out: on loopback it comes once more as received.
    """
    writer = BytesWriter()
    size: i64 = len(block)
    if size < USED + 4:
        return b"", 0
    left = _u32(block, PACKETS)
    at = _u32(block, FIRST)
    written = 0
    while left > 0 and at + HEADER <= size:
        if both_ways or block[at + HEADER - 1] != OUTGOING:
            start = at + _u16(block, at + 24)
            captured = _u32(block, at + 12)
            if start + captured > size:
                break
            _write(writer, block, at, start, captured, interface)
            written += 1
        step = _u32(block, at)
        if step == 0:
            break
        at += step
        left -= 1
    return writer.getvalue(), written


def enhanced_packet(data: bytes, full: i64, interface: i64, time: i64) -> bytes:
    """Return one packet as an enhanced packet block: ``full`` bytes long on the wire, at ``time`` in nanoseconds."""
    writer = BytesWriter()
    size: i64 = len(data)
    _head(writer, size, full, interface, time)
    writer.write(data)
    _tail(writer, size)
    return writer.getvalue()


def _write(writer: BytesWriter, block: bytes, at: i64, start: i64, captured: i64, interface: i64) -> None:
    """Write the packet whose header stands at ``at``, with the VLAN tag that the kernel put into the header."""
    status = _u32(block, at + 20)
    full = _u32(block, at + 16)
    time = _u32(block, at + 4) * 1_000_000_000 + _u32(block, at + 8)
    if status & VLAN_VALID == 0 or captured < ADDRESSES:
        _head(writer, captured, full, interface, time)
        writer.write(block[start : start + captured])
        _tail(writer, captured)
        return
    protocol: i64 = _u16(block, at + 36) if status & VLAN_PROTOCOL_VALID else VLAN
    tag = _u16(block, at + 32)
    _head(writer, captured + 4, full + 4, interface, time)
    writer.write(block[start : start + ADDRESSES])
    writer.write(bytes((int(protocol >> 8), int(protocol & 255), int(tag >> 8), int(tag & 255))))
    writer.write(block[start + ADDRESSES : start + captured])
    _tail(writer, captured + 4)


def _head(writer: BytesWriter, captured: i64, full: i64, interface: i64, time: i64) -> None:
    write_i32_le(writer, ENHANCED_PACKET)
    write_i32_le(writer, signed(AROUND + (captured + 3 & ~3)))
    write_i32_le(writer, signed(interface))
    write_i32_le(writer, signed(time >> 32))
    write_i32_le(writer, signed(time & 0xFFFFFFFF))
    write_i32_le(writer, signed(captured))
    write_i32_le(writer, signed(full))


def _tail(writer: BytesWriter, captured: i64) -> None:
    """Fill up to a multiple of four bytes, and say the block's length once more."""
    padding = -captured & 3
    if padding > 0:
        writer.write(b"\0\0\0"[:padding])
    write_i32_le(writer, signed(AROUND + captured + padding))


def _u32(data: bytes, at: i64) -> i64:
    return i64(read_i32_le(data, at)) & 0xFFFFFFFF


def _u16(data: bytes, at: i64) -> i64:
    return i64(read_i16_le(data, at)) & 0xFFFF
