"""Who signed a certificate, and who a handshake: whole or broken, True and False are proofs and None is neither."""

from __future__ import annotations

import subprocess
import sys
from hashlib import md5, sha1
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence import ROOT
from tests.pki.encoded import SEQUENCE, oid, taken_apart, tlv
from tests.pki.issuing import AUTHORITY, issue, public
from tlsalert.pki import signatures
from tlsalert.pki.signatures import key_kind, made_by, signed_by, verify, verify_old, verify_scheme

RSA, SMALL, OTHER_RSA = (rsa.generate_private_key(65537, size) for size in (2048, 1024, 2048))
DSA = dsa.generate_private_key(1024)
CURVE, OTHER_CURVE = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
ED25519, ED448 = ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()
WORDS = b"what was signed"
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)

KEYS: dict[str, Any] = {
    "RSA": RSA,
    "RSA 1024": SMALL,
    "DSA": DSA,
    "P-256": CURVE,
    "P-521": ec.generate_private_key(ec.SECP521R1()),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "Ed25519": ED25519,
    "Ed448": ED448,
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_certificate_is_signed_by_its_issuer_and_by_no_namesake(kind: str) -> None:
    """RFC 5280 §6.1.3 (a)(1)."""
    authority = issue("CN=CA", None, AUTHORITY, key=KEYS[kind])
    namesake = issue("CN=CA", None, AUTHORITY)
    leaf = issue("CN=leaf", authority)
    assert signed_by(leaf.der, authority.der) is True
    assert signed_by(leaf.der, namesake.der) is False
    assert signed_by(authority.der, authority.der) is True


@pytest.mark.parametrize(
    "digest", [hashes.SHA1(), hashes.SHA224(), hashes.SHA384(), hashes.SHA512()], ids=lambda one: one.name
)
def test_whatever_hash_it_was(digest: Any) -> None:
    """What is weak still verifies: to judge that is another question."""
    private = KEYS["RSA"]
    signature = private.sign(WORDS, padding.PKCS1v15(), digest)
    dotted = {"sha1": "1.2.840.113549.1.1.5", "sha224": "1.2.840.113549.1.1.14"}.get(digest.name)
    dotted = dotted or {"sha384": "1.2.840.113549.1.1.12", "sha512": "1.2.840.113549.1.1.13"}[digest.name]
    assert verify(public(private), tlv(SEQUENCE, oid(dotted)), signature, WORDS) is True
    assert verify(public(private), tlv(SEQUENCE, oid(dotted)), signature, WORDS + b".") is False


@pytest.mark.parametrize("salt", [20, 32])
def test_a_certificate_signed_with_pss_says_how(salt: int) -> None:
    """RFC 4055 §3.1."""
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    authority = issue("CN=CA", None, AUTHORITY, key=RSA, padding=scheme)
    assert signed_by(authority.der, authority.der) is True
    assert signed_by(authority.der, issue("CN=CA", None, key=OTHER_RSA).der) is False


def test_a_certificate_that_was_changed_after_it_was_signed() -> None:
    authority = issue("CN=CA", None, AUTHORITY, key=RSA)
    leaf = issue("CN=leaf", authority).der
    assert signed_by(leaf.replace(b"leaf", b"fael"), authority.der) is False
    assert signed_by(leaf[:-1] + bytes([leaf[-1] ^ 1]), authority.der) is False


def test_an_issuer_that_is_broken_elsewhere_has_its_key() -> None:
    """A library refuses the whole certificate for one bad field; the key in it is good."""
    good = issue("CN=CA", None, AUTHORITY, key=RSA)
    parts = taken_apart(good.der)
    broken = parts.but(validity=tlv(SEQUENCE, b"\x17\x00"))
    assert signed_by(issue("CN=leaf", good).der, broken) is True


def test_what_cannot_be_read_or_is_not_known_proves_nothing() -> None:
    good = issue("CN=CA", None, AUTHORITY).der
    unknown = taken_apart(good).but(rest=tlv(SEQUENCE, oid("1.2.3.4")) + tlv(3, b"\0sig"))
    for one, other in ((b"", good), (good, b""), (unknown, good), (good, taken_apart(good).but(key=tlv(SEQUENCE)))):
        assert signed_by(one, other) is None


def test_another_kind_of_key_made_no_such_signature() -> None:
    leaf = issue("CN=leaf", issue("CN=CA", None, key=RSA))
    assert signed_by(leaf.der, issue("CN=CA").der) is False


def test_large_certificates_are_not_kept() -> None:
    large = issue("CN=large", None, x509.SubjectAlternativeName([x509.DNSName("a" * 60)] * 300))
    before = signatures._signed_once.cache_info().currsize
    assert signed_by(large.der, large.der) is True
    assert signatures._signed_once.cache_info().currsize == before


# --- signatures of a handshake --------------------------------------------------------------------------------------


def signed(scheme: int) -> tuple[Any, bytes]:
    """Return a key that can sign by a scheme, and its signature over WORDS."""
    digests: dict[int, Any] = {
        2: hashes.SHA1(), 3: hashes.SHA224(), 4: hashes.SHA256(), 5: hashes.SHA384(), 6: hashes.SHA512(),
    }  # fmt: skip
    if scheme in (0x0804, 0x0809):
        return RSA, RSA.sign(WORDS, PSS, hashes.SHA256())
    if scheme == 0x0807:
        return ED25519, ED25519.sign(WORDS)
    if scheme == 0x0808:
        return ED448, ED448.sign(WORDS)
    digest = digests[scheme >> 8]
    if scheme & 0xFF == 1:
        return RSA, RSA.sign(WORDS, padding.PKCS1v15(), digest)
    return (DSA, DSA.sign(WORDS, digest)) if scheme & 0xFF == 2 else (CURVE, CURVE.sign(WORDS, ec.ECDSA(digest)))


SCHEMES = [0x0201, 0x0301, 0x0401, 0x0501, 0x0601, 0x0202, 0x0402, 0x0203, 0x0403, 0x0503, 0x0603]
SCHEMES += [0x0804, 0x0807, 0x0808, 0x0809]


@pytest.mark.parametrize("scheme", SCHEMES, ids=hex)
def test_each_scheme_of_tls_is_verified(scheme: int) -> None:
    """RFC 5246 §7.4.1.4.1, RFC 8446 §4.2.3."""
    private, signature = signed(scheme)
    assert verify_scheme(public(private), scheme, signature, WORDS) is True
    assert verify_scheme(public(private), scheme, signature, WORDS + b".") is False
    assert verify_scheme(public(OTHER_CURVE), scheme, signature, WORDS) is False


@pytest.mark.parametrize("scheme", [0x0000, 0x0900, 0x0708, 0x0A0A, 0xFFFF, 0x0704], ids=hex)
def test_an_unknown_scheme_proves_nothing(scheme: int) -> None:
    assert verify_scheme(public(RSA), scheme, b"signature", WORDS) is None
    assert made_by(public(RSA), scheme, b"signature") is None


def test_before_tls_1_2_rsa_signs_md5_and_sha1_side_by_side() -> None:
    """RFC 4346 §4.7: without a DigestInfo around them, so no library signs or verifies it by name."""
    pair = md5(WORDS).digest() + sha1(WORDS).digest()
    size, modulus = 256, RSA.private_numbers()
    block = int.from_bytes(b"\0\1" + b"\xff" * (size - 39) + b"\0" + pair, "big")
    signature = pow(block, modulus.d, modulus.public_numbers.n).to_bytes(size, "big")
    assert verify_old(public(RSA), signature, WORDS) is True
    assert verify_old(public(RSA), signature, WORDS + b".") is False
    assert verify_old(public(OTHER_RSA), signature, WORDS) is False
    assert made_by(public(RSA), None, signature) is True
    assert made_by(public(OTHER_RSA), None, signature) is False


def test_before_tls_1_2_dsa_and_ecdsa_sign_sha1() -> None:
    """RFC 4346 §7.4.3, RFC 8422 §5.4."""
    digest = sha1(WORDS).digest()
    assert verify_old(public(DSA), DSA.sign(digest, Prehashed(hashes.SHA1())), WORDS) is True
    assert verify_old(public(CURVE), CURVE.sign(digest, ec.ECDSA(Prehashed(hashes.SHA1()))), WORDS) is True
    assert verify_old(public(ED25519), ED25519.sign(WORDS), WORDS) is None  # there is no such signature then


@pytest.mark.parametrize("scheme", [0x0401, 0x0601, 0x0804], ids=hex)
def test_rsa_shows_whether_the_key_or_the_words_are_wrong(scheme: int) -> None:
    private, signature = signed(scheme)
    assert made_by(public(private), scheme, signature) is True
    assert made_by(public(OTHER_RSA), scheme, signature) is False
    assert made_by(public(CURVE), scheme, signature) is None


@pytest.mark.parametrize(("kind", "told"), [("RSA", "rsa"), ("DSA", "dsa"), ("P-521", "ecdsa"), ("Ed448", "ed448")])
def test_a_key_tells_its_kind(kind: str, told: str) -> None:
    assert key_kind(public(KEYS[kind])) == told


@given(st.binary(max_size=120), st.binary(max_size=120), st.integers(0, 0xFFFF))
def test_any_bytes_as_key_and_signature_prove_nothing(key: bytes, signature: bytes, scheme: int) -> None:
    assert verify_scheme(key, scheme, signature, WORDS) is None
    assert verify_old(key, signature, WORDS) is None
    assert made_by(key, scheme, signature) is None


@given(signature=st.binary(max_size=300), scheme=st.sampled_from(SCHEMES))
def test_any_bytes_are_no_signature(signature: bytes, scheme: int) -> None:
    for private in (RSA, CURVE, ED25519):
        assert verify_scheme(public(private), scheme, signature, WORDS) is not True


@given(st.data())
def test_any_change_of_a_certificate_raises_nothing(data: st.DataObject) -> None:
    whole = bytearray(LEAF.der)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert signed_by(bytes(whole), ISSUER.der) in (True, False, None)
    assert signed_by(LEAF.der, bytes(whole)) in (False, None, True)


ISSUER = issue("CN=CA", None, AUTHORITY, key=RSA)
LEAF = issue("CN=leaf", ISSUER)


def test_with_and_without_the_library_rsa_gives_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that the library refuses, and the first signatures of a short run, are verified by hand."""
    cases = [(scheme, *signed(scheme)) for scheme in SCHEMES if signed(scheme)[0] is RSA]
    by_library = [
        verify_scheme(public(k), scheme, s, w) for scheme, _, s in cases for k in (RSA, OTHER_RSA) for w in (WORDS, b"")
    ]
    monkeypatch.setattr(signatures, "_by_library", lambda key: None)
    by_hand = [
        verify_scheme(public(k), scheme, s, w) for scheme, _, s in cases for k in (RSA, OTHER_RSA) for w in (WORDS, b"")
    ]
    assert by_hand == by_library
    assert by_hand.count(True) == len(cases)


def test_a_few_rsa_signatures_do_not_wait_for_the_library() -> None:
    program = (
        "import sys; from tlsalert.pki.signatures import signed_by\n"
        f"print(signed_by(bytes.fromhex({ISSUER.der.hex()!r}), bytes.fromhex({ISSUER.der.hex()!r})))\n"
        "print('cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
