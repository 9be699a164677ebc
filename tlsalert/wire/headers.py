"""What one header says comes next: the small vocabulary that link types, tunnels and EtherTypes share.

A function that reads a header returns ``(what, at, end)``: what begins at ``at``, and where it ends. ``what`` is an
EtherType (0x600 and more, IEEE 802.3 §3.2.6) or one of the constants here.
"""

from __future__ import annotations

from typing import Final

from librt.strings import read_i16_be
from mypy_extensions import i64

NOTHING: Final = 0  # nothing that could hold TCP
IP: Final = 0x10001  # IPv4 or IPv6, as its first nibble says
FRAME: Final = 0x10002  # an Ethernet frame with its addresses
PPP_PACKET: Final = 0x10003  # PPP, with or without its address and control bytes
WLAN: Final = 0x10004  # an 802.11 MAC frame
LLC: Final = 0x10005  # IEEE 802.2
AGGREGATE: Final = 0x10006  # an A-MSDU's subframes
ENCRYPTED: Final = 0x10007  # an 802.11 frame whose body is
PIECE: Final = 0x10008  # a fragment below IP, which is not put together
COMPRESSED: Final = 0x10009  # PPP whose contents or headers are compressed or encrypted
UNKNOWN: Final = 0x1000A  # a link type that has no entry

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
BRIDGED: Final = 0x6558  # transparent Ethernet bridging, RFC 1701
PPP_IN: Final = 0x880B
MPLS: Final = 0x8847
MPLS_UPSTREAM: Final = 0x8848  # RFC 5332 §3
PPPOE: Final = 0x8864
NSH: Final = 0x894F

Inner = tuple[i64, i64, i64]


def link_control(data: bytes, at: i64, end: i64) -> Inner:
    """Follow an 802.2 header: SNAP (RFC 1042), bridged frames (RFC 2684 §5.2), IP by its own SAP or its NLPID."""
    if at + 3 >= end or data[at + 2] != 3:
        return NOTHING, at, end
    if data[at] == 0xAA and data[at + 1] == 0xAA and at + 8 < end:
        vendor = i64(data[at + 3]) << 16 | u16(data, at + 4)
        if vendor == 0 or vendor == 0xF8:  # RFC 1042, and IEEE 802.1H's bridge tunnel
            return u16(data, at + 6), at + 8, end
        if vendor == 0x80C2 and (data[at + 7] == 1 or data[at + 7] == 7):
            return FRAME, at + 10, end  # after two bytes of padding
    elif data[at] == 0xFE and data[at + 1] == 0xFE and data[at + 3] == 0xCC:
        return IP, at + 4, end
    elif data[at] == 6 and data[at + 1] == 6:
        return IP, at + 3, end
    return NOTHING, at, end


def labels(data: bytes, at: i64, end: i64) -> Inner:
    """Follow MPLS labels (RFC 3032 §2.1) to IP or to an Ethernet pseudowire (RFC 4448).

    Nothing on the wire says which. RFC 4928 §3 keeps 4 and 6 for IP; 0 begins the control word of RFC 4385 §3, but most
    makers' MAC addresses as well, so the frame decides that makes sense.
    """
    while at + 4 < end:
        bottom = data[at + 2] & 1
        at += 4
        if bottom:
            nibble = data[at] >> 4
            if nibble == 4 or nibble == 6:
                frame = frame_header(data, at, end) and ip_size(data, at) != end - at
                return FRAME if frame else IP, at, end
            if nibble == 0 and frame_header(data, at + 4, end):
                return FRAME, at + 4, end
            if frame_header(data, at, end):
                return FRAME, at, end
            break
    return NOTHING, at, end


def session(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a PPPoE session's header, RFC 2516 §4."""
    if at + 6 > end or data[at] != 0x11 or data[at + 1] != 0:
        return NOTHING, at, end
    return PPP_PACKET, at + 6, min(end, at + 6 + u16(data, at + 4))


def secured(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a MACsec tag, IEEE 802.1AE §9.3, where it says that what follows is neither encrypted nor changed."""
    if at + 6 > end or data[at] & 0x8C:
        return NOTHING, at, end
    at += 14 if data[at] & 0x20 else 6
    return (u16(data, at), at + 2, end - 16) if at + 18 < end else (NOTHING, at, end)


def service_header(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a network service header, RFC 8300 §2.2: its length is in words, its next protocol as VXLAN-GPE's."""
    if at + 8 > end or data[at] & 0xC0:
        return NOTHING, at, end
    size = (i64(data[at + 1]) & 0x3F) * 4
    return next_protocol(data[at + 3]), at + max(size, 8), end


def next_protocol(number: i64) -> i64:
    """Return what the numbers of RFC 8300 §2.2 and draft-ietf-nvo3-vxlan-gpe §3.2 stand for."""
    if number == 1 or number == 2:
        return IP
    if number == 3:
        return FRAME
    if number == 4:
        return NSH
    return MPLS if number == 5 else NOTHING


def ip_header(data: bytes, at: i64, end: i64) -> bool:
    """Whether an IP header of either version can begin at ``at``."""
    if at + 20 > end:
        return False
    if data[at] >> 4 == 4:
        header = (i64(data[at]) & 15) * 4
        total = u16(data, at + 2)
        return header >= 20 and (total >= header or total == 0)
    return data[at] >> 4 == 6 and at + 40 <= end


def ip_size(data: bytes, at: i64) -> i64:
    """Return how long an IP packet says it is, its header included."""
    return u16(data, at + 2) if data[at] >> 4 == 4 else 40 + u16(data, at + 4)


def frame_header(data: bytes, at: i64, end: i64) -> bool:
    """Whether an Ethernet frame can begin at ``at``: its type is a known one, and what follows begins as it must."""
    kind_at = at + 12
    while kind_at + 6 <= end:
        kind = u16(data, kind_at)
        if kind == IPV4:
            return data[kind_at + 2] >> 4 == 4
        if kind == IPV6:
            return data[kind_at + 2] >> 4 == 6
        if kind != 0x8100 and kind != 0x88A8:
            logical = kind < 0x600 and data[kind_at + 2] == 0xAA and data[kind_at + 3] == 0xAA
            return logical or kind == MPLS or kind == PPPOE or kind == 0x0806
        kind_at += 4
    return False


def u16(data: bytes, at: i64) -> i64:
    """Return two bytes at ``at`` as a number."""
    return i64(read_i16_be(data, at)) & 0xFFFF


def u16_le(data: bytes, at: i64) -> i64:
    """Return two bytes at ``at`` as a number, the low one first."""
    return i64(data[at]) | i64(data[at + 1]) << 8
