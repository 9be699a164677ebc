"""Why a certificate was refused: the likeliest causes, ranked.

Bayes: how often each cause is met, what this chain and the clocks show, and how each TLS stack answers each cause.
The weights of what is met are judgement; the answers are measured (see :mod:`tlsalert.diagnosis.knowledge`). No
number of an alert proves a cause by itself, because stacks differ: so the result is a probability.
"""

from __future__ import annotations

from typing import Final

from tlsalert.diagnosis.chain import ChainFacts, names_match, outside
from tlsalert.diagnosis.knowledge import likelihood
from tlsalert.diagnosis.refused import Refusal
from tlsalert.model import when

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
}
#: The same where a client refuses a server's certificate: there the name must match, too.
SERVER_WEIGHTS: Final = {
    **CLIENT_WEIGHTS,
    "name_mismatch": 0.12,
    "certificate_not_yet_valid": 0.06,
    "wrong_certificate_usage": 0.02,
}

#: By the clock that judged: dates that are surely so, and dates that are surely not.
CERTAIN_DATE, EXCLUDED_DATE = 3.0, 0.01
#: By the capture's clock, where the judging side's does not show: it is nearly always about right.
LIKELY_DATE = 1.2
#: Stacks that are less likely than this do not weigh in.
LEAST_SHARE: Final = 0.003
YEAR: Final = 365 * 86_400

Ranking = list[tuple[str, float]]


def rank(refusal: Refusal) -> Ranking:
    """Return the causes for which a certificate may have been refused, likeliest first; they add up to 1."""
    weights = dict(CLIENT_WEIGHTS if refusal.owner == "client" else SERVER_WEIGHTS)
    _by_chain(weights, refusal.facts)
    _by_authorities(weights, refusal)
    _by_name(weights, refusal)
    _by_dates(weights, refusal)
    stacks = [(stack, share) for stack, share in refusal.stacks.items() if share > LEAST_SHARE]
    scores = {cause: weight * answered(cause, refusal, stacks) for cause, weight in weights.items()}
    total = sum(scores.values()) or 1.0
    return sorted(((cause, score / total) for cause, score in scores.items()), key=lambda pair: -pair[1])


def answered(cause: str, refusal: Refusal, stacks: list[tuple[str, float]]) -> float:
    """Return how likely the refusal's answer is for a cause, over the stacks that may have given it."""
    answer = refusal.answer
    if answer is None:
        return 1.0
    tls13, refuser = refusal.tls13, refusal.refuser
    return sum([share * likelihood(stack, tls13, cause, answer, refuser) for stack, share in stacks])


def _by_chain(weights: dict[str, float], facts: ChainFacts) -> None:
    """Weigh what the chain shows by itself."""
    weights["malformed_certificate"] *= 20 if facts.broken else 0.3
    weights["weak_certificate"] *= 8 if facts.weak else 0.1
    weights["wrong_certificate_usage"] *= 15 if facts.wrong_usage else 0.1
    if facts.wrong_order:
        weights["chain_out_of_order"] = 0.15
    if facts.self_signed:
        weights["chain_incomplete"] = 0.0
        for cause in ("certificate_revoked", "chain_invalid", "chain_too_long", "revocation_status_unavailable"):
            weights[cause] *= 0.2
    elif facts.issuer_sent:
        weights["chain_incomplete"] *= 0.2


def _by_authorities(weights: dict[str, float], refusal: Refusal) -> None:
    """Ask whether the issuer is among the authorities that the server names, RFC 5246 §7.4.4: it trusts those."""
    request = refusal.connection.certificate_request
    if refusal.owner != "client" or request is None or not request.authorities or not refusal.chain:
        return
    known = any(certificate.issuer in request.authorities for certificate in refusal.chain)
    weights["unknown_ca"] *= 0.25 if known else 4
    if not known:
        weights["certificate_not_pinned"] *= 0.2


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
    for cause in ("certificate_not_yet_valid", "certificate_expired"):
        shown = CERTAIN_DATE if cause in by_clock else EXCLUDED_DATE
        guessed = LIKELY_DATE if cause in by_capture else weights[cause]
        weights[cause] = sure * shown + (1 - sure) * guessed
    if by_clock:  # what else is wrong would have to be wrong as well
        for cause in weights:
            if cause not in by_clock:
                weights[cause] *= 1 - 0.8 * sure
