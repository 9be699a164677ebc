"""Keys are made once for a purpose, whatever their kind; those of many primes sign like others."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa

from tlsalert.pki.key_pool import CURVES, KeyPool, kind_of, make_key


@pytest.mark.parametrize("bits", [512, 1000, 1024, 2048, 3080, 4096, 8192])
def test_rsa_keys_have_the_size_that_was_asked_for_and_sign(bits: int) -> None:
    key = make_key(f"rsa{bits}")
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == bits
    signature = key.sign(b"said", padding.PKCS1v15(), hashes.SHA256())
    key.public_key().verify(signature, b"said", padding.PKCS1v15(), hashes.SHA256())
    opened = key.decrypt(key.public_key().encrypt(b"x", padding.PKCS1v15()), padding.PKCS1v15())
    assert opened == b"x"


@pytest.mark.parametrize("kind", CURVES)
def test_curves_have_their_names(kind: str) -> None:
    key = make_key(kind)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, CURVES[kind])


@pytest.mark.parametrize("kind", ["rsa1024", "rsa2048", "dsa2048", "ed25519", "ed448", *CURVES])
def test_the_kind_of_a_key_is_told_by_either_half(kind: str) -> None:
    key = make_key(kind)
    assert kind_of(key) == kind_of(key.public_key()) == kind


def test_a_key_of_an_unknown_kind_has_the_kind_that_is_made_instead() -> None:
    assert kind_of(None) == "rsa2048"
    assert kind_of(ec.generate_private_key(ec.BrainpoolP256R1())) == "p256"


def test_the_same_words_give_the_same_key() -> None:
    pool = KeyPool()
    assert pool.key("p256", "client") is pool.key("p256", "client")
    assert pool.key("p256", "client") is not pool.key("p256", "CA")
    assert repr(pool) == "KeyPool of 2 keys"


def test_a_dsa_key_has_2048_bits() -> None:
    key = make_key("dsa2048")
    assert isinstance(key, dsa.DSAPrivateKey)
    assert key.key_size == 2048


@pytest.mark.parametrize("kind", ["", "rsa", "rsa-1", "dsa", "X25519"])
def test_an_unknown_kind_is_an_error(kind: str) -> None:
    with pytest.raises(ValueError, match="no kind of key"):
        make_key(kind)
