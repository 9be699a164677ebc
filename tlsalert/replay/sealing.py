"""Protecting records as a client sends them: the other half of :mod:`tlsalert.secrets.protection`.

TLS 1.3 (RFC 8446 §5.2), TLS 1.0 to 1.2 (RFC 5246 §6.2.3) and SSLv3 (RFC 6101 §5.2.3), with every cipher that is opened
there.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from tlsalert.secrets.aria import Aria
from tlsalert.secrets.gcm import Gcm
from tlsalert.secrets.protection import NO_OPTIONS, Options
from tlsalert.secrets.schedule import SSLV3, TLS10, DirectionKeys
from tlsalert.secrets.suites import Suite

#: Encrypts and authenticates: nonce, data, associated data → ciphertext with its tag.
Seal = Callable[[bytes, bytes, bytes], bytes]
#: Encrypts in CBC mode: IV and whole blocks.
Cbc = Callable[[bytes, bytes], bytes]

#: The version in the header of a TLS 1.3 record, RFC 8446 §5.1.
TLS12: Final = 0x0303
APPLICATION_DATA: Final = 23
_NAMES: Final = {"CAMELLIA": "Camellia", "3DES_EDE": "TripleDES", "DES": "TripleDES"}


def sealer_for(suite: Suite, version: int, keys: DirectionKeys, options: Options = NO_OPTIONS) -> Sealer:
    """Return what protects the records of one direction. Raises ValueError where a cipher cannot be had."""
    if not suite.readable or suite.mode == "draft-POLY1305":
        raise ValueError(f"{suite.name} is a cipher suite that cannot be spoken here")
    try:
        if suite.tls13:
            return Tls13Sealer(_aead(suite, bytes(keys.key)), keys, suite.tag_length)
        if suite.aead:
            return AeadSealer(_aead(suite, bytes(keys.key)), version, keys, suite, options)
        if suite.mode == "CBC":
            return CbcSealer(_cbc(suite.cipher, bytes(keys.key)), version, keys, suite, options)
        return StreamSealer(version, keys, suite, options)
    except UnsupportedAlgorithm:
        raise ValueError(f"{suite.cipher} is missing in the installed cryptography package") from None


class Sealer(ABC):
    """Protects the records of one direction, in their order; ``sequence`` is the number of the next one."""

    def __init__(self) -> None:
        self.sequence = 0

    @abstractmethod
    def seal(self, content_type: int, content: bytes) -> tuple[int, bytes]:
        """Return the outer content type and the fragment of the next record."""


class Tls13Sealer(Sealer):
    """TLS 1.3: the content type goes inside, RFC 8446 §5.2 and §5.3."""

    def __init__(self, encrypt: Seal, keys: DirectionKeys, tag: int) -> None:
        super().__init__()
        self._encrypt = encrypt
        self._iv, self._length = int.from_bytes(keys.iv, "big"), len(keys.iv)
        self._tag = tag

    def seal(self, content_type: int, content: bytes) -> tuple[int, bytes]:
        """Return the outer content type and the fragment of the next record."""
        header = _header(APPLICATION_DATA, TLS12, len(content) + 1 + self._tag)
        nonce = (self._iv ^ self.sequence).to_bytes(self._length, "big")
        self.sequence += 1
        return APPLICATION_DATA, self._encrypt(nonce, content + bytes((content_type,)), header)


class _OldSealer(Sealer):
    """What all ciphers up to TLS 1.2 share: the version, and compression before anything else (RFC 3749 §2)."""

    def __init__(self, version: int, options: Options) -> None:
        super().__init__()
        self._version = version
        self._deflater: Any = zlib.compressobj() if options.deflate else None

    def seal(self, content_type: int, content: bytes) -> tuple[int, bytes]:
        """Return the content type and the fragment of the next record."""
        if self._deflater is not None:
            content = self._deflater.compress(content) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
        fragment = self._seal(content_type, content)
        self.sequence += 1
        return content_type, fragment

    @abstractmethod
    def _seal(self, content_type: int, content: bytes) -> bytes: ...

    def _counted(self, content_type: int, length: int) -> bytes:
        return self.sequence.to_bytes(8, "big") + _header(content_type, self._version, length)


class AeadSealer(_OldSealer):
    """AEAD ciphers of TLS 1.2: with an explicit nonce (RFC 5288 §3), or without (RFC 7905 §2)."""

    def __init__(self, encrypt: Seal, version: int, keys: DirectionKeys, suite: Suite, options: Options) -> None:
        super().__init__(version, options)
        self._encrypt = encrypt
        self._iv, self._number = bytes(keys.iv), int.from_bytes(keys.iv, "big")
        self._explicit = suite.record_iv_length > 0

    def _seal(self, content_type: int, content: bytes) -> bytes:
        associated = self._counted(content_type, len(content))
        if not self._explicit:
            return self._encrypt((self._number ^ self.sequence).to_bytes(12, "big"), content, associated)
        explicit = self.sequence.to_bytes(8, "big")
        return explicit + self._encrypt(self._iv + explicit, content, associated)


class _MacSealer(_OldSealer):
    """What CBC and stream ciphers share: a MAC over sequence number, header and content."""

    def __init__(self, version: int, keys: DirectionKeys, suite: Suite, options: Options) -> None:
        super().__init__(version, options)
        self._key = bytes(keys.mac_key)
        self._name = suite.mac or ""
        self._size = 10 if options.truncated_mac else suite.mac_length

    def _mac(self, content_type: int, content: bytes) -> bytes:
        if not self._name:
            return b""
        if self._version != SSLV3:
            data = self._counted(content_type, len(content)) + content
            return hmac.digest(self._key, data, self._name)[: self._size]
        # RFC 6101 §5.2.3.1: HMAC's ancestor, without the version
        pads = 48 if self._name == "md5" else 40
        head = self.sequence.to_bytes(8, "big") + bytes((content_type,)) + len(content).to_bytes(2, "big")
        inner = _digest(self._name, self._key + b"\x36" * pads + head + content)
        return _digest(self._name, self._key + b"\x5c" * pads + inner)


class StreamSealer(_MacSealer):
    """RC4, and no cipher at all: RFC 5246 §6.2.3.1."""

    def __init__(self, version: int, keys: DirectionKeys, suite: Suite, options: Options) -> None:
        super().__init__(version, keys, suite, options)
        self._encrypt: Callable[[bytes], bytes] = bytes
        if suite.cipher == "RC4":
            self._encrypt = Cipher(decrepit.ARC4(bytes(keys.key)), None).encryptor().update

    def _seal(self, content_type: int, content: bytes) -> bytes:
        return self._encrypt(content + self._mac(content_type, content))


class CbcSealer(_MacSealer):
    """Block ciphers in CBC mode, RFC 5246 §6.2.3.2; with encrypt-then-MAC where it was agreed on (RFC 7366)."""

    def __init__(self, encrypt: Cbc, version: int, keys: DirectionKeys, suite: Suite, options: Options) -> None:
        super().__init__(version, keys, suite, options)
        self._encrypt = encrypt
        self._block = suite.block_length
        self._chained = version in (SSLV3, TLS10)
        self._iv = bytes(keys.iv)
        self._after = options.encrypt_then_mac

    def _seal(self, content_type: int, content: bytes) -> bytes:
        plain = content if self._after else content + self._mac(content_type, content)
        padding = self._block - 1 - len(plain) % self._block
        plain += bytes((padding,)) * (padding + 1)
        iv = self._iv if self._chained else os.urandom(self._block)
        sealed = self._encrypt(iv, plain)
        if self._chained:
            self._iv = sealed[-self._block :]
        else:
            sealed = iv + sealed
        return sealed + self._mac(content_type, sealed) if self._after else sealed


def _header(content_type: int, version: int, length: int) -> bytes:
    return bytes((content_type, version >> 8, version & 0xFF, length >> 8 & 0xFF, length & 0xFF))


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.new(name, data, usedforsecurity=False).digest()


def _algorithm(cipher: str, key: bytes) -> Any:
    name = _NAMES.get(cipher, cipher)
    made = getattr(decrepit, name, None) or getattr(algorithms, name, None)
    if made is None:
        raise UnsupportedAlgorithm(cipher)
    # DES is Triple DES with one key three times, NIST SP 800-67 §3.2.
    return made(key * 3 if cipher == "DES" else key)


def _aead(suite: Suite, key: bytes) -> Seal:
    if suite.mode == "POLY1305":
        return ChaCha20Poly1305(key).encrypt
    if suite.mode == "CCM":
        return AESCCM(key, tag_length=suite.tag_length).encrypt
    if suite.cipher == "AES":
        return AESGCM(key).encrypt
    if suite.cipher == "ARIA":
        return Gcm(Aria(key).encrypt).encrypt
    return Gcm(Cipher(_algorithm(suite.cipher, key), modes.ECB()).encryptor().update).encrypt  # noqa: S305, GCM's core


def _cbc(cipher: str, key: bytes) -> Cbc:
    if cipher == "ARIA":
        return Aria(key).encrypt_cbc
    algorithm = _algorithm(cipher, key)
    Cipher(algorithm, modes.CBC(bytes(algorithm.block_size // 8))).encryptor()  # raises here where it is missing

    def encrypted(iv: bytes, data: bytes) -> bytes:
        return Cipher(algorithm, modes.CBC(iv)).encryptor().update(data)

    return encrypted
