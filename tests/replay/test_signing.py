"""CertificateVerify: what is signed verifies, by the other half in tlsalert.pki; what is odd about it is said."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tlsalert.pki.presentation import PrivateKey
from tlsalert.pki.signatures import verify_old, verify_scheme
from tlsalert.replay.signing import CONTEXT_13, proof_of, schemes_of
from tlsalert.secrets.schedule import TLS10, TLS12, TLS13

RSA = rsa.generate_private_key(65537, 1024)
KEYS: dict[str, PrivateKey] = {
    "RSA": RSA,
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "DSA": dsa.generate_private_key(1024),
}
ALL = (0x0403, 0x0503, 0x0807, 0x0808, 0x0804, 0x0401, 0x0201, 0x0203, 0x0402, 0x0202)
MESSAGES = b"all that was said so far"


def info(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("kind", KEYS)
def test_under_tls_1_2_a_key_signs_by_the_first_scheme_that_fits(kind: str) -> None:
    key = KEYS[kind]
    signed = proof_of(key, TLS12, MESSAGES, ALL)
    assert signed.scheme == next(scheme for scheme in ALL if scheme in schemes_of(key, TLS12))
    assert verify_scheme(info(key), signed.scheme, signed.signature, MESSAGES)
    assert signed.note is None
    assert signed.body == signed.scheme.to_bytes(2, "big") + len(signed.signature).to_bytes(2, "big") + signed.signature


@pytest.mark.parametrize("kind", [kind for kind in KEYS if kind != "DSA"])
def test_under_tls_1_3_the_context_is_signed_along(kind: str) -> None:
    key = KEYS[kind]
    digest = hashlib.sha256(MESSAGES).digest()
    signed = proof_of(key, TLS13, digest, ALL)
    assert signed.scheme in schemes_of(key, TLS13)
    assert signed.scheme is not None
    assert verify_scheme(info(key), signed.scheme, signed.signature, CONTEXT_13 + digest)


@pytest.mark.parametrize("kind", ["RSA", "P-256", "DSA"])
def test_before_tls_1_2_no_scheme_is_named(kind: str) -> None:
    signed = proof_of(KEYS[kind], TLS10, MESSAGES, ())
    assert signed.scheme is None
    assert verify_old(info(KEYS[kind]), signed.signature, MESSAGES)
    assert signed.body[2:] == signed.signature


def test_a_signature_that_is_broken_on_purpose() -> None:
    signed = proof_of(RSA, TLS12, MESSAGES, ALL, proof="broken_signature")
    assert signed.scheme is not None
    assert verify_scheme(info(RSA), signed.scheme, signed.signature, MESSAGES) is False


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_a_scheme_that_was_not_offered_is_found_or_the_lack_is_said(kind: str, version: int) -> None:
    signed = proof_of(KEYS[kind], version, MESSAGES, ALL, proof="unoffered_scheme")
    assert (signed.scheme not in ALL) == (signed.note is None)


def test_of_schemes_that_were_not_offered_sha1_comes_last() -> None:
    """A server may take it unlisted, and then judges how weak it is: OpenSSL 3 answers 40 then, and 47 to others."""
    others = (0x0401, 0x0501, 0x0601, 0x0301, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B)
    assert proof_of(RSA, TLS12, MESSAGES, others, proof="unoffered_scheme").scheme == 0x0101
    assert proof_of(RSA, TLS12, MESSAGES, (*others, 0x0101), proof="unoffered_scheme").scheme == 0x0201


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_that_fits_nothing_signs_all_the_same_and_says_so(kind: str) -> None:
    signed = proof_of(KEYS[kind], TLS13, MESSAGES, (0x0904,))
    assert signed.signature
    assert signed.note is not None
    assert "the key fits no scheme on offer: signed under " in signed.note


def test_a_key_of_pss_signs_under_its_own_schemes() -> None:
    assert proof_of(RSA, TLS13, MESSAGES, (0x0804, 0x0809), pss_only=True).scheme == 0x0809


def test_a_key_that_is_too_small_for_a_hash_takes_another() -> None:
    small = rsa.generate_private_key(65537, 1024)
    assert proof_of(small, TLS13, MESSAGES, (0x0806, 0x0804)).scheme == 0x0804  # SHA-512 with its salt needs 1034 bits


def test_eddsa_before_tls_1_2_is_said_to_be_wrong() -> None:
    signed = proof_of(KEYS["Ed25519"], TLS10, MESSAGES, ())
    assert signed.note == "keys for EdDSA cannot be used before TLS 1.2 (RFC 8422 §5.1.3)"
