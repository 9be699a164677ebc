"""What a handshake message says as a small dict that JSON knows, and as a few words beside it in the ladder.

Keys are fixed for each type of message, the unknown is None. Keys, tickets and signatures show by their length, short
opaque bytes in hexadecimal. ``problems`` tells what breaks the grammar.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tlsalert.decode import negotiated
from tlsalert.messages import (
    CertificateMessage,
    CertificateRequestMessage,
    CertificateStatus,
    CertificateUrl,
    CertificateVerify,
    ChannelId,
    ClientKeyExchange,
    CompressedCertificate,
    Contents,
    DhParameters,
    EcParameters,
    EktKey,
    EncryptedExtensions,
    EndOfEarlyData,
    Finished,
    HelloRequest,
    HelloRetryRequest,
    HelloVerifyRequest,
    KeyUpdate,
    MessageHash,
    NewConnectionId,
    NewSessionTicket,
    NextProtocol,
    RequestConnectionId,
    RsaParameters,
    ServerHelloDone,
    ServerKeyExchange,
    SrpParameters,
    SupplementalData,
    UnknownMessage,
)
from tlsalert.model import Connection, HandshakeMessage
from tlsalert.registry import parameters
from tlsalert.registry.certificates import CertificateCompressionAlgorithm, CertificateStatusType
from tlsalert.registry.parameters import listed
from tlsalert.registry.versions import version_label
from tlsalert.render import names
from tlsalert.render.style import escape
from tlsalert.render.values import Row, extension_row, extension_value, ocsp_row, small
from tlsalert.wire.contents import read_contents
from tlsalert.wire.extensions import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    ENCRYPTED_EXTENSIONS,
    HELLO_RETRY_REQUEST,
    NEW_SESSION_TICKET,
)

ALPN = 16
#: Messages that have their own place in a connection's object. Their TLS 1.3 forms say more than is shown there.
SHOWN = frozenset({1, 2})


def message_fields(message: HandshakeMessage, connection: Connection) -> Row | None:
    """Return :func:`fields` of a message of a connection; None where its body was not read."""
    if message.type is None or message.body is None or message.message.startswith("sslv2_"):
        return None
    return fields(message.type, message.body, *negotiated(connection))


def message_remark(message: HandshakeMessage, connection: Connection) -> str | None:
    """Return :func:`remark` on a message of a connection; None where its body was not read, or only its beginning."""
    if message.type is None or message.body is None or message.cut or message.message.startswith("sslv2_"):
        return None
    return remark(message.type, message.body, *negotiated(connection))


def fields(kind: int, body: bytes, version: int, suite: int) -> Row | None:
    """Return what the message says; None for the hellos, and where everything has its own place in the object.

    ``version`` and ``suite`` are the negotiated ones (0 and -1 where they are not known); the same four give the same.
    """
    if kind in SHOWN:
        return None
    contents = read_contents(kind, body, version, suite)
    maker = _MAKERS.get(type(contents))
    if maker is None:
        return None
    row: Row | None = maker(contents)
    if row is not None:
        row["problems"] = list(contents.problems)
    return row


def remark(kind: int, body: bytes, version: int, suite: int) -> str | None:
    """Return the few words that are worth standing beside the message, safe for a terminal; None where there are none.

    A message that breaks its grammar has what is wrong with it for a remark.
    """
    if kind in SHOWN:
        return None
    contents = read_contents(kind, body, version, suite)
    if contents.problems and not isinstance(contents, CertificateMessage | CertificateRequestMessage):
        return escape(f"malformed: {contents.problems[0]}")
    words = _words(contents)
    return escape(words) if words else None


def _words(contents: Contents) -> str | None:
    if isinstance(contents, ServerKeyExchange):
        return _key_exchange_words(contents)
    if isinstance(contents, CertificateVerify):
        return _scheme(contents.signature.scheme) if contents.signature else None
    if isinstance(contents, NewSessionTicket):
        return f"lifetime {contents.lifetime} s" if contents.lifetime else None
    if isinstance(contents, CertificateStatus):
        return _status_words(contents)
    if isinstance(contents, ClientKeyExchange):
        return None if contents.identity is None else f"PSK identity {_printable(contents.identity)}"
    if isinstance(contents, EncryptedExtensions):
        for extension in contents.extensions:
            chosen = extension_value(ALPN, extension.data, ENCRYPTED_EXTENSIONS) if extension.type == ALPN else None
            if isinstance(chosen, list) and chosen:
                return str(chosen[0])
        return None
    if isinstance(contents, CompressedCertificate):
        return f"{_compression(contents)}, {contents.compressed_length} for {contents.uncompressed_length} bytes"
    if isinstance(contents, KeyUpdate):
        return None if contents.request is None else listed(parameters.UPDATE_REQUESTS, contents.request)
    if isinstance(contents, HelloVerifyRequest):
        return f"cookie of {len(contents.cookie)} bytes"
    if isinstance(contents, NextProtocol):
        return contents.protocol or None
    return None


def _key_exchange_words(contents: ServerKeyExchange) -> str | None:
    held = contents.parameters
    said: list[str] = []
    if isinstance(held, EcParameters):
        said.append(_curve(held))
    elif isinstance(held, DhParameters):
        said.append(f"DH {_bits(held.prime)} bits")
    elif isinstance(held, RsaParameters):
        said.append(f"RSA {_bits(held.modulus)} bits")
    elif isinstance(held, SrpParameters):
        said.append(f"SRP {_bits(held.prime)} bits")
    if contents.signature is not None and contents.signature.scheme is not None:
        said.append(names.scheme_name(contents.signature.scheme))
    if contents.identity_hint:
        said.append(f"PSK hint {_printable(contents.identity_hint)}")
    return ", ".join(said) or None


def _status_words(contents: CertificateStatus) -> str | None:
    said: list[str] = []
    for response in contents.responses:
        if response is None:
            said.append("none")
        elif response.status != 0:
            said.append(str(ocsp_row(response)["status"]))
        else:
            said.extend(single.status for single in response.responses[:3])
    return f"OCSP: {', '.join(said[:6])}" if said else None


def _nothing(contents: HelloRequest | ServerHelloDone | EndOfEarlyData) -> Row:
    return {}


def _hello_verify_request(contents: HelloVerifyRequest) -> Row:
    return {"version": version_label(contents.version), "cookie": contents.cookie.hex()}


def _new_session_ticket(contents: NewSessionTicket) -> Row:
    return {
        "lifetime": contents.lifetime,
        "ticket_length": len(contents.ticket),
        "age_add": contents.age_add,
        "nonce": None if contents.nonce is None else contents.nonce.hex(),
        "max_early_data": contents.max_early_data,
        "extensions": [extension_row(one, NEW_SESSION_TICKET) for one in contents.extensions],
    }


def _hello_retry_request(contents: HelloRetryRequest) -> Row:
    return {
        "version": version_label(contents.version),
        "cipher_suite": None if contents.cipher_suite is None else names.suite_name(contents.cipher_suite),
        "extensions": [extension_row(one, HELLO_RETRY_REQUEST) for one in contents.extensions],
    }


def _encrypted_extensions(contents: EncryptedExtensions) -> Row:
    return {"extensions": [extension_row(one, ENCRYPTED_EXTENSIONS) for one in contents.extensions]}


def _request_connection_id(contents: RequestConnectionId) -> Row:
    return {"number": contents.number}


def _new_connection_id(contents: NewConnectionId) -> Row:
    usage = None if contents.usage is None else listed(parameters.ID_USAGES, contents.usage)
    return {"ids": [one.hex() for one in contents.ids], "usage": usage}


def _certificate(contents: CertificateMessage) -> Row | None:
    """Return what TLS 1.3 adds to the certificates: up to TLS 1.2 there is nothing but them."""
    if contents.context is None:
        return None
    return {
        "context": contents.context.hex(),
        "entries": [
            {
                "length": len(entry.der),
                "extensions": [extension_row(one, CERTIFICATE) for one in entry.extensions],
            }
            for entry in contents.entries
        ],
    }


def _certificate_request(contents: CertificateRequestMessage) -> Row | None:
    """Return what TLS 1.3 adds to authorities and schemes: up to TLS 1.2 there is nothing but them and the types."""
    if contents.context is None:
        return None
    schemes = contents.schemes_cert
    return {
        "context": contents.context.hex(),
        "signature_schemes_cert": None if schemes is None else names.schemes(schemes),
        "extensions": [extension_row(one, CERTIFICATE_REQUEST) for one in contents.extensions],
    }


def _server_key_exchange(contents: ServerKeyExchange) -> Row:
    row: Row = {
        "key_exchange": contents.key_exchange,
        "curve_type": None,
        "group": None,
        "field_bits": None,
        "prime_bits": None,
        "generator": None,
        "modulus_bits": None,
        "public_length": None,
        "identity_hint": None if contents.identity_hint is None else _printable(contents.identity_hint),
        "signature_scheme": None,
        "signature_length": None,
    }
    held = contents.parameters
    if isinstance(held, EcParameters):
        row["curve_type"] = listed(parameters.CURVE_TYPES, held.curve_type)
        row["group"] = None if held.group is None else names.group_name(held.group)
        row["field_bits"] = held.field_bits
        row["public_length"] = len(held.point)
    elif isinstance(held, DhParameters | SrpParameters):
        row["prime_bits"] = _bits(held.prime)
        row["generator"] = small(held.generator)
        row["public_length"] = len(held.public)
    elif isinstance(held, RsaParameters):
        row["modulus_bits"] = _bits(held.modulus)
    if contents.signature is not None:
        row["signature_scheme"] = _scheme(contents.signature.scheme)
        row["signature_length"] = len(contents.signature.signature)
    return row


def _certificate_verify(contents: CertificateVerify) -> Row:
    signature = contents.signature
    return {
        "signature_scheme": None if signature is None else _scheme(signature.scheme),
        "signature_length": None if signature is None else len(signature.signature),
    }


def _client_key_exchange(contents: ClientKeyExchange) -> Row:
    return {
        "key_exchange": contents.key_exchange,
        "kind": contents.kind,
        "public_length": len(contents.public),
        "identity": None if contents.identity is None else _printable(contents.identity),
    }


def _finished(contents: Finished) -> Row:
    return {"length": len(contents.verify_data), "verify_data": contents.verify_data[:64].hex()}


def _certificate_url(contents: CertificateUrl) -> Row:
    urls = [{"url": one.url, "sha1": None if one.sha1 is None else one.sha1.hex()} for one in contents.urls]
    return {"kind": listed(parameters.CHAIN_TYPES, contents.kind), "urls": urls}


def _certificate_status(contents: CertificateStatus) -> Row:
    return {
        "status_type": names.registry_name(CertificateStatusType(contents.kind)),
        "responses": [None if one is None else ocsp_row(one) for one in contents.responses],
    }


def _supplemental_data(contents: SupplementalData) -> Row:
    types = parameters.SUPPLEMENTAL_TYPES
    return {"entries": [{"type": listed(types, kind), "length": len(data)} for kind, data in contents.entries]}


def _key_update(contents: KeyUpdate) -> Row:
    request = contents.request
    return {"request_update": None if request is None else listed(parameters.UPDATE_REQUESTS, request)}


def _compressed_certificate(contents: CompressedCertificate) -> Row:
    inside = contents.certificate
    return {
        "algorithm": _compression(contents),
        "compressed_length": contents.compressed_length,
        "uncompressed_length": contents.uncompressed_length,
        "certificate": None if inside is None else _certificate(inside),
    }


def _ekt_key(contents: EktKey) -> Row:
    return {
        "key_length": len(contents.key),
        "salt_length": len(contents.salt),
        "spi": contents.spi,
        "ttl": contents.ttl,
    }


def _next_protocol(contents: NextProtocol) -> Row:
    return {"protocol": contents.protocol, "padding_length": contents.padding}


def _channel_id(contents: ChannelId) -> Row:
    """Return the extensions without values: what they hold is a key and a signature."""
    rows = [
        {"type": one.type, "name": names.extension_name(one.type), "length": len(one.data)}
        for one in contents.extensions
    ]
    return {"extensions": rows}


def _message_hash(contents: MessageHash) -> Row:
    return {"hash": contents.hash[:64].hex()}


def _unknown(contents: UnknownMessage) -> Row:
    return {"length": len(contents.data), "data": small(contents.data)}


def _compression(contents: CompressedCertificate) -> str:
    return names.registry_name(CertificateCompressionAlgorithm(contents.algorithm))


def _scheme(scheme: int | None) -> str | None:
    return None if scheme is None else names.scheme_name(scheme)


def _curve(held: EcParameters) -> str:
    if held.group is not None:
        return names.group_name(held.group)
    return f"{listed(parameters.CURVE_TYPES, held.curve_type)} of {held.field_bits} bits"


def _bits(number: bytes) -> int:
    return int.from_bytes(number, "big").bit_length()


def _printable(data: bytes) -> str:
    """Return an identity as the text it should be, RFC 4279 §5.1."""
    return data.decode("utf-8", "backslashreplace")


_MAKERS: dict[type, Callable[[Any], Row | None]] = {
    HelloRequest: _nothing,
    ServerHelloDone: _nothing,
    EndOfEarlyData: _nothing,
    HelloVerifyRequest: _hello_verify_request,
    NewSessionTicket: _new_session_ticket,
    HelloRetryRequest: _hello_retry_request,
    EncryptedExtensions: _encrypted_extensions,
    RequestConnectionId: _request_connection_id,
    NewConnectionId: _new_connection_id,
    CertificateMessage: _certificate,
    ServerKeyExchange: _server_key_exchange,
    CertificateRequestMessage: _certificate_request,
    CertificateVerify: _certificate_verify,
    ClientKeyExchange: _client_key_exchange,
    Finished: _finished,
    CertificateUrl: _certificate_url,
    CertificateStatus: _certificate_status,
    SupplementalData: _supplemental_data,
    KeyUpdate: _key_update,
    CompressedCertificate: _compressed_certificate,
    EktKey: _ekt_key,
    NextProtocol: _next_protocol,
    ChannelId: _channel_id,
    MessageHash: _message_hash,
    UnknownMessage: _unknown,
}
