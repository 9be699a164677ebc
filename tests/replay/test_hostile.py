"""Servers that mean harm: each ends in an outcome, within the limits of time, size and memory, never in an error."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from random import Random

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from tests.replay.devices import AFTER, BEFORE, authority, device, listening
from tests.replay.plain_hello import PlainHello
from tlsalert.lab.certificates import issued
from tlsalert.lab.device import Device, Version
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.client import exchange
from tlsalert.replay.exchange import Exchange
from tlsalert.replay.outcome import Accepted, Closed, Outcome, Refused, Silent
from tlsalert.replay.target import Limits, Target
from tlsalert.replay.trial import trial_of

HASTY = Limits(connect=2, read=0.5, total=2, linger=0.2, settle=0.02, bytes=1 << 20)


def record(kind: int, data: bytes) -> bytes:
    return bytes((kind, 3, 3)) + len(data).to_bytes(2, "big") + data


def message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def flood(sock: socket.socket, piece: bytes, first: bytes = b"") -> None:
    """Send the same for ever, after the ClientHello."""
    sock.recv(4096)
    sock.sendall(first)
    with contextlib.suppress(OSError):
        while True:
            sock.sendall(piece)


def drip(sock: socket.socket) -> None:
    sock.recv(4096)
    for byte in record(22, message(2, bytes(2000))):
        sock.sendall(bytes((byte,)))
        time.sleep(0.2)


def silence(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while sock.recv(4096):
            pass


def reset(sock: socket.socket) -> None:
    sock.recv(4096)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def says(data: bytes) -> Callable[[socket.socket], None]:
    def serve(sock: socket.socket) -> None:
        sock.recv(4096)
        sock.sendall(data)
        silence(sock)

    return serve


def tried(target: Target, version: str = "TLS 1.2", limits: Limits = HASTY) -> tuple[Exchange, Outcome]:
    told = exchange(target, PlainHello(), Presentation(), version, limits)
    return told, trial_of("none_sent", version, told).outcome


HELLO_12 = message(2, b"\3\3" + bytes(32) + b"\0" + b"\xc0\x2f" + b"\0")


@pytest.mark.parametrize(
    ("serve", "limit"),
    [
        pytest.param(lambda s: flood(s, record(22, b"")), "20000 records", id="empty records"),
        pytest.param(lambda s: flood(s, record(21, b"\1\x29")), "20000 records", id="a million warnings"),
        pytest.param(lambda s: flood(s, record(22, message(0, b"") * 4000)), "1000 messages", id="hello requests"),
        pytest.param(lambda s: flood(s, record(22, message(2, b"")[:1] + b"\xff\xff\xff")), "message of", id="huge"),
        pytest.param(
            lambda s: flood(s, record(22, message(22, bytes(9)) * 99), record(22, HELLO_12)),
            "1000 messages",
            id="endless",
        ),
        pytest.param(drip, "2 s in all", id="a byte now and then"),
    ],
)
@pytest.mark.parametrize("version", ["TLS 1.2", "TLS 1.3"])
def test_a_server_that_never_ends_meets_a_limit(
    serve: Callable[[socket.socket], None], limit: str, version: str
) -> None:
    with listening(serve) as target:
        told, outcome = tried(target, version)
    assert isinstance(outcome, Silent)
    assert outcome.limit is not None
    assert limit in outcome.limit
    assert told.sizes[1] <= HASTY.bytes + (1 << 16)


@pytest.mark.parametrize("stage", ["client_hello"])
def test_silence_is_told_with_its_length(stage: str) -> None:
    with listening(silence) as target:
        told, outcome = tried(target)
    assert isinstance(outcome, Silent)
    assert outcome.stage == stage
    assert outcome.limit is None
    assert outcome.timeout >= HASTY.read
    assert told.sender is None


def test_a_reset_at_once_loses_no_alert_of_a_flight_that_was_not_sent() -> None:
    with listening(reset) as target:
        _, outcome = tried(target)
    assert outcome == Closed("rst", "client_hello")


def test_a_close_at_once() -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(4096)

    with listening(serve) as target:
        _, outcome = tried(target)
    assert outcome == Closed("fin", "client_hello")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"220 mail.example ESMTP\r\n", "not TLS: '220 mail.example ESMTP", id="a banner"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "not TLS: 'HTTP/1.1 400", id="HTTP"),
        pytest.param(bytes(200), "not TLS", id="zeros"),
        pytest.param(b"\x16\x03\x03\xff\xff" + bytes(100), "claims 65535 bytes", id="a record too long"),
        pytest.param(record(23, b"data"), "data before the handshake", id="data first"),
        pytest.param(record(20, b"\1"), "changed its cipher before its hello", id="change_cipher_spec first"),
        pytest.param(record(21, b"\2"), "an alert of the server is cut", id="half an alert"),
        pytest.param(record(22, message(2, b"short")), "breaks its grammar", id="a short hello"),
        pytest.param(record(22, message(11, b"")), "began with a message of type 11", id="certificate first"),
        pytest.param(record(22, HELLO_12.replace(b"\3\3", b"\7\7")), "chose version", id="a version from nowhere"),
        pytest.param(record(22, HELLO_12.replace(b"\xc0\x2f", b"\x00\x00")), "TLS_NULL", id="no cipher"),
        pytest.param(record(22, HELLO_12 + message(14, b"")), "no ServerKeyExchange", id="done too soon"),
        pytest.param(record(22, HELLO_12) + record(20, b"\1"), "before it was due", id="ccs too soon"),
        pytest.param(
            record(22, HELLO_12 + message(20, bytes(12))), "finished before it was due", id="finished too soon"
        ),
    ],
)
def test_nonsense_is_refused_by_the_client_and_told_in_words(data: bytes, words: str) -> None:
    with listening(says(data)) as target:
        _, outcome = tried(target)
    assert isinstance(outcome, Refused)
    assert outcome.sender == "client"
    assert outcome.says is not None
    assert words in outcome.says


def key_exchange(prime: int, generator: int, public: int) -> bytes:
    def vector(number: int) -> bytes:
        data = number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")
        return len(data).to_bytes(2, "big") + data

    return message(12, vector(prime) + vector(generator) + vector(public))


@pytest.mark.parametrize(
    "flight",
    [
        pytest.param(key_exchange(0, 2, 2), id="prime 0"),
        pytest.param(key_exchange((1 << 60_000) + 1, 2, 2), id="60,000 bits"),
    ],
)
def test_a_group_that_would_take_minutes_is_refused(flight: bytes) -> None:
    hello = HELLO_12.replace(b"\xc0\x2f", b"\x00\x9e")
    data = hello + flight + message(14, b"")
    pieces = b"".join(record(22, data[at : at + 16000]) for at in range(0, len(data), 16000))
    with listening(says(pieces)) as target:
        _, outcome = tried(target)
    assert isinstance(outcome, Refused)
    assert outcome.says is not None
    assert "Diffie-Hellman prime" in outcome.says


@pytest.fixture(scope="module")
def answers() -> dict[str, bytes]:
    """What a real device answers to a ClientHello, by version: to be damaged."""
    ca = authority()
    server = issued("CN=device", ca, BEFORE, AFTER)
    found: dict[str, bytes] = {}
    versions: tuple[Version, ...] = ("TLS 1.2", "TLS 1.3")
    for version in versions:
        made = Device(identity=server, trusted=(ca.certificate,), versions=(version, version))
        with listening(device(made)) as target:
            told = exchange(target, PlainHello(), Presentation(), version, HASTY)
        found[version] = b"".join(s.data for s in told.segments if s.sender == "server")
    return found


@pytest.mark.parametrize("version", ["TLS 1.2", "TLS 1.3"])
def test_a_damaged_flight_ends_in_an_outcome(version: str, answers: dict[str, bytes]) -> None:
    whole = answers[version]
    chance = Random(20261125)
    flights: Iterator[bytes] = iter(())

    def serve(sock: socket.socket) -> None:
        says(next(flights))(sock)

    damaged = []
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2, 8))):
            place = chance.randrange(min(len(data), chance.choice((90, 300, len(data)))))
            data[place] = chance.randrange(256)
        cut = chance.random() < 0.2
        damaged.append(bytes(data[: chance.randrange(len(data))] if cut else data))
    flights = iter(damaged)
    limits = Limits(connect=2, read=0.1, total=1, linger=0.05, settle=0.01)
    with listening(serve) as target:
        for _ in damaged:
            _, outcome = tried(target, version, limits)
            assert isinstance(outcome, Refused | Closed | Silent | Accepted)


CLIENT = """
import re, sys
from tests.replay.plain_hello import PlainHello
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.client import exchange
from tlsalert.replay.target import Limits, Target
from tlsalert.replay.trial import trial_of
target = Target("127.0.0.1", int(sys.argv[1]))
told = exchange(target, PlainHello(), Presentation(), "TLS 1.2", Limits(read=5, total=20))
kind = trial_of("none_sent", "TLS 1.2", told).outcome.kind
print(kind, re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(record(22, b""), id="empty records"),
        pytest.param(record(22, b"\x0b\x0f\xff\xff" + bytes(16380)), id="one long message"),
        pytest.param(record(22, message(0, b"")), id="tiny messages"),
        pytest.param(record(22, message(22, bytes(16000))), id="large messages"),
    ],
)
def test_memory_stays_small_whatever_comes(piece: bytes) -> None:
    """By the kernel's high-water mark; getrusage would count what the parent had before exec."""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("needs Linux's /proc")
    with listening(lambda sock: flood(sock, piece, record(22, HELLO_12))) as target:
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, str(target.port)],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": os.getcwd()},
            timeout=60,
        )
    assert done.stderr == ""
    kind, kilobytes = done.stdout.split()
    assert kind in ("silent", "refused")
    assert int(kilobytes) < 200_000
