"""Refusals that are not about a certificate that was shown: of a hello, of none at all, by silence, by a close."""

from __future__ import annotations

from typing import Final

from tlsalert.diagnosis import words
from tlsalert.diagnosis.ending import Ending, alert_lost, certificate_asked, ended
from tlsalert.diagnosis.hello_causes import Ranking, finished_ranking, hello_ranking, plain_ranking, silent_ranking
from tlsalert.diagnosis.offers import FALLBACK, TLS12, ServerSeen, chosen_for_others, offered, offers_version
from tlsalert.diagnosis.server_choice import Objection
from tlsalert.diagnosis.silence import PATIENCE, Silence, patience
from tlsalert.model import Alternative, ClientHello, Connection, Evidence, Fault, HandshakeMessage, Side, Verdict
from tlsalert.registry.open import is_grease
from tlsalert.registry.signature_schemes import SignatureScheme
from tlsalert.registry.versions import version_label

#: Authorities of a CertificateRequest that are named.
NAMED: Final = 3
#: What the causes are said to be about: these compare what was offered with what the server wants.
OF_A_HELLO: Final = (
    "no_shared_version",
    "no_shared_cipher_suite",
    "no_shared_group",
    "no_shared_signature_scheme",
    "unrecognized_name",
    "no_application_protocol",
    "inappropriate_fallback",
)


#: What to do about a hello that was refused: the client's list stands in the evidence, the server's in its settings.
HELLO_ADVICE: Final = {
    "no_shared_version": "Compare the versions that the client offers with those the server is set to.",
    "no_shared_cipher_suite": "Compare the cipher suites of the ClientHello with the server's list and with its "
    "certificate's kind of key (RSA, ECDSA); enable one on the side that lacks it.",
    "no_shared_group": "Compare the groups of the ClientHello with the server's list; enable one (secp256r1, x25519) "
    " on the side that lacks it.",
    "no_shared_signature_scheme": "Compare the signature schemes of the ClientHello with the server's kind of key; "
    "enable one that fits, or give the server another kind of key.",
    "no_application_protocol": "Compare the ALPN list of the client with the server's; make them share a protocol.",
    "unrecognized_name": "Check the name (SNI) that the client sends against the names that the server is set up for.",
}


#: What to do where a server misses a certificate for which it never asked in the handshake.
NEVER_ASKED: Final = (
    "The server did not ask for a certificate in this handshake. Compare the name (SNI) with the Host of the request: "
    "another virtual server may want one; in TLS 1.3 the client must offer post_handshake_auth to be asked later "
    "(RFC 8446 §4.2.6)."
)


def no_certificate(connection: Connection, end: Ending) -> Verdict:
    """The client was asked for a certificate and sent none: RFC 5246 §7.4.6 (40), RFC 8446 §4.4.2.4 (116)."""
    seen: list[Evidence] = []
    request = _first(connection, "certificate_request")
    if request is not None:
        seen.append(Evidence(request.position, _asked(connection)))
    sent = next((m for m in connection.messages if m.sender == "client" and m.message == "certificate"), None)
    if sent is not None:
        seen.append(Evidence(sent.position, "the client's Certificate message is empty"))
    elif connection.tls13 and certificate_asked(connection) is not False:
        position = next((r.position for r in connection.encrypted_records if r.sender == "client"), None)
        seen.append(Evidence(position, "by its length the client's Certificate message is empty"))
    unsuited = _schemes_apart(connection)
    if unsuited and request is not None:
        seen.append(Evidence(request.position, "none of the signature schemes that the server takes is the client's"))
    seen.append(Evidence(end.position, ended(end)))
    sure = 0.97 if end.alert is not None and end.alert.code in (40, 41, 116) else 0.93
    said = "The server refused the handshake: it asked for a client certificate and the client sent none."
    advice = _certificate_advice(connection)
    if end.how == "http":
        sure = 0.97
        said = "The handshake succeeded, and inside it the server refused in HTTP: the client sent no certificate."
        if certificate_asked(connection) is False:
            advice = [NEVER_ASKED]
    elif end.alert is None or end.alert.code is None:
        sure = 0.85
    return Verdict(
        "failed",
        said,
        "server",
        "no_client_certificate",
        sure,
        "client",
        alert_lost(connection, end),
        tuple(seen),
        tuple(advice),
        (Alternative("no_shared_signature_scheme", round((1 - sure) / (1.2 if unsuited else 2), 3)),),
    )


def objected_choice(connection: Connection, end: Ending, objection: Objection) -> Verdict:
    """The client refused what the server chose: its version, cipher suite, group, or what it was not asked for."""
    why, do = words.OTHER[objection.cause]
    if objection.cause == "protocol_violation":
        why, do = "the server's hello does not fit the client's", CHOICE_ADVICE[objection.fault]
    elif objection.cause == "no_shared_group":
        why, do = (
            "the server's Diffie-Hellman group is too small for it",
            "give the server a prime of 2048 bits or ECDHE",
        )
    sure = objection.sure
    return Verdict(
        "failed",
        f"The client refused the handshake{': ' if sure >= 0.8 else ', most likely because '}{why}.",
        "client",
        objection.cause,
        sure,
        objection.fault,
        alert_lost(connection, end),
        (objection.seen, Evidence(end.position, ended(end))),
        (words.capital(do) + ".",),
    )


CHOICE_ADVICE: Final[dict[Fault | None, str]] = {
    "server": "update the server's TLS software, or what stands before it: it chose what it was not offered",
    "network": "look for a middlebox or a proxy that takes part in the handshake",
    None: "look at both hellos",
}


def gave_up(connection: Connection, end: Ending, silent: Silence) -> Verdict:
    """One side ended it while the other owed the next word: it lost patience, or it left at once."""
    sender: Side = end.sender or "client"
    how = "reset the connection" if end.how == "rst" else "closed the connection"
    owed = f"{silent.what} ends here: the {silent.owing} has to answer it"
    if silent.midway:
        owed = f"the {silent.owing} stops here, in the middle of its {silent.what}"
    seen = (Evidence(silent.position, owed), Evidence(end.position, f"{ended(end)}, {patience(silent)}"))
    if silent.waited >= PATIENCE:
        return Verdict(
            "failed",
            f"{words.capital(silent.said)}; the {sender} gave up after {words.span(silent.waited)}.",
            sender,
            "timed_out",
            0.85,
            None,
            False,
            seen,
            (waiting_advice(silent),),
            (Alternative(_silent(end), 0.1),),
        )
    place = silent.before if silent.midway else f"before the {silent.owing} had answered {silent.what}"
    return Verdict(
        "failed",
        f"The {sender} {how} without an alert, {place}.",
        sender,
        _silent(end),
        0.8,
        None,
        False,
        seen,
        (
            f"Look at the {sender}'s own log; port scanners and health checks leave like that, and harm nothing."
            if sender == "client"
            else f"Look at the {sender}'s own log, and for a time limit or a limit on connections.",
        ),
        (Alternative("timed_out", 0.05),),
    )


def waiting_advice(silent: Silence) -> str:
    """Return what to do about a side that does not answer."""
    if silent.midway or silent.what != "the ClientHello":
        return (
            f"Look whether the {silent.owing}'s packets get through: large ones may be dropped on the way (path MTU), "
            f"or the {silent.owing} waits for something itself; its own log says which."
        )
    return (
        "Look whether the server's program runs and is not overloaded, whether it waits for another protocol first, "
        "and whether a firewall drops the ClientHello."
    )


def other_refusal(connection: Connection, end: Ending, known: ServerSeen | None) -> Verdict:
    """A refusal that is not about a certificate, or a close without a word."""
    ranking = _ranking(connection, end, known)
    sender = end.sender or "server"
    last = _last_before(connection, words.other(sender), end)
    seen = [Evidence(end.position, ended(end))]
    if last is not None:
        seen.insert(0, Evidence(last.position, f"the last message of the {last.sender} before it is {last.message}"))
    if not ranking:
        named = f" with {end.alert.description}" if end.alert is not None and end.alert.description is not None else ""
        return Verdict(
            "failed",
            f"Undecided: the {sender} ended the handshake{named}, and nothing here says why.",
            sender,
            evidence=tuple(seen),
            advice=(f"The {sender}'s own log says why.",),
        )
    if end.stage == "client_flight" and _without_proof(connection):
        seen.insert(1, Evidence(None, "the client sent a certificate without certificate_verify (RFC 5246 §7.4.8)"))
    cause, sure = ranking[0]
    if cause not in words.OTHER:
        return _unseen_certificate(end, sender, cause, tuple(seen))
    why, do = words.OTHER[cause]
    if cause == "decryption_failed" and "PSK" in (connection.cipher_suite or ""):
        do = "compare the pre-shared keys of both sides"
    if end.alert is None and not end.farewell:
        do = f"look at the {sender}'s own log" + (
            "; a firewall may have done it in its name" if end.how == "rst" else ""
        )
        late = _since(last, connection)
        if late >= PATIENCE:
            seen[-1] = Evidence(end.position, f"{ended(end)}, {words.span(late)} later")
    if end.stage == "client_hello":
        seen[:1] = _offers(connection, cause, known, seen[0])
    hedge = "" if sure >= 0.8 else ", most likely because" if sure >= 0.4 else ", perhaps because"
    said = f"{hedge} {why}" if hedge else f": {why}"
    verb = "ended" if end.alert is None else "refused"
    if cause == "protocol_violation" and last is not None:
        what = last.message.replace("encrypted_handshake", "flight")
        do = f"look at the {last.sender}'s {what} ({last.position}), and which software made it"
    advice = [words.capital(do) + "."] if do else []
    if cause in HELLO_ADVICE:
        advice = [
            HELLO_ADVICE[cause] if cause != "no_shared_version" else _version_advice(connection.client_hello, known)
        ]
    if end.alert is None and connection.tls13 and sender == "client" and end.stage == "server_flight":
        advice.insert(0, "It may have refused the server's certificate, which TLS 1.3 encrypts.")
    if sure < 0.5:
        advice.append(f"Look into the {sender}'s own log: it knows the reason.")
    return Verdict(
        "failed",
        f"The {sender} {verb} the handshake{said}.",
        sender,
        cause,
        round(sure, 3),
        _fault(cause, sender),
        alert_lost(connection, end),
        tuple(seen),
        tuple(advice),
        tuple(Alternative(name, round(share, 3)) for name, share in ranking[1:5] if share >= 0.01),
    )


def _ranking(connection: Connection, end: Ending, known: ServerSeen | None) -> Ranking:
    code = end.alert.code if end.alert is not None else None
    if end.alert is None:
        if end.farewell:
            return [("normal_close", 0.6)]
        if end.sender == "server" and end.stage == "client_hello":
            return silent_ranking(connection, _silent(end), known)
        return [(_silent(end), 0.8)]
    if end.sender == "server" and end.stage == "client_hello":
        return hello_ranking(connection, code, known)
    if end.sender == "server" and end.stage == "client_flight" and not connection.tls13:
        return finished_ranking(code)
    return plain_ranking(code)


def _version_advice(hello: ClientHello | None, known: ServerSeen | None) -> str:
    """Return what to do about a version: most often one side is older than the other is allowed to take."""
    if hello is None:
        return HELLO_ADVICE["no_shared_version"]
    newest = max((v for v in hello.versions if not is_grease(v)), default=hello.legacy_version)
    if newest < TLS12:
        old = version_label(newest)
        return (
            f"Enable TLS 1.2 or newer in the client; where it has nothing newer than {old}, allow {old} on the server."
        )
    wanted = max((version for version, _ in known.versions), default=0) if known is not None else 0
    if wanted and not offers_version(hello, wanted):
        return f"Enable {version_label(wanted)} in the client, or {version_label(newest)} on the server."
    if not offers_version(hello, TLS12):
        return "Let the client offer TLS 1.2, too, or enable TLS 1.3 on the server."
    return f"{HELLO_ADVICE['no_shared_version'][:-1]}: one of them is set to others than TLS 1.2 and 1.3."


def _offers(connection: Connection, cause: str, known: ServerSeen | None, last: Evidence) -> list[Evidence]:
    """Say what was offered, and what the server wants of others, of that which the cause is about."""
    hello = connection.client_hello
    if hello is None or cause not in OF_A_HELLO:
        return [last]
    said = offered(hello, cause)
    seen = [Evidence(last.position, said) if said is not None else last]
    if cause == "inappropriate_fallback" and FALLBACK in hello.cipher_suites:
        seen.append(Evidence(last.position, "it carries TLS_FALLBACK_SCSV: it is a second try with less (RFC 7507)"))
    wanted = chosen_for_others(known, cause)
    return seen if wanted is None else [*seen, Evidence(None, wanted)]


def _unseen_certificate(end: Ending, sender: Side, cause: str, seen: tuple[Evidence, ...]) -> Verdict:
    """An alert that is about a certificate, where none was captured: what it means by itself is all there is."""
    named = str(end.alert.description) if end.alert is not None else cause
    do = words.DO[cause].format(refuser=sender, owner=words.other(sender))
    return Verdict(
        "failed",
        f"The {sender} refused the handshake with {named}, which is about a certificate; none was captured.",
        sender,
        cause,
        0.3,
        evidence=seen,
        advice=(words.capital(do) + ".", "Record from the connection's beginning, so that the certificate is seen."),
    )


def _asked(connection: Connection) -> str:
    """Say what the server asks for: whose certificates, as far as it names authorities (RFC 5246 §7.4.4)."""
    request = connection.certificate_request
    if request is None or not request.authorities:
        return "the server asks for a certificate and names no authorities: any issuer may do"
    names = [words.short_subject(name) for name in request.authorities]
    listed = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    return f"the server asks for a certificate issued by {listed}"


def _schemes_apart(connection: Connection) -> bool:
    """Whether the signature schemes that the server takes and those that the client knows have none in common."""
    request, hello = connection.certificate_request, connection.client_hello
    if request is None or hello is None or not request.signature_schemes or not hello.signature_schemes:
        return False
    known = {SignatureScheme(scheme).name for scheme in hello.signature_schemes}
    return not known & set(request.signature_schemes)


def _certificate_advice(connection: Connection) -> list[str]:
    request = connection.certificate_request
    advice = ["Give the client a certificate and its key that the server trusts."]
    if request is not None and request.authorities:
        advice.append(
            "If it has one: many clients leave it out without a word where its issuer is not among the authorities"
            " that the server names. Compare them with the certificate's issuer."
        )
    elif request is None:
        advice.append("If it has one, look whether its issuer is among the authorities that the server names.")
    else:
        advice.append("If it has one, look at its settings and its log: the server would take any issuer's.")
    return advice


def _since(last: HandshakeMessage | None, connection: Connection) -> float:
    """Return the seconds between the last message and the close."""
    if last is None or last.time is None or connection.closed.time is None:
        return 0.0
    return (connection.closed.time - last.time) / 1e9


def _without_proof(connection: Connection) -> bool:
    """Whether the client showed a certificate and did not prove that it has its key."""
    if connection.lossy:
        return False  # it may be among what was not captured
    names = [m.message for m in connection.messages if m.sender == "client"]
    return bool(connection.certificates.client) and "client_key_exchange" in names and "certificate_verify" not in names


def _silent(end: Ending) -> str:
    return "reset_without_alert" if end.how == "rst" else "closed_without_alert"


def _fault(cause: str, sender: str) -> Fault | None:
    if cause in (
        "no_client_certificate",
        "inappropriate_fallback",
        "unrecognized_name",
        "unknown_psk_identity",
        "ech_required",
    ):
        return "client"
    if cause in ("internal_error", "user_canceled"):
        return "server" if sender == "server" else "client"
    if cause in ("protocol_violation",):
        return "client" if sender == "server" else "server"
    return None


def _first(connection: Connection, name: str) -> HandshakeMessage | None:
    return next((message for message in connection.messages if message.message == name), None)


def _last_before(connection: Connection, side: Side, end: Ending) -> HandshakeMessage | None:
    """Return the last message of a side that the other had before it ended the connection."""
    until = end.position.frame if end.position is not None else None
    for message in reversed(connection.messages):
        frame = message.position.frame
        if message.sender == side and (until is None or frame is None or frame <= until):
            return message
    return None
