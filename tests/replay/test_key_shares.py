"""Key shares: two peers agree, whichever library the other one uses, and a bad share is said to be one."""

from __future__ import annotations

import contextlib
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mlkem
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tlsalert.registry.groups import NamedGroup
from tlsalert.replay.key_shares import can_share, finite_field_prime, make_share

CURVES = {
    NamedGroup.secp224r1: ec.SECP224R1(),
    NamedGroup.secp256k1: ec.SECP256K1(),
    NamedGroup.secp256r1: ec.SECP256R1(),
    NamedGroup.secp384r1: ec.SECP384R1(),
    NamedGroup.secp521r1: ec.SECP521R1(),
    NamedGroup.brainpoolP256r1: ec.BrainpoolP256R1(),
    NamedGroup.brainpoolP384r1: ec.BrainpoolP384R1(),
    NamedGroup.brainpoolP512r1: ec.BrainpoolP512R1(),
    NamedGroup.brainpoolP256r1tls13: ec.BrainpoolP256R1(),
    NamedGroup.brainpoolP384r1tls13: ec.BrainpoolP384R1(),
    NamedGroup.brainpoolP512r1tls13: ec.BrainpoolP512R1(),
}
FINITE = [group for group in NamedGroup if group.name.startswith("ffdhe")]
SHARED = [*CURVES, NamedGroup.x25519, NamedGroup.x448, NamedGroup.ffdhe2048, NamedGroup.ffdhe3072]


@pytest.mark.parametrize("group", SHARED, ids=lambda group: group.name)
def test_two_shares_of_a_group_make_one_secret(group: NamedGroup) -> None:
    one, other = make_share(group), make_share(group)
    assert one is not None
    assert other is not None
    assert (one.group, one.public != other.public) == (group, True)
    assert one.shared(other.public) == other.shared(one.public)


@pytest.mark.parametrize("group", CURVES, ids=lambda group: group.name)
def test_a_curve_agrees_with_a_peer_that_is_not_ours(group: NamedGroup) -> None:
    share = make_share(group)
    assert share is not None
    peer = ec.generate_private_key(CURVES[group])
    public = peer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    ours = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[group], share.public)
    assert share.shared(public) == peer.exchange(ec.ECDH(), ours)


def test_x25519_and_x448_agree_with_a_peer_that_is_not_ours() -> None:
    share, peer = make_share(29), X25519PrivateKey.generate()
    assert share is not None
    ours = X25519PublicKey.from_public_bytes(share.public)
    assert share.shared(peer.public_key().public_bytes_raw()) == peer.exchange(ours)
    longer, other = make_share(30), X448PrivateKey.generate()
    assert longer is not None
    theirs = X448PublicKey.from_public_bytes(longer.public)
    assert longer.shared(other.public_key().public_bytes_raw()) == other.exchange(theirs)


@pytest.mark.parametrize("group", FINITE, ids=lambda group: group.name)
def test_a_finite_field_share_is_as_long_as_its_prime_and_agrees_with_plain_arithmetic(group: NamedGroup) -> None:
    share = make_share(group)
    assert share is not None
    prime = finite_field_prime(group)
    assert len(share.public) == prime.bit_length() // 8 == int(group.name.removeprefix("ffdhe")) // 8
    secret = 0x1234_5678_9ABC_DEF0
    expected = pow(int.from_bytes(share.public, "big"), secret, prime)
    peer = pow(2, secret, prime).to_bytes(len(share.public), "big")
    assert share.shared(peer) == expected.to_bytes(len(share.public), "big")


@pytest.mark.parametrize("group", FINITE, ids=lambda group: group.name)
def test_the_primes_have_ones_at_both_ends_and_2_generates_half_of_their_field(group: NamedGroup) -> None:
    """RFC 7919 App. A. The last holds for no number that is not (all but surely) a prime."""
    prime = finite_field_prime(group)
    ones = (1 << 64) - 1
    assert (prime >> prime.bit_length() - 64, prime & ones) == (ones, ones)
    assert pow(2, (prime - 1) // 2, prime) == 1


def test_the_first_prime_ends_as_the_rfc_prints_it() -> None:
    assert f"{finite_field_prime(256):x}".endswith("886b423861285c97ffffffffffffffff")


def test_ml_kem_beside_x25519_agrees_with_a_server_that_encapsulates() -> None:
    share, curve = make_share(NamedGroup.X25519MLKEM768), X25519PrivateKey.generate()
    assert share is not None
    assert len(share.public) == 1184 + 32
    secret, ciphertext = mlkem.MLKEM768PublicKey.from_public_bytes(share.public[:1184]).encapsulate()
    other = curve.exchange(X25519PublicKey.from_public_bytes(share.public[1184:]))
    assert share.shared(ciphertext + curve.public_key().public_bytes_raw()) == secret + other


@pytest.mark.parametrize(
    ("group", "curve", "point"),
    [
        (NamedGroup.SecP256r1MLKEM768, ec.SECP256R1(), 65),
        (NamedGroup.SecP384r1MLKEM1024, ec.SECP384R1(), 97),
    ],
)
def test_ml_kem_behind_a_curve_agrees_with_a_server_that_encapsulates(
    group: NamedGroup, curve: ec.EllipticCurve, point: int
) -> None:
    share, peer = make_share(group), ec.generate_private_key(curve)
    assert share is not None
    kind = mlkem.MLKEM768PublicKey if group == NamedGroup.SecP256r1MLKEM768 else mlkem.MLKEM1024PublicKey
    secret, ciphertext = kind.from_public_bytes(share.public[point:]).encapsulate()
    other = peer.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, share.public[:point]))
    public = peer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert share.shared(public + ciphertext) == other + secret


def test_ml_kem_alone_agrees_with_a_server_that_encapsulates() -> None:
    small, large = make_share(NamedGroup.MLKEM768), make_share(NamedGroup.MLKEM1024)
    assert small is not None
    assert large is not None
    secret, ciphertext = mlkem.MLKEM768PublicKey.from_public_bytes(small.public).encapsulate()
    assert small.shared(ciphertext) == secret
    secret, ciphertext = mlkem.MLKEM1024PublicKey.from_public_bytes(large.public).encapsulate()
    assert large.shared(ciphertext) == secret


@pytest.mark.parametrize("group", [0x1A1A, 1, 9, 512, 25497, 16696, 65281], ids=lambda group: NamedGroup(group).name)
def test_what_cannot_be_done_is_said(group: int) -> None:
    assert make_share(group) is None
    assert not can_share(group)


def test_can_share_says_what_make_share_does() -> None:
    assert [group for group in range(0x10000) if can_share(group)] == [
        *(21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33),
        *(256, 257, 258, 259, 260, 513, 514, 4587, 4588, 4589),
    ]


@pytest.mark.parametrize(
    ("group", "peer"),
    [
        pytest.param(29, bytes(32), id="x25519: a point of small order makes zero, RFC 7748 §6.1"),
        pytest.param(29, bytes(31), id="x25519: too short"),
        pytest.param(30, bytes(56), id="x448: zero"),
        pytest.param(23, b"\4" + bytes(64), id="P-256: no point of the curve"),
        pytest.param(23, b"\2" + b"\x6b" * 32, id="P-256: compressed"),
        pytest.param(23, b"", id="P-256: nothing"),
        pytest.param(256, bytes(256), id="ffdhe2048: 0"),
        pytest.param(256, (1).to_bytes(256, "big"), id="ffdhe2048: 1"),
        pytest.param(256, b"\xff" * 256, id="ffdhe2048: over the prime"),
        pytest.param(256, (finite_field_prime(256) - 1).to_bytes(256, "big"), id="ffdhe2048: p - 1"),
        pytest.param(256, b"\5", id="ffdhe2048: too short"),
        pytest.param(513, bytes(1087), id="MLKEM768: too short"),
        pytest.param(4588, bytes(1088 + 31), id="X25519MLKEM768: too short"),
        pytest.param(4588, bytes(1088 + 32), id="X25519MLKEM768: zero on the curve"),
        pytest.param(4587, bytes(65 + 1088), id="SecP256r1MLKEM768: no point of the curve"),
    ],
)
def test_a_bad_share_is_a_value_error(group: int, peer: bytes) -> None:
    share = make_share(group)
    assert share is not None
    with pytest.raises(ValueError):  # noqa: PT011 - cryptography's own words differ from version to version
        share.shared(peer)


@settings(deadline=None)
@given(group=st.sampled_from([23, 24, 25, 29, 30, 31, 256, 513, 4587, 4588]), peer=st.binary(max_size=1300))
def test_any_bytes_make_a_secret_or_a_value_error(group: int, peer: bytes) -> None:
    share = make_share(group, Random(7))
    assert share is not None
    with contextlib.suppress(ValueError):
        assert share.shared(peer)


@pytest.mark.parametrize("group", [23, 25, 29, 30, 256, 513, 4588])
def test_a_seeded_share_is_the_same_again_and_another_with_another_seed(group: int) -> None:
    one, again, other = (make_share(group, Random(seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_a_share_keeps_its_secret_to_itself() -> None:
    share = make_share(23, Random(1))
    assert repr(share) == f"KeyShare(group=23, public={share.public!r})" if share else False
