"""Which alert a stack will have sent when it found a fault itself."""

from __future__ import annotations

from typing import Literal

# RFC 8446 §6.2 where no stack's habit is known; the causes that no alert is sent for are missing.
FORESEEN = {
    "no_shared_version": 70, "no_shared_cipher_suite": 40, "no_shared_group": 40, "no_shared_signature_scheme": 40,
    "unrecognized_name": 112, "no_application_protocol": 120, "inappropriate_fallback": 86, "decryption_failed": 20,
    "protocol_violation": 10, "internal_error": 80, "unknown_psk_identity": 115, "name_mismatch": 42,
}  # fmt: skip
NO_ALERT = frozenset(
    {"closed_without_alert", "reset_without_alert", "timed_out", "not_tls", "normal_close", "resource_limit"}
)


def sent_for(stack: str | None, cause: str | None, side: Literal["client", "server"] | None) -> tuple[int, ...]:
    """Return the alert for TLS up to 1.2, and after it that of TLS 1.3 where it differs; () for none or unknown."""
    if stack is None or cause is None or cause in NO_ALERT:
        return ()
    from tlsalert.diagnosis.knowledge import STACKS, habit

    found: list[int] = []
    if stack in STACKS:
        sender: Literal["client", "server"] = side or ("server" if cause == "no_client_certificate" else "client")
        for era in ("tls1.2", "tls1.3"):
            numbers = [answer for answer in habit(stack, era, cause, sender) if isinstance(answer, int)]
            if numbers and numbers[0] not in found:
                found.append(numbers[0])
    if cause in ("no_shared_version", "name_mismatch") and stack.startswith("openssl"):
        found = []  # what was measured there were versions that the test's client could not offer
    return tuple(found) or ((FORESEEN[cause],) if cause in FORESEEN else ())
