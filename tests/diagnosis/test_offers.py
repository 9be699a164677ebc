"""What a client offers and a server wants, compared and put into words."""

from __future__ import annotations

from typing import Any

import pytest

from tests import stories
from tests.diagnosis.handshakes import replace
from tlsalert.diagnosis.offers import (
    APART,
    FALLBACK,
    RENEGOTIATION,
    SHARED,
    ServerSeen,
    chosen_for_others,
    offered,
    offers_version,
    real_suites,
    versions_offered,
    weigh,
)
from tlsalert.model import ClientHello, Extension

LISTED = (Extension(43, b""),)
TLS10, TLS11, TLS12, TLS13 = 0x0301, 0x0302, 0x0303, 0x0304
RSA_GCM, ECDSA_GCM, AES_13 = 0xC02F, 0xC02B, 0x1301
GREASE = 0x1A1A


def hello(**fields: Any) -> ClientHello:
    known = {"versions": (TLS13, TLS12), "extensions": LISTED, "cipher_suites": (AES_13, RSA_GCM), "groups": (29,)}
    return replace(stories.HELLO, **{**known, **fields})


SEEN = ServerSeen(
    5, ((TLS12, 4), (TLS13, 1)), ((RSA_GCM, 4), (AES_13, 1)), ((29, 5),), frozenset({"bmc.example"}), frozenset({"h2"})
)
CAUSES = (
    *("no_shared_version", "no_shared_cipher_suite", "no_shared_group", "no_shared_signature_scheme"),
    *("unrecognized_name", "no_application_protocol"),
)


def weights(offer: ClientHello, seen: ServerSeen | None = SEEN) -> dict[str, float]:
    found = dict.fromkeys(CAUSES, 1.0)
    weigh(found, offer, seen)
    return found


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "TLS 1.3 and TLS 1.2"),
        ({"versions": (GREASE, TLS13)}, "TLS 1.3 only"),
        ({"versions": (GREASE,)}, "no version that is known"),
        ({"versions": (TLS10,), "legacy_version": TLS10, "extensions": ()}, "at most TLS 1.0"),
        ({"versions": (), "legacy_version": 0x0300, "extensions": ()}, "at most SSLv3"),
        ({"versions": (TLS10, TLS13, TLS12, TLS11)}, "TLS 1.3, TLS 1.2, TLS 1.1 and TLS 1.0"),
        ({"versions": (0x7F1C,)}, "TLS 1.3 draft 28 only"),
    ],
)
def test_versions_are_told_newest_first(fields: dict[str, Any], words: str) -> None:
    assert versions_offered(hello(**fields)) == words


def test_without_a_list_all_older_versions_are_offered() -> None:
    """RFC 5246 §E.1: the server takes the highest that both speak."""
    old = hello(versions=(TLS12,), extensions=())
    assert offers_version(old, TLS10)
    assert not offers_version(old, TLS13)
    assert not offers_version(hello(), TLS11)


def test_signals_and_grease_are_no_cipher_suites() -> None:
    assert real_suites(hello(cipher_suites=(GREASE, RSA_GCM, RENEGOTIATION, FALLBACK))) == (RSA_GCM,)


def test_what_both_have_is_hardly_the_reason() -> None:
    found = weights(hello(server_name="bmc.example", alpn=("h2",)))
    assert found == dict.fromkeys(CAUSES, SHARED)


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"versions": (TLS11,), "legacy_version": TLS11, "extensions": ()}, "no_shared_version"),
        ({"cipher_suites": (0xC030,)}, "no_shared_cipher_suite"),
        ({"groups": (30,)}, "no_shared_group"),
        ({"signature_schemes": (0x0403, 0x0503)}, "no_shared_signature_scheme"),
        ({"server_name": None}, "unrecognized_name"),
        ({"alpn": ("http/1.1",)}, "no_application_protocol"),
    ],
)
def test_what_the_two_sides_do_not_share_is_the_likeliest(fields: dict[str, Any], cause: str) -> None:
    found = weights(hello(**{"server_name": "bmc.example", "alpn": ("h2",), **fields}))
    assert max(found, key=lambda one: found[one]) == cause
    assert found[cause] >= APART


def test_without_other_connections_nothing_is_weighed() -> None:
    assert weights(hello(), None) == weights(hello(), ServerSeen()) == dict.fromkeys(CAUSES, 1.0)


def test_suites_that_no_server_of_today_takes_show_by_themselves() -> None:
    assert weights(hello(cipher_suites=(0x0005, 0x000A)), None)["no_shared_cipher_suite"] > 1
    assert "all of them obsolete" in str(offered(hello(cipher_suites=(0x0005, 0x000A)), "no_shared_cipher_suite"))


@pytest.mark.parametrize(
    ("fields", "cause", "says"),
    [
        ({}, "no_shared_version", "the client offers TLS 1.3 and TLS 1.2"),
        (
            {"cipher_suites": (RSA_GCM,)},
            "no_shared_cipher_suite",
            "the client offers the cipher suite TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 only",
        ),
        ({"groups": (GREASE, 29, 23)}, "no_shared_group", "the client offers the groups x25519 and secp256r1"),
        ({"groups": ()}, "no_shared_group", "the client offers no group"),
        ({"server_name": "a.example"}, "unrecognized_name", "the client asks for 'a.example' (SNI)"),
        ({"server_name": None}, "unrecognized_name", "the client asks for no name (SNI)"),
        (
            {"signature_schemes": (0x0804,)},
            "no_shared_signature_scheme",
            "the client's signature schemes are for RSA keys",
        ),
        (
            {"alpn": ("h2",)},
            "no_application_protocol",
            "the client offers the application protocol h2 only (ALPN)",
        ),
        ({}, "internal_error", None),
    ],
)
def test_an_offer_is_put_into_words(fields: dict[str, Any], cause: str, says: str | None) -> None:
    assert offered(hello(**fields), cause) == says


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        ("no_shared_version", "this server chose TLS 1.2 with 4 other connections and TLS 1.3 with 1 other connection"),
        ("no_shared_group", "this server chose x25519 with 5 other connections"),
        ("no_shared_signature_scheme", "this server has shown RSA keys to other connections"),
        ("unrecognized_name", "with other connections to this server it went on with 'bmc.example'"),
        ("no_application_protocol", "this server chose h2 with other connections"),
        ("internal_error", None),
    ],
)
def test_what_the_server_wants_is_put_into_words(cause: str, says: str | None) -> None:
    assert chosen_for_others(SEEN, cause) == says
    assert chosen_for_others(None, cause) is None
