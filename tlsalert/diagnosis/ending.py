"""How a connection ended: which side ended it, by what, and what that side had last seen of the other.

The place of an alert comes before its number: handshake_failure (40) as the answer to a ClientHello is another
thing than 40 as the answer to a client's certificate.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from tlsalert.model import Alert, Connection, EncryptedRecord, HandshakeMessage, Outcome, Position, Side

#: What the side that ended it had last seen of the other: nothing (of TLS), a ClientHello, the server's hello, the
#: server's certificate flight, the client's certificate flight, a complete handshake, a new handshake inside it, a
#: request inside it.
Stage = Literal[
    "nothing", "client_hello", "server_hello", "server_flight", "client_flight", "complete", "renegotiation", "inside"
]
How = Literal["alert", "fin", "rst", "silence", "data", "http"]

APPLICATION_DATA: Final = 23
CLOSE_NOTIFY: Final = 0
NO_CERTIFICATE: Final = 41
DECODE_ERROR: Final = 50
USER_CANCELED: Final = 90
#: Messages of a TLS 1.3 client that come before its Finished: the server cannot have agreed to anything yet.
UNFINISHED: Final = frozenset(("client_hello", "end_of_early_data", "certificate", "certificate_verify"))
#: Alerts about a Finished or CertificateVerify that is wrong: handshake_failure, bad_record_mac, decrypt_error.
ABOUT_FINISHED: Final = frozenset((20, 40, 51))
#: Warnings after which a handshake goes on: no_certificate (SSLv3), user_canceled, no_renegotiation, unrecognized_name.
HARMLESS: Final = frozenset((CLOSE_NOTIFY, NO_CERTIFICATE, USER_CANCELED, 100, 112))


class Ending(Struct, frozen=True):
    """How it ended. ``sender`` is who ended it; ``alert`` the alert that did; ``position`` where.

    ``farewell`` says that the side that closed had sent a close_notify, which refuses nothing. ``quote`` is the HTTP
    answer that refused inside TLS.
    """

    outcome: Outcome
    stage: Stage
    how: How
    sender: Side | None = None
    alert: Alert | None = None
    position: Position | None = None
    farewell: bool = False
    quote: str | None = None


def ending(connection: Connection) -> Ending:
    """Return how a connection ended."""
    if not connection.messages and not connection.alerts and not connection.encrypted_records:
        return Ending("not_tls", "nothing", "data")
    begun = connection.protocol is not None and _spoke(connection, "server")  # the client's hello was not captured
    if connection.plain[0] and not begun and not _spoke(connection, "client"):
        return Ending("not_tls", "nothing", "data", "client")
    done = established(connection)
    if spoke_plainly(connection) and not done:
        return Ending("not_tls", "nothing", "data", "server")  # whatever alert the client answers that with
    alert = decisive(connection, done) or (None if done else _last_words(connection))
    if alert is not None:
        return Ending("failed", stage(connection, alert.sender), "alert", alert.sender, alert, alert.position)
    if done:
        return Ending("established", "complete", _how(connection), connection.closed.sender)
    closed = connection.closed
    if not connection.messages and alert is None and closed.how != "open":
        return Ending("incomplete", "nothing", "silence")  # the end of a connection that was caught late
    half = client_flight(connection) and not _spoke(connection, "server")  # it answered what was not captured
    half = half or (connection.tls13 and not _spoke(connection, "client"))  # what it was answered is not there
    if closed.how == "open" or closed.sender is None or half:
        return Ending("incomplete", stage(connection, "server"), "silence")
    farewell = any(
        a.sender == closed.sender and (a.code == CLOSE_NOTIFY or a.inferred == "close_notify")
        for a in connection.alerts
    )
    place = stage(connection, closed.sender)
    return Ending("failed", place, _how(connection), closed.sender, None, closed.position, farewell)


def decisive(connection: Connection, done: bool) -> Alert | None:
    """Return the alert that ended the handshake: the first fatal one, unless the handshake was ``done`` before it."""
    for alert in connection.alerts:
        if not refuses(connection, alert) or answers_a_close(connection, alert):
            continue
        if alert.description is None and connection.client_hello is None and connection.server_hello is None:
            continue  # of a connection that was caught midway nobody can say what it ends
        unread = alert.encrypted and alert.inferred == "fatal alert" and not connection.tls13
        if done and not unread and not (alert.decrypted and busy_again(connection)):
            return None  # after a complete handshake an alert is no verdict on it; a renegotiation is another handshake
        return alert
    return None


def busy_again(connection: Connection) -> bool:
    """Whether another handshake was under way inside an established connection, as far as it was decrypted.

    Up to TLS 1.2 that is a renegotiation (RFC 5246 §7.4.1), in TLS 1.3 a certificate that is asked for later (RFC 8446
    §4.6.2).
    """
    names = [(m.sender, m.message) for m in connection.messages if m.decrypted]
    if connection.tls13:
        if ("client", "finished") not in names:
            return False
        later = names[names.index(("client", "finished")) + 1 :]
        asked = ("server", "certificate_request") in later
        return asked and ("client", "finished") in later  # with its Finished the client has said all
    begun = ("client", "client_hello") in names or ("server", "server_hello") in names
    return begun and min(names.count(("client", "finished")), names.count(("server", "finished"))) < 2


def answers_a_close(connection: Connection, alert: Alert) -> bool:
    """Whether an alert came after the peer's FIN and refuses nothing any more: an encrypted one, or a warning.

    A fatal one in clear still counts: a client may send its flight, close its half at once, and be refused then. But
    decode_error is what OpenSSL 3 says to a close in the middle of a handshake; only where the peer's flight came
    before its FIN it may be meant for that.
    """
    closed = connection.closed
    if closed.how == "open" or closed.sender in (None, alert.sender) or closed.time is None or alert.time is None:
        return False
    if closed.time > alert.time:
        return False
    if alert.code == DECODE_ERROR and (alert.sender == "client" or not client_flight(connection)):
        return True
    return not (alert.description is not None and alert.fatal)


def _last_words(connection: Connection) -> Alert | None:
    """Return the alert with which the side that closed an unfinished handshake said why, be it only a warning.

    RFC 5246 §7.2.2 lets refusals of a certificate be warnings, and user_canceled is no error at all.
    """
    if connection.closed.how == "open":
        return None
    said = [a for a in connection.alerts if a.sender == connection.closed.sender and a.description is not None]
    return next((a for a in reversed(said) if a.code not in (CLOSE_NOTIFY, NO_CERTIFICATE)), None)


def refuses(connection: Connection, alert: Alert) -> bool:
    """Whether an alert ends the connection as a refusal. TLS 1.3 has no warnings but two, RFC 8446 §6."""
    if alert.description is None:
        return alert.fatal
    if alert.fatal:
        return alert.code != CLOSE_NOTIFY
    return connection.tls13 and alert.code not in HARMLESS


def established(connection: Connection) -> bool:
    """Whether both sides finished the handshake, as far as can be seen from outside, or as one of them says."""
    said = connection.testimony
    if said is not None and said.established is not None:
        return said.established
    if connection.tls13:
        return _established_13(connection)
    if connection.tls_version == "SSLv2":
        return min(connection.application_records) > 0
    changed = {m.sender for m in connection.messages if m.message == "change_cipher_spec"}
    finished = {m.sender for m in connection.messages if m.message in ("encrypted_handshake", "finished")}
    spoke = {side for side, many in zip(("client", "server"), connection.application_records, strict=True) if many}
    if not _spoke(
        connection, "client"
    ):  # in a full handshake a server finishes only when the client's Finished was right
        return "server" in changed & finished and any(m.message == "server_hello_done" for m in connection.messages)
    if not _spoke(connection, "server"):
        return "client" in changed and "client" in spoke
    if connection.client_hello is None and connection.server_hello is None:
        return len(spoke | (changed & finished)) == 2 or (bool(spoke) and not connection.messages)
    return len(spoke) == 2 or (len(changed) == 2 and len(finished | spoke) == 2)


def _established_13(connection: Connection) -> bool:
    """TLS 1.3: the client finishes first; that the server sent more than an alert after it shows that it agreed.

    Up to the client's first encrypted record the server sends its own flight (RFC 8446 §2); 0-RTT data would come
    before that flight and are told apart by it.
    """
    server_began = False
    client_answered = False
    inside = [m for m in connection.messages if m.decrypted]
    said: list[EncryptedRecord | HandshakeMessage] = [*inside, *_content_records(connection)]
    if inside:
        said.sort(key=_frame)  # a stable order: what one frame holds of a side was decrypted in its order
    for one in said:
        if one.sender == "server":
            if client_answered and not _refused_after(connection, one):
                return True
            server_began = True
        elif server_began and not (isinstance(one, HandshakeMessage) and one.message in UNFINISHED):
            client_answered = True
    farewells = [a.sender for a in connection.alerts if "close_notify" in (a.inferred, str(a.description)[:12])]
    agreed = "client" in farewells or (any(m.sender == "server" for m in inside) and "server" in farewells)
    agreed = agreed or _finished_and_left(connection)
    return client_answered and agreed and not any(a.fatal and a.code != CLOSE_NOTIFY for a in connection.alerts)


def _finished_and_left(connection: Connection) -> bool:
    """Whether the client's Finished was its whole answer and it left then, as health checks and benchmarks do.

    No certificate was asked for, so the server has nothing left to refuse, and nothing to answer either: for the client
    the handshake is done once it has sent its Finished (RFC 8446 §4.4.4).
    """
    if connection.closed.sender != "client" or connection.closed.how == "open":
        return False
    if certificate_asked(connection) is not False:
        return False
    inside = [m.message for m in connection.messages if m.decrypted and m.sender == "client"]
    if inside:
        return inside == ["finished"] and not connection.application_records[0]
    return len(client_records(connection)) == 1


def _frame(one: EncryptedRecord | HandshakeMessage) -> int:
    return one.position.frame or one.position.line or 0


def _refused_after(connection: Connection, said: EncryptedRecord | HandshakeMessage) -> bool:
    """Whether a ticket is all that a server said before it refused: Go sends it before it looks at the Finished."""
    ticket = isinstance(said, HandshakeMessage) and said.message == "new_session_ticket"
    return (
        ticket
        and any(
            alert.sender == "server" and alert.decrypted and alert.code in ABOUT_FINISHED for alert in connection.alerts
        )
        and not any(r.sender == "server" and r.decrypted for r in connection.encrypted_records)
    )


def stage(connection: Connection, sender: Side) -> Stage:
    """Return what ``sender`` had last seen of the other side."""
    names = {(m.sender, m.message) for m in connection.messages}
    client_spoke = client_flight(connection)
    if established(connection):
        return "renegotiation"
    if sender == "server":
        if client_spoke or _one_sided(connection):
            return "client_flight"
        return "client_hello" if any(s == "client" for s, _ in names) else "nothing"
    if ("server", "certificate") in names or ("server", "server_hello_done") in names or _encrypted_flight(connection):
        return "server_flight"
    return "server_hello" if any(s == "server" for s, _ in names) else "nothing"


def _one_sided(connection: Connection) -> bool:
    """Whether only the server's half was captured, up to the end of its flight: the client will have answered it."""
    spoken = {m.sender for m in connection.messages} | {r.sender for r in connection.encrypted_records}
    return spoken == {"server"} and any(m.message == "server_hello_done" for m in connection.messages)


def client_flight(connection: Connection) -> bool:
    """Whether the client answered the server's flight."""
    answers = {"certificate", "client_key_exchange", "certificate_verify", "encrypted_handshake", "finished"}
    if any(m.sender == "client" and m.message in answers for m in connection.messages):
        return True
    return connection.tls13 and len(client_records(connection)) > 0


def client_records(connection: Connection) -> tuple[int, ...]:
    """Return the lengths of a TLS 1.3 client's unread records after the server's first, alerts left out."""
    lengths: list[int] = []
    server_began = any(m.decrypted and m.sender == "server" for m in connection.messages)
    for record in _content_records(connection):
        if record.sender == "server":
            server_began = True
        elif server_began and not record.decrypted:
            lengths.append(record.length)
    return tuple(lengths)


def _content_records(connection: Connection) -> list[EncryptedRecord]:
    """Return the records of TLS 1.3 that are no alerts: unread alerts are the last ones of their side in a packet."""
    alerts = [(a.position, a.sender) for a in connection.alerts if a.description is None]
    found: list[EncryptedRecord] = []
    for record in reversed(connection.encrypted_records):
        place = (record.position, record.sender)
        if place in alerts:
            alerts.remove(place)
        elif record.content_type == APPLICATION_DATA:
            found.append(record)
    return found[::-1]


def certificate_asked(connection: Connection) -> bool | None:
    """Whether the server asked for a certificate: None where that cannot be seen."""
    if any(m.message == "certificate_request" for m in connection.messages):
        return True
    if connection.tls13:
        if any(m.sender == "server" and m.message == "finished" for m in connection.messages):
            return False  # its flight was decrypted, RFC 8446 §4.3.2
        lengths = client_records(connection)
        return False if lengths and lengths[0] == _finished_length(connection) else None
    seen = any(m.message == "server_hello_done" for m in connection.messages)
    return False if seen and not connection.lossy else None


def certificate_sent(connection: Connection) -> bool | None:
    """Whether the client sent a certificate: None where it was not asked, or where that cannot be seen.

    In TLS 1.3 the length of its first encrypted record tells an empty Certificate message, and a Finished that
    stands alone tells that none was asked for.
    """
    sent = [m for m in connection.messages if m.sender == "client" and m.message == "certificate"]
    if sent:
        return _has_entries(sent[-1], connection)
    if any(a.sender == "client" and a.code == NO_CERTIFICATE for a in connection.alerts):
        return False
    if connection.tls13:
        return _certificate_sent_13(connection)
    requested = any(m.message == "certificate_request" for m in connection.messages)
    return False if requested and client_flight(connection) and not connection.lossy else None


def ended(end: Ending) -> str:
    """Say how it ended, as evidence."""
    if end.quote is not None:
        return f"inside TLS the {end.sender} answers {end.quote}"
    if end.alert is None:
        if end.farewell:
            return f"the {end.sender} takes leave (close_notify) and closes the connection"
        return f"the {end.sender} {'resets' if end.how == 'rst' else 'closes'} the connection without an alert"
    if end.alert.description is None:
        return f"an encrypted alert of the {end.sender}"
    level = f"{end.alert.level.name} " if end.alert.level is not None else ""
    return f"the {end.sender} sends {level}{end.alert.description}"


def alert_lost(connection: Connection, end: Ending) -> bool:
    """Whether a reset right after the alert probably destroyed it: TCP may drop what the peer had not read yet."""
    reset = connection.reset
    return end.alert is not None and reset is not None and reset.sender == end.sender and _soon(end, reset.time)


def _soon(end: Ending, time: int | None) -> bool:
    """Whether a reset came within the time that a program may need to read the alert before it."""
    if end.alert is None or end.alert.time is None or time is None:
        return False
    return 0 <= time - end.alert.time < 50_000_000


def _certificate_sent_13(connection: Connection) -> bool | None:
    """Judge by lengths, RFC 8446 §4.4: an empty Certificate has 8 bytes, alone in a record or before Finished."""
    lengths = client_records(connection)
    finished = _finished_length(connection)
    if not lengths or lengths[0] == finished:
        return None
    return lengths[0] not in (8 + 1 + _tag(connection), 8 + finished)


def _finished_length(connection: Connection) -> int:
    """Return the length of a TLS 1.3 record with nothing but Finished: the hash's size tells it, RFC 8446 §4.4.4."""
    return 4 + (48 if (connection.cipher_suite or "").endswith("SHA384") else 32) + 1 + _tag(connection)


def _tag(connection: Connection) -> int:
    return 8 if (connection.cipher_suite or "").endswith("CCM_8_SHA256") else 16


def _has_entries(message: HandshakeMessage, connection: Connection) -> bool:
    """Whether a Certificate message holds more than the three bytes of its list's length, RFC 5246 §7.4.2.

    In TLS 1.3 a certificate_request_context stands before them, RFC 8446 §4.4.2. One that a log only names is no
    empty one: that would have been told.
    """
    if message.cut and not message.length:
        return True
    context = 1 + message.body[0] if connection.tls13 and message.body else 0
    return message.length > 3 + context


def spoke_plainly(connection: Connection) -> bool:
    """Whether the server answered in something that is not TLS.

    What it said before the ClientHello was how the two agreed on TLS (STARTTLS, a proxy), unless it declined.
    """
    if _spoke(connection, "server"):
        return False
    preamble = connection.preamble
    if preamble is None or not connection.plain[0]:
        return bool(connection.plain[1]) and not connection.plain[0]
    return preamble.refusal is not None or bool(preamble.answer)


def _spoke(connection: Connection, side: Side) -> bool:
    """Whether a side said anything in TLS."""
    if connection.application_records[0 if side == "client" else 1]:
        return True
    senders = {message.sender for message in connection.messages} | {alert.sender for alert in connection.alerts}
    return side in senders


def _encrypted_flight(connection: Connection) -> bool:
    return any(r.sender == "server" and r.content_type == 23 for r in connection.encrypted_records)


def _how(connection: Connection) -> How:
    closed = connection.closed.how
    return "silence" if closed == "open" else closed
