"""Why a certificate was refused: the likeliest causes, ranked.

Bayes: how often each cause is met, what this chain, its signatures and the clocks show, and how each TLS stack answers
each cause. The weights of what is met are judgement; the answers are measured (see
:mod:`tlsalert.diagnosis.knowledge`). No number of an alert proves a cause by itself, because stacks differ: so the
result is a probability.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from tlsalert.diagnosis.chain import names_match, outside
from tlsalert.diagnosis.knowledge import Era, likelihood
from tlsalert.diagnosis.refused import Refusal
from tlsalert.diagnosis.shown import BESIDE, LARGE, Shown, shown
from tlsalert.model import Side, when

#: How often a client's certificate is refused for each cause, other things unknown.
CLIENT_WEIGHTS: Final = {
    "unknown_ca": 0.30,
    "certificate_not_yet_valid": 0.08,
    "certificate_expired": 0.06,
    "chain_incomplete": 0.05,
    "certificate_not_pinned": 0.03,
    "wrong_certificate_usage": 0.04,
    "key_mismatch": 0.03,
    "bad_certificate_signature": 0.03,
    "certificate_revoked": 0.03,
    "revocation_status_unavailable": 0.03,
    "weak_certificate": 0.03,
    "malformed_certificate": 0.02,
    "unsupported_certificate": 0.02,
    "chain_invalid": 0.015,
    "chain_too_long": 0.005,
    "internal_error": 0.01,
    "protocol_violation": 0.01,
    "decryption_failed": 0.01,
    "resource_limit": 0.002,
    "no_shared_signature_scheme": 0.003,
}
#: The same where a client refuses a server's certificate: there the name must match, too.
SERVER_WEIGHTS: Final = {
    **CLIENT_WEIGHTS,
    "name_mismatch": 0.12,
    "certificate_not_yet_valid": 0.06,
    "wrong_certificate_usage": 0.02,
}

#: By the clock that judged: dates that are surely so, and dates that are surely not (of what was sent: an issuer that
#: was not may have dates of its own).
CERTAIN_DATE, EXCLUDED_DATE, UNSEEN_DATE = 3.0, 0.001, 0.0015
#: By the capture's clock, where the judging side's does not show: it is nearly always about right.
LIKELY_DATE = 1.2
#: A certificate that is inside its dates by the capture's clock, and outside by the judge's: clocks are seldom wrong by
#: as much as that, and those that run ahead are rarer still than those that are behind.
BEHIND, AHEAD = 0.07, 0.015
#: Stacks that are less likely than this do not weigh in.
LEAST_SHARE: Final = 0.003
#: What is left of a cause that would show if it were so, and of one that a signature disproves.
HARDLY, DISPROVED = 0.1, 0.01
#: Certificates in a chain that nobody finds too long.
SHORT: Final = 3
#: A clock that is less sure than this is held against the dates of certificates that its server accepted from others,
#: and how sure those are: the clock may have been set in between, or another machine may answer there.
LEAST_CLOCK, BOUND = 0.9, 0.9
#: How often a certificate that is good is nobody's, where it is to log somebody in.
UNKNOWN_HOLDER: Final = 0.3
YEAR: Final = 365 * 86_400

Ranking = list[tuple[str, float]]


def rank(refusal: Refusal, defects: tuple[Shown, ...] | None = None) -> Ranking:
    """Return the causes for which a certificate may have been refused, likeliest first; they add up to 1.

    ``defects`` is what :func:`tlsalert.diagnosis.shown.shown` said, where the caller has it.
    """
    weights = dict(CLIENT_WEIGHTS if refusal.owner == "client" else SERVER_WEIGHTS)
    if refusal.chain:
        _by_absence(weights, refusal)
    _by_authorities(weights, refusal)
    if refusal.trusted:  # RFC 5280 §6.1: what it builds on is the issuer's key
        weights["unknown_ca"] *= HARDLY
        weights["certificate_not_pinned"] *= HARDLY
    _by_name(weights, refusal)
    _by_dates(weights, refusal)
    _by_defects(weights, shown(refusal) if defects is None else defects)
    if refusal.end.how == "http":
        _by_success(weights, refusal)
    if refusal.among:
        weights = {cause: weight for cause, weight in weights.items() if cause in refusal.among}
    scores = weights if refusal.answer is None else _by_answer(weights, refusal, refusal.answer)
    total = sum(scores.values()) or 1.0
    return sorted(((cause, score / total) for cause, score in scores.items()), key=lambda pair: -pair[1])


def _by_answer(weights: dict[str, float], refusal: Refusal, answer: int | str) -> dict[str, float]:
    """Weigh how likely each cause gets this answer, over the stacks that may have given it."""
    stacks = tuple([(stack, share) for stack, share in refusal.stacks.items() if share > LEAST_SHARE])
    chances = _chances(stacks, refusal.era, answer, refusal.refuser)
    for cause in weights:
        if cause not in chances:
            shares = [share * likelihood(stack, refusal.era, cause, answer, refusal.refuser) for stack, share in stacks]
            chances[cause] = sum(shares)
    return {cause: weight * chances[cause] for cause, weight in weights.items()}


@lru_cache(maxsize=256)
def _chances(stacks: tuple[tuple[str, float], ...], era: Era, answer: int | str, refuser: Side) -> dict[str, float]:
    """Return where to keep how likely these stacks give an answer, by cause: a capture shows the same few servers."""
    return {}


def _by_defects(weights: dict[str, float], defects: tuple[Shown, ...]) -> None:
    """Weigh what is plainly wrong: what else may be wrong would have to be wrong as well."""
    named = {defect.cause for defect in defects}
    beside = min((BESIDE.get(defect.weight, 1.0) for defect in defects), default=1.0)
    for cause in weights:
        if cause not in named:
            weights[cause] *= beside
    for defect in defects:
        weights[defect.cause] = max(weights.get(defect.cause, 0.0), defect.weight)


def _by_absence(weights: dict[str, float], refusal: Refusal) -> None:
    """Weigh what would show in the chain and in the handshake, and does not (what shows is weighed afterwards)."""
    facts, path = refusal.facts, refusal.facts.path
    for cause in ("weak_certificate", "wrong_certificate_usage"):
        weights[cause] *= HARDLY
    for cause in ("malformed_certificate", "unsupported_certificate"):  # a verifier may be stricter than this reader
        weights[cause] *= 0.3
    if refusal.message_length <= LARGE:
        weights["resource_limit"] *= HARDLY
    if refusal.proof.holds or refusal.proof.altered:
        weights["key_mismatch"] *= DISPROVED
    if facts.self_signed:
        weights["chain_incomplete"] = 0.0
        weights["certificate_not_pinned"] *= 0.3  # to trust it is to pin it: it is an unknown CA as well
        weights["bad_certificate_signature"] *= HARDLY if path.proven else 1
        for cause in ("certificate_revoked", "chain_invalid", "chain_too_long", "revocation_status_unavailable"):
            weights[cause] *= 0.2
        return
    if facts.issuer_sent:
        weights["chain_incomplete"] *= 0.2
        weights["chain_invalid"] *= 0.3
    if path.whole and path.proven:
        weights["bad_certificate_signature"] *= HARDLY
    elif path.proven and facts.issuer_sent:
        weights["bad_certificate_signature"] *= 0.3  # only the last link is left, to an issuer that was not sent
    if path.top.issuer_key_identifier is not None:
        # A CA of the same name and another key is told apart by it, RFC 5280 §4.2.1.1: then it is an unknown CA.
        weights["bad_certificate_signature"] *= 0.5
    if len(refusal.chain) <= SHORT:
        weights["chain_too_long"] *= 0.2


def _by_authorities(weights: dict[str, float], refusal: Refusal) -> None:
    """Ask whether the issuer is among the authorities that the server names, RFC 5246 §7.4.4: it trusts those."""
    request = refusal.connection.certificate_request
    if refusal.owner != "client" or request is None or not request.authorities or not refusal.chain:
        return
    if refusal.facts.garbage is not None:
        return  # nobody can say who issued it
    known = named(refusal)
    if not known:
        weights["unknown_ca"] *= 4
        weights["certificate_not_pinned"] *= 0.2
    elif refusal.facts.self_signed:
        weights["unknown_ca"] *= 0.6  # the server knows one of this name: perhaps another one
    else:
        weights["unknown_ca"] *= 0.25
        weights["chain_incomplete"] *= 0.2


def named(refusal: Refusal) -> bool:
    """Whether the server's CertificateRequest names an issuer of the chain."""
    request = refusal.connection.certificate_request
    path = refusal.facts.path.certificates
    return request is not None and any(certificate.issuer in request.authorities for certificate in path)


def _by_name(weights: dict[str, float], refusal: Refusal) -> None:
    """Hold the server's name against the one that was asked for; who asks for none mostly checks none."""
    if refusal.owner != "server" or not refusal.chain:
        return
    name = refusal.connection.server_name
    if name is None or refusal.facts.self_signed:  # a self-signed one is trusted by itself, whatever its name
        weights["name_mismatch"] *= 0.25
    elif names_match(refusal.chain[0], name):
        weights["name_mismatch"] = 0.002
    else:
        weights["name_mismatch"] *= 4


def _by_dates(weights: dict[str, float], refusal: Refusal) -> None:
    """Weigh the dates: by the clock of the side that refused as far as it is known, and by the capture's."""
    clock, now = refusal.clock, refusal.connection.start
    sure = clock.confidence if clock is not None else 0.0
    by_clock = {cause for _, cause in outside(refusal.chain, when(clock.time))} if clock is not None else set()
    by_capture = {cause for _, cause in outside(refusal.chain, when(now))} if now is not None else set()
    if not refusal.chain and clock is not None and clock.skew_seconds < -YEAR:
        by_clock = {"certificate_not_yet_valid"}  # not seen, but most certificates are younger than such a clock
    excluded = EXCLUDED_DATE if refusal.facts.path.whole else UNSEEN_DATE
    for cause in ("certificate_not_yet_valid", "certificate_expired"):
        shown = CERTAIN_DATE if cause in by_clock else excluded
        inside = BEHIND if cause == "certificate_not_yet_valid" else AHEAD
        seen = bool(refusal.chain) and now is not None and refusal.facts.garbage is None
        guessed = LIKELY_DATE if cause in by_capture else min(inside, weights[cause]) if seen else weights[cause]
        weights[cause] = sure * shown + (1 - sure) * guessed
    bound = _by_bounds(weights, refusal, excluded) if sure < LEAST_CLOCK else set()
    if bound:
        by_clock, sure = bound, BOUND
    if by_clock:  # what else is wrong would have to be wrong as well
        for cause in weights:
            if cause not in by_clock:
                weights[cause] *= 1 - 0.8 * sure


def _by_success(weights: dict[str, float], refusal: Refusal) -> None:
    """Weigh that the handshake succeeded, and that it was refused inside it: key and Finished were right.

    Where no page says that the certificate itself is bad, it may be good and its holder unknown.
    """
    for cause in ("key_mismatch", "decryption_failed", "protocol_violation", "no_shared_signature_scheme"):
        weights.pop(cause, None)
    if refusal.answer is None and not refusal.among:
        weights["access_denied"] = UNKNOWN_HOLDER


def _by_bounds(weights: dict[str, float], refusal: Refusal, excluded: float) -> set[str]:
    """Weigh the dates by the bounds of the refuser's clock; return the causes that they show."""
    bounds, now, chain = refusal.bounds, refusal.connection.start, refusal.chain
    if bounds is None or not chain or refusal.facts.garbage is not None:
        return set()
    begins = [c.not_before for c in chain if c.not_before is not None]
    ends = [c.not_after for c in chain if c.not_after is not None]
    found: set[str] = set()
    early, late = "certificate_not_yet_valid", "certificate_expired"
    for cause, sure, possible in (
        (early, max(begins, default=bounds.after) > bounds.before, max(begins, default=bounds.after) > bounds.after),
        (late, min(ends, default=bounds.before) < bounds.after, min(ends, default=bounds.before) < bounds.before),
    ):
        if sure:
            weights[cause] = BOUND * CERTAIN_DATE
            found.add(cause)
        elif not possible:
            weights[cause] = BOUND * excluded + (1 - BOUND) * weights[cause]
        elif now is not None and (when(now) > bounds.before if cause == early else when(now) < bounds.after):
            weights[cause] = LIKELY_DATE  # the clock is wrong, and in this direction
    return found
