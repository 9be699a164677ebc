"""What the handshake messages say, one frozen value for each type of IANA's registry.

``tlsalert.contents(message, connection)`` makes them. Numbers are IANA's, as they were sent; keys, tickets and
signatures are kept as bytes. A message that breaks its grammar is told as far as it goes: what could not be read
keeps its default, and ``problems`` says what was wrong. Two messages that the model knew first have their values
there: :class:`tlsalert.model.ClientHello` and :class:`tlsalert.model.ServerHello`.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from tlsalert.model import ClientHello, Extension, ServerHello


class Signature(Struct, frozen=True):
    """A signature; ``scheme`` is None before TLS 1.2, where the key's kind implies it (RFC 4346 §7.4.3)."""

    scheme: int | None
    signature: bytes


class EcParameters(Struct, frozen=True):
    """A server's elliptic curve and public point, RFC 8422 §5.4.

    ``curve_type`` is 3 for a named curve. For the explicit ones of RFC 4492 (1 prime, 2 characteristic two) ``group``
    is None and ``field_bits`` is the size of the field.
    """

    curve_type: int
    group: int | None = None
    field_bits: int | None = None
    point: bytes = b""


class DhParameters(Struct, frozen=True):
    """A server's prime, generator and public value, RFC 5246 §7.4.3; numbers in big-endian bytes."""

    prime: bytes
    generator: bytes
    public: bytes


class RsaParameters(Struct, frozen=True):
    """The short-lived RSA key of an export cipher suite, RFC 2246 §7.4.3."""

    modulus: bytes
    exponent: bytes


class SrpParameters(Struct, frozen=True):
    """The group, salt and public value of SRP, RFC 5054 §2.5.3."""

    prime: bytes
    generator: bytes
    salt: bytes
    public: bytes


KeyParameters = EcParameters | DhParameters | RsaParameters | SrpParameters


class HelloRequest(Struct, frozen=True):
    """A server's wish to begin anew, RFC 5246 §7.4.1.1. It is empty."""

    problems: tuple[str, ...] = ()


class HelloVerifyRequest(Struct, frozen=True):
    """A DTLS server's cookie, RFC 6347 §4.2.1."""

    version: int = 0
    cookie: bytes = b""
    problems: tuple[str, ...] = ()


class NewSessionTicket(Struct, frozen=True):
    """A ticket to resume with: RFC 5077 §3.3; RFC 8446 §4.6.1 from TLS 1.3 on.

    ``lifetime`` is in seconds (before TLS 1.3 a hint, 0 for none). ``age_add`` and ``nonce`` are None before TLS 1.3;
    ``max_early_data`` is None where no 0-RTT data is allowed.
    """

    lifetime: int = 0
    ticket: bytes = b""
    age_add: int | None = None
    nonce: bytes | None = None
    max_early_data: int | None = None
    extensions: tuple[Extension, ...] = ()
    problems: tuple[str, ...] = ()


class EndOfEarlyData(Struct, frozen=True):
    """The client's 0-RTT data ends, RFC 8446 §4.5. It is empty."""

    problems: tuple[str, ...] = ()


class HelloRetryRequest(Struct, frozen=True):
    """The HelloRetryRequest of TLS 1.3 before draft 22, a message type of its own; later it is a ServerHello.

    ``cipher_suite`` is None in the drafts before 19.
    """

    version: int = 0
    cipher_suite: int | None = None
    extensions: tuple[Extension, ...] = ()
    problems: tuple[str, ...] = ()


class EncryptedExtensions(Struct, frozen=True):
    """The extensions that a TLS 1.3 server answers under protection, RFC 8446 §4.3.1."""

    extensions: tuple[Extension, ...] = ()
    problems: tuple[str, ...] = ()


class RequestConnectionId(Struct, frozen=True):
    """A wish for so many connection IDs, RFC 9147 §9."""

    number: int = 0
    problems: tuple[str, ...] = ()


class NewConnectionId(Struct, frozen=True):
    """Connection IDs to be used, RFC 9147 §9: ``usage`` is 0 for at once, 1 for later."""

    ids: tuple[bytes, ...] = ()
    usage: int | None = None
    problems: tuple[str, ...] = ()


class CertificateEntry(Struct, frozen=True):
    """One certificate in DER; its extensions only from TLS 1.3 on, RFC 8446 §4.4.2."""

    der: bytes
    extensions: tuple[Extension, ...] = ()


class CertificateMessage(Struct, frozen=True):
    """A Certificate message, RFC 5246 §7.4.2, RFC 8446 §4.4.2; ``context`` is None before TLS 1.3."""

    context: bytes | None = None
    entries: tuple[CertificateEntry, ...] = ()
    problems: tuple[str, ...] = ()


class ServerKeyExchange(Struct, frozen=True):
    """The server's half of the key exchange, RFC 5246 §7.4.3.

    ``key_exchange`` is the part of the cipher suite's name before "_WITH_" ("ECDHE_RSA"), or None where the suite is
    not known and the form that fits was taken. ``identity_hint`` is that of RFC 4279 §2; ``rest`` is what belongs to
    a key exchange that is not read any further.
    """

    key_exchange: str | None = None
    parameters: KeyParameters | None = None
    signature: Signature | None = None
    identity_hint: bytes | None = None
    rest: bytes = b""
    problems: tuple[str, ...] = ()


class OidFilter(Struct, frozen=True):
    """A certificate extension that is asked for, RFC 8446 §4.2.5: its OID and values, in DER."""

    oid: bytes
    values: bytes


class CertificateRequestMessage(Struct, frozen=True):
    """A CertificateRequest, RFC 5246 §7.4.4, RFC 8446 §4.3.2; or a ClientCertificateRequest, RFC 9261 §4.

    ``authorities`` are names in DER. ``types`` is empty from TLS 1.3 on, ``context`` and ``schemes_cert`` are None
    and ``extensions`` is empty before it.
    """

    context: bytes | None = None
    types: tuple[int, ...] = ()
    schemes: tuple[int, ...] = ()
    schemes_cert: tuple[int, ...] | None = None
    authorities: tuple[bytes, ...] = ()
    oid_filters: tuple[OidFilter, ...] = ()
    extensions: tuple[Extension, ...] = ()
    problems: tuple[str, ...] = ()


class ServerHelloDone(Struct, frozen=True):
    """The end of the server's first flight, RFC 5246 §7.4.5. It is empty."""

    problems: tuple[str, ...] = ()


class CertificateVerify(Struct, frozen=True):
    """The proof that the sender holds its certificate's key, RFC 5246 §7.4.8, RFC 8446 §4.4.3."""

    signature: Signature | None = None
    problems: tuple[str, ...] = ()


class ClientKeyExchange(Struct, frozen=True):
    """The client's half of the key exchange, RFC 5246 §7.4.7.

    ``kind`` says what ``public`` is: "rsa" (the encrypted premaster secret), "dh" (a public value), "ec" (a point),
    "srp" (RFC 5054 §2.5.4), "krb5" (a ticket, RFC 2712 §3), "psk" (an identity alone), "rsa_or_dh" (the suite is not
    known) or "opaque" (a form that is not read any further, as GOST's). It is empty where the
    client's certificate holds it. ``identity`` is that of a PSK.
    """

    key_exchange: str | None = None
    kind: str = "opaque"
    public: bytes = b""
    identity: bytes | None = None
    problems: tuple[str, ...] = ()


class Finished(Struct, frozen=True):
    """The check over the whole handshake, RFC 5246 §7.4.9, RFC 8446 §4.4.4."""

    verify_data: bytes = b""
    problems: tuple[str, ...] = ()


class UrlAndHash(Struct, frozen=True):
    """Where a certificate is to be had, and its SHA-1; None where RFC 4366 let it be left out."""

    url: str
    sha1: bytes | None


class CertificateUrl(Struct, frozen=True):
    """Where the client's certificates are to be had, RFC 6066 §5: ``kind`` 0 one by one, 1 a path (PkiPath)."""

    kind: int = 0
    urls: tuple[UrlAndHash, ...] = ()
    problems: tuple[str, ...] = ()


class OcspSingle(Struct, frozen=True):
    """What an OCSP responder says of one certificate, RFC 6960 §4.2.1.

    ``status`` is "good", "revoked" or "unknown"; ``reason`` is CRLReason's number, RFC 5280 §5.3.1.
    """

    serial: str
    status: str
    this_update: datetime | None = None
    next_update: datetime | None = None
    revoked_at: datetime | None = None
    reason: int | None = None


class OcspResponse(Struct, frozen=True):
    """An OCSP response, RFC 6960 §4.2.1: ``status`` is OCSPResponseStatus, 0 for successful."""

    length: int
    status: int | None = None
    produced_at: datetime | None = None
    responses: tuple[OcspSingle, ...] = ()
    problems: tuple[str, ...] = ()


class CertificateStatus(Struct, frozen=True):
    """Stapled revocation status, RFC 6066 §8 (one response), RFC 6961 §2.2 (one a certificate, None where left out)."""

    kind: int = 0
    responses: tuple[OcspResponse | None, ...] = ()
    problems: tuple[str, ...] = ()


class SupplementalData(Struct, frozen=True):
    """Data of other protocols, RFC 4680: each with its type."""

    entries: tuple[tuple[int, bytes], ...] = ()
    problems: tuple[str, ...] = ()


class KeyUpdate(Struct, frozen=True):
    """New keys, RFC 8446 §4.6.3: ``request`` is 1 where the peer is to change its own too."""

    request: int | None = None
    problems: tuple[str, ...] = ()


class CompressedCertificate(Struct, frozen=True):
    """A compressed Certificate message, RFC 8879 §4; ``certificate`` is None where it could not be unpacked."""

    algorithm: int = 0
    uncompressed_length: int = 0
    compressed_length: int = 0
    certificate: CertificateMessage | None = None
    problems: tuple[str, ...] = ()


class EktKey(Struct, frozen=True):
    """A key for SRTP, RFC 8870 §5.2.2: ``ttl`` in seconds."""

    key: bytes = b""
    salt: bytes = b""
    spi: int = 0
    ttl: int = 0
    problems: tuple[str, ...] = ()


class NextProtocol(Struct, frozen=True):
    """The protocol that the client chose, draft-agl-tls-nextprotoneg-04 §3."""

    protocol: str = ""
    padding: int = 0
    problems: tuple[str, ...] = ()


class ChannelId(Struct, frozen=True):
    """The client's channel ID, draft-balfanz-tls-channelid-01: extensions that hold a key and a signature."""

    extensions: tuple[Extension, ...] = ()
    problems: tuple[str, ...] = ()


class MessageHash(Struct, frozen=True):
    """What stands for the first ClientHello in the hash after a HelloRetryRequest, RFC 8446 §4.4.1; never sent."""

    hash: bytes = b""
    problems: tuple[str, ...] = ()


class UnknownMessage(Struct, frozen=True):
    """A message whose type has no entry: its number and its bytes."""

    type: int
    data: bytes
    problems: tuple[str, ...] = ()


Contents = (
    ClientHello
    | ServerHello
    | HelloRequest
    | HelloVerifyRequest
    | NewSessionTicket
    | EndOfEarlyData
    | HelloRetryRequest
    | EncryptedExtensions
    | RequestConnectionId
    | NewConnectionId
    | CertificateMessage
    | ServerKeyExchange
    | CertificateRequestMessage
    | ServerHelloDone
    | CertificateVerify
    | ClientKeyExchange
    | Finished
    | CertificateUrl
    | CertificateStatus
    | SupplementalData
    | KeyUpdate
    | CompressedCertificate
    | EktKey
    | NextProtocol
    | ChannelId
    | MessageHash
    | UnknownMessage
)
