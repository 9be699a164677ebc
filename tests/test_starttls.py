"""TLS inside other protocols: each is asked as its RFC says; that a server declines is an outcome with its words."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from tests.replay.devices import AFTER, BEFORE, QUICK, authority, device, leaf, listening, shown
from tests.replay.plain_hello import PlainHello
from tlsalert.errors import UsageError
from tlsalert.lab.certificates import Identity, issued
from tlsalert.lab.device import Device
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.client import exchange
from tlsalert.replay.outcome import Accepted, Closed, Refused, Silent
from tlsalert.replay.target import Target
from tlsalert.replay.trial import Trial, trial_of
from tlsalert.starttls import PROTOCOLS, protocol_named
from tlsalert.wire.preamble import LDAP_START_TLS

#: What a server says (and what it waits for, with <), in the order of the conversation.
Script = tuple[bytes, ...]

MYSQL_GREETING = b"\x0a8.0.36\0" + bytes(4) + b"12345678\0" + b"\xff\xff" + b"\x21\2\0\xff\xdf" + bytes(40)
LDAP_YES = bytes.fromhex("300c02010178070a010004000400")
LDAP_NO = bytes.fromhex("301402010178 0f0a01020400 0408") + b"no certs"

AGREES: dict[str, Script] = {
    "smtp": (
        b"220-a\r\n220 b\r\n",
        b"<EHLO localhost\r\n",
        b"250-b\r\n250 STARTTLS\r\n",
        b"<STARTTLS\r\n",
        b"220 go\r\n",
    ),
    "lmtp": (b"220 b\r\n", b"<LHLO localhost\r\n", b"250 STARTTLS\r\n", b"<STARTTLS\r\n", b"220 go\r\n"),
    "imap": (b"* OK hello\r\n", b"<a1 STARTTLS\r\n", b"* CAPABILITY x\r\na1 OK go\r\n"),
    "pop3": (b"+OK hello\r\n", b"<STLS\r\n", b"+OK go\r\n"),
    "ftp": (b"220-a\r\n more\r\n220 b\r\n", b"<AUTH TLS\r\n", b"234 go\r\n"),
    "nntp": (b"200 hello\r\n", b"<STARTTLS\r\n", b"382 go\r\n"),
    "managesieve": (b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK\r\n', b"<STARTTLS\r\n", b"OK go\r\n"),
    "irc": (b"<STARTTLS\r\n", b":irc NOTICE * :looking\r\n:irc 670 * :go\r\n"),
    "xmpp": (
        b"<version='1.0'>",
        b"<stream:stream><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
        b"<xmpp-tls'/>",
        b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    ),
    "ldap": (b"<" + LDAP_START_TLS, LDAP_YES),
    "postgresql": (b"<\x04\xd2\x16\x2f", b"S"),
    "mysql": (len(MYSQL_GREETING).to_bytes(3, "little") + b"\0" + MYSQL_GREETING, b"<" + bytes(23)),
    "rdp": (b"<\x01\x00\x08\x00\x01\x00\x00\x00", bytes.fromhex("030000130ed000000000000200080001000000")),
    "amqp": (b"<AMQP\2\1\0\0", b"AMQP\2\1\0\0"),
    "nats": (b'INFO {"server_id":"x","tls_required":true}\r\n',),
    "socks4": (b"<\x04\x01", bytes.fromhex("005a000000000000")),
    "socks5": (b"<\x05\x01\x00", b"\x05\x00", b"<\x05\x01\x00\x01\x7f\x00\x00\x01", b"\x05\x00\x00\x01" + bytes(6)),
    "http-connect": (b"<\r\n\r\n", b"HTTP/1.1 200 go\r\n\r\n"),
    "http-upgrade": (b"<\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0\r\n\r\n"),
    "proxy-v1": (b"<\r\n",),
    "proxy-v2": (b"<\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c",),
}
DECLINES: dict[str, tuple[Script, str]] = {
    "smtp": ((*AGREES["smtp"][:-1], b"454 4.7.0 TLS not available\r\n"), "454 4.7.0 TLS not available"),
    "lmtp": ((*AGREES["lmtp"][:-1], b"502 no\r\n"), "502 no"),
    "imap": ((*AGREES["imap"][:-1], b"a1 NO not here\r\n"), "a1 NO not here"),
    "pop3": ((*AGREES["pop3"][:-1], b"-ERR no\r\n"), "-ERR no"),
    "ftp": ((*AGREES["ftp"][:-1], b"534 no\r\n"), "534 no"),
    "nntp": ((*AGREES["nntp"][:-1], b"580 no\r\n"), "580 no"),
    "managesieve": ((*AGREES["managesieve"][:-1], b'NO "no"\r\n'), 'NO "no"'),
    "irc": ((*AGREES["irc"][:-1], b":irc 691 * :no\r\n"), ":irc 691 * :no"),
    "xmpp": ((AGREES["xmpp"][0], b"<stream:features></stream:features>"), "no starttls among the stream's features"),
    "ldap": ((AGREES["ldap"][0], LDAP_NO), "protocolError (2): no certs"),
    "postgresql": ((AGREES["postgresql"][0], b"N"), "N"),
    "mysql": (
        (b"\x17\0\0\0" + MYSQL_GREETING[:21] + b"\0\0",),
        "the server does not offer TLS (CLIENT_SSL is not set)",
    ),
    "rdp": (
        (AGREES["rdp"][0], bytes.fromhex("030000130ed000000000000300080002000000")),
        "negotiation failure 2, SSL_NOT_ALLOWED_BY_SERVER: the server is set to standard RDP security, without TLS",
    ),
    "amqp": ((AGREES["amqp"][0], b"AMQP\0\1\0\0"), "the header of protocol id 0, without TLS"),
    "nats": ((b'INFO {"server_id":"x"}\r\n',), 'INFO {"server_id":"x"}'),
    "socks4": ((b"<\x04\x01", bytes.fromhex("005b000000000000")), "request rejected or failed (91)"),
    "socks5": ((b"<\x05\x01\x00", b"\x05\xff"), "no acceptable authentication method"),
    "http-connect": ((b"<\r\n\r\n", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), "HTTP/1.1 407"),
    "http-upgrade": ((b"<\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"), "HTTP/1.1 200 OK"),
}

#: Bytes with the client's port in them, which a script does not know.
REST = {"proxy-v2": 12, "socks4": 7, "socks5": 2}


@pytest.fixture(scope="module")
def ca() -> Identity:
    return authority()


@pytest.fixture(scope="module")
def server(ca: Identity) -> Device:
    return Device(identity=issued("CN=device", ca, BEFORE, AFTER), trusted=(ca.certificate,))


def played(script: Script, sock: socket.socket) -> None:
    for line in script:
        if line.startswith(b"<") and not line.startswith((b"<stream", b"<proceed")):
            heard = b""
            while line[1:] not in heard:
                data = sock.recv(1)  # what follows belongs to TLS
                if not data:
                    raise ConnectionError(heard)
                heard += data
        else:
            sock.sendall(line)


def tried(target: Target, protocol: str, presentation: Presentation) -> Trial:
    told = exchange(replace(target, starttls=protocol), PlainHello(), presentation, "TLS 1.2", QUICK)
    return trial_of("x", "TLS 1.2", told)


@pytest.mark.parametrize("protocol", AGREES)
def test_a_server_that_agrees_goes_on_with_tls(protocol: str, ca: Identity, server: Device) -> None:
    def serve(sock: socket.socket) -> None:
        played(AGREES[protocol], sock)
        if protocol in REST:
            sock.recv(REST[protocol])
        device(server)(sock)

    with listening(serve) as target:
        accepted = tried(target, protocol, shown(leaf(ca)))
        refused = tried(target, protocol, Presentation())
    assert accepted.outcome == Accepted("finished")
    assert isinstance(refused.outcome, Refused)
    assert refused.outcome.alert is not None
    assert refused.outcome.alert.code == 40
    assert accepted.connection is not None
    assert accepted.connection.protocol == protocol


@pytest.mark.parametrize("protocol", DECLINES)
def test_a_server_that_declines_is_told_in_its_words(protocol: str) -> None:
    script, words = DECLINES[protocol]
    with listening(lambda sock: played(script, sock)) as target:
        outcome = tried(target, protocol, Presentation()).outcome
    assert isinstance(outcome, Refused)
    assert (outcome.sender, outcome.stage) == ("server", "starttls")
    assert outcome.says is not None
    assert outcome.says.startswith(words)


def test_every_protocol_is_covered() -> None:
    assert set(AGREES) | {"tds"} == set(PROTOCOLS)
    assert set(AGREES) - {"proxy-v1", "proxy-v2"} == set(DECLINES)


def test_tds_wraps_the_handshake_in_its_packets(ca: Identity, server: Device) -> None:
    with listening(tds(device(server))) as target:
        accepted = tried(target, "tds", shown(leaf(ca)))
        refused = tried(target, "mssql", Presentation())
    assert accepted.outcome == Accepted("finished")
    assert accepted.connection is not None
    assert accepted.connection.protocol == "tds"
    assert isinstance(refused.outcome, Refused)
    assert refused.outcome.alert is not None
    assert refused.outcome.alert.code == 40


def test_tds_without_encryption() -> None:
    with listening(tds(lambda sock: None, encryption=2)) as target:
        outcome = tried(target, "tds", Presentation()).outcome
    assert isinstance(outcome, Refused)
    assert outcome.says == "the server does not support encryption (ENCRYPT_NOT_SUP)"


@pytest.mark.parametrize(
    ("first", "expected"), [(b"", Closed("fin", "starttls")), (b"220 half", Closed("fin", "starttls"))]
)
def test_a_server_that_closes_before_tls(first: bytes, expected: Closed) -> None:
    with listening(lambda sock: sock.sendall(first)) as target:
        assert tried(target, "smtp", Presentation()).outcome == expected


def test_a_server_that_says_nothing_before_tls() -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(1)

    with listening(serve) as target:
        told = exchange(
            replace(target, starttls="smtp"), PlainHello(), Presentation(), "TLS 1.2", replace(QUICK, read=0.3)
        )
    outcome = trial_of("x", "TLS 1.2", told).outcome
    assert isinstance(outcome, Silent)
    assert outcome.stage == "starttls"


def test_a_line_without_end_is_given_up() -> None:
    with listening(lambda sock: sock.sendall(b"2" * 240_000)) as target:
        outcome = tried(target, "smtp", Presentation()).outcome
    assert isinstance(outcome, Refused)
    assert outcome.says is not None
    assert "no end of" in outcome.says


def test_a_proxy_is_asked_for_the_way_to_the_server(ca: Identity, server: Device) -> None:
    heard = []

    def serve(sock: socket.socket) -> None:
        heard.append(sock.recv(4096))
        sock.sendall(b"HTTP/1.1 200 go\r\n\r\n")
        device(server)(sock)

    with listening(serve) as proxy:
        target = Target("bmc.example", 5900, "http-connect", "bmc.example", through=(proxy.host, proxy.port))
        told = exchange(target, PlainHello(), shown(leaf(ca)), "TLS 1.2", QUICK)
    assert trial_of("x", "TLS 1.2", told).outcome == Accepted("finished")
    assert heard == [b"CONNECT bmc.example:5900 HTTP/1.1\r\nHost: bmc.example:5900\r\n\r\n"]


def test_names_of_protocols() -> None:
    assert protocol_named("sieve") is protocol_named("ManageSieve")
    with pytest.raises(UsageError, match="gopher: is no protocol in which TLS can be asked for; one of: smtp, lmtp"):
        protocol_named("gopher")


def tds(inner: Callable[[socket.socket], None], encryption: int = 1) -> Callable[[socket.socket], None]:
    """A server of MS-TDS: PRELOGIN, then the handshake of ``inner`` in packets, then bare records."""

    def exactly(sock: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = sock.recv(size - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    class Wrapped:
        """A socket whose bytes go in packets until the server has sent its Finished."""

        def __init__(self, sock: socket.socket) -> None:
            self.sock, self.bare = sock, False

        def recv(self, size: int) -> bytes:
            head = exactly(self.sock, 8) if not self.bare else b""
            if not head or head[0] != 0x12:
                self.bare = True
                return head + self.sock.recv(size)
            return exactly(self.sock, int.from_bytes(head[2:4], "big") - 8)

        def sendall(self, data: bytes) -> None:
            self.sock.sendall(b"\x12\x01" + (len(data) + 8).to_bytes(2, "big") + bytes(4) + data)

    def serve(sock: socket.socket) -> None:
        head = exactly(sock, 8)
        exactly(sock, int.from_bytes(head[2:4], "big") - 8)
        answer = b"\x01\x00\x06\x00\x01\xff" + bytes((encryption,))
        sock.sendall(b"\x04\x01" + (len(answer) + 8).to_bytes(2, "big") + bytes(4) + answer)
        inner(Wrapped(sock))  # type: ignore[arg-type]

    return serve
