"""Alerts are named as the RFCs name them."""

import pytest

from tlsalert.registry.alerts import AlertDescription, AlertLevel


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param(0, "close_notify(0)", id="RFC 8446 §6.1"),
        pytest.param(40, "handshake_failure(40)", id="RFC 8446 §6.2"),
        pytest.param(41, "no_certificate(41)", id="RFC 6101 §5.4.2"),
        pytest.param(42, "bad_certificate(42)", id="the case that started it"),
        pytest.param(48, "unknown_ca(48)", id="RFC 5246 §7.2"),
        pytest.param(52, "too_many_cids_requested(52)", id="RFC 9147 §9"),
        pytest.param(86, "inappropriate_fallback(86)", id="RFC 7507 §2"),
        pytest.param(116, "certificate_required(116)", id="TLS 1.3 only"),
        pytest.param(117, "general_error(117)", id="RFC 9846 §6.2"),
        pytest.param(120, "no_application_protocol(120)", id="RFC 7301 §3.2"),
        pytest.param(121, "ech_required(121)", id="RFC 9849 §5"),
        pytest.param(255, "unlisted(255)", id="unlisted code survives"),
    ],
)
def test_an_alert_is_told_by_name_and_number(code: int, told: str) -> None:
    assert str(AlertDescription(code)) == told


def test_there_are_two_levels() -> None:
    assert [str(level) for level in AlertLevel] == ["warning(1)", "fatal(2)"]
    assert str(AlertLevel(0)) == "unlisted(0)"


def test_every_alert_is_one_byte() -> None:
    assert all(0 <= alert <= 0xFF for alert in AlertDescription)
