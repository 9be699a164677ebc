"""Files with private keys and certificates: PEM and DER, PKCS #1, #8 and #12, encrypted or not.

Errors name the file and never its content.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from typing import Any

from tlsalert.errors import CaptureError, DecodeError, UsageError

#: Asks for the passphrase of what it is told the name of; None: there is none to be had.
Ask = Callable[[str], bytes | None]

#: Larger files hold neither keys nor the certificates of a chain.
MAX_FILE = 1 << 20

_KEY = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)
_CERTIFICATE = re.compile(rb"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----(.+?)-----END \1?CERTIFICATE-----", re.DOTALL)


def load_keys(data: bytes, source: str, ask: Ask | None = None) -> list[object]:
    """Return the private keys in a file's content, as the library has them; never an empty list.

    Raises :class:`UsageError` where a passphrase is wrong or missing or the kind of key is not known, and
    :class:`CaptureError` where there is no private key at all.
    """
    if len(data) > MAX_FILE:
        raise CaptureError("is too long for a private key", source)
    blocks = [match[0] for match in _KEY.finditer(data)]
    if blocks:
        return [_pem(block, source, ask) for block in blocks]
    if b"-----BEGIN" in data:
        raise CaptureError("has no private key", source, "name the file with the key, not the certificate")
    return [_der(data, source, ask)]


def read_keys(path: str, ask: Ask | None = None) -> list[object]:
    """Read the private keys of a file; raises as :func:`load_keys`."""
    return load_keys(_content(path), path, ask)


def load_identity(data: bytes, source: str, ask: Ask | None = None) -> tuple[list[bytes], object | None]:
    """Return the certificates (DER) in a file's content, one at least, and the first private key beside them.

    Raises :class:`CaptureError` where there is no certificate, and :class:`UsageError` as :func:`load_keys`.
    """
    if len(data) > MAX_FILE:
        raise CaptureError("is too long for certificates", source)
    if b"-----BEGIN" in data:
        found = [_decoded(match[2], source) for match in _CERTIFICATE.finditer(data)]
        key = load_keys(data, source, ask)[0] if found and _KEY.search(data) else None
    elif _is_keystore(data):
        key, found = _keystore_content(data, source, ask)
    else:
        found, key = ([data] if data.startswith(b"\x30") else []), None
    if not found:
        raise CaptureError("has no certificate", source, "PEM, DER and PKCS #12 are read")
    return found, key


def read_identity(path: str, ask: Ask | None = None) -> tuple[list[bytes], object | None]:
    """Read the certificates of a file and a private key beside them; raises as :func:`load_identity`."""
    return load_identity(_content(path), path, ask)


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_FILE + 1)
    except OSError as error:
        raise CaptureError(f"cannot be read: {error.strerror}", path) from None


def _decoded(block: bytes, source: str) -> bytes:
    try:
        decoded = binascii.a2b_base64(block)
    except binascii.Error:
        raise CaptureError("has a certificate whose base64 is damaged", source) from None
    from tlsalert.pki.der import element

    # "TRUSTED CERTIFICATE" has openssl's own settings behind the certificate.
    try:
        return element(decoded).whole
    except DecodeError:
        raise CaptureError("has a certificate that is cut off or damaged", source) from None


def _pem(block: bytes, source: str, ask: Ask | None) -> object:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    encrypted = b"ENCRYPTED" in block
    return _opened(lambda phrase: load_pem_private_key(block, phrase), encrypted, source, ask)


def _der(data: bytes, source: str, ask: Ask | None) -> object:
    """Read DER: PKCS #1 or #8 in clear; else encrypted PKCS #8, whose structure begins with another; else PKCS #12."""
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    if not data.startswith(b"\x30"):
        raise CaptureError("is no private key", source, "PEM, DER, PKCS #8 and PKCS #12 are read")
    if _is_keystore(data):
        key, _ = _keystore_content(data, source, ask)
        if key is None:
            raise CaptureError("has certificates but no private key", source)
        return key
    return _opened(lambda phrase: load_der_private_key(data, phrase), _inner(data).startswith(b"\x30"), source, ask)


def _inner(data: bytes) -> bytes:
    return data[2 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0) :]


def _is_keystore(data: bytes) -> bool:
    return data.startswith(b"\x30") and _inner(data).startswith(b"\x02\x01\x03")  # version 3: RFC 7292 §4


def _keystore_content(data: bytes, source: str, ask: Ask | None) -> tuple[object | None, list[bytes]]:
    from cryptography.hazmat.primitives.serialization import Encoding

    locked = _is_locked(data)
    key, own, others = _opened(lambda phrase: _keystore(data, phrase), True, source, ask if locked else None)
    return key, [one.public_bytes(Encoding.DER) for one in (own, *others) if one is not None]


def _keystore(data: bytes, phrase: bytes | None) -> Any:
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    if phrase is not None:
        return load_key_and_certificates(data, phrase)
    try:
        return load_key_and_certificates(data, None)
    except ValueError:
        # an empty passphrase is another thing than none, RFC 7292 App. B
        return load_key_and_certificates(data, b"")


def _is_locked(data: bytes) -> bool:
    """Whether a PKCS #12 file needs a passphrase; only then anybody is asked for one."""
    try:
        _keystore(data, None)
    except Exception:  # whatever it is, it is told when the file is loaded
        return True
    return False


def _opened(load: Callable[[bytes | None], Any], encrypted: bool, source: str, ask: Ask | None) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    phrase = ask(source) if encrypted and ask is not None else None
    try:
        return load(phrase)
    except UnsupportedAlgorithm:
        raise UsageError("is a kind of key that is not known", source) from None
    except (ValueError, TypeError):
        # The texts of these errors are OpenSSL's, and may quote the file.
        if not encrypted:
            raise CaptureError("is no private key, or a damaged one", source) from None
        what = "is encrypted" if phrase is None else "does not open with this passphrase"
        raise UsageError(what, source, "give the passphrase it was encrypted with") from None
