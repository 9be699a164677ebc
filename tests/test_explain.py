"""What ``explain`` understands, and what it says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.explain import Cause, ExplainedAlert, Explanation, explain
from tlsalert.registry.alerts import AlertDescription

KEYS = ["input", "program", "direction", "alert", "error_code", "meaning", "causes", "next"]
KEYS += ["cause", "certain", "other_alerts"]


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
        116, "certificate_required", "RFC 8446 §6.2", ("TLS 1.3", "DTLS"), "always fatal", None, "a server"
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
        "severity": "always fatal",
        "sent_by": "either side",
    }
    assert (known["program"], known["direction"], known["error_code"]) == (None, None, None)
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


@pytest.mark.parametrize(
    "text",
    [
        "\\2*",
        "02 2a",
        "02 2A",
        "0x02 0x2a",
        "\\25\\3\\3\\0\\2\\2*",
        "15 03 03 00 02 02 2a",
        "15030300020 22a",
        "\\x15\\x03\\x01\\x00\\x02\\x02\\x2a",
    ],
)
def test_the_bytes_of_an_alert_are_understood(text: str) -> None:
    assert told(text) == 42


@pytest.mark.parametrize(
    ("text", "code", "direction"),
    [
        ("14094412", 42, "received"),
        ("0A000412", 42, "received"),
        ("0x14094412", 42, "received"),
        ("336151570", 42, "received"),
        ("10000412", 42, "received"),
        ("1042", 42, "received"),
        ("554", 42, None),
        ("-12271", 42, "received"),
        ("SSL_ERROR_BAD_CERT_ALERT", 42, "received"),
        ("SSL_R_SSLV3_ALERT_BAD_CERTIFICATE", 42, "received"),
        ("ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", 42, "received"),
        ("0x80090328", 45, "received"),
        ("-2146893016", 45, "received"),
        ("SEC_E_UNTRUSTED_ROOT", 48, "received"),
        ("-9825", 42, "received"),
        ("X509_V_ERR_CERT_HAS_EXPIRED", 45, "sent"),
        ("SSL_R_NO_SHARED_CIPHER", 40, "sent"),
        ("GNUTLS_E_UNSUPPORTED_VERSION_PACKET", 70, "sent"),
        ("MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION", 70, "sent"),
        ("ASN_BEFORE_DATE_E", 45, "sent"),
        ("errSSLPeerBadCert", 42, "received"),
    ],
)
def test_codes_and_constants_of_libraries_are_understood(text: str, code: int, direction: str | None) -> None:
    explanation = explain(text)
    assert (explanation.alert and explanation.alert.code, explanation.direction) == (code, direction)
    assert explanation.said


@pytest.mark.parametrize("text", ["-12", "GNUTLS_E_FATAL_ALERT_RECEIVED", "-0x7780", "-313", "36887", "0x8009030E"])
def test_a_code_that_names_no_alert_is_understood_all_the_same(text: str) -> None:
    explanation = explain(text)
    assert explanation.understood
    assert explanation.alert is None
    assert explanation.meaning


def test_the_library_function_and_reason_of_a_code_are_told() -> None:
    assert (
        "SSL library, function ssl3_read_bytes, reason 1042 (sslv3 alert bad certificate)" in explain("14094412").said
    )
    assert "X.509 library, reason 116 (key values mismatch)" in explain("0B080074").said


def test_an_alert_is_told_with_who_sends_it_for_what() -> None:
    causes = explain("45").causes
    assert ("certificate_expired", "openssl>=1.1.1") in {(one.cause, one.stack) for one in causes}
    assert all(one.condition and one.source for one in causes)
    assert {one.stack for one in explain("45", ("nss",)).causes} == {"nss"}


def test_what_a_program_sent_is_told_with_its_own_reasons_only() -> None:
    explanation = explain("error:0A0000C7:SSL routines::peer did not return a certificate")
    assert explanation.found == "no_client_certificate"
    assert [one.code for one in explanation.others] == [116]
    assert {(one.cause, one.stack) for one in explanation.causes} == {("no_client_certificate", "openssl>=1.1.1")}


def test_the_next_steps_are_those_of_the_cause_that_a_line_tells() -> None:
    assert "clock" in explain("verify error:num=9:certificate is not yet valid").next[0]
    assert "give the client a certificate" in explain("tls: client didn't provide a certificate").next[0]


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


@pytest.mark.parametrize(
    "text",
    ["", "hello", "x" * 61 + " hello", "1042 things", "No name matching the rule of the proxy that was asked for"],
)
def test_a_line_of_a_log_that_is_about_something_else_is_passed_over(text: str) -> None:
    explanation = explain(text, in_log=True)
    assert not explanation.understood
    assert explanation.next == ()


@pytest.mark.parametrize(
    "text",
    [
        "42",
        "unknown ca",
        "remote error: tls: bad certificate",
        "2021-06-17T08:50:29Z host daemon[7]: remote error: tls: bad certificate",
    ],
)
def test_a_line_of_a_log_that_tells_of_an_alert_is_told(text: str) -> None:
    assert explain(text, in_log=True).alert
