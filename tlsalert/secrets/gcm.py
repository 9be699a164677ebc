"""Galois/Counter Mode over any 128-bit block cipher, NIST SP 800-38D: for ciphers that have no GCM of their own.

Where OpenSSL has the mode it is far faster; this is for handshakes and alerts, not for gigabytes.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

#: Encrypts whole blocks of 16 bytes, each by itself (ECB).
Blocks = Callable[[bytes], bytes]

_R: Final = 0xE1 << 120  # SP 800-38D §6.3: the polynomial, bits reflected


class Gcm:
    """GCM with a fixed key; ``blocks`` is the block cipher under that key."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._table = _table(int.from_bytes(blocks(bytes(16)), "big"))

    def decrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes | None:
        """Return the plaintext, or None where the tag (the last 16 bytes of ``data``) is not right."""
        ciphertext, tag = data[:-16], data[-16:]
        if len(data) < 16 or not hmac.compare_digest(self._tag(nonce, ciphertext, associated), tag):
            return None
        return self._count(nonce, ciphertext)

    def encrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
        """Return the ciphertext with its tag of 16 bytes."""
        ciphertext = self._count(nonce, data)
        return ciphertext + self._tag(nonce, ciphertext, associated)

    def _count(self, nonce: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt in counter mode; the block of counter 1 is the tag's."""
        count = -(-len(data) // 16)
        counters = b"".join(nonce + number.to_bytes(4, "big") for number in range(2, count + 2))
        stream = self._blocks(counters)[: len(data)] if count else b""
        return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")

    def _tag(self, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
        lengths = (8 * len(associated)).to_bytes(8, "big") + (8 * len(ciphertext)).to_bytes(8, "big")
        value = self._hash(_padded(associated) + _padded(ciphertext) + lengths)
        first = int.from_bytes(self._blocks(nonce + b"\0\0\0\1"), "big")
        return (value ^ first).to_bytes(16, "big")

    def _hash(self, data: bytes) -> int:
        """Return GHASH, SP 800-38D §6.4, a byte at a time."""
        value = 0
        table, reduced = self._table, _REDUCED
        for at in range(0, len(data), 16):
            block = value ^ int.from_bytes(data[at : at + 16], "big")
            value = 0
            for _ in range(16):  # from the last byte, whose powers of x are the highest
                value = (value >> 8) ^ reduced[value & 0xFF] ^ table[block & 0xFF]
                block >>= 8
        return value


def _table(key: int) -> list[int]:
    """Return the products of the hash key with each value of a block's first byte."""
    table = [0] * 256
    power = key
    for bit in (128, 64, 32, 16, 8, 4, 2, 1):
        table[bit] = power
        power = power >> 1 ^ (_R if power & 1 else 0)
    for value in range(256):
        low = value & -value
        if value != low:
            table[value] = table[value ^ low] ^ table[low]
    return table


def _reduction(byte: int) -> int:
    value = byte
    for _ in range(8):
        value = value >> 1 ^ (_R if value & 1 else 0)
    return value


#: What the eight bits that fall off the end come back as.
_REDUCED: Final = [_reduction(byte) for byte in range(256)]


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)
