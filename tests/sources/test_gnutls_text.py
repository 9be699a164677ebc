"""GnuTLS's programs: each message with -d 4, a summary without it."""

from __future__ import annotations

from pathlib import Path

from tests.sources.texts import alerts, outcome, read

DEBUG = """|<4>| HSK[0x55deb99370e0]: CLIENT HELLO was queued [368 bytes]
|<4>| HSK[0x55deb99370e0]: SERVER HELLO (2) was received. Length 61[61], frag offset 0, frag length: 61, sequence: 0
|<4>| HSK[0x55deb99370e0]: Server's version: 3.3
|<4>| HSK[0x55deb99370e0]: Selected cipher suite: GNUTLS_ECDHE_RSA_AES_256_GCM_SHA384
|<4>| HSK[0x55deb99370e0]: CERTIFICATE (11) was received. Length 787[787], frag offset 0, frag length: 787, sequence: 0
|<4>| HSK[0x55deb99370e0]: CERTIFICATE REQUEST (13) was received. Length 72[72], frag offset 0, frag length: 72
|<4>| HSK[0x55deb99370e0]: SERVER HELLO DONE (14) was received. Length 0[0], frag offset 0, frag length: 0, sequence: 0
|<4>| HSK[0x55deb99370e0]: CERTIFICATE was queued [{} bytes]
|<4>| HSK[0x55deb99370e0]: CLIENT KEY EXCHANGE was queued [70 bytes]
|<4>| REC[0x55deb99370e0]: Sent ChangeCipherSpec
|<4>| HSK[0x55deb99370e0]: FINISHED was queued [16 bytes]
|<5>| REC[0x55deb99370e0]: Alert[2|{}] - something - was received
"""
SUMMARY = """Processed 0 CA certificate(s).
Connecting to '192.0.2.7:5900'...
- Certificate type: X.509
- Certificate[0] info:
 - subject `CN=bmc,O=Example', issuer `CN=bmc,O=Example', serial 0x4eba, RSA key 2048 bits, signed using RSA-SHA256, \
activated `2016-05-19 09:43:02 UTC', expires `2026-05-17 09:43:02 UTC', pin-sha256="x"
- Successfully sent 1 certificate(s) to server.
"""


def test_messages_of_the_debug_log(tmp_path: Path) -> None:
    (found,) = read(tmp_path, DEBUG.format(777, 42) + SUMMARY + "*** Received alert [42]: Certificate is bad\n")
    assert alerts(found) == [("server", 42)]
    assert (found.tls_version, found.cipher_suite) == ("TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
    assert str(found.server) == "192.0.2.7:5900"
    assert found.certificates.server[0].subject == "CN=bmc,O=Example"
    assert outcome(found)[:2] == ("failed", "server")


def test_an_empty_certificate_shows_by_its_length(tmp_path: Path) -> None:
    (found,) = read(tmp_path, DEBUG.format(7, 40))
    assert outcome(found) == ("failed", "server", "no_client_certificate")


def test_the_summary_alone_tells_the_alert(tmp_path: Path) -> None:
    (found,) = read(tmp_path, SUMMARY + "*** Received alert [42]: Certificate is bad\n")
    assert alerts(found) == [("server", 42)]
    assert found.certificates.server[0].not_before is not None
    assert outcome(found)[:2] == ("failed", "server")


def test_a_handshake_that_was_completed(tmp_path: Path) -> None:
    text = SUMMARY + "- Description: (TLS1.3-X.509)-(ECDHE-SECP256R1)\n- Handshake was completed\n"
    (found,) = read(tmp_path, text)
    assert (outcome(found)[0], found.tls_version) == ("established", "TLS 1.3")


def test_a_servers_sessions_are_told_apart_by_their_addresses(tmp_path: Path) -> None:
    text = "".join(
        f"|<4>| HSK[0x55deb9{n}]: CLIENT HELLO (1) was received. Length 364[364], frag offset 0\n"
        f"|<4>| HSK[0x55deb9{n}]: SERVER HELLO was queued [155 bytes]\n"
        f"|<5>| REC[0x55deb9{n}]: Sending Alert[2|{40 + n}] - x\n"
        for n in (1, 2, 3)
    )
    found = read(tmp_path, text)
    assert [alerts(one) for one in found] == [[("server", 41)], [("server", 42)], [("server", 43)]]
