"""Errors of libraries by number and constant."""

import pytest

from tlsalert.registry.alerts import AlertDescription
from tlsalert.registry.library_errors import gnutls, mbedtls, nss, wolfssl
from tlsalert.understanding import library_codes as codes
from tlsalert.understanding.remedies import NEXT, SHORT


def test_each_alert_of_nss_is_one_of_its_errors() -> None:
    assert set(codes.NSS_ALERTS) <= set(nss.NAMES.values())
    for code in codes.NSS_ALERTS.values():
        assert AlertDescription(code).name != "unlisted"


@pytest.mark.parametrize("name", sorted(set(nss.NAMES.values())))
def test_every_error_of_nss_is_explained(name: str) -> None:
    found = codes.nss(name, codes.nss_numbers()[name])
    assert found.meaning
    assert found.error_code


@pytest.mark.parametrize("number", [*gnutls.NAMES])
def test_every_error_of_gnutls_is_explained(number: int) -> None:
    found = codes.gnutls_number(number)
    assert (found is None) == (number == 0)


@pytest.mark.parametrize("number", [*wolfssl.NAMES])
def test_every_error_of_wolfssl_is_explained(number: int) -> None:
    assert codes.wolfssl_number(number)


@pytest.mark.parametrize("number", [*mbedtls.NAMES])
def test_every_error_of_mbedtls_is_explained(number: int) -> None:
    found = codes.mbedtls_number(number)
    assert found is not None
    assert f"-0x{-number:04X}" in (found.error_code or "")


def test_an_error_of_two_parts_is_told_by_the_upper() -> None:
    found = codes.mbedtls_number(-0x2700 - 0x0E)
    assert found is not None
    assert "CERT_VERIFY_FAILED" in (found.error_code or "")


def test_a_number_with_two_meanings_in_mbedtls_2_and_3_has_both_names() -> None:
    found = codes.mbedtls_number(-0x7300)
    assert found is not None
    assert "MBEDTLS_ERR_SSL_DECODE_ERROR or MBEDTLS_ERR_SSL_UNKNOWN_CIPHER" in (found.error_code or "")


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("SEC_ERROR_EXPIRED_CERTIFICATE", "certificate_expired"),
        ("MOZILLA_PKIX_ERROR_NOT_YET_VALID_CERTIFICATE", "certificate_not_yet_valid"),
        ("SEC_ERROR_UNKNOWN_ISSUER", "unknown_ca"),
        ("ASN_NO_SIGNER_E", "unknown_ca"),
        ("SSL_ERROR_NO_CYPHER_OVERLAP", "no_shared_cipher_suite"),
        ("HELLO", None),
    ],
)
def test_a_name_tells_its_cause(name: str, cause: str | None) -> None:
    assert codes.cause_of_name(name) == cause


def test_every_cause_has_few_words_and_next_steps() -> None:
    causes = {cause for _, cause in codes.NAME_CAUSES} | {row[1] for row in codes.CHROME_CAUSES.values() if row[1]}
    assert causes <= set(SHORT)
    assert causes - {"normal_close", "ech_required"} <= set(NEXT)


def test_schannel_tells_the_alerts_that_one_code_stands_for() -> None:
    found = codes.schannel(0x80090326)
    assert found is not None
    assert (found.alert, found.also[0][0]) == (40, 10)


@pytest.mark.parametrize("number", [1, -1, 999])
def test_other_numbers_are_not_known(number: int) -> None:
    assert codes.schannel(number) is codes.apple(number) is codes.curl(number) is codes.chrome_number(number) is None
