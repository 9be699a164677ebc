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
from tlsalert.pki.der import Element, children, element, first, oid
from tlsalert.pki.names import name_text

T = TypeVar("T")

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


@lru_cache(maxsize=4096)
def read_certificate(encoded: bytes) -> Certificate:
    """Return what the DER bytes of a certificate say; never raises: ``problems`` says what could not be read."""
    problems: list[str] = []
    digest = sha256(encoded).hexdigest()
    try:
        outer = element(encoded)
        if outer.stop != len(encoded):
            problems.append(f"{len(encoded) - outer.stop} bytes follow the certificate")
        parts = tuple(children(outer))
        fields = _fields(parts[0])
    except (DecodeError, IndexError) as error:
        return Certificate(encoded, digest, problems=(f"not a certificate: {error}",))
    read = _Reader(problems)
    subject = read("subject", lambda: name_text(fields.subject))
    issuer = read("issuer", lambda: name_text(fields.issuer))
    extensions = read("extensions", lambda: _extensions(fields.extensions)) or {}
    constraints = read("basicConstraints", lambda: _basic_constraints(extensions.get("2.5.29.19")))
    algorithm = read("signatureAlgorithm", lambda: _signature(fields.signature))
    outer_algorithm = read("signatureAlgorithm", lambda: _signature(parts[1]) if len(parts) > 1 else None)
    if outer_algorithm != algorithm:
        problems.append(f"the signature algorithm is {algorithm} inside and {outer_algorithm} outside")
    not_before = read("notBefore", lambda: _validity(fields.validity, 0))
    not_after = read("notAfter", lambda: _validity(fields.validity, 1))
    if not_before and not_after and not_after < not_before:
        problems.append("notAfter lies before notBefore")
    return Certificate(
        encoded,
        digest,
        subject,
        issuer,
        read("serialNumber", lambda: f"{int.from_bytes(fields.serial.content, 'big'):x}"),
        not_before,
        not_after,
        read("subjectPublicKeyInfo", lambda: _key(fields.key)),
        algorithm,
        read("subjectAltName", lambda: _alternative_names(extensions.get("2.5.29.17"))) or (),
        read("keyUsage", lambda: _key_usage(extensions.get("2.5.29.15"))) or (),
        read("extendedKeyUsage", lambda: _extended_usage(extensions.get("2.5.29.37"))) or (),
        _self_signed(fields, extensions),
        constraints,
        tuple(problems),
    )


class _Fields(NamedTuple):
    """The parts of a TBSCertificate, RFC 5280 §4.1."""

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
        except (DecodeError, IndexError, ValueError) as error:
            self.problems.append(f"{what}: {error}")
            return None


def _fields(certificate: Element) -> _Fields:
    parts = list(children(certificate))
    if parts and parts[0].tag == 0xA0:
        del parts[0]  # the version
    extensions = next((element(part.data, part.start, part.stop) for part in parts[6:] if part.tag == 0xA3), None)
    serial, signature, issuer, validity, subject, key = parts[:6] if len(parts) >= 6 else _too_short(certificate)
    return _Fields(serial, signature, issuer, validity, subject, key, extensions)


def _too_short(part: Element) -> list[Element]:
    raise DecodeError("a certificate has at least six fields", f"byte {part.begin}")


def _validity(validity: Element, place: int) -> datetime:
    return der.time(tuple(children(validity))[place])


def _signature(algorithm: Element) -> str:
    dotted = oid(first(algorithm))
    return oids.SIGNATURES.get(dotted, dotted)


def _key(info: Element) -> str:
    """Return kind and size of a SubjectPublicKeyInfo: "RSA 2048", "EC P-256", "Ed25519"."""
    algorithm, bits = tuple(children(info))[:2]
    parts = tuple(children(algorithm))
    dotted = oid(parts[0])
    if dotted in ("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"):
        modulus = first(element(bits.data, bits.start + 1, bits.stop))
        return f"RSA {int.from_bytes(modulus.content, 'big').bit_length()}"
    if dotted == "1.2.840.10045.2.1":
        curve = oid(parts[1]) if len(parts) > 1 and parts[1].tag == der.OID else "explicit parameters"
        return f"EC {oids.CURVES.get(curve, curve)}"
    if dotted == "1.2.840.10040.4.1" and len(parts) > 1:
        prime = first(parts[1])
        return f"DSA {int.from_bytes(prime.content, 'big').bit_length()}"
    return oids.KEYS.get(dotted, dotted)


def _extensions(extensions: Element | None) -> dict[str, Element]:
    """Return each extension's value by its dotted number; the first one counts where one stands twice."""
    found: dict[str, Element] = {}
    twice: list[str] = []
    for extension in children(extensions) if extensions else ():
        parts = tuple(children(extension))
        dotted = oid(parts[0])
        if dotted in found:
            twice.append(dotted)
        found.setdefault(dotted, parts[-1])
    if twice:
        raise DecodeError(f"extension {twice[0]} stands twice")
    return found


def _inner(value: Element) -> Element:
    return element(value.data, value.start, value.stop)


def _basic_constraints(value: Element | None) -> bool | None:
    if value is None:
        return None
    parts = tuple(children(_inner(value)))
    return bool(parts and parts[0].tag == der.BOOLEAN and parts[0].content != b"\0")


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
