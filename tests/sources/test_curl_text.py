"""curl's texts: names with lengths, bytes with --trace, an error at the end with libraries that tell no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.texts import alerts, outcome, read, said

HEAD = """*   Trying 192.0.2.7:5900...
* Connected to bmc.example (192.0.2.7) port 5900 (#0)
"""
MESSAGES = """* ALPN: offers h2,http/1.1
} [5 bytes data]
* TLSv1.3 (OUT), TLS handshake, Client hello (1):
} [512 bytes data]
* TLSv1.3 (IN), TLS handshake, Server hello (2):
{ [89 bytes data]
* TLSv1.2 (IN), TLS handshake, Certificate (11):
{ [1030 bytes data]
* TLSv1.2 (IN), TLS handshake, Request CERT (13):
{ [189 bytes data]
* TLSv1.2 (IN), TLS handshake, Server finished (14):
{ [4 bytes data]
* TLSv1.2 (OUT), TLS handshake, Certificate (11):
} [%d bytes data]
* TLSv1.2 (OUT), TLS handshake, Client key exchange (16):
} [70 bytes data]
* TLSv1.2 (OUT), TLS change cipher, Change cipher spec (1):
} [1 bytes data]
* TLSv1.2 (OUT), TLS handshake, Finished (20):
} [16 bytes data]
* TLSv1.2 (IN), TLS alert, %s:
{ [2 bytes data]
* OpenSSL/3.0.22: error:0A000412:SSL routines::sslv3 alert bad certificate
* Closing connection 0
curl: (56) OpenSSL SSL_read: error:0A000412:SSL routines::sslv3 alert bad certificate, errno 0
"""


def test_messages_with_their_lengths_and_one_alert_however_often_it_is_told(tmp_path: Path) -> None:
    (found,) = read(tmp_path, HEAD + MESSAGES % (1030, "bad certificate (554)"))
    assert alerts(found) == [("server", 42)]
    assert str(found.server) == "192.0.2.7:5900"
    assert found.tls_version == "TLS 1.2"
    assert [one.length for one in found.messages][:2] == [508, 85]
    assert said(found)[-1] == "client finished"
    assert outcome(found)[:2] == ("failed", "server")


def test_an_empty_certificate_shows_by_its_length(tmp_path: Path) -> None:
    (found,) = read(tmp_path, HEAD + (MESSAGES % (7, "handshake failure (552)")).replace("412", "410"))
    assert outcome(found) == ("failed", "server", "no_client_certificate")


def test_bytes_of_trace_are_read_with_times_before_them(tmp_path: Path) -> None:
    body = bytes.fromhex("0200002e0303" + "55012725" + "00" * 28 + "00c03000" + "0006002b00020303")
    rows = "\n".join(f"{at:04x}: {body[at : at + 16].hex(' '):<47} ................" for at in range(0, len(body), 16))
    text = (
        "03:24:04.598796 == Info:   Trying 192.0.2.7:5900...\n"
        "03:24:04.601405 == Info: TLSv1.3 (IN), TLS handshake, Server hello (2):\n"
        f"03:24:04.601406 <= Recv SSL data, {len(body)} bytes (0x{len(body):x})\n{rows}\n"
        "03:24:04.602857 == Info: TLSv1.2 (IN), TLS alert, unknown CA (560):\n"
        "03:24:04.602858 <= Recv SSL data, 2 bytes (0x2)\n0000: 02 30                                           .0\n"
    )
    (found,) = read(tmp_path, text)
    assert found.server_hello is not None
    assert found.server_hello.random[:4].hex() == "55012725"
    assert alerts(found) == [("server", 48)]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("* NSS error -12271 (SSL_ERROR_BAD_CERT_ALERT)\n", 42),
        ("* NSS error -12195 (SSL_ERROR_UNKNOWN_CA_ALERT)\n", 48),
        ("* gnutls_handshake() failed: A TLS fatal alert has been received: Certificate is bad\n", 42),
        ("curl: (35) error:14094415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired\n", 45),
    ],
)
def test_an_error_at_the_end_is_an_alert(tmp_path: Path, error: str, code: int) -> None:
    (found,) = read(tmp_path, HEAD + error)
    assert alerts(found) == [("server", code)]
    assert outcome(found)[:2] == ("failed", "server")


def test_curl_says_itself_why_it_refuses_a_server(tmp_path: Path) -> None:
    (found,) = read(tmp_path, HEAD + "* SSL certificate problem: certificate has expired\n")
    assert outcome(found) == ("failed", "client", "certificate_expired")


def test_an_http_answer_shows_that_all_went_well(tmp_path: Path) -> None:
    text = HEAD + "* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384\n< HTTP/1.1 200 OK\n"
    (found,) = read(tmp_path, text)
    assert outcome(found)[0] == "established"
    assert (found.tls_version, found.cipher_suite) == ("TLS 1.3", "TLS_AES_256_GCM_SHA384")


def test_each_connection_attempt_is_its_own(tmp_path: Path) -> None:
    text = HEAD + MESSAGES % (1030, "bad certificate (554)")
    assert [one.connection for one in read(tmp_path, text * 3)] == [0, 1, 2]
