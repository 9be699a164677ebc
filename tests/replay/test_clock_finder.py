"""The clock finder against devices whose clocks are known: right, wrong, standing still, jumping, or not looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlsalert.model import EPOCH, Alert, Position
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.replay.clock_finder import ClockFound, find_clock
from tlsalert.replay.outcome import Accepted, Closed, Outcome, Refused, Silent, Unreachable

TODAY = datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=UTC)
TAKEN = Accepted("finished")


def seconds(moment: datetime) -> float:
    return (moment - EPOCH).total_seconds()


def alert(code: int) -> Refused:
    said = Alert(AlertLevel(2), AlertDescription(code), "server", Position(), None)
    return Refused("server", "client_certificate", said)


@dataclass
class Device:
    """A device that judges dates by its own clock; ours goes on by ``takes`` seconds with each handshake."""

    clock: datetime
    takes: float = 0.1
    early: Outcome = field(default_factory=lambda: alert(42))
    late: Outcome = field(default_factory=lambda: alert(45))
    looks_at: tuple[str, ...] = ("start", "end")
    ca: tuple[datetime, datetime] | None = None
    reads_9999: bool = True
    odd: Callable[[int], Outcome | None] = lambda count: None
    jump: tuple[int, float] | None = None  # at this handshake the clock is set by so many seconds
    ours: float = seconds(TODAY)
    asked: int = 0

    def __post_init__(self) -> None:
        self.skew = seconds(self.clock) - self.ours

    def now(self) -> float:
        return self.ours

    def ask(self, not_before: datetime, not_after: datetime) -> Outcome:
        self.asked += 1
        if self.jump is not None and self.asked == self.jump[0]:
            self.skew += self.jump[1]
        self.ours += self.takes / 2
        outcome = self.odd(self.asked) or self.judge(not_before, not_after)
        self.ours += self.takes / 2
        return outcome

    def judge(self, not_before: datetime, not_after: datetime) -> Outcome:
        says = EPOCH + timedelta(seconds=int(self.ours + self.skew))
        if not self.reads_9999 and not_after.year > 2049:
            return alert(50)
        for begins, ends in ([self.ca] if self.ca else []) + [(not_before, not_after)]:
            if "start" in self.looks_at and says < begins:
                return self.early
            if "end" in self.looks_at and says > ends:
                return self.late
        return TAKEN

    def find(self, *guesses: datetime) -> ClockFound:
        return find_clock(self.ask, guesses, self.ca, self.now)


def error(device: Device, found: ClockFound) -> float:
    """Return by how many seconds the finder is wrong."""
    assert found.skew_seconds is not None, found.says
    return round(abs(found.skew_seconds - device.skew), 3)


CLOCKS = {
    "right": TODAY,
    "a minute slow": TODAY - timedelta(seconds=61),
    "2015": datetime(2015, 1, 3, 4, 5, 6, tzinfo=UTC),
    "2044": datetime(2044, 6, 1, tzinfo=UTC),
    "just booted in 1970": datetime(1970, 1, 1, 0, 0, 20, tzinfo=UTC),
    "2000": datetime(2000, 1, 1, 0, 3, tzinfo=UTC),
    "near the end of 32 bits": datetime(2106, 2, 7, 6, 0, tzinfo=UTC),
}


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS.keys())
def test_a_clock_is_found_to_the_second_in_about_forty_handshakes(clock: datetime) -> None:
    device = Device(clock)
    found = device.find()
    assert found.clock is not None
    assert found.clock.error_seconds is not None
    assert error(device, found) <= found.clock.error_seconds <= 1.0
    assert found.handshakes == device.asked <= 44
    assert found.checks == "both"


@pytest.mark.parametrize("off", [-0.4, 0.0, 0.6, 1.7])
def test_a_right_guess_costs_few(off: float) -> None:
    guess = datetime(2015, 3, 12, 5, 41, 50, tzinfo=UTC)
    device = Device(guess + timedelta(seconds=off))
    found = device.find(guess)
    assert error(device, found) <= 1.0
    assert found.handshakes <= 14


def test_our_own_time_is_always_a_guess() -> None:
    assert Device(TODAY).find().handshakes <= 12


@settings(max_examples=150)
@given(
    clock=st.datetimes(datetime(1970, 1, 1, 0, 0, 1), datetime(2106, 1, 1), timezones=st.just(UTC)),
    guess=st.datetimes(datetime(1960, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    takes=st.sampled_from([0.0, 0.05, 0.3]),
)
def test_any_clock_is_found_with_any_guess(clock: datetime, guess: datetime, takes: float) -> None:
    device = Device(clock, takes)
    found = device.find(guess)
    assert found.clock is not None
    assert found.clock.error_seconds is not None
    assert error(device, found) <= found.clock.error_seconds <= 1.0
    assert found.contradictions == 0


def test_slow_handshakes_widen_the_error_and_never_break_it() -> None:
    device = Device(CLOCKS["2015"], takes=6.0)
    found = device.find()
    assert found.clock is not None
    assert found.clock.error_seconds is not None
    assert error(device, found) <= found.clock.error_seconds <= 6.0


@pytest.mark.parametrize("answers", [(42, 42), (45, 45), (46, 46)])
def test_stacks_that_give_one_alert_for_both_ends_are_asked_as_well(answers: tuple[int, int]) -> None:
    device = Device(CLOCKS["2015"], early=alert(answers[0]), late=alert(answers[1]))
    assert error(device, device.find()) <= 1.0


def test_stacks_that_close_without_an_alert_are_asked_as_well() -> None:
    closed = Closed("fin", "client_certificate")
    device = Device(CLOCKS["2044"], early=closed, late=closed)
    assert error(device, device.find()) <= 1.0


@pytest.mark.parametrize("end", ["start", "end"])
def test_a_device_that_looks_at_one_end_only_is_found_by_that_end(end: str) -> None:
    device = Device(CLOCKS["2015"], looks_at=(end,))
    found = device.find()
    assert error(device, found) <= 1.5
    assert found.checks == end
    assert "does not look at" in " ".join(found.says)


def test_dates_that_are_not_checked_are_told_after_three_handshakes() -> None:
    found = Device(CLOCKS["2015"], looks_at=()).find()
    assert (found.clock, found.checks, found.handshakes) == (None, "none", 3)
    assert "does not check dates" in found.says[0]


def test_a_device_that_does_not_read_the_year_9999_is_asked_without_it() -> None:
    device = Device(CLOCKS["2015"], reads_9999=False)
    assert error(device, device.find()) <= 1.0


def test_a_ca_that_is_not_trusted_cannot_ask() -> None:
    found = Device(TODAY, odd=lambda _: alert(48)).find()
    assert found.clock is None
    assert "does not trust this CA" in " ".join(found.says)


@pytest.mark.parametrize(
    ("clock", "words", "bounds"),
    [
        pytest.param("2015", "clock is before 2020-01-01", (None, datetime(2020, 1, 1, tzinfo=UTC)), id="not yet"),
        pytest.param("2044", "clock is after 2030-01-01", (datetime(2030, 1, 1, tzinfo=UTC), None), id="expired"),
    ],
)
def test_a_ca_that_is_not_valid_by_the_devices_clock_limits_it(
    clock: str, words: str, bounds: tuple[datetime | None, datetime | None]
) -> None:
    ca = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    found = Device(CLOCKS[clock], ca=ca).find()
    assert found.clock is None
    assert found.bounds == bounds
    assert found.known is not None
    assert (found.known.earliest, found.known.latest) == bounds
    assert words in " ".join(found.says)
    assert "2020-01-01 to 2030-01-01" in " ".join(found.says)


@pytest.mark.parametrize("seed", range(30))
def test_resets_now_and_then_are_seen_through(seed: int) -> None:
    random = Random(seed)
    flaky = Device(CLOCKS["2015"], odd=lambda _: Closed("rst", "client_certificate") if random.random() < 0.1 else None)
    assert error(flaky, flaky.find()) <= 1.5


def lying(seed: int) -> Callable[[int], Outcome | None]:
    random = Random(seed)
    return lambda _: random.choice((alert(42), alert(45), TAKEN)) if random.random() < 0.1 else None


def test_answers_that_lie_one_in_ten_times_are_outvoted_or_told() -> None:
    """What counts is that the finder is never confidently wrong."""
    results = [(device := Device(CLOCKS["2015"], odd=lying(seed)), device.find()) for seed in range(60)]
    right = [found for device, found in results if found.clock is not None and error(device, found) <= 3]
    wrong = [found for device, found in results if found.clock is not None and error(device, found) > 3]
    assert len(right) >= 50
    assert len(wrong) <= 1
    assert all(found.says for _, found in results)


def test_a_clock_that_is_set_while_it_is_asked_is_found_anew() -> None:
    device = Device(CLOCKS["2015"], jump=(25, 6 * 365 * 86_400.0))
    found = device.find()
    assert error(device, found) <= 1.5
    assert found.contradictions >= 1
    assert "contradicted" in " ".join(found.says)


def test_a_clock_that_stands_still_is_found_within_the_time_that_it_took() -> None:
    device = Device(CLOCKS["2015"])
    started = device.ours

    def frozen(not_before: datetime, not_after: datetime) -> Outcome:
        device.asked += 1
        device.ours += 0.05
        device.skew = seconds(device.clock) - device.ours
        return device.judge(not_before, not_after)

    found = find_clock(frozen, (), None, device.now)
    assert error(device, found) <= 2 + device.ours - started


def test_a_device_that_is_gone_ends_the_search_with_what_was_learned() -> None:
    device = Device(CLOCKS["2015"], odd=lambda count: Unreachable("connection refused") if count > 9 else None)
    found = device.find()
    assert found.clock is None
    assert "connection refused" in found.says[0]
    assert found.handshakes == 12


def test_a_device_that_never_answers_is_left_alone() -> None:
    found = Device(TODAY, odd=lambda _: Silent(5.0, "client_certificate")).find()
    assert (found.clock, found.handshakes) == (None, 3)


def test_no_more_handshakes_are_made_than_allowed() -> None:
    device = Device(CLOCKS["2015"])
    found = find_clock(device.ask, (), None, device.now, most=20)
    assert found.clock is None
    assert found.handshakes == device.asked == 20
