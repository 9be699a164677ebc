"""What is passed on comes out as a capture: bytes in packets, ends and resets, addresses where there are none."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.lab.packets import FIN, RST, SYN, Packet, read_packets
from tests.lab.talking import soon
from tests.sources.test_forwarder import connect, echo, everything, reset, server
from tests.talks import refused_hello
from tlsalert.packet_reader import Reader
from tlsalert.sources.forwarder import Place
from tlsalert.sources.tapped import TapSource, _ends

ANY: Place = ("127.0.0.1", 0)
SAID, ALERT = [data for _, data in refused_hello(40).flights]


def packets(source: TapSource) -> list[Packet]:
    source.stop()
    return read_packets(b"".join(source.chunks()))


def refuse(plain: socket.socket) -> None:
    plain.recv(4096)
    plain.sendall(ALERT)


def test_a_refusal_that_passes_is_read_with_its_frames() -> None:
    with server(refuse) as target, TapSource(ANY, target) as source:
        with connect(source.address) as client:
            client.sendall(SAID)
            assert everything(client) == ALERT
            port = client.getsockname()[1]
        assert soon(lambda: source.open == 0)
        reader = Reader(source.name, source=source)
        source.stop()
        (connection,) = reader
        assert connection.client is not None
        assert connection.client.port == port
        assert str(connection.server) == "{}:{}".format(*target)
        assert [(alert.code, alert.position.frame) for alert in connection.alerts] == [(40, 5)]
        assert connection.verdict is not None
        assert connection.verdict.outcome == "failed"
        assert reader.summary.packets == source.packets
        assert reader.summary.notes == ()


def test_packets_are_handed_on_while_the_connection_is_open() -> None:
    with server(echo) as target, TapSource(ANY, target) as source, connect(source.address) as client:
        client.sendall(b"said")
        assert client.recv(100) == b"said"
        assert soon(lambda: source.waiting > 0)


def test_resets_and_half_closes_are_in_the_capture() -> None:
    with server(echo) as target, TapSource(ANY, target) as source:
        with connect(source.address) as first:
            first.sendall(b"one")
            first.shutdown(socket.SHUT_WR)
            assert everything(first) == b"one"
        second = connect(source.address)
        second.sendall(b"two")
        assert second.recv(100) == b"two"
        reset(second)
        assert soon(lambda: source.open == 0)
        found = packets(source)
    assert [packet.payload for packet in found if packet.payload] == [b"one", b"one", b"two", b"two"]
    assert sum(bool(packet.flags & SYN) for packet in found) == 4
    assert sum(bool(packet.flags & FIN) for packet in found) == 2
    assert sum(bool(packet.flags & RST) for packet in found) == 1


def test_large_sends_become_few_packets_and_lose_nothing() -> None:
    data = bytes(range(256)) * 4096
    with server(echo) as target, TapSource(ANY, target) as source:
        with connect(source.address) as client:
            client.sendall(data[:200_000])
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == data[:200_000]
        assert soon(lambda: source.open == 0)
        found = packets(source)
    for port in (found[0].source[1], target[1]):
        assert b"".join(packet.payload for packet in found if packet.source[1] == port) == data[:200_000]


def test_what_finds_no_room_is_left_out_of_the_capture_and_counted_and_still_passes() -> None:
    data = bytes(1 << 20)
    with server(echo) as target, TapSource(ANY, target, limit=1) as source:
        with connect(source.address) as client:
            client.sendall(data[: 1 << 18])
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == data[: 1 << 18]
        assert soon(lambda: source.open == 0)
        source.stop()
        assert source.dropped > 0
        assert source.notes()[0].startswith(f"{source.dropped} packets' worth passed faster than it could be read")


def test_a_server_that_is_not_there_is_told_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        target = free.getsockname()[:2]
    with TapSource(ANY, target) as source:
        for _ in range(2):
            with connect(source.address) as client, pytest.raises(ConnectionResetError):
                client.recv(1)
        assert soon(lambda: source.unreached == 2)
        assert source.notes() == ["the server could not be reached (Connection refused): such connections were reset"]


def test_unix_sockets_get_addresses_and_that_is_told(tmp_path: Path) -> None:
    path = str(tmp_path / "server")
    with server(refuse, path), TapSource(str(tmp_path / "tap"), path) as source:
        for _ in range(2):
            with connect(source.address) as client:
                client.sendall(SAID)
                assert everything(client) == ALERT
        assert soon(lambda: source.open == 0 and source.connections == 2)
        reader = Reader(source.name, source=source)
        source.stop()
        assert [str(connection.client) for connection in reader] == ["127.0.0.1:1", "127.0.0.1:2"]
        assert reader.summary.notes == ("addresses and ports of Unix sockets are made up: they have none",)


@pytest.mark.parametrize(
    ("client", "server", "shown"),
    [
        (("10.0.0.5", 4001), ("10.0.0.7", 443), (("10.0.0.5", 4001), ("10.0.0.7", 443))),
        (("10.0.0.5", 4001), ("2001:db8::7", 443), (("::ffff:10.0.0.5", 4001), ("2001:db8::7", 443))),
        (("::1", 4001), None, (("::1", 4001), ("::ffff:127.0.0.1", 0))),
        (None, None, (("127.0.0.1", 65535), ("127.0.0.1", 0))),
    ],
)
def test_both_ends_are_of_one_family(client: Place | None, server: Place | None, shown: object) -> None:
    assert _ends(65535, client, server) == shown
