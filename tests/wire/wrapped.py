"""One TLS hello in a TCP segment, wrapped in whatever headers a test likes, and read through the network layer."""

from __future__ import annotations

import struct

from tests.wire import tls
from tests.wire.packets import CLIENT, CLIENT6, ETHERNET, SERVER, SERVER6, ethernet, ipv4, ipv6, segment
from tests.wire.reading import told
from tlsalert.wire.connection import endpoints
from tlsalert.wire.flow import Flow
from tlsalert.wire.network import Network
from tlsalert.wire.tcp import TcpTable

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


def udp(inner: bytes, port: int, source: int = 49152, size: int | None = None) -> bytes:
    """Return a UDP datagram, RFC 768."""
    return struct.pack(">HHHH", source, port, 8 + len(inner) if size is None else size, 0) + inner


def snap(inner: bytes, kind: int = 0x0800) -> bytes:
    """Return a packet behind 802.2 and SNAP, RFC 1042."""
    return b"\xaa\xaa\x03\0\0\0" + struct.pack(">H", kind) + inner


def wireless(inner: bytes, control: bytes = b"\x08\x01", sequence: int = 0, more: bytes = b"") -> bytes:
    """Return an 802.11 data frame, IEEE 802.11-2020 §9.3.2.1; ``more`` follows the three addresses' header."""
    addresses = b"\2\0\0\0\0\1" + b"\2\0\0\0\0\2" + b"\2\0\0\0\0\3"
    return control + b"\0\0" + addresses + struct.pack("<H", sequence) + more + inner


def aggregate(*inner: bytes) -> bytes:
    """Return an A-MSDU's subframes, IEEE 802.11-2020 §9.3.2.2.2, each filled up to four bytes."""
    frames = [bytes(12) + struct.pack(">H", len(one)) + one for one in inner]
    return b"".join(one + bytes(-len(one) % 4) for one in frames)


def capwap(inner: bytes, native: bool = True, flags: int = 0, number: int = 0, offset: int = 0) -> bytes:
    """Return a CAPWAP data packet, RFC 5415 §4.3, of radio type 802.11; ``flags`` are the fourth byte's."""
    return struct.pack(">BBBBHH", 0, 2 << 3, 1 << 1 | native, flags, number, offset) + inner


FRAME, FRAME6 = ethernet(PACKET), ethernet(PACKET6, 0x86DD)
WIRELESS = wireless(snap(PACKET))

#: What a UDP datagram's payload may be, by its port.
DATAGRAMS: dict[str, tuple[int, bytes]] = {
    "VXLAN, RFC 7348": (4789, b"\x08\0\0\0\0\0\x2a\0" + FRAME),
    "VXLAN on Linux's old port": (8472, b"\x08\0\0\0\0\0\x2a\0" + FRAME),
    "VXLAN with a group policy": (4789, b"\x88\0\0\x05\0\0\x2a\0" + FRAME),
    "VXLAN-GPE with IPv4": (4790, b"\x0c\0\0\x01\0\0\x2a\0" + PACKET),
    "VXLAN-GPE with a frame": (4790, b"\x0c\0\0\x03\0\0\x2a\0" + FRAME),
    "VXLAN-GPE with NSH, RFC 8300": (4790, b"\x0c\0\0\x04\0\0\x2a\0" + b"\x0f\xc6\x01\x03" + bytes(20) + FRAME),
    "VXLAN-GPE with MPLS": (4790, b"\x0c\0\0\x05\0\0\x2a\0" + label(PACKET)),
    "GENEVE with a frame, RFC 8926": (6081, b"\0\0\x65\x58\0\0\x2a\0" + FRAME),
    "GENEVE with options": (6081, b"\x02\0\x08\0\0\0\x2a\0" + bytes(8) + PACKET),
    "GTP-U, TS 29.281": (2152, struct.pack(">BBHI", 0x30, 255, len(PACKET), 7) + PACKET),
    "GTP-U with a sequence number": (2152, struct.pack(">BBHIHH", 0x32, 255, len(PACKET) + 4, 7, 1, 0) + PACKET),
    "GTP-U with extensions": (
        2152,
        struct.pack(">BBHIHBB", 0x34, 255, len(PACKET) + 12, 7, 0, 0, 0x85) + b"\1\x10\1\xc0\1\0\0\0" + PACKET,
    ),
    "L2TP, RFC 2661": (1701, b"\0\2\0\5\0\6" + b"\xff\x03\0\x21" + PACKET),
    "L2TP with all its fields": (
        1701,
        struct.pack(">HHHHHHH", 0x4A02, len(PACKET) + 19, 5, 6, 1, 0, 3) + b"xxx" + b"\0\x21" + PACKET,
    ),
    "GRE in UDP, RFC 8086": (4754, gre(PACKET)),
    "MPLS in UDP, RFC 7510": (6635, label(PACKET)),
    "LISP, RFC 9300": (4341, bytes(8) + PACKET),
    "GUE": (6080, b"\0\4\0\0" + PACKET),
    "GUE with options": (6080, b"\2\x2f\0\0" + bytes(8) + gre(PACKET)),
    "GUE with MPLS": (6080, b"\0\x89\0\0" + label(PACKET)),
    "GUE without a header": (6080, PACKET),
    "foo over UDP": (5555, PACKET),
    "TZSP with a frame": (37008, b"\1\0\0\1\0\x0a\2\5\5\1" + FRAME),
    "TZSP with 802.11": (37008, b"\1\0\0\x12\1" + WIRELESS),
    "CAPWAP with 802.11, RFC 5416": (5247, capwap(WIRELESS)),
    "CAPWAP with 802.11 as Cisco sends it": (5247, capwap(wireless(snap(PACKET), b"\1\x08", 0x76))),
    "CAPWAP with a frame, RFC 5415": (5247, capwap(FRAME, native=False)),
}

#: What an IP packet's payload may be, by its protocol number.
PROTOCOLS: dict[str, tuple[int, bytes]] = {
    "IPv4, RFC 2003": (4, PACKET),
    "GRE, RFC 2784": (47, gre(PACKET)),
    "GRE with a checksum": (47, gre(PACKET, checksum=True)),
    "GRE with a key": (47, gre(PACKET, key=True)),
    "GRE with all, RFC 2890": (47, gre(PACKET, checksum=True, key=True, sequence=True)),
    "GRE with a route, RFC 1701": (47, b"\x40\0\x08\0" + bytes(4) + b"\0\x02\0\4abcd" + bytes(4) + PACKET),
    "GRE in GRE": (47, gre(ipv4(gre(PACKET), 47))),
    "GRE with a frame": (47, gre(FRAME, 0x6558)),
    "NVGRE, RFC 7637": (47, gre(FRAME, 0x6558, key=True)),
    "GRE with MPLS": (47, gre(label(PACKET), 0x8847)),
    "GRE with PPP": (47, gre(b"\xff\x03\0\x21" + PACKET, 0x880B)),
    "PPTP, RFC 2637": (47, struct.pack(">HHHHI", 0x3001, 0x880B, len(PACKET) + 2, 1, 1) + b"\0\x21" + PACKET),
    "PPTP with an acknowledgement": (
        47,
        struct.pack(">HHHHII", 0x3081, 0x880B, len(PACKET) + 4, 1, 1, 0) + b"\xff\x03\0\x21" + PACKET,
    ),
    "MikroTik's EoIP": (47, struct.pack(">HHHH", 0x2001, 0x6400, len(FRAME), 0x0700) + FRAME),
    "WCCP": (47, gre(PACKET, 0x883E)),
    "WCCP with a redirect header": (47, gre(b"\0\0\0\1" + PACKET, 0x883E)),
    "ERSPAN I": (47, gre(FRAME, 0x88BE)),
    "ERSPAN II": (47, gre(b"\x10\0\0\1" + bytes(4) + FRAME, 0x88BE, sequence=True)),
    "ERSPAN III": (47, gre(b"\x20\0\0\1" + bytes(8) + FRAME, 0x22EB, sequence=True)),
    "ERSPAN III with IP": (47, gre(b"\x20\0\0\1" + bytes(6) + b"\x08\0" + PACKET, 0x22EB, sequence=True)),
    "ERSPAN III with a platform's header": (
        47,
        gre(b"\x20\0\0\1" + bytes(7) + b"\1" + bytes(8) + FRAME, 0x22EB, sequence=True),
    ),
    "an authentication header, RFC 4302": (51, b"\6\4\0\0" + bytes(20) + SEGMENT),
    "MPLS, RFC 4023": (137, label(PACKET)),
    "EtherIP, RFC 3378": (97, b"\x30\0" + FRAME),
    "Ethernet, RFC 8986": (143, FRAME),
}

#: What may follow an Ethernet frame's addresses, by its EtherType.
ETHERTYPES: dict[str, tuple[int, bytes]] = {
    "a VLAN's tag": (0x8100, vlan(PACKET)),
    "stacked tags": (0x88A8, vlan(vlan(PACKET), 0x8100)),
    "a length, with SNAP": (8 + len(PACKET), snap(PACKET)),
    "a length, with IP's own SAP": (3 + len(PACKET), b"\6\6\3" + PACKET),
    "jumbo frames' 802.2": (0x8870, snap(PACKET)),
    "MPLS": (0x8847, label(label(PACKET), False)),
    "MPLS with an upstream label": (0x8848, label(PACKET)),
    "a pseudowire with a control word, RFC 4448": (0x8847, label(bytes(4) + FRAME)),
    "a pseudowire without one": (0x8847, label(FRAME)),
    "a pseudowire to an address that begins with 0": (0x8847, label(b"\0" + FRAME[1:])),
    "a pseudowire to an address that begins with 4": (0x8847, label(b"\x40" + FRAME[1:])),
    "PPPoE": (0x8864, pppoe(b"\0\x21" + PACKET)),
    "an NSH": (0x894F, b"\x0f\xc2\2\1" + bytes(4) + PACKET),
    "a backbone's tag, IEEE 802.1ah": (0x88E7, bytes(4) + FRAME),
    "a MACsec tag in clear": (0x88E5, b"\0\0\0\0\0\1\x08\0" + PACKET + bytes(16)),
    "a MACsec tag with an SCI": (0x88E5, b"\x20\0\0\0\0\1" + bytes(8) + b"\x08\0" + PACKET + bytes(16)),
    "an E-tag": (0x893F, bytes(6) + b"\x08\0" + PACKET),
    "a VN-tag": (0x8926, bytes(4) + b"\x08\0" + PACKET),
    "a redundant ring's tag": (0x892F, bytes(4) + b"\x08\0" + PACKET),
}

#: Captured packets by their link type.
LINKED: dict[str, tuple[int, bytes]] = {
    "NULL": (0, b"\2\0\0\0" + PACKET),
    "LOOP": (108, b"\0\0\0\2" + PACKET),
    "SLIP": (8, bytes(16) + PACKET),
    "RAW": (101, PACKET),
    "12": (12, PACKET),
    "14": (14, PACKET),
    "ATM_CLIP": (106, PACKET),
    "IPV4": (228, PACKET),
    "NetBSD's raw IPv4": (0x02240002, PACKET),
    "PPP": (9, b"\xff\x03\0\x21" + PACKET),
    "PPP with MPLS": (9, b"\xff\x03\x02\x81" + label(PACKET)),
    "PPP with a bridged frame": (9, b"\xff\x03\0\x31\0\1" + FRAME),
    "PPP multilink, unsplit": (9, b"\xff\x03\0\x3d\xc0\0\0\1\0\x21" + PACKET),
    "PPP_HDLC": (50, b"\xff\x03\0\x21" + PACKET),
    "PPP_HDLC with Cisco's": (50, b"\x0f\0\x08\0" + PACKET),
    "PPP_ETHER": (51, pppoe(b"\0\x21" + PACKET)),
    "PPP_PPPD": (166, b"\1\x03\0\x21" + PACKET),
    "PPP_WITH_DIR": (204, b"\1\xff\x03\0\x21" + PACKET),
    "C_HDLC": (104, b"\x0f\0\x08\0" + PACKET),
    "C_HDLC_WITH_DIR": (205, b"\1\x0f\0\x08\0" + PACKET),
    "FRELAY": (107, b"\x18\x41\3\xcc" + PACKET),
    "FRELAY with SNAP": (107, b"\x18\x41\3\0\x80\0\0\0\x08\0" + PACKET),
    "FRELAY with a frame": (107, b"\x18\x41\3\0\x80\0\x80\xc2\0\7" + FRAME),
    "FRELAY with PPP": (107, b"\x18\x41\3\xcf\0\x21" + PACKET),
    "FRELAY as Cisco's": (107, b"\x18\x41\x08\0" + PACKET),
    "FRELAY_WITH_DIR": (206, b"\1\x18\x41\3\xcc" + PACKET),
    "ATM_RFC1483": (100, snap(PACKET)),
    "ATM_RFC1483 with a frame": (100, b"\xaa\xaa\3\0\x80\xc2\0\7\0\0" + FRAME),
    "ATM_RFC1483 with an NLPID": (100, b"\xfe\xfe\3\xcc" + PACKET),
    "SUNATM": (123, b"\2\0\0\x20" + snap(PACKET)),
    "FDDI": (10, b"\x50" + bytes(12) + snap(PACKET)),
    "TOKEN_RING": (6, b"\x10\x40" + bytes(12) + snap(PACKET)),
    "TOKEN_RING with a route": (6, b"\x10\x40" + bytes(6) + b"\x82" + bytes(5) + b"\6\x10abcd" + snap(PACKET)),
    "IP_OVER_FC": (122, bytes(16) + snap(PACKET)),
    "APPLE_IP_OVER_IEEE1394": (138, bytes(16) + b"\x08\0" + PACKET),
    "IPOIB": (242, bytes(40) + b"\x08\0\0\0" + PACKET),
    "SLL": (113, linux_cooked(PACKET)),
    "SLL with 802.2": (113, linux_cooked(snap(PACKET), 4)),
    "SLL with 802.11": (113, b"\0\0\x03\x21" + bytes(12) + WIRELESS),
    "SLL with Prism": (113, b"\0\0\x03\x22" + bytes(12) + bytes(144) + WIRELESS),
    "SLL with Radiotap": (113, b"\0\0\x03\x23" + bytes(12) + b"\0\0\x08\0\0\0\0\0" + WIRELESS),
    "SLL2": (276, linux_cooked_2(PACKET)),
    "ENC": (109, bytes(12) + PACKET),
    "PFLOG": (117, b"\x3d\2\0\0" + bytes(60) + PACKET),
    "IPNET": (226, bytes(24) + PACKET),
    "NFLOG": (239, b"\2\0\0\0" + b"\x05\0\x0a\0x\0\0\0" + struct.pack("<HH", 4 + len(PACKET), 9) + PACKET),
    "NFLOG of a big-endian machine": (239, b"\2\0\0\0" + struct.pack(">HH", 4 + len(PACKET), 9) + PACKET),
    "MPLS": (219, label(PACKET)),
    "DOCSIS": (143, b"\0\0" + struct.pack(">HH", 4 + len(FRAME), 0) + FRAME + bytes(4)),
    "DOCSIS with an extended header": (143, b"\1\3" + bytes(2) + b"\x10\0\0" + bytes(2) + FRAME),
    "NETANALYZER": (240, bytes(4) + FRAME),
    "NETANALYZER_TRANSPARENT": (241, bytes(4) + b"\x55" * 7 + b"\xd5" + FRAME),
    "EPON": (259, bytes(8) + FRAME),
    "ETHERNET_MPACKET": (274, b"\x55" * 7 + b"\xd5" + FRAME),
    "DSA_TAG_BRCM": (281, FRAME[:12] + bytes(4) + FRAME[12:]),
    "DSA_TAG_BRCM_PREPEND": (282, bytes(4) + FRAME),
    "DSA_TAG_DSA": (284, FRAME[:12] + bytes(4) + FRAME[12:]),
    "DSA_TAG_EDSA": (285, FRAME[:12] + bytes(8) + FRAME[12:]),
    "ERF": (197, bytes(8) + b"\2\0" + bytes(6) + b"\0\0" + FRAME),
    "ERF with extensions": (197, bytes(8) + b"\x82\0" + bytes(6) + b"\x81" + bytes(7) + bytes(8) + b"\0\0" + FRAME),
    "ERF with IP": (197, bytes(8) + b"\x16\0" + bytes(6) + PACKET),
    "PKTAP": (258, struct.pack("<III", 108, 1, 1) + bytes(96) + FRAME),
    "PPI": (192, struct.pack("<BBHI", 0, 0, 8, 105) + WIRELESS),
    "IEEE802_11": (105, WIRELESS),
    "IEEE802_11 with quality of service": (105, wireless(snap(PACKET), b"\x88\2", more=bytes(2))),
    "IEEE802_11 with HT control": (105, wireless(snap(PACKET), b"\x88\x81", more=bytes(6))),
    "IEEE802_11 between access points": (105, wireless(snap(PACKET), b"\x08\3", more=bytes(6))),
    "IEEE802_11 with an aggregate": (105, wireless(aggregate(snap(PACKET)), b"\x88\1", more=b"\x80\0")),
    "IEEE802_11_RADIOTAP": (127, b"\0\0\x08\0\0\0\0\0" + WIRELESS),
    "IEEE802_11_RADIOTAP, padded": (
        127,
        b"\0\0\x09\0\2\0\0\0\x20" + wireless(snap(PACKET), b"\x88\1", more=bytes(4)),
    ),
    "IEEE802_11_RADIOTAP, padded, with time": (
        127,
        b"\0\0\x19\0\3\0\0\x80\0\0\0\0\0\0\0\0" + bytes(8) + b"\x20" + wireless(snap(PACKET), b"\x88\1", more=bytes(4)),
    ),
    "IEEE802_11_PRISM": (119, b"\x44\0\0\0\x90\0\0\0" + bytes(136) + WIRELESS),
    "IEEE802_11_PRISM with AVS": (119, b"\x80\x21\x10\1\0\0\0\x40" + bytes(56) + WIRELESS),
    "IEEE802_11_AVS": (163, b"\x80\x21\x10\1\0\0\0\x40" + bytes(56) + WIRELESS),
}


def every() -> list[tuple[int, bytes]]:
    """Return all of these as captured packets with their link types."""
    frames = [ethernet(ipv4(udp(inner, port), 17)) for port, inner in DATAGRAMS.values()]
    frames += [ethernet(ipv4(inner, protocol)) for protocol, inner in PROTOCOLS.values()]
    frames += [ethernet(inner, kind) for kind, inner in ETHERTYPES.values()]
    return [*((ETHERNET, frame) for frame in frames), *LINKED.values()]
