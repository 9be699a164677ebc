"""Trials as rows: one sure answer for each variant and version."""

from __future__ import annotations

import pytest

from tlsalert.diagnosis.tried import Cell, Tried, cells, refused, said


def test_an_answer_that_came_every_time_is_sure() -> None:
    assert cells([Tried("good", "TLS 1.2", "ok", repeat=n) for n in range(3)]) == [Cell("good", "TLS 1.2", "ok")]


def test_of_answers_that_differ_the_usual_one_counts() -> None:
    several = [Tried("good", "TLS 1.2", answer, repeat=n) for n, answer in enumerate(("42", "48", "42"))]
    assert cells(several) == [Cell("good", "TLS 1.2", "42")]


def test_without_a_majority_nothing_is_sure() -> None:
    assert cells([Tried("good", "TLS 1.2", "42"), Tried("good", "TLS 1.2", "ok", repeat=1)]) == []


def test_of_several_orders_the_first_counts_for_then_the_device_had_seen_least() -> None:
    told = cells(
        [Tried("missing_intermediate", "TLS 1.2", "ok", order=1), Tried("missing_intermediate", "TLS 1.2", "48")]
    )
    assert told == [Cell("missing_intermediate", "TLS 1.2", "48")]


@pytest.mark.parametrize("answer", ["silent", "lost", "unread"])
def test_what_tells_nothing_is_left_out_and_refuses_nothing(answer: str) -> None:
    assert cells([Tried("good", "TLS 1.2", answer)]) == []
    assert not refused(answer)


@pytest.mark.parametrize(
    ("answer", "words"), [("42", "42"), ("ok", "accepted"), ("rst", "reset without an alert"), ("400", "HTTP 400")]
)
def test_answers_read_well(answer: str, words: str) -> None:
    assert said(answer) == words
    assert refused(answer) == (answer != "ok")
