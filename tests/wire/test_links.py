"""Every link type leads to the packet in it: tcpdump.org/linktypes.html says what its header holds."""

from __future__ import annotations

import pytest

from tests.wire.wrapped import LINKED, PACKET, PACKET6, assert_hello, assert_hello6, captured, network, snap
from tlsalert.wire.headers import NOTHING, UNKNOWN
from tlsalert.wire.links import PKTAP, PPI, payload


@pytest.mark.parametrize(("link", "packet"), LINKED.values(), ids=LINKED)
def test_the_packet_is_found_on(link: int, packet: bytes) -> None:
    reader = network()
    assert_hello(captured(packet, link=link, into=reader))
    assert reader.notes() == []


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        pytest.param(229, PACKET6, id="IPV6"),
        pytest.param(104, b"\x0f\0\x86\xdd" + PACKET6, id="C_HDLC"),
        pytest.param(107, b"\x18\x41\3\x8e" + PACKET6, id="FRELAY"),
        pytest.param(100, snap(PACKET6, 0x86DD), id="ATM_RFC1483"),
        pytest.param(242, bytes(40) + b"\x86\xdd\0\0" + PACKET6, id="IPOIB"),
        pytest.param(197, bytes(8) + b"\x17\0" + bytes(6) + PACKET6, id="ERF"),
    ],
)
def test_so_is_ipv6_on(link: int, packet: bytes) -> None:
    assert_hello6(captured(packet, link=link))


@pytest.mark.parametrize("link", [2, 147, 162, 227, 249, 0x10001, 0x3FFFFFF])
def test_a_link_type_without_an_entry_is_told(link: int) -> None:
    assert payload(link, PACKET, 0, len(PACKET))[0] == UNKNOWN


@pytest.mark.parametrize("wrapper", [PPI, PKTAP])
def test_a_header_that_wraps_itself_holds_nothing(wrapper: int) -> None:
    """Or a packet of nothing but such headers would be followed as deep as it is long."""
    packet = b"\0\0\x0c\0" + wrapper.to_bytes(4, "little") + wrapper.to_bytes(4, "little") + PACKET
    assert payload(PPI, packet, 0, len(packet))[0] == NOTHING


def test_a_header_may_wrap_a_link_type_that_nobody_knows() -> None:
    reader = network()
    captured(b"\0\0\x08\0" + (249).to_bytes(4, "little") + PACKET, link=PPI, into=reader)
    assert reader.unknown == {PPI: 1}


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        pytest.param(143, b"\xc2\0\0\0\0\0" + PACKET, id="DOCSIS management"),
        pytest.param(107, b"\x18\x41\3\xb1" + PACKET, id="FRELAY with FRF.12 fragments"),
        pytest.param(107, b"\x18\x40\3\xcc" + PACKET, id="FRELAY with a longer address"),
        pytest.param(197, bytes(8) + b"\x05\0" + bytes(6) + PACKET, id="ERF with ATM cells"),
        pytest.param(239, b"\2\0\0\0\3\0\x09\0" + PACKET, id="NFLOG with an impossible length"),
        pytest.param(239, b"\2\0\0\0\x08\0\3\0\0\0\0\0", id="NFLOG without a packet"),
        pytest.param(119, b"\x80\x21\x10\1\0\0\0\4" + PACKET, id="AVS with an impossible length"),
    ],
)
def test_what_holds_no_packet_holds_none(link: int, packet: bytes) -> None:
    assert captured(packet, link=link) == []
