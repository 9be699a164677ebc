"""Errors say what, where, and what to do; they travel between processes, and know their exit code."""

from __future__ import annotations

import pickle

import pytest

from tlsalert.errors import CaptureError, DecodeError, TlsalertError, UsageError

FAMILY = [TlsalertError, CaptureError, DecodeError, UsageError]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CaptureError("there is no such file"), "there is no such file"),
        (CaptureError("that is a directory", "/tmp"), "/tmp: that is a directory"),
        (
            CaptureError("that is a directory", "/tmp", "name the files in it"),
            "/tmp: that is a directory; name the files in it",
        ),
        (UsageError("times go backwards", mend="give one that is later"), "times go backwards; give one that is later"),
    ],
)
def test_an_error_is_one_sentence_of_what_where_and_mend(error: TlsalertError, said: str) -> None:
    assert str(error) == said


@pytest.mark.parametrize("kind", FAMILY)
def test_errors_keep_their_facts_and_pickle(kind: type[TlsalertError]) -> None:
    error = kind("what", "where", "mend")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.what, again.where, again.mend) == ("what", "where", "mend")
    assert str(again) == str(error)


@pytest.mark.parametrize("kind", FAMILY)
def test_all_are_of_one_family_and_can_be_noted(kind: type[TlsalertError]) -> None:
    error = kind("what")
    assert isinstance(error, TlsalertError)
    error.add_note("while it was tested")
    assert (error.where, error.mend) == (None, None)


def test_a_wrong_call_ends_with_2_and_evidence_that_cannot_be_read_with_3() -> None:
    assert UsageError("x").exit_code == 2
    assert CaptureError("x").exit_code == DecodeError("x").exit_code == 3
