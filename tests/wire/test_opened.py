"""What decryption brought to light takes its place among what was in clear, and shows what surely went well."""

from __future__ import annotations

import pytest

from tlsalert.wire.opened import INSIDE, Opened, dated_answer, opened_well
from tlsalert.wire.transcript import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, Event, Transcript

CLIENT, SERVER = 0, 1
TLS12, TLS13 = 0x0303, 0x0304
CLIENT_HELLO, SERVER_HELLO, TICKET, CERTIFICATE_REQUEST, FINISHED = 1, 2, 4, 13, 20
CLOSE_NOTIFY, BAD_CERTIFICATE = 1 << 8, 2 << 8 | 42
DATED = b"HTTP/1.1 200 OK\r\nDate: Thu, 12 Mar 2015 05:41:50 GMT\r\n"


def event(kind: int, code: int, side: int, frame: int, length: int = 100) -> Event:
    return Event(kind, code, side, frame, frame * 1000, length, b"", False)


def said(code: int, side: int, frame: int) -> Event:
    return event(HANDSHAKE, code, side, frame)


def record(side: int, frame: int, length: int = 100, opened: bool = True) -> Event:
    made = event(APPLICATION_DATA, -1, side, frame, length)
    if opened:
        made.mark_decrypted()
    return made


def transcript(version: int, events: list[Event], records: list[Event]) -> Transcript:
    made = Transcript()
    made.version, made.client_side, made.inside = version, CLIENT, [b"", b"ok"]
    made.retell(events, records)
    return made


HANDSHAKE_13 = [
    said(CLIENT_HELLO, CLIENT, 1), said(SERVER_HELLO, SERVER, 2), said(CERTIFICATE_REQUEST, SERVER, 2),
    said(FINISHED, SERVER, 2), said(FINISHED, CLIENT, 3),
]  # fmt: skip
HANDSHAKE_12 = [
    said(CLIENT_HELLO, CLIENT, 1), said(SERVER_HELLO, SERVER, 2), event(CHANGE_CIPHER_SPEC, 1, CLIENT, 3),
    said(FINISHED, CLIENT, 3), event(CHANGE_CIPHER_SPEC, 1, SERVER, 4), said(FINISHED, SERVER, 4),
]  # fmt: skip
DATA = [record(CLIENT, 4), record(SERVER, 5)]
FAREWELL = event(ALERT, CLOSE_NOTIFY, CLIENT, 9, 2)


# --- what went well -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "events", "records"),
    [
        pytest.param(TLS13, HANDSHAKE_13, DATA, id="TLS 1.3"),
        pytest.param(TLS13, [*HANDSHAKE_13, said(TICKET, SERVER, 4), FAREWELL], DATA, id="a ticket and a farewell"),
        pytest.param(TLS13, [said(CLIENT_HELLO, CLIENT, 1), *HANDSHAKE_13], DATA, id="a hello that was sent again"),
        pytest.param(TLS12, HANDSHAKE_12, DATA, id="TLS 1.2"),
        pytest.param(TLS12, [*HANDSHAKE_12, FAREWELL], [], id="TLS 1.2 without data"),
    ],
)
def test_a_whole_handshake_and_no_refusal_went_well(version: int, events: list[Event], records: list[Event]) -> None:
    assert opened_well(transcript(version, events, records))


@pytest.mark.parametrize(
    ("version", "events", "records"),
    [
        pytest.param(TLS13, [*HANDSHAKE_13, event(ALERT, BAD_CERTIFICATE, SERVER, 6, 2)], DATA, id="an alert"),
        pytest.param(TLS13, HANDSHAKE_13, [], id="no answer"),
        pytest.param(TLS13, HANDSHAKE_13, [record(SERVER, 2), record(CLIENT, 4)], id="an answer before Finished"),
        pytest.param(TLS13, HANDSHAKE_13, [*DATA, record(SERVER, 6, 19, False)], id="what may be an alert at the end"),
        pytest.param(TLS13, HANDSHAKE_13, [record(SERVER, 5, opened=False)], id="an answer that stays shut"),
        pytest.param(TLS13, HANDSHAKE_13, [record(SERVER, 5, 40)], id="an answer as short as an alert"),
        pytest.param(TLS13, HANDSHAKE_13[:-1], DATA, id="no Finished"),
        pytest.param(TLS13, [*HANDSHAKE_13, said(CERTIFICATE_REQUEST, SERVER, 5)], DATA, id="asked for later"),
        pytest.param(TLS12, [*HANDSHAKE_12, *HANDSHAKE_12], DATA, id="a renegotiation"),
        pytest.param(TLS12, [*HANDSHAKE_12, said(CLIENT_HELLO, CLIENT, 6)], DATA, id="the beginning of one"),
        pytest.param(TLS12, [*HANDSHAKE_12, event(ALERT, -1, SERVER, 6)], DATA, id="an alert that stays shut"),
        pytest.param(TLS12, [*HANDSHAKE_12, event(ALERT, 1 << 8 | 100, SERVER, 6)], DATA, id="no_renegotiation"),
        pytest.param(TLS12, HANDSHAKE_12[:-2], DATA, id="half of a handshake"),
    ],
)
def test_anything_else_is_for_the_diagnosis(version: int, events: list[Event], records: list[Event]) -> None:
    assert not opened_well(transcript(version, events, records))


def test_so_is_what_was_not_opened_or_has_a_note() -> None:
    shut = transcript(TLS13, HANDSHAKE_13, DATA)
    shut.inside = None
    noted = transcript(TLS13, HANDSHAKE_13, DATA)
    noted.note("frame 7: something is odd")
    unknown = transcript(TLS13, HANDSHAKE_13, DATA)
    unknown.client_side = -1
    assert [opened_well(one) for one in (shut, noted, unknown)] == [False, False, False]


# --- what is put in its place ---------------------------------------------------------------------------------------


def test_messages_alerts_and_data_stand_where_their_records_stood() -> None:
    outer = Transcript()
    opened = Opened(outer)
    opened.leave(said(CLIENT_HELLO, CLIENT, 1))
    opened.take(record(SERVER, 2), HANDSHAKE, b"\x08\0\0\2\0\0" + b"\x14\0\0\4abcd")
    opened.take(record(SERVER, 3), APPLICATION_DATA, b"hello")
    opened.leave(record(CLIENT, 4, opened=False))
    opened.take(record(SERVER, 5), ALERT, b"\x02\x2a")
    opened.finish()
    assert [(int(e.kind), int(e.code), int(e.frame), e.decrypted) for e in outer.events] == [
        (HANDSHAKE, CLIENT_HELLO, 1, False),
        (HANDSHAKE, 8, 2, True),
        (HANDSHAKE, FINISHED, 2, True),
        (ALERT, BAD_CERTIFICATE, 5, True),
    ]
    assert [(int(r.frame), r.decrypted) for r in outer.records] == [(3, True), (4, False)]
    assert outer.inside == [b"", b"hello"]
    assert outer.alerts == 1


def test_a_message_over_a_gap_is_told_as_cut() -> None:
    outer = Transcript()
    opened = Opened(outer)
    opened.take(record(SERVER, 2), HANDSHAKE, b"\x0b\0\0\x09abcd")
    opened.gap(event(0, -1, SERVER, 3))
    opened.finish()
    assert [(int(e.code), e.cut, e.body) for e in outer.events] == [(11, True, b"abcd")]
    assert [note for note in outer.notes if "only 4 were captured" in note] == outer.notes != []


def test_only_the_beginning_of_the_data_is_kept() -> None:
    outer = Transcript()
    opened = Opened(outer)
    for frame in range(3):
        opened.take(record(SERVER, frame), APPLICATION_DATA, bytes(INSIDE - 1))
    opened.finish()
    assert outer.inside == [b"", bytes(INSIDE)]


def dated(outer: Transcript, frame: int, head: bytes) -> tuple[int, int, int] | None:
    """Return side, frame and Date of the answer that is known when a server has said so much."""
    dated_answer(outer, record(SERVER, frame), head)
    answer = outer.answer
    return None if answer is None else (int(answer.side), int(answer.frame), int(answer.date))


def test_the_date_of_an_answer_is_read_when_its_head_is_whole() -> None:
    outer = Transcript()
    assert dated(outer, 7, DATED) is None
    assert dated(outer, 8, DATED + b"\r\n") == (SERVER, 8, 1_426_138_910)


def test_the_first_answer_counts_and_nothing_but_http_is_one() -> None:
    outer = Transcript()
    assert dated(outer, 7, b"220 ready\r\n\r\n") is None
    first = dated(outer, 8, DATED + b"\r\n")
    assert first is not None
    assert dated(outer, 9, DATED.replace(b"2015", b"2016") + b"\r\n") == first
