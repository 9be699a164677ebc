"""Chains: in disorder, too long, with something missing, or with an issuer that may not issue (RFC 5280 §6.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tlsalert.pki import build
from tlsalert.pki.build import Extension
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.recipes.words import CORRUPT, NO_CA, OTHER, REVOKED
from tlsalert.pki.variant import Need, Recipe, variant
from tlsalert.pki.workshop import Workshop, alone, show

_GOOD = (Need.CERTIFICATE, Need.KEY)
#: RFC 2606 §3 keeps these for examples.
_HOST, _DOMAIN, _OTHER_DOMAIN = "client.tlsalert.example", "tlsalert.example", "other.example"


def _missing(shop: Workshop) -> Presentation:
    return alone(shop.chained)


def _leaf_last(shop: Workshop) -> Presentation:
    good = shop.chained
    return show(good, good.intermediates[0], good.certificate, *good.intermediates[1:])


def _reversed(shop: Workshop) -> Presentation:
    good = shop.chained
    return show(good, shop.root, *reversed(good.sent))


def _root_first(shop: Workshop) -> Presentation:
    good = shop.chained
    return show(good, good.certificate, shop.root, *good.intermediates)


def _long(many: int) -> Recipe:
    return lambda shop: show(shop.issue(shop.ladder[many - 1]))


def _under(add: Sequence[Extension] = (), drop: Sequence[str] = (), **changes: Any) -> Recipe:
    """Make an intermediate CA with something changed, and a sound certificate under it."""
    return lambda shop: show(shop.issue(shop.subordinate(add=add, drop=drop, **changes)))


def _too_deep(shop: Workshop) -> Presentation:
    above = shop.authority if shop.authority.path_length == 0 else shop.intermediate
    below = shop.subordinate("tlsalert CA too many", above, even_where_forbidden=True)
    return show(shop.issue(below))


def _constrained(domain: str) -> Recipe:
    """Issue for a host under a CA that may issue for one domain alone."""

    def make(shop: Workshop) -> Presentation:
        by = shop.subordinate(add=(build.permitted_names(domain),))
        return show(shop.issue(by, add=(build.dns_names(_HOST),)))

    return make


def _revoked(name: str) -> Recipe:
    return lambda shop: show(shop.issue(serial=shop.serials[name]), crls=(shop.crl,))


def _revoked_intermediate(shop: Workshop) -> Presentation:
    # It has the CA's own key, so that its empty CRL, too, holds for later runs once a device has it.
    serial = shop.serials["revoked_intermediate"]
    by = shop.subordinate("tlsalert revoked CA", key=shop.authority.key, path_length=0, serial=serial)
    return show(shop.issue(by), crls=(shop.crl, shop.crl_of(by)))


def _lengths(*names: int) -> tuple[tuple[int, Recipe], ...]:
    return tuple((many, _long(many)) for many in names)


_CRL = "the CA's CRL"

VARIANTS = (
    variant("missing_intermediate", "the intermediate's certificate is not sent", _missing, NO_CA, *_GOOD),
    variant(
        "wrong_order_inter_first",
        "the intermediate first, then the certificate, which must be first (RFC 8446 §4.4.2)",
        _leaf_last,
        CORRUPT,
        *_GOOD,
    ),
    variant("chain_reversed", "from the root down, as some tools write files", _reversed, CORRUPT, *_GOOD),
    variant(
        "wrong_order_root_before_inter",
        "the root before the intermediate; RFC 8446 §4.4.2 wants disorder to be coped with",
        _root_first,
        (CORRUPT, None),
        *_GOOD,
    ),
    *(
        variant(
            f"chain_{many}_cas",
            f"{many} CAs between the one that is trusted and the certificate",
            recipe,
            None,
            Need.CA_KEY,
        )
        for many, recipe in _lengths(5, 9, 10, 12, 25, 100, 110)
    ),
    variant(
        "intermediate_not_ca",
        "its issuer is no CA (CA:FALSE)",
        _under(add=(build.basic_constraints(False),)),
        OTHER,
        Need.CA_KEY,
    ),
    variant(
        "intermediate_no_bc",
        "its issuer has no basicConstraints, which make a CA (RFC 5280 §6.1.4 k)",
        _under(drop=(build.BASIC_CONSTRAINTS,)),
        OTHER,
        Need.CA_KEY,
    ),
    variant(
        "intermediate_no_certsign",
        "its issuer's key may not sign certificates (RFC 5280 §6.1.4 n)",
        _under(add=(build.key_usage(build.DIGITAL_SIGNATURE, build.CRL_SIGNING),)),
        OTHER,
        Need.CA_KEY,
    ),
    variant(
        "intermediate_eku_server",
        "its issuer's extKeyUsage is for servers, which many take for all below it",
        _under(add=(build.extended_usage(build.SERVER_AUTH),)),
        None,
        Need.CA_KEY,
    ),
    variant(
        "v1_intermediate",
        "its issuer's certificate is of version 1 (RFC 5280 §6.1.4 k)",
        _under(version=None, extensions=()),
        OTHER,
        Need.CA_KEY,
    ),
    variant("pathlen_exceeded", "a CA under one that may have none under it", _too_deep, OTHER, Need.CA_KEY),
    variant("name_constraints_ok", "under a CA for one domain, and in it", _constrained(_DOMAIN), None, Need.CA_KEY),
    variant(
        "name_constraints_violated", "under a CA for another domain", _constrained(_OTHER_DOMAIN), OTHER, Need.CA_KEY
    ),
    variant("revoked", "revoked by the CA (keyCompromise)", _revoked("revoked"), REVOKED, Need.CA_KEY, must_know=_CRL),
    variant("revoked_hold", "on hold by the CA", _revoked("revoked_hold"), REVOKED, Need.CA_KEY, must_know=_CRL),
    variant(
        "revoked_intermediate",
        "its issuer is revoked by the CA",
        _revoked_intermediate,
        REVOKED,
        Need.CA_KEY,
        must_know=_CRL,
    ),
)
