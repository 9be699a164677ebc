"""From attempts to rows: stable, flaky, dependent on the order."""

from __future__ import annotations

import pytest

from tests.replay.fake_device import ACCEPTED, GONE, LOST, FakeDevice, alert, refused_hello
from tlsalert.replay import tally
from tlsalert.replay.outcome import NotTried
from tlsalert.replay.result import Row
from tlsalert.replay.runner import Plan, Run, run_plan

TLS12 = ("TLS 1.2",)


def tried(device: FakeDevice, plan: Plan) -> Run:
    return run_plan(plan, device.try_one)


def only(run: Run) -> Row:
    (row,) = tally.rows(run)
    return row


def test_rows_stand_in_the_order_of_the_plan_whatever_the_order_of_trials_was() -> None:
    variants = ("good", "expired", "none_sent", "not_yet_valid")
    for seed in range(5):
        rows = tally.rows(tried(FakeDevice(), Plan(variants, ("TLS 1.3", "TLS 1.2"), seed=seed)))
        assert [row.variant for row in rows[::2]] == list(variants)
        assert [row.tls_version for row in rows] == ["TLS 1.3", "TLS 1.2"] * 4


def test_a_stable_answer_has_no_note() -> None:
    run = tried(FakeDevice({"expired": alert(45)}), Plan(("expired",), TLS12, repeat=5))
    assert only(run).note is None
    assert tally.flaky(run) == ()


def test_a_flaky_one_is_told_by_its_most_frequent_answer_and_the_numbers() -> None:
    run = tried(FakeDevice({"expired": [alert(48), alert(45), alert(45)]}), Plan(("expired",), TLS12, repeat=3))
    row = only(run)
    assert row.alert is not None
    assert row.alert.code == 45
    assert row.note == "flaky: certificate_expired (45) 2×, unknown_ca (48) 1×"
    assert tally.flaky(run) == (("expired", "TLS 1.2"),)
    assert tally.notes(run) == ("answered in more than one way: expired (TLS 1.2)",)


def test_where_each_order_has_its_own_answer_the_order_matters() -> None:
    device = FakeDevice({"missing_intermediate": [alert(48), alert(48), ACCEPTED]})
    run = tried(device, Plan(("missing_intermediate",), TLS12, orders=2, repeat=2))
    assert only(run).note == "depends on the order: unknown_ca (48) in order 1, accepted in order 2"
    assert tally.order_matters(run) == (("missing_intermediate", "TLS 1.2"),)
    assert tally.flaky(run) == ()
    assert tally.notes(run) == ("the order matters for: missing_intermediate (TLS 1.2)",)


def test_an_alert_that_stays_lost_is_told() -> None:
    assert only(tried(FakeDevice({"expired": LOST}), Plan(("expired",), TLS12))).note == (
        "an alert was probably sent and lost in the reset; alert lost in 3 tries"
    )


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (FakeDevice(dict.fromkeys("abcdef", GONE)), "the target could not be reached any more"),
        (FakeDevice(dict.fromkeys("abcdef", KeyboardInterrupt())), "the run was interrupted"),
    ],
)
def test_what_was_not_reached_says_why(device: FakeDevice, why: str) -> None:
    run = tried(device, Plan(tuple("abcdef"), TLS12))
    assert {row.note for row in tally.rows(run) if row.outcome == "not_tried"} == {why}
    assert len(tally.rows(run)) == 6
    assert len(tally.notes(run)) == 1


def test_a_version_that_is_refused_as_such_has_the_same_answer_in_every_row() -> None:
    variants = ("good", "expired", "none_sent", "revoked")
    device = FakeDevice(dict.fromkeys(variants, refused_hello(70)))
    found = [tally.rows(tried(device, Plan(variants, TLS12, seed=seed))) for seed in range(3)]
    assert found[0] == found[1] == found[2]
    assert {row.alert and row.alert.code for row in found[0]} == {70}
    assert {row.note for row in found[0]} == {tally.BEFORE_ANY}


def test_what_cannot_be_made_says_what_it_needs() -> None:
    run = tried(FakeDevice(), Plan(("expired",), TLS12, not_tried={"expired": NotTried("needs the CA's key")}))
    assert only(run) == Row("expired", "TLS 1.2", "not_tried", note="needs the CA's key")
