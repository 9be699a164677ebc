"""Keys: their kind and public half, whether they are encrypted, and that nobody sees them."""

from __future__ import annotations

import pickle
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.pki.stores import PASSPHRASE, leaf, look, look_at_all, make, run
from tlsalert.pki.containers import Damage
from tlsalert.pki.keys import MOST_ROUNDS, Phrases, attempt, encoded, locked_by

KEYS = {
    "RSA 2048": lambda: leaf().key,
    "RSA 1024": lambda: rsa.generate_private_key(65537, 1024),
    "EC P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EC secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "DSA 1024": lambda: dsa.generate_private_key(1024),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_a_key_is_told_by_kind_and_public_half(kind: str, encoding: Encoding) -> None:
    key = KEYS[kind]()
    (one,) = look(key.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert (one.kind, one.key, one.encrypted) == ("private_key", kind, False)
    assert one.spki_sha256 == sha256(public).hexdigest()


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key_is_told_as_encrypted_and_opens_with_its_passphrase(form: PrivateFormat) -> None:
    text = leaf().locked(form)
    (shut,) = look(text, b"wrong")
    (opened,) = look(text, b"wrong", PASSPHRASE)
    assert (shut.encrypted, shut.spki_sha256, shut.key) == (True, None, None)
    assert (opened.encrypted, opened.spki_sha256) == (True, sha256(leaf().spki).hexdigest())


def test_a_key_too_short_for_the_library_is_read_by_hand(tmp_path: Path) -> None:
    data = run("openssl", "genrsa", "-traditional", "512", folder=tmp_path)
    (one,) = look(data)
    public = run("openssl", "rsa", "-pubout", "-outform", "DER", folder=tmp_path, stdin=data)
    assert (one.key, one.spki_sha256) == ("RSA 512", sha256(public).hexdigest())


@pytest.mark.parametrize("info", ["AES-128-CBC,00", "AES-128-CBC,", "DES-EDE3-CBC,0011", "ROT13,00", "AES-128-CBC", ""])
def test_an_odd_initialisation_vector_is_no_reason_to_break_off(info: str) -> None:
    from tlsalert.pki.pem import blocks

    (block,) = blocks(leaf().locked(PrivateFormat.TraditionalOpenSSL))
    odd = block._replace(headers=(("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", info)))
    (one,) = look(odd.text(), PASSPHRASE)
    assert (one.encrypted, one.spki_sha256) == (True, None)


class PanicException(BaseException):
    """What a panic of Rust's code comes as."""


def test_a_librarys_panic_is_a_refusal() -> None:
    def panic() -> None:
        raise PanicException

    def interrupt() -> None:
        raise KeyboardInterrupt

    assert attempt(panic) is None
    with pytest.raises(KeyboardInterrupt):
        attempt(interrupt)


def test_no_form_of_printing_shows_a_key() -> None:
    (one,) = look(leaf().private())
    shown = f"{one!r} {one} {one.secret!r} {one.secret}"
    assert "secret of" in shown
    assert leaf().private().hex()[80:120] not in shown
    assert repr(leaf().private())[100:140] not in shown
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_damaged_key_is_told_without_a_byte_of_it() -> None:
    data = bytearray(leaf().private())
    data[40:200] = bytes(160)
    (one,) = look_at_all(bytes(data))
    assert isinstance(one, Damage)
    assert "a private key at byte 0 is damaged" in one.says


def test_rounds_that_would_take_for_ever_are_not_paid_for() -> None:
    data = leaf().locked(encoding=Encoding.DER)
    at = data.index(bytes.fromhex("06092a864886f70d01050c"))  # PBKDF2
    rounds = data.index(b"\x02\x02", at)
    assert locked_by(data) is None
    # the number of rounds takes two bytes more, and so do the four sequences around it
    huge = MOST_ROUNDS + 1
    grown = bytearray(data[:rounds] + encoded(2, huge.to_bytes(4, "big")) + data[rounds + 4 :])
    for place in range(rounds):
        if grown[place] == 0x30 and grown[place + 1] < 0x80 and place + 2 + grown[place + 1] >= rounds + 4:
            grown[place + 1] += 2
    grown[2:4] = (int.from_bytes(grown[2:4], "big") + 2).to_bytes(2, "big")
    assert locked_by(bytes(grown)) is not None
    (one,) = look(bytes(grown), PASSPHRASE)
    assert (one.encrypted, one.spki_sha256) == (True, None)
    assert "not tried" in one.problems[0]


def test_a_passphrase_is_asked_for_once_where_nobody_is_there() -> None:
    asked: list[str] = []

    def ask(where: str) -> None:
        asked.append(where)

    phrases = Phrases((), ask)
    assert [*phrases.of("a"), *phrases.of("b")] == [b"", b"changeit"] * 2
    assert asked == ["a"]


def test_a_passphrase_that_was_typed_is_tried_on_the_next_file() -> None:
    phrases = Phrases((), lambda where: b"typed" if where == "a" else None)
    assert list(phrases.of("a"))[-1] == b"typed"
    assert list(phrases.of("b"))[-1] == b"typed"
    assert "typed" not in repr(phrases)


def test_a_key_under_a_passphrase_that_everybody_knows_is_not_protected() -> None:
    (one,) = look(make("CN=a").private(lock=BestAvailableEncryption(b"changeit")))
    assert one.problems == ("its passphrase is 'changeit': it protects nothing",)
