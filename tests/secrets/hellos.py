"""Hellos that say just what a test needs."""

from __future__ import annotations

from collections.abc import Iterable

from tlsalert.model import Side
from tlsalert.secrets.direction import Record
from tlsalert.secrets.schedule import EarlySchedule

RANDOM, SERVER_RANDOM = bytes(range(32)), bytes(range(32, 64))


def vector(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width, "big") + data


def extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(2, data)


def client_hello(
    suites: Iterable[int], version: int = 0x0303, random: bytes = RANDOM, extensions: bytes = b"", tls13: bool = False
) -> bytes:
    if tls13:
        extensions = extension(43, b"\x02\x03\x04") + extensions
    codes = b"".join(code.to_bytes(2, "big") for code in suites)
    body = version.to_bytes(2, "big") + random + b"\0" + vector(2, codes) + b"\x01\0" + vector(2, extensions)
    return b"\x01" + vector(3, body)


def server_hello(
    suite: int, version: int = 0x0303, random: bytes = SERVER_RANDOM, extensions: bytes = b"", selected: int = 0
) -> bytes:
    if selected:
        extensions = extension(43, selected.to_bytes(2, "big")) + extensions
    body = version.to_bytes(2, "big") + random + b"\0" + suite.to_bytes(2, "big") + b"\0" + vector(2, extensions)
    return b"\x02" + vector(3, body)


def clear(side: Side, kind: int, data: bytes, version: int = 0x0303) -> Record:
    return Record(side, kind, version, len(data), data)


def psk_hello(psk: bytes) -> bytes:
    """Return a ClientHello that offers a PSK alone (psk_ke), with its binder."""
    hello = client_hello(
        [0x1301],
        extensions=extension(41, vector(2, vector(2, b"me") + bytes(4)) + vector(2, vector(1, bytes(32)))),
        tls13=True,
    )
    binder = EarlySchedule(psk, "sha256").binder(hello[:-35])
    return hello[:-32] + binder
