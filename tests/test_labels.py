"""Each of the project's own captures is read as it was made: captures/labels.json."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.evidence import CAPTURES
from tlsalert.capture import read
from tlsalert.model import Connection, Verdict

LABELS: dict[str, Any] = json.loads((CAPTURES / "labels.json").read_text(encoding="utf-8"))["captures"]
#: Where the packets do not decide (an encrypted alert hides its number, and the certificate with it) the right cause
#: is among this many that are named first.
NAMED = 3
#: Here the packets decide, but only for who checks signatures and compares the chains of both sides.
CLOSE = ("intermediate-missing.pcap", "chain-out-of-order.pcap", "tampered-certificate.pcap")
CONNECTIONS = [
    pytest.param(file, number, label, id=f"{file}#{number}")
    for file, capture in LABELS.items()
    for number, label in enumerate(capture["connections"])
]
#: The truth about one connection: see captures/labels.py.
Label = dict[str, Any]


@cache
def told(path: Path) -> tuple[Connection, ...]:
    return tuple(read(path))


def connection(file: str, number: int) -> tuple[Connection, Verdict]:
    connections = told(CAPTURES / file)
    assert len(connections) == len(LABELS[file]["connections"])
    verdict = connections[number].verdict
    assert verdict is not None
    return connections[number], verdict


@pytest.mark.parametrize(("file", "number", "label"), CONNECTIONS)
def test_the_outcome_and_who_refused(file: str, number: int, label: Label) -> None:
    _, verdict = connection(file, number)
    assert (verdict.outcome, verdict.refused_by) == (label["outcome"], label["refused_by"])


@pytest.mark.parametrize(("file", "number", "label"), CONNECTIONS)
def test_the_alert_and_its_sender(file: str, number: int, label: Label) -> None:
    told, _ = connection(file, number)
    fatal = [alert for alert in told.alerts if alert.fatal]
    assert [alert.sender for alert in fatal] == [label["alert_from"]] * (label["alert"] is not None)
    readable = [alert.code for alert in fatal if not label["encrypted"] or alert.code is not None]
    assert set(readable) <= {label["alert"]}
    assert len(readable) == len(fatal) or label["encrypted"]


@pytest.mark.parametrize(("file", "number", "label"), CONNECTIONS)
def test_the_cause_and_where_the_mend_belongs(file: str, number: int, label: Label) -> None:
    _, verdict = connection(file, number)
    if not label["causes"]:
        assert verdict.confidence >= 0.8
        return
    ranked = [verdict.cause, *(other.cause for other in verdict.alternatives)][:NAMED]
    assert set(ranked) & set(label["causes"])
    if label["decided"] and file not in CLOSE:
        assert verdict.cause == ranked[0] in label["causes"]
    if verdict.cause in label["causes"]:
        assert verdict.at_fault in (*label["at_fault"], None)
    else:
        assert verdict.confidence < 0.9  # wrong, but not with confidence


def test_a_lost_alert_is_told_as_lost() -> None:
    lost = [file for file in LABELS for one in told(CAPTURES / file) if one.verdict and one.verdict.alert_lost]
    assert lost == ["alert-lost.pcap"]


# --- with keys ------------------------------------------------------------------------------------------------------

KEYED = [
    pytest.param(file, number, label, id=f"{file}#{number}")
    for file, capture in LABELS.items()
    for number, label in enumerate(capture["connections"])
    if label.get("keys") or label["encrypted"]
]


@pytest.mark.parametrize(("file", "number", "label"), KEYED)
def test_with_keys_the_alert_and_the_cause_are_right(file: str, number: int, label: Label) -> None:
    keys = CAPTURES / label["keys"] if label["keys"] else None  # None: the capture brings them itself
    told = read(CAPTURES / file, keylog=keys)[number]
    verdict = told.verdict
    assert verdict is not None
    assert (verdict.outcome, verdict.refused_by) == (label["outcome"], label["refused_by"])
    fatal = [(alert.code, alert.sender, alert.decrypted) for alert in told.alerts if alert.fatal]
    assert fatal == ([(label["alert"], label["alert_from"], True)] if label["alert"] is not None else [])
    assert [message.decrypted for message in told.messages if message.message == "finished"] == [True, True]
    if label["causes"]:
        assert verdict.cause in label["causes"]
        assert verdict.at_fault in (*label["at_fault"], None)
