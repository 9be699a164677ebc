"""Why a hello was refused, or anything else that is not about a certificate: by the alert and where it came.

RFC 8446 §6.2 and RFC 5246 §7.2.2 say what each alert is for. handshake_failure is for "no acceptable set of
parameters": which of them, the ClientHello only hints at.
"""

from __future__ import annotations

from typing import Final

from tlsalert.diagnosis.offers import ServerSeen, weigh
from tlsalert.model import ClientHello, Connection
from tlsalert.registry.open import is_grease

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


#: Most that a comparison of offers can prove: a server may want something else that did not show.
MOST: Final = 0.95
#: Alerts about one thing that some stacks also send for another: what else they may be about, and how likely.
#: Measured: 80 is Botan's for an old version; 47 is what RFC 8446 §4.1.1 lets servers send for no common group.
ALSO: Final[dict[int, dict[str, float]]] = {
    80: {"internal_error": 0.6, "no_shared_version": 0.2, "no_shared_cipher_suite": 0.1},
    47: {"protocol_violation": 0.55, "no_shared_version": 0.15, "no_shared_group": 0.15},
    71: {"no_shared_cipher_suite": 0.8, "no_shared_version": 0.08, "no_shared_group": 0.05},
}


def hello_ranking(connection: Connection, code: int | None, seen: ServerSeen | None = None) -> Ranking:
    """Return why a server refused a ClientHello, likeliest first; ``seen`` is what it wanted of others."""
    hello = connection.client_hello
    if code == 40:
        return _ranked(_no_acceptable_parameters(hello, seen), 1.1)
    if code in ALSO:
        weights = dict.fromkeys(PARAMETERS, 0.0) | ALSO[code]
        if hello is not None and seen is not None:
            weigh(weights, hello, seen)
        return _ranked(weights, 1.0 / min(1.0, sum(ALSO[code].values())))
    return plain_ranking(code)


def silent_ranking(connection: Connection, silent: str, seen: ServerSeen | None) -> Ranking:
    """Return why a server closed the connection at a ClientHello without a word; ``silent`` names the close."""
    hello = connection.client_hello
    if hello is None or seen is None or not seen.connections:
        return [(silent, 0.8)]
    weights = {cause: 0.2 * weight for cause, weight in _no_acceptable_parameters(hello, seen).items()}
    return _ranked({silent: 0.8, **weights}, 1.1)


def finished_ranking(code: int | None) -> Ranking:
    """Return what a server's alert means as the answer to the client's Finished, where no certificate was sent.

    Up to TLS 1.2 Finished is the first record under the new keys (RFC 5246 §7.4.9): it fails where the sides do not
    have the same secret, or not the same messages.
    """
    return [("decryption_failed", 0.88)] if code in (20, 21, 51) else plain_ranking(code)


def plain_ranking(code: int | None) -> Ranking:
    """Return the cause that an alert means by itself."""
    found = PLAIN.get(code) if code is not None else None
    return [found] if found is not None else []


#: What handshake_failure may be about, and how often, before anything is looked at.
PARAMETERS: Final = {
    "no_shared_cipher_suite": 0.45,
    "no_shared_version": 0.15,
    "no_shared_group": 0.12,
    "no_shared_signature_scheme": 0.10,
    "no_application_protocol": 0.02,
    "unrecognized_name": 0.08,
}


def _no_acceptable_parameters(hello: ClientHello | None, seen: ServerSeen | None) -> dict[str, float]:
    """Weigh what handshake_failure may be about by what was offered, and by what the server wants of others."""
    weights = dict(PARAMETERS)
    if hello is None:
        return weights
    newest = max((version for version in hello.versions if not is_grease(version)), default=hello.legacy_version)
    if newest < TLS12:  # servers of today refuse TLS 1.1 and older with 40 as often as with 70
        weights["no_shared_version"] = 1.2
    elif newest >= TLS13 and len(hello.versions) == 1:
        weights["no_shared_version"] = 0.6
    if len(hello.cipher_suites) <= 3:
        weights["no_shared_cipher_suite"] *= 2
    if not hello.server_name:
        weights["unrecognized_name"] = 0.12
    weigh(weights, hello, seen)
    return weights


def _ranked(weights: dict[str, float], room: float) -> Ranking:
    """Return shares, likeliest first; ``room`` over 1 is for what nobody thought of."""
    total = sum(weights.values()) * room
    shares = [(cause, min(MOST, weight / total)) for cause, weight in weights.items() if weight > 0]
    return sorted(shares, key=lambda pair: -pair[1])
