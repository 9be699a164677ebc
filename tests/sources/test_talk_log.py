"""What all these logs have in common."""

from __future__ import annotations

import os
from pathlib import Path

from tlsalert.sources.talk import Grade
from tlsalert.sources.talk_log import NO_TIME, TalkLog, changed_at
from tlsalert.wire.transcript import Keeping


def test_sessions_in_which_nothing_was_said_are_not_counted() -> None:
    log = TalkLog("-", Keeping())
    log.tell(log.fresh(1))
    talk = log.fresh(2)
    talk.message(True, 1, 2, Grade.detail)
    log.tell(talk)
    assert [one.number for one in log.take()] == [0]  # type: ignore[union-attr]
    assert log.take() == []


def test_the_times_of_sessions_are_the_logs() -> None:
    log = TalkLog("-", Keeping())
    for time in (30, 10, None):
        talk = log.fresh(1)
        talk.time = time
        talk.message(True, 1, 2, Grade.detail)
        log.tell(talk)
    assert (log.timed, log.began, log.ended) == (True, 10, 30)
    assert log.notes() == [NO_TIME]


def test_a_file_has_a_time_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("x")
    os.utime(path, ns=(5, 7))
    assert changed_at(str(path)) == 7
    assert changed_at(str(tmp_path / "none")) > 7
