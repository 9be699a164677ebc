"""Did the side that showed a certificate prove that it has the key? What its signature in the handshake shows.

Up to TLS 1.2 a client signs all messages so far (CertificateVerify, RFC 5246 §7.4.8) and a server its key exchange
(RFC 5246 §7.4.3); in TLS 1.3 both sign a hash of all messages (RFC 8446 §4.4.3). A signature that verifies proves the
key. One that does not is a proof as well, but only where every message before it was captured whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256, sha384
from typing import Final

from msgspec import Struct, structs

from tlsalert.model import Certificate, Connection, HandshakeMessage, Position, Side
from tlsalert.pki.signatures import made_by, taken_apart, verify_old, verify_scheme

CLIENT_HELLO, SERVER_HELLO, SESSION_TICKET, KEY_UPDATE = 1, 2, 4, 24
HELLO_REQUEST, MESSAGE_HASH = 0, 254
TLS12: Final = "TLS 1.2"
#: TLS before 1.2 signs with MD5 and SHA-1; SSLv3's CertificateVerify needs the master secret, RFC 6101 §5.6.8.
BEFORE_TLS12: Final = ("TLS 1.0", "TLS 1.1")
#: How many certificates of a chain are tried for the key that signed.
TRIED: Final = 8
NAMED_CURVE: Final = 3


class Proof(Struct, frozen=True):
    """What the signature of a certificate's owner shows.

    ``holds`` says whether it verifies with the leaf's key, None where that cannot be told. ``signer`` is the place in
    the chain of the certificate with whose key it does. ``altered`` says that the leaf's key made it, but over other
    messages than those of the capture. ``missing`` says that the signature was due and was not sent. ``scheme`` is the
    SignatureScheme's number from TLS 1.2 on.
    """

    message: str = "certificate_verify"
    holds: bool | None = None
    signer: int | None = None
    position: Position | None = None
    scheme: int | None = None
    missing: bool = False
    altered: bool = False


NO_PROOF: Final = Proof()


def proof(connection: Connection, owner: Side) -> Proof:
    """Return what ``owner``'s signature in the handshake shows of the chain that it sent."""
    chain = connection.certificates.client if owner == "client" else connection.certificates.server
    if not chain:
        return NO_PROOF
    if owner == "client" or connection.tls13:
        return _certificate_verify(connection, owner, chain)
    return _key_exchange(connection, chain)


def _certificate_verify(connection: Connection, owner: Side, chain: tuple[Certificate, ...]) -> Proof:
    places = [n for n, m in enumerate(connection.messages) if m.message == "certificate_verify" and m.sender == owner]
    if not places:
        return Proof(missing=_left_out(connection, owner, chain[0]))
    message = connection.messages[places[-1]]
    found = Proof(position=message.position)
    before = _transcript(connection, places[-1]) if _whole(connection, owner, places[-1]) else None
    split = _split(message.body, connection) if not message.cut else None
    if split is None or before is None:
        return found if split is None else Proof(position=message.position, scheme=split[0])
    scheme, signature = split
    signed = _content_13(connection, owner, before) if connection.tls13 else b"".join(before)
    return _judged(
        connection, chain, Proof("certificate_verify", None, None, message.position, scheme), signature, signed
    )


def _left_out(connection: Connection, owner: Side, leaf: Certificate) -> bool:
    """Whether a client's CertificateVerify was due and did not come: it stands before its ChangeCipherSpec."""
    if owner != "client" or connection.tls13 or connection.lossy or not (leaf.key or "").startswith(("RSA", "EC ")):
        return False
    said = [m.message for m in connection.messages if m.sender == "client"]
    wanted = ("certificate", "client_key_exchange", "change_cipher_spec")
    return all(name in said for name in wanted) and said.index("change_cipher_spec") > said.index("certificate")


def _judged(
    connection: Connection, chain: tuple[Certificate, ...], found: Proof, signature: bytes, signed: bytes
) -> Proof:
    """Return what was found of a signature, judged.

    One that does not verify says nothing where a message may be missing or was damaged in the capture, nor where the
    leaf's key did make it, over other words.
    """
    holds = _verifies(chain[0], found.scheme, signature, signed)
    if holds is not False:
        return structs.replace(found, holds=holds, signer=0 if holds else None)
    leaf = taken_apart(chain[0].der)
    if connection.lossy or leaf is None:
        return found
    if made_by(leaf.key, found.scheme, signature):
        return structs.replace(found, altered=True)
    signers = (n for n, c in enumerate(chain[:TRIED]) if n and _verifies(c, found.scheme, signature, signed))
    return structs.replace(found, holds=False, signer=next(signers, None))


def _whole(connection: Connection, owner: Side, end: int) -> bool:
    """Whether the messages that a CertificateVerify of TLS 1.3 signs were decrypted: those unread leave no trace here.

    A server signs all up to its Certificate, a client all up to the server's Finished, and up to its own where it was
    asked for a certificate later (RFC 8446 §4.4).
    """
    if not connection.tls13:
        return True
    said = [(m.sender, m.message) for m in connection.messages[:end]]
    if ("server", "encrypted_extensions") not in said:
        return False
    if owner == "server":
        return ("server", "certificate") in said or ("server", "compressed_certificate") in said
    if ("server", "finished") not in said:
        return False
    later = ("server", "certificate_request") in said[said.index(("server", "finished")) :]
    return not later or ("client", "finished") in said


def _transcript(connection: Connection, end: int) -> list[bytes] | None:
    """Return the handshake messages up to a place, as they were hashed; None where one was not captured whole.

    A renegotiation begins anew with its ClientHello. After a HelloRetryRequest the hash of the first ClientHello stands
    for it, RFC 8446 §4.4.1. An SSLv2 ClientHello counts without its length, RFC 5246 §E.2.
    """
    messages = connection.messages[:end]
    hellos = [n for n, m in enumerate(messages) if m.message in ("client_hello", "sslv2_client_hello")]
    if not hellos or "server_hello" not in {m.message for m in messages[hellos[-1] :]}:
        return None
    retried = any(m.message == "hello_retry_request" for m in messages)
    begin = hellos[0] if retried else hellos[-1]
    found: list[bytes] = []
    for message in messages[begin:]:
        if message.message == "change_cipher_spec" or _left_aside(connection, message):
            continue
        if message.type is None or message.body is None or message.cut or len(message.body) != message.length:
            return None
        if message.message == "sslv2_client_hello":
            found.append(message.body)
            continue
        if message.message == "hello_retry_request":
            first = _hash(connection, b"".join(found))
            found = [bytes((MESSAGE_HASH, 0, 0, len(first))) + first]
        found.append(bytes((message.type,)) + message.length.to_bytes(3, "big") + message.body)
    return found


def _left_aside(connection: Connection, message: HandshakeMessage) -> bool:
    """Whether a message is no part of the handshake that is signed: RFC 5246 §7.4.1.1, RFC 8446 §4.4.1."""
    if connection.tls13:
        return message.type in (SESSION_TICKET, KEY_UPDATE)
    return message.type == HELLO_REQUEST


def _split(body: bytes | None, connection: Connection) -> tuple[int | None, bytes] | None:
    """Return scheme and signature of a CertificateVerify; before TLS 1.2 it has no scheme."""
    if body is None or (connection.tls_version not in (*BEFORE_TLS12, TLS12) and not connection.tls13):
        return None
    with_scheme = connection.tls_version not in BEFORE_TLS12
    return _signature(body, 0, with_scheme)


def _signature(body: bytes, at: int, with_scheme: bool) -> tuple[int | None, bytes] | None:
    """Return the DigitallySigned that fills a body from ``at`` on, RFC 5246 §4.7."""
    scheme = None
    if with_scheme:
        scheme = int.from_bytes(body[at : at + 2], "big")
        at += 2
    size = int.from_bytes(body[at : at + 2], "big")
    return (scheme, body[at + 2 :]) if len(body) == at + 2 + size and size else None


def _content_13(connection: Connection, owner: Side, before: list[bytes]) -> bytes:
    """Return what TLS 1.3 signs, RFC 8446 §4.4.3."""
    said = f"TLS 1.3, {owner} CertificateVerify".encode()
    return b" " * 64 + said + b"\0" + _hash(connection, b"".join(before))


def _hash(connection: Connection, data: bytes) -> bytes:
    return (sha384 if (connection.cipher_suite or "").endswith("SHA384") else sha256)(data).digest()


def _verifies(certificate: Certificate, scheme: int | None, signature: bytes, signed: bytes) -> bool | None:
    """Whether a certificate's key made the signature; ``scheme`` is None before TLS 1.2."""
    parts = taken_apart(certificate.der)
    if parts is None:
        return None
    if scheme is None:
        return verify_old(parts.key, signature, signed)
    return verify_scheme(parts.key, scheme, signature, signed)


def _key_exchange(connection: Connection, chain: tuple[Certificate, ...]) -> Proof:
    """Judge a ServerKeyExchange: it signs both randoms and its parameters, RFC 5246 §7.4.3, RFC 8422 §5.4."""
    message = next((m for m in connection.messages if m.message == "server_key_exchange"), None)
    client, server = connection.client_hello, connection.server_hello
    hellos = sum(m.message in ("client_hello", "sslv2_client_hello") for m in connection.messages)
    if message is None or message.body is None or message.cut or client is None or server is None or hellos != 1:
        return NO_PROOF
    with_scheme = connection.tls_version == TLS12
    found = Proof("server_key_exchange", position=message.position)
    for end in _parameters(connection.cipher_suite or "", message.body):
        split = _signature(message.body, end, with_scheme)
        if split is None:
            continue
        scheme, signature = split
        challenge = client.random.rjust(32, b"\0")  # an SSLv2 ClientHello's may be shorter, RFC 5246 §E.2
        signed = challenge + server.random + message.body[:end]
        found = Proof("server_key_exchange", None, None, message.position, scheme)
        return _judged(connection, chain, found, signature, signed)
    return found


def _parameters(suite: str, body: bytes) -> Iterator[int]:
    """Find where the parameters of a key exchange end, as far as they are signed with the certificate's key."""
    if "_anon_" in suite or "PSK" in suite or "SRP" in suite:
        return
    if "_ECDHE_" in suite and len(body) > 4 and body[0] == NAMED_CURVE:
        yield 4 + body[3]
    elif "_DHE_" in suite:
        at = 0
        for _ in range(3):  # p, g and the public value
            at += 2 + int.from_bytes(body[at : at + 2], "big")
        yield at
