"""A connection's packets are all of its own and none of another's, those without payload and in fragments too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence import CAPTURES
from tests.talks import established, other, refused, write
from tests.wire.packets import ACK, FIN, RST, SYN, ethernet, ipv4, pcap, segment
from tests.wire.wrapped import capwap, udp
from tlsalert.capture import Reader
from tlsalert.tracing import Tracer, flow_of, frames_of

HELLO = bytes.fromhex("16030100050100000100") + b"x" * 60


def frames(capture: bytes, *flows: int, size: int = 1 << 16) -> list[int]:
    chunks = [capture[at : at + size] for at in range(0, len(capture), size)]
    found = frames_of(chunks, set(flows))
    return [frame for frame in range(1, 200) if frame in found]


def spoken(ports: tuple[int, int]) -> list[bytes]:
    """Return a conversation as IP packets: SYN, SYN/ACK, ACK, data, its ACK, FIN, RST."""
    there, back = ports, (ports[1], ports[0])
    return [
        ipv4(segment(seq=0, flags=SYN, ports=there)),
        ipv4(segment(seq=100, ack=1, flags=SYN | ACK, ports=back), addresses=("10.0.0.7", "10.0.0.5")),
        ipv4(segment(seq=1, ack=101, ports=there)),
        ipv4(segment(HELLO, seq=1, ack=101, ports=there)),
        ipv4(segment(seq=101, ack=71, ports=back), addresses=("10.0.0.7", "10.0.0.5")),
        ipv4(segment(seq=71, ack=101, flags=FIN | ACK, ports=there)),
        ipv4(segment(seq=101, ack=72, flags=RST, ports=back), addresses=("10.0.0.7", "10.0.0.5")),
    ]


@pytest.mark.parametrize("size", [1 << 16, 77])
def test_every_packet_goes_to_its_flow(size: int) -> None:
    mixed = [ethernet(one) for pair in zip(spoken((40112, 443)), spoken((40113, 443)), strict=True) for one in pair]
    capture = pcap(mixed)
    assert frames(capture, 0, size=size) == [1, 3, 5, 7, 9, 11, 13]
    assert frames(capture, 1, size=size) == [2, 4, 6, 8, 10, 12, 14]
    assert frames(capture, 0, 1, size=size) == list(range(1, 15))
    assert frames(capture, 7, size=size) == []


def test_a_packet_brings_the_fragments_it_came_in() -> None:
    whole = segment(HELLO, seq=1, ack=101, ports=(40112, 443))
    pieces = [ipv4(whole[:40], fragment=0x2000), ipv4(whole[40:72], fragment=0x2005), ipv4(whole[72:], fragment=9)]
    stray = ipv4(udp(b"x" * 64, 53)[:40], fragment=0x2000, addresses=("10.0.0.9", "10.0.0.7"), protocol=17)
    before, after = spoken((40112, 443))[:3], spoken((40112, 443))[4:]
    packets = [*before, pieces[0], stray, *spoken((40113, 443))[:1], pieces[2], pieces[1], *after]
    assert frames(pcap([ethernet(one) for one in packets]), 0) == [1, 2, 3, 4, 7, 8, 9, 10, 11]


def test_fragments_of_a_tunnel_count_as_well() -> None:
    inner = ethernet(ipv4(segment(HELLO, seq=1, flags=SYN, ports=(40112, 443))))
    wrapped = [
        ipv4(udp(capwap(inner[:64], False, 0x80, 5, 0), 5247), protocol=17),
        ipv4(udp(capwap(inner[64:], False, 0xC0, 5, 64), 5247), protocol=17),
    ]
    tracer = Tracer()
    traced = list(tracer.traced([pcap([ethernet(one) for one in wrapped])]))
    assert traced == [(1, 0), (2, 0)]


def test_a_connection_is_found_by_its_number_among_those_with_tls(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pcap", other(0, 1), established(1, 2), refused(48, 2, 3), other(3, 4), refused(42, 4, 5))
    chunks = [path.read_bytes()]
    assert [flow_of(chunks, number) for number in range(4)] == [1, 2, 4, None]
    reader = Reader(path)
    assert [(one.connection, reader.flow) for one in reader] == [(0, 1), (1, 2), (2, 4)]


@pytest.mark.parametrize("name", ["console.pcap", "disturbed.pcap", "starttls-smtp.pcap", "nanoseconds.pcapng"])
def test_the_reader_and_the_tracer_number_alike(name: str) -> None:
    path = CAPTURES / name
    reader = Reader(path)
    for connection in reader:
        flow = flow_of([path.read_bytes()], connection.connection)
        assert flow == reader.flow
        named = {one.position.frame for one in connection.messages} | {one.position.frame for one in connection.alerts}
        assert named <= set(frames(path.read_bytes(), reader.flow))
