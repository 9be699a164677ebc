"""Fragments become datagrams, RFC 791 §3.2 and RFC 8200 §4.5: the first copy of a byte wins, and nothing grows."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.wire.fragments import MAX_AGE, MAX_BYTES, MAX_DATAGRAMS, MAX_PIECES, OVERHEAD, Datagram, Fragments

WHOLE = bytes(range(200)) + b"end"


def put(
    fragments: Fragments,
    start: int,
    stop: int,
    data: bytes = WHOLE,
    key: bytes = b"key",
    time: int = 0,
    cut: int = 0,
    whole: int = len(WHOLE),
) -> Datagram | None:
    """Add bytes ``start`` to ``stop`` of a datagram; ``cut`` of them are missing from the capture."""
    held = b"\xee" * 5 + data[start:stop] + b"\xee" * 5
    end = 5 + stop - start - cut
    return fragments.add(key, b"head", start, stop < whole, held, 5, end, stop - start, time)


def assert_whole(datagram: Datagram | None, payload: bytes = WHOLE) -> None:
    assert datagram is not None
    assert (datagram.head, datagram.payload(), datagram.total) == (b"head", payload, len(WHOLE))


def test_a_datagram_is_whole_with_its_last_missing_piece() -> None:
    fragments = Fragments()
    assert put(fragments, 0, 80) is None
    assert put(fragments, 160, 203) is None
    assert fragments.incomplete == 1
    assert_whole(put(fragments, 80, 160))
    assert (fragments.incomplete, fragments.cost, fragments.waiting) == (0, 0, {})


def test_without_its_first_fragment_nothing_is_whole() -> None:
    fragments = Fragments()
    assert put(fragments, 80, 203) is None
    assert put(fragments, 8, 80) is None
    assert_whole(put(fragments, 0, 8))


def test_datagrams_are_told_apart_by_their_keys() -> None:
    fragments = Fragments()
    assert put(fragments, 0, 80, key=b"a") is None
    assert put(fragments, 80, 203, key=b"b") is None
    assert fragments.incomplete == 2


def test_a_repeated_fragment_is_no_conflict() -> None:
    fragments = Fragments()
    for _ in range(3):
        assert put(fragments, 0, 80) is None
    assert_whole(put(fragments, 80, 203))
    assert fragments.conflicts == 0


@pytest.mark.parametrize(("start", "stop"), [(0, 80), (40, 80), (40, 120), (0, 120), (8, 72)])
def test_of_overlapping_fragments_the_first_is_read(start: int, stop: int) -> None:
    """RFC 5722 has hosts drop such datagrams; what the one in question did is not for a capture to know."""
    fragments = Fragments()
    put(fragments, 0, 80)
    put(fragments, start, stop, bytes(reversed(WHOLE[:stop])) + bytes(203))
    datagram = put(fragments, 80, 203)
    assert datagram is not None
    assert datagram.payload()[:80] == WHOLE[:80]
    assert fragments.conflicts >= 1


def test_overlaps_that_agree_are_none() -> None:
    fragments = Fragments()
    put(fragments, 0, 80)
    put(fragments, 100, 150)
    put(fragments, 40, 203)
    assert fragments.conflicts == 0


def test_bytes_that_the_capture_cut_off_end_what_is_known() -> None:
    fragments = Fragments()
    put(fragments, 0, 80, cut=10)
    assert_whole(put(fragments, 80, 203), WHOLE[:70])


def test_bytes_beyond_the_last_fragment_are_not_the_datagrams() -> None:
    fragments = Fragments()
    put(fragments, 80, 203)
    put(fragments, 240, 400, bytes(400), whole=1000)
    datagram = put(fragments, 0, 80)
    assert_whole(datagram)


@pytest.mark.parametrize(("offset", "size"), [(65528, 8), (65000, 1000), (8, 65535)])
def test_a_fragment_beyond_what_a_datagram_can_hold_is_counted(offset: int, size: int) -> None:
    fragments = Fragments()
    assert fragments.add(b"key", b"head", offset, False, bytes(size), 0, size, size, 0) is None
    assert (fragments.impossible, fragments.incomplete) == (1, 0)


def test_an_empty_fragment_is_none() -> None:
    fragments = Fragments()
    assert fragments.add(b"key", b"head", 0, True, b"", 0, 0, 0, 0) is None
    assert fragments.waiting == {}


@pytest.mark.parametrize("later", [MAX_AGE + 1, -MAX_AGE - 1], ids=["later", "the clock went back"])
def test_what_waits_too_long_is_given_up(later: int) -> None:
    """So that a number that is used again does not meet the pieces of an old datagram."""
    fragments = Fragments()
    put(fragments, 0, 80, time=0)
    assert put(fragments, 80, 203, time=later) is None
    assert (fragments.given_up, fragments.incomplete) == (1, 2)


def test_what_waits_not_too_long_is_put_together() -> None:
    fragments = Fragments()
    put(fragments, 0, 80, time=0)
    assert_whole(put(fragments, 80, 203, time=MAX_AGE))


def test_only_so_many_datagrams_wait() -> None:
    fragments = Fragments()
    for number in range(MAX_DATAGRAMS + 3):
        put(fragments, 0, 8, key=number.to_bytes(4, "big"))
    assert (len(fragments.waiting), fragments.crowded) == (MAX_DATAGRAMS, 3)
    assert next(iter(fragments.waiting)) == (3).to_bytes(4, "big")


def test_only_so_many_bytes_wait() -> None:
    fragments = Fragments()
    big = bytes(60_000)
    for number in range(400):
        fragments.add(number.to_bytes(4, "big"), b"head", 0, True, big, 0, len(big), len(big), 0)
    assert fragments.cost <= MAX_BYTES
    assert fragments.crowded == 400 - len(fragments.waiting) > 0


def test_a_datagram_of_more_pieces_than_it_can_have_is_given_up() -> None:
    fragments = Fragments()
    for place in range(MAX_PIECES + 1):
        fragments.add(b"key", b"head", 65000 - 16 * place, True, bytes(8), 0, 8, 8, 0)
    assert (fragments.crowded, fragments.waiting, fragments.cost) == (1, {}, 0)


def test_the_limits_hold_what_a_datagram_needs() -> None:
    assert MAX_BYTES > 65535 + MAX_PIECES * OVERHEAD
    assert MAX_AGE == 60 * 10**9


@given(
    cuts=st.sets(st.integers(1, len(WHOLE) - 1), max_size=12),
    order=st.randoms(use_true_random=False),
    again=st.lists(st.tuples(st.integers(0, 150), st.integers(1, 50)), max_size=5),
)
def test_any_slicing_in_any_order_gives_the_datagram(
    cuts: set[int], order: Random, again: list[tuple[int, int]]
) -> None:
    bounds = [0, *sorted(cuts), len(WHOLE)]
    pieces = list(pairwise(bounds))
    pieces += [(start, start + size) for start, size in again]
    order.shuffle(pieces)
    fragments = Fragments()
    found = [datagram for start, stop in pieces if (datagram := put(fragments, start, stop)) is not None]
    assert_whole(found[0])
    assert fragments.conflicts == 0
    assert fragments.cost >= 0
