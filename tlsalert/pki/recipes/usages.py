"""Certificates whose extensions forbid what the client does with them, or that break RFC 5280 §4.2 otherwise."""

from __future__ import annotations

from dataclasses import replace

from tlsalert.pki import build, write
from tlsalert.pki.build import Body, Extension
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.recipes.words import CORRUPT, OTHER, UNKNOWN_EXTENSION, UNSUPPORTED
from tlsalert.pki.variant import Need, Recipe, variant
from tlsalert.pki.workshop import CannotMakeError, Workshop, show


def _with(*extensions: Extension) -> Recipe:
    return lambda shop: show(shop.issue(add=extensions))


def _usage(*numbers: int) -> Recipe:
    """Change keyUsage, which is critical or not as the certificate at hand has it."""

    def make(shop: Workshop) -> Presentation:
        known = shop.body.extension(build.KEY_USAGE)
        critical = known is None or known.critical
        return show(shop.issue(add=(build.key_usage(*numbers, critical=critical),)))

    return make


def _authority(shop: Workshop) -> Presentation:
    by = shop.authority if shop.authority.sent else shop.intermediate
    return show(shop.issue(by, add=(build.basic_constraints(True),)))


def _authority_of_root(shop: Workshop) -> Presentation:
    if shop.authority.sent:
        raise CannotMakeError("needs the root's key: the CA at hand is an intermediate")
    return show(shop.issue(add=(build.basic_constraints(True),)))


def _version_1_with_extensions(shop: Workshop) -> Presentation:
    some = () if shop.body.extensions else (build.extended_usage(build.CLIENT_AUTH),)
    return show(shop.issue(add=some, version=None))


def _version_4(shop: Workshop) -> Presentation:
    return show(shop.issue(version=3))


def _twice(shop: Workshop) -> Presentation:
    def edit(body: Body) -> Body:
        usage = body.extension(build.EXTENDED_KEY_USAGE) or build.extended_usage(build.CLIENT_AUTH)
        return replace(body, extensions=(*body.with_extension(usage).extensions, usage))

    return show(shop.issue(edit=edit))


VARIANTS = (
    variant(
        "eku_server_only",
        "good for servers alone (extKeyUsage)",
        _with(build.extended_usage(build.SERVER_AUTH)),
        OTHER,
        Need.CA_KEY,
    ),
    variant(
        "eku_server_only_critical",
        "good for servers alone, and critically so",
        _with(build.extended_usage(build.SERVER_AUTH, critical=True)),
        OTHER,
        Need.CA_KEY,
    ),
    variant(
        "eku_code_signing",
        "good for signing code alone",
        _with(build.extended_usage(build.CODE_SIGNING)),
        OTHER,
        Need.CA_KEY,
    ),
    variant(
        "eku_any_only",
        "anyExtendedKeyUsage alone; a server may insist on clientAuth by name (RFC 5280 §4.2.1.12)",
        _with(build.extended_usage(build.ANY_USAGE)),
        None,
        Need.CA_KEY,
    ),
    variant(
        "ku_key_encipherment_only",
        "keyUsage without digitalSignature, which CertificateVerify needs (RFC 5246 §7.4.6)",
        _usage(build.KEY_ENCIPHERMENT),
        OTHER,
        Need.CA_KEY,
    ),
    variant(
        "ku_certsign_only",
        "keyUsage of a CA alone, though it is none",
        _usage(build.CERTIFICATE_SIGNING),
        OTHER,
        Need.CA_KEY,
    ),
    variant(
        "ca_true_leaf",
        "a CA's certificate as the client's, under an intermediate that may have no CA under it",
        _authority,
        None,  # RFC 5280 §4.2.1.9: the last certificate is not counted
        Need.CA_KEY,
    ),
    variant(
        "ca_true_leaf_root_issued",
        "a CA's certificate as the client's, by the root",
        _authority_of_root,
        None,
        Need.CA_KEY,
    ),
    variant(
        "unknown_critical_ext",
        "an unknown extension that is critical: it must be refused (RFC 5280 §4.2)",
        _with(build.extension(UNKNOWN_EXTENSION, write.NULL, critical=True)),
        OTHER,
        Need.CA_KEY,
    ),
    variant("duplicate_extension", "extKeyUsage twice, which RFC 5280 §4.2 forbids", _twice, CORRUPT, Need.CA_KEY),
    variant(
        "bad_extension_der",
        "extKeyUsage that is no DER: it claims more bytes than it has",
        _with(build.extension(build.EXTENDED_KEY_USAGE, b"\x30\x20\x06\x01")),
        CORRUPT,
        Need.CA_KEY,
    ),
    variant(
        "v1_with_extensions",
        "version 1 with extensions, which only version 3 has (RFC 5280 §4.1.2.1)",
        _version_1_with_extensions,
        CORRUPT,
        Need.CA_KEY,
    ),
    variant("v4_certificate", "version 4, which does not exist", _version_4, UNSUPPORTED, Need.CA_KEY),
)
