"""What ``read`` says of public captures agrees with what Wireshark sees, but for a list of differences with reasons.

``differences.json`` has them: the capture, the stream, the figure, what both say, and why; where Wireshark errs the
reason cites the RFC. A difference that is not in the list fails, and so does an entry that is none any more.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.truth import FIGURES, Compared, captures, compared
from tests.evidence import needs_corpus

pytestmark = needs_corpus

#: The least share of agreement in each figure, over all streams that tshark finds.
FLOOR = 0.99
DIFFERENCES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("differences.json").read_text(encoding="utf-8")
)["differences"]


@pytest.fixture(scope="module")
def everything() -> list[Compared]:
    return [figure for capture in captures() for figure in compared(capture)]


@pytest.mark.parametrize("figure", FIGURES)
def test_ninety_nine_of_a_hundred_agree(everything: list[Compared], figure: str) -> None:
    ours = [one.equal for one in everything if one.figure == figure]
    assert ours
    assert sum(ours) / len(ours) >= FLOOR, f"{len(ours) - sum(ours)} of {len(ours)} differ"


def test_every_difference_is_known_and_has_a_reason(everything: list[Compared]) -> None:
    known = {(one["path"], one["stream"], one["figure"]) for one in DIFFERENCES}
    assert [one for one in everything if not one.equal and one.key not in known] == []
    assert all(len(one["reason"]) > 20 for one in DIFFERENCES)


def test_every_known_difference_is_still_one(everything: list[Compared]) -> None:
    differ = {one.key: (one.theirs, one.ours) for one in everything if not one.equal}
    listed = {(one["path"], one["stream"], one["figure"]): (one["theirs"], one["ours"]) for one in DIFFERENCES}
    assert {key: both for key, both in listed.items() if differ.get(key) != both} == {}


def test_no_difference_is_listed_twice() -> None:
    counted = Counter((one["path"], one["stream"], one["figure"]) for one in DIFFERENCES)
    assert [key for key, times in counted.items() if times > 1] == []
