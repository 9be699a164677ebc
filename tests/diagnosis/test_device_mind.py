"""A device's mind from its answers: the founding case by three probes alone, and what each measured server checks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.diagnosis.devices import BEGINS, CA, ENDS, FACTS, LEAF, NOW, replayed, rows
from tests.diagnosis.test_device_causes import FOUNDING, SETUPS, SURE, cases, shown
from tlsalert.diagnosis.device_causes import Facts
from tlsalert.diagnosis.device_look import DeviceClock
from tlsalert.diagnosis.device_mind import DeviceMind, mind
from tlsalert.diagnosis.resemblance import candidates
from tlsalert.diagnosis.stack_vectors import VARIANTS
from tlsalert.diagnosis.tried import Tried
from tlsalert.model import CertificateRequest

SET_IN_2015 = datetime(2015, 1, 3, tzinfo=UTC)


def found(clock: datetime) -> DeviceClock:
    at = int(NOW.timestamp()) * 10**9
    return DeviceClock(
        time=int(clock.timestamp()) * 10**9, at=at, error_seconds=0.6, source="bisection by certificates"
    )


def says(told: DeviceMind, topic: str) -> str:
    return " ".join(finding.says for finding in told.findings if finding.topic == topic)


class TestTheFoundingCase:
    """good → 42, none → 40, a stranger's → 48, no CA key; the clock stands in 2015, the certificate begins in 2016."""

    def test_three_probes_alone_say_the_clock_is_before_the_certificate(self) -> None:
        told = mind(rows(FOUNDING), FACTS)
        verdict = told.verdict
        assert verdict.cause == "certificate_not_yet_valid"
        assert (verdict.outcome, verdict.refused_by, verdict.at_fault) == ("failed", "server", "server")
        assert 0.6 < verdict.confidence <= SURE
        assert verdict.summary == (
            "The device refuses the good certificate with bad_certificate(42): probably the certificate is not valid"
            " yet by its clock, so that it stands before 2016-05-19."
        )
        assert (told.clock.earliest, told.clock.latest, told.clock.time) == (None, BEGINS, None)

    def test_what_else_it_may_be_is_told_and_what_would_decide(self) -> None:
        verdict = mind(rows(FOUNDING), FACTS).verdict
        assert verdict.alternatives
        assert all(other.confidence < verdict.confidence for other in verdict.alternatives)
        assert any("--ca-key" in text for text in verdict.advice)
        assert any("garbage_der" in text for text in verdict.advice)

    def test_what_the_clock_refused_is_told_apart_from_what_the_device_minds(self) -> None:
        begins, ends = NOW - timedelta(days=1), NOW + timedelta(days=30)
        weak = Tried("sha1_signed", "TLS 1.2", "42", not_before=begins, not_after=ends)
        late = Tried("not_yet_valid", "TLS 1.2", "42", not_before=ends, not_after=ends + timedelta(days=1))
        let_in = Tried("eku_any_only", "TLS 1.2", "ok", not_before=begins, not_after=ends)
        good = Tried("good", "TLS 1.2", "42", not_before=BEGINS, not_after=ENDS)
        others = [one for one in rows(FOUNDING) if one.variant != "good"]
        trials = [good, *others, weak, late, let_in]
        assert mind(trials, FACTS, found=found(SET_IN_2015)).by_dates == {("sha1_signed", "TLS 1.2")}
        assert not mind(trials, FACTS, found=found(NOW)).by_dates

    def test_a_clock_that_shows_makes_it_certain(self) -> None:
        told = mind(rows(FOUNDING), FACTS, shown=shown(datetime(2015, 3, 12, 5, 41, 50, tzinfo=UTC)))
        assert told.verdict.confidence > 0.95
        assert told.verdict.summary.endswith("which is 2015-03-12 05:41:50 ± 1 s.")
        assert any("ServerHello.random says 2015-03-12" in one.says for one in told.verdict.evidence)
        assert "2015-03-12" in told.verdict.advice[0]

    def test_a_random_that_may_be_a_clock_does_not_make_it_certain(self) -> None:
        told = mind(rows(FOUNDING), FACTS, shown=shown(SET_IN_2015, confidence=0.4))
        assert told.clock.time is None
        assert told.verdict.confidence <= SURE

    def test_a_clock_that_was_found_is_the_verdict(self) -> None:
        told = mind(rows(FOUNDING), FACTS, found=found(SET_IN_2015))
        assert told.verdict.summary == (
            "The device trusts your CA and its clock is 2015-01-03 00:00:00 ± 1 s: the certificate begins on"
            " 2016-05-19."
        )
        assert told.verdict.confidence == 0.99
        assert told.trusts.your_ca is True
        assert told.verdict.alternatives == ()

    def test_with_the_clock_set_right_it_is_accepted(self) -> None:
        told = mind(rows({**FOUNDING, "good": "ok"}), FACTS, found=found(NOW))
        assert told.verdict.outcome == "established"
        assert told.verdict.summary == "The device trusts your CA and its clock is 2021-06-17 08:51:00 ± 1 s."

    def test_after_the_certificates_end_a_right_clock_refuses_it(self) -> None:
        later = datetime(2026, 11, 20, tzinfo=UTC)
        verdict = mind(rows({**FOUNDING, "good": "45"}), replace(FACTS, now=later)).verdict
        assert (verdict.cause, verdict.at_fault) == ("certificate_expired", "client")
        assert "Renew" in " ".join(verdict.advice) or "renew" in " ".join(verdict.advice)


def test_who_accepts_certificates_to_find_its_clock_trusts_their_ca_whatever_it_has_against_the_good_one() -> None:
    told = mind(rows({**FOUNDING, "good": "48"}), FACTS, found=found(NOW))
    assert told.trusts.your_ca is True
    assert told.verdict.cause not in ("unknown_ca", "certificate_not_yet_valid", "certificate_expired")
    assert told.clock.time is not None


def test_a_clock_that_is_off_is_worth_a_word_although_the_certificate_is_accepted() -> None:
    told = mind(rows({**FOUNDING, "good": "ok"}), FACTS, found=found(NOW - timedelta(days=1461)))
    assert told.verdict.advice == (
        "Set the device's clock: it is 4 years behind ours, and accepts certificates by it.",
    )


@pytest.mark.parametrize(("setup", "truth", "least"), SETUPS)
def test_no_verdict_on_a_measured_server_is_surely_wrong(setup: str, truth: tuple[str, ...], least: float) -> None:
    verdicts = [(mind([Tried(*cell[:3]) for cell in case.told], FACTS).verdict, case) for case in cases(setup, *truth)]
    right = [verdict for verdict, case in verdicts if verdict.cause in case.truth]
    assert len(right) / len(verdicts) >= least
    assert [case for verdict, case in verdicts if verdict.cause not in case.truth and verdict.confidence > SURE] == []


@pytest.mark.parametrize("one", [one for one in candidates() if one.setup == "trust store"], ids=lambda one: one.server)
def test_every_measured_server_that_accepts_is_told_to_trust_the_ca(one: object) -> None:
    server = one.server  # type: ignore[attr-defined]
    for version, row in one.answers.items():  # type: ignore[attr-defined]
        if row["good"] == "ok" and len(row) > 10:
            told = mind(rows(row, version), FACTS)
            assert told.verdict.outcome == "established", server
            assert (told.trusts.your_ca, told.trusts.how) == (True, "ca")
            assert told.checks_dates == "both"


@pytest.mark.parametrize(
    ("server", "topic", "words"),
    [
        ("openssl-3.0", "usage", "demands clientAuth"),
        ("openssl-3.0", "usage", "anyExtendedKeyUsage alone is refused"),
        ("java-17", "usage", "anyExtendedKeyUsage alone will do"),
        ("gnutls", "usage", "does not look at the extended key usage"),
        ("go-1.27", "usage", "does not look at the key usage"),
        ("mbedtls-3.5", "strength", "It refuses RSA 512, RSA 1024, MD5, SHA-1."),
        ("openssl-1.0.2u", "strength", "accepts what is weak: RSA 512"),
        ("openssl-1.0.2u", "encoding", "closes without an alert"),
        ("mbedtls-3.5", "chain", "accepts 5 CAs in a chain and refuses 9"),
        ("wolfssl", "chain", "remembers it from an earlier connection"),
        ("nss", "possession", "It checks that the client has the certificate's key."),
        ("nginx", "demand", "HTTP 400"),
        ("openssl-4.0", "signatures", "It checks the signatures"),
    ],
)
def test_what_a_server_checks_is_told(server: str, topic: str, words: str) -> None:
    assert words in says(mind(replayed(server), FACTS), topic)


@pytest.mark.parametrize(
    ("variant", "topic", "words"),
    [
        ("key_mismatch", "possession", "whoever has a copy of the certificate is let in"),
        ("sig_tampered", "signatures", "its CA did not sign"),
        ("self_signed_unknown", "trust", "of anybody"),
        ("none_sent", "demand", "does not demand a certificate"),
        ("expired", "dates", "accepts expired certificates"),
        ("not_yet_valid", "dates", "not valid yet"),
        ("intermediate_not_ca", "chain", "an issuer that is not a CA"),
        ("name_constraints_violated", "chain", "a name that its CA may not issue"),
        ("expired_intermediate", "dates", "dates of intermediate"),
        ("unknown_critical_ext", "encoding", "critical extensions"),
    ],
)
def test_what_lets_in_whom_it_should_not_is_alarming_and_comes_first(variant: str, topic: str, words: str) -> None:
    told = mind(replayed("mbedtls-3.5", **{variant: "ok"}), FACTS)
    alarm = told.findings[0]
    assert alarm.alarming
    assert alarm.topic == topic
    assert words in alarm.says
    assert told.alarming == (alarm,)


OPEN = {"good": "ok", "none_sent": "ok", "self_signed_unknown": "ok", "expired": "ok", "key_mismatch": "51"}


def test_a_device_that_lets_in_anybody_in_tls_may_refuse_inside_it() -> None:
    """nginx accepts every chain in TLS and answers HTTP 400 (ngx_http_process_request)."""
    told = mind(rows(OPEN), FACTS)
    assert told.verdict.summary.startswith("Undecided: TLS lets in anybody")
    assert "--http" in told.verdict.advice[0]
    assert [finding.topic for finding in told.findings] == ["demand", "possession"]
    assert told.trusts.how is None


@pytest.mark.parametrize(
    ("answers", "facts", "summary"),
    [
        pytest.param(OPEN, replace(FACTS, asked_inside=True), "strangers' as well", id="asked inside"),
        pytest.param({**OPEN, "none_sent": "40"}, FACTS, "strangers' as well", id="it demands one"),
        pytest.param({**OPEN, "self_signed_unknown": "48"}, FACTS, "The device trusts your CA", id="no strangers"),
    ],
)
def test_otherwise_who_is_let_in_is_let_in(answers: dict[str, str], facts: Facts, summary: str) -> None:
    assert summary in mind(rows(answers), facts).verdict.summary


def test_dates_that_are_not_checked_are_told() -> None:
    told = mind(replayed("openssl-3.0", expired="ok", not_yet_valid="ok"), FACTS)
    assert told.checks_dates == "none"
    assert "does not check dates" in says(told, "dates")
    assert not told.clock.known


def test_beside_a_refused_good_certificate_refusals_say_nothing() -> None:
    refused = dict.fromkeys(VARIANTS["trust store"].split(), "42")
    told = mind(rows(refused), FACTS)
    assert told.findings == ()
    assert told.checks_dates is None


def test_an_expired_certificate_that_is_accepted_bounds_the_clock() -> None:
    old = (datetime(2014, 1, 1, tzinfo=UTC), datetime(2015, 12, 31, tzinfo=UTC))
    tried = [*rows(FOUNDING), Tried("expired", "TLS 1.2", "ok", not_before=old[0], not_after=old[1])]
    told = mind(tried, FACTS)
    assert (told.clock.earliest, told.clock.latest) == old
    assert str(told.clock) == "between 2014-01-01 and 2015-12-31"
    assert "by its clock that one is valid" in says(told, "dates")


def test_pinned_is_who_accepts_one_certificate_and_no_other_of_its_ca() -> None:
    others = dict.fromkeys(("good_p256", "good_rsa4096", "good_no_eku"), "42")
    assert mind(rows({**FOUNDING, "good": "ok", **others}), FACTS).trusts.how == "pinned"
    assert mind(rows({**FOUNDING, "good": "ok", "good_p256": "ok"}), FACTS).trusts.how == "ca"
    assert mind(rows({**FOUNDING, "good": "ok"}), FACTS).trusts.how is None


def test_who_accepts_strangers_trusts_anyone() -> None:
    told = mind(rows({"good": "ok", "none_sent": "40", "unknown_issuer": "ok"}), FACTS)
    assert told.trusts.how == "anyone"
    assert "strangers'" in told.verdict.summary


def test_the_names_that_it_asks_for_are_kept() -> None:
    told = mind(rows(FOUNDING), FACTS, CertificateRequest((CA, "CN=other")))
    assert told.trusts.authorities == (CA, "CN=other")
    assert any("names an issuer" in one.says for one in told.verdict.evidence)


def test_versions_that_differ_are_told() -> None:
    told = mind([*rows({**FOUNDING, "good": "ok"}), *rows({"good": "42", "none_sent": "116"}, "TLS 1.3")], FACTS)
    assert told.verdict.outcome == "failed"
    assert "in TLS 1.3 with bad_certificate(42)" in told.verdict.summary
    assert any("accepted in TLS 1.2" in one.says for one in told.verdict.evidence)


@pytest.mark.parametrize(
    "tried", [[], rows({"none_sent": "40"}), rows({"good": "silent"}), rows({"good": "lost"})], ids=str
)
def test_without_an_answer_to_the_good_certificate_nothing_is_decided(tried: list[Tried]) -> None:
    told = mind(tried, FACTS)
    assert told.verdict.outcome == "incomplete"
    assert told.verdict.summary.startswith("Undecided")
    assert told.verdict.cause is None


def test_what_is_asked_for_is_what_is_missing() -> None:
    def asks(facts: Facts) -> str:
        return mind(rows({"none_sent": "40"}), facts).verdict.advice[0]

    assert asks(Facts()).startswith("Give the certificate")
    assert asks(FACTS).startswith("Try the good certificate")


def test_handshakes_that_end_before_the_certificate_ask_for_no_certificate() -> None:
    verdict = mind([], replace(FACTS, cut_short=True)).verdict
    assert verdict.summary == "Undecided: every handshake ended before the client could show a certificate."
    assert "--from" in verdict.advice[0]


@pytest.mark.parametrize("answer", ["fin", "42", "40"])
def test_who_answers_alike_whatever_is_shown_says_little_of_the_certificate(answer: str) -> None:
    ended = Facts((LEAF,), ENDS + timedelta(days=200))  # expired by our clock, which alone would prove it
    told = mind(rows({"good": answer, "none_sent": answer, "self_signed_unknown": answer}), ended)
    assert told.verdict.confidence <= 0.4
    assert "perhaps" in told.verdict.summary
    assert any("alike whatever it is shown" in one.says for one in told.verdict.evidence)
    apart = mind(rows({"good": "45", "none_sent": "40", "self_signed_unknown": "48"}), ended)
    assert apart.verdict.confidence > 0.8
    assert not any("alike" in one.says for one in apart.verdict.evidence)


def test_a_certificate_that_has_ended_is_to_be_renewed_as_well() -> None:
    ended = Facts((LEAF,), ENDS + timedelta(days=200))
    late, early = (mind(rows(FOUNDING), one, found=found(SET_IN_2015)).verdict.advice for one in (ended, FACTS))
    assert any("Renew the certificate: it ended on 2026-05-17" in text for text in late)
    assert any("It ends on 2026-05-17" in text for text in early)


def test_nothing_need_be_known_of_the_certificate() -> None:
    assert mind(rows(FOUNDING)).verdict.cause is not None
    assert mind(rows(FOUNDING), Facts((LEAF,))).verdict.outcome == "failed"


def test_the_order_of_the_trials_is_told_where_it_matters() -> None:
    tried = [
        *rows(FOUNDING),
        Tried("missing_intermediate", "TLS 1.2", "48"),
        Tried("missing_intermediate", "TLS 1.2", "ok", 1),
    ]
    assert "remembers" in mind(tried, FACTS).memory[0]


@given(
    st.lists(
        st.builds(
            Tried,
            st.sampled_from(VARIANTS["trust store"].split()),
            st.sampled_from(["SSLv3", "TLS 1.0", "TLS 1.2", "TLS 1.3", "DTLS 1.2"]),
            st.sampled_from(["ok", "400", "fin", "rst", "silent", "lost", "unread", *map(str, range(0, 256, 5)), "42"]),
            st.integers(0, 1),
            st.integers(0, 2),
        ),
        max_size=30,
    )
)
def test_any_answers_end_in_a_verdict(tried: list[Tried]) -> None:
    told = mind(tried, FACTS)
    assert 0 <= told.verdict.confidence <= 1
    assert told.verdict.summary
    assert all(0 <= one.share <= 1 for one in told.stack)


def test_the_clock_in_words() -> None:
    assert str(DeviceClock(earliest=BEGINS)) == "after 2016-05-19"
    assert str(DeviceClock(latest=ENDS)) == "before 2026-05-17"
    assert str(DeviceClock()) == "not known"
    assert str(replace(found(NOW), error_seconds=6.2)) == "2021-06-17 08:51:00 ± 6 s"
    assert found(NOW - timedelta(hours=1)).skew_seconds == -3600
    assert DeviceClock(latest=ENDS).skew_seconds is None
