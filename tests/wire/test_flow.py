"""A flow's facts, and sequence numbers that go round at 2^32 (RFC 9293 §3.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.packets import flow_of
from tlsalert.wire.flow import Flow, Segment, beginning, differ, distance, head, tail


def test_distances_are_the_shorter_way_round() -> None:
    assert distance(5, 3) == 2
    assert distance(3, 5) == -2
    assert distance(1, 2**32 - 1) == 2
    assert distance(2**32 - 1, 1) == -2


@pytest.mark.parametrize(
    "key",
    [
        b"\x0a\0\0\5\x0a\0\0\7\x9c\xb0\x17\x0c",
        b"\xff" * 12,
        bytes(12),
        bytes(range(36)),
    ],
)
def test_a_key_is_what_the_first_packet_had(key: bytes) -> None:
    assert flow_of(key).key == key


def test_a_flow_of_which_nothing_is_known_has_neither_ended_nor_lost_anything() -> None:
    flow: Flow = flow_of(bytes(12))
    assert (flow.how, flow.close_side, flow.close_frame, flow.close_time) == (0, -1, 0, 0)
    assert (flow.rst_side, flow.rst_frame, flow.rst_time) == (-1, 0, 0)
    assert (flow.cut, flow.missing, flow.missing_frame) == (0, 0, 0)


@given(data=st.binary(max_size=30), size=st.integers(0, 40), skip=st.integers(0, 50), seq=st.integers(0, 2**32 - 1))
def test_a_segment_is_its_head_and_its_tail(data: bytes, size: int, skip: int, seq: int) -> None:
    whole = Segment(seq, data, len(data) + size, 1, 2)
    last = tail(whole, skip)
    assert last.data == data[skip:]
    assert last.size == max(whole.size - skip, 0)
    assert last.seq == (seq + skip) % 2**32
    first = head(whole, skip)
    assert (first.seq, first.data, first.size) == (seq, data[:skip], skip)


@given(
    one=st.binary(max_size=12), other=st.binary(max_size=12), apart=st.integers(-14, 14), seq=st.integers(0, 2**32 - 1)
)
def test_segments_differ_where_both_have_a_byte(one: bytes, other: bytes, apart: int, seq: int) -> None:
    known = Segment(seq, one, len(one), 1, 1)
    fresh = Segment((seq + apart) % 2**32, other, len(other), 2, 2)
    pairs = [(one[at], other[at - apart]) for at in range(len(one)) if 0 <= at - apart < len(other)]
    assert differ(known, fresh) == any(a != b for a, b in pairs)


@given(data=st.binary(max_size=20), start=st.integers(0, 10), size=st.integers(0, 10))
def test_a_beginning_is_eight_bytes_as_a_number(data: bytes, start: int, size: int) -> None:
    end = min(start + size, len(data))
    start = min(start, end)
    expected = int.from_bytes(data[start:end][:8].ljust(8, b"\0"), "big", signed=True)
    assert beginning(data, start, end) == expected
