"""What the errors that OpenSSL prints say of a handshake: which alert came, which was sent, what was objected to.

The numbers are those of OpenSSL's include/openssl/sslerr.h.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from tlsalert.registry.openssl_reasons import RECEIVED

#: "PID or thread:error:CODE:library:function:reason:file:line:data". 0.9.8 to 3.x; the code's layout changed with 3.0.
ERROR: Final = re.compile(rb"[0-9A-Fa-f]*:?error:([0-9A-Fa-f]{8}):([^:]*):([^:]*):([^:]*)(?::(.*))?")
_NUMBER: Final = re.compile(rb"SSL alert number (\d{1,3})")

#: SSL_R_CERTIFICATE_VERIFY_FAILED, _PEER_DID_NOT_RETURN_A_CERTIFICATE, _NO_CERTIFICATE_RETURNED,
#: _UNEXPECTED_EOF_WHILE_READING.
VERIFY_FAILED, NO_CERTIFICATE, NONE_RETURNED = 134, 199, 178
UNEXPECTED_EOF: Final = 294


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
    alert = int(number[1]) if number is not None else reason - RECEIVED
    if number is None and not 0 <= alert <= 255:
        return OpenSslError(found[1].decode(), reason, found[4].decode("utf-8", "replace"), None)
    return OpenSslError(found[1].decode(), reason, found[4].decode("utf-8", "replace"), alert & 0xFF)
