"""A connection that comes in order and without packets: what one fed as packets would have been."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.wire import dialogues, tls
from tlsalert.model import Connection, Position
from tlsalert.wire.connection import connection
from tlsalert.wire.conversation import NOWHERE, Conversation
from tlsalert.wire.transcript import Keeping

CLIENT, SERVER = bytes((10, 0, 0, 5)) + b"\x9c\x80", bytes((10, 0, 0, 7)) + b"\x17\x0c"
SIDES = {"client": 0, "server": 1}


def conversation(opener: int = 0, *, on: bool = False) -> Conversation:
    keeping = Keeping()
    keeping.on = on
    return Conversation(3, CLIENT, SERVER, opener, 1, 1_000, keeping)


def told(talk: Conversation) -> Connection:
    return connection(talk.finish(), "trace.log", 3, 6)


def said(found: Connection) -> list[str]:
    messages = [f"{one.sender} {one.message}" for one in found.messages]
    return messages + [f"{one.sender} alert {int(one.level or 0)} {one.code}" for one in found.alerts]


def test_a_handshake_is_read_with_its_places_and_times() -> None:
    talk = conversation()
    for place, (side, data) in enumerate(dialogues.TLS, 10):
        talk.said(SIDES[side], data, place, place * 1_000)
    talk.closed(1, False, 20, 20_000)
    found = told(talk)
    assert said(found) == dialogues.TOLD
    assert [one.position for one in found.alerts] == [Position(12)]
    assert found.alerts[0].time == 12_000
    assert (str(found.client), str(found.server)) == ("10.0.0.5:40064", "10.0.0.7:5900")
    assert (found.connection, found.start, found.end) == (3, 1_000, 20_000)
    assert (found.closed.how, found.closed.sender, found.closed.position) == ("fin", "server", Position(20))


@given(cuts=st.sets(st.integers(1, len(dialogues.FLIGHT) - 1)))
def test_slicing_changes_nothing(cuts: set[int]) -> None:
    talk = conversation()
    talk.said(0, dialogues.HELLO, 1, 1)
    edges = [0, *sorted(cuts), len(dialogues.FLIGHT)]
    for start, end in pairwise(edges):
        talk.said(1, dialogues.FLIGHT[start:end], 2, 2)
    talk.said(0, dialogues.ALERT, 3, 3)
    assert said(told(talk)) == dialogues.TOLD


def test_missing_bytes_of_known_number_inside_a_record_lose_that_record_alone() -> None:
    talk = conversation()
    talk.said(0, dialogues.HELLO, 1, 1)
    talk.said(1, dialogues.FLIGHT[:200], 2, 2)
    talk.missing(1, len(dialogues.FLIGHT) - 200, 2, 2)
    talk.said(1, dialogues.ALERT, 4, 4)
    found = told(talk)
    assert said(found)[-1] == "server alert 2 48"
    assert any("bytes before it are missing" in note for note in found.notes)


def test_a_reset_after_a_close_is_told_beside_it() -> None:
    talk = conversation()
    talk.said(0, dialogues.HELLO, 1, 1)
    talk.closed(0, False, 5, 5)
    talk.closed(1, True, 6, 6)
    talk.closed(1, True, 7, 7)
    found = told(talk)
    assert (found.closed.how, found.closed.sender) == ("fin", "client")
    assert found.reset is not None
    assert (found.reset.sender, found.reset.position) == ("server", Position(6))


def test_a_stream_that_was_joined_late_is_read_from_the_next_record_on() -> None:
    talk = conversation(-1)
    talk.begin_anywhere(1)
    talk.said(1, b"\x01\x02\x03" + tls.alert(2, 42) + tls.alert(1, 0), 1, 1)
    assert "server alert 2 42" in said(told(talk))


def test_silence_and_talk_that_is_not_tls_are_told_apart() -> None:
    talk = conversation()
    talk.said(0, b"", 1, 1)
    assert (talk.spoke, talk.tls) == (False, False)
    talk.said(0, b"hello, is anybody there?\r\n", 1, 1)
    assert (talk.spoke, talk.tls) == (True, False)
    talk.said(1, dialogues.HELLO, 1, 1)
    assert (talk.spoke, talk.tls) == (True, True)


def test_without_addresses_the_side_with_the_hello_is_the_client() -> None:
    talk = Conversation(0, NOWHERE, NOWHERE, -1, 1, 0, Keeping())
    talk.said(1, dialogues.HELLO, 1, 1)
    talk.said(0, dialogues.ALERT, 2, 2)
    found = told(talk)
    assert [one.sender for one in found.messages] == ["client"]
    assert [one.sender for one in found.alerts] == ["server"]


def test_ipv6_addresses_are_told() -> None:
    near, far = bytes(15) + b"\x01" + b"\x00\x50", bytes(15) + b"\x02" + b"\x01\xbb"
    talk = Conversation(0, near, far, 0, 1, 0, Keeping())
    talk.said(0, dialogues.HELLO, 1, 1)
    found = told(talk)
    assert (str(found.client), str(found.server)) == ("[::1]:80", "[::2]:443")


def test_a_reset_destroys_nothing_that_was_delivered() -> None:
    for delivered in (False, True):
        talk = conversation()
        talk.closed(1, True, 20, 20_000, delivered)
        found = told(talk)
        assert found.closed.how == "rst"
        assert (found.reset is None) == delivered


def test_its_ends_may_become_known_later() -> None:
    talk = Conversation(3, NOWHERE, SERVER, 0, 1, 1_000, Keeping())
    talk.said(0, dialogues.HELLO, 1, 1)
    talk.between(CLIENT, SERVER)
    found = told(talk)
    assert (str(found.client), str(found.server)) == ("10.0.0.5:40064", "10.0.0.7:5900")
    long = Conversation(3, bytes(18), bytes(18), 0, 1, 1_000, Keeping())
    long.said(0, dialogues.HELLO, 1, 1)
    long.between(bytes(15) + b"\x01\x00\x01", bytes(15) + b"\x02\x00\x02")
    found = told(long)
    assert (str(found.client), str(found.server)) == ("[::1]:1", "[::2]:2")


def test_what_words_tell_stands_among_what_bytes_tell() -> None:
    talk = conversation()
    talk.said(0, dialogues.HELLO, 1, 1)
    talk.told(1, 22, 2, -1, None, 2, 2, False)
    talk.told(1, 21, 2 << 8 | 42, 2, None, 3, 3, False)
    found = told(talk)
    assert said(found) == ["client client_hello", "server server_hello", "server alert 2 42"]
    assert (found.messages[1].length, found.messages[1].cut) == (0, True)


def test_what_is_shown_decrypted_takes_the_place_of_what_was_not_read() -> None:
    talk = conversation()
    talk.said(0, dialogues.HELLO, 1, 1)
    talk.told(0, 20, 1, 1, None, 2, 2, False)
    talk.said(0, tls.record(20, b"\1") + tls.record(22, bytes(40)), 3, 3)
    talk.told(0, 22, 20, 12, None, 4, 4, True)
    talk.uncover()
    found = told(talk)
    assert said(found)[-1] == "client finished"
    assert "client encrypted_handshake" not in said(found)
    assert (found.messages[-1].encrypted, found.messages[-1].decrypted) == (True, True)


def test_an_alert_is_asked_for_by_its_number_or_as_any_that_is_fatal() -> None:
    talk = conversation()
    talk.told(1, 21, 1 << 8, 2, None, 1, 1, False)
    assert talk.has_alert(1, 0)
    assert not talk.has_alert(1, -1)
    talk.told(1, 21, 2 << 8 | 42, 2, None, 1, 1, False)
    assert talk.has_alert(1, -1)
    assert not talk.has_alert(0, 42)
