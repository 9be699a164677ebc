"""When the first bytes of a random are a clock: what one handshake shows, what several do, and what proves nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import stories
from tests.diagnosis.handshakes import (
    ANSWER,
    FLIGHT,
    HELLO,
    HELLO_13,
    IN_2015,
    NOW,
    Reading,
    Witnesses,
    replace,
    spoken,
    spoken_13,
)
from tlsalert.diagnosis.clocks import (
    DAY,
    RANGE,
    STARTS,
    Dated,
    agreed,
    better,
    clock,
    credible,
    dated_clock,
    jumped,
)
from tlsalert.diagnosis.refused import SURE_CLOCK
from tlsalert.diagnosis.stacks import NO_CLOCK
from tlsalert.diagnosis.verdict import judge
from tlsalert.model import Connection, Position

SECONDS = NOW // 1_000_000_000
LONG_AGO = IN_2015 // 1_000_000_000
#: From a stack that is known for 32 random bytes to one that is known for its clock.
PRIORS = st.floats(NO_CLOCK, 0.98)


def reading(time: int = LONG_AGO, frame: int = 6) -> Reading:
    return Reading(time, NOW, frame)


@given(PRIORS, st.integers(-3600, 3600))
def test_one_handshake_that_agrees_with_the_captures_clock_is_a_clock(prior: float, off: int) -> None:
    assert credible(SECONDS + off, SECONDS, prior) > SURE_CLOCK


@given(PRIORS, st.integers(STARTS[1] + 31 * DAY, SECONDS - 2 * DAY))
def test_a_past_date_alone_makes_nothing_likelier(prior: float, time: int) -> None:
    """Four random bytes are some past date in two cases out of five."""
    assert credible(time, SECONDS, prior) <= prior


@given(PRIORS, st.integers(SECONDS + 2 * DAY, RANGE - 1))
def test_a_date_in_the_future_speaks_against_a_clock(prior: float, time: int) -> None:
    assert credible(time, SECONDS, prior) < prior


@pytest.mark.parametrize("start", STARTS)
def test_a_device_that_just_started_at_its_firmwares_epoch_is_met(start: int) -> None:
    """A clock without a battery begins at 1970 or 2000."""
    assert credible(start + 600, SECONDS, 0.3) > 0.9 > credible(start + 90 * DAY, SECONDS, 0.3)


@given(st.integers(0, RANGE - 1), st.integers(0, RANGE - 1), st.floats(0.001, 0.999))
def test_credibility_is_a_probability_that_grows_with_the_prior(value: int, now: int, prior: float) -> None:
    assert 0 <= credible(value, now, prior / 2) <= credible(value, now, prior) <= 1


@pytest.mark.parametrize("readings", [2, 3, 50, 256])
def test_two_that_agree_prove_a_clock_however_many_there_are(readings: int) -> None:
    assert SURE_CLOCK < agreed(2, readings) <= 0.999


def test_more_that_agree_are_surer() -> None:
    confidences = [agreed(many, 100_000_000) for many in (2, 3, 4)]
    assert confidences == sorted(confidences)
    assert confidences[0] < confidences[-1]


def test_a_reading_alone_is_as_credible_as_it_is() -> None:
    found = clock((reading(), 1, 1), "ServerHello.random", 0.3)
    assert found is not None
    assert found.confidence == credible(LONG_AGO, NOW / 1e9, 0.3)
    assert (found.time, found.at, found.source) == (LONG_AGO * 1_000_000_000, NOW, "ServerHello.random")
    assert (found.position, found.agreeing) == (Position(frame=6), 1)
    assert found.skew_seconds == LONG_AGO - NOW / 1e9


def test_readings_that_agree_are_a_clock_whatever_the_stack_is() -> None:
    found = clock((reading(), 3, 3), "ServerHello.random", NO_CLOCK)
    assert found is not None
    assert found.confidence > SURE_CLOCK
    assert found.agreeing == 3


@pytest.mark.parametrize("prior", [0.01, 0.3, 0.98])
def test_readings_that_disagree_are_no_clock_whatever_the_stack_is(prior: float) -> None:
    assert clock((reading(), 1, 2), "ServerHello.random", prior) is None
    assert clock((reading(SECONDS), 1, 7), "ServerHello.random", prior) is None


def test_without_a_reading_or_a_chance_there_is_none() -> None:
    assert clock(None, "ServerHello.random", 0.9) is None
    assert clock((reading(), 1, 1), "ServerHello.random", 0.0) is None
    assert clock((reading(), 3, 3), "ServerHello.random", 0.0) is None


# --- which hellos are asked -----------------------------------------------------------------------------------------

AGREEING = (reading(), 3, 3)


def test_both_sides_are_asked_by_their_randoms() -> None:
    witnesses = Witnesses(AGREEING, (reading(SECONDS, 4), 1, 1))
    clocks = judge(spoken(HELLO, FLIGHT, ANSWER), witnesses).clocks
    assert witnesses.asked == [stories.ANSWER.random] * 2
    assert clocks.capture == NOW
    assert clocks.server is not None
    assert clocks.client is not None
    assert (clocks.server.time, clocks.server.source) == (IN_2015, "ServerHello.random")
    assert (clocks.client.source, clocks.client.position) == ("ClientHello.random", Position(frame=4))


def test_tls_1_3_shows_no_clock() -> None:
    """RFC 8446 §4.1.3: 32 random bytes. What is said of them is not believed."""
    hello = replace(stories.ANSWER, version=0x0304)
    clocks = judge(spoken_13(HELLO, HELLO_13, server_hello=hello), Witnesses(AGREEING)).clocks
    assert clocks.server is None


def test_a_hello_that_was_not_captured_is_not_asked() -> None:
    witnesses = Witnesses(AGREEING, AGREEING)
    clocks = judge(Connection(source="made by hand", connection=0, start=NOW), witnesses).clocks
    assert (clocks.server, clocks.client, witnesses.asked) == (None, None, [])


def test_a_hello_that_was_cut_is_asked_by_what_there_is_of_it() -> None:
    story = spoken(HELLO, FLIGHT, ANSWER)
    messages = tuple(
        replace(m, body=m.body[:10] if m.body and m.sender == "server" else None, cut=True) for m in story.messages
    )
    witnesses = Witnesses(AGREEING)
    judge(replace(story, messages=messages), witnesses)
    assert witnesses.asked == [stories.ANSWER.random[:8]]


# --- a clock that jumps ---------------------------------------------------------------------------------------------


def later(seconds: int, time: int, frame: int = 30) -> Reading:
    """Return a reading that was captured so many seconds after NOW."""
    return Reading(time, NOW + seconds * 1_000_000_000, frame)


#: A stack that is known for 32 random bytes.
NOTHING = NO_CLOCK
AT_1970 = reading(40, 2)
SET_RIGHT = later(60, SECONDS + 60)


def test_a_device_that_was_set_right_has_two_states_of_one_clock() -> None:
    """It began at 1970, and NTP came between two connections."""
    before = clock((AT_1970, 1, 2), "ServerHello.random", 0.3, [SET_RIGHT])
    after = clock((SET_RIGHT, 1, 2), "ServerHello.random", 0.3, [AT_1970])
    assert before is not None
    assert after is not None
    assert min(before.confidence, after.confidence) > 0.9
    said = "it jumped from 1970-01-01 00:00:40 to 2021-06-17 08:52:09 between frames 2 and 30"
    assert before.jump == after.jump == said


def test_a_reading_beside_others_that_agree_is_that_clock_before_it_was_set() -> None:
    others = [later(60, SECONDS + 60), later(70, SECONDS + 70, 40)]
    started = clock((AT_1970, 1, 3), "ServerHello.random", NOTHING, others, agree=True)
    assert started is not None
    assert started.confidence > 0.8
    known = clock((reading(), 1, 3), "ServerHello.random", 0.9, others, agree=True)
    assert known is not None
    assert known.confidence > 0.8


def test_a_date_like_any_other_beside_them_may_be_another_machines_random_bytes() -> None:
    others = [later(60, SECONDS + 60), later(70, SECONDS + 70, 40)]
    assert clock((reading(), 1, 3), "ServerHello.random", NOTHING, others, agree=True) is None


def test_a_client_address_may_be_many_programs() -> None:
    others = [later(60, SECONDS + 60), later(70, SECONDS + 70, 40)]
    assert clock((reading(), 1, 3), "ClientHello.random", NOTHING, others) is None


@given(st.lists(st.integers(STARTS[1] + 31 * DAY, SECONDS - 2 * DAY), min_size=2, max_size=8, unique=True))
def test_past_dates_that_have_nothing_in_common_are_random_bytes(times: list[int]) -> None:
    spread = [time for place, time in enumerate(times) if all(abs(time - other) > 60 for other in times[:place])]
    own, *others = [later(place, time) for place, time in enumerate(spread)]
    found = clock((own, 1, len(spread)), "ServerHello.random", 0.5, others)
    assert not others or found is None


def test_a_jump_is_told_by_its_nearest_reading() -> None:
    far, near = later(900, SECONDS + 900, 90), later(60, SECONDS + 60, 30)
    assert "between frames 2 and 30" in str(jumped(AT_1970, [far, near]))
    assert jumped(AT_1970, [later(60, LONG_AGO)]) is None


# --- HTTP's Date ----------------------------------------------------------------------------------------------------


def test_a_date_in_clear_is_a_clock_and_surer_from_the_same_port() -> None:
    same, other = (dated_clock(Dated(reading(), 1, port)) for port in (True, False))
    assert same is not None
    assert other is not None
    assert (same.time, same.source, same.position) == (IN_2015, "HTTP Date", Position(frame=6))
    assert same.confidence > other.confidence > SURE_CLOCK
    assert dated_clock(None) is None


def test_a_date_that_agrees_makes_a_hellos_clock_sure() -> None:
    shown = clock((reading(), 1, 1), "ServerHello.random", 0.3)
    both = better(shown, dated_clock(Dated(later(10, LONG_AGO + 10), 2, True)))
    assert both is not None
    assert (both.source, both.agreeing, both.position) == ("ServerHello.random and HTTP Date", 3, Position(frame=6))
    assert both.confidence > SURE_CLOCK


def test_of_two_that_disagree_the_surer_one_judges() -> None:
    date = dated_clock(Dated(reading(SECONDS), 1, False))
    alone = clock((reading(), 1, 1), "ServerHello.random", 0.3)
    several = clock((reading(), 4, 4), "ServerHello.random", 0.3)
    assert better(alone, date) == date
    assert better(several, date) == several
    assert better(alone, None) == alone


def test_in_tls_1_3_the_date_is_the_only_clock() -> None:
    witnesses = Witnesses(AGREEING, dates={"server": Dated(reading(), 1, True)})
    clocks = judge(spoken_13(HELLO, HELLO_13), witnesses).clocks
    assert clocks.server is not None
    assert (clocks.server.source, witnesses.asked) == ("HTTP Date", [stories.ANSWER.random])  # the client's hello


def test_a_refusal_is_judged_by_the_date_and_says_so() -> None:
    story = spoken(HELLO, FLIGHT, ANSWER, "server alert:42 fin")
    verdict = judge(story, Witnesses(dates={"server": Dated(reading(), 1, False)})).verdict
    assert verdict is not None
    assert (verdict.cause, verdict.at_fault, verdict.confidence > 0.9) == ("certificate_not_yet_valid", "server", True)
    assert verdict.evidence[0].says == (
        "HTTP Date says 2015-03-12 05:41:50, 6 years behind the capture; "
        "it stands in an HTTP answer from the server's address"
    )
