"""A block of the kernel's ring becomes pcapng that the reader of captures reads."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.packets import section
from tlsalert.wire.capfile import CaptureParser
from tlsalert.wire.network import Network
from tlsalert.wire.ring import enhanced_packet, enhanced_packets
from tlsalert.wire.tcp import TcpTable

TIME = 1_623_919_863_123_456_789
OUTGOING, HOST = 4, 0
TAGGED, TAGGED_WITH_PROTOCOL = 0x10, 0x50


def packet(
    data: bytes, kind: int = HOST, status: int = 0, tag: int = 0, protocol: int = 0, full: int | None = None
) -> bytes:
    """Return a packet as the kernel writes it: tpacket3_hdr, sockaddr_ll, then the packet at offset 82."""
    size = len(data) if full is None else full
    seconds, rest = divmod(TIME, 1_000_000_000)
    header = struct.pack("<IIIIIHH", seconds, rest, len(data), size, status, 82, 96)
    header += struct.pack("<IIHH8x", 0, tag, protocol, 0)
    address = struct.pack("<HHiHBB8x", 17, 8, 1, 1, kind, 6)
    body = header + address
    body += bytes(82 - 4 - len(body)) + data
    body += bytes(-(len(body) + 4) % 8)
    return struct.pack("<I", len(body) + 4) + body


def block(*packets: bytes, count: int | None = None) -> bytes:
    many = len(packets) if count is None else count
    return struct.pack("<IIIIIIQ16x", 2, 48, 1, many, 48, 48 + sum(map(len, packets)), 7) + b"".join(packets)


def blocks(pcapng: bytes) -> list[tuple[int, int, int, bytes]]:
    """Return interface, time, length on the wire and bytes of each enhanced packet block."""
    found = []
    while pcapng:
        kind, size, interface, high, low, captured, full = struct.unpack_from("<7I", pcapng)
        assert kind == 6
        assert size % 4 == 0
        assert size >= 32 + captured
        assert pcapng[size - 4 : size] == struct.pack("<I", size)
        found.append((interface, high << 32 | low, full, pcapng[28 : 28 + captured]))
        pcapng = pcapng[size:]
    return found


def test_packets_come_with_their_time_and_their_length_on_the_wire() -> None:
    made, many = enhanced_packets(block(packet(b"first packet."), packet(b"second", full=9000)), 3, True)
    assert many == 2
    assert blocks(made) == [(3, TIME, 13, b"first packet."), (3, TIME, 9000, b"second")]


def test_what_was_sent_is_left_out_where_it_comes_a_second_time() -> None:
    sent, received = packet(b"sent", OUTGOING), packet(b"received")
    assert [data for *_, data in blocks(enhanced_packets(block(sent, received), 0, False)[0])] == [b"received"]
    assert enhanced_packets(block(sent, received), 0, True)[1] == 2


@pytest.mark.parametrize(
    ("status", "protocol", "shown"),
    [(TAGGED, 0, 0x8100), (TAGGED_WITH_PROTOCOL, 0x88A8, 0x88A8)],
    ids=["802.1Q", "802.1ad"],
)
def test_a_vlan_tag_goes_back_to_where_the_kernel_took_it_from(status: int, protocol: int, shown: int) -> None:
    data = bytes(range(60))
    made, _ = enhanced_packets(block(packet(data, status=status, tag=0x2064, protocol=protocol)), 0, True)
    ((_, _, full, tagged),) = blocks(made)
    assert tagged == data[:12] + struct.pack(">HH", shown, 0x2064) + data[12:]
    assert full == 64


def test_a_packet_too_short_for_addresses_stays_as_it_is() -> None:
    made, _ = enhanced_packets(block(packet(b"short", status=TAGGED, tag=5)), 0, True)
    assert [data for *_, data in blocks(made)] == [b"short"]


def test_a_packet_by_itself_is_written_alike() -> None:
    made, _ = enhanced_packets(block(packet(b"alike")), 2, True)
    assert enhanced_packet(b"alike", 5, 2, TIME) == made


def test_a_count_that_promises_more_than_there_is_ends_with_the_block() -> None:
    assert enhanced_packets(block(packet(b"one"), count=9), 0, True)[1] == 1


@given(data=st.binary(max_size=300))
def test_no_block_makes_it_raise_and_what_it_makes_is_pcapng(data: bytes) -> None:
    made, many = enhanced_packets(data, 0, True)
    assert len(blocks(made)) == many


@given(data=st.lists(st.binary(max_size=100), max_size=5))
def test_a_capture_s_reader_counts_the_same_packets(data: list[bytes]) -> None:
    parser = CaptureParser(Network(TcpTable()))
    made, many = enhanced_packets(block(*map(packet, data)), 0, True)
    parser.feed(section() + struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20) + made)
    assert (parser.frames, parser.damage) == (many, None)
