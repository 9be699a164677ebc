"""Link types beyond Ethernet, by their numbers in tcpdump.org/linktypes.html: where the packet begins in each."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from tlsalert.wire.headers import (
    FRAME,
    IP,
    LLC,
    MPLS,
    NOTHING,
    PPP_PACKET,
    PPPOE,
    UNKNOWN,
    WLAN,
    Inner,
    u16,
    u16_le,
)
from tlsalert.wire.wlan import avs_or_prism, radiotap

NULL: Final = 0
ETHERNET: Final = 1
TOKEN_RING: Final = 6
SLIP: Final = 8
PPP: Final = 9
FDDI: Final = 10
ATM_RFC1483: Final = 100
C_HDLC: Final = 104
IEEE802_11: Final = 105
FRELAY: Final = 107
LOOP: Final = 108
ENC: Final = 109
SLL: Final = 113
PFLOG: Final = 117
PRISM: Final = 119
IP_OVER_FC: Final = 122
SUNATM: Final = 123
RADIOTAP: Final = 127
APPLE_IP_OVER_IEEE1394: Final = 138
DOCSIS: Final = 143
AVS: Final = 163
PPP_PPPD: Final = 166
PPI: Final = 192
ERF: Final = 197
PPP_WITH_DIR: Final = 204
C_HDLC_WITH_DIR: Final = 205
FRELAY_WITH_DIR: Final = 206
MPLS_LINK: Final = 219
IPNET: Final = 226
NFLOG: Final = 239
NETANALYZER: Final = 240
NETANALYZER_TRANSPARENT: Final = 241
IPOIB: Final = 242
PKTAP: Final = 258
EPON: Final = 259
MPACKET: Final = 274
SLL2: Final = 276

RAW: Final = 101
#: Other packets that begin with the IP header: RAW's numbers on some BSDs, ATM_CLIP, IPV4 and IPV6.
BARE: Final = frozenset((12, 14, 101, 106, 228, 229))
#: Ethernet with a switch's tag of so many bytes behind the addresses: Broadcom's, Marvell's, Marvell's with EtherType.
SWITCH_TAGS: Final = {281: 4, 284: 4, 285: 8}
#: Headers of a fixed length, with what follows them.
FIXED: Final = {
    NULL: (4, IP),  # the version nibble tells what the address family's many numbers only hint at
    LOOP: (4, IP),
    SLIP: (16, IP),
    PPP: (0, PPP_PACKET),
    50: (0, PPP_PACKET),  # PPP_HDLC
    51: (0, PPPOE),  # PPP_ETHER
    FDDI: (13, LLC),
    ATM_RFC1483: (0, LLC),
    IEEE802_11: (0, WLAN),
    ENC: (12, IP),
    IP_OVER_FC: (16, LLC),  # RFC 2625 §3.4
    SUNATM: (4, LLC),
    PPP_WITH_DIR: (1, PPP_PACKET),
    MPLS_LINK: (0, MPLS),
    IPNET: (24, IP),
    NETANALYZER: (4, FRAME),
    NETANALYZER_TRANSPARENT: (12, FRAME),  # and the preamble
    EPON: (8, FRAME),
    MPACKET: (8, FRAME),
    282: (4, FRAME),  # DSA_TAG_BRCM_PREPEND
}
#: Headers that end with an EtherType: how long they are, and where it stands.
TYPED: Final = {
    C_HDLC: (4, 2),
    C_HDLC_WITH_DIR: (5, 3),
    SLL2: (20, 0),
    IPOIB: (44, 40),  # after a global routing header, RFC 4391 §6
    APPLE_IP_OVER_IEEE1394: (18, 16),
}


def payload(link: i64, data: bytes, at: i64, end: i64) -> Inner:
    """Return what a packet of link type ``link`` holds: UNKNOWN for a link type that has no entry here."""
    if link == ETHERNET:
        return FRAME, at, end
    if link == SLL:
        return _cooked(data, at, end)
    number = int(link)
    if number in FIXED:
        size, what = FIXED[number]
        return i64(what), at + i64(size), end
    if number in TYPED:
        size, place = TYPED[number]
        if at + i64(size) >= end:
            return NOTHING, at, end
        return u16(data, at + i64(place)), at + i64(size), end
    if number in BARE or link >> 16 == 0x0224:  # NetBSD's raw address families have a class of their own
        return IP, at, end
    if number in SWITCH_TAGS:
        size = SWITCH_TAGS[number]
        return (u16(data, at + 12 + size), at + 14 + size, end) if at + 14 + size < end else (NOTHING, at, end)
    if link == RADIOTAP:
        return radiotap(data, at, end)
    if link == PRISM or link == AVS:
        return avs_or_prism(data, at, end)
    if link == PPI or link == PKTAP:
        return _wrapped(link, data, at, end)
    if link == TOKEN_RING:
        return _token_ring(data, at, end)
    if link == PFLOG:  # its first byte is its length without padding
        return (IP, at + (i64(data[at]) + 3 & ~3), end) if at < end else (NOTHING, at, end)
    if link == FRELAY or link == FRELAY_WITH_DIR:
        return _frame_relay(data, at if link == FRELAY else at + 1, end)
    if link == DOCSIS:
        return _docsis(data, at, end)
    if link == PPP_PPPD:  # the first byte is the direction, in place of PPP's address
        return PPP_PACKET, at + 2, end
    if link == ERF:
        return _endace(data, at, end)
    if link == NFLOG:
        return _logged(data, at, end)
    return UNKNOWN, at, end


def _cooked(data: bytes, at: i64, end: i64) -> Inner:
    """Follow Linux's cooked header; its ARPHRD type 801 to 803 means 802.11, bare or behind Prism or Radiotap."""
    if at + 16 >= end:
        return NOTHING, at, end
    hardware = u16(data, at + 2)
    if hardware == 801:
        return WLAN, at + 16, end
    if hardware == 802:
        return avs_or_prism(data, at + 16, end)
    if hardware == 803:
        return radiotap(data, at + 16, end)
    kind = u16(data, at + 14)
    return LLC if kind == 4 else kind, at + 16, end


def _wrapped(link: i64, data: bytes, at: i64, end: i64) -> Inner:
    """Follow a header that names the link type of what it wraps: PPI's, or Apple's PKTAP."""
    if at + 12 > end:
        return NOTHING, at, end
    if link == PPI:
        size, inner = u16_le(data, at + 2), _u32_le(data, at + 4)
    else:
        size, inner = _u32_le(data, at), _u32_le(data, at + 8)
    if size < 8 or at + size >= end or inner == PPI or inner == PKTAP:
        return NOTHING, at, end
    return payload(inner, data, at + size, end)


def _token_ring(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a token ring header, IEEE 802.5: the source address's first bit announces routing information."""
    if at + 15 >= end:
        return NOTHING, at, end
    routed = i64(data[at + 14]) & 31 if data[at + 8] & 0x80 else 0
    return LLC, at + 14 + routed, end


def _frame_relay(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a frame relay header, RFC 2427: an address of two bytes, control, and the protocol's NLPID."""
    if at + 4 >= end or data[at + 1] & 1 == 0:
        return NOTHING, at, end
    if data[at + 2] != 3:
        return u16(data, at + 2), at + 4, end  # Cisco's way: an EtherType
    at += 3
    if data[at] == 0 and at + 1 < end:
        at += 1  # padding
    if data[at] == 0xCC or data[at] == 0x8E:
        return IP, at + 1, end
    if data[at] == 0x80 and at + 6 < end:
        kind = u16(data, at + 4)
        bridged = u16(data, at + 1) == 0x0080 and data[at + 3] == 0xC2 and (kind == 1 or kind == 7)
        return FRAME if bridged else kind, at + 6, end
    return (PPP_PACKET, at + 1, end) if data[at] == 0xCF else (NOTHING, at, end)


def _docsis(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a DOCSIS header that holds an Ethernet frame: packet PDUs, with or without an extended header."""
    if at + 6 > end or data[at] & 0xC0:
        return NOTHING, at, end
    return FRAME, at + 6 + (i64(data[at + 1]) if data[at] & 1 else 0), end


def _endace(data: bytes, at: i64, end: i64) -> Inner:
    """Follow an Endace record (its type 2 is Ethernet with two bytes before it; 22 and 23 are IP), after extensions."""
    if at + 18 >= end:
        return NOTHING, at, end
    kind: i64 = data[at + 8]
    more = kind & 0x80
    at += 16
    while more:
        if at + 8 >= end:
            return NOTHING, at, end
        more = i64(data[at]) & 0x80
        at += 8
    kind &= 0x7F
    if kind == 2:
        return FRAME, at + 2, end
    return (IP, at, end) if kind == 22 or kind == 23 else (NOTHING, at, end)


def _logged(data: bytes, at: i64, end: i64) -> Inner:
    """Follow Linux's netfilter log: lengths and types in the machine's byte order; type 9 is the packet."""
    if at + 8 > end:
        return NOTHING, at, end
    at += 4
    while at + 4 <= end:
        size, kind = u16_le(data, at), u16_le(data, at + 2) & 0x7FFF
        if size > end - at and u16(data, at) <= end - at:
            size, kind = u16(data, at), u16(data, at + 2) & 0x7FFF
        if size < 4 or at + size > end:
            break
        if kind == 9:
            return IP, at + 4, at + size
        at += size + 3 & ~3
    return NOTHING, at, end


def _u32_le(data: bytes, at: i64) -> i64:
    return u16_le(data, at) | u16_le(data, at + 2) << 16
