"""tlsalert inside scapy: a sniffing session, layers with verdicts, and a connection's packets and records as scapy's.

    from scapy.all import sniff
    from tlsalert.scapy_layer import TLSConnections, TLSVerdict
    for packet in sniff(offline="captures/console.pcap", session=TLSConnections):
        if packet.haslayer(TLSVerdict):
            print(packet.time, packet[TLSVerdict].summary())

``tlsalert.read`` takes scapy's packets as well, and every ``Connection`` has ``packets`` and ``records``. scapy is
imported here and nowhere else in the core, and of it only the layers that captures of TLS need.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from io import BufferedReader, RawIOBase
from typing import Any, ClassVar, Final
from weakref import WeakValueDictionary

from scapy.config import conf
from scapy.error import log_runtime
from scapy.fields import Field
from scapy.layers import inet, inet6, l2  # noqa: F401 - they teach scapy the link types and what lies in them
from scapy.layers.tls.extensions import TLS_Ext_Unknown
from scapy.layers.tls.handshake import TLSClientHello
from scapy.layers.tls.record import TLS
from scapy.layers.x509 import X509_Cert
from scapy.packet import Packet, Raw
from scapy.plist import PacketList
from scapy.sessions import DefaultSession
from scapy.utils import EDecimal, RawPcapReader

from tlsalert.errors import CaptureError, DecodeError
from tlsalert.model import Certificate, ClientHello, Connection
from tlsalert.pki.certificate import read_certificate
from tlsalert.render.display_filter import display_filter
from tlsalert.render.style import escape
from tlsalert.scapy_records import put_together
from tlsalert.secrets.opening import open_with
from tlsalert.sources import blocks
from tlsalert.sources.files import ByteSource
from tlsalert.sources.packets import packets as captured_packets
from tlsalert.telling import Telling
from tlsalert.tracing import Tracer, flow_of, frames_of
from tlsalert.wire.hello import read_client_hello

#: Packets that a session holds back until the connections that they belong to have ended.
HELD: Final = 20_000
#: The latest time that a packet can have, in nanoseconds: the arithmetic of the layers below has 64 bits.
LATEST: Final = 1 << 62
#: Protocols that carry TLS in frames of their own.
FRAMED: Final = frozenset(("openvpn",))
_NANOSECONDS: Final = 1_000_000_000
_ETHERNET: Final = 1


# -- layers


class Told(Field[Any, Any]):
    """A field that takes no bytes: what tlsalert found out."""

    def __init__(self, name: str, default: Any = None) -> None:
        super().__init__(name, default, "0s")

    # scapy's own words for writing a field, reading it, and showing it

    def addfield(self, pkt: Packet, s: Any, val: Any) -> Any:  # noqa: D102
        return s

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, Any]:  # noqa: D102
        return s, self.default

    def i2repr(self, pkt: Packet | None, x: Any) -> str:  # noqa: D102
        if isinstance(x, Connection):
            return f"<Connection #{x.connection}>"
        return escape(x) if isinstance(x, str) else repr(x)


class TLSVerdict(Packet):
    """What tlsalert says of the connection that a packet belongs to: behind the packet's other layers, without a byte.

    ``frame`` is the packet's number from 1, ``told`` the whole :class:`tlsalert.Connection`. The others say what
    its verdict says: ``sentence`` is its summary, since :meth:`summary` is scapy's word for the packet's own line.
    """

    name = "TLS Verdict"
    fields_desc: ClassVar[list[Any]] = [
        Told("frame"),
        Told("connection"),
        Told("client"),
        Told("server"),
        Told("tls_version"),
        Told("cipher_suite"),
        Told("outcome"),
        Told("refused_by"),
        Told("at_fault"),
        Told("cause"),
        Told("confidence"),
        Told("sentence"),
        Told("evidence", ()),
        Told("advice", ()),
        Told("display_filter"),
        Told("told"),
    ]

    def mysummary(self) -> str:
        """Return the verdict in one line."""
        return escape(f"TLS Verdict #{self.connection} {self.outcome}: {self.sentence}")

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
        """Leave all bytes to others: this has none."""
        return b"", s


def verdict_layer(connection: Connection, frame: int | None = None) -> TLSVerdict:
    """Return what is said of a connection as a layer of scapy's."""
    verdict = connection.verdict
    said: dict[str, Any] = {}
    if verdict is not None:
        said = {name: getattr(verdict, name) for name in ("outcome", "refused_by", "at_fault", "cause", "confidence")}
        said["sentence"] = verdict.summary
        said["evidence"] = tuple(one.says for one in verdict.evidence)
        said["advice"] = verdict.advice
    return TLSVerdict(
        frame=frame,
        connection=connection.connection,
        client=None if connection.client is None else str(connection.client),
        server=None if connection.server is None else str(connection.server),
        tls_version=connection.tls_version,
        cipher_suite=connection.cipher_suite,
        display_filter=display_filter(connection),
        told=connection,
        **said,
    )


def _judged(packet: Packet, connection: Connection, frame: int) -> Packet:
    """Put the verdict behind a packet's last layer."""
    last = packet.lastlayer()
    if not isinstance(last, TLSVerdict):
        last.add_payload(verdict_layer(connection, frame))
    return packet


# -- sniffing


class TLSConnections(DefaultSession):
    """A session for ``sniff``, offline or live: packets come out in their order, with :class:`TLSVerdict` behind them.

    A packet waits until its connection has ended, and with it all that came later; at most ``held`` of them, then the
    oldest go on without a verdict. A verdict that comes too late for all packets of its connection comes as a packet of
    its own, so none is lost. ``late`` counts those. ``keylog`` is a file of secrets to decrypt with, which may grow:
    scapy does not tell of those in a pcapng. Offline the connections that have ended are judged when the packets
    that wait are ``held`` or the capture is at its end, so that all handshakes of a machine speak for its clock. Live
    they are once a second: with the first packet of any kind that comes two seconds after a connection's end.

    ``sniff`` does not tell a session that it stops (``timeout``, ``count``, ``stop_filter``): give it an instance, and
    :meth:`finish` has the packets and verdicts that still wait.
    """

    def __init__(
        self, supersession: Any = None, held: int = HELD, keylog: str | os.PathLike[str] | None = None
    ) -> None:
        super().__init__(supersession)
        self.late = 0
        self._held = held
        self._tracer = Tracer()
        self._telling = Telling("sniffed", "all")
        self._telling.digits = 9
        if keylog is not None:
            self._telling.secrets = open_with([keylog])
            self._telling.keep_good()
            self._tracer.table.keeping.on = True
        self._frame = 0
        self._latest = 0
        self._told_at = 0
        self._waiting: deque[tuple[int, Packet]] = deque()
        self._ready: deque[Packet] = deque()  # what process() had no place for
        self._flows: dict[int, int] = {}  # frames that wait → flows
        self._left: Counter[int] = Counter()  # flows → their frames that wait
        self._verdicts: dict[int, Connection] = {}
        self._plain: set[int] = set()  # flows that have ended and are no TLS

    def recv(self, sock: Any) -> Iterator[Packet]:
        """Take a packet from ``sniff``'s socket, and give those whose connections have ended."""
        try:
            packet = sock.recv()
        except EOFError:
            if not self._frame:
                raise
            self._frame = 0  # the next call finds the end again, and nothing more to give
            yield from self.finish()
            return
        if packet is None:
            return
        yield from self.take(packet, live=not isinstance(sock, RawPcapReader))

    def process(self, pkt: Packet) -> Packet | None:
        """Take a packet where scapy wants at most one back: the others come with those that follow."""
        self._ready.extend(self.take(pkt))
        return self._ready.popleft() if self._ready else None

    def take(self, packet: Packet, live: bool = False) -> Iterator[Packet]:
        """Take a packet; give those that need not wait any more."""
        self._frame += 1
        time = _nanoseconds(packet)
        if self._frame == 1:
            self._telling.began = self._told_at = time
        data = _raw(packet)
        self._tracer.network.packet(data, 0, len(data), _link(packet), self._frame, time)
        self._tracer.table.settle()
        self._waiting.append((self._frame, packet))
        self._note(self._tracer.table.finished, self._tracer.table.recognised)
        if len(self._waiting) > self._held or (live and time - self._told_at > _NANOSECONDS):
            self._told_at = time
            yield from self._tell()
        yield from self._released(len(self._waiting) - self._held)

    def finish(self) -> Iterator[Packet]:
        """Tell every connection as it stands, and give all packets that wait."""
        while self._ready:
            yield self._ready.popleft()
        table = self._tracer.table
        table.finish()
        self._note(table.finished, table.recognised)
        yield from self._tell(final=True)
        yield from self._released(len(self._waiting))

    def _note(self, finished: list[Any], recognised: list[int]) -> None:
        """Note what the last packets belong to, and which flows have ended."""
        if recognised:
            self._telling.recognise_all(list(recognised))
        if finished:
            self._plain.update(int(flow.number) for flow in finished if not _is_tls(flow))
            self._telling.take(list(finished))
        for frame, flow in self._tracer.taken():
            if frame not in self._flows and self._waiting and frame >= self._waiting[0][0]:
                self._flows[frame] = flow
                self._left[flow] += 1

    def _tell(self, final: bool = False) -> Iterator[Packet]:
        for connection in self._telling.told(final):
            flow = self._telling.flow
            if self._left[flow]:
                self._verdicts[flow] = connection
            else:
                self.late += 1
                yield _alone(connection)

    def _released(self, too_many: int) -> Iterator[Packet]:
        """Give packets from the front: those that nothing is to be said of any more, and as many as are too many."""
        while self._waiting:
            frame, packet = self._waiting[0]
            flow = self._flows.get(frame)
            connection = None if flow is None else self._verdicts.get(flow)
            if flow is not None and connection is None and flow not in self._plain and too_many <= 0:
                return
            self._waiting.popleft()
            too_many -= 1
            if flow is not None:
                del self._flows[frame]
                self._left[flow] -= 1
                if not self._left[flow]:
                    del self._left[flow]
                    self._plain.discard(flow)
                    self._verdicts.pop(flow, None)
            yield packet if connection is None else _judged(packet, connection, frame)


def _is_tls(flow: Any) -> bool:
    return flow.transcript is not None and (flow.transcript.tls or flow.transcript.declined)


def _alone(connection: Connection) -> Packet:
    layer = verdict_layer(connection)
    layer.time = EDecimal(connection.end or 0) / _NANOSECONDS
    return layer


# -- scapy's packets as evidence

#: Lists of packets that connections were read from, by the names that stand for a path: as long as a capture has them.
_lists: WeakValueDictionary[str, PacketSource] = WeakValueDictionary()


class PacketSource:
    """A list of scapy's packets as the bytes of a capture. Frames are the packets' places in it, from 1."""

    def __init__(self, packets: Iterable[Packet]) -> None:
        self.packets = list(packets)
        self.name = f"<{len(self.packets)} packets of scapy's at 0x{id(self):x}>"
        _lists[self.name] = self

    def open(self) -> ByteSource:
        """Return what a reader takes for a file."""
        return ByteSource(self.name, BufferedReader(_Joined(self.chunks())))

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes of a pcapng: an interface for each link type, and times in nanoseconds."""
        links: dict[int, int] = {}
        yield blocks.section("<").data
        for number, packet in enumerate(self.packets, 1):
            link = _link(packet)
            if link not in links:
                links[link] = len(links)
                yield blocks.interface("<", link, 0, 9).data
            data = _raw(packet)
            length = max(packet.wirelen or 0, len(data))
            yield blocks.packet("<", _nanoseconds(packet), length, data, number, links[link]).data


class _Joined(RawIOBase):
    """Chunks as a file that can only be read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next."""
        view = memoryview(buffer)
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _chunks(source: str) -> Iterator[bytes]:
    """Give the bytes of what a connection was read from, once more.

    Raises :class:`tlsalert.errors.CaptureError` where they are gone, or were no packets.
    """
    held = _lists.get(source)
    if held is not None:
        yield from held.chunks()
        return
    if source == "-" or source.startswith("<") or source == "sniffed":
        raise CaptureError("its packets came once and are gone", source, "save them to a file and read that")
    with ByteSource(source) as file:
        yield from file.chunks()


# -- a connection's packets and records


def packets(connection: Connection) -> PacketList:
    """Return the packets of a connection, each with its time, and its frame in the :class:`TLSVerdict` behind it.

    The capture is read once more: a connection keeps its story, not its packets. Raises
    :class:`tlsalert.errors.CaptureError` where that cannot be done, as after a pipe, or for a log.
    """
    places = [one.position for one in connection.messages] + [one.position for one in connection.alerts]
    if any(place.line is not None for place in places):
        raise CaptureError("that is a log: it has no packets", connection.source)
    flow = flow_of(_chunks(connection.source), connection.connection)
    if flow is None:
        raise CaptureError(f"there is no connection {connection.connection} in it any more", connection.source)
    frames = frames_of(_chunks(connection.source), {flow})
    found = []
    for frame, link, time, length, data in captured_packets(_chunks(connection.source), frames):
        packet = _root(link)(data)
        packet.time = EDecimal(time) / _NANOSECONDS
        packet.wirelen = length
        found.append(_judged(packet, connection, frame))
        if frame == frames.last:
            break
    return PacketList(found, name=f"connection {connection.connection}")


def records(connection: Connection) -> list[TLS]:
    """Return the TLS records of a connection as scapy's layers, in the order in which they were complete.

    Each has its bytes as they were sent, and the time of the packet that completed it. What lies behind bytes that the
    capture lacks is left out, and so is what came before TLS. TLS inside the frames of another protocol (OpenVPN) has
    no records of its own in the stream: there are none then, which scapy's log says, as it does of packets whose TCP
    could not be found. Raises what :func:`packets` raises.
    """
    found = packets(connection)
    if connection.protocol in FRAMED:
        log_runtime.warning(
            "tlsalert: connection %d: %s has TLS in frames of its own, which scapy does not read",
            connection.connection,
            connection.protocol,
        )
        return []
    return put_together(connection, found)


# -- hellos and certificates, ours and scapy's


def scapy_client_hello(hello: ClientHello) -> TLSClientHello:
    """Return a ClientHello as scapy's layer, with the same bytes.

    Extensions that scapy cannot read, or would write otherwise, are bytes without a meaning to it (TLS_Ext_Unknown).
    A hello with ``problems`` is what could be read of it: its own bytes are the body of the connection's first message.
    Raises :class:`tlsalert.errors.DecodeError` for a hello that offers ciphers of SSLv2.
    """
    if any(suite > 0xFFFF for suite in hello.cipher_suites):  # RFC 6101 §E.1
        raise DecodeError("an SSLv2 hello has ciphers of three bytes: scapy's TLSClientHello has room for two")
    body = b"".join(
        (
            hello.legacy_version.to_bytes(2, "big"),
            hello.random,
            _vector(1, hello.session_id),
            _vector(2, b"".join(suite.to_bytes(2, "big") for suite in hello.cipher_suites)),
            _vector(1, bytes(hello.compression_methods)),
        )
    )
    if hello.extensions:
        body += _vector(2, b"".join(one.type.to_bytes(2, "big") + _vector(2, one.data) for one in hello.extensions))
    message = b"\x01" + _vector(3, body)
    try:
        layer = TLSClientHello(message)
        if bytes(layer) == message:
            return layer
    except Exception as error:  # it raises all kinds for what its layers do not expect
        log_runtime.debug("tlsalert: scapy does not read a hello's extensions: %s", error)
    listed = [TLS_Ext_Unknown(type=one.type, len=len(one.data), val=one.data) for one in hello.extensions]
    return TLSClientHello(
        msglen=len(body),
        version=hello.legacy_version,
        gmt_unix_time=int.from_bytes(hello.random[:4], "big"),
        random_bytes=hello.random[4:],
        sidlen=len(hello.session_id),
        sid=hello.session_id,
        cipherslen=2 * len(hello.cipher_suites),
        ciphers=list(hello.cipher_suites),
        complen=len(hello.compression_methods),
        comp=list(hello.compression_methods),
        extlen=sum(4 + len(one.data) for one in hello.extensions),
        ext=listed,
    )


def client_hello(layer: TLSClientHello) -> ClientHello:
    """Return scapy's ClientHello as ours."""
    return read_client_hello(bytes(layer)[4:])


def scapy_certificate(certificate: Certificate) -> X509_Cert:
    """Return a certificate as scapy's, with the same bytes.

    One that scapy would write otherwise (it drops Netscape's comment) keeps them whatever is changed in it, until
    its ``raw_packet_cache`` is None. Raises :class:`tlsalert.errors.DecodeError` where scapy cannot read it.
    """
    try:
        layer = X509_Cert(certificate.der)
        if bytes(layer) != certificate.der:
            layer.raw_packet_cache = certificate.der
    except Exception as error:  # it raises all kinds for what its layers do not expect
        why = str(error).partition("\n")[0]  # what it had read by then follows, over many lines
        raise DecodeError(f"scapy cannot read this certificate: {why}") from error
    return layer


def certificate(layer: X509_Cert) -> Certificate:
    """Return scapy's certificate as ours."""
    return read_certificate(bytes(layer))


def _vector(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width, "big") + data


# -- small things


def _link(packet: Packet) -> int:
    """Return the number of the link type that scapy's packet begins with, or that of plain Ethernet."""
    return int(conf.l2types.layer2num.get(type(packet), conf.l3types.layer2num.get(type(packet), _ETHERNET)))


def _root(link: int) -> Any:
    """Return scapy's class for a link type; bytes for one that it does not know."""
    return conf.l2types.num2layer.get(link, Raw)


def _raw(packet: Packet) -> bytes:
    """Return a packet's bytes as they were captured; those that scapy builds where it was made."""
    return bytes(packet.original or packet)


def _nanoseconds(packet: Packet) -> int:
    """Return a packet's time. scapy reads some captures' clocks wrong: what is out of all bounds stops there."""
    return max(0, min(int(EDecimal(packet.time or 0) * _NANOSECONDS), LATEST))
