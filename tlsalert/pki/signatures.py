"""Whether a public key made a signature: True or False is a proof, None means that it cannot be told.

Keys are the DER of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), taken from certificates that may be broken elsewhere.
``cryptography`` verifies, imported when it is needed, for most captures never need it. Without it, by
:mod:`tlsalert.pki.rsa`, go the RSA keys that it refuses, and the first RSA signatures, which are done by then.
"""

from __future__ import annotations

import sys
import warnings
from functools import lru_cache
from itertools import count
from typing import Any, Final, NamedTuple

from tlsalert.errors import DecodeError
from tlsalert.pki.der import element, first, first_of, oid, parts
from tlsalert.pki.rsa import (
    MD5_SHA1,
    RsaKey,
    masked,
    padded,
    pss_parameters,
    signed_content,
    verify_pkcs1,
    verify_pss,
)

#: Longer certificates are taken apart anew each time: a hostile capture must not fill the memory with them.
REMEMBERED_BYTES: Final = 8192
#: RSA signatures that are verified by hand before the library is loaded for it: by hand each takes some 70 µs more, and
#: to load it takes as long as that many of them.
PATIENCE: Final = 250
_BY_HAND: Final = count()
#: Longer keys are not looked at; the longest in use are those of ML-DSA-87, 2,614 bytes with their frame.
LONGEST_KEY: Final = 8192

RSA, DSA, EC = "rsa", "dsa", "ecdsa"
#: What an AlgorithmIdentifier in a certificate means, RFC 3279, 5758, 8410 and 9881: (kind of key, hash).
ALGORITHMS: Final = {
    "1.2.840.113549.1.1.4": (RSA, "md5"),
    "1.2.840.113549.1.1.5": (RSA, "sha1"),
    "1.3.14.3.2.29": (RSA, "sha1"),
    "1.2.840.113549.1.1.14": (RSA, "sha224"),
    "1.2.840.113549.1.1.11": (RSA, "sha256"),
    "1.2.840.113549.1.1.12": (RSA, "sha384"),
    "1.2.840.113549.1.1.13": (RSA, "sha512"),
    "1.2.840.10040.4.3": (DSA, "sha1"),
    "2.16.840.1.101.3.4.3.1": (DSA, "sha224"),
    "2.16.840.1.101.3.4.3.2": (DSA, "sha256"),
    "1.2.840.10045.4.1": (EC, "sha1"),
    "1.2.840.10045.4.3.1": (EC, "sha224"),
    "1.2.840.10045.4.3.2": (EC, "sha256"),
    "1.2.840.10045.4.3.3": (EC, "sha384"),
    "1.2.840.10045.4.3.4": (EC, "sha512"),
    "1.3.101.112": ("ed25519", ""),
    "1.3.101.113": ("ed448", ""),
    "2.16.840.1.101.3.4.3.17": ("mldsa44", ""),
    "2.16.840.1.101.3.4.3.18": ("mldsa65", ""),
    "2.16.840.1.101.3.4.3.19": ("mldsa87", ""),
}
PSS: Final = "1.2.840.113549.1.1.10"
#: The kinds of keys by their object identifiers, RFC 3279 §2.3, RFC 4055 §1.2, RFC 8410 §3, RFC 9881 §4.
KEYS: Final = {
    "1.2.840.113549.1.1.1": RSA,
    PSS: RSA,
    "1.2.840.10040.4.1": DSA,
    "1.2.840.10045.2.1": EC,
    **{dotted: kind for dotted, (kind, digest) in ALGORITHMS.items() if not digest},
}

#: RFC 5246 §7.4.1.4.1: the hash in the scheme's first byte, the kind of signature in its second.
TLS_HASHES: Final = {1: "md5", 2: "sha1", 3: "sha224", 4: "sha256", 5: "sha384", 6: "sha512"}
TLS_KINDS: Final = {1: RSA, 2: DSA, 3: EC, 0x20: RSA}  # 0x20: draft-ietf-tls-tls13-pkcs1
#: RFC 8446 §4.2.3, RFC 8734 and draft-ietf-tls-mldsa: the schemes that are no such pair; "pss" is RSA, too.
TLS_SCHEMES: Final = {
    0x0804: ("pss", "sha256"),
    0x0805: ("pss", "sha384"),
    0x0806: ("pss", "sha512"),
    0x0807: ("ed25519", ""),
    0x0808: ("ed448", ""),
    0x0809: ("pss", "sha256"),
    0x080A: ("pss", "sha384"),
    0x080B: ("pss", "sha512"),
    0x081A: (EC, "sha256"),
    0x081B: (EC, "sha384"),
    0x081C: (EC, "sha512"),
    0x0904: ("mldsa44", ""),
    0x0905: ("mldsa65", ""),
    0x0906: ("mldsa87", ""),
}
SIZES: Final = {"sha256": 32, "sha384": 48, "sha512": 64}


class Signed(NamedTuple):
    """The parts of a certificate that a signature binds together, RFC 5280 §4.1.1: bytes as they were sent."""

    signed: bytes
    algorithm: bytes
    signature: bytes
    key: bytes


def taken_apart(certificate: bytes) -> Signed | None:
    """Return the parts of a certificate, None where it holds no such parts; it may be broken in all other fields."""
    return _remembered(certificate) if len(certificate) <= REMEMBERED_BYTES else _taken_apart(certificate)


def signed_by(certificate: bytes, issuer: bytes) -> bool | None:
    """Whether the key of one certificate signed another, RFC 5280 §6.1.3 (a)(1). Both are DER; names don't count."""
    small = len(certificate) + len(issuer) <= 2 * REMEMBERED_BYTES
    return _signed_once(certificate, issuer) if small else _signed_by(certificate, issuer)


def verify(key: bytes, algorithm: bytes, signature: bytes, data: bytes) -> bool | None:
    """Whether ``key`` signed ``data`` by ``algorithm``, the DER of an AlgorithmIdentifier (RFC 5280 §4.1.1.2)."""
    kind = key_kind(key)
    try:
        identifier = element(algorithm)
        dotted = oid(first(identifier))
    except DecodeError:
        return None
    if dotted == PSS:
        chosen = pss_parameters(identifier)
        return None if chosen is None or kind is None else _verify_pss(key, kind, chosen, signature, data)
    wanted, digest = ALGORITHMS.get(dotted, ("", ""))
    return _verify(key, kind, wanted, digest, signature, data)


def verify_scheme(key: bytes, scheme: int, signature: bytes, data: bytes) -> bool | None:
    """Whether ``key`` signed ``data`` by a SignatureScheme of TLS 1.2 or 1.3, RFC 5246 §4.7, RFC 8446 §4.2.3."""
    pair = TLS_KINDS.get(scheme & 0xFF, ""), TLS_HASHES.get(scheme >> 8, "")
    wanted, digest = TLS_SCHEMES.get(scheme, pair if all(pair) else ("", ""))
    kind = key_kind(key)
    if wanted == "pss":
        return None if kind is None else _verify_pss(key, kind, (digest, digest, SIZES[digest]), signature, data)
    return _verify(key, kind, wanted, digest, signature, data)


def verify_old(key: bytes, signature: bytes, data: bytes) -> bool | None:
    """Whether ``key`` signed ``data`` as before TLS 1.2: RSA with MD5 and SHA-1, DSA and ECDSA with SHA-1.

    RFC 4346 §7.4.3, RFC 8422 §5.4.
    """
    kind = key_kind(key)
    if kind == RSA:
        return _verify_pkcs1(key, MD5_SHA1, signature, data)
    return _verify(key, kind, kind, "sha1", signature, data) if kind in (DSA, EC) else None


def made_by(key: bytes, scheme: int | None, signature: bytes) -> bool | None:
    """Whether ``key`` made a signature at all, over whatever it was; None where that cannot be told.

    RSA alone shows it, by its padding. ``scheme`` is None before TLS 1.2.
    """
    number = _rsa(key) if key_kind(key) == RSA else None
    if number is None:
        return None
    if scheme is None:
        return padded(number, signature, 36)
    wanted, digest = TLS_SCHEMES.get(scheme, ("", ""))
    if wanted == "pss":
        return masked(number, digest, signature)
    digest = TLS_HASHES.get(scheme >> 8, "")
    if not digest or TLS_KINDS.get(scheme & 0xFF) != RSA:
        return None
    return any(padded(number, signature, len(content)) for content in signed_content(digest, b""))


def key_kind(key: bytes) -> str | None:
    """Return the kind of a SubjectPublicKeyInfo: "rsa", "dsa", "ecdsa", "ed25519" …; None where it is unknown."""
    try:
        return KEYS.get(oid(first(first(element(key)))))
    except DecodeError:
        return None


@lru_cache(maxsize=512)
def _remembered(certificate: bytes) -> Signed | None:
    return _taken_apart(certificate)


def _taken_apart(certificate: bytes) -> Signed | None:
    try:
        body, algorithm, bits = parts(element(certificate), 3)
        fields = first_of(body, 7)
        if fields and fields[0].tag == 0xA0:
            del fields[0]  # the version
        return Signed(body.whole, algorithm.whole, bits.content[1:], fields[5].whole)
    except (DecodeError, IndexError):
        return None


@lru_cache(maxsize=2048)
def _signed_once(certificate: bytes, issuer: bytes) -> bool | None:
    """Verify a pair once: a capture shows the same few chains again and again."""
    return _signed_by(certificate, issuer)


def _signed_by(certificate: bytes, issuer: bytes) -> bool | None:
    inner, outer = taken_apart(certificate), taken_apart(issuer)
    if inner is None or outer is None:
        return None
    return verify(outer.key, inner.algorithm, inner.signature, inner.signed)


def _verify(key: bytes, kind: str | None, wanted: str, digest: str, signature: bytes, data: bytes) -> bool | None:
    if not wanted or kind is None:
        return None
    if wanted != kind:
        return False  # no EC key makes an RSA signature
    if kind == RSA:
        return _verify_pkcs1(key, digest, signature, data)
    return _verify_others(key, kind, digest, signature, data)


def _verify_pkcs1(key: bytes, digest: str, signature: bytes, data: bytes) -> bool | None:
    number, public = _rsa(key), _by_library(key)
    if number is None:
        return None
    if public is None:
        return verify_pkcs1(number, digest, signature, data)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

    try:
        opened = public.recover_data_from_signature(signature, PKCS1v15(), None)
    except InvalidSignature:
        return False
    return opened in signed_content(digest, data)


def _verify_pss(key: bytes, kind: str, chosen: tuple[str, str, int], signature: bytes, data: bytes) -> bool | None:
    if kind != RSA:
        return False
    number, public = _rsa(key), _by_library(key)
    if number is None:
        return None
    digest, mask, salt = chosen
    if public is None or {digest, mask} - {*SIZES}:
        return verify_pss(number, digest, mask, salt, signature, data)
    from cryptography.exceptions import InvalidSignature

    try:
        public.verify(signature, data, *_pss(digest, mask, salt))
    except InvalidSignature:
        return False
    except ValueError:  # the key is too short for hash and salt: nothing that it could have signed
        return False
    return True


@lru_cache(maxsize=16)
def _pss(digest: str, mask: str, salt: int) -> tuple[Any, Any]:
    """Return the library's padding and hash."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS

    found = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
    return PSS(MGF1(found[mask]), salt), found[digest]


@lru_cache(maxsize=256)
def _rsa(key: bytes) -> RsaKey | None:
    """Return the key's numbers; None where it is broken, or so large that to verify with it would take too long."""
    if len(key) > LONGEST_KEY:
        return None
    try:
        return RsaKey.read(element(key))
    except DecodeError:
        return None


def _verify_others(key: bytes, kind: str, digest: str, signature: bytes, data: bytes) -> bool | None:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    public = _loaded(key)
    if public is None or (digest and digest not in SIZES and digest not in ("sha1", "sha224")):
        return None
    chosen: hashes.HashAlgorithm = getattr(hashes, (digest or "sha256").upper())()
    try:
        if kind == EC:
            public.verify(signature, data, ec.ECDSA(chosen))
        elif kind == DSA:
            public.verify(signature, data, chosen)
        else:
            public.verify(signature, data)
    except InvalidSignature:
        return False
    except (UnsupportedAlgorithm, ValueError, TypeError):
        return None
    return True


def _by_library(key: bytes) -> Any:
    """Return an RSA key for the library to verify with; None where it had better be done by hand."""
    return _loaded(key) if "cryptography" in sys.modules or next(_BY_HAND) >= PATIENCE else None


@lru_cache(maxsize=256)
def _loaded(key: bytes) -> Any:
    """Return the library's key, whatever its class; None where it cannot or will not load it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    if len(key) > LONGEST_KEY:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it will refuse one day is evidence today
            return load_der_public_key(key)
    except (UnsupportedAlgorithm, ValueError, TypeError):
        return None
