"""Tunnels inside IP: GRE, PPP and what lies in UDP datagrams. A header that does not check out holds nothing."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from tlsalert.wire.headers import (
    COMPRESSED,
    FRAME,
    IP,
    MPLS,
    NOTHING,
    PPP_IN,
    PPP_PACKET,
    WLAN,
    Inner,
    ip_header,
    next_protocol,
    u16,
)

#: UDP's ports for tunnels, as IANA lists them; 8472 is what Linux used for VXLAN before it had a number, 6080 and 5555
#: are those of the drafts and examples of generic UDP encapsulation and foo-over-UDP.
L2TP: Final = 1701
GTP_U: Final = 2152
TEREDO: Final = 3544
LISP: Final = 4341
GRE_IN_UDP: Final = 4754
VXLAN: Final = 4789
VXLAN_GPE: Final = 4790
CAPWAP_DATA: Final = 5247
FOU: Final = 5555
GUE: Final = 6080
GENEVE: Final = 6081
MPLS_IN_UDP: Final = 6635
VXLAN_LINUX: Final = 8472
TZSP: Final = 37008

#: What CAPWAP's header says of its payload: see :func:`capwap`.
FRAGMENT: Final = 0x80
LAST: Final = 0x40


def datagram(port: i64, data: bytes, at: i64, end: i64) -> Inner:
    """Follow what the tunnel of UDP port ``port`` carries at ``at``; CAPWAP is :func:`capwap`'s."""
    if at + 8 > end:
        return NOTHING, at, end
    if port == VXLAN or port == VXLAN_LINUX or port == VXLAN_GPE:
        return _vxlan(port, data, at, end)
    if port == GENEVE:
        return _geneve(data, at, end)
    if port == GTP_U:
        return _gtp(data, at, end)
    if port == L2TP:
        return _l2tp(data, at, end)
    if port == GRE_IN_UDP:  # RFC 8086
        return gre(data, at, end)
    if port == MPLS_IN_UDP:  # RFC 7510
        return MPLS, at, end
    if port == LISP:  # RFC 9300 §5.1
        return _plain_ip(data, at + 8, end)
    if port == TEREDO:
        return _teredo(data, at, end)
    if port == GUE and data[at] >> 6 == 0 and data[at] & 0x20 == 0:  # draft-ietf-intarea-gue §3
        return _by_protocol(data[at + 1], data, at + 4 + 4 * (i64(data[at]) & 31), end)
    if port == GUE or port == FOU:
        return _plain_ip(data, at, end)
    if port == TZSP:
        return _tzsp(data, at, end)
    return NOTHING, at, end


def is_tunnel(port: i64) -> bool:
    """Whether a datagram to this port is worth a look. Most are not, and a capture may be full of them."""
    if port < L2TP:
        return False
    if port < VXLAN:
        return port == L2TP or port == GTP_U or port == TEREDO or port == LISP or port == GRE_IN_UDP
    if port <= GENEVE:
        return port <= VXLAN_GPE or port == CAPWAP_DATA or port == FOU or port == GUE or port == GENEVE
    return port == MPLS_IN_UDP or port == VXLAN_LINUX or port == TZSP


def gre(data: bytes, at: i64, end: i64) -> Inner:
    """Follow GRE: RFC 2784 and RFC 2890, with RFC 1701's routing; RFC 2637's version 1, which PPTP uses."""
    if at + 8 > end:
        return NOTHING, at, end
    flags = data[at]
    kind = u16(data, at + 2)
    if data[at + 1] & 7 == 1:
        return _enhanced_gre(data, kind, at, end)
    if data[at + 1] & 7:
        return NOTHING, at, end
    at += 4
    if flags & 0xC0:
        at += 4
    if flags & 0x20:
        at += 4
    if flags & 0x10:
        at += 4
    if flags & 0x40:
        while at + 4 <= end and (u16(data, at) or data[at + 3]):
            at += 4 + i64(data[at + 3])
        at += 4
    if kind == 0x88BE or kind == 0x22EB:
        return _erspan(kind, flags & 0x10 != 0, data, at, end)
    if kind == 0x883E and at < end:  # WCCP: a router's redirect header may stand before the packet
        return IP, at if ip_header(data, at, end) else at + 4, end
    return kind, at, end


def _enhanced_gre(data: bytes, kind: i64, at: i64, end: i64) -> Inner:
    """Follow GRE version 1: PPP (RFC 2637 §4.1) or, on MikroTik's routers, an Ethernet frame (EoIP)."""
    flags = data[at]
    size = u16(data, at + 4)
    if flags & 0x20 == 0:
        return NOTHING, at, end
    if kind == 0x6400:
        return FRAME, at + 8, end
    if kind != PPP_IN or flags & 0x10 == 0:
        return NOTHING, at, end
    start = at + 12
    if data[at + 1] & 0x80:
        start += 4
    return PPP_PACKET, start, min(end, start + size)


def _erspan(kind: i64, numbered: bool, data: bytes, at: i64, end: i64) -> Inner:
    """Follow a mirrored frame, draft-foschiano-erspan: type I has no header, type III may have another after it."""
    if kind == 0x88BE and not numbered:
        return FRAME, at, end
    if kind == 0x88BE and at + 8 <= end and data[at] >> 4 == 1:
        return FRAME, at + 8, end
    if at + 12 > end or data[at] >> 4 != 2:
        return NOTHING, at, end
    contents = data[at + 10] >> 2 & 31
    inner = at + 20 if data[at + 11] & 1 else at + 12
    if contents == 0:
        return FRAME, inner, end
    return (IP, inner, end) if contents == 2 else (NOTHING, at, end)


def ppp(data: bytes, at: i64, end: i64) -> Inner:
    """Follow PPP (RFC 1661), with or without its address and control bytes and with a short protocol number.

    Of multilink (RFC 1990) only packets that were not split are read; those with Van Jacobson's headers (RFC 1144) need
    the ones before them, and compressed or encrypted ones (RFC 1962, RFC 3078) their keys or dictionary.
    """
    if at + 4 > end:
        return NOTHING, at, end
    if data[at] == 0xFF and data[at + 1] == 0x03:
        at += 2
    elif (data[at] == 0x0F or data[at] == 0x8F) and data[at + 1] == 0:
        return u16(data, at + 2), at + 4, end  # Cisco's HDLC, which LINKTYPE_PPP_HDLC may hold
    for _ in range(2):
        if at + 2 > end:
            break
        kind: i64 = data[at]
        if kind & 1:
            at += 1
        else:
            kind = u16(data, at)
            at += 2
        if kind == 0x21 or kind == 0x57:
            return IP, at, end
        if kind == 0x281 or kind == 0x283:
            return MPLS, at, end
        if kind == 0x31:  # a bridged frame, RFC 3518 §4.2; MAC type 1 is Ethernet
            return (FRAME, at + 2, end) if at + 2 < end and data[at + 1] == 1 else (NOTHING, at, end)
        if kind == 0x2D or kind == 0x2F or kind == 0xFD or kind == 0xFB:
            return COMPRESSED, at, end
        if kind != 0x3D or at + 4 > end:
            break
        if data[at] & 0xC0 != 0xC0 or data[at] & 0x3F:
            return COMPRESSED, at, end
        at += 4
    return NOTHING, at, end


def capwap(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a CAPWAP data header, RFC 5415 §4.3, to an 802.11 frame or, from a bridge, one of Ethernet.

    Its fragments (flags F and L in the fourth byte) have to be put together first. DTLS has another first byte.
    """
    if at + 8 > end or data[at] != 0 or data[at + 3] & 0x08:  # a keep-alive
        return NOTHING, at, end
    size = (i64(data[at + 1]) >> 3) * 4
    if size < 8 or at + size >= end:
        return NOTHING, at, end
    if data[at + 2] & 1 == 0:
        return FRAME, at + size, end
    radio = data[at + 2] >> 1 & 31
    return WLAN if radio == 1 else NOTHING, at + size, end


def _vxlan(port: i64, data: bytes, at: i64, end: i64) -> Inner:
    """Follow VXLAN, RFC 7348 §5, its group policy, and its generic protocol extension."""
    flags = data[at]
    if flags & 0x08 == 0 or flags & 0x30:
        return NOTHING, at, end
    if flags & 0x04 and port == VXLAN_GPE:
        return next_protocol(data[at + 3]), at + 8, end
    return FRAME, at + 8, end


def _geneve(data: bytes, at: i64, end: i64) -> Inner:
    """Follow GENEVE, RFC 8926 §3.4."""
    if data[at] & 0xC0 or data[at + 1] & 0x3F or data[at + 7]:
        return NOTHING, at, end
    return u16(data, at + 2), at + 8 + 4 * (i64(data[at]) & 0x3F), end


def _gtp(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a user's packet in GTP-U, 3GPP TS 29.281 §5.1: version 1, message 255, with its extension headers."""
    if data[at] & 0xF8 != 0x30 or data[at + 1] != 255:
        return NOTHING, at, end
    stop = min(end, at + 8 + u16(data, at + 2))
    flags = data[at] & 7
    following: i64 = 0
    at += 8
    if flags:
        if at + 4 > stop:
            return NOTHING, at, stop
        following = data[at + 3] if flags & 4 else 0
        at += 4
    while following:
        if at >= stop or data[at] == 0 or at + 4 * i64(data[at]) > stop:
            return NOTHING, at, stop
        at += 4 * i64(data[at])
        following = data[at - 1]
    if at + 2 <= stop and data[at] == 0xFF and data[at + 1] == 0x03:
        return PPP_PACKET, at, stop
    return _plain_ip(data, at, stop)


def _l2tp(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a data message of L2TP version 2, RFC 2661 §3.1."""
    flags = u16(data, at)
    if flags & 0xB4FF != 0x0002:  # control messages have the top bit; the others are reserved
        return NOTHING, at, end
    stop = end
    inner = at + 2
    if flags & 0x4000:
        stop = min(end, at + u16(data, inner))
        inner += 2
    inner += 4
    if flags & 0x0800:
        inner += 4
    if flags & 0x0200:
        if inner + 2 > stop:
            return NOTHING, inner, stop
        inner += 2 + u16(data, inner)
    return PPP_PACKET, inner, stop


def _teredo(data: bytes, at: i64, end: i64) -> Inner:
    """Follow Teredo, RFC 4380 §5.1.1: IPv6, behind an authentication and an origin where they are."""
    if data[at] == 0 and data[at + 1] == 1:
        at += 13 + i64(data[at + 2]) + i64(data[at + 3])
    if at + 8 <= end and data[at] == 0 and data[at + 1] == 0:
        at += 8
    if at + 40 > end or data[at] >> 4 != 6 or u16(data, at + 4) > end - at - 40:
        return NOTHING, at, end
    return IP, at, end


def _tzsp(data: bytes, at: i64, end: i64) -> Inner:
    """Follow a packet that a sniffer sends on, TZSP: version 1, what it holds, tags until number 1."""
    if data[at] != 1 or data[at + 1] > 1:
        return NOTHING, at, end
    kind = u16(data, at + 2)
    at += 4
    while at < end and data[at] != 1:
        if data[at] == 0:
            at += 1
        elif at + 1 < end:
            at += 2 + i64(data[at + 1])
        else:
            break
    at += 1
    if kind == 1:
        return FRAME, at, end
    return (WLAN, at, end) if kind == 18 else (NOTHING, at, end)


def _by_protocol(protocol: i64, data: bytes, at: i64, end: i64) -> Inner:
    """Follow what an IP protocol number stands for, where it is one that tunnels carry."""
    if protocol == 4 or protocol == 41:
        return _plain_ip(data, at, end)
    if protocol == 47:
        return gre(data, at, end)
    return (MPLS, at, end) if protocol == 137 else (NOTHING, at, end)


def _plain_ip(data: bytes, at: i64, end: i64) -> Inner:
    return (IP, at, end) if ip_header(data, at, end) else (NOTHING, at, end)
