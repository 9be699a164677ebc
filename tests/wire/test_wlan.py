"""802.11 data frames in clear are read, whatever came before them; encrypted ones and fragments are counted."""

from __future__ import annotations

import pytest

from tests.wire.packets import ipv4, segment
from tests.wire.wrapped import (
    HELLO,
    PACKET,
    PACKET6,
    WIRELESS,
    aggregate,
    assert_hello,
    assert_hello6,
    captured,
    network,
    snap,
    wireless,
)
from tlsalert.wire.headers import AGGREGATE, LLC, NOTHING
from tlsalert.wire.wlan import radiotap, subframe, wlan

WIRELESS_LINK, RADIOTAP = 105, 127


def test_ipv6_is_found_as_well() -> None:
    assert_hello6(captured(wireless(snap(PACKET6, 0x86DD)), link=WIRELESS_LINK))


@pytest.mark.parametrize(
    "control",
    [
        pytest.param(b"\x80\0", id="a beacon"),
        pytest.param(b"\xb4\0", id="request to send"),
        pytest.param(b"\x48\1", id="data without data"),
        pytest.param(b"\xc8\1", id="the same with quality of service"),
        pytest.param(b"\x09\1", id="another version"),
    ],
)
def test_other_frames_hold_nothing(control: bytes) -> None:
    frame = wireless(snap(PACKET), control)
    assert wlan(frame, 0, len(frame))[0] == NOTHING


def test_encrypted_frames_are_counted() -> None:
    reader = network()
    frames = [wireless(snap(PACKET), b"\x08\x41"), wireless(snap(PACKET), b"\x88\x42", more=bytes(2))]
    assert captured(*frames, link=WIRELESS_LINK, into=reader) == []
    assert reader.notes() == ["2 frames of 802.11 are encrypted"]


def test_fragments_are_counted() -> None:
    """More fragments follow, or this is not the first."""
    reader = network()
    frames = [wireless(snap(PACKET), b"\x08\5"), wireless(snap(PACKET), sequence=0x0121)]
    assert captured(*frames, link=WIRELESS_LINK, into=reader) == []
    assert reader.notes() == ["2 fragments of 802.11 frames were not put together"]


def test_a_frame_check_sequence_is_not_data() -> None:
    """Whether a capture has it is often not said; the IP packet's length tells where it ends."""
    first, second = ipv4(segment(HELLO[:20])), ipv4(segment(HELLO[20:], seq=20))
    assert_hello(captured(*(wireless(snap(one)) + b"\x16\3\1\0" for one in (first, second)), link=WIRELESS_LINK))


def test_every_part_of_an_aggregate_is_read() -> None:
    parts = [snap(bytes(30), 0x0806), snap(ipv4(segment(HELLO[:21]))), snap(ipv4(segment(HELLO[21:], seq=21)))]
    assert_hello(captured(wireless(aggregate(*parts), b"\x88\1", more=b"\x80\0"), link=WIRELESS_LINK))


def test_an_aggregates_part_ends_where_it_says() -> None:
    parts = aggregate(b"abcdef", b"xyz")
    assert subframe(parts, 0, len(parts)) == (LLC, 14, 20)
    assert subframe(parts, 20, len(parts)) == (LLC, 34, 37)
    assert subframe(parts, 30, 40) == (NOTHING, 40, 40)


def test_an_aggregate_is_told() -> None:
    frame = wireless(aggregate(snap(PACKET)), b"\x88\1", more=b"\x80\0")
    assert wlan(frame, 0, len(frame)) == (AGGREGATE, 26, len(frame))


@pytest.mark.parametrize("header", [b"\1\0\x08\0\0\0\0\0", b"\0\0\7\0\0\0\0\0", b"\0\0\xff\xff\0\0\0\0"], ids=bytes.hex)
def test_a_radiotap_header_that_cannot_be_holds_nothing(header: bytes) -> None:
    """Another version, or a length that is too short or too long."""
    assert radiotap(header + WIRELESS, 0, len(header + WIRELESS))[0] == NOTHING


def test_radiotaps_presence_words_without_an_end_are_stepped_over() -> None:
    header = b"\0\0\x28\0" + b"\2\0\0\x80" * 9
    assert_hello(captured(header + WIRELESS, link=RADIOTAP))
