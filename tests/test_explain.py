"""What ``explain`` understands, and what it says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.explain import Cause, ExplainedAlert, Explanation, explain
from tlsalert.registry.alerts import AlertDescription

KEYS = ["input", "program", "direction", "alert", "error_code", "meaning", "causes", "next"]


def told(text: str) -> int | None:
    alert = explain(text).alert
    return alert and alert.code


@pytest.mark.parametrize(
    "text",
    [
        "42",
        "042",
        " 42 ",
        "0x2a",
        "0X2A",
        "2a",
        "2A",
        "bad_certificate",
        "bad certificate",
        "bad-certificate",
        "BadCertificate",
        "BAD_CERTIFICATE",
        "SSL_AD_BAD_CERTIFICATE",
        "TLS1_AD_BAD_CERTIFICATE",
        "SSL3_AD_BAD_CERTIFICATE",
        "GNUTLS_A_BAD_CERTIFICATE",
        "TLS1_ALERT_BAD_CERTIFICATE",
        "AlertDescription.bad_certificate",
        "AlertDescription::BadCertificate",
        "bad_certificate(42)",
        "bad_certificate (42)",
        "bad_certificate (0x2a)",
        "Bad Certificate [42]",
        "alert 42",
        "alert number 42",
        "SSL alert number 42",
        "sslv3 alert bad certificate",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "alert: bad_certificate",
    ],
)
def test_bad_certificate_is_known_in_any_spelling(text: str) -> None:
    assert told(text) == AlertDescription.bad_certificate


@pytest.mark.parametrize("alert", list(AlertDescription), ids=str)
def test_every_alert_is_found_by_number_name_and_both(alert: AlertDescription) -> None:
    code, name = int(alert), alert.name
    camel = "".join(word.capitalize() for word in name.split("_"))
    for text in (
        str(code),
        f"0x{code:02x}",
        name,
        f"{name}_RESERVED",
        camel,
        f"SSL_AD_{name.upper()}",
        str(alert),
    ):
        assert told(text) == alert


@pytest.mark.parametrize(
    ("text", "alert"),
    [
        pytest.param("unknown certificate authority", AlertDescription.unknown_ca, id="Go"),
        pytest.param("expired certificate", AlertDescription.certificate_expired, id="Go, words turned"),
        pytest.param("error decrypting message", AlertDescription.decrypt_error, id="Go, other words"),
        pytest.param("TLS1_ALERT_UNSUPPORTED_CERT", AlertDescription.unsupported_certificate, id="Schannel"),
        pytest.param("SSL_AD_USER_CANCELLED", AlertDescription.user_canceled, id="OpenSSL"),
        pytest.param("EncryptedClientHelloRequired", AlertDescription.ech_required, id="rustls"),
    ],
)
def test_libraries_words_of_their_own_are_known(text: str, alert: AlertDescription) -> None:
    assert told(text) == alert


def test_an_alert_is_told_with_source_versions_and_severity() -> None:
    assert explain("116").alert == ExplainedAlert(
        116, "certificate_required", "RFC 8446 §6.2", ("TLS 1.3", "DTLS"), "always fatal"
    )


def test_two_digits_are_decimal_where_they_can_be() -> None:
    assert told("40") == 40
    assert told("4f") == 0x4F


@pytest.mark.parametrize("text", ["200", "0xc8", "c8", "unlisted(200)", "alert 200"])
def test_an_unassigned_number_is_told_as_such(text: str) -> None:
    explanation = explain(text)
    assert explanation.alert == ExplainedAlert(200, "unlisted")
    assert "No RFC gives 200 a meaning" in explanation.meaning
    assert explanation.next


@pytest.mark.parametrize("text", ["256", "0x100", "99999999999999999999999", "alert 1042"])
def test_a_number_over_a_byte_is_no_alert(text: str) -> None:
    explanation = explain(text)
    assert explanation.alert is None
    assert "one byte" in explanation.meaning


def test_name_and_number_that_disagree_are_not_guessed_at() -> None:
    explanation = explain("bad_certificate (48)")
    assert explanation.alert is None
    assert explanation.meaning == "Name and number disagree: bad_certificate is 42, and 48 is unknown_ca."
    assert "256 is no alert" in explain("bad_certificate (256)").meaning


def test_a_near_miss_is_helped() -> None:
    explanation = explain("bad_certifcate")
    assert explanation.alert is None
    assert explanation.next[0] == "did you mean bad_certificate (42)?"


@pytest.mark.parametrize("text", ["", "  ", "-1", "4.2", "٤٢", "0x", "0xzz", "hello, world", "()", "(x)", "alert"])
def test_what_is_not_understood_says_what_would_be(text: str) -> None:
    explanation = explain(text)
    assert explanation.alert is None
    assert "an alert's number (42, 0x2a) or its name" in explanation.meaning


def test_json_has_exactly_the_documented_keys() -> None:
    known, unknown = explain("unknown_ca").as_json(), explain("what?").as_json()
    assert list(known) == list(unknown) == KEYS
    assert known["alert"] == {
        "code": 48,
        "description": "unknown_ca",
        "rfc": "RFC 8446 §6.2",
        "versions": ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3", "DTLS"],
    }
    assert (known["program"], known["direction"], known["error_code"], known["causes"]) == (
        None,
        None,
        None,
        [],
    )
    assert unknown["alert"] is None


def test_json_of_causes() -> None:
    cause = Cause("unknown_ca", "OpenSSL", "the issuer is not trusted", "ssl/s3_both.c")
    assert Explanation("48", "…", causes=(cause,)).as_json()["causes"] == [
        {
            "cause": "unknown_ca",
            "stack": "OpenSSL",
            "condition": "the issuer is not trusted",
            "source": "ssl/s3_both.c",
        }
    ]


@given(text=st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    explanation = explain(text)
    assert explanation.input == text
    assert explanation.meaning
    json.dumps(explanation.as_json())


@given(code=st.integers(0, 255))
def test_every_byte_is_an_alerts_number(code: int) -> None:
    alert = explain(str(code)).alert
    assert alert is not None
    assert alert.code == code


def test_a_long_text_takes_no_long_time() -> None:
    assert explain("(" * 1_000_000).alert is None
    assert explain("1" * 1_000_000).alert is None
