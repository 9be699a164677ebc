"""A compressed certificate is unpacked to exactly the length that it claims, and never further: RFC 8879 §4."""

from __future__ import annotations

import sys
import tracemalloc
import zlib
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.errors import DecodeError
from tlsalert.wire.inflate import BROTLI, MOST_BYTES, ZLIB, ZSTD, inflate


def packed(algorithm: int, data: bytes) -> bytes:
    if algorithm == ZLIB:
        return zlib.compress(data)
    module: Any = import_module("brotli" if algorithm == BROTLI else "zstandard")
    compressed: bytes = module.compress(data)
    return compressed


@pytest.mark.parametrize("algorithm", [ZLIB, BROTLI, ZSTD])
@pytest.mark.parametrize("size", [0, 1, 3000, 200_000, MOST_BYTES])
def test_what_was_packed_is_unpacked(algorithm: int, size: int) -> None:
    data = bytes(n * n & 0xFF for n in range(min(size, 5000))).ljust(size, b"x")
    assert inflate(algorithm, packed(algorithm, data), size) == data


@pytest.mark.parametrize("algorithm", [ZLIB, BROTLI, ZSTD])
@pytest.mark.parametrize(
    ("claimed", "says"),
    [
        (999, "uncompressed_length claims 999 bytes, unpacked are more"),
        (1001, "uncompressed_length claims 1001 bytes, unpacked are 1000"),
    ],
)
def test_another_length_than_the_claimed_is_a_problem(algorithm: int, claimed: int, says: str) -> None:
    with pytest.raises(DecodeError, match=f"^{says}$"):
        inflate(algorithm, packed(algorithm, bytes(1000)), claimed)


@pytest.mark.parametrize("algorithm", [ZLIB, BROTLI, ZSTD])
def test_a_bomb_stops_at_its_claim(algorithm: int) -> None:
    bomb = packed(algorithm, bytes(200_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError, match="unpacked are more"):
            inflate(algorithm, bomb, 1000)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_claim_that_no_certificate_has_is_not_tried() -> None:
    with pytest.raises(DecodeError, match=r"^uncompressed_length claims 1048577 bytes, 1048576 are allowed$"):
        inflate(ZLIB, zlib.compress(bytes(MOST_BYTES + 1)), MOST_BYTES + 1)


@pytest.mark.parametrize(
    ("algorithm", "says"),
    [
        (ZLIB, "compressed_certificate_message is not zlib's"),
        (BROTLI, "compressed_certificate_message is not brotli's"),
        (ZSTD, "compressed_certificate_message is not zstd's, or its window is over 8 MiB"),
        (4, "compression algorithm 4 is not known"),
    ],
)
def test_what_is_not_packed_is_a_problem(algorithm: int, says: str) -> None:
    with pytest.raises(DecodeError, match=f"^{says}$"):
        inflate(algorithm, b"\xff" * 40, 100)


@pytest.mark.parametrize("algorithm", [ZLIB, BROTLI, ZSTD])
def test_half_of_it_is_a_problem(algorithm: int) -> None:
    data = bytes(n * n % 251 for n in range(5000))
    with pytest.raises(DecodeError):
        inflate(algorithm, packed(algorithm, data)[:60], 5000)


def test_without_brotli_the_problem_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", None)
    with pytest.raises(DecodeError, match="the package brotli is needed to read it"):
        inflate(BROTLI, b"", 10)


def test_a_brotli_that_cannot_stop_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Decompressor:
        def process(self, data: bytes) -> bytes:
            raise AssertionError("it would unpack everything")

    old = ModuleType("brotli")
    old.__dict__.update(Decompressor=Decompressor, error=ValueError)
    monkeypatch.setitem(sys.modules, "brotli", old)
    with pytest.raises(DecodeError, match=r"from version 1\.2 on"):
        inflate(BROTLI, b"", 10)


@given(algorithm=st.integers(0, 5), data=st.binary(max_size=200), size=st.integers(0, 1 << 24))
def test_any_bytes_are_unpacked_to_their_claim_or_are_a_decode_error(algorithm: int, data: bytes, size: int) -> None:
    try:
        found = inflate(algorithm, data, size)
    except DecodeError:
        return
    assert len(found) == size
