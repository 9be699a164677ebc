"""A relay carries bytes both ways, and tells of each connection what can be read from them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.talking import BEHIND, Answer, ask, people, soon
from tlsalert.capture import read
from tlsalert.lab.faults import Fault
from tlsalert.lab.line import Limits
from tlsalert.lab.relay import Relay
from tlsalert.lab.served import Served
from tlsalert.lab.server import LabDevice, RunningDevice, serve


@pytest.fixture
def device() -> Iterator[RunningDevice]:
    with serve(LabDevice(people()["device"], trusted=(people()["root"].certificate,), clock=BEHIND)) as running:
        yield running


def test_what_passed_is_told_and_recorded(device: RunningDevice, tmp_path: Path) -> None:
    told: list[Served] = []
    with Relay(device.address, record=tmp_path, told=told.append).start() as relay:
        assert ask(relay.address, "right") == Answer(b"hello")
        assert ask(relay.address, "ipmi").alert == 42
        assert ask(relay.address, "right", trusts="stranger").alert is None
        assert soon(lambda: len(told) == 3)
    by_number = {one.number: one for one in told}
    assert [by_number[number].happened for number in (1, 2, 3)] == ["accepted", "refused", "client_refused"]
    assert (by_number[2].tls_version, by_number[2].alert_sent) == ("TLS 1.2", 42)
    assert "refused" in by_number[2].says
    assert len(list(read(tmp_path / "lab.pcap"))) == 3


def test_a_reset_passes_through_as_one(device: RunningDevice) -> None:
    device.change(fault=Fault("reset", "hello"))
    with Relay(device.address).start() as relay:
        assert ask(relay.address, "right").error == "ConnectionResetError"


def test_where_nothing_listens_it_tells_that_no_tls_passed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told: list[Served] = []
    with Relay(("127.0.0.1", port), told=told.append).start() as relay:
        assert ask(relay.address).data == b""
        assert soon(lambda: told)
    assert (told[0].happened, told[0].says) == ("left", "no TLS passed")


def test_who_is_silent_is_sent_away_and_stopping_does_not_wait(device: RunningDevice) -> None:
    with (
        Relay(device.address, limits=Limits(idle=0.1)).start() as relay,
        socket.create_connection(relay.address, 5) as plain,
    ):
        assert plain.recv(1) == b""
    with Relay(device.address).start() as relay, socket.create_connection(relay.address, 5) as plain:
        assert soon(lambda: relay._forwarder.links)
        relay.stop()
        with contextlib.suppress(ConnectionResetError):
            assert plain.recv(1) == b""
