"""The verdict on what a log tells in words: who, why, how surely, and whose clock its times are."""

from __future__ import annotations

import pytest
from msgspec import structs

from tlsalert.diagnosis.account import judge_account
from tlsalert.model import Account, Alert, Clock, Closing, Connection, Objection, Position, Side, Verdict
from tlsalert.registry.alerts import AlertDescription, AlertLevel

START = 1_426_138_927_000_000_000  # 2015-03-12 05:42:07


def verdict(connection: Connection) -> Verdict:
    judged = judge_account(connection).verdict
    assert judged is not None
    return judged


def connection(side: Side | None = "server", **account: object) -> Connection:
    return Connection(source="log", connection=0, start=START, account=Account("stunnel", side, **account))  # type: ignore[arg-type]


def objection(cause: str | None, about_certificate: bool = True, **more: object) -> Objection:
    return Objection("words", Position(frame=7), cause, about_certificate, **more)  # type: ignore[arg-type]


def alert(code: int, sender: Side, line: int = 9) -> Alert:
    return Alert(AlertLevel(2), AlertDescription(code), sender, Position(frame=line), START)


@pytest.mark.parametrize(
    ("side", "cause", "fault"),
    [
        ("server", "certificate_not_yet_valid", "server"),
        ("client", "certificate_not_yet_valid", "client"),
        ("server", "certificate_expired", "client"),
        ("client", "certificate_expired", "server"),
        ("server", "unknown_ca", "client"),
        ("client", "unknown_ca", "client"),  # as in captures: the client lacks the CA
        ("server", "revocation_status_unavailable", "server"),
        ("client", "name_mismatch", "server"),
    ],
)
def test_a_sides_own_words_settle_the_cause(side: Side, cause: str, fault: str) -> None:
    found = verdict(connection(side, objections=(objection(cause),)))
    assert (found.outcome, found.refused_by, found.cause, found.at_fault) == ("failed", side, cause, fault)
    assert found.confidence >= 0.95


def test_words_with_two_causes_are_less_sure_and_name_the_other() -> None:
    found = verdict(connection(objections=(objection("unknown_ca", others=("chain_incomplete",)),)))
    assert found.confidence < 0.9
    assert [other.cause for other in found.alternatives] == ["chain_incomplete"]


def test_a_refusal_without_a_reason_is_ranked_and_not_sure() -> None:
    found = verdict(connection(objections=(objection(None),)))
    assert found.refused_by == "server"
    assert found.confidence <= 0.3
    assert {other.cause for other in found.alternatives} >= {"certificate_not_yet_valid", "certificate_expired"}
    assert "log more" in found.advice[0]


def test_the_objection_with_a_cause_decides() -> None:
    found = verdict(connection(objections=(objection(None), objection("certificate_revoked"))))
    assert found.cause == "certificate_revoked"


def test_the_times_are_the_clock_of_the_side_that_writes() -> None:
    judged = judge_account(connection("client", objections=(objection("certificate_not_yet_valid"),)))
    assert judged.clocks.server is None
    assert judged.clocks.client is not None
    assert judged.clocks.client.time == START
    assert judged.clocks.client.source == "the client's own log"
    assert judged.verdict is not None
    assert judged.verdict.advice[0].startswith("Set the client's clock: by its log it said 2015-03-12")


def test_a_clock_that_is_given_counts_more_than_the_logs() -> None:
    given = Clock(1, START, "given", 1.0)
    assert judge_account(connection(), given).clocks.server is given


def test_whose_log_it_is_may_be_unknown() -> None:
    judged = judge_account(connection(None, objections=(objection("certificate_expired"),)))
    assert (judged.clocks.server, judged.clocks.client) == (None, None)


@pytest.mark.parametrize(
    ("code", "sender", "cause"),
    [
        (45, "server", "certificate_expired"),
        (48, "server", "unknown_ca"),
        (44, "server", "certificate_revoked"),
        (116, "server", "no_client_certificate"),
        (48, "client", "unknown_ca"),
        (70, "server", "no_shared_version"),
        (40, "server", "no_client_certificate"),
    ],
)
def test_an_alert_alone_is_ranked(code: int, sender: Side, cause: str) -> None:
    own: Side = "client" if sender == "server" else "server"
    found = verdict(structs.replace(connection(own), alerts=(alert(code, sender),)))
    assert (found.outcome, found.refused_by, found.cause) == ("failed", sender, cause)


def test_a_bare_handshake_failure_is_undecided() -> None:
    found = verdict(structs.replace(connection("client"), alerts=(alert(40, "server"),)))
    assert found.confidence <= 0.5
    assert found.summary.startswith("Undecided")
    assert "no_shared_cipher_suite" in {other.cause for other in found.alternatives}


def test_the_peers_alert_comes_before_what_followed_from_it() -> None:
    """A client that got an alert may complain of its own afterwards."""
    own = connection("client", objections=(structs.replace(objection(None, False), position=Position(frame=12)),))
    found = verdict(structs.replace(own, alerts=(alert(45, "server"),)))
    assert (found.refused_by, found.cause) == ("server", "certificate_expired")


def test_what_went_well_is_established() -> None:
    found = verdict(connection(completed=Position(frame=9)))
    assert found.outcome == "established"


def test_an_alert_after_a_good_handshake_is_no_verdict_on_it() -> None:
    own = structs.replace(connection(completed=Position(frame=3)), tls_version="TLS 1.2")
    assert verdict(structs.replace(own, alerts=(alert(80, "client"),))).outcome == "established"


def test_an_alert_about_a_certificate_is_a_refusal_whenever_it_comes() -> None:
    own = connection("client", completed=Position(frame=3))
    assert verdict(structs.replace(own, alerts=(alert(42, "server"),))).outcome == "failed"


def test_an_objection_that_was_overlooked_is_told() -> None:
    found = verdict(connection(completed=Position(frame=9), objections=(objection("certificate_expired", soft=True),)))
    assert found.outcome == "established"
    assert any("it went on although" in seen.says for seen in found.evidence)


@pytest.mark.parametrize(("how", "cause"), [("fin", "closed_without_alert"), ("rst", "reset_without_alert")])
def test_a_close_is_no_more_than_that(how: str, cause: str) -> None:
    closed = Closing(how, "client", Position(frame=8), START)  # type: ignore[arg-type]
    found = verdict(structs.replace(connection(), closed=closed))
    assert (found.refused_by, found.cause) == ("client", cause)
    assert found.confidence < 0.9


def test_what_failed_without_a_word_is_undecided() -> None:
    found = verdict(connection(failed=Position(frame=8)))
    assert (found.outcome, found.refused_by, found.cause) == ("failed", None, None)


def test_nothing_told_is_incomplete() -> None:
    assert verdict(connection()).outcome == "incomplete"
