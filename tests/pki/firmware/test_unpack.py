"""Blocks of LZ4, LZO and rtime byte by byte, and the limits of every unpacker."""

from __future__ import annotations

import contextlib
import lzma
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.errors import DecodeError
from tlsalert.pki.firmware.parts import BROKEN
from tlsalert.pki.firmware.unpack import inflate, unlz4, unlzo, unrtime, unxz, unzstd


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        pytest.param(b"\x30abc", b"abc", id="literals"),
        pytest.param(b"\x35abc\3\0\x10d", b"abc" * 4 + b"d", id="a match that overlaps itself"),
        pytest.param(b"\x1fa\1\0\xff\x00", b"a" * 275, id="a long match"),
        pytest.param(b"\xf0\x01" + b"0123456789abcdef", b"0123456789abcdef", id="long literals"),
    ],
)
def test_lz4(packed: bytes, plain: bytes) -> None:
    assert unlz4(packed, 300) == plain


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        pytest.param(b"\x14abc\x11\0\0", b"abc", id="literals first"),
        pytest.param(b"\x15abcd\x21\x0c\0\x11\0\0", b"abcd" + b"abc", id="a match of 16 KiB's reach"),
        pytest.param(b"\x15abcd\x6c\0\x11\0\0", b"abcdabcd", id="a match of 2 KiB's reach"),
        pytest.param(b"\x01abcd\x11\0\0", b"abcd", id="a run of literals"),
    ],
)
def test_lzo(packed: bytes, plain: bytes) -> None:
    assert unlzo(packed, 100) == plain


def test_rtime() -> None:
    assert unrtime(b"a\0b\0a\4", 7) == b"aba" + b"baba"


UNPACKERS: list[Callable[[bytes, int], bytes]] = [inflate, unxz, unzstd, unlz4, unlzo, unrtime]


@pytest.mark.parametrize(
    ("unpack", "packed"),
    [
        (inflate, zlib.compress(bytes(5000))),
        (unxz, lzma.compress(bytes(5000))),
        (unzstd, zstandard.compress(bytes(5000))),
        (unlz4, b"\x1fa\1\0" + b"\xff" * 20 + b"\0"),
        (unlzo, b"\x12a\x20" + b"\0" * 20 + b"\1\0\0\x11\0\0"),
    ],
)
def test_more_than_may_be_is_refused(unpack: Callable[[bytes, int], bytes], packed: bytes) -> None:
    with pytest.raises(DecodeError):
        unpack(packed, 4096)
    assert len(unpack(packed, 8192)) in range(4097, 8193)


@given(st.binary(max_size=200))
def test_no_bytes_make_more_than_they_may(noise: bytes) -> None:
    for unpack in UNPACKERS:
        with contextlib.suppress(*BROKEN):
            assert len(unpack(noise, 1000)) <= 1000
