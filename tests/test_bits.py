"""A set of numbers in one bit for each behaves as a set does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tlsalert.bits import Bits


@given(numbers=st.sets(st.integers(0, 3000)), asked=st.integers(-5, 4000))
def test_it_is_the_set_of_what_was_put_in(numbers: set[int], asked: int) -> None:
    bits = Bits(numbers)
    assert (asked in bits) == (asked in numbers)
    assert len(bits) == len(numbers)


@given(numbers=st.sets(st.integers(0, 3000)))
def test_numbers_are_found_by_their_rank(numbers: set[int]) -> None:
    bits = Bits(numbers)
    assert [bits.nth(rank) for rank in range(len(numbers) + 1)] == [*sorted(numbers), None]


@given(numbers=st.sets(st.integers(0, 3000)))
def test_the_last_is_the_greatest(numbers: set[int]) -> None:
    assert Bits(numbers).last == max(numbers, default=-1)


def test_what_is_no_number_is_not_in_it() -> None:
    assert "1" not in Bits([1])
