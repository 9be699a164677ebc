"""A connection's version and cipher suite choose how its messages are read."""

from __future__ import annotations

import tlsalert
from tests.evidence import CAPTURES
from tests.wire import tls
from tlsalert.decode import contents, negotiated
from tlsalert.messages import ServerKeyExchange
from tlsalert.model import ClientHello, Connection, HandshakeMessage, Position


def message(kind: int, body: bytes | None, name: str = "some_message") -> HandshakeMessage:
    return HandshakeMessage(name, kind, "server", Position(1), None, 0, body=body)


def test_a_connections_version_and_suite_choose_the_form() -> None:
    found = tlsalert.read(CAPTURES / "console.pcap")[0]
    assert negotiated(found) == (0x0303, 0xC030)
    said = {one.message: contents(one, found) for one in found.messages if one.type is not None}
    exchange = said["server_key_exchange"]
    assert isinstance(exchange, ServerKeyExchange)
    assert exchange.key_exchange == "ECDHE_RSA"
    assert exchange.signature is not None
    assert exchange.signature.scheme == 0x0804
    assert not any(one.problems for one in said.values() if one is not None)


def test_without_a_server_hello_nothing_is_known() -> None:
    assert negotiated(Connection(source="s", connection=0)) == (0, -1)


def test_what_was_not_read_has_no_contents() -> None:
    nothing = Connection(source="s", connection=0)
    assert contents(message(11, None), nothing) is None
    assert contents(HandshakeMessage("encrypted_handshake", None, "client", Position(1), None, 40), nothing) is None


def test_of_sslv2_the_first_message_is_decoded() -> None:
    nothing = Connection(source="s", connection=0)
    hello = contents(message(1, tls.sslv2_client_hello(0x0301, [0x010080]), "sslv2_client_hello"), nothing)
    assert isinstance(hello, ClientHello)
    assert contents(message(4, b"\0", "sslv2_server_hello"), nothing) is None


def test_it_is_one_of_the_public_names() -> None:
    assert tlsalert.contents is contents
