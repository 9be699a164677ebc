"""What the reasons of OpenSSL's SSL library mean that it finds by itself: the cause, and the alert that it sends.

The names are those of SSL_R_* (include/openssl/sslerr.h), the words in a log are the same in small letters with spaces
(ssl/ssl_err.c). The alerts are those that SSLfatal() sends with them: ssl/statem/*.c, ssl/record/*.c, ssl/t1_lib.c of
OpenSSL 3.0; before 1.1.0 ssl/s3_srvr.c, ssl/s3_clnt.c, ssl/s3_pkt.c.
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: From here on a reason is an alert that was received: the alert's number and this (SSL_AD_REASON_OFFSET).
RECEIVED: Final = 1000


class Reason(NamedTuple):
    """One reason: its cause (None: it tells none), the alert that is sent (None: none), and that of TLS 1.3.

    ``about_certificate`` says that it is about the peer's certificate, ``others`` are causes that have the same reason.
    """

    cause: str | None
    alert: int | None
    tls13: int | None = None
    about_certificate: bool = False
    others: tuple[str, ...] = ()


#: "no certificate returned" is how 1.0.1 and before call a certificate that did not verify (ssl/s3_srvr.c,
#: ssl3_get_client_certificate); "peer did not return a certificate" is the missing one.
REASONS: Final = {
    "CERTIFICATE_VERIFY_FAILED": Reason(None, None, about_certificate=True),
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": Reason("no_client_certificate", 40, tls13=116),
    "NO_CERTIFICATE_RETURNED": Reason(None, None, about_certificate=True),
    "NO_CERTIFICATES_RETURNED": Reason("no_client_certificate", 40),
    "NO_SHARED_CIPHER": Reason("no_shared_cipher_suite", 40),
    "NO_SHARED_CIPHERS": Reason("no_shared_cipher_suite", 40),
    "NO_CIPHERS_AVAILABLE": Reason("no_shared_cipher_suite", None),
    "NO_CIPHER_MATCH": Reason("no_shared_cipher_suite", None),
    "WRONG_CIPHER_RETURNED": Reason("no_shared_cipher_suite", 47),
    "UNKNOWN_CIPHER_RETURNED": Reason("no_shared_cipher_suite", 47),
    "NO_SHARED_GROUPS": Reason("no_shared_group", 40),
    "NO_SHARED_GROUP": Reason("no_shared_group", 40),
    "NO_SUITABLE_GROUPS": Reason("no_shared_group", 40),
    "NO_SUITABLE_KEY_SHARE": Reason("no_shared_group", 40),
    "WRONG_CURVE": Reason("no_shared_group", 47),
    "UNSUPPORTED_ELLIPTIC_CURVE": Reason("no_shared_group", 40),
    "BAD_DH_P_LENGTH": Reason("no_shared_group", 40),
    "DH_KEY_TOO_SMALL": Reason("no_shared_group", 40),
    "NO_SUITABLE_SIGNATURE_ALGORITHM": Reason("no_shared_signature_scheme", 40, others=("no_shared_version",)),
    "NO_SHARED_SIGNATURE_ALGORITHMS": Reason("no_shared_signature_scheme", 40),
    "NO_COMMON_SIGNATURE_ALGORITHMS": Reason("no_shared_signature_scheme", 40),
    "WRONG_SIGNATURE_TYPE": Reason("no_shared_signature_scheme", 47),
    "UNKNOWN_DIGEST": Reason("no_shared_signature_scheme", 40),
    "UNSUPPORTED_PROTOCOL": Reason("no_shared_version", 70),
    "VERSION_TOO_LOW": Reason("no_shared_version", 70),
    "VERSION_TOO_HIGH": Reason("no_shared_version", 70),
    "WRONG_SSL_VERSION": Reason("no_shared_version", 70),
    "UNSUPPORTED_SSL_VERSION": Reason("no_shared_version", 70),
    "NO_PROTOCOLS_AVAILABLE": Reason("no_shared_version", None),
    "UNKNOWN_PROTOCOL": Reason("not_tls", None, others=("no_shared_version",)),
    "WRONG_VERSION_NUMBER": Reason("not_tls", 70, others=("no_shared_version",)),
    "HTTP_REQUEST": Reason("not_tls", None),
    "HTTPS_PROXY_REQUEST": Reason("not_tls", None),
    "PACKET_LENGTH_TOO_LONG": Reason("not_tls", 22, others=("protocol_violation",)),
    "RECORD_LENGTH_MISMATCH": Reason("protocol_violation", 50),
    "INAPPROPRIATE_FALLBACK": Reason("inappropriate_fallback", 86),
    "NO_APPLICATION_PROTOCOL": Reason("no_application_protocol", 120),
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": Reason("decryption_failed", 20),
    "DECRYPTION_FAILED": Reason("decryption_failed", 20),
    "BAD_DECRYPT": Reason("decryption_failed", 20),
    "DIGEST_CHECK_FAILED": Reason("decryption_failed", 51),
    "BINDER_DOES_NOT_VERIFY": Reason("unknown_psk_identity", 47),
    "PSK_IDENTITY_NOT_FOUND": Reason("unknown_psk_identity", 115),
    "BAD_SIGNATURE": Reason("key_mismatch", 51, about_certificate=True, others=("decryption_failed",)),
    "BAD_RSA_SIGNATURE": Reason("key_mismatch", 51),
    "BAD_ECC_CERT": Reason("unsupported_certificate", 40),
    "SIGNATURE_FOR_NON_SIGNING_CERTIFICATE": Reason("wrong_certificate_usage", 47),
    "KEY_VALUES_MISMATCH": Reason("key_mismatch", None),
    "X509_KEY_VALUES_MISMATCH": Reason("key_mismatch", None),
    "KEY_TYPE_MISMATCH": Reason("key_mismatch", None),
    "NO_CERTIFICATE_ASSIGNED": Reason("internal_error", None),
    "NO_CERTIFICATE_SET": Reason("internal_error", None),
    "CERT_LENGTH_MISMATCH": Reason("malformed_certificate", 50),
    "EE_KEY_TOO_SMALL": Reason("weak_certificate", None, about_certificate=True),
    "CA_KEY_TOO_SMALL": Reason("weak_certificate", None, about_certificate=True),
    "CA_MD_TOO_WEAK": Reason("weak_certificate", None, about_certificate=True),
    "MISSING_RSA_CERTIFICATE": Reason("no_shared_cipher_suite", 40),
    "MISSING_ECDSA_SIGNING_CERT": Reason("no_shared_cipher_suite", 40),
    "TLSV1_UNRECOGNIZED_NAME": Reason("unrecognized_name", 112),
    "CLIENTHELLO_TLSEXT": Reason("unrecognized_name", 40),
    "CALLBACK_FAILED": Reason("unrecognized_name", 112),
    "UNEXPECTED_MESSAGE": Reason("protocol_violation", 10),
    "UNEXPECTED_RECORD": Reason("protocol_violation", 10),
    "CCS_RECEIVED_EARLY": Reason("protocol_violation", 10),
    "LENGTH_MISMATCH": Reason("protocol_violation", 50),
    "BAD_EXTENSION": Reason("protocol_violation", 50),
    "BAD_PACKET_LENGTH": Reason("protocol_violation", 50),
    "BAD_ECPOINT": Reason("protocol_violation", 47),
    "BAD_KEY_SHARE": Reason("protocol_violation", 47),
    "MISSING_SUPPORTED_GROUPS_EXTENSION": Reason("protocol_violation", 109),
    "MISSING_SIGALGS_EXTENSION": Reason("protocol_violation", 109),
    "UNSOLICITED_EXTENSION": Reason("protocol_violation", 110),
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": Reason("protocol_violation", 40),
    "EXCESSIVE_MESSAGE_SIZE": Reason("resource_limit", 47, others=("protocol_violation",)),
    "EXCESSIVE_RECORD_SIZE": Reason("resource_limit", 22),
    "INVALID_STATUS_RESPONSE": Reason("revocation_status_unavailable", 113),
    "UNEXPECTED_EOF_WHILE_READING": Reason("closed_without_alert", None),
    "SSL_HANDSHAKE_FAILURE": Reason("closed_without_alert", None),
    "PROTOCOL_IS_SHUTDOWN": Reason("normal_close", None),
    "SHUTDOWN_WHILE_IN_INIT": Reason("normal_close", None),
    "INTERNAL_ERROR": Reason("internal_error", 80),
    "BAD_DECOMPRESSION": Reason("decryption_failed", 30),
    "BLOCK_CIPHER_PAD_IS_WRONG": Reason("decryption_failed", 20),
    "BAD_LENGTH": Reason("protocol_violation", 50),
    "MISSING_TMP_DH_KEY": Reason("internal_error", 80),
    "ASN1_LIB": Reason("malformed_certificate", 50, about_certificate=True),
}


def by_words(words: str) -> Reason | None:
    """Return the reason of these words, in any case: "no shared cipher"."""
    return REASONS.get(words.upper().replace(" ", "_"))


def name_of(number: int) -> str | None:
    """Return the constant of a reason's number in OpenSSL 3.0, without SSL_R_; None where it is not listed."""
    from tlsalert.registry.library_errors.openssl_reasons import NAMES

    return NAMES.get(number)


def by_number(number: int) -> Reason | None:
    """Return the reason of this number."""
    return REASONS.get(name_of(number) or "")
