"""What may be clocks is kept by machine and held against itself (gmt_unix_time, RFC 5246 §7.4.1.2)."""

from __future__ import annotations

import pytest

from tests.wire.packets import SECOND, START
from tlsalert.wire.readings import BESIDE, DRIFT, KEPT, MACHINES, STATES, TOLERANCE, Readings
from tlsalert.wire.transcript import Answer, Event, Transcript

CLIENT, SERVER = b"\x0a\0\0\5", b"\x0a\0\0\7"
#: Side 0 is 10.0.0.5 with port 40112, side 1 is 10.0.0.7 with port 5900.
KEY = CLIENT + SERVER + (40112).to_bytes(2, "big") + (5900).to_bytes(2, "big")
REVERSED = SERVER + CLIENT + KEY[-2:] + KEY[-4:-2]


def shows(time: int, tail: int = 0) -> bytes:
    """Return a random that begins with a clock of ``time`` (nanoseconds since 1970)."""
    return (time // SECOND).to_bytes(4, "big") + tail.to_bytes(28, "big")


def said(at: int, server: bytes = b"", client: bytes = b"", frame: int = 1) -> Transcript:
    """Return a transcript whose hellos were seen at ``at``."""
    transcript = Transcript()
    if server:
        transcript.server_clock = Event(22, 2, 1, frame, at, 70, b"\3\3" + server, False)
    if client:
        transcript.client_clock = Event(22, 1, 0, frame, at, 70, b"\3\3" + client, False)
    return transcript


def agreement(*clocks: tuple[int, int]) -> tuple[int, int]:
    """Return how many readings agree with the first one, and how many there are: (clock, captured at) for each."""
    readings = Readings()
    for tail, (clock, at) in enumerate(clocks):
        readings.note(KEY, 0, said(at, shows(clock, tail)))
    found = readings.server(SERVER, 5900, shows(clocks[0][0], 0))
    assert found is not None
    return found[1], found[2]


def test_a_reading_is_found_by_machine_and_random() -> None:
    readings = Readings()
    readings.note(KEY, 0, said(START, shows(START - 5 * SECOND), shows(START + 7 * SECOND, 9), frame=6))
    found = readings.server(SERVER, 5900, shows(START - 5 * SECOND))
    assert found is not None
    reading, agreeing, known = found
    assert (reading.time, reading.at, reading.frame) == (START // SECOND - 5, START, 6)
    assert reading.offset == (START // SECOND - 5) * SECOND - START
    assert (agreeing, known) == (1, 1)
    client = readings.client(CLIENT, shows(START + 7 * SECOND, 9))
    assert client is not None
    assert client[0].time == START // SECOND + 7


def test_the_same_machine_may_be_either_side_of_a_flow() -> None:
    """A flow whose first packet was the server's has its ends the other way round."""
    readings = Readings()
    readings.note(KEY, 0, said(START, shows(START), shows(START, 5)))
    readings.note(REVERSED, 1, said(START + SECOND, shows(START + SECOND, 1), shows(START + SECOND, 6)))
    server = readings.server(SERVER, 5900, shows(START))
    client = readings.client(CLIENT, shows(START, 5))
    assert server is not None
    assert client is not None
    assert (server[1:], client[1:]) == ((2, 2), (2, 2))


def test_a_server_is_an_address_and_a_port_and_a_client_an_address() -> None:
    """Two services of one address may be two machines behind it; a client takes a new port each time."""
    readings = Readings()
    other = KEY[:8] + (40113).to_bytes(2, "big") + (443).to_bytes(2, "big")
    readings.note(KEY, 0, said(START, shows(START), shows(START, 5)))
    readings.note(other, 0, said(START, shows(START, 1), shows(START, 6)))
    server = readings.server(SERVER, 5900, shows(START))
    client = readings.client(CLIENT, shows(START, 5))
    assert server is not None
    assert client is not None
    assert (server[2], client[2]) == (1, 2)


def test_ipv6_machines_are_known_by_their_address() -> None:
    key = b"\x20\x01" + bytes(14) + b"\x20\x02" + bytes(14) + KEY[-4:]
    readings = Readings()
    readings.note(key, 0, said(START, shows(START), shows(START, 1)))
    assert readings.server(b"\x20\x02" + bytes(14), 5900, shows(START)) is not None
    assert readings.client(b"\x20\x01" + bytes(14), shows(START, 1)) is not None


def test_what_was_not_seen_is_not_found() -> None:
    readings = Readings()
    readings.note(KEY, 0, said(START, shows(START)))
    assert readings.server(SERVER, 5901, shows(START)) is None
    assert readings.server(CLIENT, 5900, shows(START)) is None
    assert readings.server(SERVER, 5900, shows(START, 1)) is None
    assert readings.server(SERVER, 5900, b"") is None
    assert readings.client(CLIENT, shows(START)) is None


@pytest.mark.parametrize("size", [0, 1, 4])
def test_a_random_that_was_cut_before_its_fifth_byte_is_no_reading(size: int) -> None:
    """Four bytes alone could be the random's beginning of anything: nothing would hold them together."""
    readings = Readings()
    readings.note(KEY, 0, said(START, shows(START)[:size], shows(START)[:size]))
    assert (readings.servers, readings.clients) == ({}, {})


def test_readings_that_run_with_the_captures_clock_agree() -> None:
    years = 6 * 365 * 86400 * SECOND
    later = [(START - years + n * 17 * SECOND, START + n * 17 * SECOND + 40_000_000) for n in range(3)]
    assert agreement(*later) == (3, 3)


def test_a_clock_of_whole_seconds_may_be_a_second_off() -> None:
    """And a little more until the packet was captured."""
    assert agreement((START, START), (START + SECOND, START + TOLERANCE - 900_000_000)) == (2, 2)
    assert agreement((START, START), (START, START + TOLERANCE)) == (2, 2)
    assert agreement((START, START), (START, START + TOLERANCE + 2_000_000)) == (1, 2)


def test_a_clock_may_drift() -> None:
    """A part in ten thousand: nine seconds in a day."""
    day = 86_400 * SECOND
    drifted = START + day + 8 * SECOND
    assert agreement((START, START), (drifted, START + day)) == (2, 2)
    assert agreement((START, START), (drifted + 10 * SECOND, START + day)) == (1, 2)
    assert DRIFT == 10_000


def test_random_bytes_agree_with_nobody() -> None:
    noise = [
        (int.from_bytes(bytes((n * 89 & 255, n * 7 & 255, n, n))) * SECOND, START + n * SECOND) for n in range(1, 9)
    ]
    assert agreement((START, START), *noise) == (1, 9)


def test_a_copy_is_no_witness() -> None:
    """The same hello captured twice, on two interfaces say, is one reading."""
    assert agreement((START, START)) == (1, 1)
    readings = Readings()
    for frame in range(5):
        readings.note(KEY, 0, said(START + frame, shows(START), frame=frame))
    found = readings.server(SERVER, 5900, shows(START))
    assert found is not None
    assert (found[0].frame, found[1], found[2]) == (0, 1, 1)


def test_of_one_machine_only_so_many_readings_are_kept() -> None:
    assert agreement(*[(START, START)] * (KEPT + 50)) == (KEPT, KEPT)


def test_only_so_many_machines_are_kept() -> None:
    readings = Readings()
    hello = said(START, shows(START))
    for number in range(MACHINES + 100):
        readings.note(CLIENT + number.to_bytes(4, "big") + KEY[-4:], 0, hello)
    assert len(readings.servers) == MACHINES
    assert readings.server((5).to_bytes(4, "big"), 5900, shows(START)) is not None
    assert readings.server((MACHINES + 5).to_bytes(4, "big"), 5900, shows(START)) is None


def test_a_reading_beyond_those_that_are_kept_is_still_held_against_them() -> None:
    """A long capture of one machine: its last handshakes show the clock as its first ones do."""
    readings = Readings()
    for number in range(KEPT + 10):
        at = START + number * SECOND
        readings.note(KEY, 0, said(at, shows(at, number)))
    last = START + (KEPT + 9) * SECOND
    found = readings.server(SERVER, 5900, shows(last, KEPT + 9), last, 77)
    assert found is not None
    assert (found[0].frame, found[1], found[2]) == (77, KEPT + 1, KEPT + 1)


# --- readings that differ -------------------------------------------------------------------------------------------


def test_next_to_a_reading_are_those_that_differ_from_it() -> None:
    readings = Readings()
    shown = [START, START + SECOND, 0, 50 * SECOND, START + 4 * SECOND]
    for number, clock in enumerate(shown):
        readings.note(KEY, 0, said(START + number * SECOND, shows(clock, number), frame=number))
    beside = readings.beside_server(SERVER, 5900, shows(START, 0))
    assert sorted(int(other.frame) for other in beside) == [2, 3]
    assert readings.beside_server(SERVER, 5901, shows(START, 0)) == []
    assert readings.beside_server(SERVER, 5900, b"") == []


def test_only_some_are_looked_at_the_nearest_first() -> None:
    readings = Readings()
    for number in range(KEPT):
        readings.note(KEY, 0, said(START, b"", shows(number * 1000 * SECOND, number), frame=number))
    beside = readings.beside_client(CLIENT, shows(100_000 * SECOND, 100))
    assert len(beside) == BESIDE
    assert {int(other.frame) for other in beside} == {98, 99, 101, 102}


# --- HTTP dates -----------------------------------------------------------------------------------------------------


def answer(date: int, at: int = START, side: int = 1, frame: int = 1) -> Transcript:
    """Return a transcript in which ``side`` answered in HTTP with a Date (in seconds)."""
    transcript = Transcript()
    transcript.answer = Answer(side, frame, at, b"")
    transcript.answer.date = date
    return transcript


NOW_SECONDS = START // SECOND


def dated(*answers: tuple[bytes, Transcript]) -> Readings:
    readings = Readings()
    for key, transcript in answers:
        readings.note_date(key, transcript)
    return readings


def port_key(port: int) -> bytes:
    return KEY[:10] + port.to_bytes(2, "big")


def test_a_date_is_kept_by_the_address_that_answered() -> None:
    readings = dated((KEY, answer(NOW_SECONDS - 9, frame=7)))
    found = readings.date(SERVER, 5900, START)
    assert found is not None
    assert (found.time, found.at, found.frame, found.many) == (NOW_SECONDS - 9, START, 7, 1)
    assert readings.date(CLIENT, 5900, START) is None
    mirrored = dated((REVERSED, answer(NOW_SECONDS, side=0)))
    assert mirrored.date(SERVER, 5900, START) is not None


def test_another_port_of_the_address_speaks_for_it_where_all_of_them_agree() -> None:
    """Behind one address may be several devices."""
    agree = dated((port_key(80), answer(NOW_SECONDS)), (port_key(8080), answer(NOW_SECONDS + 1, START + SECOND)))
    assert agree.date(SERVER, 443, START) is not None
    differ = dated((port_key(80), answer(NOW_SECONDS)), (port_key(8080), answer(NOW_SECONDS - 10**6)))
    assert differ.date(SERVER, 443, START) is None
    own = differ.date(SERVER, 8080, START)
    assert own is not None
    assert own.time == NOW_SECONDS - 10**6


def test_dates_that_run_on_evenly_are_one_and_a_jump_begins_another() -> None:
    readings = dated(
        (KEY, answer(40, START, frame=1)),
        (KEY, answer(50, START + 10 * SECOND, frame=2)),
        (KEY, answer(NOW_SECONDS + 20, START + 20 * SECOND, frame=3)),
    )
    before, after = readings.dates_before_and_after(SERVER, 5900)
    assert (before.many, before.frame, before.last_frame) == (2, 1, 2)
    assert (after.many, after.time) == (1, NOW_SECONDS + 20)
    assert readings.date(SERVER, 5900, START + 5 * SECOND) is before
    assert readings.date(SERVER, 5900, START + 19 * SECOND) is after


def test_the_same_date_again_later_is_fixed_text_and_no_clock() -> None:
    readings = dated(
        (KEY, answer(40, START)),
        (KEY, answer(40, START + 60 * SECOND)),
        (port_key(80), answer(NOW_SECONDS + 60, START + 60 * SECOND)),
    )
    assert readings.dates_before_and_after(SERVER, 5900) == []
    other = readings.date(SERVER, 5900, START)
    assert other is not None
    assert other.port == 80
    again = dated((KEY, answer(40, START)), (KEY, answer(40, START + SECOND)))
    assert again.date(SERVER, 5900, START) is not None, "a second later a clock may still say the same"


def test_an_answer_without_a_date_is_not_kept() -> None:
    assert dated((KEY, answer(-1)), (KEY, Transcript())).dates == {}


def test_the_states_of_one_address_are_bounded() -> None:
    readings = dated(*((KEY, answer(n * 10_000)) for n in range(STATES + 5)))
    assert len(readings.dates[SERVER]) == STATES


def test_a_server_of_which_two_readings_agree_shows_its_clock_in_others() -> None:
    readings = Readings()
    readings.note(KEY, 0, said(START, shows(START)))
    assert not readings.agree(SERVER, 5900)
    readings.note(KEY, 0, said(START, shows(START)))  # a copy
    readings.note(KEY, 0, said(START + SECOND, shows(50 * SECOND, 1)))
    assert not readings.agree(SERVER, 5900)
    readings.note(KEY, 0, said(START + 2 * SECOND, shows(51 * SECOND, 2)))
    assert readings.agree(SERVER, 5900)
