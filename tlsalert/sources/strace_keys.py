"""Which private key fits which certificate, among the files that a trace shows. Keys are not kept."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from msgspec import Struct

from tlsalert.errors import DecodeError
from tlsalert.model import Certificate
from tlsalert.pki import der
from tlsalert.pki.certificate import read_certificate
from tlsalert.sources.strace_files import Piece

_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{3,40})-----(.{16,100000}?)-----END \1-----", re.DOTALL)
_CERTIFICATES: Final = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"})
#: Files with certificates or keys that are remembered; certificates of one file.
MANY: Final = 200
IN_ONE: Final = 10


class _Chain(Struct, frozen=True):
    path: str
    line: int
    encoded: tuple[bytes, ...]
    key: bytes


class _Key(Struct, frozen=True):
    """A private key: only the hash of its public half, None where it cannot be opened, and where it lies."""

    path: str
    line: int
    public: bytes | None


class Keys:
    """Certificates and private keys that a traced program read or wrote."""

    def __init__(self) -> None:
        self._chains: dict[tuple[str, bytes], _Chain] = {}
        self._keys: dict[tuple[str, bytes | None], _Key] = {}

    def learn(self, pieces: Iterable[Piece]) -> None:
        """Take files: of private keys only the hash of their public half is kept."""
        for piece in pieces:
            encoded: list[bytes] = []
            for kind, text in _BLOCK.findall(piece.data):
                if kind in _CERTIFICATES and len(encoded) < IN_ONE:
                    encoded.extend(_decoded(text))
                elif kind.endswith(b"PRIVATE KEY"):
                    self._key(piece, b"-----BEGIN %s-----%s-----END %s-----\n" % (kind, text, kind))
            if not encoded and piece.data[:1] == b"\x30":
                if _public(piece.data) is not None:
                    encoded = [piece.data]
                else:
                    self._key(piece, piece.data)
            if encoded and (public := _public(encoded[0])) is not None and len(self._chains) < MANY:
                kept = _Chain(piece.path, piece.line, tuple(encoded), public)
                self._chains.setdefault((piece.path, sha256(encoded[0]).digest()), kept)

    def chain(self) -> tuple[Certificate, ...]:
        """Return the certificate whose private key was there too, and those behind it; nothing where several are."""
        found = {chain.encoded[0]: chain for chain in self._chains.values() if self._fitting(chain)}
        if len(found) != 1:
            return ()
        (chain,) = found.values()
        return tuple(read_certificate(encoded) for encoded in chain.encoded)

    def notes(self) -> list[str]:
        """Say which key fits which certificate, and which fits none."""
        said = []
        for encoded, public in {chain.encoded[0]: chain.key for chain in self._chains.values()}.items():
            keys = [key for key in self._keys.values() if key.public == public]
            if keys:
                where = _places([chain for chain in self._chains.values() if chain.encoded[0] == encoded])
                subject = read_certificate(encoded).subject
                said.append(f"the private key in {_places(keys)} fits the certificate in {where}: {subject}")
        certified = {chain.key for chain in self._chains.values()}
        lonely = [key for key in self._keys.values() if key.public is not None and key.public not in certified]
        if lonely and self._chains:
            said.append(f"the private key in {_places(lonely)} fits none of the certificates in this log")
        return said[:20]

    def _fitting(self, chain: _Chain) -> list[_Key]:
        return [key for key in self._keys.values() if key.public == chain.key]

    def _key(self, piece: Piece, encoded: bytes) -> None:
        public = _public_half(encoded)
        if len(self._keys) < MANY:
            self._keys.setdefault((piece.path, public), _Key(piece.path, piece.line, public))


def _decoded(text: bytes) -> list[bytes]:
    try:
        return [base64.b64decode(text)]
    except binascii.Error:
        return []


def _public(encoded: bytes) -> bytes | None:
    """Return the hash of a certificate's SubjectPublicKeyInfo, RFC 5280 §4.1; None where it is no certificate."""
    try:
        fields = list(der.children(der.first(der.element(encoded))))
        place = 6 if fields[0].tag == 0xA0 else 5
        info = fields[place]
        return sha256(info.whole).digest() if info.tag == der.SEQUENCE else None
    except (DecodeError, IndexError, ValueError):
        return None


def _public_half(encoded: bytes) -> bytes | None:
    """Return the hash of a private key's public half; None where it is encrypted, damaged or of no known kind."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_der_private_key,
        load_pem_private_key,
    )

    load = load_pem_private_key if encoded.startswith(b"-----") else load_der_private_key
    try:
        public = load(encoded, None).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return sha256(public).digest()


def _places(kept: Sequence[_Chain | _Key]) -> str:
    """Return where things lie: "client.key (line 3) and 2 other files"."""
    first = f"{_shown(kept[0].path)} (line {kept[0].line})"
    others = len({one.path for one in kept}) - 1
    return first if others < 1 else f"{first} and {others} other file{'s' if others > 1 else ''}"


def _shown(path: str) -> str:
    """Return a path that no terminal takes for orders."""
    return path if path.isprintable() else ascii(path)[1:-1]
