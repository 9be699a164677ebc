"""Certificates whose dates are wrong, all of them by the moment that the material gives; and dates that are none."""

from __future__ import annotations

from tlsalert.pki import der, write
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.recipes.words import CORRUPT, DATED, NO_CA
from tlsalert.pki.variant import Need, variant
from tlsalert.pki.workshop import YEAR, CannotMakeError, Workshop, alone, show


def _expired(shop: Workshop) -> Presentation:
    began, ends = shop.dates(-2 * YEAR, -YEAR)
    return show(shop.issue(not_before=began, not_after=ends))


def _not_yet(shop: Workshop) -> Presentation:
    began, ends = shop.dates(YEAR, 2 * YEAR)
    return show(shop.issue(not_before=began, not_after=ends))


def _inverted(shop: Workshop) -> Presentation:
    began, ends = shop.dates(YEAR, -YEAR)
    return show(shop.issue(not_before=began, not_after=ends))


def _no_time(shop: Workshop) -> Presentation:
    # Digits in the right places that name the 32nd day of a thirteenth month.
    return show(shop.issue(not_after=write.tlv(der.UTC_TIME, b"491332256199Z")))


def _no_seconds(shop: Workshop) -> Presentation:
    began = der.time(der.element(shop.body.not_before))
    if not 1950 <= began.year < write.FIRST_GENERAL_YEAR:
        raise CannotMakeError("needs a certificate that begins between 1950 and 2049, where UTCTime is due")
    return show(shop.issue(not_before=write.tlv(der.UTC_TIME, began.strftime("%y%m%d%H%MZ").encode())))


def _expired_intermediate(shop: Workshop) -> Presentation:
    began, ends = shop.dates(-2 * YEAR, -YEAR)
    return show(shop.issue(shop.subordinate(not_before=began, not_after=ends)))


def _later_intermediate(shop: Workshop) -> Presentation:
    began, ends = shop.dates(YEAR, 2 * YEAR)
    return show(shop.issue(shop.subordinate(not_before=began, not_after=ends)))


def _expired_stranger(shop: Workshop) -> Presentation:
    began, ends = shop.dates(-2 * YEAR, -YEAR)
    return alone(shop.issue(shop.stranger, not_before=began, not_after=ends))


VARIANTS = (
    variant("expired", "ended a year ago", _expired, DATED, Need.CA_KEY),
    variant("not_yet_valid", "begins in a year", _not_yet, DATED, Need.CA_KEY),
    variant("inverted_validity", "ends before it begins", _inverted, DATED, Need.CA_KEY),
    variant(
        "expired_intermediate", "its issuer's certificate ended a year ago", _expired_intermediate, DATED, Need.CA_KEY
    ),
    variant(
        "not_yet_valid_intermediate",
        "its issuer's certificate begins in a year",
        _later_intermediate,
        DATED,
        Need.CA_KEY,
    ),
    variant(
        "expired_unknown_issuer",
        "two defects, expired and of an unknown CA: which is seen first?",
        _expired_stranger,
        NO_CA,
    ),
    variant("bad_time_encoding", "its end is the 32nd of a thirteenth month", _no_time, CORRUPT, Need.CA_KEY),
    variant("utctime_no_seconds", "a UTCTime without seconds, which DER forbids", _no_seconds, CORRUPT, Need.CA_KEY),
)
