"""ServerHello.random as a clock: servers that show it, servers that don't, and what is no server at all."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.test_lab import running
from tests.clockways.servers import BRIEF, HASTY, PATIENT, closed_port
from tests.replay.devices import AFTER, BEFORE, listening
from tlsalert.clockways.reading import SECOND, Sample
from tlsalert.clockways.server_hello import NO_TIME, by_random, judged_randoms
from tlsalert.lab import faketime
from tlsalert.lab.certificates import Identity, self_signed
from tlsalert.lab.server import LabDevice, serve
from tlsalert.replay.target import Target


@pytest.fixture(scope="module")
def identity() -> Identity:
    return self_signed("CN=BMC", BEFORE, AFTER)


@pytest.mark.skipif(faketime.library() is None, reason="libfaketime is not installed (Debian: faketime)")
def test_an_old_stack_shows_its_clock() -> None:
    with running("--show-clock", "--clock", "2015-03-12 05:41:50", "--tls", "1.2") as device:
        told = by_random(Target(*device.address), PATIENT)
    assert told.as_json()["time"].startswith("2015-03-12T05:4")  # type: ignore[attr-defined]
    assert told.says == "2 handshakes in TLS 1.2 agree"


@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.1", "TLS 1.2"])
def test_a_server_is_asked_in_the_version_that_it_speaks(identity: Identity, version: str) -> None:
    device = LabDevice(identity=identity, shows_clock=True, versions=(version, version))  # type: ignore[arg-type]
    with serve(device) as served:
        told = by_random(Target(*served.address), HASTY)
    assert told.bounds is not None
    assert told.bounds[0] - 0.1 <= 0 <= told.bounds[1] + 0.1
    assert told.says == f"4 handshakes in {version} agree"


def test_a_stack_that_sends_random_bytes_is_told_so(identity: Identity) -> None:
    with serve(LabDevice(identity=identity)) as served:
        told = by_random(Target(*served.address), HASTY)
    assert told.time is None
    assert told.says == "no clock: it sends random bytes (4 handshakes in TLS 1.2 disagree)"


def test_one_that_asks_for_a_certificate_shows_its_clock_all_the_same(identity: Identity) -> None:
    device = LabDevice(identity=identity, trusted=(identity.certificate,), verify=2, shows_clock=True)
    with serve(device) as served:
        assert by_random(Target(*served.address), HASTY).time is not None


def test_tls_1_3_alone_has_no_time(identity: Identity) -> None:
    with serve(LabDevice(identity=identity, versions=("TLS 1.3", "TLS 1.3"))) as served:
        told = by_random(Target(*served.address), HASTY)
    assert told.time is None
    assert told.says == NO_TIME


def test_in_another_protocol_the_round_trip_is_that_of_the_hello(identity: Identity) -> None:
    with serve(LabDevice(identity=identity, shows_clock=True, starttls="smtp")) as served:
        told = by_random(Target(*served.address, starttls="smtp"), HASTY)
    assert told.error_seconds is not None
    assert told.error_seconds < 1


def test_nothing_listens() -> None:
    told = by_random(Target("127.0.0.1", closed_port()), HASTY)
    assert not told.reached


def test_a_silent_server_is_asked_once() -> None:
    asked: list[bytes] = []

    def serve_nothing(peer: socket.socket) -> None:
        while data := peer.recv(65536):
            asked.append(data)

    with listening(serve_nothing) as target:
        told = by_random(target, BRIEF)
    assert told.says == f"{target}: no ServerHello (it did not answer)"
    assert told.reached
    assert sum(data.startswith(b"\x16\x03") for data in asked) == 1


@settings(max_examples=15, deadline=None)
@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_told(data: bytes) -> None:
    def answer(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(data)

    with listening(answer) as target:
        assert by_random(target, BRIEF).says


def seen(*offsets: float) -> list[Sample]:
    start = 1_700_000_000 * SECOND
    return [
        Sample(start + round(offset) * SECOND, start + number * SECOND, start + number * SECOND + 1)
        for number, offset in enumerate(offsets)
    ]


@pytest.mark.parametrize(
    ("offsets", "says"),
    [
        ((0, 1, 2, 3), "4 handshakes in TLS 1.2 agree"),
        ((0, 0, 0, 0), "no clock: the random begins with the same four bytes each time"),
        ((0, 9_000_000, 2, 3), "3 of 4 handshakes in TLS 1.2 agree; the others are another machine's, or"),
        ((5_000, 80_000_000, -7_000_000, 123_456), "no clock: it sends random bytes"),
        ((0,), "only one handshake gave a ServerHello"),
    ],
)
def test_randoms_are_a_clock_where_they_agree_and_go_on(offsets: tuple[float, ...], says: str) -> None:
    assert says in judged_randoms(seen(*offsets), "TLS 1.2").says


@given(st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4))
def test_random_bytes_agree_hardly_ever(values: list[int]) -> None:
    start = 1_700_000_000 * SECOND
    samples = [Sample(value * SECOND, start + n * SECOND, start + n * SECOND + 1) for n, value in enumerate(values)]
    near = any(abs((a - b) - (m - n)) <= 3 for n, a in enumerate(values) for m, b in enumerate(values) if m != n)
    if not near:
        assert judged_randoms(samples, "TLS 1.2").time is None
