"""Is the answer right: the suite's word first, then the baseline, then what the RFCs call for in the large."""

from __future__ import annotations

from tests.replay.fake_device import ACCEPTED, GONE, alert
from tlsalert.replay.bench import VariantFacts
from tlsalert.replay.checking import complaint, complaints, wanted
from tlsalert.replay.compare import compare
from tlsalert.replay.expectation import Expectation, called_for, expectation
from tlsalert.replay.outcome import NotTried, Outcome
from tlsalert.replay.result import HelloTold, Result, row_of
from tlsalert.replay.suite import Suite

FACTS = {
    "good": VariantFacts("good", "", calls_for={"TLS 1.2": called_for(None)}),
    "expired": VariantFacts("expired", "", calls_for={"TLS 1.2": called_for("certificate_expired")}),
}
SAYS = Suite("s", (), expected={("expired", None): expectation(45)})
NOTHING = Suite("s", ())


def said(suite: Suite, variant: str, outcome: Outcome, baseline: bool = False) -> str | None:
    row = row_of(variant, "TLS 1.2", outcome)
    return complaint(row, wanted(suite, FACTS, row, baseline))


def test_the_suite_is_taken_at_its_word() -> None:
    assert said(SAYS, "expired", alert(45)) is None
    assert said(SAYS, "expired", alert(48)) == (
        "an expired certificate in TLS 1.2: expected certificate_expired (45), got unknown_ca (48)"
    )
    assert said(SAYS, "expired", alert(48), baseline=True) is not None


def test_without_a_word_the_rfcs_say_whether_but_not_how() -> None:
    assert said(NOTHING, "expired", alert(48)) is None
    assert said(NOTHING, "expired", ACCEPTED) == "an expired certificate in TLS 1.2: expected refused, got accepted"
    assert said(NOTHING, "good", alert(42)) == (
        "the good certificate in TLS 1.2: expected accepted, got bad_certificate (42)"
    )
    assert said(NOTHING, "unheard_of", ACCEPTED) is None


def test_a_baseline_goes_before_the_rfcs() -> None:
    assert said(NOTHING, "expired", ACCEPTED, baseline=True) is None


def test_what_was_not_asked_is_not_wrong() -> None:
    assert said(SAYS, "expired", NotTried("x")) is None
    assert said(SAYS, "expired", GONE) is None


def test_all_that_is_wrong_stands_together() -> None:
    old = Result("t", HelloTold("x"), (row_of("expired", "TLS 1.2", alert(45)),), label="old")
    new = Result("t", HelloTold("x"), (row_of("expired", "TLS 1.2", alert(48)),))
    expects: dict[tuple[str, str], Expectation] = {("expired", "TLS 1.2"): expectation(45)}
    found = complaints(new, expects, compare(old, new))
    assert [len(sentences) for sentences in found.values()] == [2]
