"""One blob's own bytes looked through for certificates and keys: key stores, PEM, OpenSSH lines, DER at any offset.

What lies in a text, or begins at the first byte, is told under the blob's own place; what is carved out of other bytes
under "BLOB!raw@0x301a38".
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Blob, Covered, Damage, Data
from tlsalert.pki.der import element
from tlsalert.pki.found import Found
from tlsalert.pki.keys import RSA_ALGORITHM, Phrases, attempt, encoded, loaded_found, private_found, well_known
from tlsalert.pki.keystores import keystore_kind, read_keystore
from tlsalert.pki.objects import der_kind, public_found, read_object
from tlsalert.pki.openssh import read_private, read_public_lines
from tlsalert.pki.pem import Block, blocks
from tlsalert.secrets.secret import Secret
from tlsalert.sources.recognise import is_text

#: How what is looked for begins in DER, field by field up to what tells it from other bytes.
_LENGTH = rb"(?:\x82..|\x81.|\x83...|[\x1c-\x7f])"
SIGN: Final = re.compile(
    rb"\x30" + _LENGTH + rb"(?:"
    rb"\x30" + _LENGTH + rb"(?:\xa0\x03\x02\x01[\x00-\x02]\x02[\x01-\x21]"  # certificate of version 2 or 3
    rb"|\x02[\x01-\x15].{1,21}?\x30[\x05-\x41]\x06"  # certificate of version 1, revocation list of version 2
    rb"|\x02\x01\x00\x30"  # request
    rb"|\x30[\x05-\x41]\x06.{3,64}?\x30)"  # revocation list of version 1
    rb"|\x02\x01[\x00\x01]\x30(?:[\x05-\x7f]|\x81.|\x82..)\x06"  # PKCS #8
    rb"|\x02\x01\x00\x02(?:\x81.|\x82..|[\x21-\x7f])"  # RSA and DSA
    rb"|\x02\x01\x01\x04[\x14-\x48]"  # EC
    rb"|\x02\x01\x03\x30(?:\x82..|\x83...|\x80)\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"  # PKCS #12
    rb"|\x30(?:[\x05-\x7f]|\x81.|\x82..)\x06(?:"
    rb"\x09\x2a\x86\x48\x86\xf7\x0d\x01(?:\x01|\x05)"  # a public RSA key; encrypted PKCS #8
    rb"|\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01"  # encrypted PKCS #8 as PKCS #12 does it
    rb"|\x07\x2a\x86\x48\xce\x3d\x02\x01|\x03\x2b\x65[\x6e-\x71])"  # public EC, X25519 … Ed448 keys
    rb"|\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0"  # PKCS #7
    rb")",
    re.DOTALL,
)
#: Certificates of versions 2 and 3 have so many fixed bytes that one cut off is told.
SURE: Final = re.compile(
    rb"\x30\x82..\x30\x82..\xa0\x03\x02\x01[\x01\x02]\x02[\x08-\x14].{8,20}\x30[\x05-\x41]\x06", re.DOTALL
)
#: Bytes that are copied out for closer looks, for each byte of the blob, plus so many: what a stranger makes look like
#: DER at every offset is not all read.
EFFORT: Final = 4
AT_LEAST: Final = 64 << 20
LONGEST: Final = 32 << 20
#: Ciphers of DEK-Info and the bytes of their initialisation vectors, RFC 1423 §1.1 and OpenSSL's names for AES.
BLOCKS: Final = {"DES-CBC": 8, "DES-EDE3-CBC": 8, "AES-128-CBC": 16, "AES-192-CBC": 16, "AES-256-CBC": 16}
#: "-----BEGIN " in base64, as in Kubernetes' files.
WRAPPED: Final = re.compile(rb"LS0tLS1CRUdJTi[A-Za-z0-9+/]{64,}={0,2}")


def scan(blob: Blob, phrases: Phrases, covered: Sequence[Covered] = ()) -> Iterator[Found | Damage]:
    """Yield what is found in a blob's bytes, apart from those that are ``covered``."""
    data = blob.data
    if len(data) < 16:
        return
    if keystore_kind(data) is not None:
        yield from read_keystore(blob, phrases)
        return
    text = is_text(data[:4096])
    taken = _Ranges(covered)
    yield from _pem(blob, phrases, taken, text)
    if text:
        yield from read_public_lines(data, blob)
        yield from _wrapped(blob, phrases)
    yield from _der(blob, phrases, taken, text)


class _Ranges:
    """Bytes that are told already, in order."""

    def __init__(self, covered: Sequence[Covered]) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        for one in sorted(covered, key=lambda part: part.start):
            if self._stops and one.start <= self._stops[-1]:
                self._stops[-1] = max(self._stops[-1], one.stop)
            else:
                self._starts.append(one.start)
                self._stops.append(one.stop)
        self._more: list[tuple[int, int]] = []

    def add(self, start: int, stop: int) -> None:
        self._more.append((start, stop))

    def merge(self) -> None:
        """Take in what was added."""
        known = [Covered(*pair) for pair in (*zip(self._starts, self._stops, strict=True), *self._more)]
        self.__init__(known)  # type: ignore[misc]

    def end_of(self, at: int) -> int | None:
        """Return where the told bytes around ``at`` end; None where it is not among them."""
        place = bisect_right(self._starts, at) - 1
        return self._stops[place] if place >= 0 and at < self._stops[place] else None


def _placed(blob: Blob, offset: int, text: bool) -> Blob:
    """Return the blob under the place that something at ``offset`` has."""
    return blob if text or offset == 0 else blob.renamed(f"{blob.where}!raw@{offset:#x}")


def _pem(blob: Blob, phrases: Phrases, taken: _Ranges, text: bool) -> Iterator[Found | Damage]:
    for block in blocks(blob.data):
        if taken.end_of(block.start) is not None:
            continue
        place = _placed(blob, block.start, text)
        if block.data is None:
            yield Damage(place.where, f"a PEM block {block.label!r} at byte {block.start} is cut off or no base64")
            continue
        taken.add(block.start, block.stop)
        yield from read_block(block, place, phrases)
    taken.merge()


def read_block(block: Block, blob: Blob, phrases: Phrases) -> Iterator[Found | Damage]:
    """Yield what one PEM block holds, by its content and not by its label; parameters and others' blocks are passed."""
    data = block.data or b""
    if block.label == "OPENSSH PRIVATE KEY":
        yield from read_private(data, blob, block.start)
    elif block.encrypted:
        yield from _old_encrypted(block, blob, phrases)
    elif block.label == "RSA PUBLIC KEY":
        yield from public_found(_rsa_public(data), blob, block.start)
    elif "PARAMETERS" not in block.label and "PGP" not in block.label and "SSH2" not in block.label:
        if block.label == "TRUSTED CERTIFICATE":
            data = _first(data)  # OpenSSL's own trust settings stand behind it
        found = list(read_object(data, blob, block.start, phrases))
        yield from found
        if not found and any(word in block.label for word in ("CERT", "KEY", "CRL", "PKCS")):
            yield Damage(blob.where, f"a PEM block {block.label!r} at byte {block.start} holds no such thing")


def _old_encrypted(block: Block, blob: Blob, phrases: Phrases) -> Iterator[Found | Damage]:
    """Yield a private key that is encrypted as OpenSSL did before PKCS #8: Proc-Type and DEK-Info."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    info = dict(block.headers).get("DEK-Info", "").partition(",")
    known = len(info[2]) == 2 * BLOCKS.get(info[0], -1)  # the library panics over another length
    for phrase in phrases.of(blob.where) if known else ():
        key = attempt(partial(load_pem_private_key, block.text(), phrase, unsafe_skip_rsa_key_validation=True))
        if key is not None:
            yield loaded_found(key, blob, block.start, None, well_known(phrase))
            return
    for one in private_found(block.data or b"", blob, block.start, Phrases(), encrypted=True):
        # Its headers say how it is encrypted: the bytes alone would be of no use.
        yield replace(one, secret=Secret(block.text())) if isinstance(one, Found) else one


def _rsa_public(data: bytes) -> bytes:
    """Return PKCS #1's RSAPublicKey as a SubjectPublicKeyInfo, RFC 3279 §2.3.1."""
    return encoded(0x30, RSA_ALGORITHM + encoded(3, b"\0" + data))


def _first(data: bytes) -> bytes:
    try:
        return element(data).whole
    except DecodeError:
        return data


def _wrapped(blob: Blob, phrases: Phrases) -> Iterator[Found | Damage]:
    """Yield what stands as PEM that was put into base64 once more."""
    for match in WRAPPED.finditer(blob.data):
        try:
            inner = base64.b64decode(match[0] + b"=" * (-len(match[0]) % 4))
        except binascii.Error:
            continue
        for block in blocks(inner):
            if block.data is not None:
                yield from read_block(block._replace(start=match.start()), blob, phrases)


def _der(blob: Blob, phrases: Phrases, taken: _Ranges, text: bool) -> Iterator[Found | Damage]:
    data = blob.data
    effort = EFFORT * len(data) + AT_LEAST
    at = 0
    while (match := SIGN.search(data, at)) is not None:
        start = match.start()
        end = taken.end_of(start)
        if end is not None:
            at = end
            continue
        at = start + 1
        size = _size(data, start)
        place = _placed(blob, start, text)
        if size > len(data) - start:
            if SURE.match(data, start):
                yield Damage(
                    place.where, f"a certificate at byte {start} is cut off: {len(data) - start} of {size} bytes"
                )
            continue
        if size > LONGEST:
            continue
        effort -= size
        if effort < 0:
            yield Damage(blob.where, f"too much looks like DER: what follows byte {start} is not carved")
            return
        piece = data[start : start + size]
        if der_kind(piece) is None:
            continue
        found = list(read_object(piece, place, start, phrases))
        if start:  # by chance, bytes may look a little like a key
            found = [one for one in found if isinstance(one, Found)]
        yield from found
        if found:
            at = start + size


def _size(data: Data, at: int) -> int:
    """Return the bytes of the DER element at ``at``."""
    size = data[at + 1]
    many = size & 0x7F if size & 0x80 else 0
    return 2 + many + int.from_bytes(data[at + 2 : at + 2 + many], "big") if many else 2 + size
