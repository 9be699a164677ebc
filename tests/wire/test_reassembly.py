"""Segments in any order become each direction's bytes in order, or a gap that is told (RFC 9293)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire import tls
from tests.wire.flights import ALERT, FLIGHT, HELLO, SEGMENTS, STORY, begun, half, lines, notes, only
from tests.wire.packets import Line
from tests.wire.reading import told_records
from tlsalert.wire import reassembly
from tlsalert.wire.reassembly import EACH, MAX_WAITING, MAX_WAITING_BYTES, PATIENCE
from tlsalert.wire.tcp import TcpTable


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

    @pytest.mark.parametrize("byte", [b"\0", b"\xff", HELLO[-1:]])
    def test_whatever_a_keep_alives_byte_is(self, byte: bytes) -> None:
        flow = begun().put("client", len(HELLO) - 1, byte).put("client", len(HELLO), ALERT).end()
        assert lines(flow) == ["client client_hello", "client alert 2 42"]
        assert notes(flow) == []

    def test_a_zero_window_probe_is_the_next_byte(self) -> None:
        """RFC 9293 §3.8.6.1: the byte is sent again with what follows it, once there is room."""
        line = begun().put("server", 0, FLIGHT[:100]).put("server", 100, FLIGHT[100:101])
        flow = line.put("server", 100, FLIGHT[100:101]).put("server", 100, FLIGHT[100:]).end()
        assert lines(flow) == STORY[:4]
        assert notes(flow) == []

    def test_a_repeated_syn_changes_nothing(self) -> None:
        line = Line().syn().syn().syn_ack().syn_ack().put("client", 0, HELLO).syn().syn_ack()
        assert lines(line.put("server", 0, FLIGHT).end()) == STORY[:4]


class TestConflict:
    """Bytes that come twice and differ: the first ones count, and a note tells the frame of the others."""

    SAYS = "the server's stream has other bytes than before in the same place; the first ones count"

    def test_another_answer_in_the_place_of_the_first(self) -> None:
        """What a middlebox injects comes before the server's own answer to the same hello."""
        flow = begun().put("server", 0, ALERT).put("server", 0, FLIGHT[: len(ALERT)]).end()
        assert lines(flow) == ["client client_hello", "server alert 2 42"]
        assert notes(flow) == [f"frame 6: {self.SAYS}"]

    @pytest.mark.parametrize("size", [1, 2, 6, 7, 8, 9, 400])
    def test_however_short_the_other_is(self, size: int) -> None:
        other = bytes(byte ^ 1 for byte in FLIGHT[:size])
        flow = begun().put("server", 0, FLIGHT[:500]).put("server", 0, other).put("server", 500, FLIGHT[500:]).end()
        assert lines(flow) == STORY[:4]
        assert notes(flow) == [f"frame 6: {self.SAYS}"]

    def test_one_that_begins_before_what_is_known_and_goes_beyond_it(self) -> None:
        line = begun().put("server", 0, FLIGHT[:500]).put("server", 500, FLIGHT[500:1000])
        flow = line.put("server", 400, FLIGHT[400:500] + b"x" * 1000).end()
        assert notes(flow)[0] == f"frame 7: {self.SAYS}"

    @pytest.mark.parametrize("early", [False, True], ids=["in order", "early"])
    def test_the_same_bytes_cut_otherwise_are_no_conflict(self, early: bool) -> None:
        line = begun()
        if not early:
            line.put("server", 0, FLIGHT[:50])
        line.put("server", 50, FLIGHT[50:100]).put("server", 53, FLIGHT[53:80]).put("server", 20, FLIGHT[20:400])
        flow = line.put("server", 0, FLIGHT).put("server", 7, FLIGHT[7:60]).end()
        assert lines(flow) == STORY[:4]
        assert notes(flow) == []

    @pytest.mark.parametrize(
        ("first", "second"),
        [((600, 1000), (600, 1000)), ((600, 1000), (500, 700)), ((600, 1000), (900, 1200)), ((600, 700), (500, 1200))],
    )
    def test_bytes_that_wait_are_compared_in_full(self, first: tuple[int, int], second: tuple[int, int]) -> None:
        line = begun().put("server", first[0], FLIGHT[slice(*first)])
        place = max(first[0], second[0]) + 50  # where both have a byte
        other = bytearray(FLIGHT[slice(*second)])
        other[place - second[0]] ^= 1
        flow = line.put("server", second[0], bytes(other)).put("server", 0, FLIGHT).end()
        assert lines(flow) == STORY[:4]
        assert notes(flow) == [f"frame 6: {self.SAYS}"]

    def test_bytes_that_wait_came_before_those_that_fill_the_gap(self) -> None:
        line = begun().put("server", 5, b"\2\x2a").put("server", 0, tls.alert(1, 0))
        flow = line.end()
        assert lines(flow) == ["client client_hello", "server alert 2 42"]
        assert len(notes(flow)) == 1

    def test_what_the_capture_cut_off_is_not_compared(self) -> None:
        line = begun().put("server", 500, FLIGHT[500:1000], cut=490).put("server", 500, FLIGHT[500:510] + b"x" * 490)
        assert notes(line.put("server", 0, FLIGHT[:500]).end())[:1] != [f"frame 6: {self.SAYS}"]

    def test_a_copy_that_differs_behind_the_first_bytes_of_what_was_read_is_not_noticed(self) -> None:
        """The bytes are gone: to keep them all would cost more than it tells."""
        flow = begun().put("server", 0, FLIGHT[:500]).put("server", 0, FLIGHT[:400] + b"x" * 100).end()
        assert not [note for note in notes(flow) if "other bytes" in note]


class TestMissing:
    def test_bytes_that_never_come_are_stepped_over_at_the_end(self) -> None:
        line = begun().put("server", 0, FLIGHT[:500]).put("server", 1000, FLIGHT[1000:] + ALERT)
        flow = line.end()
        assert lines(flow)[1:] == ["server server_hello", "server certificate cut", "server alert 2 42"]
        assert (flow.missing, flow.missing_frame) == (500, 6)

    def test_acknowledged_bytes_are_waited_for_only_so_long(self) -> None:
        """The other side has them, so the sender will not send them again: the capture lacks them."""
        line = begun().put("server", 0, FLIGHT[:500]).put("server", 1000, FLIGHT[1000:] + ALERT)
        flow = only(line)
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
            assert (0 if server.waiting is None else len(server.waiting.segments)) == number
            line.put("server", at, tls.alert(1, 90))
            at += 7
        assert server.waiting is None
        assert only(line).missing == 100

    def test_no_more_bytes_wait_than_there_is_room_for(self) -> None:
        line = begun().put("server", 0, FLIGHT)
        data = tls.application_data(16384)
        at = len(FLIGHT) + 100
        for _ in range(MAX_WAITING_BYTES // len(data) + 2):
            line.put("server", at, data)
            at += len(data)
            waiting = half(line, 1).waiting
            assert waiting is None or waiting.bytes <= MAX_WAITING_BYTES
        assert only(line).missing == 100

    def test_no_more_bytes_wait_in_all_than_there_is_room_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The one that has waited longest goes on without what it lacks; the others still wait."""
        if not reassembly.__file__.endswith(".py"):
            pytest.skip("a compiled module's limits cannot be changed")
        monkeypatch.setattr(reassembly, "MAX_WAITING_TOTAL", 4 * (500 + EACH))
        table = TcpTable()
        lined = [Line(table, ports=(port, 443)).open().put("client", 0, HELLO) for port in range(1, 5)]
        for line in lined:
            line.put("server", 500, FLIGHT[500:1000])
        assert (table.assembly.bytes, table.notes) == (4 * (500 + EACH), [])
        lined[3].put("server", 1000, FLIGHT[1000:1500])
        assert [flow.missing for flow in table.known.all()] == [500, 0, 0, 0]
        for line in lined[1:]:
            line.put("server", 0, FLIGHT[:500]).put("server", 1000, FLIGHT[1000:])
        assert table.assembly.bytes == 0
        assert len(table.assembly.queue) == 0
        told = [lines(flow) for flow in lined[0].flows()]
        assert told == [["client client_hello"], *[STORY[:4]] * 3]
        (note,) = table.notes
        assert "waited for missing ones" in note

    def test_what_has_been_read_or_given_up_waits_no_longer(self) -> None:
        table = TcpTable()
        line = Line(table).open().put("client", 0, HELLO).put("server", 500, FLIGHT[500:])
        other = Line(table, ports=(1, 2)).open().put("client", 0, HELLO).put("server", 900, FLIGHT[900:])
        assert table.assembly.bytes == 2 * EACH + 2 * len(FLIGHT) - 1400
        line.put("server", 0, FLIGHT[:500])
        assert table.assembly.bytes == EACH + len(FLIGHT) - 900
        other.flows()
        assert (table.assembly.bytes, len(table.assembly.queue)) == (0, 0)

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
