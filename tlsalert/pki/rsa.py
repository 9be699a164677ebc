"""Whether an RSA key made a signature, RFC 8017: PKCS #1 v1.5 and PSS, with whatever hash and length of key was used.

To verify takes one power and a comparison, and no secret is involved. Written out here it also works for the keys that
libraries refuse today (512 bits, say), which old devices still have; for others a library is some five times as fast.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import md5, new, sha1
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.der import Element, children, element, first_of, parts

#: Beyond these a power takes too long, and a hostile capture could ask for many: nobody uses such keys.
LARGEST_MODULUS: Final = 8192
LARGEST_EXPONENT: Final = 64

#: The hashes by the content of their object identifiers: RFC 8017 §B.1, in the order of their strength.
HASH_OIDS: Final = {
    "md5": bytes.fromhex("2a864886f70d0205"),
    "sha1": bytes.fromhex("2b0e03021a"),
    "sha224": bytes.fromhex("608648016503040204"),
    "sha256": bytes.fromhex("608648016503040201"),
    "sha384": bytes.fromhex("608648016503040202"),
    "sha512": bytes.fromhex("608648016503040203"),
}
MD5_SHA1: Final = "md5+sha1"
HASHES: Final = {oid: name for name, oid in HASH_OIDS.items()}


class RsaKey:
    """A public key, RFC 8017 §3.1: ``modulus`` n and ``exponent`` e."""

    def __init__(self, modulus: int, exponent: int) -> None:
        self.modulus = modulus
        self.exponent = exponent
        self.bits = modulus.bit_length()
        self.bytes = (self.bits + 7) // 8

    @classmethod
    def read(cls, info: Element) -> RsaKey | None:
        """Return the key in a SubjectPublicKeyInfo; None where it is broken or too large to be used."""
        try:
            _, bits = parts(info, 2)
            numbers = parts(element(bits.data, bits.start + 1, bits.stop), 2)
        except DecodeError:
            return None
        modulus, exponent = (int.from_bytes(number.content, "big", signed=True) for number in numbers)
        if modulus < 3 or modulus.bit_length() > LARGEST_MODULUS or exponent < 3:
            return None
        return cls(modulus, exponent) if exponent.bit_length() <= LARGEST_EXPONENT else None

    def opened(self, signature: bytes) -> bytes | None:
        """Return the encoded message inside a signature, RFC 8017 §5.2.2 and §8.2.2; None where it fits no such key."""
        number = int.from_bytes(signature, "big")
        if len(signature) != self.bytes or number >= self.modulus:
            return None
        return _power(number, self.exponent, self.modulus).to_bytes(self.bytes, "big")


def signed_content(hash_name: str, data: bytes) -> tuple[bytes, ...]:
    """Return what a PKCS #1 v1.5 signature over ``data`` may hold.

    "md5+sha1" is TLS 1.0 and 1.1's pair, RFC 4346 §4.7. Else it is a DigestInfo, RFC 8017 §9.2: its parameters are
    NULL, and some signers leave them out (§A.2.4).
    """
    if hash_name == MD5_SHA1:
        return (md5(data, usedforsecurity=False).digest() + sha1(data, usedforsecurity=False).digest(),)
    digest = new(hash_name, data, usedforsecurity=False).digest()
    said = _tlv(0x06, HASH_OIDS[hash_name])
    return tuple(_tlv(0x30, _tlv(0x30, said + null) + _tlv(0x04, digest)) for null in (b"\x05\x00", b""))


def verify_pkcs1(key: RsaKey, hash_name: str, signature: bytes, data: bytes) -> bool:
    """Whether ``signature`` is the key's over ``data``, RFC 8017 §8.2.2."""
    opened = key.opened(signature)
    return opened is not None and any(
        opened == b"\x00\x01" + b"\xff" * (key.bytes - 3 - len(content)) + b"\x00" + content
        for content in signed_content(hash_name, data)
        if key.bytes >= len(content) + 11
    )


def padded(key: RsaKey, signature: bytes, size: int) -> bool:
    """Whether the key made a PKCS #1 v1.5 signature over anything, with a digest or DigestInfo of ``size`` bytes.

    What another key made opens as bytes without any form: the padding's eight bytes of FF and more are no accident.
    """
    opened = key.opened(signature)
    if opened is None or key.bytes < size + 11:
        return False
    return opened[: key.bytes - size] == b"\x00\x01" + b"\xff" * (key.bytes - 3 - size) + b"\x00"


def masked(key: RsaKey, hash_name: str, signature: bytes) -> bool:
    """Whether the key made a PSS signature over anything, with a salt as long as the hash (RFC 8446 §4.2.3)."""
    block = _unmasked(key, hash_name, hash_name, signature)
    size = new(hash_name, usedforsecurity=False).digest_size
    return block is not None and block[0][: -size - 1].strip(b"\0") == b"" and block[0][-size - 1 : -size] == b"\x01"


def verify_pss(key: RsaKey, hash_name: str, mask_hash: str, salt: int, signature: bytes, data: bytes) -> bool:
    """Whether it is a PSS signature with a salt of ``salt`` bytes, RFC 8017 §8.1.2 and §9.1.2."""
    unmasked = _unmasked(key, hash_name, mask_hash, signature)
    if unmasked is None:
        return False
    block, proof = unmasked
    begin = len(block) - salt - 1
    if begin < 0 or any(block[:begin]) or block[begin] != 1:
        return False
    digest = new(hash_name, data, usedforsecurity=False).digest()
    return new(hash_name, bytes(8) + digest + block[begin + 1 :], usedforsecurity=False).digest() == proof


def pss_parameters(algorithm: Element) -> tuple[str, str, int] | None:
    """Return hash, mask's hash and length of salt of an id-RSASSA-PSS identifier, RFC 4055 §3.1; None where unknown."""
    chosen: dict[int, Element] = {}
    try:
        inside = first_of(algorithm, 2)[1:]
        for part in children(inside[0]) if inside else ():
            chosen[part.tag] = parts(part, 1)[0]
        digest = _hash(chosen[0xA0]) if 0xA0 in chosen else "sha1"
        mask = _hash(parts(chosen[0xA1], 2)[1]) if 0xA1 in chosen else "sha1"
        salt = int.from_bytes(chosen[0xA2].content, "big", signed=True) if 0xA2 in chosen else 20
    except DecodeError:
        return None
    return (digest, mask, salt) if digest is not None and mask is not None and 0 <= salt <= 4096 else None


def _unmasked(key: RsaKey, hash_name: str, mask_hash: str, signature: bytes) -> tuple[bytes, bytes] | None:
    """Return the data block (padding, 01 and salt) and the hash inside a PSS signature, RFC 8017 §9.1.2 3 to 9."""
    opened = key.opened(signature)
    if opened is None:
        return None
    bits = key.bits - 1
    size = (bits + 7) // 8
    encoded = opened[-size:]
    cut = size - new(hash_name, usedforsecurity=False).digest_size - 1
    unused = 8 * size - bits
    if any(opened[:-size]) or cut < 1 or encoded[-1] != 0xBC or encoded[0] >> (8 - unused):
        return None
    proof = encoded[cut:-1]
    block = int.from_bytes(encoded[:cut], "big") ^ int.from_bytes(_mask(mask_hash, proof, cut), "big")
    return (block & (1 << (8 * cut - unused)) - 1).to_bytes(cut, "big"), proof


@lru_cache(maxsize=8)
def _power(number: int, exponent: int, modulus: int) -> int:
    """Return the power that a signature asks for: who finds that it does not verify asks next what else it may be."""
    return pow(number, exponent, modulus)


def _hash(algorithm: Element) -> str | None:
    return HASHES.get(parts(algorithm, 1)[0].content)


def _mask(hash_name: str, seed: bytes, size: int) -> bytes:
    """Return MGF1, RFC 8017 §B.2.1."""
    mask = b""
    counter = 0
    while len(mask) < size:
        mask += new(hash_name, seed + counter.to_bytes(4, "big"), usedforsecurity=False).digest()
        counter += 1
    return mask[:size]


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content
