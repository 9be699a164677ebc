"""Configurations are known by their lines, and say which file is used for what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.pki.usage import LARGEST, program_of, read_config

STUNNEL = b"""
; the console
cert = /etc/stunnel/server.crt
CAfile=/etc/stunnel/client.crt
debug = 7
[ikvm]
accept = 5900
connect = 127.0.0.1:5901
verify = 3
key = server.key
[other]
client = yes
cert = mine.pem
accept = 80
"""
NGINX = b"""
http {
    ssl_certificate /etc/ssl/all.crt; # for every server
    server {
        listen 443 ssl; server_name "board.example";
        ssl_certificate_key /etc/ssl/board.key;
        ssl_client_certificate /etc/ssl/ca.crt;
        ssl_verify_client on;
        location / { proxy_pass https://10.0.0.7; proxy_ssl_trusted_certificate ca2.crt; }
    }
}
"""
APACHE = b"""
Listen 443
<VirtualHost *:443>
    ServerName board.example
    SSLCertificateFile "/etc/ssl/board.crt"
    SSLCACertificatePath /etc/ssl/clients/
    SSLVerifyClient require
</VirtualHost>
SSLProxyCACertificateFile /etc/ssl/upstream.crt
"""
HAPROXY = b"""
frontend in
    bind *:443 ssl crt /etc/haproxy/all.pem ca-file /etc/haproxy/ca.pem verify required # yes
backend out
    server one 10.0.0.7:443 ssl crt client.pem verify none
"""
POSTFIX = b"""
smtpd_tls_cert_file = /etc/ssl/mail.crt
smtpd_tls_key_file=$config_directory/x
smtpd_tls_req_ccert = yes
smtpd_tls_chain_files = a.pem, b.pem
"""
DOVECOT = b"ssl = required\nssl_cert = </etc/ssl/imap.crt\nssl_key = <imap.key\n"


def named(text: bytes) -> list[tuple[str, str, str]]:
    config = read_config(text)
    assert config is not None
    return [(one.section, one.role, one.path) for one in config.named]


def settings(text: bytes, path: str) -> dict[str, str]:
    config = read_config(text)
    assert config is not None
    return next(dict(one.settings) for one in config.named if one.path == path)


def test_stunnels_global_options_are_those_of_each_service() -> None:
    assert named(STUNNEL) == [
        ("ikvm", "key", "server.key"),
        ("ikvm", "cert", "/etc/stunnel/server.crt"),
        ("ikvm", "CAfile", "/etc/stunnel/client.crt"),
        ("other", "cert", "mine.pem"),
        ("other", "CAfile", "/etc/stunnel/client.crt"),
    ]
    assert settings(STUNNEL, "/etc/stunnel/server.crt") == {
        "accept": "5900",
        "connect": "127.0.0.1:5901",
        "verify": "3",
    }


def test_nginx_is_read_block_by_block() -> None:
    assert sorted(named(NGINX)) == [
        ("http", "ssl_certificate", "/etc/ssl/all.crt"),
        ("location /", "proxy_ssl_trusted_certificate", "ca2.crt"),
        ("server", "ssl_certificate_key", "/etc/ssl/board.key"),
        ("server", "ssl_client_certificate", "/etc/ssl/ca.crt"),
    ]
    assert settings(NGINX, "/etc/ssl/ca.crt") == {
        "listen": "443 ssl",
        "server_name": "board.example",
        "ssl_verify_client": "on",
    }


def test_apache_is_read_by_virtual_host() -> None:
    assert named(APACHE) == [
        ("", "SSLProxyCACertificateFile", "/etc/ssl/upstream.crt"),
        ("VirtualHost *:443", "SSLCertificateFile", "/etc/ssl/board.crt"),
        ("VirtualHost *:443", "SSLCACertificatePath", "/etc/ssl/clients/"),
    ]
    assert settings(APACHE, "/etc/ssl/board.crt")["SSLVerifyClient"] == "require"


def test_haproxys_lines_are_read_one_by_one() -> None:
    assert named(HAPROXY) == [
        ("frontend in", "crt", "/etc/haproxy/all.pem"),
        ("frontend in", "ca-file", "/etc/haproxy/ca.pem"),
        ("backend out", "crt", "client.pem"),
    ]
    assert settings(HAPROXY, "client.pem") == {"server": "10.0.0.7:443", "verify": "none"}


def test_mail_servers_name_files_in_assignments() -> None:
    assert named(POSTFIX) == [
        ("", "smtpd_tls_cert_file", "/etc/ssl/mail.crt"),
        ("", "smtpd_tls_chain_files", "a.pem"),
        ("", "smtpd_tls_chain_files", "b.pem"),
    ]
    assert settings(POSTFIX, "a.pem") == {"smtpd_tls_req_ccert": "yes"}
    assert named(DOVECOT) == [("", "ssl_cert", "/etc/ssl/imap.crt"), ("", "ssl_key", "imap.key")]


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (STUNNEL, "stunnel"),
        (NGINX, "nginx"),
        (APACHE, "apache"),
        (HAPROXY, "haproxy"),
        (POSTFIX, "postfix"),
        (DOVECOT, "dovecot"),
        (b"cert = a.pem\n", None),
        (b"accept = 1\nconnect = 2\n", None),
        (b"the bind address and the crt are discussed here\n", None),
        (STUNNEL + b" " * LARGEST, None),
    ],
)
def test_a_program_is_known_by_its_lines(text: bytes, program: str | None) -> None:
    assert program_of(text) == program


@given(st.lists(st.sampled_from([*b'{};[]<>=\n \t#"', *b"ssl_certificate", *STUNNEL[:60]]), max_size=300))
def test_any_text_is_read(text: list[int]) -> None:
    for whole in (STUNNEL, NGINX, APACHE, HAPROXY, POSTFIX):
        read_config(whole + bytes(text))
        read_config(bytes(text) + whole)
