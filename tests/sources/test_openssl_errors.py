"""OpenSSL's error lines, of all its releases."""

from __future__ import annotations

import pytest

from tlsalert.sources.openssl_errors import openssl_error


@pytest.mark.parametrize(
    ("line", "reason", "alert"),
    [
        (b"1:error:14094412:SSL routines:SSL3_READ_BYTES:sslv3 alert bad cert:s.c:1:SSL alert number 42", 1042, 42),
        (b"4046AA7F:error:0A000415:SSL routines:ssl3_read_bytes:x:../ssl/r.c:1602:SSL alert number 45", 1045, 45),
        (b"error:0A000418:SSL routines::tlsv1 alert unknown ca", 1048, 48),
        (b"140:error:1417C086:SSL routines:f:certificate verify failed:s.c:3701:", 134, None),
        (b"4076:error:0A0000C7:SSL routines:f:peer did not return a certificate:s.c:35:", 199, None),
    ],
)  # fmt: skip
def test_reasons_and_alerts(line: bytes, reason: int, alert: int | None) -> None:
    error = openssl_error(line)
    assert error is not None
    assert (error.reason, error.alert) == (reason, alert)


@pytest.mark.parametrize("line", [b"", b"error", b"1:error:0200100D:system library:fopen:Permission denied:b.c:1:"])
def test_errors_of_other_libraries_say_nothing_of_tls(line: bytes) -> None:
    assert openssl_error(line) is None
