"""Apache's error log, 2.4 and 2.2: clients, and servers behind a proxy. The lines are those of Apache 2.4 and 2.2."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.sources.told import alerts, told, verdicts
from tlsalert.model import Endpoint

INFO = """
[Thu Jun 17 03:22:18.250165 2021] [ssl:info] [pid 281:tid 29] [client 192.0.2.5:47236] AH01964: Connection to child 2 established (server a:443)
[Thu Jun 17 03:22:18.253831 2021] [ssl:info] [pid 281:tid 29] [client 192.0.2.5:47236] AH02276: Certificate Verification: Error (9): certificate is not yet valid [subject: CN=early,O=Example / issuer: CN=Example CA,O=Example / serial: 01A0 / notbefore: Jan  1 00:00:00 2030 GMT / notafter: Jan  1 00:00:00 2035 GMT]
[Thu Jun 17 03:22:18.253926 2021] [ssl:info] [pid 281:tid 29] [client 192.0.2.5:47236] AH02008: SSL library error 1 in handshake (server a:443)
[Thu Jun 17 03:22:18.253938 2021] [ssl:info] [pid 281:tid 29] SSL Library Error: error:0A000086:SSL routines::certificate verify failed
[Thu Jun 17 03:22:18.253943 2021] [ssl:info] [pid 281:tid 29] [client 192.0.2.5:47236] AH01998: Connection closed to child 2 with abortive shutdown (server a:443)
"""


def test_a_certificate_is_shown_with_its_dates() -> None:
    (one,) = told(INFO)
    assert one.client == Endpoint("192.0.2.5", 47236)
    (certificate,) = one.certificates.client
    assert (certificate.subject, certificate.serial) == ("CN=early,O=Example", "1a0")
    assert certificate.not_before == datetime(2030, 1, 1, tzinfo=UTC)
    assert one.verdict is not None
    assert (one.verdict.cause, one.verdict.at_fault) == ("certificate_not_yet_valid", "server")
    assert "the certificate is valid from 2030-01-01" in one.verdict.advice[0]


def test_the_line_of_the_default_level_is_enough() -> None:
    line = (
        "[Thu Jun 17 03:22:18 2021] [ssl:error] [pid 1:tid 2] [client 192.0.2.5:1] AH02039: Certificate Verification: "
    )
    assert verdicts(line + "Error (10): certificate has expired") == [
        ("failed", "server", "certificate_expired", "client")
    ]


def test_version_2_2_numbers_no_lines() -> None:
    assert verdicts(
        """
[Thu Jun 17 03:22:18 2021] [error] [client 192.0.2.5] Certificate Verification: Error (20): unable to get local issuer certificate
"""
    ) == [("failed", "server", "unknown_ca", "client")]


def test_an_error_without_a_client_belongs_to_its_thread() -> None:
    begin = "[Thu Jun 17 03:22:18 2021] [ssl:info] [pid 1:tid {}] [client 192.0.2.5:{}] AH01964: Connection to child 2 established (server a:443)"
    error = "[Thu Jun 17 03:22:18 2021] [ssl:info] [pid 1:tid {}] SSL Library Error: error:0A0004{}:SSL routines::{} (SSL alert number {})"
    one, two = told(
        [
            begin.format(1, 1001),
            begin.format(2, 1002),
            error.format(2, "18", "tlsv1 alert unknown ca", 48),
            error.format(1, "12", "sslv3 alert bad certificate", 42),
        ]
    )
    assert one.client is not None
    assert (one.client.port, alerts(one)) == (1001, [(42, "client")])
    assert alerts(two) == [(48, "client")]


def test_a_proxy_is_the_client_of_what_is_behind_it() -> None:
    (one,) = told(
        "[Thu Jun 17 03:22:18 2021] [ssl:error] [pid 1:tid 2] [remote 192.0.2.9:8443] AH02039: Certificate Verification: "
        "Error (19): self-signed certificate in certificate chain"
    )
    assert one.server == Endpoint("192.0.2.9", 8443)
    assert one.verdict is not None
    assert (one.verdict.refused_by, one.verdict.cause, one.verdict.at_fault) == ("client", "unknown_ca", "client")


def test_http_on_the_port_of_https() -> None:
    assert verdicts(
        "[Thu Jun 17 03:22:18 2021] [ssl:info] [pid 1:tid 2] [client 192.0.2.5:1] AH01996: SSL handshake failed: HTTP spoken "
        "on HTTPS port; trying to send HTML error page"
    ) == [("not_tls", None, "not_tls", None)]


def test_other_lines_of_apache_tell_nothing() -> None:
    assert told("[Thu Jun 17 03:22:18 2021] [core:notice] [pid 1:tid 2] AH00094: Command line: 'apache2 -D SSL'") == []
