"""JA3, JA3S and JA4 of a handshake's hellos, by their published definitions.

JA3 and JA3S: salesforce/ja3 (BSD-3-Clause). JA4: FoxIO-LLC/ja4, technical_details/JA4.md (BSD-3-Clause for JA4 itself).
"""

from __future__ import annotations

from hashlib import md5, sha256

from tlsalert.model import ClientHello, ServerHello
from tlsalert.registry.open import is_grease

JA4_VERSIONS = {
    0x0002: "s2",
    0x0300: "s3",
    0x0301: "10",
    0x0302: "11",
    0x0303: "12",
    0x0304: "13",
    0xFEFF: "d1",
    0xFEFD: "d2",
    0xFEFC: "d3",
}
ALPN = 16


def ja3(hello: ClientHello) -> str:
    """Return the JA3 fingerprint (MD5 in hex) of a ClientHello."""
    kinds = tuple([extension.type for extension in hello.extensions])
    numbers = (hello.cipher_suites, kinds, hello.groups, hello.point_formats)
    fields = [str(hello.legacy_version), *[_decimal(codes) for codes in numbers]]
    return md5(",".join(fields).encode(), usedforsecurity=False).hexdigest()


def ja3s(hello: ServerHello) -> str:
    """Return the JA3S fingerprint (MD5 in hex) of a ServerHello."""
    fields = (
        str(hello.legacy_version),
        str(hello.cipher_suite),
        "-".join(str(extension.type) for extension in hello.extensions),
    )
    return md5(",".join(fields).encode(), usedforsecurity=False).hexdigest()


def ja4(hello: ClientHello, transport: str = "t") -> str:
    """Return the JA4 fingerprint of a ClientHello; ``transport`` is "t" for TCP, "q" for QUIC, "d" for DTLS."""
    suites = [code for code in hello.cipher_suites if not is_grease(code)]
    kinds = [extension.type for extension in hello.extensions if not is_grease(extension.type)]
    versions = [version for version in hello.versions if not is_grease(version)]
    highest = min if transport == "d" else max  # DTLS counts its versions down, RFC 9147 §5.3
    version = JA4_VERSIONS.get(highest(versions, default=hello.legacy_version), "00")
    name = "d" if 0 in kinds else "i"
    head = f"{transport}{version}{name}{min(len(suites), 99):02}{min(len(kinds), 99):02}{_alpn(hello)}"
    return f"{head}_{_suites_hash(tuple(suites))}_{_extensions_hash(tuple(kinds), hello.signature_schemes)}"


def _suites_hash(suites: tuple[int, ...]) -> str:
    return _short(",".join(sorted([f"{code:04x}" for code in suites])))


def _extensions_hash(kinds: tuple[int, ...], offered: tuple[int, ...]) -> str:
    listed = ",".join(sorted([f"{kind:04x}" for kind in kinds if kind not in (0, 16)]))
    schemes = ",".join([f"{code:04x}" for code in offered if not is_grease(code)])
    return _short(f"{listed}_{schemes}" if schemes else listed)


def _decimal(codes: tuple[int, ...]) -> str:
    return "-".join([str(code) for code in codes if not is_grease(code)])


def _short(listed: str) -> str:
    return sha256(listed.encode()).hexdigest()[:12] if listed else "0" * 12


def _alpn(hello: ClientHello) -> str:
    """Return first and last character of the first ALPN value; where one is no letter or digit, of its hex form."""
    value = next((_first_protocol(extension.data) for extension in hello.extensions if extension.type == ALPN), b"")
    if not value:
        return "00"
    if _alphanumeric(value[0]) and _alphanumeric(value[-1]):
        return chr(value[0]) + chr(value[-1])
    coded = value.hex()
    return coded[0] + coded[-1]


def _first_protocol(data: bytes) -> bytes:
    """Return the first name of a protocol_name_list, RFC 7301 §3.1; empty where there is none."""
    return data[3 : 3 + data[2]] if len(data) > 3 and len(data) >= 3 + data[2] else b""


def _alphanumeric(byte: int) -> bool:
    return chr(byte).isascii() and chr(byte).isalnum()
