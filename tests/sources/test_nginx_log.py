"""nginx's error log: its clients, its upstreams. The lines are those of nginx 1.22 with OpenSSL 3.0."""

from __future__ import annotations

import pytest

from tests.sources.told import alerts, told, verdicts
from tlsalert.model import Endpoint

HEAD = "2021/06/17 08:50:31 [info] 269#269: *15 "
READING = 'while reading client request headers, client: 192.0.2.5, server: , request: "GET / HTTP/1.0"'
SHAKING = "while SSL handshaking, client: 192.0.2.5, server: 192.0.2.7:443"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (f"client SSL certificate verify error: (9:certificate is not yet valid) {READING}",
         ("failed", "server", "certificate_not_yet_valid", "server")),
        (f"client SSL certificate verify error: (10:certificate has expired) {READING}",
         ("failed", "server", "certificate_expired", "client")),
        (f"client SSL certificate verify error: (21:unable to verify the first certificate) {READING}",
         ("failed", "server", "unknown_ca", "client")),
        (f"client sent no required SSL certificate {READING}", ("failed", "server", "no_client_certificate", "client")),
        (f"SSL_do_handshake() failed (SSL: error:0A000102:SSL routines::unsupported protocol) {SHAKING}",
         ("failed", "server", "no_shared_version", None)),
        (f"SSL_do_handshake() failed (SSL: error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number 48) "
         f"{SHAKING}", ("failed", "client", "unknown_ca", "client")),
        (f"client closed connection {SHAKING}", ("failed", "client", "closed_without_alert", None)),
        (f"peer closed connection in SSL handshake (104: Connection reset by peer) {SHAKING}",
         ("failed", "client", "reset_without_alert", None)),
        (f"client sent plain HTTP request to HTTPS port {READING}", ("not_tls", None, "not_tls", None)),
    ],
)  # fmt: skip
def test_what_it_says_of_a_client(said: str, verdict: tuple[str, str, str, str]) -> None:
    assert verdicts(HEAD + said) == [verdict]


def test_a_certificate_is_refused_inside_a_handshake_that_succeeded() -> None:
    (one,) = told(HEAD + f"client SSL certificate verify error: (10:certificate has expired) {READING}")
    assert one.verdict is not None
    assert one.verdict.summary.startswith("The handshake succeeded, and inside it the server refused")
    assert one.alerts == ()
    assert not any("OpenSSL sends" in seen.says for seen in one.verdict.evidence)  # nginx sends no alert for it


def test_towards_an_upstream_nginx_is_the_client() -> None:
    (one,) = told(
        "2021/06/17 08:50:31 [error] 7#7: *19 SSL_do_handshake() failed (SSL: error:0A000415:SSL routines::sslv3 alert "
        "certificate expired:SSL alert number 45) while SSL handshaking to upstream, client: 192.0.2.5, server: , "
        'request: "GET / HTTP/1.1", upstream: "https://192.0.2.9:8443/", host: "a"'
    )
    assert one.server == Endpoint("192.0.2.9", 8443)
    assert alerts(one) == [(45, "server")]
    assert one.verdict is not None
    assert (one.verdict.refused_by, one.verdict.cause) == ("server", "certificate_expired")


def test_connections_are_told_apart_by_number() -> None:
    debug = '2021/06/17 08:50:31 [debug] 7#7: *{} SSL: {}, cipher: "{} TLSv1.2 Kx=ECDH Au=RSA"'
    lines = [
        debug.format(1, "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"),
        debug.format(2, "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
        HEAD.replace("269#269: *15", "7#7: *1")
        + f"client SSL certificate verify error: (10:certificate has expired) {READING}",
        "2021/06/17 08:50:32 [debug] 7#7: *2 close http connection: 3",
    ]
    one, two = told(lines)
    assert (one.tls_version, two.tls_version) == ("TLS 1.2", "TLS 1.3")
    assert one.verdict is not None
    assert two.verdict is not None
    assert (one.verdict.outcome, two.verdict.outcome) == ("failed", "established")
