"""How keys grow out of secrets: TLS 1.3 (RFC 8446 §7), TLS 1.0 to 1.2 (RFC 2246 to 5246) and SSLv3 (RFC 6101).

All of it is HMAC and hashes; private keys are the business of :mod:`tlsalert.secrets.private_keys`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from tlsalert.secrets.secret import Secret
from tlsalert.secrets.suites import HASH_LENGTHS, Suite

SSLV3, TLS10, TLS11, TLS12, TLS13 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304


def tls_equivalent(version: int) -> int:
    """Return the TLS version whose key derivation a DTLS version has: 1.1 for DTLS 1.0, 1.2 for DTLS 1.2."""
    return {0xFEFF: TLS11, 0x0100: TLS11, 0xFEFD: TLS12, 0xFEFC: TLS13}.get(version, version)


class DirectionKeys(Struct, frozen=True):
    """What protects the records of one direction. ``mac_key`` is empty for AEAD ciphers."""

    key: Secret
    iv: Secret
    mac_key: Secret = Secret()


# TLS 1.3 ----------------------------------------------------------------------------------------------------


def hkdf_extract(salt: bytes, material: bytes, hash_name: str) -> Secret:
    """Return HKDF-Extract, RFC 5869 §2.2; an empty salt stands for as many zeros as the hash is long."""
    return Secret(hmac.digest(salt or bytes(HASH_LENGTHS[hash_name]), material, hash_name))


def hkdf_expand(secret: bytes, info: bytes, length: int, hash_name: str) -> Secret:
    """Return ``length`` bytes of HKDF-Expand, RFC 5869 §2.3."""
    block, out = b"", b""
    for count in range(1, -(-length // HASH_LENGTHS[hash_name]) + 1):
        block = hmac.digest(secret, block + info + bytes((count,)), hash_name)
        out += block
    return Secret(out[:length])


def hkdf_expand_label(
    secret: bytes, label: str, context: bytes, length: int, hash_name: str, prefix: str = "tls13 "
) -> Secret:
    """Return HKDF-Expand-Label, RFC 8446 §7.1. ``prefix`` is "dtls13" in DTLS 1.3 and "TLS 1.3, " up to draft 19."""
    info = _label_info(prefix + label, length) + bytes((len(context),)) + context
    if length <= HASH_LENGTHS[hash_name]:
        return Secret(hmac.digest(secret, info + b"\x01", hash_name)[:length])
    return hkdf_expand(secret, info, length, hash_name)


@lru_cache(maxsize=64)
def _label_info(label: str, length: int) -> bytes:
    name = label.encode()
    return length.to_bytes(2, "big") + bytes((len(name),)) + name


def derive_secret(secret: bytes, label: str, messages: bytes, hash_name: str) -> Secret:
    """Return Derive-Secret, RFC 8446 §7.1; ``messages`` are the handshake messages themselves, not their hash."""
    context = hashlib.new(hash_name, messages, usedforsecurity=False).digest()
    return hkdf_expand_label(secret, label, context, HASH_LENGTHS[hash_name], hash_name)


def traffic_keys(secret: bytes, suite: Suite, prefix: str = "tls13 ") -> DirectionKeys:
    """Return key and IV of one direction from its traffic secret, RFC 8446 §7.3."""
    hash_name = suite.prf_hash
    key = hkdf_expand_label(secret, "key", b"", suite.key_length, hash_name, prefix)
    return DirectionKeys(key, hkdf_expand_label(secret, "iv", b"", suite.fixed_iv_length, hash_name, prefix))


def next_traffic_secret(secret: bytes, hash_name: str, prefix: str = "tls13 ") -> Secret:
    """Return the application traffic secret after a KeyUpdate, RFC 8446 §7.2."""
    return hkdf_expand_label(secret, "traffic upd", b"", HASH_LENGTHS[hash_name], hash_name, prefix)


def finished_13(secret: bytes, transcript_hash: bytes, hash_name: str) -> bytes:
    """Return the verify_data of a TLS 1.3 Finished or a PSK binder from its base secret, RFC 8446 §4.4.4, §4.2.11.2."""
    key = hkdf_expand_label(secret, "finished", b"", HASH_LENGTHS[hash_name], hash_name)
    return hmac.digest(key, transcript_hash, hash_name)


class EarlySchedule:
    """The part of TLS 1.3's key schedule that begins with a pre-shared key, RFC 8446 §7.1.

    A key exchange by (EC)DHE adds what cannot be known from outside; where the PSK stands alone (psk_ke,
    RFC 8446 §4.2.9), all secrets follow from it.
    """

    def __init__(self, psk: bytes, hash_name: str, external: bool = True) -> None:
        self.hash_name = hash_name
        self.external = external
        self.secret = hkdf_extract(b"", psk or bytes(HASH_LENGTHS[hash_name]), hash_name)

    def binder(self, truncated_hello: bytes) -> bytes:
        """Return the binder that proves the PSK, over the ClientHello up to its binders (RFC 8446 §4.2.11.2)."""
        key = derive_secret(self.secret, "ext binder" if self.external else "res binder", b"", self.hash_name)
        digest = hashlib.new(self.hash_name, truncated_hello, usedforsecurity=False).digest()
        return finished_13(key, digest, self.hash_name)

    def early_traffic(self, client_hello: bytes) -> Secret:
        """Return client_early_traffic_secret."""
        return derive_secret(self.secret, "c e traffic", client_hello, self.hash_name)

    def handshake(self, shared: bytes = b"") -> Secret:
        """Return the Handshake Secret; without ``shared`` (the (EC)DHE secret) that of a PSK alone."""
        salt = derive_secret(self.secret, "derived", b"", self.hash_name)
        return hkdf_extract(salt, shared or bytes(HASH_LENGTHS[self.hash_name]), self.hash_name)

    def master(self, handshake_secret: bytes) -> Secret:
        """Return the Master Secret."""
        salt = derive_secret(handshake_secret, "derived", b"", self.hash_name)
        return hkdf_extract(salt, bytes(HASH_LENGTHS[self.hash_name]), self.hash_name)


# TLS 1.0 to 1.2 ---------------------------------------------------------------------------------------------


def prf(secret: bytes, label: bytes, seed: bytes, length: int, version: int, hash_name: str) -> Secret:
    """Return ``length`` bytes of the PRF: MD5 and SHA-1 on a half each (RFC 2246 §5), from TLS 1.2 on one hash."""
    if version >= TLS12 or hash_name == "sm3":  # TLCP's one PRF, GB/T 38636 §6.3, though its version is 0x0101
        return Secret(_p_hash(secret, label + seed, length, hash_name))
    half = (len(secret) + 1) // 2
    left = _p_hash(secret[:half], label + seed, length, "md5")
    right = _p_hash(secret[len(secret) - half :], label + seed, length, "sha1")
    return Secret(_xor(left, right))


def master_secret(
    premaster: bytes,
    client_random: bytes,
    server_random: bytes,
    version: int,
    hash_name: str,
    session_hash: bytes | None = None,
) -> Secret:
    """Return the master secret, RFC 5246 §8.1; with ``session_hash`` the extended one of RFC 7627 §4."""
    if version == SSLV3:
        return Secret(_sslv3_expand(premaster, client_random + server_random, 48))
    if session_hash is not None:
        return prf(premaster, b"extended master secret", session_hash, 48, version, hash_name)
    return prf(premaster, b"master secret", client_random + server_random, 48, version, hash_name)


def session_hash(messages: bytes, version: int, hash_name: str) -> bytes:
    """Return the hash of handshake messages that RFC 7627 §3 and Finished (RFC 5246 §7.4.9) speak of."""
    if version >= TLS12 or hash_name == "sm3":
        return hashlib.new(hash_name, messages, usedforsecurity=False).digest()
    return _md5(messages) + _sha1(messages)


def psk_premaster(psk: bytes, other: bytes | None = None) -> Secret:
    """Return the premaster secret of a PSK suite, RFC 4279 §2; ``other`` is RSA_PSK's 48 bytes (§4)."""
    if other is None:
        other = bytes(len(psk))
    return Secret(len(other).to_bytes(2, "big") + other + len(psk).to_bytes(2, "big") + psk)


def connection_keys(
    master: bytes, client_random: bytes, server_random: bytes, version: int, suite: Suite
) -> tuple[DirectionKeys, DirectionKeys]:
    """Return the client's and the server's write keys, RFC 5246 §6.3; for export suites RFC 2246 §6.3.1."""
    implicit_iv = suite.block_length if version in (SSLV3, TLS10) and not suite.aead else suite.fixed_iv_length
    own_iv = 0 if suite.export else implicit_iv
    size = 2 * (suite.mac_length + suite.key_material + own_iv)
    block = _key_block(master, client_random, server_random, version, suite, size)
    parts: list[bytes] = []
    at = 0
    for length in (suite.mac_length, suite.key_material, own_iv):
        parts += [block[at : at + length], block[at + length : at + 2 * length]]
        at += 2 * length
    mac_c, mac_s, key_c, key_s, iv_c, iv_s = parts
    if suite.export:
        key_c, key_s, iv_c, iv_s = _export(key_c, key_s, client_random, server_random, version, suite, implicit_iv)
    return (
        DirectionKeys(Secret(key_c), Secret(iv_c), Secret(mac_c)),
        DirectionKeys(Secret(key_s), Secret(iv_s), Secret(mac_s)),
    )


def verify_data(master: bytes, messages: bytes, version: int, hash_name: str, client: bool) -> bytes:
    """Return what a Finished must hold after these handshake messages: RFC 5246 §7.4.9, RFC 6101 §5.6.9."""
    if version == SSLV3:
        sender = b"CLNT" if client else b"SRVR"
        return _sslv3_finished(master, messages, sender, _md5, 48) + _sslv3_finished(
            master, messages, sender, _sha1, 40
        )
    label = b"client finished" if client else b"server finished"
    return bytes(prf(master, label, session_hash(messages, version, hash_name), 12, version, hash_name))


def _key_block(
    master: bytes, client_random: bytes, server_random: bytes, version: int, suite: Suite, size: int
) -> bytes:
    if version == SSLV3:
        return _sslv3_expand(master, server_random + client_random, size)
    return prf(master, b"key expansion", server_random + client_random, size, version, suite.prf_hash)


def _export(
    key_c: bytes, key_s: bytes, client_random: bytes, server_random: bytes, version: int, suite: Suite, iv_length: int
) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the final keys and IVs of an export suite, RFC 2246 §6.3.1, RFC 6101 §6.2.2.1."""
    randoms = client_random + server_random
    if version == SSLV3:
        return (
            _md5(key_c + randoms)[: suite.key_length],
            _md5(key_s + server_random + client_random)[: suite.key_length],
            _md5(randoms)[:iv_length],
            _md5(server_random + client_random)[:iv_length],
        )
    hash_name = suite.prf_hash
    ivs = prf(b"", b"IV block", randoms, 2 * iv_length, version, hash_name)
    return (
        prf(key_c, b"client write key", randoms, suite.key_length, version, hash_name),
        prf(key_s, b"server write key", randoms, suite.key_length, version, hash_name),
        ivs[:iv_length],
        ivs[iv_length:],
    )


def _p_hash(secret: bytes, seed: bytes, length: int, hash_name: str) -> bytes:
    """Return P_hash, RFC 5246 §5."""
    out, a = b"", seed
    while len(out) < length:
        a = hmac.digest(secret, a, hash_name)
        out += hmac.digest(secret, a + seed, hash_name)
    return out[:length]


def _sslv3_expand(secret: bytes, randoms: bytes, length: int) -> bytes:
    """Return key material by MD5(secret + SHA("A" + secret + randoms)) + …, RFC 6101 §6.1 and §6.2.2."""
    out = b""
    for count in range(1, -(-length // 16) + 1):
        letters = bytes((0x40 + count,)) * count
        out += _md5(secret + _sha1(letters + secret + randoms))
    return out[:length]


def _sslv3_finished(
    master: bytes, messages: bytes, sender: bytes, digest: Callable[[bytes], bytes], pads: int
) -> bytes:
    return digest(master + b"\x5c" * pads + digest(messages + sender + master + b"\x36" * pads))


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")
