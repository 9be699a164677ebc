"""Records: cut, put together, and never believed beyond their limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.replay.records import FRAGMENT, PLAINTEXT, NotTls, Record, RecordReader, RecordWriter, TooLong


@given(contents=st.lists(st.tuples(st.integers(20, 24), st.binary(max_size=50)), max_size=6), size=st.integers(1, 60))
def test_what_is_written_is_read_in_any_slicing(contents: list[tuple[int, bytes]], size: int) -> None:
    writer, reader = RecordWriter(0x0303), RecordReader()
    data = b"".join(writer.write(*one) for one in contents)
    found: list[Record] = []
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
        found += reader.records()
    assert [(record.content_type, record.fragment) for record in found] == contents
    assert all(reader.open(record) == (record.content_type, record.fragment) for record in found)


def test_long_content_goes_into_several_records() -> None:
    writer, reader = RecordWriter(0x0301), RecordReader()
    reader.feed(writer.write(22, bytes(PLAINTEXT + 1)))
    writer.limit = 512
    reader.feed(writer.write(22, bytes(513)))
    assert [len(record.fragment) for record in reader.records()] == [PLAINTEXT, 1, 512, 1]


@pytest.mark.parametrize("data", [b"HTTP/1.1", b"\x16\x02\0\0\0", b"\x19", b"\0\0\0\0\0", b"\x80\x2e\1\0\2"])
def test_what_is_no_record_is_shown(data: bytes) -> None:
    reader = RecordReader()
    reader.feed(data)
    with pytest.raises(NotTls) as caught:
        list(reader.records())
    assert caught.value.data == data


def test_a_length_is_checked_before_it_is_believed() -> None:
    reader = RecordReader()
    reader.feed(b"\x16\3\3" + (FRAGMENT + 1).to_bytes(2, "big"))
    with pytest.raises(TooLong, match="a record claims 18433 bytes"):
        list(reader.records())
