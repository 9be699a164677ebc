"""The object of ``read --format jsonl``, key by key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tests import stories
from tests.wire.tls import u16, vector
from tlsalert.model import Alert, Connection, Extension, HandshakeMessage, Position, Verdict, rfc3339
from tlsalert.registry.alerts import AlertDescription, AlertLevel
from tlsalert.render.rows import certificate_row, date_text, row, time_text

KEYS = [
    *("source", "connection", "transport", "protocol", "client", "server", "start", "end"),
    *("tls_version", "cipher_suite", "server_name", "alpn", "ja3", "ja3s", "ja4", "resumed"),
    *("client_hello", "server_hello", "messages", "alerts", "certificates", "certificate_request"),
    *("clocks", "closed", "notes", "verdict"),
]


def told(connection: Connection) -> Any:
    return row(connection)


@pytest.mark.parametrize("story", [stories.console, stories.unread, stories.bare, stories.hostile])
def test_every_key_is_always_there_in_one_order(story: Any) -> None:
    assert list(told(story())) == KEYS


def test_what_is_unknown_is_null_and_what_is_none_is_an_empty_list() -> None:
    bare = told(stories.bare())
    given = {"source", "connection", "transport", "resumed", "certificates", "clocks", "closed"}
    lists = {"messages", "alerts", "notes"}
    assert {key: value for key, value in bare.items() if key in given} == {
        "source": "nothing.log",
        "connection": 0,
        "transport": "tcp",
        "resumed": False,
        "certificates": {"client": [], "server": []},
        "clocks": {"capture": None, "server": None, "client": None},
        "closed": {"how": "open", "from": None, "position": None},
    }
    assert all(bare[key] == [] for key in lists)
    assert all(bare[key] is None for key in bare.keys() - given - lists)


def test_the_ends_and_the_times_of_a_connection() -> None:
    console = told(stories.console())
    assert console["client"] == {"address": "10.0.0.5", "port": 40112}
    assert console["server"] == {"address": "10.0.0.7", "port": 5900}
    assert (console["start"], console["end"]) == ("2021-06-17T08:51:09.123456Z", "2021-06-17T08:51:09.387456Z")


@pytest.mark.parametrize("digits", range(10))
@pytest.mark.parametrize("time", [0, 1, 999_999_999, -1, stories.START, 2**63, -(2**62)])
def test_a_time_is_what_the_model_says_it_is(time: int, digits: int) -> None:
    if time == -(2**62):  # strftime leaves years before 1000 unpadded; a row never does
        assert str(time_text(time, digits)).startswith("18")
    assert time_text(time, digits) == rfc3339(time, digits)


def test_a_message_of_the_handshake() -> None:
    console = told(stories.console())
    assert console["messages"][1] == {
        "message": "server_hello",
        "type": 2,
        "from": "server",
        "position": {"frame": 6},
        "time": "2021-06-17T08:51:09.164456Z",
        "length": 77,
        "encrypted": False,
        "decrypted": False,
        "fields": None,
    }
    assert [message["type"] for message in console["messages"][-2:]] == [None, None]


def test_what_a_message_says_is_told_by_the_negotiated_version_and_cipher_suite() -> None:
    body = b"\x03" + u16(29) + vector(1, bytes(32)) + u16(0x0804) + vector(2, bytes(256))
    message = HandshakeMessage("server_key_exchange", 12, "server", Position(5), None, len(body), body=body)
    (said,) = told(msgspec.structs.replace(stories.console(), messages=(message,)))["messages"]
    assert said["fields"]["key_exchange"] == "ECDHE_RSA"
    assert (said["fields"]["group"], said["fields"]["signature_scheme"]) == ("x25519", "rsa_pss_rsae_sha256")


def test_a_retry_request_chooses_a_group_where_a_server_hello_has_a_share() -> None:
    retry = msgspec.structs.replace(stories.ANSWER, hello_retry_request=True, extensions=(Extension(51, u16(29)),))
    (share,) = told(Connection(source="x", connection=0, server_hello=retry))["server_hello"]["extensions"]
    assert share == {"type": 51, "name": "key_share", "length": 2, "value": "x25519"}


def test_an_alert_is_told_by_name_and_number() -> None:
    (alert,) = told(stories.console())["alerts"]
    assert alert == {
        "level": "fatal",
        "description": "bad_certificate",
        "code": 42,
        "from": "server",
        "position": {"frame": 9},
        "time": "2021-06-17T08:51:09.387456Z",
        "encrypted": False,
        "decrypted": False,
        "inferred": None,
        "after": "encrypted_handshake",
    }


def test_an_unlisted_alert_keeps_its_numbers() -> None:
    alert = Alert(AlertLevel(7), AlertDescription(200), "client", Position(line=12), None)
    (said,) = told(Connection(source="log", connection=0, alerts=(alert,)))["alerts"]
    assert (said["level"], said["description"], said["code"]) == ("unlisted(7)", "unlisted(200)", 200)
    assert said["position"] == {"line": 12}
    assert said["time"] is None


def test_an_alert_that_was_not_read_has_neither_level_nor_description() -> None:
    (alert,) = told(stories.unread())["alerts"]
    assert (alert["level"], alert["description"], alert["code"]) == (None, None, None)
    assert (alert["encrypted"], alert["inferred"]) == (True, "fatal alert")


def test_the_client_hello_in_names() -> None:
    hello = told(stories.console())["client_hello"]
    assert hello["legacy_version"] == "TLS 1.2"
    assert hello["versions"] == ["TLS 1.2", "TLS 1.3 draft 28"]
    assert hello["random"] == bytes(range(32)).hex()
    assert hello["session_id"] == ""
    assert hello["cipher_suites"] == [
        "GREASE(0x0A0A)",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
        "0xEEEE",
    ]
    assert hello["compression_methods"] == ["null"]
    assert hello["extensions"][1:3] == [
        {
            "type": 11,
            "name": "ec_point_formats",
            "length": 4,
            "value": ["uncompressed", "ansiX962_compressed_prime", "ansiX962_compressed_char2"],
        },
        {
            "type": 13,
            "name": "signature_algorithms",
            "length": 22,
            "value": {"problem": "extension_data has 20 bytes too many"},
        },
    ]
    assert hello["extensions"][3] == {"type": 0xEEEE, "name": "unlisted(61166)", "length": 1, "value": None}
    assert hello["groups"] == ["x25519", "secp256r1", "unlisted(61166)"]
    assert hello["point_formats"] == ["uncompressed", "ansiX962_compressed_prime", "unlisted(9)"]
    assert hello["signature_schemes"] == ["rsa_pss_rsae_sha256", "rsa_pkcs1_sha256"]


def test_the_server_hello_in_names() -> None:
    console = told(stories.console())
    hello = console["server_hello"]
    assert (hello["version"], hello["legacy_version"]) == ("TLS 1.2", "TLS 1.2")
    assert hello["cipher_suite"] == console["cipher_suite"]
    assert hello["compression_method"] == "null"
    assert hello["random"].startswith("5501271e")
    assert hello["extensions"] == [{"type": 65281, "name": "renegotiation_info", "length": 1, "value": ""}]
    assert (hello["alpn"], hello["group"], hello["hello_retry_request"]) == (None, None, False)


def test_a_certificate_without_its_bytes() -> None:
    (certificate,) = told(stories.console())["certificates"]["client"]
    assert list(certificate) == [
        "subject",
        "issuer",
        "serial",
        "not_before",
        "not_after",
        "sha256",
        "key",
        "signature_algorithm",
        "subject_alt_names",
        "key_usage",
        "extended_key_usage",
        "self_signed",
        "problems",
    ]
    assert certificate["not_before"] == "2016-05-19T09:46:36Z"
    assert certificate["not_after"] == "2026-05-17T09:46:36Z"
    assert certificate["self_signed"] is True


def test_a_caller_may_change_a_row_without_changing_the_next_one() -> None:
    told(stories.console())["certificates"]["server"][0]["subject_alt_names"].append("changed")
    told(stories.console())["client_hello"]["cipher_suites"].clear()
    told(stories.console())["client_hello"]["extensions"][1]["value"].clear()
    again = told(stories.console())
    assert again["certificates"]["server"][0]["subject_alt_names"] == ["bmc-17.example.net", "10.0.0.7"]
    assert len(again["client_hello"]["cipher_suites"]) == 5
    assert len(again["client_hello"]["extensions"][1]["value"]) == 3


def test_a_large_certificate_is_told_like_any_other() -> None:
    large = msgspec.structs.replace(stories.IPMI, der=bytes(100_000))
    assert certificate_row(large) == certificate_row(stories.IPMI)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, None),
        (datetime(50, 1, 2, 3, 4, 5, tzinfo=UTC), "0050-01-02T03:04:05Z"),
        (datetime(2016, 5, 19, 9, 46, 36, 999), "2016-05-19T09:46:36Z"),
    ],
)
def test_a_date_of_a_certificate(moment: datetime | None, text: str | None) -> None:
    assert date_text(moment) == text


def test_the_clocks() -> None:
    clocks = told(stories.console())["clocks"]
    assert clocks["capture"] == "2021-06-17T08:51:09.123456Z"
    assert clocks["client"] is None
    assert clocks["server"] == {
        "time": "2015-03-12T05:41:50.000000Z",
        "source": "ServerHello.random",
        "skew_seconds": pytest.approx(-197780959.164456),
        "confidence": 0.99,
        "position": {"frame": 6},
    }


def test_how_the_connection_was_closed() -> None:
    assert told(stories.unread())["closed"] == {"how": "rst", "from": "server", "position": {"frame": 10}}


def test_what_the_server_asked_for() -> None:
    assert told(stories.console())["certificate_request"] == {
        "authorities": [],
        "signature_schemes": ["rsa_pkcs1_sha256"],
        "types": ["rsa_sign", "ecdsa_sign"],
    }


def test_the_verdict() -> None:
    verdict = told(stories.console())["verdict"]
    assert list(verdict) == [
        *("outcome", "refused_by", "cause", "confidence", "at_fault", "alert_lost"),
        *("summary", "evidence", "advice", "alternatives", "display_filter"),
    ]
    assert verdict["evidence"][1:] == [
        {"position": {"frame": 8}, "says": "the certificate is valid from 2016-05-19"},
        {
            "position": None,
            "says": "OpenSSL answers a certificate that is not yet valid with 42, not with 45",
        },
    ]
    assert verdict["alternatives"][0] == {"cause": "weak_certificate", "confidence": 0.006}


def test_a_verdict_that_knows_no_cause() -> None:
    connection = Connection(source="x", connection=0, verdict=Verdict("incomplete", "The capture ends."))
    verdict = told(connection)["verdict"]
    assert (verdict["cause"], verdict["confidence"], verdict["alert_lost"]) == (None, 0.0, False)
