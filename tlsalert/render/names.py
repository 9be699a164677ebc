"""IANA's names for the numbers of a connection, remembered where that saves time and kept bounded.

A listed number becomes its name; any other keeps its number readable: "unlisted(200)", "GREASE(0x0A0A)".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from tlsalert.model import Alert
from tlsalert.registry.cipher_suites import CipherSuite, Sslv2CipherKind, cipher_suite_name
from tlsalert.registry.compression import CompressionMethod
from tlsalert.registry.extensions import ExtensionType
from tlsalert.registry.groups import NamedGroup
from tlsalert.registry.open import Registry, is_grease
from tlsalert.registry.signature_schemes import SignatureScheme
from tlsalert.registry.versions import version_label

#: Lists longer than any honest hello's are named anew each time, or one stranger could fill the memory.
REMEMBERED_LENGTH = 256

#: Elliptic curve point formats, RFC 8422 §5.1.2.
POINT_FORMATS = {0: "uncompressed", 1: "ansiX962_compressed_prime", 2: "ansiX962_compressed_char2"}


def registry_name(member: Registry) -> str:
    """Return the bare name of a listed code, name and number of any other."""
    name: str = member._name_
    return str(member) if name in ("unlisted", "GREASE", "private_use") else name


@lru_cache(4096)
def suite_name(code: int) -> str:
    """Return a cipher suite's name; SSLv2's kinds are those over 0xFFFF, RFC 5246 App. E.2."""
    if code > 0xFFFF:
        return registry_name(Sslv2CipherKind(code))
    return str(CipherSuite(code)) if is_grease(code) else cipher_suite_name(code)


@lru_cache(4096)
def extension_name(code: int) -> str:
    """Return an extension's name."""
    return registry_name(ExtensionType(code))


@lru_cache(4096)
def group_name(code: int) -> str:
    """Return a group's name."""
    return registry_name(NamedGroup(code))


@lru_cache(4096)
def scheme_name(code: int) -> str:
    """Return a signature scheme's name."""
    return registry_name(SignatureScheme(code))


def suites(codes: tuple[int, ...]) -> list[str]:
    """Return the names of cipher suites, in their order."""
    return _all(suite_name, codes)


def groups(codes: tuple[int, ...]) -> list[str]:
    """Return the names of groups, in their order."""
    return _all(group_name, codes)


def schemes(codes: tuple[int, ...]) -> list[str]:
    """Return the names of signature schemes, in their order."""
    return _all(scheme_name, codes)


def versions(codes: tuple[int, ...]) -> list[str]:
    """Return the versions as people write them: "TLS 1.2"."""
    return _all(version_label, codes)


def compression_methods(codes: tuple[int, ...]) -> list[str]:
    """Return the names of compression methods."""
    return _all(compression_name, codes)


def point_formats(codes: tuple[int, ...]) -> list[str]:
    """Return the names of point formats, RFC 8422 §5.1.2."""
    return [POINT_FORMATS.get(code) or f"unlisted({code})" for code in codes]


@lru_cache(256)
def compression_name(code: int) -> str:
    """Return a compression method's name."""
    return registry_name(CompressionMethod(code))


def alert_name(alert: Alert) -> str | None:
    """Return what the alert says, without its number where that is listed; None where it was not read."""
    return None if alert.description is None else registry_name(alert.description)


def alert_level(alert: Alert) -> str | None:
    """Return "warning", "fatal" or the number of another level; None where it was not read."""
    return None if alert.level is None else registry_name(alert.level)


def alert_words(alert: Alert) -> str:
    """Return the alert as people say it: "fatal bad_certificate (42)", "encrypted (fatal, by its shape)"."""
    if alert.description is None:
        shape = (alert.inferred or "").removesuffix(" alert")
        return f"encrypted ({shape}, by its shape)" if shape else "encrypted"
    level = alert_level(alert)
    name = alert.description._name_
    said = f"{name} ({int(alert.description)})"
    return said if level is None else f"{level} {said}"


def deciding_alert(alerts: tuple[Alert, ...]) -> Alert | None:
    """Return the alert that ended the connection: the first fatal one, else the last that was no goodbye."""
    for alert in alerts:
        if alert.fatal:
            return alert
    for alert in reversed(alerts):
        if alert.code != 0 and alert.inferred != "close_notify":
            return alert
    return None


def _all(name: Callable[[int], str], codes: tuple[int, ...]) -> list[str]:
    """Return the names of all codes, remembered for lists of an honest length."""
    if len(codes) > REMEMBERED_LENGTH:
        return [name(code) for code in codes]
    return list(_remembered(name, codes))


@lru_cache(1024)
def _remembered(name: Callable[[int], str], codes: tuple[int, ...]) -> tuple[str, ...]:
    return tuple([name(code) for code in codes])
