"""What was spoken before TLS is told by its own words, and so is a server that declines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.wire.preamble import PROXY_V2, protocol_before, proxy_header, refusal

#: X.224's connection request with RDP's negotiation request: MS-RDPBCGR 2.2.1.1.
RDP_REQUEST = bytes.fromhex("030000130ee00000000000") + bytes.fromhex("0100080003000000")
#: What a client says to ask for TLS, where the answer depends on it.
ASKS = {"imap": b"a1 STARTTLS\r\n", "rdp": RDP_REQUEST}
MYSQL = b"\x4a\x00\x00\x00\x0a8.0.36\x00" + bytes(60)
PROXY_V2_HEADER = PROXY_V2 + b"\x21\x11\x00\x0c" + bytes(12)


@pytest.mark.parametrize(
    ("protocol", "client", "server"),
    [
        pytest.param(
            "smtp", b"EHLO me\r\nSTARTTLS\r\n", b"220 mx ESMTP\r\n250-mx\r\n250 STARTTLS\r\n220 Go\r\n", id="RFC 3207"
        ),
        pytest.param("lmtp", b"LHLO me\r\nSTARTTLS\r\n", b"220 mx LMTP\r\n250 STARTTLS\r\n220 Go\r\n", id="RFC 2033"),
        pytest.param("imap", b"a1 STARTTLS\r\n", b"* OK ready\r\na1 OK begin\r\n", id="RFC 9051 §6.2.1"),
        pytest.param("pop3", b"STLS\r\n", b"+OK ready\r\n+OK begin\r\n", id="RFC 2595 §4"),
        pytest.param("ftp", b"AUTH TLS\r\n", b"220 ftp\r\n234 go\r\n", id="RFC 4217 §4"),
        pytest.param("nntp", b"STARTTLS\r\n", b"200 news\r\n382 go\r\n", id="RFC 4642"),
        pytest.param(
            "managesieve", b"STARTTLS\r\n", b'"IMPLEMENTATION" "Dovecot"\r\n"STARTTLS"\r\nOK\r\nOK\r\n', id="RFC 5804"
        ),
        pytest.param("irc", b"STARTTLS\r\n", b":irc.example 670 * :STARTTLS successful\r\n", id="IRCv3 tls"),
        pytest.param(
            "xmpp",
            b"<?xml version='1.0'?><stream:stream to='a'><starttls xmlns='x'/>",
            b"<?xml?><proceed/>",
            id="RFC 6120 §5",
        ),
        pytest.param(
            "ldap", bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037", b"\x30\x0c", id="RFC 4511 §4.14"
        ),
        pytest.param("postgresql", bytes.fromhex("0000000804d2162f"), b"S", id="PostgreSQL's SSLRequest"),
        pytest.param("mysql", b"", MYSQL, id="MySQL's handshake"),
        pytest.param("tds", bytes.fromhex("1201002f00000000") + bytes(39), b"\x04\x01", id="MS-TDS PRELOGIN"),
        pytest.param("rdp", bytes.fromhex("0300001300e00000"[:10]) + b"\xe0" + bytes(13), b"", id="MS-RDPBCGR"),
        pytest.param("amqp", b"AMQP\x02\x01\x00\x00", b"AMQP\x02\x01\x00\x00", id="AMQP 1.0 §5.2.1"),
        pytest.param("socks4", b"\x04\x01\x01\xbb\x0a\x00\x00\x01\x00", b"\x00\x5a" + bytes(6), id="SOCKS 4"),
        pytest.param(
            "socks5", b"\x05\x01\x00" + b"\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb", b"\x05\x00", id="RFC 1928"
        ),
        pytest.param(
            "http-connect",
            b"CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            id="RFC 9110 §9.3.6",
        ),
        pytest.param(
            "http-upgrade", b"GET / HTTP/1.1\r\nUpgrade: TLS/1.0\r\n\r\n", b"HTTP/1.1 101 x\r\n\r\n", id="RFC 2817"
        ),
        pytest.param("proxy-v1", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 443\r\n", b"", id="PROXY v1"),
        pytest.param("proxy-v2", PROXY_V2_HEADER, b"", id="PROXY v2"),
        pytest.param(
            "smtp",
            b"PROXY TCP4 10.0.0.1 10.0.0.2 1 25\r\nEHLO me\r\nSTARTTLS\r\n",
            b"220 mx\r\n",
            id="SMTP behind PROXY",
        ),
        pytest.param("nats", b"", b'INFO {"tls_required":true}\r\n', id="NATS"),
        pytest.param(
            None, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", id="plain HTTP leads to no TLS"
        ),
        pytest.param(None, b"SSH-2.0-x\r\n", b"SSH-2.0-y\r\n", id="SSH"),
        pytest.param(None, b"", b"", id="nothing"),
    ],
)
def test_each_protocol_is_known_by_its_own_words(protocol: str | None, client: bytes, server: bytes) -> None:
    assert protocol_before(client, server) == protocol


@pytest.mark.parametrize(
    ("protocol", "server", "said"),
    [
        ("smtp", b"454 4.7.0 TLS not available\r\n", "454 4.7.0 TLS not available"),
        ("imap", b"a1 NO no TLS here\r\n", "a1 NO no TLS here"),
        ("pop3", b"-ERR unknown\r\n", "-ERR unknown"),
        ("ftp", b"534 refused\r\n", "534 refused"),
        ("postgresql", b"N", "N"),
        (
            "http-connect",
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "HTTP/1.1 407 Proxy Authentication Required",
        ),
        ("socks5", b"\x05\x00\x05\x05\x00\x01" + bytes(6), "reply 5, connection refused"),
        ("socks4", b"\x00\x5b" + bytes(6), "request rejected or failed (91)"),
        (
            "rdp",
            bytes.fromhex("030000130ed000001234000300080005000000"),
            "negotiation failure 5, HYBRID_REQUIRED_BY_SERVER: the server wants network level authentication (CredSSP)",
        ),
        (
            "xmpp",
            b"<stream:stream><failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        ),
        ("smtp", b"220 go ahead\r\n", None),
        ("postgresql", b"S", None),
        ("mysql", MYSQL, None),
    ],
)
def test_a_server_that_declines_is_quoted(protocol: str, server: bytes, said: str | None) -> None:
    found = refusal(protocol, ASKS.get(protocol, b""), server)
    assert (None if found is None else found[0]) == said


@pytest.mark.parametrize(
    ("data", "size"),
    [(PROXY_V2_HEADER + b"rest", 28), (b"PROXY UNKNOWN\r\nrest", 15), (b"PROXY nothing", 0), (b"GET /", 0), (b"", 0)],
)
def test_the_header_of_a_proxy_is_measured(data: bytes, size: int) -> None:
    assert proxy_header(data) == size


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_some_protocol_or_none(client: bytes, server: bytes) -> None:
    found = protocol_before(client, server)
    if found is not None:
        refusal(found, client, server)
