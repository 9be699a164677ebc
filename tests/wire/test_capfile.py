"""Capture files become packets with numbers and times, whatever their format; damage is told with its place."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire import tls
from tests.wire.packets import (
    ETHERNET,
    RAW,
    SECOND,
    SLL,
    START,
    Capture,
    Order,
    block,
    enhanced,
    ethernet,
    interface,
    ipv4,
    old,
    pcap,
    section,
    segment,
    simple,
)
from tests.wire.reading import told, without_positions
from tlsalert.wire.capfile import MAX_PACKET

HELLO = tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello()))
FLIGHT = tls.said(tls.message(tls.SERVER_HELLO, tls.server_hello()), tls.message(tls.SERVER_HELLO_DONE))
CLIENT_PACKET = ipv4(segment(HELLO, seq=1))
SERVER_PACKET = ipv4(segment(FLIGHT, seq=1, ports=(5900, 40112)), addresses=("10.0.0.7", "10.0.0.5"))
#: Two packets of one connection, 1.5 s and 123,456,789 ns apart.
PACKETS = [ethernet(CLIENT_PACKET), ethernet(SERVER_PACKET)]
TIMES = [START, START + 1_623_456_789]
TOLD = ["client client_hello", "server server_hello", "server server_hello_done"]
TICKS = [time // 1000 for time in TIMES]

orders = pytest.mark.parametrize("order", ["<", ">"], ids=["little-endian", "big-endian"])


def assert_story(capture: Capture, times: list[int]) -> None:
    """Hold a capture to what its two packets say, and to the times at which they say it."""
    (flow,) = capture.flows
    assert flow.transcript is not None
    assert told(flow.transcript) == TOLD
    events = flow.transcript.events
    assert [(event.frame, event.time) for event in events] == [(1, times[0]), (2, times[1]), (2, times[1])]
    assert (capture.parser.frames, capture.parser.snapped, capture.parser.damage) == (2, 0, None)
    assert (capture.parser.first_time, capture.parser.time) == (times[0], times[1])


def cut_to(time: int, unit: int) -> int:
    """Return a time as a file with ticks of ``unit`` nanoseconds holds it."""
    return time // unit * unit


class TestPcap:
    """draft-ietf-opsawg-pcap."""

    @orders
    @pytest.mark.parametrize(
        ("nano", "modified", "unit", "digits"),
        [
            pytest.param(False, False, 1000, 6, id="microseconds"),
            pytest.param(True, False, 1, 9, id="nanoseconds"),
            pytest.param(False, True, 1000, 6, id="Kuznetzov's modified format"),
        ],
    )
    def test_packets_are_read_with_their_times(
        self, order: Order, nano: bool, modified: bool, unit: int, digits: int
    ) -> None:
        data = pcap(list(zip(TIMES, PACKETS, strict=True)), order=order, nano=nano, modified=modified)
        capture = Capture(data)
        assert_story(capture, [cut_to(time, unit) for time in TIMES])
        assert capture.parser.digits == digits

    def test_the_link_type_is_the_headers(self) -> None:
        assert_story(
            Capture(pcap(list(zip(TIMES, [CLIENT_PACKET, SERVER_PACKET], strict=True)), RAW, nano=True)), TIMES
        )

    def test_the_length_of_a_frame_check_sequence_is_no_link_type(self) -> None:
        """The header's upper bits: P and FCS len."""
        data = pcap(list(zip(TIMES, PACKETS, strict=True)), 0x44000000 | ETHERNET, nano=True)
        assert_story(Capture(data), TIMES)

    def test_a_frame_check_sequence_is_not_data(self) -> None:
        """Every packet ends with four bytes that are no part of what it holds."""
        packets = [packet + b"\x15\x03\x03\x00" for packet in PACKETS]
        assert_story(Capture(pcap(list(zip(TIMES, packets, strict=True)), 0x44000000 | ETHERNET, nano=True)), TIMES)

    def test_a_packet_longer_than_it_was_is_read_as_it_stands(self) -> None:
        """Some programs that cut packets open do not say how long the original was."""
        records = [struct.pack("<IIII", 1, 0, len(packet), 0) + packet for packet in PACKETS]
        capture = Capture(pcap([])[:24] + b"".join(records))
        assert [flow.transcript is not None and told(flow.transcript) for flow in capture.flows] == [TOLD]
        assert capture.parser.snapped == 0

    def test_a_snap_length_of_0_is_none(self) -> None:
        data = pcap(list(zip(TIMES, PACKETS, strict=True)), nano=True)
        assert_story(Capture(data[:16] + bytes(4) + data[20:]), TIMES)

    def test_times_go_on_after_2038(self) -> None:
        late = 4_000_000_000 * SECOND
        assert_story(Capture(pcap([(late, PACKETS[0]), (late + 5000, PACKETS[1])])), [late, late + 5000])

    def test_packets_that_the_snap_length_cut_are_counted(self) -> None:
        head, packet = pcap([])[:24], PACKETS[0]
        data = head + struct.pack("<IIII", 0, 0, len(packet) - 10, len(packet)) + packet[:-10]
        assert Capture(data).parser.snapped == 1

    def test_a_capture_without_packets_is_one(self) -> None:
        capture = Capture(pcap([]))
        assert (capture.parser.frames, capture.parser.first_time, capture.parser.damage) == (0, -1, None)

    def test_a_packet_of_no_bytes_counts(self) -> None:
        capture = Capture(pcap([PACKETS[0], b"", PACKETS[1]]))
        assert capture.parser.frames == 3
        assert capture.flows[0].last_frame == 3


class TestPcapng:
    """draft-ietf-opsawg-pcapng."""

    @orders
    def test_enhanced_packets_are_read_with_their_times(self, order: Order) -> None:
        blocks = [enhanced(packet, tick, order=order) for packet, tick in zip(PACKETS, TICKS, strict=True)]
        capture = Capture(section(order) + interface(order=order) + b"".join(blocks))
        assert_story(capture, [tick * 1000 for tick in TICKS])
        assert capture.parser.digits == 6

    @orders
    def test_so_are_the_packet_blocks_of_old(self, order: Order) -> None:
        blocks = [old(packet, tick, order=order) for packet, tick in zip(PACKETS, TICKS, strict=True)]
        assert_story(
            Capture(section(order) + interface(order=order) + b"".join(blocks)), [tick * 1000 for tick in TICKS]
        )

    @orders
    def test_a_simple_packet_has_the_time_of_the_packet_before_it(self, order: Order) -> None:
        """It has none of its own, and belongs to the section's first interface."""
        first, second = enhanced(PACKETS[0], TICKS[0], order=order), simple(PACKETS[1], order)
        assert_story(Capture(section(order) + interface(order=order) + first + second), [TICKS[0] * 1000] * 2)

    @orders
    @pytest.mark.parametrize(
        ("kind", "counts"),
        [
            *((kind, True) for kind in (9, 0x204, 0x216, 0x221, 0xBAD, 0x40000BAD)),
            *((kind, False) for kind in (4, 5, 7, 8, 0x201, 0x208, 0x80000001)),
        ],
    )
    def test_what_wireshark_numbers_without_a_packet_has_a_number_here(
        self, order: Order, kind: int, counts: bool
    ) -> None:
        """Custom blocks, a journal's entries and sysdig's events: counted so by tshark 4.0."""
        first, second = (enhanced(packet, tick, order=order) for packet, tick in zip(PACKETS, TICKS, strict=True))
        between = block(kind, bytes(24), order)
        capture = Capture(section(order) + interface(order=order) + first + between + second)
        (flow,) = capture.flows
        assert flow.transcript is not None
        assert [event.frame for event in flow.transcript.events] == [1, 2 + counts, 2 + counts]

    @pytest.mark.parametrize("snap", [70, 72])
    def test_a_simple_packet_is_cut_to_the_snap_length(self, snap: int) -> None:
        """It says only how long the packet was; its block is filled up to four bytes."""
        packet = PACKETS[0]
        described = block(1, struct.pack("<HHI", ETHERNET, 0, snap))
        cut = block(3, struct.pack("<I", len(packet)) + packet[:snap] + b"\xee" * (-snap % 4))
        capture = Capture(section() + described + cut)
        (flow,) = capture.flows
        assert flow.transcript is not None
        assert (capture.parser.snapped, flow.cut) == (1, 1)
        assert all(0xEE not in (event.body or b"") for event in flow.transcript.events)

    def test_a_capture_of_simple_packets_alone_has_no_times(self) -> None:
        capture = Capture(section() + interface() + simple(PACKETS[0]) + simple(PACKETS[1]))
        assert [flow.transcript is not None and told(flow.transcript) for flow in capture.flows] == [TOLD]
        assert capture.parser.first_time == -1

    @orders
    @pytest.mark.parametrize(
        ("resolution", "per_second", "digits"),
        [
            pytest.param(0, 1, 0, id="seconds"),
            pytest.param(3, 1000, 3, id="milliseconds"),
            pytest.param(6, 10**6, 6, id="microseconds"),
            pytest.param(7, 10**7, 7, id="ticks of 100 ns, as Windows counts"),
            pytest.param(9, 10**9, 9, id="nanoseconds"),
            pytest.param(0x80 | 3, 2**3, 1, id="a second's eighths"),
            pytest.param(0x80 | 10, 2**10, 4, id="a second's 2^-10th parts"),
            pytest.param(0x80 | 20, 2**20, 7, id="a second's 2^-20th parts"),
            pytest.param(0x80 | 30, 2**30, 9, id="a second's 2^-30th parts"),
        ],
    )
    def test_times_count_in_the_interfaces_unit(
        self, order: Order, resolution: int, per_second: int, digits: int
    ) -> None:
        """if_tsresol: a negative power of 10, or with the top bit set of 2; as many decimals as tell ticks apart."""
        ticks = [time * per_second // SECOND for time in TIMES]
        blocks = [enhanced(packet, tick, order=order) for packet, tick in zip(PACKETS, ticks, strict=True)]
        described = interface(order=order, options=[(2, b"eth0"), (9, bytes([resolution]))])
        capture = Capture(section(order) + described + b"".join(blocks))
        assert_story(capture, [tick * SECOND // per_second for tick in ticks])
        assert capture.parser.digits == digits

    def test_the_finest_interface_with_packets_says_how_many_decimals_times_have(self) -> None:
        described = (
            interface(options=[(9, b"\3")]) + interface(options=[(9, b"\7")]) + interface(options=[(9, b"\x09")])
        )
        capture = Capture(section() + described + enhanced(PACKETS[0], START // 10**6) + enhanced(PACKETS[1], 1, 1))
        assert capture.parser.digits == 7

    def test_picoseconds_are_cut_to_nanoseconds(self) -> None:
        """2021 in picoseconds fits in the 64 bits that a time has; 10 decimals and more are cut."""
        ticks = [(time - START) * 1000 + 999 for time in TIMES]
        described = interface(options=[(9, b"\x0c"), (14, struct.pack("<q", START // SECOND))])
        blocks = [enhanced(packet, tick) for packet, tick in zip(PACKETS, ticks, strict=True)]
        assert_story(Capture(section() + described + b"".join(blocks)), TIMES)

    @orders
    @pytest.mark.parametrize("offset", [1, 1_600_000_000, -1, -1_600_000_000, -(2**33)])
    def test_an_offset_in_seconds_is_added(self, order: Order, offset: int) -> None:
        """if_tsoffset, a signed number of 64 bits."""
        ticks = [(time - offset * SECOND) // 1000 for time in TIMES]
        described = interface(order=order, options=[(14, struct.pack(order + "q", offset)), (9, b"\x06")])
        blocks = [enhanced(packet, tick, order=order) for packet, tick in zip(PACKETS, ticks, strict=True)]
        capture = Capture(section(order) + described + b"".join(blocks))
        assert_story(capture, [cut_to(time, 1000) for time in TIMES])

    def test_every_interface_has_its_own_link_type_and_unit(self) -> None:
        cooked = struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 0x0800) + SERVER_PACKET
        described = (
            interface(ETHERNET)
            + interface(RAW, options=[(9, b"\x09")])
            + interface(SLL, options=[(9, b"\x83"), (14, struct.pack("<q", START // SECOND))])
        )
        capture = Capture(section() + described + enhanced(CLIENT_PACKET, START, 1) + enhanced(cooked, 12, 2))
        assert_story(capture, [START, START + 1_500_000_000])

    def test_every_section_has_its_own_byte_order_and_interfaces(self) -> None:
        data = (
            section("<") + interface(105) + interface(RAW) + enhanced(CLIENT_PACKET, TICKS[0], 1)
            + section(">") + interface(ETHERNET, ">") + enhanced(PACKETS[1], TICKS[1], 0, ">")
        )  # fmt: skip
        assert_story(Capture(data), [tick * 1000 for tick in TICKS])

    def test_an_interface_that_was_not_described_is_not_the_one_before(self) -> None:
        capture = Capture(section() + interface() + section(">") + enhanced(PACKETS[0], 1, 0, ">"))
        assert (capture.flows, capture.parser.frames) == ([], 1)

    def test_a_packet_of_an_interface_that_was_not_described_counts(self) -> None:
        """So that the frames after it keep the numbers that Wireshark gives them."""
        blocks = enhanced(PACKETS[0], 1, 7) + enhanced(PACKETS[0], TICKS[0]) + enhanced(PACKETS[1], TICKS[1])
        (flow,) = Capture(section() + interface() + blocks).flows
        assert flow.frame == 2

    @orders
    def test_key_logs_inside_are_handed_out_and_records_are_kept_from_then_on(self, order: Order) -> None:
        """Only those of TLS (0x544c534b): WireGuard's are of no use here."""
        log, other = b"CLIENT_RANDOM 00 11\n", b"\1\2\3"
        body = struct.pack(order + "II", 0x544C534B, len(log)) + log
        odd = struct.pack(order + "II", 0x57474B4C, len(other)) + other
        capture = Capture(section(order) + block(10, odd, order) + block(10, body, order))
        assert capture.parser.secrets == [log]
        assert capture.parser.network.tcp.keeping.on
        assert not capture.parser.late_secrets

    def test_secrets_behind_packets_are_late(self) -> None:
        secrets = block(10, struct.pack("<II", 0x544C534B, 4) + b"abcd")
        capture = Capture(section() + interface() + enhanced(PACKETS[0], 1) + secrets)
        assert capture.parser.late_secrets

    def test_secrets_that_claim_more_than_their_block_are_cut_to_it(self) -> None:
        capture = Capture(section() + block(10, struct.pack("<II", 0x544C534B, 4000) + b"abcd") + interface())
        assert capture.parser.secrets == [b"abcd"]
        assert len(capture.parser.interfaces) == 1

    @pytest.mark.parametrize("kind", [4, 5, 7, 0x80000001])
    def test_other_blocks_are_stepped_over(self, kind: int) -> None:
        """Names, statistics and local ones."""
        other = block(kind, b"whatever is in them")
        parts = (section(), interface(), enhanced(PACKETS[0], TICKS[0]), enhanced(PACKETS[1], TICKS[1]))
        assert_story(Capture(other.join(parts) + other), [tick * 1000 for tick in TICKS])

    def test_options_after_a_packet_are_not_part_of_it(self) -> None:
        comment = struct.pack("<HH", 1, 8) + b"\x16\x03\x01\x00\x05\x01\0\0" + bytes(4)
        packet = PACKETS[0]
        head = struct.pack("<IIIII", 0, 0, 1, len(packet), len(packet))
        padded = packet + bytes(-len(packet) % 4)
        capture = Capture(section() + interface() + block(6, head + padded + comment))
        (flow,) = capture.flows
        assert flow.transcript is not None
        assert told(flow.transcript) == TOLD[:1]

    def test_packets_that_the_snap_length_cut_are_counted(self) -> None:
        capture = Capture(section() + interface() + enhanced(PACKETS[0][:-10], 1, length=len(PACKETS[0])))
        assert capture.parser.snapped == 1
        assert capture.flows[0].cut == 1

    def test_a_packet_longer_than_its_block_is_cut_to_it(self) -> None:
        head = struct.pack("<IIIII", 0, 0, 1, 5000, 5000)
        capture = Capture(section() + interface() + block(6, head + PACKETS[0]) + enhanced(PACKETS[1], 2))
        assert capture.parser.frames == 2
        assert len(capture.flows) == 1

    def test_an_interface_block_without_its_fields_is_one_all_the_same(self) -> None:
        """Too short by the format, but the numbers of those after it count on."""
        short = struct.pack("<III", 1, 12, 12)
        data = section() + short + interface(RAW) + enhanced(CLIENT_PACKET, 1, 1)
        assert len(Capture(data).flows) == 1
        assert len(Capture(section() + short).parser.interfaces) == 1

    def test_options_that_leave_their_block_end_there(self) -> None:
        body = struct.pack("<HHI", RAW, 0, 0) + struct.pack("<HH", 9, 1) + b"\x09\0\0\0" + struct.pack("<HH", 14, 900)
        capture = Capture(section() + block(1, body) + enhanced(CLIENT_PACKET, START) + enhanced(SERVER_PACKET, START))
        assert_story(capture, [START, START])


class TestDamage:
    def test_a_file_that_ends_inside_a_packet_says_where(self) -> None:
        data = pcap(PACKETS)
        capture = Capture(data[:-5])
        assert capture.parser.frames == 1
        assert capture.parser.damage == f"the file ends inside packet 2, at byte {len(data) - 5}: it was cut short"
        assert [flow.transcript is not None and told(flow.transcript) for flow in capture.flows] == [TOLD[:1]]

    def test_a_file_that_ends_inside_a_packets_header_says_so_too(self) -> None:
        data = pcap(PACKETS[:1])
        assert Capture(data + bytes(3)).parser.damage == (
            f"the file ends inside packet 2, at byte {len(data) + 3}: it was cut short"
        )

    def test_a_pcapng_file_that_ends_inside_a_block_says_where(self) -> None:
        data = section() + interface() + enhanced(PACKETS[0], 1) + enhanced(PACKETS[1], 2)
        capture = Capture(data[:-1])
        assert capture.parser.frames == 1
        assert capture.parser.damage is not None
        assert f"at byte {len(data) - 1}" in capture.parser.damage
        assert "cut short" in capture.parser.damage

    @pytest.mark.parametrize("length", [MAX_PACKET + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
    def test_a_packet_that_is_too_long_to_be_one_is_damage(self, length: int) -> None:
        good = pcap(PACKETS[:1])
        capture = Capture(good + struct.pack("<IIII", 1, 1, length, length) + bytes(100))
        assert (capture.parser.frames, len(capture.flows)) == (1, 1)
        assert capture.parser.damage == (
            f"packet 2 claims to be {length} bytes long (byte {len(good)}): "
            "the file is damaged there, what comes after is not read"
        )

    @orders
    @pytest.mark.parametrize("length", [0, 8, 11, 13, 0x7FFFFFFC, 0xFFFFFFFC])
    def test_a_block_of_an_impossible_length_is_damage(self, order: Order, length: int) -> None:
        good = section(order) + interface(order=order) + enhanced(PACKETS[0], 1, 0, order)
        capture = Capture(good + struct.pack(order + "II", 6, length) + bytes(100))
        assert (capture.parser.frames, len(capture.flows)) == (1, 1)
        assert capture.parser.damage == (
            f"the block after packet 1 claims to be {length} bytes long (byte {len(good)}): "
            "the file is damaged there, what comes after is not read"
        )

    def test_a_section_header_of_an_impossible_length_is_damage(self) -> None:
        bad = b"\x0a\x0d\x0d\x0a" + struct.pack("<I", 20) + b"\x4d\x3c\x2b\x1a" + bytes(8)
        capture = Capture(
            section() + interface() + enhanced(PACKETS[0], 1) + bad + interface() + enhanced(PACKETS[1], 2)
        )
        assert capture.parser.damage is not None
        assert "section header" in capture.parser.damage
        assert capture.parser.frames == 1

    @pytest.mark.parametrize("size", [100, 1000])
    def test_after_damage_nothing_is_read(self, size: int) -> None:
        """However the file comes in: also not what follows in the same chunk."""
        data = pcap(PACKETS[:1]) + struct.pack("<IIII", 1, 1, 1 << 30, 1 << 30) + pcap(PACKETS)[24:] * 10
        assert Capture(*[data[at : at + size] for at in range(0, len(data), size)]).parser.frames == 1
        assert Capture(data).parser.frames == 1

    @pytest.mark.parametrize("data", [b"hello" * 20, bytes(100), b"\xd4\xc3\xb2\xa2" + bytes(100)])
    def test_what_is_no_capture_is_damage_from_its_first_byte(self, data: bytes) -> None:
        capture = Capture(data)
        assert capture.parser.damage is not None
        assert "no capture" in capture.parser.damage
        assert (capture.parser.frames, capture.flows) == (0, [])

    def test_a_file_that_is_still_too_short_is_waited_for(self) -> None:
        for size in range(24):
            assert Capture(pcap(PACKETS)[:size]).parser.frames == 0


FILES = [
    pcap(PACKETS * 3),
    pcap(PACKETS * 2, order=">", nano=True),
    pcap(PACKETS, modified=True),
    pcap(PACKETS)[:-7],
    pcap(PACKETS) + struct.pack("<IIII", 1, 1, 1 << 30, 1 << 30) + pcap(PACKETS)[24:],
    b"".join(
        (
            *(section(), interface(), block(10, struct.pack("<II", 1, 4) + b"keys"), enhanced(PACKETS[0], TICKS[0])),
            *(block(5, bytes(30)), simple(PACKETS[1]), section(">"), interface(RAW, ">", [(9, b"\x09")])),
            *(enhanced(CLIENT_PACKET, START, 0, ">"), old(SERVER_PACKET, START, 0, ">")),
        )
    ),
    section() + interface() + enhanced(PACKETS[0], 1) + b"\x0a\x0d\x0d\x0a" + struct.pack("<I", 20) + bytes(12)
    + interface() + enhanced(PACKETS[1], 2),
]  # fmt: skip


def summary(capture: Capture) -> tuple[object, ...]:
    """Return all that a capture says."""
    parser = capture.parser
    said = [without_positions(flow.transcript) for flow in capture.flows if flow.transcript is not None]
    places = [
        (e.frame, e.time) for flow in capture.flows if flow.transcript is not None for e in flow.transcript.events
    ]
    counts = (parser.frames, parser.snapped, parser.first_time, parser.time, parser.digits, parser.link)
    return said, places, counts, parser.damage, parser.secrets


@pytest.mark.parametrize("size", [1, 2, 3, 16, 24, 63, 1000])
@pytest.mark.parametrize("data", FILES, ids=range(len(FILES)))
def test_chunks_of_any_size_give_the_same(data: bytes, size: int) -> None:
    assert summary(Capture(*[data[at : at + size] for at in range(0, len(data), size)])) == summary(Capture(data))


@given(data=st.sampled_from(FILES), cuts=st.sets(st.integers(1, 2000), max_size=10))
@settings(deadline=None)
def test_chunks_cut_anywhere_give_the_same(data: bytes, cuts: set[int]) -> None:
    bounds = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    chunks = [data[start:stop] for start, stop in pairwise(bounds)]
    assert summary(Capture(*chunks)) == summary(Capture(data))
