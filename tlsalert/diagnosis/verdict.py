"""A connection and the clocks of its capture → the verdict: who refused what, why, and what to change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import structs

from tlsalert.diagnosis import words
from tlsalert.diagnosis.clocks import Witness, clock
from tlsalert.diagnosis.ending import Ending, alert_lost, certificate_asked, certificate_sent, ended, ending
from tlsalert.diagnosis.hello_causes import hello_ranking, plain_ranking
from tlsalert.diagnosis.refusal import conspicuous, refused_certificate
from tlsalert.diagnosis.stacks import client_clock_prior, clock_prior, server_libraries, server_stack
from tlsalert.model import (
    Alternative,
    Clock,
    Clocks,
    Connection,
    Evidence,
    Fault,
    HandshakeMessage,
    Side,
    Verdict,
)

#: Alerts with which servers say that they miss the client's certificate; "fin" and "rst" are the silent ones.
MISSING_CERTIFICATE = frozenset((None, 40, 41, 42, 43, 46, 48, 49, 50, 116, 10))


#: Alerts that are about something else, wherever they come: RFC 8446 §6.2, RFC 5246 §7.2.2. Not insufficient_security:
#: after a certificate it says that the key or signature is too weak.
NOT_A_CERTIFICATE = frozenset((0, 10, 20, 21, 22, 30, 60, 70, 86, 90, 100, 109, 110, 111, 112, 115, 117, 120, 121))

#: What a TLS 1.3 handshake went like is inferred from lengths and order where nothing of it was decrypted.
INFERRED = 0.85


class Witnesses(Protocol):
    """What the other handshakes of a capture say about a machine's clock."""

    def server(self, connection: Connection, random: bytes) -> Witness | None:
        """Return what is known of the server whose hello had this random."""

    def client(self, connection: Connection, random: bytes) -> Witness | None:
        """Return what is known of the client whose hello had this random."""


def judge(connection: Connection, witnesses: Witnesses) -> Connection:
    """Return the connection with its clocks and its verdict."""
    look = _Look(connection)
    client = _random(connection, "client_hello")
    server = None if connection.tls13 else _random(connection, "server_hello")  # RFC 8446 §4.1.3: all of it is random
    clocks = Clocks(
        connection.start,
        _clock(witnesses.server(connection, server) if server else None, "ServerHello.random", look.server_prior),
        _clock(witnesses.client(connection, client) if client else None, "ClientHello.random", look.client_prior),
    )
    connection = structs.replace(connection, clocks=clocks)
    end = ending(connection)
    if end.outcome == "established":
        return structs.replace(connection, verdict=_established(connection))
    return structs.replace(connection, verdict=verdict(connection, look.stacks(), end))


class _Look:
    """What the hellos show of the stacks; looked at only where somebody asks, for most connections go well."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._libraries: dict[str, float] | None = None

    def stacks(self) -> dict[str, float]:
        """Return a probability for each stack that the server may be."""
        if self._libraries is None:
            self._libraries = server_libraries(self._connection)
        return server_stack(self._connection, self._libraries)

    def server_prior(self) -> float:
        """Return how likely the server's hello shows its clock."""
        return clock_prior(self.stacks(), self._connection, self._libraries)

    def client_prior(self) -> float:
        """Return how likely the client's hello shows its clock."""
        return client_clock_prior(self._connection)


def _clock(witness: Witness | None, source: str, prior: Callable[[], float]) -> Clock | None:
    """Return the clock that a hello shows; where other hellos decide, the stack need not be looked at."""
    if witness is None:
        return None
    return clock(witness, source, prior() if witness[2] == 1 else 1.0)


def verdict(connection: Connection, stacks: dict[str, float], end: Ending | None = None) -> Verdict:
    """Return the verdict on a connection whose clocks are known."""
    end = end or ending(connection)
    if end.outcome == "established":
        return _established(connection)
    if end.outcome == "not_tls":
        return _not_tls(connection)
    if end.outcome == "incomplete":
        return _incomplete(connection)
    if end.sender == "server" and end.stage in ("client_flight", "renegotiation"):
        if certificate_sent(connection) is False and (end.alert is None or end.alert.code in MISSING_CERTIFICATE):
            return _no_certificate(connection, end)
        if _shown(connection, end) and not _about_something_else(connection, end):
            return refused_certificate(connection, end, stacks)
    if (
        end.sender == "client"
        and end.stage in ("server_flight", "renegotiation")
        and _about_certificate(connection, end)
    ):
        return refused_certificate(connection, end, stacks)
    return _other(connection, end)


def _random(connection: Connection, name: str) -> bytes | None:
    """Return a hello's random, as far as it was captured; None where not even its first bytes were."""
    hello = _first(connection, name)
    return None if hello is None or hello.body is None or len(hello.body) < 6 else hello.body[2:34]


def _first(connection: Connection, name: str) -> HandshakeMessage | None:
    return next((message for message in connection.messages if message.message == name), None)


def _shown(connection: Connection, end: Ending) -> bool:
    """Whether a client's certificate was there to be refused, as far as can be told."""
    if end.stage == "renegotiation":
        return True
    return certificate_sent(connection) is True or certificate_asked(connection) is not False


def _about_something_else(connection: Connection, end: Ending) -> bool:
    """Whether a server's alert after the client's flight is about anything but its certificate."""
    code = end.alert.code if end.alert is not None else None
    return code in NOT_A_CERTIFICATE and not (code == 10 and conspicuous(connection, "client"))


def _about_certificate(connection: Connection, end: Ending) -> bool:
    """Whether a client's alert can be about the server's certificate."""
    if end.alert is None or end.alert.code is None:
        return end.alert is not None or bool(connection.certificates.server)
    return end.alert.code in (42, 43, 44, 45, 46, 48, 49, 51, 113) or (
        end.alert.code == 40 and bool(connection.certificates.server)
    )


def _no_certificate(connection: Connection, end: Ending) -> Verdict:
    """The client was asked for a certificate and sent none: RFC 5246 §7.4.6 (40), RFC 8446 §4.4.2.4 (116)."""
    seen: list[Evidence] = []
    request = _first(connection, "certificate_request")
    if request is not None:
        seen.append(Evidence(request.position, "the server asks for a certificate"))
    sent = next((m for m in connection.messages if m.sender == "client" and m.message == "certificate"), None)
    if sent is not None:
        seen.append(Evidence(sent.position, "the client's Certificate message is empty"))
    elif connection.tls13:
        position = next((r.position for r in connection.encrypted_records if r.sender == "client"), None)
        seen.append(Evidence(position, "by its length the client's Certificate message is empty"))
    seen.append(Evidence(end.position, ended(end)))
    sure = 0.97 if end.alert is not None and end.alert.code in (40, 41, 116) else 0.93
    if end.alert is None or end.alert.code is None:
        sure = 0.85
    advice = (words.capital(words.DO["no_client_certificate"]) + ".",)
    return Verdict(
        "failed",
        "The server refused the handshake: it asked for a client certificate and the client sent none.",
        "server",
        "no_client_certificate",
        sure,
        "client",
        alert_lost(connection, end),
        tuple(seen),
        advice,
        (Alternative("no_shared_signature_scheme", round((1 - sure) / 2, 3)),),
    )


def _other(connection: Connection, end: Ending) -> Verdict:
    """A refusal that is not about a certificate, or a close without a word."""
    code = end.alert.code if end.alert is not None else None
    if end.alert is None:
        silent = "reset_without_alert" if end.how == "rst" else "closed_without_alert"
        ranking = [("normal_close", 0.6)] if end.farewell else [(silent, 0.8)]
    elif end.sender == "server" and end.stage == "client_hello":
        ranking = hello_ranking(connection, code)
    else:
        ranking = plain_ranking(code)
    sender = end.sender or "server"
    last = _last_of(connection, words.other(sender))
    seen = [Evidence(end.position, ended(end))]
    if last is not None:
        seen.append(Evidence(last.position, f"the last message of the {last.sender} before it was {last.message}"))
    if not ranking:
        named = f" with {end.alert.description}" if end.alert is not None and end.alert.description is not None else ""
        return Verdict(
            "failed",
            f"Undecided: the {sender} ended the handshake{named}, and nothing here says why.",
            sender,
            evidence=tuple(seen),
            advice=(f"The {sender}'s own log says why.",),
        )
    cause, sure = ranking[0]
    if cause not in words.OTHER:
        return _unseen_certificate(end, sender, cause, tuple(seen))
    why, do = words.OTHER[cause]
    hedge = "" if sure >= 0.8 else ", most likely because" if sure >= 0.4 else ", perhaps because"
    said = f"{hedge} {why}" if hedge else f": {why}"
    verb = "ended" if end.alert is None else "refused"
    return Verdict(
        "failed",
        f"The {sender} {verb} the handshake{said}.",
        sender,
        cause,
        round(sure, 3),
        _fault(cause, sender),
        alert_lost(connection, end),
        tuple(seen),
        (words.capital(do) + ".",) if do else (),
        tuple(Alternative(name, round(share, 3)) for name, share in ranking[1:5]),
    )


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


def _last_of(connection: Connection, side: str) -> HandshakeMessage | None:
    return next((m for m in reversed(connection.messages) if m.sender == side), None)


def _established(connection: Connection) -> Verdict:
    late = next((a for a in connection.alerts if a.fatal and a.code not in (None, 0)), None)
    summary = "The handshake succeeded"
    if late is not None:
        summary += f"; {late.description} of the {late.sender} came after it and is no verdict on it"
    inferred = connection.tls13 and not any(m.decrypted for m in connection.messages)
    return Verdict("established", summary + ".", confidence=INFERRED if inferred else 0.97)


def _not_tls(connection: Connection) -> Verdict:
    why, do = words.OTHER["not_tls"]
    plain = connection.plain[1] or connection.plain[0]
    side = "server" if connection.plain[1] else "client"
    said = plain[:60].decode("latin-1").split("\r\n")[0]
    seen = (Evidence(None, f"the {side} says {said!r}"),) if plain else ()
    return Verdict("not_tls", f"No TLS: {why}.", None, "not_tls", 0.9, None, False, seen, (words.capital(do) + ".",))


def _incomplete(connection: Connection) -> Verdict:
    last = connection.messages[-1] if connection.messages else None
    seen = []
    if last is not None:
        seen.append(Evidence(last.position, f"the last message is {last.message} of the {last.sender}"))
    silent = not any(m.sender == "server" for m in connection.messages) and not connection.notes
    cut = any("cut short" in note or "tcpdump" in note for note in connection.notes)
    return Verdict(
        "incomplete",
        "The handshake is not complete in the capture, and neither side is seen to refuse it.",
        None,
        "timed_out" if silent else None,
        0.3 if silent else 0.0,
        evidence=tuple(seen),
        advice=("Record whole packets: tcpdump -s 0.",) if cut else ("Record from the beginning, and for longer.",),
    )
