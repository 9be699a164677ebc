"""What of a message its fields depend on: the same message comes again with other keys, tickets and signatures.

Two bodies of one type, version, cipher suite and length that have the same shape have the same fields, and two
extensions of one kind and length that have the same shape the same value: text made once serves them all.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from tlsalert.registry.key_exchanges import key_exchange
from tlsalert.wire.contents import TLS12
from tlsalert.wire.extensions import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CLIENT_HELLO,
    ENCRYPTED_EXTENSIONS,
    HELLO_RETRY_REQUEST,
    NEW_SESSION_TICKET,
)
from tlsalert.wire.transcript import TLS13

#: Bytes of a message, and of an extension, that is its own shape: longer ones seldom come again.
LONGEST_MESSAGE: Final = 4096
LONGEST_EXTENSION: Final = 1024

SSL3: Final = 0x0300
NAMED_CURVE: Final = 3
#: Messages that are their own shape, for they come again as they were: what asks for nothing new, and the server's
#: answers that are the same for all. Others hold something new each time, and are not worth keeping.
SAME_EACH_TIME: Final = frozenset(
    {0, 5, HELLO_RETRY_REQUEST, ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_REQUEST, 14, 17, 21, 22, 23, 24, 25, 67}
)

#: Extensions that hold something new each time: pre_shared_key's ages, connection IDs, those of QUIC, and the server
#: name, which is the client's choice.
NEW_EACH_TIME: Final = frozenset({0, 41, 54, 57, 65445, 65486})


def message_shape(kind: int, body: bytes, tls: int, suite: int) -> bytes | None:
    """Return the shape of a message (of its length), or None where it is not worth keeping what is made of it.

    ``tls`` is the version of TLS whose forms it has (:func:`tlsalert.wire.contents.tls_version`), 0 where that is not
    known; ``suite`` is -1 then.
    """
    if kind == 12:
        return _server_key_exchange(body, tls, suite)
    if kind == 15:
        return body[:4] if tls >= TLS12 or tls == 0 else body[:2]  # RFC 5246 §7.4.8: scheme and length, length alone
    if kind == 16:
        return _client_key_exchange(body, tls, suite)
    if kind == NEW_SESSION_TICKET:
        return body[:6] if 0 < tls < TLS13 else None  # RFC 5077 §3.3: lifetime and length
    return body if kind in SAME_EACH_TIME and len(body) <= LONGEST_MESSAGE else None


def extension_shape(kind: int, data: bytes, message: int) -> bytes | None:
    """Return the shape of an extension (of its length), or None where it is not worth keeping what is made of it."""
    if kind == 51 or kind == 40:
        return _key_shares(data) if message == CLIENT_HELLO else data[:4]
    if kind == 35:
        return b""  # RFC 5077 §3.2: opaque
    if kind == 44:
        return data[:2]
    if kind == 21:
        return b"" if data.count(0) == len(data) else None
    if kind == 65037 and message == CLIENT_HELLO:
        return _encrypted_hello(data)
    return data if kind not in NEW_EACH_TIME and len(data) <= LONGEST_EXTENSION else None


def _server_key_exchange(body: bytes, tls: i64, suite: int) -> bytes | None:
    """Leave out the public value and the signature, RFC 5246 §7.4.3, RFC 8422 §5.4."""
    form = key_exchange(suite)
    if form is None:
        return None
    if form.psk:
        return body if form.server == "" and len(body) <= LONGEST_MESSAGE else None
    end: i64 = len(body)
    at: i64 = 0
    if form.server == "ec":
        if end < 4 or body[0] != NAMED_CURVE:
            return None
        head = body[:4]
        at = 4 + i64(body[3])
    elif form.server == "dh":
        for _ in range(3):  # prime, generator, public value
            if at + 2 > end:
                return None
            head = body[: at + 2]
            at += 2 + _u16(body, at)
        if len(head) > LONGEST_MESSAGE:
            return None
    else:
        return None
    if at > end:
        return head
    # What follows is the signature's scheme and length.
    return head + body[at : min(at + (4 if tls >= TLS12 or tls == 0 else 2), end)] if form.signed else head


def _client_key_exchange(body: bytes, tls: i64, suite: int) -> bytes | None:
    """Leave out the public value or encrypted secret, RFC 5246 §7.4.7."""
    form = key_exchange(suite)
    if form is None:
        return body[:2]
    kind = form.client
    if form.psk:
        return body if kind == "psk" and len(body) <= LONGEST_MESSAGE else None
    if kind == "ec":
        return body[:1]
    if kind == "opaque" or (kind == "rsa" and tls == SSL3):
        return b""
    return None if kind == "krb5" else body[:2]


def _key_shares(data: bytes) -> bytes | None:
    """Return the groups and lengths of a client's shares, RFC 8446 §4.2.8; None where they do not add up."""
    end: i64 = len(data)
    if end < 2 or _u16(data, 0) != end - 2:
        return None
    at: i64 = 2
    heads: list[bytes] = []
    while at < end:
        if at + 4 > end:
            return None
        heads.append(data[at : at + 4])
        at += 4 + _u16(data, at + 2)
    return b"".join(heads) if at == end and 4 * len(heads) <= LONGEST_EXTENSION else None


def _encrypted_hello(data: bytes) -> bytes | None:
    """Leave the keys and the encrypted hello out of an outer one, RFC 9849 §5."""
    end: i64 = len(data)
    if end < 8 or data[0] != 0:
        return data if end <= LONGEST_EXTENSION else None
    at: i64 = 8 + _u16(data, 6)
    return data[:8] + data[at : at + 2] if at + 2 <= end else None


def _u16(data: bytes, at: i64) -> i64:
    return i64(data[at]) << 8 | i64(data[at + 1])
