"""Link and network layers: a captured packet → the TCP segment inside it.

Link types by their numbers in tcpdump.org/linktypes.html; EtherTypes and protocol numbers are IANA's.
"""

from __future__ import annotations

from typing import Final, final

from librt.strings import read_i16_be
from mypy_extensions import i64

from tlsalert.wire.tcp import TcpTable

ETHERNET: Final = 1
#: Link types whose header length and place of the EtherType are fixed: Linux cooked captures.
SLL: Final = 113
SLL2: Final = 276
#: A four-byte address family in the capturing machine's byte order, or in network order (LOOP).
NULL: Final = 0
LOOP: Final = 108
PPP: Final = 9
#: Packets that begin with the IP header: LINKTYPE_RAW, its BSD numbers, IPV4 and IPV6.
RAW: Final = frozenset((12, 14, 101, 228, 229))

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
MPLS: Final = 0x8847
PPPOE: Final = 0x8864
VLANS: Final = frozenset((0x8100, 0x88A8, 0x9100, 0x9200))

#: How many IP headers one packet may hold inside each other.
MAX_DEPTH: Final = 8


@final
class Network:
    """Takes packets as captured and hands the TCP segments in them to the table."""

    def __init__(self, tcp: TcpTable) -> None:
        self.tcp = tcp
        self.unknown: dict[int, int] = {}
        self.fragments: i64 = 0
        self.frame: i64 = 0
        self.time: i64 = 0

    def packet(self, data: bytes, start: i64, end: i64, link: i64, frame: i64, time: i64) -> None:
        """Take the packet ``data[start:end]``: ``frame`` counts from 1, ``link`` is the link type's number."""
        self.frame = frame
        self.time = time
        if link == ETHERNET:
            if end - start < 34:
                return
            kind = u16(data, start + 12)
            if kind == IPV4:
                self.ipv4(data, start + 14, end, 0)
            else:
                self.ether(data, kind, start + 14, end)
        elif link == SLL:
            if end - start > 16:
                self.ether(data, u16(data, start + 14), start + 16, end)
        elif link == SLL2:
            if end - start > 20:
                self.ether(data, u16(data, start), start + 20, end)
        elif link == NULL or link == LOOP:
            self.ip(data, start + 4, end, 0)  # the version nibble tells what the family's many numbers only hint at
        elif int(link) in RAW:
            self.ip(data, start, end, 0)
        elif link == PPP:
            self.ppp(data, start, end)
        else:
            self.unknown[int(link)] = self.unknown.get(int(link), 0) + 1

    def ether(self, data: bytes, kind: i64, at: i64, end: i64) -> None:
        """Follow an EtherType: VLAN tags, MPLS labels and PPPoE down to IP."""
        while int(kind) in VLANS and at + 4 <= end:
            kind = u16(data, at + 2)
            at += 4
        if kind == IPV4:
            self.ipv4(data, at, end, 0)
        elif kind == IPV6:
            self.ipv6(data, at, end, 0)
        elif kind == MPLS:
            while at + 4 < end:
                bottom = data[at + 2] & 1
                at += 4
                if bottom:
                    self.ip(data, at, end, 0)
                    return
        elif kind == PPPOE:
            self.ppp(data, at + 6, end)

    def ppp(self, data: bytes, at: i64, end: i64) -> None:
        """Follow PPP (RFC 1661), with or without its address and control bytes and with a short protocol number."""
        if at + 4 > end:
            return
        if data[at] == 0xFF and data[at + 1] == 0x03:
            at += 2
        if data[at] & 1:
            kind: i64 = data[at]
            at += 1
        else:
            kind = u16(data, at)
            at += 2
        if kind == 0x21 or kind == 0x57:
            self.ip(data, at, end, 0)

    def ip(self, data: bytes, at: i64, end: i64, depth: i64) -> None:
        """Follow an IP header of either version."""
        if at >= end:
            return
        version = data[at] >> 4
        if version == 4:
            self.ipv4(data, at, end, depth)
        elif version == 6:
            self.ipv6(data, at, end, depth)

    def ipv4(self, data: bytes, at: i64, end: i64, depth: i64) -> None:
        """Follow an IPv4 header, RFC 791. A total length of 0 is segmentation offload: the packet is all there is."""
        if end - at < 20:
            return
        header = (i64(data[at]) & 15) * 4
        total = u16(data, at + 2)
        if total == 0:
            total = end - at
        if header < 20 or total < header:
            return
        if u16(data, at + 6) & 0x3FFF:
            self.fragments += 1
            return
        protocol = data[at + 9]
        inner = at + header
        stop = min(end, at + total)
        if protocol == 6:
            if inner + 4 > stop:
                return
            key = data[at + 12 : at + 24] if header == 20 else data[at + 12 : at + 20] + data[inner : inner + 4]
            self.tcp.packet(key, data, inner, stop, total - header, self.frame, self.time)
        else:
            self.tunnel(data, protocol, inner, stop, depth)

    def ipv6(self, data: bytes, at: i64, end: i64, depth: i64) -> None:
        """Follow an IPv6 header and its extension headers, RFC 8200 §4."""
        if end - at < 40:
            return
        size = u16(data, at + 4)
        protocol: i64 = data[at + 6]
        inner = at + 40
        full = inner + size if size > 0 else end
        stop = min(end, full)
        while inner + 8 <= stop:
            if protocol == 0 or protocol == 43 or protocol == 60 or protocol == 135:
                step = 8 * (i64(data[inner + 1]) + 1)
            elif protocol == 51:
                step = 4 * (i64(data[inner + 1]) + 2)
            elif protocol == 44:
                if u16(data, inner + 2) & 0xFFF9:
                    self.fragments += 1
                    return
                step = 8
            else:
                break
            protocol = data[inner]
            inner += step
        if protocol == 6:
            if inner + 4 > stop:
                return
            key = data[at + 8 : at + 40] + data[inner : inner + 4]
            self.tcp.packet(key, data, inner, stop, full - inner, self.frame, self.time)
        else:
            self.tunnel(data, protocol, inner, stop, depth)

    def tunnel(self, data: bytes, protocol: i64, at: i64, end: i64, depth: i64) -> None:
        """Follow IP inside IP (RFC 2003, RFC 4213) and GRE (RFC 2784, RFC 2890)."""
        if depth >= MAX_DEPTH:
            return
        if protocol == 4 or protocol == 41:
            self.ip(data, at, end, depth + 1)
        elif protocol == 47 and at + 4 <= end and data[at + 1] & 7 == 0:
            flags = data[at]
            kind = u16(data, at + 2)
            at += 4
            for bit in (0x80, 0x20, 0x10):
                if flags & bit:
                    at += 4
            if kind == IPV4 or kind == IPV6:
                self.ip(data, at, end, depth + 1)


def u16(data: bytes, at: i64) -> i64:
    """Return two bytes at ``at`` as a number."""
    return i64(read_i16_be(data, at)) & 0xFFFF
