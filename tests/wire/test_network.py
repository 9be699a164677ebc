"""A captured packet's TCP segment is found whatever it is wrapped in, and what is not understood is counted."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire import tls
from tests.wire.packets import (
    ETHERNET,
    IPV4_LINK,
    IPV6_LINK,
    LOOP,
    NULL,
    PPP,
    RAW,
    SLL,
    SLL2,
    ethernet,
    ipv4,
    ipv6,
    segment,
)
from tests.wire.reading import told
from tests.wire.wrapped import (
    AUTHENTICATION,
    FRAGMENT,
    GRE,
    HELLO,
    HOP_BY_HOP,
    IPIP,
    IPV6_IN,
    MOBILITY,
    OPTIONS,
    PACKET,
    PACKET6,
    ROUTING,
    SEGMENT,
    assert_hello,
    assert_hello6,
    captured,
    every,
    gre,
    label,
    linux_cooked,
    linux_cooked_2,
    network,
    pppoe,
    vlan,
)
from tlsalert.wire.network import MAX_DEPTH, MAX_NAMED, Network
from tlsalert.wire.tcp import TcpTable


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
        for link in (249, 147, 249, 65535):
            assert captured(PACKET, link=link, into=reader) == []
        assert reader.unknown == {249: 2, 147: 1, 65535: 1}
        assert reader.notes() == [
            "2 packets of link type 249 (LINKTYPE_USBPCAP) are not understood",
            "1 packets of link type 147 (LINKTYPE_USER0) are not understood",
            "1 packets of link type 65535 (a number without a name) are not understood",
        ]

    def test_not_every_one_of_many_link_types_is_named(self) -> None:
        reader = network()
        for link in range(1000, 1000 + MAX_NAMED + 3):
            captured(PACKET, link=link, into=reader)
        assert len(reader.notes()) == MAX_NAMED + 1
        assert reader.notes()[0] == "3 packets of 3 other link types are not understood"

    def test_another_dissector_is_asked_about_other_link_types(self) -> None:
        """It returns IP, nothing, or that it does not know the link type either."""
        answers = {147: PACKET, 148: b"", 149: None}
        reader = Network(TcpTable(), lambda link, packet: answers[link] if packet == b"whatever" else None)
        assert_hello(captured(b"whatever", link=147, into=reader))
        for link in (148, 149):
            captured(b"whatever", link=link, into=reader)
        assert reader.unknown == {149: 1}

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

    def test_a_packet_may_be_cut_inside_its_tcp_options(self) -> None:
        """In its place or early: its bytes are missing, and it must not take the reader down."""
        first, early = segment(HELLO), segment(bytes(50), seq=len(HELLO) + 10, options=bytes(20))
        (flow,) = captured(ethernet(ipv4(first)), ethernet(ipv4(early))[: 14 + 20 + 24])
        assert flow.transcript is not None
        assert told(flow.transcript) == ["client client_hello"]
        assert (flow.missing, flow.cut) == (10, 1)

    @pytest.mark.parametrize("fragment", [0x2000, 0x2001, 0x0001, 0x1000])
    def test_a_fragment_alone_is_not_read(self, fragment: int) -> None:
        """More fragments, or an offset: what is in them is not a segment's beginning, or not all of it."""
        reader = network()
        assert captured(ethernet(ipv4(SEGMENT, fragment=fragment)), into=reader) == []
        assert reader.fragments.incomplete == 1
        assert reader.notes() == [
            "1 IP datagrams came in fragments of which some are missing: what was in them is not read "
            "(a capture filter on ports keeps only first fragments)"
        ]

    @pytest.mark.parametrize("places", [(0, 1, 2), (2, 1, 0), (1, 1, 2, 0), (1, 0, 2)])
    def test_fragments_are_put_together_in_any_order(self, places: tuple[int, ...]) -> None:
        pieces = [SEGMENT[:16], SEGMENT[16:32], SEGMENT[32:]]
        fields = [0x2000, 0x2002, 0x0004]
        packets = [ethernet(ipv4(pieces[place], fragment=fields[place])) for place in places]
        reader = network()
        assert_hello(captured(*packets, into=reader))
        assert reader.notes() == []

    def test_a_message_in_fragments_is_at_the_one_that_made_it_whole(self) -> None:
        first, second = ipv4(SEGMENT[:24], fragment=0x2000), ipv4(SEGMENT[24:], fragment=0x0003)
        (flow,) = captured(ethernet(ipv4(segment(), 17)), ethernet(first), ethernet(second))
        assert flow.transcript is not None
        assert [event.frame for event in flow.transcript.events] == [3]

    def test_fragments_of_a_packet_with_options_are_put_together(self) -> None:
        options = b"\x94\x04\0\0"
        first = ipv4(SEGMENT[:24], fragment=0x2000, options=options)
        assert_hello(captured(ethernet(first), ethernet(ipv4(SEGMENT[24:], fragment=0x0003))))

    def test_a_fragment_that_the_snap_length_cut_cuts_the_segment(self) -> None:
        first, second = ipv4(SEGMENT[:24], fragment=0x2000), ipv4(SEGMENT[24:], fragment=0x0003)
        (flow,) = captured(ethernet(first), ethernet(second)[:-10])
        assert (flow.cut, flow.missing) == (1, 0)

    def test_fragments_of_a_tunnel_are_put_together_and_so_are_those_inside(self) -> None:
        inner = [ipv4(SEGMENT[:24], fragment=0x2000), ipv4(SEGMENT[24:], fragment=0x0003)]
        outer = [gre(packet) for packet in inner]
        packets = [ipv4(outer[0][:16], GRE, fragment=0x2000), ipv4(outer[0][16:], GRE, fragment=0x0002)]
        assert_hello(captured(*map(ethernet, packets), ethernet(ipv4(outer[1], GRE))))

    def test_fragments_of_what_holds_no_tcp_are_not_kept(self) -> None:
        reader = network()
        captured(ethernet(ipv4(SEGMENT, 1, fragment=0x2000)), ethernet(ipv4(SEGMENT, 50, fragment=1)), into=reader)
        assert reader.notes() == []

    def test_a_datagram_that_would_be_too_long_is_none(self) -> None:
        """65,535 bytes with its header: fragments can claim more, and once did to bring machines down."""
        reader = network()
        last = ipv4(bytes(20), fragment=0x1FFE)
        assert captured(ethernet(last), into=reader) == []
        assert reader.notes() == ["1 IP fragments reach beyond what a datagram can hold"]

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

    @staticmethod
    def fragment(field: int, inner: bytes, number: int = 1) -> bytes:
        """Return a fragment, RFC 8200 §4.5, behind an extension header of its own."""
        head = struct.pack(">BBHI", 6, 0, field, number)
        return ethernet(ipv6(TestIpv6.option(FRAGMENT, head + inner), HOP_BY_HOP), 0x86DD)

    @pytest.mark.parametrize("field", [1, 8, 1448], ids=["more", "offset 8", "offset 1448"])
    def test_a_fragment_alone_is_not_read(self, field: int) -> None:
        reader = network()
        assert captured(self.fragment(field, SEGMENT), into=reader) == []
        assert reader.fragments.incomplete == 1

    def test_fragments_are_put_together(self) -> None:
        pieces = [
            self.fragment(1, SEGMENT[:16]),
            self.fragment(16 | 1, SEGMENT[16:40]),
            self.fragment(40, SEGMENT[40:]),
        ]
        assert_hello6(captured(*pieces))
        assert_hello6(captured(*reversed(pieces)))

    def test_fragments_of_two_datagrams_are_told_apart(self) -> None:
        reader = network()
        assert captured(self.fragment(1, SEGMENT[:16]), self.fragment(16, SEGMENT[16:], 2), into=reader) == []
        assert reader.fragments.incomplete == 2

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


EVERY = [
    (ETHERNET, ethernet(PACKET)),
    (ETHERNET, ethernet(ipv6(TestIpv6.option(ROUTING, TestIpv6.option(6, SEGMENT, 1)), HOP_BY_HOP), 0x86DD)),
    (ETHERNET, ethernet(ipv4(gre(ipv4(PACKET6, IPV6_IN), checksum=True, key=True), GRE))),
    (RAW, PACKET6),
    *every(),
]


@pytest.mark.parametrize(("link", "packet"), EVERY)
def test_a_packet_cut_anywhere_is_read_within_its_bounds(link: int, packet: bytes) -> None:
    """What follows in memory is another packet's: nothing of it may be taken for this one's."""
    for size in range(packet.rindex(HELLO) + len(HELLO)):
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


@given(
    changes=st.lists(st.tuples(st.integers(0, 59), st.integers(0, 255)), max_size=4),
    size=st.integers(0, len(PACKET)),
)
def test_plain_ethernet_says_what_the_same_ip_packet_says_by_itself(changes: list[tuple[int, int]], size: int) -> None:
    packet = bytearray(PACKET)
    for at, value in changes:
        packet[at] = value
    packet[0] = 0x40 | packet[0] & 0x0F  # as the EtherType says
    cut = bytes(packet[:size])
    assert _said(ethernet(cut), ETHERNET) == _said(cut, RAW)


def _said(packet: bytes, link: int) -> list[tuple[bytes, int, int, list[str]]]:
    return [
        (flow.key, flow.cut, flow.missing, [] if flow.transcript is None else told(flow.transcript))
        for flow in captured(packet, link=link)
    ]


@given(packet=st.binary(max_size=160), link=st.sampled_from(sorted({link for link, _ in EVERY} | {147})))
def test_any_bytes_are_taken_or_left(packet: bytes, link: int) -> None:
    assert len(captured(packet, link=link, beyond=b"")) <= 1
