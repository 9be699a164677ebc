"""The device demands of a client's certificate what stunnel demands at the same level, and refuses with its alerts."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import get_args

import pytest

from tests.lab.talking import LATER, RIGHT, ask, context, people
from tlsalert.lab.levels import LabDevice, Level
from tlsalert.lab.server import RunningDevice, serve
from tlsalert.lab.stacks import StackConfig, available, start

#: What a client may show; nothing, too.
SHOWN = (None, "right", "second", "old", "pinned", "stranger", "strangers")
#: What a device may trust.
WORLDS = {
    "a CA": ("root",),
    "a self-signed certificate": ("pinned",),
    "a CA and one of its certificates": ("root", "right"),
    "one of a CA's certificates": ("right",),
}


@pytest.fixture(scope="module")
def device() -> Iterator[RunningDevice]:
    with serve(LabDevice(people()["device"])) as running:
        yield running


def alerts(device: RunningDevice, trusted: str, pinned: tuple[str, ...], level: Level) -> list[int | None]:
    """Return what the device answers to each thing that can be shown."""
    certificates = people()
    device.change(
        trusted=(certificates[trusted].certificate,),
        pinned=tuple(certificates[name].certificate for name in pinned),
        verify=level,
        clock=RIGHT,
    )
    return [ask(device.address, shown).alert for shown in SHOWN]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0, [None, None, None, None, None, None, None]),
        (1, [None, None, None, 45, 48, 48, 48]),
        (2, [40, None, None, 45, 48, 48, 48]),
        (3, [40, None, 42, 45, 48, 48, 48]),
        (4, [40, None, 42, 45, 48, 48, 42]),
    ],
)
def test_each_level_has_its_answers(device: RunningDevice, level: Level, expected: list[int | None]) -> None:
    assert alerts(device, "root", ("right",), level) == expected


@pytest.mark.parametrize("level", get_args(Level))
@pytest.mark.parametrize("world", WORLDS)
def test_stunnel_answers_the_same(device: RunningDevice, world: str, level: Level) -> None:
    if missing := available()["stunnel"]:
        pytest.skip(f"needs {missing}")
    certificates = tuple(people()[name].certificate for name in WORLDS[world])
    device.change(trusted=certificates, pinned=(), verify=level, clock=None)
    config = StackConfig(people()["device"], certificates, ("TLS 1.2", "TLS 1.2"), verify=level)
    with start("stunnel", config) as stunnel:
        assert [ask(stunnel.address, shown) for shown in SHOWN] == [ask(device.address, shown) for shown in SHOWN]


def test_a_pinned_certificate_is_judged_by_the_clock_too(device: RunningDevice) -> None:
    certificates = people()
    for pinned in ((), (certificates["ipmi"].certificate,)):
        device.change(
            trusted=(certificates["root"].certificate,), pinned=pinned, verify=3 if pinned else 2, clock=LATER
        )
        assert ask(device.address, "ipmi").alert == 45


def test_the_certificate_request_names_what_is_trusted_and_what_is_pinned(
    device: RunningDevice, handshake_bytes: Callable[[RunningDevice], bytes]
) -> None:
    certificates = people()
    device.change(
        trusted=(certificates["root"].certificate,), pinned=(certificates["pinned"].certificate,), verify=3, clock=RIGHT
    )
    flight = handshake_bytes(device)
    for name in ("root", "pinned"):
        assert certificates[name].certificate.subject.public_bytes() in flight
    assert certificates["stranger"].certificate.subject.public_bytes() not in flight


@pytest.fixture
def handshake_bytes() -> Iterator[Callable[[RunningDevice], bytes]]:
    """Give a function that returns the device's first flight in TLS 1.2."""
    with ExitStack() as stack:

        def flight(device: RunningDevice) -> bytes:
            plain = stack.enter_context(socket.create_connection(device.address, 10))
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context(None, "TLS 1.2").wrap_bio(incoming, outgoing)
            with pytest.raises(ssl.SSLWantReadError):
                tls.do_handshake()
            plain.sendall(outgoing.read())
            data = b""
            while b"\x0e\x00\x00\x00" not in data[-4:]:  # server_hello_done
                data += plain.recv(65536)
            return data

        yield flight
