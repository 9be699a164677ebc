"""The words of OpenSSL in other programs' logs: its errors, its alerts, and the steps of its handshake.

Sources: ssl/ssl_stat.c (alerts), ssl/statem/statem.c and ssl_stat.c (steps; SSLv3 in them is the code's name and no
version), ssl/ssl_err.c (reasons), include/openssl/err.h (how a number is packed: 1.x 8 bits of library, 12 of function,
12 of reason; 3.x 9 bits of library and 23 of reason).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tlsalert.model import Side
from tlsalert.registry.alerts import AlertDescription
from tlsalert.registry.openssl_reasons import RECEIVED, by_words

_CODE: Final = re.compile(r"\berror:([0-9A-Fa-f]{8}):([^:]*):([^:]*):\s*([^:,\"\r\n]+)")
_NUMBER: Final = re.compile(r"SSL alert number (\d{1,3})")
_REASON_NUMBER: Final = re.compile(r"reason\((\d{1,4})\)")
_ALERT_REASON: Final = re.compile(r"(?:sslv3|tlsv1|tlsv13|ssl/tls|tls) alert (.+)")
_STEP: Final = re.compile(r"\b(read|write) ([a-z][a-z ]*[a-z])(?: [A-D])?(?: \d)?$")


class LibraryError(NamedTuple):
    """One error of OpenSSL: its number as it is printed, its reason in words, and the alert that it received."""

    code: str
    reason: str
    alert: AlertDescription | None


#: Reasons that tell of the peer's going, and of no refusal by the side that has them.
GONE: Final = frozenset(
    ("unexpected eof while reading", "ssl handshake failure", "peer error", "uninitialized", "protocol is shutdown")
)

#: The steps of OpenSSL's handshake: whose message, None where it is that of who wrote it, and its name.
_STEPS: Final[dict[str, tuple[Side | None, str]]] = {
    "client hello": ("client", "client_hello"),
    "server hello": ("server", "server_hello"),
    "hello request": ("server", "hello_request"),
    "encrypted extensions": ("server", "encrypted_extensions"),
    "certificate": (None, "certificate"),
    "server certificate": ("server", "certificate"),
    "client certificate": ("client", "certificate"),
    "certificate status": ("server", "certificate_status"),
    "key exchange": ("server", "server_key_exchange"),
    "server key exchange": ("server", "server_key_exchange"),
    "client key exchange": ("client", "client_key_exchange"),
    "certificate request": ("server", "certificate_request"),
    "server certificate request": ("server", "certificate_request"),
    "server done": ("server", "server_hello_done"),
    "certificate verify": (None, "certificate_verify"),
    "server certificate verify": ("server", "certificate_verify"),
    "client certificate verify": ("client", "certificate_verify"),
    "change cipher spec": (None, "change_cipher_spec"),
    "finished": (None, "finished"),
    "session ticket": ("server", "new_session_ticket"),
    "server session ticket": ("server", "new_session_ticket"),
    "end of early data": ("client", "end_of_early_data"),
}


def library_errors(text: str) -> list[LibraryError]:
    """Return the errors of OpenSSL in a line, in its order."""
    found = []
    for match in _CODE.finditer(text):
        reason = _reason(match[4])
        found.append(LibraryError(match[1].upper(), reason, _received(match[1], reason)))
    if len(found) == 1 and found[0].alert is None and (number := _NUMBER.search(text)) is not None:
        found[0] = found[0]._replace(alert=_alert(int(number[1])))
    return found


def _reason(said: str) -> str:
    """Return a reason without what a program put behind it: the longest beginning that is known, else all of it."""
    plain = said.split(" -- ")[0].split(" (")[0].split(")")[0].strip().rstrip(".")
    found = _REASON_NUMBER.match(said)
    if found is not None:
        return found[0]
    parts = plain.split()
    for many in range(min(len(parts), 12), 0, -1):
        beginning = " ".join(parts[:many]).lower()
        worded = _ALERT_REASON.fullmatch(beginning)
        if (
            by_words(beginning) is not None
            or beginning in GONE
            or (worded is not None and alert_named(worded[1]) is not None)
        ):
            return " ".join(parts[:many])
    return plain


def alert_named(name: str) -> AlertDescription | None:
    """Return the alert of a name in OpenSSL's words: "bad certificate", "unknown CA"."""
    return _ALERTS.get(_squeeze(name))


def step(text: str) -> tuple[str, Side | None, str] | None:
    """Return what a step does ("read" or "write"), whose message it is about (None: the writer's), and its name."""
    found = _STEP.search(text.strip())
    if found is None:
        return None
    named = _STEPS.get(found[2])
    return None if named is None else (found[1], *named)


def _received(code: str, reason: str) -> AlertDescription | None:
    """Return the alert that an error tells of: by its number, else by its words."""
    number = int(code, 16)
    library = number >> 24 if number >> 24 == 0x14 else number >> 23
    packed = number & 0xFFF if number >> 24 == 0x14 else number & 0x7FFFFF
    if library == 0x14 and RECEIVED <= packed <= RECEIVED + 255:
        return _alert(packed - RECEIVED)
    if (worded := _ALERT_REASON.fullmatch(reason)) is not None:
        return alert_named(worded[1])
    if (plain := _REASON_NUMBER.fullmatch(reason)) is not None and int(plain[1]) >= RECEIVED:
        return _alert(int(plain[1]) - RECEIVED)
    return None


def _alert(number: int) -> AlertDescription | None:
    return AlertDescription(number) if 0 <= number <= 255 else None


def _squeeze(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


_ALERTS: Final = {
    **{_squeeze(name): alert for name, alert in AlertDescription.__members__.items()},
    "unknownpskidentity": AlertDescription.unknown_psk_identity,
}
