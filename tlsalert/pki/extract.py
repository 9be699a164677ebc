"""Writes what was found as PEM files: public things to a folder, private keys only where that was asked for by name."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable
from typing import Final

from tlsalert.errors import TlsalertError
from tlsalert.pki.found import Found
from tlsalert.pki.objects import der_kind

LABELS: Final = {
    "certificate": "CERTIFICATE",
    "csr": "CERTIFICATE REQUEST",
    "crl": "X509 CRL",
    "public_key": "PUBLIC KEY",
}
ENDINGS: Final = {"certificate": "crt", "csr": "csr", "crl": "crl", "public_key": "pub", "private_key": "key"}
PRIVATE: Final = {
    "pkcs8": "PRIVATE KEY",
    "pkcs1": "RSA PRIVATE KEY",
    "sec1": "EC PRIVATE KEY",
    "dsa": "DSA PRIVATE KEY",
    "encrypted": "ENCRYPTED PRIVATE KEY",
}


class ExtractError(TlsalertError):
    """A file could not be written."""


def extract_public(found: Iterable[Found], folder: str) -> int:
    """Write certificates, requests, revocation lists and public keys, each once; return how many there are."""
    public = (one for one in found if one.kind in LABELS and one.der is not None)
    return _write(((one, pem(LABELS[one.kind], one.der or b"")) for one in public), folder, 0o644)


def extract_private(found: Iterable[Found], folder: str) -> int:
    """Write the private keys as they are, encrypted or not, readable by their owner alone."""
    private = ((one, _private(bytes(one.secret))) for one in found if one.secret is not None)
    return _write(private, folder, 0o600)


def pem(label: str, data: bytes) -> bytes:
    """Return bytes as a PEM block, RFC 7468 §2."""
    body = base64.b64encode(data).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()


def _private(secret: bytes) -> bytes:
    if secret.startswith(b"-----BEGIN "):
        return secret
    if secret.startswith(b"openssh-key-v1\0"):
        return pem("OPENSSH PRIVATE KEY", secret)
    return pem(PRIVATE.get(der_kind(secret) or "", "PRIVATE KEY"), secret)


def _write(things: Iterable[tuple[Found, bytes]], folder: str, mode: int) -> int:
    """Write files that are not there yet; names are made of what was found, and lead nowhere else."""
    written: set[str] = set()
    try:
        os.makedirs(folder, mode=0o700 if mode == 0o600 else 0o755, exist_ok=True)
        for one, text in things:
            name = _name(one)
            if name not in written:
                written.add(name)
                _new_file(os.path.join(folder, name), text, mode)
    except OSError as error:
        raise ExtractError(error.strerror or str(error), error.filename or folder) from error
    return len(written)


def _new_file(path: str, text: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), mode)
    except FileExistsError:
        return  # its name has the digest of what is in it
    with os.fdopen(handle, "wb") as file:
        file.write(text)


def _name(one: Found) -> str:
    """Return a file's name: the subject's common name as far as it is harmless, and the digest."""
    common = re.search(r"(?:^|,)CN=((?:\\.|[^,\\])+)", one.subject or one.label or "")
    plain = re.sub(r"[^A-Za-z0-9-]+", "_", common[1] if common else "")[:40].strip("_-")
    digest = one.spki_sha256 if one.kind == "private_key" and one.spki_sha256 else one.sha256
    return "-".join(part for part in (plain, (digest or "")[:32]) if part) + f".{ENDINGS.get(one.kind, 'bin')}"
