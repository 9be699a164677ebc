"""The block cipher ARIA, RFC 5794, which few libraries offer to Python.

Each step of a round is exclusive-or of sixteen table entries: substitution and diffusion are linear after the
S-boxes, so a byte at its place gives one 128-bit number, whatever the other bytes are.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

_FULL: Final = (1 << 128) - 1

#: The constants of the key schedule, RFC 5794 §2.2: the fractional part of 1/π.
_C: Final = (
    0x517CC1B727220A94FE13ABE8FA9A6EE0,
    0x6DB14ACC9E21C820FF28B1D5EF5DE2B0,
    0xDB92371D2126E9700324977504E8C90E,
)

#: The diffusion layer A, RFC 5794 §2.4.3: the bytes whose sum is each byte of the result.
_A: Final = (
    (3, 4, 6, 8, 9, 13, 14),
    (2, 5, 7, 8, 9, 12, 15),
    (1, 4, 6, 10, 11, 12, 15),
    (0, 5, 7, 10, 11, 13, 14),
    (0, 2, 5, 8, 11, 14, 15),
    (1, 3, 4, 9, 10, 14, 15),
    (0, 2, 7, 9, 10, 12, 13),
    (1, 3, 6, 8, 11, 12, 13),
    (0, 1, 4, 7, 10, 13, 15),
    (0, 1, 5, 6, 11, 12, 14),
    (2, 3, 5, 6, 8, 13, 15),
    (2, 3, 4, 7, 9, 12, 14),
    (1, 2, 6, 7, 9, 11, 12),
    (0, 3, 6, 7, 8, 10, 13),
    (0, 3, 4, 5, 9, 11, 14),
    (1, 2, 4, 5, 8, 10, 15),
)

#: The matrices of the two S-boxes, a row for each bit of the result from the lowest, RFC 5794 §2.4.2.
_ROWS_1: Final = (0xF1, 0xE3, 0xC7, 0x8F, 0x1F, 0x3E, 0x7C, 0xF8)
_ROWS_2: Final = (0x7A, 0xBC, 0xEB, 0xB9, 0x34, 0x81, 0xBA, 0xCB)


class Aria:
    """ARIA with one key of 16, 24 or 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._encrypting = _schedule(key)

    def encrypt(self, blocks: bytes) -> bytes:
        """Encrypt whole blocks of 16 bytes, each by itself."""
        return self._each(blocks, self._encrypting)

    def decrypt(self, blocks: bytes) -> bytes:
        """Decrypt whole blocks of 16 bytes, each by itself: the same rounds with other keys, RFC 5794 §2.2."""
        return self._each(blocks, _reversed(self._encrypting))

    def decrypt_cbc(self, iv: bytes, blocks: bytes) -> bytes:
        """Decrypt in CBC mode."""
        before = int.from_bytes((iv + blocks)[: len(blocks)], "big")
        return (int.from_bytes(self.decrypt(blocks), "big") ^ before).to_bytes(len(blocks), "big")

    def encrypt_cbc(self, iv: bytes, blocks: bytes) -> bytes:
        """Encrypt in CBC mode."""
        out, before = b"", int.from_bytes(iv, "big")
        for at in range(0, len(blocks), 16):
            block = int.from_bytes(blocks[at : at + 16], "big") ^ before
            out += self.encrypt(block.to_bytes(16, "big"))
            before = int.from_bytes(out[-16:], "big")
        return out

    @staticmethod
    def _each(blocks: bytes, keys: tuple[int, ...]) -> bytes:
        odd, even = _tables()
        last = _substitutions()[1]
        out = bytearray()
        for at in range(0, len(blocks), 16):
            state = int.from_bytes(blocks[at : at + 16], "big")
            for turn, key in enumerate(keys[:-2]):
                tables = even if turn & 1 else odd
                mixed = 0
                for table, byte in zip(tables, (state ^ key).to_bytes(16, "big"), strict=True):
                    mixed ^= table[byte]
                state = mixed
            final = (state ^ keys[-2]).to_bytes(16, "big")
            mixed = int.from_bytes(bytes(last[place & 3][byte] for place, byte in enumerate(final)), "big")
            out += (mixed ^ keys[-1]).to_bytes(16, "big")
        return bytes(out)


def _schedule(key: bytes) -> tuple[int, ...]:
    """Return the round keys, RFC 5794 §2.2."""
    first = {16: 0, 24: 1, 32: 2}[len(key)]
    constants = [_C[(first + number) % 3] for number in range(3)]
    odd, even = _tables()
    left = int.from_bytes(key[:16], "big")
    right = int.from_bytes(key[16:].ljust(16, b"\0"), "big")
    w = [left]
    w.append(_layer(w[0] ^ constants[0], odd) ^ right)
    w.append(_layer(w[1] ^ constants[1], even) ^ w[0])
    w.append(_layer(w[2] ^ constants[2], odd) ^ w[1])
    keys = [
        w[number % 4] ^ _rotated(w[(number + 1) % 4], turn)
        for turn, count in ((19, 4), (31, 4), (128 - 61, 4), (128 - 31, 4), (128 - 19, 1))
        for number in range(count)
    ]
    return tuple(keys[: {16: 13, 24: 15, 32: 17}[len(key)]])


@lru_cache(maxsize=256)
def _reversed(keys: tuple[int, ...]) -> tuple[int, ...]:
    """Return the round keys for decryption: in reverse, those in the middle through the diffusion layer."""
    return (keys[-1], *(_diffused(key) for key in keys[-2:0:-1]), keys[0])


def _rotated(value: int, right: int) -> int:
    return (value >> right | value << (128 - right)) & _FULL


def _layer(value: int, tables: list[list[int]]) -> int:
    mixed = 0
    for table, byte in zip(tables, value.to_bytes(16, "big"), strict=True):
        mixed ^= table[byte]
    return mixed


def _diffused(value: int) -> int:
    data = value.to_bytes(16, "big")
    out = 0
    for places in _A:
        byte = 0
        for place in places:
            byte ^= data[place]
        out = out << 8 | byte
    return out


@cache
def _tables() -> tuple[list[list[int]], list[list[int]]]:
    """Return, for the odd rounds and the even ones, what each byte at each place comes to."""
    spread = [_diffused(1 << 8 * (15 - place)) for place in range(16)]
    odd, even = (
        [[spread[place] * boxes[place & 3][byte] for byte in range(256)] for place in range(16)]
        for boxes in _substitutions()
    )
    return odd, even


@cache
def _substitutions() -> tuple[tuple[bytes, bytes, bytes, bytes], tuple[bytes, bytes, bytes, bytes]]:
    """Return the S-boxes of the two kinds of substitution layer, RFC 5794 §2.4.2.

    The first is that of AES (FIPS 197 §5.1.1); the second an affine map of the 247th power.
    """
    one = bytes(_affine(_power(value, 254), _ROWS_1, 0x63) for value in range(256))
    two = bytes(_affine(_power(value, 247), _ROWS_2, 0xE2) for value in range(256))
    one_back, two_back = (bytes(box.index(value) for value in range(256)) for box in (one, two))
    return (one, two, one_back, two_back), (one_back, two_back, one, two)


def _affine(value: int, rows: tuple[int, ...], constant: int) -> int:
    return sum(((rows[bit] & value).bit_count() & 1) << bit for bit in range(8)) ^ constant


def _power(value: int, exponent: int) -> int:
    """Return a power in GF(2^8) with AES's polynomial."""
    result = 1
    for _ in range(exponent):
        result = _times(result, value)
    return result


def _times(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product
