"""How a device's clock is told, and what the trials answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tlsalert.diagnosis.device_look import DeviceClock, against_ours, distance

DAY = 86_400
YEAR = 365.25 * DAY


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-11.7 * YEAR, "11 years and 8 months"),
        (11.97 * YEAR, "12 years"),
        (YEAR, "1 year"),
        (13 / 12 * YEAR, "1 year and 1 month"),
        (300 * DAY, "300 days"),
        (2 * 3600, "2 hours"),
    ],
)
def test_years_are_told_with_their_months(seconds: float, told: str) -> None:
    assert distance(seconds) == told


def test_a_clock_is_ahead_behind_or_in_step() -> None:
    assert against_ours(-3 * DAY) == "3 days behind ours"
    assert against_ours(2 * YEAR) == "2 years ahead of ours"
    assert against_ours(1.5) == "in step with ours"


def test_a_clock_is_told_as_far_as_it_is_known() -> None:
    early, late = datetime(2015, 1, 1, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC)
    known = (DeviceClock(early, late), DeviceClock(early), DeviceClock(latest=late), DeviceClock())
    assert [str(one) for one in known] == [
        "between 2015-01-01 and 2016-01-01", "after 2015-01-01", "before 2016-01-01", "not known"
    ]  # fmt: skip
    assert [one.known for one in known] == [True, True, True, False]
