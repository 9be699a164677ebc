"""What a device's files tell of its TLS: libraries and servers by the versions in their binaries, and its clock.

A program carries the version of what it was linked with as text, for it prints it; a script that sets the date
tells what time a device without a battery begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from tlsalert.pki.containers import Blob
from tlsalert.sources.recognise import is_text

#: Scripts are shorter.
LONGEST_SCRIPT: Final = 1 << 17
#: The same of one file is told once, and no more than so many of it: a list of versions is no library.
MOST_OF_ONE: Final = 16


class Library(NamedTuple):
    """A TLS library or a server, its version as it writes it, and the day it was released, where it says so."""

    where: str
    name: str
    version: str
    released: str | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class ClockStart(NamedTuple):
    """A time (UTC) that a script sets the clock to."""

    where: str
    time: datetime


Clue = Library | ClockStart

#: How each is written in its binary: the sources that print it are named.
VERSIONS: Final[tuple[tuple[str, re.Pattern[bytes]], ...]] = tuple(
    (name, re.compile(pattern, re.ASCII | re.DOTALL))
    for name, pattern in (
        (
            "OpenSSL",
            rb"OpenSSL (\d\.\d\.\d{1,2}[a-z]{0,2})(?:-[\w.+-]{1,24})? {1,2}(\d{1,2} [A-Z][a-z]{2} \d{4})",
        ),  # opensslv.h
        ("LibreSSL", rb"LibreSSL (\d\.\d\.\d{1,2})"),  # opensslv.h
        ("GnuTLS", rb"GnuTLS (\d\.\d{1,2}\.\d{1,2})"),  # lib/global.c: "Enabled GnuTLS … logging"
        ("Mbed TLS", rb"mbed TLS (\d\.\d{1,2}\.\d{1,2})"),  # version.h
        ("Mbed TLS", rb"Mbed TLS (\d\.\d{1,2}\.\d{1,2})"),
        ("Mbed TLS", rb"PolarSSL (\d\.\d{1,2}\.\d{1,2})"),  # its name up to 1.3
        ("wolfSSL", rb"wolfSSL (\d\.\d{1,2}\.\d{1,2})"),
        ("wolfSSL", rb"CyaSSL (\d\.\d{1,2}\.\d{1,2})"),  # its name up to 3.4
        ("axTLS", rb"axTLS (\d\.\d{1,2}\.\d{1,2})"),
        ("MatrixSSL", rb"MatrixSSL (\d\.\d{1,2}\.\d{1,2})"),
        ("NSS", rb"Header: NSS (\d\.\d{1,3}(?:\.\d{1,2})?)"),  # lib/nss/nssver.c
        ("Botan", rb"Botan (\d\.\d{1,2}\.\d{1,2})"),
        ("Go", rb"Go buildinf:.{2,32}?go(1\.\d{1,2}(?:\.\d{1,2})?)"),  # debug/buildinfo
        ("stunnel", rb"stunnel (\d\.\d{2}) on "),  # src/options.c
        ("nginx", rb"nginx/(\d\.\d{1,2}\.\d{1,2})"),
        ("Apache", rb"Apache/(2\.\d\.\d{1,2})"),
        ("lighttpd", rb"lighttpd/(\d\.\d\.\d{1,2})"),
    )
)
#: Libraries whose file names tell the version, where the bytes do not: stripped, or packed.
NAMED: Final = re.compile(r"/lib(ssl|gnutls|mbedtls|wolfssl|axtls|nss3)\.so\.?([\d.]*)$")
NAMES: Final = {
    "ssl": "OpenSSL",
    "gnutls": "GnuTLS",
    "mbedtls": "Mbed TLS",
    "wolfssl": "wolfSSL",
    "axtls": "axTLS",
    "nss3": "NSS",
}
SONAMES: Final = {
    "OpenSSL": {
        "0.9.7": "0.9.7",
        "0.9.8": "0.9.8",
        "1.0.0": "1.0",
        "1.0.2": "1.0.2",
        "10": "1.0",
        "1.1": "1.1",
        "3": "3",
    }
}

_SET: Final = re.compile(
    rb"^[ \t]*(?:/bin/|busybox )?(?:date|hwclock)[ \t][^\n]{0,40}?(?:-s|--set|--date)[ =]*[\"']?"
    rb"(\d{4})[-./](\d\d)[-./](\d\d)(?:[ T-](\d\d):(\d\d)(?::(\d\d))?)?",
    re.MULTILINE,
)
#: POSIX: date MMDDhhmmCCYY.
_POSIX: Final = re.compile(
    rb"^[ \t]*(?:/bin/|busybox )?date[ \t]+(?:-u[ \t]+|-s[ \t]+)?[\"']?(\d\d)(\d\d)(\d\d)(\d\d)(\d{4})\b", re.MULTILINE
)


def clues(blob: Blob) -> Iterator[Clue]:
    """Yield what a file tells."""
    told: set[tuple[str, str]] = set()
    for name, pattern in VERSIONS:
        for found in pattern.finditer(blob.data):
            version = found[1].decode()
            if (name, version) in told:
                continue
            if len(told) >= MOST_OF_ONE:
                return
            told.add((name, version))
            released = found[2].decode() if found.re.groups > 1 else None
            yield Library(blob.where, name, version, released)
    if not told and (named := NAMED.search(blob.where)):
        name = NAMES[named[1]]
        version = SONAMES.get(name, {}).get(named[2])
        if version is not None:
            yield Library(blob.where, name, version)
    if len(blob.data) <= LONGEST_SCRIPT and is_text(blob.data[:4096]):
        yield from _clock(blob)


def _clock(blob: Blob) -> Iterator[Clue]:
    text = blob.data[:LONGEST_SCRIPT]
    for found in _SET.finditer(text):
        yield from _start(blob.where, [int(part or b"0") for part in found.groups()])
    for found in _POSIX.finditer(text):
        month, day, hour, minute, year = (int(part) for part in found.groups())
        yield from _start(blob.where, [year, month, day, hour, minute, 0])


def _start(where: str, fields: list[int]) -> Iterator[Clue]:
    year, month, day, hour, minute, second = fields
    try:
        yield ClockStart(where, datetime(year, month, day, hour, minute, second, tzinfo=UTC))
    except ValueError:
        return  # it is no date
