"""TLS inside packets of MS-TDS and OpenVPN: the framing comes off, however the bytes are sliced."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.wire.envelope import OPENVPN, TDS, Envelope, envelope_at, packet_before

HELLO = bytes.fromhex("16030100050100000101") + b"rest of the hello"
RECORDS = HELLO + bytes(range(250)) * 3


def tds(payload: bytes, kind: int = 0x12, status: int = 1) -> bytes:
    return bytes((kind, status)) + (8 + len(payload)).to_bytes(2, "big") + bytes(4) + payload


def openvpn(payload: bytes, opcode: int = 4, hmac: int = 0, acks: int = 0) -> bytes:
    head = (
        bytes((opcode << 3,))
        + b"SESSION1"
        + (b"h" * hmac + bytes((0, 0, 1, 9, 0x50, 0xFF, 0x20, 0xFC)) if hmac else b"")
    )
    head += bytes((acks,)) + bytes(4 * acks) + (b"SESSION2" if acks else b"") + bytes(4)
    return (len(head) + len(payload)).to_bytes(2, "big") + head + payload


def opened(stream: bytes, cuts: list[int], kind: int, hmac: int = 0) -> bytes:
    envelope = Envelope(kind, hmac)
    places = [0, *sorted(cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(places)]
    return b"".join(envelope.open(piece, 0, len(piece)) for piece in pieces)


cuts = st.lists(st.integers(0, 900), max_size=12)


@given(cuts)
def test_records_in_tds_packets_come_out_whole_and_bare_ones_follow(cuts: list[int]) -> None:
    bare = b"\x17\x03\x03\x00\x04abcd" * 3
    stream = tds(RECORDS[:100], status=0) + tds(RECORDS[100:]) + bare
    assert opened(stream, [cut for cut in cuts if cut < len(stream)], TDS) == RECORDS + bare


@pytest.mark.parametrize("hmac", [0, 16, 20, 28, 32, 48, 64])
@given(cuts=cuts)
def test_records_in_openvpn_control_packets_come_out_and_the_others_do_not(hmac: int, cuts: list[int]) -> None:
    data = (3 + 40).to_bytes(2, "big") + bytes((6 << 3,)) + b"ciphertext" * 4 + b"xx"
    stream = openvpn(RECORDS[:300], hmac=hmac, acks=2) + openvpn(b"", 5, hmac, acks=1) + data
    stream += openvpn(RECORDS[300:], hmac=hmac) + data
    assert opened(stream, [cut for cut in cuts if cut < len(stream)], OPENVPN, hmac) == RECORDS


@pytest.mark.parametrize(
    ("packet", "kind", "hmac"),
    [
        pytest.param(tds(HELLO), TDS, 0, id="TDS, the client's"),
        pytest.param(tds(HELLO, 4), TDS, 0, id="TDS, the server's"),
        pytest.param(openvpn(HELLO), OPENVPN, 0, id="OpenVPN"),
        pytest.param(openvpn(HELLO, hmac=20, acks=1), OPENVPN, 20, id="OpenVPN with tls-auth"),
        pytest.param(openvpn(HELLO, hmac=64, acks=4), OPENVPN, 64, id="OpenVPN with SHA-512"),
    ],
)
def test_an_envelope_is_known_by_the_hello_inside(packet: bytes, kind: int, hmac: int) -> None:
    found = envelope_at(packet, 0, len(packet))
    assert found is not None
    assert (found.kind, found.hmac) == (kind, hmac)
    assert found.open(packet, 0, len(packet)) == HELLO


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(tds(b"\x00\x00\x1a\x00\x06\x01" * 5), id="TDS without TLS"),
        pytest.param(openvpn(b"x" * 40), id="OpenVPN without TLS (tls-crypt)"),
        pytest.param(HELLO, id="bare TLS"),
        pytest.param(b"\x12", id="one byte"),
    ],
)
def test_without_a_hello_there_is_no_envelope(data: bytes) -> None:
    assert envelope_at(data, 0, len(data)) is None


def test_missing_bytes_are_counted_as_far_as_they_are_of_tls() -> None:
    envelope = Envelope(TDS, 0)
    packet = tds(RECORDS)
    assert envelope.open(packet, 0, 108) == RECORDS[:100]
    assert envelope.gap(50) == 50
    assert envelope.open(packet, 158, len(packet)) == RECORDS[150:]
    assert envelope.gap(4) == 0


@pytest.mark.parametrize(
    ("kind", "packet", "garbage"),
    [(TDS, tds(RECORDS[:200]), b"\x99" * 40), (OPENVPN, openvpn(RECORDS[:200]), b"\x01\x02\xff" * 20)],
)
def test_after_a_gap_beyond_a_packet_only_a_packet_goes_on(kind: int, packet: bytes, garbage: bytes) -> None:
    envelope = Envelope(kind, 0)
    assert envelope.open(packet, 0, 100) == RECORDS[: 100 - (len(packet) - 200)]
    assert envelope.gap(1000) == len(packet) - 100
    assert envelope.open(garbage, 0, len(garbage)) == b""
    assert envelope.open(packet, 0, len(packet)) == RECORDS[:200]


def test_bare_records_may_follow_a_gap_in_tds() -> None:
    envelope = Envelope(TDS, 0)
    envelope.open(tds(HELLO), 0, 12)
    envelope.gap(5000)
    bare = b"\x17\x03\x03\x00\x04abcd"
    assert envelope.open(bare, 0, len(bare)) == bare
    assert envelope.gap(70) == 70


@pytest.mark.parametrize(
    "packet", [tds(HELLO), tds(HELLO, 4), *(openvpn(HELLO, hmac=h, acks=a) for h in (0, 20, 64) for a in (0, 1, 8))]
)
@pytest.mark.parametrize("before", [b"", b"\x12\x01\x00\x08\x00\x00\x00\x00", bytes(200)])
def test_the_packet_around_a_hello_is_found_from_the_hello(packet: bytes, before: bytes) -> None:
    data = before + packet
    assert packet_before(data, data.index(HELLO), len(data)) == len(before)


@pytest.mark.parametrize("before", [b"", b"STARTTLS\r\n", b"CONNECT a:443 HTTP/1.1\r\n\r\n" * 10, bytes(300)])
def test_a_hello_in_no_packet_begins_where_it_is(before: bytes) -> None:
    assert packet_before(before + HELLO, len(before), len(before + HELLO)) == len(before)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_in_a_packet_or_not(data: bytes, at: int) -> None:
    at = min(at, len(data))
    assert 0 <= packet_before(data, at, len(data)) <= at


@given(st.binary(max_size=300), st.sampled_from([(TDS, 0), (OPENVPN, 0), (OPENVPN, 20)]))
def test_any_bytes_come_to_an_end(data: bytes, of: tuple[int, int]) -> None:
    assert len(Envelope(*of).open(data, 0, len(data))) <= len(data)
    envelope_at(data, 0, len(data))
