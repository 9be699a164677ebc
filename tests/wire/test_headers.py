"""EtherTypes and the headers that tunnels and link types share lead on to IP."""

from __future__ import annotations

import pytest

from tests.wire.packets import ethernet, ipv4
from tests.wire.wrapped import (
    ETHERTYPES,
    FRAME,
    FRAME6,
    PACKET,
    PACKET6,
    assert_hello,
    assert_hello6,
    captured,
    label,
    network,
    snap,
    vlan,
)
from tlsalert.wire.headers import FRAME as A_FRAME
from tlsalert.wire.headers import IP, NOTHING, frame_header, ip_header, labels, link_control, secured, session


@pytest.mark.parametrize(("kind", "inner"), ETHERTYPES.values(), ids=ETHERTYPES)
def test_the_packet_is_found_behind(kind: int, inner: bytes) -> None:
    reader = network()
    assert_hello(captured(ethernet(inner, kind), into=reader))
    assert reader.notes() == []


@pytest.mark.parametrize(
    ("kind", "inner"),
    [
        pytest.param(8 + len(PACKET6), snap(PACKET6, 0x86DD), id="SNAP"),
        pytest.param(0x8847, label(bytes(4) + FRAME6), id="a pseudowire with a control word"),
        pytest.param(0x8847, label(b"\x60" + FRAME6[1:]), id="a pseudowire to an address that begins with 6"),
        pytest.param(0x88E7, bytes(4) + FRAME6, id="a backbone's tag"),
    ],
)
def test_so_is_ipv6(kind: int, inner: bytes) -> None:
    assert_hello6(captured(ethernet(inner, kind)))


def test_what_follows_a_length_ends_there() -> None:
    """The rest of a short 802.3 frame is padding."""
    (flow,) = captured(ethernet(snap(PACKET), 8 + len(PACKET) - 20))
    assert flow.cut == 1


@pytest.mark.parametrize("length", range(11))
def test_a_length_too_short_for_802_2_holds_nothing(length: int) -> None:
    assert captured(ethernet(snap(PACKET), length)) == []


def test_tags_without_an_end_are_passed_over() -> None:
    packet = PACKET
    for _ in range(100):
        packet = vlan(packet, 0x8100)
    assert captured(ethernet(packet, 0x8100)) == []


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"\xaa\xaa\3\0\0\1\x08\0", id="another vendor's protocol"),
        pytest.param(b"\xaa\xaa\xf3\0\0\0\x08\0", id="not an unnumbered information frame"),
        pytest.param(b"\x42\x42\3\0\0\0\x08\0", id="spanning tree"),
        pytest.param(b"\xaa\xaa\3\0\x80\xc2\0\x0e", id="a bridge's own protocol"),
    ],
)
def test_other_802_2_holds_nothing(header: bytes) -> None:
    assert link_control(header + PACKET, 0, 8 + len(PACKET))[0] == NOTHING


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        pytest.param(PACKET, IP, id="IPv4"),
        pytest.param(PACKET6, IP, id="IPv6"),
        pytest.param(b"\x10\0\0\x21" + PACKET, NOTHING, id="an associated channel, RFC 5586"),
        pytest.param(bytes(40), NOTHING, id="nothing known"),
        pytest.param(FRAME, A_FRAME, id="a frame"),
        pytest.param(b"\x4f\xff\xff" + FRAME[3:], A_FRAME, id="a frame, whatever its address looks like"),
    ],
)
def test_what_is_behind_labels_has_to_make_sense(inner: bytes, found: int) -> None:
    packet = label(inner)
    assert labels(packet, 0, len(packet))[0] == found


def test_labels_without_a_bottom_hold_nothing() -> None:
    packet = label(b"", False) * 30
    assert labels(packet, 0, len(packet))[0] == NOTHING


@pytest.mark.parametrize("head", [b"\x11\x09\0\0\0\0", b"\x11\xa7\0\7\0\x40", b"\x21\0\0\7\0\x40"], ids=bytes.hex)
def test_pppoe_that_is_no_session_holds_nothing(head: bytes) -> None:
    """Discovery, the session's end, another version."""
    assert session(head + b"\0\x21" + PACKET, 0, 8 + len(PACKET))[0] == NOTHING


@pytest.mark.parametrize("flags", [0x0C, 0x08, 0x04, 0x80], ids=hex)
def test_macsec_that_is_encrypted_holds_nothing(flags: int) -> None:
    tag = bytes([flags]) + b"\0\0\0\0\1\x08\0"
    assert secured(tag + PACKET + bytes(16), 0, 24 + len(PACKET))[0] == NOTHING


@pytest.mark.parametrize("start", [b"\x44\0\0\x28", b"\x45\0\0\x13", b"\x55\0\0\x28", b"\x65\0\0\0"], ids=bytes.hex)
def test_what_is_no_ip_header_is_not_taken_for_one(start: bytes) -> None:
    """Too short a header, a shorter whole, another version, and IPv6 that has no room for its header."""
    assert not ip_header(start + bytes(20), 0, 24)


def test_a_frame_needs_a_type_that_fits_what_follows() -> None:
    assert frame_header(FRAME, 0, len(FRAME))
    assert frame_header(ethernet(vlan(PACKET), 0x8100), 0, 60)
    assert not frame_header(ethernet(PACKET6, 0x0800), 0, 60)
    assert not frame_header(ethernet(ipv4(b""), 0x1234), 0, 34)
    assert not frame_header(FRAME, 0, 17)
