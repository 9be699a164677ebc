"""What is said before TLS in each protocol, in turns: up to the client's hello, or to the server's refusal."""

from __future__ import annotations

from dataclasses import dataclass

from tests.wire import tls
from tests.wire.packets import Side
from tlsalert.wire.preamble import PROXY_V2

Turns = list[tuple[Side, bytes]]

HELLO = tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello()))
FLIGHT = tls.said(
    tls.message(tls.SERVER_HELLO, tls.server_hello()),
    tls.message(tls.CERTIFICATE, tls.certificate_list(b"\x30" * 700)),
    tls.message(tls.SERVER_HELLO_DONE),
)
ALERT = tls.alert(2, 48)
#: What comes when TLS has begun.
TLS: Turns = [("client", HELLO), ("server", FLIGHT), ("client", ALERT)]
TOLD = [
    "client client_hello",
    *(f"server {name}" for name in ("server_hello", "certificate", "server_hello_done")),
    "client alert 2 48",
]


@dataclass(frozen=True)
class Dialogue:
    """How one protocol comes to TLS, and how a server declines it: where, and in which words."""

    accepted: Turns
    declined: Turns
    says: str


def _lines(*turns: tuple[Side, str]) -> Turns:
    return [(side, (text + "\r\n").encode()) for side, text in turns]


def _tds(kind: int, payload: bytes) -> bytes:
    return bytes((kind, 1)) + (8 + len(payload)).to_bytes(2, "big") + bytes(4) + payload


def _ldap(result: int, diagnostic: bytes = b"") -> bytes:
    """Return an ExtendedResponse, RFC 4511 §4.12."""
    body = b"\x0a\x01" + bytes((result,)) + b"\x04\x00" + b"\x04" + bytes((len(diagnostic),)) + diagnostic
    response = b"\x02\x01\x01\x78" + bytes((len(body),)) + body
    return b"\x30" + bytes((len(response),)) + response


LDAP = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
POSTGRESQL = bytes.fromhex("0000000804d2162f")
SOCKS5 = b"\x05\x01\x00"
SOCKS5_CONNECT = b"\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb"
SOCKS4 = b"\x04\x01\x01\xbb\x0a\x00\x00\x01\x00"
RDP = bytes.fromhex("030000130ee00000000000") + bytes.fromhex("0100080003000000")
RDP_HEAD = bytes.fromhex("030000130ed00000123400")
CONNECT = b"CONNECT www.example.com:443 HTTP/1.1\r\nHost: www.example.com:443\r\n\r\n"
XMPP = "<stream:stream to='a' xmlns:stream='http://etherx.jabber.org/streams'>"
FEATURES = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
GREETING: Turns = _lines(("server", "220 mx ESMTP"), ("client", "EHLO me"), ("server", "250-mx\r\n250 STARTTLS"))

DIALOGUES = {
    "smtp": Dialogue(
        GREETING + _lines(("client", "STARTTLS"), ("server", "220 2.0.0 Ready")),
        GREETING + _lines(("client", "STARTTLS"), ("server", "454 4.7.0 TLS not available")),
        "454 4.7.0 TLS not available",
    ),
    "lmtp": Dialogue(
        _lines(("server", "220 mx LMTP"), ("client", "LHLO me"), ("server", "250 STARTTLS"))
        + _lines(("client", "STARTTLS"), ("server", "220 Ready")),
        _lines(("server", "220 mx"), ("client", "LHLO me"), ("server", "250 mx"), ("client", "STARTTLS"))
        + _lines(("server", "502 5.5.1 Unknown command")),
        "502 5.5.1 Unknown command",
    ),
    "imap": Dialogue(
        _lines(("server", "* OK ready"), ("client", "a1 STARTTLS"), ("server", "a1 OK begin")),
        _lines(("server", "* OK ready"), ("client", "a0 NOOP"), ("server", "a0 BAD what?"))
        + _lines(("client", "a1 STARTTLS"), ("server", "a1 NO TLS is not available")),
        "a1 NO TLS is not available",
    ),
    "pop3": Dialogue(
        _lines(("server", "+OK ready"), ("client", "STLS"), ("server", "+OK begin")),
        _lines(("server", "+OK ready"), ("client", "STLS"), ("server", "-ERR no TLS here")),
        "-ERR no TLS here",
    ),
    "ftp": Dialogue(
        _lines(("server", "220 ftp"), ("client", "AUTH TLS"), ("server", "234 go")),
        _lines(("server", "220 ftp"), ("client", "AUTH TLS"), ("server", "530 Please login with USER and PASS.")),
        "530 Please login with USER and PASS.",
    ),
    "nntp": Dialogue(
        _lines(("server", "200 news"), ("client", "STARTTLS"), ("server", "382 go")),
        _lines(("server", "200 news"), ("client", "STARTTLS"), ("server", "580 Can not initiate TLS")),
        "580 Can not initiate TLS",
    ),
    "managesieve": Dialogue(
        _lines(("server", '"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK'), ("client", "STARTTLS"), ("server", "OK")),
        _lines(("server", '"IMPLEMENTATION" "x"\r\nOK'), ("client", "STARTTLS"), ("server", 'NO "no TLS"')),
        'NO "no TLS"',
    ),
    "irc": Dialogue(
        _lines(("client", "STARTTLS"), ("server", ":irc.example 670 * :STARTTLS successful")),
        _lines(("client", "STARTTLS"), ("server", ":irc.example 691 * :STARTTLS failed")),
        ":irc.example 691 * :STARTTLS failed",
    ),
    "xmpp": Dialogue(
        _lines(("client", XMPP), ("server", XMPP + FEATURES), ("client", STARTTLS), ("server", "<proceed/>")),
        _lines(("client", XMPP), ("server", XMPP + FEATURES), ("client", STARTTLS), ("server", "<failure/>")),
        "<failure/>",
    ),
    "ldap": Dialogue(
        [("client", LDAP), ("server", _ldap(0))],
        [("client", LDAP), ("server", _ldap(2, b"unsupported extended operation"))],
        "protocolError (2): unsupported extended operation",
    ),
    "postgresql": Dialogue([("client", POSTGRESQL), ("server", b"S")], [("client", POSTGRESQL), ("server", b"N")], "N"),
    "rdp": Dialogue(
        [("client", RDP), ("server", RDP_HEAD + bytes.fromhex("0200080001000000"))],
        [("client", RDP), ("server", RDP_HEAD + bytes.fromhex("0300080002000000"))],
        "negotiation failure 2, SSL_NOT_ALLOWED_BY_SERVER: the server is set to standard RDP security, without TLS",
    ),
    "amqp": Dialogue(
        [("client", b"AMQP\x02\x01\x00\x00"), ("server", b"AMQP\x02\x01\x00\x00")],
        [("client", b"AMQP\x02\x01\x00\x00"), ("server", b"AMQP\x03\x01\x00\x00")],
        "the header of protocol id 3, without TLS",
    ),
    "http-connect": Dialogue(
        [("client", CONNECT), ("server", b"HTTP/1.1 200 Connection established\r\n\r\n")],
        [("client", CONNECT), ("server", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")],
        "HTTP/1.1 407 Proxy Authentication Required",
    ),
    "http-upgrade": Dialogue(
        [("client", b"OPTIONS * HTTP/1.1\r\nUpgrade: TLS/1.0\r\n\r\n"), ("server", b"HTTP/1.1 101 x\r\n\r\n")],
        [("client", b"OPTIONS * HTTP/1.1\r\nUpgrade: TLS/1.0\r\n\r\n"), ("server", b"HTTP/1.1 200 OK\r\n\r\n")],
        "HTTP/1.1 200 OK",
    ),
    "socks4": Dialogue(
        [("client", SOCKS4), ("server", b"\x00\x5a" + bytes(6))],
        [("client", SOCKS4), ("server", b"\x00\x5b" + bytes(6))],
        "request rejected or failed (91)",
    ),
    "socks5": Dialogue(
        [("client", SOCKS5), ("server", b"\5\0"), ("client", SOCKS5_CONNECT), ("server", b"\5\0\0\1" + bytes(6))],
        [("client", SOCKS5), ("server", b"\5\0"), ("client", SOCKS5_CONNECT), ("server", b"\5\2\0\1" + bytes(6))],
        "reply 2, not allowed by the ruleset",
    ),
}
#: What leads to TLS and cannot be declined.
ALWAYS: dict[str, Turns] = {
    "mysql": [("server", b"\x4a\x00\x00\x00\x0a8.0.36\x00" + bytes(60)), ("client", b"\x20\0\0\1\x85\xae" + bytes(30))],
    "nats": [("server", b'INFO {"tls_required":true}\r\n')],
    "proxy-v1": [("client", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 443\r\n")],
    "proxy-v2": [("client", PROXY_V2 + b"\x21\x11\x00\x0c" + bytes(12))],
}
#: TLS in the packets of other protocols.
PRELOGIN = b"\x00\x00\x1a\x00\x06\x01\x00\x20\x00\x01\xff" + bytes(20)
BARE: Turns = [("client", tls.application_data(300)), ("server", tls.application_data(40))]
WRAPPED: dict[str, Turns] = {
    "tds": [
        ("client", _tds(0x12, PRELOGIN)),
        ("server", _tds(0x04, PRELOGIN)),
        ("client", _tds(0x12, HELLO)),
        ("server", _tds(0x04, FLIGHT[:500]) + _tds(0x04, FLIGHT[500:])),
        ("client", _tds(0x12, ALERT)),
    ]
}


def openvpn(opcode: int, payload: bytes, acks: int = 0, hmac: int = 20) -> bytes:
    """Return an OpenVPN packet over TCP, with its length."""
    head = (
        bytes((opcode << 3,)) + b"SESSION1" + b"h" * hmac + (bytes((0, 0, 0, 1, 0x50, 0xFF, 0x20, 0xFC)) * (hmac > 0))
    )
    head += bytes((acks,)) + bytes(4 * acks) + (b"SESSION2" if acks else b"") + (bytes(4) if opcode != 5 else b"")
    return (len(head) + len(payload)).to_bytes(2, "big") + head + payload


WRAPPED["openvpn"] = [
    ("client", openvpn(7, b"")),
    ("server", openvpn(8, b"", 1)),
    ("client", openvpn(5, b"", 1) + openvpn(4, HELLO)),
    (
        "server",
        openvpn(5, b"", 1) + openvpn(4, FLIGHT[:100], 1) + openvpn(4, FLIGHT[100:600]) + openvpn(4, FLIGHT[600:]),
    ),
    ("client", openvpn(5, b"", 3) + openvpn(4, ALERT)),
]


def packet(name: str, payload: bytes) -> bytes:
    """Return a packet of the server's that carries TLS in the protocol ``name``."""
    return _tds(0x04, payload) if name == "tds" else openvpn(4, payload)


def every() -> dict[str, Turns]:
    """Return every way to TLS, with TLS behind it, by name."""
    found = {name: dialogue.accepted + TLS for name, dialogue in DIALOGUES.items()}
    found |= {name: before + TLS for name, before in ALWAYS.items()}
    return found | WRAPPED


def joined(turns: Turns) -> Turns:
    """Return turns in which the client's hello comes in one segment with what it said before, if that is its turn."""
    found: Turns = []
    for side, data in turns:
        if found and found[-1][0] == side:
            found[-1] = (side, found[-1][1] + data)
        else:
            found.append((side, data))
    return found
