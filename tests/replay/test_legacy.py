"""SSLv3 to TLS 1.2 beyond a plain handshake: what only old clients agreed on, and how a server may break the rules."""

from __future__ import annotations

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from OpenSSL import SSL

from tests.replay.devices import AFTER, BEFORE, authority, leaf, serving, shown
from tests.replay.plain_hello import PlainHello
from tlsalert.lab.certificates import issued
from tlsalert.lab.device import Device
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.handshake import Handshake
from tlsalert.replay.legacy import _next_protocol

CA = authority()
CLIENT = leaf(CA)
SERVER = issued("CN=device", CA, BEFORE, AFTER)


def record(kind: int, data: bytes, version: int = 3) -> bytes:
    return bytes((kind, 3, version)) + len(data).to_bytes(2, "big") + data


def message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def hello(suite: int, version: int = 3, extensions: bytes = b"") -> bytes:
    block = len(extensions).to_bytes(2, "big") + extensions if extensions else b""
    return message(2, bytes((3, version)) + bytes(32) + b"\0" + suite.to_bytes(2, "big") + b"\0" + block)


def told(*messages: bytes, version: str = "TLS 1.2", presentation: Presentation | None = None) -> Handshake:
    handshake = Handshake(PlainHello(), version, presentation or shown(CLIENT))
    handshake.output()
    for one in messages:
        handshake.feed(record(22, one))
    return handshake


def certificate() -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    der = SERVER.certificate.public_bytes(Encoding.DER)
    entry = len(der).to_bytes(3, "big") + der
    return message(11, len(entry).to_bytes(3, "big") + entry)


REQUEST = message(13, b"\1\1" + b"\0\4\4\1\2\1" + b"\0\0")
DONE = message(14, b"")


def flight(data: bytes) -> list[tuple[int, int]]:
    """The records of a flight: content type, and the first byte of what they hold."""
    found = []
    while data:
        size = int.from_bytes(data[3:5], "big")
        found.append((data[0], data[5] if size else -1))
        data = data[5 + size :]
    return found


def test_the_flight_of_a_client_with_a_certificate() -> None:
    sent = told(hello(0x002F), certificate(), REQUEST, DONE).output()
    assert [kind for kind, _ in flight(sent)] == [22, 22, 22, 20, 22]
    assert [first for _, first in flight(sent)[:3]] == [11, 16, 15]


def test_a_client_that_was_not_asked_shows_nothing() -> None:
    handshake = told(hello(0x002F), certificate(), DONE)
    assert [first for _, first in flight(handshake.output())[:2]] == [16, 1]
    assert handshake.notes == ("the server did not ask for a certificate: none was sent",)


def test_an_empty_list_is_a_message_but_in_sslv3_a_warning() -> None:
    asked = certificate(), message(13, b"\1\1\0\4\4\1\2\1\0\0"), DONE
    sent = told(hello(0x002F), *asked, presentation=Presentation()).output()
    assert sent[5:12] == message(11, bytes(3))
    old = certificate(), message(13, b"\1\1\0\0"), DONE
    sent = told(hello(0x002F, 0), *old, version="SSLv3", presentation=Presentation()).output()
    assert sent.startswith(b"\x15\3\0\0\2\1\x29")  # no_certificate, RFC 6101 §5.6.6


def test_next_protocol_negotiation_is_gone_along_with() -> None:
    offers = b"\x33\x74\0\x0c\x06spdy/3\4h2c1"
    sent = told(hello(0x002F, extensions=offers), certificate(), DONE).output()
    assert [kind for kind, _ in flight(sent)] == [22, 20, 22, 22]  # NextProtocol comes before Finished
    body = _next_protocol(offers[4:])
    assert body.startswith(b"\x06spdy/3")
    assert len(body) % 32 == 0


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ((hello(0x002F), DONE), "holds no RSA key that fits"),
        ((hello(0x002F), message(11, b"\0\0\0"), DONE), "holds no RSA key that fits"),
        ((hello(0xC004), certificate(), DONE), "agrees on nothing"),
        ((hello(0xC02F), message(12, b"\1\0\0")), "a curve that is spelled out"),
        ((hello(0xC02F), message(12, b"\3\xff\xff\0")), "curve unlisted(65535) cannot be computed"),
        ((hello(0xC02F), message(12, b"\3\0\x17\1\4")), "no point of secp256r1"),
        ((hello(0x008C),), "the key exchange of TLS_PSK_WITH_AES_128_CBC_SHA cannot be done here"),
        ((hello(0xC02F), message(99, b"")), "a message of type 99"),
        ((hello(0x002F), certificate(), DONE, DONE), "said twice that it was done"),
        ((hello(0x1301),), "chose the cipher suite TLS_AES_128_GCM_SHA256"),
        ((hello(0x4242),), "chose the cipher suite 0x4242"),
    ],
)
def test_a_server_that_breaks_the_rules(messages: tuple[bytes, ...], says: str) -> None:
    handshake = told(*messages)
    assert handshake.failure is not None
    assert says in handshake.failure


def test_a_wrong_finished_of_the_server_is_noticed() -> None:
    handshake = Handshake(PlainHello(), "TLS 1.2", shown(CLIENT))
    server = serving(Device(identity=SERVER, trusted=(CA.certificate,), versions=("TLS 1.2", "TLS 1.2")))
    server.bio_write(handshake.output())
    with pytest.raises(SSL.WantReadError):
        server.do_handshake()
    handshake.feed(server.bio_read(1 << 20))
    server.bio_write(handshake.output())
    server.do_handshake()
    answer = bytearray(server.bio_read(1 << 20))
    answer[-1] ^= 1
    handshake.feed(bytes(answer))
    assert handshake.failure == "a record of the server does not authenticate"
    assert not handshake.accepted
