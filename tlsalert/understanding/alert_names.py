"""The names of alerts in the words of each library, found inside a line."""

from __future__ import annotations

import re
from functools import cache

from tlsalert.registry.alerts import AlertDescription

#: Words for alerts that differ from IANA's by more than case and punctuation, as they stand in lines.
WORDS: dict[str, int] = {
    "unknown certificate authority": 48,  # Go crypto/tls/alert.go
    "unknown certificate": 46,
    "expired certificate": 45,
    "revoked certificate": 44,
    "error decoding message": 50,
    "error decrypting message": 51,
    "protocol version not supported": 70,
    "insufficient security level": 71,
    "encrypted client hello required": 121,
    "no application protocols": 120,
    "unrecognised name": 112,
    "invalid certificate status response": 113,
    "unknown PSK identity": 115,
    "user canceled": 90,
    "user cancelled": 90,
    "certificate is bad": 42,  # GnuTLS lib/alert.c
    "certificate is not supported": 43,
    "certificate was revoked": 44,
    "certificate is expired": 45,
    "unknown certificate error": 46,
    "ca is unknown": 48,
    "access was denied": 49,
    "certificate is required": 116,
    "handshake failed": 40,
    "error in protocol version": 70,
    "illegal parameter": 47,
    "decode error": 50,
    "decrypt error": 51,
    "certificate has been revoked": 44,
    "could not retrieve the specified certificate": 111,
    "an unsupported extension was sent": 110,
    "an extension was expected but was not seen": 109,
    "the server name sent was not recognized": 112,
    "the srp/psk username is missing or not known": 115,
    "no supported application protocol could be negotiated": 120,
    "insufficient security": 71,
    "record overflow": 22,
    "internal error": 80,
    "user canceled the handshake": 90,
    "no renegotiation is allowed": 100,
    "bad record mac": 20,
    "decryption of the record failed": 21,
    "decryption failed": 21,
    "decompression failed": 30,
    "illegal parameter was received": 47,
    "inappropriate fallback": 86,
    "close notify": 0,
    "unsupported cert": 43,  # Schannel
    "decompression fail": 30,
    "bad certificate hash": 114,
}
#: What OpenSSL's reasons are called without the word "alert", ssl/ssl_err.c.
WITHOUT_ALERT = (
    "unrecognized name",
    "unsupported extension",
    "certificate unobtainable",
    "bad certificate status response",
    "bad certificate hash value",
)


@cache
def pattern() -> str:
    """Return a pattern that matches any alert's name, the longest first; words parted by space, _, - or nothing."""
    names = sorted(_spellings(), key=len, reverse=True)
    return "(?:" + "|".join("[ _-]?".join(map(re.escape, name.split())) for name in names) + ")"


def number(name: str) -> int:
    """Return the number of the alert that :func:`pattern` has found."""
    return _squeezed()[_squeeze(name)]


@cache
def _spellings() -> dict[str, int]:
    known = {
        alert.name.removesuffix("_RESERVED").replace("_", " ").lower(): int(alert)
        for alert in AlertDescription.__members__.values()
    }
    return known | {words.lower(): code for words, code in WORDS.items()}


@cache
def _squeezed() -> dict[str, int]:
    return {_squeeze(name): code for name, code in _spellings().items()}


def _squeeze(name: str) -> str:
    return re.sub(r"[ _-]+", "", name).lower()


def listed(code: int) -> bool:
    """Return whether an RFC gives the number a meaning."""
    return code in _spellings().values()
