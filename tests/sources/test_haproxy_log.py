"""HAProxy's log: the short line, and formats that say more. The lines are those of HAProxy 2.6."""

from __future__ import annotations

import pytest

from tests.sources.told import alerts, told, verdicts
from tlsalert.model import Endpoint

HEAD = "Jun 17 03:21:24 lb haproxy[257]: 192.0.2.5:55120 [17/Jun/2021:03:21:24.824] "
UNKNOWN = ("failed", None, None, None)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("plain/1: SSL handshake failure", UNKNOWN),
        ("plain/1: SSL client certificate not trusted", ("failed", "server", "unknown_ca", "client")),
        ("plain/1: Connection closed during SSL handshake", ("failed", "client", "closed_without_alert", None)),
        ("plain/1: Connection error during SSL handshake", ("failed", "client", "reset_without_alert", None)),
        ("plain/1: Timeout during SSL handshake", ("failed", None, "timed_out", None)),
        ("f~ 000000000A000086 error:0A000086:SSL routines::certificate verify failed 9 0 TLSv1.2 (NONE)",
         ("failed", "server", "certificate_not_yet_valid", "server")),
        ("f~ ssl_fc_err:167772294/ssl_c_err:10", ("failed", "server", "certificate_expired", "client")),
        ("f~ b/<NOSRV> 0/-1/-1/-1/0 0 0 - - PR-- 1/1/0/0/0 0/0 \"<BADREQ>\" 0/000000000A000086/20/0/0 -/TLSv1.2/(NONE)",
         ("failed", "server", "unknown_ca", "client")),
        ("f~ 000000000A0000C7 error:0A0000C7:SSL routines::peer did not return a certificate 0 0 TLSv1.3 (NONE)",
         ("failed", "server", "no_client_certificate", "client")),
        ("f~ b/<NOSRV> 0/-1/-1/-1/0 503 217 - - SC-- 1/1/0/0/0 0/0 \"GET / HTTP/1.0\"", ("established", None, None, None)),
        ("f~ b/s 503 TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 ssl_c_verify=10 ssl_c_err=10",
         ("established", None, None, None)),  # crt-ignore-err: it went on all the same
    ],
)  # fmt: skip
def test_a_line_is_a_connection(said: str, verdict: tuple[str, str, str, str]) -> None:
    (found,) = verdicts(HEAD + said)
    assert found == verdict


def test_what_the_format_shows_is_told() -> None:
    (one,) = told(
        HEAD
        + "f~ 000000000A000418 error:0A000418:SSL routines::tlsv1 alert unknown ca 0 0 TLSv1.3 TLS_AES_256_GCM_SHA384"
    )
    assert one.client == Endpoint("192.0.2.5", 55120)
    assert (one.tls_version, one.cipher_suite) == ("TLS 1.3", "TLS_AES_256_GCM_SHA384")
    assert alerts(one) == [(48, "client")]


def test_few_words_are_no_verdict_and_say_how_to_get_more() -> None:
    (one,) = told(HEAD + "plain/1: SSL handshake failure")
    assert one.verdict is not None
    assert one.verdict.summary.startswith("Undecided")
    assert any("error-log-format" in note for note in one.notes)


def test_what_is_not_tls_is_no_connection_of_it() -> None:
    assert told(HEAD + 'web web/s1 0/0/1/2/3 200 512 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"') == []


def test_a_server_that_fails_its_check_is_one_of_haproxys_own_connections() -> None:
    (one,) = told(
        'Jun 17 03:21:24 lb haproxy[257]: Server b/s is DOWN, reason: Layer6 invalid response, info: "SSL handshake failure", '
        "check duration: 3ms."
    )
    assert one.account is not None
    assert one.account.side == "client"


def test_more_requests_on_a_connection_are_no_more_connections() -> None:
    line = HEAD + 'f~ b/s 0/0/1/2/3 200 217 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"'
    assert len(told([line, line, line.replace("55120", "55121"), line])) == 2
