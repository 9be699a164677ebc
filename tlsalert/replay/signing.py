"""Signing a CertificateVerify with any key, and under any scheme that it can be made to sign for.

RFC 8446 §4.2.3 and §4.4.3, RFC 5246 §7.4.8, RFC 4346 §7.4.8, RFC 6101 §5.6.8.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from math import gcd
from typing import Final, NamedTuple

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from tlsalert.pki.presentation import PrivateKey, Proof
from tlsalert.registry.signature_schemes import SignatureScheme
from tlsalert.secrets.schedule import SSLV3, TLS12, TLS13

#: What TLS 1.3 puts before the hash, RFC 8446 §4.4.3.
CONTEXT_13: Final = b"\x20" * 64 + b"TLS 1.3, client CertificateVerify\0"

_HASHES: Final[dict[int, hashes.HashAlgorithm]] = {
    1: hashes.MD5(),  # noqa: S303, old servers ask for it
    2: hashes.SHA1(),  # noqa: S303
    3: hashes.SHA224(),
    4: hashes.SHA256(),
    5: hashes.SHA384(),
    6: hashes.SHA512(),
}
_PSS: Final[dict[int, hashes.HashAlgorithm]] = {
    4: hashes.SHA256(),
    5: hashes.SHA384(),
    6: hashes.SHA512(),
    9: hashes.SHA256(),
    10: hashes.SHA384(),
    11: hashes.SHA512(),
}
_BRAINPOOL_13: Final[dict[int, hashes.HashAlgorithm]] = {
    0x081A: hashes.SHA256(),
    0x081B: hashes.SHA384(),
    0x081C: hashes.SHA512(),
}
#: The one scheme that TLS 1.3 has for a curve, RFC 8446 §4.2.3 and RFC 8734 §2.
_CURVES_13: Final = {
    "secp256r1": 0x0403,
    "secp384r1": 0x0503,
    "secp521r1": 0x0603,
    "brainpoolP256r1": 0x081A,
    "brainpoolP384r1": 0x081B,
    "brainpoolP512r1": 0x081C,
}
_RSA_PSS, _RSA_PSS_ONLY = (0x0804, 0x0805, 0x0806), (0x0809, 0x080A, 0x080B)
_RSA_OLD: Final = (0x0401, 0x0501, 0x0601, 0x0301, 0x0201, 0x0101)
_DSA: Final = (0x0402, 0x0302, 0x0202, 0x0502, 0x0602, 0x0102)
_ECDSA: Final = (0x0403, 0x0503, 0x0603, 0x0303, 0x0203)
_ED25519, _ED448 = 0x0807, 0x0808
_SHA1: Final = 2  # RFC 5246 §7.4.1.4.1


class Signed(NamedTuple):
    """A signature; ``scheme`` is None before TLS 1.2, which names none; ``note`` says what is odd about it."""

    scheme: int | None
    signature: bytes
    note: str | None = None

    @property
    def body(self) -> bytes:
        """The body of the CertificateVerify message."""
        scheme = b"" if self.scheme is None else self.scheme.to_bytes(2, "big")
        return scheme + len(self.signature).to_bytes(2, "big") + self.signature


def proof_of(
    key: PrivateKey,
    version: int,
    content: bytes,
    offered: Iterable[int],
    *,
    proof: Proof = "right",
    pss_only: bool = False,
    master: bytes = b"",
) -> Signed:
    """Sign ``content`` (the messages so far; in TLS 1.3 their hash) for a CertificateVerify.

    ``offered`` are the schemes in the server's CertificateRequest, ``pss_only`` says that the certificate's key is of
    the kind id-RSASSA-PSS, ``master`` is the master secret, which SSLv3 hashes along. A key that can sign under none of
    the schemes on offer signs under another one, and ``note`` says so: a client that then sent no certificate at all
    would be refused for that.
    """
    if version < TLS12:
        signed = Signed(None, *_old_signature(key, version, content, master))
    else:
        data = CONTEXT_13 + content if version == TLS13 else content
        signed = _signed(key, version, data, tuple(offered), proof == "unoffered_scheme", pss_only)
    if proof != "broken_signature":
        return signed
    changed = signed.signature[:-1] + bytes((signed.signature[-1] ^ 1,))
    return Signed(signed.scheme, changed, signed.note)


def schemes_of(key: PrivateKey, version: int, pss_only: bool = False) -> tuple[int, ...]:
    """Return the schemes that a key may sign under in TLS 1.2 (0x0303) or 1.3, the most natural one first."""
    tls13 = version == TLS13
    if isinstance(key, rsa.RSAPrivateKey):
        if pss_only:
            return _RSA_PSS_ONLY
        return _RSA_PSS if tls13 else (*_RSA_OLD[:3], *_RSA_PSS, *_RSA_OLD[3:])
    if isinstance(key, ec.EllipticCurvePrivateKey):
        natural = _CURVES_13.get(key.curve.name)
        if tls13:
            return () if natural is None else (natural,)
        first = (natural,) if natural in _ECDSA else ()
        return (*first, *(scheme for scheme in _ECDSA if scheme != natural))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return (_ED25519,)
    if isinstance(key, ed448.Ed448PrivateKey):
        return (_ED448,)
    return () if tls13 else _DSA


def _signed(
    key: PrivateKey, version: int, data: bytes, offered: tuple[int, ...], unoffered: bool, pss_only: bool
) -> Signed:
    allowed = schemes_of(key, version, pss_only)
    every = dict.fromkeys((*allowed, *_others(key)))
    if unoffered:
        for scheme in sorted(every, key=_by_default):
            if scheme not in offered and (signature := _sign(key, scheme, data)) is not None:
                return Signed(scheme, signature)
    else:
        for scheme in offered:
            if scheme in allowed and (signature := _sign(key, scheme, data)) is not None:
                return Signed(scheme, signature)
    for scheme in every:
        if (signature := _sign(key, scheme, data)) is not None:
            why = "every scheme of the key is on offer" if unoffered else "the key fits no scheme on offer"
            return Signed(scheme, signature, f"{why}: signed under {SignatureScheme(scheme).name}")
    scheme = next(iter(every), _ED25519)
    note = f"the key can sign under no scheme: {SignatureScheme(scheme).name} names a signature that is made up"
    return Signed(scheme, os.urandom(64), note)


def _by_default(scheme: int) -> bool:
    """Whether a peer that lists no schemes takes it (SHA-1, RFC 5246 §7.4.1.4.1), and so may take it unlisted."""
    return scheme >> 8 == _SHA1


def _others(key: PrivateKey) -> tuple[int, ...]:
    """Return every scheme that a key of this kind can be made to sign under, allowed or not."""
    if isinstance(key, rsa.RSAPrivateKey):
        return (*_RSA_PSS, *_RSA_OLD, *_RSA_PSS_ONLY)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return (*_ECDSA, *_BRAINPOOL_13)
    return _DSA if isinstance(key, dsa.DSAPrivateKey) else ()


def _sign(key: PrivateKey, scheme: int, data: bytes) -> bytes | None:
    """Sign under one scheme; None where the key is too small for it or the library will not."""
    try:
        if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
            return key.sign(data)
        if isinstance(key, rsa.RSAPrivateKey):
            if scheme >> 8 == 8:
                digest = _PSS[scheme & 0xFF]
                return key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
            return key.sign(data, padding.PKCS1v15(), _HASHES[scheme >> 8])
        digest = _BRAINPOOL_13.get(scheme) or _HASHES[scheme >> 8]
        return key.sign(data, digest) if isinstance(key, dsa.DSAPrivateKey) else key.sign(data, ec.ECDSA(digest))
    except (ValueError, UnsupportedAlgorithm, InternalError):
        return None


def _old_signature(key: PrivateKey, version: int, messages: bytes, master: bytes) -> tuple[bytes, str | None]:
    """Sign as before TLS 1.2: RSA signs MD5 and SHA-1 together, DSA and ECDSA SHA-1 alone."""
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return key.sign(messages), "keys for EdDSA cannot be used before TLS 1.2 (RFC 8422 §5.1.3)"
    md5, sha1 = (_old_hash(name, version, messages, master) for name in ("md5", "sha1"))
    if isinstance(key, rsa.RSAPrivateKey):
        return raw_rsa(key, md5 + sha1), None
    try:
        made = Prehashed(_HASHES[2])
        return (key.sign(sha1, made) if isinstance(key, dsa.DSAPrivateKey) else key.sign(sha1, ec.ECDSA(made))), None
    except (ValueError, UnsupportedAlgorithm, InternalError):
        return os.urandom(64), "the key cannot sign SHA-1 here: the signature is made up"


def _old_hash(name: str, version: int, messages: bytes, master: bytes) -> bytes:
    if version != SSLV3:
        return hashlib.new(name, messages, usedforsecurity=False).digest()
    pads = 48 if name == "md5" else 40
    inner = hashlib.new(name, messages + master + b"\x36" * pads, usedforsecurity=False).digest()
    return hashlib.new(name, master + b"\x5c" * pads + inner, usedforsecurity=False).digest()


def raw_rsa(key: rsa.RSAPrivateKey, content: bytes) -> bytes:
    """Sign ``content`` by PKCS #1 v1.5 without a DigestInfo, as TLS 1.0 and 1.1 do (RFC 4346 §4.7).

    The power is blinded, so that its time says nothing of the key.
    """
    private = key.private_numbers()
    modulus, exponent = private.public_numbers.n, private.public_numbers.e
    size = (modulus.bit_length() + 7) // 8
    block = b"\x00\x01" + b"\xff" * (size - 3 - len(content)) + b"\x00" + content
    if len(block) > size:
        return os.urandom(size)  # a key of under 376 bits cannot hold it
    blind = 0
    while gcd(blind, modulus) != 1:
        blind = int.from_bytes(os.urandom(size), "big") % modulus
    number = int.from_bytes(block, "big") * pow(blind, exponent, modulus) % modulus
    p, q = private.p, private.q
    high, low = pow(number, private.dmp1, p), pow(number, private.dmq1, q)
    signed = low + q * ((high - low) * private.iqmp % p)
    return (signed * pow(blind, -1, modulus) % modulus).to_bytes(size, "big")
