"""Limits, and words for what went wrong."""

from __future__ import annotations

import pytest

from tlsalert.clockways.manners import Login, Manners, port_said, why


def test_a_password_stays_out_of_a_logins_text() -> None:
    assert "secret" not in repr(Login("ADMIN", "secret"))


def test_the_handshakes_keep_to_the_same_timeout() -> None:
    limits = Manners(timeout=2).limits
    assert (limits.connect, limits.read, limits.total) == (2, 2, 6)


@pytest.mark.parametrize(("host", "said"), [("bmc", "bmc:80"), ("2001:db8::7", "[2001:db8::7]:80")])
def test_an_address_is_written_as_in_urls(host: str, said: str) -> None:
    assert port_said(host, 80) == said


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (TimeoutError(), "no answer in time"),
        (ConnectionRefusedError(), "nothing listens there"),
        (UnicodeError("label too long"), "the name of the host is none"),
        (OSError(113, "No route to host"), "no route to host"),
    ],
)
def test_why_there_is_no_connection(error: OSError | ValueError, says: str) -> None:
    assert why(error) == says
