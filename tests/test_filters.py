"""What ``where`` can ask, and what it says to a question that makes no sense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import tlsalert
from tests import stories
from tests.evidence import CAPTURES
from tlsalert import filters
from tlsalert.connections import Connections
from tlsalert.diagnosis import causes, knowledge, words
from tlsalert.errors import UsageError
from tlsalert.filters import CAUSES, FILTERS, matcher
from tlsalert.model import Endpoint

CONSOLE, GOOD = stories.console(), stories.good()
BOTH = Connections([CONSOLE, GOOD])


@pytest.mark.parametrize(
    "asked",
    [
        {"alert": "bad_certificate"},
        {"alert": "bad-certificate"},
        {"alert": "bad_certificate(42)"},
        {"alert": 42},
        {"alert": "42"},
        {"alert": ["unknown_ca", "bad_certificate"]},
        {"alert_from": "server", "outcome": "failed"},
        {"cause": "certificate_not_yet_valid"},
        {"outcome": "failed"},
        {"outcome": ["failed", "incomplete"]},
        {"refused_by": "server"},
        {"at_fault": "server"},
        {"server": "10.0.0.7"},
        {"server": "10.0.0.7:5900"},
        {"server": ":5900"},
        {"server": "10.0.0.0/29"},
        {"client": "10.0.0.5:40112"},
        {"tls_version": "TLS 1.2", "outcome": "failed"},
        {"tls_version": "1.2", "outcome": "failed"},
        {"cipher_suite": CONSOLE.cipher_suite, "cause": CONSOLE.verdict.cause if CONSOLE.verdict else None},
        {"certificate": "cn=ipmi"},
    ],
    ids=str,
)
def test_the_founding_case_is_found_by(asked: dict[str, Any]) -> None:
    assert BOTH.where(**asked) == (CONSOLE,)


@pytest.mark.parametrize(
    "asked",
    [
        {"alert": "unknown_ca"},
        {"alert": 42, "server": "10.0.0.8"},
        {"server": "10.0.0.7:443"},
        {"server": "10.0.0.8/29", "outcome": "failed"},
        {"tls_version": "TLS 1.0"},
        {"certificate": "CN=nobody"},
    ],
    ids=str,
)
def test_nothing_is_found_where_one_filter_does_not_fit(asked: dict[str, Any]) -> None:
    assert BOTH.where(**asked) == ()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"alrt": 42}, "alrt: there is no such filter; did you mean alert?"),
        ({"zzz": 42}, "zzz: there is no such filter; take one of alert, alert_from"),
        ({"alert": "bad_certifcate"}, "there is no such alert; did you mean bad_certificate or"),
        ({"alert": 256}, "256: there is no such alert"),
        ({"cause": "unkown_ca"}, "no cause is called so; did you mean unknown_ca"),
        ({"outcome": "broken"}, "no outcome is called so; take one of established, failed, incomplete, not_tls"),
        ({"refused_by": "me"}, "no side is called so; take one of client, server"),
        ({"alert_from": "me"}, "no side is called so; take client or server"),
        ({"server": "10.0.0.0/99"}, "this is no network; write it as 10.0.0.0/24"),
        ({"server": "10.0.0.1:99999"}, "ports end at 65535"),
    ],
    ids=str,
)
def test_a_question_without_sense_is_answered_with_a_suggestion(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as raised:
        BOTH.where(**asked)
    assert says in str(raised.value)


def test_a_predicate_and_filters_are_asked_together() -> None:
    assert BOTH.where(lambda one: bool(one.alerts), server="10.0.0.7") == (CONSOLE,)
    assert BOTH.where(lambda one: False, server="10.0.0.7") == ()


@pytest.mark.parametrize(
    "wanted", ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443", "2001:DB8:0::1", "2001:db8::/32"]
)
def test_an_address_of_version_6_is_found_in_any_of_its_forms(wanted: str) -> None:
    six = replace(GOOD, server=Endpoint("2001:db8::1", 443))
    assert matcher(None, {"server": wanted})(six)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ("www.example.org", True),
        ("WWW.Example.Org.", True),
        ("*.example.org", True),
        ("example.org", False),
        (None, False),
    ],
)
def test_a_name_fits_as_names_do(wanted: str | None, fits: bool) -> None:
    assert matcher(None, {"server_name": wanted})(replace(GOOD, server_name="www.example.org")) is fits


def test_none_asks_for_what_is_missing() -> None:
    assert BOTH.where(alert=None) == tuple(one for one in BOTH if not one.alerts)
    assert matcher(None, {"client": None})(stories.bare()) is (stories.bare().client is None)


def test_every_filter_is_told() -> None:
    assert set(filters._FILTERS) == set(FILTERS)
    told = Connections.where.__doc__ or ""
    assert [name for name in FILTERS if f"``{name}``" not in told] == []


def test_every_cause_that_the_diagnosis_knows_can_be_asked_for() -> None:
    known = {*words.WHY, *words.DO, *words.OTHER, *knowledge.FORESEEN, *causes.CLIENT_WEIGHTS, *causes.SERVER_WEIGHTS}
    assert known - set(CAUSES) == set()
    assert len(set(CAUSES)) == len(CAUSES)


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.pcap*")), ids=lambda path: path.name)
def test_every_connection_is_found_by_what_its_own_row_says(path: Path) -> None:
    capture = tlsalert.read(path)
    for one in capture:
        assert one.verdict is not None
        found = capture.where(
            outcome=one.verdict.outcome,
            cause=one.verdict.cause,
            refused_by=one.verdict.refused_by,
            at_fault=one.verdict.at_fault,
            server=str(one.server),
            client=str(one.client),
            server_name=one.server_name,
            tls_version=one.tls_version,
        )
        assert one in list(found)
