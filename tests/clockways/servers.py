"""Devices that tell the time, on loopback: HTTP in threads, and anything that answers datagrams."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from OpenSSL import SSL

from tests.replay.devices import listening
from tlsalert.clockways.manners import Manners
from tlsalert.lab.certificates import self_signed
from tlsalert.replay.target import Target

#: Asks as often as usual, without the pauses: whether a clock moves on is not seen then.
HASTY = Manners(timeout=5, pause=0.0)
#: Long enough a span to see that.
PATIENT = Manners(timeout=5, samples=2, pause=2.1)
BRIEF = Manners(timeout=0.3, samples=2, pause=0.0)

#: The founding case's clock, as a skew.
BEHIND = (datetime(2015, 3, 12, 5, 41, 50, tzinfo=UTC) - datetime.now(UTC)).total_seconds()

Respond = Callable[[str, str, dict[str, str]], bytes]


def its_time(skew: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=skew)


def http_date(skew: float) -> str:
    return format_datetime(its_time(skew).replace(microsecond=0), usegmt=True)


def response(body: bytes = b"", /, status: str = "200 OK", **fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "".join(line + "\r\n" for line in (*lines, f"Content-Length: {len(body)}", "")).encode() + body


def request_of(receive: Callable[[int], bytes]) -> tuple[str, str, dict[str, str]]:
    taken = b""
    while b"\r\n\r\n" not in taken:
        more = receive(65536)
        if not more:
            raise ConnectionError("the client is gone")
        taken += more
    first, *lines = taken.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    method, path, _ = first.split(" ")
    return method, path, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@contextlib.contextmanager
def web(respond: Respond) -> Iterator[Target]:
    """Serve HTTP in clear."""

    def serve(peer: socket.socket) -> None:
        peer.sendall(respond(*request_of(peer.recv)))

    with listening(serve) as target:
        yield target


@contextlib.contextmanager
def secure_web(respond: Respond) -> Iterator[Target]:
    """Serve HTTPS, with a certificate that nobody trusts and that is long over."""
    identity = self_signed("CN=web", datetime(2010, 1, 1, tzinfo=UTC), datetime(2011, 1, 1, tzinfo=UTC))
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate(identity.certificate)
    context.use_privatekey(identity.key)

    def serve(peer: socket.socket) -> None:
        peer.settimeout(None)  # pyOpenSSL wants a socket that blocks
        connection = SSL.Connection(context, peer)
        connection.set_accept_state()
        connection.sendall(respond(*request_of(connection.recv)))
        connection.shutdown()

    with listening(serve) as target:
        yield target


@contextlib.contextmanager
def datagrams(answers: Callable[[bytes], list[bytes]]) -> Iterator[tuple[str, int]]:
    """Answer each datagram with any number of them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        stopped = threading.Event()

        def run() -> None:
            while not stopped.is_set():
                try:
                    data, peer = server.recvfrom(4096)
                except OSError:
                    return
                for answer in answers(data):
                    with contextlib.suppress(OSError):
                        server.sendto(answer, peer)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield server.getsockname()
        finally:
            stopped.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", server.getsockname())
            thread.join(5)


def closed_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port at which nothing listens."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def now() -> int:
    return time.time_ns()
