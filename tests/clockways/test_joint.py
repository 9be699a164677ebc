"""What all ways say together."""

from __future__ import annotations

import pytest

from tlsalert.clockways.ask import WAYS
from tlsalert.clockways.joint import NEAREST, beyond, joint, stands
from tlsalert.clockways.reading import SECOND, Reading, unreached

NOW = 1_800_000_000 * SECOND


def reading(way: str, skew: float, error: float = 0.3) -> Reading:
    return Reading(way, "", NOW + round(skew * SECOND), NOW, error)


def test_every_way_has_its_place() -> None:
    assert set(NEAREST) == set(WAYS)


def test_ways_that_agree_are_one_clock() -> None:
    told = joint([reading("random", -1000.2), reading("https", -1000.0), unreached("ntp", "")])
    assert told.agree
    assert told.judge is not None
    assert told.judge.way == "random"
    assert told.agreeing == ("random", "https")
    assert told.says == (
        "The device's clock is 17 minutes behind ours, by ServerHello.random.",
        "ServerHello.random tells the TLS stack's own clock, by which it judges certificates as well.",
        "The Date of HTTPS agrees within the error bars.",
    )


def test_the_way_that_asked_with_certificates_judges() -> None:
    told = joint([reading("https", 5), reading("certificates", -90_000), reading("http", 5)])
    assert told.judge is not None
    assert told.judge.way == "certificates"
    assert told.differing == ("https", "http")
    assert not told.agree
    assert told.says[1].startswith("That clock judges certificates")


def test_a_way_that_differs_by_a_time_zone_may_tell_local_time() -> None:
    told = joint([reading("https", 0), reading("ipmi", 19_800.2)])
    assert told.says[2] == (
        "IPMI says otherwise: 6 hours later, which is a time zone of +5.5 h: it may tell local time."
    )


@pytest.mark.parametrize("skew", [500.0, 86_400 * 3, -7205.0])
def test_other_differences_are_no_time_zone(skew: float) -> None:
    assert "time zone" not in " ".join(joint([reading("https", 0), reading("ipmi", skew)]).says)


def test_a_clock_nearest_to_tls_is_taken_with_care() -> None:
    assert joint([reading("ipmi", 0)]).says[1].startswith("That certificates are judged by the same clock is likely")


def test_no_way_shows_a_clock() -> None:
    told = joint([unreached("ntp", "silence")])
    assert told.judge is None
    assert not told.agree
    assert told.says == ("No way shows the device's clock.",)


@pytest.mark.parametrize(
    ("skew", "says"),
    [
        (0.2, "The device's clock is in step with ours (to 0.3 s)"),
        (0.8, "The device's clock is 0.8 seconds ahead of ours"),
        (-7200, "The device's clock is 2 hours behind ours"),
        (200_000_000, "The device's clock is 6 years and 4 months ahead of ours"),
        (-11.66 * 365.25 * 86400, "The device's clock is 11 years and 8 months behind ours"),
    ],
)
def test_where_a_clock_stands(skew: float, says: str) -> None:
    assert stands(reading("random", skew)) == says


def test_a_limit_is_passed_where_the_error_bar_is_beyond_it() -> None:
    readings = [reading("random", -60.2), reading("https", 61), unreached("ntp", "")]
    assert [one.way for one in beyond(readings, 60)] == ["https"]
