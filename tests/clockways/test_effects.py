"""What a skew does to certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tlsalert.clockways.effects import Effect, effects, state
from tlsalert.clockways.reading import SECOND, Reading
from tlsalert.model import EPOCH, Certificate, when

TODAY = datetime(2021, 6, 17, 8, 51, tzinfo=UTC)
IPMI = Certificate(
    b"",
    "",
    subject="CN=IPMI",
    not_before=datetime(2016, 5, 19, tzinfo=UTC),
    not_after=datetime(2026, 5, 17, tzinfo=UTC),
)


def ns(moment: datetime) -> int:
    return int((moment - EPOCH).total_seconds()) * SECOND


def at(clock: datetime, now: datetime = TODAY, certificate: Certificate = IPMI, error: float = 0.3) -> Effect:
    return effects([("client.crt", [certificate])], Reading("random", "", ns(clock), ns(now), error), ns(now))[0]


def test_the_founding_case() -> None:
    told = at(datetime(2015, 3, 12, tzinfo=UTC))
    assert (told.ours, told.theirs) == ("valid", "not_yet_valid")
    assert told.takes_from is not None
    assert told.takes_from.year == 2022
    assert told.says == (
        "not valid yet by the device's clock, valid by ours: as its clock runs, the device takes it from 2022-08-25 on"
        " (our time); with the clock set right at once, until 2026-05-17"
    )


@pytest.mark.parametrize(
    ("clock", "now", "says"),
    [
        (TODAY, TODAY, "valid by both clocks: the device takes it until 2026-05-17 (our time)"),
        (
            datetime(2027, 1, 1, tzinfo=UTC),
            TODAY,
            "expired by the device's clock, valid by ours: since 2020-10-31 (our time) the device refuses it; set its"
            " clock right, and it takes it",
        ),
        (
            datetime(2020, 1, 1, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
            "valid by the device's clock, expired by ours: the device takes it until 2033-05-17 (our time); set its"
            " clock right, and it refuses it at once",
        ),
        (
            datetime(2020, 6, 17, 8, 51, tzinfo=UTC),
            TODAY,
            "valid by both clocks: the device takes it until 2027-05-17 (our time), 365 days too late",
        ),
        (
            datetime(2010, 1, 1, tzinfo=UTC),
            datetime(2012, 1, 1, tzinfo=UTC),
            "not valid yet by both clocks: as its clock runs, the device takes it from 2018-05-19 on (our time)",
        ),
        (
            datetime(2030, 1, 1, tzinfo=UTC),
            datetime(2030, 1, 1, tzinfo=UTC),
            "expired by both clocks: since 2026-05-17 (our time) the device refuses it",
        ),
    ],
)
def test_what_becomes_of_it(clock: datetime, now: datetime, says: str) -> None:
    assert at(clock, now).says == says


def test_a_change_within_the_error_bar_is_told() -> None:
    assert at(datetime(2016, 5, 18, 23, 59, 59, tzinfo=UTC), error=2).says.endswith("within the error bar")


def test_without_a_clock_of_the_device_ours_is_all_that_is_known() -> None:
    told = effects([("client.crt", [IPMI])], None, ns(TODAY))[0]
    assert (told.ours, told.theirs, told.takes_from) == ("valid", None, None)
    assert told.says == "valid by our clock; the device's is not known"


def test_dates_that_cannot_be_read_are_told() -> None:
    told = at(TODAY, certificate=structs.replace(IPMI, not_after=None))
    assert (told.ours, told.theirs) == ("unknown", None)
    assert "cannot be read" in told.says


def test_as_json() -> None:
    assert at(TODAY).as_json() == {
        "where": "client.crt",
        "subject": "CN=IPMI",
        "not_before": "2016-05-19T00:00:00Z",
        "not_after": "2026-05-17T00:00:00Z",
        "by_our_clock": "valid",
        "by_device_clock": "valid",
        "device_takes_from": "2016-05-19T00:00:00Z",
        "device_takes_until": "2026-05-17T00:00:00Z",
        "says": "valid by both clocks: the device takes it until 2026-05-17 (our time)",
    }


def test_both_ends_of_a_validity_are_within_it() -> None:
    assert IPMI.not_before is not None
    assert IPMI.not_after is not None
    second = timedelta(seconds=1)
    assert [state(IPMI, time) for time in (IPMI.not_before - second, IPMI.not_before)] == ["not_yet_valid", "valid"]
    assert [state(IPMI, time) for time in (IPMI.not_after, IPMI.not_after + second)] == ["valid", "expired"]


@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_by_our_clock_it_changes_when_theirs_passes_the_end(clock: int, now: int) -> None:
    told = at(when(clock * SECOND), when(now * SECOND))
    assert told.theirs == state(IPMI, when(clock * SECOND))
    assert told.takes_from is not None
    assert told.takes_until is not None
    inside = told.takes_from <= when(now * SECOND) <= told.takes_until
    assert inside == (told.theirs == "valid")


def test_times_beyond_the_calendar_are_no_trouble() -> None:
    forever = structs.replace(IPMI, not_after=datetime.max.replace(tzinfo=UTC))
    assert at(EPOCH, certificate=forever).takes_until is not None
