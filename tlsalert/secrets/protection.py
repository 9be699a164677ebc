"""Opening protected records: TLS 1.3 (RFC 8446 §5.2), TLS 1.0 to 1.2 (RFC 5246 §6.2.3) and SSLv3 (RFC 6101 §5.2.3).

An opener holds the state of one direction under one set of keys. What it cannot open it says why of, and it stays as
it was, so that other keys or other sequence numbers may be tried.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from msgspec import Struct

from tlsalert.secrets.aria import Aria
from tlsalert.secrets.gcm import Gcm
from tlsalert.secrets.schedule import DirectionKeys
from tlsalert.secrets.suites import Suite

ALERT: Final = 21
SSLV3, TLS10 = 0x0300, 0x0301

NOT_AUTHENTIC: Final = "does not authenticate"
TOO_SHORT: Final = "is too short for its cipher"
IV_UNKNOWN: Final = "cannot be read, as the end of the record before it was not kept"
NOT_INFLATED: Final = "does not decompress"
NO_CONTENT_TYPE: Final = "authenticates, but holds only padding"

#: 2^14 bytes of content, RFC 5246 §6.2.1, and what compression may add (§6.2.2).
MAX_PLAINTEXT: Final = 16384 + 1024
#: RC4 keystream that is made for a gap whose records nobody kept.
MAX_KEYSTREAM: Final = 1 << 26

#: Decrypts and authenticates: nonce, data, associated data → plaintext, or None.
Aead = Callable[[bytes, bytes, bytes], bytes | None]
#: Decrypts in CBC mode: IV and whole blocks.
Cbc = Callable[[bytes, bytes], bytes]


class Opened(Struct, frozen=True):
    """What was in a record: its own content type, its content, its sequence number and the length of its padding."""

    content_type: int
    data: bytes
    sequence: int
    padding: int = 0


class Options(Struct, frozen=True):
    """What the handshake agreed on beside the cipher suite.

    Encrypt-then-MAC (RFC 7366), a MAC of 10 bytes (RFC 6066 §7), DEFLATE (RFC 3749); ``bare`` is for drafts of
    TLS 1.3 before the 25th, which authenticate no header.
    """

    encrypt_then_mac: bool = False
    truncated_mac: bool = False
    deflate: bool = False
    bare: bool = False


NO_OPTIONS: Final = Options()


def opener_for(suite: Suite, version: int, keys: DirectionKeys, options: Options = NO_OPTIONS) -> RecordOpener | str:
    """Return an opener for the records of one direction, or why there is none. ``version`` is the negotiated one."""
    from cryptography.exceptions import UnsupportedAlgorithm

    if not suite.readable:
        return f"{suite.name} is a cipher suite that cannot be opened here"
    try:
        if suite.tls13:
            return Tls13Opener(_aead(suite, keys.key), keys, suite, options)
        if suite.mode == "draft-POLY1305":
            return AeadOpener(_old_chacha(keys.key), keys, suite, options)
        if suite.aead:
            return AeadOpener(_aead(suite, keys.key), keys, suite, options)
        if suite.mode == "CBC":
            return CbcOpener(_cbc(suite.cipher, keys.key), version, keys, suite, options)
        return StreamOpener(version, keys, suite, options)
    except UnsupportedAlgorithm:
        return f"{suite.cipher} is missing in the installed cryptography package"


class RecordOpener(ABC):
    """Opens the records of one direction, in their order. ``sequence`` is the number of the next one, from 0."""

    def __init__(self, suite: Suite, options: Options) -> None:
        self.suite = suite
        self.sequence = 0
        self._inflater = Inflater() if options.deflate else None

    def open(self, content_type: int, version: int, fragment: bytes, sequence: int | None = None) -> Opened | str:
        """Return what is in a record, or the reason why it can't be read; ``version`` is that of its header.

        A record that opens is done with: the next one is due. ``sequence`` says its number where that is not the
        next one (in DTLS it stands in the header, epoch and all: RFC 6347 §4.1).
        """
        number = self.sequence if sequence is None else sequence
        opened = self._open(content_type, version, fragment, number)
        if isinstance(opened, str):
            return opened
        if self._inflater is not None:
            plain = self._inflater.inflate(opened.data)
            if plain is None:
                return NOT_INFLATED
            opened = Opened(opened.content_type, plain, number)
        self.sequence = number + 1
        self._done(fragment)
        return opened

    def skip(self, length: int, tail: bytes = b"", records: int = 1) -> None:
        """Step over records whose ``length`` taken together is known, and perhaps the last bytes of the last one."""
        self.sequence += records
        if self._inflater is not None:
            self._inflater.lose()
        self._skipped(length, tail)

    def fail(self, fragment: bytes) -> None:
        """Step over a record that does not open."""
        self.skip(len(fragment), fragment)

    def lose(self) -> None:
        """Take note that bytes are missing: the state that leans on the record before the next one is gone."""
        if self._inflater is not None:
            self._inflater.lose()

    def search(
        self, content_type: int, version: int, fragment: bytes, records: int, lost: int | None = None
    ) -> Opened | str:
        """Open a record before which up to ``records`` others are missing, in ``lost`` bytes where that is known."""
        for number in range(self.sequence, self.sequence + records + 1):
            opened = self.open(content_type, version, fragment, number)
            if not isinstance(opened, str):
                return opened
        return NOT_AUTHENTIC

    @abstractmethod
    def _open(self, content_type: int, version: int, fragment: bytes, sequence: int) -> Opened | str: ...

    def _done(self, fragment: bytes) -> None:  # noqa: B027, most have no state
        """Take note that a record was opened."""

    def _skipped(self, length: int, tail: bytes) -> None:  # noqa: B027
        """Take note that a record was stepped over."""


class Tls13Opener(RecordOpener):
    """TLS 1.3: the content type is inside, and padding may follow it. RFC 8446 §5.2 to §5.4."""

    def __init__(self, decrypt: Aead, keys: DirectionKeys, suite: Suite, options: Options) -> None:
        super().__init__(suite, options)
        self._decrypt = decrypt
        self._iv = int.from_bytes(keys.iv, "big")
        self._length = len(keys.iv)
        self._bare = options.bare

    def _open(self, content_type: int, version: int, fragment: bytes, sequence: int) -> Opened | str:
        header = b"" if self._bare else _header(content_type, version, len(fragment))
        nonce = (self._iv ^ sequence).to_bytes(self._length, "big")
        plain = self._decrypt(nonce, fragment, header)
        if plain is None:
            return NOT_AUTHENTIC
        content = plain.rstrip(b"\0")
        if not content:
            return NO_CONTENT_TYPE
        return Opened(content[-1], content[:-1], sequence, len(plain) - len(content))


class AeadOpener(RecordOpener):
    """AEAD ciphers of TLS 1.2, RFC 5246 §6.2.3.3: with an explicit nonce (RFC 5288 §3) or without (RFC 7905 §2)."""

    def __init__(self, decrypt: Aead, keys: DirectionKeys, suite: Suite, options: Options) -> None:
        super().__init__(suite, options)
        self._decrypt = decrypt
        self._iv = bytes(keys.iv)
        self._number = int.from_bytes(keys.iv, "big")
        self._explicit = suite.record_iv_length
        self._over = suite.record_iv_length + suite.tag_length

    def _open(self, content_type: int, version: int, fragment: bytes, sequence: int) -> Opened | str:
        length = len(fragment) - self._over
        if length < 0:
            return TOO_SHORT
        associated = sequence.to_bytes(8, "big") + _header(content_type, version, length)
        if self._explicit:
            plain = self._decrypt(self._iv + fragment[:8], fragment[8:], associated)
        elif self._iv:
            plain = self._decrypt((self._number ^ sequence).to_bytes(12, "big"), fragment, associated)
        else:
            plain = self._decrypt(sequence.to_bytes(8, "big"), fragment, associated)
        return NOT_AUTHENTIC if plain is None else Opened(content_type, plain, sequence)


class MacOpener(RecordOpener):
    """What CBC and stream ciphers share: a MAC over sequence number, header and content."""

    def __init__(self, version: int, keys: DirectionKeys, suite: Suite, options: Options) -> None:
        super().__init__(suite, options)
        self._version = version
        self._mac_key = bytes(keys.mac_key)
        self._mac_name = suite.mac or ""
        self._mac_length = 10 if options.truncated_mac and suite.mac else suite.mac_length

    def _mac(self, content_type: int, version: int, content: bytes, sequence: int) -> bytes:
        if not self._mac_name:
            return b""
        if self._version == SSLV3:
            return self._ssl_mac(content_type, content, sequence)
        data = sequence.to_bytes(8, "big") + _header(content_type, version, len(content)) + content
        return hmac.digest(self._mac_key, data, self._mac_name)[: self._mac_length]

    def _ssl_mac(self, content_type: int, content: bytes, sequence: int) -> bytes:
        """Return SSLv3's MAC, RFC 6101 §5.2.3.1: HMAC's ancestor, without the version."""
        digest = _hasher(self._mac_name)
        pads = 48 if self._mac_name == "md5" else 40
        head = sequence.to_bytes(8, "big") + bytes((content_type,)) + len(content).to_bytes(2, "big")
        inner = digest(self._mac_key + b"\x36" * pads + head + content)
        return digest(self._mac_key + b"\x5c" * pads + inner)

    def _checked(self, content_type: int, version: int, plain: bytes, sequence: int) -> Opened | str:
        """Take the MAC off the end of a plaintext and hold it against what it should be."""
        cut = len(plain) - self._mac_length
        if cut < 0:
            return TOO_SHORT
        content = plain[:cut]
        if not hmac.compare_digest(self._mac(content_type, version, content, sequence), plain[cut:]):
            return NOT_AUTHENTIC
        return Opened(content_type, content, sequence)


class StreamOpener(MacOpener):
    """RC4 and no cipher at all, RFC 5246 §6.2.3.1. RC4's keystream runs on over all records."""

    def __init__(self, version: int, keys: DirectionKeys, suite: Suite, options: Options) -> None:
        super().__init__(version, keys, suite, options)
        self._keystream: Callable[[bytes], bytes] | None = None
        self._ready = b""
        if suite.cipher == "RC4":
            from cryptography.hazmat.primitives.ciphers import Cipher

            self._keystream = Cipher(_algorithm("ARC4")(bytes(keys.key)), None).encryptor().update

    def _open(self, content_type: int, version: int, fragment: bytes, sequence: int) -> Opened | str:
        return self._open_at(content_type, version, fragment, sequence, 0)

    def _open_at(self, content_type: int, version: int, fragment: bytes, sequence: int, offset: int) -> Opened | str:
        if self._keystream is None:
            return self._checked(content_type, version, fragment, sequence)
        end = offset + len(fragment)
        if end > len(self._ready):
            self._ready += self._keystream(bytes(end - len(self._ready)))
        return self._checked(content_type, version, _xor(fragment, self._ready[offset:end]), sequence)

    def search(
        self, content_type: int, version: int, fragment: bytes, records: int, lost: int | None = None
    ) -> Opened | str:
        """Find the place in the keystream as well: each lost record had five bytes of header."""
        if self._keystream is None:
            return super().search(content_type, version, fragment, records, lost)
        if lost is None or lost > MAX_KEYSTREAM:
            return NOT_AUTHENTIC
        for count in range(min(records, lost // 5) + 1):
            offset, number = lost - 5 * count, self.sequence + count
            if isinstance(self._open_at(content_type, version, fragment, number, offset), Opened):
                self._ready = self._ready[offset:]
                return self.open(content_type, version, fragment, number)
        return NOT_AUTHENTIC

    def _done(self, fragment: bytes) -> None:
        self._ready = self._ready[len(fragment) :]

    def _skipped(self, length: int, tail: bytes) -> None:
        have = len(self._ready)
        if length > have and self._keystream is not None:
            self._keystream(bytes(length - have))
        self._ready = self._ready[length:]


class CbcOpener(MacOpener):
    """Block ciphers in CBC mode, RFC 5246 §6.2.3.2. Up to TLS 1.0 a record's IV is the end of the one before it."""

    def __init__(self, decrypt: Cbc, version: int, keys: DirectionKeys, suite: Suite, options: Options) -> None:
        super().__init__(version, keys, suite, options)
        self._decrypt = decrypt
        self._block = suite.block_length
        self._chained = version in (SSLV3, TLS10)
        self._iv: bytes | None = bytes(keys.iv)
        self._after = options.encrypt_then_mac
        self._sound = b""
        self._doubtful = False

    def _open(self, content_type: int, version: int, fragment: bytes, sequence: int) -> Opened | str:
        if self._after:
            cut = len(fragment) - self._mac_length
            if cut < 0:
                return TOO_SHORT
            if not hmac.compare_digest(self._mac(content_type, version, fragment[:cut], sequence), fragment[cut:]):
                return NOT_AUTHENTIC
            self._sound, fragment = fragment, fragment[:cut]
        iv: bytes | None = self._iv
        if not self._chained:
            iv, fragment = fragment[: self._block], fragment[self._block :]
        if not fragment or len(fragment) % self._block:
            return TOO_SHORT if len(fragment) < self._block else NOT_AUTHENTIC
        if self._after and self._chained and sequence != self.sequence:
            iv = None  # the record before this one is missing
        if iv is None:
            return self._guessed(content_type, version, fragment, sequence)
        plain = self._unpadded(self._decrypt(iv, fragment))
        if self._after:
            return NOT_AUTHENTIC if plain is None else Opened(content_type, plain, sequence)
        opened = NOT_AUTHENTIC if plain is None else self._checked(content_type, version, plain, sequence)
        if self._doubtful and isinstance(opened, str):
            return self._guessed(content_type, version, fragment, sequence)
        return opened

    def _unpadded(self, plain: bytes) -> bytes | None:
        """Take the padding off, whose last byte is the length of the rest; SSLv3's may hold anything."""
        size = plain[-1] + 1
        if size > len(plain):
            return None
        if self._version == SSLV3:
            return plain[:-size] if size <= self._block else None
        return plain[:-size] if plain.endswith(bytes((size - 1,)) * size) else None

    def _guessed(self, content_type: int, version: int, fragment: bytes, sequence: int) -> Opened | str:
        """Read an alert whose first block cannot be decrypted: only one alert has the MAC that its other blocks show.

        At least 4 bytes of the MAC must lie beyond the first block, or the guess could go wrong.
        """
        if self._after or content_type != ALERT:
            return IV_UNKNOWN
        plain = self._unpadded(self._decrypt(bytes(self._block), fragment))
        if plain is None or len(plain) != 2 + self._mac_length or len(plain) - self._block < 4:
            return IV_UNKNOWN
        seen = plain[self._block :]
        for alert in (bytes((level, description)) for level in (1, 2) for description in range(256)):
            if self._mac(content_type, version, alert, sequence).endswith(seen):
                return Opened(content_type, alert, sequence)
        return NOT_AUTHENTIC

    def _done(self, fragment: bytes) -> None:
        if self._chained:
            end = len(fragment) - (self._mac_length if self._after else 0)
            self._iv, self._doubtful = fragment[end - self._block : end], False

    def fail(self, fragment: bytes) -> None:
        """Step over a record that does not open.

        With encrypt-then-MAC nothing authenticates the IV that comes from it, and the next record would open with a
        first block of garbage; only a record whose MAC was right may lend its end.
        """
        self.skip(len(fragment), fragment if not self._after or fragment == self._sound else b"")

    def lose(self) -> None:
        """Doubt the IV, which was the end of the record before; where no MAC would tell that it is wrong, forget it."""
        super().lose()
        self._doubtful = self._chained
        if self._chained and self._after:
            self._iv = None

    def _skipped(self, length: int, tail: bytes) -> None:
        if self._chained:
            end = len(tail) - (self._mac_length if self._after else 0)
            self._iv, self._doubtful = tail[end - self._block : end] if end >= self._block else None, False


class Inflater:
    """DEFLATE over the records of one direction, RFC 3749 §2: what went before is its dictionary."""

    def __init__(self) -> None:
        self._state: Any = zlib.decompressobj()

    def inflate(self, data: bytes) -> bytes | None:
        """Return a record's content, or None where it cannot be had or is longer than a record may be."""
        if self._state is None or not data:
            return None if self._state is None else b""
        try:
            plain: bytes = self._state.decompress(data, MAX_PLAINTEXT)
        except zlib.error:
            self._state = None
            return None
        if self._state.unconsumed_tail:
            self._state = None
            return None
        return plain

    def lose(self) -> None:
        """Give up: a record is missing, and all later ones lean on it."""
        self._state = None


def _header(content_type: int, version: int, length: int) -> bytes:
    return bytes((content_type, version >> 8, version & 0xFF, length >> 8 & 0xFF, length & 0xFF))


def _aead(suite: Suite, key: bytes) -> Aead:
    from cryptography.hazmat.primitives.ciphers import aead

    if suite.mode == "POLY1305":
        return _quiet(aead.ChaCha20Poly1305(bytes(key)).decrypt)
    if suite.mode == "CCM":
        return _quiet(aead.AESCCM(bytes(key), tag_length=suite.tag_length).decrypt)
    if suite.cipher == "AES":
        return _quiet(aead.AESGCM(bytes(key)).decrypt)
    return Gcm(_blocks(suite.cipher, bytes(key))).decrypt


def _quiet(decrypt: Callable[[bytes, bytes, bytes | None], bytes]) -> Aead:
    """Return None where an AEAD of the library raises."""
    from cryptography.exceptions import InvalidTag

    def opened(nonce: bytes, data: bytes, associated: bytes) -> bytes | None:
        try:
            return decrypt(nonce, data, associated)
        except (InvalidTag, ValueError):
            return None

    return opened


def _old_chacha(key: bytes) -> Aead:
    """Return draft-agl-tls-chacha20poly1305-04's ChaCha20-Poly1305: a nonce of 8 bytes, a length after each part."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
    from cryptography.hazmat.primitives.poly1305 import Poly1305

    def opened(nonce: bytes, data: bytes, associated: bytes) -> bytes | None:
        ciphertext, tag = data[:-16], data[-16:]
        stream = Cipher(algorithms.ChaCha20(bytes(key), bytes(8) + nonce), None).decryptor()
        one_time = stream.update(bytes(64))[:32]
        lengths = len(associated).to_bytes(8, "little"), len(ciphertext).to_bytes(8, "little")
        right = Poly1305.generate_tag(one_time, associated + lengths[0] + ciphertext + lengths[1])
        return stream.update(ciphertext) if hmac.compare_digest(right, tag) else None

    return opened


def _blocks(cipher: str, key: bytes) -> Callable[[bytes], bytes]:
    """Return a block cipher's encryption, block by block."""
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    if cipher == "ARIA":
        return Aria(key).encrypt
    return Cipher(_algorithm(_CLASSES[cipher])(key), modes.ECB()).encryptor().update  # noqa: S305, as GCM is built on it


def _cbc(cipher: str, key: bytes) -> Cbc:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    if cipher == "ARIA":
        return Aria(bytes(key)).decrypt_cbc
    # DES is Triple DES with one key three times, NIST SP 800-67 §3.2.
    algorithm = _algorithm(_CLASSES[cipher])(bytes(key) * 3 if cipher == "DES" else bytes(key))
    Cipher(algorithm, modes.CBC(bytes(algorithm.block_size // 8))).decryptor()  # raises here, once, where it is missing

    def decrypted(iv: bytes, data: bytes) -> bytes:
        return Cipher(algorithm, modes.CBC(iv)).decryptor().update(data)

    return decrypted


#: What the cryptography package calls the ciphers.
_CLASSES: Final = {
    "AES": "AES",
    "CAMELLIA": "Camellia",
    "SM4": "SM4",
    "3DES_EDE": "TripleDES",
    "DES": "TripleDES",
    "IDEA": "IDEA",
    "SEED": "SEED",
    "RC2": "RC2",
}


@cache
def _algorithm(name: str) -> Any:
    """Return a cipher's class; the package moves those that it wants to be rid of into ``decrepit``."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.decrepit.ciphers import algorithms as old
    from cryptography.hazmat.primitives.ciphers import algorithms

    found = getattr(old, name, None) or getattr(algorithms, name, None)
    if found is None:
        raise UnsupportedAlgorithm(name)
    return found


@cache
def _hasher(name: str) -> Callable[[bytes], bytes]:
    def digest(data: bytes) -> bytes:
        return hashlib.new(name, data, usedforsecurity=False).digest()

    return digest


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")
