"""A session's surest signs tell it; alerts are taken from all of them, each once."""

from __future__ import annotations

from tests.sources.texts import alerts, said
from tlsalert.model import Connection
from tlsalert.sources.talk import CERTIFICATE, CLIENT_HELLO, FATAL, FINISHED, SERVER_HELLO, Bytes, Gap, Grade, Talk
from tlsalert.wire.connection import connection
from tlsalert.wire.transcript import Keeping


def told(talk: Talk) -> Connection:
    conversation = talk.finish(1_000_000_000)
    assert conversation is not None
    assert conversation.amend is not None
    return conversation.amend(connection(conversation.finish(), "text", 0, 6))


def client() -> Talk:
    talk = Talk(0, 1, Keeping())
    talk.server = False
    return talk


def test_nothing_is_no_session() -> None:
    assert client().finish(0) is None


def test_messages_shown_by_themselves_come_before_names_of_states() -> None:
    talk = client()
    talk.message(True, CLIENT_HELLO, 1, Grade.state)
    talk.message(True, CLIENT_HELLO, 2, Grade.detail, 300)
    found = told(talk)
    assert said(found) == ["client client_hello"]
    assert found.messages[0].length == 300


def test_an_alert_that_is_told_three_times_is_one() -> None:
    talk = client()
    talk.message(True, CLIENT_HELLO, 1, Grade.detail, 300)
    talk.alert(False, FATAL, 42, 5, Grade.detail)
    talk.alert(False, FATAL, 42, 6, Grade.state)
    talk.alert(False, FATAL, 42, 7, Grade.summary)
    found = told(talk)
    assert alerts(found) == [("server", 42)]
    assert found.alerts[0].position.frame == 5


def test_an_alert_that_only_follows_from_words_is_marked_and_gives_way() -> None:
    talk = client()
    talk.message(True, CLIENT_HELLO, 1, Grade.detail, 300)
    talk.alert(True, FATAL, 48, 6, Grade.summary, True)
    assert told(talk).alerts[0].inferred == "fatal alert"
    talk = client()
    talk.alert(True, FATAL, 46, 5, Grade.detail)
    talk.alert(True, FATAL, 48, 6, Grade.summary, True)
    assert alerts(told(talk)) == [("client", 46)]


def test_in_tls_1_3_what_comes_behind_the_hellos_went_encrypted() -> None:
    talk = client()
    talk.facts.version = "TLS 1.3"
    for own, code in ((True, CLIENT_HELLO), (False, SERVER_HELLO), (False, CERTIFICATE), (True, FINISHED)):
        talk.message(own, code, 1, Grade.detail, 100)
    talk.alert(False, FATAL, 116, 2, Grade.detail)
    found = told(talk)
    assert [one.encrypted for one in found.messages] == [False, False, True, True]
    assert found.alerts[0].encrypted
    assert found.alerts[0].decrypted
    assert found.tls_version == "TLS 1.3"


def test_up_to_tls_1_2_what_comes_behind_change_cipher_spec_did() -> None:
    talk = client()
    talk.message(True, CLIENT_HELLO, 1, Grade.detail, 100)
    talk.change(True, 2, Grade.detail)
    talk.message(True, FINISHED, 3, Grade.detail, 12)
    assert [one.encrypted for one in told(talk).messages] == [False, False, True]


def test_missing_bytes_are_told() -> None:
    talk = client()
    talk.add(Bytes(True, bytes.fromhex("16030100400100003c0303") + bytes(20), 1))
    talk.add(Gap(True, 200, 1))
    assert any("missing" in note for note in told(talk).notes)


def test_addresses_of_both_families_may_meet() -> None:
    talk = client()
    talk.addresses = {"server": ("2001:db8::7", 443), "client": ("192.0.2.1", 40000)}
    talk.message(True, CLIENT_HELLO, 1, Grade.detail, 100)
    assert str(told(talk).server) == "[2001:db8::7]:443"


def test_a_text_that_only_says_how_it_ended_gets_the_messages_that_must_have_been() -> None:
    talk = client()
    talk.alert(False, FATAL, 42, 9, Grade.summary)
    found = told(talk)
    assert said(found)[0] == "client client_hello"
    assert any("follow from what it says" in note for note in found.notes)
