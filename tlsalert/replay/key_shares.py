"""Key shares: what a client sends of a group, and the secret that the peer's answer makes of it.

The curves of RFC 8446 §4.2.8.2 (and those of RFC 7027 and RFC 8734), the finite fields of RFC 7919, and ML-KEM alone or
beside a curve (X25519MLKEM768 and its kin) where the installed ``cryptography`` has it. GREASE, Kyber's drafts and what
else is offered cannot be done: :func:`make_share` says so with None.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tlsalert.registry.groups import NamedGroup

#: Where random bytes come from: so many of them.
Bytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class KeyShare:
    """One share: its ``group`` (IANA's number) and the ``public`` bytes that are sent."""

    group: int
    public: bytes
    _agree: Callable[[bytes], bytes] = field(repr=False, compare=False)

    def shared(self, peer: bytes) -> bytes:
        """Return the secret that the ``peer``'s share makes, as TLS 1.3's key schedule takes it (RFC 8446 §7.4).

        Raises :class:`ValueError` where that share is none of this group's: another length, no point of the curve, a
        number out of range (RFC 8446 §4.2.8.1), or one that makes the secret zero (RFC 7748 §6).
        """
        return self._agree(peer)


def make_share(group: int, random: Random | None = None) -> KeyShare | None:
    """Return a fresh share of a group, or None where it cannot be done here.

    With ``random`` the share is the one that its state makes: the same again in a test, and no secret to anybody.
    """
    source = os.urandom if random is None else random.randbytes
    try:
        return _make(group, source)
    except UnsupportedAlgorithm:  # OpenSSL was built without it
        return None


def can_share(group: int) -> bool:
    """Whether :func:`make_share` makes a share of this group."""
    if group in _FINITE:
        return True
    return group in (_X25519, _X448, *_CURVES, *_KEMS, *_HYBRIDS) and _supported(group)


_X25519, _X448 = int(NamedGroup.x25519), int(NamedGroup.x448)

_CURVES: dict[int, Callable[[], ec.EllipticCurve]] = {
    NamedGroup.secp224r1: ec.SECP224R1,
    NamedGroup.secp256k1: ec.SECP256K1,
    NamedGroup.secp256r1: ec.SECP256R1,
    NamedGroup.secp384r1: ec.SECP384R1,
    NamedGroup.secp521r1: ec.SECP521R1,
    NamedGroup.brainpoolP256r1: ec.BrainpoolP256R1,
    NamedGroup.brainpoolP384r1: ec.BrainpoolP384R1,
    NamedGroup.brainpoolP512r1: ec.BrainpoolP512R1,
    NamedGroup.brainpoolP256r1tls13: ec.BrainpoolP256R1,
    NamedGroup.brainpoolP384r1tls13: ec.BrainpoolP384R1,
    NamedGroup.brainpoolP512r1tls13: ec.BrainpoolP512R1,
}

#: The groups of RFC 7919 App. A: bits of the prime, the number in its formula, and bits of an exponent (§5.2 there).
_FINITE = {
    NamedGroup.ffdhe2048: (2048, 560316, 225),
    NamedGroup.ffdhe3072: (3072, 2625351, 275),
    NamedGroup.ffdhe4096: (4096, 5736041, 325),
    NamedGroup.ffdhe6144: (6144, 15705020, 375),
    NamedGroup.ffdhe8192: (8192, 10965728, 400),
}

#: A curve beside ML-KEM: the curve, ML-KEM's size, and whether ML-KEM's half stands first (RFC 10024 §3).
_HYBRIDS = {
    NamedGroup.SecP256r1MLKEM768: (int(NamedGroup.secp256r1), 768, False),
    NamedGroup.X25519MLKEM768: (_X25519, 768, True),
    NamedGroup.SecP384r1MLKEM1024: (int(NamedGroup.secp384r1), 1024, False),
}

#: ML-KEM alone, draft-ietf-tls-mlkem.
_KEMS = {NamedGroup.MLKEM768: 768, NamedGroup.MLKEM1024: 1024}

#: Lengths of ML-KEM's ciphertexts, FIPS 203 table 3.
_CIPHERTEXT = {768: 1088, 1024: 1568}


@cache
def _supported(group: int) -> bool:
    return make_share(group, Random(0)) is not None  # noqa: S311 - nobody sees it


def _make(group: int, source: Bytes) -> KeyShare | None:
    if group == _X25519:
        return _x25519(source)
    if group == _X448:
        return _x448(source)
    if group in _CURVES:
        return _curve(group, _CURVES[group](), source)
    if group in _FINITE:
        return _finite(group, source)
    if group in _KEMS:
        return _kem_alone(group, source)
    return _hybrid(group, source) if group in _HYBRIDS else None


def _x25519(source: Bytes) -> KeyShare:
    key = X25519PrivateKey.from_private_bytes(source(32))
    public = key.public_key().public_bytes_raw()
    return KeyShare(_X25519, public, lambda peer: key.exchange(X25519PublicKey.from_public_bytes(peer)))


def _x448(source: Bytes) -> KeyShare:
    key = X448PrivateKey.from_private_bytes(source(56))
    public = key.public_key().public_bytes_raw()
    return KeyShare(_X448, public, lambda peer: key.exchange(X448PublicKey.from_public_bytes(peer)))


def _curve(group: int, curve: ec.EllipticCurve, source: Bytes) -> KeyShare:
    # 64 bits more than the curve has make the remainder even enough; one bit less than its order is never too large
    secret = int.from_bytes(source(curve.key_size // 8 + 8), "big") % (1 << (curve.key_size - 1)) + 1
    key = ec.derive_private_key(secret, curve)
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def agree(peer: bytes) -> bytes:
        if len(peer) != len(public):  # compressed points are not for TLS 1.3, RFC 8446 §4.2.8.2
            raise ValueError(f"a share of {NamedGroup(group)} has {len(public)} bytes, not {len(peer)}")
        return key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, peer))

    return KeyShare(group, public, agree)


def _finite(group: int, source: Bytes) -> KeyShare:
    bits, _, exponent_bits = _FINITE[NamedGroup(group)]
    prime, size = finite_field_prime(group), bits // 8
    secret = int.from_bytes(source((exponent_bits + 7) // 8), "big") | 1 << (exponent_bits - 1)

    def agree(peer: bytes) -> bytes:
        value = int.from_bytes(peer, "big")
        if len(peer) != size or not 1 < value < prime - 1:
            raise ValueError(f"a share of {NamedGroup(group)} is a number of {size} bytes between 1 and p - 1")
        return pow(value, secret, prime).to_bytes(size, "big")

    return KeyShare(group, pow(2, secret, prime).to_bytes(size, "big"), agree)


@cache
def finite_field_prime(group: int) -> int:
    """Return the prime of a group of RFC 7919; its generator is 2. Raises :class:`KeyError` for any other group.

    2^b - 2^(b-64) + (floor(2^(b-130) * e) + X) * 2^64 - 1, where e is the base of the natural logarithm (App. A there).
    """
    bits, x, _ = _FINITE[NamedGroup(group)]
    guard = 64  # bits beyond those that are asked for, so that the rounding of the terms does not reach them
    term = total = 1 << (bits - 130 + guard)
    divisor = 0
    while term:
        divisor += 1
        term //= divisor
        total += term
    return int((1 << bits) - (1 << (bits - 64)) + (((total >> guard) + x) << 64) - 1)


def _kem_alone(group: int, source: Bytes) -> KeyShare | None:
    size = _KEMS[NamedGroup(group)]
    kem = _kem(size, source)
    if kem is None:
        return None

    def agree(peer: bytes) -> bytes:
        if len(peer) != _CIPHERTEXT[size]:
            raise ValueError(f"a server's share of {NamedGroup(group)} has {_CIPHERTEXT[size]} bytes, not {len(peer)}")
        return bytes(kem.decapsulate(peer))

    return KeyShare(group, bytes(kem.public_key().public_bytes_raw()), agree)


def _hybrid(group: int, source: Bytes) -> KeyShare | None:
    curve, size, kem_first = _HYBRIDS[NamedGroup(group)]
    kem = _kem(size, source)
    half = _make(curve, source)
    if kem is None or half is None:
        return None
    other = half

    def agree(peer: bytes) -> bytes:
        length = _CIPHERTEXT[size]
        if len(peer) != length + len(other.public):
            wanted = length + len(other.public)
            raise ValueError(f"a server's share of {NamedGroup(group)} has {wanted} bytes, not {len(peer)}")
        if kem_first:
            return bytes(kem.decapsulate(peer[:length])) + other.shared(peer[length:])
        at = len(other.public)
        return other.shared(peer[:at]) + bytes(kem.decapsulate(peer[at:]))

    key = bytes(kem.public_key().public_bytes_raw())
    return KeyShare(group, key + other.public if kem_first else other.public + key, agree)


def _kem(size: int, source: Bytes) -> Any:
    """Return an ML-KEM private key (FIPS 203), or None where ``cryptography`` is too old to have it."""
    try:
        from cryptography.hazmat.primitives.asymmetric import mlkem
    except ImportError:
        return None
    kind = mlkem.MLKEM768PrivateKey if size == 768 else mlkem.MLKEM1024PrivateKey
    return kind.from_seed_bytes(source(64))
