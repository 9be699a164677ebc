"""Certificates of issuers that the device does not know, or that only bear the names of those it does."""

from __future__ import annotations

from tlsalert.pki import build, write
from tlsalert.pki.build import Extension
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.recipes.words import CORRUPT, NO_CA
from tlsalert.pki.signing import key_info
from tlsalert.pki.variant import Need, variant
from tlsalert.pki.workshop import CannotMakeError, Good, Issuer, Workshop, alone, body_of_any, show


def self_signed(shop: Workshop, purpose: str, *extensions: Extension, subject: bytes | None = None) -> Good:
    """Return a certificate that signed itself, with a key of its own."""
    own = shop.material.keys.key(shop.kind, purpose)
    named = subject or write.common_name("tlsalert stranger")
    by = Issuer(named, own, b"")
    drop = (build.AUTHORITY_KEY_IDENTIFIER,)
    return Good(shop.leaf(by, key=own, add=extensions, drop=drop, subject=named), own, ())


def _self_signed(shop: Workshop) -> Presentation:
    return show(self_signed(shop, "stranger", build.basic_constraints(False)))


def _self_signed_authority(shop: Workshop) -> Presentation:
    """As ``openssl req -x509`` makes one: a CA, with no usages."""
    own = shop.material.keys.key(shop.kind, "stranger")
    named = write.common_name("tlsalert stranger")
    identifier = build.identifier_of(key_info(own))
    extensions = (
        build.subject_identifier(identifier),
        build.authority_identifier(identifier),
        build.basic_constraints(True),
    )
    return show(Good(shop.leaf(Issuer(named, own, b""), key=own, subject=named, extensions=extensions), own, ()))


def _unknown(shop: Workshop) -> Presentation:
    return alone(shop.issue(shop.stranger))


def _unknown_with_root(shop: Workshop) -> Presentation:
    return show(shop.issue(shop.stranger))


def _namesake(shop: Workshop) -> Issuer:
    if shop.material.self_signed:
        raise CannotMakeError("is for a certificate with an issuer; for this one see pinned_same_name_other_key")
    return shop.self_issued(shop.root_name, purpose="namesake")


def _same_name(shop: Workshop) -> Presentation:
    forged = _namesake(shop)
    return alone(shop.issue(forged, drop=(build.AUTHORITY_KEY_IDENTIFIER,)))


def _same_name_identified(shop: Workshop) -> Presentation:
    forged = _namesake(shop)
    anchor = shop.material.anchor
    if anchor is not None and body_of_any(anchor).extension(build.SUBJECT_KEY_IDENTIFIER) is None:
        raise CannotMakeError("needs a root with a key identifier; without one it is same_name_ca_no_keyid")
    return alone(shop.issue(forged, add=(build.authority_identifier(forged.identifier),)))


def _same_intermediate(shop: Workshop) -> Presentation:
    sent = shop.material.intermediates or shop.chained.intermediates
    forged = shop.self_issued(body_of_any(sent[0]).subject, purpose="namesake")
    leaf = shop.leaf(forged, drop=(build.AUTHORITY_KEY_IDENTIFIER,))
    return Presentation((leaf, *sent), shop.key)


VARIANTS = (
    variant("self_signed_unknown", "a stranger who signed itself", _self_signed, NO_CA),
    variant(
        "self_signed_ca_true", "a stranger who signed itself as a CA, openssl's default", _self_signed_authority, NO_CA
    ),
    variant("unknown_issuer", "issued by a CA that the device does not know", _unknown, NO_CA),
    variant("unknown_issuer_with_root", "the same, and that CA's certificate sent with it", _unknown_with_root, NO_CA),
    variant(
        "same_name_ca_no_keyid",
        "issued by another of the root's name: the signature does not hold",
        _same_name,
        CORRUPT,
        Need.CERTIFICATE,
    ),
    variant(
        "same_name_ca_keyid",
        "the same, with the key identifier of that other: it names an issuer nobody knows",
        _same_name_identified,
        NO_CA,
        Need.CERTIFICATE,
    ),
    variant(
        "same_name_inter_no_keyid",
        "issued by another of the intermediate's name, the true intermediate sent",
        _same_intermediate,
        CORRUPT,
        Need.CERTIFICATE,
    ),
)
