"""A line waits no longer than it may, closes so that the peer hears the last word, and resets when it shall."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tlsalert.lab.line import Limits, Line, TooMuchError
from tlsalert.lab.tape import Tape

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A client and the server's end, over TCP."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname(), 5) as client,
    ):
        server, _ = listener.accept()
        with server:
            yield client, server


def line(server: socket.socket, limits: Limits, tape: Tape | None = None) -> Line:
    """Return a line that nobody stops."""
    return Line(server, tape or Tape(), limits, threading.Event())


def test_a_silent_client_and_a_slow_one_are_given_up(pair: Pair) -> None:
    client, server = pair
    with pytest.raises(TimeoutError):
        line(server, Limits(idle=0.05)).receive()
    slow = line(server, Limits(total=0.2))
    client.sendall(b"x")
    assert slow.receive() == b"x"
    time.sleep(0.2)
    client.sendall(b"x")
    with pytest.raises(TimeoutError):
        slow.receive()


def test_who_does_not_read_is_given_up_too(pair: Pair) -> None:
    _, server = pair
    with pytest.raises(TimeoutError):
        line(server, Limits(idle=0.2)).send(bytes(50_000_000))


def test_who_sends_too_much_is_stopped(pair: Pair) -> None:
    client, server = pair
    client.sendall(bytes(1001))
    held = line(server, Limits(bytes=1000))
    with pytest.raises(TooMuchError):
        held.wait_for_the_end()


def test_the_last_word_arrives_although_the_client_goes_on_sending(pair: Pair) -> None:
    client, server = pair
    client.sendall(bytes(100_000))
    held = line(server, Limits(linger=0.5))
    held.send(b"alert")
    closing = threading.Thread(target=held.close)
    closing.start()
    assert client.recv(100) == b"alert"
    assert client.recv(100) == b""
    client.close()
    closing.join()
    server.close()  # with nothing unread: no reset


def test_a_reset_is_one(pair: Pair) -> None:
    client, server = pair
    tape = Tape()
    line(server, Limits(), tape).reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert [what for _, _, what in tape.events] == ["rst"]
