"""The verdict: who refused what, and why, told as stories that happened."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests import stories
from tests.diagnosis.handshakes import (
    ANSWER,
    ANSWER_13,
    BARE_ANSWER,
    DONE,
    EMPTY_ANSWER,
    EMPTY_ANSWER_13,
    FINISHED,
    FLIGHT,
    FLIGHT_WITHOUT_REQUEST,
    HELLO,
    HELLO_13,
    IN_2015,
    IPMI,
    NOW,
    TICKETS_13,
    Reading,
    Witnesses,
    by_clock,
    clock_at,
    judged,
    replace,
    showing,
    spoken,
    spoken_13,
)
from tests.diagnosis.test_ending import STORIES
from tlsalert.diagnosis.ending import ending
from tlsalert.diagnosis.offers import ServerSeen
from tlsalert.diagnosis.verdict import judge
from tlsalert.model import Connection, Position, Verdict
from tlsalert.pki.certificate import read_certificate

CAUSES_OF_CERTIFICATES = {
    "certificate_not_yet_valid", "certificate_expired", "unknown_ca", "bad_certificate_signature", "key_mismatch",
    "wrong_certificate_usage", "certificate_revoked", "unsupported_certificate", "malformed_certificate",
    "weak_certificate", "chain_incomplete", "chain_out_of_order", "chain_invalid", "chain_too_long",
    "revocation_status_unavailable", "certificate_not_pinned", "name_mismatch",
}  # fmt: skip


def told(verdict: Verdict) -> tuple[str, str | None, str | None]:
    return verdict.outcome, verdict.refused_by, verdict.cause


def seen(verdict: Verdict) -> list[str]:
    return [evidence.says for evidence in verdict.evidence]


# --- a hello is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "cause", "fault"),
    [
        (40, "no_shared_cipher_suite", None),
        (70, "no_shared_version", None),
        (80, "internal_error", "server"),
        (86, "inappropriate_fallback", "client"),
        (112, "unrecognized_name", "client"),
        (120, "no_application_protocol", None),
        (50, "protocol_violation", "client"),
    ],
)
def test_an_alert_right_after_a_client_hello_is_about_the_hello(code: int, cause: str, fault: str | None) -> None:
    verdict = judged(spoken(HELLO, f"server alert:{code} fin", version=None))
    assert (*told(verdict), verdict.at_fault) == ("failed", "server", cause, fault)
    assert verdict.summary.startswith("The server refused the handshake")
    assert verdict.advice
    offered = seen(verdict)[0]
    assert offered.startswith("the client ") or offered == "the last message of the client before it is client_hello"
    assert seen(verdict)[-1].startswith("the server sends fatal ")


def test_40_right_after_a_client_hello_is_never_about_a_certificate() -> None:
    verdict = judged(spoken(HELLO, "server alert:40 fin", version=None))
    causes = {verdict.cause, *(alternative.cause for alternative in verdict.alternatives)}
    assert not causes & (CAUSES_OF_CERTIFICATES | {"no_client_certificate"})


def test_an_alert_that_nobody_knows_is_undecided() -> None:
    verdict = judged(spoken(HELLO, "server alert:200 fin", version=None))
    assert told(verdict) == ("failed", "server", None)
    assert verdict.summary.startswith("Undecided")
    assert "unlisted(200)" in verdict.summary


# --- a certificate is missing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", ["alert:40", "alert:42", "alert:50", "alert:116", "alert:41", "fin", "rst"])
def test_an_empty_certificate_list_is_what_is_refused_whatever_the_answer(last: str) -> None:
    """40 by OpenSSL, 42 by NSS, 50 by GnuTLS, 116 by rustls, a close by Mbed TLS."""
    verdict = judged(spoken(HELLO, FLIGHT, EMPTY_ANSWER, f"server {last} fin"))
    assert told(verdict) == ("failed", "server", "no_client_certificate")
    assert verdict.at_fault == "client"
    assert "the client's Certificate message is empty" in seen(verdict)
    assert verdict.confidence > 0.8


def test_no_certificate_message_where_one_was_asked_for_is_the_same() -> None:
    assert judged(spoken(HELLO, FLIGHT, BARE_ANSWER, "server alert:40 fin")).cause == "no_client_certificate"


def test_an_empty_certificate_has_nothing_to_do_with_a_record_that_did_not_verify() -> None:
    assert judged(spoken(HELLO, FLIGHT, EMPTY_ANSWER, "server alert:20 fin")).cause == "decryption_failed"


def test_in_tls_1_3_the_length_tells_it_and_less_surely() -> None:
    verdict = judged(spoken_13(HELLO, HELLO_13, EMPTY_ANSWER_13, "server hidden:fatal fin"))
    assert told(verdict) == ("failed", "server", "no_client_certificate")
    assert verdict.confidence < 0.9
    assert "by its length the client's Certificate message is empty" in seen(verdict)


def test_where_the_certificate_was_lost_by_the_capture_it_is_not_missing() -> None:
    story = spoken(HELLO, FLIGHT, BARE_ANSWER, "server alert:42 fin", notes=("frame 3: 900 bytes are missing",))
    assert judged(story).cause != "no_client_certificate"


# --- a certificate is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [42, 43, 44, 45, 46, 48, 49, 51])
def test_an_alert_after_the_clients_certificate_is_about_it(code: int) -> None:
    verdict = judged(spoken(HELLO, FLIGHT, ANSWER, f"server alert:{code} fin"))
    assert verdict.refused_by == "server"
    assert "the client's certificate" in verdict.summary


def test_insufficient_security_after_a_certificate_is_about_the_certificate() -> None:
    """RFC 5246 §7.2.2 has it for cipher suites, which are chosen by then; Botan says so of weak keys."""
    weak = replace(IPMI, key="RSA 1024", problems=())
    story = showing(spoken(HELLO, FLIGHT, ANSWER, "server alert:71 fin"), weak)
    assert judged(story, "botan").cause == "weak_certificate"


def test_unexpected_message_is_about_a_certificate_that_is_none() -> None:
    """Go 1.19 says so of an entry of no bytes, Java of a Certificate message over 32 KiB; else it is what it says."""
    story = spoken(HELLO, FLIGHT, ANSWER, "server alert:10 fin")
    assert judged(story, "java").cause == "protocol_violation"
    assert judged(showing(story, read_certificate(b"")), "go<=1.19").cause == "malformed_certificate"


@pytest.mark.parametrize("code", [42, 43, 44, 45, 46, 48, 49, 51, 113])
def test_an_alert_of_the_client_after_the_servers_flight_is_about_the_servers_certificate(code: int) -> None:
    verdict = judged(spoken(HELLO, FLIGHT, f"client alert:{code} fin"))
    assert verdict.refused_by == "client"
    assert verdict.cause in CAUSES_OF_CERTIFICATES
    assert "the server's certificate" in verdict.summary


def test_in_tls_1_3_as_well() -> None:
    hidden = judged(spoken_13(HELLO, HELLO_13, "client hidden:fatal fin"))
    assert (hidden.refused_by, hidden.confidence < 0.5) == ("client", True)
    clear = judged(spoken_13(HELLO, HELLO_13, "client alert:48 fin"))
    assert told(clear) == ("failed", "client", "unknown_ca")


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        pytest.param(20, "decryption_failed", id="bad_record_mac"),
        pytest.param(22, "protocol_violation", id="record_overflow"),
        pytest.param(70, "no_shared_version", id="protocol_version"),
        pytest.param(86, "inappropriate_fallback", id="inappropriate_fallback"),
        pytest.param(90, "user_canceled", id="user_canceled"),
        pytest.param(112, "unrecognized_name", id="unrecognized_name"),
        pytest.param(120, "no_application_protocol", id="no_application_protocol"),
    ],
)
@pytest.mark.parametrize("sender", ["client", "server"])
def test_an_alert_with_a_meaning_of_its_own_is_not_about_a_certificate(sender: str, code: int, cause: str) -> None:
    """RFC 8446 §6.2: wherever it comes; a clock that is wrong makes no difference."""
    story = spoken(HELLO, FLIGHT, *((ANSWER,) if sender == "server" else ()), f"{sender} alert:{code} fin")
    assert told(judged(story)) == ("failed", sender, cause)
    assert judged(by_clock(story, clock_at(IN_2015), sender)).cause == cause  # type: ignore[arg-type]


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_close_after_the_certificate_may_be_about_it(how: str) -> None:
    verdict = judged(spoken(HELLO, FLIGHT, ANSWER, f"server {how}"))
    assert verdict.refused_by == "server"
    assert verdict.confidence <= 0.6
    assert any("without an alert" in says for says in seen(verdict))


@pytest.mark.parametrize("last", ["server hidden:fatal fin", "server fin"])
def test_in_tls_1_3_a_finished_alone_shows_that_no_certificate_was_asked_for(last: str) -> None:
    """RFC 8446 §4.4.2: a client that was asked sends a Certificate message, an empty one if need be."""
    verdict = judged(spoken_13(HELLO, HELLO_13, "client change_cipher_spec record:69", last))
    assert verdict.refused_by == "server"
    assert verdict.cause not in CAUSES_OF_CERTIFICATES
    assert "certificate" not in verdict.summary


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_close_where_no_certificate_was_asked_for_is_only_a_close(how: str) -> None:
    verdict = judged(spoken(HELLO, FLIGHT_WITHOUT_REQUEST, BARE_ANSWER, f"server {how}"))
    assert verdict.cause == ("closed_without_alert" if how == "fin" else "reset_without_alert")


def test_a_renegotiation_is_refused_for_the_certificate_it_asked_for() -> None:
    story = spoken(
        HELLO, FLIGHT_WITHOUT_REQUEST, BARE_ANSWER, FINISHED, "client spoke:1",
        "server encrypted_handshake", "client encrypted_handshake", "server hidden:fatal fin",
    )  # fmt: skip
    plain = judged(story)
    assert plain.refused_by == "server"
    assert plain.confidence < 0.9
    by_2015 = judged(by_clock(story, clock_at(IN_2015)))
    assert told(by_2015) == ("failed", "server", "certificate_not_yet_valid")


# --- somebody does not want any more --------------------------------------------------------------------------------


def test_a_user_who_cancels_says_so() -> None:
    """RFC 5246 §7.2.2: user_canceled is a warning, and a close_notify follows."""
    verdict = judged(spoken(HELLO, FLIGHT, "client warning:90 warning:0 fin"))
    assert told(verdict) == ("failed", "client", "user_canceled")


@pytest.mark.parametrize(
    "story", [(HELLO, FLIGHT, "client warning:0 fin"), (HELLO, FLIGHT, ANSWER, "server warning:0 fin")]
)
def test_a_farewell_inside_a_handshake_is_no_close_without_an_alert(story: tuple[str, ...]) -> None:
    assert not any("without an alert" in says for says in seen(judged(spoken(*story))))


# --- all went well --------------------------------------------------------------------------------------------------


def test_a_connection_that_was_established_is_not_judged_for_its_end() -> None:
    verdict = judged(spoken(*DONE, "client spoke:2", "server spoke:2", "server alert:42 fin"))
    assert told(verdict) == ("established", None, None)
    assert "bad_certificate(42) of the server came after it" in verdict.summary


def test_what_was_only_inferred_from_lengths_is_less_sure() -> None:
    inferred = judged(spoken_13(HELLO, HELLO_13, ANSWER_13, TICKETS_13))
    assert inferred.outcome == "established"
    assert inferred.confidence < judged(spoken(*DONE)).confidence


# --- no TLS, no end -------------------------------------------------------------------------------------------------


def test_another_protocol_is_quoted_by_its_first_line() -> None:
    verdict = judged(spoken(HELLO, plain=(b"", b"HTTP/1.1 400 Bad Request\r\nServer: x"), version=None))
    assert told(verdict) == ("not_tls", None, "not_tls")
    assert verdict.summary == "No TLS: the server speaks plain HTTP."
    assert seen(verdict) == [
        "the client speaks TLS: client_hello",
        "the server answers in plain HTTP: 'HTTP/1.1 400 Bad Request'",
    ]


def test_what_it_says_steers_no_terminal() -> None:
    verdict = judged(spoken(HELLO, plain=(b"", b"\x1b[31m\x9bevil\0"), version=None))
    assert all(says.isprintable() for says in seen(verdict))


def test_a_handshake_that_was_not_seen_to_its_end_is_nobodys_refusal() -> None:
    verdict = judged(spoken(HELLO, FLIGHT))
    assert told(verdict)[:2] == ("incomplete", None)
    assert verdict.confidence < 0.5


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((HELLO,), "The capture ends before the server answers the ClientHello."),
        ((HELLO, FLIGHT), "The capture ends before the client answers the server's flight."),
        ((HELLO, "server server_hello"), "The capture ends in the middle of the server's flight."),
        ((HELLO, FLIGHT, ANSWER), "The capture ends before the server answers the client's flight."),
    ],
)
def test_of_a_handshake_that_stops_it_is_said_who_had_the_next_word(lines: tuple[str, ...], says: str) -> None:
    assert judged(spoken(*lines)).summary == says


def test_of_a_half_capture_nothing_is_claimed() -> None:
    verdict = judged(spoken(HELLO, ANSWER))
    assert told(verdict) == ("incomplete", None, None)
    assert "only the client's packets were captured" in verdict.summary


# --- circumstances --------------------------------------------------------------------------------------------------


def test_an_alert_with_a_reset_right_behind_it_was_probably_never_seen() -> None:
    verdict = judged(spoken(HELLO, FLIGHT, ANSWER, "server alert:42", "server rst"))
    assert verdict.alert_lost
    assert seen(verdict)[-1] == (
        "the alert was sent, but the server's reset comes 10 ms behind it: the client's program probably never saw it"
    )


def test_a_warning_that_the_name_is_unknown_is_called_harmless() -> None:
    verdict = judged(spoken(HELLO, "server warning:112 server_hello server_hello_done", "client alert:40 fin"))
    assert "the server's warning unrecognized_name(112) is harmless by itself (RFC 6066 §3)" in seen(verdict)


def test_a_certificate_that_the_server_accepted_elsewhere_is_named_by_its_frame() -> None:
    story = spoken(HELLO, FLIGHT, ANSWER, "server alert:48 fin")
    judgement = judge(story, Witnesses(seen=ServerSeen(certificate=12))).verdict
    assert judgement is not None
    (other,) = [e for e in judgement.evidence if "accepted this very certificate" in e.says]
    assert other.position == Position(frame=12)


def test_a_server_that_refuses_every_certificate_is_told() -> None:
    story = spoken(HELLO, FLIGHT, ANSWER, "server alert:48 fin")
    judgement = judge(story, Witnesses(seen=ServerSeen(refuses_all=4))).verdict
    assert judgement is not None
    assert "this server refused all 4 client certificates that it was shown in this capture" in seen(judgement)


def test_a_clock_that_jumped_is_told_with_the_certificate_that_it_refuses() -> None:
    right = Reading(NOW // 10**9 + 60, NOW + 60 * 10**9, 9)
    story = spoken(HELLO, FLIGHT, ANSWER, "server alert:42 fin")
    judgement = judge(story, Witnesses((Reading(40, NOW, 2), 1, 2), others=(right,))).verdict
    assert judgement is not None
    assert any("jumped from 1970-01-01 00:00:40 to 2021-06-17" in says for says in seen(judgement))


# --- with the clocks of a capture -----------------------------------------------------------------------------------


def test_judging_adds_clocks_and_verdict_and_changes_nothing_else() -> None:
    story = spoken(HELLO, FLIGHT, ANSWER, "server alert:42 fin")
    judgement = judge(story, Witnesses((Reading(IN_2015 // 10**9, NOW, 2), 3, 3)))
    assert judgement.verdict is not None
    assert told(judgement.verdict) == ("failed", "server", "certificate_not_yet_valid")
    assert judgement.verdict.confidence >= 0.9
    assert replace(judgement, verdict=None, clocks=story.clocks) == story


def test_judging_twice_gives_the_same() -> None:
    story = judge(stories.console(), Witnesses())
    assert judge(story, Witnesses()) == story


@given(STORIES)
def test_any_story_gets_a_verdict(story: Connection) -> None:
    verdict = judge(story, Witnesses()).verdict
    assert verdict is not None
    assert verdict.outcome == ending(story).outcome
    assert (verdict.outcome == "failed") == (verdict.refused_by is not None)
    assert 0 <= verdict.confidence <= 1
    assert verdict.summary.endswith(".")
    assert verdict.cause is None or verdict.confidence > 0
    assert all(0 <= alternative.confidence <= verdict.confidence for alternative in verdict.alternatives)
    assert all(evidence.says for evidence in verdict.evidence)


def test_a_verdict_is_a_value() -> None:
    story = spoken(HELLO, FLIGHT, ANSWER, "server alert:42 fin")
    assert judged(story) == judged(story)
    assert hash(judged(story)) == hash(judged(story))


def test_an_alert_about_a_certificate_that_was_not_captured_says_no_more_than_that() -> None:
    verdict = judged(spoken(HELLO, FLIGHT_WITHOUT_REQUEST, "client client_key_exchange", "server alert:44 fin"))
    assert "none was captured" in verdict.summary
    assert verdict.confidence < 0.5
    assert all(advice.endswith(".") for advice in verdict.advice)


def test_no_verdict_names_an_option_that_read_does_not_have() -> None:
    from click.testing import CliRunner

    from tlsalert.cli.read import command

    options = CliRunner().invoke(command, ["--help"]).output
    for number in range(122):
        for story in ((HELLO, f"server alert:{number} fin"), (HELLO, FLIGHT, ANSWER, f"server alert:{number} fin")):
            for advice in judged(spoken(*story)).advice:
                assert all(word in options for word in advice.split() if word.startswith("--")), advice
