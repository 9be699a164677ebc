"""Private RSA keys, which open the handshakes of static RSA key exchange: RFC 5246 §7.4.7.1.

PEM and DER, PKCS #1, PKCS #8 and PKCS #12, encrypted or not. Errors name the file and never its content.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tlsalert.errors import UsageError
from tlsalert.pki import key_files
from tlsalert.pki.key_files import MAX_FILE as MAX_FILE
from tlsalert.pki.key_files import Ask as Ask
from tlsalert.secrets.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

MIN_BITS, MAX_BITS = 512, 16384


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
    return [_rsa(key, source) for key in key_files.load_keys(data, source, ask)]


def read_keys(path: str, ask: Ask | None = None) -> list[RsaKey]:
    """Read the private RSA keys of a file; raises as :func:`load_keys`."""
    return [_rsa(key, path) for key in key_files.read_keys(path, ask)]


def _rsa(key: object, source: str) -> RsaKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if not isinstance(key, RSAPrivateKey):
        raise UsageError("is not an RSA key", source, "only RSA key exchange can be opened with the server's key")
    if not MIN_BITS <= key.key_size <= MAX_BITS:
        raise UsageError(f"is an RSA key of {key.key_size} bits", source)
    return RsaKey(key, source)


def _encrypted(exchange: bytes, size: int) -> Sequence[bytes]:
    """Return what may be the encrypted premaster: with its length stepped over, or the whole where it has none."""
    inner = encrypted_premaster(exchange)
    found = [exchange] if len(exchange) == size else []
    if inner is not exchange and len(inner) <= size:
        found.insert(0, inner)
    return found
