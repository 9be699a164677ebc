"""The errors of other libraries by number or constant: NSS, GnuTLS, Mbed TLS, wolfSSL, Schannel, Chrome, Apple.

Most names say what is meant: :func:`cause_of_name` reads the cause out of them. Names that stand for an alert
that was received are listed, with their sources.
"""

from __future__ import annotations

import re
from functools import cache

from tlsalert.understanding.kinds import Understood

# NSS, lib/ssl/ssl3con.c ssl3_HandleAlert(): the error that each received alert becomes.
NSS_ALERTS = {
    "SSL_ERROR_CLOSE_NOTIFY_ALERT": 0, "SSL_ERROR_HANDSHAKE_UNEXPECTED_ALERT": 10, "SSL_ERROR_BAD_MAC_ALERT": 20,
    "SSL_ERROR_DECRYPTION_FAILED_ALERT": 21, "SSL_ERROR_RECORD_OVERFLOW_ALERT": 22,
    "SSL_ERROR_DECOMPRESSION_FAILURE_ALERT": 30, "SSL_ERROR_HANDSHAKE_FAILURE_ALERT": 40,
    "SSL_ERROR_BAD_CERT_ALERT": 42, "SSL_ERROR_UNSUPPORTED_CERT_ALERT": 43, "SSL_ERROR_REVOKED_CERT_ALERT": 44,
    "SSL_ERROR_EXPIRED_CERT_ALERT": 45, "SSL_ERROR_CERTIFICATE_UNKNOWN_ALERT": 46,
    "SSL_ERROR_ILLEGAL_PARAMETER_ALERT": 47, "SSL_ERROR_UNKNOWN_CA_ALERT": 48, "SSL_ERROR_ACCESS_DENIED_ALERT": 49,
    "SSL_ERROR_DECODE_ERROR_ALERT": 50, "SSL_ERROR_DECRYPT_ERROR_ALERT": 51,
    "SSL_ERROR_EXPORT_RESTRICTION_ALERT": 60, "SSL_ERROR_PROTOCOL_VERSION_ALERT": 70,
    "SSL_ERROR_INSUFFICIENT_SECURITY_ALERT": 71, "SSL_ERROR_INTERNAL_ERROR_ALERT": 80,
    "SSL_ERROR_INAPPROPRIATE_FALLBACK_ALERT": 86, "SSL_ERROR_USER_CANCELED_ALERT": 90,
    "SSL_ERROR_NO_RENEGOTIATION_ALERT": 100, "SSL_ERROR_MISSING_EXTENSION_ALERT": 109,
    "SSL_ERROR_UNSUPPORTED_EXTENSION_ALERT": 110, "SSL_ERROR_CERTIFICATE_UNOBTAINABLE_ALERT": 111,
    "SSL_ERROR_UNRECOGNIZED_NAME_ALERT": 112, "SSL_ERROR_BAD_CERT_STATUS_RESPONSE_ALERT": 113,
    "SSL_ERROR_BAD_CERT_HASH_VALUE_ALERT": 114, "SSL_ERROR_RX_CERTIFICATE_REQUIRED_ALERT": 116,
    "SSL_ERROR_NEXT_PROTOCOL_NO_PROTOCOL": 120, "SSL_ERROR_ECH_REQUIRED_ALERT": 121,
}  # fmt: skip
# The words that NSS has for them, lib/ssl/SSLerrs.h, as far as they are needed to know them.
NSS_WORDS = {
    "ssl peer cannot verify your certificate": 42,
    "ssl peer does not support certificates of the type": 43,
    "ssl peer rejected your certificate as revoked": 44,
    "ssl peer rejected your certificate as expired": 45,
    "ssl peer had some unspecified issue with the certificate": 46,
    "ssl peer rejected a handshake message for unacceptable content": 47,
    "peer does not recognize and trust the ca that issued your": 48,
    "peer received a valid certificate, but access was denied": 49,
    "peer could not decode an ssl handshake message": 50,
    "peer reports failure of signature verification or key exchange": 51,
    "peer reports negotiation not in compliance with export": 60,
    "peer reports incompatible or unsupported protocol version": 70,
    "server requires ciphers more secure than those supported by client": 71,
    "peer reports it experienced an internal error": 80,
    "ssl peer was unable to negotiate an acceptable set of security": 40,
    "ssl peer reports incorrect message authentication code": 20,
    "peer user canceled handshake": 90,
    "peer does not permit renegotiation of ssl security": 100,
    "ssl peer has no certificate for the requested dns name": 112,
    "ssl peer was not expecting a handshake message": 10,
    "the client certificate is required": 116,
}
# Chromium, net/base/net_error_list.h; net/socket/ssl_client_socket_impl.cc and net/ssl/openssl_ssl_util.cc map alerts.
CHROME = {
    -101: "ERR_CONNECTION_RESET", -107: "ERR_SSL_PROTOCOL_ERROR", -110: "ERR_SSL_CLIENT_AUTH_CERT_NEEDED",
    -113: "ERR_SSL_VERSION_OR_CIPHER_MISMATCH", -117: "ERR_BAD_SSL_CLIENT_AUTH_CERT",
    -125: "ERR_SSL_DECOMPRESSION_FAILURE_ALERT", -126: "ERR_SSL_BAD_RECORD_MAC_ALERT",
    -129: "ERR_SSL_WEAK_SERVER_EPHEMERAL_DH_KEY", -134: "ERR_SSL_CLIENT_AUTH_PRIVATE_KEY_ACCESS_DENIED",
    -135: "ERR_SSL_CLIENT_AUTH_CERT_NO_PRIVATE_KEY", -141: "ERR_SSL_CLIENT_AUTH_SIGNATURE_FAILED",
    -148: "ERR_SSL_HANDSHAKE_NOT_COMPLETED", -150: "ERR_SSL_PINNED_KEY_NOT_IN_CERT_CHAIN",
    -153: "ERR_SSL_DECRYPT_ERROR_ALERT", -159: "ERR_SSL_UNRECOGNIZED_NAME_ALERT",
    -164: "ERR_SSL_CLIENT_AUTH_CERT_BAD_FORMAT", -177: "ERR_SSL_CLIENT_AUTH_NO_COMMON_ALGORITHMS",
    -181: "ERR_SSL_KEY_USAGE_INCOMPATIBLE", -182: "ERR_INVALID_ECH_CONFIG_LIST", -183: "ERR_ECH_NOT_NEGOTIATED",
    -200: "ERR_CERT_COMMON_NAME_INVALID", -201: "ERR_CERT_DATE_INVALID", -202: "ERR_CERT_AUTHORITY_INVALID",
    -203: "ERR_CERT_CONTAINS_ERRORS", -204: "ERR_CERT_NO_REVOCATION_MECHANISM",
    -205: "ERR_CERT_UNABLE_TO_CHECK_REVOCATION", -206: "ERR_CERT_REVOKED", -207: "ERR_CERT_INVALID",
    -208: "ERR_CERT_WEAK_SIGNATURE_ALGORITHM", -210: "ERR_CERT_NON_UNIQUE_NAME", -211: "ERR_CERT_WEAK_KEY",
    -212: "ERR_CERT_NAME_CONSTRAINT_VIOLATION", -213: "ERR_CERT_VALIDITY_TOO_LONG",
    -214: "ERR_CERTIFICATE_TRANSPARENCY_REQUIRED", -217: "ERR_CERT_KNOWN_INTERCEPTION_BLOCKED",
}  # fmt: skip
CHROME_CAUSES: dict[str, tuple[int | None, str | None, bool]] = {  # alert, cause, received
    "ERR_BAD_SSL_CLIENT_AUTH_CERT": (42, None, True),
    "ERR_SSL_DECOMPRESSION_FAILURE_ALERT": (30, None, True),
    "ERR_SSL_BAD_RECORD_MAC_ALERT": (20, None, True),
    "ERR_SSL_DECRYPT_ERROR_ALERT": (51, None, True),
    "ERR_SSL_UNRECOGNIZED_NAME_ALERT": (112, None, True),
    "ERR_SSL_CLIENT_AUTH_CERT_NEEDED": (None, "no_client_certificate", False),
    "ERR_SSL_VERSION_OR_CIPHER_MISMATCH": (40, None, True),
    "ERR_SSL_PROTOCOL_ERROR": (None, "protocol_violation", False),
    "ERR_CERT_DATE_INVALID": (None, "certificate_expired", False),
    "ERR_CERT_AUTHORITY_INVALID": (None, "unknown_ca", False),
    "ERR_CERT_COMMON_NAME_INVALID": (None, "name_mismatch", False),
    "ERR_CERT_REVOKED": (None, "certificate_revoked", False),
    "ERR_CERT_WEAK_SIGNATURE_ALGORITHM": (None, "weak_certificate", False),
    "ERR_CERT_WEAK_KEY": (None, "weak_certificate", False),
    "ERR_CERT_INVALID": (None, "malformed_certificate", False),
    "ERR_CERT_CONTAINS_ERRORS": (None, "malformed_certificate", False),
    "ERR_CERT_NAME_CONSTRAINT_VIOLATION": (None, "chain_invalid", False),
    "ERR_CERT_VALIDITY_TOO_LONG": (None, "chain_invalid", False),
    "ERR_CERT_UNABLE_TO_CHECK_REVOCATION": (None, "revocation_status_unavailable", False),
    "ERR_CERT_NO_REVOCATION_MECHANISM": (None, "revocation_status_unavailable", False),
    "ERR_SSL_PINNED_KEY_NOT_IN_CERT_CHAIN": (None, "certificate_not_pinned", False),
    "ERR_SSL_KEY_USAGE_INCOMPATIBLE": (None, "wrong_certificate_usage", False),
    "ERR_SSL_CLIENT_AUTH_NO_COMMON_ALGORITHMS": (None, "no_shared_signature_scheme", False),
    "ERR_SSL_CLIENT_AUTH_SIGNATURE_FAILED": (None, "key_mismatch", False),
    "ERR_ECH_NOT_NEGOTIATED": (121, "ech_required", False),
    "ERR_CONNECTION_RESET": (None, "reset_without_alert", False),
    "ERR_CONNECTION_CLOSED": (None, "closed_without_alert", False),
    "ERR_EMPTY_RESPONSE": (None, "closed_without_alert", False),
}
# Schannel: what a received alert becomes, learn.microsoft.com "Schannel Error Codes for TLS and SSL Alerts"; and what
# its own check of a certificate says (winerror.h). The first alert is the likeliest.
SCHANNEL: dict[int, tuple[str, tuple[int, ...], str | None]] = {
    0x80090302: ("SEC_E_UNSUPPORTED_FUNCTION", (70,), None),
    0x80090304: ("SEC_E_INTERNAL_ERROR", (80,), None),
    0x80090308: ("SEC_E_INVALID_TOKEN", (), "not_tls"),
    0x8009030C: ("SEC_E_LOGON_DENIED", (49,), None),
    0x8009030D: ("SEC_E_UNKNOWN_CREDENTIALS", (), "key_mismatch"),
    0x8009030E: ("SEC_E_NO_CREDENTIALS", (), "no_client_certificate"),
    0x8009030F: ("SEC_E_MESSAGE_ALTERED", (20, 30), None),
    0x80090322: ("SEC_E_WRONG_PRINCIPAL", (), "name_mismatch"),
    0x80090325: ("SEC_E_UNTRUSTED_ROOT", (48,), "unknown_ca"),
    0x80090326: ("SEC_E_ILLEGAL_MESSAGE", (40, 10, 22, 47, 50, 60), None),
    0x80090327: ("SEC_E_CERT_UNKNOWN", (46, 42, 43), None),
    0x80090328: ("SEC_E_CERT_EXPIRED", (45,), "certificate_expired"),
    0x80090330: ("SEC_E_DECRYPT_FAILURE", (51, 21), None),
    0x80090331: ("SEC_E_ALGORITHM_MISMATCH", (71,), "no_shared_cipher_suite"),
    0x80090349: ("SEC_E_CERT_WRONG_USAGE", (), "wrong_certificate_usage"),
    0x8009035D: ("SEC_E_ISSUING_CA_UNTRUSTED", (), "unknown_ca"),
    0x80090367: ("SEC_E_APPLICATION_PROTOCOL_MISMATCH", (120,), "no_application_protocol"),
    0x80092010: ("CRYPT_E_REVOKED", (44,), "certificate_revoked"),
    0x80092012: ("CRYPT_E_NO_REVOCATION_CHECK", (), "revocation_status_unavailable"),
    0x80092013: ("CRYPT_E_REVOCATION_OFFLINE", (), "revocation_status_unavailable"),
    0x800B0101: ("CERT_E_EXPIRED", (), "certificate_expired"),
    0x800B0109: ("CERT_E_UNTRUSTEDROOT", (), "unknown_ca"),
    0x800B010A: ("CERT_E_CHAINING", (), "chain_incomplete"),
    0x800B010C: ("CERT_E_REVOKED", (), "certificate_revoked"),
    0x800B010F: ("CERT_E_CN_NO_MATCH", (), "name_mismatch"),
    0x800B0110: ("CERT_E_WRONG_USAGE", (), "wrong_certificate_usage"),
    0x80072F7D: ("ERROR_WINHTTP_SECURE_CHANNEL_ERROR", (), "no_shared_version"),
    0x80072F8F: ("ERROR_WINHTTP_SECURE_FAILURE", (), "certificate_expired"),
}
# Apple's Secure Transport, Security/SecureTransport.h: errSSL…, those of the peer are alerts.
APPLE: dict[int, tuple[str, int | None, str | None]] = {
    -9800: ("errSSLProtocol", None, "protocol_violation"),
    -9801: ("errSSLNegotiation", None, "no_shared_cipher_suite"),
    -9805: ("errSSLClosedGraceful", 0, None),
    -9806: ("errSSLClosedAbort", None, "closed_without_alert"),
    -9807: ("errSSLXCertChainInvalid", None, "unknown_ca"),
    -9808: ("errSSLBadCert", None, "malformed_certificate"),
    -9812: ("errSSLUnknownRootCert", None, "unknown_ca"),
    -9813: ("errSSLNoRootCert", None, "unknown_ca"),
    -9814: ("errSSLCertExpired", None, "certificate_expired"),
    -9815: ("errSSLCertNotYetValid", None, "certificate_not_yet_valid"),
    -9816: ("errSSLClosedNoNotify", None, "closed_without_alert"),
    -9819: ("errSSLPeerUnexpectedMsg", 10, None),
    -9820: ("errSSLPeerBadRecordMac", 20, None),
    -9821: ("errSSLPeerDecryptionFail", 21, None),
    -9822: ("errSSLPeerRecordOverflow", 22, None),
    -9823: ("errSSLPeerDecompressFail", 30, None),
    -9824: ("errSSLPeerHandshakeFail", 40, None),
    -9825: ("errSSLPeerBadCert", 42, None),
    -9826: ("errSSLPeerUnsupportedCert", 43, None),
    -9827: ("errSSLPeerCertRevoked", 44, None),
    -9828: ("errSSLPeerCertExpired", 45, None),
    -9829: ("errSSLPeerCertUnknown", 46, None),
    -9830: ("errSSLIllegalParam", 47, None),
    -9831: ("errSSLPeerUnknownCA", 48, None),
    -9832: ("errSSLPeerAccessDenied", 49, None),
    -9833: ("errSSLPeerDecodeError", 50, None),
    -9834: ("errSSLPeerDecryptError", 51, None),
    -9835: ("errSSLPeerExportRestriction", 60, None),
    -9836: ("errSSLPeerProtocolVersion", 70, None),
    -9837: ("errSSLPeerInsufficientSecurity", 71, None),
    -9838: ("errSSLPeerInternalError", 80, None),
    -9839: ("errSSLPeerUserCancelled", 90, None),
    -9840: ("errSSLPeerNoRenegotiation", 100, None),
    -9843: ("errSSLHostNameMismatch", None, "name_mismatch"),
}
# curl's exit codes that speak of TLS, curl(1).
CURL = {
    35: ("the TLS handshake failed", None),
    51: ("the server's certificate or fingerprint was not accepted", "unknown_ca"),
    53: ("the crypto engine was not found", "internal_error"),
    54: ("the crypto engine could not be set", "internal_error"),
    56: ("the connection broke while data was received; in TLS 1.3 a client certificate is refused only here", None),
    58: ("there is something wrong with the client's own certificate", "no_client_certificate"),
    59: ("the cipher could not be used", "no_shared_cipher_suite"),
    60: ("the server's certificate could not be verified", "unknown_ca"),
    64: ("TLS was demanded and could not be had", "not_tls"),
    66: ("the TLS engine could not be started", "internal_error"),
    77: ("the CA certificates could not be read", "unknown_ca"),
    80: ("the TLS connection could not be shut down", None),
    82: ("the CRL could not be loaded", "revocation_status_unavailable"),
    83: ("the issuer check failed", "unknown_ca"),
    90: ("the server's public key is not the pinned one", "certificate_not_pinned"),
    91: ("the server's certificate status is not valid", "revocation_status_unavailable"),
    98: ("the server wants a client certificate", "no_client_certificate"),
}
# What the words in a constant's name mean, the narrower first.
NAME_CAUSES = (
    ("NOT_YET_VALID|NOT_ACTIVATED|BEFORE_DATE|CERT_FUTURE|BADCERT_FUTURE|NOTYETVALID", "certificate_not_yet_valid"),
    ("CRL_EXPIRED|OLD_CRL|CRL_CERT_DATE|BADCRL|OCSP|CRL_MISSING|CRL_NO_|REVOCATION|BAD_STATUS|CERT_STATUS", "revocation_status_unavailable"),
    ("EXPIRED|AFTER_DATE|TIME_ERROR|INVALID_TIME", "certificate_expired"),
    ("REVOKED", "certificate_revoked"),
    ("UNKNOWN_ISSUER|UNTRUSTED|NO_SIGNER|SELF_SIGNED|SIGNER_NOT_FOUND|NOT_TRUSTED|UNKNOWN_CA|MITM_DETECTED|CA_CHAIN_REQUIRED|CERT_VERIFY_FAILED|CERTIFICATE_VERIFICATION", "unknown_ca"),
    ("CERT_DOMAIN|CN_MISMATCH|DOMAIN_NAME|IPADDR_MISMATCH|NAME_MISMATCH", "name_mismatch"),
    ("PINNING", "certificate_not_pinned"),
    ("INADEQUATE_KEY_SIZE|WEAK|SIGNATURE_ALGORITHM_DISABLED|BAD_MD|KEY_SIZE|TOO_SMALL|INSUFFICIENT_SEC|SHA1|DH_KEY_SIZE", "weak_certificate"),
    ("KEY_USAGE|KEYUSAGE|CERT_TYPE|EXTKEYUSE|CA_CERT_USED|CERT_USAGE|KEY_USAGE_VIOLATION", "wrong_certificate_usage"),
    ("PATH_LEN|PATHLEN|CA_CERT_INVALID|NAME_SPACE|CERT_USED_AS_CA|NAME_INVALID|POLICY_CONSTRAINT|NOT_CA", "chain_invalid"),
    ("CRITICAL|CRIT_EXT|UNSUPPORTED_CERT|UNSUPPORTED_KEYALG|UNSUPPORTED_ELLIPTIC|UNKNOWN_PK|UNKNOWN_SIG_ALG", "unsupported_certificate"),
    ("NO_CLIENT_CERT|NO_PEER_CERT|NO_CERTIFICATE|CERTIFICATE_REQUIRED|NO_PEER_VERIFY", "no_client_certificate"),
    ("KEY_MISMATCH|KEY_VALUES|PRIVATE_KEY_REQUIRED|PK_SIG_VERIFY|VERIFY_SIGN|VERIFY_CERT_ERROR|CERTIFICATE_VERIFY|SIG_VERIFY", "key_mismatch"),
    ("BAD_SIGNATURE|SIG_CONFIRM|SIG_MISMATCH|SIGNATURE_ALGORITHM_MISMATCH", "bad_certificate_signature"),
    ("CHAIN_TOO|MAX_CHAIN", "chain_too_long"),
    ("CYPHER_OVERLAP|CIPHER_SUITE|NO_CIPHER|CIPHER_CHOSEN|UNKNOWN_CIPHER|MATCH_SUITE|NO_CYPHERS", "no_shared_cipher_suite"),
    ("VERSION", "no_shared_version"),
    ("COMMON_KEY_SHARE|NO_KEY_SHARE|KEA_GROUP|ECC_CURVE|CURVE|DH_PRIME", "no_shared_group"),
    ("SIGNATURE_ALGORITHM|SIG_ALG|SIGALG|HASH_ALGORITHM", "no_shared_signature_scheme"),
    ("UNRECOGNIZED_NAME|UNKNOWN_HOST_NAME|SNI", "unrecognized_name"),
    ("APPLICATION_PROTOCOL|ALPN|NO_PROTOCOL", "no_application_protocol"),
    ("FALLBACK", "inappropriate_fallback"),
    ("BAD_MAC|INVALID_MAC|DECRYPT|VERIFY_MAC|FINISHED|BAD_RECORD_MAC", "decryption_failed"),
    ("PSK|SRP", "unknown_psk_identity"),
    ("CLOSE_NOTIFY|CLOSED_GRACE|ZERO_RETURN", "normal_close"),
    ("PREMATURE|END_OF_FILE|CONN_EOF|SOCKET_PEER_CLOSED|PULL_ERROR", "closed_without_alert"),
    ("CONNECT_RESET|CONN_RESET|SOCKET_ERROR", "reset_without_alert"),
    ("TIMEDOUT|TIMEOUT", "timed_out"),
    ("TOO_LARGE|OVERFLOW|LARGE_PACKET|RECORD_TOO_LONG|TOO_LONG", "resource_limit"),
    ("ASN1|ASN_|BAD_DER|BAD_DATA|INVALID_FORMAT|PARSE|BAD_CERTIFICATE|X509_INVALID|BAD_CERT|CERTIFICATE_ERROR|BAD_HS_CERTIFICATE", "malformed_certificate"),
    ("PLAINTEXT|INVALID_RECORD|UNKNOWN_RECORD", "not_tls"),
    ("UNEXPECTED|ILLEGAL|RX_MALFORMED|BAD_HS_|DECODE|RECEIVED_|OUT_OF_ORDER", "protocol_violation"),
    ("MEMORY|ALLOC|INTERNAL|LIBRARY_FAILURE", "internal_error"),
)  # fmt: skip


def cause_of_name(name: str) -> str | None:
    """Return the cause that a constant's name speaks of."""
    return next((cause for pattern, cause in NAME_CAUSES if re.search(pattern, name)), None)


def nss(name: str, number: int | None = None) -> Understood:
    """Return what an error of NSS or Firefox says."""
    code = f"{name} ({number})" if number is not None else name
    alert = NSS_ALERTS.get(name)
    if alert is not None:
        return Understood("NSS received this alert from its peer.", "NSS", "nss", "received", alert, error_code=code)
    return _local("NSS", "nss", code, name)


def nss_number(number: int) -> Understood | None:
    """Return what one of NSS's numbers (-12288 …, -8192 …, -16384 …) says."""
    from tlsalert.registry.library_errors.nss import NAMES

    return nss(NAMES[number], number) if number in NAMES else None


@cache
def nss_numbers() -> dict[str, int]:
    """Return NSS's constants and their numbers."""
    from tlsalert.registry.library_errors.nss import NAMES

    return {name: number for number, name in NAMES.items()}


def gnutls_number(number: int) -> Understood | None:
    """Return what one of GnuTLS's numbers (-1 … -500) says."""
    from tlsalert.registry.library_errors.gnutls import NAMES

    return gnutls(NAMES[number], number) if number in NAMES and number else None


def gnutls(name: str, number: int | None = None) -> Understood:
    """Return what an error of GnuTLS says, by its name without GNUTLS_E_."""
    code = f"GNUTLS_E_{name}" + (f" ({number})" if number is not None else "")
    if name in ("FATAL_ALERT_RECEIVED", "WARNING_ALERT_RECEIVED"):
        kind = "fatal" if name.startswith("FATAL") else "warning"
        words = f'GnuTLS received a {kind} alert; which one stands in the line "Received alert [n]".'
        return Understood(words, "GnuTLS", "gnutls", "received", error_code=code)
    return _local("GnuTLS", "gnutls", code, name)


def mbedtls_number(number: int) -> Understood | None:
    """Return what one of Mbed TLS's numbers (-0x7780 …) says; two errors at once are high and low part."""
    from tlsalert.registry.library_errors.mbedtls import NAMES

    high = -(-number & ~0x7F) if number not in NAMES else number
    return mbedtls(NAMES[high], number) if high in NAMES else None


def mbedtls(name: str, number: int | None = None) -> Understood:
    """Return what an error of Mbed TLS says."""
    code = name.replace("|", " or ") + (f" (-0x{-number:04X})" if number is not None else "")
    if name == "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE":
        words = "Mbed TLS received a fatal alert; it keeps the number to itself unless its debug level is 2 or more."
        return Understood(words, "Mbed TLS", "mbedtls", "received", error_code=code)
    return _local("Mbed TLS", "mbedtls", code, name.split("|")[0])


def wolfssl_number(number: int) -> Understood | None:
    """Return what one of wolfSSL's numbers (-300 …, -140 …) says."""
    from tlsalert.registry.library_errors.wolfssl import NAMES

    return wolfssl(NAMES[number], number) if number in NAMES else None


def wolfssl(name: str, number: int | None = None) -> Understood:
    """Return what an error of wolfSSL says."""
    code = name + (f" ({number})" if number is not None else "")
    if name == "FATAL_ERROR":
        words = "wolfSSL received a fatal alert; its number is in the alert history (last_rx)."
        return Understood(words, "wolfSSL", "wolfssl", "received", error_code=code)
    return _local("wolfSSL", "wolfssl", code, name)


def schannel(number: int) -> Understood | None:
    """Return what an HRESULT of Schannel or of the certificate check says."""
    if number not in SCHANNEL:
        return None
    name, alerts, cause = SCHANNEL[number]
    code = f"{name} (0x{number:08X})"
    if not alerts:
        return Understood(said(cause), "Schannel", "schannel", None, error_code=code, cause=cause)
    words = "Schannel returns this when it received the alert from its peer"
    words += ", or when its own check of the peer's certificate said so." if cause else "."
    also = tuple((alert, "the same code stands for it") for alert in alerts[1:])
    return Understood(words, "Schannel", "schannel", "received", alerts[0], error_code=code, cause=cause, also=also)


@cache
def schannel_numbers() -> dict[str, int]:
    """Return the constants of Schannel and their numbers."""
    return {name: number for number, (name, _, _) in SCHANNEL.items()}


def apple(number: int) -> Understood | None:
    """Return what an errSSL… of Apple's Secure Transport says."""
    if number not in APPLE:
        return None
    name, alert, cause = APPLE[number]
    code = f"{name} ({number})"
    if alert is not None:
        return Understood(
            "Secure Transport received this alert from its peer.",
            "Secure Transport",
            None,
            "received",
            alert,
            error_code=code,
        )
    return Understood(said(cause), "Secure Transport", None, None, error_code=code, cause=cause)


def chrome(name: str, number: int | None = None) -> Understood:
    """Return what a net error of Chromium says."""
    alert, cause, received = CHROME_CAUSES.get(name, (None, cause_of_name(name), False))
    code = f"net::{name}" + (f" ({number})" if number is not None else "")
    if received:
        certain = name != "ERR_BAD_SSL_CLIENT_AUTH_CERT" and name != "ERR_SSL_VERSION_OR_CIPHER_MISMATCH"
        also: tuple[tuple[int, str], ...] = ()
        if name == "ERR_BAD_SSL_CLIENT_AUTH_CERT":
            also = tuple((code, "told as the same error") for code in (41, 43, 44, 45, 46, 48, 49, 116))
        if name == "ERR_SSL_VERSION_OR_CIPHER_MISMATCH":
            also = ((70, "told as the same error"), (71, "told as the same error"))
        return Understood(
            "Chromium received this alert from the server.",
            "Chromium",
            "boringssl",
            "received",
            alert,
            certain,
            code,
            cause,
            also,
        )
    return _sent("Chromium", "boringssl", code, cause, alert)


def chrome_number(number: int) -> Understood | None:
    """Return what the number of a net error says."""
    return chrome(CHROME[number], number) if number in CHROME else None


def curl(number: int) -> Understood | None:
    """Return what an exit code of curl says."""
    if number not in CURL:
        return None
    words, cause = CURL[number]
    return Understood(f"curl ended with {number}: {words}.", "curl", None, None, None, False, f"curl {number}", cause)


def _local(program: str, stack: str, code: str, name: str) -> Understood:
    cause = cause_of_name(name)
    return _sent(program, stack, code, cause, None)


def _sent(program: str, stack: str, code: str, cause: str | None, alert: int | None) -> Understood:
    """Return an error of the program's own, with the alert that its stack sends for the cause."""
    from tlsalert.understanding.sending import sent_for

    alerts = (alert,) if alert is not None else sent_for(stack, cause, None)
    first = alerts[0] if alerts else None
    direction = "sent" if first is not None else None
    also = tuple((other, "in TLS 1.3") for other in alerts[1:])
    return Understood(said(cause), program, stack, direction, first, False, code, cause, also)  # type: ignore[arg-type]


def said(cause: str | None) -> str:
    """Return a sentence for an error that a program found by itself."""
    from tlsalert.understanding.remedies import SHORT

    if cause is None:
        return "An error of the program's own: no alert is named."
    return f"The program's own finding: {SHORT.get(cause, cause.replace('_', ' '))}."
