"""Any slicing tells the same; any bytes end in events, a note, or a documented error."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.packets import read_packets
from tests.wire import tls
from tests.wire.dialogues import every
from tests.wire.packets import (
    Capture,
    Line,
    Side,
    block,
    enhanced,
    ethernet,
    flow_of,
    interface,
    ipv4,
    section,
    segment,
)
from tests.wire.reading import Said, Talk, without_positions
from tlsalert.render.json import jsonl
from tlsalert.wire.connection import connection
from tlsalert.wire.hello import read_client_hello, read_server_hello, read_sslv2_client_hello

CAPTURES = sorted((Path(__file__).parents[2] / "captures").glob("*.pcap"))
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
NAMES = [path.stem for path in CAPTURES]
#: Whose packets are all there, whole and in order, with TLS to the last byte.
FLAWLESS = [
    name
    for name in NAMES
    if name not in ("disturbed", "snapped", "vlan-ipv6", "plain-http-answer", "starttls-smtp", "starttls-refused")
]
SERVERS = {443, 5900}

Turns = list[tuple[Side, bytes]]


@cache
def conversations(name: str) -> list[Turns]:
    """Return what was said on each connection of a capture, as turns of one side, read by other means than wire's."""
    by_port: dict[int, Turns] = {}
    for packet in read_packets(CAPTURES[NAMES.index(name)].read_bytes()):
        if not {packet.source[1], packet.target[1]} & SERVERS:
            continue  # a page in clear
        side: Side = "server" if packet.source[1] in SERVERS else "client"
        turns = by_port.setdefault(packet.target[1] if side == "server" else packet.source[1], [])
        if turns and turns[-1][0] == side:
            turns[-1] = (side, turns[-1][1] + packet.payload)
        elif packet.payload:
            turns.append((side, packet.payload))
    return list(by_port.values())


def slices(data: bytes, cuts: set[int]) -> Iterator[tuple[int, bytes]]:
    """Return the offsets and bytes of the pieces into which the cuts divide data."""
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
    for start, stop in pairwise(bounds):
        yield start, data[start:stop]


def told_of(turns: Turns, cuts: set[int]) -> list[Said]:
    """Feed the turns to two record streams, each turn cut in the same places."""
    talk = Talk()
    for side, data in turns:
        for _, piece in slices(data, cuts):
            (talk.client if side == "client" else talk.server)(piece)
    talk.end()
    assert talk.notes == []
    return without_positions(talk.transcript)


def told_over_tcp(turns: Turns, cuts: set[int]) -> list[Said]:
    """Send the turns as segments over TCP, each turn cut in the same places."""
    line = Line(numbers=(2**32 - 300, 2**32 - 700)).open()
    sent = {"client": 0, "server": 0}
    for side, data in turns:
        for start, piece in slices(data, cuts):
            line.put(side, sent[side] + start, piece)
        sent[side] += len(data)
    flow = line.end()
    assert flow.transcript is not None
    return without_positions(flow.transcript)


CUTS = st.sets(st.integers(1, 3000), max_size=30)


@pytest.mark.parametrize("name", FLAWLESS)
@given(cuts=CUTS)
@settings(max_examples=25, deadline=None)
def test_events_do_not_depend_on_how_the_bytes_were_sliced(name: str, cuts: set[int]) -> None:
    for turns in conversations(name):
        whole = told_of(turns, set())
        assert whole
        assert told_of(turns, cuts) == whole
        assert told_over_tcp(turns, cuts) == whole


@pytest.mark.parametrize("name", FLAWLESS)
def test_bytes_may_come_one_by_one(name: str) -> None:
    (turns, *_) = conversations(name)
    every = set(range(1, 4000))
    assert told_of(turns, every) == told_over_tcp(turns, every) == told_of(turns, set())


def rows(*chunks: bytes) -> list[bytes]:
    """Return all that a capture file says, as lines of JSON."""
    capture = Capture(*chunks)
    lines = [
        jsonl(connection(flow, "x", number, int(capture.parser.digits))) for number, flow in enumerate(capture.flows)
    ]
    return [*lines, f"{capture.parser.damage} {capture.parser.frames} {capture.table.notes}".encode()]


@pytest.mark.parametrize("name", NAMES)
@given(cuts=st.sets(st.integers(1, 12_000), max_size=20))
@settings(max_examples=10, deadline=None)
def test_a_capture_says_the_same_in_any_chunks(name: str, cuts: set[int]) -> None:
    data = CAPTURES[NAMES.index(name)].read_bytes()
    assert rows(*[piece for _, piece in slices(data, cuts)]) == rows(data)


@pytest.mark.long
@pytest.mark.skipif(not CORPUS.is_dir(), reason="there is no ../shared/corpus")
def test_captures_that_others_made_say_the_same_in_any_chunks() -> None:
    for path in sorted(CORPUS.rglob("*.pcap*")):
        data = path.read_bytes()
        pieces = [data[at : at + 997] for at in range(0, len(data), 997)]
        assert rows(*pieces) == rows(data), path


HELLO = tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello(extensions=[tls.server_name(b"a"), tls.alpn(b"h2")])))
FLIGHT = tls.said(
    tls.message(tls.SERVER_HELLO, tls.server_hello()),
    tls.message(tls.CERTIFICATE, tls.certificate_list(b"\x30\x03\x02\x01\x05")),
    tls.message(tls.CERTIFICATE_REQUEST, tls.vector(1, b"\1") + tls.vector(2, tls.u16(0x0401)) + tls.vector(2, b"")),
    tls.message(tls.SERVER_HELLO_DONE),
)
#: What a stranger may put together: whole records, broken ones, SSLv2, other protocols, nothing of sense.
PIECES = st.one_of(
    st.sampled_from(
        [
            HELLO,
            FLIGHT,
            tls.said(tls.message(tls.SERVER_HELLO, tls.server_hello_13())),
            tls.said(tls.message(tls.SERVER_HELLO, tls.server_hello(suite=0x0002))),
            tls.change_cipher_spec(),
            tls.alert(2, 42),
            tls.encrypted(tls.ALERT, 26),
            tls.encrypted(tls.HANDSHAKE, 40),
            tls.application_data(19),
            tls.sslv2_record(tls.sslv2_client_hello(0x0002, (0x010080,))),
            tls.sslv2_record(tls.sslv2_client_hello(0x0301, (0x010080,))),
            tls.sslv2_record(tls.sslv2_server_hello(b"\x30\x00", (0x010080,))),
            b"220 ready\r\n",
            *(data for turns in every().values() for _, data in turns),
        ]
    ),
    st.binary(max_size=60),
    st.builds(
        tls.record, st.integers(18, 26), st.binary(max_size=60), st.sampled_from([0x0300, 0x0303, 0x0304, 0x03FF])
    ),
    st.builds(lambda code, body: tls.said(tls.message(code, body)), st.integers(0, 30), st.binary(max_size=80)),
    st.builds(lambda kind, size: struct.pack(">BHH", kind, 0x0303, size), st.integers(18, 26), st.integers(0, 0xFFFF)),
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["client", "server"]), PIECES, st.integers(0, 40), st.integers(0, 200)), max_size=14
)


def shown(talk: Talk) -> bytes:
    """Return the connection as JSON, which decodes every message that it holds."""
    flow = flow_of(b"\x0a\0\0\5\x0a\0\0\7\x9c\xb0\x17\x0c")
    flow.transcript = talk.transcript
    return jsonl(connection(flow, "x", 0, 6))


@given(steps=STEPS, late=st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_bytes_and_gaps_end_in_events(steps: list[tuple[Side, bytes, int, int]], late: bool) -> None:
    talk = Talk()
    fed = 0
    if late:
        talk.streams[0].begin_anywhere()
    for side, piece, cut, missing in steps:
        data = piece[: max(len(piece) - cut, 0)]
        fed += len(data)
        (talk.client if side == "client" else talk.server)(data)
        if missing > 150:
            talk.gap(side, missing - 150)
    talk.end()
    kept = sum(len(event.body or b"") for event in talk.transcript.events)
    assert kept <= fed
    assert len(shown(talk)) < 20_000 + 400 * fed


@given(data=st.binary(max_size=600), pieces=st.integers(1, 50))
@settings(max_examples=200)
def test_any_stream_at_all_ends_in_events(data: bytes, pieces: int) -> None:
    talk = Talk().client(*[data[at : at + pieces] for at in range(0, len(data), pieces)]).end()
    assert len(shown(talk)) < 20_000 + 400 * len(data)


@given(
    body=st.one_of(
        st.binary(max_size=300), st.builds(lambda head, tail: head + tail, st.just(HELLO[9:60]), st.binary())
    )
)
@settings(max_examples=300)
def test_any_hello_is_told_with_its_problems(body: bytes) -> None:
    for read in (read_client_hello, read_sslv2_client_hello):
        hello = read(body)
        assert 2 * len(hello.cipher_suites) <= len(body)
        assert sum(4 + len(extension.data) for extension in hello.extensions) <= len(body)
        assert all(isinstance(problem, str) and problem for problem in hello.problems)
    answer = read_server_hello(body)
    assert sum(4 + len(extension.data) for extension in answer.extensions) <= len(body)


PACKET = ethernet(ipv4(segment(HELLO)))
BLOCKS = st.one_of(
    st.sampled_from([section("<"), section(">"), interface(), interface(options=[(9, b"\xff"), (14, b"\xff" * 8)])]),
    st.sampled_from([enhanced(PACKET, 1), enhanced(PACKET, 2**64 - 1), enhanced(PACKET, 2**63, 1)]),
    st.builds(block, st.integers(0, 11), st.binary(max_size=80)),
    st.binary(max_size=40),
)
MAGICS = [b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x34\xcd\xb2\xa1", b"\x0a\x0d\x0d\x0a", b""]


@given(magic=st.sampled_from(MAGICS), data=st.binary(max_size=300), size=st.integers(1, 100))
@settings(max_examples=200)
def test_any_file_ends_in_packets_or_damage(magic: bytes, data: bytes, size: int) -> None:
    whole = magic + data
    assert rows(*[whole[at : at + size] for at in range(0, len(whole), size)]) == rows(whole)


@given(blocks=st.lists(BLOCKS, max_size=12), size=st.integers(1, 200))
@settings(max_examples=200, deadline=None)
def test_any_blocks_end_in_packets_or_damage(blocks: list[bytes], size: int) -> None:
    whole = section() + b"".join(blocks)
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert rows(*pieces) == rows(whole)
