"""What OpenSSL's verifier objects to in a certificate: the number, the words, and the cause that stands behind.

The numbers are those of X509_V_ERR_* (include/openssl/x509_vfy.h), the words those of X509_verify_cert_error_string
(crypto/x509/x509_txt.c, where 1.1, 3.0 and 4.0 reworded some), the alerts those of ssl_x509err2alert
(ssl/statem/statem_lib.c; ssl_verify_alarm_type in 1.0). Programs write the words into their logs, and some the number.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tlsalert.registry.library_errors.openssl_verify import NAMES

#: The alert for what the table of ssl_x509err2alert does not name: certificate_unknown.
OTHERWISE: Final = 46


class VerifyError(NamedTuple):
    """One objection: its number, its constant without X509_V_ERR_, its cause, and the alert that OpenSSL sends for it.

    ``words`` are OpenSSL 3.0's, before those of other releases; ``others`` are causes that give the same objection.
    """

    code: int
    name: str
    words: tuple[str, ...]
    cause: str
    alert: int
    others: tuple[str, ...]

    @property
    def causes(self) -> frozenset[str]:
        """All causes that it can have."""
        return frozenset((self.cause, *self.others))


def _error(
    code: int,
    cause: str,
    alert: int = OTHERWISE,
    *,
    others: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
    since: str = "",
) -> VerifyError:
    """Make a row. ``also`` are words of other releases; ``since`` is constant and words of what 3.0 does not have."""
    name, words = (since or NAMES[code]).split(" ", 1)
    return VerifyError(code, name, (words, *also), cause, alert, others)


#: 24 was INVALID_CA up to 1.1.1, which now is 79; its alert is that one's.
VERIFY_ERRORS: Final = (
    _error(1, "internal_error", 80),
    _error(2, "chain_incomplete", 48, others=("unknown_ca",)),
    _error(3, "revocation_status_unavailable", 48),
    _error(4, "bad_certificate_signature", 42),
    _error(5, "revocation_status_unavailable", 42),
    _error(6, "malformed_certificate", 42),
    _error(7, "bad_certificate_signature", 51, others=("unknown_ca",)),
    _error(8, "revocation_status_unavailable", 51),
    _error(
        9,
        "certificate_not_yet_valid",
        42,
        also=("certificate is not yet valid or the system clock is incorrect", "certificate not yet valid"),
    ),
    _error(10, "certificate_expired", 45),
    _error(11, "revocation_status_unavailable", 42),
    _error(12, "revocation_status_unavailable", 45),
    _error(13, "malformed_certificate", 42),
    _error(14, "malformed_certificate", 42),
    _error(15, "revocation_status_unavailable", 42),
    _error(16, "revocation_status_unavailable", 42),
    _error(17, "internal_error", 80),
    _error(18, "unknown_ca", 48),
    _error(19, "unknown_ca", 48),
    _error(20, "unknown_ca", 48, others=("chain_incomplete",)),
    _error(21, "unknown_ca", 48, others=("chain_incomplete",)),
    _error(22, "chain_too_long", 48),
    _error(23, "certificate_revoked", 44),
    _error(24, "chain_invalid", 48, also=("invalid CA certificate",)),
    _error(25, "chain_invalid", 48),
    _error(26, "wrong_certificate_usage", 43, also=("unsupported certificate purpose",)),
    _error(27, "unknown_ca", 42, others=("certificate_not_pinned",)),
    _error(28, "access_denied", 42, others=("certificate_not_pinned",)),
    _error(29, "chain_out_of_order"),
    _error(30, "unknown_ca"),
    _error(31, "unknown_ca"),
    _error(32, "chain_invalid"),
    _error(33, "revocation_status_unavailable", 48),
    _error(34, "unsupported_certificate"),
    _error(35, "revocation_status_unavailable"),
    _error(36, "revocation_status_unavailable"),
    _error(37, "wrong_certificate_usage"),
    _error(38, "chain_invalid"),
    _error(39, "wrong_certificate_usage"),
    _error(40, "unsupported_certificate"),
    _error(41, "malformed_certificate"),
    _error(42, "malformed_certificate"),
    _error(43, "chain_invalid"),
    _error(44, "revocation_status_unavailable"),
    _error(45, "unsupported_certificate"),
    _error(46, "chain_invalid"),
    _error(47, "chain_invalid"),
    _error(48, "chain_invalid"),
    _error(49, "chain_invalid"),
    _error(50, "access_denied", 40, others=("certificate_not_pinned",)),
    _error(51, "chain_invalid"),
    _error(52, "chain_invalid"),
    _error(53, "malformed_certificate"),
    _error(54, "revocation_status_unavailable"),
    _error(55, "chain_invalid"),
    _error(56, "weak_certificate"),
    _error(57, "weak_certificate"),
    _error(58, "weak_certificate"),
    _error(59, "weak_certificate"),
    _error(60, "weak_certificate"),
    _error(61, "weak_certificate"),
    _error(62, "name_mismatch", 42),
    _error(63, "name_mismatch", 42),
    _error(64, "name_mismatch", 42),
    _error(65, "certificate_not_pinned", 42),
    _error(66, "weak_certificate", 42),
    _error(67, "weak_certificate", 42),
    _error(68, "weak_certificate", 42),
    _error(69, "internal_error", 80),
    _error(70, "internal_error", 80),
    _error(71, "unsupported_certificate"),
    _error(72, "unsupported_certificate"),
    _error(73, "revocation_status_unavailable"),
    _error(74, "revocation_status_unavailable", others=("certificate_revoked",)),
    _error(75, "revocation_status_unavailable"),
    _error(76, "unsupported_certificate"),
    _error(77, "bad_certificate_signature"),
    _error(78, "malformed_certificate"),
    _error(79, "chain_invalid", 48),
    _error(80, "malformed_certificate"),
    _error(81, "malformed_certificate"),
    _error(82, "malformed_certificate"),
    _error(83, "malformed_certificate"),
    _error(84, "malformed_certificate"),
    _error(85, "malformed_certificate"),
    _error(86, "malformed_certificate"),
    _error(87, "malformed_certificate"),
    _error(88, "malformed_certificate"),
    _error(89, "malformed_certificate"),
    _error(90, "malformed_certificate"),
    _error(91, "malformed_certificate"),
    _error(92, "chain_invalid"),
    _error(93, "malformed_certificate"),
    _error(94, "unsupported_certificate", 42),
    _error(95, "certificate_not_pinned", since="RPK_UNTRUSTED Raw public key untrusted, no trusted keys configured"),
    _error(96, "revocation_status_unavailable", since="OCSP_RESP_INVALID OCSP response(s) invalid"),
    _error(
        97, "revocation_status_unavailable", since="OCSP_SIGNATURE_FAILURE OCSP response signature verification failure"
    ),
    _error(
        98,
        "revocation_status_unavailable",
        since="OCSP_NOT_YET_VALID OCSP response not yet valid (contains a date in the future)",
    ),
    _error(99, "revocation_status_unavailable", since="OCSP_HAS_EXPIRED OCSP response has expired"),
    _error(100, "revocation_status_unavailable", since="OCSP_NO_RESPONSE no OCSP response available for certificate"),
)


def by_code(code: int) -> VerifyError | None:
    """Return the objection of this number; None for 0 (X509_V_OK) and for numbers that are not known here."""
    return _BY_CODE.get(code)


def by_words(text: str) -> VerifyError | None:
    """Return the objection that is worded so, whatever the case and the hyphens; the whole text, not a part of it.

    Of two numbers with the same words it is the last: they have one cause.
    """
    return _BY_WORDS.get(_plain(text))


def by_name(name: str) -> VerifyError | None:
    """Return the objection of this constant, without X509_V_ERR_, in any case."""
    return _BY_NAME.get(name.upper())


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


_BY_CODE: Final = {error.code: error for error in VERIFY_ERRORS}
_BY_WORDS: Final = {_plain(words): error for error in VERIFY_ERRORS for words in error.words}
_BY_NAME: Final = {error.name: error for error in VERIFY_ERRORS}
