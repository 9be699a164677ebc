"""What a device that trusts the CA should accept: the certificate at hand, and others that are as good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tlsalert.pki import build, write
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.recipes.words import UNKNOWN_EXTENSION
from tlsalert.pki.variant import Need, Recipe, variant
from tlsalert.pki.workshop import YEAR, CannotMakeError, Workshop, show

_GOOD = (Need.CERTIFICATE, Need.KEY)


def _good_with_root(shop: Workshop) -> Presentation:
    return show(shop.good, *shop.good.sent, shop.root)


def _good_root_issued(shop: Workshop) -> Presentation:
    if shop.authority.sent:
        raise CannotMakeError("needs the root's key: the CA at hand is an intermediate")
    return show(shop.issue())


def _without_usages(shop: Workshop) -> Presentation:
    return show(shop.issue(drop=(build.KEY_USAGE, build.EXTENDED_KEY_USAGE)))


def _other_key(kind: str) -> Recipe:
    return lambda shop: show(shop.issue(key=shop.material.keys.key(kind, "client")))


def _other_kind(shop: Workshop) -> Presentation:
    kind = "p256" if shop.kind.startswith(("rsa", "dsa")) else "rsa2048"
    return show(shop.issue(key=shop.material.keys.key(kind, "client")))


def _ending(year: int) -> Recipe:
    """Make a certificate that ends at the end of a year."""
    end = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    return lambda shop: show(shop.issue(not_after=write.time(end)))


def _early_general_time(shop: Workshop) -> Presentation:
    # At most four years on, so that it stays before 2050 for some time; then it is as good, and no breach any more.
    began, ends = shop.at - YEAR, min(shop.at + 4 * YEAR, max(shop.at, datetime(2049, 12, 31, tzinfo=UTC)))
    return show(shop.issue(not_before=write.general_time(began), not_after=write.general_time(ends)))


def _valid_2016_2040(shop: Workshop) -> Presentation:
    began, ends = (write.time(datetime(year, 1, 1, tzinfo=UTC)) for year in (2016, 2040))
    return show(shop.issue(not_before=began, not_after=ends))


def _serial(element: bytes) -> Recipe:
    return lambda shop: show(shop.issue(serial=element))


def _long_serial(shop: Workshop) -> Presentation:
    return show(shop.issue(serial=write.integer(0x5A << 8 * 37 | 1)))


def _empty_subject(shop: Workshop) -> Presentation:
    return show(shop.issue(subject=write.sequence()))


def _unknown_extension(shop: Workshop) -> Presentation:
    return show(shop.issue(add=(build.extension(UNKNOWN_EXTENSION, write.NULL),)))


def _version_1(shop: Workshop) -> Presentation:
    return show(shop.issue(version=None, extensions=()))


def _wrong_subject(shop: Workshop) -> Presentation:
    return show(shop.issue(subject=write.common_name("somebody else")))


def _duplicate_leaf(shop: Workshop) -> Presentation:
    return show(shop.good, shop.good.certificate, *shop.good.sent)


def _unrelated(shop: Workshop) -> Presentation:
    return show(shop.good, *shop.good.sent, *shop.stranger.sent)


def _long(size: int) -> Recipe:
    """Make a certificate longer by ``size`` bytes of comment, in the extension that Netscape made for one."""

    def make(shop: Workshop) -> Presentation:
        comment = build.extension("2.16.840.1.113730.1.13", write.tlv(write.IA5_STRING, b"tlsalert " * (size // 9)))
        return show(shop.issue(add=(comment,)))

    return make


def _pss_signed(shop: Workshop) -> Presentation:
    issuer = shop.rsa_issuer
    return show(shop.issue(issuer, signer=replace(shop.signer(issuer.key), digest="sha256", pss=True)))


def _soon(shop: Workshop) -> Presentation:
    began, ends = shop.dates(-timedelta(minutes=10), timedelta(minutes=10))
    return show(shop.issue(not_before=began, not_after=ends))


VARIANTS = (
    variant("good", "the certificate as it should be, with its intermediates", lambda s: show(s.good), None, *_GOOD),
    variant(
        "good_with_root", "the root sent, too: legal and of no use (RFC 5246 §7.4.2)", _good_with_root, None, *_GOOD
    ),
    variant("good_root_issued", "issued by the root itself", _good_root_issued, None, Need.CA_KEY),
    variant("good_no_eku", "neither keyUsage nor extKeyUsage: unrestricted", _without_usages, None, Need.CA_KEY),
    variant("good_rsa4096", "an RSA key of 4096 bits", _other_key("rsa4096"), None, Need.CA_KEY),
    variant("rsa8192", "an RSA key of 8192 bits: slow to verify", _other_key("rsa8192"), None, Need.CA_KEY),
    variant("good_p256", "a key on the curve P-256", _other_key("p256"), None, Need.CA_KEY),
    variant("good_p384", "a key on the curve P-384", _other_key("p384"), None, Need.CA_KEY),
    variant("good_p521", "a key on the curve P-521", _other_key("p521"), None, Need.CA_KEY),
    variant("good_ed25519", "an Ed25519 key (RFC 8422 for TLS 1.2)", _other_key("ed25519"), None, Need.CA_KEY),
    variant("other_key_type", "the same with the other kind of key, RSA or EC", _other_kind, None, Need.CA_KEY),
    variant("pss_signed", "signed by the CA with RSASSA-PSS (RFC 4055)", _pss_signed, None, Need.CA_KEY),
    variant("valid_for_minutes", "valid from ten minutes ago for twenty: clocks must agree", _soon, None, Need.CA_KEY),
    variant("valid_2016_2040", "valid from 2016 to 2040", _valid_2016_2040, None, Need.CA_KEY),
    variant(
        "gentime_2050", "ends in 2059, told as GeneralizedTime (RFC 5280 §4.1.2.5)", _ending(2059), None, Need.CA_KEY
    ),
    variant("gentime_9999", "ends in 9999: no well-defined end (RFC 5280 §4.1.2.5)", _ending(9999), None, Need.CA_KEY),
    variant(
        "gentime_before_2050",
        "GeneralizedTime where UTCTime is due; both must be read (RFC 5280 §4.1.2.5)",
        _early_general_time,
        None,
        Need.CA_KEY,
    ),
    variant(
        "negative_serial",
        "serial number -5; to be handled gracefully (RFC 5280 §4.1.2.2)",
        _serial(write.integer(-5)),
        None,
        Need.CA_KEY,
    ),
    variant(
        "zero_serial",
        "serial number 0; to be handled gracefully (RFC 5280 §4.1.2.2)",
        _serial(write.integer(0)),
        None,
        Need.CA_KEY,
    ),
    variant(
        "long_serial",
        "serial number of 38 bytes; 20 must be handled (RFC 5280 §4.1.2.2)",
        _long_serial,
        None,
        Need.CA_KEY,
    ),
    variant("empty_subject", "an empty subject", _empty_subject, None, Need.CA_KEY),
    variant(
        "unknown_noncritical_ext", "an unknown extension that may be ignored", _unknown_extension, None, Need.CA_KEY
    ),
    variant("v1_certificate", "X.509 version 1: no extensions at all", _version_1, None, Need.CA_KEY),
    variant(
        "wrong_subject",
        "another's name, by the same CA: is every client of it let in?",
        _wrong_subject,
        "access_denied",
        Need.CA_KEY,
    ),
    variant("duplicate_leaf", "the certificate twice", _duplicate_leaf, None, *_GOOD),
    variant("unrelated_extra_cert", "an unrelated CA at the end of the chain", _unrelated, None, *_GOOD),
    variant("huge_12k", "12 KB, nearly all of one record", _long(12_000), None, Need.CA_KEY),
    variant("huge_20k", "20 KB, more than one record", _long(20_000), None, Need.CA_KEY),
    variant("huge_70k", "70 KB, more than a session ticket holds", _long(70_000), None, Need.CA_KEY),
    variant("huge_100k", "100 KB, OpenSSL's limit for the message", _long(100_000), None, Need.CA_KEY),
    variant("huge_120k", "120 KB", _long(120_000), None, Need.CA_KEY),
    variant("huge_300k", "300 KB", _long(300_000), None, Need.CA_KEY),
)
