"""The rows of errors that programs find themselves."""

from tlsalert.diagnosis.knowledge import STACKS
from tlsalert.understanding.line import understand
from tlsalert.understanding.local_errors import LocalError, rows
from tlsalert.understanding.remedies import SHORT


def test_each_row_is_in_lower_case_with_a_known_stack_and_cause() -> None:
    for row in rows():
        assert row.needle == row.needle.lower()
        assert row.stack is None or row.stack in STACKS
        assert row.cause is None or row.cause in SHORT


def test_each_row_is_reached() -> None:
    """A line of a row's pieces says something, so that no row is shut out by the first look at a line."""
    for row in rows():
        line = " … ".join(row.needle.split("|"))
        assert understand(line, asked=True), row.needle
        assert understand(f"TLS error: {line}"), row.needle
        assert understand(line) or not line.startswith(("tls:", "x509:", "ssl")), row.needle


def test_words_that_others_say_too_need_a_sign_of_tls() -> None:
    assert understand("No name matching the rule") == []
    assert understand("server chose another path") == []


def test_no_row_stands_twice() -> None:
    needles = [row.needle for row in rows()]
    assert len(set(needles)) == len(needles)


def test_a_row_without_more_is_complete() -> None:
    assert LocalError("x", "X", None, None, "unknown_ca").also == ()
