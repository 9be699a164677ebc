"""A keyring finds the secrets that may open a handshake, and says why there is none."""

from __future__ import annotations

from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from tests.secrets.hellos import RANDOM, SERVER_RANDOM, client_hello, extension, psk_hello, server_hello, vector
from tlsalert.registry.cipher_suites import CipherSuite
from tlsalert.secrets import keyring as module
from tlsalert.secrets.handshake import Handshake
from tlsalert.secrets.keylog import CLIENT_RANDOM, CLIENT_TRAFFIC, PMS_CLIENT_RANDOM, SERVER_HANDSHAKE, KeyLog
from tlsalert.secrets.keyring import MAX_GUESSES, Found, Keyring
from tlsalert.secrets.private_keys import RsaKey
from tlsalert.secrets.schedule import TLS12, master_secret, psk_premaster, session_hash
from tlsalert.secrets.secret import Secret
from tlsalert.secrets.suites import Suite, parse_suite

MASTER, PREMASTER = b"m" * 48, b"\x03\x03" + b"p" * 46
RSA, RSA_PSK, PSK, DHE_PSK, ECDHE = (
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_PSK_WITH_AES_128_CBC_SHA",
    "TLS_PSK_WITH_AES_128_CBC_SHA",
    "TLS_DHE_PSK_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
)


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def rsa_key() -> RsaKey:
    return RsaKey(key(), "server.key")


def shaken(name: str, exchange: bytes | None = None, extensions: bytes = b"") -> tuple[Handshake, Suite]:
    handshake, code = Handshake(), int(CipherSuite[name])
    handshake.take("client", client_hello([code]))
    handshake.take("server", server_hello(code, extensions=extensions))
    if exchange is not None:
        handshake.take("client", b"\x10" + vector(3, exchange))
    return handshake, parse_suite(name)


def encrypted() -> bytes:
    return vector(2, key().public_key().encrypt(PREMASTER, PKCS1v15()))


def logged(*lines: tuple[str, bytes]) -> KeyLog:
    keylog = KeyLog()
    for label, secret in lines:
        keylog.put(label, RANDOM, secret)
    return keylog


def made(premaster: bytes) -> bytes:
    return master_secret(premaster, RANDOM, SERVER_RANDOM, TLS12, "sha256")


def test_a_logged_master_secret_comes_before_anything_derived() -> None:
    ring = Keyring(logged((CLIENT_RANDOM, MASTER), (PMS_CLIENT_RANDOM, PREMASTER)), [rsa_key()])
    assert ring.masters(*shaken(RSA, encrypted())) == [Found(Secret(MASTER))]


def test_a_logged_premaster_secret_gives_the_master_secret() -> None:
    ring = Keyring(logged((PMS_CLIENT_RANDOM, PREMASTER)))
    assert ring.masters(*shaken(ECDHE, b"point")) == [Found(Secret(made(PREMASTER)), derived=True)]


def test_a_logged_encrypted_premaster_secret_gives_the_master_secret() -> None:
    exchange = encrypted()
    keylog = KeyLog()
    keylog.add(f"RSA {exchange[2:10].hex()} {PREMASTER.hex()}".encode())
    assert [found.secret for found in Keyring(keylog).masters(*shaken(RSA, exchange))] == [made(PREMASTER)]


def test_a_logged_session_id_gives_the_master_secret() -> None:
    handshake, suite = shaken(RSA, encrypted())
    handshake.session_id = b"session"
    keylog = KeyLog()
    keylog.add(f"RSA Session-ID:{b'session'.hex()} Master-Key:{MASTER.hex()}".encode())
    assert [found.secret for found in Keyring(keylog).masters(handshake, suite)] == [MASTER]


def test_the_rsa_key_gives_the_extended_master_secret() -> None:
    handshake, suite = shaken(RSA, encrypted(), extension(23, b""))
    said = handshake.to_key_exchange()
    assert said is not None
    seed = session_hash(said, TLS12, "sha256")
    expected = master_secret(PREMASTER, RANDOM, SERVER_RANDOM, TLS12, "sha256", seed)
    assert [found.secret for found in Keyring(rsa_keys=[rsa_key()]).masters(handshake, suite)] == [expected]


def test_rsa_and_a_psk_together() -> None:
    """RFC 4279 §4."""
    ring = Keyring(rsa_keys=[rsa_key()], psks=[b"psk"])
    found = ring.masters(*shaken(RSA_PSK, vector(2, b"me") + encrypted()))
    assert [one.secret for one in found] == [made(psk_premaster(b"psk", PREMASTER))]


def test_sessions_are_remembered_and_the_oldest_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    if not module.__file__.endswith(".py"):
        pytest.skip("a compiled module's limits cannot be changed")
    monkeypatch.setattr(module, "MAX_SESSIONS", 2)
    ring = Keyring()
    for number in range(3):
        handshake, suite = shaken(RSA)
        handshake.session_id = bytes((number + 1,))
        ring.proven(handshake, CLIENT_RANDOM, Found(Secret(bytes((number,)) * 48)))
    found = []
    for number in range(3):
        handshake.session_id = bytes((number + 1,))
        found.append([one.secret[0] for one in ring.masters(handshake, suite)])
    assert found == [[], [1], [2]]


def test_a_ticket_is_remembered_too() -> None:
    ring = Keyring()
    first, suite = shaken(RSA)
    first.new_ticket = b"ticket"
    ring.proven(first, CLIENT_RANDOM, Found(Secret(MASTER)))
    second, _ = shaken(RSA)
    second.ticket = b"ticket"
    assert [found.secret for found in ring.masters(second, suite)] == [MASTER]


def test_only_what_was_derived_is_for_a_key_log() -> None:
    ring = Keyring()
    handshake, _ = shaken(RSA)
    ring.proven(handshake, CLIENT_RANDOM, Found(Secret(MASTER)))
    assert ring.derived == []
    for _ in range(2):
        ring.proven(handshake, CLIENT_RANDOM, Found(Secret(MASTER), derived=True))
    assert ring.derived == [(CLIENT_RANDOM, RANDOM, MASTER)]


def test_later_traffic_secrets_say_how_many_updates_they_are_behind() -> None:
    ring = Keyring(logged((CLIENT_TRAFFIC, b"0" * 32), ("CLIENT_TRAFFIC_SECRET_3", b"3" * 32)))
    handshake = Handshake()
    handshake.take("client", client_hello([0x1301], tls13=True))
    found = ring.traffic_secrets(handshake, "client", "application")
    assert found == [Found(Secret(b"0" * 32)), Found(Secret(b"3" * 32), 3)]


def test_without_a_client_hello_so_many_secrets_are_tried_and_no_more() -> None:
    keylog = KeyLog()
    for number in range(2 * MAX_GUESSES):
        keylog.put(SERVER_HANDSHAKE, number.to_bytes(32, "big"), bytes(32))
    assert len(Keyring(keylog).traffic_secrets(Handshake(), "server", "handshake")) == MAX_GUESSES


def test_a_psk_whose_binder_is_wrong_gives_nothing() -> None:
    handshake = Handshake()
    handshake.take("client", psk_hello(b"the right one"))
    assert Keyring(psks=[b"the wrong one"]).traffic_secrets(handshake, "client", "early") == []
    assert len(Keyring(psks=[b"the right one"]).traffic_secrets(handshake, "client", "early")) == 1


LOGGED = "the key log has no secret for this client random"


@pytest.mark.parametrize(
    ("name", "exchange", "with_rsa", "psks", "says"),
    [
        (RSA, b"", False, [], LOGGED),
        (RSA, b"", True, [], f"{LOGGED}, and the RSA key is not the server's"),
        (RSA, None, True, [], f"{LOGGED}, and the session it resumes was not captured"),
        (ECDHE, b"", True, [], f"{LOGGED}, and an RSA key does not open ECDHE key exchange"),
        (ECDHE, b"", False, [b"psk"], LOGGED),
        (PSK, b"", False, [b"psk"], f"{LOGGED}, and none of the PSKs is the one that was used"),
        (
            DHE_PSK,
            b"",
            False,
            [b"psk"],
            f"{LOGGED}, and a PSK does not open a key exchange that adds Diffie-Hellman to it",
        ),
    ],
)
def test_why_there_is_no_secret(
    name: str, exchange: bytes | None, with_rsa: bool, psks: list[bytes], says: str
) -> None:
    keylog = KeyLog()
    keylog.put(CLIENT_RANDOM, bytes(32), MASTER)
    ring = Keyring(keylog, [rsa_key()] if with_rsa else [], psks)
    assert ring.missing(*shaken(name, exchange)) == says


def test_a_handshake_with_a_gap_is_why_the_rsa_key_cannot_help() -> None:
    handshake, suite = shaken(RSA, extensions=extension(23, b""))
    handshake.miss()
    handshake.take("client", b"\x10" + vector(3, encrypted()))
    ring = Keyring(rsa_keys=[rsa_key()])
    assert ring.masters(handshake, suite) == []
    says = "there is no secret for this client random, and for the RSA key parts of the handshake are missing"
    assert ring.missing(handshake, suite) == says


@pytest.mark.parametrize(
    ("extensions", "says"),
    [
        (b"", "no pre-shared key was used"),
        (
            extension(41, b"\0\0") + extension(51, b""),
            "a PSK does not open a key exchange that adds Diffie-Hellman to it",
        ),
        (extension(41, b"\0\0"), "none of the PSKs is the one that was used"),
    ],
)
def test_why_a_psk_does_not_help_in_tls13(extensions: bytes, says: str) -> None:
    handshake = Handshake()
    handshake.take("client", client_hello([0x1301], tls13=True))
    handshake.take("server", server_hello(0x1301, selected=0x0304, extensions=extensions))
    found = Keyring(psks=[b"psk"]).missing(handshake, handshake.suite)
    assert found == f"there is no secret for this client random, and {says}"


def test_a_handshake_without_its_hello_has_no_random_to_look_for() -> None:
    assert Keyring().missing(Handshake(), None) == (
        "the ClientHello was not captured, and no secret that is there opens the record"
    )
