"""What ``read`` says of public captures agrees with what Wireshark sees, but for a list of differences with reasons.

``differences.json`` has them: the capture, the stream, the figure, what both say, and why; where Wireshark errs the
reason cites the RFC. A difference that is not in the list fails, and so does an entry that is none any more.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.corpus.truth import (
    DIFFERENCES,
    FIGURES,
    FLOOR,
    Compared,
    agreement,
    captures,
    compared,
    keyed,
    only_ours,
    stale,
    unexplained,
)
from tests.evidence import needs_corpus


@pytest.fixture(scope="module")
def everything() -> list[Compared]:
    return [figure for capture in captures() for figure in compared(capture)]


@needs_corpus
@pytest.mark.parametrize("figure", FIGURES)
def test_ninety_nine_of_a_hundred_agree(everything: list[Compared], figure: str) -> None:
    equal, total = agreement(everything, figure)
    assert total
    assert equal / total >= FLOOR


@needs_corpus
def test_every_difference_is_known(everything: list[Compared]) -> None:
    assert unexplained(everything) == []


@needs_corpus
def test_every_known_difference_is_still_one(everything: list[Compared]) -> None:
    assert stale(everything) == []


def test_each_known_difference_stands_once_and_has_a_reason() -> None:
    counted = Counter((one["path"], one["stream"], one["figure"]) for one in DIFFERENCES)
    assert [key for key, times in counted.items() if times > 1] == []
    assert [one for one in DIFFERENCES if len(one["reason"]) < 30] == []
    errs = [one["reason"] for one in DIFFERENCES if "Wireshark errs" in one["reason"]]
    assert [reason for reason in errs if "RFC" not in reason and "draft" not in reason] == []


@pytest.fixture(scope="module")
def decrypted() -> list[Compared]:
    return [figure for capture in keyed() for figure in compared(capture, keys=True)]


@needs_corpus
@pytest.mark.parametrize("figure", FIGURES)
def test_of_what_wireshark_decrypts_ninety_nine_of_a_hundred_agree(decrypted: list[Compared], figure: str) -> None:
    equal, total = agreement(decrypted, figure)
    assert total
    assert equal / total >= FLOOR


@needs_corpus
def test_some_streams_are_decrypted_here_alone() -> None:
    assert only_ours()
