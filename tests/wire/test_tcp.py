"""Connections begin, end and begin again on the same ports (RFC 9293)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire import tls
from tests.wire.flights import ALERT, FLIGHT, HELLO, SEGMENTS, STORY, begun, lines, notes
from tests.wire.packets import ACK, FIN, RST, SECOND, START, SYN, URG, Line, Side, reverse
from tests.wire.reading import bodies, told_records
from tlsalert.wire import tcp
from tlsalert.wire.tcp import LINGER, MAX_FINISHED, MAX_RESET, TcpTable


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

    @pytest.mark.parametrize("accepted", [True, False])
    def test_a_server_may_not_take_the_data_of_a_syn(self, accepted: bool) -> None:
        """RFC 7413 §4.2.1: then it comes again in a segment of its own."""
        line = Line().syn(HELLO[:60]).syn_ack().put("client", 60 if accepted else 0, HELLO[60 if accepted else 0 :])
        flow = line.put("server", 0, FLIGHT).end()
        assert lines(flow) == STORY[:4]
        assert notes(flow) == []

    def test_both_may_open_it_at_once(self) -> None:
        """RFC 9293 §3.5, figure 8: the first SYN that was seen counts as the opener's."""
        line = Line().syn().put("server", -1, flags=SYN)
        line.put("client", -1, flags=SYN | ACK, ack=0).syn_ack().put("client", 0, HELLO).put("server", 0, FLIGHT)
        flow = line.end()
        assert lines(flow) == STORY[:4]
        assert flow.opener == 0

    def test_an_urgent_pointer_means_nothing(self) -> None:
        """RFC 6093 §3: the bytes are part of the stream, and TLS reads them in their place."""
        line = begun().put("server", 0, FLIGHT[:500], flags=URG | ACK).put("server", 500, FLIGHT[500:], flags=URG | ACK)
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
        assert line.table.known.all() == []
        line.open().flows()
        assert (line.table.known.all(), line.table.open) == ([], 0)

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

    @pytest.mark.parametrize("far", [2**24 + 10_000, -(2**24) - 1, 2**31])
    @pytest.mark.parametrize("side", ["client", "server"])
    def test_a_reset_far_outside_the_window_closes_nothing(self, side: Side, far: int) -> None:
        """RFC 9293 §3.10.7.4: no host heeds it, so it is not what ended the connection."""
        line = begun().put("server", 0, FLIGHT).put(side, far, flags=RST).put(side, far + 9, flags=RST | ACK)
        flow = line.put("client", len(HELLO), ALERT, FIN | ACK).end()
        assert lines(flow) == STORY
        assert (flow.how, flow.close_side, flow.rst_side) == (FIN, 0, -1)
        assert notes(flow) == [
            "frame 6: a reset whose sequence number is far outside the window closes nothing; it is forged or astray"
        ]

    def test_after_the_close_such_a_reset_is_not_worth_a_remark(self) -> None:
        """Routers that translate addresses answer what comes late with the number 0."""
        line = begun().put("server", 0, FLIGHT, RST | ACK).put("client", 2**30, flags=RST)
        assert notes(line.end()) == []

    @pytest.mark.parametrize("near", [0, 5000, 2**24 - 1000])
    def test_a_reset_that_may_be_in_the_window_closes(self, near: int) -> None:
        """What is near depends on the window's scale and on what the capture lacks: there nobody can tell."""
        flow = begun().put("server", near, flags=RST).end()
        assert (flow.how, flow.close_side, notes(flow)) == (RST, 1, [])

    def test_a_reset_of_a_side_that_was_not_seen_before_closes(self) -> None:
        """The answer to a SYN on a closed port has the number 0 (RFC 9293 §3.10.7.1)."""
        line = Line(numbers=(1000, 2**31)).syn(HELLO)
        flow = line.put("server", -1 - 2**31, flags=RST | ACK, ack=0).end()
        assert (flow.how, flow.rst_side) == (RST, 1)

    def test_a_reset_after_much_that_is_missing_closes(self) -> None:
        """While segments wait, the next byte's number says nothing about where the sender is."""
        far = 2**25
        line = begun().put("server", 0, FLIGHT).put("server", far, ALERT).put("server", far + 7, flags=RST)
        assert (line.end().how, line.table.notes) == (RST, [])

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

    def test_a_syn_that_is_sent_again_may_have_another_number(self) -> None:
        """Some stacks choose a new one for each attempt: only one of them becomes a connection."""
        line = Line(numbers=(5000, 9000)).syn()
        again = Line(line.table).open().put("client", 0, HELLO)
        (flow,) = again.put("server", 0, FLIGHT).flows()
        assert lines(flow) == STORY[:4]

    def test_a_reset_answers_a_syn_and_the_next_try_succeeds(self) -> None:
        """Some clients try a refused port again, with the same number too: that reset is not the connection's end."""
        for number in (1000, 555_000):
            line = Line(numbers=(number, 0)).syn().put("server", -1, flags=RST | ACK)
            again = Line(line.table).open().put("client", 0, HELLO).put("server", 0, FLIGHT, FIN | ACK)
            (flow,) = again.flows()
            assert lines(flow) == STORY[:4]
            assert (flow.how, flow.rst_side) == (FIN, -1)

    def test_a_syn_after_a_reset_begins_another_connection(self) -> None:
        line = begun().put("server", 0, ALERT, RST | ACK)
        again = Line(line.table, numbers=(777_000, 888_000)).open().put("client", 0, HELLO).put("server", 0, FLIGHT)
        assert [lines(flow) for flow in again.flows()] == [["client client_hello", "server alert 2 42"], STORY[:4]]

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
        assert (line.table.known.all(), line.table.open) == ([], 0)
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
        key = ends if near else reverse(ends)
        segment = b"\0\1\0\2" + seq.to_bytes(4, "big") + data
        table.packet(key, segment, 0, len(segment), len(segment) + beyond, frame, frame)
        table.settle()
    table.finish()
    for flow in table.finished:
        assert flow.transcript is not None
        assert sum(len(body or b"") for body in bodies(flow.transcript)) <= 30 * 90
    assert table.known.all() == []
