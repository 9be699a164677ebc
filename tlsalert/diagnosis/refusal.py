"""The verdict on a refused certificate: the ranking of causes put into words, with what was seen and what is known."""

from __future__ import annotations

from typing import Final

from tlsalert.diagnosis import words
from tlsalert.diagnosis.causes import Ranking, named, rank
from tlsalert.diagnosis.chain import chain_facts, outside
from tlsalert.diagnosis.client_stacks import client_stack
from tlsalert.diagnosis.ending import Ending, alert_lost, ended
from tlsalert.diagnosis.knowledge import habit, informative
from tlsalert.diagnosis.offers import Bounds, ServerSeen
from tlsalert.diagnosis.proofs import NO_PROOF, proof
from tlsalert.diagnosis.refused import UNSEEN, Refusal
from tlsalert.diagnosis.shown import LARGE, PLAIN, Shown, shown
from tlsalert.diagnosis.stacks import LABELS
from tlsalert.model import (
    Alternative,
    Certificate,
    Clock,
    Connection,
    Evidence,
    Fault,
    Side,
    Verdict,
    when,
)

#: A confidence is not allowed past these: an alert in clear and a proven clock; no proof of the clock; no alert.
PROVEN, UNPROVEN, SILENT = 0.99, 0.88, 0.6
#: What the RFCs tell verifiers to refuse, seen in the chain, and refused with the alert that the stack has for it.
KNOWN: Final = 0.95
#: From here on a stack counts as known.
KNOWN_STACK: Final = 0.5
#: certificate_revoked, certificate_expired, unknown_ca: who says so has judged the chain, and that comes before the
#: signature that proves the key. To verify it takes time, so it is left alone then, unless the certificate signed
#: itself: with those a renewed certificate beside the old key is a common mistake.
JUDGED_BEFORE: Final = frozenset((44, 45, 48))
#: Below this nobody is told to be at fault.
LEAST_FOR_FAULT = 0.2
#: What to do where a server refuses an issuer that it names itself.
NAMED: Final = (
    "The {refuser} names this issuer among its authorities: compare its CA certificate of that name with the one that "
    "issued the certificate (same key?), and look whether it wants a revocation list (CRL) that it does not have."
)
#: The causes that a clock can prove.
DATED = ("certificate_not_yet_valid", "certificate_expired")
#: Below this the best cause of a close without an alert is no more than a hint: the close is all that can be said.
HINT = 0.5
#: The same where the refuser's stack is known to close without an alert when it refuses a certificate.
HINT_OF_HABIT: Final = 0.35


def refused_certificate(
    connection: Connection,
    end: Ending,
    stacks: dict[str, float],
    among: frozenset[str] = frozenset(),
    seen: ServerSeen | None = None,
) -> Verdict:
    """Return the verdict on a connection in which one side refused the other's certificate.

    ``among`` are the causes that the refuser's own words leave, where it used any; ``seen`` is what other
    connections show of it where it is the server.
    """
    refuser: Side = end.sender or "server"
    owner = words.other(refuser)
    chain = connection.certificates.client if owner == "client" else connection.certificates.server
    clock = connection.clocks.server if refuser == "server" else connection.clocks.client
    facts = chain_facts(chain or (UNSEEN,), owner == "client")
    by = stacks if refuser == "server" else client_stack(connection.client_hello)
    code = end.alert.code if end.alert is not None else None
    needless = code in JUDGED_BEFORE and facts.path.forged is None and not facts.self_signed
    signed = NO_PROOF if needless else proof(connection, owner)
    refusal = Refusal(connection, end, refuser, owner, chain, facts, clock, by, signed, among, seen)
    defects = shown(refusal)
    return _verdict(refusal, _settled(refusal, rank(refusal, defects), defects), defects)


def conspicuous(connection: Connection, owner: Side) -> bool:
    """Whether a certificate is one over which a stack may stumble while it reads the message: none at all, or huge.

    Go and Java answer these with unexpected_message (10), which is about no certificate otherwise.
    """
    chain = connection.certificates.client if owner == "client" else connection.certificates.server
    if not chain:
        return False
    facts = chain_facts(chain, owner == "client")
    lengths = [m.length for m in connection.messages if m.message == "certificate" and m.sender == owner]
    return facts.garbage is not None or max(lengths, default=0) > LARGE


def _settled(refusal: Refusal, ranking: Ranking, defects: tuple[Shown, ...]) -> Ranking:
    """Hold the confidences to what this kind of evidence can carry; say "closed" where nothing stands out."""
    plain = isinstance(refusal.answer, int) or refusal.end.how == "http"
    common = UNPROVEN if plain or refusal.proven else SILENT
    if refusal.told:
        common = KNOWN
    caps = {cause: PROVEN for cause in DATED if refusal.proven and plain}
    for defect in defects:  # the gravest first
        caps.setdefault(defect.cause, _cap(refusal, defect, plain))
    held = [(cause, min(share, caps.get(cause, common))) for cause, share in ranking if share >= 0.01]
    least = HINT_OF_HABIT if held and _answers_so(refusal, held[0][0]) else HINT
    hint = not held or held[0][1] < least or refusal.refuser == "client"  # clients come and go for many reasons
    if refusal.answer in ("fin", "rst") and hint:
        silent = "reset_without_alert" if refusal.answer == "rst" else "closed_without_alert"
        return [(silent, 0.5), *[(cause, min(share, 0.5)) for cause, share in held]]
    return held or [(ranking[0][0], 0.05)]


def _cap(refusal: Refusal, defect: Shown, plain: bool) -> float:
    """Return how sure the cause of a defect may be: only what was proven may be called certain."""
    if defect.proven:
        return PROVEN if plain and not _unusual(refusal, defect.cause) else UNPROVEN
    if defect.weight < PLAIN:
        return UNPROVEN if plain or refusal.proven else SILENT
    return KNOWN if plain and _usual(refusal, defect.cause) else UNPROVEN


def _usual(refusal: Refusal, cause: str) -> bool:
    """Whether the refuser's stack, where it is known, is one that tells causes apart, and answers this one so."""
    return informative(_likeliest(refusal)[0]) and _answers_so(refusal, cause)


def _unusual(refusal: Refusal, cause: str) -> bool:
    """Whether the refuser's stack, where it is known, answers the cause otherwise: it may mind something else."""
    stack, share = _likeliest(refusal)
    usual = habit(stack, refusal.era, cause, refusal.refuser)
    return share >= KNOWN_STACK and bool(usual) and refusal.answer not in usual


def _answers_so(refusal: Refusal, cause: str) -> bool:
    """Whether the refuser's stack, where it is known, answers the cause this way."""
    stack, share = _likeliest(refusal)
    return share >= KNOWN_STACK and refusal.answer in habit(stack, refusal.era, cause, refusal.refuser)


def _likeliest(refusal: Refusal) -> tuple[str, float]:
    return max(refusal.stacks.items(), key=lambda pair: pair[1])


def _verdict(refusal: Refusal, ranking: Ranking, defects: tuple[Shown, ...]) -> Verdict:
    cause, sure = ranking[0]
    return Verdict(
        "failed",
        _summary(refusal, cause, sure),
        refusal.refuser,
        cause,
        round(sure, 3),
        _fault(refusal, cause) if sure >= LEAST_FOR_FAULT else None,
        alert_lost(refusal.connection, refusal.end),
        tuple(_evidence(refusal, cause, defects)),
        tuple(_advice(refusal, cause, sure, defects)),
        tuple(Alternative(name, round(share, 3)) for name, share in ranking[1:6] if share >= 0.02),
    )


def _summary(refusal: Refusal, cause: str, sure: float) -> str:
    """One sentence: who refused what, and why, as surely as it is known."""
    refuser, owner = refusal.refuser, refusal.owner
    if cause in ("closed_without_alert", "reset_without_alert"):
        how = "reset" if cause == "reset_without_alert" else "closed"
        said = "with no more than a close_notify" if refusal.end.farewell else "without an alert"
        return f"Undecided: after the {owner}'s certificate the {refuser} {how} the connection {said}."
    silent = refusal.answer in ("fin", "rst")
    did = f"ended the connection after the {owner}'s certificate" if silent else f"refused the {owner}'s certificate"
    head = f"The {refuser} {did}"
    if refusal.end.how == "http":
        head = f"The handshake succeeded, and inside it the {refuser} {did} in HTTP"
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
    if cause == "decryption_failed":
        return None
    if cause == "unknown_ca" and refuser == "client":
        return "client"
    return owner


def _runs_ahead(refusal: Refusal) -> bool:
    """Whether what the judge calls expired is valid by the capture's clock: then the judge's clock is the suspect."""
    start = refusal.connection.start
    return start is not None and bool(refusal.chain) and not _expired(refusal, start)


def _expired(refusal: Refusal, time: int) -> bool:
    return any(why == "certificate_expired" for _, why in outside(refusal.chain, when(time)))


def _evidence(refusal: Refusal, cause: str, defects: tuple[Shown, ...]) -> list[Evidence]:
    """What was seen, each with its frame, and what is known about the stack."""
    found: list[Evidence] = []
    dated = cause in DATED
    if refusal.clock is not None and dated:
        found.append(_clock_evidence(refusal.refuser, refusal.clock))
    if refusal.bounds is not None and dated and not refusal.proven:
        found.append(_bounds_evidence(refusal.bounds, cause))
    place = refusal.certificate_position
    if refusal.chain and refusal.facts.garbage is None:
        whose = "the certificate"
        if place is None and refusal.owner == "client":
            whose = "the client's certificate, as it was given (--client-cert) and not seen:"
        found.append(Evidence(place, f"{whose} {words.validity(_suspect(refusal, cause))}"))
    start = refusal.connection.start
    if dated and refusal.chain and not refusal.proven and start is not None:
        valid = "valid" if not list(outside(refusal.chain, when(start))) else "not valid"
        found.append(Evidence(None, f"by the capture's clock ({words.moment(start)[:10]}) the certificate is {valid}"))
    said: list[str] = []
    for defect in sorted(defects, key=lambda one: one.cause != cause):
        if defect.says not in said:
            said.append(defect.says)
            found.append(Evidence(defect.position, defect.says))
    found.extend(_proofs(refusal))
    found.extend(_authorities(refusal))
    if refusal.trusted:
        found.append(Evidence(None, "the same server accepted another certificate of this issuer in this capture"))
    found.append(Evidence(refusal.end.position, ended(refusal.end)))
    testimony = refusal.connection.testimony
    if testimony is not None and refusal.told:
        found.append(Evidence(testimony.position, f"the {refusal.refuser} says so itself: {testimony.says}"))
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


def _bounds_evidence(bounds: Bounds, cause: str) -> Evidence:
    """Say what a certificate that the same refuser accepted tells of its clock."""
    if cause == "certificate_expired":
        says = f"the same server accepted a certificate that begins on {words.day(bounds.after)}"
        return Evidence(bounds.after_position, f"{says}: its clock is past that")
    says = f"the same server accepted a certificate that ends on {words.day(bounds.before)}"
    return Evidence(bounds.before_position, f"{says}: its clock is not past that")


def _clock_evidence(refuser: Side, clock: Clock) -> Evidence:
    return Evidence(clock.position, words.clock_said(refuser, clock))


def _proofs(refusal: Refusal) -> list[Evidence]:
    """Say what signatures rule out."""
    found: list[Evidence] = []
    proven, path = refusal.proof, refusal.facts.path
    if proven.holds:
        message = "CertificateVerify" if proven.message == "certificate_verify" else "ServerKeyExchange"
        found.append(
            Evidence(proven.position, f"the {message} verifies: the {refusal.owner} has the certificate's key")
        )
    elif proven.altered:
        says = (
            f"the signature of the {refusal.owner} was made with the certificate's key, but over other messages than "
            "those of this capture: they were changed on the way, or the capture was"
        )
        found.append(Evidence(proven.position, says))
    if path.proven and len(path.certificates) > 1:
        says = f"each signature in the chain verifies, up to {words.short_name(path.top)}"
        found.append(Evidence(refusal.certificate_position, says))
    return found


def _authorities(refusal: Refusal) -> list[Evidence]:
    """Say whether the server named the issuer among the authorities that it trusts."""
    request = refusal.connection.certificate_request
    if refusal.owner != "client" or request is None or not request.authorities or not refusal.chain:
        return []
    position = next((m.position for m in refusal.connection.messages if m.message == "certificate_request"), None)
    if refusal.facts.garbage is not None:
        return []
    says = "is among" if named(refusal) else "is not among"
    return [Evidence(position, f"the certificate's issuer {says} the authorities that the server names")]


def _known(refusal: Refusal, cause: str) -> list[Evidence]:
    """Say what the refuser's stack, if it shows, is known to answer."""
    if refusal.end.how == "http":
        says = "nginx lets every handshake finish and answers 400 to whatever it finds wrong with the certificate"
        return [Evidence(None, says)] if refusal.answer == "http400" else []
    stack, share = _likeliest(refusal)
    if share < KNOWN_STACK:
        return []
    label = LABELS.get(stack, stack)
    if refusal.proven and stack == "openssl>=1.1.1":
        label = "OpenSSL"  # a program can tell any OpenSSL to show its clock (SSL_MODE_SEND_SERVERHELLO_TIME)
    who = f"the {refusal.refuser} looks like {label}"
    if not informative(stack):
        return [Evidence(None, f"{who}, whose alert does not tell one cause from another")]
    usual = habit(stack, refusal.era, cause, refusal.refuser)
    if usual and usual[0] == refusal.answer:
        return [Evidence(None, f"{who}, which answers {_phrase(cause)} with {usual[0]}")]
    return []


def _phrase(cause: str) -> str:
    return {
        "certificate_not_yet_valid": "a certificate that is not valid yet",
        "certificate_expired": "an expired certificate",
        "unknown_ca": "an unknown issuer",
    }.get(cause, cause.replace("_", " "))


def _advice(refusal: Refusal, cause: str, sure: float, defects: tuple[Shown, ...]) -> list[str]:
    """What to do: the mend where the evidence decides, else the check that would decide."""
    refuser, owner = refusal.refuser, refusal.owner
    advice: list[str] = []
    if cause == "certificate_not_yet_valid":
        advice.extend(_early_advice(refusal))
    elif cause == "certificate_expired":
        advice.extend(_expired_advice(refusal))
    elif cause == "unknown_ca" and owner == "client" and refusal.chain and named(refusal):
        advice.append(NAMED.format(refuser=refuser))
    elif cause in words.DO:
        exact = next((defect.do for defect in defects if defect.cause == cause and defect.do), None)
        advice.append(words.capital(exact or words.DO[cause].format(refuser=refuser, owner=owner)) + ".")
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
