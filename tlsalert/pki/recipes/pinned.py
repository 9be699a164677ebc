"""What a device that trusts one self-signed client certificate should tell from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tlsalert.pki import build, write
from tlsalert.pki.certificate import read_certificate
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.recipes.damage import with_broken_signature
from tlsalert.pki.recipes.strangers import self_signed
from tlsalert.pki.recipes.words import CORRUPT, NO_CA
from tlsalert.pki.signing import key_info
from tlsalert.pki.variant import Need, Recipe, variant
from tlsalert.pki.workshop import (
    CannotMakeError,
    Good,
    Issuer,
    Workshop,
    body_of_any,
    client_extensions,
    own_identifier,
    show,
)

_GOOD = (Need.CERTIFICATE, Need.KEY)


def _of_pinned(recipe: Callable[[Workshop, Good], Presentation]) -> Recipe:
    """Make a recipe for certificates that signed themselves alone."""

    def make(shop: Workshop) -> Presentation:
        if not shop.material.self_signed or shop.material.key is None:
            raise CannotMakeError("is for a self-signed certificate with its key, which a device trusts by itself")
        return recipe(shop, shop.good)

    return make


def _exact(shop: Workshop, good: Good) -> Presentation:
    return show(good, good.certificate)


def _renewed(shop: Workshop, good: Good) -> Presentation:
    body = body_of_any(good.certificate)
    began, ends = shop.window
    renewed = replace(body, serial=build.random_serial(), not_before=began, not_after=ends)
    return show(good, build.certificate(renewed, shop.signer(good.key)))


def _same_name(shop: Workshop, good: Good) -> Presentation:
    body = body_of_any(good.certificate)
    return show(self_signed(shop, "namesake", subject=body.subject))


def _mismatch(shop: Workshop, good: Good) -> Presentation:
    return Presentation((good.certificate,), shop.material.keys.key(shop.kind, "stranger"))


def _other(shop: Workshop, good: Good) -> Presentation:
    return show(self_signed(shop, "stranger"))


def _tampered(shop: Workshop, good: Good) -> Presentation:
    return show(good, with_broken_signature(good.certificate))


def _signed_by(shop: Workshop, good: Good) -> Presentation:
    if read_certificate(good.certificate).ca is not True:
        raise CannotMakeError("needs a certificate that is a CA's (CA:TRUE): only such a one may sign others")
    body = body_of_any(good.certificate)
    by = Issuer(body.subject, good.key, own_identifier(body))
    key = shop.material.keys.key(shop.kind, "client")
    extensions = client_extensions(key_info(key), by.identifier)
    leaf = shop.leaf(by, key=key, subject=write.common_name(shop.material.name), extensions=extensions)
    return Presentation((leaf, good.certificate), key)


VARIANTS = (
    variant(
        "pinned_exact", "the very self-signed certificate that the device trusts", _of_pinned(_exact), None, *_GOOD
    ),
    variant(
        "pinned_renewed_same_key",
        "the same name and key with another serial number and other dates, as after a renewal",
        _of_pinned(_renewed),
        NO_CA,
        *_GOOD,
    ),
    variant("pinned_same_name_other_key", "the same name with another key", _of_pinned(_same_name), NO_CA, *_GOOD),
    variant("pinned_key_mismatch", "CertificateVerify by another key", _of_pinned(_mismatch), "decrypt_error", *_GOOD),
    variant("pinned_other_self_signed", "a self-signed stranger", _of_pinned(_other), NO_CA, *_GOOD),
    variant("pinned_sig_tampered", "a byte of its signature changed", _of_pinned(_tampered), CORRUPT, *_GOOD),
    variant(
        "pinned_signed_by_pinned", "a certificate that the trusted one signed", _of_pinned(_signed_by), None, *_GOOD
    ),
)
