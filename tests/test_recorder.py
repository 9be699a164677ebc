"""A recorder's conversations look like those of two real TCP stacks."""

from io import BytesIO
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.packets import ACK, FIN, PSH, RST, SYN, Packet, read_packets
from tlsalert.errors import UsageError
from tlsalert.model import Side
from tlsalert.recorder import Recorder

CLIENT, SERVER = ("10.0.0.5", 40112), ("10.0.0.7", 5900)
CLIENT6, SERVER6 = ("2001:db8::5", 40112), ("2001:db8::7", 5900)
START = 1_623_919_863_217_000_000
MS = 1_000_000


def recorded(
    *sends: tuple[Side, bytes],
    how: Literal["fin", "rst"] = "fin",
    v6: bool = False,
    seed: int = 0,
    mtu: int = 1500,
    checksums: bool = True,
) -> list[Packet]:
    """Record sends that lie 10 ms apart; the server closes."""
    file = BytesIO()
    with Recorder(file, seed=seed, mtu=mtu, checksums=checksums) as recorder:
        conversation = recorder.open(CLIENT6 if v6 else CLIENT, SERVER6 if v6 else SERVER, START)
        time = START
        for side, data in sends:
            time += 10 * MS
            conversation.send(side, data, time)
        conversation.close("server", time + 100 * MS, how)
    return read_packets(file.getvalue())


def sides(packets: list[Packet]) -> str:
    return "".join("c" if packet.source[1] == 40112 else "s" for packet in packets)


def payloads(packets: list[Packet], port: int) -> list[bytes]:
    return [packet.payload for packet in packets if packet.payload and packet.source[1] == port]


@pytest.mark.parametrize("v6", [False, True], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("length", [1, 2, 517, 1459, 1460, 1461, 5001])
def test_every_checksum_is_right(length: int, v6: bool) -> None:
    packets = recorded(("client", bytes(range(251)) * 20), ("server", b"\xff" * length), v6=v6)
    assert {value for packet in packets for value in packet.checksums} == {0xFFFF}


@pytest.mark.parametrize("length", [2047, 2048, 2049, 4097, 65_000, 65_001])
def test_every_checksum_of_a_giant_packet_is_right(length: int) -> None:
    packets = recorded(("client", bytes(range(253)) * 300), ("server", b"\xfe" * length), mtu=65_535)
    assert max(packet.length for packet in packets) == 65_535
    assert {value for packet in packets for value in packet.checksums} == {0xFFFF}


def test_without_checksums_all_else_is_the_same() -> None:
    told: list[tuple[Side, bytes]] = [("client", b"\x16\x03\x01"), ("server", bytes(2000))]
    summed, bare = recorded(*told), recorded(*told, checksums=False)
    assert [(p.time, p.flags, p.payload) for p in bare] == [(p.time, p.flags, p.payload) for p in summed]
    assert not {p.checksums[-1] for p in bare} <= {0xFFFF}


@settings(deadline=None)
@given(data=st.binary(max_size=4000), seed=st.integers(0, 2**32), v6=st.booleans())
def test_any_bytes_arrive_with_right_checksums(data: bytes, seed: int, v6: bool) -> None:
    packets = recorded(("client", data), v6=v6, seed=seed)
    assert b"".join(payloads(packets, 40112)) == data
    assert {value for packet in packets for value in packet.checksums} == {0xFFFF}


@pytest.mark.parametrize(
    ("length", "pieces"), [(1, [1]), (1460, [1460]), (1461, [1460, 1]), (4380, [1460] * 3), (0, [])]
)
def test_a_send_is_cut_into_segments_of_1460_bytes(length: int, pieces: list[int]) -> None:
    packets = recorded(("client", b"x" * length))
    assert [len(payload) for payload in payloads(packets, 40112)] == pieces


@pytest.mark.parametrize("v6", [False, True], ids=["IPv4", "IPv6"])
def test_no_packet_is_longer_than_1500_bytes_and_full_ones_are_that_long(v6: bool) -> None:
    assert max(packet.length for packet in recorded(("server", b"x" * 20_000), v6=v6)) == 1500


def test_the_last_segment_of_a_send_is_pushed() -> None:
    packets = recorded(("client", b"x" * 3000))
    assert [packet.flags for packet in packets if packet.payload] == [ACK, ACK, PSH | ACK]


def test_it_opens_with_syn_synack_and_ack() -> None:
    syn, synack, ack = recorded()[:3]
    assert sides([syn, synack, ack]) == "csc"
    assert (syn.flags, synack.flags, ack.flags) == (SYN, SYN | ACK, ACK)
    assert syn.acknowledged == 0
    assert synack.acknowledged == syn.sequence + 1
    assert (ack.sequence, ack.acknowledged) == (syn.sequence + 1, synack.sequence + 1)


def test_fin_is_answered_by_fin_and_acknowledged() -> None:
    first, second, last = recorded(("client", b"x"))[-3:]
    assert sides([first, second, last]) == "scs"
    assert (first.flags, second.flags, last.flags) == (FIN | ACK, FIN | ACK, ACK)
    assert second.acknowledged == first.sequence + 1
    assert last.acknowledged == second.sequence + 1


def test_rst_ends_it_at_once() -> None:
    packets = recorded(("client", b"x"), how="rst")
    assert packets[-1].flags == RST | ACK
    assert sides(packets[-1:]) == "s"
    assert not any(packet.flags & FIN for packet in packets)


@pytest.mark.parametrize("seed", range(5))
def test_numbers_follow_the_bytes(seed: int) -> None:
    """Each side's numbers go on where its last packet ended, and acknowledge only what the other sent."""
    packets = recorded(("client", b"a" * 517), ("server", b"b" * 5001), ("client", b"c" * 3000), seed=seed)
    following: dict[str, int] = {}
    for packet in packets:
        own, peer = sides([packet]), "s" if sides([packet]) == "c" else "c"
        assert packet.sequence == following.get(own, packet.sequence)
        length = len(packet.payload) + bool(packet.flags & (SYN | FIN))
        following[own] = (packet.sequence + length) % 2**32
        if packet.flags & ACK:
            assert (following[peer] - packet.acknowledged) % 2**32 < 5001
    assert packets[-1].acknowledged == following["c"]


def test_sequence_numbers_go_round() -> None:
    def wraps(seed: int) -> bool:
        return recorded(seed=seed)[0].sequence > 2**32 - 2**22

    seed = next(seed for seed in range(20_000) if wraps(seed))
    first = recorded(seed=seed)[0].sequence
    packets = recorded(("client", b"x" * 2**22), seed=seed)
    sent = [packet for packet in packets if packet.payload]
    assert sent[-1].sequence == (first + 1 + sum(len(packet.payload) for packet in sent[:-1])) % 2**32
    assert sent[-1].sequence < first


def test_every_second_segment_is_acknowledged() -> None:
    packets = recorded(("server", b"x" * 1460 * 6))
    pure = [packet for packet in packets[3:-3] if not packet.payload]
    assert sides(pure) == "ccc"
    first = packets[3].sequence
    assert [(packet.acknowledged - first) % 2**32 for packet in pure] == [2920, 5840, 8760]


def test_a_lone_segment_is_acknowledged_by_the_answer() -> None:
    packets = recorded(("client", b"question"), ("server", b"answer"), ("client", b"thanks"))
    assert [packet.payload for packet in packets[3:6]] == [b"question", b"answer", b"thanks"]


def test_a_lone_segment_without_an_answer_is_acknowledged_after_40_ms() -> None:
    question, ack, *_ = recorded(("client", b"question"))[3:]
    assert ack.flags == ACK
    assert ack.time - question.time == 40_000
    assert (ack.acknowledged - question.sequence) % 2**32 == 8


def test_packets_carry_the_callers_times() -> None:
    packets = recorded(("client", b"a"), ("server", b"b"))
    assert packets[0].time == START // 1000
    assert [packet.time - START // 1000 for packet in packets if packet.payload] == [10_000, 20_000]


def test_conversations_are_interleaved_in_the_order_of_time() -> None:
    file = BytesIO()
    with Recorder(file) as recorder:
        one = recorder.open(CLIENT, SERVER, START)
        other = recorder.open(("10.0.0.6", 1), SERVER, START + MS)
        for step in range(20):
            one.send("client", b"x" * 4000, START + (2 + step) * MS)
            other.send("server", b"y" * 4000, START + (2 + step) * MS)
        one.close("client", START + 90 * MS)
        other.close("client", START + 90 * MS, "rst")
    packets = read_packets(file.getvalue())
    assert len(packets) == recorder.packets
    assert [packet.time for packet in packets] == sorted(packet.time for packet in packets)
    sent = {source: b"".join(p.payload for p in packets if p.source[1] == source) for source in (40112, 5900)}
    assert sent == {40112: b"x" * 80_000, 5900: b"y" * 80_000}


def test_a_send_before_the_last_packet_comes_right_after_it() -> None:
    file = BytesIO()
    with Recorder(file, delay=5 * MS) as recorder:
        conversation = recorder.open(CLIENT, SERVER, START)
        conversation.send("client", b"early", START)
    handshake_end, early = read_packets(file.getvalue())[2:4]
    assert 0 < early.time - handshake_end.time < 1000


def test_the_same_calls_write_the_same_file() -> None:
    def written(seed: int) -> bytes:
        file = BytesIO()
        with Recorder(file, seed=seed) as recorder:
            recorder.open(CLIENT, SERVER, START).send("client", b"x", START)
        return file.getvalue()

    assert written(1) == written(1)
    assert written(1) != written(2)


def test_time_may_not_go_backwards() -> None:
    recorder = Recorder(BytesIO())
    conversation = recorder.open(CLIENT, SERVER, START)
    with pytest.raises(UsageError, match=f"time {START - 1}: times go backwards; give one that is {START} or later"):
        conversation.send("client", b"x", START - 1)


def test_nothing_follows_a_close() -> None:
    conversation = Recorder(BytesIO()).open(CLIENT, SERVER, START)
    conversation.close("client", START)
    with pytest.raises(UsageError, match="the conversation is closed"):
        conversation.send("client", b"x", START)


def test_both_ends_are_of_one_address_family() -> None:
    with pytest.raises(UsageError, match=r"10\.0\.0\.5 can't talk to 2001:db8::7"):
        Recorder(BytesIO()).open(CLIENT, SERVER6, START)


def test_a_smaller_mtu_makes_more_segments() -> None:
    file = BytesIO()
    with Recorder(file, mtu=576) as recorder:
        recorder.open(CLIENT, SERVER, START).send("client", b"x" * 1200, START + MS)
    sizes = [len(packet.payload) for packet in read_packets(file.getvalue()) if packet.payload]
    assert sizes == [536, 536, 128]
    assert max(packet.length for packet in read_packets(file.getvalue())) == 576


def test_a_side_that_has_ended_its_half_can_only_listen() -> None:
    file = BytesIO()
    with Recorder(file) as recorder:
        conversation = recorder.open(("10.0.0.5", 40112), ("10.0.0.7", 5900), 0)
        conversation.end("client", 1_000_000)
        with pytest.raises(UsageError, match="the client has ended its half"):
            conversation.send("client", b"more", 2_000_000)
        conversation.send("server", b"rest", 2_000_000)
        conversation.end("server", 3_000_000)
        with pytest.raises(UsageError, match="closed"):
            conversation.send("server", b"more", 4_000_000)
