"""What is wrong with what was found, at a given time: dates, weak keys and signatures, keys that anyone can have."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from tlsalert.pki.found import Found

#: Ends that are near are told this long before, unless asked for otherwise.
WARN: Final = timedelta(days=90)
#: Signatures that can be forged: RFC 6151 (MD5), RFC 9155 (SHA-1), RFC 6149 (MD2).
FORGEABLE: Final = ("md2", "md5", "sha1", "sha-1")
#: Bits under which an RSA key is weak, NIST SP 800-131A rev. 2 §3; and curves of under 224 bits, table 2 there.
LEAST_RSA: Final = 2048
WEAK_CURVES: Final = ("EC P-192", "EC secp192k1", "EC secp160r1", "EC secp112r1", "EC secp128r1")


def judged(found: Collection[Found], at: datetime, warn: timedelta = WARN) -> list[Found]:
    """Return the things with their problems at a time; ``warn`` is how long before its end one is told."""
    issuers = {where for one in found if one.kind == "certificate" for where in one.issued_by if where != one.where}
    stores = {one.where for one in found if one.kind == "keystore"}
    return [replace(one, problems=(*one.problems, *_problems(one, at, warn, issuers, stores))) for one in found]


def ends_within(one: Found, at: datetime, warn: timedelta) -> bool:
    """Whether a certificate has ended at a time, or ends at most ``warn`` later."""
    return one.kind == "certificate" and one.not_after is not None and _later(at, warn) >= one.not_after


def _problems(
    one: Found, at: datetime, warn: timedelta, issuers: Collection[str], stores: Collection[str]
) -> Iterator[str]:
    if one.kind == "certificate":
        yield from _dates(one, at, warn)
        yield from _signature(one)
        yield from _authority(one, issuers)
    elif one.kind == "crl" and one.not_after is not None and one.not_after < at:
        yield f"out of date since {_date(one.not_after)}: the next one was due"
    if one.kind != "crl" and (weak := weak_key(one.key)):
        yield weak
    if one.kind == "private_key" and not one.encrypted:
        yield from _exposed(one, stores)


def _dates(one: Found, at: datetime, warn: timedelta) -> Iterator[str]:
    if one.not_before is not None and at < one.not_before:
        yield f"not valid yet: it begins on {_date(one.not_before)}, in {_days(one.not_before - at)}"
    if one.not_after is None:
        return
    if at > one.not_after:
        yield f"expired on {_date(one.not_after)}, {_days(at - one.not_after)} ago"
    elif _later(at, warn) >= one.not_after:
        yield f"ends on {_date(one.not_after)}, in {_days(one.not_after - at)}"


def _signature(one: Found) -> Iterator[str]:
    algorithm = (one.certificate.signature_algorithm if one.certificate else None) or ""
    if any(name in algorithm.lower() for name in FORGEABLE) and not (one.certificate and one.certificate.self_signed):
        yield f"its signature ({algorithm}) can be forged"


def _authority(one: Found, issuers: Collection[str]) -> Iterator[str]:
    certificate = one.certificate
    if certificate is None or certificate.ca:
        return
    signs = "keyCertSign" in certificate.key_usage
    if signs or (one.where in issuers and certificate.ca is None and not certificate.self_signed):
        why = "has no basicConstraints" if certificate.ca is None else "is no CA by its basicConstraints"
        yield f"it signs certificates, but {why} (RFC 5280 §4.2.1.9)"


def _exposed(one: Found, stores: Collection[str]) -> Iterator[str]:
    outer = one.where.rpartition("!")[0] if "!" in one.where else ""
    while outer in stores:  # a key store is what keys are for; an archive around it is not
        outer = outer.rpartition("!")[0] if "!" in outer else ""
    if outer:
        file = os.path.basename(outer.partition("!")[0])
        yield f"the private key comes with {file}: who has that file has the key"
    elif one.mode is not None and one.mode & 0o004:
        yield f"everybody on this machine can read the private key (mode {one.mode & 0o777:04o})"


def weak_key(key: str | None) -> str | None:
    """Return what is weak about a key, by its kind and size; None where nothing is."""
    if key is None:
        return None
    kind, _, size = key.partition(" ")
    if kind == "RSA" and size.isdigit() and int(size) < LEAST_RSA:
        return f"weak key: RSA of {size} bits"
    if kind == "DSA" or key in WEAK_CURVES:
        return f"weak key: {key}"
    return None


def _later(at: datetime, warn: timedelta) -> datetime:
    try:
        return at + warn
    except OverflowError:
        return datetime.max.replace(tzinfo=at.tzinfo)


def _date(moment: datetime) -> str:
    return moment.isoformat()[:10]  # strftime leaves out zeros before a year under 1000


def _days(span: timedelta) -> str:
    days = span.days
    return f"{days} days" if days != 1 else "1 day"
