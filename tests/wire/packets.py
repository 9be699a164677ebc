"""Segments, packets and capture files made by hand: RFC 9293, RFC 791, RFC 8200, and the two capture formats."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Literal

from tlsalert.wire.capfile import CaptureParser
from tlsalert.wire.flow import Flow
from tlsalert.wire.flowmap import ends
from tlsalert.wire.network import Network
from tlsalert.wire.tcp import TcpTable

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
CLIENT, SERVER = "10.0.0.5", "10.0.0.7"
CLIENT6, SERVER6 = "2001:db8::5", "2001:db8::7"
SECOND = 1_000_000_000
#: What the clocks of hand-made captures say: 2021-06-17 08:51:03 UTC.
START = 1_623_919_863 * SECOND

ETHERNET, NULL, PPP, RAW, LOOP, SLL, IPV4_LINK, IPV6_LINK, SLL2 = 1, 0, 9, 101, 108, 113, 228, 229, 276

Side = Literal["client", "server"]
Order = Literal["<", ">"]


def segment(
    payload: bytes = b"",
    seq: int = 0,
    ack: int = 0,
    flags: int = ACK,
    ports: tuple[int, int] = (40112, 5900),
    options: bytes = b"",
) -> bytes:
    """Return a TCP segment; its checksum is 0, which no reader of captures can mind (offloading leaves it open)."""
    offset = (20 + len(options)) // 4 << 12
    return struct.pack(">HHIIHHHH", *ports, seq % 2**32, ack % 2**32, offset | flags, 0x7FFF, 0, 0) + options + payload


def ipv4(
    inner: bytes,
    protocol: int = 6,
    addresses: tuple[str, str] = (CLIENT, SERVER),
    total: int | None = None,
    fragment: int = 0x4000,
    options: bytes = b"",
) -> bytes:
    size = 20 + len(options) + len(inner) if total is None else total
    head = 0x40 | (20 + len(options)) // 4
    fields = struct.pack(">BBHHHBBH", head, 0, size, 1, fragment, 64, protocol, 0)
    return fields + b"".join(ip_address(one).packed for one in addresses) + options + inner


def ipv6(
    inner: bytes,
    protocol: int = 6,
    addresses: tuple[str, str] = (CLIENT6, SERVER6),
    size: int | None = None,
) -> bytes:
    fields = struct.pack(">IHBB", 6 << 28, len(inner) if size is None else size, protocol, 64)
    return fields + b"".join(ip_address(one).packed for one in addresses) + inner


def ethernet(inner: bytes, kind: int = 0x0800) -> bytes:
    return b"\x02\x00\x0a\x00\x00\x07" + b"\x02\x00\x0a\x00\x00\x05" + struct.pack(">H", kind) + inner


class Line:
    """A TCP connection whose segments go to a table in whatever order a test likes.

    Data is placed by its offset in the side's stream; a side's first byte has its initial sequence number plus one.
    """

    def __init__(
        self,
        table: TcpTable | None = None,
        numbers: tuple[int, int] = (1000, 9000),
        ports: tuple[int, int] = (40112, 5900),
    ) -> None:
        self.table = TcpTable() if table is None else table
        self.numbers = numbers
        self.ports = ports
        self.frame = 0
        self.time = START

    def open(self) -> Line:
        """Exchange SYN, SYN-ACK and ACK."""
        return self.syn().syn_ack().put("client", 0, ack=0)

    def syn(self, data: bytes = b"") -> Line:
        return self.put("client", -1, data, SYN)

    def syn_ack(self) -> Line:
        return self.put("server", -1, flags=SYN | ACK, ack=0)

    def put(
        self, side: Side, offset: int, data: bytes = b"", flags: int = ACK, ack: int | None = None, cut: int = 0
    ) -> Line:
        """Send one segment; ``ack`` is an offset of the peer's stream, ``cut`` what the capture lacks of its end."""
        own = 0 if side == "client" else 1
        seq = self.numbers[own] + 1 + offset
        acked = 0 if ack is None else self.numbers[1 - own] + 1 + ack
        ports = self.ports if own == 0 else (self.ports[1], self.ports[0])
        whole = segment(data, seq, acked, flags, ports)
        ends = (CLIENT, SERVER) if own == 0 else (SERVER, CLIENT)
        key = b"".join(ip_address(one).packed for one in ends) + struct.pack(">HH", *ports)
        self.frame += 1
        self.time += 1_000_000
        # not at the data's beginning and not to its end: a reader that leaves its bounds shows
        held = b"\xee" * 7 + whole[: len(whole) - cut] + b"\x16\x03\x03"
        self.table.packet(key, held, 7, 7 + len(whole) - cut, len(whole), self.frame, self.time)
        return self

    def end(self) -> Flow:
        """Finish the capture and return its only flow."""
        (flow,) = self.flows()
        return flow

    def flows(self) -> list[Flow]:
        """Finish the capture and return all flows that had data, in the order of their first packets."""
        self.table.finish()
        return sorted(self.table.finished, key=lambda flow: int(flow.number))


def flow_of(key: bytes, number: int = 0, time: int = START) -> Flow:
    """Return a flow of which nothing but its ends is known."""
    near, far = ends(key)
    return Flow(near, far, key if near < 0 else None, number, 1, time)


def reverse(key: bytes) -> bytes:
    """Return the key of the other direction."""
    size = (len(key) - 4) // 2
    return key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]


def flows_of(*chunks: bytes) -> list[Flow]:
    """Read a capture file, given in chunks, and return its flows."""
    return Capture(*chunks).flows


class Capture:
    """A capture file read through all layers; ``parser`` and ``network`` show what they counted."""

    def __init__(self, *chunks: bytes) -> None:
        self.table = TcpTable()
        self.network = Network(self.table)
        self.parser = CaptureParser(self.network)
        for chunk in chunks:
            self.parser.feed(chunk)
            self.table.settle()
        self.parser.finish()
        self.table.finish()
        self.flows = sorted(self.table.finished, key=lambda flow: int(flow.number))


def pcap(
    packets: Sequence[bytes | tuple[int, bytes]],
    link: int = ETHERNET,
    order: Order = "<",
    nano: bool = False,
    modified: bool = False,
) -> bytes:
    """Return a pcap file. A packet comes with its time in nanoseconds or gets the next millisecond."""
    magic = 0xA1B2CD34 if modified else 0xA1B23C4D if nano else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262_144, link)]
    for time, packet in timed(packets):
        seconds, rest = divmod(time, SECOND)
        parts.append(
            struct.pack(order + "IIII", seconds, rest if nano else rest // 1000, len(packet), len(packet))
            + (bytes(8) if modified else b"")
            + packet
        )
    return b"".join(parts)


def timed(packets: Sequence[bytes | tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    return [
        (START + number * 1_000_000, packet) if isinstance(packet, bytes) else packet
        for number, packet in enumerate(packets)
    ]


def block(kind: int, body: bytes, order: Order = "<") -> bytes:
    """Return a pcapng block with its length at both ends."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def section(order: Order = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = ETHERNET, order: Order = "<", options: Sequence[tuple[int, bytes]] = ()) -> bytes:
    """Return an interface description block; without options its times are microseconds."""
    listed = b"".join(
        struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in options
    )
    return block(1, struct.pack(order + "HHI", link, 0, 0) + listed + (bytes(4) if options else b""), order)


def enhanced(packet: bytes, ticks: int, number: int = 0, order: Order = "<", length: int | None = None) -> bytes:
    """Return an enhanced packet block: ``ticks`` in its interface's unit, ``length`` on the wire."""
    full = len(packet) if length is None else length
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), full)
    return block(6, head + packet, order)


def simple(packet: bytes, order: Order = "<") -> bytes:
    return block(3, struct.pack(order + "I", len(packet)) + packet, order)


def old(packet: bytes, ticks: int, number: int = 0, order: Order = "<") -> bytes:
    """Return a packet block of the kind that the enhanced one replaced (draft-ietf-opsawg-pcapng, appendix A)."""
    head = struct.pack(order + "HHIIII", number, 0xFFFF, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet))
    return block(2, head + packet, order)
