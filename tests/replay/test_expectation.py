"""What an answer should be."""

from __future__ import annotations

import re

import pytest

from tests.replay.fake_device import ACCEPTED, GONE, LOST, alert
from tlsalert.replay.expectation import called_for, expectation
from tlsalert.replay.outcome import Outcome, Refused, Silent
from tlsalert.replay.result import row_of

IN_HTTP = Refused("server", "established", says="HTTP 400")


@pytest.mark.parametrize(
    ("said", "met", "unmet"),
    [
        ("accepted", [ACCEPTED], [alert(45), LOST, IN_HTTP, GONE]),
        ("refused", [alert(45), LOST, IN_HTTP], [ACCEPTED, GONE, Silent(1, "client_hello")]),
        ("closed", [LOST], [alert(45), ACCEPTED]),
        ("silent", [Silent(1, "client_hello")], [alert(45)]),
        (45, [alert(45)], [alert(48), alert(45, "client"), LOST]),
        ("certificate_expired", [alert(45)], [alert(48)]),
        ("certificate_expired (45)", [alert(45)], [alert(48)]),
        (["certificate_expired", 42, "accepted"], [alert(45), alert(42), ACCEPTED], [alert(48)]),
        (200, [alert(200)], [alert(48)]),
    ],
    ids=str,
)
def test_an_expectation_is_met_or_not(said: object, met: list[Outcome], unmet: list[Outcome]) -> None:
    expected = expectation(said)
    assert all(expected.met_by(row_of("v", "TLS 1.2", outcome)) for outcome in met)
    assert not any(expected.met_by(row_of("v", "TLS 1.2", outcome)) for outcome in unmet)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("certificate_expird", "which is no alert; did you mean 'certificate_expired'?"),
        ("acepted", "did you mean 'accepted'?"),
        ("certificate_expired (48)", "but certificate_expired is 45"),
        (256, "alerts are numbers from 0 to 255"),
        (True, "is True, neither a word nor an alert"),
        (4.5, "is 4.5, neither a word nor an alert"),
        ([], "is an empty list"),
        (None, "is None"),
    ],
)
def test_what_is_no_expectation_is_told(said: object, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        expectation(said)


def test_it_is_told_in_words_and_in_short() -> None:
    several = expectation([48, "accepted", "certificate_expired"])
    assert (str(several), several.short) == ("accepted or certificate_expired (45) or unknown_ca (48)", "ok/45/48")


def test_the_rfcs_call_for_an_alert_or_for_acceptance() -> None:
    assert called_for(None) == expectation("accepted")
    assert called_for("certificate_expired") == expectation(45)
