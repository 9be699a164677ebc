"""A connection and the clocks of its capture → the verdict: who refused what, why, and what to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from msgspec import structs

from tlsalert.diagnosis import words
from tlsalert.diagnosis.clocks import Dated, Seen, Witness, better, clock, dated_clock
from tlsalert.diagnosis.declined import declined
from tlsalert.diagnosis.ending import (
    Ending,
    answers_a_close,
    certificate_asked,
    certificate_sent,
    client_flight,
    ending,
)
from tlsalert.diagnosis.inside import HttpAnswer, cut_off, ending_inside, http_answer, refused_inside
from tlsalert.diagnosis.offers import ServerSeen
from tlsalert.diagnosis.other_refusals import gave_up, no_certificate, objected_choice, other_refusal, waiting_advice
from tlsalert.diagnosis.plain import recognised
from tlsalert.diagnosis.refusal import DATED, conspicuous, refused_certificate
from tlsalert.diagnosis.server_choice import objection
from tlsalert.diagnosis.silence import PATIENCE, half, silence
from tlsalert.diagnosis.stacks import client_clock_prior, clock_prior, server_libraries, server_stack
from tlsalert.model import Clock, Clocks, Closing, Connection, Evidence, HandshakeMessage, Position, Side, Verdict

UNRECOGNIZED_NAME: Final = 112
#: From so many certificates on it tells something that a server refused all of them.
SEVERAL: Final = 3
#: No stack shows its clock more surely than this.
MOST_SHOWING: Final = 0.98

#: Alerts with which servers say that they miss the client's certificate; "fin" and "rst" are the silent ones.
MISSING_CERTIFICATE = frozenset((None, 40, 41, 42, 43, 46, 48, 49, 50, 116, 10))


#: Alerts that are about something else, wherever they come: RFC 8446 §6.2, RFC 5246 §7.2.2. Not insufficient_security:
#: after a certificate it says that the key or signature is too weak.
NOT_A_CERTIFICATE = frozenset((0, 10, 20, 21, 22, 30, 60, 70, 86, 90, 100, 109, 110, 111, 112, 115, 117, 120, 121))

#: The verdict on handshakes that were completed: one object for the many of a capture. What one in TLS 1.3 went like is
#: inferred from lengths and order where nothing of it was decrypted.
WENT_WELL = Verdict("established", "The handshake succeeded.", confidence=0.97)
SEEMS_WELL = Verdict("established", "The handshake succeeded.", confidence=0.85)


class Witnesses(Protocol):
    """What the other connections of a capture say about one of them."""

    def clock(self, connection: Connection, side: Side, random: bytes) -> Witness | None:
        """Return the reading in a hello's random, and how many of its machine's agree with it."""

    def beside(self, connection: Connection, side: Side, random: bytes) -> Sequence[Seen]:
        """Return readings of the same machine that differ from it."""

    def agree(self, connection: Connection) -> bool:
        """Return whether any two readings of the server agree with each other."""

    def dated(self, connection: Connection, side: Side) -> Dated | None:
        """Return what the machine said in HTTP, nearest to the connection's time."""

    def server(self, connection: Connection) -> ServerSeen | None:
        """Return what the server is seen to want by its other connections."""


def judge(
    connection: Connection, witnesses: Witnesses, well: bool = False, server_clock: Clock | None = None
) -> Connection:
    """Return the connection with its clocks and its verdict; ``well`` says that it surely was established.

    ``server_clock`` is the server's where it is known otherwise.
    """
    look = _Look(connection)
    clocks = Clocks(
        connection.start,
        server_clock or _clock(connection, "server", witnesses, look.server_prior),
        _clock(connection, "client", witnesses, look.client_prior),
    )
    if well:
        return structs.replace(connection, clocks=clocks, verdict=_established(connection))
    connection = structs.replace(connection, clocks=clocks)
    end = _ending(connection)
    if end.outcome == "established":
        return structs.replace(connection, verdict=_established(connection))
    asks = end.outcome == "failed" and end.sender == "server" and end.stage in ("client_hello", "client_flight")
    seen = witnesses.server(connection) if asks else None
    return structs.replace(connection, verdict=verdict(connection, look.stacks(), end, seen))


class _Look:
    """What the hellos show of the stacks; looked at only where somebody asks, for most connections go well."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._libraries: Mapping[str, float] | None = None

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


def _clock(connection: Connection, side: Side, witnesses: Witnesses, prior: Callable[[], float]) -> Clock | None:
    """Return a side's clock: by its hello, where other hellos decide without a look at the stack, and by HTTP."""
    dated = dated_clock(witnesses.dated(connection, side))
    if side == "server" and connection.tls13:
        return dated  # RFC 8446 §4.1.3: all of its random is random
    random = _random(connection, f"{side}_hello")
    witness = witnesses.clock(connection, side, random) if random else None
    if random is None or witness is None:
        return dated
    _, agreeing, readings = witness
    beside = witnesses.beside(connection, side, random) if agreeing < readings else ()
    source = "ServerHello.random" if side == "server" else "ClientHello.random"
    agree = bool(beside) and side == "server" and witnesses.agree(connection)
    shown = clock(witness, source, MOST_SHOWING, beside, agree) if readings > 1 else None
    if agreeing == 1 and (readings == 1 or shown is not None):  # only then the stack makes a difference
        shown = clock(witness, source, prior(), beside, agree)
    return better(shown, dated)


def verdict(
    connection: Connection, stacks: dict[str, float], end: Ending | None = None, seen: ServerSeen | None = None
) -> Verdict:
    """Return the verdict on a connection whose clocks are known; ``seen`` is what others show of its server."""
    end = end or _ending(connection)
    if end.outcome == "established":
        return _established(connection)
    if end.outcome == "not_tls":
        return declined(connection) or _not_tls(connection)
    if end.outcome == "incomplete":
        return _incomplete(connection, end)
    return _with_circumstances(connection, end, seen, _failed(connection, stacks, end, seen))


def _ending(connection: Connection) -> Ending:
    """Return how it ended, by the handshake, and where that succeeded by an answer inside that refuses for its sake."""
    end = ending(connection)
    refused = refused_inside(connection) if end.outcome == "established" else None
    return end if refused is None else ending_inside(refused)


def _failed(connection: Connection, stacks: dict[str, float], end: Ending, seen: ServerSeen | None) -> Verdict:
    inside = refused_inside(connection) if end.how == "http" else None
    if inside is not None:
        return _failed_inside(connection, stacks, end, inside)
    silent = silence(connection, end) if end.alert is None and not end.farewell else None
    if silent is not None and silent.owing != end.sender:
        return gave_up(connection, end, silent)
    objected = objection(connection, end.alert.code) if end.sender == "client" and end.alert is not None else None
    if objected is not None:
        return objected_choice(connection, end, objected)
    if end.sender == "server" and end.stage in ("client_flight", "renegotiation"):
        if certificate_sent(connection) is False and (end.alert is None or end.alert.code in MISSING_CERTIFICATE):
            return no_certificate(connection, end)
        if _shown(connection, end) and not _about_something_else(connection, end):
            return refused_certificate(connection, end, stacks, _own_words(connection, end), seen)
    if (
        end.sender == "client"
        and end.stage in ("server_flight", "renegotiation")
        and _about_certificate(connection, end)
    ):
        return refused_certificate(connection, end, stacks, _own_words(connection, end))
    return other_refusal(connection, end, seen)


def _own_words(connection: Connection, end: Ending) -> frozenset[str]:
    """Return the causes that the side which refused names itself, where the evidence is its own text."""
    said = connection.testimony
    return frozenset(said.causes) if said is not None and said.sender == end.sender else frozenset()


def _failed_inside(connection: Connection, stacks: dict[str, float], end: Ending, inside: HttpAnswer) -> Verdict:
    """The handshake went well, and the server's HTTP answer refuses the certificate, or that there was none."""
    if inside.none_sent:
        return no_certificate(connection, end)
    return refused_certificate(connection, end, stacks if inside.stack is None else {inside.stack: 1.0}, inside.among)


def _random(connection: Connection, name: str) -> bytes | None:
    """Return a hello's random, as far as it was captured; None where not even its first bytes were."""
    hello = _first(connection, name)
    return None if hello is None or hello.body is None or len(hello.body) < 6 else hello.body[2:34]


def _first(connection: Connection, name: str) -> HandshakeMessage | None:
    for message in connection.messages:
        if message.message == name:
            return message
    return None


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
    if end.alert is None:
        return bool(connection.certificates.server) and not client_flight(connection)  # its answer accepted it
    if end.alert.code is None:
        return True
    return end.alert.code in (42, 43, 44, 45, 46, 48, 49, 51, 113) or (
        end.alert.code == 40 and bool(connection.certificates.server)
    )


def _established(connection: Connection) -> Verdict:
    plain = WENT_WELL
    if connection.tls13 and not any(m.decrypted for m in connection.messages):
        plain = SEEMS_WELL
    seen = _afterwards(connection)
    late = next((a for a in connection.alerts if a.description is not None and a.fatal and a.code != 0), None)
    if late is None:
        return structs.replace(plain, evidence=tuple(seen)) if seen else plain
    summary = f"{plain.summary[:-1]}; {late.description} of the {late.sender} came after it and is no verdict on it."
    says = f"the {late.sender}'s {late.description} came when the handshake was done: the certificates had passed"
    return structs.replace(plain, summary=summary, evidence=(*seen, Evidence(late.position, says)))


def _afterwards(connection: Connection) -> list[Evidence]:
    """Say what an engineer should know of what came after the handshake, where it was decrypted."""
    seen: list[Evidence] = []
    if not connection.inside[1]:
        return seen
    answer = http_answer(connection)
    if answer is not None and answer.status >= 400:
        says = f"inside TLS the server answers {answer.quote}: that is the application's answer, and no refusal of TLS"
        if answer.status in (401, 403) and certificate_asked(connection) and certificate_sent(connection) is False:
            says += "; it had asked for a client certificate and got none"
        seen.append(Evidence(answer.position, says))
    cut = cut_off(connection)
    if cut is not None:
        seen.append(Evidence(connection.closed.position, cut))
    return seen


def _not_tls(connection: Connection) -> Verdict:
    side: Side = "server" if connection.plain[1] else "client"
    plain = connection.plain[1] or connection.plain[0]
    if connection.preamble is not None and connection.preamble.answer:
        plain = connection.preamble.answer
    if not plain:
        why, do = words.OTHER["not_tls"]
        return Verdict("not_tls", f"No TLS: {why}.", None, "not_tls", 0.9, advice=(words.capital(do) + ".",))
    found = recognised(plain, side, connection.plain[0] if side == "server" else b"")
    hello = next((m for m in connection.messages if m.sender == words.other(side)), None)
    answered = None if connection.preamble is None else connection.preamble.answered
    seen = [Evidence(answered, found.says)]
    if hello is not None:
        seen.insert(0, Evidence(hello.position, f"the {hello.sender} speaks TLS: {hello.message}"))
    what = f"plain {found.name}" if found.name in ("HTTP", "SMTP", "FTP", "IMAP", "POP3") else found.name
    speaks = f"the {side} speaks {what}" if what else f"the {side} does not speak TLS on this port"
    return Verdict(
        "not_tls",
        f"No TLS: {speaks}.",
        None,
        "not_tls",
        0.9,
        None,
        False,
        tuple(seen),
        (words.capital(found.do) + ".",),
    )


def _incomplete(connection: Connection, end: Ending) -> Verdict:
    """A handshake that neither side is seen to refuse: who owed the next word, or what the capture lacks."""
    last = connection.messages[-1] if connection.messages else None
    seen = []
    if last is not None:
        seen.append(Evidence(last.position, f"the last message is {last.message} of the {last.sender}"))
    only = half(connection)
    silent = silence(connection, end)
    cut = any("cut short" in note or "tcpdump" in note for note in connection.notes)
    lost = connection.lossy
    cause, sure = None, 0.0
    if cut:
        advice = "Record whole packets: tcpdump -s 0."
    elif only is not None:
        said = f"only the {only}'s packets were captured, and they show no refusal"
        advice = "Record both directions: where packets come and go by different ways, record at one of the ends."
        return Verdict("incomplete", f"Undecided: {said}.", evidence=tuple(seen), advice=(advice,))
    elif silent is None or lost or (connection.client_hello is None and connection.server_hello is None):
        advice = "Record from the connection's beginning, and until it is closed."
    elif silent.waited >= PATIENCE:
        cause, sure = "timed_out", 0.5
        seen.append(Evidence(None, f"{words.span(silent.waited)} passed in the capture after it"))
        advice = waiting_advice(silent)
    else:
        if silent.owing == "server" and not any(m.sender == "server" for m in connection.messages):
            cause, sure = "timed_out", 0.3
        advice = "Record for longer."
    summary = "The handshake is not complete in the capture, and neither side is seen to refuse it"
    if silent is not None and not lost and not cut and last is not None:
        summary = f"{summary}: {silent.said}" if silent.waited >= PATIENCE else f"The capture ends {silent.before}"
    return Verdict("incomplete", summary + ".", None, cause, sure, evidence=tuple(seen), advice=(advice,))


def _with_circumstances(connection: Connection, end: Ending, seen: ServerSeen | None, found: Verdict) -> Verdict:
    """Add what else the capture shows and an engineer should know, whatever the cause is."""
    more = [*found.evidence, *_warnings(connection, end), *_certificate_elsewhere(end, seen)]
    judge_clock = connection.clocks.server if end.sender == "server" else connection.clocks.client
    if judge_clock is not None and judge_clock.jump is not None and found.cause in DATED:
        more.append(Evidence(judge_clock.position, f"the {end.sender}'s clock: {judge_clock.jump}"))
    if found.alert_lost and connection.reset is not None and end.alert is not None:
        more.append(Evidence(connection.reset.position, _destroyed(end, connection.reset)))
    unlock = _unlock(connection, end)
    advice = found.advice if unlock is None else (*found.advice, unlock)
    if len(more) == len(found.evidence) and unlock is None:
        return found
    return structs.replace(found, evidence=tuple(more), advice=advice)


def _unlock(connection: Connection, end: Ending) -> str | None:
    """Say how to read what decided and is encrypted: the alert, or the certificate that it may be about."""
    unread = []
    if end.alert is not None and end.alert.code is None:
        unread.append("the alert")
    owner = words.other(end.sender or "server")
    judged = end.stage in (("client_flight",) if owner == "client" else ("server_flight",))
    hides = (connection.tls13 and judged) or (end.stage == "renegotiation" and owner == "client")
    sent = owner == "server" or certificate_sent(connection) is not False
    if hides and sent and not any(m.sender == owner and "certificate" in m.message for m in connection.messages):
        unread.append(f"the {owner}'s certificate")
    if not unread or any("secret found" in note for note in connection.notes):
        return None
    what = f"{' and '.join(unread)} {'are' if len(unread) > 1 else 'is'} encrypted"
    lacking = next((note for note in connection.notes if "client random" in note), None)
    if lacking is not None:
        return f"{words.capital(what)}, and {lacking}: give --keylog the log that was written during this connection."
    rsa = (connection.cipher_suite or "").startswith("TLS_RSA_WITH_")
    key = ", or --rsa-key with the server's private key" if rsa else ""
    return f"Add --keylog with the secrets of either side (SSLKEYLOGFILE){key}: {what}."


def _destroyed(end: Ending, reset: Closing) -> str:
    """Say what a reset behind an alert does: RFC 9293 §3.10.7.4 lets the receiver drop what was not read yet."""
    between = (reset.time - end.alert.time) / 1e6 if end.alert and end.alert.time and reset.time else 0.0
    behind = f"{between:.0f} ms behind it" if between >= 1 else "right behind it"
    peer = words.other(end.sender or "server")
    return (
        f"the alert was sent, but the {end.sender}'s reset comes {behind}: the {peer}'s program probably never saw it"
    )


def _warnings(connection: Connection, end: Ending) -> list[Evidence]:
    """Say of alerts that they end nothing: a warning that the name is unknown (RFC 6066 §3), an answer to a close."""
    for alert in connection.alerts:
        if alert.code == UNRECOGNIZED_NAME and not alert.fatal and alert is not end.alert:
            says = f"the {alert.sender}'s warning {alert.description} is harmless by itself (RFC 6066 §3)"
            return [Evidence(alert.position, says)]
        if end.alert is None and alert.description is not None and alert.fatal and answers_a_close(connection, alert):
            return [Evidence(alert.position, f"the {alert.sender}'s {alert.description} only answers that close")]
    return []


def _certificate_elsewhere(end: Ending, seen: ServerSeen | None) -> list[Evidence]:
    """Say what the server did with this certificate, or with others, in the capture's other connections."""
    if seen is None or end.sender != "server" or end.stage != "client_flight":
        return []
    if seen.certificate is not None:
        unless = "unless its clock or its settings changed in between, the certificate by itself is not at fault"
        says = f"the same server accepted this very certificate: {unless}"
        return [Evidence(Position(seen.certificate), says)]
    if seen.refuses_all >= SEVERAL:
        says = f"this server refused all {seen.refuses_all} client certificates that it was shown in this capture"
        return [Evidence(None, says)]
    return []
