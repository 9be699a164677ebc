"""OpenSSL's packed error codes, its reasons and its verify errors; those of BoringSSL and LibreSSL too.

A code is library, function and reason in one number. OpenSSL up to 1.1.1 and LibreSSL pack 8, 12 and 12 bits
(crypto/err/err.h: ERR_PACK), OpenSSL 3 has no function: 8 and 23 bits, and a flag for errors of the system;
BoringSSL packs 8 and 12 bits, with numbers of libraries of its own. A reason of the SSL library from 1000 on
is an alert that was received: 1000 and its number (include/openssl/sslerr.h: SSL_AD_REASON_OFFSET).
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

SSL_LIBRARY, X509_LIBRARY, SYSTEM_LIBRARY, BORING_SSL = 20, 11, 2, 16
ALERT_REASONS = 1000  # SSL_AD_REASON_OFFSET
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


class Local(NamedTuple):
    """What a reason of OpenSSL's own says: the cause, the alert it sends (None: none), and that of TLS 1.3."""

    cause: str | None
    alert: int | None
    tls13: int | None = None


# Reasons that end a handshake, and the alert that SSLfatal() sends with them: ssl/statem/*.c, ssl/record/*.c,
# ssl/t1_lib.c of OpenSSL 3.0; before 1.1.0 ssl/s3_srvr.c, ssl/s3_clnt.c, ssl/s3_pkt.c.
LOCAL = {
    "CERTIFICATE_VERIFY_FAILED": Local(None, None),
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": Local("no_client_certificate", 40, 116),
    "NO_CERTIFICATE_RETURNED": Local("no_client_certificate", 40),
    "NO_CERTIFICATES_RETURNED": Local("no_client_certificate", 40),
    "NO_SHARED_CIPHER": Local("no_shared_cipher_suite", 40),
    "NO_SHARED_CIPHERS": Local("no_shared_cipher_suite", 40),
    "NO_CIPHERS_AVAILABLE": Local("no_shared_cipher_suite", None),
    "NO_CIPHER_MATCH": Local("no_shared_cipher_suite", None),
    "WRONG_CIPHER_RETURNED": Local("no_shared_cipher_suite", 47),
    "UNKNOWN_CIPHER_RETURNED": Local("no_shared_cipher_suite", 47),
    "NO_SHARED_GROUPS": Local("no_shared_group", 40),
    "NO_SHARED_GROUP": Local("no_shared_group", 40),
    "NO_SUITABLE_GROUPS": Local("no_shared_group", 40),
    "NO_SUITABLE_KEY_SHARE": Local("no_shared_group", 40),
    "WRONG_CURVE": Local("no_shared_group", 47),
    "UNSUPPORTED_ELLIPTIC_CURVE": Local("no_shared_group", 40),
    "BAD_DH_P_LENGTH": Local("no_shared_group", 40),
    "DH_KEY_TOO_SMALL": Local("no_shared_group", 40),
    "NO_SUITABLE_SIGNATURE_ALGORITHM": Local("no_shared_signature_scheme", 40),
    "NO_SHARED_SIGNATURE_ALGORITHMS": Local("no_shared_signature_scheme", 40),
    "NO_COMMON_SIGNATURE_ALGORITHMS": Local("no_shared_signature_scheme", 40),
    "WRONG_SIGNATURE_TYPE": Local("no_shared_signature_scheme", 47),
    "UNKNOWN_DIGEST": Local("no_shared_signature_scheme", 40),
    "UNSUPPORTED_PROTOCOL": Local("no_shared_version", 70),
    "VERSION_TOO_LOW": Local("no_shared_version", 70),
    "VERSION_TOO_HIGH": Local("no_shared_version", 70),
    "WRONG_SSL_VERSION": Local("no_shared_version", 70),
    "UNSUPPORTED_SSL_VERSION": Local("no_shared_version", 70),
    "NO_PROTOCOLS_AVAILABLE": Local("no_shared_version", None),
    "UNKNOWN_PROTOCOL": Local("not_tls", None),
    "WRONG_VERSION_NUMBER": Local("not_tls", 70),
    "HTTP_REQUEST": Local("not_tls", None),
    "HTTPS_PROXY_REQUEST": Local("not_tls", None),
    "PACKET_LENGTH_TOO_LONG": Local("not_tls", 22),
    "RECORD_LENGTH_MISMATCH": Local("protocol_violation", 50),
    "INAPPROPRIATE_FALLBACK": Local("inappropriate_fallback", 86),
    "NO_APPLICATION_PROTOCOL": Local("no_application_protocol", 120),
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": Local("decryption_failed", 20),
    "DECRYPTION_FAILED": Local("decryption_failed", 20),
    "BAD_DECRYPT": Local("decryption_failed", 20),
    "DIGEST_CHECK_FAILED": Local("decryption_failed", 51),
    "BINDER_DOES_NOT_VERIFY": Local("unknown_psk_identity", 47),
    "PSK_IDENTITY_NOT_FOUND": Local("unknown_psk_identity", 115),
    "BAD_SIGNATURE": Local("key_mismatch", 51),
    "BAD_RSA_SIGNATURE": Local("key_mismatch", 51),
    "BAD_ECC_CERT": Local("unsupported_certificate", 40),
    "SIGNATURE_FOR_NON_SIGNING_CERTIFICATE": Local("wrong_certificate_usage", 47),
    "KEY_VALUES_MISMATCH": Local("key_mismatch", None),
    "X509_KEY_VALUES_MISMATCH": Local("key_mismatch", None),
    "KEY_TYPE_MISMATCH": Local("key_mismatch", None),
    "NO_CERTIFICATE_ASSIGNED": Local("internal_error", None),
    "NO_CERTIFICATE_SET": Local("internal_error", None),
    "CERT_LENGTH_MISMATCH": Local("malformed_certificate", 50),
    "EE_KEY_TOO_SMALL": Local("weak_certificate", None),
    "CA_KEY_TOO_SMALL": Local("weak_certificate", None),
    "CA_MD_TOO_WEAK": Local("weak_certificate", None),
    "MISSING_RSA_CERTIFICATE": Local("no_shared_cipher_suite", 40),
    "MISSING_ECDSA_SIGNING_CERT": Local("no_shared_cipher_suite", 40),
    "TLSV1_UNRECOGNIZED_NAME": Local("unrecognized_name", 112),
    "CLIENTHELLO_TLSEXT": Local("unrecognized_name", 40),
    "CALLBACK_FAILED": Local("unrecognized_name", 112),
    "UNEXPECTED_MESSAGE": Local("protocol_violation", 10),
    "UNEXPECTED_RECORD": Local("protocol_violation", 10),
    "CCS_RECEIVED_EARLY": Local("protocol_violation", 10),
    "LENGTH_MISMATCH": Local("protocol_violation", 50),
    "BAD_EXTENSION": Local("protocol_violation", 50),
    "BAD_PACKET_LENGTH": Local("protocol_violation", 50),
    "BAD_ECPOINT": Local("protocol_violation", 47),
    "BAD_KEY_SHARE": Local("protocol_violation", 47),
    "MISSING_SUPPORTED_GROUPS_EXTENSION": Local("protocol_violation", 109),
    "MISSING_SIGALGS_EXTENSION": Local("protocol_violation", 109),
    "UNSOLICITED_EXTENSION": Local("protocol_violation", 110),
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": Local("protocol_violation", 40),
    "EXCESSIVE_MESSAGE_SIZE": Local("resource_limit", 47),
    "EXCESSIVE_RECORD_SIZE": Local("resource_limit", 22),
    "INVALID_STATUS_RESPONSE": Local("revocation_status_unavailable", 113),
    "UNEXPECTED_EOF_WHILE_READING": Local("closed_without_alert", None),
    "SSL_HANDSHAKE_FAILURE": Local("closed_without_alert", None),
    "PROTOCOL_IS_SHUTDOWN": Local("normal_close", None),
    "SHUTDOWN_WHILE_IN_INIT": Local("normal_close", None),
    "INTERNAL_ERROR": Local("internal_error", 80),
}


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
    if top == BORING_SSL and (boring or (number & 0xFFF000 == 0 and low >= ALERT_REASONS)):
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
        return Packed(code, family, top, low, reason_name(top, low), name, _alert(low, top))
    return None


def _three(number: int, library: int, reason: int) -> bool:
    """Return whether a code is packed as OpenSSL 3 does: no function, so that its middle is empty."""
    if library not in LIBRARIES:
        return False
    if reason & (COMMON_REASON | FATAL_REASON):
        return reason & 0x7FFFFF & ~(COMMON_REASON | FATAL_REASON) < 0x400 and number >> 24 != SSL_LIBRARY
    return reason < 0x800 and number >> 24 != SSL_LIBRARY


def _alert(reason: int, library: int = SSL_LIBRARY) -> int | None:
    return reason - ALERT_REASONS if library == SSL_LIBRARY and 0 <= reason - ALERT_REASONS < 256 else None


def _common_name(reason: int) -> str | None:
    low = reason & ~(COMMON_REASON | FATAL_REASON)
    names = {0x100: "MALLOC_FAILURE", 0x102: "PASSED_NULL_PARAMETER", 0x103: "INTERNAL_ERROR", 0x10C: "UNSUPPORTED"}
    return names.get(low) or (f"{LIBRARIES[low]} library failed" if low in LIBRARIES else None)


def reason_name(library: int, reason: int) -> str | None:
    """Return the name of a reason of the SSL or the X.509 library; None where it is not listed."""
    if library == SSL_LIBRARY:
        from tlsalert.registry.library_errors.openssl_reasons import NAMES as SSL_NAMES

        return SSL_NAMES.get(reason)
    if library == X509_LIBRARY:
        from tlsalert.registry.library_errors.openssl_x509_reasons import NAMES as X509_NAMES

        return X509_NAMES.get(reason)
    return None


@cache
def local_pattern() -> re.Pattern[str]:
    """Return a pattern that finds one of the reasons of LOCAL, as words or constant, in a line in lower case."""
    names = sorted(LOCAL, key=len, reverse=True)
    return re.compile("(?<![a-z])(" + "|".join(name.lower().replace("_", "[ _]") for name in names) + ")(?![a-z])")


def local_named(words: str) -> tuple[str, Local]:
    """Return the reason that :func:`local_pattern` has found."""
    name = re.sub(r"[ _]", "_", words).upper()
    return name, LOCAL[name]


class VerifyError(NamedTuple):
    """A verify error: its number, its constant without prefix, OpenSSL's words, and the alert that is sent for it."""

    number: int
    name: str
    words: str
    alert: int
    cause: str


def verify_error(number: int) -> VerifyError | None:
    """Return the verify error of this number, or None: 0 is no error."""
    from tlsalert.registry.alert_causes.openssl_verify import ALERTS
    from tlsalert.registry.library_errors.openssl_verify import NAMES

    if number not in NAMES or number == 0:
        return None
    name, words = NAMES[number].split(" ", 1)
    alert, cause = ALERTS.get(name, (46, "unsupported_certificate"))
    cause = "chain_incomplete" if name == "UNABLE_TO_VERIFY_LEAF_SIGNATURE" else cause
    return VerifyError(number, name, words, alert, cause)


@cache
def verify_pattern() -> re.Pattern[str]:
    """Return a pattern that finds the words or the constant of a verify error in a line in lower case."""
    from tlsalert.registry.library_errors.openssl_verify import NAMES

    spellings = []
    for name, words in (value.split(" ", 1) for value in NAMES.values()):
        if name not in ("UNSPECIFIED", "OUT_OF_MEM", "INVALID_CALL", "OK"):
            spellings += [re.escape(name), re.escape(words).replace(r"\-", "[- ]").replace(r"\ ", "[- ]")]
    spellings += [words.replace(" ", "[- ]") for words in OLD_WORDS]
    return re.compile("(?<![a-z])(" + "|".join(sorted(spellings, key=len, reverse=True)).lower() + ")(?![a-z])")


# Words of other versions, crypto/x509/x509_txt.c of 0.9.8 to 1.1.1.
OLD_WORDS = {
    "unsupported certificate purpose": 26,
    "unsuitable certificate purpose": 26,
    "self signed certificate in certificate chain": 19,
    "self signed certificate": 18,
    "invalid CA certificate": 24,
    "invalid non-CA certificate (has CA markings)": 37,
    "IP address mismatch": 64,
    "hostname mismatch": 62,
    "certificate rejected": 28,
    "certificate not trusted": 27,
    "unable to get certificate CRL": 3,
}


def verify_named(words: str) -> VerifyError | None:
    """Return the verify error that :func:`verify_pattern` has found."""
    return verify_error(_verify_numbers().get(_plain(words), 0))


@cache
def _verify_numbers() -> dict[str, int]:
    from tlsalert.registry.library_errors.openssl_verify import NAMES

    numbers = {_plain(words): number for words, number in OLD_WORDS.items()}
    for number, value in NAMES.items():
        name, words = value.split(" ", 1)
        numbers[_plain(name)] = numbers[_plain(words)] = number
    return numbers


def _plain(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", words.lower()).strip()
