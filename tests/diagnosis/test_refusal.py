"""The verdict on a refused certificate: as sure as the evidence allows, with what was seen, and what to do."""

from __future__ import annotations

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from tests import stories
from tests.diagnosis.handshakes import (
    ANSWER,
    ANSWER_13,
    BMC,
    FLIGHT,
    HELLO,
    HELLO_13,
    IN_2015,
    IPMI,
    NOW,
    by_clock,
    clock_at,
    day,
    judged,
    replace,
    showing,
    spoken,
    spoken_13,
)
from tests.pki.issuing import AUTHORITY, Holder, issue
from tlsalert.diagnosis.chain import outside
from tlsalert.diagnosis.knowledge import STACKS
from tlsalert.diagnosis.refusal import conspicuous
from tlsalert.diagnosis.refused import SURE_CLOCK, WRONG_CLOCK
from tlsalert.model import Certificate, CertificateRequest, Clock, Connection, Position, Verdict, when
from tlsalert.pki.certificate import read_certificate

OLD_OPENSSL, OPENSSL = "openssl<=1.0.2", "openssl>=1.1.1"
AHEAD = stories.at("2026-07-01 03:12:44")
ISSUED = replace(IPMI, issuer="CN=Example CA", self_signed=False)
EXPIRED = replace(ISSUED, not_after=day(2020))
DATES = ("certificate_not_yet_valid", "certificate_expired")


def refused(last: str = "alert:42", *chain: Certificate) -> Connection:
    return showing(spoken(HELLO, FLIGHT, ANSWER, f"server {last} fin"), *(chain or (IPMI,)))


def refused_by_client(code: int = 42) -> Connection:
    return spoken(HELLO, FLIGHT, f"client alert:{code} fin")


def seen(verdict: Verdict) -> str:
    return "\n".join(f"{evidence.position}: {evidence.says}" for evidence in verdict.evidence)


# --- the founding case ----------------------------------------------------------------------------------------------

FOUNDING = judged(by_clock(refused(), clock_at(IN_2015)), OLD_OPENSSL)


def test_the_founding_case_is_certain() -> None:
    assert (FOUNDING.outcome, FOUNDING.refused_by, FOUNDING.cause) == ("failed", "server", "certificate_not_yet_valid")
    assert (FOUNDING.at_fault, FOUNDING.confidence) == ("server", 0.99)
    assert FOUNDING.summary == "The server refused the client's certificate: it is not valid yet by the server's clock."


def test_the_founding_case_names_each_thing_that_was_seen_and_where() -> None:
    clock, certificate, alert, known = FOUNDING.evidence
    assert clock.position == Position(frame=2)
    assert "ServerHello.random says 2015-03-12 05:41:50, 6 years behind the capture" in clock.says
    assert "3 handshakes of this server agree" in clock.says
    assert (certificate.position, alert.position) == (Position(frame=3), Position(frame=4))
    assert certificate.says == "the certificate CN=IPMI is valid from 2016-05-19 to 2026-05-17"
    assert alert.says == "the server sends fatal bad_certificate(42)"
    assert known.position is None
    assert "OpenSSL 1.0.2 or older" in known.says


def test_the_founding_case_says_what_to_do_and_what_will_come_after() -> None:
    first, second = FOUNDING.advice
    assert first.startswith("Set the server's clock")
    assert "2026-05-17" in second


# --- how sure it is -------------------------------------------------------------------------------------------------


def test_one_handshake_alone_does_not_prove_a_clock() -> None:
    verdict = judged(by_clock(refused(), clock_at(IN_2015, 1, 0.98)), OLD_OPENSSL)
    assert verdict.cause == "certificate_not_yet_valid"
    assert verdict.confidence < 0.9
    assert "most likely" in verdict.summary


def test_one_handshake_proves_a_clock_that_agrees_with_the_captures() -> None:
    verdict = judged(by_clock(refused("alert:45", EXPIRED), clock_at(NOW, 1, 0.99)), OPENSSL)
    assert (verdict.cause, verdict.at_fault) == ("certificate_expired", "client")
    assert verdict.confidence > 0.9


@pytest.mark.parametrize("agreeing", [2, 3])
def test_handshakes_that_agree_prove_a_clock_wherever_it_stands(agreeing: int) -> None:
    assert judged(by_clock(refused(), clock_at(IN_2015, agreeing)), OLD_OPENSSL).confidence >= 0.9


@pytest.mark.parametrize("last", ["fin", "rst"])
def test_a_close_without_an_alert_is_less_sure_than_an_alert(last: str) -> None:
    story = refused(last)
    assert judged(story, "node").confidence <= 0.6
    assert judged(by_clock(story, clock_at(IN_2015)), OLD_OPENSSL).confidence < 0.9


def test_an_alert_that_cannot_be_read_is_undecided_and_sends_to_the_log() -> None:
    story = spoken_13(HELLO, HELLO_13, ANSWER_13, "server hidden:fatal fin")
    verdict = judged(story)
    assert verdict.refused_by == "server"
    assert verdict.confidence < 0.5
    assert verdict.summary.startswith("Undecided")
    assert any("encrypted" in advice and "log" in advice for advice in verdict.advice)


@pytest.mark.parametrize(("last", "cause"), [("fin", "closed_without_alert"), ("rst", "reset_without_alert")])
def test_a_close_where_nothing_stands_out_is_told_as_such(last: str, cause: str) -> None:
    verdict = judged(refused(last, ISSUED), "rustls")  # which does say why, by an alert
    assert (verdict.refused_by, verdict.cause, verdict.at_fault) == ("server", cause, "server")
    assert verdict.summary.startswith("Undecided: ")
    assert cause.split("_")[0] in verdict.summary
    assert verdict.alternatives


ANSWERS = st.one_of(st.integers(0, 255).map("alert:{}".format), st.sampled_from(["fin", "rst", "hidden:fatal"]))
CHAINS = st.lists(st.sampled_from([IPMI, ISSUED, EXPIRED, BMC]), min_size=1, max_size=2)
TIMES = st.sampled_from([NOW, IN_2015, AHEAD, 0])
CLOCKS = st.one_of(st.none(), st.builds(clock_at, TIMES, st.integers(1, 3), st.sampled_from([0.3, 0.94, 0.96, 0.999])))


@given(ANSWERS, CHAINS, CLOCKS, st.sampled_from(STACKS), st.sampled_from(["client", "server"]))
def test_confidence_never_reaches_0_9_on_an_unproven_cause(
    last: str, chain: list[Certificate], clock: Clock | None, stack: str, refuser: str
) -> None:
    """Where no signature can be checked only dates are proven, by a clock that handshakes or the capture confirm."""
    story = showing(spoken(HELLO, FLIGHT, ANSWER, f"server {last} fin"), *chain)
    if refuser == "client":
        story = showing(spoken(HELLO, FLIGHT, f"client {last} fin"), *chain, side="server")
    if clock is not None:
        story = by_clock(story, clock, "client" if refuser == "client" else "server")
    verdict = judged(story, stack)
    if verdict.confidence < 0.9 or verdict.outcome != "failed" or "certificate:" not in verdict.summary:
        return  # not sure, or not about a certificate
    assert clock is not None
    assert clock.confidence >= SURE_CLOCK
    assert clock.agreeing > 1 or abs(clock.skew_seconds) < WRONG_CLOCK
    assert verdict.cause in {cause for _, cause in outside(tuple(chain), when(clock.time))}


@pytest.mark.parametrize("stack", STACKS)
def test_a_proven_right_clock_proves_nothing_else(stack: str) -> None:
    for code in (42, 43, 44, 46, 48, 49, 50, 51):
        story = by_clock(refused(f"alert:{code}", ISSUED), clock_at(NOW, 3))
        assert judged(story, stack).confidence < 0.9, code


# --- what is proven without a clock ---------------------------------------------------------------------------------

CA = issue("CN=Example CA", None, AUTHORITY)
SUB, NAMESAKE = issue("CN=sub", CA, AUTHORITY), issue("CN=sub", CA, AUTHORITY)
END = issue("CN=end", SUB)


def shown(last: str, *holders: Holder, stack: str = OPENSSL, **fields: object) -> Verdict:
    """Return the verdict on a chain of real certificates, by a server that names their root."""
    story = refused(last, *(holder.certificate for holder in holders))
    request = CertificateRequest(("CN=Example CA",))
    return judged(replace(story, **{"certificate_request": request, **fields}), stack)


def test_a_forged_link_is_certain_and_named() -> None:
    verdict = shown("alert:51", END, NAMESAKE)
    assert (verdict.cause, verdict.confidence >= 0.9, verdict.at_fault) == ("bad_certificate_signature", True, "client")
    assert "CN=end was not signed by the key of CN=sub" in seen(verdict)
    assert "CN=sub" in verdict.advice[0]


def test_what_the_stack_would_answer_otherwise_is_not_certain() -> None:
    """The defect is there, but OpenSSL says 51 to it: it may have minded something else first."""
    verdict = shown("alert:46", END, NAMESAKE)
    assert (verdict.cause, verdict.confidence < 0.9) == ("bad_certificate_signature", True)


def test_what_is_no_certificate_is_certain_and_has_no_dates() -> None:
    verdict = judged(refused("alert:50", read_certificate(b"certainly not DER" * 9)), OPENSSL)
    assert (verdict.cause, verdict.confidence >= 0.9) == ("malformed_certificate", True)
    assert "valid from" not in seen(verdict)
    assert "issuer" not in seen(verdict)


def test_a_broken_rule_is_nearly_certain_where_the_stack_says_just_that() -> None:
    sub = issue("CN=sub", CA, x509.BasicConstraints(ca=False, path_length=None))
    verdict = shown("alert:48", issue("CN=end", sub), sub)
    assert (verdict.cause, verdict.confidence) == ("chain_invalid", 0.95)
    assert verdict.advice[0].startswith("Replace the issuer")
    assert shown("alert:46", issue("CN=end", sub), sub, stack="java").confidence <= 0.88


def test_signatures_that_verify_are_evidence() -> None:
    assert "each signature in the chain verifies, up to CN=sub" in seen(shown("alert:42", END, SUB))


def test_an_issuer_that_the_server_names_and_refuses_is_to_be_compared() -> None:
    verdict = shown("alert:48", END, SUB)
    assert verdict.cause == "unknown_ca"
    assert "same key?" in verdict.advice[0]
    assert "CRL" in verdict.advice[0]


def test_a_finished_that_does_not_verify_is_nobodys_fault_yet() -> None:
    story = refused("alert:20", END.certificate, SUB.certificate)
    assert judged(story, OPENSSL).at_fault is None


def test_who_is_known_to_close_in_silence_may_mean_something_by_it() -> None:
    """Node.js never sends an alert about a certificate: its close is its answer."""
    twice = replace(END.certificate, problems=("extension 2.5.29.37 stands twice",))
    story = replace(refused("fin", twice, SUB.certificate), certificate_request=CertificateRequest(("CN=Example CA",)))
    assert judged(story, "node").cause == "malformed_certificate"
    assert judged(story, OPENSSL).cause == "closed_without_alert"


@pytest.mark.parametrize(
    ("leaf", "odd"), [(END.certificate, False), (read_certificate(b"x" * 99), True), (None, False)]
)
def test_a_certificate_over_which_a_reader_stumbles_is_conspicuous(leaf: Certificate | None, odd: bool) -> None:
    story = refused("alert:10", *(() if leaf is None else (leaf,)))
    story = story if leaf is not None else showing(story)
    assert conspicuous(story, "client") is odd
    large = tuple(replace(m, length=40_000) if m.message == "certificate" else m for m in story.messages)
    assert conspicuous(replace(story, messages=large), "client") is (leaf is not None)


# --- where the mend belongs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("story", "cause", "fault"),
    [
        pytest.param(by_clock(refused(), clock_at(IN_2015)), "certificate_not_yet_valid", "server",
                     id="a clock that is behind"),
        pytest.param(refused(), "certificate_not_yet_valid", "server", id="the same, where no clock shows"),
        pytest.param(by_clock(refused("alert:45"), clock_at(AHEAD)), "certificate_expired", "server",
                     id="a clock that is ahead"),
        pytest.param(refused("alert:45", EXPIRED), "certificate_expired", "client", id="an old certificate"),
        pytest.param(by_clock(refused("alert:45", EXPIRED), clock_at(AHEAD)), "certificate_expired", "client",
                     id="an old certificate and a clock that is ahead"),
        pytest.param(refused("alert:48"), "unknown_ca", "client", id="an issuer that the server does not know"),
        pytest.param(refused("alert:44", ISSUED), "certificate_revoked", "client", id="revoked"),
        pytest.param(refused("alert:80", ISSUED), "internal_error", "server", id="the server's own failure"),
        pytest.param(refused_by_client(48), "unknown_ca", "client", id="an issuer that the client does not know"),
        pytest.param(by_clock(refused_by_client(), clock_at(IN_2015), "client"), "certificate_not_yet_valid", "client",
                     id="the client's clock"),
    ],
)  # fmt: skip
def test_the_mend_belongs_where_the_fault_is(story: Connection, cause: str, fault: str) -> None:
    verdict = judged(story, OPENSSL)
    assert (verdict.cause, verdict.at_fault) == (cause, fault)


def test_an_expired_certificate_is_renewed_and_a_clock_that_is_ahead_is_set() -> None:
    ahead = judged(by_clock(refused("alert:45"), clock_at(AHEAD)), OPENSSL)
    assert [advice.split()[0] for advice in ahead.advice] == ["Set"]
    assert "5 years ahead of the capture" in ahead.advice[0]
    old = judged(refused("alert:45", EXPIRED), OPENSSL)
    assert old.advice[0] == "Renew the client's certificate: CN=IPMI was valid until 2020-01-01."
    assert "clock" in old.advice[1]


# --- what is said ---------------------------------------------------------------------------------------------------


def test_what_is_valid_by_the_captures_clock_and_called_expired_is_a_matter_of_the_judges_clock() -> None:
    verdict = judged(refused("alert:45"), OPENSSL)
    assert verdict.cause == "certificate_expired"
    assert verdict.at_fault == "server"
    assert verdict.advice[0].startswith("Check the server's clock")


def test_who_refused_whose_certificate_is_the_first_thing_said() -> None:
    assert "The client refused the server's certificate" in judged(refused_by_client(48), OPENSSL).summary
    assert "The server refused the client's certificate" in judged(refused("alert:48"), OPENSSL).summary


@pytest.mark.parametrize("stack", STACKS)
def test_a_summary_is_one_sentence_that_hedges_as_much_as_it_must(stack: str) -> None:
    for last in ("alert:40", "alert:42", "alert:46", "alert:48", "alert:51", "fin", "hidden:fatal"):
        verdict = judged(refused(last, ISSUED), stack)
        assert verdict.summary.endswith(".")
        assert "\n" not in verdict.summary
        undecided = verdict.summary.startswith("Undecided")
        assert undecided if verdict.confidence < 0.5 else (not undecided or verdict.confidence == 0.5), verdict


def test_the_authorities_that_the_server_names_are_evidence() -> None:
    story = replace(refused("alert:48", ISSUED), certificate_request=CertificateRequest(("CN=Other CA",)))
    assert "frame 2: the certificate's issuer is not among the authorities that the server names" in seen(judged(story))
    known = replace(story, certificate_request=CertificateRequest(("CN=Example CA",)))
    assert "frame 2: the certificate's issuer is among the authorities" in seen(judged(known))


@pytest.mark.parametrize(
    ("leaf", "says"),
    [
        (replace(ISSUED, key="RSA 1024"), "its key is RSA 1024"),
        (replace(ISSUED, extended_key_usage=("serverAuth",)), "without clientAuth"),
        (replace(ISSUED, problems=("notAfter: 'x' is no time",)), "notAfter: 'x' is no time"),
    ],
)
def test_what_stands_out_in_the_chain_is_evidence(leaf: Certificate, says: str) -> None:
    assert says in seen(judged(refused("alert:46", leaf)))


def test_of_a_chain_the_certificate_that_is_outside_its_validity_is_named() -> None:
    young = replace(BMC, subject="CN=Example CA", issuer="CN=root", not_before=day(2018))
    story = by_clock(refused("alert:42", replace(ISSUED, not_before=day(2010)), young), clock_at(IN_2015))
    assert "CN=Example CA is valid from 2018-01-01" in seen(judged(story, OPENSSL))


def test_a_stack_that_answers_all_alike_is_named_as_such() -> None:
    assert "does not tell one cause from another" in seen(judged(refused("alert:46", ISSUED), "java"))


def test_a_reset_right_behind_the_alert_is_noted() -> None:
    story = spoken(HELLO, FLIGHT, ANSWER, "server alert:42 rst")
    assert judged(story, OPENSSL).alert_lost
    assert not judged(refused(), OPENSSL).alert_lost


def test_alternatives_are_less_likely_and_no_more_than_five() -> None:
    verdict = judged(refused("alert:46", ISSUED), "java")
    shares = [verdict.confidence, *(alternative.confidence for alternative in verdict.alternatives)]
    assert shares == sorted(shares, reverse=True)
    assert 1 < len(shares) <= 6
    assert verdict.cause not in {alternative.cause for alternative in verdict.alternatives}


def test_the_advice_names_the_certificate_of_the_chain_that_has_ended_not_the_leaf() -> None:
    old = replace(IPMI, subject="CN=Example CA", issuer="CN=Example Root", self_signed=False, not_after=day(2019))
    verdict = judged(refused("alert:45", replace(IPMI, issuer="CN=Example CA", self_signed=False), old), OPENSSL)
    assert verdict.cause == "certificate_expired"
    assert "2019-" in verdict.advice[0]
