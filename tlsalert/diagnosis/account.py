"""The verdict on a connection that a log tells in words.

A side's own log says what it objected to: that is more than any alert says, and it needs no guess at the stack. Where
it tells only of the other side's alert, the causes are ranked as they are for captures. Its times are the clock of the
machine that wrote it; how that clock stands against the true time nothing in the log shows.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from tlsalert.diagnosis import words
from tlsalert.diagnosis.causes import CLIENT_WEIGHTS, SERVER_WEIGHTS
from tlsalert.diagnosis.ending import Ending, Stage, alert_lost, client_flight, ended
from tlsalert.diagnosis.other_refusals import no_certificate, other_refusal
from tlsalert.diagnosis.refusal import refused_certificate
from tlsalert.diagnosis.stacks import server_stack
from tlsalert.model import (
    Account,
    Alert,
    Alternative,
    Certificates,
    Clock,
    Clocks,
    Connection,
    Evidence,
    Fault,
    Objection,
    Side,
    Verdict,
)
from tlsalert.registry.alerts import AlertDescription

#: A log's own words, the same where they have more than one cause, a refusal whose cause it does not say.
SAID, AMBIGUOUS, UNSAID = 0.97, 0.85, 0.3
#: Alerts about the peer's certificate, RFC 8446 §6.2: bad_certificate to certificate_unknown, unknown_ca,
#: access_denied, decrypt_error, bad_certificate_status_response, certificate_required.
ABOUT_CERTIFICATE: Final = frozenset((42, 43, 44, 45, 46, 48, 49, 51, 113))
#: Only servers send it: certificate_required, RFC 8446 §6.2.
CERTIFICATE_REQUIRED: Final = 116
HANDSHAKE_FAILURE: Final = 40
DECODE_ERROR: Final = 50
#: Nothing but the number is known: how the causes of a server's handshake_failure are spread, and of a client's.
BARE_FAILURE: Final = (
    ("no_client_certificate", 0.45),
    ("no_shared_cipher_suite", 0.3),
    ("unknown_ca", 0.1),
    ("no_shared_group", 0.05),
    ("no_shared_signature_scheme", 0.05),
)
#: Causes that need no certificate to be refused, and whose fault is nobody's alone: the two sides do not fit.
APART: Final = frozenset(
    (
        "no_shared_version",
        "no_shared_cipher_suite",
        "no_shared_group",
        "no_shared_signature_scheme",
        "no_application_protocol",
        "decryption_failed",
        "inappropriate_fallback",
    )
)


def judge_account(connection: Connection, server_clock: Clock | None = None) -> Connection:
    """Return the connection with the clock of the log's side, and with its verdict."""
    account = connection.account or Account("a program")
    clocks = _clocks(connection, account, server_clock)
    connection = structs.replace(connection, clocks=clocks)
    return structs.replace(connection, verdict=_verdict(connection, account))


def _clocks(connection: Connection, account: Account, server_clock: Clock | None) -> Clocks:
    """Return the clock of the side that keeps the log: the log's time, in step with itself."""
    if connection.start is None or account.side is None:
        return Clocks(connection.start, server_clock)
    first = connection.messages[0].position if connection.messages else None
    own = Clock(connection.start, connection.start, f"the {account.side}'s own log", 1.0, first)
    if account.side == "server":
        return Clocks(connection.start, server_clock or own)
    return Clocks(connection.start, server_clock, own)


def _verdict(connection: Connection, account: Account) -> Verdict:
    fatal = next((a for a in connection.alerts if a.fatal and a.code != 0 and not _farewell(connection, a)), None)
    hard = [one for one in account.objections if not one.soft]
    objection = _decisive(account.objections if hard else ())
    if objection is not None and (fatal is None or fatal.sender == account.side or _before(objection, fatal)):
        return _objected(connection, account, objection, fatal)
    if fatal is not None and not _settled(connection, account, fatal):
        return _alerted(connection, account, fatal)
    if account.completed is not None:
        return _established(connection, account, fatal)
    if connection.closed.how != "open" and connection.closed.sender is not None:
        return _closed(connection)
    if account.failed is not None and not _unanswered(connection):
        return _failed(connection, account)
    return _incomplete(connection)


def _farewell(connection: Connection, alert: Alert) -> bool:
    """Whether an alert only answers that the other side went: OpenSSL 3 sends decode_error then."""
    return alert.code == DECODE_ERROR and connection.closed.sender == words.other(alert.sender)


def _decisive(objections: tuple[Objection, ...]) -> Objection | None:
    """Return the objection that says most: one with a cause, about the certificate first."""
    ranked = sorted(objections, key=lambda one: (one.cause is None, not one.about_certificate))
    return ranked[0] if ranked else None


def _before(objection: Objection, alert: Alert) -> bool:
    return (objection.position.frame or 0) <= (alert.position.frame or 0)


def _settled(connection: Connection, account: Account, alert: Alert) -> bool:
    """Whether an alert came after a handshake that was done, and is no verdict on it.

    In TLS 1.3 the client is done before the server has judged its certificate, RFC 8446 §4.4.4; and what is about a
    certificate is a refusal whenever it comes.
    """
    done = account.completed
    if done is None or (alert.position.frame or 0) <= (done.frame or 0):
        return False
    return alert.code not in ABOUT_CERTIFICATE | {CERTIFICATE_REQUIRED} and not connection.tls13


def _objected(connection: Connection, account: Account, objection: Objection, alert: Alert | None) -> Verdict:
    """The side that keeps the log says what it refused the other for."""
    refuser: Side = account.side or "server"
    owner = words.other(refuser)
    cause, sure, rest = _cause(objection, refuser)
    if cause == "not_tls":
        return _not_tls(owner, objection, rest)
    seen = _evidence(connection, account, objection, alert)
    return Verdict(
        "failed",
        _summary(refuser, owner, objection, cause, sure),
        refuser,
        cause,
        sure,
        _fault(cause, refuser, owner) if cause is not None and sure >= 0.2 else None,
        False,
        tuple(seen),
        tuple(_advice(connection, account, objection, cause, refuser)),
        tuple(rest),
    )


def _cause(objection: Objection, refuser: Side) -> tuple[str | None, float, list[Alternative]]:
    """Return the cause of an objection, how sure it is, and what else the words leave open."""
    if objection.cause is not None:
        left = round((1 - AMBIGUOUS) / max(len(objection.others), 1), 3)
        rest = [Alternative(other, left) for other in objection.others]
        return objection.cause, AMBIGUOUS if rest else SAID, rest
    if not objection.about_certificate:
        return None, 0.0, []
    weights = CLIENT_WEIGHTS if refuser == "server" else SERVER_WEIGHTS
    total = sum(weights.values())
    ranked = sorted(((cause, weight / total) for cause, weight in weights.items()), key=lambda pair: -pair[1])
    (cause, share), *others = ranked
    return cause, round(min(share, UNSAID), 3), [Alternative(name, round(part, 3)) for name, part in others[:5]]


def _summary(refuser: Side, owner: Side, objection: Objection, cause: str | None, sure: float) -> str:
    if cause == "no_client_certificate":
        how = "inside it the server refused" if objection.inside else ""
        if how:
            return f"The handshake succeeded, and {how}: the client sent no certificate."
        return "The server refused the handshake: it asked for a client certificate and the client sent none."
    if objection.about_certificate and cause is not None:
        head = f"The {refuser} refused the {owner}'s certificate"
        if objection.inside:
            head = f"The handshake succeeded, and inside it the {refuser} refused the {owner}'s certificate"
        if objection.cause is None:
            return f"{head}; its log does not say why ({objection.says!r})."
        why = words.WHY.get(cause, cause.replace("_", " ")).format(refuser=refuser, owner=owner)
        return f"{head}: {why}."
    head = f"The {refuser} refused the handshake"
    if cause is None:
        return f"{head}: its log says {objection.says!r}."
    why, _ = words.OTHER.get(cause, (cause.replace("_", " "), ""))
    return f"{head}{':' if sure >= 0.9 else ', most likely because'} {why}."


def _evidence(connection: Connection, account: Account, objection: Objection, alert: Alert | None) -> list[Evidence]:
    side = account.side or "server"
    seen = []
    if connection.start is not None and account.side is not None and objection.cause in _DATED:
        own = (
            f"by the {side}'s own clock it was {words.moment(connection.start)} then: the log's times are that clock's"
        )
        seen.append(Evidence(None, own))
    seen.append(Evidence(objection.position, f"{account.program}, the {side}, says: {objection.says}"))
    owner = words.other(side)
    chain = connection.certificates.client if owner == "client" else connection.certificates.server
    for certificate in chain[:1] if objection.about_certificate else ():
        if certificate.not_before is not None:
            seen.append(Evidence(None, f"the certificate {words.validity(certificate)}"))
        elif certificate.subject:
            seen.append(Evidence(None, f"the certificate is that of {certificate.subject}"))
    if alert is not None:
        seen.append(Evidence(alert.position, f"the {alert.sender} sends fatal {alert.description}"))
    elif objection.alert is not None and account.side is not None:
        name = AlertDescription(objection.alert)
        known = f"OpenSSL sends {name} for that; the log does not say that it did"
        seen.append(Evidence(None, known))
    return seen


_DATED: Final = ("certificate_not_yet_valid", "certificate_expired")


def _fault(cause: str, refuser: Side, owner: Side) -> Fault | None:
    """Return the side where the mend belongs."""
    if cause in APART:
        return None
    if cause == "no_client_certificate":
        return "client"
    if cause in ("certificate_not_yet_valid", "revocation_status_unavailable", "internal_error"):
        return refuser  # nobody issues certificates for the future: the judge's clock is behind
    if cause == "unknown_ca" and refuser == "client":
        return "client"
    return owner


def _advice(
    connection: Connection, account: Account, objection: Objection, cause: str | None, refuser: Side
) -> list[str]:
    owner = words.other(refuser)
    if objection.cause is None and objection.about_certificate:
        more = f"Let the {refuser} ({account.program}) log more: its verifier's words name the cause."
        return [more, f"{_capital(words.DO['unknown_ca'].format(refuser=refuser, owner=owner))}, if that is it."]
    if cause is None:
        return [f"Look into the {refuser}'s log around this line."]
    if cause == "certificate_not_yet_valid" and connection.start is not None and account.side == refuser:
        chain = connection.certificates.client if owner == "client" else connection.certificates.server
        begins = chain[0].not_before if chain else None
        shown = words.moment(connection.start)[:10]
        since = (
            f"the certificate is valid from {words.day(begins)}"
            if begins
            else (f"compare it with the notBefore of the {owner}'s certificate, which is not in the log")
        )
        advice = [f"Set the {refuser}'s clock: by its log it said {shown}; {since}."]
        ends = chain[0].not_after if chain else None
        if ends is not None:
            advice.append(f"It ends on {words.day(ends)}: from then on a right clock refuses it, too.")
        return advice
    if cause == "certificate_expired" and connection.start is not None and account.side == refuser:
        shown = words.moment(connection.start)[:10]
        return [f"Renew the {owner}'s certificate, if the {refuser}'s clock is right: by its log it said {shown}."]
    do = words.DO.get(cause) or words.OTHER.get(cause, ("", "look into the logs of both sides"))[1]
    return [_capital(do.format(refuser=refuser, owner=owner)) + "."]


def _capital(text: str) -> str:
    return words.capital(text)


def _not_tls(owner: Side, objection: Objection, rest: list[Alternative]) -> Verdict:
    """What came from the other side was no TLS."""
    seen = (Evidence(objection.position, f"the log says: {objection.says}"),)
    _, do = words.OTHER["not_tls"]
    sure = 0.9 if not rest else 0.7
    said = f"No TLS: {'' if sure >= 0.9 else 'most likely '}the {owner} does not speak TLS on this port."
    return Verdict("not_tls", said, None, "not_tls", sure, None, False, seen, (_capital(do) + ".",), tuple(rest))


def _alerted(connection: Connection, account: Account, alert: Alert) -> Verdict:
    """An alert ended it, and the log does not say what it was sent for."""
    bare = structs.replace(connection, certificates=Certificates())  # a name alone is no certificate to be judged
    end = Ending("failed", _stage(connection, alert), "alert", alert.sender, alert, alert.position)
    code = alert.code or 0
    missing = account.none_sent is not None and code in (40, 41, 42, 43, 46, 48, 49, 50, 116)
    if alert.sender == "server" and (code == CERTIFICATE_REQUIRED or missing):
        return _unproven(no_certificate(bare, end), account, connection)
    sent = client_flight(connection) if alert.sender == "server" else _shown(connection)
    if code in ABOUT_CERTIFICATE or (code == HANDSHAKE_FAILURE and sent and alert.sender == "client"):
        return _unproven(refused_certificate(bare, end, server_stack(bare)), account, connection)
    if code == HANDSHAKE_FAILURE and alert.sender == "server" and end.stage != "client_hello":
        return _bare_failure(connection, account, end, bool(sent))
    return _unproven(other_refusal(bare, end, None), account, connection)


def _stage(connection: Connection, alert: Alert) -> Stage:
    """Return what the alert's sender had last seen: by the messages where the log tells them, else by its number."""
    told = {(m.sender, m.message) for m in connection.messages}
    if alert.sender == "server":
        if client_flight(connection) or alert.code in ABOUT_CERTIFICATE | {CERTIFICATE_REQUIRED}:
            return "client_flight"
        if not told:
            return "client_flight" if alert.code == HANDSHAKE_FAILURE else "client_hello"
        return "client_hello"
    if ("server", "certificate") in told or alert.code in ABOUT_CERTIFICATE:
        return "server_flight"
    return "server_hello"


def _shown(connection: Connection) -> bool:
    return any(m.sender == "server" and m.message == "certificate" for m in connection.messages)


def _unproven(verdict: Verdict, account: Account, connection: Connection) -> Verdict:
    """Say less surely what stands on a side that was only taken for granted."""
    if not any("taken for the client's" in note for note in connection.notes):
        return verdict
    return structs.replace(verdict, confidence=round(min(verdict.confidence, 0.85), 3))


def _bare_failure(connection: Connection, account: Account, end: Ending, sent: bool) -> Verdict:
    """A server's handshake_failure of which nothing else is known: of all alerts it has the most causes."""
    ranked = list(BARE_FAILURE)
    if sent:
        ranked = [("no_client_certificate", 0.5), ("key_mismatch", 0.15), ("unknown_ca", 0.15)]
    (cause, sure), *others = ranked
    why, do = words.OTHER.get(cause, (words.WHY.get(cause, cause), words.DO.get(cause, "")))
    return Verdict(
        "failed",
        f"Undecided: the server refused the handshake (handshake_failure); perhaps {why}.",
        "server",
        cause,
        sure,
        "client",
        alert_lost(connection, end),
        (Evidence(end.position, ended(end)),),
        (_capital(do) + ".", "Look into the server's own log: it knows the reason."),
        tuple(Alternative(name, share) for name, share in others),
    )


def _established(connection: Connection, account: Account, alert: Alert | None) -> Verdict:
    seen = [Evidence(account.completed, f"{account.program} says that the handshake was done")]
    for objection in account.objections:
        seen.append(Evidence(objection.position, f"it went on although it says: {objection.says}"))
    said = "The handshake succeeded."
    if alert is not None:
        said = (
            f"The handshake succeeded; {alert.description} of the {alert.sender} came after it and is no verdict on it."
        )
        seen.append(
            Evidence(alert.position, f"the {alert.sender}'s {alert.description} came when the handshake was done")
        )
    return Verdict("established", said, confidence=0.97, evidence=tuple(seen))


def _closed(connection: Connection) -> Verdict:
    """One side left without a word of TLS that the log tells of."""
    sender = connection.closed.sender or "client"
    reset = connection.closed.how == "rst"
    cause = "reset_without_alert" if reset else "closed_without_alert"
    do = words.OTHER[cause][1]
    does = "reset" if reset else "closed"
    return Verdict(
        "failed",
        f"The {sender} {does} the connection before the handshake was done, without an alert that the log tells of.",
        sender,
        cause,
        0.6,
        None,
        False,
        (Evidence(connection.closed.position, f"the {sender} {does} the connection"),),
        (_capital(do) + ".",),
        (Alternative("unknown_ca", 0.1),),
    )


def _failed(connection: Connection, account: Account) -> Verdict:
    """The log says that the handshake failed, and neither who refused it nor why."""
    more = f"Let {account.program} log more, or record the handshake: tcpdump -s 0 -w FILE."
    said = "Undecided: the handshake failed; the log says neither who refused it nor why."
    seen = (Evidence(account.failed, f"{account.program} says that the handshake failed"),)
    return Verdict("failed", said, None, None, 0.0, None, False, seen, (more,))


def _unanswered(connection: Connection) -> bool:
    return any("did not answer in time" in note for note in connection.notes)


def _incomplete(connection: Connection) -> Verdict:
    last = connection.messages[-1] if connection.messages else None
    seen = (
        () if last is None else (Evidence(last.position, f"the last message is {last.message} of the {last.sender}"),)
    )
    if _unanswered(connection):
        do = words.OTHER["timed_out"][1]
        said = "The handshake is not complete: the other side did not answer in time."
        return Verdict("failed", said, None, "timed_out", 0.6, None, False, seen, (_capital(do) + ".",))
    said = "The log does not tell how the handshake ended."
    return Verdict(
        "incomplete", said, evidence=seen, advice=("Raise the program's log level, and look at the other side's log.",)
    )
