"""The columns of the tables: their names, their types, and what stands in them. Nothing here needs pyarrow.

Types: "text", "category" (text that repeats: a dictionary in Arrow, a categorical in pandas), "time" (UTC, in
nanoseconds), "date" (UTC, in milliseconds: a certificate's), "duration" (nanoseconds), "bool", "count", "number",
"texts" (a list). What is unknown is null. Text from the wire has its control characters escaped, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from tlsalert.connections import Kind
from tlsalert.model import Alert, Certificate, Clock, Connection, HandshakeMessage, Position, Side
from tlsalert.render.names import alert_level, alert_name, deciding_alert
from tlsalert.render.style import escape

Type = Literal["text", "category", "time", "date", "duration", "bool", "count", "number", "texts"]

#: The last and first nanosecond that 64 bits hold: a damaged capture can tell of any time.
LAST, FIRST = (1 << 63) - 1, -(1 << 63)


class Column(NamedTuple):
    """One column: its name, its type, and what stands in it."""

    name: str
    type: Type
    says: str


_WHICH = (
    Column("source", "category", "the file that it comes from"),
    Column("connection", "count", "which of the source's connections it is, from 0"),
)
_ENDS = (
    Column("client_address", "category", "the client's address"),
    Column("client_port", "count", "the client's port"),
    Column("server_address", "category", "the server's address"),
    Column("server_port", "count", "the server's port"),
    Column("server_name", "category", "the name that the client asked for (SNI)"),
    Column("tls_version", "category", "the version that was negotiated"),
)
_JUDGED = (
    Column("outcome", "category", "established, failed, incomplete or not_tls"),
    Column("refused_by", "category", "the side that ended the handshake"),
    Column("cause", "category", "what was objected to"),
    Column("confidence", "number", "how sure the cause is, 0 to 1; null where there is none"),
    Column("at_fault", "category", "where the mend belongs: client, server or network"),
)
_PLACE = (
    Column("frame", "count", "its frame in the capture, from 1"),
    Column("line", "count", "its line in the log, from 1"),
    Column("time", "time", "when it was seen"),
)

#: The columns of each kind of table, in order.
COLUMNS: dict[Kind, tuple[Column, ...]] = {
    "connections": (
        *_WHICH,
        Column("start", "time", "when its first packet was seen"),
        Column("end", "time", "when its last packet was seen"),
        Column("duration", "duration", "from start to end"),
        Column("transport", "category", "tcp, udp, quic or eap"),
        Column("protocol", "category", "what was spoken before TLS"),
        *_ENDS,
        Column("cipher_suite", "category", "the suite that was negotiated"),
        Column("alpn", "category", "the application protocol that was negotiated"),
        Column("ja3", "category", "the ClientHello's JA3"),
        Column("ja3s", "category", "the ServerHello's JA3S"),
        Column("ja4", "category", "the ClientHello's JA4"),
        Column("resumed", "bool", "whether a session was resumed"),
        *_JUDGED,
        Column("alert", "category", "the alert that ended it (the first fatal one), by its name"),
        Column("alert_code", "count", "that alert's number"),
        Column("alert_from", "category", "the side that sent it"),
        Column("alert_lost", "bool", "whether an alert was probably destroyed by a reset"),
        Column("closed", "category", "how the transport ended: fin, rst or open"),
        Column("server_skew", "number", "seconds that the server's clock is ahead of the capture's, where it is known"),
        Column("client_skew", "number", "the same of the client's"),
        Column("client_certificate", "category", "the subject of the client's leaf certificate"),
        Column("server_certificate", "category", "the subject of the server's"),
        Column("messages", "count", "how many handshake messages were seen"),
        Column("summary", "text", "the verdict in one sentence"),
    ),
    "messages": (
        *_WHICH,
        Column("number", "count", "which of the connection's messages it is, from 0"),
        Column("message", "category", "its name in the RFC"),
        Column("type", "count", "its number; null for what only stands in the place of one"),
        Column("sender", "category", "client or server"),
        *_PLACE,
        Column("since_start", "duration", "from the connection's first packet"),
        Column("length", "count", "bytes of its body"),
        Column("encrypted", "bool", "whether it was encrypted"),
        Column("decrypted", "bool", "whether it could be decrypted"),
    ),
    "alerts": (
        *_WHICH,
        Column("number", "count", "which of the connection's alerts it is, from 0"),
        Column("level", "category", "warning or fatal; null where it could not be read"),
        Column("alert", "category", "its name; null where it could not be read"),
        Column("code", "count", "its number"),
        Column("sender", "category", "client or server"),
        *_PLACE,
        Column("encrypted", "bool", "whether it was encrypted"),
        Column("decrypted", "bool", "whether it could be decrypted"),
        Column("inferred", "category", "what the pattern of lengths shows where it could not be read"),
        Column("after", "category", "the last message before it"),
        Column("decided", "bool", "whether it is the one that ended the connection"),
        *_ENDS,
        *_JUDGED,
    ),
    "certificates": (
        *_WHICH,
        Column("sender", "category", "client or server"),
        Column("place", "count", "its place in the chain as it was sent, the leaf is 0"),
        Column("subject", "category", "its subject, RFC 4514"),
        Column("issuer", "category", "its issuer, RFC 4514"),
        Column("serial", "text", "its serial number, hexadecimal"),
        Column("not_before", "date", "the first second that it is valid"),
        Column("not_after", "date", "the last one"),
        Column("key", "category", "its key's kind and size"),
        Column("signature_algorithm", "category", "how it is signed"),
        Column("subject_alt_names", "texts", "its further names"),
        Column("key_usage", "texts", "what its key may do"),
        Column("extended_key_usage", "texts", "what it may be used for"),
        Column("self_signed", "bool", "whether its own key signed it"),
        Column("ca", "bool", "whether it may issue others; null where it does not say"),
        Column("sha256", "category", "the digest of its DER"),
        Column("problems", "texts", "what is odd about it"),
        Column("time", "time", "when the connection began that showed it"),
    ),
}

Values = tuple[Any, ...]


def rows(connection: Connection, kind: Kind) -> Iterator[Values]:
    """Yield the rows that one connection has in a table, with the values in the order of the columns."""
    return _ROWS[kind](connection)


def _connection(connection: Connection) -> Iterator[Values]:
    alert = deciding_alert(connection.alerts)
    start, end = _time(connection.start), _time(connection.end)
    verdict = connection.verdict
    yield (
        *_which(connection),
        start,
        end,
        None if start is None or end is None else end - start,
        connection.transport,
        _text(connection.protocol),
        *_ends(connection),
        _text(connection.cipher_suite),
        _text(connection.alpn),
        connection.ja3,
        connection.ja3s,
        connection.ja4,
        connection.resumed,
        *_judged(connection),
        None if alert is None else alert_name(alert),
        None if alert is None else alert.code,
        None if alert is None else alert.sender,
        verdict is not None and verdict.alert_lost,
        connection.closed.how,
        _skew(connection.clocks.server),
        _skew(connection.clocks.client),
        _subject(connection.certificates.client),
        _subject(connection.certificates.server),
        len(connection.messages),
        None if verdict is None else _text(verdict.summary),
    )


def _messages(connection: Connection) -> Iterator[Values]:
    which, start = _which(connection), _time(connection.start)
    for number, message in enumerate(connection.messages):
        time = _time(message.time)
        yield (
            *which,
            number,
            message.message,
            message.type,
            message.sender,
            *_place(message),
            None if time is None or start is None else time - start,
            message.length,
            message.encrypted,
            message.decrypted,
        )


def _alerts(connection: Connection) -> Iterator[Values]:
    deciding = deciding_alert(connection.alerts)
    which = _which(connection)
    for number, alert in enumerate(connection.alerts):
        yield (
            *which,
            number,
            alert_level(alert),
            alert_name(alert),
            alert.code,
            alert.sender,
            *_place(alert),
            alert.encrypted,
            alert.decrypted,
            alert.inferred,
            alert.after,
            alert is deciding,
            *_ends(connection),
            *_judged(connection),
        )


def _certificates(connection: Connection) -> Iterator[Values]:
    which, start = _which(connection), _time(connection.start)
    chains: tuple[tuple[Side, tuple[Certificate, ...]], ...] = (
        ("client", connection.certificates.client),
        ("server", connection.certificates.server),
    )
    for sender, chain in chains:
        for place, one in enumerate(chain):
            yield (
                *which,
                sender,
                place,
                _text(one.subject),
                _text(one.issuer),
                one.serial,
                one.not_before,
                one.not_after,
                _text(one.key),
                _text(one.signature_algorithm),
                _texts(one.subject_alt_names),
                _texts(one.key_usage),
                _texts(one.extended_key_usage),
                one.self_signed,
                one.ca,
                one.sha256,
                _texts(one.problems),
                start,
            )


_ROWS: dict[Kind, Callable[[Connection], Iterator[Values]]] = {
    "connections": _connection,
    "messages": _messages,
    "alerts": _alerts,
    "certificates": _certificates,
}


def _which(connection: Connection) -> Values:
    return escape(connection.source), connection.connection


def _ends(connection: Connection) -> Values:
    client, server = connection.client, connection.server
    return (
        None if client is None else escape(client.address),
        None if client is None else client.port,
        None if server is None else escape(server.address),
        None if server is None else server.port,
        _text(connection.server_name),
        connection.tls_version,
    )


def _judged(connection: Connection) -> Values:
    verdict = connection.verdict
    if verdict is None:
        return None, None, None, None, None
    sure = verdict.confidence if verdict.cause else None
    return verdict.outcome, verdict.refused_by, verdict.cause, sure, verdict.at_fault


def _place(one: HandshakeMessage | Alert) -> Values:
    position: Position = one.position
    return position.frame, position.line, _time(one.time)


def _time(time: int | None) -> int | None:
    return None if time is None or not FIRST <= time <= LAST else time


def _skew(clock: Clock | None) -> float | None:
    return None if clock is None else clock.skew_seconds


def _subject(chain: tuple[Certificate, ...]) -> str | None:
    return _text(chain[0].subject) if chain else None


def _text(text: str | None) -> str | None:
    return None if text is None else escape(text)


def _texts(texts: tuple[str, ...]) -> list[str]:
    return [escape(text) for text in texts]
