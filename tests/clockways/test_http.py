"""One HTTP request, to servers good and bad: within limits, and never an error of another kind."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.clockways.servers import BRIEF, HASTY, closed_port, response, secure_web, web
from tests.replay.devices import Serve, listening
from tlsalert.clockways.http import LONGEST_BODY, Answer, NoAnswerError, Place, ask
from tlsalert.clockways.manners import Manners
from tlsalert.replay.target import Target

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def place(target: Target, secure: bool = False) -> Place:
    return Place(target.host, target.port, secure)


def test_a_head_is_asked_for_and_read() -> None:
    seen: list[tuple[str, str, dict[str, str]]] = []

    def respond(method: str, path: str, fields: dict[str, str]) -> bytes:
        seen.append((method, path, fields))
        return response(Date="x", status="404 Not Found")

    with web(respond) as target:
        before = time.time_ns()
        answer = ask(place(target), "HEAD", "/", HASTY)
    assert seen[0][:2] == ("HEAD", "/")
    assert seen[0][2]["host"] == str(target)
    assert (answer.status, answer.field("date"), answer.body) == (404, "x", b"")
    assert before <= answer.sent <= answer.came <= time.time_ns()


def test_no_certificate_is_verified() -> None:
    with secure_web(lambda *_: response(b"inside")) as target:
        assert ask(place(target, secure=True), "GET", "/", HASTY, body=True).body == b"inside"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcd", b"ab"),
        (b"HTTP/1.0 200 OK\r\n\r\nall of it", b"all of it"),
        (b"HTTP/1.1 200 OK\nServer: bare\n\nline feeds", b"line feeds"),
        (CHUNKED + b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789"),
        (CHUNKED + b"zz\r\nabc\r\n", b""),
        (CHUNKED + b"ffffff\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc", b"abc"),
    ],
)  # fmt: skip
def test_bodies_end_as_rfc_9112_says_and_wrong_lengths_do_no_harm(raw: bytes, body: bytes) -> None:
    def serve(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(raw)

    with listening(serve) as target:
        assert ask(place(target), "GET", "/", HASTY, body=True).body == body


def endless(first: bytes, more: bytes) -> Serve:
    def serve(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(first)
        with contextlib.suppress(OSError):
            while True:
                peer.sendall(more)

    return serve


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n"], ids=["one endless line", "endless lines"]
)
def test_endless_headers_are_given_up(first: bytes) -> None:
    with (
        listening(endless(first, b"a: b\r\n" * 500)) as target,
        pytest.raises(NoAnswerError, match="not answer in HTTP"),
    ):
        ask(place(target), "GET", "/", HASTY)


def test_of_a_huge_body_a_part_is_kept() -> None:
    with listening(endless(b"HTTP/1.1 200 OK\r\n\r\n", bytes(65536))) as target:
        assert len(ask(place(target), "GET", "/", HASTY, body=True).body) == LONGEST_BODY


def test_a_server_that_drips_is_left_at_the_deadline() -> None:
    def serve(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(OSError):
            while True:
                peer.sendall(b"X")
                time.sleep(0.05)

    with listening(serve) as target, pytest.raises(NoAnswerError, match="no answer in time"):
        ask(place(target), "GET", "/", BRIEF)


@pytest.mark.parametrize("secure", [False, True])
def test_a_server_that_is_silent_is_left(secure: bool) -> None:
    def serve(peer: socket.socket) -> None:
        while peer.recv(65536):
            pass

    with listening(serve) as target, pytest.raises(NoAnswerError, match="no answer in time") as raised:
        ask(place(target, secure), "GET", "/", BRIEF)
    assert raised.value.reached


def test_nothing_listens() -> None:
    with pytest.raises(NoAnswerError, match="nothing listens there") as raised:
        ask(Place("127.0.0.1", closed_port(), False), "GET", "/", HASTY)
    assert not raised.value.reached


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(NoAnswerError, match="the name of the host is none"):
        ask(Place("a" * 70 + ".example", 80, False), "GET", "/", HASTY)


def test_a_server_without_tls_is_told() -> None:
    def serve(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(serve) as target, pytest.raises(NoAnswerError, match="TLS failed"):
        ask(place(target, secure=True), "GET", "/", HASTY)


def test_an_alert_is_told_by_its_name() -> None:
    def serve(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(bytes.fromhex("15 0303 0002 0228"))

    with listening(serve) as target, pytest.raises(NoAnswerError, match=r"refused TLS with handshake_failure \(40\)"):
        ask(place(target, secure=True), "GET", "/", HASTY)


@given(st.binary(max_size=300), st.booleans())
@example(b"HTTP/1.1 99 \r\n\r\n", False)
@example(b"HTTP/1.1 \xb2\xb2\xb2 \r\n\r\n", False)
def test_any_answer_is_an_answer_or_none(raw: bytes, http: bool) -> None:
    def serve(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall((b"HTTP/1.1 200 OK\r\n" if http else b"") + raw)

    with listening(serve) as target, contextlib.suppress(NoAnswerError):
        ask(place(target), "GET", "/", Manners(timeout=2), body=True)


@given(st.binary(max_size=200))
def test_any_body_is_json_or_none(body: bytes) -> None:
    found = Answer(200, b"", body, 0, 0).json()
    assert found is None or isinstance(found, dict)


def test_json_that_is_too_deep_is_none() -> None:
    assert Answer(200, b"", b"[" * 100_000, 0, 0).json() is None
