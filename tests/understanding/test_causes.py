"""Who sends which alert for what."""

import pytest

from tlsalert.diagnosis.knowledge import SILENT_ON_CAUSE, habit
from tlsalert.understanding.causes import ONE_ANSWER, STACKS, rows, stack_named
from tlsalert.understanding.remedies import SHORT

KNOWN = [code for code in range(256) if rows(code)]


def test_the_alerts_about_certificates_are_known() -> None:
    assert {40, 42, 43, 44, 45, 46, 48, 51, 116} <= set(KNOWN)


@pytest.mark.parametrize("code", KNOWN)
def test_each_row_has_a_known_cause_and_stack_a_condition_and_a_source(code: int) -> None:
    for cause, stack, condition, source in rows(code):
        assert cause in SHORT
        assert stack in STACKS
        assert condition
        assert source


def test_the_founding_surprise_is_an_entry_of_its_own() -> None:
    for code, expected in ((42, "certificate_not_yet_valid"), (45, "certificate_expired")):
        cause, stack, condition, source = rows(code)[0]
        assert (cause, stack) == (expected, "openssl>=1.1.1")
        assert "not yet valid with 42, and only an expired one with 45" in condition
        assert "x509table" in source


@pytest.mark.parametrize(("stack", "code"), [("openssl>=1.1.1", 42), ("nss", 45), ("java", 46), ("rustls", 45)])
def test_the_rows_agree_with_what_was_counted(stack: str, code: int) -> None:
    assert habit(stack, "tls1.2", "certificate_not_yet_valid")[0] == code
    assert "certificate_not_yet_valid" in {row[0] for row in rows(code) if row[1] == stack}


def test_openssl_is_not_said_to_answer_what_is_not_yet_valid_with_45() -> None:
    assert "certificate_not_yet_valid" not in {row[0] for row in rows(45) if row[1].startswith("openssl")}


def test_the_stacks_with_one_answer_are_those_of_diagnosis() -> None:
    assert ONE_ANSWER == SILENT_ON_CAUSE


@pytest.mark.parametrize(
    ("words", "stacks"),
    [
        ("openssl", ("openssl>=1.1.1", "openssl<=1.0.2")),
        ("OpenSSL 3.0", ("openssl>=1.1.1",)),
        ("openssl 1.0.2", ("openssl<=1.0.2",)),
        ("Java", ("java",)),
        ("go", ("go",)),
        ("firefox", ("nss",)),
        ("", ()),
        ("nonsense", ()),
    ],
)
def test_a_stack_is_known_by_many_names(words: str, stacks: tuple[str, ...]) -> None:
    assert stack_named(words) == stacks


def test_an_alert_that_nobody_was_seen_to_send_has_no_rows() -> None:
    assert rows(121) == rows(200) == ()
