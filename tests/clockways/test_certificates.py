"""The clock that judges certificates, asked with certificates: real OpenSSL on loopback, with a clock of its own."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.clockways.servers import BRIEF, HASTY, closed_port
from tests.replay.devices import AFTER, BEFORE, listening
from tlsalert.clockways.certificates import by_certificates
from tlsalert.clockways.reading import Reading
from tlsalert.lab.certificates import Identity, self_signed
from tlsalert.lab.server import LabDevice, serve
from tlsalert.model import EPOCH
from tlsalert.pki.material import Authority, Material
from tlsalert.replay.target import Target

IN_2015 = datetime(2015, 3, 12, 5, 41, 50, tzinfo=UTC)


@pytest.fixture(scope="module")
def ca() -> Identity:
    return self_signed("CN=Client CA", EPOCH, datetime(2049, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def identity() -> Identity:
    return self_signed("CN=BMC", BEFORE, AFTER)


def material(ca: Identity) -> Material:
    der = ca.certificate.public_bytes(Encoding.DER)
    return Material(datetime.now(UTC), ca=Authority(der, ca.key))


def near(reading: Reading, clock: datetime) -> bool:
    assert reading.bounds is not None, reading.says
    skew = (clock - datetime.now(UTC)).total_seconds()
    return reading.bounds[0] - 1 <= skew <= reading.bounds[1] + 1


@pytest.mark.parametrize("guess", [True, False], ids=["from another way's reading", "from nothing"])
def test_a_devices_clock_is_found(ca: Identity, identity: Identity, guess: bool) -> None:
    device = LabDevice(identity=identity, trusted=(ca.certificate,), verify=2, clock=IN_2015)
    with serve(device) as served:
        told = by_certificates(Target(*served.address), material(ca), [served.clock] if guess else [], HASTY)
        assert near(told, served.clock)
        assert sum(served.counts.values()) <= (20 if guess else 45)
    assert told.says.startswith("found with ")


def test_a_device_that_does_not_trust_the_ca_is_told(ca: Identity, identity: Identity) -> None:
    other = self_signed("CN=another", EPOCH, datetime(2049, 1, 1, tzinfo=UTC))
    with serve(LabDevice(identity=identity, trusted=(other.certificate,), verify=2)) as served:
        told = by_certificates(Target(*served.address), material(ca), [], HASTY)
    assert told.time is None
    assert "it does not trust this CA" in told.says


def test_a_device_that_asks_for_no_certificate_is_told(ca: Identity, identity: Identity) -> None:
    with serve(LabDevice(identity=identity, asks="no")) as served:
        told = by_certificates(Target(*served.address), material(ca), [], HASTY)
    assert told.time is None
    assert told.says == "it asks its clients for no certificate"


def test_a_device_that_takes_any_date_is_told(ca: Identity, identity: Identity) -> None:
    with serve(LabDevice(identity=identity, trusted=(ca.certificate,), verify=0)) as served:
        told = by_certificates(Target(*served.address), material(ca), [], HASTY)
    assert told.time is None
    assert "does not check dates" in told.says


def test_nothing_listens(ca: Identity) -> None:
    told = by_certificates(Target("127.0.0.1", closed_port()), material(ca), [], BRIEF)
    assert not told.reached


def test_a_silent_device_is_told(ca: Identity) -> None:
    def silent(peer: socket.socket) -> None:
        while peer.recv(65536):
            pass

    with listening(silent) as target:
        told = by_certificates(target, material(ca), [], BRIEF)
    assert told.says == f"{target}: it did not answer"


def test_nothing_is_asked_without_the_cas_key() -> None:
    told = by_certificates(Target("127.0.0.1", closed_port()), Material(datetime.now(UTC)), [], BRIEF)
    assert not told.asked
    assert told.says.startswith("not asked: ")
