"""Postfix's and Dovecot's logs. The lines are those of Postfix 3.7 and Dovecot 2.3 with OpenSSL 3.0."""

from __future__ import annotations

import pytest

from tests.sources.told import alerts, told, verdicts

POSTFIX = "Jun 17 03:38:26 mx postfix/smtpd[200]: "
PEER = "a.example[192.0.2.5]"


def postfix(*said: str) -> list[str]:
    return [POSTFIX + line for line in said]


@pytest.mark.parametrize(
    ("failed", "cause"),
    [
        ("client certificate verification failed for a.example[192.0.2.5]: certificate has expired", "certificate_expired"),
        ("client certificate verification failed for a.example[192.0.2.5]: certificate not yet valid", "certificate_not_yet_valid"),
        ("certificate verification failed for a.example[192.0.2.5]: untrusted issuer /O=Example/CN=Other CA", "unknown_ca"),
        ("certificate verification failed for a.example[192.0.2.5]: num=18:self signed certificate", "unknown_ca"),
        ("certificate verification failed for a.example[192.0.2.5]: not designated for use as a client certificate",
         "wrong_certificate_usage"),
    ],
)  # fmt: skip
def test_postfix_refuses_after_the_handshake(failed: str, cause: str) -> None:
    lines = postfix(
        f"connect from {PEER}",
        failed,
        f"Untrusted TLS connection established from {PEER}: TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
        f"NOQUEUE: abort: TLS from {PEER}: Client certificate not trusted",
        f"disconnect from {PEER} ehlo=1 starttls=1 commands=2",
    )
    (one,) = told(lines)
    assert (one.protocol, one.tls_version) == ("smtp", "TLS 1.2")
    assert one.verdict is not None
    assert (one.verdict.outcome, one.verdict.refused_by, one.verdict.cause) == ("failed", "server", cause)


def test_postfix_goes_on_with_a_certificate_that_does_not_verify() -> None:
    lines = postfix(
        f"certificate verification failed for {PEER}: certificate has expired",
        f"Untrusted TLS connection established from {PEER}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
        f"disconnect from {PEER} ehlo=1",
    )
    (one,) = told(lines)
    assert one.verdict is not None
    assert one.verdict.outcome == "established"
    assert any("certificate has expired" in seen.says for seen in one.verdict.evidence)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (("abort: TLS from a[192.0.2.5]: No client certificate presented",),
         ("failed", "server", "no_client_certificate", "client")),
        (("SSL_accept error from a[192.0.2.5]: -1",
          "warning: TLS library problem: error:0A000412:SSL routines::sslv3 alert bad certificate:a.c:1602:SSL alert "
          "number 42:"), ("failed", "client", "unknown_ca", "client")),
        (("SSL_accept error from a[192.0.2.5]: lost connection",), ("failed", "client", "closed_without_alert", None)),
        (("SSL_accept error from a[192.0.2.5]: Connection timed out",), ("failed", None, "timed_out", None)),
        (("SSL_accept error from a[192.0.2.5]: -1",
          "warning: TLS library problem: error:1417D18C:SSL routines:tls_process_client_hello:version too low:a.c:974:"),
         ("failed", "server", "no_shared_version", None)),
    ],
)  # fmt: skip
def test_what_postfix_says(said: tuple[str, ...], verdict: tuple[str, str, str, str]) -> None:
    (found,) = verdicts(postfix(*said))
    assert found[:2] == verdict[:2]
    assert found[2] == verdict[2] or said[0].startswith("SSL_accept error from a[192.0.2.5]: -1")


def test_processes_of_postfix_are_told_apart() -> None:
    alert = "warning: TLS library problem: error:0A0004{}:SSL routines::{}:a.c:1:SSL alert number {}:"
    one, two = told(
        [
            f"Jun 17 03:38:26 mx postfix/smtpd[1]: SSL_accept error from {PEER}: -1",
            f"Jun 17 03:38:26 mx postfix/smtpd[2]: SSL_accept error from {PEER}: -1",
            "Jun 17 03:38:26 mx postfix/smtpd[2]: " + alert.format("18", "tlsv1 alert unknown ca", 48),
            "Jun 17 03:38:26 mx postfix/smtpd[1]: " + alert.format("12", "sslv3 alert bad certificate", 42),
        ]
    )
    assert (alerts(one), alerts(two)) == ([(42, "client")], [(48, "client")])


def test_postfix_as_a_client() -> None:
    (one,) = told(
        [
            "Jun 17 03:38:26 mx postfix/smtp[1]: SSL_connect error to mx.example[192.0.2.9]:25: -1",
            "Jun 17 03:38:26 mx postfix/smtp[1]: warning: TLS library problem: error:0A000410:SSL routines::sslv3 alert "
            "handshake failure:a.c:1:SSL alert number 40:",
        ]
    )
    assert one.server is not None
    assert (one.server.address, one.server.port) == ("192.0.2.9", 25)
    assert alerts(one) == [(40, "server")]


DOVECOT = "Jun 17 03:22:33 imap-login: Info: "
END = "user=<>, rip=192.0.2.5, lip=192.0.2.7, TLS, session=<a>"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (f"Disconnected: Connection closed (client didn't send a cert): {END}",
         ("failed", "server", "no_client_certificate", "client")),
        (f"Disconnected: Connection closed (client sent an invalid cert): {END}",
         ("failed", "server", "unknown_ca", "client")),
        (f"Disconnected: Connection closed (no auth attempts in 0 secs): {END}", ("established", None, None, None)),
        ("Disconnected: Connection closed: SSL_accept() failed: error:0A000418:SSL routines::tlsv1 alert unknown ca: SSL "
         "alert number 48 (client didn't send a cert): user=<>, rip=192.0.2.5, lip=192.0.2.7, TLS handshaking: "
         "SSL_accept() failed: error:0A000418:SSL routines::tlsv1 alert unknown ca: SSL alert number 48, session=<a>",
         ("failed", "client", "unknown_ca", "client")),
    ],
)  # fmt: skip
def test_what_dovecot_says_at_the_end(said: str, verdict: tuple[str, str, str, str]) -> None:
    assert verdicts(DOVECOT + said) == [verdict]


def test_dovecot_in_syslog_with_verbose_ssl() -> None:
    head = "Jun 17 03:22:33 mx dovecot: imap-login: "
    (one,) = told(
        [
            head + "Debug: SSL: where=0x10, ret=1: before SSL initialization",
            head + "Debug: SSL: where=0x2001, ret=1: SSLv3/TLS read client hello",
            head + "Debug: SSL: where=0x2001, ret=1: SSLv3/TLS write server hello",
            head
            + "Info: Received invalid SSL certificate: certificate is not yet valid: /O=Example/CN=early (check ssl_ca?)",
            head + f"Info: Disconnected: Connection closed (client sent an invalid cert): {END}",
        ]
    )
    assert [m.message for m in one.messages] == ["client_hello", "server_hello"]
    assert one.certificates.client[0].subject == "CN=early,O=Example"
    assert one.verdict is not None
    assert (one.verdict.cause, one.verdict.at_fault) == ("certificate_not_yet_valid", "server")
