"""The client's half of the key exchanges up to TLS 1.2: RSA, Diffie-Hellman and elliptic curves.

Sizes that libraries refuse today are welcome (512 bits, export keys): the other side is an old device, and what
passes is a test. Upper limits keep a hostile server from making the client work for minutes.
"""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tlsalert.registry.groups import NamedGroup
from tlsalert.replay.key_shares import make_share

#: The largest modulus in bits, and the largest RSA exponent: OpenSSL's limits (OPENSSL_RSA_MAX_MODULUS_BITS,
#: OPENSSL_DH_MAX_MODULUS_BITS 10000) with some room; a power takes a second beyond them.
LARGEST: Final = 16_384
LARGEST_EXPONENT: Final = 64
#: Bits of a Diffie-Hellman exponent: twice the strength of any group that is in use (RFC 7919 §5.2).
EXPONENT: Final = 512


class Agreed(NamedTuple):
    """What the client sends of its own, and the secret that both sides share."""

    public: bytes
    secret: bytes


class Unable(ValueError):  # noqa: N818
    """The server's values are wrong, or of a kind that cannot be done here; the text says which."""


def curve_agreement(group: int, peer: bytes) -> Agreed:
    """Agree over a named curve, RFC 8422 §5.10. Raises :class:`Unable`."""
    own = make_share(group)
    if own is None:
        raise Unable(f"curve {NamedGroup(group)} cannot be computed here")
    try:
        return Agreed(own.public, own.shared(peer))
    except ValueError:
        raise Unable(f"no point of {NamedGroup(group)}") from None


def point_agreement(peer: ec.EllipticCurvePublicKey) -> Agreed:
    """Agree with a public key on its own curve, as ECDH_RSA and ECDH_ECDSA do with a certificate's."""
    own = ec.generate_private_key(peer.curve)
    public = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return Agreed(public, own.exchange(ec.ECDH(), peer))


def finite_agreement(prime: int, generator: int, peer: int) -> Agreed:
    """Agree modulo a prime, RFC 5246 §8.1.2: leading zeros of the secret are stripped. Raises :class:`Unable`."""
    if prime.bit_length() > LARGEST or prime < 3:
        raise Unable(f"a Diffie-Hellman prime of {prime.bit_length()} bits")
    exponent = int.from_bytes(os.urandom(min(prime.bit_length(), EXPONENT) // 8), "big") | 1
    return Agreed(_number(pow(generator, exponent, prime)), _number(pow(peer, exponent, prime)))


def encrypted(secret: bytes, modulus: int, exponent: int) -> bytes:
    """Encrypt by PKCS #1 v1.5, RFC 8017 §7.2.1. Raises :class:`Unable` where the key cannot hold ``secret``."""
    if modulus.bit_length() > LARGEST or exponent.bit_length() > LARGEST_EXPONENT:
        raise Unable(f"an RSA key of {modulus.bit_length()} bits with an exponent of {exponent.bit_length()}")
    size = (modulus.bit_length() + 7) // 8
    if size < len(secret) + 11 or exponent < 1:
        raise Unable(f"an RSA key of {modulus.bit_length()} bits cannot hold the premaster secret")
    padding = bytes(byte or 1 for byte in os.urandom(size - len(secret) - 3))
    block = b"\x00\x02" + padding + b"\x00" + secret
    return pow(int.from_bytes(block, "big"), exponent, modulus).to_bytes(size, "big")


def fixed_agreement(info: bytes) -> Agreed:
    """Agree with the key on a curve in a certificate (its SubjectPublicKeyInfo), RFC 4492 §2.1 and §2.3.

    Raises :class:`Unable`, also for a key of Diffie-Hellman (RFC 5246 §7.4.7.2), which nobody is known to have.
    """
    try:
        key = load_der_public_key(info)
    except (ValueError, UnsupportedAlgorithm):
        raise Unable("the server's certificate holds no key that can be read") from None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return point_agreement(key)
    raise Unable("the key in the server's certificate agrees on nothing")


def _number(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
