"""Why a device refuses a right certificate, over every measured server: often right, never sure of what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from msgspec import structs

from tests.diagnosis.devices import BEGINS, CA, ENDS, FACTS, LEAF, NOW, ROOT
from tlsalert.diagnosis.device_causes import GOOD, MEASURED, PINNING, Facts, rank_causes
from tlsalert.diagnosis.resemblance import Candidate, candidates
from tlsalert.diagnosis.tried import Cell
from tlsalert.model import CertificateRequest, Clock

FOUNDING = {"good": "42", "none_sent": "40", "self_signed_unknown": "48"}
PROBES = ("none_sent", "self_signed_unknown")
#: More than this is sure.
SURE = 0.8


class Case(NamedTuple):
    """A server that refuses the good certificate, and why it does."""

    server: Candidate
    version: str
    told: list[Cell]
    truth: tuple[str, ...]


def told(answers: dict[str, str], version: str = "TLS 1.2") -> list[Cell]:
    return [Cell(variant, version, answer) for variant, answer in answers.items()]


def first(answers: dict[str, str], facts: Facts = FACTS, **known: object) -> tuple[str, float]:
    return rank_causes(told(answers), "TLS 1.2", facts, **known)[0][0]  # type: ignore[arg-type]


def seconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 10**9


def shown(moment: datetime, confidence: float = 0.97) -> Clock:
    return Clock(seconds(moment), seconds(NOW), "ServerHello.random", confidence)


def cases(setup: str, *truth: str, probes: tuple[str, ...] = PROBES) -> Iterator[Case]:
    """Go through the servers that refuse "good" in a set-up."""
    trusting = {one.server: one for one in candidates() if one.setup == "trust store"}
    for one in candidates():
        for version, row in one.answers.items() if one.setup == setup else ():
            if row.get(GOOD, "ok") != "ok":
                known = {**trusting.get(one.server, one).answers.get(version, {}), **row}
                some = {variant: known[variant] for variant in (GOOD, *probes) if variant in known}
                pinned = ("certificate_not_pinned",) if one.family == PINNING else ()
                yield Case(one, version, told(some, version), (*truth, *pinned))


def judged(case: Case, held_back: bool = False, **known: object) -> tuple[str, float]:
    hidden = frozenset([(case.server.server, case.version)]) if held_back else frozenset()
    return rank_causes(case.told, case.version, FACTS, hidden=hidden, **known)[0][0]  # type: ignore[arg-type]


SETUPS = [
    pytest.param("clock behind", ("certificate_not_yet_valid",), 0.6, id="behind"),
    pytest.param("clock ahead", ("certificate_expired",), 0.2, id="ahead"),  # rare, and 45 is sent for both by many
    pytest.param("pinned", ("unknown_ca",), 0.9, id="another pinned"),
]


def test_the_three_probes_of_the_founding_case_say_the_clock() -> None:
    ranked, stacks = rank_causes(told(FOUNDING), "TLS 1.2", FACTS)
    cause, sure = ranked[0]
    assert cause == "certificate_not_yet_valid"
    assert 0.6 < sure < SURE
    assert stacks["openssl<=1.0.2"] + stacks["openssl>=1.1.1"] > 0.75
    assert {name for name, share in ranked[1:] if share > 0.02} >= {"certificate_not_pinned"}


@pytest.mark.parametrize("held_back", [False, True])
@pytest.mark.parametrize(("setup", "truth", "least"), SETUPS)
def test_three_probes_are_often_enough_and_never_surely_wrong(
    setup: str, truth: tuple[str, ...], least: float, held_back: bool
) -> None:
    found = [(judged(case, held_back), case) for case in cases(setup, *truth)]
    right = [cause in case.truth for (cause, _), case in found]
    assert sum(right) / len(right) >= least
    assert [case for (cause, sure), case in found if cause not in case.truth and sure > SURE] == []


@pytest.mark.parametrize(
    ("setup", "truth", "clock"),
    [
        pytest.param("clock behind", "certificate_not_yet_valid", datetime(2015, 6, 1, tzinfo=UTC), id="behind"),
        pytest.param("clock ahead", "certificate_expired", datetime(2044, 6, 1, tzinfo=UTC), id="ahead"),
    ],
)
def test_with_a_clock_that_shows_every_stack_is_understood(setup: str, truth: str, clock: datetime) -> None:
    for case in cases(setup, truth):
        cause, sure = judged(case, clock=shown(clock))
        assert cause == truth
        assert sure > SURE


def test_a_clock_that_shows_to_be_right_speaks_against_dates() -> None:
    ranked = dict(rank_causes(told(FOUNDING), "TLS 1.2", FACTS, clock=shown(NOW, 0.99))[0])
    assert ranked["certificate_not_yet_valid"] < 0.1


def test_what_the_certificate_shows_by_itself_comes_first() -> None:
    late = Facts((LEAF,), datetime(2027, 1, 1, tzinfo=UTC))
    weak = Facts((structs.replace(LEAF, signature_algorithm="md5WithRSAEncryption"),), NOW)
    server_only = Facts((structs.replace(LEAF, extended_key_usage=("serverAuth",)),), NOW)
    another_key = Facts((LEAF,), NOW, key_fits=False)
    assert first({**FOUNDING, "good": "45"}, late)[0] == "certificate_expired"
    assert first({**FOUNDING, "good": "42"}, weak)[0] in ("weak_certificate", "certificate_not_yet_valid")
    assert first({**FOUNDING, "good": "43"}, server_only)[0] == "wrong_certificate_usage"
    assert first({**FOUNDING, "good": "51"}, another_key)[0] == "key_mismatch"


def test_the_names_in_the_request_speak_for_and_against_an_unknown_ca() -> None:
    def unknown(request: CertificateRequest | None) -> float:
        return dict(rank_causes(told({**FOUNDING, "good": "48"}), "TLS 1.2", FACTS, request)[0])["unknown_ca"]

    assert unknown(CertificateRequest((CA,))) < unknown(None) < unknown(CertificateRequest(("CN=other",)))
    assert unknown(CertificateRequest()) == unknown(None)


@pytest.mark.parametrize("another", ["good_p256", "missing_intermediate", "rsa1024"])
def test_who_accepts_another_certificate_of_the_ca_trusts_it(another: str) -> None:
    ranked = dict(rank_causes(told({**FOUNDING, "good": "48", another: "ok"}), "TLS 1.2", FACTS)[0])
    assert ranked["unknown_ca"] < 0.2


def test_by_a_wrong_clock_an_expired_certificate_may_be_the_valid_one() -> None:
    ranked, _ = rank_causes(told({**FOUNDING, "expired": "ok"}), "TLS 1.2", FACTS)
    assert ranked[0][0] == "certificate_not_yet_valid"


def test_certificates_that_are_valid_longer_say_nothing_of_the_clock() -> None:
    """The CA's own variants may be valid at the device's clock where the good certificate is not."""
    dated = [
        Cell(f"{name}", "TLS 1.2", "ok", datetime(2005, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC))
        for name in ("good_no_eku", "good_p256", "good_p384", "rsa1024", "sha1_signed", "chain_9_cas")
    ]
    ranked, _ = rank_causes([*told(FOUNDING), *dated], "TLS 1.2", FACTS)
    assert ranked[0][0] == "certificate_not_yet_valid"
    assert ranked[0][1] > 0.6


@pytest.mark.parametrize(
    ("variant", "cause"), [("sha1_signed", "weak_certificate"), ("eku_server_only", "wrong_certificate_usage")]
)
def test_who_takes_a_fault_elsewhere_does_not_refuse_for_it(variant: str, cause: str) -> None:
    before = dict(rank_causes(told(FOUNDING), "TLS 1.2", FACTS)[0])
    after = dict(rank_causes(told({**FOUNDING, variant: "ok"}), "TLS 1.2", FACTS)[0])
    assert after[cause] < before[cause] / 5


def test_probabilities_add_up() -> None:
    ranked, stacks = rank_causes(told(FOUNDING), "TLS 1.2", FACTS)
    assert sum(share for _, share in ranked) == pytest.approx(1)
    assert sum(stacks.values()) == pytest.approx(1)


def test_without_any_facts_and_answers_it_is_what_is_usual() -> None:
    ranked, _ = rank_causes([], "TLS 1.2", Facts())
    assert ranked[0][0] == "unknown_ca"


def test_a_chain_is_valid_while_all_of_it_is() -> None:
    facts = Facts((LEAF, ROOT), NOW)
    assert (facts.not_before, facts.not_after) == (BEGINS, ENDS)
    assert (Facts().not_before, Facts().not_after) == (None, None)


def test_what_stands_for_a_cause_was_measured() -> None:
    known = {(one.setup, variant) for one in candidates() for row in one.answers.values() for variant in row}
    assert {place for places in MEASURED.values() for place in places} <= known
