"""A baseline is made, held against, and brought up to date without losing what was not asked for."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.replay.fake_device import ACCEPTED, FOUNDING, GONE, alert
from tlsalert.errors import CaptureError, UsageError
from tlsalert.replay import baseline
from tlsalert.replay.outcome import NotTried, Outcome
from tlsalert.replay.result import HelloTold, Result, load_result, row_of


def result(**answers: Outcome) -> Result:
    rows = tuple(row_of(variant, "TLS 1.2", outcome) for variant, outcome in answers.items())
    return Result("bmc:5900", HelloTold("x"), rows, FOUNDING.verdict, FOUNDING.clock, FOUNDING.stack, FOUNDING.trusts)


def test_a_first_baseline_is_written_without_what_moves(tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    assert baseline.update(result(good=ACCEPTED, expired=alert(45)), str(path))
    written = load_result(path)
    assert (written.verdict, written.clock) == (None, None)
    assert [row.variant for row in written.rows] == ["good", "expired"]
    assert not baseline.check(result(good=ACCEPTED, expired=alert(45)), str(path)).differs
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600


def test_the_same_answers_leave_the_file_as_it_was(tmp_path: Path) -> None:
    path = str(tmp_path / "console.json")
    assert baseline.update(result(good=ACCEPTED), path)
    assert not baseline.update(result(good=ACCEPTED), path)


def test_a_difference_is_told_by_the_files_name(tmp_path: Path) -> None:
    path = str(tmp_path / "console-3.88.json")
    baseline.update(result(expired=alert(45)), path)
    assert str(baseline.check(result(expired=alert(48)), path)) == (
        "the device answers unknown_ca (48) to an expired certificate"
        " where console-3.88 answered certificate_expired (45)"
    )


def test_an_update_keeps_what_was_not_asked_for_and_what_could_not_be_had(tmp_path: Path) -> None:
    path = str(tmp_path / "console.json")
    baseline.update(result(good=ACCEPTED, expired=alert(45), none_sent=alert(40), revoked=alert(44)), path)
    baseline.update(result(expired=alert(48), none_sent=GONE, revoked=NotTried("interrupted"), new=ACCEPTED), path)
    rows = load_result(path).rows
    assert [(row.variant, row.alert and row.alert.code) for row in rows] == [
        ("good", None),
        ("expired", 48),
        ("none_sent", 40),
        ("revoked", 44),
        ("new", None),
    ]


def test_a_missing_baseline_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such baseline; make it with --update-baseline"):
        baseline.check(result(), str(tmp_path / "none.json"))


def test_a_file_that_is_something_else_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(CaptureError, match="is no JSON"):
        baseline.update(result(good=ACCEPTED), str(path))
    assert path.read_text() == "mine"


def test_where_it_cannot_be_written_that_is_said_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"no/folder\.json: cannot be written: No such file or directory"):
        baseline.update(result(good=ACCEPTED), "no/folder.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(CaptureError):
        baseline.update(result(good=ACCEPTED), str(tmp_path / "folder.json"))
    assert [path.name for path in tmp_path.iterdir()] == ["folder.json"]
