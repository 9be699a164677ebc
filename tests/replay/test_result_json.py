"""Results as JSON: DESIGN's keys, one row a line, back again, and sentences for what is something else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replay.fake_device import ACCEPTED, FOUNDING, LOST, alert
from tlsalert.errors import CaptureError
from tlsalert.replay.outcome import STAGES, NotTried
from tlsalert.replay.result import KINDS, AlertSaid, FindingTold, HelloTold, Result, Row, load_result, row_of
from tlsalert.replay.result_json import SCHEMA

RESULT = Result(
    "10.0.0.7:5900",
    HelloTold("captures/console.pcap #0", ("the session ticket",)),
    (
        row_of("good", "TLS 1.2", ACCEPTED),
        row_of("expired", "TLS 1.2", alert(45)),
        row_of("none_sent", "TLS 1.2", LOST),
        row_of("revoked", "TLS 1.2", NotTried("needs the CA's key")),
    ),
    FOUNDING.verdict,
    FOUNDING.clock,
    FOUNDING.stack,
    FOUNDING.trusts,
    ("the order matters for: good (TLS 1.2)",),
    (FindingTold("demand", "a client without a certificate is let in", True),),
)

text = st.text(max_size=20)
maybe = st.none() | text
rows = st.builds(
    Row,
    text,
    text,
    st.sampled_from(KINDS),
    st.none()
    | st.builds(AlertSaid, st.none() | st.integers(0, 255), maybe, maybe, st.sampled_from(["client", "server"])),
    st.sampled_from([None, "fin", "rst"]),
    st.sampled_from(STAGES),
    maybe,
)
results = st.builds(
    Result,
    text,
    st.builds(HelloTold, text, st.tuples(text)),
    st.lists(rows, max_size=5, unique_by=lambda row: row.place).map(tuple),
    trusts=st.tuples(text),
    notes=st.tuples(text, text),
)


def test_it_has_the_documented_keys() -> None:
    value = json.loads(RESULT.to_json())
    assert {"target", "hello", "results", "verdict", "clock", "stack", "trusts"} <= value.keys()
    assert next(iter(value)) == "schema"
    assert [one["variant"] for one in value["results"]] == ["good", "expired", "none_sent", "revoked"]
    for one in value["results"]:
        assert list(one) == ["variant", "tls_version", "outcome", "alert", "how", "stage", "note"]
    assert value["results"][1]["alert"] == {
        "code": 45,
        "description": "certificate_expired",
        "level": "fatal",
        "from": "server",
    }
    assert value["results"][2]["how"] == "rst"
    assert value["verdict"]["cause"] == "certificate_not_yet_valid"


def test_a_changed_answer_is_one_changed_line() -> None:
    changed = replace(RESULT, rows=(RESULT.rows[0], row_of("expired", "TLS 1.2", alert(48)), *RESULT.rows[2:]))
    lines = zip(RESULT.to_json().splitlines(), changed.to_json().splitlines(), strict=True)
    assert sum(one != other for one, other in lines) == 1


@given(results)
def test_what_is_written_is_read_back(result: Result) -> None:
    assert Result.from_json(result.to_json()) == result
    assert len(result.to_json().splitlines()) >= 11 or not result.rows


def test_the_whole_is_read_back() -> None:
    assert Result.from_json(RESULT.to_json()) == RESULT


def test_a_file_gives_the_result_its_name(tmp_path: Path) -> None:
    path = tmp_path / "firmware-3.90.json"
    path.write_text(RESULT.to_json(), encoding="utf-8")
    assert load_result(path).label == "firmware-3.90"
    assert load_result(path, "3.90").label == "3.90"
    assert replace(load_result(path), label=None) == RESULT


def damaged(where: str, value: object) -> str:
    """Return the result as JSON with one field changed; "…" leaves it out."""
    whole: Any = json.loads(RESULT.to_json())
    holder, *path = whole, *where.split(".")
    for step in path[:-1]:
        holder = holder[int(step) if step.isdigit() else step]
    last: Any = int(path[-1]) if path[-1].isdigit() else path[-1]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is no JSON"),
        (RESULT.to_json()[:-40], "is no JSON: .*; it may be cut off: write it again"),
        ("[" * 100_000, "is JSON nested deeper"),
        ("{}", "is no result of tlsalert replay; write one with tlsalert replay --format json -o FILE"),
        ("[]", "is no result of tlsalert replay"),
        (
            damaged("schema", "tlsalert.replay/2"),
            f"has the form 'tlsalert.replay/2', this is for '{SCHEMA}'; update it",
        ),
        (damaged("target", ...), "target is missing or no text"),
        (damaged("hello", "x"), "hello is missing or no object"),
        (damaged("hello.lost", [1]), "hello.lost is no list of texts"),
        (damaged("results", None), "results is missing or no list"),
        (damaged("results.1", 7), r"results\[1\] is no object"),
        (damaged("results.1.outcome", "fine"), r"results\[1\].outcome is not one of accepted, refused"),
        (damaged("results.1.alert.code", 256), r"results\[1\].alert.code is no number from 0 to 255"),
        (damaged("results.1.alert.code", True), r"results\[1\].alert.code is no number"),
        (damaged("results.1.alert.from", "me"), r"results\[1\].alert.from is not one of client, server"),
        (damaged("results.2.how", "bang"), r"results\[2\].how is not one of fin, rst"),
        (damaged("results.1.variant", "good"), r"results\[1\] is good in TLS 1.2 for the second time"),
        (damaged("verdict.confidence", "high"), "verdict.confidence is missing or no number"),
        (damaged("verdict.evidence", 1), "verdict.evidence is missing or no list"),
        (damaged("clock.says", ...), "clock.says is missing"),
        (damaged("stack.agreement", float("inf")), "stack.agreement is missing or no number"),
    ],
)
def test_what_is_damaged_or_something_else_is_told_in_a_sentence(content: str, says: str) -> None:
    with pytest.raises(CaptureError, match=r"^old\.json: " + f"({says})"):
        Result.from_json(content, "old.json")


def test_what_only_tells_of_the_run_may_be_missing() -> None:
    value = json.loads(RESULT.to_json())
    for key in ("schema", "notes", "findings", "trusts"):
        del value[key]
    assert Result.from_json(json.dumps(value)).rows == RESULT.rows


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xd4\xc3\xb2\xa1\x02\x00")
    with pytest.raises(CaptureError, match=r"binary\.json: is no text"):
        load_result(tmp_path / "binary.json")
    with pytest.raises(CaptureError, match=r"none\.json: cannot be read: No such file"):
        load_result(tmp_path / "none.json")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda c: (
            st.lists(c) | st.dictionaries(st.sampled_from(["schema", "target", "hello", "results", "name", "lost"]), c)
        ),
    )
)
def test_any_json_is_a_result_or_a_sentence(value: object) -> None:
    if isinstance(value, dict):
        value["schema"] = SCHEMA
    with pytest.raises(CaptureError):
        Result.from_json(json.dumps(value))
