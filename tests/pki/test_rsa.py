"""RSA signatures by hand: they hold what cryptography's hold, and no others."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.encoded import INTEGER, SEQUENCE, oid, tlv, whole
from tests.pki.issuing import public
from tlsalert.pki.rsa import (
    MD5_SHA1,
    RsaKey,
    masked,
    padded,
    pss_parameters,
    signed_content,
    verify_pkcs1,
    verify_pss,
)

PRIVATE, OTHER = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
ODD = rsa.generate_private_key(65537, 1025)  # one bit more than whole bytes
HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
WORDS = b"what was signed"


def key(private: rsa.RSAPrivateKey) -> RsaKey:
    found = RsaKey.read(whole(public(private)))
    assert found is not None
    return found


def info(*numbers: int) -> bytes:
    """Return a SubjectPublicKeyInfo of these numbers."""
    inside = tlv(SEQUENCE, *(tlv(INTEGER, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in numbers))
    return tlv(SEQUENCE, tlv(SEQUENCE, oid("1.2.840.113549.1.1.1")), tlv(0x03, b"\0" + inside))


@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("private", [PRIVATE, ODD], ids=["2048", "1025"])
def test_a_pkcs1_signature_is_its_keys_over_its_words_alone(name: str, private: rsa.RSAPrivateKey) -> None:
    signature = private.sign(WORDS, padding.PKCS1v15(), HASHES[name])
    assert verify_pkcs1(key(private), name, signature, WORDS)
    assert not verify_pkcs1(key(private), name, signature, WORDS + b".")
    assert not verify_pkcs1(key(OTHER), name, signature, WORDS)
    assert not verify_pkcs1(key(private), "sha224", signature, WORDS)


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("private", [PRIVATE, OTHER], ids=["one", "other"])
@pytest.mark.parametrize("salt", [0, 20, 32])
def test_a_pss_signature_is_its_keys_over_its_words_with_its_salt(
    name: str, private: rsa.RSAPrivateKey, salt: int
) -> None:
    signature = private.sign(WORDS, padding.PSS(padding.MGF1(hashes.SHA256()), salt), HASHES[name])
    assert verify_pss(key(private), name, "sha256", salt, signature, WORDS)
    assert not verify_pss(key(private), name, "sha256", salt + 1, signature, WORDS)
    assert not verify_pss(key(private), name, "sha256", salt, signature, WORDS + b".")
    assert not verify_pss(key(private), name, "sha1", salt, signature, WORDS)


def test_a_key_of_no_whole_bytes_makes_pss_as_well() -> None:
    """RFC 8017 §8.1: the encoded message has one bit less than the modulus, and here one byte less."""
    signature = ODD.sign(WORDS, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    assert verify_pss(key(ODD), "sha256", "sha256", 32, signature, WORDS)


def test_a_key_made_a_signature_over_other_words() -> None:
    """Only the words are wrong: the padding shows that the key is right."""
    plain = PRIVATE.sign(WORDS, padding.PKCS1v15(), hashes.SHA256())
    size = len(signed_content("sha256", b"")[0])
    assert padded(key(PRIVATE), plain, size)
    assert not padded(key(OTHER), plain, size)
    assert not padded(key(PRIVATE), plain, size - 1)
    with_salt = PRIVATE.sign(WORDS, padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())
    assert masked(key(PRIVATE), "sha384", with_salt)
    assert not masked(key(OTHER), "sha384", with_salt)
    assert not masked(key(PRIVATE), "sha256", with_salt)


def test_the_parameters_of_a_digest_may_be_left_out() -> None:
    """RFC 8017 §A.2.4."""
    with_null, without = signed_content("sha256", WORDS)
    assert len(with_null) == len(without) + 2
    assert signed_content(MD5_SHA1, b"")[0].hex().startswith("d41d8cd98f00b204e9800998ecf8427eda39a3ee")


@given(st.binary(max_size=300))
def test_any_bytes_are_no_signature(signature: bytes) -> None:
    assert not verify_pkcs1(key(PRIVATE), "sha256", signature, WORDS)
    assert not verify_pss(key(PRIVATE), "sha256", "sha256", 32, signature, WORDS)
    assert not padded(key(PRIVATE), signature, 36)
    assert not masked(key(PRIVATE), "sha256", signature)


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(info(2**2047 + 1), id="no exponent"),
        pytest.param(info(2**20000 + 1, 65537), id="a modulus that takes long"),
        pytest.param(info(2**2047 + 1, 2**2000 + 1), id="an exponent that takes long"),
        pytest.param(info(2**2047 + 1, 1), id="an exponent that signs nothing"),
        pytest.param(info(0, 65537), id="no modulus"),
        pytest.param(tlv(SEQUENCE, tlv(SEQUENCE)), id="no key"),
    ],
)
def test_a_key_that_cannot_or_should_not_be_used_is_none(encoded: bytes) -> None:
    assert RsaKey.read(whole(encoded)) is None


def test_pss_parameters_have_defaults() -> None:
    """RFC 4055 §3.1: SHA-1, MGF1 with SHA-1, and 20 bytes of salt."""
    pss = oid("1.2.840.113549.1.1.10")
    assert pss_parameters(whole(tlv(SEQUENCE, pss))) == ("sha1", "sha1", 20)
    assert pss_parameters(whole(tlv(SEQUENCE, pss, tlv(SEQUENCE)))) == ("sha1", "sha1", 20)
    sha256 = tlv(SEQUENCE, oid("2.16.840.1.101.3.4.2.1"))
    mask = tlv(SEQUENCE, oid("1.2.840.113549.1.1.8"), sha256)
    chosen = tlv(SEQUENCE, tlv(0xA0, sha256), tlv(0xA1, mask), tlv(0xA2, tlv(INTEGER, b"\x20")))
    assert pss_parameters(whole(tlv(SEQUENCE, pss, chosen))) == ("sha256", "sha256", 32)
    unknown = tlv(SEQUENCE, tlv(0xA0, tlv(SEQUENCE, oid("1.2.3.4"))))
    assert pss_parameters(whole(tlv(SEQUENCE, pss, unknown))) is None
    assert pss_parameters(whole(tlv(SEQUENCE, pss, tlv(SEQUENCE, b"\xa2\x00")))) is None
