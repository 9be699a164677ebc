"""Signs certificates and CRLs with any key and any hash, MD5 and keys of 512 bits among them: RFC 3279, 4055, 8410."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tlsalert.pki import write
from tlsalert.pki.presentation import PrivateKey
from tlsalert.pki.signatures import ALGORITHMS, DSA, EC, PSS, RSA

Digest = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
# The weak ones are the point: whether a device still takes them is what is asked.
HASHES: dict[Digest, type[hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
#: RFC 8017 App. B.1, for the parameters of RSASSA-PSS.
HASH_OIDS: dict[Digest, str] = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
MGF1 = "1.2.840.113549.1.1.8"

#: (kind of key, hash) → the object identifier of the signature; the first of several is the one in use.
_OIDS = {pair: dotted for dotted, pair in reversed(ALGORITHMS.items())}


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and the way it signs. Without a ``digest`` the one that fits the key is taken; ``pss`` is for RSA keys."""

    key: PrivateKey
    digest: Digest | None = None
    pss: bool = False

    def __repr__(self) -> str:  # the key stays out of logs and tracebacks
        return f"Signer({key_kind(self.key)}, {self.hash_name})"

    @property
    def hash_name(self) -> Digest:
        """The hash that is used (keys on Edwards curves have their own and use none)."""
        return self.digest or _fitting(self.key)

    @property
    def algorithm(self) -> bytes:
        """The AlgorithmIdentifier, RFC 5280 §4.1.1.2. Raises ValueError where no RFC names the pair."""
        if self.pss:
            return write.sequence(write.oid(PSS), _pss_parameters(self.hash_name))
        return algorithm(self.key, self.hash_name)

    def sign(self, data: bytes) -> bytes:
        """Return the signature of ``data``. Raises ValueError where the key is too short for the hash."""
        key = self.key
        if isinstance(key, Ed25519PrivateKey | Ed448PrivateKey):
            return key.sign(data)
        digest = HASHES[self.hash_name]()
        if isinstance(key, rsa.RSAPrivateKey):
            if self.pss:
                return key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
            return key.sign(data, padding.PKCS1v15(), digest)
        return (
            key.sign(data, ec.ECDSA(digest)) if isinstance(key, ec.EllipticCurvePrivateKey) else key.sign(data, digest)
        )


def algorithm(key: PrivateKey, digest: Digest) -> bytes:
    """Return the AlgorithmIdentifier of ``key`` with ``digest``. Raises ValueError where no RFC names the pair."""
    kind = key_kind(key)
    dotted = _OIDS.get((kind, "" if kind in ("ed25519", "ed448") else digest))
    if dotted is None:
        raise ValueError(f"there is no signature of {kind} keys with {digest}")
    # RFC 3279 §2.2.1: NULL parameters for RSA; RFC 3279 §2.2.2 f. and RFC 8410 §3: none for the others.
    return write.sequence(write.oid(dotted), write.NULL if kind == RSA else b"")


def key_kind(key: PrivateKey) -> str:
    """Return "rsa", "ecdsa", "dsa", "ed25519" or "ed448"."""
    if isinstance(key, rsa.RSAPrivateKey):
        return RSA
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return EC
    if isinstance(key, dsa.DSAPrivateKey):
        return DSA
    return "ed25519" if isinstance(key, Ed25519PrivateKey) else "ed448"


def key_info(key: PrivateKey) -> bytes:
    """Return the SubjectPublicKeyInfo of a private key, RFC 5280 §4.1.2.7."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _fitting(key: PrivateKey) -> Digest:
    """RFC 5480 §4 wants the hash as long as the curve's order."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size > 256:
        return "sha384" if key.curve.key_size <= 384 else "sha512"
    return "sha256"


def _pss_parameters(digest: Digest) -> bytes:
    """Return RSASSA-PSS-params, RFC 4055 §3.1: the hash, MGF1 with the same, and a salt of its length."""
    hashed = write.sequence(write.oid(HASH_OIDS[digest]), write.NULL)
    mask = write.sequence(write.oid(MGF1), hashed)
    salt = write.integer(HASHES[digest]().digest_size)
    return write.sequence(write.tlv(0xA0, hashed), write.tlv(0xA1, mask), write.tlv(0xA2, salt))
