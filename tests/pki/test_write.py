"""What is written is read back, and is what other programs write: ITU-T X.690."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.pki import der, write
from tlsalert.pki.names import name_text


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (256, "02020100"),
        (-1, "0201ff"),
        (-5, "0201fb"),
        (-128, "020180"),
        (-129, "0202ff7f"),
    ],
)
def test_integers_take_the_fewest_bytes(number: int, encoded: str) -> None:
    assert write.integer(number).hex() == encoded


@given(st.integers(-(1 << 400), 1 << 400))
def test_integers_are_read_back(number: int) -> None:
    assert int.from_bytes(der.element(write.integer(number)).content, "big", signed=True) == number


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, (1 << 128) - 1), max_size=6))
def test_object_identifiers_are_read_back(first: int, second: int, others: list[int]) -> None:
    dotted = ".".join(map(str, (first, second, *others)))
    assert der.oid(der.element(write.oid(dotted))) == dotted


@given(st.binary(max_size=70_000))
def test_elements_of_any_length_are_read_back(content: bytes) -> None:
    read = der.element(write.octets(content))
    assert (read.content, read.stop) == (content, len(read.data))


@pytest.mark.parametrize(
    ("numbers", "encoded"),
    [((), "030100"), ((0,), "03020780"), ((2,), "03020520"), ((5, 6), "03020106"), ((8,), "0303070080")],
)
def test_named_bits_end_at_the_last_that_is_set(numbers: tuple[int, ...], encoded: str) -> None:
    assert write.named_bits(*numbers).hex() == encoded


@pytest.mark.parametrize(
    ("moment", "tag", "text"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), der.UTC_TIME, b"491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), der.GENERALIZED_TIME, b"20500101000000Z"),
        (datetime(1949, 12, 31, tzinfo=UTC), der.GENERALIZED_TIME, b"19491231000000Z"),
        (datetime(2016, 5, 19, 11, 46, 36, tzinfo=timezone(timedelta(hours=2))), der.UTC_TIME, b"160519094636Z"),
    ],
)
def test_times_have_the_form_that_their_year_calls_for(moment: datetime, tag: int, text: bytes) -> None:
    read = der.element(write.time(moment))
    assert (read.tag, read.content) == (tag, text)
    assert der.time(read) == moment


def test_a_common_name_is_a_name() -> None:
    assert name_text(der.element(write.common_name("Prüfer"))) == "CN=Prüfer"
