"""Why a device refuses a certificate that is right: each cause weighed by every answer of its, not by one alert alone.

Bayes over pairs of a measured server and a cause. The good certificate's answer tells of the cause; the answers to no
certificate, to a stranger's and to damaged ones tell of the server, and so of what its alert means. How often each
cause is met is that of :mod:`tlsalert.diagnosis.causes`, changed by what the certificate itself shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from tlsalert.diagnosis.causes import (
    AHEAD,
    BEHIND,
    CERTAIN_DATE,
    CLIENT_WEIGHTS,
    DISPROVED,
    EXCLUDED_DATE,
    HARDLY,
    LIKELY_DATE,
)
from tlsalert.diagnosis.chain import ChainFacts, chain_facts, outside
from tlsalert.diagnosis.knowledge import Era, likelihood
from tlsalert.diagnosis.resemblance import Candidate, Key, candidates
from tlsalert.diagnosis.shown import ODD, PLAIN, PROOF
from tlsalert.diagnosis.stacks import server_stack
from tlsalert.diagnosis.tried import ACCEPTED, Cell
from tlsalert.model import Certificate, CertificateRequest, Clock, Connection, when

#: The variant that is right, and those that differ from it in nothing that a verifier minds.
GOOD: Final = "good"
#: A certificate of our CA that is valid by the device's own clock: accepted, where the clock was found so.
BY_CLOCK: Final = "valid_by_its_clock"
#: Variants that the device's trust in our CA, its clock and its pins have no part in: what it answers tells its stack.
STRANGE: Final = frozenset((
    "none_sent", "certificate_msg_omitted", "certificate_msg_malformed", "zero_length_entry", "garbage_der",
    "truncated_der", "self_signed_unknown", "self_signed_ca_true", "unknown_issuer", "unknown_issuer_with_root",
))  # fmt: skip
#: Variants with other dates than the good certificate's: by a wrong clock they may be the valid ones.
DATED: Final = frozenset((
    "expired", "not_yet_valid", "inverted_validity", "valid_2016_2040", "root_and_leaf_2016", "gentime_9999",
    "expired_intermediate", "not_yet_valid_intermediate", "expired_root", BY_CLOCK,
))  # fmt: skip
#: What was measured for each cause: set-up and variant that stand for the good certificate, refused for that.
MEASURED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "certificate_not_yet_valid": (("clock behind", "good"), ("trust store", "not_yet_valid")),
    "certificate_expired": (("clock ahead", "good"), ("trust store", "expired")),
    "unknown_ca": (
        ("trust store", "unknown_issuer"),
        ("trust store", "unknown_issuer_with_root"),
        ("trust store", "same_name_ca_keyid"),
    ),
    "chain_incomplete": (("trust store", "missing_intermediate"),),
    "wrong_certificate_usage": (
        ("trust store", "eku_server_only"),
        ("trust store", "eku_code_signing"),
        ("trust store", "ku_key_encipherment_only"),
    ),
    "key_mismatch": (("trust store", "key_mismatch"), ("trust store", "cv_corrupted")),
    "bad_certificate_signature": (
        ("trust store", "same_name_ca_no_keyid"),
        ("trust store", "sig_tampered"),
        ("trust store", "tbs_tampered"),
    ),
    "certificate_revoked": (("trust store and CRLs", "revoked"),),
    "revocation_status_unavailable": (
        ("trust store and CRLs", "crl_missing"),
        ("trust store and CRLs", "crl_stale"),
        ("trust store and CRLs", "crl_not_yet"),
    ),
    "weak_certificate": (
        ("trust store", "rsa1024"),
        ("trust store", "md5_signed"),
        ("trust store", "sha1_signed"),
    ),
    "malformed_certificate": (("trust store", "bad_time_encoding"), ("trust store", "bad_extension_der")),
    "unsupported_certificate": (("trust store", "unknown_critical_ext"), ("trust store", "secp256k1")),
    "chain_invalid": (("trust store", "intermediate_not_ca"), ("trust store", "pathlen_exceeded")),
    "chain_too_long": (("trust store", "chain_9_cas"), ("trust store", "chain_25_cas")),
}
#: Servers that were measured with a certificate pinned beside their CA, as stunnel does it; "good" is another one.
PINNING: Final = "stunnel-pinned"
#: What a device that accepts another certificate of our CA cannot have against the good one.
DISPROVED_BY_ANOTHER: Final = frozenset(("unknown_ca", "certificate_not_pinned", "bad_certificate_signature"))
_STRAY = 0.03  # an answer that is not what was measured
_FROM_HABIT = 0.25  # how much the average over a family's defects counts beside the variants that stand for a cause
_NAMED, _NOT_NAMED = 0.2, 4.0  # the weight of "unknown CA" where CertificateRequest names our issuer, or others only
_RARE_PINS = 0.35  # programs that pin and also demand a chain are rarer than their share of what was measured


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the good certificate, leaf first, at ``now`` (UTC), the time of the replay.

    ``ca`` is the certificate whose key signs the variants; ``key_fits`` whether the private key is the leaf's;
    ``cut_short`` whether every handshake ended before the client could show a certificate; ``asked_inside`` whether
    those that were accepted asked for something inside TLS, where some servers (nginx) refuse.
    """

    chain: tuple[Certificate, ...] = ()
    now: datetime | None = None
    ca: Certificate | None = None
    key_fits: bool | None = True
    cut_short: bool = False
    asked_inside: bool = False

    @property
    def not_before(self) -> datetime | None:
        """From when on the whole chain is valid."""
        return max((one.not_before for one in self.chain if one.not_before is not None), default=None)

    @property
    def not_after(self) -> datetime | None:
        """Until when the whole chain is valid."""
        return min((one.not_after for one in self.chain if one.not_after is not None), default=None)


def rank_causes(
    told: Sequence[Cell],
    version: str,
    facts: Facts,
    request: CertificateRequest | None = None,
    clock: Clock | None = None,
    families: Mapping[str, float] | None = None,
    hidden: frozenset[Key] = frozenset(),
) -> tuple[list[tuple[str, float]], dict[str, float]]:
    """Return why the good certificate is refused in ``version``, the likeliest cause first, and the stack's families.

    Both add up to 1. ``told`` are the device's answers in all versions; ``clock`` is the device's where it is known;
    ``families`` says how likely each family is by other signs.
    """
    weights = _weights(facts, request, clock)
    here = [cell for cell in told if cell.tls_version == version]
    causes = dict.fromkeys(weights, 0.0)
    stacks: dict[str, float] = {}
    for server, share in _servers(families, hidden).items():
        joint = {
            cause: share * weight * _chance(here, server, cause, facts, hidden) for cause, weight in weights.items()
        }
        for cause, value in joint.items():
            causes[cause] += value
        family = _family(server)
        stacks[family] = stacks.get(family, 0.0) + sum(joint.values())
    total = sum(causes.values()) or 1.0
    ranked = sorted(((cause, value / total) for cause, value in causes.items()), key=lambda pair: -pair[1])
    return ranked, {family: value / total for family, value in stacks.items()}


def _weights(facts: Facts, request: CertificateRequest | None, clock: Clock | None) -> dict[str, float]:
    """Return how likely each cause is by what is known without any answer."""
    weights = dict(CLIENT_WEIGHTS)
    if facts.chain:
        _by_chain(weights, chain_facts(facts.chain, client=True))
        _by_issuers(weights, facts, request)
    if facts.key_fits is not None:
        weights["key_mismatch"] *= DISPROVED if facts.key_fits else PROOF / CLIENT_WEIGHTS["key_mismatch"]
    _by_dates(weights, facts, clock)
    return weights


def _by_chain(weights: dict[str, float], seen: ChainFacts) -> None:
    """Weigh what the chain shows by itself, as a capture's would."""
    for cause, remark, weight in (
        ("wrong_certificate_usage", seen.wrong_usage, PLAIN),
        ("weak_certificate", seen.weak, ODD),
        ("malformed_certificate", seen.garbage or seen.broken, ODD),
        ("chain_invalid", seen.invalid, PLAIN),
        ("unsupported_certificate", seen.unsupported, ODD),
    ):
        weights[cause] = weight if remark is not None else weights[cause] * HARDLY
    if seen.path.forged is not None:
        weights["bad_certificate_signature"] = PROOF
    elif seen.path.proven:
        weights["bad_certificate_signature"] *= HARDLY
    if seen.path.whole or len(seen.path.certificates) > 1:
        weights["chain_incomplete"] *= HARDLY if seen.path.whole else 0.5
    if seen.self_signed:
        weights["chain_incomplete"] *= DISPROVED


def _by_issuers(weights: dict[str, float], facts: Facts, request: CertificateRequest | None) -> None:
    """Hold the chain's issuers against the names in CertificateRequest; no names say nothing."""
    if request is not None and request.authorities:
        named = any(one.issuer in request.authorities for one in facts.chain)
        weights["unknown_ca"] *= _NAMED if named else _NOT_NAMED


def _by_dates(weights: dict[str, float], facts: Facts, clock: Clock | None) -> None:
    """Weigh the dates by our clock and, as far as it is known, by the device's."""
    early, late = "certificate_not_yet_valid", "certificate_expired"
    ours = set() if facts.now is None else {cause for _, cause in outside(facts.chain, facts.now)}
    if facts.now is not None and facts.chain:
        weights[early] = LIKELY_DATE if early in ours else BEHIND
        weights[late] = LIKELY_DATE if late in ours else AHEAD
    if clock is not None and facts.chain:
        theirs = {cause for _, cause in outside(facts.chain, when(clock.time))}
        for cause in (early, late):
            by_clock = CERTAIN_DATE if cause in theirs else EXCLUDED_DATE
            weights[cause] = clock.confidence * by_clock + (1 - clock.confidence) * weights[cause]


@cache
def _rows(hidden: frozenset[Key]) -> dict[str, dict[str, Candidate]]:
    """Return each server's set-ups."""
    found: dict[str, dict[str, Candidate]] = {}
    for one in candidates(hidden):
        found.setdefault(one.server, {})[one.setup] = one
    return found


def _family(server: str) -> str:
    return next(iter(_rows(frozenset())[server].values())).family


def _servers(families: Mapping[str, float] | None, hidden: frozenset[Key]) -> dict[str, float]:
    """Return how likely each server is before any answer: servers of one family are equal."""
    rows = _rows(hidden)
    size: dict[str, int] = {}
    for server in rows:
        size[_family(server)] = size.get(_family(server), 0) + 1
    weights: dict[str, float] = {}
    families = families or _usual_families()
    for server in rows:
        family = _family(server)
        weight = families.get(family, 0.0) + 0.01
        weights[server] = weight * (_RARE_PINS if family == PINNING else 1.0) / size[family]
    return weights


@cache
def _usual_families() -> dict[str, float]:
    """Return how likely each family is where no handshake was looked at."""
    return server_stack(Connection(source="", connection=0))


def _chance(here: Iterable[Cell], server: str, cause: str, facts: Facts, hidden: frozenset[Key]) -> float:
    """Return how likely the answers are from a server that refuses the good certificate for ``cause``."""
    setups = _rows(hidden)[server]
    chance = 1.0
    for cell in here:
        if cell.variant == GOOD:
            chance *= _for_cause(cell, server, cause, setups)
        elif cell.variant in STRANGE:
            chance *= _own(cell, server, setups, cause)
        else:
            chance *= _beside(cell, server, cause, setups, facts)
    return chance


def _for_cause(cell: Cell, server: str, cause: str, setups: Mapping[str, Candidate]) -> float:
    """Return how likely the answer is to the good certificate."""
    family = _family(server)
    if cause == "certificate_not_pinned" and family == PINNING:
        known = [setups[setup].at(GOOD, cell.tls_version) for setup in ("trust store", "pinned") if setup in setups]
    else:
        known = [
            setups[setup].at(variant, cell.tls_version) for setup, variant in MEASURED.get(cause, ()) if setup in setups
        ]
    hits = [answer[0] == cell.answer for answer in known if answer is not None and answer[0] != ACCEPTED]
    habit = _habit(family, cell, cause)
    if not hits:
        return habit
    return _STRAY * 0.1 + (1 - _STRAY) * ((1 - _FROM_HABIT) * sum(hits) / len(hits) + _FROM_HABIT * habit)


def _habit(family: str, cell: Cell, cause: str) -> float:
    """Return how likely a family's answer is to a cause, over all defects that were measured for it."""
    answer = {ACCEPTED: "accepted", "400": "http400"}.get(cell.answer, cell.answer)
    era: Era = "tls1.3" if cell.tls_version.endswith("TLS 1.3") else "tls1.2"
    if cell.tls_version == "SSLv3":
        era = "ssl3"
    return likelihood(family, era, cause, int(answer) if answer.isdigit() else answer)


def _own(cell: Cell, server: str, setups: Mapping[str, Candidate], cause: str) -> float:
    """Return how likely the answer is to a variant that is wrong in a way of its own."""
    row = setups.get("trust store")
    known = row.at(cell.variant, cell.tls_version) if row is not None else None
    if known is None:
        return 0.1
    stray = _STRAY if known[1] else 5 * _STRAY
    return (1 - stray if known[0] == cell.answer else stray) * 0.97 + 0.003


def _beside(cell: Cell, server: str, cause: str, setups: Mapping[str, Candidate], facts: Facts) -> float:
    """Return how likely the answer is to another certificate of our CA: for its own fault, or for the same cause."""
    if cell.answer != ACCEPTED:
        return 0.5 * _own(cell, server, setups, cause) + 0.5 * _for_cause(cell, server, cause, setups)
    if cause in DISPROVED_BY_ANOTHER:
        return _STRAY / 10
    if any(cell.variant == variant for _, variant in MEASURED.get(cause, ())):
        return _STRAY / 3  # it has the very fault, and is taken
    if cause in ("certificate_not_yet_valid", "certificate_expired") and not _valid_otherwise(cell, cause, facts):
        return _STRAY / 3
    return 0.3


def _valid_otherwise(cell: Cell, cause: str, facts: Facts) -> bool:
    """Whether a certificate is valid where the good one is not: earlier, or later. Its taking then says nothing."""
    if cell.variant in DATED:
        return True
    if cause == "certificate_not_yet_valid":
        return _before(cell.not_before, facts.not_before)
    return _before(facts.not_after, cell.not_after)


def _before(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other
