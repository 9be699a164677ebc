"""Java's key stores: JKS and JCEKS of the JDK, and BKS of Bouncy Castle. Their certificates need no passphrase.

The formats are those of sun.security.provider.JavaKeyStore, com.sun.crypto.provider.JceKeyStore and
org.bouncycastle.jcajce.provider.keystore.bc.BcKeyStoreSpi. All numbers are big-endian.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha1, sha256
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Blob, Damage, Data
from tlsalert.pki.der import element, parts
from tlsalert.pki.found import Found
from tlsalert.pki.keys import Phrases, private_found, well_known
from tlsalert.pki.objects import certificate_found

JKS, JCEKS = b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"
#: A BKS store has no magic number: its version, the length of its salt, and behind that a number of rounds.
BKS_VERSIONS: Final = (1, 2)
BKS_SALT: Final = 20
BKS_ROUNDS: Final = range(1, 0x4000)
#: A stranger's store may claim four thousand million entries; each costs at least this many bytes.
SMALLEST_ENTRY: Final = 11
LARGEST: Final = 64 << 20


def keystore_kind(data: Data) -> str | None:
    """Return "JKS", "JCEKS" or "BKS" by the first bytes, None where it is no such store."""
    head = data[:32]
    if head[:4] in (JKS, JCEKS) and head[4:8] in (b"\0\0\0\1", b"\0\0\0\2"):
        return "JKS" if head[:4] == JKS else "JCEKS"
    if len(head) == 32 and int.from_bytes(head[:4], "big") in BKS_VERSIONS and head[4:8] == b"\0\0\0\x14":
        return "BKS" if int.from_bytes(head[28:32], "big") in BKS_ROUNDS else None
    return None


def read_keystore(blob: Blob, phrases: Phrases) -> Iterator[Found | Damage]:
    """Yield a store, and its entries up to where it breaks off."""
    kind = keystore_kind(blob.data)
    data = blob.data[:LARGEST]
    if kind is None:
        return
    yield Found(blob.where, "keystore", sha256(data).hexdigest(), key=kind, mode=blob.mode)
    reader = _Reader(data)
    entries = _bks(reader, blob) if kind == "BKS" else _java(reader, blob, phrases)
    try:
        yield from entries
    except (DecodeError, IndexError) as error:
        yield Damage(blob.where, f"the {kind} key store breaks off at byte {reader.at}: {error}")


class _Reader:
    """Reads Java's DataOutput forms; all lengths are held against what is left."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise DecodeError(f"it claims {size} bytes, {len(self.data) - self.at} left")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> str:
        return self.take(self.number(2)).decode("utf-8", "backslashreplace")


def _java(reader: _Reader, blob: Blob, phrases: Phrases) -> Iterator[Found | Damage]:
    """Read JKS and JCEKS: version, number of entries, then each with its tag, alias and date."""
    reader.take(4)
    version = reader.number()
    for _ in range(reader.number()):
        tag, alias = reader.number(), reader.text()
        reader.take(8)
        place = blob.member(alias, b"", blob.mode)
        if tag == 1:
            key = reader.take(reader.number())
            chain = [_certificate(reader, version) for _ in range(_few(reader))]
            yield from _key(key, chain, place, reader.at, phrases)
            for der in chain:
                yield from certificate_found(der, place, reader.at, alias)
        elif tag == 2:
            yield from certificate_found(_certificate(reader, version), place, reader.at, alias)
        else:
            yield Damage(place.where, "a secret key in Java's own serialised form: it and what follows is not read")
            return


def _few(reader: _Reader) -> int:
    many = reader.number()
    if many * SMALLEST_ENTRY > len(reader.data) - reader.at:
        raise DecodeError(f"it claims {many} certificates")
    return many


def _certificate(reader: _Reader, version: int) -> bytes:
    if version == 2:
        reader.text()  # "X.509"
    return reader.take(reader.number())


def _key(data: bytes, chain: list[bytes], place: Blob, offset: int, phrases: Phrases) -> Iterator[Found | Damage]:
    """Yield a key entry: opened where a passphrase does, else as encrypted, of the kind that its certificate says."""
    for phrase in phrases.of(place.where):
        plain = _unprotected(data, phrase)
        if plain is not None:
            for one in private_found(plain, place, offset, phrases, encrypted=False):
                yield _marked(one, well_known(phrase))
            return
    leaf = next((one for der in chain[:1] for one in certificate_found(der, place, offset)), None)
    known = leaf if isinstance(leaf, Found) else None
    yield Found(
        place.where,
        "private_key",
        sha256(data).hexdigest(),
        known.spki_sha256 if known else None,
        key=known.key if known else None,
        encrypted=True,
        offset=offset,
        mode=place.mode,
    )


def _marked(one: Found | Damage, problems: tuple[str, ...]) -> Found | Damage:
    from dataclasses import replace

    return one if isinstance(one, Damage) else replace(one, encrypted=True, problems=(*one.problems, *problems))


def _unprotected(data: bytes, phrase: bytes) -> bytes | None:
    """Return the PKCS #8 key that sun.security.provider.KeyProtector hid: SHA-1 makes the stream and the proof."""
    try:
        protected = parts(element(data), 2)[1].content
    except DecodeError:
        return None
    salt, hidden, proof = protected[:20], protected[20:-20], protected[-20:]
    if len(proof) < 20 or len(hidden) < 32:
        return None
    secret = phrase.decode("utf-8", "replace").encode("utf-16-be")
    stream, last = b"", salt
    while len(stream) < len(hidden):
        last = sha1(secret + last, usedforsecurity=False).digest()
        stream += last
    plain = bytes(one ^ other for one, other in zip(hidden, stream, strict=False))
    return plain if sha1(secret + plain, usedforsecurity=False).digest() == proof else None


def _bks(reader: _Reader, blob: Blob) -> Iterator[Found | Damage]:
    """Read BKS: each entry with its type (1 certificate, 2 key, 3 secret, 4 sealed), alias, date and chain."""
    reader.take(8 + BKS_SALT + 4)
    while (kind := reader.number(1)) != 0:
        if kind > 4:
            raise DecodeError(f"an entry of type {kind}")
        alias = reader.text()
        reader.take(8)
        place = blob.member(alias, b"", blob.mode)
        chain = [_bks_certificate(reader) for _ in range(_few(reader))]
        for der in chain:
            yield from certificate_found(der, place, reader.at, alias)
        if kind == 1:
            yield from certificate_found(_bks_certificate(reader), place, reader.at, alias)
        elif kind == 2:
            yield from _bks_key(reader, place)
        else:
            yield from _sealed(reader.take(reader.number()), chain, place, reader.at)


def _bks_certificate(reader: _Reader) -> bytes:
    reader.text()
    return reader.take(reader.number())


def _bks_key(reader: _Reader, place: Blob) -> Iterator[Found | Damage]:
    """Read a key that is stored in clear: 0 private, 1 public, 2 secret; its format, algorithm and bytes."""
    kind = reader.number(1)
    reader.text()
    reader.text()
    data = reader.take(reader.number())
    if kind == 0:
        yield from private_found(data, place, reader.at, Phrases(), encrypted=False)


def _sealed(data: bytes, chain: list[bytes], place: Blob, offset: int) -> Iterator[Found | Damage]:
    """Yield a sealed key; that it is a private one shows by its certificates."""
    if chain:
        leaf = next(certificate_found(chain[0], place, offset), None)
        known = leaf if isinstance(leaf, Found) else None
        digest = sha256(data).hexdigest()
        yield Found(
            place.where,
            "private_key",
            digest,
            known.spki_sha256 if known else None,
            key=known.key if known else None,
            encrypted=True,
            offset=offset,
            mode=place.mode,
        )
