"""Private keys are loaded from every usual form, and errors never show what is in them."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.errors import CaptureError, TlsalertError, UsageError
from tlsalert.lab.certificates import self_signed
from tlsalert.secrets.private_keys import MAX_FILE, RsaKey, encrypted_premaster, load_keys, read_keys

PHRASE = b"correct horse"
IDENTITY = self_signed("CN=server", datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
KEY = cast("rsa.RSAPrivateKey", IDENTITY.key)
MODULUS = KEY.public_key().public_numbers().n
OTHER = rsa.generate_private_key(65537, 2048)
PREMASTER = b"\x03\x03" + bytes(range(46))


def encoded(encoding: Encoding, form: PrivateFormat, locked: bool = False) -> bytes:
    protection: KeySerializationEncryption = BestAvailableEncryption(PHRASE) if locked else NoEncryption()
    return KEY.private_bytes(encoding, form, protection)


def keystore(locked: bool = True) -> bytes:
    protection: KeySerializationEncryption = BestAvailableEncryption(PHRASE) if locked else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"name", KEY, IDENTITY.certificate, None, protection)


PEM, DER = Encoding.PEM, Encoding.DER
FORMS = [
    pytest.param(encoded(PEM, PrivateFormat.TraditionalOpenSSL), False, id="PKCS #1 PEM"),
    pytest.param(encoded(PEM, PrivateFormat.PKCS8), False, id="PKCS #8 PEM"),
    pytest.param(encoded(PEM, PrivateFormat.TraditionalOpenSSL, True), True, id="PKCS #1 PEM, encrypted"),
    pytest.param(encoded(PEM, PrivateFormat.PKCS8, True), True, id="PKCS #8 PEM, encrypted"),
    pytest.param(encoded(DER, PrivateFormat.TraditionalOpenSSL), False, id="PKCS #1 DER"),
    pytest.param(encoded(DER, PrivateFormat.PKCS8), False, id="PKCS #8 DER"),
    pytest.param(encoded(DER, PrivateFormat.PKCS8, True), True, id="PKCS #8 DER, encrypted"),
    pytest.param(keystore(), True, id="PKCS #12"),
    pytest.param(IDENTITY.to_pem(), False, id="PEM with a certificate behind it"),
]


@pytest.mark.parametrize(("data", "locked"), FORMS)
def test_every_form_is_loaded(data: bytes, locked: bool) -> None:
    asked: list[str] = []

    def ask(name: str) -> bytes:
        asked.append(name)
        return PHRASE

    keys = load_keys(data, "server.key", ask)
    assert [key.modulus for key in keys] == [MODULUS]
    assert asked == (["server.key"] if locked else [])


@pytest.mark.parametrize(("data", "locked"), [form for form in FORMS if form.values[1]])
@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (None, "server.key: is encrypted; give the passphrase it was encrypted with"),
        (lambda name: None, "server.key: is encrypted; give the passphrase it was encrypted with"),
        (
            lambda name: b"wrong",
            "server.key: does not open with this passphrase; give the passphrase it was encrypted with",
        ),
    ],
)
def test_a_missing_or_wrong_passphrase_is_told(
    data: bytes, locked: bool, ask: Callable[[str], bytes | None] | None, says: str
) -> None:
    assert locked
    with pytest.raises(UsageError) as raised:
        load_keys(data, "server.key", ask)
    assert str(raised.value) == says


def test_a_keystore_without_a_passphrase_opens_without() -> None:
    def ask(name: str) -> bytes:
        raise AssertionError("nobody needs to be asked")

    assert load_keys(keystore(locked=False), "server.p12", ask)[0].modulus == MODULUS


def test_several_keys_of_one_file_are_all_loaded() -> None:
    both = encoded(PEM, PrivateFormat.PKCS8) + OTHER.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption())
    assert len(load_keys(both, "both.pem")) == 2


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "server.key: is no private key; PEM, DER, PKCS #8 and PKCS #12 are read", id="empty"),
        pytest.param(
            b"secret text", "server.key: is no private key; PEM, DER, PKCS #8 and PKCS #12 are read", id="text"
        ),
        pytest.param(b"\x30\x03\x02\x01\x00", "server.key: is no private key, or a damaged one", id="other DER"),
        pytest.param(
            IDENTITY.certificate.public_bytes(PEM),
            "server.key: has no private key; name the file with the key, not the certificate",
            id="certificate",
        ),
        pytest.param(
            ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption()),
            "server.key: is not an RSA key; only RSA key exchange can be opened with the server's key",
            id="elliptic curve",
        ),
        pytest.param(b"0" * (MAX_FILE + 1), "server.key: is too long for a private key", id="too long"),
    ],
)
def test_what_is_no_key_is_told(data: bytes, says: str) -> None:
    with pytest.raises(TlsalertError) as raised:
        load_keys(data, "server.key")
    assert str(raised.value) == says
    assert raised.value.__cause__ is None


def test_a_keystore_without_a_key_is_told() -> None:
    store = pkcs12.serialize_key_and_certificates(None, None, IDENTITY.certificate, None, NoEncryption())
    with pytest.raises(CaptureError, match="has certificates but no private key"):
        load_keys(store, "trust.p12")


@given(data=st.binary(max_size=60), at=st.integers(0, 400), form=st.sampled_from([form.values[0] for form in FORMS]))
def test_damage_is_told_and_not_quoted(data: bytes, at: int, form: object) -> None:
    assert isinstance(form, bytes)
    damaged = form[:at] + data + form[at + len(data) :]
    says = "server.key: "
    try:
        load_keys(damaged, "server.key", lambda name: PHRASE)
    except TlsalertError as error:
        says = str(error)
    assert says.startswith("server.key: ")
    assert len(says) < 200


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="cannot be read: No such file"):
        read_keys(str(tmp_path / "server.key"))


def test_a_key_is_read_from_its_file_and_shows_only_its_length(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    path.write_bytes(encoded(PEM, PrivateFormat.PKCS8))
    key = read_keys(str(path))[0]
    assert repr(key) == f"<RSA key of 2048 bits from {path}>"


def exchange(premaster: bytes = PREMASTER, length: bool = True) -> bytes:
    encrypted = KEY.public_key().encrypt(premaster, PKCS1v15())
    return (len(encrypted).to_bytes(2, "big") if length else b"") + encrypted


@pytest.mark.parametrize("length", [True, False], ids=["TLS", "SSLv3, without a length"])
def test_the_premaster_secret_comes_out_of_a_client_key_exchange(length: bool) -> None:
    key = RsaKey(KEY, "server.key")
    assert key.premaster(exchange(length=length)) == PREMASTER


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        bytes(258),
        b"\x01\x00" + b"\xff" * 256,
        exchange()[:-1],
        exchange(b"\x03\x03short"),
        exchange(b"\x09" * 48),
    ],
)
def test_what_is_no_encrypted_premaster_secret_gives_none(body: bytes) -> None:
    assert RsaKey(KEY, "server.key").premaster(body) is None


def test_another_key_gives_none() -> None:
    assert RsaKey(OTHER, "other.key").premaster(exchange()) is None


def test_leading_zeros_that_a_sender_dropped_are_put_back() -> None:
    number = random.Random(1)
    numbers = KEY.public_key().public_numbers()
    while True:  # until the ciphertext begins with a zero: one in 256 does
        padding = bytes(number.randrange(1, 256) for _ in range(256 - 3 - 48))
        sealed = pow(int.from_bytes(b"\0\2" + padding + b"\0" + PREMASTER, "big"), numbers.e, numbers.n)
        if sealed.bit_length() <= 8 * 255:
            break
    body = b"\0\xff" + sealed.to_bytes(255, "big")
    assert encrypted_premaster(body) == body[2:]
    assert RsaKey(KEY, "server.key").premaster(body) == PREMASTER
