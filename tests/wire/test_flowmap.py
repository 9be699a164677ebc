"""Flows are found by their ends, in both directions, however many there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.packets import flow_of, reverse
from tlsalert.wire.flow import Flow
from tlsalert.wire.flowmap import SMALLEST, FlowMap, ends

KEYS = st.binary(min_size=12, max_size=12) | st.binary(min_size=36, max_size=36)


def found(table: FlowMap, key: bytes) -> Flow | None:
    near, far = ends(key)
    return table.find(near, far)


@given(keys=st.lists(KEYS, max_size=30))
def test_it_is_a_dictionary_of_both_directions(keys: list[bytes]) -> None:
    table = FlowMap()
    known: dict[bytes, Flow] = {}
    for number, key in enumerate(keys):
        if key not in known:
            flow = flow_of(key, number)
            table.add(flow)
            known[key] = known[reverse(key)] = flow
        assert found(table, key) is known[key]
        assert found(table, reverse(key)) is known[key]
    assert table.all() == list(dict.fromkeys(known.values()))
    for key in keys[::2]:
        if key in known:
            table.remove(known.pop(key))
            known.pop(reverse(key), None)
            assert found(table, key) is None
    assert table.all() == list(dict.fromkeys(known.values()))
    assert table.count == len(set(known.values()))


@pytest.mark.parametrize("size", [4, 16])
def test_it_grows(size: int) -> None:
    """Flows from one network to one server: their numbers are as alike as can be."""
    keys = [bytes(size - 2) + number.to_bytes(2, "big") + b"s" * size + b"\4\0\1\xbb" for number in range(5 * SMALLEST)]
    table = FlowMap()
    flows = [flow_of(key, number) for number, key in enumerate(keys)]
    for flow in flows:
        table.add(flow)
    assert [found(table, reverse(key)) for key in keys] == flows
    assert table.all() == flows
    for flow in flows[1::2]:
        table.remove(flow)
    assert table.all() == flows[::2]


@pytest.mark.parametrize(
    "keys",
    [
        [b"\x0a\0" + n.to_bytes(2, "big") + b"\x0a\0\0\7\x9c\xb0\1\xbb" for n in range(1000)],
        [b"\x0a\0\0\5\x0a\0\0\7" + n.to_bytes(2, "big") + b"\1\xbb" for n in range(1000)],
        [
            bytes([n >> 8, n & 255]) * 2 + bytes([255 - (n >> 8), 255 - (n & 255)]) * 2 + b"\0\1\0\2"
            for n in range(1000)
        ],
        [bytes(14) + n.to_bytes(2, "big") + bytes(16) + b"\0\1\0\2" for n in range(1000)],
    ],
    ids=["addresses in a row", "ports in a row", "sums alike", "IPv6"],
)
def test_flows_that_resemble_each_other_spread_over_the_slots(keys: list[bytes]) -> None:
    """Or a scan of a network would make a list of the table."""
    table = FlowMap()
    for number, key in enumerate(keys):
        table.add(flow_of(key, number))
    longest = 0
    for first in table.slots:
        length, flow = 0, first
        while flow is not None:
            length, flow = length + 1, flow.following
        longest = max(longest, length)
    assert longest <= 20


def test_the_two_ends_may_be_the_same() -> None:
    key = b"\x7f\0\0\1" * 2 + b"\1\xbb" * 2
    table = FlowMap()
    flow = flow_of(key)
    table.add(flow)
    assert found(table, key) is flow


def test_an_ipv6_address_is_no_ipv4_address() -> None:
    assert all(end >= 0 for end in ends(b"\xff" * 12))
    assert all(end < 0 for end in ends(b"\0" * 36))
