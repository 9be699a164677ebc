"""What is wrong with a server's choice, by the hellos of both: what a client may refuse in the answer to its hello.

RFC 8446 §4.1.3 and RFC 5246 §7.4.1.3: a server chooses from what was offered. A client that is told something else
ends the handshake, with illegal_parameter (47), protocol_version (70) or unsupported_extension (110).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tlsalert.diagnosis.offers import group_name, offers_version, versions_offered
from tlsalert.model import ClientHello, Connection, Evidence, Fault, HandshakeMessage, Position, ServerHello
from tlsalert.registry.cipher_suites import cipher_suite_name
from tlsalert.registry.extensions import ExtensionType
from tlsalert.registry.versions import version_label

#: The last eight bytes of ServerHello.random where a server that speaks more chose less, RFC 8446 §4.1.3.
SENTINELS: Final = {b"DOWNGRD\x01": 0x0304, b"DOWNGRD\x00": 0x0303}
TLS13: Final = 0x0304
NAMED_CURVE: Final = 3
#: Clients of today refuse a prime of fewer bits (RFC 7919 begins with 2048; OpenSSL and the browsers set 1024 apart).
SHORT_PRIME: Final = 2048
#: Extensions that a server may send unasked: renegotiation_info (RFC 5746 §3.6), cookie (RFC 8446 §4.2.2).
UNASKED: Final = frozenset((65281, 44))


class Objection(Struct, frozen=True):
    """What a client may object to: the cause, how sure it is that this is it, whose fault, and the evidence."""

    cause: str
    sure: float
    fault: Fault | None
    seen: Evidence


def objection(connection: Connection, code: int | None) -> Objection | None:
    """Return what the client's alert ``code`` objects to in the server's choice; None where nothing shows."""
    client, server = connection.client_hello, connection.server_hello
    if client is None or server is None or code not in (10, 40, 47, 70, 71, 80, 109, 110, 120):
        return None
    position = _position(connection)
    found = (
        _version(client, server, code)
        or _suite(client, server)
        or _group(connection, client, server)
        or _sentinel(client, server)
        or _extension(client, server, code)
        or _prime(connection, code)
        or _protocol(client, server)
    )
    if found is None:
        return None
    cause, sure, fault, says = found
    return Objection(cause, sure, fault, Evidence(position, says))


_Found = tuple[str, float, Fault | None, str]


def _version(client: ClientHello, server: ServerHello, code: int | None) -> _Found | None:
    chosen = version_label(server.version)
    if not offers_version(client, server.version):
        says = f"the server chose {chosen}, and the client offers {versions_offered(client)}"
        return "protocol_violation", 0.9, "server", says
    if code == 70:
        says = f"the server chose {chosen}; the client offers {versions_offered(client)}"
        return "no_shared_version", 0.97, None, f"{says}, but does not take so old a version"
    return None


def _suite(client: ClientHello, server: ServerHello) -> _Found | None:
    if server.cipher_suite < 0 or server.cipher_suite in client.cipher_suites or not client.cipher_suites:
        return None
    says = f"the server chose {cipher_suite_name(server.cipher_suite)}, which the client did not offer"
    return "protocol_violation", 0.9, "server", says


def _group(connection: Connection, client: ClientHello, server: ServerHello) -> _Found | None:
    group = server.group if server.group is not None else _curve(connection)
    if group is None or not client.groups:
        return None
    verb = "asks for" if server.hello_retry_request else "chose"
    if group not in client.groups:
        says = f"the server {verb} the group {group_name(group)}, which the client did not offer"
        return "protocol_violation", 0.9, "server", says
    if server.hello_retry_request and group in client.key_shares:
        says = f"the server asks for a key share of {group_name(group)}, which it had been sent (RFC 8446 §4.1.4)"
        return "protocol_violation", 0.85, "server", says
    return None


def _sentinel(client: ClientHello, server: ServerHello) -> _Found | None:
    speaks = SENTINELS.get(server.random[-8:])
    if speaks is None or server.version >= speaks or not offers_version(client, speaks):
        return None
    says = (
        f"the end of ServerHello.random says that the server speaks {version_label(speaks)} and was not asked for it"
        " (RFC 8446 §4.1.3): something between the two changed the ClientHello"
    )
    return "protocol_violation", 0.85, "network", says


def _extension(client: ClientHello, server: ServerHello, code: int | None) -> _Found | None:
    asked = {extension.type for extension in client.extensions} | UNASKED
    extra = [extension.type for extension in server.extensions if extension.type not in asked]
    if not extra or code not in (10, 47, 110):
        return None
    names = ", ".join(_extension_name(kind) for kind in extra[:3])
    return "protocol_violation", 0.9, "server", f"the server answers with {names}, which the client did not ask for"


def _prime(connection: Connection, code: int | None) -> _Found | None:
    """Ask for the length of the prime of finite fields in ServerKeyExchange, RFC 5246 §7.4.3."""
    exchange = _exchange(connection)
    if exchange is None or "_DHE_" not in f"{connection.cipher_suite}" or "ECDHE" in f"{connection.cipher_suite}":
        return None
    body = exchange.body or b""
    size = int.from_bytes(body[:2], "big")
    bits = 8 * size if len(body) < 2 + size else int.from_bytes(body[2 : 2 + size], "big").bit_length()
    if not 0 < bits < SHORT_PRIME or code not in (40, 47, 71):
        return None
    says = f"the server's Diffie-Hellman prime has {bits} bits"
    return "no_shared_group", 0.85 if bits < SHORT_PRIME // 2 else 0.7, "server", says


def _protocol(client: ClientHello, server: ServerHello) -> _Found | None:
    if server.alpn is None or server.alpn in client.alpn:
        return None
    says = f"the server chose the application protocol {server.alpn!r}, which the client did not offer (RFC 7301 §3.2)"
    return "protocol_violation", 0.9, "server", says


def _curve(connection: Connection) -> int | None:
    """Return the named curve in a ServerKeyExchange, RFC 8422 §5.4."""
    exchange = _exchange(connection)
    body = exchange.body if exchange is not None else None
    if body is None or len(body) < 3 or body[0] != NAMED_CURVE or "_ECDHE_" not in f"{connection.cipher_suite}":
        return None
    return int.from_bytes(body[1:3], "big")


def _exchange(connection: Connection) -> HandshakeMessage | None:
    return next((m for m in connection.messages if m.message == "server_key_exchange"), None)


def _position(connection: Connection) -> Position | None:
    hellos = ("server_hello", "hello_retry_request")
    return next((m.position for m in reversed(connection.messages) if m.message in hellos), None)


def _extension_name(kind: int) -> str:
    member = ExtensionType(kind)
    return member.name if member.name in ExtensionType.__members__ else f"extension {kind}"
