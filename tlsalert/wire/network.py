"""Link and network layers: a captured packet → the TCP segment inside it.

Plain Ethernet goes the short way; :mod:`links` and :mod:`tunnels` say what lies in everything else, and this walks
through it. EtherTypes and protocol numbers are IANA's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from librt.strings import read_i32_be, read_i64_be
from mypy_extensions import i64

from tlsalert.wire.fragments import MAX_BYTES, MAX_DATAGRAMS, Datagram, Fragments
from tlsalert.wire.headers import (
    AGGREGATE,
    BRIDGED,
    COMPRESSED,
    ENCRYPTED,
    FRAME,
    IP,
    IPV4,
    IPV6,
    LLC,
    MPLS,
    MPLS_UPSTREAM,
    NOTHING,
    NSH,
    PIECE,
    PPP_IN,
    PPP_PACKET,
    PPPOE,
    UNKNOWN,
    WLAN,
    Inner,
    labels,
    link_control,
    secured,
    service_header,
    session,
    u16,
)
from tlsalert.wire.links import ETHERNET, RAW, SLL2, payload
from tlsalert.wire.tcp import TcpTable
from tlsalert.wire.tunnels import CAPWAP_DATA, FRAGMENT, L2TP, LAST, TEREDO, capwap, datagram, gre, is_tunnel, ppp
from tlsalert.wire.wlan import subframe, wlan

#: The EtherType of IPv4 and the first byte of a header without options: what nearly all packets have.
PLAIN_IPV4: Final = 0x080045
#: Tags that may stand before one another.
MAX_TAGS: Final = 16
MAC_SECURITY: Final = 0x88E5
JUMBO: Final = 0x8870  # 802.2 in frames whose length does not fit the field
BACKBONE: Final = 0x88E7  # IEEE 802.1ah: four bytes of tag, then the customer's frame

#: IP protocols that are TCP, tunnels, or extension headers before them.
CARRIERS: Final = frozenset((0, 4, 6, 17, 41, 43, 44, 47, 51, 60, 97, 135, 137, 143))

#: How many headers of IP, tunnels and frames one packet may hold inside each other.
MAX_DEPTH: Final = 16
#: How many link types that nobody knows are named: a capture that was made to annoy may claim thousands.
MAX_NAMED: Final = 8


@final
class Network:
    """Takes packets as captured and hands the TCP segments in them to the table.

    ``dissect`` is asked about link types that are not known here: it returns the IP packet inside, nothing where there
    is none, or None where it does not know the link type either.
    """

    def __init__(self, tcp: TcpTable, dissect: Callable[[int, bytes], bytes | None] | None = None) -> None:
        self.tcp = tcp
        self.dissect = dissect
        self.unknown: dict[int, int] = {}
        self.fragments = Fragments()
        self.encrypted: i64 = 0
        self.pieces: i64 = 0
        self.compressed: i64 = 0
        self.frame: i64 = 0
        self.time: i64 = 0

    def packet(self, data: bytes, start: i64, end: i64, link: i64, frame: i64, time: i64) -> None:
        """Take the packet ``data[start:end]``: ``frame`` counts from 1, ``link`` is the link type's number."""
        if link == ETHERNET and end - start >= 54 and i64(read_i32_be(data, start + 12)) >> 8 == PLAIN_IPV4:
            rest = read_i64_be(data, start + 16)  # total length, identification, fragment, time to live, protocol
            total = rest >> 48 & 0xFFFF
            if rest & 0x3FFF00FF == 6 and total >= 40:
                stop = min(end, start + 14 + total)
                self.tcp.packet4(data, start + 26, start + 34, stop, total - 20, frame, time)
                return
        self.frame = frame
        self.time = time
        if self.tcp.tracing:
            self.fragments.frame = frame
        if link == ETHERNET:
            if end - start < 34:
                return
            kind = u16(data, start + 12)
            if kind == IPV4:
                self.ipv4(data, start + 14, end, 0)
            else:
                self.inside(kind, data, start + 14, end, 0)
            return
        if link == SLL2 and end - start > 20:
            self.inside(u16(data, start), data, start + 20, end, 0)
            return
        if link == RAW:
            self.ip(data, start, end, 0)
            return
        what, at, stop = payload(link, data, start, end)
        if what == UNKNOWN:
            self._ask(int(link), data[start:end])
        else:
            self.inside(what, data, at, stop, 0)

    def notes(self) -> list[str]:
        """Say what could not be read, and why."""
        said = []
        unknown = sorted(self.unknown.items(), key=_by_packets)
        if len(unknown) > MAX_NAMED:
            rest = unknown[MAX_NAMED:]
            said.append(f"{_packets(rest)} packets of {len(rest)} other link types are not understood")
        if len(unknown) > 0:
            from tlsalert.registry.link_types import link_type_name  # a long list that few captures need
        for link, packets in unknown[:MAX_NAMED]:
            said.append(f"{packets} packets of link type {link} ({link_type_name(link)}) are not understood")
        fragments = self.fragments
        if fragments.incomplete > 0:
            said.append(
                f"{fragments.incomplete} IP datagrams came in fragments of which some are missing: what was in them is "
                "not read (a capture filter on ports keeps only first fragments)"
            )
        if fragments.crowded > 0:
            said.append(
                f"{fragments.crowded} IP datagrams in fragments were given up: more than {MAX_DATAGRAMS} of them, or "
                f"{MAX_BYTES >> 20} MiB, were incomplete at once"
            )
        if fragments.conflicts > 0:
            said.append(f"{fragments.conflicts} IP fragments contradict others: the first ones were read")
        if fragments.impossible > 0:
            said.append(f"{fragments.impossible} IP fragments reach beyond what a datagram can hold")
        if self.encrypted > 0:
            said.append(f"{self.encrypted} frames of 802.11 are encrypted")
        if self.pieces > 0:
            said.append(f"{self.pieces} fragments of 802.11 frames were not put together")
        if self.compressed > 0:
            said.append(f"{self.compressed} packets of PPP are compressed, encrypted or fragments: they are not read")
        return said

    def inside(self, what: i64, data: bytes, at: i64, end: i64, depth: i64) -> None:
        """Follow what a header announced: an EtherType, or one of the constants of :mod:`headers`."""
        if what == IPV4 and depth <= MAX_DEPTH:
            self.ipv4(data, at, end, depth)
            return
        for _ in range(MAX_TAGS):
            size = tag_size(what)
            if size == 0:
                break
            if at + size > end:
                return
            what = u16(data, at + size - 2)
            at += size
        if at >= end or depth > MAX_DEPTH or what == NOTHING:
            return
        if what == IPV4:
            self.ipv4(data, at, end, depth)
        elif what == IPV6:
            self.ipv6(data, at, end, depth)
        elif what == IP:
            self.ip(data, at, end, depth)
        elif what == FRAME or what == BRIDGED:
            if at + 14 < end:
                self.inside(u16(data, at + 12), data, at + 14, end, depth + 1)
        elif what == AGGREGATE:
            while at < end:
                kind, start, stop = subframe(data, at, end)
                self.inside(kind, data, start, stop, depth + 1)
                at += stop - at + 3 & ~3
        elif what == ENCRYPTED:
            self.encrypted += 1
        elif what == PIECE:
            self.pieces += 1
        elif what == COMPRESSED:
            self.compressed += 1
        else:
            following, start, stop = header(what, data, at, end)
            self.inside(following, data, start, stop, depth + 1)

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
            self._fragment4(data, at, end, header, total, depth)
            return
        protocol = data[at + 9]
        inner = at + header
        stop = min(end, at + total)
        if protocol == 6:
            if inner + 4 > stop:
                return
            self.tcp.packet4(data, at + 12, inner, stop, total - header, self.frame, self.time)
        else:
            self.tunnel(data, at + 12, protocol, inner, stop, at + total, depth)

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
                    self._fragment6(data, at, inner, stop, full, depth)
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
            self.tunnel(data, at + 8, protocol, inner, stop, full, depth)

    def tunnel(self, data: bytes, source: i64, protocol: i64, at: i64, end: i64, full: i64, depth: i64) -> None:
        """Follow what IP carries besides TCP; ``source`` is where its addresses stand, ``full`` its uncut end."""
        if protocol == 17:
            if at + 8 < end:
                port = u16(data, at + 2)
                if not is_tunnel(port):
                    port = u16(data, at)  # what comes back from where a client chose its port
                    if port != L2TP and port != CAPWAP_DATA and port != TEREDO:
                        return
                self._datagram(port, data, source, at, end, depth)
        elif depth >= MAX_DEPTH:
            return
        elif protocol == 4 or protocol == 41:  # RFC 2003, RFC 4213
            self.ip(data, at, end, depth + 1)
        elif protocol == 47:
            what, start, stop = gre(data, at, end)
            self.inside(what, data, start, stop, depth + 1)
        elif protocol == 51:
            self._authenticated(data, source, at, end, full, depth)
        elif protocol == 137:  # RFC 4023
            self.inside(MPLS, data, at, end, depth + 1)
        elif protocol == 97:  # EtherIP, RFC 3378
            if at + 2 < end and data[at] >> 4 == 3:
                self.inside(FRAME, data, at + 2, end, depth + 1)
        elif protocol == 143:  # RFC 8986 §9
            self.inside(FRAME, data, at, end, depth + 1)

    def _datagram(self, port: i64, data: bytes, source: i64, at: i64, end: i64, depth: i64) -> None:
        """Follow a tunnel in UDP (RFC 768); a length of 0 is segmentation offload or a jumbogram."""
        if depth >= MAX_DEPTH:
            return
        size = u16(data, at + 4)
        if size >= 8:
            end = min(end, at + size)
        if port != CAPWAP_DATA:
            what, start, stop = datagram(port, data, at + 8, end)
            self.inside(what, data, start, stop, depth + 1)
            return
        start = at + 8
        if start + 8 > end:
            return
        if data[start + 3] & FRAGMENT:
            what, start, stop = capwap(data, start, end)
            if what == NOTHING:
                return
            head = data[at + 8 : start]
            key = b"C" + data[source : min(source + 32, at)] + data[at : at + 4] + head[4:6]
            more = head[3] & LAST == 0
            offset = u16(head, 6) & 0xFFF8
            found = self.fragments.add(key, head, offset, more, data, start, stop, stop - start, self.time)
            if found is None:
                return
            data = found.head + found.payload()
            start, end = 0, len(data)
            self._trace(found)
        what, start, stop = capwap(data, start, end)
        if what == WLAN and start + 24 <= stop and data[start] & 0x0F != 8 and data[start + 1] & 0x0F == 8:
            # Cisco's access points exchange the two bytes of frame control, and those of the sequence number as well
            data = (
                bytes((data[start + 1], data[start])) + data[start + 2 : start + 22] + b"\0\0" + data[start + 24 : stop]
            )
            start, stop = 0, len(data)
        self.inside(what, data, start, stop, depth + 1)

    def _authenticated(self, data: bytes, source: i64, at: i64, end: i64, full: i64, depth: i64) -> None:
        """Step over an authentication header, RFC 4302 §2, in IPv4."""
        inner = at + 4 * (i64(data[at + 1]) + 2) if at + 12 <= end else end
        if inner + 4 > end:
            return
        if data[at] == 6:
            key = data[source : source + 8] + data[inner : inner + 4]
            self.tcp.packet(key, data, inner, end, full - inner, self.frame, self.time)
        else:
            self.tunnel(data, source, data[at], inner, end, full, depth + 1)

    def _fragment4(self, data: bytes, at: i64, end: i64, header: i64, total: i64, depth: i64) -> None:
        """Keep a fragment of an IPv4 datagram; the whole one is read as if it had come so (RFC 791 §3.2)."""
        if at + header > end or not carries(data[at + 9]):
            return
        field = u16(data, at + 6)
        head = data[at : at + header]
        key = b"4" + data[at + 12 : at + 20] + data[at + 4 : at + 6] + data[at + 9 : at + 10]
        start = at + header
        found = self.fragments.add(
            key, head, (field & 0x1FFF) * 8, field & 0x2000 != 0, data, start, end, total - header, self.time
        )
        if found is None:
            return
        head = found.head
        size = i64(len(head)) + found.total
        if size > 0xFFFF:
            self.fragments.impossible += 1
            return
        whole = head[:2] + int(size).to_bytes(2, "big") + head[4:6] + b"\0\0" + head[8:] + found.payload()
        self._trace(found)
        self.ipv4(whole, 0, len(whole), depth)

    def _fragment6(self, data: bytes, at: i64, inner: i64, end: i64, full: i64, depth: i64) -> None:
        """Keep a fragment of an IPv6 datagram; the whole one is read without its fragment header (RFC 8200 §4.5)."""
        if not carries(data[inner]):
            return
        field = u16(data, inner + 2)
        key = b"6" + data[at + 8 : at + 40] + data[inner + 4 : inner + 8]
        head = data[inner : inner + 1] + data[at + 8 : at + 40]
        start = inner + 8
        found = self.fragments.add(key, head, field & 0xFFF8, field & 1 != 0, data, start, end, full - start, self.time)
        if found is None:
            return
        head = found.head
        whole = b"\x60\0\0\0" + int(found.total).to_bytes(2, "big") + head[:1] + b"\x40" + head[1:] + found.payload()
        self._trace(found)
        self.ipv6(whole, 0, len(whole), depth)

    def _trace(self, whole: Datagram) -> None:
        """Trace the frames of a datagram's fragments, after this one's with -2: a segment inside is traced next."""
        if len(whole.frames) > 0:
            self.tcp.traced.append(int(self.frame))
            self.tcp.traced.append(-2)
        for frame in whole.frames:
            self.tcp.traced.append(frame)
            self.tcp.traced.append(-1)

    def _ask(self, link: int, packet: bytes) -> None:
        """Leave a packet to the dissector that was given."""
        dissect = self.dissect
        found = None if dissect is None else dissect(link, packet)
        if found is None:
            self.unknown[link] = self.unknown.get(link, 0) + 1
        else:
            self.ip(found, 0, len(found), 0)


def _by_packets(entry: tuple[int, int]) -> int:
    return -entry[1]


def _packets(entries: list[tuple[int, int]]) -> int:
    return sum([packets for _, packets in entries])


def carries(protocol: i64) -> bool:
    """Whether an IP protocol can hold TCP, so that its fragments are worth keeping; IPv6's headers can."""
    return int(protocol) in CARRIERS


def tag_size(kind: i64) -> i64:
    """Return how long the tag of an EtherType is, with the EtherType after it; 0 for what is no tag."""
    if kind < 0x8100 or kind > 0x9200:
        return 0
    if kind == 0x8100 or kind == 0x88A8 or kind == 0x9100 or kind == 0x9200:
        return 4  # a VLAN: IEEE 802.1Q, 802.1ad and what was before it
    if kind == 0x893F:
        return 8  # an E-tag, IEEE 802.1BR
    return 6 if kind == 0x8926 or kind == 0x892F else 0  # a VN-tag, or that of a redundant ring (HSR, IEC 62439-3)


def header(what: i64, data: bytes, at: i64, end: i64) -> Inner:
    """Follow what is neither IP nor a tag."""
    if what == MPLS or what == MPLS_UPSTREAM:
        return labels(data, at, end)
    if what == PPPOE:
        return session(data, at, end)
    if what == PPP_PACKET or what == PPP_IN:
        return ppp(data, at, end)
    if what == WLAN:
        return wlan(data, at, end)
    if what == LLC or what == JUMBO:
        return link_control(data, at, end)
    if what < 0x600:  # a length, so that no EtherType but 802.2 comes next
        return LLC, at, min(end, at + what)
    if what == NSH:
        return service_header(data, at, end)
    if what == MAC_SECURITY:
        return secured(data, at, end)
    return (FRAME, at + 4, end) if what == BACKBONE else (NOTHING, at, end)
