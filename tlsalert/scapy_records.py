"""The TLS records in a connection's packets, as scapy's layers: segments found, joined, and cut into records.

Part of :mod:`tlsalert.scapy_layer`, which has the packets. A record has its bytes as they were sent, whatever scapy
makes of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, Final

from scapy.error import log_runtime
from scapy.layers import inet, inet6
from scapy.layers.tls.record import TLS
from scapy.layers.tls.session import tlsSession
from scapy.packet import Packet, Raw
from scapy.plist import PacketList

from tlsalert.model import Connection
from tlsalert.wire.flow import distance

#: Bytes of one connection that are put together for its records; what comes after is left out.
MAX_STREAM: Final = 64 << 20
#: Places in a packet where both addresses of a connection stand, of which one can be its IP header.
MAX_LAYERS: Final = 8


def put_together(connection: Connection, found: PacketList) -> list[TLS]:
    """Return the records that a connection's packets complete, in that order, each with the time of the last packet.

    What is left out, since bytes before it are missing or TCP was not found, is said in scapy's log.
    """
    halves: dict[str, _Half] = defaultdict(_Half)
    session: Any = None
    told: list[TLS] = []
    speaker: str | None = None
    segments = _Segments(connection)
    for packet in found:
        side, segment = segments.take(packet)
        if segment is None:
            continue
        for record in halves[side].take(segment):
            if session is not None and side != speaker:
                session = session.mirror()
            layer, session = _record(record, session)
            layer.time = packet.time
            told.append(layer)
            speaker = side
    behind = sum(half.behind for half in halves.values())
    if behind:
        log_runtime.warning(
            "tlsalert: connection %d: %d bytes after bytes that the capture lacks are left out",
            connection.connection,
            behind,
        )
    if segments.unread:
        log_runtime.warning(
            "tlsalert: connection %d: in %d of %d packets TCP was not found: records may be missing",
            connection.connection,
            segments.unread,
            len(found),
        )
    return told


class _Segments:
    """Finds a connection's TCP segments in its packets, and joins those that came in fragments.

    scapy does not look into each link layer and tunnel that tlsalert reads (MPLS, the loopback of other systems): so
    the IP packet is found by its addresses, wherever it begins. ``unread`` counts the packets without one.
    """

    def __init__(self, connection: Connection) -> None:
        self.unread = 0
        self._fragments: dict[tuple[str, int], dict[int, bytes]] = defaultdict(dict)
        self._sizes: dict[tuple[str, int], int] = {}  # of those whose last fragment was seen
        self._ends: tuple[tuple[bytes, int], ...] = ()
        if connection.client is not None and connection.server is not None:
            ends = (connection.client, connection.server)
            self._ends = tuple((ip_address(one.address).packed, one.port) for one in ends)

    def take(self, packet: Packet) -> tuple[str, Packet | None]:
        """Take a packet: return who sent it and the TCP segment that is whole with it, None where none is."""
        for network in self._networks(bytes(packet.original)):
            piece = _fragment(network)
            segment = network.getlayer("TCP") if piece is None else self._joined(network, *piece)
            if piece is not None and segment is None:
                return "", None  # more of it is to come
            if segment is not None and self._known(int(segment.sport), int(segment.dport)):
                return f"{network.src} {segment.sport}", segment
        self.unread += 1
        return "", None

    def _networks(self, data: bytes) -> Iterator[Packet]:
        """Go through what could be an IP packet between the connection's ends."""
        (client, _), (server, _) = self._ends or ((b"", 0), (b"", 0))
        layer, version, before = (inet6.IPv6, 6, 8) if len(client) == 16 else (inet.IP, 4, 12)
        for pattern in dict.fromkeys((client + server, server + client)) if client else ():
            at = before - 1
            for _ in range(MAX_LAYERS):
                at = data.find(pattern, at + 1)
                if at < 0:
                    break
                if data[at - before] >> 4 == version:
                    yield layer(data[at - before :])

    def _known(self, source: int, destination: int) -> bool:
        return sorted((source, destination)) == sorted(port for _, port in self._ends)

    def _joined(self, network: Packet, number: int, offset: int, more: bool, data: bytes) -> Packet | None:
        """Return the TCP segment that a fragment completes; the first copy of a byte counts."""
        key = (str(network.src), number)
        pieces = self._fragments[key]
        pieces.setdefault(offset, data)
        if not more:
            self._sizes[key] = offset + len(data)
        size = self._sizes.get(key)
        if size is None or sum(map(len, pieces.values())) < size:
            return None
        whole = bytearray()
        for start in sorted(pieces):
            if start > len(whole):
                return None
            whole += pieces[start][len(whole) - start :]
        del self._fragments[key], self._sizes[key]
        return inet.TCP(bytes(whole))


def _fragment(network: Packet) -> tuple[int, int, bool, bytes] | None:
    """Return number, offset, whether more follow, and the bytes of a fragment of TCP; None for a whole packet."""
    if isinstance(network, inet.IP):
        more = bool(network.flags.MF)
        if not more and not network.frag:
            return None
        head = 4 * int(network.ihl or 5)
        return int(network.id), 8 * int(network.frag), more, bytes(network.original)[head : int(network.len or 0)]
    header = network.getlayer("IPv6ExtHdrFragment")
    if header is None:
        return None
    return int(header.id), 8 * int(header.offset), bool(header.m), bytes(header.original)[8:]


class _Half:
    """One direction of a connection: segments in any order, and the records that they complete."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._later: dict[int, bytes] = {}
        self._data = b""
        self._taken = 0
        self._tls = False

    @property
    def behind(self) -> int:
        """How many bytes wait for others, which the capture lacks or which are too many."""
        return sum(map(len, self._later.values()))

    def take(self, segment: Packet) -> Iterator[bytes]:
        """Take a TCP segment; give the records that are complete with it."""
        seq = int(segment.seq)
        if segment.flags.S:
            self._next = (seq + 1) & 0xFFFFFFFF
        payload = _payload(segment)
        if payload:
            self._next = seq if self._next is None else self._next
            self._later[seq] = max(payload, self._later.get(seq, b""), key=len)
            self._join()
        yield from self._records()

    def _join(self) -> None:
        """Append what follows on the bytes that are known; the first copy of a byte counts."""
        while self._later and self._next is not None and self._taken < MAX_STREAM:
            following = min(self._later, key=lambda seq: distance(seq, self._next or 0))
            behind = -distance(following, self._next)
            if behind < 0:
                return
            fresh = self._later.pop(following)[behind:]
            self._data += fresh
            self._taken += len(fresh)
            self._next = (self._next + len(fresh)) & 0xFFFFFFFF

    def _records(self) -> Iterator[bytes]:
        if not self._tls:  # words before TLS: look for the first record
            start = next((at for at in range(max(len(self._data) - 4, 0)) if _begins_record(self._data, at)), None)
            if start is None:
                return
            self._data, self._tls = self._data[start:], True
        while len(self._data) >= 5:
            size = 5 + int.from_bytes(self._data[3:5], "big")
            if len(self._data) < size:
                return
            yield self._data[:size]
            self._data = self._data[size:]


def _begins_record(data: bytes, at: int) -> bool:
    """Whether a record can begin here: its type, its major version, and a length that RFC 5246 §6.2.3 allows."""
    return 20 <= data[at] <= 23 and data[at + 1] == 3 and data[at + 2] <= 4 and data[at + 3] <= 0x48


def _record(data: bytes, session: Any) -> tuple[TLS, Any]:
    """Return a record as scapy sees it after the ones before it, and its session then; what it cannot read is bytes."""
    try:
        layer = TLS(data) if session is None else TLS(data, tls_session=session)
        following = layer.tls_session
        _let_go(layer)
        if bytes(layer) == data:
            return layer, following
    except Exception as error:  # it raises all kinds for what its layers do not expect
        log_runtime.debug("tlsalert: scapy does not read a record: %s", error)
    version, body = int.from_bytes(data[1:3], "big"), Raw(data[5:])
    return TLS(type=data[0], version=version, len=len(data) - 5, msg=[body], tls_session=no_session()), session


def _let_go(layer: Packet) -> None:
    """Take the connection's session from a record and all that is in it.

    With the keys of the connection's end it would be encrypted when it is written, and by a version that was chosen
    later a hello would be written without some of its extensions.
    """
    session = no_session(getattr(layer.tls_session, "tls_version", None))
    todo: list[Any] = [layer]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif getattr(one, "tls_session", None) is not None:
            one.tls_session = session
            todo += [value for value in one.fields.values() if isinstance(value, (list, Packet))]
            todo.append(one.payload)


def no_session(version: int | None = None) -> Any:
    """Return a session that encrypts nothing and learns nothing."""
    session = tlsSession()
    session.tls_version = version
    session.frozen = True
    return session


def _payload(segment: Packet) -> bytes:
    """Return what a TCP segment carries, whatever scapy takes it for, without what pads its frame."""
    return bytes(segment.original)[4 * int(segment.dataofs or 5) :]
