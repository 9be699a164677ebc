"""The words of a verdict: every cause has some, and spans of time and names read as in a sentence."""

from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest

from tests.diagnosis.handshakes import BMC, HELLO, IN_2015, IPMI, NOW, clock_at, day, replace, spoken
from tlsalert.diagnosis import words
from tlsalert.diagnosis.causes import CLIENT_WEIGHTS, SERVER_WEIGHTS
from tlsalert.diagnosis.hello_causes import PLAIN, hello_ranking
from tlsalert.diagnosis.knowledge import FORESEEN

#: What a refused certificate can be refused for, and what anything else can be.
ABOUT_CERTIFICATES = {*CLIENT_WEIGHTS, *SERVER_WEIGHTS, "chain_out_of_order"}
ABOUT_OTHERS = {cause for cause, _ in PLAIN.values()} | {
    cause for code in (40, 47, 80) for cause, _ in hello_ranking(spoken(HELLO), code)
}


def holes(sentence: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("cause", sorted(ABOUT_CERTIFICATES))
def test_each_reason_to_refuse_a_certificate_has_a_sentence(cause: str) -> None:
    assert cause in words.WHY
    assert holes(words.WHY[cause]) <= {"refuser", "owner"}


@pytest.mark.parametrize("cause", sorted(ABOUT_CERTIFICATES - {"internal_error", "protocol_violation"}))
def test_each_fault_of_a_certificate_has_a_mend(cause: str) -> None:
    assert holes(words.DO[cause]) <= {"refuser", "owner"}


@pytest.mark.parametrize("cause", sorted(ABOUT_OTHERS))
def test_each_other_cause_has_a_sentence_and_a_mend(cause: str) -> None:
    """Those that are about a certificate after all have theirs above."""
    why, do = words.OTHER.get(cause, (words.WHY.get(cause), words.DO.get(cause)))
    assert why
    assert do


@pytest.mark.parametrize("cause", sorted({*FORESEEN} - {"name_mismatch", "certificate_not_pinned", "resource_limit"}))
def test_what_the_rfcs_foresee_can_be_said(cause: str) -> None:
    assert cause in words.OTHER or cause == "normal_close"


def test_sentences_fit_behind_a_colon_and_leave_the_full_stop_to_others() -> None:
    said = [*words.WHY.values(), *words.DO.values(), *(part for pair in words.OTHER.values() for part in pair)]
    assert not [sentence for sentence in said if sentence != sentence.strip() or sentence.endswith(".")]
    assert not [sentence for sentence in said if sentence[0].isupper() and not sentence[1].isupper()]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (-1.2, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7_200, "2 hours"),
        (86_400, "24 hours"),
        (3 * 86_400, "3 days"),
        (364 * 86_400, "364 days"),
        (366 * 86_400, "1 year"),
        (-6.26 * 365.25 * 86_400, "6 years"),
    ],
)
def test_a_span_is_told_in_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert words.span(seconds) == text


def test_a_clock_is_told_against_the_captures() -> None:
    assert words.skew(clock_at(IN_2015)) == "6 years behind the capture"
    assert words.skew(clock_at(NOW + 3_600_000_000_000 * 48)) == "2 days ahead of the capture"
    assert words.skew(clock_at(NOW - 2_000_000_000)) == "in step with the capture"


def test_times_are_told_in_utc_without_more_than_is_known() -> None:
    assert words.moment(IN_2015) == "2015-03-12 05:41:50"
    assert words.day(datetime(2016, 5, 19, 9, 46, 36, tzinfo=UTC)) == "2016-05-19"
    assert words.day(day(2016)) == "2016-01-01"
    assert words.day(None) == "?"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "CN=bmc-17.example.net"),
        ({"subject": "O=Example,C=US"}, "O=Example,C=US"),
        ({"subject": "", "subject_alt_names": ("DNS:a.example",)}, "DNS:a.example"),
        ({"subject": "", "subject_alt_names": ()}, "without a name"),
        ({"subject": None, "subject_alt_names": ()}, "without a name"),
    ],
)
def test_a_certificate_is_called_by_its_common_name(fields: dict[str, str], name: str) -> None:
    assert words.short_name(replace(BMC, **fields)) == name


def test_a_comma_inside_a_name_does_not_cut_it() -> None:
    assert words.short_name(replace(BMC, subject=r"CN=Example\, Inc.,C=US")) == r"CN=Example\, Inc."


def test_a_certificates_validity_is_one_sentence() -> None:
    assert words.validity(IPMI) == "CN=IPMI is valid from 2016-05-19 to 2026-05-17"


def test_the_other_side_of_each_is_its_peer() -> None:
    assert (words.other("client"), words.other("server")) == ("server", "client")


def test_a_sentence_begins_with_a_capital() -> None:
    assert words.capital("the client sent none") == "The client sent none"
    assert words.capital("") == ""
