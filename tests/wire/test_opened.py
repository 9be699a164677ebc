"""What was in protected records takes its place among what was in clear, marked as decrypted."""

from __future__ import annotations

import pytest

from tlsalert.wire.opened import INSIDE, Opened, opened_well
from tlsalert.wire.transcript import ALERT, APPLICATION_DATA, HANDSHAKE, TLS13, Event, Transcript

FINISHED = b"\x14\x00\x00\x20" + bytes(32)


def item(side: int, frame: int, kind: int = APPLICATION_DATA, code: int = -1, length: int = 50) -> Event:
    return Event(kind, code, side, frame, frame, length, b"", False)


def opened() -> Opened:
    outer = Transcript()
    outer.version, outer.client_side, outer.tls = TLS13, 0, True
    return Opened(outer)


def well(answer: bytes = b"answer") -> Opened:
    """Return a handshake and an exchange, all of it opened."""
    made = opened()
    made.leave(item(0, 1, HANDSHAKE, 1))
    made.leave(item(1, 2, HANDSHAKE, 2))
    made.take(item(1, 3), HANDSHAKE, FINISHED)
    made.take(item(0, 4), HANDSHAKE, FINISHED)
    made.take(item(0, 5), APPLICATION_DATA, b"question")
    made.take(item(1, 6), APPLICATION_DATA, answer)
    return made


def test_a_message_that_lies_in_two_records_comes_out_once() -> None:
    made = opened()
    made.take(item(1, 3), HANDSHAKE, FINISHED[:10])
    made.take(item(1, 4), HANDSHAKE, FINISHED[10:])
    made.finish()
    (event,) = made.outer.events
    assert (event.code, event.frame, event.decrypted, event.cut) == (20, 4, True, False)


def test_a_gap_ends_the_message_in_the_making_and_a_note_says_so() -> None:
    made = opened()
    made.take(item(1, 3), HANDSHAKE, FINISHED[:10])
    made.gap(item(1, 4, kind=0))
    made.take(item(1, 5), HANDSHAKE, FINISHED)
    made.finish()
    assert [(event.code, event.cut) for event in made.outer.events] == [(20, True), (20, False)]
    (note,) = made.outer.notes
    assert "only 6 were captured" in note


def test_alerts_inside_are_counted_and_application_data_is_a_record() -> None:
    made = well()
    made.take(item(1, 7), ALERT, b"\x02\x2a")
    made.leave(item(1, 8))
    made.finish()
    outer = made.outer
    assert [(event.code, event.decrypted) for event in outer.events if event.kind == ALERT] == [(2 << 8 | 42, True)]
    assert outer.alerts == 1
    assert [(event.frame, event.decrypted) for event in outer.records] == [(5, True), (6, True), (8, False)]
    assert (outer.records_a, outer.records_b) == (1, 2)


def test_of_application_data_only_the_beginning_is_kept() -> None:
    made = well(bytes(INSIDE))
    made.take(item(1, 9), APPLICATION_DATA, b"more")
    made.finish()
    assert made.outer.inside == [b"question", bytes(INSIDE)]


def test_the_date_inside_is_the_servers_clock() -> None:
    made = well(b"HTTP/1.1 200 OK\r\nDate: Thu, 12 Mar 2015 05:41:50 GMT\r\n\r\n")
    made.finish()
    assert made.outer.answer is not None
    assert (int(made.outer.answer.side), int(made.outer.answer.date)) == (1, 1426138910)


@pytest.mark.parametrize("answer", [b"answer", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_handshake_and_an_exchange_went_well(answer: bytes) -> None:
    made = well(answer)
    made.take(item(0, 7), ALERT, b"\x01\x00")
    made.finish()
    assert opened_well(made.outer)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        pytest.param(ALERT, b"\x02\x2a", id="a refusal"),
        pytest.param(ALERT, b"\x01\x5a", id="a warning"),
        pytest.param(HANDSHAKE, FINISHED, id="another Finished"),
    ],
)
def test_what_else_was_said_asks_for_the_whole_diagnosis(kind: int, data: bytes) -> None:
    made = well()
    made.take(item(1, 7), kind, data)
    made.finish()
    assert not opened_well(made.outer)


def test_a_record_that_stays_shut_asks_for_it_too() -> None:
    made = well()
    made.leave(item(1, 7, ALERT))
    made.finish()
    assert not opened_well(made.outer)


def test_and_so_does_an_answer_that_refuses() -> None:
    made = well(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    made.finish()
    assert not opened_well(made.outer)


def test_a_client_that_nobody_answered_did_not_surely_go_well() -> None:
    made = opened()
    made.leave(item(0, 1, HANDSHAKE, 1))
    made.take(item(1, 3), HANDSHAKE, FINISHED)
    made.take(item(1, 4), APPLICATION_DATA, b"early")  # before the client's Finished: it proves nothing
    made.take(item(0, 5), HANDSHAKE, FINISHED)
    made.take(item(0, 6), APPLICATION_DATA, b"question")
    made.finish()
    assert not opened_well(made.outer)
