"""One connection as plain dicts and lists: the object of ``read --format jsonl``.

Every key is always there, in one order; the unknown is None, none is []. Times are RFC 3339 in UTC
with the evidence's own precision, certificates' dates without decimals.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from tlsalert.model import (
    Alert,
    Certificate,
    CertificateRequest,
    ClientHello,
    Clock,
    Connection,
    Endpoint,
    HandshakeMessage,
    Position,
    ServerHello,
    Verdict,
    rfc3339,
)
from tlsalert.registry.versions import version_label
from tlsalert.render import names
from tlsalert.render.display_filter import display_filter
from tlsalert.render.fields import message_fields
from tlsalert.render.values import extension_row
from tlsalert.wire.extensions import CLIENT_HELLO, HELLO_RETRY_REQUEST, SERVER_HELLO

Row = dict[str, object]

#: A certificate with more bytes than this is told anew each time, or strangers could fill the memory.
REMEMBERED_DER = 8192

BILLION = 1_000_000_000


def row(connection: Connection) -> Row:
    """Return the connection as values that JSON knows, with all keys in the documented order."""
    digits = connection.digits
    closed = connection.closed
    return {
        "source": connection.source,
        "connection": connection.connection,
        "transport": connection.transport,
        "protocol": connection.protocol,
        "client": _endpoint(connection.client),
        "server": _endpoint(connection.server),
        "start": time_text(connection.start, digits),
        "end": time_text(connection.end, digits),
        "tls_version": connection.tls_version,
        "cipher_suite": connection.cipher_suite,
        "server_name": connection.server_name,
        "alpn": connection.alpn,
        "ja3": connection.ja3,
        "ja3s": connection.ja3s,
        "ja4": connection.ja4,
        "resumed": connection.resumed,
        "client_hello": client_hello_row(connection.client_hello),
        "server_hello": server_hello_row(connection.server_hello),
        "messages": [message_row(message, connection) for message in connection.messages],
        "alerts": [alert_row(alert, digits) for alert in connection.alerts],
        "certificates": {
            "client": [certificate_row(one) for one in connection.certificates.client],
            "server": [certificate_row(one) for one in connection.certificates.server],
        },
        "certificate_request": request_row(connection.certificate_request),
        "clocks": {
            "capture": time_text(connection.clocks.capture, digits),
            "server": clock_row(connection.clocks.server, digits),
            "client": clock_row(connection.clocks.client, digits),
        },
        "closed": {"how": closed.how, "from": closed.sender, "position": _position(closed.position)},
        "notes": list(connection.notes),
        "verdict": judged_row(connection),
    }


def time_text(time: int | None, digits: int) -> str | None:
    """Return :func:`tlsalert.model.rfc3339` of ``time``, with the text of each second made only once."""
    if time is None:
        return None
    seconds, fraction = divmod(time, BILLION)
    if digits == 6:  # most captures
        return f"{second_text(seconds)}.{fraction // 1000:06d}Z"
    if digits == 0:
        return second_text(seconds) + "Z"
    return f"{second_text(seconds)}.{f'{fraction:09d}'[:digits]}Z"


def date_text(moment: datetime | None) -> str | None:
    """Return a certificate's date as RFC 3339 without decimals: "2016-05-19T09:46:36Z"."""
    if moment is None:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="seconds") + "Z"


@lru_cache(4096)
def second_text(seconds: int) -> str:
    """Return a whole second as RFC 3339 without the "Z"."""
    return rfc3339(seconds * BILLION, 0)[:-1]


def certificate_row(certificate: Certificate) -> Row:
    """Return the facts of a certificate, without its DER."""
    if len(certificate.der) > REMEMBERED_DER:
        return _certificate(certificate)
    facts = _remembered_certificate(certificate)
    return {key: list(value) if isinstance(value, list) else value for key, value in facts.items()}


def message_row(message: HandshakeMessage, connection: Connection) -> Row:
    """Return a message; "fields" is what it says besides, None where that is shown elsewhere or not known."""
    return {
        "message": message.message,
        "type": message.type,
        "from": message.sender,
        "position": _position(message.position),
        "time": time_text(message.time, connection.digits),
        "length": message.length,
        "encrypted": message.encrypted,
        "decrypted": message.decrypted,
        "fields": message_fields(message, connection),
    }


def alert_row(alert: Alert, digits: int) -> Row:
    """Return an alert: by name and number, or what was inferred of it."""
    return {
        "level": names.alert_level(alert),
        "description": names.alert_name(alert),
        "code": alert.code,
        "from": alert.sender,
        "position": _position(alert.position),
        "time": time_text(alert.time, digits),
        "encrypted": alert.encrypted,
        "decrypted": alert.decrypted,
        "inferred": alert.inferred,
        "after": alert.after,
    }


def client_hello_row(hello: ClientHello | None) -> Row | None:
    """Return what a client offered, in names."""
    if hello is None:
        return None
    return {
        "legacy_version": version_label(hello.legacy_version),
        "versions": names.versions(hello.versions),
        "random": hello.random.hex(),
        "session_id": hello.session_id.hex(),
        "cipher_suites": names.suites(hello.cipher_suites),
        "compression_methods": names.compression_methods(hello.compression_methods),
        "extensions": [extension_row(extension, CLIENT_HELLO) for extension in hello.extensions],
        "server_name": hello.server_name,
        "alpn": list(hello.alpn),
        "groups": names.groups(hello.groups),
        "point_formats": names.point_formats(hello.point_formats),
        "signature_schemes": names.schemes(hello.signature_schemes),
        "key_shares": names.groups(hello.key_shares),
        "problems": list(hello.problems),
    }


def server_hello_row(hello: ServerHello | None) -> Row | None:
    """Return what a server chose, in names."""
    if hello is None:
        return None
    message = HELLO_RETRY_REQUEST if hello.hello_retry_request else SERVER_HELLO
    return {
        "legacy_version": version_label(hello.legacy_version),
        "version": version_label(hello.version),
        "random": hello.random.hex(),
        "session_id": hello.session_id.hex(),
        "cipher_suite": names.suite_name(hello.cipher_suite),
        "compression_method": names.compression_name(hello.compression_method),
        "extensions": [extension_row(extension, message) for extension in hello.extensions],
        "alpn": hello.alpn,
        "group": None if hello.group is None else names.group_name(hello.group),
        "hello_retry_request": hello.hello_retry_request,
        "problems": list(hello.problems),
    }


def request_row(request: CertificateRequest | None) -> Row | None:
    """Return what a server asked for."""
    if request is None:
        return None
    return {
        "authorities": list(request.authorities),
        "signature_schemes": list(request.signature_schemes),
        "types": list(request.types),
    }


def clock_row(clock: Clock | None, digits: int) -> Row | None:
    """Return a side's clock."""
    if clock is None:
        return None
    return {
        "time": time_text(clock.time, digits),
        "source": clock.source,
        "skew_seconds": clock.skew_seconds,
        "confidence": round(clock.confidence, 3),
        "position": _position(clock.position),
    }


def judged_row(connection: Connection) -> Row | None:
    """Return a connection's verdict with the filter that makes Wireshark show it; one that went well needs none."""
    row = verdict_row(connection.verdict)
    if row is not None:
        row["display_filter"] = display_filter(connection) if row["outcome"] != "established" else None
    return row


def verdict_row(verdict: Verdict | None) -> Row | None:
    """Return the verdict."""
    if verdict is None:
        return None
    return {
        "outcome": verdict.outcome,
        "refused_by": verdict.refused_by,
        "cause": verdict.cause,
        "confidence": verdict.confidence,
        "at_fault": verdict.at_fault,
        "alert_lost": verdict.alert_lost,
        "summary": verdict.summary,
        "evidence": [{"position": _position(one.position), "says": one.says} for one in verdict.evidence],
        "advice": list(verdict.advice),
        "alternatives": [{"cause": one.cause, "confidence": one.confidence} for one in verdict.alternatives],
    }


def _endpoint(endpoint: Endpoint | None) -> Row | None:
    return None if endpoint is None else {"address": endpoint.address, "port": endpoint.port}


def _position(position: Position | None) -> Row | None:
    """Return {"frame": n} or {"line": n}: only what is known."""
    if position is None:
        return None
    if position.frame is not None:
        return {"frame": position.frame}
    return None if position.line is None else {"line": position.line}


@lru_cache(256)
def _remembered_certificate(certificate: Certificate) -> Row:
    return _certificate(certificate)


def _certificate(certificate: Certificate) -> Row:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial,
        "not_before": date_text(certificate.not_before),
        "not_after": date_text(certificate.not_after),
        "sha256": certificate.sha256 or None,  # a log may name a certificate and not show it
        "key": certificate.key,
        "signature_algorithm": certificate.signature_algorithm,
        "subject_alt_names": list(certificate.subject_alt_names),
        "key_usage": list(certificate.key_usage),
        "extended_key_usage": list(certificate.extended_key_usage),
        "self_signed": certificate.self_signed,
        "problems": list(certificate.problems),
    }
