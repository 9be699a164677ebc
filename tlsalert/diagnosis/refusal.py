"""The verdict on a refused certificate: the ranking of causes put into words, with what was seen and what is known."""

from __future__ import annotations

from tlsalert.diagnosis import words
from tlsalert.diagnosis.causes import Ranking, rank
from tlsalert.diagnosis.chain import chain_facts, outside
from tlsalert.diagnosis.client_stacks import client_stack
from tlsalert.diagnosis.ending import Ending, alert_lost, ended
from tlsalert.diagnosis.knowledge import habit, informative
from tlsalert.diagnosis.refused import UNSEEN, Refusal
from tlsalert.diagnosis.stacks import LABELS
from tlsalert.model import (
    Alternative,
    Certificate,
    Clock,
    Connection,
    Evidence,
    Fault,
    Position,
    Side,
    Verdict,
    when,
)

#: A confidence is not allowed past these: an alert in clear and a proven clock; no proof of the clock; no alert.
PROVEN, UNPROVEN, SILENT = 0.99, 0.88, 0.6
#: Below this nobody is told to be at fault.
LEAST_FOR_FAULT = 0.2
#: The causes that a clock can prove.
DATED = ("certificate_not_yet_valid", "certificate_expired")
#: Below this the best cause of a close without an alert is no more than a hint: the close is all that can be said.
HINT = 0.5


def refused_certificate(connection: Connection, end: Ending, stacks: dict[str, float]) -> Verdict:
    """Return the verdict on a connection in which one side refused the other's certificate."""
    refuser: Side = end.sender or "server"
    owner = words.other(refuser)
    chain = connection.certificates.client if owner == "client" else connection.certificates.server
    clock = connection.clocks.server if refuser == "server" else connection.clocks.client
    facts = chain_facts(chain or (UNSEEN,), owner == "client")
    by = stacks if refuser == "server" else client_stack(connection.client_hello)
    refusal = Refusal(connection, end, refuser, owner, chain, facts, clock, by)
    return _verdict(refusal, _settled(refusal, rank(refusal)))


def _settled(refusal: Refusal, ranking: Ranking) -> Ranking:
    """Hold the confidences to what this kind of evidence can carry; say "closed" where nothing stands out."""
    plain = isinstance(refusal.answer, int)
    cap = UNPROVEN if plain or refusal.proven else SILENT
    dated = PROVEN if plain and refusal.proven else cap
    held = [(cause, min(share, dated if cause in DATED else cap)) for cause, share in ranking if share >= 0.01]
    hint = not held or held[0][1] < HINT or refusal.refuser == "client"  # clients come and go for many reasons
    if isinstance(refusal.answer, str) and hint:
        silent = "reset_without_alert" if refusal.answer == "rst" else "closed_without_alert"
        return [(silent, 0.5), *held]
    return held or [(ranking[0][0], 0.05)]


def _verdict(refusal: Refusal, ranking: Ranking) -> Verdict:
    cause, sure = ranking[0]
    return Verdict(
        "failed",
        _summary(refusal, cause, sure),
        refusal.refuser,
        cause,
        round(sure, 3),
        _fault(refusal, cause) if sure >= LEAST_FOR_FAULT else None,
        alert_lost(refusal.connection, refusal.end),
        tuple(_evidence(refusal, cause)),
        tuple(_advice(refusal, cause, sure)),
        tuple(Alternative(name, round(share, 3)) for name, share in ranking[1:6] if share >= 0.02),
    )


def _summary(refusal: Refusal, cause: str, sure: float) -> str:
    """One sentence: who refused what, and why, as surely as it is known."""
    refuser, owner = refusal.refuser, refusal.owner
    if cause in ("closed_without_alert", "reset_without_alert"):
        how = "reset" if cause == "reset_without_alert" else "closed"
        said = "with no more than a close_notify" if refusal.end.farewell else "without an alert"
        return f"Undecided: after the {owner}'s certificate the {refuser} {how} the connection {said}."
    silent = isinstance(refusal.answer, str)
    did = f"ended the connection after the {owner}'s certificate" if silent else f"refused the {owner}'s certificate"
    head = f"The {refuser} {did}"
    why = words.WHY.get(cause, cause).format(refuser=refuser, owner=owner)
    if sure >= 0.9:
        return f"{head}: {why}."
    if sure >= 0.5:
        return f"{head}, most likely because {why}."
    if refusal.end.alert is not None and refusal.end.alert.code is None:
        return f"Undecided: the {refuser} refused the {owner}'s certificate with an encrypted alert; perhaps {why}."
    return f"Undecided: {head[0].lower()}{head[1:]}; perhaps {why}."


def _fault(refusal: Refusal, cause: str) -> Fault | None:
    """Return the side where the mend belongs."""
    refuser, owner = refusal.refuser, refusal.owner
    if cause == "certificate_not_yet_valid":
        # Nobody issues certificates for the future: where one is not valid yet, it is the judge's clock that is behind.
        return refuser
    if cause == "certificate_expired":
        return refuser if _runs_ahead(refusal) else owner
    if cause in ("closed_without_alert", "reset_without_alert", "revocation_status_unavailable", "internal_error"):
        return refuser
    if cause == "unknown_ca" and refuser == "client":
        return "client"
    return owner


def _runs_ahead(refusal: Refusal) -> bool:
    """Whether what the judge calls expired is valid by the capture's clock: then the judge's clock is the suspect."""
    start = refusal.connection.start
    return start is not None and bool(refusal.chain) and not _expired(refusal, start)


def _expired(refusal: Refusal, time: int) -> bool:
    return any(why == "certificate_expired" for _, why in outside(refusal.chain, when(time)))


def _evidence(refusal: Refusal, cause: str) -> list[Evidence]:
    """What was seen, each with its frame, and what is known about the stack."""
    found: list[Evidence] = []
    dated = cause in DATED
    if refusal.clock is not None and dated:
        found.append(_clock_evidence(refusal.refuser, refusal.clock))
    place = _certificate_position(refusal)
    if refusal.chain:
        found.append(Evidence(place, f"the certificate {words.validity(_suspect(refusal, cause))}"))
    start = refusal.connection.start
    if dated and refusal.chain and not refusal.proven and start is not None:
        valid = "valid" if not list(outside(refusal.chain, when(start))) else "not valid"
        found.append(Evidence(None, f"by the capture's clock ({words.moment(start)[:10]}) the certificate is {valid}"))
    for remark in (refusal.facts.weak, refusal.facts.wrong_usage, refusal.facts.broken):
        if remark is not None and refusal.chain:
            found.append(Evidence(place, f"the certificate of the {refusal.owner}: {remark}"))
    found.extend(_authorities(refusal))
    found.append(Evidence(refusal.end.position, ended(refusal.end)))
    found.extend(_known(refusal, cause))
    return found


def _suspect(refusal: Refusal, cause: str) -> Certificate:
    """Return the certificate of the chain that the cause is about: the one outside its dates, else the leaf."""
    at = refusal.clock.time if refusal.clock is not None else refusal.connection.start
    if cause in DATED and at is not None:
        for certificate, why in outside(refusal.chain, when(at)):
            if why == cause:
                return certificate
    return refusal.facts.leaf


def _clock_evidence(refuser: Side, clock: Clock) -> Evidence:
    said = f"{clock.source} says {words.moment(clock.time)}, {words.skew(clock)}"
    if clock.agreeing > 1:
        said += f"; {clock.agreeing} handshakes of this {refuser} agree"
    elif clock.confidence < 0.95:
        said += f"; one handshake alone does not prove that it is a clock ({clock.confidence:.0%})"
    return Evidence(clock.position, said)


def _certificate_position(refusal: Refusal) -> Position | None:
    return next(
        (m.position for m in refusal.connection.messages if m.message == "certificate" and m.sender == refusal.owner),
        None,
    )


def _authorities(refusal: Refusal) -> list[Evidence]:
    """Say whether the server named the issuer among the authorities that it trusts."""
    request = refusal.connection.certificate_request
    if refusal.owner != "client" or request is None or not request.authorities or not refusal.chain:
        return []
    position = next((m.position for m in refusal.connection.messages if m.message == "certificate_request"), None)
    known = any(certificate.issuer in request.authorities for certificate in refusal.chain)
    says = "is among" if known else "is not among"
    return [Evidence(position, f"the certificate's issuer {says} the authorities that the server names")]


def _known(refusal: Refusal, cause: str) -> list[Evidence]:
    """Say what the refuser's stack, if it shows, is known to answer."""
    stack, share = max(refusal.stacks.items(), key=lambda pair: pair[1])
    if share < 0.5:
        return []
    label = LABELS.get(stack, stack)
    if refusal.proven and stack == "openssl>=1.1.1":
        label = "OpenSSL"  # a program can tell any OpenSSL to show its clock (SSL_MODE_SEND_SERVERHELLO_TIME)
    who = f"the {refusal.refuser} looks like {label}"
    if not informative(stack):
        return [Evidence(None, f"{who}, whose alert does not tell one cause from another")]
    usual = habit(stack, refusal.tls13, cause, refusal.refuser)
    if usual and usual[0] == refusal.answer:
        return [Evidence(None, f"{who}, which answers {_phrase(cause)} with {usual[0]}")]
    return []


def _phrase(cause: str) -> str:
    return {
        "certificate_not_yet_valid": "a certificate that is not valid yet",
        "certificate_expired": "an expired certificate",
        "unknown_ca": "an unknown issuer",
    }.get(cause, cause.replace("_", " "))


def _advice(refusal: Refusal, cause: str, sure: float) -> list[str]:
    """What to do: the mend where the evidence decides, else the check that would decide."""
    refuser, owner = refusal.refuser, refusal.owner
    advice: list[str] = []
    if cause == "certificate_not_yet_valid":
        advice.extend(_early_advice(refusal))
    elif cause == "certificate_expired":
        advice.extend(_expired_advice(refusal))
    elif cause in words.DO:
        advice.append(words.capital(words.DO[cause].format(refuser=refuser, owner=owner)) + ".")
    if refusal.end.alert is not None and refusal.end.alert.code is None:
        advice.append(f"The alert is encrypted: the {refuser}'s own log says what it was.")
    elif sure < 0.5 or not advice:
        advice.append(f"Look into the {refuser}'s own log: it knows the reason.")
    return advice


def _early_advice(refusal: Refusal) -> list[str]:
    """A certificate that is not valid yet needs nothing but a right clock, until it ends."""
    refuser, clock = refusal.refuser, refusal.clock
    suspect = _suspect(refusal, "certificate_not_yet_valid")
    if suspect.not_before is None:
        begins = f"; hold it against the notBefore of the {refusal.owner}'s certificate, which was not captured"
    else:
        begins = f"; the certificate is valid from {words.day(suspect.not_before)}"
    if clock is not None and clock.confidence >= 0.4:
        advice = [f"Set the {refuser}'s clock: it says {words.moment(clock.time)[:10]}, {words.skew(clock)}{begins}."]
    else:
        advice = [f"Check the {refuser}'s clock{begins}."]
    if suspect.not_after is not None:
        advice.append(f"It ends on {words.day(suspect.not_after)}: from then on a right clock refuses it, too.")
    return advice


def _expired_advice(refusal: Refusal) -> list[str]:
    """An expired certificate is renewed, unless it is valid by the capture's clock: then the judge's is the suspect."""
    suspect, clock, refuser = _suspect(refusal, "certificate_expired"), refusal.clock, refusal.refuser
    until = f"the certificate is valid until {words.day(suspect.not_after)}"
    if _runs_ahead(refusal):
        if clock is not None and clock.confidence >= 0.4:
            return [
                f"Set the {refuser}'s clock: it says {words.moment(clock.time)[:10]}, {words.skew(clock)}; {until}."
            ]
        return [f"Check the {refuser}'s clock: by the capture's {until}."]
    name = words.short_name(suspect)
    advice = [f"Renew the {refusal.owner}'s certificate: {name} was valid until {words.day(suspect.not_after)}."]
    return advice if refusal.proven else [*advice, f"Look at the {refuser}'s clock as well: it does not show."]
