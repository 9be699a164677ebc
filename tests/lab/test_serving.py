"""Whatever a client sends, its connection ends in something that is told, within the limits."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lab.talking import RIGHT, ask, people, soon
from tests.lab.test_faults import client_hello
from tlsalert.lab.server import LabDevice, Limits, RunningDevice, serve


@pytest.fixture(scope="module", params=[None, "smtp"])
def running(request: pytest.FixtureRequest) -> Iterator[RunningDevice]:
    device = LabDevice(
        people()["device"],
        trusted=(people()["root"].certificate,),
        clock=RIGHT,
        alpn=("h2",),
        starttls=request.param,
    )
    with serve(device, limits=Limits(idle=0.2, total=2, linger=0.05)) as made:
        yield made


def send(running: RunningDevice, data: bytes) -> None:
    """Send ``data`` and end; wait until the connection has been told."""
    before = running.counts.total()
    with socket.create_connection(running.address, 5) as plain, contextlib.suppress(OSError):
        plain.sendall(data)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(65536):
            pass
    assert soon(lambda: running.counts.total() == before + 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=600))
def test_any_bytes_end_in_something_that_is_told(running: RunningDevice, data: bytes) -> None:
    send(running, data)
    assert running.served[-1].happened != "accepted"
    assert running.served[-1].says


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.integers(0, 200), value=st.integers(0, 255), rest=st.binary(max_size=100))
def test_a_hello_with_a_byte_changed_does_too(running: RunningDevice, place: int, value: int, rest: bytes) -> None:
    hello = bytearray(client_hello())
    hello[place % len(hello)] = value
    send(running, bytes(hello) + rest)
    assert running.served[-1].happened != "accepted"


def test_it_serves_on_after_all_that(running: RunningDevice) -> None:
    if running.device.starttls is None:
        assert ask(running.address, "right", alpn=("h2",)).data == b"hello"
    assert len(running.served) <= 1000
    assert running.counts.total() >= len(running.served)
