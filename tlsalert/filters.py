"""What ``where`` can ask of connections: each filter by its name, with one value or several that will do.

    capture.failed.where(alert="bad_certificate", server="10.0.0.7")
    capture.where(cause=["unknown_ca", "chain_incomplete"], client="10.0.0.0/24")
    capture.where(lambda c: c.client_hello is not None and 0x0304 in c.client_hello.versions)

A name, a number or a cause that there is not is an error with a suggestion, never an empty answer.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network
from typing import get_args

from tlsalert.errors import UsageError
from tlsalert.model import Connection, Endpoint, Outcome, Side
from tlsalert.registry.alerts import AlertDescription

Test = Callable[[Connection], bool]

#: Each filter, and what it asks; ``None`` as a value asks for connections where the thing is missing or unknown.
FILTERS = {
    "alert": "an alert that either side sent: its name or number",
    "alert_from": "the side that sent an alert",
    "cause": "the verdict's cause",
    "outcome": "established, failed, incomplete or not_tls",
    "refused_by": "the side that ended the handshake",
    "at_fault": "where the mend belongs: client, server or network",
    "server": "the server's address, its address and port (10.0.0.7:443), its port (:443) or its network (10.0.0.0/24)",
    "client": "the client's, likewise",
    "server_name": "the name that the client asked for (SNI), also *.example.org",
    "tls_version": "the version that was negotiated: TLS 1.2, or 1.2",
    "cipher_suite": "the suite that was negotiated, by its IANA name",
    "alpn": "the application protocol that was negotiated",
    "protocol": "what was spoken before TLS: smtp, http-connect …",
    "certificate": "the SHA-256 of a certificate that either side showed, or a part of its subject",
}

#: The stable names of the causes that a verdict can have.
CAUSES = (
    "certificate_not_yet_valid",
    "certificate_expired",
    "unknown_ca",
    "no_client_certificate",
    "bad_certificate_signature",
    "key_mismatch",
    "wrong_certificate_usage",
    "certificate_revoked",
    "unsupported_certificate",
    "malformed_certificate",
    "weak_certificate",
    "chain_incomplete",
    "chain_out_of_order",
    "chain_invalid",
    "chain_too_long",
    "revocation_status_unavailable",
    "certificate_not_pinned",
    "name_mismatch",
    "no_shared_version",
    "no_shared_cipher_suite",
    "no_shared_group",
    "no_shared_signature_scheme",
    "unrecognized_name",
    "no_application_protocol",
    "inappropriate_fallback",
    "decryption_failed",
    "protocol_violation",
    "not_tls",
    "closed_without_alert",
    "reset_without_alert",
    "timed_out",
    "user_canceled",
    "resource_limit",
    "internal_error",
    "normal_close",
    "access_denied",
    "unknown_psk_identity",
    "ech_required",
    "certificate_unobtainable",
    "starttls_refused",
)

_SIDES = get_args(Side)
_VERSION = re.compile(r"(?i)(?:tls\s*v?)?(1\.[0-3])")


def matcher(predicate: Test | None, filters: dict[str, object]) -> Test:
    """Return the test that a connection passes where it passes all filters.

    Raises :class:`UsageError` for a filter that there is not, and for a value that no connection can have.
    """
    tests = [] if predicate is None else [predicate]
    for name, value in filters.items():
        if name not in FILTERS:
            raise UsageError(
                "there is no such filter", name, _near(name, FILTERS) or f"take one of {', '.join(FILTERS)}"
            )
        tests.append(_any([_FILTERS[name](one) for one in _values(value)]))
    return lambda connection: all(test(connection) for test in tests)


def _values(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def _any(tests: list[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda connection: any(test(connection) for test in tests)


def _near(word: str, known: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(word.lower(), list(known), 3)
    return f"did you mean {' or '.join(near)}?" if near else None


def _alert(value: object) -> Test:
    if value is None:
        return lambda connection: not connection.alerts
    code = _alert_code(value)
    return lambda connection: any(alert.code == code for alert in connection.alerts)


def _alert_code(value: object) -> int:
    """Return an alert's number; ``bad_certificate``, ``42``, ``"42"`` and ``bad_certificate(42)`` are the same."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255:
        return int(value)
    text = str(value).strip().lower().replace("-", "_").replace(" ", "_")
    text = re.sub(r"_?\(\d+\)$", "", text)
    names = {member.name: int(member) for member in AlertDescription}
    if text in names:
        return names[text]
    if text.isascii() and text.isdigit() and int(text) <= 255:
        return int(text)
    raise UsageError(
        "there is no such alert", str(value), _near(text, names) or "tlsalert explain says what an alert means"
    )


def _among(name: str, read: Callable[[Connection], object], known: Iterable[str]) -> Callable[[object], Test]:
    """Return the filter for one of a few known words."""
    words = tuple(known)

    def make(value: object) -> Test:
        if value is not None and value not in words:
            raise UsageError(f"no {name} is called so", str(value), f"take one of {', '.join(words)}")
        return lambda connection: read(connection) == value

    return make


def _cause(value: object) -> Test:
    if value is not None and value not in CAUSES:
        raise UsageError(
            "no cause is called so", str(value), _near(str(value), CAUSES) or f"take one of {', '.join(CAUSES)}"
        )
    return lambda connection: connection.verdict is not None and connection.verdict.cause == value


def _alert_from(value: object) -> Test:
    if value not in _SIDES:
        raise UsageError("no side is called so", str(value), "take client or server")
    return lambda connection: any(alert.sender == value for alert in connection.alerts)


def _endpoint(end: Callable[[Connection], Endpoint | None]) -> Callable[[object], Test]:
    def make(value: object) -> Test:
        if value is None:
            return lambda connection: end(connection) is None
        matches = _address(str(value))
        return lambda connection: (one := end(connection)) is not None and matches(one)

    return make


def _address(text: str) -> Callable[[Endpoint], bool]:
    """Return the test for what was written: an address, with a port, a port alone, or a network."""
    address, port = _parted(text)
    if port is not None:
        if not 0 <= port <= 65535:
            raise UsageError("ports end at 65535", text)
        if not address:
            return lambda end: end.port == port
        wanted = _same(address)
        return lambda end: end.port == port and _same(end.address) == wanted
    if "/" not in text:
        wanted = _same(address)
        return lambda end: _same(end.address) == wanted
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise UsageError("this is no network", text, "write it as 10.0.0.0/24") from None

    def inside(end: Endpoint) -> bool:
        try:
            return ip_address(end.address) in network
        except ValueError:  # a log can name a host
            return False

    return inside


def _parted(text: str) -> tuple[str, int | None]:
    """Return address and port: ``[::1]:443`` has one, ``::1`` has none."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", text)
    if bracketed:
        return bracketed[1], None if bracketed[2] is None else int(bracketed[2])
    plain = re.fullmatch(r"([^:]*):(\d{1,6})", text)
    return (plain[1], int(plain[2])) if plain else (text, None)


def _same(address: str) -> str:
    """Return an address in the one form that can be compared."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address.lower()


def _server_name(value: object) -> Test:
    if value is None:
        return lambda connection: connection.server_name is None
    wanted = str(value).lower().rstrip(".")
    if wanted.startswith("*."):
        return lambda connection: (connection.server_name or "").lower().rstrip(".").endswith(wanted[1:])
    return lambda connection: (connection.server_name or "").lower().rstrip(".") == wanted


def _tls_version(value: object) -> Test:
    number = None if value is None else _VERSION.fullmatch(str(value).strip())
    wanted = f"TLS {number[1]}" if number else value
    return lambda connection: connection.tls_version == wanted


def _equal(read: Callable[[Connection], object]) -> Callable[[object], Test]:
    return lambda value: lambda connection: read(connection) == value


def _certificate(value: object) -> Test:
    if value is None:
        return lambda connection: not (connection.certificates.client or connection.certificates.server)
    wanted = str(value).lower()
    digest = wanted.replace(":", "")

    def shown(connection: Connection) -> bool:
        chains = connection.certificates
        return any(
            one.sha256 == digest or wanted in (one.subject or "").lower() for one in (*chains.client, *chains.server)
        )

    return shown


def _verdict(name: str) -> Callable[[Connection], object]:
    return lambda connection: None if connection.verdict is None else getattr(connection.verdict, name)


_FILTERS: dict[str, Callable[[object], Test]] = {
    "alert": _alert,
    "alert_from": _alert_from,
    "cause": _cause,
    "outcome": _among("outcome", _verdict("outcome"), get_args(Outcome)),
    "refused_by": _among("side", _verdict("refused_by"), _SIDES),
    "at_fault": _among("place", _verdict("at_fault"), (*_SIDES, "network")),
    "server": _endpoint(lambda connection: connection.server),
    "client": _endpoint(lambda connection: connection.client),
    "server_name": _server_name,
    "tls_version": _tls_version,
    "cipher_suite": _equal(lambda connection: connection.cipher_suite),
    "alpn": _equal(lambda connection: connection.alpn),
    "protocol": _equal(lambda connection: connection.protocol),
    "certificate": _certificate,
}
