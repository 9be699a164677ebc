"""The protocol before TLS is named, with the frames in which TLS was asked for, begun or declined."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.dialogues import ALWAYS, DIALOGUES, HELLO, TLS, TOLD, WRAPPED, Turns, every, joined
from tests.wire.packets import Line
from tests.wire.reading import Talk, told, without_positions
from tlsalert.model import Position
from tlsalert.wire.before import before
from tlsalert.wire.flow import Flow


def talk(turns: Turns) -> Talk:
    """Return what was read of turns, each a frame of its own."""
    said = Talk()
    for side, data in turns:
        (said.client if side == "client" else said.server)(data)
    return said.end()


def over_tcp(turns: Turns, cuts: set[int]) -> Flow:
    """Send turns over TCP, each cut in the same places."""
    line = Line().open()
    sent = {"client": 0, "server": 0}
    for side, data in turns:
        bounds = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
        for start, stop in pairwise(bounds):
            line.put(side, sent[side] + start, data[start:stop])
        sent[side] += len(data)
    return line.end()


@pytest.mark.parametrize("name", every())
def test_each_way_to_tls_is_named_and_all_of_tls_is_read(name: str) -> None:
    said = talk(every()[name])
    assert said.told == TOLD
    assert said.notes == []
    protocol, preamble = before(said.transcript, 0)
    assert protocol == name
    assert preamble is not None
    assert preamble.refusal is None
    assert preamble.answer == b""
    if name not in WRAPPED:
        frames = len(every()[name]) - len(TLS)
        assert preamble.until == Position(frames)


@pytest.mark.parametrize("name", every())
@given(cuts=st.sets(st.integers(1, 900), max_size=25))
@settings(max_examples=15, deadline=None)
def test_nothing_depends_on_the_slices(name: str, cuts: set[int]) -> None:
    flow = over_tcp(every()[name], cuts)
    assert flow.transcript is not None
    assert told(flow.transcript) == TOLD
    assert flow.transcript.notes == []
    assert before(flow.transcript, 0)[0] == name
    whole = over_tcp(every()[name], set())
    assert whole.transcript is not None
    assert without_positions(flow.transcript) == without_positions(whole.transcript)
    assert (flow.transcript.plain_a, flow.transcript.plain_b) == (whole.transcript.plain_a, whole.transcript.plain_b)


@pytest.mark.parametrize("name", every())
def test_bytes_may_come_one_by_one(name: str) -> None:
    flow = over_tcp(every()[name], set(range(1, 2000)))
    assert flow.transcript is not None
    assert told(flow.transcript) == TOLD
    assert before(flow.transcript, 0)[0] == name


@pytest.mark.parametrize("name", ["proxy-v1", "proxy-v2"])
def test_a_hello_may_follow_a_proxys_header_in_one_segment(name: str) -> None:
    said = talk(joined(ALWAYS[name] + TLS))
    assert said.told == TOLD
    assert before(said.transcript, 0)[0] == name
    assert said.transcript.plain_a == ALWAYS[name][0][1]


def test_a_client_need_not_wait_for_the_servers_word() -> None:
    """A hello in one segment with STARTTLS: what the server says then is about the command."""
    *opening, (_, command), (_, ready) = DIALOGUES["smtp"].accepted
    said = talk([*opening, ("client", command + HELLO), ("server", ready), *TLS[1:]])
    assert said.told == TOLD
    protocol, preamble = before(said.transcript, 0)
    assert protocol == "smtp"
    assert preamble is not None
    assert (preamble.asked, preamble.answer) == (Position(4), b"")


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_server_that_declines_is_quoted_with_frames(name: str) -> None:
    turns = DIALOGUES[name].declined
    said = talk(turns)
    assert said.transcript.declined
    protocol, preamble = before(said.transcript, 0)
    assert protocol == name
    assert preamble is not None
    assert preamble.refusal == DIALOGUES[name].says
    assert preamble.refused == Position(len(turns))
    assert preamble.asked is not None


@pytest.mark.parametrize("name", DIALOGUES)
@given(cuts=st.sets(st.integers(1, 200), max_size=10))
@settings(max_examples=10, deadline=None)
def test_a_refusal_does_not_depend_on_the_slices(name: str, cuts: set[int]) -> None:
    flow = over_tcp(DIALOGUES[name].declined, cuts)
    assert flow.transcript is not None
    assert flow.transcript.declined
    preamble = before(flow.transcript, 0)[1]
    assert preamble is not None
    assert preamble.refusal == DIALOGUES[name].says


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_server_that_accepts_declines_nothing(name: str) -> None:
    assert not talk(DIALOGUES[name].accepted).transcript.declined


def test_a_refusal_of_something_else_is_none_of_tls() -> None:
    *opening, command, ready = DIALOGUES["smtp"].accepted
    opening[1:1] = [("client", b"EHLO\r\n"), ("server", b"501 5.5.4 what?\r\n")]
    assert not talk([*opening, command, ready]).transcript.declined


def test_a_server_that_is_not_asked_declines_nothing() -> None:
    turns: Turns = [("server", b"220 mx\r\n"), ("client", b"EHLO me\r\n"), ("server", b"250 mx\r\n")]
    turns += [("client", b"MAIL FROM:<a@b>\r\n"), ("server", b"530 5.7.0 Must issue a STARTTLS command first\r\n")]
    assert not talk(turns).transcript.declined


def test_what_the_far_end_of_a_tunnel_says_is_an_answer() -> None:
    refused = b"SSH-2.0-OpenSSH_9.2\r\n"
    said = talk([*DIALOGUES["http-connect"].accepted, ("client", HELLO), ("server", refused)])
    _, preamble = before(said.transcript, 0)
    assert preamble is not None
    assert (preamble.answer, preamble.answered) == (refused, Position(4))


def test_what_a_server_says_behind_a_proxys_header_is_an_answer() -> None:
    page = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    said = talk([*ALWAYS["proxy-v1"], ("client", HELLO), ("server", page)])
    _, preamble = before(said.transcript, 0)
    assert preamble is not None
    assert preamble.answer == page


@pytest.mark.parametrize(
    "turns",
    [
        pytest.param(TLS, id="bare TLS"),
        pytest.param([("client", HELLO), ("server", b"220 mx ESMTP\r\n")], id="a greeting for an answer"),
        pytest.param([("client", b"GET / HTTP/1.0\r\n\r\n"), ("server", b"HTTP/1.0 200 OK\r\n\r\n")], id="no TLS"),
        pytest.param([*TLS, ("client", b"\x05\x01\x00\x05\x01\x00")], id="noise behind TLS"),
    ],
)
def test_where_nothing_comes_before_tls_no_protocol_is_named(turns: Turns) -> None:
    assert before(talk(turns).transcript, 0) == (None, None)
