"""The logs of servers in the recorded cases: who refused, by which alert, and the cause."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evidence import CASES, needs_cases
from tlsalert.capture import read

pytestmark = needs_cases


def logs() -> list[object]:
    found: list[object] = []
    for expected in sorted(CASES.glob("*/expected.json")):
        case = json.loads(expected.read_text())
        for evidence in case["evidence"]:
            if evidence.get("kind") in ("stunnel_log", "syslog") and "file" in evidence:
                path = expected.parent / evidence["file"]
                found.append(pytest.param(path, case["truth"], evidence, id=f"{path.parent.name}/{path.name}"))
    return found


@pytest.mark.parametrize(("path", "truth", "evidence"), logs())
def test_a_log_says_who_refused_what(path: Path, truth: dict[str, object], evidence: dict[str, object]) -> None:
    expected = evidence.get("verdict") or truth.get("verdict")
    assert isinstance(expected, dict)
    for one in read(path):
        verdict = one.verdict
        assert verdict is not None
        assert (verdict.outcome, verdict.refused_by) == (expected["outcome"], expected["refused_by"])
        if expected["cause"] is None:
            continue
        first, *others = [verdict.cause, *(other.cause for other in verdict.alternatives)]
        assert expected["cause"] in (first, *others[:2])
        assert first == expected["cause"] or verdict.confidence < 0.9
        if one.account is not None and one.account.side == expected["refused_by"]:  # it says so itself
            assert first == expected["cause"]
            assert verdict.at_fault in expected["at_fault"]
