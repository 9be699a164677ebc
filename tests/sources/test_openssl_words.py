"""OpenSSL's words: packed numbers of all ages, alerts, reasons, steps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.sources.openssl_words import alert_named, library_errors, step


@pytest.mark.parametrize(
    ("line", "code", "reason", "alert"),
    [
        pytest.param(
            "error:14094412:SSL routines:SSL3_READ_BYTES:sslv3 alert bad certificate",
            "14094412",
            "sslv3 alert bad certificate",
            42,
            id="1.0",
        ),
        pytest.param(
            "rec_layer_s3.c:1602: error:0A000418:SSL routines::tlsv1 alert unknown ca",
            "0A000418",
            "tlsv1 alert unknown ca",
            48,
            id="3.0",
        ),
        pytest.param("error:0A00045C:SSL routines::reason(1116)", "0A00045C", "reason(1116)", 116, id="no words"),
        pytest.param(
            "(SSL: error:0A000102:SSL routines::unsupported protocol) while SSL handshaking, client",
            "0A000102",
            "unsupported protocol",
            None,
            id="nginx",
        ),
        pytest.param(
            "error:0A0000C7:SSL routines::peer did not return a certificate -- No CAs known to server?",
            "0A0000C7",
            "peer did not return a certificate",
            None,
            id="Apache",
        ),
        pytest.param(
            "error:0A0000C7:SSL routines::peer did not return a certificate 0 0 TLSv1.2 (NONE)",
            "0A0000C7",
            "peer did not return a certificate",
            None,
            id="HAProxy",
        ),
        pytest.param(
            "error:0909006C:PEM routines:get_name:no start line", "0909006C", "no start line", None, id="not of TLS"
        ),
    ],
)
def test_an_error_is_read(line: str, code: str, reason: str, alert: int | None) -> None:
    (error,) = library_errors(line)
    assert (error.code, error.reason, error.alert) == (code, reason, alert)


def test_the_number_behind_says_which_alert() -> None:
    (error,) = library_errors("error:0A000FFF:SSL routines::something new:ssl.c:1:SSL alert number 116")
    assert error.alert == 116


@pytest.mark.parametrize(
    ("words", "number"),
    [("bad certificate", 42), ("unknown CA", 48), ("close notify", 0), ("unexpected_message", 10), ("nonsense", None)],
)
def test_an_alert_is_named(words: str, number: int | None) -> None:
    assert alert_named(words) == number


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SSLv3 write client hello A", ("write", "client", "client_hello")),
        ("SSLv2/v3 write client hello A", ("write", "client", "client_hello")),
        ("SSLv3/TLS read server certificate", ("read", "server", "certificate")),
        ("SSLv3/TLS write certificate", ("write", None, "certificate")),
        ("TLSv1.3 read server certificate verify", ("read", "server", "certificate_verify")),
        ("SSLv3 flush data", None),
        ("before SSL initialization", None),
    ],
)
def test_a_step_is_a_message(text: str, found: tuple[str, str | None, str] | None) -> None:
    assert step(text) == found


@given(st.text(max_size=80))
def test_any_text_has_errors_or_none(text: str) -> None:
    assert library_errors("error:0A000412:" + text) is not None
    assert library_errors(text + "error:14094412:a:b:" + text) is not None
