"""Texts that are one number or one constant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.understanding.bare import of_code, of_constant


def test_a_number_that_several_libraries_use_has_several_meanings() -> None:
    programs = {one.program for one in of_code("-110")}
    assert {"GnuTLS", "Chromium"} <= programs


@pytest.mark.parametrize(
    ("text", "program", "alert"),
    [
        ("-12195", "NSS", 48),
        ("-8181", "NSS", 45),
        ("-16379", "NSS", 45),
        ("-0x2700", "Mbed TLS", 48),
        ("-0x2780", "Mbed TLS", None),
        ("-313", "wolfSSL", None),
        ("-9824", "Secure Transport", 40),
        ("80090325", "Schannel", 48),
        ("36874", "Schannel", 40),
        ("582", "OpenSSL", 70),
        ("193", "OpenSSL", 40),
    ],
)
def test_a_code_is_known(text: str, program: str, alert: int | None) -> None:
    first = of_code(text)[0]
    assert (first.program, first.alert) == (program, alert)


@pytest.mark.parametrize("text", ["", "x", "256", "512", "70000", "-1000000", "99999999999999", "-", "0x"])
def test_other_texts_are_no_code(text: str) -> None:
    assert of_code(text) == []


@given(number=st.integers(-(2**40), 2**40))
def test_any_number_is_answered(number: int) -> None:
    for one in of_code(str(number)):
        assert one.meaning
        assert one.alert is None or 0 <= one.alert <= 255


@pytest.mark.parametrize("text", ["SSL_R_UNHEARD_OF", "GNUTLS_E_UNHEARD_OF", "MBEDTLS_ERR_UNHEARD_OF", "hello"])
def test_other_constants_are_not_known(text: str) -> None:
    assert of_constant(text) == []


def test_constants_are_known_with_their_numbers() -> None:
    (one,) = of_constant("gnutls_e_no_certificate_found")
    assert one.error_code == "GNUTLS_E_NO_CERTIFICATE_FOUND (-49)"
    (one,) = of_constant("MBEDTLS_X509_BADCERT_EXPIRED")
    assert (one.alert, one.cause) == (45, "certificate_expired")
