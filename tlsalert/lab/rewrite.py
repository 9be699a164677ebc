"""Rewrites a recorder's capture: what networks and capturing programs do to packets, and other file formats.

A recorder's conversations are flawless: every packet is there, whole, once and in order. Here they become what
engineers get::

    packets = read_packets(file.getvalue())
    write_pcap([*cut(tagged(packets, 12), 96)])

Formats: pcap of draft-ietf-opsawg-pcap, pcapng of draft-ietf-opsawg-pcapng, both little-endian and Ethernet.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tlsalert.recorder import PCAP_HEADER

#: The magic number of a pcap whose times have nanoseconds.
NANOSECOND_MAGIC = 0xA1B23C4D
SECTION_HEADER, INTERFACE, ENHANCED_PACKET, DECRYPTION_SECRETS = 0x0A0D0D0A, 1, 6, 10
#: The kind of secrets that a key log is: "TLSK", draft-ietf-opsawg-pcapng §4.7.
TLS_KEY_LOG = 0x544C534B
ETHERNET = 1


@dataclass(frozen=True)
class Packet:
    """One packet: when (nanoseconds since 1970, UTC), what was kept of it, and how long it was on the wire."""

    time: int
    data: bytes
    length: int


def read_packets(pcap: bytes) -> list[Packet]:
    """Return the packets of what a recorder wrote."""
    packets = []
    at = len(PCAP_HEADER)
    while at < len(pcap):
        seconds, microseconds, kept, length = struct.unpack_from("<IIII", pcap, at)
        at += 16
        packets.append(Packet(seconds * 1_000_000_000 + microseconds * 1000, pcap[at : at + kept], length))
        at += kept
    return packets


def write_pcap(packets: Iterable[Packet], *, nanoseconds: bool = False) -> bytes:
    """Return a pcap file with the packets, their times cut to microseconds unless ``nanoseconds`` are asked for."""
    pieces = [struct.pack("<I", NANOSECOND_MAGIC) + PCAP_HEADER[4:] if nanoseconds else PCAP_HEADER]
    for packet in packets:
        seconds, rest = divmod(packet.time, 1_000_000_000)
        fraction = rest if nanoseconds else rest // 1000
        pieces.append(struct.pack("<IIII", seconds, fraction, len(packet.data), packet.length) + packet.data)
    return b"".join(pieces)


def write_pcapng(packets: Iterable[Packet], *, secrets: bytes = b"", writer: str = "tlsalert lab") -> bytes:
    """Return a pcapng file with nanoseconds. ``secrets`` is a key log that is kept inside it, before the packets."""
    application = _option(4, writer.encode("utf-8"))
    pieces = [_block(SECTION_HEADER, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + application)]
    resolution = _option(9, b"\x09")  # if_tsresol: ten to the minus ninth
    pieces.append(_block(INTERFACE, struct.pack("<HHI", ETHERNET, 0, 262_144) + resolution))
    if secrets:
        pieces.append(_block(DECRYPTION_SECRETS, struct.pack("<II", TLS_KEY_LOG, len(secrets)) + _padded(secrets)))
    for packet in packets:
        high, low = divmod(packet.time, 1 << 32)
        head = struct.pack("<IIIII", 0, high, low, len(packet.data), packet.length)
        pieces.append(_block(ENHANCED_PACKET, head + _padded(packet.data)))
    return b"".join(pieces)


def tagged(packets: Iterable[Packet], vlan: int) -> Iterator[Packet]:
    """Give each frame an IEEE 802.1Q tag with the number of a VLAN."""
    tag = struct.pack(">HH", 0x8100, vlan)
    for packet in packets:
        frame = packet.data[:12] + tag + packet.data[12:]
        yield Packet(packet.time, frame, packet.length + len(tag))


def cut(packets: Iterable[Packet], snap_length: int) -> Iterator[Packet]:
    """Keep the first ``snap_length`` bytes of each packet, as ``tcpdump -s`` does."""
    for packet in packets:
        yield replace(packet, data=packet.data[:snap_length])


def sent_by(packets: Iterable[Packet], address: bytes) -> Iterator[Packet]:
    """Leave only what an IPv4 address sent: a capture at a place where one direction passes."""
    return (packet for packet in packets if packet.data[26:30] == address)


def disturbed(packets: list[Packet], delay: int = 400_000) -> list[Packet]:
    """Let a network disturb the data: every other segment is late by ``delay`` nanoseconds, every third comes twice."""
    found: list[Packet] = []
    data = 0
    for packet in packets:
        late = packet
        if carries_data(packet):
            data += 1
            if data % 2 == 1:
                late = replace(packet, time=packet.time + delay)
            if data % 3 == 0:
                found.append(replace(packet, time=packet.time + 3 * delay))
        found.append(late)
    return sorted(found, key=lambda packet: packet.time)


def carries_data(packet: Packet) -> bool:
    """Whether a segment of TCP over untagged IPv4 has a payload."""
    length = int.from_bytes(packet.data[16:18], "big")
    return length > 20 + (packet.data[46] >> 4) * 4


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _option(code: int, value: bytes) -> bytes:
    """Return one option and the end of options, draft-ietf-opsawg-pcapng §3.5."""
    return struct.pack("<HH", code, len(value)) + _padded(value) + bytes(4)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)
