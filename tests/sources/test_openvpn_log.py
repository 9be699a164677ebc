"""OpenVPN's log, server and client. The lines are those of OpenVPN 2.6 with OpenSSL 3.0, and of older ones."""

from __future__ import annotations

import pytest

from tests.sources.told import alerts, told, verdicts
from tlsalert.model import Endpoint

SERVER = """
2021-06-17 03:27:10 192.0.2.5:32864 VERIFY ERROR: depth=0, error=certificate is not yet valid: O=Example, CN=early, serial=26
2021-06-17 03:27:10 192.0.2.5:32864 Sent fatal SSL alert: bad certificate
2021-06-17 03:27:10 192.0.2.5:32864 OpenSSL: error:0A000086:SSL routines::certificate verify failed:
2021-06-17 03:27:10 192.0.2.5:32864 TLS_ERROR: BIO read tls_read_plaintext error
2021-06-17 03:27:10 192.0.2.5:32864 TLS Error: TLS object -> incoming plaintext read error
2021-06-17 03:27:10 192.0.2.5:32864 TLS Error: TLS handshake failed
2021-06-17 03:27:10 192.0.2.5:32864 SIGUSR1[soft,tls-error] received, client-instance restarting
"""
CLIENT = """
2021-06-17 03:27:55 OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO]
2021-06-17 03:27:55 TCP/UDP: Preserving recently used remote address: [AF_INET]192.0.2.7:1194
2021-06-17 03:27:55 UDPv4 link local: (not bound)
2021-06-17 03:27:55 UDPv4 link remote: [AF_INET]192.0.2.7:1194
2021-06-17 03:27:55 TLS: Initial packet from [AF_INET]192.0.2.7:1194, sid=2813673a e640026c
2021-06-17 03:27:55 VERIFY ERROR: depth=1, error=self-signed certificate in certificate chain: O=Example, CN=Example CA, serial=3
2021-06-17 03:27:55 OpenSSL: error:0A000086:SSL routines::certificate verify failed:
2021-06-17 03:27:55 TLS Error: TLS handshake failed
2021-06-17 03:27:55 SIGUSR1[soft,tls-error] received, process restarting
"""


def test_a_server_refuses_a_client() -> None:
    (one,) = told(SERVER)
    assert one.client == Endpoint("192.0.2.5", 32864)
    assert one.certificates.client[0].subject == "CN=early,O=Example"
    assert alerts(one) == [(42, "server")]
    assert one.verdict is not None
    assert (one.verdict.refused_by, one.verdict.cause, one.verdict.at_fault) == (
        "server",
        "certificate_not_yet_valid",
        "server",
    )


def test_a_client_refuses_its_server() -> None:
    (one,) = told(CLIENT)
    assert (one.server, one.transport) == (Endpoint("192.0.2.7", 1194), "udp")
    assert one.verdict is not None
    assert (one.verdict.refused_by, one.verdict.cause, one.verdict.at_fault) == ("client", "unknown_ca", "client")


@pytest.mark.parametrize(
    "said",
    [
        "VERIFY ERROR: depth=0, error=certificate has expired: /O=Example/CN=old",  # 2.2
        "VERIFY ERROR: depth=0, error=certificate has expired: O=Example, CN=old, serial=26",
        "VERIFY ERROR: depth=0, subject=CN=old: The certificate validity has expired",  # mbed TLS
    ],
)
def test_words_of_all_ages(said: str) -> None:
    assert verdicts(f"Thu Jun 17 03:27:10 2021 us=7 joe/192.0.2.5:1194 {said}") == [
        ("failed", "server", "certificate_expired", "client")
    ]


def test_clients_of_one_server_are_told_apart() -> None:
    first = SERVER.strip().split("\n")
    second = [
        line.replace("192.0.2.5:32864", "192.0.2.6:1194").replace("is not yet valid", "has expired") for line in first
    ]
    woven = [line for pair in zip(first, second, strict=True) for line in pair]
    one, two = told(woven)
    assert one.verdict is not None
    assert two.verdict is not None
    assert (one.verdict.cause, two.verdict.cause) == ("certificate_not_yet_valid", "certificate_expired")


def test_a_handshake_that_succeeds_says_what_was_agreed() -> None:
    (one,) = told(
        "2021-06-17 03:27:34 192.0.2.5:1 Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384, peer certificate: "
        "2048 bits RSA"
    )
    assert (one.tls_version, one.cipher_suite) == ("TLS 1.3", "TLS_AES_256_GCM_SHA384")
    assert one.verdict is not None
    assert one.verdict.outcome == "established"


def test_no_answer() -> None:
    assert verdicts(
        "2021-06-17 03:27:34 TLS Error: TLS key negotiation failed to occur within 60 seconds (check your network)\n"
        "2021-06-17 03:27:34 TLS Error: TLS handshake failed"
    ) == [("failed", None, "timed_out", None)]
