"""OpenSSL's reasons: by words, by number, and what each means."""

from __future__ import annotations

import pytest

from tlsalert.registry.openssl_reasons import REASONS, by_number, by_words
from tlsalert.understanding.remedies import SHORT


def test_a_failed_verification_had_another_name_once() -> None:
    """OpenSSL 1.0.1 says "no certificate returned" where a certificate did not verify."""
    old, missing = by_words("no certificate returned"), by_words("peer did not return a certificate")
    assert old is not None
    assert missing is not None
    assert old.about_certificate
    assert (missing.cause, missing.alert, missing.tls13) == ("no_client_certificate", 40, 116)


@pytest.mark.parametrize(
    ("number", "alert"),
    [
        pytest.param(193, 40, id="NO_SHARED_CIPHER"),
        pytest.param(258, 70, id="UNSUPPORTED_PROTOCOL"),
        pytest.param(281, 20, id="DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
        pytest.param(338, 40, id="UNSAFE_LEGACY_RENEGOTIATION_DISABLED"),
        pytest.param(394, 40, id="DH_KEY_TOO_SMALL"),
    ],
)
def test_a_number_has_its_alert(number: int, alert: int) -> None:
    """Numbers of include/openssl/sslerr.h, alerts of the SSLfatal calls in ssl/."""
    reason = by_number(number)
    assert reason is not None
    assert reason.alert == alert


def test_what_is_not_listed_has_no_meaning() -> None:
    assert by_words("anything else") is None
    assert by_number(0) is None
    assert by_number(1042) is None


def test_each_cause_has_words() -> None:
    causes = {cause for reason in REASONS.values() for cause in (reason.cause, *reason.others) if cause is not None}
    assert causes <= set(SHORT)
