"""What networks and capturing programs do to a recorder's packets, and the formats in which they come."""

import struct
from io import BytesIO

import pytest

from tests.lab.packets import read_packets as judged
from tlsalert.lab.rewrite import (
    Packet,
    carries_data,
    cut,
    disturbed,
    read_packets,
    sent_by,
    tagged,
    write_pcap,
    write_pcapng,
)
from tlsalert.recorder import Recorder

START = 1_623_919_863_217_000_000
MS = 1_000_000


def recorded() -> bytes:
    file = BytesIO()
    with Recorder(file) as recorder:
        conversation = recorder.open(("10.0.0.5", 40112), ("10.0.0.7", 5900), START)
        conversation.send("client", b"question" * 400, START + MS)
        conversation.send("server", b"answer" * 400, START + 2 * MS)
        conversation.close("server", START + 9 * MS)
    return file.getvalue()


PCAP = recorded()
PACKETS = read_packets(PCAP)


def test_what_is_read_and_written_is_what_was_recorded() -> None:
    assert write_pcap(PACKETS) == PCAP
    assert [packet.length for packet in PACKETS] == [14 + packet.length for packet in judged(PCAP)]


def test_nanoseconds_are_kept_where_the_format_has_them() -> None:
    late = Packet(START + 123_456_789, PACKETS[0].data, PACKETS[0].length)
    seconds, fraction = struct.unpack_from("<II", write_pcap([late], nanoseconds=True), 24)
    assert seconds * 1_000_000_000 + fraction == late.time
    seconds, fraction = struct.unpack_from("<II", write_pcap([late]), 24)
    assert seconds * 1_000_000_000 + fraction * 1000 == late.time - 789


def test_pcapng_has_its_blocks_in_order_and_each_says_its_length_twice() -> None:
    data = write_pcapng(PACKETS[:2], secrets=b"CLIENT_RANDOM 00 11\n")
    kinds, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, at + length - 4) == (length,)
        kinds.append(kind)
        at += length
    assert kinds == [0x0A0D0D0A, 1, 10, 6, 6]
    assert b"CLIENT_RANDOM 00 11\n" in data


def test_a_tag_stands_before_the_type_of_what_it_carries() -> None:
    (packet,) = tagged(PACKETS[:1], 12)
    assert packet.data[12:18].hex() == "8100000c0800"
    assert (len(packet.data), packet.length) == (len(PACKETS[0].data) + 4, PACKETS[0].length + 4)


def test_a_cut_packet_still_says_how_long_it_was() -> None:
    kept = list(cut(PACKETS, 96))
    assert max(len(packet.data) for packet in kept) == 96
    assert [packet.length for packet in kept] == [packet.length for packet in PACKETS]


def test_one_side_is_what_that_address_sent() -> None:
    both = [bytes([10, 0, 0, last]) for last in (5, 7)]
    halves = [list(sent_by(PACKETS, address)) for address in both]
    assert sum(map(len, halves)) == len(PACKETS)
    assert {packet.data[26:30] for packet in halves[1]} == {both[1]}


def test_a_disturbed_network_changes_order_and_repeats_but_loses_nothing() -> None:
    late = disturbed(PACKETS)
    times = [packet.time for packet in late]
    assert times == sorted(times)
    assert {packet.data for packet in late} == {packet.data for packet in PACKETS}
    assert len(late) > len(PACKETS)
    assert [packet.data for packet in late if carries_data(packet)] != [p.data for p in PACKETS if carries_data(p)]


@pytest.mark.parametrize(("flags", "payload"), [(0x10, b""), (0x18, b"x")])
def test_what_carries_data(flags: int, payload: bytes) -> None:
    found = [packet for packet in PACKETS if carries_data(packet) == bool(payload) and packet.data[47] & 0x1F == flags]
    assert found
    assert all((len(packet.data) > 66) == bool(payload) for packet in found)
