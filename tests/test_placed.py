"""Places become lines, in data and in sentences; nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

import tlsalert
from tlsalert.model import Connection, Endpoint, Position
from tlsalert.placed import in_lines, worded

CONSOLE = Path(__file__).parents[1] / "captures" / "console.pcap"


@pytest.fixture(scope="module")
def connection() -> Connection:
    return tlsalert.read(CONSOLE).failed[-1]


def test_every_position_is_a_line(connection: Connection) -> None:
    placed = in_lines(connection)
    assert [one.position.line for one in placed.messages] == [one.position.frame for one in connection.messages]
    assert placed.alerts[0].position == Position(line=connection.alerts[0].position.frame)
    assert placed.closed.position is not None
    assert placed.closed.position.frame is None
    assert "frame=1" not in repr(structs.replace(placed, notes=()))
    assert placed.verdict is not None
    assert placed.verdict.evidence[0].position is not None
    assert placed.verdict.evidence[0].position.line is not None


def test_data_and_times_stay(connection: Connection) -> None:
    placed = in_lines(connection)
    assert placed.client_hello is connection.client_hello
    assert placed.certificates is connection.certificates
    assert (placed.start, placed.alerts[0].time) == (connection.start, connection.alerts[0].time)


def test_a_log_without_times_has_none(connection: Connection) -> None:
    placed = in_lines(connection, timed=False)
    assert (placed.start, placed.end, placed.alerts[0].time, placed.clocks.capture) == (None, None, None, None)
    assert {one.time for one in placed.messages} == {None}
    assert placed.clocks.server is not None


def test_an_end_that_nobody_knows_is_none(connection: Connection) -> None:
    unknown = structs.replace(connection, client=Endpoint("0.0.0.1", 0), server=Endpoint("::", 0))
    placed = in_lines(unknown)
    assert (placed.client, placed.server) == (None, None)
    assert in_lines(connection).server == connection.server


def test_of_a_guessed_day_nothing_is_said(connection: Connection) -> None:
    assert connection.verdict is not None
    assert "behind the capture" in str(connection.verdict)
    dated = in_lines(connection)
    assert "behind the log" in str(dated.verdict)
    assert "behind the" not in str(in_lines(connection, dated=False).verdict)


def test_a_certificate_out_of_the_logs_own_files_was_not_given() -> None:
    given = "the client's certificate, as it was given (--client-cert) and not seen: is valid"
    assert "--client-cert" not in worded(given, found=True)
    assert worded(given) == given


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("frame 6: 10 bytes before it are missing", "line 6: 10 bytes before it are missing"),
        ("frames 6 and 7", "lines 6 and 7"),
        ("a frame of glass", "a frame of glass"),
        ("mainframe 6", "mainframe 6"),
        (
            "only 23 were captured (record whole packets: tcpdump -s 0)",
            "only 23 are in the log",
        ),
        ("2 years behind the capture (frame 6)", "2 years behind the log (line 6)"),
        ("The capture ends here", "The log ends here"),
        ("captured by recapture", "captured by recapture"),
    ],
)
def test_sentences_speak_of_lines(says: str, told: str) -> None:
    assert worded(says) == told


def test_ends_that_nobody_knows_are_left_out(connection: Connection) -> None:
    somewhere = structs.replace(connection, client=Endpoint("0.0.0.0", 0))
    placed = in_lines(somewhere)
    assert placed.client is None
    assert placed.server == connection.server
