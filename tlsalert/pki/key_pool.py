"""Throw-away keys, made when the first one asks and shared from then on: making keys is the slow part of a run."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from math import gcd, lcm, prod
from threading import Lock
from typing import Final

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tlsalert.pki.presentation import PrivateKey

#: Longer RSA keys take the better part of a minute where both primes are found in one go.
LONGEST_OF_TWO_PRIMES: Final = 3072
#: ``cryptography`` makes none below.
SHORTEST_OF_LIBRARY: Final = 1024
PUBLIC_EXPONENT: Final = 65537
CURVES: Final[dict[str, type[ec.EllipticCurve]]] = {
    "p224": ec.SECP224R1,
    "p256": ec.SECP256R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
}
#: How the library's curves are called here.
_CURVE_NAMES: Final[dict[str, str]] = {str(curve().name): kind for kind, curve in CURVES.items()}
_SMALL_PRIMES: Final = tuple(n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


class KeyPool:
    """Keys by what they are for and their kind; the same words give the same key again.

    Kinds: "rsa2048" (any number of bits from 512), "dsa2048", "ed25519", "ed448", and the names of :data:`CURVES`.
    They live as long as the pool and are never written. Threads may share it.
    """

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], PrivateKey] = {}
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"KeyPool of {len(self._keys)} keys"

    def key(self, kind: str, purpose: str) -> PrivateKey:
        """Return the key of a kind for a purpose. Raises ValueError for a kind that is not known."""
        with self._lock:
            known = self._keys.get((kind, purpose))
            if known is None:
                known = self._keys[kind, purpose] = make_key(kind)
            return known


#: One for the process: the runs of one program share it.
KEYS: Final = KeyPool()


def make_key(kind: str) -> PrivateKey:
    """Return a new key. Raises ValueError for a kind that is not known."""
    if kind in CURVES:
        return ec.generate_private_key(CURVES[kind]())
    if kind.startswith("rsa") and kind[3:].isdigit():
        return _rsa(int(kind[3:]))
    if kind == "dsa2048":
        return dsa.generate_private_key(2048)
    if kind == "ed25519":
        return Ed25519PrivateKey.generate()
    if kind == "ed448":
        return Ed448PrivateKey.generate()
    raise ValueError(f"{kind!r} is no kind of key that can be made")


def kind_of(key: object, otherwise: str = "rsa2048") -> str:
    """Return the kind of a public or private key in the pool's words, ``otherwise`` for one that it cannot make."""
    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        return f"rsa{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        return _CURVE_NAMES.get(key.curve.name, "p256")
    if isinstance(key, dsa.DSAPublicKey | dsa.DSAPrivateKey):
        return "dsa2048"
    name = type(key).__name__.lower()
    return next((kind for kind in ("ed25519", "ed448") if kind in name), otherwise)


def _rsa(bits: int) -> rsa.RSAPrivateKey:
    if bits < SHORTEST_OF_LIBRARY:
        return _from_primes([_prime(bits // 2)], [_prime(bits - bits // 2)])
    if bits <= LONGEST_OF_TWO_PRIMES:
        return rsa.generate_private_key(PUBLIC_EXPONENT, bits)
    return _of_many_primes(bits)


def _of_many_primes(bits: int) -> rsa.RSAPrivateKey:
    """Return an RSA key of many primes (RFC 8017 §3), a second's work at most where two primes would take a minute.

    Its public half looks like any other. The primes come from keys of 2048 bits and a last one of what is missing,
    whose product has the right number of bits every other time.
    """
    while True:
        primes = [prime for _ in range((bits - SHORTEST_OF_LIBRARY) // 2048) for prime in _primes(2048)]
        missing = bits - prod(primes).bit_length()
        primes += _primes(missing + missing % 2)  # the library's primes are of half the size each: odd sizes fall short
        if prod(primes).bit_length() == bits:
            return _from_primes(primes[::2], primes[1::2])


def _primes(bits: int) -> list[int]:
    numbers = rsa.generate_private_key(PUBLIC_EXPONENT, bits).private_numbers()
    return [numbers.p, numbers.q]


def _from_primes(left: Sequence[int], right: Sequence[int]) -> rsa.RSAPrivateKey:
    """Return a key whose two "primes" are the products of these: the arithmetic holds, its order being the lcm."""
    p, q = prod(left), prod(right)
    order_p, order_q = (lcm(*(prime - 1 for prime in side)) for side in (left, right))
    d = pow(PUBLIC_EXPONENT, -1, lcm(order_p, order_q))
    public = rsa.RSAPublicNumbers(PUBLIC_EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % order_p, d % order_q, pow(q, -1, p), public)
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _prime(bits: int) -> int:
    """Return a prime with its two highest bits set, so that the product of two has the bits of both."""
    sure: Callable[[int], bool] = lambda number: all(_passes(number) for _ in range(20))  # noqa: E731
    while True:
        number = secrets.randbits(bits) | 1 | 3 << bits - 2
        if all(number % small for small in _SMALL_PRIMES) and gcd(number - 1, PUBLIC_EXPONENT) == 1 and sure(number):
            return number


def _passes(number: int) -> bool:
    """One round of Miller and Rabin's test, FIPS 186-5 App. B.3.1."""
    twos = (number - 1 & 1 - number).bit_length() - 1
    found = pow(secrets.randbelow(number - 3) + 2, number - 1 >> twos, number)
    if found in (1, number - 1):
        return True
    for _ in range(twos - 1):
        found = found * found % number
        if found == number - 1:
            return True
    return False
