"""Verdicts over evidence whose truth is known: the project's own captures, recorded cases, and public captures.

``expected.json`` beside each recorded case says how it was made: the alert, who refused, and the cause. Where the
refuser's clock does not show, "not yet valid" can only be the likeliest cause and must not be claimed as certain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.diagnosis.handshakes import Witnesses
from tests.evidence import ATLAS, CAPTURES, CASES, CORPUS, captures_under, needs_atlas, needs_cases, needs_corpus
from tests.wire.packets import Capture as Flows
from tlsalert.capture import Reader, read
from tlsalert.diagnosis.verdict import judge
from tlsalert.model import Connection, Verdict
from tlsalert.sources.files import ByteSource
from tlsalert.wire.connection import connection as built

#: Evidence whose alert is encrypted: who refused must be right without keys, the rest is for the reading with keys.
NEED_KEYS = {
    *(f"tls13-{how}/{file}" for how in ("expired", "fixed", "no-client-cert", "not-yet-valid", "unknown-ca")
      for file in ("capture.pcap", "capture-dsb.pcapng")),
    "alert-encrypted-renegotiation/capture.pcap",
}  # fmt: skip
#: What the stories of the cases without a verdict of their own are about.
CAUSES = {
    "no-client-cert": "no_client_certificate",
    "unknown-ca": "unknown_ca",
    "not-yet-valid": "certificate_not_yet_valid",
    "expired": "certificate_expired",
}
#: nginx lets the handshake succeed and refuses inside it, with HTTP 400.
REFUSES_INSIDE = ("nginx",)


@dataclass(frozen=True)
class Expected:
    """What is known of one connection in one capture of a case."""

    path: Path
    place: int
    client: str | None
    alerts: tuple[tuple[int, str], ...] | None
    outcome: str | None
    refused_by: str | None
    cause: str | None
    faults: tuple[str | None, ...]
    shown: bool
    never: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.path.relative_to(CASES)}#{self.place}"

    @property
    def needs_keys(self) -> bool:
        return str(self.path.relative_to(CASES)) in NEED_KEYS

    @property
    def told(self) -> Connection:
        connections = connections_of(self.path)
        by_client = (c for c in connections if c.client is not None and str(c.client) == self.client)
        return next(by_client, connections[min(self.place, len(connections) - 1)])

    @property
    def verdict(self) -> Verdict:
        verdict = self.told.verdict
        assert verdict is not None
        return verdict


@cache
def connections_of(path: Path) -> tuple[Connection, ...]:
    return tuple(read(path))


def expectations() -> Iterator[Expected]:
    """Go through what is known of the captures of all cases."""
    for file in sorted(CASES.glob("*/expected.json")):
        case = json.loads(file.read_text())
        entries: dict[str, list[dict[str, Any]]] = {}
        for entry in case["evidence"]:
            keyed = "keys.log" in entry.get("note", "") and "with keys.log" in entry["note"]
            if entry.get("kind") == "capture" and not entry.get("same_as") and not keyed:
                entries.setdefault(entry["file"], []).append(entry)
        for name, ours in entries.items():
            alone = len(ours) == 1
            yield from (_expected(file.parent / name, n, one, case, alone) for n, one in enumerate(ours))


def _expected(path: Path, place: int, entry: dict[str, Any], case: dict[str, Any], alone: bool) -> Expected:
    truth = entry.get("verdict") or (case["truth"].get("verdict") if alone else None) or _by_scenario(entry)
    listed = entry.get("alerts")
    return Expected(
        path,
        place,
        entry.get("client"),
        None if listed is None else tuple((alert["code"], alert["from"]) for alert in listed),
        truth.get("outcome"),
        truth.get("refused_by"),
        truth.get("cause"),
        tuple(truth.get("at_fault", ())),
        entry.get("server_random_is_clock", "server" not in entry or ":" in entry["server"]),
        tuple(truth.get("never_confident", ())),
    )


def _by_scenario(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the verdict that a story's name stands for."""
    story = entry.get("scenario")
    if story is None:
        return {}
    if story == "fixed" or entry.get("server") in REFUSES_INSIDE:
        return {"outcome": "established"}
    at_fault = {"no-client-cert": ["client"], "unknown-ca": ["client"], "not-yet-valid": ["server"]}
    return {
        "outcome": "failed",
        "refused_by": "server",
        "cause": CAUSES[story] if entry["alerts"] or story == "no-client-cert" else None,  # a close says no more
        "at_fault": at_fault.get(story, ["client", "server"]),
    }


EXPECTED = list(expectations())
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
def test_the_alerts_are_those_that_were_sent(expected: Expected) -> None:
    assert expected.alerts is not None
    told = [(alert.code, alert.sender) for alert in expected.told.alerts if alert.code is not None]
    assert [alert for alert in told if alert in expected.alerts] == list(expected.alerts)


@each()
def test_the_outcome_and_who_refused_are_right(expected: Expected) -> None:
    verdict = expected.verdict
    assert (verdict.outcome, verdict.refused_by) == (expected.outcome, expected.refused_by)


@each(failed=True)
def test_the_cause_comes_first_where_the_evidence_decides(expected: Expected) -> None:
    verdict = expected.verdict
    decides = expected.shown or expected.cause in ("no_client_certificate", "certificate_expired")
    if expected.cause is None:
        pytest.skip("nobody can know the cause from this")
    if expected.needs_keys and "tls13" in expected.name and expected.cause != "no_client_certificate":
        pytest.skip("the alert is encrypted and the server shows no clock: for the reading with keys")
    if not decides or (expected.client is None and expected.cause != "no_client_certificate"):
        names = [verdict.cause, *(alternative.cause for alternative in verdict.alternatives)]
        assert expected.cause in names[:3]
        return
    assert verdict.cause == expected.cause
    assert verdict.at_fault in expected.faults


@each(failed=True)
def test_no_verdict_is_wrong_with_confidence(expected: Expected) -> None:
    verdict = expected.verdict
    if verdict.confidence >= 0.9:
        assert verdict.cause not in expected.never
        assert expected.cause in (None, verdict.cause)


# --- the project's own captures: captures/README.md -----------------------------------------------------------------

NOT_YET, EXPIRED = "certificate_not_yet_valid", "certificate_expired"
STORIES = {
    "no-client-certificate": [(40, "no_client_certificate", "client")],
    "unknown-ca": [(48, "unknown_ca", "client")],
    "not-yet-valid": [(42, NOT_YET, "server")] * 3,
    "not-yet-valid-no-clock": [(42, NOT_YET, "server")],
    "expired": [(45, EXPIRED, "client")],
    "success": [(None, None, None)],
    "console": [(40, "no_client_certificate", "client"), (48, "unknown_ca", "client"), (42, NOT_YET, "server")],
}


def test_every_capture_has_its_story() -> None:
    assert {path.stem for path in CAPTURES.glob("*.pcap")} >= {*STORIES}  # the others are held by labels.json


@pytest.mark.parametrize("name", STORIES)
def test_each_capture_is_told_as_it_was_made(name: str) -> None:
    told = []
    for connection in read(CAPTURES / f"{name}.pcap"):
        verdict = connection.verdict
        assert verdict is not None
        (code,) = [alert.code for alert in connection.alerts] or [None]
        assert verdict.refused_by == (None if code is None else "server")
        told.append((code, verdict.cause if code else None, verdict.at_fault))
    assert told == STORIES[name]


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
