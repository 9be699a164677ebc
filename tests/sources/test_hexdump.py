"""Dumps come back as the bytes that were dumped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.sources.texts import bio_dump
from tlsalert.sources.hexdump import BioDump, JsseDump


def taken(data: bytes, trim: bool = False) -> BioDump:
    dump = BioDump(True, len(data), 1)
    for line in bio_dump(data, trim).splitlines():
        assert dump.take_whole(line.encode()) or dump.take(line.encode())
    return dump


@given(data=st.binary(min_size=1, max_size=100))
def test_what_bio_dump_prints(data: bytes) -> None:
    dump = taken(data)
    assert (dump.data, dump.missing, dump.trimmed) == (data, 0, 0)


@given(data=st.binary(max_size=40), nuls=st.integers(1, 20))
def test_what_was_trimmed_is_taken_for_nuls_and_counted(data: bytes, nuls: int) -> None:
    whole = data + b"\x01" + bytes(nuls)
    dump = taken(whole, trim=True)
    assert (dump.data, dump.trimmed) == (whole, nuls)


def test_text_beside_a_short_row_is_not_taken_for_bytes() -> None:
    assert taken(b"ab cd").data == b"ab cd"


def test_a_row_that_is_not_the_next_one_ends_it() -> None:
    dump = BioDump(False, 32, 1)
    assert not dump.take(b"0010 - 00 01")
    assert not dump.take(b"depth=0 CN = a")
    assert dump.missing == 32


def test_a_row_whose_text_says_something_else_is_looked_at_again() -> None:
    row = b"0270 - 1f f1 10 90 f2 85 14 1d-b9 18 de 28 5f 9e 31 c9   ..write:errno=32"
    assert not BioDump(True, 0x400, 1).take_whole(row)


def test_java_dumps_eight_and_eight() -> None:
    dump = JsseDump(True, -1, 1)
    assert dump.take("  0000: 16 03 03 01 B3 01 00 01   AF 03 03 30 77 7C DB 13  ...........0w...")
    assert dump.take("  0010: 05 BF 12                                           ...")
    assert not dump.take("  0020: 05")
    assert dump.data == bytes.fromhex("16030301b3010001af030330777cdb1305bf12")
