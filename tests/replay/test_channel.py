"""The way to the server: deadlines, limits, and that nothing is lost between two sides that write at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tlsalert.replay.channel import SEGMENTS, Channel, Stopped
from tlsalert.replay.target import Limits

LIMITS = Limits(read=0.2, total=2, bytes=1 << 22)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
        with client, peer:
            yield client, peer


def stop(channel: Channel, wait: float | None = None) -> Stopped:
    with pytest.raises(Stopped) as caught:
        channel.receive(wait)
    return caught.value


def test_what_passes_is_written_down(ends: tuple[socket.socket, socket.socket]) -> None:
    client, peer = ends
    channel = Channel(client, LIMITS, clock=lambda: 1_000)
    channel.send(b"question")
    assert peer.recv(100) == b"question"
    peer.sendall(b"answer")
    assert channel.receive() == b"answer"
    told = channel.taken()
    assert [(s.sender, s.data) for s in told] == [("client", b"question"), ("server", b"answer")]
    assert 1_000 <= told[0].time <= told[1].time
    assert channel.addresses() == (client.getsockname(), peer.getsockname())
    assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_silence_ends_a_wait(ends: tuple[socket.socket, socket.socket]) -> None:
    channel = Channel(ends[0], LIMITS)
    assert (stop(channel).how, stop(channel, 0.01).limit) == ("timeout", None)
    assert channel.waited >= 0.01


def test_the_whole_try_has_an_end(ends: tuple[socket.socket, socket.socket]) -> None:
    channel = Channel(ends[0], Limits(read=9, total=0.05))
    stopped = stop(channel)
    assert (stopped.how, stopped.limit) == ("timeout", "0.05 s in all")


def test_a_close_and_a_reset_are_told_apart(ends: tuple[socket.socket, socket.socket]) -> None:
    client, peer = ends
    channel = Channel(client, LIMITS)
    peer.sendall(b"last words")
    peer.close()
    assert channel.receive() == b"last words"
    assert stop(channel).how == "fin"


def test_bytes_that_came_before_a_reset_are_read(ends: tuple[socket.socket, socket.socket]) -> None:
    client, peer = ends
    channel = Channel(client, LIMITS)
    channel.send(b"nobody reads this")
    peer.sendall(b"alert")
    peer.close()  # with unread data: a reset
    threading.Event().wait(0.05)
    channel.send(b"more")
    assert channel.receive() == b"alert"
    assert stop(channel).how == "rst"


def test_too_many_bytes_meet_a_limit(ends: tuple[socket.socket, socket.socket]) -> None:
    client, peer = ends
    channel = Channel(client, Limits(bytes=10))
    peer.sendall(bytes(11))
    stopped = stop(channel)
    assert (stopped.how, stopped.limit) == ("limit", "10 bytes")


def test_two_sides_that_both_write_much_do_not_wait_for_each_other(ends: tuple[socket.socket, socket.socket]) -> None:
    client, peer = ends
    size = 3 << 20
    heard = bytearray()

    def serve() -> None:
        peer.sendall(bytes(size))  # before it has read a byte
        while len(heard) < size:
            heard.extend(peer.recv(1 << 16))
        peer.sendall(b"done")

    thread = threading.Thread(target=serve)
    thread.start()
    channel = Channel(client, Limits(read=5, total=20))
    channel.send(b"x" * size)
    got = b""
    while not got.endswith(b"done"):
        got += channel.receive()
    thread.join()
    assert len(got) == size + 4
    assert bytes(heard) == b"x" * size


def test_tiny_pieces_are_put_together(ends: tuple[socket.socket, socket.socket]) -> None:
    client, peer = ends
    channel = Channel(client, Limits(read=5, total=60))
    for count in range(SEGMENTS + 50):
        peer.sendall(bytes((count & 0xFF,)))
        channel.receive()
    told = channel.taken()
    assert len(told) == SEGMENTS
    assert len(told[-1].data) == 51


def test_a_parting_reads_on_until_the_peer_has_closed(ends: tuple[socket.socket, socket.socket]) -> None:
    client, peer = ends
    channel = Channel(client, LIMITS)

    def serve() -> None:
        while peer.recv(100):
            pass
        peer.sendall(b"farewell")
        peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    channel.finish(5)
    thread.join()
    assert [s.data for s in channel.taken()] == [b"farewell"]
    channel.send(b"not any more")
    assert len(channel.taken()) == 1
