"""Asking for TLS inside another protocol, in each of those that ``read`` knows (:mod:`tlsalert.wire.preamble`).

Each function speaks up to the point where the ClientHello is due. Where the server declines, :class:`Declined` has its
words. It opens no socket: what carries the bytes is a :class:`Line`, and what that raises when there is nothing more to
read goes through.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Final, Protocol

from tlsalert.errors import UsageError
from tlsalert.wire.preamble import AMQP_TLS, LDAP_START_TLS, POSTGRESQL_REQUEST, PROXY_V2, refusal

#: The longest answer that is read before TLS, in bytes.
LONGEST: Final = 1 << 16
#: What the client calls itself where a protocol wants a name (RFC 5321 §4.1.3).
NAME: Final = b"localhost"
TDS_PRELOGIN, TDS_RESPONSE, TDS_HEADER = 0x12, 0x04, 8
#: The packet size before any is agreed on, MS-TDS 2.2.6.4.
TDS_PACKET: Final = 4096


#: Host and port.
Address = tuple[str, int]


class Line(Protocol):
    """What carries a conversation: a connection, or what stands in for one.

    ``wrap`` and ``unwrap`` put all that is sent later into a protocol's packets and take it out of them (MS-TDS).
    """

    wrap: Callable[[bytes], bytes] | None
    unwrap: Callable[[bytes], bytes] | None

    def send(self, data: bytes) -> None:
        """Send ``data``."""

    def receive(self) -> bytes:
        """Return the next bytes, one at least. It raises what it likes where there are none."""

    def addresses(self) -> tuple[Address, Address] | None:
        """Return the addresses of client and server, None where they are no addresses of IP."""


class Declined(Exception):  # noqa: N818, it is an outcome
    """The server would not start TLS; ``says`` are its words."""

    def __init__(self, says: str) -> None:
        super().__init__(says)
        self.says = says


class Talk:
    """A conversation in lines or in packets with the server at ``host`` and ``port``, called ``server_name``."""

    def __init__(self, line: Line, host: str, port: int, server_name: str | None = None) -> None:
        self.carrier = line
        self.host, self.port = host, port
        self.said = b""
        self.heard = b""
        self._name = server_name or host
        self._data = b""

    @property
    def name(self) -> bytes:
        """The server's name, as a protocol's text has it."""
        return _encoded(self._name)

    @property
    def place(self) -> bytes:
        """The server's host and port, as HTTP writes them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}".encode()

    @property
    def left(self) -> bytes:
        """What came after the last answer: it belongs to TLS, if to anything."""
        return self._data

    def say(self, data: bytes) -> None:
        """Send ``data``."""
        self.said += data
        self.carrier.send(data)

    def exactly(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        while len(self._data) < size:
            self._more()
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def line(self) -> bytes:
        """Return the next line, with its end."""
        return self.until(b"\n")

    def until(self, mark: bytes) -> bytes:
        """Return all up to ``mark``, with it."""
        while (at := self._data.find(mark)) < 0:
            if len(self._data) > LONGEST:
                raise Declined(f"no end of {_words(self._data)}")
            self._more()
        return self.exactly(at + len(mark))

    def reply(self) -> bytes:
        """Return a reply with a number of three digits, all its lines (RFC 5321 §4.2.1, RFC 959 §4.2)."""
        lines = line = self.line()
        while line[3:4] == b"-" or not line[:3].isdigit():
            if len(lines) > LONGEST:
                raise Declined(f"no end of {_words(lines)}")
            line = self.line()
            lines += line
        return lines

    def _more(self) -> None:
        data = self.carrier.receive()
        self._data += data
        self.heard = (self.heard + data)[-LONGEST:]


def _encoded(name: str) -> bytes:
    """Return a host's name as it goes over the wire, RFC 5891 §4; what is no such name goes as it is."""
    try:
        return name.encode("idna")
    except UnicodeError:
        return name.encode("utf-8", "surrogateescape")


def _words(data: bytes) -> str:
    return repr(data[:200].decode("utf-8", "backslashreplace").strip())


def _expect(good: bool, answer: bytes) -> None:
    if not good:
        raise Declined(answer[:200].decode("utf-8", "backslashreplace").strip())


def _smtp(talk: Talk, hello: bytes = b"EHLO") -> None:
    """RFC 3207; LMTP says LHLO (RFC 2033)."""
    greeting = talk.reply()
    _expect(greeting.startswith(b"2"), greeting)
    talk.say(hello + b" " + NAME + b"\r\n")
    answer = talk.reply()
    _expect(answer.startswith(b"2"), answer)
    talk.say(b"STARTTLS\r\n")
    answer = talk.reply()
    _expect(answer.startswith(b"220"), answer)


def _lmtp(talk: Talk) -> None:
    """RFC 2033 §4.1, RFC 3207."""
    _smtp(talk, b"LHLO")


def _imap(talk: Talk) -> None:
    """RFC 9051 §6.2.1."""
    greeting = talk.line()
    _expect(greeting.upper().startswith((b"* OK", b"* PREAUTH")), greeting)
    talk.say(b"a1 STARTTLS\r\n")
    answer = talk.line()
    while not answer.startswith(b"a1 "):
        answer = talk.line()
    _expect(answer[3:5].upper() == b"OK", answer)


def _pop3(talk: Talk) -> None:
    """RFC 2595 §4."""
    greeting = talk.line()
    _expect(greeting.startswith(b"+OK"), greeting)
    talk.say(b"STLS\r\n")
    answer = talk.line()
    _expect(answer.startswith(b"+OK"), answer)


def _ftp(talk: Talk) -> None:
    """RFC 4217 §4."""
    greeting = talk.reply()
    _expect(greeting.startswith(b"2"), greeting)
    talk.say(b"AUTH TLS\r\n")
    answer = talk.reply()
    _expect(answer.startswith((b"234", b"334")), answer)


def _nntp(talk: Talk) -> None:
    """RFC 4642 §2.2."""
    greeting = talk.line()
    _expect(greeting.startswith((b"200", b"201")), greeting)
    talk.say(b"STARTTLS\r\n")
    answer = talk.line()
    _expect(answer.startswith(b"382"), answer)


def _sieve(talk: Talk) -> None:
    """ManageSieve, RFC 5804 §2.2: the server lists what it can first."""
    line = talk.line()
    while not re.match(rb"(?i)(OK|NO|BYE)\b", line):
        line = talk.line()
    _expect(line[:2].upper() == b"OK", line)
    talk.say(b"STARTTLS\r\n")
    answer = talk.line()
    _expect(answer[:2].upper() == b"OK", answer)


def _irc(talk: Talk) -> None:
    """IRCv3's tls extension: 670 (RPL_STARTTLS) or 691 (ERR_STARTTLS); notices may come before."""
    talk.say(b"STARTTLS\r\n")
    answer = talk.line()
    while not re.search(rb" (670|691|421|451) ", answer):
        _expect(not answer.startswith(b"ERROR"), answer)
        answer = talk.line()
    _expect(b" 670 " in answer, answer)


def _xmpp(talk: Talk) -> None:
    """RFC 6120 §5.4.2."""
    head = b"<?xml version='1.0'?><stream:stream to='%s' xmlns='jabber:client'" % _attribute(talk.name)
    talk.say(head + b" xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
    features = talk.until(b">")
    while not re.search(rb"</stream:features>|<stream:features\s*/>|<stream:error|</stream:stream>", features):
        features += talk.until(b">")
    if b"<stream:error" in features or b"urn:ietf:params:xml:ns:xmpp-tls" not in features:
        raise Declined("no starttls among the stream's features")
    talk.say(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    answer = talk.until(b">")
    _expect(b"<proceed" in answer, answer)


def _attribute(text: bytes) -> bytes:
    return re.sub(rb"[^A-Za-z0-9.:-]", b"", text)


def _ldap(talk: Talk) -> None:
    """RFC 4511 §4.14.1: an ExtendedRequest, and an ExtendedResponse with a result code."""
    name = b"\x80" + bytes((len(LDAP_START_TLS),)) + LDAP_START_TLS
    request = b"\x77" + bytes((len(name),)) + name
    message = b"\x02\x01\x01" + request
    talk.say(b"\x30" + bytes((len(message),)) + message)
    head = talk.exactly(2)
    size = head[1]
    if size & 0x80:
        more = talk.exactly(size & 0x7F) if size & 0x7F <= 4 else b"\xff\xff\xff"
        head, size = head + more, int.from_bytes(more, "big")
    if head[0] != 0x30 or size > LONGEST:
        raise Declined(f"no LDAP message: {_words(head)}")
    _decline("ldap", talk, head + talk.exactly(size))


def _postgresql(talk: Talk) -> None:
    """PostgreSQL's manual, "SSL Session Encryption": one byte S or N; an error from servers before SSL."""
    talk.say(POSTGRESQL_REQUEST)
    answer = talk.exactly(1)
    if answer == b"E":
        size = int.from_bytes(talk.exactly(4), "big")
        answer += size.to_bytes(4, "big") + (talk.exactly(size - 4) if 4 <= size <= LONGEST else b"")
    if answer != b"S":
        said = refusal("postgresql", talk.said, answer)
        raise Declined(said[0] if said is not None else _words(answer))


def _mysql(talk: Talk) -> None:
    """MySQL's client/server protocol: HandshakeV10 with CLIENT_SSL (0x800) set, then an SSLRequest."""
    head = talk.exactly(4)
    packet = talk.exactly(int.from_bytes(head[:3], "little"))
    if packet[:1] == b"\xff":
        raise Declined(_words(packet[3:]))
    version_end = packet.find(b"\0", 1)
    flags = packet[version_end + 14 : version_end + 16]
    if packet[:1] != b"\x0a" or len(flags) < 2:
        raise Declined(f"no greeting of MySQL: {_words(packet)}")
    if not int.from_bytes(flags, "little") & 0x800:
        raise Declined("the server does not offer TLS (CLIENT_SSL is not set)")
    capabilities = 0x0000_8A05 | 0x0008_0000  # long password, long flag, 4.1, TLS, secure connection, plugins
    body = capabilities.to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x21" + bytes(23)
    talk.say(len(body).to_bytes(3, "little") + bytes((head[3] + 1 & 0xFF,)) + body)


def _tds(talk: Talk) -> None:
    """MS-TDS 2.2.6.5: PRELOGIN with ENCRYPT_ON; the handshake itself goes in PRELOGIN packets, too (3.2.5.2)."""
    options = b"\x00\x00\x0b\x00\x06" + b"\x01\x00\x11\x00\x01" + b"\xff" + bytes.fromhex("0f0007d00000") + b"\x01"
    talk.say(_tds_packet(options, last=True))
    head = talk.exactly(TDS_HEADER)
    size = int.from_bytes(head[2:4], "big")
    if head[0] not in (TDS_RESPONSE, TDS_PRELOGIN) or size < TDS_HEADER:
        raise Declined(f"no answer of MS-TDS: {_words(head)}")
    answer = talk.exactly(size - TDS_HEADER)
    chosen = _tds_encryption(answer)
    if chosen not in (0, 1, 3):  # ENCRYPT_OFF still encrypts the login
        raise Declined("the server does not support encryption (ENCRYPT_NOT_SUP)")
    packets = _TdsPackets()
    talk.carrier.wrap, talk.carrier.unwrap = packets.wrap, packets.unwrap


def _tds_encryption(answer: bytes) -> int:
    """Return the ENCRYPTION option of a PRELOGIN answer, -1 where there is none."""
    at = 0
    while at + 5 <= len(answer) and answer[at] != 0xFF:
        place = int.from_bytes(answer[at + 1 : at + 3], "big")
        if answer[at] == 1 and place < len(answer):
            return answer[place]
        at += 5
    return -1


def _tds_packet(data: bytes, last: bool) -> bytes:
    size = (len(data) + TDS_HEADER).to_bytes(2, "big")
    return bytes((TDS_PRELOGIN, 1 if last else 0)) + size + b"\0\0\0\0" + data


class _TdsPackets:
    """The handshake in PRELOGIN packets. A server whose Finished is out sends bare records, and so may we."""

    def __init__(self) -> None:
        self._data = b""
        self._bare = False

    def wrap(self, data: bytes) -> bytes:
        """Put a flight into packets."""
        if self._bare or data[:1] == b"\x17":
            return data
        room = TDS_PACKET - TDS_HEADER
        cuts = range(0, len(data), room)
        return b"".join(_tds_packet(data[at : at + room], last=at + room >= len(data)) for at in cuts)

    def unwrap(self, data: bytes) -> bytes:
        """Take out what has come whole."""
        self._data += data
        found = b""
        while self._data:
            if self._bare or self._data[0] not in (TDS_PRELOGIN, TDS_RESPONSE):
                self._bare = True
                found, self._data = found + self._data, b""
                break
            size = int.from_bytes(self._data[2:4], "big") if len(self._data) >= TDS_HEADER else 1 << 16
            if len(self._data) < max(size, TDS_HEADER):
                break
            found, self._data = found + self._data[TDS_HEADER:size], self._data[max(size, TDS_HEADER) :]
        return found


def _rdp(talk: Talk) -> None:
    """MS-RDPBCGR 2.2.1.1: an X.224 connection request that asks for TLS (PROTOCOL_SSL)."""
    wish = b"\x01\x00\x08\x00" + (1).to_bytes(4, "little")
    request = b"\xe0\x00\x00\x00\x00\x00" + wish
    talk.say(b"\x03\x00" + (4 + 1 + len(request)).to_bytes(2, "big") + bytes((len(request),)) + request)
    head = talk.exactly(4)
    size = int.from_bytes(head[2:4], "big")
    if head[0] != 3 or not 11 <= size <= LONGEST:
        raise Declined(f"no answer of RDP: {_words(head)}")
    _decline("rdp", talk, head + talk.exactly(size - 4))


def _amqp(talk: Talk) -> None:
    """AMQP 1.0, 5.2.1: the protocol header of TLS, which the server echoes."""
    talk.say(AMQP_TLS + b"\x01\x00\x00")
    _decline("amqp", talk, talk.exactly(8))


def _nats(talk: Talk) -> None:
    """NATS: the server's INFO comes in clear, and says whether it speaks TLS; the client just begins."""
    info = talk.line()
    _expect(info.startswith(b"INFO ") and re.search(rb'"tls_(required|available)"\s*:\s*true', info) is not None, info)


def _socks4(talk: Talk) -> None:
    """SOCKS 4 (a name after the user's, as in 4a, where the host is no IPv4 address)."""
    host, port = talk.host, talk.port
    try:
        address, name = ipaddress.IPv4Address(host).packed, b""
    except ValueError:
        address, name = b"\x00\x00\x00\x01", _encoded(host) + b"\0"
    talk.say(b"\x04\x01" + port.to_bytes(2, "big") + address + b"\0" + name)
    answer = talk.exactly(8)
    if answer[:2] != b"\x00\x5a":
        said = refusal("socks4", talk.said, answer)
        raise Declined(said[0] if said is not None else _words(answer))


def _socks5(talk: Talk) -> None:
    """RFC 1928 §3 and §4, without authentication."""
    host, port = talk.host, talk.port
    talk.say(b"\x05\x01\x00")
    answer = talk.exactly(2)
    if answer == b"\x05\x00":
        try:
            packed = ipaddress.ip_address(host).packed
            address = (b"\x01" if len(packed) == 4 else b"\x04") + packed
        except ValueError:
            name = _encoded(host)[:255]
            address = b"\x03" + bytes((len(name),)) + name
        talk.say(b"\x05\x01\x00" + address + port.to_bytes(2, "big"))
        head = talk.exactly(5)
        size = {1: 4, 4: 16, 3: head[4] + 1}.get(head[3], 1)
        answer += head + talk.exactly(size - 1 + 2)
    said = refusal("socks5", talk.said, answer)
    if said is not None or answer[:2] != b"\x05\x00":
        raise Declined(said[0] if said is not None else _words(answer))


def _http_connect(talk: Talk) -> None:
    """RFC 9110 §9.3.6."""
    talk.say(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (talk.place, talk.place))
    answer = talk.until(b"\r\n\r\n")
    _expect(re.match(rb"HTTP/1\.[01] 2\d\d", answer) is not None, answer.split(b"\r\n")[0])


def _http_upgrade(talk: Talk) -> None:
    """RFC 2817 §3.2: an optional upgrade is asked for with OPTIONS."""
    request = b"OPTIONS * HTTP/1.1\r\nHost: %s\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"
    talk.say(request % talk.place)
    answer = talk.until(b"\r\n\r\n")
    _expect(re.match(rb"HTTP/1\.[01] 101", answer) is not None, answer.split(b"\r\n")[0])


def _proxy_v1(talk: Talk) -> None:
    """HAProxy's PROXY protocol, version 1 (doc/proxy-protocol.txt, 2.1): a line before everything."""
    places = talk.carrier.addresses()
    if places is None:
        talk.say(b"PROXY UNKNOWN\r\n")
        return
    (own, own_port), (peer, peer_port) = places
    family = "TCP6" if ":" in own else "TCP4"
    talk.say(f"PROXY {family} {own} {peer} {own_port} {peer_port}\r\n".encode())


def _proxy_v2(talk: Talk) -> None:
    """HAProxy's PROXY protocol, version 2 (doc/proxy-protocol.txt, 2.2)."""
    places = talk.carrier.addresses()
    if places is None:
        talk.say(PROXY_V2 + b"\x20\x00\x00\x00")
        return
    (own, own_port), (peer, peer_port) = places
    block = ipaddress.ip_address(own).packed + ipaddress.ip_address(peer).packed
    block += own_port.to_bytes(2, "big") + peer_port.to_bytes(2, "big")
    talk.say(PROXY_V2 + (b"\x21\x21" if ":" in own else b"\x21\x11") + len(block).to_bytes(2, "big") + block)


def _decline(protocol: str, talk: Talk, answer: bytes) -> None:
    """Raise :class:`Declined` where an answer in binary form refuses."""
    said = refusal(protocol, talk.said, answer)
    if said is not None:
        raise Declined(said[0])


#: How TLS is asked for, by the protocol's name in :mod:`tlsalert.wire.preamble`.
PROTOCOLS: Final[dict[str, Callable[[Talk], None]]] = {
    "smtp": _smtp,
    "lmtp": _lmtp,
    "imap": _imap,
    "pop3": _pop3,
    "ftp": _ftp,
    "ldap": _ldap,
    "xmpp": _xmpp,
    "nntp": _nntp,
    "irc": _irc,
    "managesieve": _sieve,
    "postgresql": _postgresql,
    "mysql": _mysql,
    "tds": _tds,
    "rdp": _rdp,
    "amqp": _amqp,
    "nats": _nats,
    "socks4": _socks4,
    "socks5": _socks5,
    "http-connect": _http_connect,
    "http-upgrade": _http_upgrade,
    "proxy-v1": _proxy_v1,
    "proxy-v2": _proxy_v2,
}
#: Other names that people use for them.
ALIASES: Final = {"sieve": "managesieve", "postgres": "postgresql", "mssql": "tds", "proxy": "proxy-v1"}


def protocol_named(name: str) -> Callable[[Talk], None]:
    """Return how TLS is asked for in a protocol. Raises :class:`UsageError` where that is not known."""
    wanted = name.lower()
    found = PROTOCOLS.get(ALIASES.get(wanted, wanted))
    if found is None:
        raise UsageError("is no protocol in which TLS can be asked for", name, f"one of: {', '.join(PROTOCOLS)}")
    return found


def begin_tls(line: Line, protocol: str, host: str, port: int, server_name: str | None = None) -> bytes:
    """Ask for TLS in ``protocol``; return what the server has sent beyond its answer.

    Raises :class:`Declined`, :class:`UsageError`, and what the line raises.
    """
    talk = Talk(line, host, port, server_name)
    protocol_named(protocol)(talk)
    return talk.left
