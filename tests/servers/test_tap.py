"""The forwarder carries all bytes both ways, and writes down what passed and how it ended."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.lab.packets import FIN, RST, Packet, read_packets
from tests.servers.tap import SERVER, Tap

ANSWER = bytes(range(256)) * 300


def packets(serve: Callable[[socket.socket], None], ask: Callable[[socket.socket], None]) -> list[Packet]:
    """Return what was recorded while a server and a client talked through the forwarder."""
    with listening(serve) as port, Tap(port) as tap:
        with socket.create_connection(tap.address, 5) as client:
            ask(client)
        return read_packets(tap.capture())


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def once() -> None:
            accepted, _ = listener.accept()
            with accepted:
                serve(accepted)

        thread = threading.Thread(target=once, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


def answer(server: socket.socket) -> None:
    server.recv(100)
    server.sendall(ANSWER)


def question(client: socket.socket) -> None:
    client.sendall(b"question")
    read_all(client)


def reset(server: socket.socket) -> None:
    server.recv(100)
    server.sendall(b"alert")
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def lose(client: socket.socket) -> None:
    client.sendall(b"question")
    with pytest.raises(ConnectionResetError):
        read_all(client)


def read_all(end: socket.socket) -> None:
    while end.recv(65536):
        pass


def said_by(recorded: list[Packet], port: int) -> bytes:
    return b"".join(packet.payload for packet in recorded if packet.source[1] == port)


def test_all_bytes_pass_and_the_side_that_closes_first_is_told() -> None:
    recorded = packets(answer, question)
    assert said_by(recorded, SERVER[1]) == ANSWER
    assert b"".join(p.payload for p in recorded if p.target[1] == SERVER[1]) == b"question"
    first = next(packet for packet in recorded if packet.flags & FIN)
    assert first.source[1] == SERVER[1]
    assert not any(packet.flags & RST for packet in recorded)


def test_a_reset_is_passed_on_and_told() -> None:
    recorded = packets(reset, lose)
    assert b"question" in [packet.payload for packet in recorded]
    (ended,) = [packet for packet in recorded if packet.flags & (RST | FIN)]
    assert (ended.source[1], ended.flags & RST) == (SERVER[1], RST)
