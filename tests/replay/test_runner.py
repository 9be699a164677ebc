"""The matrix is run gently, and what was learned is kept however it ends."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from tests.replay.fake_device import ACCEPTED, GONE, LOST, FakeDevice, FakeTrial, alert, refused_hello
from tlsalert.errors import ReplayError
from tlsalert.replay.outcome import NotTried
from tlsalert.replay.runner import ENOUGH_REFUSALS, GIVE_UP, MORE_TRIES, Attempt, Plan, Run, Tried, run_plan

VARIANTS = ("good", "expired", "none_sent", "unknown_issuer", "not_yet_valid")
VERSIONS = ("TLS 1.2", "TLS 1.3")


def outcomes(run: Run) -> list[str]:
    return [attempt.trial.outcome.kind for attempt in run.attempts]


def test_every_variant_is_tried_once_in_every_version() -> None:
    device = FakeDevice()
    run = run_plan(Plan(VARIANTS, VERSIONS), device.try_one)
    assert sorted(device.asked) == sorted((variant, version) for variant in VARIANTS for version in VERSIONS)
    assert run.ended is None
    assert len(run.attempts) == len(run.plan) == 10


def test_the_order_follows_from_the_seed_and_differs_from_order_to_order() -> None:
    def order(seed: int, orders: int = 1) -> list[tuple[str, str]]:
        device = FakeDevice()
        run_plan(Plan(VARIANTS, VERSIONS, orders=orders, seed=seed), device.try_one)
        return device.asked

    assert order(1) == order(1)
    assert order(1) != order(2)
    two = order(1, orders=2)
    assert two[:10] == order(1)
    assert two[10:] != two[:10]
    assert sorted(two[10:]) == sorted(two[:10])


def test_repeats_stay_in_one_order() -> None:
    device = FakeDevice()
    run_plan(Plan(VARIANTS, ("TLS 1.2",), repeat=3), device.try_one)
    assert device.asked[:5] == device.asked[5:10] == device.asked[10:]


def test_what_cannot_be_made_is_not_tried() -> None:
    device = FakeDevice()
    plan = Plan(VARIANTS, ("TLS 1.2",), not_tried={"expired": NotTried("needs the CA's key")})
    run_plan(plan, device.try_one)
    assert ("expired", "TLS 1.2") not in device.asked
    assert len(plan) == len(device.asked) == 4


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_device_that_stops_answering_is_left_alone(jobs: int) -> None:
    device = FakeDevice(dict.fromkeys(VARIANTS, GONE))
    run = run_plan(Plan(VARIANTS, VERSIONS, repeat=10, jobs=jobs), device.try_one)
    assert run.ended == "unreachable"
    assert GIVE_UP <= len(device.asked) < GIVE_UP + jobs
    assert outcomes(run) == ["unreachable"] * len(device.asked)


def test_now_and_then_unreachable_is_no_reason_to_stop() -> None:
    device = FakeDevice({"good": [GONE, GONE, ACCEPTED] * 2})
    run = run_plan(Plan(("good",), ("TLS 1.2",), repeat=6), device.try_one)
    assert outcomes(run) == ["unreachable", "unreachable", "accepted"] * 2
    assert run.ended is None


def test_a_refusal_whose_alert_was_lost_is_tried_again() -> None:
    device = FakeDevice({"expired": [LOST, LOST, alert(45)]})
    (attempt,) = run_plan(Plan(("expired",), ("TLS 1.2",)), device.try_one).attempts
    assert attempt.trial.outcome == alert(45)
    assert attempt.tries == 3


def test_it_is_not_tried_again_for_ever() -> None:
    device = FakeDevice({"expired": LOST})
    (attempt,) = run_plan(Plan(("expired",), ("TLS 1.2",)), device.try_one).attempts
    assert attempt.trial.outcome == LOST
    assert len(device.asked) == attempt.tries == 1 + MORE_TRIES


def test_what_was_seen_is_kept_where_the_second_try_finds_nobody() -> None:
    device = FakeDevice({"expired": [LOST, GONE]})
    (attempt,) = run_plan(Plan(("expired",), ("TLS 1.2",)), device.try_one).attempts
    assert attempt.trial.outcome == LOST


def test_there_is_a_delay_between_handshakes_and_none_before_the_first_or_after_the_last() -> None:
    waited: list[float] = []
    device = FakeDevice({"good": [LOST, ACCEPTED]})
    run_plan(Plan(("good", "expired", "none_sent"), ("TLS 1.2",), delay=0.5), device.try_one, sleep=waited.append)
    assert waited == [0.5] * 3  # between three, and before the second try of one
    assert len(device.asked) == 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interruption_keeps_what_was_learned(jobs: int) -> None:
    seen: list[Attempt] = []

    def progress(attempt: Attempt) -> None:
        seen.append(attempt)
        if len(seen) == 4:
            raise KeyboardInterrupt

    run = run_plan(Plan(VARIANTS, VERSIONS, jobs=jobs), FakeDevice().try_one, progress)
    assert run.ended == "interrupted"
    assert run.attempts[:4] == tuple(seen)
    assert jobs > 1 or len(run.attempts) == 4


def test_an_interrupted_handshake_is_none() -> None:
    device = FakeDevice({"expired": KeyboardInterrupt()})
    run = run_plan(Plan(VARIANTS, ("TLS 1.2",)), device.try_one)
    assert run.ended == "interrupted"
    assert len(run.attempts) == len(device.asked) - 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_the_client_cannot_send_is_told_and_the_run_goes_on(jobs: int) -> None:
    device = FakeDevice({"expired": ReplayError("no TLS 1.1 in this hello")})
    run = run_plan(Plan(VARIANTS, ("TLS 1.1",), jobs=jobs), device.try_one)
    assert Counter(outcomes(run)) == {"accepted": 4, "not_tried": 1}
    assert any(one.trial.outcome == NotTried("no TLS 1.1 in this hello") for one in run.attempts)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_defect_is_not_hidden(jobs: int) -> None:
    with pytest.raises(ZeroDivisionError):
        run_plan(Plan(VARIANTS, VERSIONS, jobs=jobs), FakeDevice({"expired": ZeroDivisionError()}).try_one)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_version_that_is_not_spoken_is_asked_for_only_a_few_times(jobs: int) -> None:
    device = FakeDevice({(variant, "TLS 1.3"): refused_hello(70) for variant in VARIANTS})
    run = run_plan(Plan(VARIANTS, VERSIONS, orders=5, jobs=jobs), device.try_one)
    versions = Counter(version for _, version in device.asked)
    assert versions["TLS 1.2"] == 25
    assert ENOUGH_REFUSALS <= versions["TLS 1.3"] < ENOUGH_REFUSALS + jobs  # one in each thread may be under way
    assert {version: trial.outcome for version, trial in run.unspoken.items()} == {"TLS 1.3": refused_hello(70)}


def test_a_version_in_which_anything_came_further_is_spoken() -> None:
    device = FakeDevice({(variant, "TLS 1.2"): refused_hello(40) for variant in VARIANTS if variant != "good"})
    for seed in range(10):  # wherever the good one stands
        run = run_plan(Plan(VARIANTS, ("TLS 1.2",), repeat=3, seed=seed), device.try_one)
        assert run.unspoken == {} or all(one.trial.variant != "good" for one in run.attempts)
    mixed = FakeDevice({"good": refused_hello(40), "expired": refused_hello(70)})
    assert run_plan(Plan(("good", "expired"), ("TLS 1.2",)), mixed.try_one).unspoken == {}


def test_jobs_make_handshakes_at_the_same_time_and_each_once() -> None:
    together = threading.Barrier(4)

    def try_one(variant: str, tls_version: str) -> Tried:
        together.wait(timeout=20)  # passes only where four are under way at once
        return FakeTrial(variant, tls_version, ACCEPTED)

    plan = Plan(("good", "expired"), VERSIONS, repeat=2, jobs=4)
    run = run_plan(plan, try_one)
    assert Counter(attempt.step for attempt in run.attempts) == Counter(plan.steps())
