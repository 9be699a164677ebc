"""Single error lines of any program, as the last resort."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.told import alerts, told
from tlsalert.sources.error_lines import SIGN, alert_in
from tlsalert.sources.log import LAST


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("139633429526200:error:14094412:SSL routines:SSL3_READ_BYTES:sslv3 alert bad certificate:s3_pkt.c:1256:SSL alert number 42", 42),
        ("curl: (35) OpenSSL/3.0.22: error:0A000418:SSL routines::tlsv1 alert unknown ca", 48),
        ("ssl.SSLError: [SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] sslv3 alert certificate expired (_ssl.c:992)", 45),
        ("  code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'", 116),
        ("remote error: tls: bad certificate", 42),
        ("remote error: tls: unknown certificate authority", 48),
        ("2021/06/17 08:50:31 http: TLS handshake error from 192.0.2.5:1: remote error: tls: expired certificate", 45),
        ("javax.net.ssl.SSLHandshakeException: Received fatal alert: handshake_failure", 40),
        ("*** Received alert [42]: Certificate is bad", 42),
        ("* NSS error -12271 (SSL_ERROR_BAD_CERT_ALERT)", 42),
        ("alert history: last_rx code 42 level 2", 42),
        ("ssl_msg.c:4567: |2| 0x7f: got an alert message, type: [2:42]", 42),
        ("* TLSv1.2 (IN), TLS alert, bad certificate (554):", 42),
        ("received fatal alert: BadCertificate", 42),
        ("the alert level of the river is 48", None),
        ("SSL alert number 999", None),
        ("Successfully sent 1 certificate(s) to server.", None),
    ],
)  # fmt: skip
def test_a_line_tells_of_an_alert(line: str, number: int | None) -> None:
    said = alert_in(line)
    assert (None if said is None else int(said.description)) == number
    if number is not None:
        assert SIGN.search(line.encode())
        assert LAST.sign.search(line.encode())


@pytest.mark.parametrize(
    ("line", "sender"),
    [
        ("s_server: error:14094412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate", "client"),
        ("curl: (35) error:14094412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate", "server"),
        ("http: TLS handshake error from 192.0.2.5:1: remote error: tls: bad certificate", "client"),
    ],
)
def test_the_sender_is_the_other_side(line: str, sender: str) -> None:
    (one,) = told(line)
    assert alerts(one) == [(42, sender)]


def test_where_nothing_tells_the_side_it_is_taken_for_the_clients_and_says_so() -> None:
    (one,) = told("error:14094412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate")
    assert alerts(one) == [(42, "server")]
    assert any("taken for the client's" in note for note in one.notes)
    assert one.verdict is not None
    assert one.verdict.confidence <= 0.85


def test_lines_that_word_one_alert_differently_are_one_connection() -> None:
    node = """
[Error: 80110F2C9A7F0000:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:a.c:1:SSL alert number 40
  reason: 'sslv3 alert handshake failure',
  code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'
"""
    assert len(told(node)) == 1
    assert len(told(node + node)) == 2


@given(st.text(max_size=120))
def test_any_line_tells_of_an_alert_or_not(line: str) -> None:
    for text in (line, "remote error: tls: " + line, "SSL alert number " + line, "TLSV1_ALERT_" + line):
        said = alert_in(text)
        assert said is None or 0 <= int(said.description) <= 255


@pytest.mark.parametrize(
    ("line", "refuser", "cause"),
    [
        (
            "handshake: tls: failed to verify client certificate: x509: certificate has expired or is not yet valid: "
            "current time 2015-03-12T05:41:10Z is before 2016-05-19T09:46:36Z",
            "server",
            "certificate_not_yet_valid",
        ),
        (
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: "
            "current time 2030-01-01T00:00:00Z is after 2026-05-17T09:46:36Z",
            "client",
            "certificate_expired",
        ),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "client", "unknown_ca"),
    ],
)
def test_what_go_says_of_a_certificate_is_its_own_objection(line: str, refuser: str, cause: str) -> None:
    (one,) = told(line)
    assert alerts(one) == []
    assert one.verdict is not None
    assert (one.verdict.refused_by, one.verdict.cause) == (refuser, cause)
    assert SIGN.search(line.encode())
    assert LAST.sign.search(line.encode())


@pytest.mark.parametrize(
    ("line", "refuser", "cause"),
    [
        pytest.param("Error in handshake: Certificate is required.", "server", "no_client_certificate", id="none sent"),
        pytest.param("Error in handshake: Error in the certificate.", "server", None, id="gnutls-serv gives no reason"),
        pytest.param("  code: 'DEPTH_ZERO_SELF_SIGNED_CERT'", "client", "unknown_ca", id="Node, self-signed"),
        pytest.param("  code: 'CERT_HAS_EXPIRED'", "client", "certificate_expired", id="Node, expired"),
        pytest.param("  code: 'CERT_NOT_YET_VALID'", "client", "certificate_not_yet_valid", id="Node, not yet valid"),
        pytest.param("  code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'", "client", "chain_incomplete", id="Node, incomplete"),
        pytest.param("  code: 'ERR_TLS_CERT_ALTNAME_INVALID'", "client", "name_mismatch", id="Node, name"),
    ],
)
def test_what_gnutls_serv_and_node_say_is_their_own_objection(line: str, refuser: str, cause: str | None) -> None:
    (one,) = told(line)
    assert alerts(one) == []
    assert one.verdict is not None
    assert one.verdict.refused_by == refuser
    if cause is not None:
        assert one.verdict.cause == cause
    assert SIGN.search(line.encode())
    assert LAST.sign.search(line.encode())


@pytest.mark.parametrize("line", ["  code: 'ECONNRESET'", "  code: 'CERT_OF_NOBODY'", "  code: 'ERR_INVALID_ARG_TYPE'"])
def test_other_errors_of_node_tell_of_no_handshake(line: str) -> None:
    assert told(line) == []


def test_a_row_of_a_table_about_alerts_is_no_evidence() -> None:
    assert told("| alert-lost.pcap | the server's `unknown_ca` (48) | SSL alert number 48 |") == []
    (one,) = told("|<1>| SSL alert number 48")
    assert alerts(one) == [(48, "server")]
