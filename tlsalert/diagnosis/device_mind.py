"""A device's mind, from its answers to many certificates: whom it trusts, what it checks, what its clock says.

    found = mind(tried, Facts(chain, now), certificate_request, clock=shown)
    print(found.verdict.summary)

What a device accepts says something by itself. What it refuses says something only beside the good certificate: where
that one is refused as well, nothing is known of what else the device would mind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from tlsalert.diagnosis import words
from tlsalert.diagnosis.chain import chain_facts, outside
from tlsalert.diagnosis.device_causes import GOOD, STRANGE, Facts, rank_causes
from tlsalert.diagnosis.device_findings import SAME_CA, Dates, Finding, checks_dates, findings
from tlsalert.diagnosis.device_look import FOUND, STRANGERS, DeviceClock, Look, against_ours
from tlsalert.diagnosis.knowledge import Era, habit
from tlsalert.diagnosis.memory import memory
from tlsalert.diagnosis.refused_for_dates import judged_for_themselves
from tlsalert.diagnosis.resemblance import Key, Resemblance, in_words, resembles
from tlsalert.diagnosis.stacks import LABELS
from tlsalert.diagnosis.tried import ACCEPTED, Tried, refused, said
from tlsalert.model import (
    Alternative,
    CertificateRequest,
    Clock,
    Evidence,
    Fault,
    Verdict,
    when,
)
from tlsalert.registry.alerts import AlertDescription

#: A verdict that no date, signature or name proves is never surer than this.
UNPROVEN: Final = 0.8
#: The same where the device answers alike to all that it was shown: then its answer is none to the certificate.
UNMOVED: Final = 0.4
#: The same where the good certificate was accepted.
SEEN: Final = 0.99
#: A cause that is less likely than this is not named beside the first.
LEAST_ALTERNATIVE: Final = 0.05
#: Seconds from which on a clock that is off is worth a word although nothing fails by it.
OFF: Final = 86_400
#: From this confidence on a shown clock is told as the device's.
CREDIBLE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the device trusts. ``authorities`` are the names in its CertificateRequest (RFC 4514 text).

    ``your_ca`` is whether it trusts the CA of the good certificate, None where that cannot be told. ``how`` is "ca"
    (any certificate of that CA), "pinned" (this certificate alone), "anyone", or None.
    """

    authorities: tuple[str, ...] = ()
    your_ca: bool | None = None
    how: Literal["ca", "pinned", "anyone"] | None = None


@dataclass(frozen=True, slots=True)
class DeviceMind:
    """What the answers of a device say about it. ``checks_dates`` is None where that cannot be told.

    ``memory`` says where its answers depend on the order or differ from try to try; ``stack`` are the stacks that it
    resembles, the nearest first, and ``stack_says`` that in words. ``by_dates`` are the variants and versions that the
    device's clock refused for their dates, so that what they were made to show was not looked at.
    """

    trusts: Trust
    checks_dates: Dates | None
    findings: tuple[Finding, ...]
    memory: tuple[str, ...]
    clock: DeviceClock
    stack: tuple[Resemblance, ...]
    stack_says: tuple[str, ...]
    verdict: Verdict
    by_dates: frozenset[tuple[str, str]] = frozenset()

    @property
    def alarming(self) -> tuple[Finding, ...]:
        """What lets in whom it should not."""
        return tuple(finding for finding in self.findings if finding.alarming)


def mind(
    tried: Iterable[Tried],
    facts: Facts | None = None,
    request: CertificateRequest | None = None,
    shown: Clock | None = None,
    found: DeviceClock | None = None,
    families: Mapping[str, float] | None = None,
    hidden: frozenset[Key] = frozenset(),
) -> DeviceMind:
    """Return what the trials say of the device's mind.

    ``shown`` is the clock that its handshakes or HTTP answers show, ``found`` what bisection by certificates found.
    ``families`` says how likely each TLS stack is by its handshake (:func:`tlsalert.diagnosis.stacks.server_stack`).
    Rows of the measurements in ``hidden`` are not used: that is for tests.
    """
    look = Look(tuple(tried), facts or Facts(), request, shown, found, families, hidden)
    verdict = _verdict(look)
    clock = _clock(look, verdict)
    telling = _telling(look, verdict, clock)
    ranked = tuple(resembles(telling, families, hidden))
    return DeviceMind(
        _trust(look, verdict),
        checks_dates(look),
        tuple(findings(look)),
        memory(look.tried),
        clock,
        ranked,
        in_words(ranked, look.tried),
        _with_clock(look, verdict, clock),
        _places(look.tried) - _places(telling),
    )


def _places(tried: Iterable[Tried]) -> frozenset[tuple[str, str]]:
    """Return the variants, other than the good one, and the versions in which they were refused."""
    return frozenset((one.variant, one.tls_version) for one in tried if one.variant != GOOD and refused(one.answer))


def _telling(look: Look, verdict: Verdict, clock: DeviceClock) -> tuple[Tried, ...]:
    """Return the trials that tell of the stack: where its clock is known, those that it did not refuse for dates."""
    dated = verdict.cause in ("certificate_not_yet_valid", "certificate_expired")
    sure = clock.time is not None or (dated and verdict.confidence >= UNPROVEN)
    return judged_for_themselves(look.tried, clock) if sure else look.tried


def _verdict(look: Look) -> Verdict:
    """Return what became of the good certificate, and why."""
    if look.accepting and not look.refusing:
        return _accepted(look)
    if look.refusing:
        return _refused(look)
    if look.answers(GOOD):
        advice = ("Look whether the device answers at all, and with a longer time-out.",)
        return Verdict("incomplete", "Undecided: the good certificate got no clear answer.", advice=advice)
    if look.facts.cut_short:
        advice = ("Send a ClientHello that the device is known to take (--from), or try other TLS versions (--tls).",)
        summary = "Undecided: every handshake ended before the client could show a certificate."
        return Verdict("incomplete", summary, advice=advice)
    advice = ("Give the certificate and the key that the device should accept.",)
    if look.facts.chain:
        advice = ("Try the good certificate as well (--variant good, with its key).",)
    return Verdict("incomplete", "Undecided: the good certificate was not tried.", advice=advice)


def _accepted(look: Look) -> Verdict:
    versions = " and ".join(sorted(look.accepting))
    anyone = look.accepted(*STRANGERS)
    if look.open_in_tls:
        return _open_in_tls(versions, anyone)
    if anyone:
        summary = "The device accepts the certificate, and strangers' as well: it does not check who issued them."
        advice = ("Let the device demand a certificate of your CA: as it is, anybody is let in.",)
        anybody = (Evidence(None, f"accepted: {GOOD} in {versions}; {_listed(anyone)}"),)
        return Verdict("established", summary, confidence=SEEN, evidence=anybody, advice=advice)
    others = look.refused_beside_good(*sorted(STRANGE, key=_probes_first))
    trusts = "The device trusts your CA" if look.facts.chain and not _alone(look) else "The device accepts it"
    seen = [Evidence(None, f"the good certificate is accepted in {versions}")]
    if others:
        seen.append(Evidence(None, f"refused beside it: {_listed(others)}"))
    return Verdict("established", f"{trusts}.", confidence=SEEN, evidence=tuple(seen))


def _open_in_tls(versions: str, anyone: list[str]) -> Verdict:
    """Return what is known of a device that lets in anybody in TLS, where what it says inside was not asked for."""
    return Verdict(
        "established",
        "Undecided: TLS lets in anybody, with your certificate or without; it may be refused inside.",
        confidence=SEEN,
        evidence=(Evidence(None, f"accepted: {GOOD} in {versions}; {_listed(['none_sent', *anyone])}"),),
        advice=(
            "Ask inside TLS as well (--http /): nginx and others judge the certificate there, in HTTP.",
            "If that is answered, too, let the device demand a certificate of your CA: as it is, anybody is let in.",
        ),
    )


def _probes_first(variant: str) -> tuple[bool, str]:
    """Sort the three that an engineer tries first before the others."""
    return variant not in ("none_sent", "self_signed_unknown", "unknown_issuer"), variant


def _listed(variants: list[str]) -> str:
    more = len(variants) - 4
    return f"{', '.join(variants[:4])}{f' and {more} more' if more > 0 else ''}"


def _alone(look: Look) -> bool:
    return bool(look.facts.chain[0].self_signed)


def _refused(look: Look) -> Verdict:
    """Return why the good certificate is refused: judged in the version that tells the most."""
    known = (look.facts, look.request, look.clock, look.families, look.hidden)
    judged = [(rank_causes(look.told, version, *known), version) for version in look.refusing]
    (ranked, stacks), version = max(judged, key=lambda pair: pair[0][0][0][1])
    cause, sure = ranked[0]
    sure = min(sure, FOUND if _proven(look, cause) else UNMOVED if _unmoved(look) else UNPROVEN)
    others = tuple(Alternative(other, round(share, 2)) for other, share in ranked[1:5] if share >= LEAST_ALTERNATIVE)
    return Verdict(
        "failed",
        _summary(look, cause, sure, version),
        "server",
        cause,
        round(sure, 2),
        _fault(look, cause),
        evidence=tuple(_evidence(look, cause, stacks, version)),
        advice=tuple(_advice(look, cause, sure)),
        alternatives=others,
    )


def _unmoved(look: Look) -> bool:
    """Whether the device gave one and the same answer to the good certificate and to none, and no other to anything."""
    without = {cell.answer for cell in look.told if cell.variant == "none_sent"}
    return bool(without) and len({cell.answer for cell in look.told}) == 1


def _proven(look: Look, cause: str) -> bool:
    """Whether more than the device's answers speaks for the cause: a date by a clock, or the certificate itself."""
    clock, chain = look.clock, look.facts.chain
    if cause in ("certificate_not_yet_valid", "certificate_expired"):
        if clock is not None and clock.confidence >= CREDIBLE:
            return cause in {one for _, one in outside(chain, when(clock.time))}
        if _unmoved(look):  # our own clock says what is wrong with the certificate, not that the device minds it
            return False
        return look.facts.now is not None and cause in {one for _, one in outside(chain, look.facts.now)}
    if cause == "key_mismatch":
        return look.facts.key_fits is False
    return bool(chain) and cause == "bad_certificate_signature" and chain_facts(chain, True).path.forged is not None


_WHAT: Final[dict[str, str]] = {
    "certificate_not_yet_valid": "the certificate is not valid yet by its clock",
    "certificate_expired": "the certificate has expired by its clock",
    "unknown_ca": "it does not know the CA",
    "no_client_certificate": "it got none",
    "chain_incomplete": "it lacks an intermediate certificate",
    "certificate_not_pinned": "it is not the certificate that is pinned there",
    "wrong_certificate_usage": "its usage is not the one that the device demands",
    "key_mismatch": "the private key is not that of the certificate",
    "bad_certificate_signature": "the signature on it does not verify with the key of the CA that the device has",
    "certificate_revoked": "it is revoked there",
    "revocation_status_unavailable": "the device cannot tell whether it is revoked",
    "weak_certificate": "its key or signature is too weak for the device",
    "malformed_certificate": "the device cannot make sense of its encoding",
    "unsupported_certificate": "the device does not support it",
    "chain_invalid": "an issuer in its chain may not issue it",
    "chain_too_long": "its chain is too long for the device",
}
_PHRASES: Final[dict[str, str]] = {
    "certificate_not_yet_valid": "a certificate that is not valid yet",
    "certificate_expired": "an expired certificate",
    "unknown_ca": "an unknown issuer",
    "certificate_not_pinned": "a certificate that is not the pinned one",
}


def _summary(look: Look, cause: str, sure: float, version: str) -> str:
    answer = _alert(look.answers(GOOD)[version])
    what = _WHAT.get(cause, cause.replace("_", " "))
    guess = "" if _proven(look, cause) else "probably " if sure >= 0.5 else "perhaps "
    where = f" in {version}" if look.accepting else ""
    return f"The device refuses the good certificate{where} with {answer}: {guess}{what}."


def _fault(look: Look, cause: str) -> Fault | None:
    """Return the side where the mend belongs, as for a connection's verdict."""
    now, chain = look.facts.now, look.facts.chain
    if cause == "certificate_not_yet_valid":
        return "server"
    if cause == "certificate_expired":
        return "client" if now is not None and any(one == cause for _, one in outside(chain, now)) else "server"
    if cause in ("certificate_not_pinned", "revocation_status_unavailable"):
        return "server"
    return None if cause == "unknown_ca" else "client"


def _evidence(look: Look, cause: str, stacks: Mapping[str, float], version: str) -> Iterable[Evidence]:
    """Say what was seen: the answers that count, the dates, the clock, the names, and what is known of the stack."""
    probes = [v for v in ("none_sent", "self_signed_unknown", "unknown_issuer", "garbage_der") if look.answers(v)]
    told = [f"{GOOD} → {said(look.answers(GOOD)[version])}"]
    told += [f"{v} → {said(look.answers(v)[version])}" for v in probes if version in look.answers(v)]
    yield Evidence(None, f"{version}: {', '.join(told)}")
    if _unmoved(look):
        yield Evidence(None, "it answers alike whatever it is shown, so that its answer says little of the certificate")
    if cause in ("certificate_not_yet_valid", "certificate_expired") and look.facts.chain:
        yield Evidence(None, words.validity(look.facts.chain[0]))
    if look.clock is not None:
        yield Evidence(None, _clock_said(look.clock))
    if look.accepting:
        yield Evidence(None, f"the same certificate is accepted in {' and '.join(sorted(look.accepting))}")
    if look.request is not None and look.request.authorities and look.facts.chain:
        named = any(one.issuer in look.request.authorities for one in look.facts.chain)
        does = "names" if named else "does not name"
        yield Evidence(None, f"CertificateRequest {does} an issuer of the certificate")
    yield from _habits(look, cause, stacks, version)


def _clock_said(clock: Clock) -> str:
    text = f"{clock.source} says {words.moment(clock.time)}, {against_ours(clock.skew_seconds)}"
    return text if clock.confidence >= CREDIBLE else f"{text}; that it is a clock at all is {clock.confidence:.0%} sure"


def _habits(look: Look, cause: str, stacks: Mapping[str, float], version: str) -> Iterable[Evidence]:
    """Say what stacks like this one answer to the cause, where that is what the device answered."""
    answer = look.answers(GOOD)[version]
    era: Era = "tls1.3" if version.endswith("TLS 1.3") else "ssl3" if version == "SSLv3" else "tls1.2"
    likely = [family for family, share in sorted(stacks.items(), key=lambda pair: -pair[1]) if share >= 0.2]
    fitting = [family for family in likely if str(next(iter(habit(family, era, cause)), "")) == answer]
    if fitting:
        names = " and ".join(LABELS[family] for family in fitting[:2])
        what = _PHRASES.get(cause, f"what is told as {cause}")
        yield Evidence(None, f"its answers are those of {names}, which answer {what} with {said(answer)}")


def _advice(look: Look, cause: str, sure: float) -> Iterable[str]:
    """Say what to do: the mend, and where it is not sure the trial that would decide."""
    facts, do = look.facts, "Set" if _proven(look, cause) else "Check"
    if cause == "certificate_not_yet_valid":
        says = "" if look.clock is None else f": it says {words.moment(look.clock.time)[:10]}"
        since = "" if facts.not_before is None else f"; the certificate is valid from {words.day(facts.not_before)}"
        yield f"{do} the device's clock{says}{since}."
        if facts.not_after is not None and facts.now is not None and facts.not_after <= facts.now:
            yield f"Renew the certificate: it ended on {words.day(facts.not_after)}, and a right clock refuses it, too."
        elif facts.not_after is not None:
            yield f"It ends on {words.day(facts.not_after)}: from then on a right clock refuses it, too."
    elif cause == "certificate_expired" and _fault(look, cause) == "server":
        until = "" if facts.not_after is None else f"; the certificate is valid until {words.day(facts.not_after)}"
        yield f"{do} the device's clock, which runs ahead{until}."
    elif cause in words.DO:
        yield words.capital(words.DO[cause].format(refuser="server", owner="client")) + "."
    if sure < UNPROVEN or not _proven(look, cause):
        yield from _deciding(look, cause)


def _deciding(look: Look, cause: str) -> Iterable[str]:
    """Name what would decide between the causes that are left."""
    tried = {one.variant for one in look.tried}
    if cause in ("certificate_not_yet_valid", "certificate_expired") and look.found is None:
        if look.facts.ca is None:
            yield "With the CA's key (--ca-cert, --ca-key) the device's clock can be found by certificates."
        else:
            yield "Let the device's clock be found by certificates (--find-clock): the CA's key is there."
    missing = [v for v in ("none_sent", "self_signed_unknown", "garbage_der", "unknown_issuer") if v not in tried]
    if missing:
        yield f"Try {', '.join(missing)} as well: they tell what this stack's answers mean."


def _trust(look: Look, verdict: Verdict) -> Trust:
    """Return whom it trusts, by the names that it asks for and by the trials."""
    authorities = look.request.authorities if look.request is not None else ()
    if look.open_in_tls:
        return Trust(authorities, None, None)
    if look.accepted(*STRANGERS):
        return Trust(authorities, True if look.accepting else None, "anyone")
    others = look.accepted(*SAME_CA)
    if look.asked_by_certificates:
        return Trust(authorities, True, "ca")
    if look.accepting:
        refused_others = look.refused_beside_good(*SAME_CA)
        alone = bool(refused_others) and not others and len(refused_others) > 1
        return Trust(authorities, None if alone else True, "pinned" if alone else "ca" if others else None)
    if others:
        return Trust(authorities, True, "ca")
    unknown = next((one.confidence for one in verdict.alternatives if one.cause == "unknown_ca"), 0.0)
    unknown = verdict.confidence if verdict.cause == "unknown_ca" else unknown
    dated = verdict.cause in ("certificate_not_yet_valid", "certificate_expired")
    if dated and unknown < 0.02 and _proven(look, verdict.cause or ""):
        return Trust(authorities, True)
    return Trust(authorities, False if verdict.cause == "unknown_ca" and unknown >= 0.7 else None)


def _clock(look: Look, verdict: Verdict) -> DeviceClock:
    """Return the device's clock: as bisection found it, as it shows, else within what the dates leave open."""
    earliest, latest = _bounds(look, verdict)
    if look.found is not None and look.found.known:
        return look.found
    shown = look.shown
    if shown is not None and shown.confidence >= CREDIBLE:
        return DeviceClock(earliest, latest, shown.time, shown.at, 1.0, shown.source, shown.confidence)
    return DeviceClock(earliest, latest, confidence=verdict.confidence)


def _bounds(look: Look, verdict: Verdict) -> tuple[datetime | None, datetime | None]:
    """Return between which dates the clock stands, where the device looks at dates."""
    early, late = verdict.cause == "certificate_not_yet_valid", verdict.cause == "certificate_expired"
    checks = checks_dates(look)
    earliest = look.facts.not_after if late else None
    latest = look.facts.not_before if early else None
    for one in look.tried:
        if one.answer == ACCEPTED and (checks == "both" or early or late):
            earliest = max((t for t in (earliest, one.not_before) if t is not None), default=None)
            latest = min((t for t in (latest, one.not_after) if t is not None), default=None)
    if look.accepting and checks == "both":
        earliest = max((t for t in (earliest, look.facts.not_before) if t is not None), default=None)
        latest = min((t for t in (latest, look.facts.not_after) if t is not None), default=None)
    if earliest is not None and latest is not None and earliest > latest:
        return None, None  # the answers contradict each other: the clock was set in between, or dates are not it
    return earliest, latest


def _with_clock(look: Look, verdict: Verdict, clock: DeviceClock) -> Verdict:
    """Return the verdict with the clock in its sentence, where it is known."""
    if not clock.known:
        return verdict
    summary, advice = verdict.summary, verdict.advice
    dated = verdict.cause in ("certificate_not_yet_valid", "certificate_expired")
    if clock.time is not None and verdict.outcome == "established":
        summary = f"{summary[:-1]} and its clock is {clock}."
        advice += _clock_advice(clock)
    elif clock.time is not None and dated and _proven(look, verdict.cause or ""):
        if look.asked_by_certificates:
            summary = f"The device trusts your CA and its clock is {clock}: {_wrong_by_clock(look, verdict)}."
        else:
            summary = f"{summary[:-1]}, which is {clock}."
    elif dated and verdict.confidence >= 0.5:
        summary = f"{summary[:-1]}, so that it stands {clock}."
    return Verdict(
        verdict.outcome, summary, verdict.refused_by, verdict.cause, verdict.confidence, verdict.at_fault,
        verdict.alert_lost, verdict.evidence, advice, verdict.alternatives,
    )  # fmt: skip


def _clock_advice(clock: DeviceClock) -> tuple[str, ...]:
    """Say what to do about a clock that is off although the certificate is accepted by it."""
    skew = clock.skew_seconds
    if skew is None or abs(skew) < OFF:
        return ()
    return (f"Set the device's clock: it is {against_ours(skew)}, and accepts certificates by it.",)


def _wrong_by_clock(look: Look, verdict: Verdict) -> str:
    """Say what is wrong with the good certificate by a clock that is known."""
    if verdict.cause == "certificate_expired":
        return f"the certificate ended on {words.day(look.facts.not_after)}"
    return f"the certificate begins on {words.day(look.facts.not_before)}"


def _alert(answer: str) -> str:
    """Return an answer in words, an alert by its name and number."""
    if not answer.isdigit() or answer == "400":
        return said(answer)
    return str(AlertDescription(int(answer)))
