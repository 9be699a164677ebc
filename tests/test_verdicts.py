"""Verdicts over evidence whose truth is known: the project's own captures, recorded cases, and public captures.

``expected.json`` beside each recorded case says how it was made: the alert, who refused, and the cause. Where the
refuser's clock does not show, "not yet valid" can only be the likeliest cause and must not be claimed as certain.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import verdicts
from tests.diagnosis.handshakes import Witnesses
from tests.evidence import ATLAS, CAPTURES, CASES, CORPUS, captures_under, needs_atlas, needs_cases, needs_corpus
from tests.verdicts import Labelled, Score
from tests.wire.packets import Capture as Flows
from tlsalert.capture import Reader, read
from tlsalert.diagnosis.verdict import judge
from tlsalert.sources.files import ByteSource
from tlsalert.wire.connection import connection as built

EXPECTED = list(verdicts.cases())
if not EXPECTED:
    NONE = [pytest.param(None, marks=pytest.mark.skip(reason="no folder of recorded cases beside the checkout"))]


def each(*, failed: bool = False, alerts: bool = False) -> pytest.MarkDecorator:
    """Parametrize with what is expected: with an outcome, with a failure, or with alerts that can be read."""
    chosen = [
        pytest.param(one, id=one.name)
        for one in EXPECTED
        if (one.alerts is not None and not one.needs_keys if alerts else one.outcome is not None)
        and (not failed or one.outcome == "failed")
    ]
    return pytest.mark.parametrize("expected", chosen if EXPECTED else NONE)


# --- recorded cases -------------------------------------------------------------------------------------------------


@each(alerts=True)
def test_the_alerts_are_those_that_were_sent(expected: Labelled) -> None:
    assert expected.alerts is not None
    assert expected.told is not None
    told = [(alert.code, alert.sender) for alert in expected.told.alerts if alert.code is not None]
    assert [alert for alert in told if alert in expected.alerts] == list(expected.alerts)


@each()
def test_the_outcome_and_who_refused_are_right(expected: Labelled) -> None:
    verdict = expected.verdict
    assert (verdict.outcome, verdict.refused_by) == (expected.outcome, expected.refused_by)


@each(failed=True)
def test_the_cause_comes_first_where_the_evidence_decides(expected: Labelled) -> None:
    verdict = expected.verdict
    if expected.cause is None:
        pytest.skip("nobody can know the cause from this")
    if expected.needs_keys and "tls13" in expected.name and expected.cause != "no_client_certificate":
        pytest.skip("the alert is encrypted and the server shows no clock: for the reading with keys")
    if not expected.decided or (expected.find is None and expected.cause != "no_client_certificate"):
        names = [verdict.cause, *(alternative.cause for alternative in verdict.alternatives)]
        assert expected.cause in names[:3]
        return
    assert verdict.cause == expected.cause
    assert verdict.at_fault in expected.faults


@each(failed=True)
def test_no_verdict_is_wrong_with_confidence(expected: Labelled) -> None:
    verdict = expected.verdict
    if verdict.confidence >= 0.9:
        assert verdict.cause not in expected.never
        assert expected.cause in (None, verdict.cause)


# --- the project's own captures: captures/README.md -----------------------------------------------------------------

OWN = list(verdicts.own())  # each of them is held by tests/test_labels.py


def test_the_founding_case_is_certain_because_three_handshakes_agree() -> None:
    *_, connection = read(CAPTURES / "console.pcap")
    clock, verdict = connection.clocks.server, connection.verdict
    assert clock is not None
    assert verdict is not None
    assert (clock.agreeing, verdict.confidence >= 0.95) == (3, True)
    assert any("2015-03-12" in evidence.says for evidence in verdict.evidence)
    assert any("2026-05-17" in advice for advice in verdict.advice)


def test_the_same_without_a_clock_is_likely_and_no_more() -> None:
    (connection,) = read(CAPTURES / "not-yet-valid-no-clock.pcap")
    assert connection.verdict is not None
    assert 0.5 < connection.verdict.confidence < 0.9


def test_a_connection_that_went_well_is_established() -> None:
    (connection,) = read(CAPTURES / "success.pcap")
    assert connection.verdict is not None
    assert connection.verdict.outcome == "established"


# --- the table ------------------------------------------------------------------------------------------------------


def test_no_figure_is_below_its_floor(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdicts.main() == 0
    assert "All floors reached." in capsys.readouterr().out


def test_a_figure_below_its_floor_is_named() -> None:
    score = Score(connections=10, who=9, why=8, first=4, three=8, confidently_wrong=1)
    assert score.short_of((1.0, 0.5, 1.0, 1.0, 0.0)) == ["who 9 of 10", "1 wrong with confidence"]


def test_the_table_has_a_line_for_each_server_and_version() -> None:
    figures = verdicts.scores(OWN)
    lines = verdicts.table(figures).splitlines()
    assert lines[2].startswith("| own | OpenSSL (lab) | ≤ 1.2 | ")
    assert len(lines) == 2 + len(figures)


# --- public captures ------------------------------------------------------------------------------------------------

PLACES = [
    pytest.param(CAPTURES, id="own"),
    pytest.param(CASES, id="cases", marks=needs_cases),
    pytest.param(CORPUS, id="public", marks=needs_corpus),
    pytest.param(ATLAS, id="atlas", marks=needs_atlas),
]


@pytest.mark.parametrize("place", PLACES)
def test_what_is_let_go_as_good_is_established(place: Path) -> None:
    """Where only failures are wanted the good ones are not even built: that look must never be wrong."""
    nobody = Witnesses()
    let_go = 0
    wrong = []
    for path in captures_under(place):
        with ByteSource(path) as source:
            flows = Flows(*source.chunks()).flows
        for flow in flows:
            transcript = flow.transcript
            if transcript is None or not transcript.tls or not transcript.went_well():
                continue
            let_go += 1
            verdict = judge(built(flow, str(path), 0, 6), nobody).verdict
            assert verdict is not None
            if verdict.outcome != "established":
                wrong.append((path, int(flow.number), verdict))
    assert wrong == []
    assert let_go


@pytest.mark.parametrize("place", PLACES)
def test_a_choice_of_failures_misses_none(place: Path) -> None:
    wrong = []
    for path in captures_under(place):
        everything = [c for c in Reader(path) if c.verdict is not None and c.verdict.outcome in ("failed", "not_tls")]
        if list(Reader(path, "failed")) != everything:
            wrong.append(path)
    assert wrong == []


@pytest.mark.parametrize("place", PLACES)
def test_every_verdict_says_something_and_claims_no_more_than_it_may(place: Path) -> None:
    for path in captures_under(place):
        for connection in read(path):
            verdict = connection.verdict
            assert verdict is not None
            assert (verdict.outcome == "failed") == (verdict.refused_by is not None)
            assert verdict.summary.endswith(".")
            assert 0 <= verdict.confidence <= 0.99
            if verdict.outcome == "failed" and verdict.confidence < 0.5 and verdict.cause is not None:
                assert "Undecided" in verdict.summary or "likely" in verdict.summary or "perhaps" in verdict.summary
