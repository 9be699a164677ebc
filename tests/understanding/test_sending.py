"""Which alert follows from a fault that a program found."""

import pytest

from tlsalert.understanding.sending import sent_for


@pytest.mark.parametrize(
    ("stack", "cause", "side", "alerts"),
    [
        ("openssl>=1.1.1", "certificate_not_yet_valid", "server", (42,)),
        ("openssl>=1.1.1", "no_client_certificate", None, (40, 116)),
        ("openssl>=1.1.1", "no_shared_version", "server", (70,)),
        ("java", "unknown_ca", "client", (46,)),
        ("gnutls", "no_client_certificate", "server", (50, 116)),
        ("openssl>=1.1.1", "closed_without_alert", None, ()),
        ("node", "certificate_expired", "server", ()),
        (None, "unknown_ca", None, ()),
        ("nss", None, None, ()),
        ("unheard-of", "no_application_protocol", None, (120,)),
    ],
)
def test_the_alert_is_the_habit_of_the_stack(
    stack: str | None, cause: str | None, side: None, alerts: tuple[int, ...]
) -> None:
    assert sent_for(stack, cause, side) == alerts
