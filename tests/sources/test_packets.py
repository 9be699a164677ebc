"""Packets come with frames, link types and times as their capture has them."""

from __future__ import annotations

import struct

import pytest

from tests.evidence import CAPTURES
from tests.wire.packets import START, Order, block, enhanced, interface, old, pcap, section, simple
from tlsalert.sources.packets import Packet, packets

DATA = b"0123456789"


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_pcap_s_packets(order: Order) -> None:
    told = list(packets([pcap([(START, DATA), (START + 1000, b"")], link=101, order=order)]))
    assert told == [Packet(1, 101, START, 10, DATA), Packet(2, 101, START + 1000, 0, b"")]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("options", "ticks", "time"),
    [
        pytest.param([], 1_500_000, 1_500_000_000, id="microseconds"),
        pytest.param([(9, b"\x09")], 15, 15, id="nanoseconds"),
        pytest.param([(9, b"\x8a")], 512, 500_000_000, id="1024 in a second"),
        pytest.param([(9, b"\x0c")], 5_000, 5, id="picoseconds"),
        pytest.param([(9, b"\x03"), (14, None)], 7, 1_000_000_000_007_000_000, id="with an offset"),
    ],
)
def test_times_count_in_what_the_interface_says(
    order: Order, options: list[tuple[int, bytes | None]], ticks: int, time: int
) -> None:
    filled = [(code, struct.pack(order + "q", 10**9) if value is None else value) for code, value in options]
    capture = section(order) + interface(order=order, options=filled) + enhanced(DATA, ticks, order=order, length=99)
    assert list(packets([capture])) == [Packet(1, 1, time, 99, DATA)]


def test_what_has_no_time_has_the_last_one_and_what_has_no_interface_is_left_out() -> None:
    capture = section() + interface() + old(DATA, 5) + simple(DATA) + enhanced(DATA, 9, number=7) + enhanced(b"", 9)
    told = list(packets([capture]))
    assert [(one.frame, one.time) for one in told] == [(1, 5000), (2, 5000), (4, 9000)]


@pytest.mark.parametrize("name", ["console.pcap", "nanoseconds.pcapng"])
def test_those_that_are_wanted_are_as_they_are_among_all(name: str) -> None:
    capture, wanted = (CAPTURES / name).read_bytes(), {2, 5, 6}
    assert list(packets([capture], wanted)) == [one for one in packets([capture]) if one.frame in wanted]


def test_what_has_no_time_has_that_of_a_packet_that_is_not_wanted() -> None:
    capture = section() + interface() + old(DATA, 5) + enhanced(DATA, 9) + simple(DATA)
    assert [(one.frame, one.time) for one in packets([capture], {3})] == [(3, 9000)]


def test_a_simple_packet_ends_where_the_snap_length_does() -> None:
    described = block(1, struct.pack("<HHI", 1, 0, 6))
    full = block(3, struct.pack("<I", 10) + b"012345\0\0")
    assert [(one.data, one.length) for one in packets([section() + described + full])] == [(b"012345", 10)]


@pytest.mark.parametrize("name", ["console.pcap", "nanoseconds.pcapng"])
def test_the_project_s_captures_have_all_their_packets(name: str) -> None:
    told = list(packets([(CAPTURES / name).read_bytes()]))
    assert [one.frame for one in told] == list(range(1, len(told) + 1))
    assert all(one.link == 1 and one.length == len(one.data) for one in told)
    assert [one.time for one in told] == sorted(one.time for one in told)
