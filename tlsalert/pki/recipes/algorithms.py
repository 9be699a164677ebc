"""Certificates with keys and signatures that are weak, rare, or unknown to everybody."""

from __future__ import annotations

import secrets
from dataclasses import replace

from tlsalert.pki import der, write
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.recipes.words import CORRUPT, UNKNOWN_KEY, UNKNOWN_SIGNATURE, UNSUPPORTED
from tlsalert.pki.signatures import PSS
from tlsalert.pki.signing import Digest, algorithm, key_info, key_kind
from tlsalert.pki.variant import Need, Recipe, variant
from tlsalert.pki.workshop import Workshop, show


def _key(kind: str) -> Recipe:
    return lambda shop: show(shop.issue(key=shop.material.keys.key(kind, "client")))


def _pss_key(shop: Workshop) -> Presentation:
    """A key that RFC 4055 §1.2 binds to RSASSA-PSS; its CertificateVerify has to be of a scheme of its own."""
    key = shop.material.keys.key("rsa2048", "client")
    bit_string = der.parts(der.element(key_info(key)), 2)[1].whole
    info = write.sequence(write.sequence(write.oid(PSS)), bit_string)
    return show(shop.issue(key=key, info=info))


def _unknown_key(shop: Workshop) -> Presentation:
    info = write.sequence(write.sequence(write.oid(UNKNOWN_KEY)), write.bits(secrets.token_bytes(64)))
    return show(shop.issue(info=info))


def _signed(digest: Digest) -> Recipe:
    def make(shop: Workshop) -> Presentation:
        issuer = shop.rsa_issuer
        return show(shop.issue(issuer, signer=replace(shop.signer(issuer.key), digest=digest)))

    return make


def _intermediate_sha1(shop: Workshop) -> Presentation:
    above = shop.rsa_issuer if key_kind(shop.authority.key) != "rsa" else shop.authority
    if above is not shop.authority:  # the one that is made may have no CA under it, but it is made here
        above = shop.subordinate("tlsalert RSA CA", key=shop.rsa_issuer.key)
    return show(shop.issue(shop.subordinate(by=above, signer=replace(shop.signer(above.key), digest="sha1"))))


def _other_inside(shop: Workshop) -> Presentation:
    """The signature holds by the algorithm outside, which is what old verifiers look at alone."""
    signer = shop.signer(shop.authority.key)
    key = signer.key if key_kind(signer.key) in ("rsa", "ecdsa") else shop.material.keys.key("p256", "client")
    inner = algorithm(key, "sha384" if signer.hash_name != "sha384" else "sha256")
    return show(shop.issue(inner=inner))


def _unknown_signature(shop: Workshop) -> Presentation:
    unknown = write.sequence(write.oid(UNKNOWN_SIGNATURE))
    return show(shop.issue(inner=unknown, outer=unknown))


VARIANTS = (
    variant("rsa1024", "an RSA key of 1024 bits: weak", _key("rsa1024"), None, Need.CA_KEY),
    variant("rsa512", "an RSA key of 512 bits: broken within hours", _key("rsa512"), None, Need.CA_KEY),
    variant("rsa_pss", "a key for RSASSA-PSS alone (RFC 4055)", _pss_key, None, Need.CA_KEY),
    variant("dsa", "a DSA key, which TLS 1.3 no longer has", _key("dsa2048"), (None, UNSUPPORTED), Need.CA_KEY),
    variant(
        "p224", "a key on the curve P-224, which TLS 1.3 no longer has", _key("p224"), (None, UNSUPPORTED), Need.CA_KEY
    ),
    variant(
        "secp256k1",
        "a key on the curve secp256k1, which TLS 1.3 no longer has",
        _key("secp256k1"),
        (None, UNSUPPORTED),
        Need.CA_KEY,
    ),
    variant("ed448", "an Ed448 key (RFC 8422 for TLS 1.2)", _key("ed448"), None, Need.CA_KEY),
    variant("unknown_key_type", "a key of a kind that nobody knows", _unknown_key, UNSUPPORTED, Need.CA_KEY),
    variant(
        "md5_signed",
        "signed by the CA with MD5; TLS 1.3 must refuse it (RFC 8446 §4.4.2.4)",
        _signed("md5"),
        (None, CORRUPT),
        Need.CA_KEY,
    ),
    variant(
        "sha1_signed",
        "signed by the CA with SHA-1; TLS 1.3 should refuse it (RFC 8446 §4.4.2.4)",
        _signed("sha1"),
        (None, CORRUPT),
        Need.CA_KEY,
    ),
    variant(
        "sha1_intermediate",
        "its issuer's certificate signed with SHA-1; TLS 1.3 should refuse it (RFC 8446 §4.4.2.4)",
        _intermediate_sha1,
        (None, CORRUPT),
        Need.CA_KEY,
    ),
    variant(
        "sig_alg_mismatch",
        "one signature algorithm inside, another outside; they must be equal (RFC 5280 §4.1.1.2)",
        _other_inside,
        CORRUPT,
        Need.CA_KEY,
    ),
    variant("sig_alg_unknown", "a signature algorithm that nobody knows", _unknown_signature, UNSUPPORTED, Need.CA_KEY),
)
