"""Why a hello was refused, or anything else that is not about a certificate: by the alert and where it came.

RFC 8446 §6.2 and RFC 5246 §7.2.2 say what each alert is for. handshake_failure is for "no acceptable set of
parameters": which of them, the ClientHello only hints at.
"""

from __future__ import annotations

from typing import Final

from tlsalert.model import ClientHello, Connection

Ranking = list[tuple[str, float]]

#: Alerts that mean one thing, whoever sends them: (cause, how sure).
PLAIN: Final[dict[int, tuple[str, float]]] = {
    10: ("protocol_violation", 0.8),
    20: ("decryption_failed", 0.85),
    21: ("decryption_failed", 0.85),
    22: ("protocol_violation", 0.85),
    30: ("protocol_violation", 0.8),
    42: ("unknown_ca", 0.2),
    43: ("unsupported_certificate", 0.5),
    44: ("certificate_revoked", 0.85),
    45: ("certificate_expired", 0.7),
    46: ("unknown_ca", 0.4),
    47: ("protocol_violation", 0.7),
    48: ("unknown_ca", 0.7),
    49: ("access_denied", 0.6),
    50: ("protocol_violation", 0.7),
    51: ("decryption_failed", 0.5),
    60: ("no_shared_cipher_suite", 0.8),
    70: ("no_shared_version", 0.97),
    71: ("no_shared_cipher_suite", 0.8),
    80: ("internal_error", 0.8),
    86: ("inappropriate_fallback", 0.98),
    90: ("user_canceled", 0.9),
    109: ("protocol_violation", 0.8),
    110: ("protocol_violation", 0.85),
    111: ("certificate_unobtainable", 0.8),
    112: ("unrecognized_name", 0.97),
    113: ("revocation_status_unavailable", 0.85),
    115: ("unknown_psk_identity", 0.95),
    116: ("no_client_certificate", 0.9),
    117: ("internal_error", 0.5),
    120: ("no_application_protocol", 0.97),
    121: ("ech_required", 0.97),
}

TLS12: Final = 0x0303
TLS13: Final = 0x0304


def hello_ranking(connection: Connection, code: int | None) -> Ranking:
    """Return why a server refused a ClientHello, likeliest first."""
    if code == 40:
        return _no_acceptable_parameters(connection.client_hello)
    if code == 80:
        return [("internal_error", 0.6), ("no_shared_version", 0.2), ("no_shared_cipher_suite", 0.1)]
    if code == 47:
        return [("protocol_violation", 0.55), ("no_shared_version", 0.15), ("no_shared_group", 0.15)]
    return plain_ranking(code)


def plain_ranking(code: int | None) -> Ranking:
    """Return the cause that an alert means by itself."""
    found = PLAIN.get(code) if code is not None else None
    return [found] if found is not None else []


def _no_acceptable_parameters(hello: ClientHello | None) -> Ranking:
    """Weigh what handshake_failure may be about by what was offered."""
    weights = {
        "no_shared_cipher_suite": 0.45,
        "no_shared_version": 0.15,
        "no_shared_group": 0.12,
        "no_shared_signature_scheme": 0.10,
        "no_application_protocol": 0.02,
        "unrecognized_name": 0.08,
    }
    if hello is not None:
        newest = max(hello.versions, default=hello.legacy_version)
        if newest < TLS12:  # servers of today refuse TLS 1.1 and older with 40 as often as with 70
            weights["no_shared_version"] = 1.2
        elif newest >= TLS13 and len(hello.versions) == 1:
            weights["no_shared_version"] = 0.6
        if len(hello.cipher_suites) <= 3:
            weights["no_shared_cipher_suite"] *= 2
        if not hello.server_name:
            weights["unrecognized_name"] = 0.12
    total = sum(weights.values()) * 1.1
    return sorted(((cause, weight / total) for cause, weight in weights.items()), key=lambda pair: -pair[1])
