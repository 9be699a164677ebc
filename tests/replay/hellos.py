"""Connections that show a ClientHello, made of its bytes, and a decoder for what is sent of it."""

from __future__ import annotations

import contextlib
import ssl
from datetime import datetime
from pathlib import Path

from tests.wire import tls
from tlsalert.lab.certificates import self_signed
from tlsalert.model import ClientHello, Connection, HandshakeMessage, Position
from tlsalert.replay.hello import FreshHello
from tlsalert.wire.hello import read_client_hello, read_sslv2_client_hello

FRAME = Position(4)


def connection(body: bytes, records: tuple[tuple[int, int], ...] | None = None, *, cut: bool = False) -> Connection:
    """Return a connection with a ClientHello of this body, which came in one record where none are given."""
    message = HandshakeMessage("client_hello", 1, "client", FRAME, 0, len(body), body=body, cut=cut)
    held = ((tls.TLS10, len(body) + 4),) if records is None else records
    hello = read_client_hello(body)
    return Connection(source="a.pcap", connection=3, client_hello=hello, messages=(message,), hello_records=held)


def sslv2_connection(body: bytes) -> Connection:
    """Return a connection with a ClientHello in SSLv2's format."""
    message = HandshakeMessage("sslv2_client_hello", 1, "client", FRAME, 0, len(body), body=body)
    return Connection(source="a.pcap", connection=3, client_hello=read_sslv2_client_hello(body), messages=(message,))


def decoded(fresh: FreshHello) -> ClientHello:
    """Return what a reader makes of a hello that is sent; it has to be sound."""
    assert fresh.message[0] == 1
    assert int.from_bytes(fresh.message[1:4], "big") == len(fresh.message) - 4
    assert b"".join(one[5:] for one in fresh.records) == fresh.message
    return read_client_hello(fresh.message[4:])


class Server:
    """OpenSSL's server in memory; ``curve`` is the one group that it knows of TLS 1.3's."""

    def __init__(
        self, folder: Path, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, curve: str | None = None
    ) -> None:
        identity = self_signed("CN=device", datetime(2020, 1, 1), datetime(2040, 1, 1))
        pem = folder / "device.pem"
        pem.write_bytes(identity.to_pem())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        context.minimum_version = context.maximum_version = version
        if curve is not None:
            context.set_ecdh_curve(curve)
        self._received, self._sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._sent, server_side=True)

    def answer(self, data: bytes) -> bytes:
        """Take what the client sends, and return what the server says to it. Raises :class:`ssl.SSLError`."""
        self._received.write(data)
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self._sent.read()


def first_message(answer: bytes) -> bytes:
    """Return the first handshake message of a server's answer, with its header."""
    size = int.from_bytes(answer[3:5], "big")
    assert answer[0] == 22
    return answer[5 : 5 + size][: 4 + int.from_bytes(answer[6:9], "big")]
