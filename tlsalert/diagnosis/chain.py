"""What a certificate chain shows by itself, and held against a clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from msgspec import Struct

from tlsalert.model import Certificate

WEAK_SIGNATURES = ("md2", "md5", "sha1", "SHA1")
#: NIST SP 800-131A, and common practice since 2014: RSA and DSA under 2048 bits, EC under 224.
WEAK_RSA = 2048
WEAK_EC = ("EC P-192",)


class ChainFacts(Struct, frozen=True):
    """What stands out in a chain as it was sent, leaf first."""

    leaf: Certificate
    self_signed: bool
    issuer_sent: bool
    wrong_order: bool
    weak: str | None
    broken: str | None
    wrong_usage: str | None


def chain_facts(chain: tuple[Certificate, ...], client: bool) -> ChainFacts:
    """Return what stands out in ``chain`` when it is shown by a client (or, else, by a server)."""
    leaf = chain[0]
    subjects = [certificate.subject for certificate in chain[1:]]
    in_order = all(a.issuer == b.subject for a, b in pairwise(chain))
    return ChainFacts(
        leaf,
        bool(leaf.self_signed),
        leaf.issuer in subjects,
        len(chain) > 1 and not in_order,
        weakness(leaf),
        leaf.problems[0] if leaf.problems else None,
        wrong_usage(leaf, client),
    )


def weakness(certificate: Certificate) -> str | None:
    """Return what is weak in a certificate by today's measures, or None."""
    key = certificate.key or ""
    kind, _, size = key.partition(" ")
    if kind in ("RSA", "DSA") and size.isdigit() and int(size) < WEAK_RSA:
        return f"its key is {key}"
    if key in WEAK_EC:
        return f"its key is {key}"
    algorithm = certificate.signature_algorithm or ""
    if any(weak in algorithm for weak in WEAK_SIGNATURES) and not certificate.self_signed:
        return f"it is signed with {algorithm}"
    return None


def wrong_usage(certificate: Certificate, client: bool) -> str | None:
    """Return which usage a leaf lacks for its role, RFC 5280 §4.2.1.3 and §4.2.1.12, or None."""
    role = "clientAuth" if client else "serverAuth"
    usages = certificate.extended_key_usage
    if usages and role not in usages and "anyExtendedKeyUsage" not in usages:
        return f"its extended key usage is {', '.join(usages)}, without {role}"
    if client and certificate.key_usage and "digitalSignature" not in certificate.key_usage:
        return f"its key usage is {', '.join(certificate.key_usage)}, without digitalSignature"
    return None


def names_match(certificate: Certificate, name: str) -> bool:
    """Whether a certificate is for a DNS name, RFC 9525 §6.3: its subjectAltName, else (as of old) its common name."""
    names = [entry[4:] for entry in certificate.subject_alt_names if entry.startswith("DNS:")]
    if not certificate.subject_alt_names:
        names = [part[3:] for part in (certificate.subject or "").split(",") if part.startswith("CN=")]
    wanted = name.lower().rstrip(".")
    parent = wanted.partition(".")[2]
    return any(known.lower() == wanted or (known.startswith("*.") and known[2:].lower() == parent) for known in names)


def outside(chain: tuple[Certificate, ...], at: datetime) -> Iterator[tuple[Certificate, str]]:
    """Go through the certificates that are not valid at ``at``, each with the cause's name."""
    for certificate in chain:
        if certificate.not_before is not None and at < certificate.not_before:
            yield certificate, "certificate_not_yet_valid"
        elif certificate.not_after is not None and at > certificate.not_after:
            yield certificate, "certificate_expired"
