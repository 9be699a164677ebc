"""Segments in any order become each direction's bytes in order, or a gap that is told (RFC 9293)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire import tls
from tests.wire.packets import ACK, FIN, RST, SECOND, START, SYN, Line, Side
from tests.wire.reading import bodies, told, told_records
from tlsalert.wire import tcp
from tlsalert.wire.tcp import (
    LINGER,
    MAX_FINISHED,
    MAX_RESET,
    MAX_WAITING,
    MAX_WAITING_BYTES,
    PATIENCE,
    Flow,
    Half,
    TcpTable,
)

HELLO = tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello()))
FLIGHT = tls.said(
    tls.message(tls.SERVER_HELLO, tls.server_hello()),
    tls.message(tls.CERTIFICATE, tls.certificate_list(b"\x30" * 3000)),
    tls.message(tls.SERVER_HELLO_DONE),
)
ALERT = tls.alert(2, 42)
FLIGHT_TOLD = ["server server_hello", "server certificate", "server server_hello_done"]
STORY = ["client client_hello", *FLIGHT_TOLD, "client alert 2 42"]
#: The server's flight in segments: offset and bytes.
SEGMENTS = [(at, FLIGHT[at : at + 500]) for at in range(0, len(FLIGHT), 500)]


def begun(numbers: tuple[int, int] = (1000, 9000)) -> Line:
    """Return a line that was opened and on which the client said hello."""
    return Line(numbers=numbers).open().put("client", 0, HELLO)


def lines(flow: Flow) -> list[str]:
    assert flow.transcript is not None
    return told(flow.transcript)


def half(line: Line, side: int) -> Half:
    """Return one direction of the only flow that is open."""
    return next(one for one in line.table.halves.values() if one.side == side)


def notes(flow: Flow) -> list[str]:
    assert flow.transcript is not None
    return flow.transcript.notes


class TestOrder:
    def test_segments_in_order_are_read(self) -> None:
        line = begun()
        for at, data in SEGMENTS:
            line.put("server", at, data)
        flow = line.put("client", len(HELLO), ALERT).end()
        assert lines(flow) == STORY
        assert (flow.missing, flow.cut) == (0, 0)

    @pytest.mark.parametrize("seed", range(20))
    def test_segments_in_any_order_are_read_alike(self, seed: int) -> None:
        shuffled = SEGMENTS.copy()
        random.Random(seed).shuffle(shuffled)
        line = begun()
        for at, data in shuffled:
            line.put("server", at, data)
        flow = line.put("client", len(HELLO), ALERT).end()
        assert lines(flow) == STORY
        assert flow.missing == 0

    def test_a_message_comes_from_the_packet_that_held_its_records_last_byte(self) -> None:
        """The packet that filled the gap before it is not it."""
        line = begun()
        (first, head), *rest = SEGMENTS
        for at, data in rest:
            line.put("server", at, data)
        flow = line.put("server", first, head).end()
        assert flow.transcript is not None
        frames = [event.frame for event in flow.transcript.events]
        assert frames == [4, *[3 + len(SEGMENTS)] * 3]

    @pytest.mark.parametrize("number", [0, 2**31 - 1, 2**32 - 1, 2**32 - 2, 2**32 - 700])
    def test_sequence_numbers_go_round(self, number: int) -> None:
        """RFC 9293 §3.4: modulo 2^32."""
        for order in (SEGMENTS, SEGMENTS[::-1]):
            line = begun((number, number))
            for at, data in order:
                line.put("server", at, data)
            assert lines(line.end()) == STORY[:4]

    @given(data=st.data())
    @settings(max_examples=60, deadline=None)
    def test_any_cut_order_and_repetition_gives_the_same(self, data: st.DataObject) -> None:
        """Segments of any sizes, overlapping and repeated, in any order."""
        cuts = sorted(data.draw(st.sets(st.integers(1, len(FLIGHT) - 1), max_size=12)))
        bounds = list(zip([0, *cuts], [*cuts, len(FLIGHT)], strict=True))
        extra = st.tuples(st.integers(0, len(FLIGHT) - 1), st.integers(1, 2000)).map(lambda p: (p[0], sum(p)))
        pieces = data.draw(st.permutations([*bounds, *data.draw(st.lists(extra, max_size=4))]))
        line = begun((2**32 - 50, 2**32 - 1500))
        for start, stop in pieces:
            line.put("server", start, FLIGHT[start:stop])
        flow = line.put("client", len(HELLO), ALERT).end()
        assert lines(flow) == STORY
        assert flow.missing == 0


class TestRepetition:
    def test_a_retransmission_is_read_once(self) -> None:
        line = begun()
        for at, data in SEGMENTS:
            line.put("server", at, data).put("server", at, data)
        assert lines(line.put("client", 0, HELLO).end()) == STORY[:4]

    def test_a_retransmission_may_hold_more(self) -> None:
        line = begun().put("server", 0, FLIGHT[:500]).put("server", 0, FLIGHT[:1200]).put("server", 700, FLIGHT[700:])
        assert lines(line.end()) == STORY[:4]

    def test_of_bytes_that_came_twice_the_first_ones_count(self) -> None:
        """A host has read them and will not read others, whatever is sent later."""
        line = (
            begun()
            .put("server", 0, ALERT)
            .put("server", 0, tls.alert(1, 0))
            .put("server", 5, b"\1\0" + tls.alert(1, 90))
        )
        assert lines(line.end()) == ["client client_hello", "server alert 2 42", "server alert 1 90"]

    def test_so_they_do_where_both_waited(self) -> None:
        line = begun().put("server", 7, tls.alert(1, 41)).put("server", 5, b"\2\x2a" + tls.alert(1, 90))
        assert lines(line.put("server", 0, ALERT).end())[1:] == ["server alert 2 42", "server alert 1 41"]

    def test_a_keep_alive_is_no_data(self) -> None:
        """RFC 9293 §3.8.4: one byte, or none, before the next one."""
        line = begun()
        for size in (0, 1):
            line.put("client", len(HELLO) - 1, b"\0" * size)
        flow = line.put("client", len(HELLO), ALERT).end()
        assert lines(flow) == ["client client_hello", "client alert 2 42"]
        assert notes(flow) == []

    def test_a_repeated_syn_changes_nothing(self) -> None:
        line = Line().syn().syn().syn_ack().syn_ack().put("client", 0, HELLO).syn().syn_ack()
        assert lines(line.put("server", 0, FLIGHT).end()) == STORY[:4]


class TestMissing:
    def test_bytes_that_never_come_are_stepped_over_at_the_end(self) -> None:
        line = begun().put("server", 0, FLIGHT[:500]).put("server", 1000, FLIGHT[1000:] + ALERT)
        flow = line.end()
        assert lines(flow)[1:] == ["server server_hello", "server certificate cut", "server alert 2 42"]
        assert (flow.missing, flow.missing_frame) == (500, 6)

    def test_acknowledged_bytes_are_waited_for_only_so_long(self) -> None:
        """The other side has them, so the sender will not send them again: the capture lacks them."""
        line = begun().put("server", 0, FLIGHT[:500]).put("server", 1000, FLIGHT[1000:] + ALERT)
        flow = half(line, 1).flow
        for _ in range(PATIENCE):
            line.put("client", len(HELLO), ack=len(FLIGHT))
        assert flow.missing == 0
        line.put("client", len(HELLO), ack=len(FLIGHT))
        assert flow.missing == 500
        assert lines(flow)[-1] == "server alert 2 42"

    def test_bytes_that_are_not_acknowledged_may_still_come(self) -> None:
        line = begun().put("server", 0, FLIGHT[:500]).put("server", 1000, FLIGHT[1000:])
        for _ in range(3 * PATIENCE):
            line.put("client", len(HELLO), ack=500)
        flow = line.put("server", 500, FLIGHT[500:1000]).end()
        assert lines(flow) == STORY[:4]
        assert flow.missing == 0

    def test_no_more_segments_wait_than_there_is_room_for(self) -> None:
        line = begun().put("server", 0, FLIGHT)
        at = len(FLIGHT) + 100
        server = half(line, 1)
        for number in range(MAX_WAITING + 1):
            assert len(server.waiting or ()) == number
            line.put("server", at, tls.alert(1, 90))
            at += 7
        assert server.waiting is None
        assert server.flow.missing == 100

    def test_no_more_bytes_wait_than_there_is_room_for(self) -> None:
        line = begun().put("server", 0, FLIGHT)
        data = tls.application_data(16384)
        at = len(FLIGHT) + 100
        for _ in range(MAX_WAITING_BYTES // len(data) + 2):
            line.put("server", at, data)
            at += len(data)
            assert half(line, 1).waiting_bytes <= MAX_WAITING_BYTES
        assert half(line, 1).flow.missing == 100

    def test_several_gaps_add_up(self) -> None:
        data = tls.application_data(9000)
        line = begun().put("server", 0, FLIGHT)
        for at in range(0, 9000, 3000):
            line.put("server", len(FLIGHT) + at, data[at : at + 2000])
        line.put("server", len(FLIGHT) + len(data), ALERT)
        flow = line.end()
        assert flow.missing == len(data) - 6000
        assert flow.transcript is not None
        assert told_records(flow.transcript) == ["server 23 9000"]
        assert lines(flow)[-1] == "server alert 2 42"

    def test_a_stream_that_is_not_tls_so_far_waits_for_nothing(self) -> None:
        line = Line().open().put("server", 0, b"220 ready\r\n").put("server", 500, b"220 go ahead\r\n")
        line.put("client", 0, b"EHLO a\r\n").put("client", 300, HELLO).put("server", 514, FLIGHT)
        assert lines(line.end()) == STORY[:4]


class TestSnapLength:
    def test_what_was_cut_off_a_packet_is_missing(self) -> None:
        line = begun()
        for at, data in SEGMENTS:
            line.put("server", at, data, cut=len(data) - 100 if len(data) > 100 else 0)
        flow = line.put("server", len(FLIGHT), ALERT).end()
        assert lines(flow)[1:] == ["server server_hello", "server certificate cut", "server alert 2 42"]
        assert flow.cut == len(SEGMENTS) - 1
        assert flow.missing == 0

    def test_application_data_that_was_cut_off_loses_nothing(self) -> None:
        line = begun().put("server", 0, FLIGHT)
        data, at = tls.application_data(16000) + ALERT, len(FLIGHT)
        for start in range(0, len(data), 1400):
            piece = data[start : start + 1400]
            line.put("server", at + start, piece, cut=len(piece) - 60 if len(piece) == 1400 else 0)
        assert lines(line.end()) == [*STORY[:4], "server alert 2 42"]

    def test_a_packet_of_which_only_the_header_was_kept_counts_with_its_length(self) -> None:
        line = begun().put("server", 0, FLIGHT, cut=len(FLIGHT)).put("server", len(FLIGHT), ALERT)
        flow = line.end()
        assert lines(flow) == ["client client_hello", "server alert 2 42"]
        assert (flow.cut, flow.missing) == (1, 0)

    def test_a_cut_packet_may_wait_its_turn(self) -> None:
        line = begun().put("server", 500, FLIGHT[500:], cut=2000).put("server", 0, FLIGHT[:500])
        flow = line.put("server", len(FLIGHT), ALERT).end()
        assert lines(flow)[1:] == ["server server_hello", "server certificate cut", "server alert 2 42"]

    @pytest.mark.parametrize("kept", range(20))
    def test_half_a_header_is_no_packet(self, kept: int) -> None:
        line = Line()
        whole = 20 + len(HELLO)
        assert line.syn().put("client", 0, HELLO, cut=whole - kept).flows() == []


class TestBeginning:
    def test_a_connection_may_be_caught_in_the_middle(self) -> None:
        line = Line().put("client", 0, tls.application_data(100)).put("server", 0, ALERT)
        flow = line.end()
        assert flow.opener == -1
        assert flow.transcript is not None
        assert told_records(flow.transcript) == ["client 23 100"]
        assert lines(flow) == ["server alert 2 42"]

    def test_it_may_begin_inside_a_record(self) -> None:
        record = tls.application_data(3000)
        line = Line().put("client", 0, record[700:]).put("client", len(record) - 700, tls.application_data(50))
        flow = line.end()
        assert flow.transcript is not None
        assert told_records(flow.transcript) == ["client 23 50"]

    def test_a_syn_may_bring_data(self) -> None:
        """RFC 9293 §3.10.7.4, RFC 7413: it begins after the number that the SYN itself takes."""
        line = Line().syn(HELLO).syn_ack().put("server", 0, FLIGHT)
        assert lines(line.end()) == STORY[:4]

    def test_who_sent_the_syn_opened_it(self) -> None:
        assert Line().syn().put("client", 0, HELLO).end().opener == 0
        assert Line().syn_ack().put("client", 0, HELLO).end().opener == 1
        assert Line().put("server", 0, FLIGHT).put("client", 0, HELLO).end().opener == -1

    def test_a_syn_ack_may_come_before_the_syn(self) -> None:
        flow = Line().syn_ack().syn().put("client", 0, HELLO).put("server", 0, FLIGHT).end()
        assert lines(flow)[0] == "server client_hello"  # side 0 is the one that was seen first
        assert flow.opener == 1

    def test_flows_without_data_are_not_told(self) -> None:
        assert Line().open().flows() == []
        assert Line().open().put("server", 0, flags=RST | ACK).flows() == []
        assert Line().put("client", 0).put("server", 0, flags=FIN | ACK).flows() == []

    def test_flows_without_data_leave_nothing_behind(self) -> None:
        line = Line()
        for _ in range(10):
            line.put("client", 0).put("server", 0, flags=RST | ACK)
        assert line.table.halves == {}
        line.open().flows()
        assert (line.table.halves, line.table.open) == ({}, 0)

    def test_flows_are_numbered_from_their_first_packet(self) -> None:
        table = TcpTable()
        one, other = Line(table, ports=(1, 443)), Line(table, ports=(2, 443))
        one.syn()
        other.open().put("client", 0, HELLO)
        one.syn_ack().put("client", 0, HELLO)
        assert [int(flow.number) for flow in one.flows()] == [0, 1]
        assert [flow.key[8:10] for flow in one.flows()] == [b"\0\1", b"\0\2"]


class TestEnd:
    @pytest.mark.parametrize(
        ("ends", "how", "side"),
        [
            ([], 0, -1),
            ([("server", FIN)], FIN, 1),
            ([("client", FIN)], FIN, 0),
            ([("server", FIN), ("client", FIN)], FIN, 1),
            ([("client", RST)], RST, 0),
            ([("server", FIN), ("client", RST)], FIN, 1),
            ([("client", RST), ("server", FIN)], RST, 0),
            ([("client", RST), ("server", RST)], RST, 0),
            ([("server", FIN | RST)], RST, 1),
        ],
    )
    def test_the_first_fin_or_rst_says_how_and_who(self, ends: list[tuple[Side, int]], how: int, side: int) -> None:
        line = begun()
        for sender, flags in ends:
            line.put(sender, len(HELLO) if sender == "client" else 0, flags=flags | ACK)
        flow = line.end()
        assert (flow.how, flow.close_side) == (how, side)
        assert (flow.close_frame, flow.close_time) == ((5, START + 5_000_000) if ends else (0, 0))

    def test_a_reset_after_a_fin_is_told_besides(self) -> None:
        """The client that had sent into a closed socket: the reset may have destroyed what it had not read."""
        line = (
            begun().put("server", 0, ALERT, FIN | ACK).put("client", len(HELLO), flags=RST).put("server", 8, flags=RST)
        )
        flow = line.end()
        assert (flow.how, flow.close_side, flow.close_frame) == (FIN, 1, 5)
        assert (flow.rst_side, flow.rst_frame, flow.rst_time) == (0, 6, START + 6_000_000)

    def test_a_fin_may_bring_data(self) -> None:
        assert lines(begun().put("server", 0, FLIGHT + ALERT, FIN | ACK).end())[-1] == "server alert 2 42"

    def test_a_fin_does_not_wait_for_the_data_before_it(self) -> None:
        line = begun().put("server", len(FLIGHT), ALERT, FIN | ACK).put("server", 0, FLIGHT)
        assert lines(line.end()) == [*STORY[:4], "server alert 2 42"]

    @pytest.mark.parametrize("how", [FIN, RST])
    def test_data_after_the_close_still_belongs_to_it(self, how: int) -> None:
        line = begun().put("server", len(FLIGHT), flags=how | ACK).put("client", len(HELLO), flags=how | ACK)
        line.table.settle()
        (flow,) = line.put("server", 0, FLIGHT).flows()
        assert lines(flow) == STORY[:4]

    def test_a_closed_flow_is_told_after_a_while(self) -> None:
        line = begun().put("server", 0, FLIGHT, FIN | ACK).put("client", len(HELLO), flags=FIN | ACK)
        other = Line(line.table, ports=(1, 2))
        other.time = line.time + LINGER - 10_000_000
        other.syn()
        line.table.settle()
        assert line.table.finished == []
        other.time += 20_000_000
        other.syn_ack()
        line.table.settle()
        assert [lines(flow) for flow in line.table.finished] == [STORY[:4]]
        assert line.table.open == 1

    def test_one_side_that_goes_on_after_the_others_fin_keeps_it_open(self) -> None:
        """A half-closed connection, RFC 9293 §3.6."""
        line = begun().put("client", len(HELLO), flags=FIN | ACK)
        line.time += 100 * SECOND
        line.put("server", 0, FLIGHT)
        line.table.settle()
        assert line.table.finished == []
        assert lines(line.end()) == STORY[:4]

    def test_a_flow_that_goes_on_after_a_reset_stays(self) -> None:
        """A reset with a wrong number (RFC 5961) closes nothing, though a reader of captures cannot know it."""
        line = begun().put("client", 5000, flags=RST)
        for at, data in SEGMENTS:
            line.put("server", at, data)
            line.time += 3 * SECOND
            line.table.settle()
        assert lines(line.end()) == STORY[:4]

    def test_a_clock_that_jumps_far_back_does_not_hold_flows_for_ever(self) -> None:
        line = begun().put("server", 0, FLIGHT, RST | ACK)
        other = Line(line.table, ports=(1, 2))
        other.time = START - 1000 * SECOND
        other.syn()
        line.table.settle()
        assert len(line.table.finished) == 1

    @pytest.mark.parametrize("pause", [LINGER // 2, LINGER + SECOND, 100 * SECOND])
    @pytest.mark.parametrize("how", [FIN, RST])
    def test_when_it_is_tidied_up_makes_no_difference(self, how: int, pause: int) -> None:
        """That depends on how the file was cut into chunks; what belongs together does not."""
        stories = []
        for settles in (True, False):
            line = begun().put("server", 0, FLIGHT, how | ACK).put("client", len(HELLO), flags=how | ACK)
            line.time += pause
            other = Line(line.table, ports=(1, 2))
            other.time = line.time
            other.syn()
            if settles:
                line.table.settle()
            line.put("server", len(FLIGHT), ALERT).put("client", len(HELLO), tls.alert(1, 0))
            stories.append([lines(flow) for flow in line.flows()])
        assert stories[0] == stories[1]

    @pytest.mark.parametrize("how", [FIN, RST])
    def test_nor_does_it_where_many_linger(self, how: int) -> None:
        stories = []
        for settles in (True, False):
            table = TcpTable()
            for port in range(max(MAX_RESET, MAX_FINISHED) + 5):
                line = Line(table, ports=(port, 443)).open().put("client", 0, HELLO, how | ACK)
                line.put("server", 0, flags=how | ACK)
                if settles:
                    table.settle()
            line = Line(table, ports=(2, 443)).put("server", 0, ALERT)
            stories.append([lines(flow) for flow in line.flows()])
        assert stories[0] == stories[1]

    @pytest.mark.parametrize(("how", "most"), [(FIN, MAX_FINISHED), (RST, MAX_RESET)], ids=["FIN", "RST"])
    def test_only_so_many_closed_flows_linger(self, how: int, most: int) -> None:
        table = TcpTable()
        for port in range(most + 50):
            line = Line(table, ports=(port, 443)).open().put("client", 0, HELLO, how | ACK)
            line.put("server", 0, flags=how | ACK)
            table.settle()
        assert [flow.key[8:10] for flow in table.finished] == [port.to_bytes(2, "big") for port in range(50)]
        assert table.open == most


class TestReuse:
    """The same addresses and ports again, RFC 9293 §3.4.2."""

    def test_a_syn_of_another_number_begins_another_connection(self) -> None:
        line = begun().put("server", 0, FLIGHT, RST | ACK)
        again = Line(line.table, numbers=(777_000, 888_000))
        again.frame, again.time = line.frame, line.time
        first, second = again.open().put("client", 0, HELLO).put("server", 0, ALERT).flows()
        assert (lines(first), lines(second)) == (STORY[:4], ["client client_hello", "server alert 2 42"])
        assert (first.frame, second.frame) == (1, 6)

    def test_it_need_not_have_been_closed(self) -> None:
        line = begun()
        again = Line(line.table, numbers=(5, 6)).open().put("client", 0, HELLO)
        assert len(again.flows()) == 2

    def test_a_syn_ack_of_another_number_does_so_only_after_a_close(self) -> None:
        """While it is open such a SYN-ACK is forged or astray, and its data is not the connection's."""
        line = begun()
        Line(line.table, numbers=(1000, 5)).syn_ack()
        line.put("server", 0, FLIGHT)
        assert [lines(flow) for flow in line.flows()] == [STORY[:4]]
        line = begun().put("server", 0, FLIGHT, RST | ACK)
        Line(line.table, numbers=(1000, 5)).syn_ack().put("client", 0, HELLO)
        assert len(line.flows()) == 2

    @pytest.mark.parametrize("seen", [["client"], ["server"], ["client", "server"]])
    def test_a_connection_caught_in_the_middle_ends_at_the_next_syn(self, seen: list[Side]) -> None:
        line = Line()
        for side in seen:
            line.put(side, 0, tls.application_data(100))
        again = Line(line.table, numbers=(5, 6)).open().put("client", 0, HELLO).put("server", 0, FLIGHT)
        first, second = again.flows()
        assert (lines(first), lines(second)) == ([], STORY[:4])

    def test_the_roles_may_change(self) -> None:
        line = begun().put("server", 0, FLIGHT, RST | ACK)
        line.put("server", 99_999, flags=SYN).put("client", 66_665, flags=SYN | ACK)
        line.put("server", 100_000, HELLO)
        first, second = line.flows()
        assert lines(second) == ["client client_hello"]
        assert second.key[:4] == first.key[4:8]


class TestRoom:
    def test_what_has_ended_leaves_nothing_behind(self) -> None:
        line = begun().put("server", 0, FLIGHT[:500]).put("server", 1000, FLIGHT[1000:])
        flow = line.end()
        assert (line.table.halves, line.table.open) == ({}, 0)
        assert (flow.a, flow.b) == (None, None)

    @pytest.mark.skipif(not tcp.__file__.endswith(".py"), reason="a compiled module's limits cannot be changed")
    def test_beyond_the_limit_the_half_that_was_silent_longest_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tcp, "MAX_OPEN", 10)
        table = TcpTable()
        for port in range(14):
            line = Line(table, ports=(port, 443))
            line.frame = 10 * port
            line.open().put("client", 0, HELLO)
        assert [flow.key[9] for flow in table.finished] == [0, 1, 2, 3, 4]
        assert table.open == 9
        (note,) = table.notes
        assert "connections were open at once" in note
        assert sum(lines(flow) == ["client client_hello"] for flow in line.flows()) == 14

    @pytest.mark.long
    def test_a_million_half_open_connections_have_room(self) -> None:
        table = TcpTable()
        packet = tls.u16(0, 443) + bytes(8) + b"\x50\x02" + bytes(6)
        for number in range(tcp.MAX_OPEN + 1):
            key = number.to_bytes(4, "big") + b"\x0a\0\0\7" + tls.u16(1024, 443)
            table.packet(key, packet, 0, 20, 20, number, START)
        assert table.open == tcp.MAX_OPEN // 2 + 1
        assert len(table.notes) == 1


@given(
    packets=st.lists(
        st.tuples(st.booleans(), st.integers(0, 60), st.binary(min_size=0, max_size=80), st.integers(0, 200)),
        max_size=30,
    )
)
@settings(max_examples=200, deadline=None)
def test_any_packets_end_in_flows(packets: list[tuple[bool, int, bytes, int]]) -> None:
    """Headers of nonsense: lengths that contradict each other, flags that never go together, numbers from anywhere."""
    table = TcpTable()
    for frame, (near, seq, data, beyond) in enumerate(packets, 1):
        ends = b"\x0a\0\0\5\x0a\0\0\7\0\1\0\2"
        key = ends if near else tcp.reverse(ends)
        segment = b"\0\1\0\2" + seq.to_bytes(4, "big") + data
        table.packet(key, segment, 0, len(segment), len(segment) + beyond, frame, frame)
        table.settle()
    table.finish()
    for flow in table.finished:
        assert flow.transcript is not None
        assert sum(len(body or b"") for body in bodies(flow.transcript)) <= 30 * 90
    assert table.halves == {}


def test_distances_are_the_shorter_way_round() -> None:
    assert tcp.distance(5, 3) == 2
    assert tcp.distance(3, 5) == -2
    assert tcp.distance(1, 2**32 - 1) == 2
    assert tcp.distance(2**32 - 1, 1) == -2


@pytest.mark.parametrize("size", [4, 16])
def test_a_key_turned_twice_is_itself(size: int) -> None:
    key = b"a" * size + b"b" * size + b"\1\2\3\4"
    assert tcp.reverse(key) == b"b" * size + b"a" * size + b"\3\4\1\2"
    assert tcp.reverse(tcp.reverse(key)) == key
