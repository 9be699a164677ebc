"""stunnel's log: both sides, versions 4 and 5, all debug levels, and what each level can and cannot tell.

The lines are those of stunnel 5.68 (OpenSSL 3.0) and 4.56 (OpenSSL 1.0.1e), with names and addresses of examples.
"""

from __future__ import annotations

import pytest

from tests.sources.told import alerts, told, verdicts
from tlsalert.model import Endpoint

SERVER_5 = """
2015.03.12 05:42:07 LOG6[ui]: Service [ikvm] (FD=10) bound to 192.0.2.7:5900
2015.03.12 05:42:07 LOG7[0]: Service [ikvm] started
2015.03.12 05:42:07 LOG5[0]: Service [ikvm] accepted connection from 192.0.2.5:40112
2015.03.12 05:42:07 LOG6[0]: Peer certificate required
2015.03.12 05:42:07 LOG7[0]: TLS state (accept): before SSL initialization
2015.03.12 05:42:07 LOG7[0]: TLS state (accept): SSLv3/TLS read client hello
2015.03.12 05:42:07 LOG7[0]: TLS state (accept): SSLv3/TLS write server hello
2015.03.12 05:42:07 LOG7[0]: TLS state (accept): SSLv3/TLS write certificate
2015.03.12 05:42:07 LOG7[0]: TLS state (accept): SSLv3/TLS write key exchange
2015.03.12 05:42:07 LOG7[0]: TLS state (accept): SSLv3/TLS write certificate request
2015.03.12 05:42:07 LOG7[0]: TLS state (accept): SSLv3/TLS write server done
2015.03.12 05:42:07 LOG7[0]: TLS state (accept): SSLv3/TLS write server done
2015.03.12 05:42:07 LOG7[0]: Verification started at depth=0: O=Example Works, CN=console
2015.03.12 05:42:07 LOG4[0]: CERT: Pre-verification error: certificate is not yet valid
2015.03.12 05:42:07 LOG4[0]: Rejected by CERT at depth=0: O=Example Works, CN=console
2015.03.12 05:42:07 LOG7[0]: TLS alert (write): fatal: bad certificate
2015.03.12 05:42:07 LOG3[0]: SSL_accept: ssl/statem/statem_srvr.c:3530: error:0A000086:SSL routines::certificate verify failed
2015.03.12 05:42:07 LOG5[0]: Connection reset/closed: 0 byte(s) sent to TLS, 0 byte(s) sent to socket
2015.03.12 05:42:07 LOG7[0]: Local descriptor (FD=5) closed
2015.03.12 05:42:07 LOG7[0]: Service [ikvm] finished (0 left)
"""

CLIENT_4 = """
2021.06.17 08:51:26 LOG7[251:1392]: Service [ikvm] accepted (FD=5) from 127.0.0.1:58804
2021.06.17 08:51:26 LOG7[251:1386]: Service [ikvm] started
2021.06.17 08:51:26 LOG5[251:1386]: Service [ikvm] accepted connection from 127.0.0.1:58804
2021.06.17 08:51:26 LOG6[251:1386]: connect_blocking: connecting 192.0.2.7:5900
2021.06.17 08:51:26 LOG5[251:1386]: connect_blocking: connected 192.0.2.7:5900
2021.06.17 08:51:26 LOG5[251:1386]: Service [ikvm] connected remote server from 192.0.2.5:59786
2021.06.17 08:51:26 LOG7[251:1386]: SNI: sending servername: bmc.example.net
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): before/connect initialization
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): SSLv3 write client hello A
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): SSLv3 read server hello A
2021.06.17 08:51:26 LOG7[251:1386]: Starting certificate verification: depth=0, /O=Example Works/CN=bmc
2021.06.17 08:51:26 LOG5[251:1386]: Certificate accepted: depth=0, /O=Example Works/CN=bmc
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): SSLv3 read server certificate A
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): SSLv3 read server certificate request A
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): SSLv3 read server done A
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): SSLv3 write client certificate A
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): SSLv3 write client key exchange A
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): SSLv3 write certificate verify A
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): SSLv3 write change cipher spec A
2021.06.17 08:51:26 LOG7[251:1386]: SSL state (connect): SSLv3 write finished A
2021.06.17 08:51:26 LOG7[251:1386]: SSL alert (read): fatal: bad certificate
2021.06.17 08:51:26 LOG3[251:1386]: SSL_connect: 14094412: error:14094412:SSL routines:SSL3_READ_BYTES:sslv3 alert bad certificate
2021.06.17 08:51:26 LOG5[251:1386]: Connection reset: 0 byte(s) sent to SSL, 0 byte(s) sent to socket
2021.06.17 08:51:26 LOG7[251:1386]: Service [ikvm] finished (0 left)
"""

EARLY = ("failed", "server", "certificate_not_yet_valid", "server")


def at_level(log: str, level: int) -> str:
    """Return what a log of debug level 7 would be at a lower one."""
    return "\n".join(line for line in log.strip().split("\n") if int(line.split("LOG")[1][0]) <= level)


def test_a_server_with_a_wrong_clock_says_so_itself() -> None:
    (one,) = told(SERVER_5)
    assert one.client == Endpoint("192.0.2.5", 40112)
    assert one.server == Endpoint("192.0.2.7", 5900)
    assert alerts(one) == [(42, "server")]
    assert [m.message for m in one.messages] == [
        "client_hello",
        "server_hello",
        "certificate",
        "server_key_exchange",
        "certificate_request",
        "server_hello_done",
    ]
    assert one.certificates.client[0].subject == "CN=console,O=Example Works"
    verdict = one.verdict
    assert verdict is not None
    assert (verdict.outcome, verdict.refused_by, verdict.cause, verdict.at_fault) == EARLY
    assert verdict.confidence >= 0.95
    assert one.clocks.server is not None
    assert one.clocks.server.source == "the server's own log"
    assert any("2015-03-12 05:42:07" in seen.says for seen in verdict.evidence)
    assert verdict.advice[0].startswith("Set the server's clock: by its log it said 2015-03-12")


def test_a_client_knows_the_alert_and_not_the_reason() -> None:
    (one,) = told(CLIENT_4)
    assert one.client == Endpoint("192.0.2.5", 59786)
    assert one.server == Endpoint("192.0.2.7", 5900)
    assert one.server_name == "bmc.example.net"
    assert alerts(one) == [(42, "server")]
    assert one.alerts[0].after == "finished"
    assert one.verdict is not None
    assert (one.verdict.outcome, one.verdict.refused_by) == ("failed", "server")
    causes = [one.verdict.cause, *(other.cause for other in one.verdict.alternatives)]
    assert "certificate_not_yet_valid" in causes[:3]
    assert one.verdict.confidence < 0.9
    assert one.clocks.client is not None


@pytest.mark.parametrize("level", [4, 5, 6, 7])
def test_from_level_4_on_a_server_tells_the_cause(level: int) -> None:
    assert verdicts(at_level(SERVER_5, level)) == [EARLY]


def test_at_level_3_a_server_does_not_say_why() -> None:
    (one,) = told(at_level(SERVER_5, 3))
    assert one.verdict is not None
    assert one.verdict.refused_by == "server"
    assert one.verdict.confidence <= 0.3
    assert "does not say why" in one.verdict.summary
    assert one.alerts == ()  # what OpenSSL probably sent is no alert that was seen


@pytest.mark.parametrize("level", [3, 4, 5, 6, 7])
def test_a_client_tells_the_alert_at_every_level(level: int) -> None:
    (one,) = told(at_level(CLIENT_4, level))
    assert alerts(one) == [(42, "server")]


def test_the_alert_that_openssl_sends_is_known_and_not_seen() -> None:
    (one,) = told(at_level(SERVER_5, 4))
    assert one.alerts == ()
    assert one.verdict is not None
    (known,) = [seen for seen in one.verdict.evidence if "OpenSSL sends" in seen.says]
    assert known.position is None
    assert "bad_certificate(42)" in known.says
    assert "does not say that it did" in known.says


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("CERT: Verification error: certificate has expired", ("failed", "server", "certificate_expired", "client")),
        ("CERT: Pre-verification error: self-signed certificate", ("failed", "server", "unknown_ca", "client")),
        ("CERT: Certificate not found in local repository", ("failed", "server", "certificate_not_pinned", "client")),
        ("CERT: Public keys do not match", ("failed", "server", "certificate_not_pinned", "client")),
        ("VERIFY ERROR: depth=0, error=certificate is not yet valid: /O=Example/CN=console", EARLY),  # 4.2 and before
    ],
)
def test_a_verifiers_words_are_causes(line: str, verdict: tuple[str, str, str, str]) -> None:
    end = "LOG3[1:2]: SSL_accept: 140890B2: error:140890B2:SSL routines:SSL3_GET_CLIENT_CERTIFICATE:no certificate returned"
    assert verdicts(f"LOG4[1:2]: {line}\n{end}") == [verdict]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("SSL_accept: a.c:1: error:0A0000C7:SSL routines::peer did not return a certificate",
         ("failed", "server", "no_client_certificate", "client")),
        ("SSL_accept: 1408A0C1: error:1408A0C1:SSL routines:ssl3_get_client_hello:no shared cipher",
         ("failed", "server", "no_shared_cipher_suite", None)),
        ("SSL_accept: a.c:1: error:0A000102:SSL routines::unsupported protocol",
         ("failed", "server", "no_shared_version", None)),
        ("SSL_accept: a.c:1: error:0A00009C:SSL routines::http request", ("not_tls", None, "not_tls", None)),
        ("SSL_accept: a.c:1: error:0A000418:SSL routines::tlsv1 alert unknown ca",
         ("failed", "client", "unknown_ca", "client")),
        ("SSL_accept: a.c:1: error:0A000126:SSL routines::unexpected eof while reading",
         ("failed", "client", "closed_without_alert", None)),
        ("SSL_accept: Connection reset by peer (104)", ("failed", "client", "reset_without_alert", None)),
    ],
)  # fmt: skip
def test_the_error_of_a_server_names_the_cause(line: str, verdict: tuple[str, str, str, str]) -> None:
    begin = "LOG5[3]: Service [a] accepted connection from 192.0.2.5:1\n"
    assert verdicts(f"{begin}LOG3[3]: {line}") == [verdict]


def test_a_good_handshake_is_established_with_what_was_agreed() -> None:
    (one,) = told(
        """
LOG5[0]: Service [a] accepted connection from 192.0.2.5:1
LOG5[0]: Certificate accepted at depth=0: O=Example, CN=console
LOG6[0]: TLS accepted: new session negotiated
LOG6[0]: TLSv1.2 ciphersuite: ECDHE-RSA-AES256-GCM-SHA384 (256-bit encryption)
LOG5[0]: Connection closed: 12 byte(s) sent to TLS, 0 byte(s) sent to socket
"""
    )
    assert one.verdict is not None
    assert one.verdict.outcome == "established"
    assert (one.tls_version, one.cipher_suite) == ("TLS 1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")


def test_a_refusal_after_the_clients_handshake_is_one_in_tls_1_3() -> None:
    (one,) = told(
        """
LOG6[0]: TLS connected: new session negotiated
LOG6[0]: TLSv1.3 ciphersuite: TLS_AES_256_GCM_SHA384 (256-bit encryption)
LOG3[0]: SSL_read: a.c:1: error:0A000415:SSL routines::sslv3 alert certificate expired
LOG5[0]: Connection closed/reset: 3 byte(s) sent to TLS, 0 byte(s) sent to socket
"""
    )
    assert one.verdict is not None
    assert (one.verdict.outcome, one.verdict.refused_by, one.verdict.cause) == (
        "failed",
        "server",
        "certificate_expired",
    )


def test_an_answer_to_a_close_is_no_refusal() -> None:
    """OpenSSL 3 sends decode_error to a client that went in the middle of the handshake."""
    assert verdicts(
        """
LOG7[0]: TLS state (accept): before SSL initialization
LOG7[0]: TLS alert (write): fatal: decode error
LOG3[0]: SSL_accept: a.c:318: error:0A000126:SSL routines::unexpected eof while reading
"""
    ) == [("failed", "client", "closed_without_alert", None)]


def test_threads_are_used_again() -> None:
    two = told(CLIENT_4 + CLIENT_4)
    assert [one.connection for one in two] == [0, 1]
    assert [alerts(one) for one in two] == [[(42, "server")]] * 2
    low = at_level(CLIENT_4, 3)
    assert len(told(f"{low}\n{low}")) == 2


def test_one_log_may_hold_a_client_and_a_server() -> None:
    both = told(SERVER_5 + CLIENT_4)
    assert [one.account.side for one in both if one.account is not None] == ["server", "client"]


def test_a_missing_client_certificate_shows_in_the_clients_steps() -> None:
    """Asked, and finished without a CertificateVerify: RFC 5246 §7.4.8."""
    lines = [line for line in CLIENT_4.split("\n") if "certificate verify" not in line]
    log = "\n".join(lines).replace("bad certificate", "handshake failure").replace("14094412", "14094410")
    assert verdicts(log) == [("failed", "server", "no_client_certificate", "client")]


def test_a_refusal_is_told_at_once() -> None:
    """Who follows a log as it grows need not wait for the thread's next connection."""
    from tlsalert.sources.server_log import ServerLog

    log = ServerLog("-")
    for number, line in enumerate(at_level(SERVER_5, 4).split("\n"), 1):
        log.line(line.encode(), number)
    assert len(log.take()) == 1


def test_errors_in_a_queue_are_of_one_connection() -> None:
    assert verdicts(
        """
LOG3[0]: error queue: ssl/a.c:1: error:0A000086:SSL routines::certificate verify failed
LOG3[0]: SSL_accept: ssl/a.c:2: error:0A0000C7:SSL routines::peer did not return a certificate
"""
    ) == [("failed", "server", "no_client_certificate", "client")]
