"""The facts that keys depend on are taken from the handshake messages, and from nothing else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.secrets import rfc8448
from tests.secrets.hellos import RANDOM, SERVER_RANDOM, client_hello, extension, psk_hello, server_hello, vector
from tlsalert.secrets.handshake import MAX_TRANSCRIPT, Handshake
from tlsalert.wire.transcript import HELLO_RETRY_REQUEST

EXCHANGE = b"\x10\0\0\x02\0\0"


def taken(*messages: tuple[str, bytes]) -> Handshake:
    handshake = Handshake()
    for side, message in messages:
        handshake.take("client" if side == "client" else "server", message)
    return handshake


def test_a_hello_of_tls12() -> None:
    extensions = extension(22, b"") + extension(23, b"") + extension(4, b"")
    ticket = extension(35, b"ticket")
    handshake = taken(
        ("client", client_hello([0x009C], extensions=ticket)), ("server", server_hello(0x009C, extensions=extensions))
    )
    assert (handshake.client_random, handshake.server_random) == (RANDOM, SERVER_RANDOM)
    assert (handshake.version, handshake.tls13, handshake.ticket) == (0x0303, False, b"ticket")
    assert handshake.suite is not None
    assert handshake.suite.name == "TLS_RSA_WITH_AES_128_GCM_SHA256"
    assert handshake.extended_master
    assert (handshake.options.encrypt_then_mac, handshake.options.truncated_mac) == (True, True)


def test_a_hello_of_tls13() -> None:
    handshake = taken(("client", client_hello([0x1301], tls13=True)))
    assert (handshake.tls13, handshake.version, handshake.early_data) == (True, 0, False)
    handshake.take("server", server_hello(0x1301, selected=0x0304))
    assert (handshake.tls13, handshake.version, handshake.prefix, handshake.draft) == (True, 0x0304, "tls13 ", None)


def test_a_client_that_offers_tls13_may_get_tls12() -> None:
    handshake = taken(("client", client_hello([0x009C], tls13=True)), ("server", server_hello(0x009C)))
    assert not handshake.tls13


def test_compression_is_taken_from_the_server_hello() -> None:
    hello = bytearray(server_hello(0x002F))
    hello[4 + 2 + 32 + 1 + 2] = 1
    assert taken(("server", bytes(hello))).options.deflate


def test_a_draft_without_session_id() -> None:
    """draft-ietf-tls-tls13-18 §4.1.3."""
    body = b"\x7f\x12" + SERVER_RANDOM + b"\x13\x01" + vector(2, b"")
    handshake = taken(("server", b"\x02" + vector(3, body)))
    assert (handshake.version, handshake.draft, handshake.prefix) == (0x0304, 18, "TLS 1.3, ")
    assert handshake.options.bare
    assert handshake.suite_code == 0x1301


def test_the_hash_of_a_session_covers_all_up_to_client_key_exchange() -> None:
    """RFC 7627 §3; a HelloRequest counts in no hash (RFC 5246 §7.4.1.1)."""
    hello, answer = client_hello([0x002F]), server_hello(0x002F)
    handshake = taken(("server", b"\0\0\0\0"), ("client", hello), ("server", answer))
    assert handshake.to_key_exchange() is None
    handshake.take("client", EXCHANGE)
    handshake.take("client", b"\x0f\0\0\0")
    assert handshake.to_key_exchange() == hello + answer + EXCHANGE
    assert handshake.key_exchange == EXCHANGE[4:]


def test_a_message_that_was_missed_leaves_no_hash() -> None:
    handshake = taken(("client", client_hello([0x002F])), ("server", server_hello(0x002F)))
    handshake.miss()
    handshake.take("client", EXCHANGE)
    assert handshake.to_key_exchange() is None


def test_what_is_missed_behind_the_key_exchange_does_not_matter() -> None:
    handshake = taken(("client", client_hello([0x002F])), ("server", server_hello(0x002F)), ("client", EXCHANGE))
    handshake.miss()
    assert handshake.to_key_exchange() is not None


def test_a_handshake_without_end_is_not_kept() -> None:
    handshake = taken(("client", client_hello([0x002F])), ("server", server_hello(0x002F)))
    for _ in range(20):
        handshake.take("server", b"\x0b" + vector(3, bytes(MAX_TRANSCRIPT // 16)))
    handshake.take("client", EXCHANGE)
    assert handshake.to_key_exchange() is None
    assert len(handshake._messages) < 10


def test_transcripts_of_tls13_leave_the_clients_flight_out() -> None:
    """RFC 8446 §4.4.1: in the hash it comes after the server's Finished, in time it may come before."""
    hello, answer = (bytes.fromhex(sent)[5:] for sent in (rfc8448.CLIENT_HELLO, rfc8448.SERVER_HELLO))
    handshake = taken(("client", hello), ("server", answer))
    assert handshake.to_server_hello() == hello + answer
    assert handshake.to_server_finished() is None
    handshake.take("client", b"\x05\0\0\0")
    handshake.take("server", b"\x08\0\0\0")
    handshake.take("server", b"\x14\0\0\x20" + bytes(32))
    handshake.take("server", b"\x04\0\0\0")
    assert handshake.to_server_finished() == hello + answer + b"\x08\0\0\0\x14\0\0\x20" + bytes(32)


def test_a_hello_that_was_asked_for_again_stands_behind_the_hash_of_the_first() -> None:
    """RFC 8446 §4.4.1."""
    first, second = client_hello([0x1301], tls13=True), client_hello([0x1301], tls13=True, extensions=extension(0, b""))
    retry = server_hello(0x1301, random=HELLO_RETRY_REQUEST, selected=0x0304)
    answer = server_hello(0x1301, selected=0x0304)
    handshake = taken(("client", first), ("server", retry))
    assert handshake.retried
    assert not handshake.begins_anew(1)
    handshake.take("client", second)
    handshake.take("server", answer)
    head = b"\xfe\0\0\x20" + hashlib.sha256(first).digest()
    assert handshake.to_server_hello() == head + retry + second + answer


def test_another_hello_behind_a_finished_exchange_begins_anew() -> None:
    handshake = taken(("client", client_hello([0x002F])), ("server", server_hello(0x002F)))
    assert handshake.begins_anew(1)
    assert not handshake.begins_anew(2)


def test_binders_are_found_and_the_place_where_they_begin() -> None:
    """RFC 8446 §4.2.11.2: they cover the hello up to their own list."""
    hello = psk_hello(b"psk")
    handshake = taken(("client", hello))
    assert hello[handshake.binders_at :] == vector(2, vector(1, handshake.binders[0]))


@pytest.mark.parametrize("alone", [True, False])
def test_whether_a_psk_stands_alone_is_told_by_the_key_share(alone: bool) -> None:
    extensions = extension(41, b"\0\0") + (b"" if alone else extension(51, b"\0\x1d\0\0"))
    handshake = taken(("server", server_hello(0x1301, selected=0x0304, extensions=extensions)))
    assert (handshake.psk_selected, handshake.psk_alone) == (0, alone)


def test_a_ticket_of_tls12_is_kept_for_the_resumption() -> None:
    """RFC 5077 §3.3: a lifetime and the ticket."""
    handshake = taken(
        ("server", server_hello(0x002F)), ("server", b"\x04" + vector(3, bytes(4) + vector(2, b"ticket")))
    )
    assert handshake.new_ticket == b"ticket"


@given(
    st.lists(st.tuples(st.sampled_from(["client", "server"]), st.integers(0, 255), st.binary(max_size=120)), max_size=5)
)
def test_any_messages_are_taken_without_an_error(messages: list[tuple[str, int, bytes]]) -> None:
    handshake = taken(*((side, bytes((kind,)) + vector(3, body)) for side, kind, body in messages))
    handshake.to_server_hello()
    handshake.to_server_finished()
    handshake.to_key_exchange()


@given(at=st.integers(0, 200), data=st.binary(max_size=8))
def test_damaged_hellos_are_taken_without_an_error(at: int, data: bytes) -> None:
    for hello in (psk_hello(b"psk"), server_hello(0x1301, selected=0x0304, extensions=extension(41, b"\0\0"))):
        damaged = hello[:at] + data + hello[at + len(data) :]
        if damaged:
            taken(("client", damaged), ("server", damaged))
