"""What tunnels carry is found where their headers check out, and passed over where they don't."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.packets import ethernet, ipv4, ipv6
from tests.wire.wrapped import (
    DATAGRAMS,
    FRAME,
    FRAME6,
    GRE,
    PACKET,
    PACKET6,
    PROTOCOLS,
    WIRELESS,
    assert_hello,
    assert_hello6,
    captured,
    capwap,
    gre,
    network,
    udp,
)

UDP = 17


def in_udp(inner: bytes, port: int, source: int = 49152) -> bytes:
    return ethernet(ipv4(udp(inner, port, source), UDP, ("192.0.2.1", "192.0.2.2")))


@pytest.mark.parametrize(("port", "inner"), DATAGRAMS.values(), ids=DATAGRAMS)
def test_in_udp_is_found(port: int, inner: bytes) -> None:
    reader = network()
    assert_hello(captured(in_udp(inner, port), into=reader))
    assert reader.notes() == []


@pytest.mark.parametrize(("protocol", "inner"), PROTOCOLS.values(), ids=PROTOCOLS)
def test_in_ip_is_found(protocol: int, inner: bytes) -> None:
    assert_hello(captured(ethernet(ipv4(inner, protocol))))


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(in_udp(b"\x08\0\0\0\0\0\x2a\0" + FRAME6, 4789), id="IPv6 in VXLAN"),
        pytest.param(in_udp(b"\0\0\x86\xdd\0\0\x2a\0" + PACKET6, 6081), id="IPv6 in GENEVE"),
        pytest.param(in_udp(struct.pack(">BBHI", 0x30, 255, len(PACKET6), 7) + PACKET6, 2152), id="IPv6 in GTP-U"),
        pytest.param(in_udp(PACKET6, 3544), id="Teredo, RFC 4380"),
        pytest.param(in_udp(bytes(8) + PACKET6, 3544), id="Teredo with an origin"),
        pytest.param(in_udp(b"\0\1\2\3" + b"idkey" + bytes(9) + PACKET6, 3544), id="Teredo with authentication"),
        pytest.param(in_udp(PACKET6, 40000, 3544), id="Teredo from a server"),
        pytest.param(ethernet(ipv4(gre(FRAME6, 0x6558), GRE)), id="IPv6 in NVGRE"),
    ],
)
def test_so_is_ipv6(packet: bytes) -> None:
    assert_hello6(captured(packet))


def test_udp_over_ipv6_carries_tunnels_too() -> None:
    port, inner = DATAGRAMS["VXLAN, RFC 7348"]
    assert_hello(captured(ethernet(ipv6(udp(inner, port), UDP), 0x86DD)))


@pytest.mark.parametrize("name", ["L2TP, RFC 2661", "CAPWAP with a frame, RFC 5415"])
def test_what_comes_back_has_the_port_as_its_source(name: str) -> None:
    port, inner = DATAGRAMS[name]
    assert_hello(captured(in_udp(inner, 40000, port)))


def test_a_datagram_ends_where_it_says() -> None:
    _, inner = DATAGRAMS["VXLAN, RFC 7348"]
    short = udp(inner, 4789, size=8 + len(inner) - 30)
    (flow,) = captured(ethernet(ipv4(short, UDP)))
    assert flow.cut == 1


def test_a_datagram_without_a_length_is_all_there_is() -> None:
    """Segmentation offload, as with IP."""
    _, inner = DATAGRAMS["VXLAN, RFC 7348"]
    assert_hello(captured(ethernet(ipv4(udp(inner, 4789, size=0), UDP))))


@pytest.mark.parametrize(
    ("port", "inner"),
    [
        pytest.param(4789, b"\0\0\0\0\0\0\x2a\0" + FRAME, id="VXLAN without its flag"),
        pytest.param(4789, b"\x38\0\0\0\0\0\x2a\0" + FRAME, id="VXLAN with flags that are reserved"),
        pytest.param(4790, b"\x0c\0\0\x09\0\0\x2a\0" + FRAME, id="VXLAN-GPE with an unknown protocol"),
        pytest.param(6081, b"\x40\0\x65\x58\0\0\x2a\0" + FRAME, id="GENEVE of another version"),
        pytest.param(6081, b"\0\1\x65\x58\0\0\x2a\0" + FRAME, id="GENEVE with bits that are reserved"),
        pytest.param(6081, b"\x3f\0\x65\x58\0\0\x2a\0" + FRAME, id="GENEVE with more options than it has bytes"),
        pytest.param(2152, struct.pack(">BBHI", 0x30, 1, len(PACKET), 7) + PACKET, id="GTP-U's echo"),
        pytest.param(2152, struct.pack(">BBHI", 0x50, 255, len(PACKET), 7) + PACKET, id="GTP of another version"),
        pytest.param(2152, struct.pack(">BBHI", 0x34, 255, 40, 7) + b"\0\0\0\x85\0" + PACKET, id="GTP-U, no extension"),
        pytest.param(1701, b"\xc8\2\0\x0c\0\5\0\6" + PACKET, id="L2TP control"),
        pytest.param(1701, b"\0\3\0\5\0\6\0\x21" + PACKET, id="L2TP version 3"),
        pytest.param(5247, b"\1\0\0\0" + capwap(FRAME), id="CAPWAP in DTLS"),
        pytest.param(5247, capwap(FRAME, native=False, flags=8), id="CAPWAP's keep-alive"),
        pytest.param(4341, bytes(8) + b"\x55" + PACKET[1:], id="LISP without IP"),
        pytest.param(37008, b"\2\0\0\1\1" + FRAME, id="TZSP of another version"),
        pytest.param(37008, b"\1\0\0\1\x0a\xff" + FRAME, id="TZSP with a tag that does not end"),
        pytest.param(3544, PACKET6[:-40], id="Teredo with less than IPv6 says"),
        pytest.param(53, b"\x08\0\0\0\0\0\x2a\0" + FRAME, id="a port of another protocol"),
    ],
)
def test_a_header_that_does_not_check_out_is_passed_over(port: int, inner: bytes) -> None:
    assert captured(in_udp(inner, port)) == []


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param(b"\x30\1" + gre(PACKET)[2:], id="version 1 without PPP"),
        pytest.param(struct.pack(">HHHH", 0x2001, 0x880B, 0, 1) + PACKET, id="PPTP without data"),
        pytest.param(b"\0\2\x08\0" + PACKET, id="version 2"),
        pytest.param(gre(PACKET, 0x6558), id="a frame that is none"),
        pytest.param(gre(b"\x30\0\0\1" + bytes(8) + FRAME, 0x22EB, sequence=True), id="ERSPAN of another version"),
        pytest.param(gre(PACKET, 0), id="a keep-alive"),
    ],
)
def test_other_gre_is_passed_over(inner: bytes) -> None:
    assert captured(ethernet(ipv4(inner, GRE))) == []


class TestPpp:
    """RFC 1661."""

    @pytest.mark.parametrize(
        "packet",
        [
            pytest.param(b"\xff\x03\0\x2d" + PACKET, id="Van Jacobson's headers, RFC 1144"),
            pytest.param(b"\xff\x03\0\xfd" + PACKET, id="compressed or with MPPE"),
            pytest.param(b"\xff\x03\0\x3d\x80\0\0\1\0\x21" + PACKET, id="a multilink fragment, RFC 1990"),
        ],
    )
    def test_what_needs_other_packets_or_keys_is_counted(self, packet: bytes) -> None:
        reader = network()
        assert captured(packet, link=9, into=reader) == []
        assert reader.notes() == ["1 packets of PPP are compressed, encrypted or fragments: they are not read"]


class TestCapwapFragments:
    """RFC 5415 §3.4."""

    FIRST, LAST = 0x80, 0xC0

    def pieces(self, number: int = 5) -> list[bytes]:
        return [
            in_udp(capwap(WIRELESS[:40], flags=self.FIRST, number=number), 5247),
            in_udp(capwap(WIRELESS[40:], flags=self.LAST, number=number, offset=40), 5247),
        ]

    def test_they_are_put_together(self) -> None:
        assert_hello(captured(*self.pieces()))
        assert_hello(captured(*reversed(self.pieces())))

    def test_fragments_of_other_frames_do_not_fit(self) -> None:
        reader = network()
        assert captured(self.pieces(5)[0], self.pieces(6)[1], into=reader) == []
        assert reader.fragments.incomplete == 2


@given(port=st.sampled_from(sorted({port for port, _ in DATAGRAMS.values()} | {3544})), inner=st.binary(max_size=120))
def test_any_datagram_is_taken_or_left(port: int, inner: bytes) -> None:
    assert len(captured(in_udp(inner, port), beyond=b"")) <= 1
