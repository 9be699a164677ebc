"""Reads captures with nothing but struct, so that the recorder is not judged by its own code."""

import struct
from dataclasses import dataclass
from pathlib import Path

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


@dataclass(frozen=True)
class Packet:
    time: int
    """In microseconds."""
    length: int
    """Of the IP packet."""
    source: tuple[bytes, int]
    target: tuple[bytes, int]
    sequence: int
    acknowledged: int
    flags: int
    payload: bytes
    checksums: tuple[int, ...]
    """What the words sum up to, checksums included: 0xFFFF where they are right (RFC 1071)."""


def read_packets(data: bytes) -> list[Packet]:
    magic, major, minor, _, _, _, link_type = struct.unpack_from("<IHHiIII", data)
    assert (magic, major, minor, link_type) == (0xA1B2C3D4, 2, 4, 1)
    packets = []
    at = 24
    while at < len(data):
        seconds, microseconds, captured, length = struct.unpack_from("<IIII", data, at)
        assert captured == length
        assert microseconds < 1_000_000
        frame = data[at + 16 : at + 16 + captured]
        assert len(frame) == captured
        packets.append(read_frame(seconds * 1_000_000 + microseconds, frame))
        at += 16 + captured
    return packets


def read_frame(time: int, frame: bytes) -> Packet:
    ether_type = int.from_bytes(frame[12:14], "big")
    packet = frame[14:]
    checksums: tuple[int, ...]
    if ether_type == 0x0800:
        assert packet[0] == 0x45
        assert int.from_bytes(packet[2:4], "big") == len(packet)
        source, target, protocol, segment = packet[12:16], packet[16:20], packet[9], packet[20:]
        checksums = (words_sum(packet[:20]),)
    else:
        assert ether_type == 0x86DD
        assert packet[0] == 0x60
        assert int.from_bytes(packet[4:6], "big") == len(packet) - 40
        source, target, protocol, segment = packet[8:24], packet[24:40], packet[6], packet[40:]
        checksums = ()
    assert protocol == 6
    pseudo_header = source + target + struct.pack(">II", len(segment), protocol)
    checksums += (words_sum(pseudo_header + segment),)
    ports_and_numbers = struct.unpack_from(">HHIIBB", segment)
    from_port, to_port, sequence, acknowledged, offset, flags = ports_and_numbers
    payload = segment[(offset >> 4) * 4 :]
    ends = (source, from_port), (target, to_port)
    return Packet(time, len(packet), *ends, sequence, acknowledged, flags, payload, checksums)


def words_sum(data: bytes) -> int:
    total = 0
    for at in range(0, len(data) - 1, 2):
        total += data[at] << 8 | data[at + 1]
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def streams(packets: list[Packet]) -> dict[tuple[tuple[bytes, int], tuple[bytes, int]], bytes]:
    """Return what each end sent to which other, in the order of the packets."""
    sent: dict[tuple[tuple[bytes, int], tuple[bytes, int]], bytearray] = {}
    for packet in packets:
        sent.setdefault((packet.source, packet.target), bytearray()).extend(packet.payload)
    return {ends: bytes(data) for ends, data in sent.items()}


def records(stream: bytes) -> list[tuple[int, bytes]]:
    """Return content type and fragment of each TLS record."""
    found = []
    while stream:
        length = int.from_bytes(stream[3:5], "big")
        assert len(stream) >= 5 + length
        found.append((stream[0], stream[5 : 5 + length]))
        stream = stream[5 + length :]
    return found


def capture_of(path: Path) -> list[Packet]:
    return read_packets(path.read_bytes())
