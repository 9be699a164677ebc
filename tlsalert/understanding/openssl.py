"""OpenSSL's packed error codes, its reasons and its verify errors; those of BoringSSL and LibreSSL too.

A code is library, function and reason in one number. OpenSSL up to 1.1.1 and LibreSSL pack 8, 12 and 12 bits
(crypto/err/err.h: ERR_PACK), OpenSSL 3 has no function: 8 and 23 bits, and a flag for errors of the system;
BoringSSL packs 8 and 12 bits, with numbers of libraries of its own. A reason of the SSL library from 1000 on
is an alert that was received: 1000 and its number (include/openssl/sslerr.h: SSL_AD_REASON_OFFSET).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from tlsalert.registry.openssl_reasons import REASONS, RECEIVED, Reason, name_of

if TYPE_CHECKING:
    from tlsalert.registry.verify_errors import VerifyError

SSL_LIBRARY, X509_LIBRARY, SYSTEM_LIBRARY, BORING_SSL = 20, 11, 2, 16
COMMON_REASON, FATAL_REASON = 0x80000, 0x40000  # OpenSSL 3, ERR_RFLAG_COMMON, ERR_RFLAG_FATAL
SYSTEM_FLAG = 0x80000000  # OpenSSL 3, ERR_SYSTEM_FLAG

LIBRARIES = {
    2: "system", 3: "bignum", 4: "RSA", 5: "DH", 6: "EVP", 8: "object", 9: "PEM", 10: "DSA", 11: "X.509",
    13: "ASN.1", 14: "configuration", 15: "crypto", 16: "EC", 20: "SSL", 32: "BIO", 33: "PKCS#7", 34: "X.509v3",
    35: "PKCS#12", 36: "random", 37: "DSO", 38: "engine", 39: "OCSP", 44: "store", 57: "provider", 60: "decoder",
}  # fmt: skip
# The functions of OpenSSL up to 1.1.1 that lines of a handshake name most, ssl/ssl.h of 1.0.2 and 1.1.1.
FUNCTIONS = {
    116: "ssl23_client_hello", 118: "ssl23_get_client_hello", 119: "ssl23_get_server_hello", 121: "ssl23_write",
    130: "ssl3_check_cert_and_algorithm", 136: "ssl3_get_cert_verify", 137: "ssl3_get_client_certificate",
    138: "ssl3_get_client_hello", 141: "ssl3_get_key_exchange", 143: "ssl3_get_record",
    144: "ssl3_get_server_certificate",
    146: "ssl3_get_server_hello", 148: "ssl3_read_bytes", 158: "ssl3_write_bytes", 168: "SSL_CTX_check_private_key",
    367: "tls_process_server_certificate", 369: "tls_process_server_hello", 378: "tls_post_process_client_hello",
    379: "tls_process_cert_verify", 380: "tls_process_client_certificate", 419: "tls_process_ske_dhe",
    508: "tls_setup_handshake", 521: "tls_early_post_process_client_hello", 607: "ssl_choose_client_version",
}  # fmt: skip

# Reasons whose number has another meaning since 1.1.1, by function (gone since 1.1.0) and number: ssl/ssl.h of 1.0.1.
FORMER = {(137, 178): "NO_CERTIFICATE_RETURNED"}


class Packed(NamedTuple):
    """A packed code, taken apart. ``family`` is who packs so; ``alert`` is what was received, if it says one."""

    code: str
    family: str
    library: int
    reason: int
    reason_name: str | None
    function: str | None
    alert: int | None

    @property
    def library_name(self) -> str:
        """What the number of the library stands for."""
        if self.family == "BoringSSL":
            return {16: "SSL", 11: "X.509", 2: "system"}.get(self.library, f"library {self.library}")
        return LIBRARIES.get(self.library, f"library {self.library}")


def unpack(digits: str, *, boring: bool = False) -> Packed | None:
    """Take up to eight hexadecimal digits apart; None where they are no code of a library that is known."""
    number = int(digits, 16)
    code = f"{number:08X}"
    top, low = number >> 24, number & 0xFFF
    if top == BORING_SSL and (boring or (number & 0xFFF000 == 0 and low >= RECEIVED)):
        return Packed(code, "BoringSSL", top, low, None, None, _alert(low))
    if number & SYSTEM_FLAG:
        return Packed(code, "OpenSSL 3", 2, number & 0x7FFFFFFF, None, None, None) if number >> 16 == 0x8000 else None
    library, reason = number >> 23 & 0xFF, number & 0x7FFFFF
    if _three(number, library, reason):
        common = reason & (COMMON_REASON | FATAL_REASON)
        name = _common_name(reason) if common else reason_name(library, reason)
        return Packed(code, "OpenSSL 3", library, reason, name, None, None if common else _alert(reason, library))
    function = number >> 12 & 0xFFF
    if top in LIBRARIES and low:
        family = "LibreSSL" if function == 0xFFF else "OpenSSL 1"
        name = FUNCTIONS.get(function) if top == SSL_LIBRARY else None
        reason_named = FORMER.get((function, low)) if top == SSL_LIBRARY else None
        return Packed(code, family, top, low, reason_named or reason_name(top, low), name, _alert(low, top))
    return None


def _three(number: int, library: int, reason: int) -> bool:
    """Return whether a code is packed as OpenSSL 3 does: no function, so that its middle is empty."""
    if library not in LIBRARIES:
        return False
    if reason & (COMMON_REASON | FATAL_REASON):
        return reason & 0x7FFFFF & ~(COMMON_REASON | FATAL_REASON) < 0x400 and number >> 24 != SSL_LIBRARY
    return reason < 0x800 and number >> 24 != SSL_LIBRARY


def _alert(reason: int, library: int = SSL_LIBRARY) -> int | None:
    return reason - RECEIVED if library == SSL_LIBRARY and 0 <= reason - RECEIVED < 256 else None


def _common_name(reason: int) -> str | None:
    low = reason & ~(COMMON_REASON | FATAL_REASON)
    names = {0x100: "MALLOC_FAILURE", 0x102: "PASSED_NULL_PARAMETER", 0x103: "INTERNAL_ERROR", 0x10C: "UNSUPPORTED"}
    return names.get(low) or (f"{LIBRARIES[low]} library failed" if low in LIBRARIES else None)


def reason_name(library: int, reason: int) -> str | None:
    """Return the name of a reason of the SSL or the X.509 library; None where it is not listed."""
    if library == SSL_LIBRARY:
        return name_of(reason)
    if library == X509_LIBRARY:
        from tlsalert.registry.library_errors.openssl_x509_reasons import NAMES as X509_NAMES

        return X509_NAMES.get(reason)
    return None


@cache
def local_pattern() -> re.Pattern[str]:
    """Return a pattern that finds one of the reasons of REASONS, as words or constant, in a line in lower case."""
    names = sorted(REASONS, key=len, reverse=True)
    return re.compile("(?<![a-z])(" + "|".join(name.lower().replace("_", "[ _]") for name in names) + ")(?![a-z])")


def local_named(words: str) -> tuple[str, Reason]:
    """Return the reason that :func:`local_pattern` has found."""
    name = re.sub(r"[ _]", "_", words).upper()
    return name, REASONS[name]


@cache
def verify_pattern() -> re.Pattern[str]:
    """Return a pattern that finds the words or the constant of a verify error in a line in lower case."""
    from tlsalert.registry.verify_errors import VERIFY_ERRORS

    spellings = []
    for error in VERIFY_ERRORS:
        if error.name not in ("UNSPECIFIED", "OUT_OF_MEM", "INVALID_CALL"):
            for words in (error.name, *error.words):
                spellings.append(re.escape(words).replace(r"\-", "[- ]").replace(r"\ ", "[- ]"))
    return re.compile("(?<![a-z])(" + "|".join(sorted(spellings, key=len, reverse=True)).lower() + ")(?![a-z])")


def verify_named(words: str) -> VerifyError | None:
    """Return the verify error that :func:`verify_pattern` has found."""
    from tlsalert.registry.verify_errors import by_name, by_words

    return by_words(words) or by_name(words)
