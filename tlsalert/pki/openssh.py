"""OpenSSH's keys: PROTOCOL.key of OpenSSH (private ones) and RFC 4253 §6.6 (public ones)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from tlsalert.pki.containers import Blob, Damage, Data
from tlsalert.pki.found import Found
from tlsalert.pki.keys import attempt, describe_public
from tlsalert.pki.objects import public_found
from tlsalert.secrets.secret import Secret

MAGIC: Final = b"openssh-key-v1\0"
#: A public key in a line of its own or of authorized_keys; the comment may be any text.
LINE: Final = re.compile(
    rb"(ssh-rsa|ssh-dss|ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)) "
    rb"(AAAA[A-Za-z0-9+/]{32,8192}={0,2})(?:[ \t]+([^\r\n]{1,200}))?"
)
#: Keys that are told of one file: a known_hosts of a large site has thousands.
MOST: Final = 10_000


def read_private(data: bytes, blob: Blob, offset: int) -> Iterator[Found | Damage]:
    """Yield a private key; its public part is in clear even where the rest is encrypted."""
    parts = _parts(data)
    if parts is None:
        yield Damage(blob.where, f"an OpenSSH private key at byte {offset} is damaged")
        return
    cipher, public = parts
    spki = public_info(public)
    yield Found(
        blob.where,
        "private_key",
        sha256(data).hexdigest(),
        None if spki is None else sha256(spki).hexdigest(),
        key=None if spki is None else describe_public(spki),
        encrypted=cipher != b"none",
        offset=offset,
        secret=Secret(data),
        mode=blob.mode,
    )


def read_public_lines(data: Data, blob: Blob) -> Iterator[Found | Damage]:
    """Yield the public keys in a text."""
    for number, match in enumerate(LINE.finditer(data)):
        if number == MOST:
            yield Damage(blob.where, f"more than {MOST} OpenSSH public keys: the rest is not told")
            return
        comment = match[3].decode("utf-8", "backslashreplace").strip() if match[3] else None
        try:
            spki = public_info(base64.b64decode(match[2], validate=True))
        except binascii.Error:
            continue
        if spki is not None:
            yield from public_found(spki, blob, match.start(), comment)


def public_info(public: bytes) -> bytes | None:
    """Return the SubjectPublicKeyInfo of a public key in the form of RFC 4253 §6.6; None where it does not load."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

    kind, _ = _string(public, 0)
    if kind is None or len(public) > 1 << 16:
        return None
    line = kind + b" " + base64.b64encode(public)
    form = PublicFormat.SubjectPublicKeyInfo
    found: bytes | None = attempt(lambda: load_ssh_public_key(line).public_bytes(Encoding.DER, form))
    return found


def _parts(data: bytes) -> tuple[bytes, bytes] | None:
    """Return the cipher's name and the public key."""
    if not data.startswith(MAGIC):
        return None
    cipher, at = _string(data, len(MAGIC))
    _, at = _string(data, at)
    _, at = _string(data, at)
    public, _ = _string(data, at + 4)
    return None if cipher is None or public is None else (cipher, public)


def _string(data: bytes, at: int) -> tuple[bytes | None, int]:
    if at + 4 > len(data):
        return None, len(data)
    stop = at + 4 + int.from_bytes(data[at : at + 4], "big")
    return (data[at + 4 : stop], stop) if stop <= len(data) else (None, len(data))
