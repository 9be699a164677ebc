"""Protects records as a sender does: the other half of what tlsalert.secrets.protection opens, written on its own."""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from tlsalert.model import Side
from tlsalert.secrets.aria import Aria
from tlsalert.secrets.direction import Record
from tlsalert.secrets.gcm import Gcm
from tlsalert.secrets.protection import NO_OPTIONS, Options
from tlsalert.secrets.schedule import SSLV3, TLS10, DirectionKeys, traffic_keys
from tlsalert.secrets.suites import Suite

Sealing = Callable[[bytes, bytes, bytes], bytes]


def algorithm(cipher: str, key: bytes) -> Any:
    name = {"CAMELLIA": "Camellia", "3DES_EDE": "TripleDES", "DES": "TripleDES"}.get(cipher, cipher)
    made = getattr(decrepit, name, None) or getattr(algorithms, name)
    return made(key * 3 if cipher == "DES" else key)


def aead(suite: Suite, key: bytes) -> Sealing:
    if suite.mode == "POLY1305":
        return ChaCha20Poly1305(key).encrypt
    if suite.mode == "CCM":
        return AESCCM(key, tag_length=suite.tag_length).encrypt
    if suite.cipher == "AES":
        return AESGCM(key).encrypt
    if suite.cipher == "SM4":

        def sm4(nonce: bytes, data: bytes, associated: bytes) -> bytes:
            encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
            encryptor.authenticate_additional_data(associated)
            return encryptor.update(data) + encryptor.finalize() + encryptor.tag

        return sm4
    if suite.cipher == "ARIA":
        return Gcm(Aria(key).encrypt).encrypt
    return Gcm(Cipher(algorithm(suite.cipher, key), modes.ECB()).encryptor().update).encrypt


class Sealer:
    """One direction's sender up to TLS 1.2."""

    def __init__(self, suite: Suite, version: int, keys: DirectionKeys, options: Options = NO_OPTIONS) -> None:
        self.suite, self.version, self.keys, self.options = suite, version, keys, options
        self.sequence = 0
        self.iv = bytes(keys.iv)
        self.rc4 = Cipher(decrepit.ARC4(bytes(keys.key)), None).encryptor() if suite.cipher == "RC4" else None
        self.deflater = zlib.compressobj() if options.deflate else None

    def seal(self, content_type: int, content: bytes, padding: int = 0) -> bytes:
        """Return the fragment of the next record; ``padding`` counts whole blocks more than are needed."""
        if self.deflater is not None:
            content = self.deflater.compress(content) + self.deflater.flush(zlib.Z_SYNC_FLUSH)
        fragment = (
            self._aead(content_type, content) if self.suite.aead else self._mac_then(content_type, content, padding)
        )
        self.sequence += 1
        return fragment

    def _head(self, content_type: int, length: int) -> bytes:
        number = self.sequence.to_bytes(8, "big")
        return number + bytes((content_type,)) + self.version.to_bytes(2, "big") + length.to_bytes(2, "big")

    def _aead(self, content_type: int, content: bytes) -> bytes:
        encrypt = aead(self.suite, bytes(self.keys.key))
        explicit = hashlib.sha256(self.sequence.to_bytes(8, "big")).digest()[: self.suite.record_iv_length]
        nonce = self.iv + explicit if explicit else xor(self.iv, self.sequence.to_bytes(12, "big"))
        return explicit + encrypt(nonce, content, self._head(content_type, len(content)))

    def _mac(self, content_type: int, content: bytes) -> bytes:
        name, key = self.suite.mac, bytes(self.keys.mac_key)
        if name is None:
            return b""
        if self.version == SSLV3:
            pads = {"md5": 48, "sha1": 40}[name]
            head = self.sequence.to_bytes(8, "big") + bytes((content_type,)) + len(content).to_bytes(2, "big")
            inner = hashlib.new(name, key + b"6" * pads + head + content).digest()
            return hashlib.new(name, key + b"\\" * pads + inner).digest()
        made = hmac.digest(key, self._head(content_type, len(content)) + content, name)
        return made[:10] if self.options.truncated_mac else made

    def _mac_then(self, content_type: int, content: bytes, padding: int) -> bytes:
        after = self.options.encrypt_then_mac and self.suite.mode == "CBC"
        plain = content if after else content + self._mac(content_type, content)
        if self.rc4 is not None:
            return self.rc4.update(plain)
        if self.suite.cipher == "NULL":
            return plain
        block = self.suite.block_length
        size = block - len(plain) % block + padding * block
        plain += bytes((size - 1,)) * size
        iv = (
            self.iv
            if self.version in (SSLV3, TLS10)
            else hashlib.sha256(self.iv + bytes((self.sequence,))).digest()[:block]
        )
        if self.suite.cipher == "ARIA":
            sealed = Aria(bytes(self.keys.key)).encrypt_cbc(iv, plain)
        else:
            sealed = Cipher(algorithm(self.suite.cipher, bytes(self.keys.key)), modes.CBC(iv)).encryptor().update(plain)
        if self.version in (SSLV3, TLS10):
            self.iv = sealed[-block:]
        else:
            sealed = iv + sealed
        return sealed + self._mac(content_type, sealed) if after else sealed


class Sealer13:
    """One direction's sender in TLS 1.3, under one traffic secret."""

    def __init__(self, suite: Suite, secret: bytes) -> None:
        keys = traffic_keys(secret, suite)
        self.encrypt, self.iv = aead(suite, bytes(keys.key)), bytes(keys.iv)
        self.tag = suite.tag_length
        self.sequence = 0

    def seal(self, content_type: int, content: bytes, padding: int = 0) -> bytes:
        """Return the fragment of the next record."""
        inner = content + bytes((content_type,)) + bytes(padding)
        header = b"\x17\x03\x03" + (len(inner) + self.tag).to_bytes(2, "big")
        nonce = xor(self.iv, self.sequence.to_bytes(len(self.iv), "big"))
        self.sequence += 1
        return self.encrypt(nonce, inner, header)

    def record(self, side: Side, content_type: int, content: bytes, frame: int = 0, padding: int = 0) -> Record:
        """Return the next record."""
        fragment = self.seal(content_type, content, padding)
        return Record(side, 23, 0x0303, len(fragment), fragment, frame)


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(a, b, strict=True))
