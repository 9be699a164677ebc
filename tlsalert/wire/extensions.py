"""Extensions: number and bytes → what they say, RFC 8446 §4.2 and the documents that each reader names.

The same extension has different forms in different messages: a client offers a list, a server chooses one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.extensions import (
    CachedObject,
    DelegatedCredential,
    DnssecChain,
    EchConfig,
    EchInner,
    EchOuter,
    EncryptedServerName,
    ExtensionContents,
    ExtensionValue,
    KeyShare,
    PskIdentity,
    PskOffer,
    QuicParameter,
    SrtpProfiles,
    StatusRequest,
    TicketRequest,
    Timestamp,
    TokenBinding,
    TransItem,
    TrustedAuthority,
)
from tlsalert.messages import OidFilter
from tlsalert.model import Extension
from tlsalert.pki.ocsp import read_ocsp
from tlsalert.wire.cursor import Cursor

#: The messages that hold extensions, by their handshake types. A HelloRetryRequest is one of its own here (6, as in the
#: drafts of TLS 1.3), although it is sent as a ServerHello.
CLIENT_HELLO: Final = 1
SERVER_HELLO: Final = 2
NEW_SESSION_TICKET: Final = 4
HELLO_RETRY_REQUEST: Final = 6
ENCRYPTED_EXTENSIONS: Final = 8
CERTIFICATE: Final = 11
CERTIFICATE_REQUEST: Final = 13
#: ClientHello, and the requests: those that ask. What answers them has the other form.
ASKING: Final = frozenset({CLIENT_HELLO, CERTIFICATE_REQUEST, 17})

ECH_VERSION: Final = 0xFE0D

#: Extensions of one block that are read, and problems of one message that are told: far more than an honest one has.
MOST_EXTENSIONS: Final = 1024
MOST_PROBLEMS: Final = 64


def read_extension(kind: int, data: bytes, message: int) -> ExtensionContents:
    """Return what extension ``kind`` says in a message of that handshake type; never raises.

    The values, by the extension's name:

    - a number: max_fragment_length (its code), heartbeat, record_size_limit, padding (its length), early_data (a
      ticket's limit in bytes), a chosen version, group, key, certificate type, cipher or number of tickets, and
      dnssec_chain of a client (the port);
    - text: server_name, srp; a tuple of it: application_layer_protocol_negotiation, application_settings (offered),
      next_protocol_negotiation;
    - a tuple of numbers: what is offered of groups, schemes, versions, point formats, algorithms and types, flags,
      and ech_outer_extensions;
    - bytes: session_ticket, cookie, connection_id, renegotiation_info, external_id_hash, external_session_id, chosen
      application_settings, and every extension that is not known;
    - a tuple of bytes: certificate_authorities, trust_anchors;
    - for the others the records of :mod:`tlsalert.extensions`.

    None is an empty extension (which often says all by being there), or one that could not be read.
    """
    reader = READERS.get(kind)
    if reader is None:
        return ExtensionContents(kind, data)
    if not data:
        return ExtensionContents(kind, None, None if _may_be_empty(kind, message) else "it is empty")
    inner = Cursor(data, 0, len(data))
    value: ExtensionValue = None
    try:
        value = reader(inner, message)
        inner.done("extension_data")
    except DecodeError as error:
        return ExtensionContents(kind, value, error.what)
    return ExtensionContents(kind, value)


def read_extensions(cursor: Cursor, found: list[Extension], problems: list[str], message: int) -> None:
    """Read a block of extensions behind its length as far as it goes, and say what is wrong within each."""
    size = cursor.u16("extensions")
    have = min(size, cursor.left)
    if have < size:
        problems.append(f"extensions claims {size} bytes, {have} left")
    inner = Cursor(cursor.take(have, "extensions"), 0, have)
    try:
        while inner.left:
            if len(found) == MOST_EXTENSIONS:
                raise DecodeError(f"there are more than {MOST_EXTENSIONS} extensions: only the first ones are told")
            kind = inner.u16("extension_type")
            found.append(Extension(kind, inner.vector(2, f"extension {kind}").rest()))
    except DecodeError as error:
        problems.append(error.what)
    for extension in found:
        if len(problems) >= MOST_PROBLEMS:
            if len(problems) == MOST_PROBLEMS:
                problems.append("there are more problems: only the first ones are told")
            break
        if (problem := read_extension(extension.type, extension.data, message).problem) is not None:
            problems.append(f"extension {extension.type}: {problem}")


def _may_be_empty(kind: int, message: int) -> bool:
    """Whether an extension may say all that it has to say by being there."""
    if kind in ALWAYS_MAY_BE_EMPTY:
        return True
    if message == CLIENT_HELLO:
        return kind in (18, 52, 13172)  # a timestamp is asked for: RFC 6962 §3.3.1, RFC 9162 §6.5
    if message == CERTIFICATE_REQUEST:
        return kind in (5, 18, 52)  # RFC 8446 §4.4.2.1
    return kind in (0, 5, 17)  # the server took it up: RFC 6066 §3 and §8, RFC 6961 §2.2


def _nothing(inner: Cursor, message: int) -> ExtensionValue:
    """An extension that has no content: ``done`` will say what is too much."""
    return None


def _server_name(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 6066 §3: one name of type host_name."""
    names = inner.vector(2, "server_name_list")
    kind = names.u8("name_type")
    name = names.vector(2, "host_name").rest()
    if kind != 0:
        raise DecodeError(f"name_type {kind} is not known")
    return _text(name)


def _u8(inner: Cursor, message: int) -> ExtensionValue:
    """max_fragment_length (RFC 6066 §4), heartbeat's mode (RFC 6520 §2)."""
    return inner.u8("extension_data")


def _u16(inner: Cursor, message: int) -> ExtensionValue:
    """record_size_limit, RFC 8449 §4."""
    return inner.u16("extension_data")


def _trusted_authorities(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 6066 §6."""
    listed = inner.vector(2, "trusted_authorities_list")
    found: list[TrustedAuthority] = []
    while listed.left:
        kind = listed.u8("identifier_type")
        if kind == 0:
            found.append(TrustedAuthority(0))
        elif kind == 2:
            found.append(TrustedAuthority(2, listed.vector(2, "x509_name").rest()))
        elif kind in (1, 3):
            found.append(TrustedAuthority(kind, listed.take(20, "sha1_hash")))
        else:
            raise DecodeError(f"identifier_type {kind} is not known")
    return tuple(found)


def _status_request(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 6066 §8; with a certificate of TLS 1.3 stands the response itself, RFC 8446 §4.4.2.1."""
    kind = inner.u8("status_type")
    if message == CERTIFICATE:
        if kind != 1:
            inner.rest()
            raise DecodeError(f"status_type {kind} is not known")
        return read_ocsp(inner.vector(3, "response").rest())
    return _ocsp_request(kind, inner)


def _status_request_v2(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 6961 §2.2."""
    listed = inner.vector(2, "certificate_status_req_list")
    found: list[StatusRequest] = []
    while listed.left:
        kind = listed.u8("status_type")
        found.append(_ocsp_request(kind, listed.vector(2, "request")))
    return tuple(found)


def _ocsp_request(kind: int, inner: Cursor) -> StatusRequest:
    if kind not in (1, 2):
        inner.rest()
        return StatusRequest(kind)
    responders = _count(inner.vector(2, "responder_id_list"), 2, "responder_id")
    return StatusRequest(kind, responders, inner.vector(2, "request_extensions").left)


def _bytes_offered(inner: Cursor, message: int) -> ExtensionValue:
    """A list of one-byte numbers behind its length of one byte."""
    return inner.vector(1, "list").numbers(1, "list")


def _bytes_or_one(inner: Cursor, message: int) -> ExtensionValue:
    """Certificate types and EKT ciphers: a client's list, a server's choice (RFC 7250 §3, RFC 6091, RFC 8870)."""
    return inner.vector(1, "list").numbers(1, "list") if message in ASKING else inner.u8("choice")


def _words(inner: Cursor, message: int) -> ExtensionValue:
    """A list of two-byte numbers behind its length of two bytes: groups, signature schemes."""
    return inner.vector(2, "list").numbers(2, "list")


def _words_short(inner: Cursor, message: int) -> ExtensionValue:
    """A list of two-byte numbers behind its length of one byte: RFC 8879 §3, RFC 9849 §5.1."""
    return inner.vector(1, "list").numbers(2, "list")


def _srp(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 5054 §2.3."""
    return _text(inner.vector(1, "srp_I").rest())


def _use_srtp(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 5764 §4.1."""
    profiles = inner.vector(2, "SRTPProtectionProfiles").numbers(2, "SRTPProtectionProfiles")
    return SrtpProfiles(profiles, inner.vector(1, "srtp_mki").rest())


def _alpn(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 7301 §3.1."""
    return _strings(inner.vector(2, "protocol_name_list"), "protocol_name")


def _timestamps(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 6962 §3.3: a list of timestamps, each with its own length."""
    listed = inner.vector(2, "sct_list")
    found: list[Timestamp] = []
    while listed.left:
        one = listed.vector(2, "SerializedSCT")
        version = one.u8("sct_version")
        log = one.take(32, "log_id")
        time = one.u32("timestamp") << 32 | one.u32("timestamp")
        one.vector(2, "CtExtensions")
        scheme = one.u16("algorithm")
        found.append(Timestamp(version, log, time, scheme, one.vector(2, "signature").left))
    return tuple(found)


def _padding(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 7685 §3: zeroes."""
    size = inner.left
    zeroes = inner.rest().count(0)
    if zeroes != size:
        raise DecodeError(f"padding of {size} bytes, {size - zeroes} are not zero")
    return size


def _token_binding(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 8472 §2."""
    version = inner.u16("token_binding_version")
    return TokenBinding(version, inner.vector(1, "key_parameters_list").numbers(1, "key_parameters_list"))


def _cached_info(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 7924 §3: only the client names a hash."""
    listed = inner.vector(2, "cached_info")
    found: list[CachedObject] = []
    while listed.left:
        kind = listed.u8("cached_information_type")
        digest = listed.vector(1, "hash_value").rest() if message == CLIENT_HELLO else b""
        found.append(CachedObject(kind, digest))
    return tuple(found)


def _delegated_credential(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 9345 §4: signature schemes from who asks, the credential with the certificate."""
    if message in ASKING:
        return inner.vector(2, "supported_signature_algorithm").numbers(2, "supported_signature_algorithm")
    valid = inner.u32("valid_time")
    scheme = inner.u16("dc_cert_verify_algorithm")
    key = inner.vector(3, "ASN1_subjectPublicKeyInfo").left
    signed_with = inner.u16("algorithm")
    return DelegatedCredential(valid, scheme, key, signed_with, inner.vector(2, "signature").left)


def _whole(inner: Cursor, message: int) -> ExtensionValue:
    """A session ticket, RFC 5077 §3.2: opaque, without a length of its own."""
    return inner.rest()


def _pre_shared_key(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 8446 §4.2.11."""
    if message != CLIENT_HELLO:
        return inner.u16("selected_identity")
    listed = inner.vector(2, "identities")
    identities: list[PskIdentity] = []
    while listed.left:
        size = listed.vector(2, "identity").left
        identities.append(PskIdentity(size, listed.u32("obfuscated_ticket_age")))
    listed = inner.vector(2, "binders")
    binders: list[int] = []
    while listed.left:
        binders.append(listed.vector(1, "binder").left)
    return PskOffer(tuple(identities), tuple(binders))


def _early_data(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 8446 §4.2.10: only a ticket says how much."""
    return inner.u32("max_early_data_size") if message == NEW_SESSION_TICKET else None


def _versions(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 8446 §4.2.1."""
    if message == CLIENT_HELLO:
        return inner.vector(1, "versions").numbers(2, "versions")
    return inner.u16("selected_version")


def _vector_16(inner: Cursor, message: int) -> ExtensionValue:
    """A cookie, RFC 8446 §4.2.2."""
    return inner.vector(2, "cookie").rest()


def _vector_8(inner: Cursor, message: int) -> ExtensionValue:
    """connection_id (RFC 9146 §3), renegotiation_info (RFC 5746 §3.2), external_id_hash (RFC 8844 §3.2)."""
    return inner.vector(1, "opaque").rest()


def _authorities(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 8446 §4.2.4."""
    return _opaques(inner.vector(2, "authorities"), 2, "distinguished_name")


def _oid_filters(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 8446 §4.2.5."""
    listed = inner.vector(2, "filters")
    found: list[OidFilter] = []
    while listed.left:
        identifier = listed.vector(1, "certificate_extension_oid").rest()
        found.append(OidFilter(identifier, listed.vector(2, "certificate_extension_values").rest()))
    return tuple(found)


def _key_share(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 8446 §4.2.8."""
    if message == HELLO_RETRY_REQUEST:
        return inner.u16("selected_group")
    if message != CLIENT_HELLO:
        return _share(inner)
    listed = inner.vector(2, "client_shares")
    found: list[KeyShare] = []
    while listed.left:
        found.append(_share(listed))
    return tuple(found)


def _share(inner: Cursor) -> KeyShare:
    group = inner.u16("group")
    return KeyShare(group, inner.vector(2, "key_exchange").left)


def _transparency(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 9162 §6.5."""
    listed = inner.vector(2, "trans_item_list")
    found: list[TransItem] = []
    while listed.left:
        item = listed.vector(2, "SerializedTransItem")
        size = item.left
        found.append(TransItem(item.u16("versioned_type"), size))
    return tuple(found)


def _quic(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 9000 §18: number, length and value of each, the first two of variable length."""
    found: list[QuicParameter] = []
    while inner.left:
        identifier = _variable(inner)
        found.append(QuicParameter(identifier, inner.take(_variable(inner), "transport parameter")))
    return tuple(found)


def _variable(inner: Cursor) -> int:
    """Read a variable-length integer, RFC 9000 §16."""
    first = inner.u8("variable-length integer")
    value = first & 0x3F
    for _ in range((1 << (first >> 6)) - 1):
        value = value << 8 | inner.u8("variable-length integer")
    return value


def _tickets(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 9149 §3."""
    if message != CLIENT_HELLO:
        return inner.u8("expected_count")
    wanted = inner.u8("new_session_count")
    return TicketRequest(wanted, inner.u8("resumption_count"))


def _dnssec_chain(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 9102 §2.2."""
    number = inner.u16("ExtSupportLifetime")
    if message == CLIENT_HELLO:
        return number  # the port
    size = inner.left
    inner.rest()
    return DnssecChain(number, size)


def _flags(inner: Cursor, message: int) -> ExtensionValue:
    """draft-ietf-tls-tlsflags §2: the numbers of the bits that are set, the lowest bit of the first byte is 0."""
    octets = inner.vector(1, "flags").rest()
    return tuple([8 * place + bit for place, octet in enumerate(octets) for bit in range(8) if octet >> bit & 1])


def _next_protocols(inner: Cursor, message: int) -> ExtensionValue:
    """draft-agl-tls-nextprotoneg-04 §3: the server's list, without a length of its own."""
    return _strings(inner, "protocol")


def _application_settings(inner: Cursor, message: int) -> ExtensionValue:
    """draft-vvv-tls-alps-01 §4: protocols from the client, settings from the server."""
    if message == CLIENT_HELLO:
        return _strings(inner.vector(2, "supported_protocols"), "protocol_name")
    return inner.rest()


def _trust_anchors(inner: Cursor, message: int) -> ExtensionValue:
    """draft-ietf-tls-trust-anchor-ids: identifiers with a length of one byte each."""
    if message == CERTIFICATE:
        return inner.rest()
    return _opaques(inner.vector(2, "trust_anchors"), 1, "trust_anchor_id")


def _encrypted_client_hello(inner: Cursor, message: int) -> ExtensionValue:
    """RFC 9849 §5 and §7.1: the client's hello, the server's confirmation, or configurations to try again with."""
    if message == ENCRYPTED_EXTENSIONS:
        return _ech_configs(inner.vector(2, "retry_configs"))
    if message != CLIENT_HELLO:
        return inner.take(8, "confirmation")
    kind = inner.u8("ECHClientHelloType")
    if kind == 1:
        return EchInner()
    if kind != 0:
        inner.rest()
        raise DecodeError(f"ECHClientHelloType {kind} is not known")
    kdf, aead, config = inner.u16("kdf_id"), inner.u16("aead_id"), inner.u8("config_id")
    size = inner.vector(2, "enc").left
    return EchOuter(kdf, aead, config, size, inner.vector(2, "payload").left)


def _ech_configs(listed: Cursor) -> tuple[EchConfig, ...]:
    """RFC 9849 §4."""
    found: list[EchConfig] = []
    while listed.left:
        version = listed.u16("version")
        inner = listed.vector(2, "ECHConfig")
        if version != ECH_VERSION:
            found.append(EchConfig(version))
            continue
        config, kem = inner.u8("config_id"), inner.u16("kem_id")
        inner.vector(2, "public_key")
        pairs = inner.vector(2, "cipher_suites")
        suites: list[tuple[int, int]] = []
        while pairs.left:
            suites.append((pairs.u16("kdf_id"), pairs.u16("aead_id")))
        inner.u8("maximum_name_length")
        name = _text(inner.vector(1, "public_name").rest())
        inner.vector(2, "extensions")
        found.append(EchConfig(version, config, kem, tuple(suites), name))
    return tuple(found)


def _encrypted_server_name(inner: Cursor, message: int) -> ExtensionValue:
    """draft-ietf-tls-esni-02 §5.1; the server answers with the nonce."""
    if message != CLIENT_HELLO:
        return inner.rest()
    suite, group = inner.u16("suite"), inner.u16("group")
    inner.vector(2, "key_exchange")
    inner.vector(2, "record_digest")
    return EncryptedServerName(suite, group, inner.vector(2, "encrypted_sni").left)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _strings(listed: Cursor, what: str) -> tuple[str, ...]:
    found: list[str] = []
    while listed.left:
        found.append(_text(listed.vector(1, what).rest()))
    return tuple(found)


def _opaques(listed: Cursor, width: int, what: str) -> tuple[bytes, ...]:
    found: list[bytes] = []
    while listed.left:
        found.append(listed.vector(width, what).rest())
    return tuple(found)


def _count(listed: Cursor, width: int, what: str) -> int:
    count = 0
    while listed.left:
        listed.vector(width, what)
        count += 1
    return count


Reader = Callable[[Cursor, int], ExtensionValue]

READERS: Final[dict[int, Reader]] = {
    0: _server_name,
    1: _u8,
    2: _nothing,
    3: _trusted_authorities,
    4: _nothing,
    5: _status_request,
    6: _bytes_offered,
    7: _bytes_offered,
    8: _bytes_offered,
    9: _bytes_or_one,
    10: _words,
    11: _bytes_offered,
    12: _srp,
    13: _words,
    14: _use_srtp,
    15: _u8,
    16: _alpn,
    17: _status_request_v2,
    18: _timestamps,
    19: _bytes_or_one,
    20: _bytes_or_one,
    21: _padding,
    22: _nothing,
    23: _nothing,
    24: _token_binding,
    25: _cached_info,
    26: _nothing,
    27: _words_short,
    28: _u16,
    33: _nothing,
    34: _delegated_credential,
    35: _whole,
    39: _bytes_or_one,
    40: _key_share,
    41: _pre_shared_key,
    42: _early_data,
    43: _versions,
    44: _vector_16,
    45: _bytes_offered,
    47: _authorities,
    48: _oid_filters,
    49: _nothing,
    50: _words,
    51: _key_share,
    52: _transparency,
    53: _vector_8,
    54: _vector_8,
    55: _vector_8,
    56: _vector_8,
    57: _quic,
    58: _tickets,
    59: _dnssec_chain,
    61: _nothing,
    62: _flags,
    13172: _next_protocols,
    17513: _application_settings,
    17613: _application_settings,
    30031: _nothing,
    30032: _nothing,
    35655: _padding,
    51764: _trust_anchors,
    64768: _words_short,
    65037: _encrypted_client_hello,
    65281: _vector_8,
    65445: _quic,
    65486: _encrypted_server_name,
}

#: Those without content, and those that may be without: trusted_ca_keys (the server took it up, RFC 6066 §6), padding,
#: early_data, session_ticket, settings of a protocol, RFC 9102's and RFC 9000's lists.
ALWAYS_MAY_BE_EMPTY: Final = frozenset(
    {2, 3, 4, 21, 22, 23, 26, 33, 35, 42, 49, 57, 59, 61, 13172, 17513, 17613, 30031, 30032, 35655, 51764, 65445}
)
