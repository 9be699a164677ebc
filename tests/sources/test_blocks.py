"""Any capture is the same blocks again, and a comment changes nothing about a block but that it has one."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.packets import START, Order, block, enhanced, interface, old, pcap, section, simple
from tlsalert.sources.blocks import (
    ENHANCED_PACKET,
    INTERFACE,
    OLD_PACKET,
    SECRETS,
    SECTION,
    SIMPLE_PACKET,
    Block,
    Blocks,
    captured,
    commented,
    key_log,
    option,
)

UNKNOWN = 0x80000ABC
PACKET = b"a packet of 21 bytes."


def cut(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


def one_of_each(order: Order) -> list[bytes]:
    statistics = block(5, struct.pack(order + "III", 0, 1, 2), order)
    return [
        section(order),
        interface(order=order, options=[(2, b"eth0"), (9, b"\x09")]),
        enhanced(PACKET, 7, order=order),
        block(UNKNOWN, b"whatever this is", order),
        simple(PACKET, order),
        old(PACKET, 9, order=order),
        statistics,
        enhanced(b"", 10, order=order),
    ]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("size", [1, 28, 100, 1 << 16])
def test_the_blocks_of_a_pcapng_are_its_bytes(order: Order, size: int) -> None:
    whole = one_of_each(order)
    chunks = [whole[0] + whole[1], *cut(b"".join(whole[2:]), size)]
    blocks = Blocks(chunks)
    told = list(blocks)
    assert [one.data for one in told] == whole
    assert [one.kind for one in told] == [SECTION, INTERFACE, 6, UNKNOWN, SIMPLE_PACKET, OLD_PACKET, 5, 6]
    assert [one.frame for one in told] == [0, 0, 1, 0, 2, 3, 0, 4]
    assert {one.order for one in told} == {order}
    assert blocks.left == 0


@pytest.mark.parametrize(("kind", "frame"), [(0xBAD, 3), (9, 3), (5, 2)])
def test_frames_without_a_packet_count(kind: int, frame: int) -> None:
    blocks = [section(), interface(), enhanced(PACKET, 1), block(kind, bytes(24)), enhanced(PACKET, 2)]
    assert [one.frame for one in Blocks([b"".join(blocks)])] == [0, 0, 1, 0, frame]


def test_each_section_has_its_own_byte_order() -> None:
    both = one_of_each("<") + one_of_each(">")
    told = list(Blocks([b"".join(both)]))
    assert [one.data for one in told] == both
    assert [one.order for one in told] == ["<"] * 8 + [">"] * 8
    assert [one.frame for one in told if one.frame] == list(range(1, 9))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("nano", "modified"), [(False, False), (True, False), (False, True)])
def test_a_pcap_is_told_as_the_blocks_that_say_the_same(order: Order, nano: bool, modified: bool) -> None:
    data = pcap([(START + 1_234_567_000, PACKET), (START + 2_000_000_000, b"")], 113, order, nano, modified)
    unit = 1 if nano else 1000
    first, second, *packets = Blocks(cut(data, 50))
    assert (first.kind, second.kind) == (SECTION, INTERFACE)
    assert second.data == block(
        1,
        struct.pack(order + "HHI", 113, 0, 262_144) + option(9, b"\x09" if nano else b"\x06", order) + bytes(4),
        order,
    )
    assert [one.data for one in packets] == [
        enhanced(PACKET, (START + 1_234_567_000) // unit, order=order),
        enhanced(b"", (START + 2_000_000_000) // unit, order=order),
    ]


def test_the_length_of_the_frame_check_sequence_goes_along() -> None:
    data = pcap([PACKET], link=1 | 0x04000000 | 2 << 28)
    described = list(Blocks([data]))[1]
    assert struct.unpack_from("<H", described.data, 8) == (1,)
    assert option(13, b"\x04", "<") in described.data


@pytest.mark.parametrize(
    ("data", "packets", "left"),
    [
        pytest.param(pcap([PACKET, PACKET])[:-3], 1, 34, id="a pcap that is cut short"),
        pytest.param(pcap([PACKET]) + b"\xff" * 40, 1, 40, id="a pcap with an impossible length"),
        pytest.param(section() + interface() + enhanced(PACKET, 1)[:-4], 0, 52, id="a pcapng that is cut short"),
        pytest.param(section() + interface() + b"\xff" * 16, 0, 16, id="a block of an impossible length"),
        pytest.param(section() + interface() + section()[:8] + b"\x11" * 20, 0, 28, id="a broken section header"),
        pytest.param(b"no capture at all, whatever it says", 0, 35, id="no capture"),
        pytest.param(b"", 0, 0, id="nothing"),
    ],
)
def test_damage_ends_them_and_is_counted(data: bytes, packets: int, left: int) -> None:
    blocks = Blocks([data] if data else [])
    assert sum(1 for one in blocks if one.frame) == packets
    assert blocks.left == left


@given(
    start=st.sampled_from([section(), section(">"), pcap([])]), data=st.binary(max_size=300), size=st.integers(1, 90)
)
def test_any_bytes_end_in_blocks_or_are_left(start: bytes, data: bytes, size: int) -> None:
    blocks = Blocks([start, *cut(data, size)])
    told = list(blocks)
    if start.startswith(b"\x0a"):
        assert b"".join(one.data for one in told) + data[len(data) - blocks.left :] == start + data


# --- what is changed ------------------------------------------------------------------------------------------------


def options(data: bytes, at: int, order: Order) -> list[tuple[int, bytes]]:
    """Return a block's options, the end of them included."""
    found = []
    while at < len(data) - 4:
        code, size = struct.unpack_from(order + "HH", data, at)
        found.append((code, data[at + 4 : at + 4 + size]))
        at += 4 + size + (-size & 3)
    assert at == len(data) - 4
    return found


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("make", [enhanced, old])
def test_a_packet_gets_comments_before_its_own_options(order: Order, make: object) -> None:
    assert callable(make)
    bare = Block(*list(Blocks([section(order) + interface(order=order) + make(PACKET, 5, order=order)]))[2])
    once = commented(bare, ["è first", "second"])
    assert once is not None
    assert once.data[8 : 28 + 24] == bare.data[8:52]
    wanted = [(1, "è first".encode()), (1, b"second"), (0, b"")]
    assert options(once.data, 52, order) == wanted
    twice = commented(once, ["third"])
    assert twice is not None
    assert options(twice.data, 52, order) == [(1, b"third"), *wanted]
    assert [one.data for one in Blocks([section(order) + twice.data])][1] == twice.data


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_section_says_no_length_any_more_once_it_has_a_comment(order: Order) -> None:
    stated = block(SECTION, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, 4000) + option(4, b"a tool", order), order)
    (told,) = Blocks([stated])
    changed = commented(told, ["the verdict"])
    assert changed is not None
    assert struct.unpack_from(order + "q", changed.data, 16) == (-1,)
    assert options(changed.data, 24, order) == [(1, b"the verdict"), (4, b"a tool")]


def test_a_simple_packet_has_no_room_for_comments_nor_has_a_damaged_one() -> None:
    _, _, small, broken = Blocks([section() + interface() + simple(PACKET) + damaged()])
    assert commented(small, ["no"]) is None
    assert commented(broken, ["no"]) is None


def damaged() -> bytes:
    """Return a packet that claims more bytes than its block has."""
    return block(ENHANCED_PACKET, struct.pack("<IIIII", 0, 0, 0, 4000, 4000) + PACKET)


def test_a_comment_is_cut_where_an_option_ends() -> None:
    _, bare = Blocks([section() + enhanced(PACKET, 5)])
    changed = commented(bare, ["è" * 70_000])
    assert changed is not None
    (code, value), _ = options(changed.data, 52, "<")
    assert (code, len(value)) == (1, 0xFFFC)
    assert set(value.decode()) == {"è"}


def test_what_was_captured_of_a_packet() -> None:
    packets = [enhanced(PACKET, 1, number=3, length=90), simple(PACKET), old(PACKET, 1, number=2), damaged()]
    told = [captured(one) for one in Blocks([section() + b"".join(packets)]) if one.frame]
    assert told == [(3, 90, PACKET), (0, 21, PACKET), (2, 21, PACKET), (0, 4000, PACKET + bytes(3))]


def test_secrets_are_a_block_of_a_key_log() -> None:
    (made,) = list(Blocks([section() + key_log(b"CLIENT_RANDOM 00 11\n", "<").data]))[1:]
    assert made.kind == SECRETS
    assert made.data[8:] == b"KSLT\x14\0\0\0CLIENT_RANDOM 00 11\n" + struct.pack("<I", 40)
