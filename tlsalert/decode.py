"""What the messages of a connection say: finds version and cipher suite, which choose their form, and decodes them."""

from __future__ import annotations

from tlsalert.messages import Contents
from tlsalert.model import Connection, HandshakeMessage
from tlsalert.wire.contents import read_contents
from tlsalert.wire.extensions import CLIENT_HELLO
from tlsalert.wire.hello import read_sslv2_client_hello


def contents(message: HandshakeMessage, connection: Connection) -> Contents | None:
    """Return what a message of a connection says: one of the values of :mod:`tlsalert.messages`.

    None where its body was not read, and for the messages of SSLv2 but the first. It is decoded when it is asked for,
    and anew each time. Nothing is raised: what breaks its grammar is in the value's ``problems``.
    """
    if message.type is None or message.body is None:
        return None
    if message.message.startswith("sslv2_"):
        return read_sslv2_client_hello(message.body) if message.type == CLIENT_HELLO else None
    version, suite = negotiated(connection)
    return read_contents(message.type, message.body, version, suite)


def negotiated(connection: Connection) -> tuple[int, int]:
    """Return the version and cipher suite that a connection's messages follow: 0 and -1 where they were not seen."""
    hello = connection.server_hello
    if hello is None:
        return 0, -1
    return hello.version if connection.tls_version is not None else 0, hello.cipher_suite
