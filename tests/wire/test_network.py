"""A captured packet's TCP segment is found whatever it is wrapped in, and what is not understood is counted."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire import tls
from tests.wire.packets import (
    CLIENT,
    CLIENT6,
    ETHERNET,
    IPV4_LINK,
    IPV6_LINK,
    LOOP,
    NULL,
    PPP,
    RAW,
    SERVER,
    SERVER6,
    SLL,
    SLL2,
    ethernet,
    ipv4,
    ipv6,
    segment,
)
from tests.wire.reading import told
from tlsalert.wire.connection import endpoints
from tlsalert.wire.network import MAX_DEPTH, Network
from tlsalert.wire.tcp import Flow, TcpTable

HELLO = tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello()))
SEGMENT = segment(HELLO)
PACKET, PACKET6 = ipv4(SEGMENT), ipv6(SEGMENT)
IPIP, IPV6_IN, GRE, HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, OPTIONS, MOBILITY = 4, 41, 47, 0, 43, 44, 51, 60, 135


def network() -> Network:
    return Network(TcpTable())


def captured(
    *packets: bytes, link: int = ETHERNET, into: Network | None = None, beyond: bytes = b"\x45" * 40
) -> list[Flow]:
    """Return the flows of a capture with these packets, each of which lies amid other bytes."""
    into = network() if into is None else into
    for frame, packet in enumerate(packets, 1):
        into.packet(b"\x45\x00" + packet + beyond, 2, 2 + len(packet), link, frame, 1000 * frame)
    into.tcp.finish()
    return into.tcp.finished


def assert_hello(flows: list[Flow], client: str = CLIENT, server: str = SERVER) -> None:
    (flow,) = flows
    assert flow.transcript is not None
    assert told(flow.transcript) == ["client client_hello"]
    assert flow.transcript.notes == []
    assert (flow.missing, flow.cut) == (0, 0)
    near, far = endpoints(flow.key)
    assert (near.address, near.port, far.address, far.port) == (client, 40112, server, 5900)


def assert_hello6(flows: list[Flow]) -> None:
    assert_hello(flows, CLIENT6, SERVER6)


def linux_cooked(inner: bytes, kind: int = 0x0800) -> bytes:
    """Return a packet of LINKTYPE_LINUX_SLL: 14 bytes of the interface's, then the EtherType."""
    return struct.pack(">HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1\0\0", kind) + inner


def linux_cooked_2(inner: bytes, kind: int = 0x0800) -> bytes:
    """Return a packet of LINKTYPE_LINUX_SLL2, which begins with the EtherType."""
    return struct.pack(">HHIHBB8s", kind, 0, 2, 1, 0, 6, b"\2\0\0\0\0\1\0\0") + inner


def gre(inner: bytes, kind: int = 0x0800, checksum: bool = False, key: bool = False, sequence: bool = False) -> bytes:
    """Return a packet of GRE, RFC 2784 §2.1 and RFC 2890 §2."""
    flags = (0x8000 if checksum else 0) | (0x2000 if key else 0) | (0x1000 if sequence else 0)
    return struct.pack(">HH", flags, kind) + bytes(4 * (checksum + key + sequence)) + inner


def vlan(inner: bytes, kind: int = 0x0800) -> bytes:
    """Return what follows a VLAN's EtherType: its tag, and the next EtherType (IEEE 802.1Q)."""
    return struct.pack(">HH", 0x2064, kind) + inner


def label(inner: bytes, bottom: bool = True) -> bytes:
    """Return a packet behind an MPLS label, RFC 3032 §2.1."""
    return struct.pack(">I", 16 << 12 | (0x100 if bottom else 0) | 64) + inner


def pppoe(inner: bytes) -> bytes:
    """Return a session's packet of PPPoE, RFC 2516 §4."""
    return struct.pack(">BBHH", 0x11, 0, 7, len(inner)) + inner


class TestLinks:
    """tcpdump.org/linktypes.html."""

    @pytest.mark.parametrize(
        ("link", "packet"),
        [
            pytest.param(ETHERNET, ethernet(PACKET), id="Ethernet"),
            pytest.param(SLL, linux_cooked(PACKET), id="SLL"),
            pytest.param(SLL2, linux_cooked_2(PACKET), id="SLL2"),
            pytest.param(NULL, b"\x02\0\0\0" + PACKET, id="NULL, little-endian"),
            pytest.param(NULL, b"\0\0\0\x02" + PACKET, id="NULL, big-endian"),
            pytest.param(LOOP, b"\0\0\0\x02" + PACKET, id="LOOP"),
            pytest.param(12, PACKET, id="12, OpenBSD's raw IP elsewhere"),
            pytest.param(14, PACKET, id="14, OpenBSD's raw IP"),
            pytest.param(RAW, PACKET, id="RAW"),
            pytest.param(IPV4_LINK, PACKET, id="IPV4"),
            pytest.param(PPP, b"\xff\x03\x00\x21" + PACKET, id="PPP"),
            pytest.param(PPP, b"\x00\x21" + PACKET, id="PPP without address and control"),
            pytest.param(PPP, b"\x21" + PACKET, id="PPP with a short protocol number"),
            pytest.param(PPP, b"\xff\x03\x21" + PACKET, id="PPP with a short protocol number only"),
        ],
    )
    def test_ipv4_is_found_on(self, link: int, packet: bytes) -> None:
        assert_hello(captured(packet, link=link))

    @pytest.mark.parametrize(
        ("link", "packet"),
        [
            pytest.param(ETHERNET, ethernet(PACKET6, 0x86DD), id="Ethernet"),
            pytest.param(SLL, linux_cooked(PACKET6, 0x86DD), id="SLL"),
            pytest.param(SLL2, linux_cooked_2(PACKET6, 0x86DD), id="SLL2"),
            pytest.param(NULL, b"\x1e\0\0\0" + PACKET6, id="NULL, as on macOS"),
            pytest.param(NULL, b"\x1c\0\0\0" + PACKET6, id="NULL, as on FreeBSD"),
            pytest.param(LOOP, b"\0\0\0\x18" + PACKET6, id="LOOP"),
            pytest.param(RAW, PACKET6, id="RAW"),
            pytest.param(IPV6_LINK, PACKET6, id="IPV6"),
            pytest.param(PPP, b"\xff\x03\x00\x57" + PACKET6, id="PPP"),
        ],
    )
    def test_ipv6_is_found_on(self, link: int, packet: bytes) -> None:
        assert_hello6(captured(packet, link=link))

    def test_packets_of_other_link_types_are_counted(self) -> None:
        reader = network()
        for link in (105, 127, 105, 65535):
            assert captured(PACKET, link=link, into=reader) == []
        assert reader.unknown == {105: 2, 127: 1, 65535: 1}

    def test_other_protocols_on_a_known_link_are_passed_over(self) -> None:
        reader = network()
        for kind in (0x0806, 0x88CC, 0x8863, 100):
            assert captured(ethernet(PACKET, kind), into=reader) == []
        assert captured(b"\xff\x03\xc0\x21" + PACKET, link=PPP, into=reader) == []
        assert reader.unknown == {}


class TestTags:
    @pytest.mark.parametrize("kind", [0x8100, 0x88A8, 0x9100, 0x9200])
    def test_a_vlan_tag_is_stepped_over(self, kind: int) -> None:
        assert_hello(captured(ethernet(vlan(PACKET), kind)))
        assert_hello6(captured(ethernet(vlan(PACKET6, 0x86DD), kind)))

    def test_vlan_tags_may_be_stacked(self) -> None:
        """IEEE 802.1ad."""
        assert_hello(captured(ethernet(vlan(vlan(vlan(PACKET), 0x8100), 0x8100), 0x88A8)))

    def test_a_cooked_capture_may_hold_vlan_tags(self) -> None:
        assert_hello(captured(linux_cooked(vlan(PACKET), 0x8100), link=SLL))
        assert_hello(captured(linux_cooked_2(vlan(PACKET), 0x8100), link=SLL2))

    def test_mpls_labels_are_stepped_over_down_to_the_bottom(self) -> None:
        assert_hello(captured(ethernet(label(PACKET), 0x8847)))
        assert_hello6(captured(ethernet(label(label(label(PACKET6), False), False), 0x8847)))

    def test_pppoe_holds_ppp(self) -> None:
        assert_hello(captured(ethernet(pppoe(b"\x00\x21" + PACKET), 0x8864)))
        assert_hello6(captured(ethernet(vlan(pppoe(b"\x00\x57" + PACKET6), 0x8864), 0x8100)))


class TestIpv4:
    """RFC 791."""

    def test_padding_after_the_packet_is_not_part_of_it(self) -> None:
        """Ethernet pads to 60 bytes, some switches leave trailers."""
        first, second = ipv4(segment(HELLO[:7])), ipv4(segment(HELLO[7:], seq=7))
        assert_hello(captured(ethernet(first) + tls.alert(2, 40), ethernet(second) + bytes(4)))

    def test_a_padded_packet_without_data_has_none(self) -> None:
        assert captured(ethernet(ipv4(segment())) + bytes(6)) == []

    def test_a_total_length_of_0_is_all_there_is(self) -> None:
        """Segmentation offload: the card fills it in later, and the length may not even fit."""
        assert_hello(captured(ethernet(ipv4(SEGMENT, total=0))))

    def test_options_are_stepped_over(self) -> None:
        assert_hello(captured(ethernet(ipv4(SEGMENT, options=b"\x94\x04\x00\x00" * 5))))

    def test_a_packet_that_the_snap_length_cut_counts_with_its_length(self) -> None:
        (flow,) = captured(ethernet(PACKET)[:-20])
        assert flow.cut == 1

    @pytest.mark.parametrize("fragment", [0x2000, 0x2001, 0x0001, 0x1FFF])
    def test_fragments_are_counted(self, fragment: int) -> None:
        """More fragments, or an offset: what is in them is not a segment's beginning, or not all of it."""
        reader = network()
        assert captured(ethernet(ipv4(SEGMENT, fragment=fragment)), into=reader) == []
        assert reader.fragments == 1

    @pytest.mark.parametrize("fragment", [0x0000, 0x4000, 0x8000, 0xC000])
    def test_other_flags_make_no_fragment(self, fragment: int) -> None:
        assert_hello(captured(ethernet(ipv4(SEGMENT, fragment=fragment))))

    def test_other_protocols_are_passed_over(self) -> None:
        assert captured(ethernet(ipv4(SEGMENT, protocol=17))) == []

    @pytest.mark.parametrize("broken", [b"\x41", b"\x44", b"\x45\0\0\x13", b"\x4f\0\0\x28"], ids=bytes.hex)
    def test_a_header_of_impossible_lengths_is_passed_over(self, broken: bytes) -> None:
        assert captured(ethernet(broken + PACKET[len(broken) :])) == []


class TestIpv6:
    """RFC 8200."""

    @staticmethod
    def option(following: int, inner: bytes, units: int = 0) -> bytes:
        """Return an extension header of 8 bytes and ``units`` times 8 more, RFC 8200 §4.3."""
        return bytes([following, units]) + bytes(6 + 8 * units) + inner

    @pytest.mark.parametrize("kind", [HOP_BY_HOP, ROUTING, OPTIONS, MOBILITY])
    @pytest.mark.parametrize("units", [0, 3])
    def test_extension_headers_are_stepped_over(self, kind: int, units: int) -> None:
        assert_hello6(captured(ethernet(ipv6(self.option(6, SEGMENT, units), kind), 0x86DD)))

    def test_an_authentication_header_counts_words_of_four_bytes(self) -> None:
        """RFC 4302 §2.2: in units of four, less two."""
        header = bytes([6, 4]) + bytes(22)
        assert_hello6(captured(ethernet(ipv6(header + SEGMENT, AUTHENTICATION), 0x86DD)))

    def test_extension_headers_may_follow_each_other(self) -> None:
        inner = self.option(ROUTING, self.option(OPTIONS, self.option(6, SEGMENT, 1)))
        assert_hello6(captured(ethernet(ipv6(inner, HOP_BY_HOP), 0x86DD)))

    def test_a_fragment_that_is_the_whole_packet_is_read(self) -> None:
        """An atomic fragment, RFC 6946 §4."""
        assert_hello6(captured(ethernet(ipv6(b"\6\0\0\0\0\0\0\1" + SEGMENT, FRAGMENT), 0x86DD)))

    @pytest.mark.parametrize("offset", [b"\x00\x01", b"\x00\x08", b"\x05\xa8"], ids=["more", "offset 8", "offset 1448"])
    def test_fragments_are_counted(self, offset: bytes) -> None:
        reader = network()
        assert captured(ethernet(ipv6(b"\6\0" + offset + b"\0\0\0\1" + SEGMENT, FRAGMENT), 0x86DD), into=reader) == []
        assert reader.fragments == 1

    def test_padding_after_the_packet_is_not_part_of_it(self) -> None:
        assert captured(ethernet(ipv6(segment()), 0x86DD) + HELLO) == []

    def test_a_payload_length_of_0_is_all_there_is(self) -> None:
        assert_hello6(captured(ethernet(ipv6(SEGMENT, size=0), 0x86DD)))

    def test_extension_headers_that_never_end_are_passed_over(self) -> None:
        assert captured(ethernet(ipv6(self.option(0, b"", 0) * 200, HOP_BY_HOP), 0x86DD)) == []
        assert captured(ethernet(ipv6(self.option(6, SEGMENT, 255)[:60], HOP_BY_HOP), 0x86DD)) == []


class TestTunnels:
    @pytest.mark.parametrize(
        "packet",
        [
            pytest.param(ipv4(PACKET, IPIP, ("192.0.2.1", "192.0.2.2")), id="IPv4 in IPv4, RFC 2003"),
            pytest.param(ipv4(gre(PACKET), GRE), id="GRE"),
            pytest.param(ipv4(gre(PACKET, checksum=True), GRE), id="GRE with a checksum"),
            pytest.param(ipv4(gre(PACKET, key=True), GRE), id="GRE with a key"),
            pytest.param(ipv4(gre(PACKET, checksum=True, key=True, sequence=True), GRE), id="GRE with all"),
            pytest.param(ipv4(gre(ipv4(gre(PACKET), GRE)), GRE), id="GRE in GRE"),
        ],
    )
    def test_ipv4_is_found_in(self, packet: bytes) -> None:
        assert_hello(captured(ethernet(packet)))

    @pytest.mark.parametrize(
        "packet",
        [
            pytest.param(ipv4(PACKET6, IPV6_IN), id="IPv6 in IPv4, RFC 4213"),
            pytest.param(ipv4(gre(PACKET6, 0x86DD, key=True), GRE), id="GRE"),
        ],
    )
    def test_ipv6_is_found_in(self, packet: bytes) -> None:
        assert_hello6(captured(ethernet(packet)))

    def test_tunnels_lie_in_ipv6_as_well(self) -> None:
        assert_hello(captured(ethernet(ipv6(PACKET, IPIP), 0x86DD)))
        assert_hello6(captured(ethernet(ipv6(PACKET6, IPV6_IN), 0x86DD)))
        assert_hello(captured(ethernet(ipv6(gre(PACKET), GRE), 0x86DD)))

    @pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
    def test_there_is_an_end_to_depth(self, depth: int) -> None:
        packet = PACKET
        for _ in range(depth):
            packet = ipv4(packet, IPIP)
        flows = captured(ethernet(packet))
        assert len(flows) == (1 if depth <= MAX_DEPTH else 0)

    def test_other_versions_and_contents_of_gre_are_passed_over(self) -> None:
        """Version 1 is PPTP's (RFC 2637), which holds PPP that is mostly compressed."""
        assert captured(ethernet(ipv4(b"\x30\x01" + gre(PACKET)[2:], GRE))) == []
        assert captured(ethernet(ipv4(gre(PACKET, 0x6558), GRE))) == []


EVERY = [
    (ETHERNET, ethernet(PACKET)),
    (ETHERNET, ethernet(vlan(pppoe(b"\x00\x57" + PACKET6), 0x8864), 0x8100)),
    (ETHERNET, ethernet(label(label(PACKET), False), 0x8847)),
    (ETHERNET, ethernet(ipv6(TestIpv6.option(ROUTING, TestIpv6.option(6, SEGMENT, 1)), HOP_BY_HOP), 0x86DD)),
    (ETHERNET, ethernet(ipv4(gre(ipv4(PACKET6, IPV6_IN), checksum=True, key=True), GRE))),
    (SLL, linux_cooked(PACKET)),
    (SLL2, linux_cooked_2(PACKET6, 0x86DD)),
    (NULL, b"\2\0\0\0" + PACKET),
    (RAW, PACKET6),
    (PPP, b"\xff\x03\x00\x21" + PACKET),
]


@pytest.mark.parametrize(("link", "packet"), EVERY)
def test_a_packet_cut_anywhere_is_read_within_its_bounds(link: int, packet: bytes) -> None:
    """What follows in memory is another packet's: nothing of it may be taken for this one's."""
    for size in range(len(packet)):
        beyond = packet[size:] + bytes(60)
        for flow in captured(packet[:size], link=link, beyond=beyond):
            assert flow.transcript is None or told(flow.transcript) in ([], ["client client_hello cut"])


@given(
    choice=st.sampled_from(EVERY),
    changes=st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), min_size=1, max_size=6),
    size=st.integers(0, 400),
)
@settings(max_examples=300, deadline=None)
def test_any_packet_is_taken_or_left(choice: tuple[int, bytes], changes: list[tuple[int, int]], size: int) -> None:
    link, packet = choice
    changed = bytearray(packet)
    for at, value in changes:
        changed[min(at, len(changed) - 1)] = value
    assert len(captured(bytes(changed[:size]), link=link, beyond=b"")) <= 1


@given(packet=st.binary(max_size=120), link=st.sampled_from([0, 1, 9, 12, 14, 101, 108, 113, 228, 229, 276, 147]))
def test_any_bytes_are_taken_or_left(packet: bytes, link: int) -> None:
    assert len(captured(packet, link=link, beyond=b"")) <= 1
