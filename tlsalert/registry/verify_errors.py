"""What OpenSSL's verifier objects to in a certificate: the number, the words, and the cause that stands behind.

The numbers are those of X509_V_ERR_* (include/openssl/x509_vfy.h), the words those of X509_verify_cert_error_string
(crypto/x509/x509_txt.c, where 1.1, 3.0 and 4.0 reworded some), the alerts those of ssl_x509err2alert
(ssl/statem/statem_lib.c; ssl_verify_alarm_type in 1.0). Programs write the words into their logs, and some the number.
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: The alert for what the table of ssl_x509err2alert does not name: certificate_unknown.
OTHERWISE: Final = 46


class VerifyError(NamedTuple):
    """One objection: its number, how it is worded, its cause (None: it tells none), and the alert that OpenSSL sends.

    ``others`` are causes that give the same objection.
    """

    code: int
    words: tuple[str, ...]
    cause: str | None
    alert: int = OTHERWISE
    others: tuple[str, ...] = ()


VERIFY_ERRORS: Final = (
    VerifyError(2, ("unable to get issuer certificate",), "chain_incomplete", 48, ("unknown_ca",)),
    VerifyError(3, ("unable to get certificate CRL",), "revocation_status_unavailable", 48),
    VerifyError(4, ("unable to decrypt certificate's signature",), "bad_certificate_signature", 42),
    VerifyError(5, ("unable to decrypt CRL's signature",), "revocation_status_unavailable", 42),
    VerifyError(6, ("unable to decode issuer public key",), "bad_certificate_signature", 42),
    VerifyError(7, ("certificate signature failure",), "bad_certificate_signature", 51, ("unknown_ca",)),
    VerifyError(8, ("CRL signature failure",), "revocation_status_unavailable", 51),
    VerifyError(
        9,
        (
            "certificate is not yet valid",
            "certificate is not yet valid or the system clock is incorrect",
            "certificate not yet valid",
        ),
        "certificate_not_yet_valid",
        42,
    ),
    VerifyError(10, ("certificate has expired",), "certificate_expired", 45),
    VerifyError(11, ("CRL is not yet valid",), "revocation_status_unavailable", 42),
    VerifyError(12, ("CRL has expired",), "revocation_status_unavailable", 45),
    VerifyError(13, ("format error in certificate's notBefore field",), "malformed_certificate", 42),
    VerifyError(14, ("format error in certificate's notAfter field",), "malformed_certificate", 42),
    VerifyError(15, ("format error in CRL's lastUpdate field",), "revocation_status_unavailable", 42),
    VerifyError(16, ("format error in CRL's nextUpdate field",), "revocation_status_unavailable", 42),
    VerifyError(17, ("out of memory",), "internal_error", 80),
    VerifyError(18, ("self-signed certificate",), "unknown_ca", 48),
    VerifyError(19, ("self-signed certificate in certificate chain",), "unknown_ca", 48),
    VerifyError(20, ("unable to get local issuer certificate",), "unknown_ca", 48, ("chain_incomplete",)),
    VerifyError(21, ("unable to verify the first certificate",), "unknown_ca", 48, ("chain_incomplete",)),
    VerifyError(22, ("certificate chain too long",), "chain_too_long", 48),
    VerifyError(23, ("certificate revoked",), "certificate_revoked", 44),
    VerifyError(24, ("invalid CA certificate", "issuer certificate doesn't have a public key"), "chain_invalid", 48),
    VerifyError(25, ("path length constraint exceeded",), "chain_invalid", 48),
    VerifyError(
        26, ("unsuitable certificate purpose", "unsupported certificate purpose"), "wrong_certificate_usage", 43
    ),
    VerifyError(27, ("certificate not trusted",), "unknown_ca", 42, ("certificate_not_pinned",)),
    VerifyError(28, ("certificate rejected",), "access_denied", 42),
    VerifyError(29, ("subject issuer mismatch",), "chain_out_of_order"),
    VerifyError(30, ("authority and subject key identifier mismatch",), "unknown_ca"),
    VerifyError(31, ("authority and issuer serial number mismatch",), "unknown_ca"),
    VerifyError(32, ("key usage does not include certificate signing",), "chain_invalid"),
    VerifyError(33, ("unable to get CRL issuer certificate",), "revocation_status_unavailable", 48),
    VerifyError(34, ("unhandled critical extension",), "unsupported_certificate"),
    VerifyError(35, ("key usage does not include CRL signing",), "revocation_status_unavailable"),
    VerifyError(36, ("unhandled critical CRL extension",), "revocation_status_unavailable"),
    VerifyError(37, ("invalid non-CA certificate (has CA markings)",), "wrong_certificate_usage"),
    VerifyError(38, ("proxy path length constraint exceeded",), "chain_invalid"),
    VerifyError(39, ("key usage does not include digital signature",), "wrong_certificate_usage"),
    VerifyError(40, ("proxy certificates not allowed, please set the appropriate flag",), "unsupported_certificate"),
    VerifyError(41, ("invalid or inconsistent certificate extension",), "malformed_certificate"),
    VerifyError(42, ("invalid or inconsistent certificate policy extension",), "malformed_certificate"),
    VerifyError(43, ("no explicit policy",), "chain_invalid"),
    VerifyError(44, ("Different CRL scope",), "revocation_status_unavailable"),
    VerifyError(47, ("permitted subtree violation",), "chain_invalid"),
    VerifyError(48, ("excluded subtree violation",), "chain_invalid"),
    VerifyError(49, ("name constraints minimum and maximum not supported",), "chain_invalid", 42),
    VerifyError(50, ("application verification failure",), None, 40),
    VerifyError(51, ("unsupported name constraint type",), "chain_invalid"),
    VerifyError(52, ("unsupported or invalid name constraint syntax",), "chain_invalid"),
    VerifyError(53, ("unsupported or invalid name syntax",), "malformed_certificate"),
    VerifyError(54, ("CRL path validation error",), "revocation_status_unavailable"),
    VerifyError(56, ("Suite B: certificate version invalid",), "weak_certificate"),
    VerifyError(57, ("Suite B: invalid public key algorithm",), "weak_certificate"),
    VerifyError(58, ("Suite B: invalid ECC curve",), "weak_certificate"),
    VerifyError(59, ("Suite B: invalid signature algorithm",), "weak_certificate"),
    VerifyError(60, ("Suite B: curve not allowed for this LOS",), "weak_certificate"),
    VerifyError(61, ("Suite B: cannot sign P-384 with P-256",), "weak_certificate"),
    VerifyError(62, ("hostname mismatch",), "name_mismatch", 42),
    VerifyError(63, ("email address mismatch",), "name_mismatch", 42),
    VerifyError(64, ("IP address mismatch",), "name_mismatch", 42),
    VerifyError(65, ("no matching DANE TLSA records",), "certificate_not_pinned", 42),
    VerifyError(66, ("EE certificate key too weak",), "weak_certificate", 42),
    VerifyError(67, ("CA certificate key too weak",), "weak_certificate", 42),
    VerifyError(68, ("CA signature digest algorithm too weak",), "weak_certificate", 42),
    VerifyError(69, ("invalid certificate verification context",), "internal_error", 80),
    VerifyError(70, ("issuer certificate lookup error",), "internal_error", 80),
    VerifyError(73, ("OCSP verification needed",), "revocation_status_unavailable"),
    VerifyError(74, ("OCSP verification failed",), "revocation_status_unavailable"),
    VerifyError(75, ("OCSP unknown cert",), "revocation_status_unavailable"),
    VerifyError(71, ("Certificate Transparency required, but no valid SCTs found",), "unsupported_certificate"),
    VerifyError(76, ("Cannot find certificate signature algorithm",), "unsupported_certificate"),
    VerifyError(
        77, ("subject signature algorithm and issuer public key algorithm mismatch",), "bad_certificate_signature"
    ),
    VerifyError(78, ("cert info signature and signature algorithm mismatch",), "malformed_certificate"),
    VerifyError(79, ("invalid CA certificate",), "chain_invalid", 48),
    VerifyError(80, ("Path length invalid for non-CA cert",), "malformed_certificate"),
    VerifyError(81, ("Path length given without key usage keyCertSign",), "malformed_certificate"),
    VerifyError(82, ("Key usage keyCertSign invalid for non-CA cert",), "malformed_certificate"),
    VerifyError(83, ("Issuer name empty",), "malformed_certificate"),
    VerifyError(84, ("Subject name empty",), "malformed_certificate"),
    VerifyError(85, ("Missing Authority Key Identifier",), "malformed_certificate"),
    VerifyError(86, ("Missing Subject Key Identifier",), "malformed_certificate"),
    VerifyError(87, ("Empty Subject Alternative Name extension",), "malformed_certificate"),
    VerifyError(88, ("Subject empty and Subject Alt Name extension not critical",), "malformed_certificate"),
    VerifyError(89, ("Basic Constraints of CA cert not marked critical",), "malformed_certificate"),
    VerifyError(90, ("Authority Key Identifier marked critical",), "malformed_certificate"),
    VerifyError(91, ("Subject Key Identifier marked critical",), "malformed_certificate"),
    VerifyError(92, ("CA cert does not include key usage extension",), "chain_invalid"),
    VerifyError(93, ("Using cert extension requires at least X509v3",), "malformed_certificate"),
    VerifyError(94, ("Certificate public key has explicit ECC parameters",), "unsupported_certificate", 42),
    VerifyError(95, ("Raw public key untrusted, no trusted keys configured",), "certificate_not_pinned"),
    VerifyError(96, ("OCSP response(s) invalid",), "revocation_status_unavailable"),
    VerifyError(97, ("OCSP response signature verification failure",), "revocation_status_unavailable"),
    VerifyError(98, ("OCSP response not yet valid (contains a date in the future)",), "revocation_status_unavailable"),
    VerifyError(99, ("OCSP response has expired",), "revocation_status_unavailable"),
    VerifyError(100, ("no OCSP response available for certificate",), "revocation_status_unavailable"),
)


def by_code(code: int) -> VerifyError | None:
    """Return the objection of this number; None for 0 (X509_V_OK) and for numbers that are not known here."""
    return _BY_CODE.get(code)


def by_words(text: str) -> VerifyError | None:
    """Return the objection that is worded so, whatever the case and the hyphens; the whole text, not a part of it.

    Of two numbers with the same words it is the last: they have one cause.
    """
    return _BY_WORDS.get(_plain(text))


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("-", " ").split())


_BY_CODE: Final = {error.code: error for error in VERIFY_ERRORS}
_BY_WORDS: Final = {_plain(words): error for error in VERIFY_ERRORS for words in error.words}
