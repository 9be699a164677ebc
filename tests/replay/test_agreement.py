"""Key exchanges up to TLS 1.2: both sides come to the same secret, and a hostile server's values are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.replay.tlslite_peer import SMALL_GROUP
from tlsalert.replay.agreement import (
    Unable,
    curve_agreement,
    encrypted,
    finite_agreement,
    fixed_agreement,
)

CURVES: dict[int, Callable[[], ec.EllipticCurve]] = {
    23: ec.SECP256R1,
    24: ec.SECP384R1,
    25: ec.SECP521R1,
    22: ec.SECP256K1,
}
X25519, X448 = 29, 30


@pytest.mark.parametrize("group", CURVES)
def test_a_curve(group: int) -> None:
    own = ec.generate_private_key(CURVES[group]())
    agreed = curve_agreement(group, own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    peer = ec.EllipticCurvePublicKey.from_encoded_point(own.curve, agreed.public)
    assert own.exchange(ec.ECDH(), peer) == agreed.secret


def test_montgomery_curves() -> None:
    first = x25519.X25519PrivateKey.generate()
    agreed = curve_agreement(X25519, first.public_key().public_bytes_raw())
    assert first.exchange(x25519.X25519PublicKey.from_public_bytes(agreed.public)) == agreed.secret
    second = x448.X448PrivateKey.generate()
    agreed = curve_agreement(X448, second.public_key().public_bytes_raw())
    assert second.exchange(x448.X448PublicKey.from_public_bytes(agreed.public)) == agreed.secret


def test_a_prime_of_512_bits() -> None:
    generator, prime = SMALL_GROUP
    agreed = finite_agreement(prime, generator, pow(generator, 1234567, prime))
    shared = pow(int.from_bytes(agreed.public, "big"), 1234567, prime)
    assert int.from_bytes(agreed.secret, "big") == shared
    assert agreed.secret[0] != 0  # RFC 5246 §8.1.2


@pytest.mark.parametrize("bits", [1024, 2048])
def test_a_premaster_secret_for_an_rsa_key(bits: int) -> None:
    key = rsa.generate_private_key(65537, bits)
    numbers = key.public_key().public_numbers()
    sealed = encrypted(b"\3\3" + bytes(46), numbers.n, numbers.e)
    assert key.decrypt(sealed, padding.PKCS1v15()) == b"\3\3" + bytes(46)


def test_the_key_in_a_certificate() -> None:
    own = ec.generate_private_key(ec.SECP256R1())
    info = own.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    agreed = fixed_agreement(info)
    assert (
        own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(own.curve, agreed.public)) == agreed.secret
    )


@pytest.mark.parametrize(
    ("says", "call"),
    [
        (r"curve unlisted\(9999\) cannot be computed", lambda: curve_agreement(9999, b"")),
        ("no point of secp256r1", lambda: curve_agreement(23, b"\4" + bytes(64))),
        ("no point of x25519", lambda: curve_agreement(29, bytes(31))),
        ("no point of x25519", lambda: curve_agreement(29, bytes(32))),
        ("prime of 20000 bits", lambda: finite_agreement(1 << 19_999, 2, 2)),
        ("prime of 0 bits", lambda: finite_agreement(0, 2, 2)),
        ("RSA key of 20000 bits", lambda: encrypted(bytes(48), 1 << 19_999, 3)),
        ("RSA key of 256 bits cannot hold", lambda: encrypted(bytes(48), 1 << 255, 3)),
        ("an exponent of 99", lambda: encrypted(bytes(48), 1 << 2047, 1 << 98)),
        ("no key that can be read", lambda: fixed_agreement(b"")),
    ],
)
def test_what_is_refused(says: str, call: object) -> None:
    assert callable(call)
    with pytest.raises(Unable, match=says):
        call()
