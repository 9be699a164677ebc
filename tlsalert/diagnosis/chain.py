"""What a certificate chain shows by itself, and held against a clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from itertools import islice, pairwise

from msgspec import Struct

from tlsalert.diagnosis.words import short_name
from tlsalert.model import Certificate
from tlsalert.pki.constraints import violation
from tlsalert.pki.oids import CURVES, KEYS, SIGNATURES
from tlsalert.pki.signatures import signed_by

WEAK_SIGNATURES = ("md2", "md5", "sha1", "SHA1")
#: NIST SP 800-131A, and common practice since 2014: RSA and DSA under 2048 bits, EC under 224.
WEAK_RSA = 2048
WEAK_EC = ("EC P-192",)
#: The curves that every stack has; others are a matter of configuration where they exist at all.
COMMON_CURVES = ("EC P-256", "EC P-384", "EC P-521")
SERIAL = "the serial number"
KNOWN_KEYS = ("RSA", "DSA", "EC", *KEYS.values())
#: How many certificates a path is followed for, how many signatures are verified on it, and issuers of one name tried.
LONGEST_PATH, VERIFIED, SAME_NAMES = 128, 40, 8
#: Names held against name constraints in one chain: a hostile one could have millions of pairs.
COMPARED = 20_000


class Path(Struct, frozen=True):
    """The certificates from the leaf up, as far as the chain that was sent holds them.

    ``forged`` is a certificate and the issuer by name in the chain whose key did not sign it; ``proven`` says that
    every link verifies; ``whole`` that the path ends in a certificate that signed itself.
    """

    certificates: tuple[Certificate, ...]
    forged: tuple[Certificate, Certificate] | None = None
    proven: bool = False
    whole: bool = False

    @property
    def top(self) -> Certificate:
        """The last certificate that was reached."""
        return self.certificates[-1]


class ChainFacts(Struct, frozen=True):
    """What stands out in a chain as it was sent, leaf first.

    Remarks are phrases about the leaf ("its key is RSA 512") or about a certificate that they name. ``garbage`` is set
    where the leaf is no certificate at all, ``broken`` where something in it is odd. ``misplaced`` is the leaf where it
    does not stand first, before its issuers.
    """

    leaf: Certificate
    self_signed: bool
    issuer_sent: bool
    wrong_order: bool
    weak: str | None
    broken: str | None
    wrong_usage: str | None
    path: Path
    garbage: str | None = None
    invalid: str | None = None
    unsupported: str | None = None
    misplaced: Certificate | None = None
    authority: bool = False


def chain_facts(chain: tuple[Certificate, ...], client: bool) -> ChainFacts:
    """Return what stands out in ``chain`` when it is shown by a client (or, else, by a server)."""
    return _chain_facts(chain, client) if sum(len(c.der) for c in chain) <= 1 << 16 else _facts(chain, client)


@lru_cache(maxsize=256)
def _chain_facts(chain: tuple[Certificate, ...], client: bool) -> ChainFacts:
    """Look at a chain once: a capture shows the same few again and again."""
    return _facts(chain, client)


def _facts(chain: tuple[Certificate, ...], client: bool) -> ChainFacts:
    leaf = chain[0]
    subjects = [certificate.subject for certificate in chain[1:]]
    in_order = all(a.issuer == b.subject for a, b in pairwise(chain))
    misplaced = _misplaced(chain)
    path = find_path(leaf, chain[1:])
    issuers = path.certificates[1:]
    weak = weakness(leaf) or next(
        (f"{short_name(c)} in its chain: {w}" for c in issuers if (w := weakness(c)) is not None), None
    )
    usage = wrong_usage(leaf, client) or _issuer_usage(issuers, client)
    return ChainFacts(
        leaf,
        bool(leaf.self_signed),
        leaf.issuer in subjects,
        len(chain) > 1 and not in_order,
        weak,
        _broken(leaf),
        usage,
        path,
        leaf.problems[0] if leaf.problems and leaf.subject is None and leaf.key is None else None,
        _invalid(path.certificates),
        _unsupported(path.certificates),
        misplaced,
        leaf.ca is True and not leaf.self_signed,
    )


def find_path(leaf: Certificate, others: tuple[Certificate, ...]) -> Path:
    """Follow the issuers' names from the leaf up through ``others``; of several of one name the one that signed."""
    path, left = [leaf], VERIFIED
    used = {id(leaf)}
    proven = True
    while len(path) <= LONGEST_PATH and not path[-1].self_signed and path[-1].issuer is not None:
        last = path[-1]
        fitting = (c for c in others if c.subject == last.issuer and id(c) not in used)
        candidates = list(islice(fitting, SAME_NAMES))
        if not candidates:
            return Path(tuple(path), None, proven)
        answers = [signed_by(last.der, c.der) if left > n else None for n, c in enumerate(candidates)]
        left -= len(candidates)
        if True in answers:
            path.append(candidates[answers.index(True)])
        elif None in answers:
            proven = False
            path.append(candidates[answers.index(None)])
        else:
            return Path((*path, candidates[0]), (last, candidates[0]))
        used.add(id(path[-1]))
    last = path[-1]
    whole = bool(last.self_signed)
    if whole and signed_by(last.der, last.der) is False:
        return Path(tuple(path), (last, last))
    return Path(tuple(path), None, proven, whole)


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


def _broken(leaf: Certificate) -> str | None:
    """Return what is odd in a leaf; a serial number, which hardly any verifier minds, only where nothing else is."""
    return min(leaf.problems, key=lambda problem: problem.startswith(SERIAL), default=None)


def _misplaced(chain: tuple[Certificate, ...]) -> Certificate | None:
    """Return the leaf where its issuer stands first: verifiers take the first one for the leaf, RFC 5246 §7.4.2."""
    first = chain[0]
    if not first.ca or first.subject is None:
        return None
    return next((c for c in chain[1:] if c.issuer == first.subject and c.subject != first.subject and not c.ca), None)


def _issuer_usage(issuers: tuple[Certificate, ...], client: bool) -> str | None:
    """Return which issuer's extended key usage leaves out the leaf's role: many verifiers let it bind what is below."""
    role = "clientAuth" if client else "serverAuth"
    for issuer in issuers:
        usages = issuer.extended_key_usage
        if usages and role not in usages and "anyExtendedKeyUsage" not in usages and not issuer.self_signed:
            return f"the extended key usage of its issuer {short_name(issuer)} is {', '.join(usages)}, without {role}"
    return None


def _invalid(path: tuple[Certificate, ...]) -> str | None:
    """Return which issuer may not issue what stands below it, RFC 5280 §6.1.4 (k) to (n), and §4.2.1.10."""
    for place, issuer in enumerate(path[1:], 1):
        name = short_name(issuer)
        if issuer.version is not None and issuer.version < 3:
            if not issuer.self_signed:
                return f"its issuer {name} is a version {issuer.version} certificate, which cannot say that it is a CA"
        elif issuer.version is not None and not issuer.ca:
            return f"its issuer {name} is not a CA (basicConstraints)"
        if issuer.key_usage and "keyCertSign" not in issuer.key_usage:
            return f"its issuer {name} may not sign certificates (key usage {', '.join(issuer.key_usage)})"
        between = sum(c.subject != c.issuer for c in path[1:place])
        if issuer.path_length is not None and between > issuer.path_length:
            return f"{between} CAs stand below {name}, whose path length allows {issuer.path_length}"
    return _constrained(path)


def _constrained(path: tuple[Certificate, ...]) -> str | None:
    """Return which name in a chain an issuer above it excludes; self-issued CAs are exempt, RFC 5280 §6.1.3 (b)."""
    left = COMPARED
    for place, issuer in enumerate(path):
        constraints = len(issuer.permitted_names) + len(issuer.excluded_names)
        for below in path[:place] if constraints else ():
            left -= constraints * (len(below.subject_alt_names) + 2)
            if left < 0:
                return None
            broken = violation(below, issuer) if below is path[0] or below.subject != below.issuer else None
            if broken is not None:
                return f"the name constraints of {short_name(issuer)} are broken: {broken}"
    return None


def _unsupported(path: tuple[Certificate, ...]) -> str | None:
    """Return what in a chain a verifier may not know, RFC 5280 §4.2, or None."""
    for certificate in path:
        who = "it" if certificate is path[0] else f"{short_name(certificate)} in its chain"
        if certificate.unknown_critical:
            return f"{who} has a critical extension that is not a common one: {certificate.unknown_critical[0]}"
        algorithm = certificate.signature_algorithm
        if algorithm is not None and algorithm not in SIGNATURES.values():
            return f"{who} is signed with an algorithm that is not a common one: {algorithm}"
    key = path[0].key or ""
    if key and key.partition(" ")[0] not in KNOWN_KEYS and key not in KNOWN_KEYS:
        return f"its key is of a kind that is not a common one: {key}"
    if key.startswith("EC ") and key not in COMMON_CURVES:
        known = key[3:] in CURVES.values()
        return f"its key is {key}, {'which' if known else 'a curve that'} many stacks do not support"
    return None
