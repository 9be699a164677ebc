"""Is the answer the right one? By the suite's word, by the baseline, or by what the RFC calls for."""

from __future__ import annotations

from collections.abc import Mapping

from tlsalert.replay.bench import VariantFacts
from tlsalert.replay.compare import Comparison, short_answer
from tlsalert.replay.expectation import Expectation
from tlsalert.replay.result import Result, Row
from tlsalert.replay.suite import Suite
from tlsalert.replay.words import phrase

ACCEPTED, REFUSED = Expectation(frozenset({"accepted"})), Expectation(frozenset({"refused"}))


def wanted(suite: Suite, facts: Mapping[str, VariantFacts], row: Row, has_baseline: bool) -> Expectation | None:
    """Return what a suite expects of a row.

    Where it says nothing and there is no baseline either, the device is to accept what the RFCs call for accepting,
    and to refuse the rest in whatever way.
    """
    said = suite.expects(row.variant, row.tls_version)
    if said is not None or has_baseline:
        return said
    known = facts.get(row.variant)
    called = None if known is None else known.expected(row)
    if called is None:
        return None
    return ACCEPTED if "accepted" in called.words else REFUSED


def complaint(row: Row, expected: Expectation | None) -> str | None:
    """Return what is wrong with an answer, in a sentence; None where nothing is, or it was not tried."""
    if expected is None or row.outcome in ("not_tried", "unreachable") or expected.met_by(row):
        return None
    note = f" ({row.note})" if row.note and row.note != short_answer(row) else ""
    return f"{phrase(row.variant)} in {row.tls_version}: expected {expected}, got {short_answer(row)}{note}"


def complaints(
    result: Result, expects: Mapping[tuple[str, str], Expectation], comparison: Comparison | None
) -> dict[tuple[str, str], list[str]]:
    """Return all that is wrong with a result, by variant and TLS version."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in result.rows:
        said = complaint(row, expects.get(row.place))
        if said is not None:
            found.setdefault(row.place, []).append(said)
    for change in comparison.changes if comparison is not None else ():
        for version in change.tls_versions:
            found.setdefault((change.variant, version), []).append(change.sentence)
    return found
