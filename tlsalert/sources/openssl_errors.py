"""What the errors that OpenSSL prints say of a handshake: which alert came, which was sent, what was objected to.

The numbers are those of OpenSSL's include/openssl/sslerr.h and x509_vfy.h.h; how a verify error becomes an alert is
ssl/statem/statem_lib.c (ssl_x509err2alert), before 1.1.1 ssl/ssl_lib.c's ssl_verify_alarm_type.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

#: "PID or thread:error:CODE:library:function:reason:file:line:data". 0.9.8 to 3.x; the code's layout changed with 3.0.
ERROR: Final = re.compile(rb"[0-9A-Fa-f]*:?error:([0-9A-Fa-f]{8}):([^:]*):([^:]*):([^:]*)(?::(.*))?")
_NUMBER: Final = re.compile(rb"SSL alert number (\d{1,3})")

#: SSL reasons from 1000 on are alerts that came: SSL_AD_REASON_OFFSET.
ALERTS_FROM: Final = 1000
VERIFY_FAILED, NO_CERTIFICATE, NONE_RETURNED = 134, 199, 178
UNEXPECTED_EOF: Final = 294
#: Other reasons for which a side that finds them sends a fatal alert, and which: the SSLfatal calls of ssl/statem.
OWN_ALERTS: Final = {
    123: 51,  # bad signature
    129: 21,  # block cipher pad is wrong
    149: 51,  # digest check failed
    193: 40,  # no shared cipher
    258: 70,  # unsupported protocol
    118: 40,  # no suitable signature algorithm
    101: 40,  # no suitable key share
    338: 47,  # extended master secret inconsistency
    235: 120,  # no application protocol
    373: 86,  # inappropriate fallback
    191: 70,  # no protocols available
    394: 71,  # ca key too small
    397: 71,  # ca md too weak
    399: 71,  # ee key too small
    281: 116,  # certificate required
}

_UNKNOWN_CA: Final = frozenset(("unknown_ca",))
_INCOMPLETE: Final = frozenset(("unknown_ca", "chain_incomplete"))
_DATES: Final = frozenset(("certificate_not_yet_valid",)), frozenset(("certificate_expired",))
_CRL: Final = frozenset(("revocation_status_unavailable",))
_CHAIN: Final = frozenset(("chain_invalid",))
_WEAK: Final = frozenset(("weak_certificate",))
_MALFORMED: Final = frozenset(("malformed_certificate",))
_SIGNATURE: Final = frozenset(("bad_certificate_signature",))
_NAME: Final = frozenset(("name_mismatch",))

#: X509_V_ERR_*: the causes that each can have, and the alert that OpenSSL sends for it.
VERIFY_ERRORS: Final[dict[int, tuple[frozenset[str], int]]] = {
    2: (_INCOMPLETE, 48),
    3: (_CRL, 48),
    4: (_MALFORMED, 42),
    5: (_CRL, 42),
    6: (_MALFORMED, 42),
    7: (_SIGNATURE, 51),
    8: (_CRL, 51),
    9: (_DATES[0], 42),
    10: (_DATES[1], 45),
    11: (_CRL, 42),
    12: (_CRL, 45),
    13: (_MALFORMED, 42),
    14: (_MALFORMED, 42),
    15: (_CRL, 42),
    16: (_CRL, 42),
    17: (frozenset(("internal_error",)), 80),
    18: (_UNKNOWN_CA, 48),
    19: (_UNKNOWN_CA, 48),
    20: (_INCOMPLETE, 48),
    21: (_INCOMPLETE, 48),
    22: (frozenset(("chain_too_long",)), 48),
    23: (frozenset(("certificate_revoked",)), 44),
    24: (_CHAIN, 48),
    25: (_CHAIN, 48),
    26: (frozenset(("wrong_certificate_usage",)), 43),
    27: (_UNKNOWN_CA, 42),
    28: (frozenset(("certificate_not_pinned", "unknown_ca")), 42),
    32: (_CHAIN, 46),
    33: (_CRL, 48),
    34: (frozenset(("unsupported_certificate",)), 46),
    37: (_CHAIN, 46),
    41: (_MALFORMED, 46),
    47: (_CHAIN, 46),
    48: (_CHAIN, 46),
    50: (frozenset(("certificate_not_pinned",)), 40),
    62: (_NAME, 42),
    63: (_NAME, 42),
    64: (_NAME, 42),
    65: (frozenset(("certificate_not_pinned",)), 42),
    66: (_WEAK, 42),
    67: (_WEAK, 42),
    68: (_WEAK, 42),
    73: (_CRL, 42),
    74: (frozenset(("certificate_revoked", "revocation_status_unavailable")), 42),
    75: (_CRL, 42),
    79: (_CHAIN, 48),
}
#: What it sends for any other: certificate_unknown.
OTHER: Final = (frozenset[str](), 46)


class OpenSslError(Struct, frozen=True):
    """One error: its code as printed, its reason's number, and the alert that came with it, if one did."""

    code: str
    reason: int
    words: str
    alert: int | None


def openssl_error(line: bytes) -> OpenSslError | None:
    """Return the error in a line; None where there is none of the TLS library."""
    found = ERROR.match(line)
    if found is None:
        return None
    code = int(found[1], 16)
    three = code >> 23 == 20  # OpenSSL 3: library << 23 | reason; before it: library << 24 | function << 12 | reason
    if not three and code >> 24 != 20:
        return None
    reason = code & 0x7FFFFF if three else code & 0xFFF
    number = _NUMBER.search(line)
    alert = int(number[1]) if number is not None else reason - ALERTS_FROM
    if number is None and not 0 <= alert <= 255:
        return OpenSslError(found[1].decode(), reason, found[4].decode("utf-8", "replace"), None)
    return OpenSslError(found[1].decode(), reason, found[4].decode("utf-8", "replace"), alert & 0xFF)
