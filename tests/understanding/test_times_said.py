"""The times that a program tells when it refuses a certificate for its dates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.understanding.line import understand
from tlsalert.understanding.times_said import times_said

GO = "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time "
RUSTLS = "invalid peer certificate: certificate "


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param(
            GO + "2015-03-12T05:41:50Z is before 2016-05-19T00:00:00Z",
            "Its clock says 2015-03-12 05:41:50 UTC; the certificate is valid from 2016-05-19 00:00:00.",
            id="Go, not yet valid",
        ),
        pytest.param(
            GO + "2026-11-25T10:00:00+01:00 is after 2026-05-17T23:59:59Z",
            "Its clock says 2026-11-25 09:00:00 UTC; the certificate was valid until 2026-05-17 23:59:59.",
            id="Go in another time zone, expired",
        ),
        pytest.param(
            RUSTLS + "not valid yet: verification time 1426138910 (UNIX), but certificate is not valid before "
            "1463616000 (37477090 seconds in future)",
            "Its clock says 2015-03-12 05:41:50 UTC; the certificate is valid from 2016-05-19 00:00:00.",
            id="rustls, not yet valid",
        ),
        pytest.param(
            RUSTLS + "expired: verification time 1795600000 (UNIX), but certificate is not valid after 1779062399 "
            "(16537601 seconds ago)",
            "Its clock says 2026-11-25 09:46:40 UTC; the certificate was valid until 2026-05-17 23:59:59.",
            id="rustls, expired",
        ),
    ],
)
def test_both_times_are_told_with_the_cause(line: str, says: str) -> None:
    assert times_said(line.lower()) == says
    (one,) = understand(line, asked=True)
    assert one.cause == ("certificate_not_yet_valid" if "valid from" in says else "certificate_expired")
    assert one.meaning.endswith(says)


@pytest.mark.parametrize("line", [GO + "9999-99-99T99:99:99Z is before 2016-05-19T00:00:00Z", GO + "soon", ""])
def test_what_is_no_time_is_not_told(line: str) -> None:
    assert not times_said(line.lower())


@given(st.integers(0, 10**12 - 1), st.integers(0, 10**12 - 1))
def test_any_number_is_a_time_or_nothing(clock: int, limit: int) -> None:
    said = times_said(f"verification time {clock} (unix), but certificate is not valid before {limit}")
    assert not said or said.startswith("Its clock says ")
