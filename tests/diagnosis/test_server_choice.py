"""A client's alert after the server's hello: what is wrong with the choice, by the hellos of both."""

from __future__ import annotations

from typing import Any

import pytest

from tests import stories
from tests.diagnosis.handshakes import FLIGHT_WITHOUT_REQUEST, HELLO, judged, replace, spoken
from tlsalert.diagnosis.server_choice import objection
from tlsalert.model import ClientHello, Connection, Extension, ServerHello

LISTED = Extension(43, b"")
CLIENT = replace(
    stories.HELLO,
    versions=(0x0304, 0x0303),
    extensions=(LISTED, Extension(10, b""), Extension(16, b"")),
    cipher_suites=(0x1301, 0xC030),
    groups=(29, 23),
    key_shares=(29,),
    alpn=("h2",),
)
SERVER = replace(stories.ANSWER, extensions=(Extension(65281, b"\0"),))


def refused(
    code: int, client: ClientHello = CLIENT, server: ServerHello = SERVER, exchange: bytes = b"", **fields: Any
) -> Connection:
    """Return a connection in which the client answered the server's flight with an alert."""
    story = spoken(HELLO, FLIGHT_WITHOUT_REQUEST, f"client alert:{code} fin", client_hello=client, server_hello=server)
    messages = tuple(
        replace(m, body=exchange) if m.message == "server_key_exchange" and exchange else m for m in story.messages
    )
    return replace(story, messages=messages, **fields)


def test_a_choice_within_the_offer_is_beyond_reproach() -> None:
    assert objection(refused(47), 47) is None


@pytest.mark.parametrize(
    ("code", "server", "says"),
    [
        (70, {"version": 0x0301}, "the server chose TLS 1.0, and the client offers TLS 1.3 and TLS 1.2"),
        (
            47,
            {"cipher_suite": 0xC02F},
            "the server chose TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, which the client did not",
        ),
        (47, {"group": 24}, "the server chose the group secp384r1, which the client did not offer"),
        (47, {"group": 24, "hello_retry_request": True}, "the server asks for the group secp384r1, which the client"),
        (
            47,
            {"group": 29, "hello_retry_request": True},
            "the server asks for a key share of x25519, which it had been",
        ),
        (
            110,
            {"extensions": (Extension(35, b""),)},
            "the server answers with session_ticket, which the client did not",
        ),
        (47, {"alpn": "spdy/3"}, "the server chose the application protocol 'spdy/3', which the client did not offer"),
    ],
)
def test_what_was_not_offered_is_the_servers_fault(code: int, server: dict[str, Any], says: str) -> None:
    verdict = judged(refused(code, server=replace(SERVER, **server)))
    assert (verdict.cause, verdict.refused_by, verdict.at_fault) == ("protocol_violation", "client", "server")
    assert verdict.evidence[0].says.startswith(says)


def test_the_sentinel_of_a_downgrade_is_somebodys_between_the_two() -> None:
    """RFC 8446 §4.1.3: a server that speaks TLS 1.3 was not asked for it, though the client offered it."""
    verdict = judged(refused(47, server=replace(SERVER, random=bytes(24) + b"DOWNGRD\x01")))
    assert (verdict.cause, verdict.at_fault) == ("protocol_violation", "network")
    assert "something between the two changed the ClientHello" in verdict.evidence[0].says


def test_no_sentinel_is_believed_where_the_client_offered_no_more() -> None:
    old = replace(CLIENT, versions=(0x0303,))
    assert objection(refused(47, old, replace(SERVER, random=bytes(24) + b"DOWNGRD\x01")), 47) is None


def test_an_old_version_that_a_list_does_not_rule_out_is_nobodys_fault() -> None:
    """RFC 5246 §E.1: the server may choose any older version, and the client need not take it."""
    client = replace(CLIENT, versions=(0x0303,), extensions=())
    verdict = judged(refused(70, client, replace(SERVER, version=0x0301)))
    assert (verdict.cause, verdict.at_fault) == ("no_shared_version", None)
    assert "does not take so old a version" in verdict.evidence[0].says


@pytest.mark.parametrize("code", [40, 47, 71])
def test_a_short_prime_is_told_by_its_bits(code: int) -> None:
    exchange = (96).to_bytes(2, "big") + b"\xff" * 96
    verdict = judged(refused(code, exchange=exchange, cipher_suite="TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"))
    assert verdict.cause == "no_shared_group"
    assert verdict.evidence[0].says == "the server's Diffie-Hellman prime has 768 bits"


def test_a_curve_that_was_not_offered_shows_in_the_key_exchange() -> None:
    found = objection(refused(47, exchange=b"\x03\x00\x18\x61"), 47)
    assert found is not None
    assert "secp384r1" in found.seen.says


@pytest.mark.parametrize("code", [42, 45, 48, None])
def test_alerts_about_certificates_object_to_no_choice(code: int | None) -> None:
    assert objection(refused(48, server=replace(SERVER, version=0x0301)), code) is None
