"""The handshake without sockets: the same whatever the slicing, and no bytes of a server make it raise."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from random import Random

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from tests.replay.devices import AFTER, BEFORE, authority, leaf, serving, shown
from tests.replay.plain_hello import PlainHello
from tlsalert.lab.certificates import issued
from tlsalert.lab.device import Device, Version
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.handshake import Handshake
from tlsalert.replay.legacy import with_renegotiation
from tlsalert.replay.target import Limits

CA = authority()
CLIENT = leaf(CA)
SERVER = issued("CN=device", CA, BEFORE, AFTER)
VERSIONS: tuple[Version, ...] = ("TLS 1.0", "TLS 1.2", "TLS 1.3")


def slices(data: bytes, chance: Random) -> Iterator[bytes]:
    while data:
        size = chance.choice((1, 3, 50, 700, len(data)))
        yield data[:size]
        data = data[size:]


def talk(version: Version, presentation: Presentation, seed: int = 0) -> tuple[Handshake, SSL.Connection, list[str]]:
    """Let the handshake and a device talk; return both and the stages that were passed."""
    chance = Random(seed)
    server = serving(Device(identity=SERVER, trusted=(CA.certificate,), versions=(version, version)))
    handshake = Handshake(PlainHello(), version, presentation)
    stages = []
    while (data := handshake.output()) != b"":
        server.bio_write(data)
        with contextlib.suppress(SSL.Error):
            server.do_handshake()
            server.send(b"welcome")
        stages.append(handshake.stage)
        with contextlib.suppress(SSL.WantReadError):
            for piece in slices(server.bio_read(1 << 20), chance):
                handshake.feed(piece)
    return handshake, server, [*stages, handshake.stage]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_stages_of_a_handshake(version: Version) -> None:
    handshake, _, stages = talk(version, shown(CLIENT), 1)
    assert stages[0] == "client_hello"
    assert stages[-1] == "established"
    assert handshake.accepted
    assert handshake.application == b"welcome"
    assert handshake.proof == "application_data"
    labels = [line.split()[0] for line in handshake.secrets]
    assert labels == (
        ["CLIENT_RANDOM"]
        if version != "TLS 1.3"
        else [
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            "CLIENT_TRAFFIC_SECRET_0",
            "SERVER_TRAFFIC_SECRET_0",
        ]
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32), version=st.sampled_from(VERSIONS), right=st.booleans())
def test_the_outcome_does_not_depend_on_how_the_bytes_were_sliced(seed: int, version: Version, right: bool) -> None:
    handshake, _, _ = talk(version, shown(CLIENT) if right else Presentation(), seed)
    assert handshake.failure is None
    assert handshake.accepted == right
    none = 116 if version == "TLS 1.3" else 40
    assert handshake.alerts == ([] if right else [(2, none)])


def test_both_directions_go_on_after_the_handshake() -> None:
    for version in VERSIONS:
        handshake, server, _ = talk(version, shown(CLIENT))
        handshake.request(b"hello, device")
        server.bio_write(handshake.output())
        assert server.recv(100) == b"hello, device"
        handshake.close()
        server.bio_write(handshake.output())
        with pytest.raises(SSL.ZeroReturnError):
            server.recv(100)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200), version=st.sampled_from(VERSIONS))
def test_no_bytes_make_it_raise(data: bytes, version: Version) -> None:
    handshake = Handshake(PlainHello(), version, Presentation())
    handshake.output()
    handshake.feed(data)
    handshake.feed(data)
    assert handshake.stage == "client_hello"
    assert (handshake.failure is not None) == bool(handshake.output())  # it says by an alert that it gives up


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=120), kind=st.integers(0, 30))
def test_no_message_makes_it_raise(body: bytes, kind: int) -> None:
    hello = b"\2\0\0\x26\3\3" + bytes(32) + b"\0" + b"\0\x9e" + b"\0"
    message = bytes((kind,)) + len(body).to_bytes(3, "big") + body
    handshake = Handshake(PlainHello(), "TLS 1.2", Presentation())
    for one in (hello, message, b"\x0e\0\0\0"):
        handshake.feed(b"\x16\3\3" + len(one).to_bytes(2, "big") + one)
    assert not handshake.accepted


def test_limits_are_named() -> None:
    handshake = Handshake(PlainHello(), "TLS 1.2", Presentation(), limits=Limits(records=3))
    handshake.feed(b"\x16\3\3\0\0" * 5)
    assert handshake.limit == "3 records"
    assert handshake.ended


def test_secrets_do_not_show() -> None:
    handshake, _, _ = talk("TLS 1.2", shown(CLIENT))
    assert handshake.secrets[0].split()[2] not in repr(handshake)


def test_a_hello_for_a_renegotiation() -> None:
    fresh = PlainHello().for_version("TLS 1.2").fresh(Random(1))
    made = with_renegotiation(fresh.message, b"verify data!")
    assert made[:1] == b"\1"
    assert int.from_bytes(made[1:4], "big") == len(made) - 4
    assert made.endswith(b"\xff\x01\0\x0d\x0cverify data!")
    assert b"\x00\xff" in fresh.message[40:110]  # the signalling suite of first handshakes
    assert b"\x00\xff" not in made[40:110]
    again = with_renegotiation(made, b"another")
    assert again.count(b"\xff\x01") == 1


def test_a_hello_without_extensions_gets_one() -> None:
    fresh = PlainHello(extensions=False).for_version("TLS 1.0").fresh(Random(1))
    assert with_renegotiation(fresh.message, b"v").endswith(b"\0\6\xff\x01\0\2\1v")
