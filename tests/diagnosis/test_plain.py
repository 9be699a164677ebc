"""What speaks where TLS was meant to, by its first words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.diagnosis.plain import SHOWN, first_line, recognised


@pytest.mark.parametrize(
    ("plain", "name", "do"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP", "use the port where the server speaks TLS"),
        (b"<!DOCTYPE HTML>\n<html>", "HTTP", "use the port where the server speaks TLS"),
        (b"220 mail.example.net ESMTP Postfix\r\n", "SMTP", "STARTTLS, RFC 3207"),
        (b"220 mail.example.net ESMTP Postfix\r\n", "SMTP", "openssl s_client -starttls smtp"),
        (b"220 (vsFTPd 3.0.3)\r\n", "FTP", "AUTH TLS, RFC 4217"),
        (b"220 welcome\r\n", "SMTP or FTP", "STARTTLS or AUTH TLS"),
        (b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n", "IMAP", "STARTTLS"),
        (b"+OK POP3 ready\r\n", "POP3", "STLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH", "this is a port of SSH"),
        (b"RFB 003.008\n", "VNC (RFB)", "this is a port of VNC"),
        (b"\x4a\0\0\0\x0a8.0.33\0", "MySQL", "SSL request"),
        (b"S", "PostgreSQL", "SSLRequest"),
        (b"N", "PostgreSQL", "SSLRequest"),
        (b"\x03\0\0\x13\x0e", "RDP (TPKT)", "this is a port of RDP"),
        (b"<?xml version='1.0'?><stream:stream", "XMPP", "starttls"),
        (b"-ERR unknown command\r\n", "Redis", "this is a port of Redis"),
        (b"\0\0\0\0\2\0(", "", "check the port"),
    ],
)
def test_a_servers_protocol_is_named_and_what_to_do(plain: bytes, name: str, do: str) -> None:
    found = recognised(plain, "server")
    assert found.name == name
    assert do in found.do
    assert first_line(plain) in found.says or repr(first_line(plain)) in found.says


def test_a_client_that_sends_http_is_told_by_its_request() -> None:
    found = recognised(b"GET /index.html HTTP/1.1\r\nHost: x\r\n", "client")
    assert found.says == "the client sends a plain HTTP request: 'GET /index.html HTTP/1.1'"


@pytest.mark.parametrize(
    ("status", "do"), [(b"407 Proxy Authentication Required", "user name"), (b"502 Bad Gateway", "opened no tunnel")]
)
def test_a_proxy_that_opens_no_tunnel_is_not_the_server(status: bytes, do: str) -> None:
    found = recognised(b"HTTP/1.1 " + status + b"\r\n", "server", b"CONNECT bmc.example:443 HTTP/1.1\r\n")
    assert found.name == "an HTTP proxy"
    assert do in found.do


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_any_bytes_are_told_in_a_line_that_steers_no_terminal(plain: bytes, asked: bytes) -> None:
    found = recognised(plain, "server", asked)
    assert found.says.isprintable()
    assert len(first_line(plain)) <= SHOWN
    assert found.do
