"""One thing that was found: a certificate, request, revocation list, key, key store or configuration, and its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tlsalert.model import Certificate
from tlsalert.pki.containers import Damage
from tlsalert.secrets.secret import Secret

__all__ = ["Damage", "Found", "Kind", "Use"]

Kind = Literal["certificate", "private_key", "public_key", "csr", "crl", "keystore", "config"]


@dataclass(frozen=True, slots=True)
class Use:
    """What a configuration says of a file: ``where`` the configuration lies, whose it is, and in which section.

    ``role`` is the option that names the file ("cert", "ssl_certificate_key" …); ``settings`` are the options beside it
    that say what for: accept, connect, verify, listen, server_name.
    """

    where: str
    program: str
    section: str
    role: str
    settings: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        said = ", ".join(f"{name} {value}" for name, value in self.settings)
        section = f" [{self.section}]" if self.section else ""
        return f"{self.program}{section} {self.role}" + (f" ({said})" if said else "")


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was found.

    ``where`` is the file, then "!" and the place inside it, nested; ``offset`` the byte of the innermost file where it
    begins. ``sha256`` is of the DER as it lies there, ``spki_sha256`` of the SubjectPublicKeyInfo: the same for a
    certificate and its private key. Times are UTC; for a revocation list they are thisUpdate and nextUpdate.
    ``fits`` are the places of the keys that fit a certificate, and of what has the public half of a private key;
    ``issued_by`` those of the certificates whose key signed this one, as verified; ``duplicates`` those of the same
    bytes.

    A private key's bytes are in ``secret``, which does not print, and are in no output.
    """

    where: str
    kind: Kind
    sha256: str | None = None
    spki_sha256: str | None = None
    subject: str | None = None
    issuer: str | None = None
    serial: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    key: str | None = None
    encrypted: bool = False
    fits: tuple[str, ...] = ()
    issued_by: tuple[str, ...] = ()
    used_by: tuple[Use, ...] = ()
    problems: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    offset: int = 0
    #: The name that a key store or a public key's comment gives it.
    label: str | None = None
    certificate: Certificate | None = field(default=None, repr=False)
    der: bytes | None = field(default=None, repr=False)
    secret: Secret | None = field(default=None, repr=False, compare=False)
    #: Permission bits of the file that it lies in, where a file system tells them.
    mode: int | None = None
