"""TLS 1.3 beyond a plain handshake: alerts under the handshake keys, KeyUpdate, and what proves nothing."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from OpenSSL import SSL

from tests.replay.devices import AFTER, BEFORE, QUICK, authority, leaf, listening, shown
from tests.replay.plain_hello import PlainHello
from tlsalert.lab.certificates import issued
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.client import exchange
from tlsalert.replay.handshake import Handshake
from tlsalert.replay.outcome import Refused
from tlsalert.replay.sealing import Sealer, sealer_for
from tlsalert.replay.trial import trial_of
from tlsalert.secrets.schedule import TLS13, next_traffic_secret, traffic_keys
from tlsalert.secrets.suites import Suite, parse_suite

CA = authority()
CLIENT = leaf(CA)
SERVER = issued("CN=device", CA, BEFORE, AFTER)
SUITE = parse_suite("TLS_AES_128_GCM_SHA256")
HELLO = PlainHello(suites=(0x1301,))


def server_flight(hello: bytes) -> tuple[bytes, dict[str, bytes]]:
    """A device's first flight, and its secrets."""
    secrets: dict[str, bytes] = {}

    def keep(_: SSL.Connection, line: bytes) -> None:
        label, _random, secret = line.split()
        secrets[label.decode()] = bytes.fromhex(secret.decode())

    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_keylog_callback(keep)
    context.use_certificate(SERVER.certificate)
    context.use_privatekey(SERVER.key)
    context.set_verify(SSL.VERIFY_PEER)
    connection = SSL.Connection(context, None)
    connection.set_accept_state()
    connection.bio_write(hello)
    with contextlib.suppress(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(1 << 20), secrets


def sealer(secret: bytes, suite: Suite = SUITE, sequence: int = 0) -> Sealer:
    made = sealer_for(suite, TLS13, traffic_keys(secret, suite))
    made.sequence = sequence
    return made


def record(sealed: tuple[int, bytes]) -> bytes:
    return bytes((sealed[0], 3, 3)) + len(sealed[1]).to_bytes(2, "big") + sealed[1]


def encrypted(flight: bytes) -> int:
    count = 0
    while flight:
        count += flight[0] == 23
        flight = flight[5 + int.from_bytes(flight[3:5], "big") :]
    return count


def begun(presentation: Presentation | None = None) -> tuple[Handshake, dict[str, bytes]]:
    """A handshake whose client has sent its flight."""
    handshake = Handshake(HELLO, "TLS 1.3", presentation or shown(CLIENT))
    flight, secrets = server_flight(handshake.output())
    handshake.feed(flight)
    assert handshake.output() != b""
    assert handshake.stage == "client_certificate"
    return handshake, secrets


def test_an_alert_under_the_handshake_keys_is_read() -> None:
    """Mbed TLS 3.5 sends all its alerts about the client's flight so."""
    heard: list[bytes] = []

    def serve(sock: socket.socket) -> None:
        flight, secrets = server_flight(sock.recv(65536))
        sock.sendall(flight)
        heard.append(sock.recv(65536))
        alert = sealer(secrets["SERVER_HANDSHAKE_TRAFFIC_SECRET"], sequence=encrypted(flight))
        sock.sendall(record(alert.seal(21, b"\2\x2e")))

    with listening(serve) as target:
        told = exchange(target, HELLO, shown(CLIENT), "TLS 1.3", QUICK)
    outcome = trial_of("good", "TLS 1.3", told).outcome
    assert isinstance(outcome, Refused)
    assert (outcome.sender, outcome.stage) == ("server", "client_certificate")
    assert outcome.alert is not None
    assert outcome.alert.code == 46
    assert heard[0].startswith(b"\x14\3\3\0\1\1\x17")  # the change_cipher_spec comes before the flight


def test_new_keys_are_taken_and_answered() -> None:
    handshake, secrets = begun()
    old, new = secrets["SERVER_TRAFFIC_SECRET_0"], next_traffic_secret(secrets["SERVER_TRAFFIC_SECRET_0"], "sha256")
    handshake.feed(record(sealer(old).seal(22, b"\x18\0\0\1\1")))
    handshake.feed(record(sealer(new).seal(23, b"after")))
    assert handshake.failure is None
    assert handshake.application == b"after"
    handshake.output()
    handshake.request(b"x")
    fresh = sealer(next_traffic_secret(handshake_secret(handshake), "sha256"))
    assert handshake.output() == record(fresh.seal(23, b"x"))


def handshake_secret(handshake: Handshake) -> bytes:
    line = next(line for line in handshake.secrets if line.startswith("CLIENT_TRAFFIC_SECRET_0"))
    return bytes.fromhex(line.split()[2])


def test_key_updates_without_end_are_answered_a_few_times_only() -> None:
    handshake, secrets = begun()
    secret = secrets["SERVER_TRAFFIC_SECRET_0"]
    answers = 0
    for _ in range(200):
        handshake.feed(record(sealer(secret).seal(22, b"\x18\0\0\1\1")))
        secret = bytes(next_traffic_secret(secret, "sha256"))
        answers += bool(handshake.output())
    assert handshake.failure is None
    assert answers == 16


def test_requests_for_certificates_without_end_are_refused() -> None:
    handshake, secrets = begun()
    asking = sealer(secrets["SERVER_TRAFFIC_SECRET_0"])
    request = b"\x0d\0\0\x0d\2id\0\x08\0\x0d\0\4\0\2\x08\4"
    for _ in range(40):
        handshake.feed(record(asking.seal(22, request)))
        handshake.output()
    assert handshake.failure == "the server asks for a certificate again and again"


def test_a_ticket_proves_that_the_server_agrees() -> None:
    handshake, secrets = begun()
    assert not handshake.accepted
    handshake.feed(record(sealer(secrets["SERVER_TRAFFIC_SECRET_0"]).seal(22, b"\4\0\0\4four")))
    assert (handshake.accepted, handshake.proof, handshake.stage) == (True, "new_session_ticket", "established")


def test_what_the_server_said_before_it_saw_the_flight_proves_nothing() -> None:
    handshake = Handshake(HELLO, "TLS 1.3", shown(CLIENT))
    flight, secrets = server_flight(handshake.output())
    early = sealer(secrets["SERVER_TRAFFIC_SECRET_0"])
    ticket, data = record(early.seal(22, b"\4\0\0\4four")), record(early.seal(23, b"0.5 RTT"))
    handshake.feed(flight + ticket + data)
    handshake.output()
    assert not handshake.accepted
    assert handshake.application == b"0.5 RTT"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda flight: flight[:-1] + bytes((flight[-1] ^ 1,)), "does not authenticate"),
        (lambda flight: flight.replace(b"\x00\x33\x00\x24\x00\x1d", b"\x00\x33\x00\x24\x00\x17"), "chose group 23"),
        (
            lambda flight: flight.replace(b"\x00\x2b\x00\x02\x03\x04", b"\x00\x2b\x00\x02\x03\x05"),
            "chose version 0x0305",
        ),
        (lambda flight: flight.replace(b"\x13\x01\x00", b"\x13\x06\x00"), "chose the cipher suite"),
    ],
)
def test_a_server_that_breaks_the_rules(change: Callable[[bytes], bytes], says: str) -> None:
    handshake = Handshake(HELLO, "TLS 1.3", shown(CLIENT))
    flight, _ = server_flight(handshake.output())
    assert change(flight) != flight
    handshake.feed(change(flight))
    assert handshake.failure is not None
    assert says in handshake.failure
    assert handshake.output() != b""
