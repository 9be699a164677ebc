"""PKCS #12 key stores, RFC 7292: what a passphrase opens, and what is to be seen without one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

from tlsalert.pki.containers import Blob, Damage
from tlsalert.pki.found import Found
from tlsalert.pki.keys import Phrases, attempt, loaded_found, locked_by, well_known


def read_pkcs12(data: bytes, blob: Blob, offset: int, phrases: Phrases) -> Iterator[Found | Damage]:
    """Yield the store, then its key and certificates where one of the passphrases opens it."""
    refused = locked_by(data)
    phrase, opened = (None, None) if refused else _opened(data, blob.where, phrases)
    # A passphrase that everybody knows is no fault of a store that holds certificates alone.
    weak = well_known(phrase) if phrase is not None and opened is not None and opened.key is not None else ()
    problems = (refused,) if refused else weak
    yield Found(
        blob.where,
        "keystore",
        sha256(data).hexdigest(),
        key="PKCS #12",
        encrypted=opened is None,
        problems=problems,
        offset=offset,
        mode=blob.mode,
    )
    if opened is not None:
        yield from _contents(opened, blob, offset, problems)
    else:
        yield from _in_clear(data, blob, offset)


def _in_clear(data: bytes, blob: Blob, offset: int) -> Iterator[Found | Damage]:
    """Yield what shows in a store that does not open: certificates in clear, and that there is a private key."""
    from tlsalert.pki.scan import scan

    for one in scan(Blob(blob.where, b"\0" + data[1:], mode=blob.mode), Phrases()):
        if isinstance(one, Found) and one.kind in ("certificate", "private_key", "crl"):
            yield replace(one, where=blob.where, offset=offset + one.offset)


def _opened(data: bytes, where: str, phrases: Phrases) -> tuple[bytes | None, Any]:
    """Return the passphrase that opens it and what the library found inside; None and None where none does."""
    opened = _load(data, None)
    if opened is not None:
        return None, opened
    for phrase in phrases.of(where):
        if (opened := _load(data, phrase)) is not None:
            return phrase, opened
    return None, None


def _load(data: bytes, phrase: bytes | None) -> Any:
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    return attempt(lambda: load_pkcs12(data, phrase))


def _contents(opened: Any, blob: Blob, offset: int, problems: tuple[str, ...]) -> Iterator[Found | Damage]:
    from cryptography.hazmat.primitives.serialization import Encoding

    from tlsalert.pki.objects import certificate_found

    if opened.key is not None:
        yield loaded_found(opened.key, blob, offset, None, problems)
    for one in (opened.cert, *opened.additional_certs):
        if one is not None:
            name = one.friendly_name.decode("utf-8", "backslashreplace") if one.friendly_name else None
            yield from certificate_found(one.certificate.public_bytes(Encoding.DER), blob, offset, name)
