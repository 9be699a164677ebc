"""Private RSA keys, which open the handshakes of static RSA key exchange: RFC 5246 §7.4.7.1.

PEM and DER, PKCS #1, PKCS #8 and PKCS #12, encrypted or not. Errors name the file and never its content.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tlsalert.errors import CaptureError, UsageError
from tlsalert.secrets.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

#: Asks for the passphrase of what it is told the name of; None: there is none to be had.
Ask = Callable[[str], bytes | None]

#: Larger files are no keys.
MAX_FILE = 1 << 20
MIN_BITS, MAX_BITS = 512, 16384

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)


class RsaKey:
    """One private RSA key. Its repr tells the length and where it came from."""

    def __init__(self, key: RSAPrivateKey, source: str) -> None:
        self._key = key
        self.source = source
        self.bits = key.key_size
        numbers = key.public_key().public_numbers()
        self.modulus, self.exponent = numbers.n, numbers.e

    def __repr__(self) -> str:
        return f"<RSA key of {self.bits} bits from {self.source}>"

    def premaster(self, exchange: bytes) -> Secret | None:
        """Return the premaster secret out of a ClientKeyExchange's body, or None where the key is not the one.

        The two bytes of length that SSLv3 does not have (RFC 5246 §7.4.7.1) may be there or not. The version inside
        is not held against that of the hello: clients have it wrong.
        """
        size = (self.bits + 7) // 8
        for encrypted in _encrypted(exchange, size):
            if (premaster := self._decrypt(encrypted.rjust(size, b"\0"))) is not None:
                return premaster
        return None

    def _decrypt(self, encrypted: bytes) -> Secret | None:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        try:
            plain = self._key.decrypt(encrypted, PKCS1v15())
        except ValueError:
            return None
        # OpenSSL 3.2 answers wrong padding with random bytes; they don't begin with a version and end after 48.
        return Secret(plain) if len(plain) == 48 and plain[0] in (1, 3, 0xFE) else None


def encrypted_premaster(exchange: bytes) -> bytes:
    """Return the encrypted premaster secret of a ClientKeyExchange, whose length stands before it from TLS 1.0 on."""
    if len(exchange) >= 2 and int.from_bytes(exchange[:2], "big") == len(exchange) - 2:
        return exchange[2:]
    return exchange


def load_keys(data: bytes, source: str, ask: Ask | None = None) -> list[RsaKey]:
    """Return the private RSA keys in a file's content.

    Raises :class:`UsageError` where a passphrase is wrong or missing or the key is not RSA, and
    :class:`CaptureError` where there is no private key at all.
    """
    if len(data) > MAX_FILE:
        raise CaptureError("is too long for a private key", source)
    blocks = [match[0] for match in _BLOCK.finditer(data)]
    if blocks:
        return [RsaKey(_pem(block, source, ask), source) for block in blocks]
    if b"-----BEGIN" in data:
        raise CaptureError("has no private key", source, "name the file with the key, not the certificate")
    return [RsaKey(_der(data, source, ask), source)]


def read_keys(path: str, ask: Ask | None = None) -> list[RsaKey]:
    """Read the private RSA keys of a file; raises as :func:`load_keys`."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise CaptureError(f"cannot be read: {error.strerror}", path) from None
    return load_keys(data, path, ask)


def _pem(block: bytes, source: str, ask: Ask | None) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    encrypted = b"ENCRYPTED" in block
    return _rsa(lambda phrase: load_pem_private_key(block, phrase), encrypted, source, ask)


def _der(data: bytes, source: str, ask: Ask | None) -> RSAPrivateKey:
    """Read DER: PKCS #1 or #8 in clear; else encrypted PKCS #8, whose structure begins with another; else PKCS #12."""
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    if not data.startswith(b"\x30"):
        raise CaptureError("is no private key", source, "PEM, DER, PKCS #8 and PKCS #12 are read")
    inner = data[2 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0) :]
    if inner.startswith(b"\x02\x01\x03"):  # version 3: RFC 7292 §4
        return _rsa(lambda phrase: _keystore(data, phrase), True, source, ask if _is_locked(data) else None)
    return _rsa(lambda phrase: load_der_private_key(data, phrase), inner.startswith(b"\x30"), source, ask)


def _keystore(data: bytes, phrase: bytes | None) -> object:
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    if phrase is not None:
        return load_key_and_certificates(data, phrase)[0]
    try:
        return load_key_and_certificates(data, None)[0]
    except ValueError:
        return load_key_and_certificates(data, b"")[
            0
        ]  # an empty passphrase is another thing than none, RFC 7292 App. B


def _is_locked(data: bytes) -> bool:
    """Whether a PKCS #12 file needs a passphrase; only then anybody is asked for one."""
    try:
        _keystore(data, None)
    except Exception:  # whatever it is, it is told when the file is loaded
        return True
    return False


def _rsa(load: Callable[[bytes | None], object], encrypted: bool, source: str, ask: Ask | None) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    phrase = ask(source) if encrypted and ask is not None else None
    try:
        key = load(phrase)
    except UnsupportedAlgorithm:
        raise UsageError("is a kind of key that is not known", source) from None
    except (ValueError, TypeError):
        # The texts of these errors are OpenSSL's, and may quote the file.
        if not encrypted:
            raise CaptureError("is no private key, or a damaged one", source) from None
        what = "is encrypted" if phrase is None else "does not open with this passphrase"
        raise UsageError(what, source, "give the passphrase it was encrypted with") from None
    if key is None:
        raise CaptureError("has certificates but no private key", source)
    if not isinstance(key, RSAPrivateKey):
        raise UsageError("is not an RSA key", source, "only RSA key exchange can be opened with the server's key")
    if not MIN_BITS <= key.key_size <= MAX_BITS:
        raise UsageError(f"is an RSA key of {key.key_size} bits", source)
    return key


def _encrypted(exchange: bytes, size: int) -> Sequence[bytes]:
    """Return what may be the encrypted premaster: with its length stepped over, or the whole where it has none."""
    inner = encrypted_premaster(exchange)
    found = [exchange] if len(exchange) == size else []
    if inner is not exchange and len(inner) <= size:
        found.insert(0, inner)
    return found
