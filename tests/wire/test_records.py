"""Records become messages and alerts, whole or split, read or not, before and after what is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import tls
from tests.wire.dialogues import TOLD, WRAPPED, packet
from tests.wire.reading import Talk, bodies
from tests.wire.tls import ALERT, APPLICATION_DATA, HANDSHAKE, TLS12
from tlsalert.wire.records import MAX_KEPT, MAX_MESSAGE, MAX_RECORD
from tlsalert.wire.transcript import FIRST_RECORDS, HELLO_RETRY_REQUEST, LAST_RECORDS, MAX_EVENTS, PLAIN

CLIENT_HELLO = tls.message(tls.CLIENT_HELLO, tls.client_hello())
SERVER_HELLO = tls.message(tls.SERVER_HELLO, tls.server_hello())
CERTIFICATE = tls.message(tls.CERTIFICATE, tls.certificate_list(b"\x30" * 900))
DONE = tls.message(tls.SERVER_HELLO_DONE)
KEY_EXCHANGE = tls.message(tls.CLIENT_KEY_EXCHANGE, b"\x41" * 66)
FLIGHT = SERVER_HELLO + CERTIFICATE + DONE
FLIGHT_TOLD = ["server server_hello", "server certificate", "server server_hello_done"]


def begun() -> Talk:
    """Return a connection whose ClientHello was seen."""
    return Talk().client(tls.said(CLIENT_HELLO))


def handshake_12() -> Talk:
    """Return a connection whose TLS 1.2 handshake is done; both sides encrypt."""
    talk = begun().server(tls.said(FLIGHT)).client(tls.said(KEY_EXCHANGE))
    talk.client(tls.change_cipher_spec(), tls.encrypted(HANDSHAKE, 40))
    return talk.server(tls.change_cipher_spec(), tls.encrypted(HANDSHAKE, 40))


def since(talk: Talk, count: int) -> list[str]:
    return talk.told[count:]


class TestMessages:
    @pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 100, 500, 2000])
    def test_one_may_lie_in_several_records_and_several_in_one(self, size: int) -> None:
        talk = begun().server(tls.records(HANDSHAKE, FLIGHT, size))
        assert talk.told == ["client client_hello", *FLIGHT_TOLD]
        assert bodies(talk.transcript)[1:] == [SERVER_HELLO[4:], CERTIFICATE[4:], b""]

    def test_they_come_from_the_packet_that_completes_them(self) -> None:
        record = tls.said(CLIENT_HELLO)
        talk = Talk().client(record[:3], record[3:9], record[9:] + tls.said(KEY_EXCHANGE)[:20])
        talk.client(tls.said(KEY_EXCHANGE)[20:])
        assert [(event.frame, event.time) for event in talk.transcript.events] == [(3, 3000), (4, 4000)]

    def test_their_length_is_that_of_the_body(self) -> None:
        assert [event.length for event in begun().transcript.events] == [len(CLIENT_HELLO) - 4]

    def test_empty_records_between_their_parts_change_nothing(self) -> None:
        """RFC 8446 §5.1 forbids them, RFC 5246 §6.2.1 for handshake messages as well."""
        empty = tls.record(HANDSHAKE, b"")
        talk = begun().server(tls.said(FLIGHT[:50]) + empty + tls.said(FLIGHT[50:]) + empty + empty)
        assert since(talk, 1) == FLIGHT_TOLD

    def test_one_that_something_else_interrupts_is_told_as_far_as_it_came(self) -> None:
        talk = begun().server(tls.said(SERVER_HELLO[:30]) + tls.change_cipher_spec())
        assert since(talk, 1) == ["server server_hello cut", "server change_cipher_spec"]
        assert talk.transcript.events[1].body == SERVER_HELLO[4:30]
        assert talk.transcript.events[1].length == len(SERVER_HELLO) - 4
        assert "of a handshake message of 40 bytes only 26 were captured" in talk.notes[0]

    def test_one_of_an_unlisted_type_is_kept(self) -> None:
        talk = begun().server(tls.said(SERVER_HELLO, tls.message(77, b"abc")))
        assert since(talk, 2) == ["server unlisted"]
        assert (talk.transcript.events[2].code, talk.transcript.events[2].body) == (77, b"abc")

    def test_the_stream_may_end_inside_one(self) -> None:
        talk = begun().server(tls.said(FLIGHT)[:600]).end()
        assert since(talk, 1) == ["server server_hello", "server certificate cut"]
        assert "the server's stream ends inside a record (frame 2)" in talk.notes

    def test_the_stream_may_end_between_the_records_of_one(self) -> None:
        talk = begun().server(tls.said(SERVER_HELLO[:20])).end()
        assert since(talk, 1) == ["server server_hello cut"]

    def test_a_stream_that_ends_where_a_record_ends_has_no_remarks(self) -> None:
        assert begun().server(tls.said(FLIGHT)).end().notes == []


class TestAlerts:
    @pytest.mark.parametrize(
        ("fragments", "expected"),
        [
            pytest.param([b"\2\x28"], ["2 40"], id="one"),
            pytest.param([b"\2", b"\x28"], ["2 40"], id="split over records"),
            pytest.param([b"\1\x00\2\x28"], ["1 0", "2 40"], id="two in one record"),
            pytest.param([b"\1\x5a\2", b"\x28"], ["1 90", "2 40"], id="one and a half, and a half"),
            pytest.param([b"\2\x28", b"\2\x28", b"\2\x28"], ["2 40"] * 3, id="repeated"),
            pytest.param([b"\2\xc8"], ["2 200"], id="unlisted"),
        ],
    )
    @pytest.mark.parametrize("flight", [b"", tls.said(FLIGHT)], ids=["at once", "after the server's flight"])
    def test_they_are_read_however_they_lie_in_records(
        self, fragments: list[bytes], expected: list[str], flight: bytes
    ) -> None:
        talk = begun().server(flight + b"".join(tls.record(ALERT, fragment) for fragment in fragments))
        assert [line for line in talk.told if "alert" in line] == [f"server alert {alert}" for alert in expected]
        assert talk.transcript.alerts == len(expected)

    def test_an_empty_record_between_the_halves_of_one_changes_nothing(self) -> None:
        empty = tls.record(ALERT, b"")
        talk = begun().server(tls.said(FLIGHT) + tls.record(ALERT, b"\2") + empty + tls.record(ALERT, b"\x28") + empty)
        assert talk.told[-1] == "server alert 2 40"

    def test_one_may_be_the_first_thing_that_is_said(self) -> None:
        assert Talk().server(tls.alert(2, 70)).told == ["server alert 2 70"]

    def test_after_this_sides_change_cipher_spec_one_is_encrypted(self) -> None:
        talk = handshake_12()
        done = len(talk.told)
        talk.client(tls.encrypted(ALERT, 26)).server(tls.encrypted(ALERT, 32))
        assert since(talk, done) == ["client encrypted_alert", "server encrypted_alert"]
        assert [event.length for event in talk.transcript.events[done:]] == [26, 32]

    def test_only_this_sides(self) -> None:
        """The server that refuses a certificate has not changed its cipher yet, though the client has."""
        talk = begun().server(tls.said(FLIGHT)).client(tls.said(KEY_EXCHANGE) + tls.change_cipher_spec())
        talk.client(tls.encrypted(HANDSHAKE, 40)).server(tls.alert(2, 42))
        assert talk.told[-1] == "server alert 2 42"

    def test_a_record_of_two_bytes_is_in_clear_whatever_went_before(self) -> None:
        """No cipher of TLS makes a record so short: some servers refuse in clear under keys they cannot use."""
        assert handshake_12().server(tls.alert(2, 20)).told[-1] == "server alert 2 20"

    def test_in_tls_1_3_one_in_clear_is_read_after_a_change_cipher_spec(self) -> None:
        """RFC 8446 §D.4: that record means nothing there."""
        talk = begun().server(tls.said(tls.message(2, tls.server_hello_13())) + tls.change_cipher_spec())
        talk.client(tls.change_cipher_spec() + tls.alert(2, 47)).server(tls.alert(2, 10))
        assert talk.told[-2:] == ["client alert 2 47", "server alert 2 10"]


class TestEncryption:
    def test_up_to_tls_1_2_the_handshake_is_encrypted_after_change_cipher_spec(self) -> None:
        assert since(handshake_12(), 5) == [
            "client change_cipher_spec",
            "client encrypted_handshake 40",
            "server change_cipher_spec",
            "server encrypted_handshake 40",
        ]

    def test_a_renegotiation_stays_encrypted(self) -> None:
        talk = handshake_12().server(tls.encrypted(HANDSHAKE, 28)).client(tls.encrypted(HANDSHAKE, 270))
        assert talk.told[-2:] == ["server encrypted_handshake 28", "client encrypted_handshake 270"]

    def test_a_tls_1_3_client_says_hello_again_after_its_change_cipher_spec(self) -> None:
        """RFC 8446 §D.4: after a HelloRetryRequest both send one, and the second hellos are in clear."""
        retry = tls.message(tls.SERVER_HELLO, tls.server_hello_13(random=HELLO_RETRY_REQUEST))
        talk = begun().server(tls.said(retry) + tls.change_cipher_spec())
        talk.client(tls.change_cipher_spec() + tls.said(CLIENT_HELLO))
        talk.server(tls.said(tls.message(2, tls.server_hello_13())) + tls.application_data(700))
        assert [line for line in talk.told if "hello" in line] == [
            "client client_hello",
            "server server_hello",
            "client client_hello",
            "server server_hello",
        ]

    def test_it_does_so_too_where_the_servers_half_is_missing(self) -> None:
        talk = begun().client(tls.change_cipher_spec() + tls.said(CLIENT_HELLO))
        assert talk.told == ["client client_hello", "client change_cipher_spec", "client client_hello"]

    def test_early_data_comes_with_a_change_cipher_spec_before_the_server_has_answered(self) -> None:
        """RFC 8446 §D.4: the client does not know the version yet, and neither does the reader."""
        talk = begun().client(tls.change_cipher_spec() + tls.application_data(300))
        talk.server(tls.said(tls.message(2, tls.server_hello_13()))).client(tls.alert(2, 10))
        assert talk.told[-1] == "client alert 2 10"
        assert talk.records == ["client 23 300"]

    def test_a_resumed_session_begins_to_encrypt_on_the_servers_side(self) -> None:
        """RFC 5246 §7.3, figure 2."""
        talk = begun().server(tls.said(SERVER_HELLO) + tls.change_cipher_spec() + tls.encrypted(HANDSHAKE, 40))
        talk.client(tls.change_cipher_spec() + tls.encrypted(HANDSHAKE, 40))
        assert since(talk, 2) == [
            "server change_cipher_spec",
            "server encrypted_handshake 40",
            "client change_cipher_spec",
            "client encrypted_handshake 40",
        ]

    def test_null_ciphers_hide_nothing(self) -> None:
        """TLS_RSA_WITH_NULL_SHA: what stands behind each message and alert is its MAC of 20 bytes."""
        null = tls.message(2, tls.server_hello(suite=0x0002))
        finished = tls.record(HANDSHAKE, tls.message(tls.FINISHED, bytes(12)) + b"\x0b" * 20)
        talk = begun().server(tls.said(null, DONE)).client(tls.change_cipher_spec() + finished)
        talk.server(tls.change_cipher_spec() + finished + tls.record(ALERT, b"\1\0" + b"\x0b" * 20)).end()
        assert talk.notes == []
        assert since(talk, 3) == [
            "client change_cipher_spec",
            "client finished",
            "server change_cipher_spec",
            "server finished",
            "server alert 1 0",
        ]

    def test_application_data_and_heartbeats_are_counted_not_read(self) -> None:
        talk = handshake_12().client(tls.application_data(100), tls.application_data(0))
        talk.server(tls.record(tls.HEARTBEAT, bytes(40)))
        assert talk.records == ["client 23 100", "client 23 0", "server 24 40"]


class TestContentTypes:
    @pytest.mark.parametrize("kind", [24, 25, 26])
    def test_all_that_are_registered_are_counted(self, kind: int) -> None:
        """IANA's registry: heartbeat (RFC 6520), tls12_cid (RFC 9146), ACK (RFC 9147)."""
        talk = handshake_12().server(tls.record(kind, bytes(50)) + tls.alert(2, 42))
        assert talk.records == [f"server {kind} 50"]
        assert talk.told[-1] == "server alert 2 42"
        assert talk.notes == []

    @pytest.mark.parametrize("kind", [0, 19, 27, 63, 64, 255])
    @pytest.mark.parametrize("size", [1, 700])
    def test_an_unknown_one_is_passed_over_where_the_next_record_begins_at_its_end(self, kind: int, size: int) -> None:
        record = tls.record(kind, bytes(size))
        talk = begun().server(tls.said(SERVER_HELLO) + record + tls.said(DONE)).server(record).server(tls.alert(2, 42))
        assert talk.records == [f"server {kind} {size}"] * 2
        assert since(talk, 2) == ["server server_hello_done", "server alert 2 42"]
        assert talk.notes == [f"frame 2: the server's stream has records of the unknown type {kind}"]

    def test_an_unknown_one_may_lie_in_several_packets(self) -> None:
        record = tls.record(99, bytes(300)) + tls.said(DONE)
        talk = begun().server(tls.said(SERVER_HELLO), record[:3], record[3:100], record[100:290], record[290:])
        assert talk.records == ["server 99 300"]
        assert since(talk, 2) == ["server server_hello_done"]

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(tls.record(99, bytes(300)) + b"HTTP/1.1 200 OK\r\n", id="no record behind it"),
            pytest.param(b"\x63\x03\x03\x00\x00" + tls.alert(2, 42), id="empty"),
            pytest.param(b"\x63\x03\x09\x00\x05hello", id="a version that there is not"),
            pytest.param(b"\x63\x03\x03\xff\xff" + bytes(9), id="too long"),
            pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="text"),
        ],
    )
    def test_what_does_not_check_out_is_no_record(self, other: bytes) -> None:
        talk = begun().server(tls.said(SERVER_HELLO)).server(other).end()
        assert talk.records == []
        assert talk.notes == ["the server's stream stops being TLS records at frame 3"]

    @pytest.mark.parametrize("kind", [tls.CHANGE_CIPHER_SPEC, HANDSHAKE, ALERT, APPLICATION_DATA])
    def test_an_empty_record_changes_nothing(self, kind: int) -> None:
        """An empty change_cipher_spec does not either: what follows is still in clear."""
        talk = begun().server(tls.said(SERVER_HELLO) + tls.record(kind, b"") + tls.said(DONE))
        assert since(talk, 2) == ["server server_hello_done"]
        assert talk.notes == []

    @pytest.mark.parametrize("kind", [20, 21, 22, 23, 24, 99])
    def test_long_runs_of_tiny_records_are_bounded(self, kind: int) -> None:
        talk = begun()
        for _ in range(50):
            talk.server(tls.record(kind, b"\1") * 1000)
        assert len(talk.told) <= MAX_EVENTS
        assert len(talk.records) <= FIRST_RECORDS + LAST_RECORDS
        assert len(talk.notes) <= 50


class TestSslv2:
    """draft-hickman-netscape-ssl-00, RFC 5246 §E.2, RFC 6101 §E."""

    HELLO = tls.sslv2_record(tls.sslv2_client_hello(0x0301, (0x010080, 0x00002F)))
    REAL = tls.sslv2_record(tls.sslv2_client_hello(0x0002, (0x010080, 0x0700C0)))
    ANSWER = tls.sslv2_record(tls.sslv2_server_hello(b"\x30" * 300, (0x010080,)))
    MASTER_KEY = tls.sslv2_record(b"\x02\x01\x00\x80" + tls.u16(0, 128, 8) + bytes(136))

    def test_a_client_hello_in_its_format_is_followed_by_records_of_sslv3_and_later(self) -> None:
        talk = Talk().client(self.HELLO).server(tls.said(FLIGHT))
        talk.client(tls.said(KEY_EXCHANGE) + tls.change_cipher_spec() + tls.encrypted(HANDSHAKE, 40))
        assert talk.told == [
            "client sslv2 1",
            *FLIGHT_TOLD,
            "client client_key_exchange",
            "client change_cipher_spec",
            "client encrypted_handshake 40",
        ]

    def test_an_alert_in_the_same_packet_is_read(self) -> None:
        assert Talk().client(self.HELLO + tls.alert(2, 40)).told == ["client sslv2 1", "client alert 2 40"]

    def test_a_handshake_of_sslv2_itself(self) -> None:
        talk = Talk().client(self.REAL).server(self.ANSWER).client(self.MASTER_KEY)
        assert talk.told == ["client sslv2 1", "server sslv2 4", "client sslv2 2"]
        assert talk.transcript.version == 2
        assert talk.transcript.client_side == 0

    def test_after_the_master_key_everything_is_encrypted(self) -> None:
        talk = Talk().client(self.REAL).server(self.ANSWER).client(self.MASTER_KEY + tls.sslv2_record(b"\x99" * 33))
        talk.server(tls.sslv2_record(b"\x77" * 33), tls.sslv2_record(b"\x77" * 30, padding=2))
        assert len(talk.told) == 3
        assert talk.records == ["client 128 33", "server 128 33", "server 128 32"]

    def test_a_hello_with_padding_has_a_header_of_three_bytes(self) -> None:
        """Only encrypted records are padded; a server may still send such a header."""
        talk = Talk().client(self.REAL).server(self.ANSWER)
        talk.client(tls.sslv2_record(b"\x02" + bytes(20), padding=3))
        assert talk.told[-1] == "client sslv2 2"

    def test_bytes_may_come_one_by_one(self) -> None:
        hello = self.HELLO + tls.said(KEY_EXCHANGE)
        talk = Talk().client(*[hello[at : at + 1] for at in range(len(hello))])
        assert talk.told == ["client sslv2 1", "client client_key_exchange"]

    def test_what_is_kept_of_it_is_bounded(self) -> None:
        endless = tls.sslv2_record(b"\x01\x00\x02" + bytes(30_000))
        talk = Talk().client(self.REAL, *[endless] * 400)
        assert sum(len(event.body or b"") for event in talk.transcript.events) <= MAX_KEPT
        assert len(talk.told) == 401

    def test_a_client_may_go_over_to_records_of_sslv3(self) -> None:
        talk = Talk().client(self.REAL).server(self.ANSWER).client(tls.alert(2, 40))
        assert talk.told == ["client sslv2 1", "server sslv2 4", "client alert 2 40"]

    def test_a_server_speaks_it_only_where_the_client_did(self) -> None:
        talk = Talk().server(self.ANSWER)
        assert talk.told == []
        assert not talk.transcript.tls


class TestSizes:
    @pytest.mark.parametrize("kind", [HANDSHAKE, APPLICATION_DATA])
    def test_the_longest_record_is_read(self, kind: int) -> None:
        """RFC 5246 §6.2.3: 2^14 bytes and 2048 of expansion."""
        talk = handshake_12().client(tls.encrypted(kind, MAX_RECORD) + tls.alert(2, 20))
        assert talk.told[-1] == "client alert 2 20"
        assert talk.notes == []

    @pytest.mark.parametrize("kind", [HANDSHAKE, APPLICATION_DATA])
    def test_a_longer_one_is_none(self, kind: int) -> None:
        talk = handshake_12().client(tls.encrypted(kind, MAX_RECORD + 1))
        assert talk.notes == ["the client's stream stops being TLS records at frame 8"]

    def test_the_longest_message_is_kept(self) -> None:
        body = bytes(MAX_MESSAGE)
        talk = begun().server(tls.records(HANDSHAKE, tls.message(11, body) + DONE, 16384))
        assert since(talk, 1) == ["server certificate", "server server_hello_done"]
        assert talk.transcript.events[1].body == body
        assert talk.notes == []

    @pytest.mark.parametrize("size", [MAX_MESSAGE + 1, (1 << 24) - 1], ids=["by one byte", "by all that can be"])
    def test_a_longer_one_is_told_passed_over_and_not_kept(self, size: int) -> None:
        talk = begun().server(tls.records(HANDSHAKE, tls.message(11, bytes(size)) + DONE, 16384))
        assert since(talk, 1) == ["server certificate", "server server_hello_done"]
        assert (talk.transcript.events[1].length, talk.transcript.events[1].body) == (size, None)
        assert talk.notes == [f"frame 2: a handshake message of {size} bytes is not kept"]

    def test_one_direction_keeps_no_more_than_four_mebibytes(self) -> None:
        message = tls.message(11, bytes(MAX_MESSAGE))
        talk = begun()
        for _ in range(6):
            talk.server(tls.records(HANDSHAKE, message, 16384))
        kept = [event.body is not None for event in talk.transcript.events[1:]]
        assert kept == [True] * (MAX_KEPT // MAX_MESSAGE) + [False] * 2
        assert len(talk.notes) == 2

    def test_a_claim_of_sixteen_mebibytes_takes_no_memory(self) -> None:
        talk = begun().server(tls.said(b"\x0b\xff\xff\xff" + bytes(100)))
        assert not talk.streams[1].parts
        assert since(talk, 1) == ["server certificate"]

    def test_a_long_message_in_records_of_one_byte_is_put_together_once(self) -> None:
        """Adding each byte to what is there would copy 512 MiB here, and 512 GiB for the longest message."""
        message = tls.message(11, b"\x5a" * (1 << 15))
        talk = begun().server(tls.records(HANDSHAKE, message, 1))
        assert since(talk, 1) == ["server certificate"]
        assert talk.transcript.events[1].body == message[4:]

    @pytest.mark.long
    def test_the_longest_message_in_records_of_one_byte(self) -> None:
        message = tls.message(11, b"\x5a" * MAX_MESSAGE)
        talk = begun().server(tls.records(HANDSHAKE, message, 1))
        assert talk.transcript.events[1].body == message[4:]

    def test_bytes_that_come_one_by_one_wait_no_longer_than_their_record(self) -> None:
        record = tls.said(CERTIFICATE)
        talk = begun()
        for at in range(len(record)):
            talk.server(record[at : at + 1])
            assert len(talk.streams[1].carry) <= at + 1
        assert talk.streams[1].carry == b""
        assert since(talk, 1) == ["server certificate"]

    @pytest.mark.parametrize(
        "endless",
        [
            pytest.param(tls.alert(1, 90) * 1000, id="warnings"),
            pytest.param(tls.said(tls.message(tls.HELLO_REQUEST) * 1000), id="hello_request"),
            pytest.param(tls.change_cipher_spec() * 1000, id="change_cipher_spec"),
            pytest.param(tls.change_cipher_spec() + tls.record(HANDSHAKE, b"\1") * 1000, id="tiny and encrypted"),
        ],
    )
    def test_events_of_one_connection_are_bounded(self, endless: bytes) -> None:
        """A capture has no end to its size, so what is kept of one connection must have one."""
        talk = begun().server(tls.said(SERVER_HELLO))
        for _ in range(50):
            talk.server(endless)
        assert len(talk.transcript.events) == MAX_EVENTS


class TestWhatIsNotTls:
    def test_records_may_stop(self) -> None:
        talk = begun().server(tls.said(SERVER_HELLO) + b"HTTP/1.1 400 Bad Request\r\n")
        assert talk.told == ["client client_hello", "server server_hello"]
        assert talk.notes == ["the server's stream stops being TLS records at frame 2"]
        assert talk.transcript.plain_b == b"HTTP/1.1 400 Bad Request\r\n"

    def test_what_answers_a_hello_without_tls_is_kept(self) -> None:
        talk = begun().server(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        assert talk.told == ["client client_hello"]
        assert talk.transcript.plain_b.startswith(b"HTTP/1.0 400")
        assert talk.transcript.plain_a == b""

    @pytest.mark.parametrize("before", [b"PROXY UNKNOWN\r\n", b"x" * 3000, b"!" + b"\x16\x03\x01\x00" * 50])
    def test_a_hello_is_found_in_the_middle_of_a_segment(self, before: bytes) -> None:
        hello = tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello()))
        talk = Talk().client(before[:10], before[10:] + hello[:30], hello[30:])
        assert talk.told == ["client client_hello"]
        assert talk.transcript.plain_a == before[:PLAIN]

    def test_far_into_a_stream_only_a_segments_beginning_is_looked_at(self) -> None:
        hello = tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello()))
        talk = Talk().client(*[b"x" * 1000] * 5, b"y" + hello)
        assert talk.told == []
        assert talk.client(hello).told == ["client client_hello"]

    @pytest.mark.parametrize(
        "almost",
        [
            pytest.param(bytes.fromhex("16030100c8") + bytes.fromhex("0b0000c40303"), id="a certificate"),
            pytest.param(bytes.fromhex("16030100c8") + bytes.fromhex("010000c40203"), id="version 2.3"),
            pytest.param(bytes.fromhex("16030100c8") + bytes.fromhex("010000200303"), id="shorter than its record"),
            pytest.param(bytes.fromhex("16030100c8") + bytes.fromhex("010100c40303"), id="64 KiB"),
        ],
    )
    def test_what_only_resembles_a_hello_is_none(self, almost: bytes) -> None:
        assert Talk().client(b"some words " + almost + bytes(300)).told == []

    @pytest.mark.parametrize("name", WRAPPED)
    def test_gaps_in_packets_that_carry_tls_lose_no_more_than_they_must(self, name: str) -> None:
        """Packets with most of the certificate are missing: the alert in the packet behind them is read again."""
        talk = Talk()
        *opening, (_, flight), _ = WRAPPED[name]
        for side, data in opening:
            (talk.client if side == "client" else talk.server)(data)
        talk.server(flight[:300]).gap("server", len(flight) - 300).server(packet(name, tls.alert(2, 42))).end()
        assert talk.told == [*TOLD[:2], "server certificate cut", "server alert 2 42"]

    @pytest.mark.parametrize("name", WRAPPED)
    @given(missing=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 600), st.integers(1, 900)), max_size=4))
    def test_gaps_anywhere_in_packets_end_in_events(self, name: str, missing: list[tuple[int, int, int]]) -> None:
        talk = Talk()
        for number, (side, data) in enumerate(WRAPPED[name]):
            at = 0
            for turn, place, size in sorted(missing):
                if turn == number and place > at:
                    (talk.client if side == "client" else talk.server)(data[at:place])
                    talk.gap(side, size)
                    at = place + size
            (talk.client if side == "client" else talk.server)(data[at:])
        talk.end()
        assert all(len(event.body or b"") <= 1000 for event in talk.transcript.events)

    def test_only_the_beginning_of_it_is_kept(self) -> None:
        talk = Talk()
        for _ in range(100):
            talk.client(b"x" * 200).server(b"y" * 50)
        assert len(talk.transcript.plain_a) == PLAIN
        assert len(talk.transcript.plain_b) == PLAIN

    @pytest.mark.parametrize(
        "first",
        [
            pytest.param(b"SSH-2.0-OpenSSH_9.2p1\r\n", id="SSH"),
            pytest.param(b"RFB 003.008\n", id="VNC"),
            pytest.param(bytes.fromhex("0300001302e000000000000100080003000000"), id="RDP"),
            pytest.param(b"\x16\x03", id="two bytes that could be"),
            pytest.param(b"\x16\x02\x00\x00\x05hello", id="a handshake of version 2.0"),
            pytest.param(b"\x17\x03\x09\x00\x05hello", id="version 3.9"),
            pytest.param(b"\x16\x03\x01\xff\xff\x01" + bytes(50), id="too long"),
            pytest.param(b"\x15\x03\x01\x00\x02\x09\x09", id="an alert of level 9"),
            pytest.param(b"\x14\x03\x01\x00\x02\x01\x01", id="a change_cipher_spec of two bytes"),
            pytest.param(b"\x80\x80\x80\x80\x80\x80", id="top bits"),
            pytest.param(b"\x80\x2e\x01\x00\x03" + bytes(50), id="like SSLv2, of version 3"),
            pytest.param(bytes(100), id="zeroes"),
        ],
    )
    def test_other_protocols_are_not_taken_for_tls(self, first: bytes) -> None:
        talk = Talk().client(first).server(first).end()
        assert talk.told == []
        assert not talk.transcript.tls

    @pytest.mark.parametrize(
        ("server_first", "dialogue"),
        [
            pytest.param(
                True,
                [
                    b"220 mail.example ESMTP\r\n",
                    b"EHLO a\r\n",
                    b"250 STARTTLS\r\n",
                    b"STARTTLS\r\n",
                    b"220 Go ahead\r\n",
                ],
                id="SMTP, RFC 3207",
            ),
            pytest.param(
                False,
                [b"CONNECT bmc.example:443 HTTP/1.1\r\nHost: bmc.example\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
                id="HTTP CONNECT, RFC 9110 §9.3.6",
            ),
            pytest.param(False, [bytes.fromhex("0000000804d2162f"), b"S"], id="PostgreSQL's SSLRequest"),
            pytest.param(
                True,
                [b"\x4a\x00\x00\x00\x0a8.0.36\x00" + bytes(60), b"\x20\x00\x00\x01" + bytes(32)],
                id="MySQL",
            ),
            pytest.param(
                False,
                [
                    bytes.fromhex("301d02010177188016312e332e362e312e342e312e313436362e3230303337"),
                    bytes.fromhex("300c02010178070a010004000400"),
                ],
                id="LDAP, RFC 4511 §4.14",
            ),
            pytest.param(
                False, [b"\x05\x01\x00", b"\x05\x00", b"\x05\x01\x00\x01\x7f\0\0\1\1\xbb"], id="SOCKS, RFC 1928"
            ),
        ],
    )
    def test_tls_may_begin_after_another_protocol(self, server_first: bool, dialogue: list[bytes]) -> None:
        talk = Talk()
        for turn, text in enumerate(dialogue):
            (talk.server if (turn % 2 == 0) == server_first else talk.client)(text)
        talk.client(tls.said(CLIENT_HELLO)).server(tls.said(FLIGHT)[:400], tls.said(FLIGHT)[400:])
        talk.client(tls.alert(2, 48))
        assert talk.told == ["client client_hello", *FLIGHT_TOLD, "client alert 2 48"]
        assert talk.transcript.tls
        plain = talk.transcript.plain_b if server_first else talk.transcript.plain_a
        assert plain.startswith(dialogue[0])

    def test_a_server_may_refuse_it_with_an_alert_at_once(self) -> None:
        talk = Talk().server(b"220 ready\r\n").client(b"STARTTLS\r\n").server(b"220 go\r\n")
        talk.client(tls.said(CLIENT_HELLO)).server(tls.alert(2, 70))
        assert talk.told == ["client client_hello", "server alert 2 70"]


class TestGaps:
    @pytest.mark.parametrize("before", [0, 1, 400, 999])
    @pytest.mark.parametrize("missing", [1, 300, 1000])
    def test_inside_application_data_they_lose_nothing(self, before: int, missing: int) -> None:
        record = tls.application_data(1000)
        missing = min(missing, 1000 - before)
        talk = handshake_12().server(record[: 5 + before]).gap("server", missing)
        talk.server(record[5 + before + missing :] + tls.application_data(30) + tls.alert(1, 0))
        assert talk.records == ["server 23 1000", "server 23 30"]
        assert talk.told[-1] == "server alert 1 0"
        assert talk.notes == []

    def test_inside_application_data_there_may_be_several(self) -> None:
        talk = handshake_12().server(tls.application_data(9000)[:100])
        talk.gap("server", 1000).server(bytes(500)).gap("server", 2000).server(bytes(100)).gap("server", 9005 - 3700)
        talk.server(tls.application_data(7))
        assert talk.records == ["server 23 9000", "server 23 7"]

    def test_over_the_end_of_a_record_reading_goes_on_at_the_next_boundary_that_checks_out(self) -> None:
        """Bytes that look like a header but lead nowhere are no boundary."""
        talk = handshake_12().server(tls.application_data(1000)[:500]).gap("server", 700)
        talk.server(
            b"\xd0" * 100 + b"\x17\x03\x03\x40\x00" + b"\xd0" * 95 + tls.application_data(20) + tls.application_data(30)
        )
        assert talk.records == ["server 23 1000", "server 23 20", "server 23 30"]

    def test_a_boundary_may_be_a_later_packets_beginning(self) -> None:
        talk = handshake_12().server(tls.application_data(1000)[:500]).gap("server", 700)
        talk.server(b"\xd0" * 300, b"\xd0" * 200, tls.application_data(5000)[:1400])
        assert talk.records == ["server 23 1000", "server 23 5000"]

    def test_inside_a_message_they_are_told_and_the_next_record_is_read(self) -> None:
        record = tls.said(CERTIFICATE)
        talk = begun().server(tls.said(SERVER_HELLO) + record[:200]).gap("server", 300)
        talk.server(record[500:] + tls.said(DONE))
        assert since(talk, 1) == ["server server_hello", "server certificate cut", "server server_hello_done"]
        assert talk.transcript.events[2].body == CERTIFICATE[4:195]
        assert talk.transcript.events[2].frame == 3
        assert talk.notes == [
            "frame 3: of a handshake message of 906 bytes only 191 were captured (record whole packets: tcpdump -s 0)"
        ]

    def test_inside_a_record_with_several_messages_those_before_are_read(self) -> None:
        record = tls.said(FLIGHT)
        talk = begun().server(record[:300]).gap("server", 500).server(record[800:] + tls.alert(2, 80))
        assert since(talk, 1) == ["server server_hello", "server certificate cut", "server alert 2 80"]

    @pytest.mark.parametrize("size", [100, 300, 500])
    def test_inside_a_message_of_several_records_its_other_parts_are_not_taken_for_messages(self, size: int) -> None:
        flight = tls.records(HANDSHAKE, CERTIFICATE, size) + tls.said(DONE)
        talk = begun().server(tls.said(SERVER_HELLO), flight[:60]).gap("server", 30).server(flight[90:])
        assert since(talk, 1) == ["server server_hello", "server certificate cut", "server server_hello_done"]

    def test_over_several_records_the_first_message_that_is_certain_goes_on(self) -> None:
        flight = tls.said(SERVER_HELLO) + tls.said(CERTIFICATE) + tls.said(DONE)
        talk = begun().server(flight[:200]).gap("server", len(flight) - 200).server(tls.alert(2, 42))
        assert since(talk, 1) == ["server server_hello", "server certificate cut", "server alert 2 42"]

    def test_after_one_nobody_knows_whether_keys_have_changed(self) -> None:
        """A change_cipher_spec may be among what is missing: what is no message is encrypted."""
        talk = begun().server(tls.said(FLIGHT)).client(tls.said(KEY_EXCHANGE)).gap("client", 6)
        talk.client(tls.encrypted(HANDSHAKE, 40) + tls.encrypted(ALERT, 26))
        assert talk.told[-2:] == ["client encrypted_handshake 40", "client encrypted_alert"]

    def test_after_one_a_message_that_is_exactly_one_is_read(self) -> None:
        talk = begun().gap("server", len(tls.said(SERVER_HELLO))).server(tls.said(CERTIFICATE) + tls.said(DONE))
        assert since(talk, 1) == ["server certificate", "server server_hello_done"]

    def test_inside_a_change_cipher_spec_the_change_is_not_lost(self) -> None:
        talk = begun().server(tls.said(FLIGHT)).client(tls.said(KEY_EXCHANGE) + tls.change_cipher_spec()[:5])
        talk.gap("client", 1).client(tls.encrypted(HANDSHAKE, 40))
        assert talk.told[-1] == "client encrypted_handshake 40"

    @pytest.mark.parametrize("captured", [5, 6, 20])
    def test_of_an_encrypted_record_its_header_is_enough(self, captured: int) -> None:
        talk = handshake_12()
        done = len(talk.told)
        for kind in (HANDSHAKE, ALERT):
            talk.client(tls.encrypted(kind, 40)[:captured]).gap("client", 45 - captured)
        assert since(talk, done) == ["client encrypted_handshake 40", "client encrypted_alert"]

    def test_inside_a_header_reading_goes_on_later(self) -> None:
        talk = begun().server(tls.said(SERVER_HELLO) + tls.said(CERTIFICATE)[:3]).gap("server", 50)
        talk.server(tls.said(DONE))
        assert since(talk, 1) == ["server server_hello", "server server_hello_done"]

    def test_half_an_alert_before_one_does_not_join_what_comes_after(self) -> None:
        talk = begun().server(tls.record(ALERT, b"\2")).gap("server", 100).server(tls.alert(2, 48))
        assert since(talk, 1) == ["server alert 2 48"]

    def test_before_everything_a_stream_may_be_missing(self) -> None:
        talk = Talk().gap("client", 300).client(tls.said(KEY_EXCHANGE)).gap("server", 2000)
        talk.server(tls.alert(2, 42))
        assert talk.told == ["client client_key_exchange", "server alert 2 42"]

    def test_in_a_stream_without_tls_so_far_a_hello_is_still_found(self) -> None:
        talk = Talk().server(b"220 mail.example ESMTP\r\n").gap("server", 100).server(b"220 go ahead\r\n")
        talk.client(tls.said(CLIENT_HELLO)).server(tls.said(FLIGHT))
        assert talk.told == ["client client_hello", *FLIGHT_TOLD]

    def test_what_only_looks_like_records_does_not_make_a_stream_tls(self) -> None:
        talk = Talk().gap("client", 1).client(b"\x16\x03\x01\x40\x00" * 300)
        assert talk.told == []


class TestBegunAnywhere:
    """Streams whose beginning the capture lacks."""

    def begun_late(self) -> Talk:
        talk = Talk()
        for stream in talk.streams:
            stream.begin_anywhere()
        return talk

    def test_a_packet_that_begins_with_a_record_is_enough(self) -> None:
        talk = self.begun_late().client(tls.application_data(5000)[:1400])
        assert talk.records == ["client 23 5000"]
        assert talk.transcript.tls

    def test_inside_a_record_the_next_one_is_found(self) -> None:
        talk = self.begun_late().client(b"\xd0" * 700 + tls.application_data(40) + tls.application_data(50))
        assert talk.records == ["client 23 40", "client 23 50"]

    def test_an_alert_is_read_or_not_by_its_length(self) -> None:
        talk = self.begun_late().server(tls.alert(2, 42)).client(tls.encrypted(ALERT, 26))
        assert talk.told == ["server alert 2 42", "client encrypted_alert"]

    def test_a_handshake_is_read_where_it_is_one(self) -> None:
        talk = self.begun_late().server(tls.said(FLIGHT)).client(tls.encrypted(HANDSHAKE, 40))
        assert talk.told == [*FLIGHT_TOLD, "client encrypted_handshake 40"]

    def test_after_its_change_cipher_spec_a_side_is_known_to_encrypt(self) -> None:
        talk = self.begun_late().client(tls.change_cipher_spec() + tls.record(HANDSHAKE, tls.message(20, bytes(36))))
        assert talk.told == ["client change_cipher_spec", "client encrypted_handshake 40"]

    def test_other_traffic_is_not_taken_for_tls(self) -> None:
        talk = self.begun_late()
        for number in range(50):
            talk.client(bytes((number * 7 + at * at) & 0xFF for at in range(1400)))
        assert not talk.transcript.tls

    def test_records_of_any_version_that_there_is_are_taken(self) -> None:
        for version in (tls.SSL3, tls.TLS10, tls.TLS11, TLS12):
            talk = self.begun_late().server(tls.record(ALERT, b"\2\x2a", version))
            assert talk.told == ["server alert 2 42"]
