"""What a cipher suite is made of, read out of its IANA name.

RFC 5246 App. C and RFC 8446 App. B.4 give the grammar of the names: a key exchange, WITH, a cipher with its
key length and mode, and a hash; the lengths that the names leave out are in the RFCs named below.
"""

from __future__ import annotations

import hmac
from functools import cache, lru_cache

from msgspec import Struct

from tlsalert.errors import DecodeError
from tlsalert.registry.cipher_suites import NAMES


class Suite(Struct, frozen=True):
    """The parts of one cipher suite. Lengths are in bytes.

    ``cipher`` is "AES", "CHACHA20", "3DES_EDE" …, ``mode`` one of "GCM", "CCM", "POLY1305", "CBC", "stream", "NULL",
    or another that is not read here. ``mac`` and ``prf_hash`` are names that :mod:`hashlib` knows; ``mac`` is None
    for AEAD ciphers. ``prf_hash`` counts from TLS 1.2 on; before, the PRF is MD5 and SHA-1 together.
    The keys of ``export`` suites are stretched from ``key_material`` bytes to ``key_length`` (RFC 2246 §6.3.1).
    """

    name: str
    tls13: bool
    key_exchange: str
    authentication: str
    cipher: str
    mode: str
    key_length: int
    key_material: int
    block_length: int
    fixed_iv_length: int
    record_iv_length: int
    tag_length: int
    mac: str | None
    prf_hash: str
    export: bool

    @property
    def aead(self) -> bool:
        """Whether the cipher authenticates by itself, RFC 5246 §6.2.3.3."""
        return self.mac is None and self.mode != "NULL"

    @property
    def mac_length(self) -> int:
        """The length of the MAC, or 0 for AEAD ciphers and for TLS_NULL_WITH_NULL_NULL."""
        return 0 if self.mac is None else HASH_LENGTHS[self.mac]

    @property
    def readable(self) -> bool:
        """Whether records under this suite can be opened here."""
        return self.mode in READABLE.get(self.cipher, ()) and _has_hash(self.prf_hash) and _has_hash(self.mac)

    @property
    def slow(self) -> bool:
        """Whether the cipher or its mode is worked out in Python: a hundred times as slow as a library's."""
        return self.cipher == "ARIA" or (self.mode == "GCM" and self.cipher != "AES")


#: Lengths of digests in bytes.
HASH_LENGTHS = {
    "md5": 16,
    "sha1": 20,
    "sha256": 32,
    "sha384": 48,
    "sha512": 64,
    "sm3": 32,
    "streebog256": 32,
    "gost3411_94": 32,
    "omac": 16,
    "imit": 4,
}

#: Ciphers and modes that tlsalert.secrets.protection opens.
READABLE = {
    "AES": ("GCM", "CCM", "CBC"),
    "ARIA": ("GCM", "CBC"),
    "CAMELLIA": ("GCM", "CBC"),
    "SM4": ("GCM", "CBC"),
    "CHACHA20": ("POLY1305", "draft-POLY1305"),
    "3DES_EDE": ("CBC",),
    "DES": ("CBC",),
    "IDEA": ("CBC",),
    "SEED": ("CBC",),
    "RC2": ("CBC",),
    "RC4": ("stream",),
    "NULL": ("NULL",),
}

#: Names that signal something and stand for no cipher suite: RFC 5746 §3.3, RFC 7507 §2.
SIGNALS = {"TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "TLS_FALLBACK_SCSV"}


@lru_cache(maxsize=1024)
def suite_of(code: int) -> Suite | None:
    """Return the parts of the cipher suite ``code``, or None where it is unlisted or only a signal."""
    name = NAMES.get(code)
    return None if name is None or name in SIGNALS else parse_suite(name)


def parse_suite(name: str) -> Suite:
    """Return the parts of the cipher suite called ``name``. Raises :class:`DecodeError` where no rule fits."""
    exchange, protection = _halves(name)
    tokens = protection.removesuffix("_draft").split("_")
    cipher, key_length, key_material, left = _cipher(name, tokens)
    mode, tag, left = _mode(cipher, left)
    hash_name = _hash(name, left)
    draft = mode == "POLY1305" and protection.endswith("_draft")
    aead = mode in ("GCM", "CCM", "POLY1305", "AEGIS", "MGM")
    fixed, record_iv = _nonce(mode, draft)
    block = BLOCKS.get(cipher, 0)
    tls13 = exchange == ""
    return Suite(
        name=name,
        tls13=tls13,
        key_exchange=exchange.split("_", 1)[0] if "PSK" not in exchange and "SRP" not in exchange else exchange,
        authentication=_authentication(exchange),
        cipher=cipher,
        mode="draft-POLY1305" if draft else mode,
        key_length=key_length,
        key_material=key_material,
        block_length=block if mode == "CBC" else 0,
        fixed_iv_length=_tls13_iv(cipher, key_length) if tls13 and aead else fixed,
        record_iv_length=0 if tls13 else record_iv,
        tag_length=tag,
        mac=None if aead or name == "TLS_NULL_WITH_NULL_NULL" else hash_name or "sha1",
        prf_hash=_prf_hash(hash_name),
        export="EXPORT" in exchange,
    )


#: Block lengths, which are the lengths of the IVs in CBC mode.
BLOCKS = {"AES": 16, "ARIA": 16, "CAMELLIA": 16, "SEED": 16, "SM4": 16, "SM1": 16} | dict.fromkeys(
    ("DES", "3DES_EDE", "IDEA", "RC2", "FORTEZZA"), 8
)

#: Key lengths of ciphers whose names have none: RFC 5246 App. C, RFC 5469, RFC 4162, RFC 7905, RFC 8998, RFC 9189.
KEYS = {
    "NULL": 0,
    "3DES_EDE": 24,
    "DES": 8,
    "IDEA": 16,
    "SEED": 16,
    "CHACHA20": 32,
    "SM4": 16,
    "SM1": 16,
    "FORTEZZA": 10,
    "SALSA20": 32,
    "ESTREAM_SALSA20": 32,
    "KUZNYECHIK": 32,
    "MAGMA": 32,
    "28147": 32,
    "RC2": 16,
    "RC4": 16,
}

HASHES = {
    "MD5": "md5",
    "SHA": "sha1",
    "SHA1": "sha1",
    "SHA256": "sha256",
    "SHA384": "sha384",
    "SHA512": "sha512",
    "SM3": "sm3",
    "GOSTR3411": "gost3411_94",
    "OMAC": "omac",
    "IMIT": "imit",
}


@cache
def _has_hash(name: str | None) -> bool:
    """Whether this Python has a hash: SM3 is not everywhere, GOST's are nowhere, and FIPS builds lack MD5."""
    try:
        return name is None or bool(hmac.digest(b"key", b"", name))
    except ValueError:
        return False


def _halves(name: str) -> tuple[str, str]:
    """Split a name into key exchange and protection; TLS 1.3's names (RFC 8446 App. B.4) have only the second."""
    plain = name.removeprefix("TLS_").removeprefix("SSL_")
    if "_WITH_" in plain:
        exchange, protection = plain.split("_WITH_", 1)
        return exchange, protection
    if name.startswith("TLS_"):
        return "", plain
    exchange, _, protection = plain.partition("_")  # GB/T 38636: ECC_SM4_CBC_SM3
    return exchange, protection


def _cipher(name: str, tokens: list[str]) -> tuple[str, int, int, list[str]]:
    """Return cipher, key length, length of the key material, and what is left of the tokens."""
    first = tokens[0]
    if first in ("SHA256", "SHA384"):  # integrity only, RFC 9150 §4
        return "NULL", 0, 0, ["HMAC", *tokens[1:]]
    if first in ("AES", "ARIA", "CAMELLIA"):
        size = int(tokens[1]) // 8
        return first, size, size, tokens[2:]
    if first == "AEGIS":
        size = 32 if tokens[1] == "256" else 16
        return first, size, size, ["AEGIS", *tokens[2:]]
    if first == "NULL":
        return "NULL", 0, 0, tokens
    if first == "3DES":
        return "3DES_EDE", 24, 24, tokens[2:]
    if first == "DES40" or (first == "DES" and "40" in tokens):  # RFC 2246 App. C; RFC 2712 writes DES_CBC_40
        return "DES", 8, 5, ["CBC", tokens[-1]]
    if first == "DES":
        return "DES", 8, 8, tokens[1:]
    if first == "SM1":  # GB/T 38636 leaves the mode out
        return "SM1", 16, 16, ["CBC", *tokens[1:]]
    if first in ("RC2", "RC4"):
        bits = int(next(token for token in tokens if token.isdigit()))
        mode = "CBC" if first == "RC2" else "stream"
        return first, 16, bits // 8, [mode, tokens[-1]]
    if first == "ESTREAM":
        return "ESTREAM_SALSA20", 32, 32, ["stream", tokens[-1]]
    if first == "SALSA20":
        return first, 32, 32, ["stream", tokens[-1]]
    if first not in KEYS:
        raise DecodeError(f"no rule for the cipher suite name {name}")
    return first, KEYS[first], KEYS[first], tokens[1:]


def _mode(cipher: str, tokens: list[str]) -> tuple[str, int, list[str]]:
    """Return mode, length of the authentication tag, and what is left of the tokens."""
    mode, left = tokens[0], tokens[1:]
    if mode == "CCM" and left[:1] == ["8"]:  # RFC 6655 §4: a tag of 8 bytes
        return "CCM", 8, left[1:]
    if mode in ("GCM", "CCM", "POLY1305", "AEGIS"):
        return mode, 16, left
    if mode == "MGM":  # RFC 9367 §4: MGM_L and MGM_S; the tag is as long as the block
        return mode, 16 if cipher == "KUZNYECHIK" else 8, []
    return mode, 0, left


def _hash(name: str, tokens: list[str]) -> str | None:
    """Return the hash at a name's end. None: the name has none, as with CCM (RFC 6655 §3) and MGM."""
    if not tokens:
        return HASHES.get(name.rsplit("_", 1)[-1])
    if name == "TLS_NULL_WITH_NULL_NULL":
        return None
    if tokens[0] not in HASHES:
        raise DecodeError(f"no rule for the cipher suite name {name}")
    return HASHES[tokens[0]]


def _prf_hash(hash_name: str | None) -> str:
    """Return the hash of TLS 1.2's PRF: SHA-256 unless the suite says something stronger (RFC 5246 §5)."""
    if hash_name in ("omac", "imit", "gost3411_94"):
        return "streebog256"  # RFC 9189 §4.3
    return hash_name if hash_name in ("sha384", "sha512", "sm3") else "sha256"


def _nonce(mode: str, draft: bool) -> tuple[int, int]:
    """Return how much of a TLS 1.2 nonce comes from the key block, and how much goes with each record.

    RFC 5288 §3 (GCM), RFC 6655 §3 (CCM), RFC 7905 §2, draft-agl-tls-chacha20poly1305-04 §5.
    """
    if mode in ("GCM", "CCM"):
        return 4, 8
    return (0 if draft else 12, 0) if mode == "POLY1305" else (0, 0)


def _tls13_iv(cipher: str, key_length: int) -> int:
    """Return the length of a TLS 1.3 nonce: 12 bytes (RFC 8446 §5.3), for AEGIS as long as the key."""
    return key_length if cipher == "AEGIS" else 12


def _authentication(exchange: str) -> str:
    """Return who or what proves the server: "RSA", "DSS", "ECDSA", "anon", "PSK", or "" where the name leaves it."""
    parts = [part for part in exchange.split("_") if not part.startswith("EXPORT")]
    known = [part for part in parts if part in ("RSA", "DSS", "ECDSA", "anon", "PSK", "KRB5", "SRP")]
    return known[-1] if known else ""
