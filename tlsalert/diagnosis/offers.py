"""What a client offered, and what the other side can be seen to want: in words, and as weights of causes.

What a server wants shows in what it chose for other clients of the same capture. It may take more than it was seen to
choose, so that nothing in common with that is likely, not certain.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from tlsalert.model import ClientHello, Position
from tlsalert.registry.cipher_suites import cipher_suite_name
from tlsalert.registry.groups import NamedGroup
from tlsalert.registry.open import is_grease
from tlsalert.registry.versions import draft_of, version_label

SUPPORTED_VERSIONS: Final = 43
TLS12: Final = 0x0303
TLS13: Final = 0x0304
#: Signalling values among the cipher suites: RFC 5746 §3.3, RFC 7507 §2.
RENEGOTIATION, FALLBACK = 0x00FF, 0x5600
#: More names than this are counted, not listed.
LISTED: Final = 3

#: What is shared with what was seen makes a cause so much less likely, what is not so much more.
SHARED, APART = 0.04, 8.0

#: Parts of the names of cipher suites that no server of today takes.
OBSOLETE: Final = ("EXPORT", "_NULL_", "_anon_", "RC4", "_DES_", "3DES", "RC2", "IDEA", "_MD5")


class Bounds(Struct, frozen=True):
    """Between which times a server's clock stood, by the dates of client certificates that it accepted, and where."""

    after: datetime
    after_position: Position
    before: datetime
    before_position: Position


class ServerSeen(Struct, frozen=True):
    """What a capture's other connections show of a server; each count is of connections.

    ``names`` are the server names with which handshakes succeeded (None: without a name). ``certificate`` is the frame
    in which the server accepted the very certificate that this connection's client sent; ``refuses_all`` counts the
    client certificates that it was shown where it refused every one of them, and is 0 elsewhere. ``bounds`` are
    those of its clock; ``issuers`` those of the certificates that it accepted, by name and key identifier.
    """

    connections: int = 0
    versions: tuple[tuple[int, int], ...] = ()
    cipher_suites: tuple[tuple[int, int], ...] = ()
    groups: tuple[tuple[int, int], ...] = ()
    names: frozenset[str | None] = frozenset()
    alpn: frozenset[str] = frozenset()
    certificate: int | None = None
    refuses_all: int = 0
    bounds: Bounds | None = None
    issuers: frozenset[tuple[str | None, str]] = frozenset()


# --- weights --------------------------------------------------------------------------------------------------------


def weigh(weights: dict[str, float], hello: ClientHello, seen: ServerSeen | None) -> None:
    """Weigh the causes of a refused hello by what the server chose for others."""
    suites = real_suites(hello)
    if suites and all(_obsolete(suite) for suite in suites):
        weights["no_shared_cipher_suite"] *= 4
    if seen is None or not seen.connections:
        return
    versions = {version for version, _ in seen.versions}
    common = any(offers_version(hello, version) for version in versions)
    weights["no_shared_version"] *= SHARED if common else 3 * APART
    chosen = {suite for suite, _ in seen.cipher_suites}
    weights["no_shared_cipher_suite"] *= SHARED if chosen & set(suites) else APART
    if hello.groups and seen.groups:
        weights["no_shared_group"] *= SHARED if {group for group, _ in seen.groups} & set(hello.groups) else APART
    weights["no_shared_signature_scheme"] *= _by_key(hello, seen)
    if hello.server_name in seen.names:
        weights["unrecognized_name"] *= SHARED
    else:
        weights["unrecognized_name"] *= APART if hello.server_name is None else 3
    if hello.alpn and seen.alpn:
        weights["no_application_protocol"] *= SHARED if seen.alpn & set(hello.alpn) else APART


def offers_version(hello: ClientHello, version: int) -> bool:
    """Whether a hello lets the server choose a version: it is listed, or the client says no more than its newest."""
    if _lists_versions(hello):
        return version in hello.versions
    return version <= hello.legacy_version


def real_suites(hello: ClientHello) -> tuple[int, ...]:
    """Return the cipher suites that can be chosen, without GREASE and signals."""
    return tuple(s for s in hello.cipher_suites if s not in (RENEGOTIATION, FALLBACK) and not is_grease(s))


def _by_key(hello: ClientHello, seen: ServerSeen) -> float:
    """Ask whether the client can verify signatures of the server's kind of key, RFC 8446 §4.2.3."""
    kinds = {kind for suite, _ in seen.cipher_suites if (kind := _key_kind(suite)) is not None}
    if len(kinds) != 1 or not hello.signature_schemes:
        return 1.0
    (kind,) = kinds
    return SHARED if any(_scheme_kind(scheme) == kind for scheme in hello.signature_schemes) else APART


def _key_kind(suite: int) -> str | None:
    """Return the kind of key that signs in a cipher suite up to TLS 1.2."""
    name = cipher_suite_name(suite)
    return "ecdsa" if "_ECDSA_" in name else "rsa" if "_RSA_" in name else None


def _scheme_kind(scheme: int) -> str | None:
    """Return the kind of key of a signature scheme, RFC 8446 §4.2.3."""
    if scheme in (0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B) or (scheme >> 8 <= 6 and scheme & 0xFF == 1):
        return "rsa"
    return "ecdsa" if scheme >> 8 <= 6 and scheme & 0xFF == 3 else None


def _obsolete(suite: int) -> bool:
    name = cipher_suite_name(suite)
    return any(part in name for part in OBSOLETE)


# --- words ----------------------------------------------------------------------------------------------------------


def offered(hello: ClientHello, cause: str) -> str | None:
    """Say what the client offered of that which the cause is about; None where that is nothing to speak of."""
    if cause in ("no_shared_version", "inappropriate_fallback"):
        return f"the client offers {versions_offered(hello)}"
    if cause == "no_shared_cipher_suite":
        suites = real_suites(hello)
        old = ", all of them obsolete" if suites and all(_obsolete(suite) for suite in suites) else ""
        return f"the client offers {_several('cipher suite', [cipher_suite_name(s) for s in suites])}{old}"
    if cause == "no_shared_group":
        groups = [group_name(group) for group in hello.groups if not is_grease(group)]
        return f"the client offers {_several('group', groups)}"
    if cause == "no_shared_signature_scheme" and hello.signature_schemes:
        kinds = sorted(
            {kind.upper() for scheme in hello.signature_schemes if (kind := _scheme_kind(scheme)) is not None}
        )
        return f"the client's signature schemes are for {_some(kinds) or 'other'} keys"
    if cause == "unrecognized_name":
        name = repr(hello.server_name) if hello.server_name else "no name"
        return f"the client asks for {name} (SNI)"
    if cause == "no_application_protocol":
        return f"the client offers {_several('application protocol', list(hello.alpn))} (ALPN)"
    return None


def chosen_for_others(seen: ServerSeen | None, cause: str) -> str | None:
    """Say what the server was seen to want of that which the cause is about."""
    if seen is None or not seen.connections:
        return None
    if cause in ("no_shared_version", "inappropriate_fallback"):
        return _chose([(version_label(version), many) for version, many in seen.versions])
    if cause == "no_shared_cipher_suite":
        return _chose([(cipher_suite_name(suite), many) for suite, many in seen.cipher_suites])
    if cause == "no_shared_group" and seen.groups:
        return _chose([(group_name(group), many) for group, many in seen.groups])
    if cause == "no_shared_signature_scheme":
        kinds = sorted({kind.upper() for suite, _ in seen.cipher_suites if (kind := _key_kind(suite)) is not None})
        return f"this server has shown {_some(kinds)} keys to other connections" if kinds else None
    if cause == "unrecognized_name":
        names = sorted("no name" if name is None else repr(name) for name in seen.names)
        return f"with other connections to this server it went on with {_some(names)}"
    if cause == "no_application_protocol" and seen.alpn:
        return f"this server chose {_some(sorted(seen.alpn))} with other connections"
    return None


def versions_offered(hello: ClientHello) -> str:
    """Return the versions of a hello: "TLS 1.0 only", "TLS 1.3 and TLS 1.2", or "at most TLS 1.2"."""
    if not _lists_versions(hello):
        return f"at most {version_label(hello.legacy_version)}"
    listed = sorted({v for v in hello.versions if not is_grease(v)}, key=_age, reverse=True)
    names = [version_label(version) for version in listed]
    return f"{names[0]} only" if len(names) == 1 else _some(names, most=5) if names else "no version that is known"


def group_name(code: int) -> str:
    """Return a group by its name, or its number where it has none."""
    group = NamedGroup(code)
    return group.name if group.name in NamedGroup.__members__ else str(group)


def _lists_versions(hello: ClientHello) -> bool:
    listed = any(extension.type == SUPPORTED_VERSIONS for extension in hello.extensions)
    return listed or hello.versions not in ((), (hello.legacy_version,))


def _age(version: int) -> int:
    return TLS13 if draft_of(version) is not None else version


def _chose(counted: list[tuple[str, int]]) -> str:
    """Say what was chosen how often: "this server chose TLS 1.2 with 3 other connections"."""
    parts = [f"{name} with {many} other connection{'s' if many != 1 else ''}" for name, many in counted[:LISTED]]
    return f"this server chose {_some(parts)}"


def _several(what: str, names: list[str]) -> str:
    """Return a few names, or how many there are: "the cipher suite X only", "12 cipher suites"."""
    if not names:
        return f"no {what}"
    if len(names) == 1:
        return f"the {what} {names[0]} only"
    if len(names) <= LISTED:
        return f"the {what}s {_some(names)}"
    return f"{len(names)} {what}s ({', '.join(names[:2])} …)"


def _some(names: Iterable[str], most: int = LISTED) -> str:
    listed = list(names)
    if len(listed) > most:
        return ", ".join(listed[:most]) + f" and {len(listed) - most} more"
    return " and ".join([", ".join(listed[:-1]), listed[-1]]) if len(listed) > 1 else "".join(listed)
