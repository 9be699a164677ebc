"""Compressed files are read through, and no further than allowed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.stores import leaf, look, look_at_all
from tlsalert.pki.containers import Blob, Budget, Damage, Limits, RefusedError, opener_for

Packer = Callable[[bytes], bytes]
PACKERS: dict[str, Packer] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zstd": zstandard.ZstdCompressor().compress,
}
FILLING = random.Random(5).randbytes(200_000)


@pytest.mark.parametrize("name", PACKERS)
def test_what_is_inside_is_told_under_the_files_own_place(name: str) -> None:
    found = look(PACKERS[name](leaf().pem))
    assert [(one.where, one.subject) for one in found] == [("FILE", "CN=leaf,O=Board")]


@pytest.mark.parametrize("name", PACKERS)
def test_an_opener_is_chosen_by_content(name: str) -> None:
    opener = opener_for(PACKERS[name](b"x" * 100))
    assert opener is not None
    assert opener.name == name


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zstd"])
def test_streams_that_follow_each_other_are_one(name: str) -> None:
    half = len(leaf().pem) // 2
    found = look(PACKERS[name](leaf().pem[:half]) + PACKERS[name](leaf().pem[half:]))
    assert [one.subject for one in found] == ["CN=leaf,O=Board"]


@pytest.mark.parametrize("name", PACKERS)
def test_what_is_cut_off_gives_what_it_has_and_says_so(name: str) -> None:
    packed = PACKERS[name](leaf().pem + FILLING + b"end")
    things = look_at_all(packed[: len(packed) * 9 // 10])
    assert isinstance(things[-1], Damage)
    assert "damaged or cut short" in things[-1].says
    if name not in ("bzip2",):  # one block of bzip2 holds all of it
        assert getattr(things[0], "subject", None) == "CN=leaf,O=Board"


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_is_refused_with_a_sentence(name: str) -> None:
    budget = Budget(Limits(member_bytes=1 << 20))
    blob = Blob("FILE", PACKERS[name](bytes(3 << 20)))
    opener = opener_for(blob.data)
    assert opener is not None
    with pytest.raises(RefusedError, match="not read"):
        list(opener.open(blob, budget))
    assert budget.total == 0


def test_bytes_behind_a_stream_are_looked_through_as_well() -> None:
    packed = gzip.compress(b"a text\n" * 9)
    (one,) = look(packed + b"\0\0behind" + leaf().der)
    assert one.where == f"FILE!raw@{len(packed) + 8:#x}"


@given(st.sampled_from(sorted(PACKERS)), st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_is_no_reason_to_break_off(name: str, at: int, byte: int) -> None:
    packed = bytearray(PACKERS[name](leaf().pem))
    packed[at % len(packed)] = byte
    look_at_all(bytes(packed))
