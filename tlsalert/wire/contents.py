"""Handshake messages: type and body → what they say, for every type of IANA's registry.

Version and cipher suite choose the form of several. Nothing here raises: what breaks its grammar is told as far as it
goes, with what is wrong in ``problems``, and a type without an entry keeps its number and bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.messages import (
    CertificateEntry,
    CertificateMessage,
    CertificateRequestMessage,
    CertificateStatus,
    CertificateUrl,
    CertificateVerify,
    ChannelId,
    CompressedCertificate,
    Contents,
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
    OcspResponse,
    OidFilter,
    RequestConnectionId,
    ServerHelloDone,
    Signature,
    SupplementalData,
    UnknownMessage,
    UrlAndHash,
)
from tlsalert.model import Extension
from tlsalert.pki.ocsp import read_ocsp
from tlsalert.wire.cursor import Cursor
from tlsalert.wire.extensions import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CLIENT_HELLO,
    ENCRYPTED_EXTENSIONS,
    HELLO_RETRY_REQUEST,
    MOST_PROBLEMS,
    NEW_SESSION_TICKET,
    SERVER_HELLO,
    read_extension,
    read_extensions,
)
from tlsalert.wire.hello import read_client_hello, read_server_hello
from tlsalert.wire.inflate import inflate
from tlsalert.wire.key_exchange import read_client_key_exchange, read_server_key_exchange, read_signature
from tlsalert.wire.messages import read_certificate_list
from tlsalert.wire.transcript import TLS13

TLS11: Final = 0x0302
TLS12: Final = 0x0303
DTLS_VERSIONS: Final = {0xFEFF: TLS11, 0xFEFD: TLS12, 0xFEFC: TLS13}

EARLY_DATA: Final = 42
SIGNATURE_ALGORITHMS: Final = 13
CERTIFICATE_AUTHORITIES: Final = 47
OID_FILTERS: Final = 48
SIGNATURE_ALGORITHMS_CERT: Final = 50

#: Entries that are kept of one list: as many certificates as no honest message has.
MOST_ENTRIES: Final = 4096


def read_contents(kind: int, body: bytes, version: int, suite: int) -> Contents:
    """Decode the body of a handshake message of type ``kind``; never raises: ``problems`` says what could not be read.

    ``version`` is the negotiated one as it stands on the wire (TLS, DTLS or a draft; 0: not known) and ``suite`` the
    cipher suite (-1: not known). The same four always give the same value.
    """
    reader = READERS.get(kind)
    return UnknownMessage(kind, body) if reader is None else reader(body, tls_version(version), suite)


def tls_version(version: int) -> int:
    """Return the version of TLS whose forms ``version`` has: DTLS 1.2 is as TLS 1.2, TLCP as 1.1, a draft as 1.3."""
    if version >> 8 in (0x7F, 0xFB):
        return TLS13
    if 0 < version < 0x0300:
        return TLS11  # DTLS 1.0 before its RFC (0x0100), TLCP (0x0101)
    return DTLS_VERSIONS.get(version, version)


def _client_hello(body: bytes, version: int, suite: int) -> Contents:
    return read_client_hello(body)


def _server_hello(body: bytes, version: int, suite: int) -> Contents:
    return read_server_hello(body)


def _hello_request(body: bytes, version: int, suite: int) -> Contents:
    return HelloRequest(_empty(body, "hello_request"))


def _server_hello_done(body: bytes, version: int, suite: int) -> Contents:
    return ServerHelloDone(_empty(body, "server_hello_done"))


def _end_of_early_data(body: bytes, version: int, suite: int) -> Contents:
    return EndOfEarlyData(_empty(body, "end_of_early_data"))


def _hello_verify_request(body: bytes, version: int, suite: int) -> Contents:
    cursor = Cursor(body, 0, len(body))
    offered, cookie = 0, b""
    problems: tuple[str, ...] = ()
    try:
        offered = cursor.u16("server_version")
        cookie = cursor.vector(1, "cookie").rest()
        cursor.done("hello_verify_request")
    except DecodeError as error:
        problems = (error.what,)
    return HelloVerifyRequest(offered, cookie, problems)


def _new_session_ticket(body: bytes, version: int, suite: int) -> Contents:
    if version >= TLS13:
        return _ticket_13(body)
    cursor = Cursor(body, 0, len(body))
    lifetime, ticket = 0, b""
    problems: tuple[str, ...] = ()
    try:
        lifetime = cursor.u32("ticket_lifetime_hint")
        ticket = cursor.vector(2, "ticket").rest()
        cursor.done("new_session_ticket")
    except DecodeError as error:
        problems = (error.what,)
    if problems and version == 0:
        newer = _ticket_13(body)
        if not newer.problems:
            return newer
    return NewSessionTicket(lifetime, ticket, problems=problems)


def _ticket_13(body: bytes) -> NewSessionTicket:
    cursor = Cursor(body, 0, len(body))
    lifetime, ticket = 0, b""
    age_add: int | None = None
    nonce: bytes | None = None
    extensions: list[Extension] = []
    problems: list[str] = []
    try:
        lifetime = cursor.u32("ticket_lifetime")
        age_add = cursor.u32("ticket_age_add")
        nonce = cursor.vector(1, "ticket_nonce").rest()
        ticket = cursor.vector(2, "ticket").rest()
        read_extensions(cursor, extensions, problems, NEW_SESSION_TICKET)
        cursor.done("new_session_ticket")
    except DecodeError as error:
        problems.append(error.what)
    early: int | None = None
    for extension in extensions:
        if extension.type == EARLY_DATA and len(extension.data) == 4:
            early = int.from_bytes(extension.data, "big")
    return NewSessionTicket(lifetime, ticket, age_add, nonce, early, tuple(extensions), tuple(problems))


def _hello_retry_request(body: bytes, version: int, suite: int) -> Contents:
    """The form of draft-ietf-tls-tls13-16 to 21: from 19 on a cipher suite stands before the extensions."""
    cursor = Cursor(body, 0, len(body))
    offered = 0
    cipher: int | None = None
    extensions: list[Extension] = []
    problems: list[str] = []
    try:
        offered = cursor.u16("server_version")
        ahead = Cursor(body, cursor.at, len(body))
        if ahead.u16("extensions") != ahead.left:
            cipher = cursor.u16("cipher_suite")
        read_extensions(cursor, extensions, problems, HELLO_RETRY_REQUEST)
        cursor.done("hello_retry_request")
    except DecodeError as error:
        problems.append(error.what)
    return HelloRetryRequest(offered, cipher, tuple(extensions), tuple(problems))


def _encrypted_extensions(body: bytes, version: int, suite: int) -> Contents:
    extensions, problems = _only_extensions(body, ENCRYPTED_EXTENSIONS, "encrypted_extensions")
    return EncryptedExtensions(extensions, problems)


def _channel_id(body: bytes, version: int, suite: int) -> Contents:
    """An extension without a block's length around it, draft-balfanz-tls-channelid-01 §3."""
    cursor = Cursor(body, 0, len(body))
    found: list[Extension] = []
    problems: tuple[str, ...] = ()
    try:
        while cursor.left:
            if len(found) == MOST_ENTRIES:
                raise DecodeError(_too_many("channel_id"))
            kind = cursor.u16("extension_type")
            found.append(Extension(kind, cursor.vector(2, f"extension {kind}").rest()))
    except DecodeError as error:
        problems = (error.what,)
    return ChannelId(tuple(found), problems)


def _request_connection_id(body: bytes, version: int, suite: int) -> Contents:
    cursor = Cursor(body, 0, len(body))
    number = 0
    problems: tuple[str, ...] = ()
    try:
        number = cursor.u8("num_cids")
        cursor.done("request_connection_id")
    except DecodeError as error:
        problems = (error.what,)
    return RequestConnectionId(number, problems)


def _new_connection_id(body: bytes, version: int, suite: int) -> Contents:
    cursor = Cursor(body, 0, len(body))
    ids: list[bytes] = []
    usage: int | None = None
    problems: tuple[str, ...] = ()
    try:
        listed = cursor.vector(2, "cids")
        while listed.left:
            ids.append(listed.vector(1, "cid").rest())
        usage = cursor.u8("usage")
        cursor.done("new_connection_id")
    except DecodeError as error:
        problems = (error.what,)
    return NewConnectionId(tuple(ids), usage, problems)


def _certificate(body: bytes, version: int, suite: int) -> Contents:
    if version >= TLS13:
        return _certificate_13(body)
    encoded, problem = read_certificate_list(body, False)
    if problem is not None and version == 0:
        newer = _certificate_13(body)
        if not newer.problems:
            return newer
    problems = [] if problem is None else [problem]
    if len(encoded) > MOST_ENTRIES:
        problems.append(_too_many("certificate_list"))
    entries = tuple([CertificateEntry(der) for der in encoded[:MOST_ENTRIES]])
    return CertificateMessage(None, entries, tuple(problems))


def _certificate_13(body: bytes) -> CertificateMessage:
    """RFC 8446 §4.4.2: extensions with each certificate."""
    cursor = Cursor(body, 0, len(body))
    context: bytes | None = None
    entries: list[CertificateEntry] = []
    problems: list[str] = []
    try:
        context = cursor.vector(1, "certificate_request_context").rest()
        listed = cursor.vector(3, "certificate_list")
        while listed.left:
            if len(entries) == MOST_ENTRIES:
                raise DecodeError(_too_many("certificate_list"))
            der = listed.vector(3, "certificate").rest()
            extensions: list[Extension] = []
            read_extensions(listed, extensions, problems, CERTIFICATE)
            entries.append(CertificateEntry(der, tuple(extensions)))
        cursor.done("certificate")
    except DecodeError as error:
        problems.append(error.what)
    return CertificateMessage(context, tuple(entries), tuple(problems))


def _certificate_request(body: bytes, version: int, suite: int) -> Contents:
    if version >= TLS13:
        return _request_13(body)
    if version >= TLS12:
        return _request_12(body, True)
    if version > 0:
        return _request_12(body, False)
    found = _request_12(body, True)
    for other in (_request_12(body, False), _request_13(body)):
        if found.problems and not other.problems:
            found = other
    return found


def _request_12(body: bytes, with_schemes: bool) -> CertificateRequestMessage:
    """RFC 5246 §7.4.4; before TLS 1.2 without the signature schemes."""
    cursor = Cursor(body, 0, len(body))
    types: tuple[int, ...] = ()
    schemes: tuple[int, ...] = ()
    authorities: list[bytes] = []
    problems: tuple[str, ...] = ()
    try:
        types = cursor.vector(1, "certificate_types").numbers(1, "certificate_types")
        if with_schemes:
            what = "supported_signature_algorithms"
            schemes = cursor.vector(2, what).numbers(2, what)
        listed = cursor.vector(2, "certificate_authorities")
        while listed.left:
            authorities.append(listed.vector(2, "distinguished_name").rest())
        cursor.done("certificate_request")
    except DecodeError as error:
        problems = (error.what,)
    return CertificateRequestMessage(None, types, schemes, None, tuple(authorities), problems=problems)


def _request_13(body: bytes) -> CertificateRequestMessage:
    """RFC 8446 §4.3.2, and RFC 9261 §4."""
    cursor = Cursor(body, 0, len(body))
    context: bytes | None = None
    extensions: list[Extension] = []
    problems: list[str] = []
    try:
        context = cursor.vector(1, "certificate_request_context").rest()
        read_extensions(cursor, extensions, problems, CERTIFICATE_REQUEST)
        cursor.done("certificate_request")
    except DecodeError as error:
        problems.append(error.what)
    schemes: tuple[int, ...] = ()
    schemes_cert: tuple[int, ...] | None = None
    authorities: tuple[bytes, ...] = ()
    filters: tuple[OidFilter, ...] = ()
    for extension in extensions:
        if extension.type not in (
            SIGNATURE_ALGORITHMS,
            SIGNATURE_ALGORITHMS_CERT,
            CERTIFICATE_AUTHORITIES,
            OID_FILTERS,
        ):
            continue
        value = read_extension(extension.type, extension.data, CERTIFICATE_REQUEST).value
        if not isinstance(value, tuple):
            continue
        if extension.type == SIGNATURE_ALGORITHMS:
            schemes = tuple([one for one in value if isinstance(one, int)])
        elif extension.type == SIGNATURE_ALGORITHMS_CERT:
            schemes_cert = tuple([one for one in value if isinstance(one, int)])
        elif extension.type == CERTIFICATE_AUTHORITIES:
            authorities = tuple([one for one in value if isinstance(one, bytes)])
        else:
            filters = tuple([one for one in value if isinstance(one, OidFilter)])
    return CertificateRequestMessage(
        context, (), schemes, schemes_cert, authorities, filters, tuple(extensions), tuple(problems)
    )


def _client_certificate_request(body: bytes, version: int, suite: int) -> Contents:
    return _request_13(body)


def _certificate_verify(body: bytes, version: int, suite: int) -> Contents:
    cursor = Cursor(body, 0, len(body))
    signature: Signature | None = None
    problems: tuple[str, ...] = ()
    try:
        signature = read_signature(cursor, version)
        cursor.done("certificate_verify")
    except DecodeError as error:
        problems = (error.what,)
    return CertificateVerify(signature, problems)


def _finished(body: bytes, version: int, suite: int) -> Contents:
    return Finished(body, () if body else ("verify_data is empty",))


def _certificate_url(body: bytes, version: int, suite: int) -> Contents:
    """RFC 6066 §5; RFC 4366 §3.3 had a byte that told whether the hash is there, where now there is a 1."""
    cursor = Cursor(body, 0, len(body))
    kind = 0
    urls: list[UrlAndHash] = []
    problems: tuple[str, ...] = ()
    try:
        kind = cursor.u8("type")
        listed = cursor.vector(2, "url_and_hash_list")
        while listed.left:
            url = listed.vector(2, "url").rest().decode("utf-8", "backslashreplace")
            digest = listed.take(20, "SHA1Hash") if listed.u8("padding") else None
            urls.append(UrlAndHash(url, digest))
        cursor.done("certificate_url")
    except DecodeError as error:
        problems = (error.what,)
    return CertificateUrl(kind, tuple(urls), problems)


def _certificate_status(body: bytes, version: int, suite: int) -> Contents:
    """RFC 6066 §8, RFC 6961 §2.2."""
    cursor = Cursor(body, 0, len(body))
    kind = 0
    found: list[OcspResponse | None] = []
    problems: list[str] = []
    try:
        kind = cursor.u8("status_type")
        if kind == 1:
            found.append(read_ocsp(cursor.vector(3, "OCSPResponse").rest()))
        elif kind == 2:
            listed = cursor.vector(3, "ocsp_response_list")
            while listed.left:
                if len(found) == MOST_ENTRIES:
                    raise DecodeError(_too_many("ocsp_response_list"))
                encoded = listed.vector(3, "OCSPResponse").rest()
                found.append(read_ocsp(encoded) if encoded else None)
        else:
            cursor.rest()
            problems.append(f"status_type {kind} is not known")
        cursor.done("certificate_status")
    except DecodeError as error:
        problems.append(error.what)
    for response in found:
        if response is not None and len(problems) < MOST_PROBLEMS:
            problems.extend(response.problems)
    return CertificateStatus(kind, tuple(found), tuple(problems))


def _supplemental_data(body: bytes, version: int, suite: int) -> Contents:
    """RFC 4680 §2."""
    cursor = Cursor(body, 0, len(body))
    entries: list[tuple[int, bytes]] = []
    problems: tuple[str, ...] = ()
    try:
        listed = cursor.vector(3, "supp_data")
        while listed.left:
            if len(entries) == MOST_ENTRIES:
                raise DecodeError(_too_many("supp_data"))
            kind = listed.u16("supp_data_type")
            entries.append((kind, listed.vector(2, "supp_data_entry").rest()))
        cursor.done("supplemental_data")
    except DecodeError as error:
        problems = (error.what,)
    return SupplementalData(tuple(entries), problems)


def _key_update(body: bytes, version: int, suite: int) -> Contents:
    cursor = Cursor(body, 0, len(body))
    request: int | None = None
    problems: tuple[str, ...] = ()
    try:
        request = cursor.u8("request_update")
        if request > 1:
            problems = (f"request_update {request} is not known",)
        cursor.done("key_update")
    except DecodeError as error:
        problems = (*problems, error.what)
    return KeyUpdate(request, problems)


def _compressed_certificate(body: bytes, version: int, suite: int) -> Contents:
    """RFC 8879 §4: inside is a Certificate message of TLS 1.3."""
    cursor = Cursor(body, 0, len(body))
    algorithm, size, packed = 0, 0, b""
    certificate: CertificateMessage | None = None
    problems: tuple[str, ...] = ()
    try:
        algorithm = cursor.u16("algorithm")
        size = cursor.u24("uncompressed_length")
        packed = cursor.vector(3, "compressed_certificate_message").rest()
        cursor.done("compressed_certificate")
        certificate = _certificate_13(inflate(algorithm, packed, size))
        problems = certificate.problems
    except DecodeError as error:
        problems = (error.what,)
    return CompressedCertificate(algorithm, size, len(packed), certificate, problems)


def _ekt_key(body: bytes, version: int, suite: int) -> Contents:
    """RFC 8870 §5.2.2: up to 256 bytes, so that lengths have two."""
    cursor = Cursor(body, 0, len(body))
    key, salt, spi, ttl = b"", b"", 0, 0
    problems: tuple[str, ...] = ()
    try:
        key = cursor.vector(2, "ekt_key_value").rest()
        salt = cursor.vector(2, "srtp_master_salt").rest()
        spi = cursor.u16("ekt_spi")
        ttl = cursor.u24("ekt_ttl")
        cursor.done("ekt_key")
    except DecodeError as error:
        problems = (error.what,)
    return EktKey(key, salt, spi, ttl, problems)


def _next_protocol(body: bytes, version: int, suite: int) -> Contents:
    cursor = Cursor(body, 0, len(body))
    protocol, padding = "", 0
    problems: tuple[str, ...] = ()
    try:
        protocol = cursor.vector(1, "selected_protocol").rest().decode("utf-8", "backslashreplace")
        padding = cursor.vector(1, "padding").left
        cursor.done("next_protocol")
    except DecodeError as error:
        problems = (error.what,)
    return NextProtocol(protocol, padding, problems)


def _message_hash(body: bytes, version: int, suite: int) -> Contents:
    return MessageHash(body)


def _only_extensions(body: bytes, message: int, what: str) -> tuple[tuple[Extension, ...], tuple[str, ...]]:
    cursor = Cursor(body, 0, len(body))
    extensions: list[Extension] = []
    problems: list[str] = []
    try:
        read_extensions(cursor, extensions, problems, message)
        cursor.done(what)
    except DecodeError as error:
        problems.append(error.what)
    return tuple(extensions), tuple(problems)


def _empty(body: bytes, what: str) -> tuple[str, ...]:
    return (f"{what} has {len(body)} bytes too many",) if body else ()


def _too_many(what: str) -> str:
    return f"{what} has more than {MOST_ENTRIES} entries: only the first ones are told"


Reader = Callable[[bytes, int, int], Contents]

READERS: Final[dict[int, Reader]] = {
    0: _hello_request,
    CLIENT_HELLO: _client_hello,
    SERVER_HELLO: _server_hello,
    3: _hello_verify_request,
    NEW_SESSION_TICKET: _new_session_ticket,
    5: _end_of_early_data,
    HELLO_RETRY_REQUEST: _hello_retry_request,
    ENCRYPTED_EXTENSIONS: _encrypted_extensions,
    9: _request_connection_id,
    10: _new_connection_id,
    CERTIFICATE: _certificate,
    12: read_server_key_exchange,
    CERTIFICATE_REQUEST: _certificate_request,
    14: _server_hello_done,
    15: _certificate_verify,
    16: read_client_key_exchange,
    17: _client_certificate_request,
    20: _finished,
    21: _certificate_url,
    22: _certificate_status,
    23: _supplemental_data,
    24: _key_update,
    25: _compressed_certificate,
    26: _ekt_key,
    67: _next_protocol,
    203: _channel_id,
    254: _message_hash,
}
