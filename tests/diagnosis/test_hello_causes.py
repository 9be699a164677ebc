"""Why a hello is refused: by the alert, and by what was offered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.diagnosis.handshakes import HELLO, replace, spoken
from tests.stories import HELLO as OFFER
from tlsalert.diagnosis.hello_causes import PLAIN, hello_ranking, plain_ranking
from tlsalert.model import Connection
from tlsalert.registry.alerts import AlertDescription

CODES = [*range(256), None]
TLS10, TLS11, TLS12, TLS13 = 0x0301, 0x0302, 0x0303, 0x0304


def offering(**fields: Any) -> Connection:
    known: dict[str, Any] = {
        "versions": (TLS13, TLS12),
        "server_name": "bmc.example.net",
        "cipher_suites": (0xC02F, 0xC030, 0x009C, 0x002F),
    }
    return spoken(HELLO, version=None, client_hello=replace(OFFER, **{**known, **fields}))


@pytest.mark.parametrize("code", CODES)
def test_causes_come_likeliest_first_and_add_up_to_no_more_than_one(code: int | None) -> None:
    ranking = hello_ranking(offering(), code)
    shares = [share for _, share in ranking]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1
    assert len({cause for cause, _ in ranking}) == len(ranking)


@pytest.mark.parametrize("code", sorted(PLAIN))
def test_each_alert_that_means_one_thing_is_in_the_registry(code: int) -> None:
    assert AlertDescription(code).name != "unlisted"


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        pytest.param(70, "no_shared_version", id="protocol_version, RFC 8446 §4.2.1"),
        pytest.param(71, "no_shared_cipher_suite", id="insufficient_security, RFC 5246 §7.2.2"),
        pytest.param(86, "inappropriate_fallback", id="RFC 7507 §3"),
        pytest.param(112, "unrecognized_name", id="RFC 6066 §3"),
        pytest.param(115, "unknown_psk_identity", id="RFC 4279 §2"),
        pytest.param(116, "no_client_certificate", id="certificate_required, RFC 8446 §4.4.2.4"),
        pytest.param(120, "no_application_protocol", id="RFC 7301 §3.2"),
        pytest.param(20, "decryption_failed", id="bad_record_mac, RFC 8446 §5.2"),
        pytest.param(80, "internal_error", id="RFC 8446 §6.2"),
        pytest.param(90, "user_canceled", id="RFC 8446 §6.1"),
        pytest.param(40, "no_shared_cipher_suite", id="handshake_failure, RFC 8446 §4.1.1"),
        pytest.param(47, "protocol_violation", id="illegal_parameter, RFC 8446 §6.2"),
    ],
)
def test_an_alert_means_what_its_rfc_says(code: int, cause: str) -> None:
    assert hello_ranking(offering(), code)[0][0] == cause


@pytest.mark.parametrize("code", [*range(120), None])
def test_only_alerts_of_one_meaning_are_sure(code: int | None) -> None:
    ranking = hello_ranking(offering(), code)
    sure = bool(ranking) and ranking[0][1] >= 0.9
    assert sure <= (code in (70, 86, 90, 112, 115, 116, 120, 121))


@pytest.mark.parametrize("code", [None, 0, 200, 255])
def test_an_alert_without_a_meaning_has_no_cause(code: int | None) -> None:
    assert plain_ranking(code) == hello_ranking(offering(), code) == []


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        pytest.param({}, "no_shared_cipher_suite", id="a client of today"),
        pytest.param({"versions": (TLS10,)}, "no_shared_version", id="TLS 1.0 only"),
        pytest.param({"versions": (TLS11, TLS10)}, "no_shared_version", id="TLS 1.1 at most"),
        pytest.param({"versions": (), "legacy_version": TLS10}, "no_shared_version", id="no list of versions"),
        pytest.param({"versions": (TLS13,)}, "no_shared_version", id="TLS 1.3 only"),
    ],
)
def test_handshake_failure_is_weighed_by_what_was_offered(fields: dict[str, Any], cause: str) -> None:
    """RFC 8446 §6.2: no acceptable set of security parameters, whichever of them it is."""
    assert hello_ranking(offering(**fields), 40)[0][0] == cause


def share_of(cause: str, **fields: Any) -> float:
    return dict(hello_ranking(offering(**fields), 40))[cause]


def test_a_client_that_names_no_server_is_rather_refused_for_that() -> None:
    assert share_of("unrecognized_name", server_name=None) > share_of("unrecognized_name")


def test_few_cipher_suites_are_rather_the_reason_than_many() -> None:
    assert share_of("no_shared_cipher_suite", cipher_suites=(0xC02F,)) > share_of("no_shared_cipher_suite")


def test_handshake_failure_needs_no_hello_to_be_weighed() -> None:
    assert hello_ranking(spoken(version=None), 40)[0][0] == "no_shared_cipher_suite"
