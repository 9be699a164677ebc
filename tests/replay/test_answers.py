"""Outcomes as answers: what a device says of a certificate, and nothing where it never came to that."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tlsalert.diagnosis.tried import Tried
from tlsalert.model import Alert, Position
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.replay.answers import answer_of, tried
from tlsalert.replay.outcome import Accepted, Closed, NotTried, Outcome, Refused, Silent, Unreachable


def alert(code: int | None) -> Alert:
    description = None if code is None else AlertDescription(code)
    return Alert(None if code is None else AlertLevel(2), description, "server", Position(), None)


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Accepted("finished"), "ok"),
        (Refused("server", "client_certificate", alert(42)), "42"),
        (Refused("server", "established", alert(116)), "116"),
        (Refused("server", "client_certificate", alert(None)), "unread"),
        (Refused("server", "established", None, "HTTP/1.1 400 Bad Request"), "400"),
        (Closed("fin", "client_certificate"), "fin"),
        (Closed("rst", "client_certificate"), "rst"),
        (Closed("rst", "client_certificate", alert_lost=True), "lost"),
        (Silent(5.0, "client_certificate"), "silent"),
    ],
)
def test_what_the_device_answered(outcome: Outcome, answer: str) -> None:
    assert answer_of(outcome) == answer


@pytest.mark.parametrize(
    "outcome",
    [
        Refused("server", "client_hello", alert(40)),
        Refused("client", "client_certificate", alert(48)),
        Closed("rst", "server_hello"),
        Silent(5.0, "starttls"),
        Unreachable("connection refused"),
        NotTried("no CA key"),
    ],
    ids=str,
)
def test_what_ends_before_the_certificate_is_no_answer_to_it(outcome: Outcome) -> None:
    assert answer_of(outcome) is None
    assert tried("good", "TLS 1.2", outcome) is None


def test_a_trial_keeps_its_place_and_dates() -> None:
    dates = (datetime(2016, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
    row = tried("expired", "TLS 1.3", Accepted("new_session_ticket"), 1, 2, dates)
    assert row == Tried("expired", "TLS 1.3", "ok", 1, 2, *dates)
