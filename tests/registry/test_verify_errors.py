"""What OpenSSL's verifier objects to: number, words, cause."""

from __future__ import annotations

import ssl

import pytest

from tlsalert.diagnosis.words import DO, WHY
from tlsalert.registry.verify_errors import VERIFY_ERRORS, by_code, by_words

crypto = pytest.importorskip("OpenSSL.crypto", reason="needs the extra lab")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("certificate is not yet valid", 9),
        ("certificate has expired", 10),
        ("self signed certificate", 18),  # 1.1 and before
        ("self-signed certificate", 18),
        ("unsupported certificate purpose", 26),
        ("unsuitable certificate purpose", 26),
        ("certificate is not yet valid or the system clock is incorrect", 9),  # 4.0
        ("Hostname mismatch", 62),
        ("CA md too weak", None),
    ],
)
def test_words_are_known_in_every_spelling(words: str, code: int | None) -> None:
    found = by_words(words)
    assert (None if found is None else found.code) == code


def test_each_number_stands_once() -> None:
    numbers = [error.code for error in VERIFY_ERRORS]
    assert len(set(numbers)) == len(numbers)
    assert by_code(0) is None


def test_each_cause_has_words() -> None:
    causes = {error.cause for error in VERIFY_ERRORS} - {None}
    assert causes <= set(WHY)
    assert causes <= set(DO) | {"internal_error"}


def test_the_words_are_those_of_the_openssl_at_hand() -> None:
    """The library itself is asked, by its own number for each."""
    if ssl.OPENSSL_VERSION_INFO < (3, 0):
        pytest.skip("the words are those of OpenSSL 3")
    from cryptography.hazmat.bindings._rust import _openssl  # type: ignore[import-not-found, unused-ignore]

    says = getattr(_openssl.lib, "X509_verify_cert_error_string", None)
    if says is None:
        pytest.skip("this cryptography does not bind the verifier's words")
    for error in VERIFY_ERRORS:
        words = _openssl.ffi.string(says(error.code)).decode()
        if "unknown" in words.lower():
            continue
        found = by_words(words)
        assert found is not None, (error.code, words)
        assert found.cause == error.cause
