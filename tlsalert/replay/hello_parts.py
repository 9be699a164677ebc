"""The parts of a ClientHello that a replay changes: key shares, a name, padding, and what a version lacks."""

from __future__ import annotations

import re
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.model import Extension
from tlsalert.registry.cipher_suites import cipher_suite_name
from tlsalert.registry.extensions import ExtensionType
from tlsalert.registry.groups import NamedGroup
from tlsalert.registry.open import is_grease
from tlsalert.replay.key_shares import can_share
from tlsalert.wire.cursor import Cursor

SSL3: Final = 0x0300
TLS10: Final = 0x0301
TLS12: Final = 0x0303
TLS13: Final = 0x0304

SERVER_NAME: Final = 0
SUPPORTED_GROUPS: Final = 10
SIGNATURE_ALGORITHMS: Final = 13
PADDING: Final = 21
EXTERN_PSK: Final = 33
SESSION_TICKET: Final = 35
OLD_KEY_SHARE: Final = 40  # before draft 23 of TLS 1.3
PRE_SHARED_KEY: Final = 41
EARLY_DATA: Final = 42
SUPPORTED_VERSIONS: Final = 43
COOKIE: Final = 44
PSK_MODES: Final = 45
KEY_SHARE: Final = 51
RENEGOTIATION_INFO: Final = 0xFF01

#: Groups that TLS 1.3 has (RFC 8446 §4.2.7, RFC 8734, RFC 10024): a key share is made of one where there was none.
GROUPS_OF_TLS13: Final = frozenset({23, 24, 25, 29, 30, 31, 32, 33, *range(256, 261), 513, 514, 4587, 4588, 4589})
#: TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 §3.3) and TLS_FALLBACK_SCSV (RFC 7507 §4).
RENEGOTIATION_SCSV: Final = 0x00FF
FALLBACK_SCSV: Final = 0x5600

#: Cipher suites of TLS 1.3: RFC 8446 §B.4, RFC 8998 §2, RFC 9150 §2, RFC 9367 §4.
SUITES_OF_TLS13: Final = frozenset({*range(0x1301, 0x1308), 0x00C6, 0x00C7, 0xC0B4, 0xC0B5, *range(0xC103, 0xC107)})
#: Suites whose names end so take their MAC and PRF from before TLS 1.2; authenticated encryption, SHA-256 and SHA-384
#: came with it (RFC 5246 §6.2.3.3, RFC 5289 §3).
_BEFORE_TLS12: Final = re.compile(r"_(SHA|MD5|NULL|IMIT)$")

#: Extensions that mean nothing before TLS 1.3: RFC 8446 §4.2, RFC 8773 §4, RFC 8879 §3, RFC 9001 §8.2, RFC 9149 §3,
#: RFC 9345 §4.1.1, RFC 9849 §5, draft-vvv-tls-alps §4.
EXTENSIONS_OF_TLS13: Final = frozenset(
    {27, 33, 34, 40, 41, 42, 44, 45, 46, 47, 48, 49, 51, 57, 58, 17513, 17613, 64768, 65037}
)
#: signature_algorithms and signature_algorithms_cert: not before TLS 1.2 (RFC 5246 §7.4.1.4.1).
EXTENSIONS_OF_TLS12: Final = frozenset({13, 50})


def has_suite(version: int, suite: int) -> bool:
    """Whether a protocol version has a cipher suite; GREASE, signalling values and unlisted ones count as had."""
    name = cipher_suite_name(suite)
    if suite in SUITES_OF_TLS13:
        return version >= TLS13
    if "_WITH_" not in name:
        return True
    if version >= TLS13:
        return False
    if version < TLS12 and not _BEFORE_TLS12.search(name):
        return False
    return version > SSL3 or "_ECDH" not in name  # RFC 4492 is for TLS alone


def has_extension(version: int, kind: int) -> bool:
    """Whether an extension means anything in a protocol version; SSLv3 has none (RFC 6101 §5.6.1.2)."""
    if version <= SSL3:
        return False
    if version < TLS12 and kind in EXTENSIONS_OF_TLS12:
        return False
    return version >= TLS13 or kind not in EXTENSIONS_OF_TLS13


def extension_name(kind: int) -> str:
    """Return an extension's name as the registry writes it: ``pre_shared_key(41)``."""
    return str(ExtensionType(kind))


def numbers(data: bytes) -> tuple[int, ...]:
    """Return bytes as numbers of two bytes each; an odd byte at the end is none."""
    return tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data) - 1, 2))


def read_shares(data: bytes) -> tuple[tuple[int, bytes], ...] | None:
    """Read a ClientHello's key_share, RFC 8446 §4.2.8: groups and shares; None where it breaks its grammar."""
    found: list[tuple[int, bytes]] = []
    try:
        cursor = Cursor(data, 0, len(data))
        shares = cursor.vector(2, "client_shares")
        cursor.done("key_share")
        while shares.left:
            group = shares.u16("group")
            found.append((group, shares.vector(2, "key_exchange").rest()))
    except DecodeError:
        return None
    return tuple(found)


def write_shares(shares: tuple[tuple[int, bytes], ...]) -> bytes:
    """Write a ClientHello's key_share."""
    return vector(2, b"".join(group.to_bytes(2, "big") + vector(2, share) for group, share in shares))


def with_shares(extensions: tuple[Extension, ...], lost: list[str]) -> tuple[Extension, ...]:
    """Return the extensions with only such key shares as can be made afresh."""
    for extension in extensions:
        if extension.type not in (KEY_SHARE, OLD_KEY_SHARE):
            continue
        entries = read_shares(extension.data)
        if entries is None:
            lost.append(f"{extension_name(extension.type)} breaks its grammar: it is sent as it was, with old shares")
            continue
        kept = [entry for entry in entries if is_grease(entry[0]) or can_share(entry[0])]
        if len(kept) == len(entries):
            continue
        names = ", ".join(str(NamedGroup(group)) for group, _ in entries if not any(group == one for one, _ in kept))
        lost.append(f"the key shares of groups that cannot be done are left out: {names}")
        if not any(not is_grease(group) for group, _ in kept):
            other = group_for_share(extensions)
            if other is not None:
                lost.append(f"a share of {NamedGroup(other)} stands in their place")
                kept.append((other, b""))
        extensions = put(extensions, Extension(extension.type, write_shares(tuple(kept))))
    return extensions


def group_for_share(extensions: tuple[Extension, ...]) -> int | None:
    """Return the first offered group of TLS 1.3 that a share can be made of."""
    data = next((one.data for one in extensions if one.type == SUPPORTED_GROUPS), b"")
    return next((group for group in numbers(data[2:]) if group in GROUPS_OF_TLS13 and can_share(group)), None)


def write_server_name(name: bytes) -> bytes:
    """Write a server_name_list of one host_name, RFC 6066 §3."""
    return vector(2, b"\0" + vector(2, name))


def narrowed_versions(data: bytes, version: int) -> bytes:
    """Return supported_versions (RFC 8446 §4.2.1) with one version, in its place, and the GREASE that was in it."""
    kept = [code for code in numbers(data[1:]) if code == version or is_grease(code)]
    if version not in kept:
        kept.append(version)
    return vector(1, b"".join(code.to_bytes(2, "big") for code in kept))


def put(extensions: tuple[Extension, ...], extension: Extension) -> tuple[Extension, ...]:
    """Return the extensions with one in the place of its type, or at the end (before padding, which ends a hello)."""
    if any(one.type == extension.type for one in extensions):
        return tuple(extension if one.type == extension.type else one for one in extensions)
    if extensions and extensions[-1].type == PADDING:
        return (*extensions[:-1], extension, extensions[-1])
    return (*extensions, extension)


def padded(extensions: tuple[Extension, ...], size: int, wanted: int) -> tuple[Extension, ...]:
    """Return the extensions with padding (RFC 7685) that makes a hello of ``size`` bytes one of ``wanted``, or near it.

    Where it had the right length already it stays as it is, zeros or not.
    """
    old = next((one.data for one in extensions if one.type == PADDING), None)
    if old is None or wanted <= 0 or size == wanted:
        return extensions
    return put(extensions, Extension(PADDING, bytes(max(0, len(old) + wanted - size))))


def write_extensions(extensions: tuple[Extension, ...]) -> bytes:
    """Write extensions one after the other, without the length before them."""
    return b"".join(one.type.to_bytes(2, "big") + vector(2, one.data) for one in extensions)


def vector(width: int, content: bytes) -> bytes:
    """Write a length of ``width`` bytes and what it counts, RFC 8446 §3.4. Raises :class:`OverflowError`."""
    return len(content).to_bytes(width, "big") + content


def records(message: bytes, version: int, lengths: tuple[int, ...]) -> tuple[bytes, ...]:
    """Cut a handshake message into records of these lengths (RFC 8446 §5.1); the last one takes what is left.

    A message that is longer than they are together takes more room in the last one, and further ones where that would
    hold more than 2^14 bytes.
    """
    parts: list[bytes] = []
    at = 0
    for length in lengths[:-1]:
        parts.append(message[at : at + length])
        at += length
    parts.extend(message[start : start + _LONGEST] for start in range(at, len(message), _LONGEST))
    return tuple(b"\x16" + version.to_bytes(2, "big") + vector(2, part) for part in parts if part)


_LONGEST: Final = 1 << 14
