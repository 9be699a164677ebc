"""OpenSSL's packed codes, of every packing, and its verify errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.registry.openssl_reasons import REASONS
from tlsalert.registry.verify_errors import by_code
from tlsalert.understanding.openssl import (
    Packed,
    local_named,
    local_pattern,
    unpack,
    verify_named,
    verify_pattern,
)


@pytest.mark.parametrize(
    ("digits", "family", "library", "reason", "alert"),
    [
        pytest.param("14094412", "OpenSSL 1", 20, 1042, 42, id="OpenSSL up to 1.1.1: 8, 12 and 12 bits"),
        pytest.param("0A000412", "OpenSSL 3", 20, 1042, 42, id="OpenSSL 3: no function"),
        pytest.param("0a000460", "OpenSSL 3", 20, 1120, 120, id="small letters"),
        pytest.param("10000412", "BoringSSL", 16, 1042, 42, id="BoringSSL: libraries of its own"),
        pytest.param("14FFF418", "LibreSSL", 20, 1048, 48, id="LibreSSL: every function is 0xfff"),
        pytest.param("1404B42E", "OpenSSL 1", 20, 1070, 70, id="LibreSSL of 2.x"),
        pytest.param("0B080074", "OpenSSL 1", 11, 116, None, id="the X.509 library's 116 is no alert"),
        pytest.param("05800074", "OpenSSL 3", 11, 116, None, id="X.509 library, OpenSSL 3"),
        pytest.param("0A0C0103", "OpenSSL 3", 20, 0xC0103, None, id="a reason common to all libraries"),
        pytest.param("8000006F", "OpenSSL 3", 2, 111, None, id="an errno"),
    ],
)
def test_a_code_is_taken_apart(digits: str, family: str, library: int, reason: int, alert: int | None) -> None:
    packed = unpack(digits)
    assert packed is not None
    assert (packed.family, packed.library, packed.reason, packed.alert) == (family, library, reason, alert)


def test_functions_and_reasons_have_their_names() -> None:
    assert unpack("140890C7") == Packed(
        "140890C7", "OpenSSL 1", 20, 199, "PEER_DID_NOT_RETURN_A_CERTIFICATE", "ssl3_get_client_certificate", None
    )
    assert (packed := unpack("0A0C0103")) is not None
    assert packed.reason_name == "INTERNAL_ERROR"
    assert packed.library_name == "SSL"


@pytest.mark.parametrize("digits", ["00000000", "FFFFFFFF", "99999999", "14000000"])
def test_what_is_no_code_is_not_taken_for_one(digits: str) -> None:
    assert unpack(digits) is None


def test_a_boringssl_code_with_a_small_reason_needs_boringssls_words() -> None:
    plain, boring = unpack("1000007d"), unpack("1000007d", boring=True)
    assert boring is not None
    assert boring.family == "BoringSSL"
    assert plain is not None
    assert (plain.family, plain.library_name) == ("OpenSSL 3", "BIO")


@given(number=st.integers(0, 0xFFFFFFFF), boring=st.booleans())
def test_any_number_is_taken_apart_or_refused(number: int, boring: bool) -> None:
    packed = unpack(f"{number:x}", boring=boring)
    assert packed is None or (packed.alert is None or 0 <= packed.alert <= 255)
    assert packed is None or packed.library_name


@pytest.mark.parametrize("name", REASONS)
def test_each_reason_is_found_as_words_and_as_constant(name: str) -> None:
    for words in (name.lower(), name.lower().replace("_", " ")):
        found = local_pattern().search(f"ssl routines:{words}:x")
        assert found is not None
        assert local_named(found[1]) == (name, REASONS[name])


@pytest.mark.parametrize(
    ("number", "alert", "cause"),
    [
        (9, 42, "certificate_not_yet_valid"),
        (10, 45, "certificate_expired"),
        (20, 48, "unknown_ca"),
        (18, 48, "unknown_ca"),
        (21, 48, "unknown_ca"),
        (7, 51, "bad_certificate_signature"),
        (26, 43, "wrong_certificate_usage"),
        (23, 44, "certificate_revoked"),
        (62, 42, "name_mismatch"),
        (34, 46, "unsupported_certificate"),
    ],
)
def test_a_verify_error_has_its_alert_and_cause(number: int, alert: int, cause: str) -> None:
    error = by_code(number)
    assert error is not None
    assert (error.alert, error.cause) == (alert, cause)
    for words in (error.words[0].lower(), error.name.lower()):
        found = verify_pattern().search(words)
        assert found is not None
        again = verify_named(found[1])
        assert again is not None
        assert again.code == number


@pytest.mark.parametrize("words", ["self signed certificate", "self-signed certificate"])
def test_words_of_other_versions_are_known(words: str) -> None:
    error = verify_named(words)
    assert error is not None
    assert error.code == 18


@pytest.mark.parametrize("number", [0, 999, -1])
def test_no_error_is_none(number: int) -> None:
    assert by_code(number) is None
