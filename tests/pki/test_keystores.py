"""Java's key stores, as keytool makes them and as they are written down."""

from __future__ import annotations

import struct
from hashlib import sha1, sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pki.stores import PASSPHRASE, leaf, look, look_at_all, run
from tlsalert.pki.containers import Damage
from tlsalert.pki.keys import encoded
from tlsalert.pki.keystores import JKS, keystore_kind

SALT = bytes(range(20))


def text(said: str) -> bytes:
    return struct.pack(">H", len(said)) + said.encode()


def sized(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def jks(*entries: bytes, version: int = 2, magic: bytes = JKS) -> bytes:
    return magic + struct.pack(">II", version, len(entries)) + b"".join(entries) + bytes(20)


def trusted(alias: str) -> bytes:
    return struct.pack(">I", 2) + text(alias) + bytes(8) + text("X.509") + sized(leaf().der)


def protected(phrase: str) -> bytes:
    """Return the key as sun.security.provider.KeyProtector hides it."""
    plain, secret = leaf().private(), phrase.encode("utf-16-be")
    stream, last = b"", SALT
    while len(stream) < len(plain):
        last = sha1(secret + last).digest()
        stream += last
    hidden = bytes(one ^ other for one, other in zip(plain, stream, strict=False))
    inner = encoded(4, SALT + hidden + sha1(secret + plain).digest())
    return encoded(0x30, bytes.fromhex("300e060a2b060104012a021101010500") + inner)


def key_entry(alias: str, phrase: str = "open sesame") -> bytes:
    chain = struct.pack(">I", 1) + text("X.509") + sized(leaf().der)
    return struct.pack(">I", 1) + text(alias) + bytes(8) + sized(protected(phrase)) + chain


def bks(*entries: bytes, version: int = 1) -> bytes:
    return struct.pack(">II", version, 20) + SALT + struct.pack(">I", 1024) + b"".join(entries) + b"\0" + bytes(20)


def bks_entry(kind: int, alias: str, body: bytes, chain: int = 0) -> bytes:
    certificate = text("X.509") + sized(leaf().der)
    return bytes([kind]) + text(alias) + bytes(8) + struct.pack(">I", chain) + certificate * chain + body


def test_certificates_need_no_passphrase_and_an_encrypted_key_shows_by_its_certificate() -> None:
    store, key, own, other = look(jks(key_entry("me"), trusted("root")))
    assert (store.kind, store.key) == ("keystore", "JKS")
    assert (key.where, key.kind, key.encrypted, key.key) == ("FILE!/me", "private_key", True, "RSA 2048")
    assert key.spki_sha256 == own.spki_sha256 == sha256(leaf().spki).hexdigest()
    assert (other.where, other.kind, other.label) == ("FILE!/root", "certificate", "root")
    assert key.secret is None


def test_the_passphrase_opens_a_key() -> None:
    key = look(jks(key_entry("me")), PASSPHRASE)[1]
    assert key.secret == leaf().private()
    assert key.encrypted


def test_a_key_under_the_manuals_passphrase_is_not_protected() -> None:
    key = look(jks(key_entry("me", "changeit")))[1]
    assert key.problems == ("its passphrase is 'changeit': it protects nothing",)


def test_bouncy_castles_store_gives_certificates_and_keys() -> None:
    plain = bytes([0]) + text("PKCS#8") + text("RSA") + sized(leaf().private())
    certificate = text("X.509") + sized(leaf().der)
    data = bks(
        bks_entry(1, "root", certificate),
        bks_entry(2, "clear", plain, chain=1),
        bks_entry(4, "sealed", sized(bytes(40)), chain=1),
        bks_entry(3, "secret", sized(bytes(40))),
    )
    found = look(data)
    assert [(one.where, one.kind, one.encrypted) for one in found] == [
        ("FILE", "keystore", False),
        ("FILE!/root", "certificate", False),
        ("FILE!/clear", "certificate", False),
        ("FILE!/clear", "private_key", False),
        ("FILE!/sealed", "certificate", False),
        ("FILE!/sealed", "private_key", True),
    ]


@pytest.mark.parametrize("kind", ["JKS", "JCEKS", "PKCS12"])
def test_what_keytool_makes_is_read(kind: str, tmp_path: Path) -> None:
    word = PASSPHRASE.decode()
    shared = ("-storetype", kind, "-keystore", "store", "-storepass", word)
    name = ("-dname", "CN=java", "-alias", "me", "-keyalg", "RSA", "-keysize", "2048")
    run("keytool", "-genkeypair", *shared, *name, "-keypass", word, folder=tmp_path)
    found = look((tmp_path / "store").read_bytes(), PASSPHRASE)
    assert [one.kind for one in found] == ["keystore", "private_key", "certificate"]
    assert found[1].spki_sha256 == found[2].spki_sha256
    assert found[2].subject == "CN=java"
    assert (found[1].secret is not None) == (kind != "JCEKS")  # of JCEKS the public parts are read


def test_a_store_that_breaks_off_gives_what_comes_before() -> None:
    whole = jks(trusted("a"), trusted("b"))
    things = look_at_all(whole[: len(whole) - 300])
    assert [type(one).__name__ for one in things] == ["Found", "Found", "Damage"]
    assert isinstance(things[-1], Damage)
    assert "breaks off" in things[-1].says


def test_a_secret_key_in_javas_own_form_ends_the_store() -> None:
    entry = struct.pack(">I", 3) + text("aes") + bytes(8) + b"\xac\xed\0\5"
    things = look_at_all(jks(entry, trusted("after"), magic=b"\xce\xce\xce\xce"))
    assert isinstance(things[-1], Damage)
    assert "what follows is not read" in things[-1].says


@settings(max_examples=60)
@given(at=st.integers(12, 300), byte=st.integers(0, 255))
def test_a_changed_byte_is_no_reason_to_break_off(at: int, byte: int) -> None:
    for data in (
        bytearray(jks(key_entry("me"), trusted("root"))),
        bytearray(bks(bks_entry(1, "r", text("X") + sized(leaf().der)))),
    ):
        data[at] = byte
        assert look_at_all(bytes(data))


@pytest.mark.parametrize("data", [b"", JKS, JKS + b"\0\0\0\3" + bytes(40), b"\0\0\0\1\0\0\0\x14" + b"\xff" * 40])
def test_other_bytes_are_no_store(data: bytes) -> None:
    assert keystore_kind(data) is None
