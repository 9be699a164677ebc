"""One thing, several things, many things."""

from __future__ import annotations

import pytest

from tlsalert.counted import counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 packets"), (1, "1 packet"), (2, "2 packets"), (12_000, "12,000 packets")]
)
def test_a_number_and_what_it_counts(number: int, said: str) -> None:
    assert counted(number, "packet") == said
