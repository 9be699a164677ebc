"""Every key signs with every hash that an RFC names for it, and the signature holds by our own check."""

from __future__ import annotations

import pytest

from tests.pki.issuing import public
from tlsalert.pki import der
from tlsalert.pki.key_pool import KeyPool
from tlsalert.pki.oids import SIGNATURES
from tlsalert.pki.signatures import verify
from tlsalert.pki.signing import Digest, Signer, key_info

KEYS = KeyPool()


@pytest.mark.parametrize(
    ("kind", "digest", "named"),
    [
        ("rsa2048", None, "sha256WithRSAEncryption"),
        ("rsa2048", "md5", "md5WithRSAEncryption"),
        ("rsa2048", "sha1", "sha1WithRSAEncryption"),
        ("rsa2048", "sha512", "sha512WithRSAEncryption"),
        ("rsa512", "sha256", "sha256WithRSAEncryption"),
        ("p256", None, "ecdsa-with-SHA256"),
        ("p384", None, "ecdsa-with-SHA384"),
        ("p521", None, "ecdsa-with-SHA512"),
        ("p256", "sha1", "ecdsa-with-SHA1"),
        ("dsa2048", None, "dsa-with-sha256"),
        ("ed25519", None, "Ed25519"),
        ("ed448", None, "Ed448"),
    ],
)
def test_a_signature_holds_by_its_algorithm(kind: str, digest: Digest | None, named: str) -> None:
    signer = Signer(KEYS.key(kind, "signer"), digest)
    assert SIGNATURES[der.oid(der.first(der.element(signer.algorithm)))] == named
    info = public(signer.key)
    assert info == key_info(signer.key)
    assert verify(info, signer.algorithm, signer.sign(b"said"), b"said") is True
    assert verify(info, signer.algorithm, signer.sign(b"said"), b"unsaid") is False


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_a_pss_signature_holds_by_the_parameters_that_it_names(digest: Digest) -> None:
    signer = Signer(KEYS.key("rsa2048", "signer"), digest, pss=True)
    assert verify(key_info(signer.key), signer.algorithm, signer.sign(b"said"), b"said") is True


def test_a_pair_that_no_rfc_names_is_an_error() -> None:
    with pytest.raises(ValueError, match="no signature of ecdsa keys with md5"):
        _ = Signer(KEYS.key("p256", "signer"), "md5").algorithm


def test_a_key_too_short_for_its_hash_is_an_error() -> None:
    with pytest.raises(ValueError, match=r".+"):
        Signer(KEYS.key("rsa512", "signer"), "sha512").sign(b"said")


def test_the_key_does_not_show() -> None:
    assert repr(Signer(KEYS.key("rsa2048", "signer"))) == "Signer(rsa, sha256)"
