"""What an encrypted alert must be shows in lengths and order: RFC 8446 §5.2 and §6, RFC 5246 §7.2."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.wire import tls
from tests.wire.reading import SIDES, Talk
from tlsalert.wire.inference import CLOSE_NOTIFY, FATAL, alert_lengths, inferred_alerts, unread_alerts
from tlsalert.wire.transcript import Event, Transcript

ALERT, PADDED = 19, 35
#: A client's flight in TLS 1.3: alone its Finished, or with Certificate and CertificateVerify before it.
FINISHED, CERTIFICATE, TICKET, REQUEST, ANSWER = 53, 900, 250, 80, 1200


def tls_13(*records: tuple[str, int], suite: int = tls.AES_128_GCM, version: int = tls.TLS13) -> Transcript:
    """Return a TLS 1.3 handshake after whose hellos these records were sent: side and length."""
    hello = tls.server_hello(suite=suite, extensions=[(43, tls.u16(version)), (51, tls.u16(29) + bytes(34))])
    talk = Talk().client(tls.said(tls.message(1, tls.client_hello()))).server(tls.said(tls.message(2, hello)))
    for side, size in records:
        (talk.client if side == "client" else talk.server)(tls.application_data(size))
    return talk.transcript


def inferred(*records: tuple[str, int], suite: int = tls.AES_128_GCM) -> list[tuple[int, str, str]]:
    """Return which of the records are said to be alerts: frame (the first record's is 3), side and what."""
    return [
        (int(event.frame), SIDES[event.side], says) for event, says in inferred_alerts(tls_13(*records, suite=suite), 0)
    ]


@pytest.mark.parametrize(
    ("suite", "lengths"),
    [
        *((suite, (19, 35)) for suite in (0x1301, 0x1302, 0x1303, 0x1304)),
        (0x1305, (11, 27)),
        (0xC0B4, (35, 51)),
        (0xC0B5, (51, 67)),
    ],
)
def test_an_alert_is_as_long_as_its_cipher_makes_it(suite: int, lengths: tuple[int, int]) -> None:
    """Two bytes, the content type, and the tag: 16 bytes, 8 for CCM_8 (RFC 8446 §B.4), a MAC for RFC 9150's."""
    assert alert_lengths(suite) == lengths


@pytest.mark.parametrize("size", [ALERT, PADDED], ids=["bare", "padded as JSSE does"])
class TestTls13:
    def test_a_client_that_says_nothing_else_refused_the_server(self, size: int) -> None:
        assert inferred(("server", CERTIFICATE), ("client", size)) == [(4, "client", FATAL)]

    def test_a_server_that_answers_the_clients_flight_with_nothing_else_refused_it(self, size: int) -> None:
        records = [("server", CERTIFICATE), ("client", CERTIFICATE), ("client", FINISHED), ("server", size)]
        assert inferred(*records) == [(6, "server", FATAL)]

    def test_a_server_may_refuse_twice(self, size: int) -> None:
        """As gnutls-serv does: what its program says after what its library said is no farewell."""
        records = [("server", CERTIFICATE), ("client", CERTIFICATE), ("client", FINISHED), ("server", size)]
        assert inferred(*records, ("server", size)) == [(6, "server", FATAL), (7, "server", FATAL)]
        assert inferred(*records, ("client", size), ("server", size)) == [
            (6, "server", FATAL),
            (7, "client", CLOSE_NOTIFY),
            (8, "server", FATAL),
        ]

    def test_after_data_it_is_a_farewell(self, size: int) -> None:
        records = [("server", CERTIFICATE), ("client", FINISHED), ("client", REQUEST), ("server", ANSWER)]
        assert inferred(*records, ("client", size)) == [(7, "client", CLOSE_NOTIFY)]
        assert inferred(*records, ("server", size)) == [(7, "server", CLOSE_NOTIFY)]
        assert inferred(*records, ("client", size), ("server", size)) == [
            (7, "client", CLOSE_NOTIFY),
            (8, "server", CLOSE_NOTIFY),
        ]

    def test_after_the_servers_tickets_it_is_a_farewell(self, size: int) -> None:
        """They come when the server has accepted the client's flight (RFC 8446 §4.6.1)."""
        records = [("server", CERTIFICATE), ("client", FINISHED), ("server", TICKET), ("server", TICKET)]
        assert inferred(*records, ("server", size)) == [(7, "server", CLOSE_NOTIFY)]

    def test_the_answer_to_a_farewell_is_one(self, size: int) -> None:
        records = [("server", CERTIFICATE), ("client", FINISHED), ("client", size), ("server", size)]
        assert inferred(*records) == [(5, "client", CLOSE_NOTIFY), (6, "server", CLOSE_NOTIFY)]

    def test_it_must_be_the_last_record_of_its_side(self, size: int) -> None:
        assert inferred(("server", CERTIFICATE), ("client", size), ("client", REQUEST)) == []

    def test_a_server_that_was_not_answered_yet_is_left_open(self, size: int) -> None:
        assert inferred(("server", CERTIFICATE), ("server", size)) == []
        assert inferred(("server", size)) == []


def test_other_lengths_are_no_alert() -> None:
    for size in (10, 18, 20, 34, 36, 53):
        assert inferred(("server", CERTIFICATE), ("client", size)) == []
    assert inferred(("server", CERTIFICATE), ("client", ALERT), suite=0x1305) == []
    assert inferred(("server", CERTIFICATE), ("client", 11), suite=0x1305) == [(4, "client", FATAL)]


def test_who_is_who_does_not_depend_on_who_was_seen_first() -> None:
    transcript = tls_13(("server", CERTIFICATE), ("client", ALERT))
    assert [says for _, says in inferred_alerts(transcript, 0)] == [FATAL]
    mirrored = Transcript()
    mirrored.version, mirrored.cipher = transcript.version, transcript.cipher
    for record in transcript.records:
        mirrored.record(record.kind, 1 - record.side, record.frame, record.time, record.length)
    assert [(int(event.side), says) for event, says in inferred_alerts(mirrored, 1)] == [(1, FATAL)]


def test_the_last_records_of_a_long_connection_are_known() -> None:
    records = [("server", CERTIFICATE), ("client", FINISHED)] + [("client", REQUEST), ("server", ANSWER)] * 100
    assert inferred(*records, ("server", ALERT)) == [(205, "server", CLOSE_NOTIFY)]


def test_before_tls_1_3_application_data_is_no_alert() -> None:
    talk = Talk().client(tls.said(tls.message(1, tls.client_hello())), tls.application_data(ALERT))
    talk.server(tls.said(tls.message(2, tls.server_hello())), tls.application_data(ALERT))
    assert inferred_alerts(talk.transcript, 0) == []


def hidden_alerts(*turns: tuple[str, bytes]) -> list[str | None]:
    """Return what the encrypted alerts of a TLS 1.2 connection are said to be."""
    talk = (
        Talk().client(tls.said(tls.message(1, tls.client_hello()))).server(tls.said(tls.message(2, tls.server_hello())))
    )
    for side, data in turns:
        (talk.client if side == "client" else talk.server)(data)
    return unread_alerts(talk.transcript)


KEYS = tls.change_cipher_spec() + tls.encrypted(tls.HANDSHAKE, 40)
HIDDEN = tls.encrypted(tls.ALERT, 26)
DONE = [("client", KEYS), ("server", KEYS)]


class TestTls12:
    def test_within_a_handshake_it_is_fatal(self) -> None:
        """One side has changed its cipher, the other has not."""
        assert hidden_alerts(("client", KEYS + HIDDEN)) == [FATAL]
        assert hidden_alerts(("server", KEYS + HIDDEN)) == [FATAL]

    def test_after_it_the_last_one_of_each_side_is_a_farewell(self) -> None:
        assert hidden_alerts(*DONE, ("client", HIDDEN)) == [CLOSE_NOTIFY]
        assert hidden_alerts(*DONE, ("client", HIDDEN), ("server", HIDDEN)) == [CLOSE_NOTIFY, CLOSE_NOTIFY]

    def test_one_that_is_not_the_last_of_its_side_is_left_open(self) -> None:
        """A warning such as no_renegotiation; nothing follows a close_notify (RFC 5246 §7.2.1)."""
        assert hidden_alerts(*DONE, ("client", HIDDEN), ("client", HIDDEN)) == [None, CLOSE_NOTIFY]

    def test_within_a_renegotiation_it_is_fatal(self) -> None:
        again = tls.encrypted(tls.HANDSHAKE, 250)
        assert hidden_alerts(*DONE, ("server", again), ("client", again), ("server", again + HIDDEN)) == [FATAL]

    def test_as_the_answer_to_one_who_asks_for_a_renegotiation_it_may_be_a_warning(self) -> None:
        """no_renegotiation, RFC 5246 §7.2.2: the connection goes on."""
        again = tls.encrypted(tls.HANDSHAKE, 250)
        assert hidden_alerts(*DONE, ("client", again), ("server", HIDDEN)) == [None]
        assert hidden_alerts(*DONE, ("server", again), ("client", HIDDEN)) == [None]

    def test_where_a_hello_was_seen_twice_the_change_of_ciphers_proves_nothing(self) -> None:
        """Two copies of the server's flight, one of them made by something between the two."""
        hello, answer = (tls.said(tls.message(1, tls.client_hello())), tls.said(tls.message(2, tls.server_hello())))
        talk = Talk().client(hello).server(answer + KEYS).gap("server", 100_000)
        talk.server(answer + KEYS).client(KEYS).server(HIDDEN)
        assert unread_alerts(talk.transcript) == [None]

    def test_after_a_renegotiation_it_is_a_farewell(self) -> None:
        again = tls.encrypted(tls.HANDSHAKE, 250)
        renegotiated = [*DONE, ("client", again), ("server", again), *DONE]
        assert hidden_alerts(*renegotiated, ("client", HIDDEN)) == [CLOSE_NOTIFY]

    def test_alerts_in_clear_are_not_asked_about(self) -> None:
        assert hidden_alerts(("server", tls.alert(2, 42)), ("client", KEYS + HIDDEN)) == [FATAL]


class Counted(list[Event]):
    """A list that counts how many of its items were looked at."""

    looked = 0

    def __iter__(self) -> Iterator[Event]:
        for event in super().__iter__():
            self.looked += 1
            yield event


def test_every_event_is_looked_at_once_however_many_alerts_there_are() -> None:
    """Looking through all of them for each alert would take a stranger's capture for ever."""
    transcript = Transcript()
    for number in range(2000):
        transcript.unread(tls.ALERT, number % 2, number, number, 26, None)
    counted = Counted(transcript.events)
    transcript.events = counted
    assert len(unread_alerts(transcript)) == 2000
    assert counted.looked <= 2000  # compiled code does not even ask a list's subclass
