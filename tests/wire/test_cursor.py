"""A cursor stays inside its vector, or says what does not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.errors import DecodeError
from tlsalert.wire.cursor import Cursor


def over(data: bytes) -> Cursor:
    """Return a cursor over ``data`` that lies amid other bytes."""
    return Cursor(b"\xff\xff" + data + b"\xee\xee\xee", 2, 2 + len(data))


def test_numbers_are_read_in_network_order() -> None:
    cursor = over(bytes.fromhex("01 0203 040506 0708090a 07"))
    assert (cursor.u8("a"), cursor.u16("b"), cursor.u24("c")) == (0x01, 0x0203, 0x040506)
    assert cursor.u32("d") == 0x0708090A
    assert cursor.left == 1
    assert cursor.take(1, "d") == b"\x07"
    assert cursor.left == 0


def test_the_largest_numbers_are_not_signed() -> None:
    cursor = over(b"\xff" * 10)
    assert (cursor.u8("a"), cursor.u16("b"), cursor.u24("c")) == (0xFF, 0xFFFF, 0xFFFFFF)
    assert cursor.u32("d") == 0xFFFFFFFF


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_vector_gives_just_its_bytes_and_is_stepped_over(width: int) -> None:
    cursor = over((3).to_bytes(width, "big") + b"abc" + b"rest")
    inner = cursor.vector(width, "vector")
    assert inner.rest() == b"abc"
    assert cursor.rest() == b"rest"


def test_vectors_nest() -> None:
    outer = over(bytes.fromhex("0005 02 aabb 01 cc ff")).vector(2, "outer")
    assert outer.vector(1, "first").rest() == b"\xaa\xbb"
    assert outer.vector(1, "second").rest() == b"\xcc"
    assert outer.left == 0


def test_an_empty_vector_is_one() -> None:
    assert over(b"\0\0").vector(2, "vector").rest() == b""


@pytest.mark.parametrize(("width", "numbers"), [(1, (1, 2, 3, 255)), (2, (0x0102, 0x03FF))])
def test_a_vector_of_numbers_is_read_whole(width: int, numbers: tuple[int, ...]) -> None:
    cursor = over(b"\x01\x02\x03\xff")
    assert cursor.numbers(width, "numbers") == numbers
    assert cursor.left == 0


def test_done_holds_a_vector_to_its_length() -> None:
    over(b"").done("vector")
    with pytest.raises(DecodeError, match=r"^vector has 2 bytes too many$"):
        over(b"ab").done("vector")


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda cursor: cursor.u8("kind"), "kind needs 1 bytes, 0 left"),
        (lambda cursor: cursor.u16("version"), "version needs 2 bytes, 0 left"),
        (lambda cursor: cursor.u24("length"), "length needs 3 bytes, 0 left"),
        (lambda cursor: cursor.take(32, "random"), "random needs 32 bytes, 0 left"),
        (lambda cursor: cursor.vector(2, "extensions"), "extensions needs 2 bytes, 0 left"),
    ],
)
def test_a_read_past_the_end_says_what_and_how_much(read: Callable[[Cursor], object], says: str) -> None:
    with pytest.raises(DecodeError, match=f"^{says}$"):
        read(over(b""))


def test_a_vector_that_claims_too_much_says_so() -> None:
    with pytest.raises(DecodeError, match=r"^certificate_list claims 4096 bytes, 3 left$"):
        over(b"\x00\x10\x00abc").vector(3, "certificate_list")


def test_half_a_number_at_the_end_of_a_list_is_an_error() -> None:
    with pytest.raises(DecodeError, match=r"^cipher_suites needs 2 bytes, 1 left$"):
        over(b"\x13\x01\x13").numbers(2, "cipher_suites")


STEPS = st.sampled_from(["u8", "u16", "u24", "take", "vector1", "vector2", "vector3", "rest"])


@given(data=st.binary(max_size=40), steps=st.lists(st.tuples(STEPS, st.integers(0, 50)), max_size=12))
def test_no_read_leaves_the_bounds(data: bytes, steps: list[tuple[str, int]]) -> None:
    """Whatever is read, in whatever order: bytes around the vector never show, and its end is never passed."""
    cursor = over(data)
    for step, size in steps:
        try:
            if step == "take":
                assert cursor.take(size, step) in data
            elif step == "rest":
                assert data.endswith(cursor.rest())
            elif step.startswith("vector"):
                assert cursor.vector(int(step[-1]), step).rest() in data
            else:
                number = {"u8": cursor.u8, "u16": cursor.u16, "u24": cursor.u24}[step](step)
                assert number.to_bytes(int(step[1:]) // 8, "big") in data
        except DecodeError:
            assert cursor.left < 50
        assert 0 <= cursor.left <= len(data)
