"""Flows that have ended are numbered and sorted into those to be told and those that only count."""

from __future__ import annotations

import random

import pytest

from tests.wire import tls
from tests.wire.dialogues import DIALOGUES
from tests.wire.packets import ACK, FIN, RST, Line, Side
from tlsalert.wire.flow import Flow
from tlsalert.wire.harvest import EACH, Harvest
from tlsalert.wire.tcp import TcpTable

HELLO = tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello()))
FLIGHT = tls.said(tls.message(tls.SERVER_HELLO, tls.server_hello()), tls.message(tls.SERVER_HELLO_DONE))
KEYS = tls.change_cipher_spec() + tls.encrypted(tls.HANDSHAKE, 40)
Turns = list[tuple[Side, bytes]]

GOOD: Turns = [
    ("client", HELLO),
    ("server", FLIGHT),
    ("client", tls.said(tls.message(tls.CLIENT_KEY_EXCHANGE, bytes(66))) + KEYS),
    ("server", KEYS),
    ("client", tls.application_data(100)),
    ("server", tls.application_data(200)),
]
FAREWELL: Turns = [*GOOD, ("client", tls.encrypted(tls.ALERT, 26))]
REFUSED: Turns = [*GOOD[:3], ("server", tls.alert(2, 42))]
MUTE: Turns = [("client", HELLO)]
PLAIN: Turns = [("client", b"GET / HTTP/1.1\r\n\r\n"), ("server", b"HTTP/1.1 200 OK\r\n\r\n")]


def conversation(table: TcpTable, port: int, turns: Turns, ends: int = FIN | ACK) -> None:
    """Let a client on ``port`` and a server say their turns; the server ends it by ``ends``."""
    line = Line(table, ports=(port, 443))
    line.frame = port * 100
    line.open()
    sent = {"client": 0, "server": 0}
    for side, data in turns:
        line.put(side, sent[side], data)
        sent[side] += len(data)
    if ends:
        line.put("server", sent["server"], flags=ends)


def flows(*all_turns: Turns, ends: int = FIN | ACK) -> list[Flow]:
    """Return the flows of conversations from ports 1, 2 …, in the order in which they began."""
    table = TcpTable()
    for port, turns in enumerate(all_turns, 1):
        conversation(table, port, turns, ends)
    table.finish()
    return sorted(table.finished, key=lambda flow: int(flow.number))


def ports(held: list[Flow]) -> list[int]:
    return [int.from_bytes(flow.key[8:10], "big") for flow in held]


def test_where_tls_was_declined_the_flow_is_held_and_numbered() -> None:
    harvest = Harvest(False, False)
    declined = [*DIALOGUES["smtp"].declined]
    harvest.take(flows(PLAIN, declined, REFUSED))
    held = harvest.release()
    assert ports(held) == [2, 3]
    assert harvest.other_streams == 1
    assert [harvest.rank(flow.number) for flow in held] == [0, 1]


def test_where_all_are_wanted_all_tls_is_held() -> None:
    harvest = Harvest(True, False)
    harvest.take(flows(GOOD, PLAIN, REFUSED, FAREWELL))
    assert ports(harvest.release()) == [1, 3, 4]
    assert (harvest.good, harvest.other_streams) == (0, 1)


def test_where_only_failures_are_wanted_the_good_ones_count() -> None:
    harvest = Harvest(False, False)
    harvest.take(flows(GOOD, PLAIN, REFUSED, FAREWELL))
    assert ports(harvest.release()) == [3]
    assert (harvest.good, harvest.other_streams) == (2, 1)


def test_where_alerts_are_wanted_those_with_one_are_held() -> None:
    harvest = Harvest(False, True)
    harvest.take(flows(GOOD, PLAIN, REFUSED, FAREWELL))
    assert ports(harvest.release()) == [3, 4]
    assert (harvest.good, harvest.other_streams) == (1, 1)


@pytest.mark.parametrize("ends", [FIN | ACK, RST])
def test_a_hello_without_an_answer_that_was_ended_is_a_failure(ends: int) -> None:
    harvest = Harvest(False, False)
    harvest.take(flows(MUTE, ends=ends))
    assert ports(harvest.release()) == [1]


def test_a_hello_without_an_answer_in_a_capture_that_ends_is_none() -> None:
    harvest = Harvest(False, False)
    harvest.take(flows(MUTE, ends=0))
    assert (harvest.release(), harvest.good) == ([], 1)


def test_what_went_well_on_one_side_only_is_left_to_the_diagnosis() -> None:
    """Half of a conversation: the other direction went another way."""
    harvest = Harvest(False, False)
    harvest.take(flows([turn for turn in FAREWELL if turn[0] == "client"]))
    assert len(harvest.release()) == 1


def test_connections_come_in_the_order_of_their_first_packets() -> None:
    ended = flows(*[REFUSED] * 20)
    random.Random(5).shuffle(ended)
    harvest = Harvest(True, False)
    for flow in ended:
        harvest.take([flow])
    assert ports(harvest.release()) == list(range(1, 21))


def test_what_was_released_is_held_no_longer() -> None:
    harvest = Harvest(True, False)
    harvest.take(flows(REFUSED))
    assert len(harvest.release()) == 1
    assert harvest.release() == []
    assert harvest.held_bytes == 0


def test_a_connections_number_is_how_many_came_before_it() -> None:
    """Counted from 0, without the streams that are not TLS, whether or not they are told."""
    harvest = Harvest(False, False)
    harvest.take(flows(GOOD, PLAIN, REFUSED, PLAIN, PLAIN, GOOD, REFUSED))
    held = harvest.release()
    assert [harvest.rank(int(flow.number)) for flow in held] == [1, 3]


def test_numbers_are_right_for_any_number_of_flows() -> None:
    """Of every flow one bit is kept; bytes, and blocks of them, begin where they begin."""
    table = TcpTable()
    table.flows = 40_000
    late = Harvest(True, False)
    conversation(table, 1, REFUSED)
    conversation(table, 2, PLAIN)
    for port in range(3, 40):
        conversation(table, port, REFUSED)
    table.finish()
    late.take(table.finished)
    assert [late.rank(int(flow.number)) for flow in late.release()] == list(range(38))


def test_what_is_held_is_about_as_large_as_the_messages_in_it() -> None:
    large: Turns = [("client", HELLO), ("server", tls.said(tls.message(tls.CERTIFICATE, bytes(9000))))]
    harvest = Harvest(True, False)
    harvest.take(flows(large))
    assert EACH + 9000 <= harvest.held_bytes <= EACH + 9000 + len(HELLO)


def test_every_hello_speaks_for_its_machines_clock() -> None:
    """Of the good ones, too: they are the witnesses of the ones that failed."""
    harvest = Harvest(False, False)
    harvest.take(flows(GOOD, REFUSED, PLAIN))
    server, port = b"\x0a\0\0\7", 443
    found = harvest.readings.server(server, port, tls.RANDOM[::-1])
    assert found is not None
    assert harvest.readings.client(b"\x0a\0\0\5", tls.RANDOM) is not None


def test_a_server_that_was_seen_first_is_still_the_server() -> None:
    table = TcpTable()
    Line(table).syn_ack().put("client", 0, HELLO).put("server", 0, FLIGHT)
    table.finish()
    harvest = Harvest(True, False)
    harvest.take(table.finished)
    assert list(harvest.readings.servers) == [b"\x0a\0\0\7" + (5900).to_bytes(2, "big")]
    assert list(harvest.readings.clients) == [b"\x0a\0\0\5"]
