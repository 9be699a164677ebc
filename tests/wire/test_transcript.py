"""A transcript keeps what was said, learns from the hellos, and grows no more than it must."""

from __future__ import annotations

import pytest

from tests.wire import tls
from tests.wire.reading import Talk, told, told_records
from tlsalert.registry.cipher_suites import CipherSuite
from tlsalert.wire.transcript import (
    APPLICATION_DATA,
    FIRST_RECORDS,
    HELLO_RETRY_REQUEST,
    LAST_RECORDS,
    MAX_EVENTS,
    NULL_CIPHERS,
    PIECES,
    Event,
    Transcript,
)


def heard(code: int, body: bytes | None = b"", side: int = 0, transcript: Transcript | None = None) -> Transcript:
    """Return a transcript to which a handshake message was told."""
    transcript = Transcript() if transcript is None else transcript
    transcript.message(code, side, 7, 7000, len(body or b""), body, False)
    return transcript


def test_what_is_not_tls_is_kept_with_the_frames_of_its_pieces() -> None:
    transcript = Transcript()
    transcript.plain(1, b"xx+OK ready\r\nxx", 2, 13, 4, False)
    transcript.plain(0, b"STLS\r\n", 0, 6, 5, False)
    transcript.plain(0, b"", 0, 0, 6, False)
    assert (transcript.plain_a, transcript.plain_b) == (b"STLS\r\n", b"+OK ready\r\n")
    assert transcript.spoken is not None
    assert transcript.spoken.pieces == [(1, 0, 4), (0, 0, 5)]
    transcript.plain(1, b"-ERR no\r\n", 0, 9, 7, False)
    assert transcript.declined
    assert transcript.client_side == 0


def test_what_follows_tls_does_not_join_what_came_before() -> None:
    transcript = Transcript()
    transcript.plain(0, b"EHLO me\r\n", 0, 9, 1, False)
    transcript.plain(0, b"QUIT\r\n", 0, 6, 9, True)
    transcript.plain(1, b"221 bye\r\n", 0, 9, 9, True)
    assert (transcript.plain_a, transcript.plain_b) == (b"EHLO me\r\n", b"221 bye\r\n")
    assert transcript.spoken is not None
    assert transcript.spoken.late == 2


def test_only_so_many_pieces_are_kept_but_turns_longer_than_slices() -> None:
    transcript = Transcript()
    for frame in range(100):
        transcript.plain(0, b"x", 0, 1, frame, False)
    transcript.plain(1, b"y", 0, 1, 100, False)
    assert transcript.spoken is not None
    assert len(transcript.spoken.pieces) == PIECES + 1
    assert transcript.spoken.pieces[-1] == (1, 0, 100)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    "code", [tls.CLIENT_HELLO, tls.CLIENT_KEY_EXCHANGE], ids=["client_hello", "client_key_exchange"]
)
def test_who_sends_what_only_clients_send_is_the_client(code: int, side: int) -> None:
    assert heard(code, tls.client_hello(), side).client_side == side


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    "code",
    [
        tls.SERVER_HELLO,
        tls.NEW_SESSION_TICKET,
        tls.SERVER_KEY_EXCHANGE,
        tls.CERTIFICATE_REQUEST,
        tls.SERVER_HELLO_DONE,
        pytest.param(22, id="certificate_status"),
    ],
)
def test_who_sends_what_only_servers_send_is_the_server(code: int, side: int) -> None:
    assert heard(code, tls.server_hello(), side).client_side == 1 - side


@pytest.mark.parametrize("code", [tls.CERTIFICATE, tls.CERTIFICATE_VERIFY, tls.FINISHED])
def test_what_both_send_says_nothing_of_who_is_who(code: int) -> None:
    assert heard(code).client_side == -1


def test_a_hello_has_the_last_word_on_who_is_who() -> None:
    transcript = heard(tls.NEW_SESSION_TICKET, side=0)
    assert heard(tls.CLIENT_HELLO, tls.client_hello(), 0, transcript).client_side == 0


@pytest.mark.parametrize("version", [tls.SSL3, tls.TLS10, tls.TLS11, tls.TLS12])
def test_a_server_hello_settles_version_and_cipher_suite(version: int) -> None:
    transcript = heard(tls.SERVER_HELLO, tls.server_hello(version, 0x002F, None, session_id=b"\1" * 32), 1)
    assert (transcript.version, transcript.cipher) == (version, 0x002F)


@pytest.mark.parametrize("selected", [0x0304, 0x7F1C, 0x7F16, 0xFB1A], ids=["final", "draft 28", "draft 22", "FB 26"])
def test_the_version_of_tls_1_3_and_its_drafts_lies_in_an_extension(selected: int) -> None:
    """RFC 8446 §4.2.1; drafts had numbers of their own (draft-ietf-tls-tls13-28 §4.2.1.1), and so had Facebook's."""
    transcript = heard(tls.SERVER_HELLO, tls.server_hello_13(version=selected), 1)
    assert (transcript.version, transcript.cipher) == (tls.TLS13, tls.AES_128_GCM)
    assert not transcript.hello_retry


@pytest.mark.parametrize("version", [0x7F12, 0x0304], ids=["draft 18", "draft 14"])
def test_drafts_up_to_21_had_the_version_in_its_old_place(version: int) -> None:
    body = tls.u16(version) + tls.RANDOM + tls.u16(0x1302) + tls.vector(2, b"")
    transcript = heard(tls.SERVER_HELLO, body, 1)
    assert (transcript.version, transcript.cipher) == (tls.TLS13, 0x1302)


def test_supported_versions_of_another_length_is_not_a_choice() -> None:
    body = tls.server_hello(extensions=[(0xFF01, b"\0"), (43, b"\x03\x04\x00")])
    assert heard(tls.SERVER_HELLO, body, 1).version == tls.TLS12


def test_a_hello_retry_request_is_noticed() -> None:
    assert heard(tls.SERVER_HELLO, tls.server_hello_13(random=HELLO_RETRY_REQUEST), 1).hello_retry


def test_that_random_means_nothing_before_tls_1_3() -> None:
    assert not heard(tls.SERVER_HELLO, tls.server_hello(random=HELLO_RETRY_REQUEST), 1).hello_retry


def random_of(hello: Event | None) -> bytes:
    """Return a hello's random as far as it is there (RFC 8446 §4.1.2: behind the version)."""
    return b"" if hello is None or hello.body is None else hello.body[2:34]


def test_the_hellos_randoms_are_kept_with_frame_and_time() -> None:
    transcript = heard(tls.CLIENT_HELLO, tls.client_hello())
    transcript.message(tls.SERVER_HELLO, 1, 9, 9000, 70, tls.server_hello(), False)
    client, server = transcript.client_clock, transcript.server_clock
    assert client is not None
    assert server is not None
    assert (random_of(client), client.frame, client.time) == (tls.RANDOM, 7, 7000)
    assert (random_of(server), server.frame, server.time) == (tls.RANDOM[::-1], 9, 9000)


def test_only_the_first_hello_of_a_side_shows_its_clock() -> None:
    """A renegotiation comes later, when the connection's times no longer begin."""
    transcript = heard(tls.CLIENT_HELLO, tls.client_hello())
    heard(tls.CLIENT_HELLO, tls.client_hello(random=b"\xaa" * 32), 0, transcript)
    heard(tls.SERVER_HELLO, tls.server_hello(), 1, transcript)
    heard(tls.SERVER_HELLO, tls.server_hello(random=b"\xbb" * 32), 1, transcript)
    assert random_of(transcript.client_clock) == tls.RANDOM
    assert random_of(transcript.server_clock) == tls.RANDOM[::-1]


def test_a_tls_1_3_server_shows_no_clock() -> None:
    """RFC 8446 §4.1.3: all 32 bytes are random, and no stack that speaks it puts its clock there."""
    assert heard(tls.SERVER_HELLO, tls.server_hello_13(), 1).server_clock is None


def test_a_cut_server_hello_still_shows_its_clock() -> None:
    transcript = heard(tls.SERVER_HELLO, tls.server_hello()[:10], 1)
    assert random_of(transcript.server_clock) == tls.RANDOM[::-1][:8]
    assert transcript.version == 0


@pytest.mark.parametrize("size", range(40))
def test_no_cut_of_a_server_hello_is_too_short(size: int) -> None:
    for body in (tls.server_hello(session_id=b"\1" * 32), tls.server_hello_13(), tls.u16(0x7F12) + tls.RANDOM * 2):
        assert len(random_of(heard(tls.SERVER_HELLO, body[:size], 1).server_clock)) <= 32
        assert heard(tls.CLIENT_HELLO, body[:size], 0).client_side == 0


def test_a_message_without_a_body_is_kept() -> None:
    (event,) = heard(tls.CLIENT_HELLO, None).events
    assert (event.code, event.body) == (1, None)


def test_the_cipher_suites_that_encrypt_nothing_are_those_named_so() -> None:
    named = {int(suite) for suite in CipherSuite if "_NULL_" in suite.name}
    assert set(NULL_CIPHERS) == named


@pytest.mark.parametrize("suite", [0x0002, 0x003B, 0xC006])
def test_a_null_cipher_is_noticed(suite: int) -> None:
    assert heard(tls.SERVER_HELLO, tls.server_hello(suite=suite), 1).null_cipher
    assert not heard(tls.SERVER_HELLO, tls.server_hello(suite=0x002F), 1).null_cipher


def test_records_that_cannot_be_read_count_and_the_first_and_last_keep_their_lengths() -> None:
    transcript = Transcript()
    for number in range(100):
        transcript.record(APPLICATION_DATA, number % 2, number, number, 1000 + number)
    assert (transcript.records_a, transcript.records_b) == (50, 50)
    first, last = range(FIRST_RECORDS), range(100 - LAST_RECORDS, 100)
    sides = ("client", "server")
    assert told_records(transcript) == [f"{sides[n % 2]} 23 {1000 + n}" for n in (*first, *last)]


def test_a_remark_is_kept_once_and_there_is_an_end_to_them() -> None:
    transcript = Transcript()
    for number in range(1000):
        transcript.note(f"remark {number // 2}")
    assert transcript.notes == [f"remark {number}" for number in range(50)]


def test_of_too_many_events_the_first_are_kept_and_the_last_alert() -> None:
    """The alert that ended a connection is what it was read for."""
    transcript = heard(tls.CLIENT_HELLO, tls.client_hello())
    for number in range(3 * MAX_EVENTS):
        transcript.alert(1, 90, 1, number, number)
    transcript.alert(2, 42, 1, 77, 78)
    lines = told(transcript)
    assert len(lines) <= MAX_EVENTS + 1
    assert (lines[0], lines[1], lines[-1]) == ("client client_hello", "server alert 1 90", "server alert 2 42")
    assert transcript.alerts == 3 * MAX_EVENTS + 1
    assert len(transcript.notes) == 1


def established_12() -> Talk:
    talk = Talk().client(tls.said(tls.message(1, tls.client_hello())))
    talk.server(tls.said(tls.message(2, tls.server_hello()), tls.message(11, tls.certificate_list()), tls.message(14)))
    talk.client(tls.said(tls.message(16)) + tls.change_cipher_spec() + tls.encrypted(tls.HANDSHAKE, 40))
    talk.server(tls.change_cipher_spec() + tls.encrypted(tls.HANDSHAKE, 40))
    return talk.client(tls.application_data(100)).server(tls.application_data(200))


def established_13() -> Talk:
    talk = Talk().client(tls.said(tls.message(1, tls.client_hello())))
    talk.server(tls.said(tls.message(2, tls.server_hello_13())) + tls.change_cipher_spec() + tls.application_data(900))
    return talk.client(tls.change_cipher_spec() + tls.application_data(53)).server(tls.application_data(500))


@pytest.mark.parametrize("talk", [established_12(), established_13()], ids=["TLS 1.2", "TLS 1.3"])
def test_a_handshake_that_both_finished_and_data_after_it_went_well(talk: Talk) -> None:
    assert talk.transcript.went_well()


def test_an_encrypted_farewell_does_not_spoil_it() -> None:
    talk = established_12().client(tls.encrypted(tls.ALERT, 26)).server(tls.encrypted(tls.ALERT, 26))
    assert talk.transcript.went_well()


def test_any_doubt_is_left_to_the_diagnosis() -> None:
    """Whether it surely went well: an alert in clear, a note, a missing half or a second handshake cast doubt on it."""
    assert not established_12().server(tls.alert(2, 40)).transcript.went_well()
    assert not Talk().transcript.went_well()
    noted = established_12()
    noted.transcript.note("something was missing")
    assert not noted.transcript.went_well()
    twice = established_12().client(tls.encrypted(tls.HANDSHAKE, 300))
    assert not twice.transcript.went_well()
    half = Talk().client(tls.said(tls.message(1, tls.client_hello())) + tls.application_data(100))
    assert not half.transcript.went_well()


def test_a_hello_without_any_answer_is_unanswered() -> None:
    hello = tls.said(tls.message(1, tls.client_hello()))
    assert Talk().client(hello).transcript.unanswered()
    assert Talk().client(hello, tls.change_cipher_spec() + tls.application_data(80)).transcript.unanswered()


def test_whatever_came_back_is_an_answer() -> None:
    hello = tls.said(tls.message(1, tls.client_hello()))
    for answer in (tls.said(tls.message(2, tls.server_hello())), tls.alert(2, 40), b"HTTP/1.0 400 Bad Request"):
        assert not Talk().client(hello).server(answer).transcript.unanswered()
    assert not Talk().client(hello + tls.alert(2, 90)).transcript.unanswered()
    assert not established_12().transcript.unanswered()


def test_a_tls_1_3_server_that_answers_with_what_could_be_an_alert_may_have_refused() -> None:
    talk = Talk().client(tls.said(tls.message(1, tls.client_hello())))
    talk.server(tls.said(tls.message(2, tls.server_hello_13())) + tls.application_data(900))
    talk.client(tls.application_data(900) + tls.application_data(53)).server(tls.application_data(19))
    assert not talk.transcript.went_well()
