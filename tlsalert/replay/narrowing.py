"""A ClientHello narrowed to one protocol version: what the version lacks goes, what it cannot do without comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar

from tlsalert.model import Extension
from tlsalert.registry.open import is_grease
from tlsalert.registry.versions import version_label
from tlsalert.replay.hello_parts import (
    FALLBACK_SCSV,
    KEY_SHARE,
    OLD_KEY_SHARE,
    PSK_MODES,
    RENEGOTIATION_INFO,
    RENEGOTIATION_SCSV,
    SIGNATURE_ALGORITHMS,
    SSL3,
    SUITES_OF_TLS13,
    SUPPORTED_GROUPS,
    SUPPORTED_VERSIONS,
    TLS12,
    TLS13,
    extension_name,
    group_for_share,
    has_extension,
    has_suite,
    narrowed_versions,
    numbers,
    put,
    vector,
    write_shares,
)
from tlsalert.replay.offer import Offer
from tlsalert.replay.profiles import PROFILES, Profile

Offered = TypeVar("Offered", bound=Offer)

#: Whose parts a hello gets where it has none of a version's own.
_MODERN: Final = "openssl-3.0"
_OLD: Final = "openssl-1.0.2"
#: RSA-PSS, with keys for RSA and for RSA-PSS.
_PSS: Final = frozenset({0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B})


def narrowed(hello: Offered, code: int, label: str) -> Offered:
    """Return a hello that offers one version alone, of which ``label`` is the name; ``lost`` says what changed.

    What the client offers at its highest version it keeps there, suites of lower ones too: so JA3 and JA4 stay.
    """
    lost = list(hello.lost)
    offered = [version for version in hello.versions if SSL3 <= version <= TLS13]
    drafts = [version for version in hello.versions if version >> 8 in (0x7F, 0xFB)]
    highest = TLS13 if drafts else max(offered, default=min(hello.legacy_version, TLS13))
    unsure = code not in offered or hello.extension(SUPPORTED_VERSIONS) is None  # a draft, or nothing that says 1.3
    if code not in offered and not (hello.extension(SUPPORTED_VERSIONS) is None and code < highest):
        lost.append(f"the client does not offer {label}" + (", only a draft of it" if drafts and code == TLS13 else ""))
    if code < highest:
        hello = _lowered(hello, code, label, lost)
    if code > highest or (code == TLS13 and unsure):
        hello = _raised(hello, code, label, lost)
    versions = hello.extension(SUPPORTED_VERSIONS)
    extensions = hello.extensions
    if versions is not None:
        extensions = put(extensions, Extension(SUPPORTED_VERSIONS, narrowed_versions(versions, code)))
        if extensions != hello.extensions:
            lost.append(f"supported_versions(43) offers {label} alone")
    legacy = min(code, TLS12)
    if hello.legacy_version != legacy:
        lost.append(f"legacy_version is {version_label(legacy)}, not {version_label(hello.legacy_version)}")
    record_version = min(hello.record_version, max(legacy, SSL3))
    if record_version != hello.record_version:
        lost.append(f"its records have the version of {version_label(record_version)}")
    return replace(hello, legacy_version=legacy, extensions=extensions, record_version=record_version, lost=tuple(lost))


def _lowered(hello: Offered, code: int, label: str, lost: list[str]) -> Offered:
    """Take out what a lower version lacks."""
    suites = tuple(suite for suite in hello.cipher_suites if has_suite(code, suite) and suite != FALLBACK_SCSV)
    extensions = tuple(one for one in hello.extensions if has_extension(code, one.type))
    if code <= SSL3 and RENEGOTIATION_SCSV not in suites and hello.extension(RENEGOTIATION_INFO) is not None:
        suites = (*suites, RENEGOTIATION_SCSV)
        lost.append("TLS_EMPTY_RENEGOTIATION_INFO_SCSV stands in the place of renegotiation_info(65281)")
    gone = len(set(hello.cipher_suites) - set(suites))
    if gone:
        lost.append(f"{gone} cipher suites that {label} lacks are left out")
    if len(extensions) < len(hello.extensions):
        names = ", ".join(extension_name(one.type) for one in hello.extensions if one not in extensions)
        lost.append(f"extensions that {label} lacks are left out: {names}")
    if not any(_usable(suite) for suite in suites):
        more = tuple(suite for suite in PROFILES[_OLD].cipher_suites if has_suite(code, suite))
        lost.append(f"the client has no cipher suite for {label}: it gets the {len(more)} of the profile {_OLD}")
        suites = (*more, *(suite for suite in suites if suite not in more))
    return replace(hello, cipher_suites=suites, extensions=extensions, bare=hello.bare or code <= SSL3)


def _usable(suite: int) -> bool:
    return not is_grease(suite) and suite not in (RENEGOTIATION_SCSV, FALLBACK_SCSV)


def _raised(hello: Offered, code: int, label: str, lost: list[str]) -> Offered:
    """Add what a higher version cannot do without, from a profile."""
    modern = PROFILES[_MODERN]
    suites, extensions, added = hello.cipher_suites, hello.extensions, list[str]()
    if FALLBACK_SCSV in suites:
        suites = tuple(suite for suite in suites if suite != FALLBACK_SCSV)
        lost.append("TLS_FALLBACK_SCSV is left out: this is no fallback")
    if code == TLS13:
        if not any(suite in SUITES_OF_TLS13 for suite in suites):
            suites = (*(suite for suite in modern.cipher_suites if suite in SUITES_OF_TLS13), *suites)
            added.append("cipher suites")
        if hello.compression_methods != (0,):
            lost.append("compression_methods is null alone, as TLS 1.3 demands")
        extensions = _raised_extensions(extensions, modern, added)
        hello = replace(hello, compression_methods=(0,), session_id_length=max(hello.session_id_length, 32))
    elif code == TLS12 and hello.extension(SIGNATURE_ALGORITHMS) is None:
        # without it a server must take SHA-1 for granted (RFC 5246 §7.4.1.4.1), which many refuse today
        extensions = put(extensions, _of(modern, SIGNATURE_ALGORITHMS))
        added.append(extension_name(SIGNATURE_ALGORITHMS))
    if added:
        lost.append(f"it gets what {label} needs from the profile {_MODERN}: {', '.join(added)}")
    return replace(hello, cipher_suites=suites, extensions=extensions)


def _raised_extensions(extensions: tuple[Extension, ...], modern: Profile, added: list[str]) -> tuple[Extension, ...]:
    """Add the extensions without which TLS 1.3 does not begin, RFC 8446 §9.2."""
    extensions = tuple(Extension(KEY_SHARE if one.type == OLD_KEY_SHARE else one.type, one.data) for one in extensions)
    has = {one.type for one in extensions}
    if SUPPORTED_GROUPS not in has or group_for_share(extensions) is None:
        extensions = put(extensions, _of(modern, SUPPORTED_GROUPS))
        added.append(extension_name(SUPPORTED_GROUPS))
    for kind in (SIGNATURE_ALGORITHMS, SUPPORTED_VERSIONS, PSK_MODES, KEY_SHARE):
        if kind == SIGNATURE_ALGORITHMS and kind in has:
            extensions = _with_schemes(extensions, _of(modern, kind).data, added)
        elif kind not in has:
            extension = _of(modern, kind)
            if kind == SUPPORTED_VERSIONS:
                extension = Extension(kind, narrowed_versions(b"", TLS13))
            elif kind == KEY_SHARE:
                group = group_for_share(extensions)
                extension = Extension(kind, write_shares(() if group is None else ((group, b""),)))
            extensions = put(extensions, extension)
            added.append(extension_name(kind))
    return extensions


def _with_schemes(extensions: tuple[Extension, ...], modern: bytes, added: list[str]) -> tuple[Extension, ...]:
    """Add RSA-PSS where it is missing: TLS 1.3 takes no other RSA (RFC 8446 §4.2.3)."""
    old = next(one.data for one in extensions if one.type == SIGNATURE_ALGORITHMS)
    if any(scheme in _PSS for scheme in numbers(old[2:])):
        return extensions
    more = b"".join(scheme.to_bytes(2, "big") for scheme in numbers(modern[2:]) if scheme in _PSS)
    added.append("RSA-PSS in " + extension_name(SIGNATURE_ALGORITHMS))
    return put(extensions, Extension(SIGNATURE_ALGORITHMS, vector(2, old[2:] + more)))


def _of(profile: Profile, kind: int) -> Extension:
    return next(one for one in profile.extensions if one.type == kind)
