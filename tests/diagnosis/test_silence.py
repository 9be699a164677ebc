"""Who owed the next word, and how long the other side waited."""

from __future__ import annotations

import pytest

from tests.diagnosis.handshakes import (
    ANSWER,
    ANSWER_13,
    FLIGHT,
    HELLO,
    HELLO_13,
    NOW,
    judged,
    replace,
    spoken,
    spoken_13,
)
from tlsalert.diagnosis.ending import ending
from tlsalert.diagnosis.silence import Silence, half, silence
from tlsalert.model import Connection, Extension


def silent(connection: Connection) -> Silence | None:
    return silence(connection, ending(connection))


def closing_after(connection: Connection, seconds: float) -> Connection:
    """Return the connection closed that long after the last that was said."""
    last = max(m.time or 0 for m in connection.messages)
    return replace(connection, closed=replace(connection.closed, time=last + int(seconds * 10**9)))


@pytest.mark.parametrize(
    ("lines", "owing", "said"),
    [
        ((HELLO,), "server", "the server did not answer the ClientHello"),
        ((HELLO, FLIGHT), "client", "the client did not answer the server's flight"),
        ((HELLO, FLIGHT, ANSWER), "server", "the server did not answer the client's flight"),
        ((HELLO, "server server_hello"), "server", "the server did not go on after the beginning of its flight"),
    ],
)
def test_the_last_flight_tells_who_has_to_answer(lines: tuple[str, ...], owing: str, said: str) -> None:
    found = silent(spoken(*lines))
    assert found is not None
    assert (found.owing, found.said) == (owing, said)


def test_in_tls_1_3_the_client_has_to_answer_the_encrypted_flight() -> None:
    found = silent(spoken_13(HELLO, HELLO_13))
    assert found is not None
    assert found.owing == "client"
    found = silent(spoken_13(HELLO, HELLO_13, ANSWER_13))
    assert found is not None
    assert (found.owing, found.what) == ("server", "the client's flight")


@pytest.mark.parametrize(
    ("lines", "sender", "summary"),
    [
        (
            (HELLO, "client fin"),
            "client",
            "The server did not answer the ClientHello; the client gave up after 30 seconds.",
        ),
        (
            (HELLO, "client rst"),
            "client",
            "The server did not answer the ClientHello; the client gave up after 30 seconds.",
        ),
        (
            (HELLO, FLIGHT, "server fin"),
            "server",
            "The client did not answer the server's flight; the server gave up after 30 seconds.",
        ),
        (
            (HELLO, FLIGHT, ANSWER, "client fin"),
            "client",
            "The server did not answer the client's flight; the client gave up after 30 seconds.",
        ),
    ],
)
def test_who_waits_and_leaves_gave_up(lines: tuple[str, ...], sender: str, summary: str) -> None:
    verdict = judged(closing_after(spoken(*lines), 30))
    assert (verdict.cause, verdict.refused_by, verdict.summary) == ("timed_out", sender, summary)
    assert "after 30 seconds" in verdict.evidence[-1].says


def test_who_leaves_at_once_was_not_waiting() -> None:
    verdict = judged(closing_after(spoken(HELLO, "client fin"), 0.2))
    assert verdict.cause == "closed_without_alert"
    assert (
        verdict.summary
        == "The client closed the connection without an alert, before the server had answered the ClientHello."
    )
    assert "scanners" in verdict.advice[0]


def test_a_client_that_answered_the_servers_flight_has_accepted_its_certificate() -> None:
    verdict = judged(closing_after(spoken(HELLO, FLIGHT, ANSWER, "client rst"), 0.2))
    causes = {verdict.cause, *(other.cause for other in verdict.alternatives)}
    assert causes == {"reset_without_alert", "timed_out"}


def test_a_side_that_speaks_alone_in_the_capture_was_captured_alone() -> None:
    assert half(spoken(HELLO, ANSWER)) == "client"
    assert half(spoken(FLIGHT)) == "server"
    assert half(spoken(HELLO, FLIGHT)) is None
    assert half(spoken(HELLO)) is None
    assert silent(spoken(HELLO, ANSWER)) is None


def test_early_data_are_not_half_a_capture() -> None:
    """RFC 8446 §4.2.10: they follow the ClientHello at once."""
    story = spoken(HELLO, "client record:100", version=None)
    assert half(story) == "client"
    assert story.client_hello is not None
    early = replace(story.client_hello, extensions=(Extension(42, b""),))
    assert half(replace(story, client_hello=early)) is None


def test_nothing_said_is_nothing_owed() -> None:
    assert silent(Connection(source="made by hand", connection=0, start=NOW)) is None
