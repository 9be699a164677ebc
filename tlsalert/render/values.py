"""What an extension says as values that JSON knows: numbers by IANA's names, opaque bytes by their length."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tlsalert.errors import DecodeError
from tlsalert.extensions import (
    CachedObject,
    DelegatedCredential,
    DnssecChain,
    EchConfig,
    EchInner,
    EchOuter,
    EncryptedServerName,
    ExtensionValue,
    KeyShare,
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
from tlsalert.messages import OcspResponse, OcspSingle, OidFilter
from tlsalert.model import Extension, rfc3339
from tlsalert.pki.der import element, oid
from tlsalert.pki.names import name_from_der
from tlsalert.registry import parameters
from tlsalert.registry.certificates import (
    CertificateCompressionAlgorithm,
    CertificateStatusType,
    CertificateType,
)
from tlsalert.registry.parameters import listed
from tlsalert.registry.versions import version_label
from tlsalert.render import names
from tlsalert.wire.extensions import read_extension

Row = dict[str, object]

#: Opaque bytes up to so many are shown in hexadecimal.
SMALL = 32


def extension_value(kind: int, data: bytes, message: int) -> object:
    """Return what extension ``kind`` says in a message of that handshake type (6 for a HelloRetryRequest).

    None is an empty extension or one that is not known; {"problem": …} one that could not be read.
    """
    contents = read_extension(kind, data, message)
    value = contents.value
    if contents.problem is not None:
        return {"problem": contents.problem}
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return _number(kind, value)
    if isinstance(value, bytes):
        return _opaque(kind, value)
    if isinstance(value, tuple):
        name = NAMES.get(kind)
        if name is not None:
            return [name(one) for one in value if isinstance(one, int)]
        return [_part(kind, one) for one in value]
    return _record(value)


def extension_row(extension: Extension, message: int) -> Row:
    """Return an extension with its name, length and value."""
    kind, data = extension.type, extension.data
    value = extension_value(kind, data, message)
    return {"type": kind, "name": names.extension_name(kind), "length": len(data), "value": value}


def small(data: bytes) -> str | None:
    """Return opaque bytes in hexadecimal, or None where they are more than :data:`SMALL`."""
    return data.hex() if len(data) <= SMALL else None


def ocsp_row(response: OcspResponse) -> Row:
    """Return what an OCSP response says."""
    return {
        "status": None if response.status is None else listed(parameters.OCSP_STATUSES, response.status),
        "length": response.length,
        "produced_at": _date(response.produced_at),
        "certificates": [_ocsp_single(single) for single in response.responses],
        "problems": list(response.problems),
    }


def _number(kind: int, value: int) -> object:
    """Return one number by its name; a length, a limit or a port is itself."""
    if kind == 1:
        return parameters.FRAGMENT_LENGTHS.get(value, listed({}, value))
    name = CHOSEN.get(kind)
    return value if name is None else name(value)


def _opaque(kind: int, value: bytes) -> object:
    """Return opaque bytes by their length; identifiers of a few bytes as they are. Unknown extensions have no value."""
    if kind in IDENTIFIERS:
        return value.hex()
    return {"length": len(value)} if kind in OPAQUE else None


def _part(kind: int, part: object) -> object:
    """Return one entry of a list."""
    if isinstance(part, str | int):
        return part
    if isinstance(part, bytes):
        return name_from_der(part) if kind == 47 else part.hex()
    if isinstance(part, Timestamp):
        time = rfc3339(part.time * 1_000_000, 3)
        return {
            "version": part.version + 1,  # v1 is sent as 0, RFC 6962 §3.2
            "log_id": part.log_id.hex(),
            "time": time,
            "signature_scheme": names.scheme_name(part.scheme),
        }
    if isinstance(part, OidFilter):
        return {"oid": _oid(part.oid), "length": len(part.values)}
    if isinstance(part, TrustedAuthority):
        kind_name = listed(parameters.AUTHORITY_TYPES, part.kind)
        identifier = name_from_der(part.identifier) if part.kind == 2 else part.identifier.hex()
        return {"type": kind_name, "identifier": identifier}
    if isinstance(part, CachedObject):
        return {"type": listed(parameters.CACHED_TYPES, part.kind), "hash": part.hash.hex()}
    if isinstance(part, TransItem):
        return {"type": listed(parameters.TRANS_TYPES, part.kind), "length": part.length}
    if isinstance(part, QuicParameter):
        return _quic(part)
    if isinstance(part, EchConfig):
        return {
            "version": f"0x{part.version:04x}",
            "config_id": part.config_id,
            "kem": None if part.kem is None else listed(parameters.HPKE_KEMS, part.kem),
            "suites": [_hpke(kdf, aead) for kdf, aead in part.suites],
            "public_name": part.public_name,
        }
    return _record(part)


def _record(value: ExtensionValue | object) -> object:
    """Return one of the records of :mod:`tlsalert.extensions`."""
    if isinstance(value, KeyShare):
        return {"group": names.group_name(value.group), "length": value.length}
    if isinstance(value, PskOffer):
        return {
            "identities": [
                {"length": one.length, "obfuscated_ticket_age": one.obfuscated_age} for one in value.identities
            ],
            "binders": list(value.binders),
        }
    if isinstance(value, StatusRequest):
        return {
            "status_type": names.registry_name(CertificateStatusType(value.kind)),
            "responders": value.responders,
            "extensions_length": value.extensions_length,
        }
    if isinstance(value, EchOuter):
        return {
            "type": "outer",
            **_hpke(value.kdf, value.aead),
            "config_id": value.config_id,
            "enc_length": value.enc_length,
            "payload_length": value.payload_length,
        }
    if isinstance(value, EchInner):
        return {"type": "inner"}
    if isinstance(value, OcspResponse):
        return ocsp_row(value)
    if isinstance(value, SrtpProfiles):
        return {
            "profiles": [listed(parameters.SRTP_PROFILES, one) for one in value.profiles],
            "mki": value.mki.hex(),
        }
    if isinstance(value, TokenBinding):
        return {
            "version": f"{value.version >> 8}.{value.version & 0xFF}",
            "key_parameters": [listed(parameters.TOKEN_BINDING_KEYS, one) for one in value.parameters],
        }
    if isinstance(value, TicketRequest):
        return {"new_sessions": value.new_sessions, "resumptions": value.resumptions}
    if isinstance(value, DnssecChain):
        return {"lifetime_hours": value.lifetime, "length": value.length}
    if isinstance(value, DelegatedCredential):
        return {
            "valid_time": value.valid_time,
            "signature_scheme": names.scheme_name(value.scheme),
            "key_length": value.key_length,
            "signed_with": names.scheme_name(value.signature_scheme),
            "signature_length": value.signature_length,
        }
    if isinstance(value, EncryptedServerName):
        return {
            "cipher_suite": names.suite_name(value.cipher_suite),
            "group": names.group_name(value.group),
            "length": value.length,
        }
    return None


def _date(moment: datetime | None) -> str | None:
    """Return a date of a DER structure as RFC 3339: in UTC, without decimals."""
    return None if moment is None else moment.replace(tzinfo=None).isoformat() + "Z"


def _ocsp_single(single: OcspSingle) -> Row:
    reason = single.reason
    return {
        "serial": single.serial,
        "status": single.status,
        "this_update": _date(single.this_update),
        "next_update": _date(single.next_update),
        "revoked_at": _date(single.revoked_at),
        "reason": None if reason is None else listed(parameters.REVOCATION_REASONS, reason),
    }


def _quic(parameter: QuicParameter) -> Row:
    """Return a transport parameter: integers as numbers, the rest in hexadecimal where it is small."""
    value: int | str | None = small(parameter.value)
    data = parameter.value
    if parameter.id in parameters.QUIC_INTEGERS and data and len(data) == 1 << (data[0] >> 6):
        value = int.from_bytes(data, "big") & (1 << 8 * len(data) - 2) - 1
    name = parameters.QUIC_PARAMETERS.get(parameter.id) or f"0x{parameter.id:x}"
    return {"name": name, "length": len(data), "value": value}


def _hpke(kdf: int, aead: int) -> Row:
    return {"kdf": listed(parameters.HPKE_KDFS, kdf), "aead": listed(parameters.HPKE_AEADS, aead)}


def _oid(encoded: bytes) -> str:
    """Return an OID in dotted form, or in hexadecimal where it is none."""
    try:
        return oid(element(encoded))
    except DecodeError:
        return encoded.hex()


def _point_format(code: int) -> str:
    return names.point_formats((code,))[0]


def _certificate_type(code: int) -> str:
    return names.registry_name(CertificateType(code))


def _compression(code: int) -> str:
    return names.registry_name(CertificateCompressionAlgorithm(code))


def _psk_mode(code: int) -> str:
    return listed(parameters.PSK_MODES, code)


def _heartbeat_mode(code: int) -> str:
    return listed(parameters.HEARTBEAT_MODES, code)


def _ekt_cipher(code: int) -> str:
    return listed(parameters.EKT_CIPHERS, code)


def _user_mapping(code: int) -> str:
    return listed(parameters.USER_MAPPING_TYPES, code)


def _authorization(code: int) -> str:
    return listed(parameters.AUTHORIZATION_FORMATS, code)


#: How the numbers of an extension are named, whether one was chosen or several are offered.
NAMES: dict[int, Callable[[int], str]] = {
    6: _user_mapping,
    7: _authorization,
    8: _authorization,
    9: _certificate_type,
    10: names.group_name,
    11: _point_format,
    13: names.scheme_name,
    15: _heartbeat_mode,
    19: _certificate_type,
    20: _certificate_type,
    27: _compression,
    34: names.scheme_name,
    39: _ekt_cipher,
    43: version_label,
    45: _psk_mode,
    50: names.scheme_name,
    64768: names.extension_name,
}
#: Extensions of which only a chosen number has a name: what is offered of them are records.
CHOSEN: dict[int, Callable[[int], str]] = {**NAMES, 40: names.group_name, 51: names.group_name}

#: Bytes that are worth seeing: they are short, and tell one from the other.
IDENTIFIERS = frozenset({53, 54, 55, 56, 65281})
#: Bytes of which only the length is worth telling.
OPAQUE = frozenset({35, 44, 17513, 17613, 51764, 65037, 65486})
