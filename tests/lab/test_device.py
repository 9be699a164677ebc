"""The device refuses as OpenSSL does, by its own clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.lab.packets import records
from tlsalert.lab.certificates import Identity, issued, self_signed
from tlsalert.lab.device import VERSIONS, Client, Device, Dialogue, Flight, Version, handshake

NOT_BEFORE = datetime(2016, 5, 19, 9, 46, 36, tzinfo=UTC)
NOT_AFTER = datetime(2026, 5, 17, 9, 46, 36, tzinfo=UTC)
RIGHT = datetime(2021, 6, 17, 8, 51, tzinfo=UTC)
BEHIND = datetime(2015, 3, 12, 5, 41, 50, tzinfo=UTC)
SECOND = timedelta(seconds=1)

IPMI = self_signed("CN=IPMI,O=Example BMC Works,ST=California,C=US", NOT_BEFORE, NOT_AFTER)
BMC = self_signed("CN=bmc.example,O=Example BMC Works,ST=California,C=US", NOT_BEFORE, NOT_AFTER, "p256")
HOME_MADE = self_signed("CN=console test", NOT_BEFORE, NOT_AFTER, "p256")
DEVICE = Device(BMC, trusted=(IPMI.certificate,), clock=RIGHT)


def plain_alerts(flights: list[Flight]) -> list[tuple[str, int, int]]:
    """Return sender, level and description of the alerts that are not encrypted."""
    found = [(side, kind, body) for side, flight in flights for kind, body in records(flight)]
    return [(side, *body) for side, kind, body in found if kind == 21 and len(body) == 2]


@pytest.mark.parametrize(
    ("identity", "clock", "alert"),
    [
        pytest.param(None, RIGHT, 40, id="no certificate: handshake_failure"),
        pytest.param(HOME_MADE, RIGHT, 48, id="home-made: unknown_ca"),
        pytest.param(IPMI, BEHIND, 42, id="not yet valid: bad_certificate"),
        pytest.param(IPMI, NOT_BEFORE - SECOND, 42, id="a second too early: bad_certificate"),
        pytest.param(IPMI, NOT_AFTER + SECOND, 45, id="a second too late: certificate_expired"),
    ],
)
@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.1", "TLS 1.2"])
def test_it_refuses_as_openssl_does(version: Version, identity: Identity | None, clock: datetime, alert: int) -> None:
    device = replace(DEVICE, clock=clock, versions=(version, version))
    flights = handshake(device, Client(identity, versions=(version, version)))
    assert plain_alerts(flights) == [("server", 2, alert)]
    assert [side for side, _ in flights] == ["client", "server", "client", "server"]


@pytest.mark.parametrize("clock", [RIGHT, NOT_BEFORE + SECOND, NOT_AFTER - SECOND])
@pytest.mark.parametrize("version", VERSIONS)
def test_it_accepts_the_pinned_certificate_by_a_right_clock(version: Version, clock: datetime) -> None:
    device = replace(DEVICE, clock=clock, versions=(version, version))
    dialogue = Dialogue(device, Client(IPMI, versions=(version, version)))
    flights = dialogue.handshake()
    assert dialogue.established
    assert dialogue.errors == {}
    assert plain_alerts(flights) == []
    hello = flights[1][1]
    assert int.from_bytes(hello[9:11], "big") == min(VERSIONS[version], 0x0303)


@pytest.mark.parametrize(
    ("identity", "clock", "reason"),
    [
        pytest.param(None, RIGHT, "certificate required", id="116"),
        pytest.param(HOME_MADE, RIGHT, "unknown ca", id="48"),
        pytest.param(IPMI, BEHIND, "bad certificate", id="42"),
        pytest.param(IPMI, NOT_AFTER + SECOND, "certificate expired", id="45"),
    ],
)
def test_in_tls_1_3_the_client_reads_the_refusal_after_it_has_finished(
    identity: Identity | None, clock: datetime, reason: str
) -> None:
    device = replace(DEVICE, clock=clock, versions=("TLS 1.3", "TLS 1.3"))
    dialogue = Dialogue(device, Client(identity, versions=("TLS 1.3", "TLS 1.3")))
    flights = dialogue.handshake()
    assert not dialogue.established
    assert dialogue.errors["client"].endswith(f"alert {reason}")
    assert plain_alerts(flights) == []
    assert records(flights[-1][1])[0][0] == 23


def test_each_flight_is_one_send() -> None:
    flights = handshake(DEVICE, Client(IPMI))
    kinds = [(side, [kind for kind, _ in records(flight)]) for side, flight in flights]
    assert kinds == [
        ("client", [22]),
        ("server", [22] * 5),
        ("client", [22, 22, 22, 20, 22]),
        ("server", [22, 20, 22]),
    ]


def test_the_client_refuses_a_server_that_it_does_not_trust() -> None:
    flights = handshake(DEVICE, Client(IPMI, trusted=(HOME_MADE.certificate,), clock=RIGHT))
    assert plain_alerts(flights) == [("client", 2, 48)]


def test_the_clients_clock_counts_for_the_servers_certificate() -> None:
    flights = handshake(DEVICE, Client(IPMI, trusted=(BMC.certificate,), clock=BEHIND))
    assert plain_alerts(flights) == [("client", 2, 42)]


def test_nothing_in_common() -> None:
    flights = handshake(DEVICE, Client(IPMI, versions=("TLS 1.3", "TLS 1.3")))
    assert plain_alerts(flights) == [("server", 2, 70)]


@pytest.mark.parametrize(("asks", "established"), [("required", False), ("optional", True), ("no", True)])
def test_how_the_device_asks_for_a_certificate(asks: Literal["required", "optional", "no"], established: bool) -> None:
    dialogue = Dialogue(replace(DEVICE, asks=asks), Client())
    dialogue.handshake()
    assert dialogue.established is established


@pytest.mark.parametrize(
    ("suite", "number"), [("ECDHE-ECDSA-AES128-GCM-SHA256", 0xC02B), ("ECDHE-ECDSA-AES256-SHA", 0xC00A)]
)
def test_the_cipher_suite_can_be_chosen(suite: str, number: int) -> None:
    hello = handshake(replace(DEVICE, ciphers=suite), Client(IPMI))[1][1]
    session_id_length = hello[43]
    assert int.from_bytes(hello[44 + session_id_length :][:2], "big") == number


def test_the_cipher_suite_of_tls_1_3_can_be_chosen() -> None:
    versions: tuple[Version, Version] = ("TLS 1.3", "TLS 1.3")
    device = replace(DEVICE, versions=versions, ciphersuites="TLS_CHACHA20_POLY1305_SHA256")
    hello = handshake(device, Client(IPMI, versions=versions))[1][1]
    assert hello[44 + hello[43] :][:2] == b"\x13\x03"


def test_the_client_names_the_server() -> None:
    hello = handshake(DEVICE, Client(IPMI, server_name="bmc.example"))[0][1]
    assert b"\x00\x00\x0bbmc.example" in hello


def test_the_device_names_what_it_trusts_and_shows_its_chain() -> None:
    root = self_signed("CN=root", NOT_BEFORE, NOT_AFTER, "p256")
    middle = issued("CN=middle", root, NOT_BEFORE, NOT_AFTER, "p256", authority=True)
    leaf = issued("CN=leaf", middle, NOT_BEFORE, NOT_AFTER, "p256", names=("leaf.example",))
    assert leaf.chain == (middle.certificate,)
    device = Device(leaf, trusted=(root.certificate,), clock=RIGHT)
    dialogue = Dialogue(device, Client(leaf, trusted=(root.certificate,), clock=RIGHT))
    server = dialogue.handshake()[1][1]
    assert dialogue.established
    assert root.certificate.subject.public_bytes() in server
    assert middle.certificate.public_bytes(Encoding.DER) in server


@pytest.mark.parametrize(("speaks", "alert"), [(("h2", "http/1.1"), None), (("http/1.1",), 120)])
def test_the_device_refuses_who_shares_no_application_protocol(speaks: tuple[str, ...], alert: int | None) -> None:
    dialogue = Dialogue(replace(DEVICE, alpn=("h2",)), Client(IPMI, alpn=speaks))
    flights = dialogue.handshake()
    assert plain_alerts(flights) == ([] if alert is None else [("server", 2, alert)])
    assert dialogue.established is (alert is None)


def test_who_signs_with_another_key_is_found_out() -> None:
    right = self_signed("CN=right", NOT_BEFORE, NOT_AFTER, "p256")
    assert isinstance(HOME_MADE.key, ec.EllipticCurvePrivateKey)
    device = replace(DEVICE, trusted=(right.certificate,))
    assert plain_alerts(handshake(device, Client(right))) == []
    assert plain_alerts(handshake(device, Client(replace(right, signs_with=HOME_MADE.key)))) == [("server", 2, 51)]


@pytest.mark.parametrize(
    ("version", "labels"),
    [("TLS 1.2", {b"CLIENT_RANDOM"}), ("TLS 1.3", {b"CLIENT_HANDSHAKE_TRAFFIC_SECRET", b"SERVER_TRAFFIC_SECRET_0"})],
)
def test_the_secrets_are_those_of_the_connection(version: Version, labels: set[bytes]) -> None:
    dialogue = Dialogue(replace(DEVICE, versions=(version, version)), Client(IPMI, versions=(version, version)))
    random = dialogue.handshake()[0][1][11:43]
    lines = [line.split() for line in dialogue.secrets]
    assert {line[0] for line in lines} >= labels
    assert {bytes.fromhex(line[1].decode()) for line in lines} == {random}


def test_application_data_and_close_notify_follow_the_handshake() -> None:
    dialogue = Dialogue(DEVICE, Client(IPMI))
    dialogue.handshake()
    (asked,) = dialogue.send("client", b"x" * 20_000)
    assert (asked[0], [kind for kind, _ in records(asked[1])]) == ("client", [23, 23])
    (closed,) = dialogue.close("server")
    assert (closed[0], [kind for kind, _ in records(closed[1])]) == ("server", [21])


def test_by_default_the_random_shows_no_clock() -> None:
    shown = {handshake(DEVICE, Client(IPMI))[1][1][11:15] for _ in range(3)}
    assert len(shown) == 3


def test_on_demand_the_random_shows_the_clock_of_the_process() -> None:
    before = int(datetime.now(UTC).timestamp())
    random = handshake(replace(DEVICE, shows_clock=True), Client(IPMI))[1][1][11:43]
    after = int(datetime.now(UTC).timestamp())
    assert before <= int.from_bytes(random[:4], "big") <= after


def test_an_identity_survives_pem_and_never_prints_its_key() -> None:
    again = Identity.from_pem(IPMI.to_pem())
    assert again.certificate == IPMI.certificate
    assert again.key.private_numbers() == IPMI.key.private_numbers()
    assert repr(IPMI) == "Identity(CN=IPMI,O=Example BMC Works,ST=California,C=US)"
