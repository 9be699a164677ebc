"""TLS bytes made by hand (RFC 8446 §4 and §5, RFC 5246 §6 and §7, RFC 6101 §E): what a capture would hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = 20, 21, 22, 23, 24
SSL3, TLS10, TLS11, TLS12, TLS13 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304

HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET = 0, 1, 2, 4
CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE = 11, 12, 13, 14
CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED = 15, 16, 20

RANDOM = bytes(range(32))
ECDHE_RSA_AES_128_GCM = 0xC02F
AES_128_GCM = 0x1301

Extensions = Sequence[tuple[int, bytes]]


def u16(*numbers: int) -> bytes:
    """Return numbers of two bytes each."""
    return b"".join(number.to_bytes(2, "big") for number in numbers)


def vector(width: int, data: bytes) -> bytes:
    """Return ``data`` behind its length of ``width`` bytes, RFC 8446 §3.4."""
    return len(data).to_bytes(width, "big") + data


def record(kind: int, fragment: bytes, version: int = TLS12) -> bytes:
    return bytes([kind]) + u16(version) + vector(2, fragment)


def records(kind: int, data: bytes, size: int) -> bytes:
    """Return ``data`` in as many records of ``size`` bytes as it takes."""
    return b"".join(record(kind, data[at : at + size]) for at in range(0, len(data), size))


def message(code: int, body: bytes = b"") -> bytes:
    """Return a handshake message without a record around it."""
    return bytes([code]) + vector(3, body)


def said(*messages: bytes) -> bytes:
    """Return handshake messages in one record."""
    return record(HANDSHAKE, b"".join(messages))


def alert(level: int, description: int) -> bytes:
    return record(ALERT, bytes([level, description]))


def change_cipher_spec() -> bytes:
    return record(CHANGE_CIPHER_SPEC, b"\x01")


def application_data(size: int) -> bytes:
    return record(APPLICATION_DATA, b"\xd0" * size)


def encrypted(kind: int, size: int) -> bytes:
    """Return a record whose content means nothing to a reader without keys."""
    return record(kind, bytes(0x80 | 37 * n & 0x7F for n in range(size)))


def extensions_block(extensions: Extensions | None) -> bytes:
    """Return the extensions of a hello; None is a hello that ends before them."""
    if extensions is None:
        return b""
    return vector(2, b"".join(u16(kind) + vector(2, data) for kind, data in extensions))


def client_hello(
    version: int = TLS12,
    suites: Iterable[int] = (ECDHE_RSA_AES_128_GCM,),
    extensions: Extensions | None = (),
    random: bytes = RANDOM,
    session_id: bytes = b"",
    compressions: bytes = b"\0",
) -> bytes:
    """Return the body of a ClientHello, RFC 8446 §4.1.2."""
    return (
        u16(version)
        + random
        + vector(1, session_id)
        + vector(2, u16(*suites))
        + vector(1, compressions)
        + extensions_block(extensions)
    )


def server_hello(
    version: int = TLS12,
    suite: int = ECDHE_RSA_AES_128_GCM,
    extensions: Extensions | None = (),
    random: bytes = RANDOM[::-1],
    session_id: bytes = b"",
    compression: int = 0,
) -> bytes:
    """Return the body of a ServerHello, RFC 8446 §4.1.3."""
    return (
        u16(version) + random + vector(1, session_id) + u16(suite) + bytes([compression]) + extensions_block(extensions)
    )


def server_hello_13(random: bytes = RANDOM[::-1], version: int = TLS13) -> bytes:
    """Return the body of a TLS 1.3 ServerHello."""
    return server_hello(suite=AES_128_GCM, extensions=[(43, u16(version)), (51, u16(29) + bytes(34))], random=random)


def certificate_list(*certificates: bytes) -> bytes:
    """Return the body of a Certificate message up to TLS 1.2, RFC 5246 §7.4.2."""
    return vector(3, b"".join(vector(3, one) for one in certificates))


def certificate_list_13(*certificates: bytes, context: bytes = b"") -> bytes:
    """Return the body of a TLS 1.3 Certificate message, RFC 8446 §4.4.2."""
    return vector(1, context) + vector(3, b"".join(vector(3, one) + vector(2, b"") for one in certificates))


def server_name(name: bytes) -> tuple[int, bytes]:
    """Return the extension server_name, RFC 6066 §3."""
    return 0, vector(2, b"\0" + vector(2, name))


def alpn(*protocols: bytes) -> tuple[int, bytes]:
    """Return the extension application_layer_protocol_negotiation, RFC 7301 §3.1."""
    return 16, vector(2, b"".join(vector(1, protocol) for protocol in protocols))


def sslv2_record(body: bytes, padding: int | None = None) -> bytes:
    """Return a record of SSLv2: a header of two bytes, or of three where there is padding (RFC 6101 §E.1)."""
    if padding is None:
        return u16(0x8000 | len(body)) + body
    return u16(len(body) + padding) + bytes([padding]) + body + bytes(padding)


def sslv2_client_hello(version: int, kinds: Sequence[int], challenge: bytes = RANDOM[:16]) -> bytes:
    """Return a ClientHello in SSLv2's format without its record, RFC 5246 §E.2."""
    listed = b"".join(kind.to_bytes(3, "big") for kind in kinds)
    return b"\x01" + u16(version, len(listed), 0, len(challenge)) + listed + challenge


def sslv2_server_hello(certificate: bytes, kinds: Sequence[int], connection_id: bytes = RANDOM[:16]) -> bytes:
    """Return SSLv2's ServerHello without its record, draft-hickman-netscape-ssl-00 §2.6."""
    listed = b"".join(kind.to_bytes(3, "big") for kind in kinds)
    head = b"\x04\x00\x01" + u16(0x0002, len(certificate), len(listed), len(connection_id))
    return head + certificate + listed + connection_id
