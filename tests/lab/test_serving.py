"""Whatever a client sends, its connection ends in something that is told, within the limits."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lab.talking import RIGHT, ask, people, soon
from tests.lab.test_faults import client_hello
from tlsalert.lab import serving
from tlsalert.lab.device import Version
from tlsalert.lab.server import LabDevice, Limits, RunningDevice, serve
from tlsalert.pki.material import Authority, Material
from tlsalert.pki.variants import VARIANTS
from tlsalert.replay.client import exchange
from tlsalert.replay.hello import from_profile
from tlsalert.replay.outcome import Accepted
from tlsalert.replay.target import Target
from tlsalert.replay.trial import trial_of


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


@pytest.mark.parametrize("variant", ["v4_certificate", "negative_serial", "empty_subject", "v1_certificate"])
@pytest.mark.parametrize("version", ["TLS 1.2", "TLS 1.3"])
def test_what_openssl_takes_and_cryptography_does_not_is_served(
    variant: str, version: Version, capfd: pytest.CaptureFixture[str]
) -> None:
    root = people()["root"]
    encoded = root.certificate.public_bytes(Encoding.DER)
    material = Material(datetime.now(UTC), ca=Authority(encoded, root.key), root=encoded, name="of version four")
    with serve(LabDevice(people()["device"], trusted=(root.certificate,), versions=(version, version))) as running:
        shown = VARIANTS[variant].make(material)
        told = exchange(Target(*running.address), from_profile("openssl-3.0"), shown, version)
        assert isinstance(trial_of(variant, version, told).outcome, Accepted)
        assert soon(lambda: running.served)
    assert running.served[-1].happened == "accepted"
    assert running.served[-1].client == ("" if variant == "empty_subject" else "CN=of version four")
    assert capfd.readouterr().err == ""


def test_a_failure_of_the_labs_own_is_told_and_the_next_is_served(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError("of no kind that is known")

    with serve(LabDevice(people()["device"], trusted=(people()["root"].certificate,), clock=RIGHT)) as running:
        with monkeypatch.context() as patched:
            patched.setattr(serving, "speak_after", fail)
            ask(running.address, "right")
            assert soon(lambda: running.served)
        assert ask(running.address, "right").data == b"hello"
    assert running.served[0].happened == "failed"
    assert running.served[0].says == "the lab failed (RuntimeError: of no kind that is known)"
    assert capfd.readouterr().err == ""
