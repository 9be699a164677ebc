"""The forwarder passes bytes, half-closes and resets as they come, for thousands, and holds little of each."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.lab.talking import soon
from tlsalert.errors import UsageError
from tlsalert.model import Side
from tlsalert.sources.forwarder import HIGH, Forwarder, Place

NO_LINGER = struct.pack("ii", 1, 0)


class Notes:
    """Writes down what a forwarder tells."""

    def __init__(self) -> None:
        self.told: list[tuple[int, object, object]] = []
        self.bytes = {"client": 0, "server": 0}

    def opened(self, number: int, client: Place | None, server: Place | None) -> None:
        self.told.append((number, "opened", (client, server)))

    def said(self, number: int, side: Side, data: bytes) -> None:
        self.bytes[side] += len(data)
        self.told.append((number, side, data))

    def ended(self, number: int, side: Side, how: Literal["fin", "rst"]) -> None:
        self.told.append((number, side, how))

    def closed(self, number: int) -> None:
        self.told.append((number, "closed", None))

    def unreachable(self, number: int, client: Place | None, says: str) -> None:
        self.told.append((number, "unreachable", says))

    def short(self) -> list[object]:
        """Return what happened without bytes and numbers."""
        return [(who, what) if who in ("client", "server") else who for _, who, what in self.told]


@contextlib.contextmanager
def server(serve: Callable[[socket.socket], None], place: Place = ("127.0.0.1", 0)) -> Iterator[Place]:
    """Serve each connection in a thread of its own."""
    if isinstance(place, str):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(place)
        listener.listen()
    else:
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        listener = socket.create_server(place, family=family, backlog=1024)

    def one(plain: socket.socket) -> None:
        with plain, contextlib.suppress(OSError):
            serve(plain)

    def run() -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                threading.Thread(target=one, args=(plain,), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    with listener:
        yield place if isinstance(place, str) else listener.getsockname()[:2]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def passed(
    serve: Callable[[socket.socket], None], idle: float | None = None, total: float | None = None
) -> Iterator[tuple[socket.socket, Notes, Forwarder]]:
    """Return a client that is connected to a server through a forwarder."""
    notes = Notes()
    with (
        server(serve) as target,
        Forwarder(("127.0.0.1", 0), target, notes, idle, total) as forwarder,
        connect(forwarder.address) as client,
    ):
        yield client, notes, forwarder


def connect(place: Place) -> socket.socket:
    if isinstance(place, str):
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(10)
        plain.connect(place)
        return plain
    return socket.create_connection(place, 10)


def everything(end: socket.socket) -> bytes:
    found = b""
    while data := end.recv(65536):
        found += data
    return found


def echo(plain: socket.socket) -> None:
    while data := plain.recv(65536):
        plain.sendall(data)


def wait(plain: socket.socket) -> None:
    """Read until the client has ended or reset it."""
    while plain.recv(65536):
        pass


def reset(plain: socket.socket) -> None:
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    plain.close()


def test_a_half_close_is_passed_on_while_the_other_half_goes_on() -> None:
    def answer_at_the_end(plain: socket.socket) -> None:
        plain.sendall(b"heard " + everything(plain))

    with passed(answer_at_the_end) as (client, notes, _):
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert everything(client) == b"heard question"
        assert soon(lambda: notes.told[-1][1] == "closed")
        assert notes.short() == [
            "opened",
            ("client", b"question"),
            ("client", "fin"),
            ("server", b"heard question"),
            ("server", "fin"),
            "closed",
        ]


def test_a_server_s_reset_reaches_the_client_behind_its_last_words() -> None:
    def refuse(plain: socket.socket) -> None:
        plain.recv(100)
        plain.sendall(b"alert")
        time.sleep(0.05)
        reset(plain)

    with passed(refuse) as (client, notes, _):
        client.sendall(b"hello")
        assert client.recv(100) == b"alert"
        with pytest.raises(ConnectionResetError):
            client.recv(100)
        assert soon(lambda: notes.told[-1][1] == "closed")
        assert notes.short()[-2:] == [("server", "rst"), "closed"]


def test_a_client_s_reset_reaches_the_server() -> None:
    came: list[str] = []

    def listen(plain: socket.socket) -> None:
        try:
            wait(plain)
            came.append("fin")
        except ConnectionResetError:
            came.append("rst")

    with passed(listen) as (client, notes, _):
        client.sendall(b"hello")
        assert soon(lambda: notes.bytes["client"])
        reset(client)
        assert soon(lambda: came)
        assert came == ["rst"]
        assert ("client", "rst") in notes.short()


def test_a_reset_behind_a_half_close_is_passed_on_though_nobody_writes() -> None:
    came: list[str] = []

    def listen(plain: socket.socket) -> None:
        wait(plain)
        came.append("fin")
        plain.settimeout(10)
        end = time.monotonic() + 10
        while not (error := plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) and time.monotonic() < end:
            time.sleep(0.01)
        came.append("rst" if error else "nothing")

    with passed(listen) as (client, notes, _):
        client.sendall(b"hello")
        client.shutdown(socket.SHUT_WR)
        assert soon(lambda: came == ["fin"])
        reset(client)
        assert soon(lambda: len(came) == 2)
        assert came == ["fin", "rst"]
        assert notes.short()[-3:] == [("client", "fin"), ("client", "rst"), "closed"]


def test_a_large_transfer_passes_whole_both_ways() -> None:
    data = os.urandom(1 << 20) * 12
    with passed(echo) as (client, notes, _):
        got: list[bytes] = []
        reader = threading.Thread(target=lambda: got.append(everything(client)))
        reader.start()
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        reader.join(60)
        assert got == [data]
        assert notes.bytes == {"client": len(data), "server": len(data)}


def test_who_does_not_read_stops_who_writes_and_little_waits_here() -> None:
    goes_on = threading.Event()

    def slow(plain: socket.socket) -> None:
        goes_on.wait(30)
        wait(plain)

    with passed(slow) as (client, notes, forwarder):
        client.setblocking(False)
        sent, quiet = 0, 0
        while quiet < 20:  # until nothing has been taken for a while
            try:
                sent += client.send(bytes(65536))
                quiet = 0
            except BlockingIOError:
                quiet += 1
                time.sleep(0.01)
            assert sent < 64 << 20
        (link,) = forwarder.links.values()
        transport = link.server._transport
        assert transport is not None
        assert transport.get_write_buffer_size() <= HIGH + (256 << 10)  # and one read of asyncio's
        goes_on.set()
        client.setblocking(True)
        client.shutdown(socket.SHUT_WR)
        assert everything(client) == b""
        assert soon(lambda: notes.told[-1][1] == "closed")
        assert notes.bytes["client"] == sent


def test_many_connections_at_once_are_each_answered() -> None:
    notes = Notes()
    with server(echo) as target, Forwarder(("127.0.0.1", 0), target, notes) as forwarder:
        clients = [connect(forwarder.address) for _ in range(150)]
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        for number, client in enumerate(clients):
            assert client.recv(100) == b"%d" % number
        assert len(forwarder.links) == 150
        for client in clients:
            client.close()
        assert soon(lambda: not forwarder.links)
    assert sum(what == "closed" for _, what, _ in notes.told) == 150


def test_a_server_that_is_not_there_resets_the_client_and_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        target = free.getsockname()[:2]
    notes = Notes()
    with Forwarder(("127.0.0.1", 0), target, notes) as forwarder, connect(forwarder.address) as client:
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert notes.told == [(1, "unreachable", "Connection refused")]


def test_a_client_that_is_gone_before_the_server_answers_is_no_trouble() -> None:
    with passed(wait) as (client, notes, forwarder):
        reset(client)
        with connect(forwarder.address) as another:
            another.sendall(b"still here")
            assert soon(lambda: notes.bytes["client"] == 10)
        assert forwarder.troubles == []


@pytest.mark.parametrize(("idle", "total"), [(0.1, None), (None, 0.1)], ids=["silence", "time"])
def test_a_connection_is_closed_when_its_time_is_up(idle: float | None, total: float | None) -> None:
    with passed(wait, idle, total) as (client, notes, _):
        assert client.recv(1) == b""
        assert notes.short() == ["opened", "closed"]


def test_stopping_closes_what_is_open_and_frees_the_port() -> None:
    with passed(wait) as (client, notes, forwarder):
        client.sendall(b"x")
        assert soon(lambda: notes.bytes["client"])
        forwarder.stop()
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
        assert notes.short() == ["opened", ("client", b"x"), "closed"]
        assert isinstance(forwarder.address, tuple)
        with socket.create_server(forwarder.address):
            pass


def test_it_can_be_stopped_without_having_been_started() -> None:
    Forwarder(("127.0.0.1", 0), ("127.0.0.1", 9), Notes()).stop()


def test_unix_sockets_and_ipv6_are_passed_between(tmp_path: Path) -> None:
    path = str(tmp_path / "server")
    own = str(tmp_path / "tap")
    notes = Notes()
    with server(echo, path), Forwarder(("::1", 0), path, notes) as first:
        with Forwarder(own, first.address, Notes()) as second, connect(second.address) as client:
            assert os.stat(own).st_mode & 0o077 == 0
            client.sendall(b"through both")
            assert client.recv(100) == b"through both"
        assert not os.path.exists(own)
    assert notes.told[0][2] == (("::1", notes.told[0][2][0][1]), path)  # type: ignore[index]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (("localhost", 0), "localhost: that is no address"),
        (("127.0.0.1", 70000), "port 70000: cannot listen"),
        (("192.0.2.1", 0), "cannot listen: Cannot assign"),
        ("/nowhere/at/all", "/nowhere/at/all: cannot listen: No such file"),
    ],
)
def test_where_it_cannot_listen_it_says_why(place: Place, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Forwarder(place, ("127.0.0.1", 9), Notes())
