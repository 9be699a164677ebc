"""PKCS #12 key stores with and without their passphrase."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from tests.pki.stores import PASSPHRASE, leaf, look, make, run, told

OTHER = make("CN=other")


def store(lock: object, key: bool = True) -> bytes:
    made: bytes = pkcs12.serialize_key_and_certificates(
        b"me",
        leaf().key if key else None,
        leaf().certificate if key else None,
        [OTHER.certificate],
        lock,  # type: ignore[arg-type]
    )
    return made


def test_without_its_passphrase_a_store_shows_that_it_has_a_key() -> None:
    assert told(look(store(BestAvailableEncryption(PASSPHRASE)))) == [
        ("FILE", "keystore", "PKCS #12", True),
        ("FILE", "private_key", None, True),
    ]


def test_certificates_that_are_not_encrypted_need_no_passphrase(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_bytes(leaf().pem + b"\n" + make_key())
    command = ("openssl", "pkcs12", "-export", "-in", "a.pem", "-passout", "pass:other", "-certpbe", "NONE")
    found = look(run(*command, folder=tmp_path))
    assert [(one.where, one.kind, one.encrypted) for one in found] == [
        ("FILE", "keystore", True),
        ("FILE", "certificate", False),
        ("FILE", "private_key", True),
    ]


@pytest.mark.parametrize("lock", [BestAvailableEncryption(PASSPHRASE), NoEncryption()])
def test_what_opens_gives_key_and_certificates(lock: object) -> None:
    found = look(store(lock), PASSPHRASE)
    assert [one.kind for one in found] == ["keystore", "private_key", "certificate", "certificate"]
    assert found[1].spki_sha256 == found[2].spki_sha256 == sha256(leaf().spki).hexdigest()
    assert (found[2].label, found[3].subject) == ("me", "CN=other")


def test_a_known_passphrase_is_a_problem_of_keys_only() -> None:
    lock = BestAvailableEncryption(b"changeit")
    assert look(store(lock))[0].problems == ("its passphrase is 'changeit': it protects nothing",)
    assert look(store(lock, key=False))[0].problems == ()


def test_what_openssl_makes_in_both_of_its_ways_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_bytes(leaf().pem + b"\n" + make_key())
    for way in ([], ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"]):
        command = ("openssl", "pkcs12", "-export", "-in", "a.pem", "-passout", "pass:open sesame", *way)
        data = run(*command, folder=tmp_path)
        assert {one.kind for one in look(data, PASSPHRASE)} == {"keystore", "private_key", "certificate"}


def make_key() -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return leaf().private(encoding=Encoding.PEM)


def test_a_damaged_store_is_told_as_one_that_does_not_open() -> None:
    data = bytearray(store(BestAvailableEncryption(PASSPHRASE)))
    data[200:260] = bytes(60)
    assert all(one.encrypted for one in look(bytes(data), PASSPHRASE))
