"""A certificate's facts, RFC 5280, field by field: one that is broken still says what it can.

A strict parser refuses a whole certificate for one bad field; here that field is what matters, so each
is read by itself and what fails is told in ``problems``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from typing import NamedTuple, TypeVar

from tlsalert.errors import DecodeError
from tlsalert.model import Certificate
from tlsalert.pki import der, oids
from tlsalert.pki.der import Element, children, element, first, first_of, oid, parts
from tlsalert.pki.names import name_text

T = TypeVar("T")

#: Longer certificates are read anew each time: a hostile capture must not fill the memory with them.
REMEMBERED_BYTES = 8192

#: Bytes of a serial number, RFC 5280 §4.1.2.2.
LONGEST_SERIAL = 20
#: Fields of a TBSCertificate, RFC 5280 §4.1: one more than it can have.
MOST_FIELDS = 11

KEY_USAGES = (
    "digitalSignature",
    "contentCommitment",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)


def read_certificate(encoded: bytes) -> Certificate:
    """Return what the DER bytes of a certificate say; never raises: ``problems`` says what could not be read."""
    return _remembered(encoded) if len(encoded) <= REMEMBERED_BYTES else _read(encoded)


@lru_cache(maxsize=4096)
def _remembered(encoded: bytes) -> Certificate:
    """Read a certificate once: a capture shows the same few again and again."""
    return _read(encoded)


def _read(encoded: bytes) -> Certificate:
    problems: list[str] = []
    digest = sha256(encoded).hexdigest()
    try:
        outer = element(encoded)
        if outer.stop != len(encoded):
            problems.append(f"{len(encoded) - outer.stop} bytes follow the certificate")
        certificate, *rest = first_of(outer, 2)
        fields = _fields(certificate)
    except (DecodeError, ValueError) as error:
        if not isinstance(error, DecodeError):
            error = DecodeError("it is empty")
        return Certificate(encoded, digest, problems=(f"not a certificate: {error}",))
    read = _Reader(problems)
    subject = read("subject", lambda: name_text(fields.subject))
    issuer = read("issuer", lambda: name_text(fields.issuer))
    extensions = read("extensions", lambda: _extensions(fields.extensions, problems)) or {}
    constraints = read("basicConstraints", lambda: _basic_constraints(extensions.get("2.5.29.19")))
    ca, path_length = constraints or (None, None)
    permitted, excluded = read("nameConstraints", lambda: _name_constraints(extensions.get("2.5.29.30"))) or ((), ())
    algorithm = read("signatureAlgorithm", lambda: _signature(fields.signature))
    outer_algorithm = read("signatureAlgorithm", lambda: _signature(rest[0]) if rest else None)
    if outer_algorithm != algorithm:
        problems.append(f"the signature algorithm is {algorithm} inside and {outer_algorithm} outside")
    not_before = read("notBefore", lambda: _validity(fields.validity, 0, problems))
    not_after = read("notAfter", lambda: _validity(fields.validity, 1, problems))
    if not_before and not_after and not_after < not_before:
        problems.append("notAfter lies before notBefore")
    version = read("version", lambda: _version(fields, problems))
    return Certificate(
        encoded,
        digest,
        subject,
        issuer,
        read("serialNumber", lambda: _serial(fields.serial, problems)),
        not_before,
        not_after,
        read("subjectPublicKeyInfo", lambda: key_text(fields.key)),
        algorithm,
        read("subjectAltName", lambda: _alternative_names(extensions.get("2.5.29.17"))) or (),
        read("keyUsage", lambda: _key_usage(extensions.get("2.5.29.15"))) or (),
        read("extendedKeyUsage", lambda: _extended_usage(extensions.get("2.5.29.37"))) or (),
        _self_signed(fields, extensions),
        ca,
        tuple(problems),
        version,
        path_length,
        read("extensions", lambda: _unknown_critical(fields.extensions)) or (),
        read("subjectKeyIdentifier", lambda: _own_identifier(extensions.get("2.5.29.14"))),
        read("authorityKeyIdentifier", lambda: _issuer_identifier(extensions.get("2.5.29.35"))),
        permitted,
        excluded,
    )


class _Fields(NamedTuple):
    """The parts of a TBSCertificate, RFC 5280 §4.1."""

    version: Element | None
    serial: Element
    signature: Element
    issuer: Element
    validity: Element
    subject: Element
    key: Element
    extensions: Element | None


class _Reader:
    """Reads one field at a time; a field that breaks becomes a problem and None."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems

    def __call__(self, what: str, how: Callable[[], T]) -> T | None:
        try:
            return how()
        except (DecodeError, ValueError) as error:
            self.problems.append(f"{what}: {error}")
            return None


def _fields(certificate: Element) -> _Fields:
    found = first_of(certificate, MOST_FIELDS)
    version = found.pop(0) if found and found[0].tag == 0xA0 else None
    if len(found) < 6:
        raise DecodeError(f"it has {len(found)} of 6 fields")
    serial, signature, issuer, validity, subject, key = found[:6]
    extensions = next((part for part in found[6:] if part.tag == 0xA3), None)
    return _Fields(version, serial, signature, issuer, validity, subject, key, extensions)


def _version(fields: _Fields, problems: list[str]) -> int:
    """Return 1 to 3, RFC 5280 §4.1.2.1; what other numbers say is kept and told."""
    number = 1 if fields.version is None else int.from_bytes(first(fields.version).content, "big") + 1
    if number > 3:
        problems.append(f"its version is {number}")
    elif number < 3 and fields.extensions is not None:
        problems.append(f"it has extensions, but its version is {number}")
    return number


def _serial(serial: Element, problems: list[str]) -> str:
    """Return a serial number in hexadecimal; RFC 5280 §4.1.2.2 wants it positive, and of at most 20 bytes."""
    number = int.from_bytes(serial.content, "big", signed=True)
    if number < 0:
        problems.append("the serial number is negative")
    elif number == 0:
        problems.append("the serial number is zero")
    elif len(serial.content) > LONGEST_SERIAL + 1 or number.bit_length() > 8 * LONGEST_SERIAL:
        problems.append(f"the serial number has {len(serial.content)} bytes")
    return f"{number:x}"


def _validity(validity: Element, place: int, problems: list[str]) -> datetime:
    """Return one end of the validity; RFC 5280 §4.1.2.5 wants seconds in both forms of time."""
    said = parts(validity, place + 1)[place]
    found = der.time(said)
    digits = said.content.split(b"Z")[0].split(b"+")[0].split(b"-")[0]
    if len(digits) == (10 if said.tag == der.UTC_TIME else 12):
        problems.append(f"{('notBefore', 'notAfter')[place]}: it has no seconds")
    return found


def _signature(algorithm: Element) -> str:
    dotted = oid(first(algorithm))
    return oids.SIGNATURES.get(dotted, dotted)


def key_text(info: Element) -> str:
    """Return kind and size of a SubjectPublicKeyInfo: "RSA 2048", "EC P-256", "Ed25519"."""
    algorithm, bits = parts(info, 2)
    kind = oid(first(algorithm))
    parameters = first_of(algorithm, 2)[1:]
    if kind in ("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"):
        modulus = first(element(bits.data, bits.start + 1, bits.stop))
        return f"RSA {int.from_bytes(modulus.content, 'big').bit_length()}"
    if kind == "1.2.840.10045.2.1":
        named = bool(parameters) and parameters[0].tag == der.OID
        curve = oid(parameters[0]) if named else "explicit parameters"
        return f"EC {oids.CURVES.get(curve, curve)}"
    if kind == "1.2.840.10040.4.1" and parameters:
        return f"DSA {int.from_bytes(first(parameters[0]).content, 'big').bit_length()}"
    return oids.KEYS.get(kind, kind)


def _extensions(wrapper: Element | None, problems: list[str]) -> dict[str, Element]:
    """Return each extension's value by its dotted number; the first one counts where one stands twice."""
    found: dict[str, Element] = {}
    for extension in children(_inner(wrapper)) if wrapper else ():
        inside = first_of(extension, 3)  # extnID, critical where it is true, extnValue
        if len(inside) < 2:
            problems.append(f"extensions: one without a value at byte {extension.begin}")
            continue
        dotted = oid(inside[0])
        if dotted in found:
            problems.append(f"extension {dotted} stands twice")
        found.setdefault(dotted, inside[-1])
    return found


def _inner(value: Element) -> Element:
    return element(value.data, value.start, value.stop)


def _basic_constraints(value: Element | None) -> tuple[bool, int | None] | None:
    """Return whether it is a CA, and how many CAs may stand between it and a leaf, RFC 5280 §4.2.1.9."""
    if value is None:
        return None
    inside = first_of(_inner(value), 2)
    authority = bool(inside and inside[0].tag == der.BOOLEAN and inside[0].content != b"\0")
    longest = [int.from_bytes(part.content, "big") for part in inside if part.tag == der.INTEGER]
    return authority, longest[0] if longest else None


def _name_constraints(value: Element | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names that a CA may issue for, and those that it may not, RFC 5280 §4.2.1.10."""
    trees: dict[int, tuple[str, ...]] = {}
    for part in children(_inner(value)) if value is not None else ():
        trees[part.tag] = tuple(_general_name(first(tree)) for tree in children(part))
    return trees.get(0xA0, ()), trees.get(0xA1, ())


def _unknown_critical(wrapper: Element | None) -> tuple[str, ...]:
    """Return the critical extensions that path validation does not know; whoever meets one must refuse (§4.2)."""
    inside = (first_of(extension, 4) for extension in children(_inner(wrapper))) if wrapper else ()
    return tuple(
        dotted
        for extension in inside
        if len(extension) == 3
        and extension[1].tag == der.BOOLEAN
        and extension[1].content != b"\0"
        and (dotted := oid(extension[0])) not in oids.PROCESSED
    )


def _own_identifier(value: Element | None) -> str | None:
    return None if value is None else _inner(value).content.hex()


def _issuer_identifier(value: Element | None) -> str | None:
    """Return the key identifier in an authorityKeyIdentifier, RFC 5280 §4.2.1.1, where it has one."""
    if value is None:
        return None
    return next((part.content.hex() for part in children(_inner(value)) if part.tag == 0x80), None)


def _key_usage(value: Element | None) -> tuple[str, ...]:
    if value is None:
        return ()
    content = _inner(value).content[1:]
    return tuple(
        name for bit, name in enumerate(KEY_USAGES) if bit // 8 < len(content) and content[bit // 8] & 0x80 >> bit % 8
    )


def _extended_usage(value: Element | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(oids.USAGES.get(dotted, dotted) for dotted in map(oid, children(_inner(value))))


def _alternative_names(value: Element | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(_general_name(name) for name in children(_inner(value)))


def _general_name(name: Element) -> str:
    """Return a GeneralName, RFC 5280 §4.2.1.6, with its kind before it."""
    kind = name.tag & 0x1F
    if kind in (1, 2, 6):
        return {1: "email:", 2: "DNS:", 6: "URI:"}[kind] + name.content.decode("utf-8", "backslashreplace")
    if kind == 7 and len(name.content) in (4, 16):
        return f"IP:{ip_address(name.content)}"
    if kind == 7 and len(name.content) in (8, 32):  # in name constraints: an address and its mask
        half = len(name.content) // 2
        return f"IP:{ip_address(name.content[:half])}/{ip_address(name.content[half:])}"
    if kind == 4:
        return "dirName:" + name_text(_inner(name))
    if kind == 8:
        return "RID:" + oid(name)
    return f"otherName:{name.content.hex()}"


def _self_signed(fields: _Fields, extensions: dict[str, Element]) -> bool:
    """Whether it names itself as its issuer, and its key identifiers (where it has them) agree, RFC 5280 §4.2.1.1."""
    if fields.subject.content != fields.issuer.content:
        return False
    own, issuer = extensions.get("2.5.29.14"), extensions.get("2.5.29.35")
    if own is None or issuer is None:
        return True
    try:
        identifiers = [part.content for part in children(_inner(issuer)) if part.tag == 0x80]
        return not identifiers or identifiers[0] == _inner(own).content
    except DecodeError:
        return True
