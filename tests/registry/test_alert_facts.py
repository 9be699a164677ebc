"""Every listed alert has its facts, and they agree with the tables."""

import csv
import re
from pathlib import Path

import pytest

from tlsalert.registry.alert_facts import ALL, FACTS
from tlsalert.registry.alerts import AlertDescription

TABLE = Path(__file__).parents[2] / "tools" / "iana" / "alert_descriptions.csv"

each_alert = pytest.mark.parametrize("alert", list(AlertDescription), ids=str)


def test_all_listed_alerts_are_told_of_and_no_other() -> None:
    assert set(FACTS) == set(AlertDescription)


def test_the_sources_are_those_of_the_table() -> None:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    sources = {row["Name"]: row["Reference"] for row in csv.DictReader(lines)}
    assert sources == {alert.name: facts.rfc for alert, facts in FACTS.items()}


@each_alert
def test_a_source_names_document_and_section(alert: AlertDescription) -> None:
    assert re.fullmatch(r"(RFC \d{4,5}|draft-[a-z0-9-]+) §\d+(\.\d+)*", FACTS[alert].rfc)


@each_alert
def test_versions_are_known_ones_in_their_order(alert: AlertDescription) -> None:
    versions = FACTS[alert].versions
    assert [version for version in ALL if version in versions] == list(versions)


@each_alert
def test_the_meaning_is_one_to_three_sentences(alert: AlertDescription) -> None:
    meaning = FACTS[alert].meaning
    assert meaning[0].isupper()
    assert meaning.endswith(".")
    assert 1 <= len(re.findall(r"[.?](?= |$)", meaning)) <= 3
    assert len(meaning) <= 280


@each_alert
def test_one_to_three_hints_tell_what_to_check_next(alert: AlertDescription) -> None:
    hints = FACTS[alert].next
    assert 1 <= len(hints) <= 3
    assert all(hint == hint.strip() and not hint.endswith(".") for hint in hints)


@each_alert
def test_an_alert_that_tls_1_3_lacks_says_why(alert: AlertDescription) -> None:
    facts = FACTS[alert]
    assert "TLS 1.3" in facts.versions or facts.note


@pytest.mark.parametrize(
    ("alert", "severity"),
    [
        pytest.param(AlertDescription.close_notify, "warning", id="RFC 8446 §6.1"),
        pytest.param(AlertDescription.user_canceled, "warning", id="RFC 5246 §7.2.2: generally a warning"),
        pytest.param(AlertDescription.no_renegotiation, "warning", id="RFC 5246 §7.2.2: always a warning"),
        pytest.param(AlertDescription.unknown_ca, "always fatal", id="RFC 5246 §7.2.2: always fatal"),
        pytest.param(AlertDescription.bad_certificate, "usually fatal", id="RFC 5246 does not say"),
        pytest.param(AlertDescription.unrecognized_name, "fatal or warning", id="RFC 6066 §3"),
    ],
)
def test_severity_is_that_of_the_rfc(alert: AlertDescription, severity: str) -> None:
    assert FACTS[alert].severity == severity


def test_alerts_younger_than_sslv3_are_not_told_of_sslv3() -> None:
    # RFC 6101 §5.4: SSLv3 has these descriptions only; RFC 7507 brings 86 to it.
    sslv3 = {0, 10, 20, 30, 40, 41, 42, 43, 44, 45, 46, 47, 86}
    assert {int(alert) for alert, facts in FACTS.items() if "SSLv3" in facts.versions} == sslv3
