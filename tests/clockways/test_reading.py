"""Samples of a clock, and the error bar that they come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.clockways.reading import (
    SECOND,
    Reading,
    Sample,
    judged,
    largest_agreement,
    not_asked,
    stands_still,
    together,
    unreached,
)

START = 1_700_000_000 * SECOND


def said(skew: float, at: float, trip: float = 0.01, within: float = 0.5) -> Sample:
    """What a clock in whole seconds says to a question of ours ``at`` seconds after the start."""
    sent = START + round(at * SECOND)
    moment = sent + round(trip * within * SECOND)
    return Sample((moment + round(skew * SECOND)) // SECOND * SECOND, sent, sent + round(trip * SECOND))


def test_one_sample_bounds_the_skew_by_the_round_trip_and_the_second_that_it_left_out() -> None:
    sample = Sample(1000 * SECOND, 1000 * SECOND, 1000 * SECOND + SECOND // 2)
    assert (sample.low, sample.high) == (-0.5, 1.0)


@given(
    skew=st.floats(-2e9, 2e9),
    trips=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6),
)
def test_the_true_skew_is_within_the_error_bar(skew: float, trips: list[tuple[float, float, float]]) -> None:
    at = 0.0
    samples = []
    for trip, within, pause in trips:
        samples.append(said(skew, at, trip, within))
        at += trip + pause
    bounds = together(samples)
    assert bounds is not None
    assert bounds[0] - 1e-5 <= skew <= bounds[1] + 1e-5


def test_samples_at_other_parts_of_a_second_bound_it_closer() -> None:
    one = judged("http", [said(7.3, 0)], "Date")
    many = judged("http", [said(7.3, 0.73 * number) for number in range(4)], "Date")
    assert one.error_seconds == pytest.approx(0.505, abs=0.01)
    assert many.error_seconds is not None
    assert many.error_seconds < 0.25
    assert many.skew_seconds == pytest.approx(7.3, abs=many.error_seconds)
    assert many.says == "4 answers agree"


def test_a_server_that_keeps_its_date_for_a_second_is_believed_with_a_wider_bar() -> None:
    fresh, late = said(0, 0.0), said(0, 1.5)
    kept = Sample(late.time - SECOND, late.sent, late.came)
    assert together([fresh, kept]) == pytest.approx((-0.01, 0.5))
    older = Sample(late.time - 3 * SECOND, late.sent, late.came)
    assert together([fresh, older]) is None


def test_a_time_that_stands_still_is_no_clock() -> None:
    samples = [Sample(START, START + n * SECOND, START + n * SECOND + 1) for n in range(4)]
    assert stands_still(samples)
    told = judged("http", samples, "Date")
    assert told.time is None
    assert told.says == "no clock: its Date stood still for 3.0 s while ours went on"


def test_that_it_stands_still_is_not_said_before_it_must_have_moved_on() -> None:
    assert not stands_still([Sample(START, START, START), Sample(START, START + SECOND, START + SECOND)])


@given(st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=5, unique_by=lambda value: value >> 3))
def test_random_numbers_are_no_clock(numbers: list[int]) -> None:
    samples = [Sample(value * SECOND, START + n, START + n + 1) for n, value in enumerate(numbers)]
    if len(largest_agreement(samples)) == 1:
        assert judged("random", samples, "time").time is None


def test_a_clock_that_is_set_while_it_is_asked_is_told_so() -> None:
    told = judged("http", [said(0, 0), said(0, 1), said(86400, 2), said(86400, 3)], "Date")
    assert told.time is None
    assert told.says == "its clock was set while it was asked: the Date jumped"


def test_answers_that_go_to_and_fro_are_several_machines() -> None:
    told = judged("http", [said(0, 0), said(500, 1), said(0, 2), said(500, 3)], "Date")
    assert told.time is None
    assert "perhaps several machines" in told.says


def test_of_many_samples_those_that_agree_are_found() -> None:
    good = [said(5, 0), said(5, 1), said(5, 3)]
    assert largest_agreement([good[0], said(-800, 0.5), good[1], said(9999, 2), good[2]]) == good


def test_a_reading_as_json_has_all_keys() -> None:
    reading = Reading("ntp", "stratum 2", START + SECOND, START, 0.25)
    assert reading.as_json() == {
        "way": "ntp",
        "time": "2023-11-14T22:13:21.000Z",
        "skew_seconds": 1.0,
        "error_seconds": 0.25,
        "says": "stratum 2",
    }
    assert reading.bounds == (0.75, 1.25)


def test_a_way_that_shows_nothing_has_no_time() -> None:
    for reading in (unreached("ntp", "silence"), not_asked("ipmi", "no account")):
        assert reading.as_json() | {"says": ""} == {
            "way": reading.way,
            "time": None,
            "skew_seconds": None,
            "error_seconds": None,
            "says": "",
        }
        assert reading.bounds is None
        assert not reading.reached
