"""Refusals without a certificate: of hellos, for want of a certificate, of a Finished."""

from __future__ import annotations

from typing import Any

import pytest

from tests import stories
from tests.diagnosis.handshakes import (
    BARE_ANSWER,
    EMPTY_ANSWER,
    FLIGHT,
    FLIGHT_WITHOUT_REQUEST,
    HELLO,
    HELLO_13,
    Witnesses,
    judged,
    replace,
    spoken,
    spoken_13,
)
from tlsalert.diagnosis.offers import FALLBACK, ServerSeen
from tlsalert.diagnosis.verdict import judge
from tlsalert.model import CertificateRequest, Extension, Verdict

LISTED = (Extension(43, b""),)
TLS10, TLS12, TLS13 = 0x0301, 0x0303, 0x0304
SEEN = ServerSeen(3, ((TLS12, 3),), ((0xC02F, 3),), ((23, 3),), frozenset({"bmc.example"}))


def refused(code: int | None, seen: ServerSeen | None = SEEN, **offer: Any) -> Verdict:
    """Return the verdict on a refused ClientHello; None is a close without an alert."""
    hello = replace(stories.HELLO, **{"versions": (TLS13, TLS12), "extensions": LISTED, **offer})
    end = "server fin" if code is None else f"server alert:{code} fin"
    found = judge(spoken(HELLO, end, version=None, client_hello=hello), Witnesses(seen=seen)).verdict
    assert found is not None
    return found


def says(verdict: Verdict) -> list[str]:
    return [evidence.says for evidence in verdict.evidence]


def test_what_the_server_chose_with_others_decides_what_40_is_about() -> None:
    verdict = refused(40, versions=(TLS13,), server_name="bmc.example", cipher_suites=(0x1301, 0xC02F), groups=(23,))
    assert verdict.cause == "no_shared_version"
    assert verdict.confidence > 0.8
    assert says(verdict)[:2] == ["the client offers TLS 1.3 only", "this server chose TLS 1.2 with 3 other connections"]
    assert verdict.advice == ("Enable TLS 1.2 in the client, or TLS 1.3 on the server.",)


def test_the_same_without_other_connections_is_less_sure() -> None:
    alone = refused(40, None, versions=(TLS13,), cipher_suites=(0x1301, 0xC02F))
    assert alone.confidence < refused(40, versions=(TLS13,), cipher_suites=(0x1301, 0xC02F)).confidence


def test_a_group_that_the_server_was_seen_to_want_decides() -> None:
    verdict = refused(40, server_name="bmc.example", cipher_suites=(0xC02F,), groups=(30,))
    assert verdict.cause == "no_shared_group"
    assert "the client offers the group x448 only" in says(verdict)


def test_an_old_client_is_told_what_to_enable() -> None:
    verdict = refused(70, None, versions=(TLS10,), legacy_version=TLS10, extensions=())
    assert verdict.cause == "no_shared_version"
    assert verdict.advice == (
        "Enable TLS 1.2 or newer in the client; where it has nothing newer than TLS 1.0, allow TLS 1.0 on the server.",
    )


def test_a_fallback_is_told_by_its_signal() -> None:
    verdict = refused(86, versions=(TLS12,), cipher_suites=(0xC02F, FALLBACK))
    assert verdict.cause == "inappropriate_fallback"
    assert "it carries TLS_FALLBACK_SCSV: it is a second try with less (RFC 7507)" in says(verdict)


def test_a_close_without_a_word_is_weighed_as_well_where_something_shows() -> None:
    apart = refused(None, versions=(TLS10,), legacy_version=TLS10, extensions=(), server_name="bmc.example")
    assert apart.cause == "no_shared_version"
    assert apart.confidence < 0.9
    assert refused(None, None).cause == "closed_without_alert"


def test_a_client_without_a_certificate_is_told_whose_the_server_takes() -> None:
    names = tuple(f"CN=CA {number}" for number in range(5))
    story = spoken(HELLO, FLIGHT, EMPTY_ANSWER, "server alert:40 fin", certificate_request=CertificateRequest(names))
    verdict = judged(story)
    assert says(verdict)[0] == "the server asks for a certificate issued by CN=CA 0, CN=CA 1, CN=CA 2 and 2 more"
    assert "leave it out without a word" in verdict.advice[1]


def test_schemes_without_overlap_are_another_reason_for_no_certificate() -> None:
    request = CertificateRequest((), ("ecdsa_secp256r1_sha256",))
    verdict = judged(spoken(HELLO, FLIGHT, EMPTY_ANSWER, "server alert:40 fin", certificate_request=request))
    assert "none of the signature schemes that the server takes is the client's" in says(verdict)
    assert verdict.alternatives[0].cause == "no_shared_signature_scheme"


@pytest.mark.parametrize("code", [20, 51])
def test_an_alert_at_the_clients_finished_is_about_the_keys(code: int) -> None:
    """RFC 5246 §7.4.9: Finished is the first message under them."""
    story = spoken(HELLO, FLIGHT_WITHOUT_REQUEST, BARE_ANSWER, f"server alert:{code} fin")
    assert judged(story).cause == "decryption_failed"
    shared = judged(replace(story, cipher_suite="TLS_PSK_WITH_AES_128_GCM_SHA256"))
    assert shared.advice == ("Compare the pre-shared keys of both sides.",)


def test_a_client_that_leaves_after_an_encrypted_flight_may_have_refused_the_certificate_in_it() -> None:
    verdict = judged(spoken_13(HELLO, HELLO_13, "client rst"))
    assert verdict.cause == "reset_without_alert"
    assert verdict.advice[0] == "It may have refused the server's certificate, which TLS 1.3 encrypts."


def test_an_alert_that_only_answers_a_close_is_told_as_that() -> None:
    verdict = judged(spoken(HELLO, "server fin", "client alert:50 fin", version=None))
    assert (verdict.cause, verdict.refused_by) == ("closed_without_alert", "server")
    assert says(verdict)[-1] == "the client's decode_error(50) only answers that close"
    assert verdict.advice == ("Look at the server's own log.",)


def test_a_close_that_took_its_time_is_told_with_it() -> None:
    story = spoken(HELLO, "server rst", version=None)
    assert story.messages[-1].time is not None
    late = replace(story, closed=replace(story.closed, time=story.messages[-1].time + 5 * 10**9))
    assert "the server resets the connection without an alert, 5 seconds later" in says(judged(late))


def test_a_certificate_without_the_proof_of_its_key_is_told() -> None:
    """RFC 5246 §7.4.8: certificate_verify follows a certificate that can sign."""
    flight = "client certificate client_key_exchange change_cipher_spec encrypted_handshake"
    verdict = judged(spoken(HELLO, FLIGHT, flight, "server alert:10 fin"))
    assert verdict.cause == "protocol_violation"
    assert "the client sent a certificate without certificate_verify (RFC 5246 §7.4.8)" in says(verdict)
