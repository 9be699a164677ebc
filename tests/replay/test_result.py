"""Outcomes as rows, and what a result knows of itself."""

from __future__ import annotations

import pytest

from tests.replay.fake_device import ACCEPTED, FOUNDING, GONE, LOST, alert
from tlsalert.model import Alert, Position
from tlsalert.replay.outcome import STAGES, Accepted, Closed, NotTried, Outcome, Refused, Silent
from tlsalert.replay.result import KINDS, AlertSaid, HelloTold, Result, Row, row_of

UNREAD = Refused("server", "client_certificate", Alert(None, None, "server", Position(7), None, encrypted=True))


@pytest.mark.parametrize(
    ("outcome", "row"),
    [
        (ACCEPTED, Row("v", "TLS 1.2", "accepted", stage="established")),
        (
            Accepted("silence"),
            Row(
                "v",
                "TLS 1.2",
                "accepted",
                stage="established",
                note="the server raised no objection for as long as was waited",
            ),
        ),
        (
            alert(45),
            Row(
                "v",
                "TLS 1.2",
                "refused",
                AlertSaid(45, "certificate_expired", "fatal", "server"),
                stage="client_certificate",
            ),
        ),
        (UNREAD, Row("v", "TLS 1.2", "refused", AlertSaid(None, None, None, "server"), stage="client_certificate")),
        (
            Refused("server", "established", says="HTTP 400"),
            Row("v", "TLS 1.2", "refused", stage="established", note="HTTP 400"),
        ),
        (Closed("fin", "server_hello"), Row("v", "TLS 1.2", "closed", how="fin", stage="server_hello")),
        (
            LOST,
            Row(
                "v",
                "TLS 1.2",
                "closed",
                how="rst",
                stage="client_certificate",
                note="an alert was probably sent and lost in the reset",
            ),
        ),
        (Silent(5.0, "client_hello"), Row("v", "TLS 1.2", "silent", stage="client_hello", note="nothing came for 5 s")),
        (
            Silent(5.0, "client_hello", "more than 1000 messages"),
            Row("v", "TLS 1.2", "silent", stage="client_hello", note="more than 1000 messages"),
        ),
        (GONE, Row("v", "TLS 1.2", "unreachable", note="connection refused")),
        (NotTried("needs the CA's key"), Row("v", "TLS 1.2", "not_tried", note="needs the CA's key")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_outcome_is_a_row(outcome: Outcome, row: Row) -> None:
    assert row_of("v", "TLS 1.2", outcome) == row
    assert row.outcome in KINDS
    assert row.stage in STAGES


def test_an_unlisted_alert_keeps_its_number() -> None:
    said = row_of("v", "TLS 1.2", alert(200)).alert
    assert said is not None
    assert (said.code, str(said)) == (200, "unlisted (200)")


def test_notes_are_not_compared_save_where_only_they_tell() -> None:
    def answer(outcome: Outcome, note: str | None = None) -> object:
        return row_of("v", "TLS 1.2", outcome, note).answer

    assert answer(alert(45), "flaky") == answer(alert(45))
    assert answer(alert(45)) != answer(alert(48))
    assert answer(alert(45)) != answer(alert(45, level=1))
    assert answer(NotTried("one reason")) == answer(NotTried("another"))
    in_words = [answer(Refused("server", "established", says=f"HTTP {code}")) for code in (400, 403)]
    assert in_words[0] != in_words[1]


def test_it_was_reached_unless_every_trial_says_otherwise() -> None:
    gone, good = row_of("a", "TLS 1.2", GONE), row_of("b", "TLS 1.2", ACCEPTED)
    skipped = row_of("c", "TLS 1.2", NotTried("x"))
    hello = HelloTold("x")
    assert not Result("t", hello, (gone, skipped)).reached
    assert Result("t", hello, (gone, good)).reached
    assert Result("t", hello, (skipped,)).reached


def test_the_compared_part_has_nothing_that_moves() -> None:
    result = Result("t", HelloTold("x"), (), FOUNDING.verdict, FOUNDING.clock, notes=("interrupted",))
    part = result.compared_part()
    assert (part.verdict, part.clock, part.notes) == (None, None, ())


def test_a_row_is_found_by_its_place() -> None:
    row = row_of("expired", "TLS 1.2", alert(45))
    result = Result("t", HelloTold("x"), (row,))
    assert result.row("expired", "TLS 1.2") is row
    assert result.row("expired", "TLS 1.3") is None


def test_notebooks_show_a_table_in_which_names_are_only_text() -> None:
    html = Result("<b>", HelloTold("x"), (row_of("expired", "TLS 1.2", alert(45)),))._repr_html_()
    assert "&lt;b&gt;" in html
    assert "certificate_expired (45)" in html
