"""What stands between the parentheses of a line of strace: strings, descriptors, addresses, vectors."""

from __future__ import annotations

import codecs
import re
import socket
from typing import NamedTuple

_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"f": b"\f", b"v": b"\v", b"a": b"\a", b"b": b"\b", b"e": b"\x1b"}
#: A descriptor with what -y and -yy put behind it: 4<TCP:[a->b]>, 1</dev/pts/0<char 136:0>>.
_DESCRIPTOR = re.compile(rb"(-?\d{1,10})(?:<((?:->|<[^<>]*>|[^<>])*+)>)?")
_PORT = re.compile(rb"sin6?_port=htons\((\d{1,5})\)")
_INET = re.compile(rb'inet_addr\("([^"]{1,64})"\)')
_INET6 = re.compile(rb'inet_pton\(AF_INET6, "([^"]{1,192})"|sin6_addr=inet_pton\("([^"]{1,192})"')
_LENGTH = re.compile(rb", (?:iov_len=)?(\d{1,18})\}")
_ENDS = re.compile(rb"TCP(?:v6)?:\[(.{1,60}):(\d{1,5})->(.{1,60}):(\d{1,5})\]")
#: More than this no call can move at once (MAX_RW_COUNT of Linux): a larger number is a damaged one.
MOST = 0x7FFFF000


class Segment(NamedTuple):
    """A piece of what a call moved: the bytes that are shown of it, and how many there were."""

    shown: bytes
    size: int


class Descriptor(NamedTuple):
    """A descriptor's number, what -y says of it (or nothing), and where in the text it ends."""

    number: int
    label: bytes
    end: int


def unescape(text: bytes) -> bytes:
    """Return what the inside of a quoted string stands for: octal, hexadecimal and C's letters."""
    if b"\\" not in text:
        return text
    try:
        return codecs.escape_decode(text)[0]
    except (ValueError, Warning):  # escapes that strace never writes
        return _ESCAPE.sub(_escape, text)


def closing(text: bytes, at: int) -> int:
    """Return where the quote stands that ends a string whose inside begins at ``at``; -1 where there is none."""
    start = at
    while (end := text.find(b'"', at)) >= 0:
        back = end
        while back > start and text[back - 1] == 0x5C:
            back -= 1
        if (end - back) % 2 == 0:
            return end
        at = end + 1
    return -1


def quoted(text: bytes, at: int) -> tuple[bytes, int]:
    """Return the bytes of the string that opens at or behind ``at`` and where it ends; b"" and -1 without one."""
    start = text.find(b'"', at)
    end = closing(text, start + 1) if start >= 0 else -1
    return (unescape(text[start + 1 : end]), end + 1) if end >= 0 else (b"", -1)


def descriptor(text: bytes, at: int = 0) -> Descriptor | None:
    """Return the descriptor that stands at ``at``."""
    found = _DESCRIPTOR.match(text, at)
    return None if found is None else Descriptor(int(found[1]), found[2] or b"", found.end())


def descriptors(text: bytes) -> list[int]:
    """Return the numbers in "[3, 4]", labels or not."""
    return [int(found[1]) for found in _DESCRIPTOR.finditer(text)]


def arguments(text: bytes, most: int = 8) -> list[bytes]:
    """Return the arguments of a call apart, ``most`` of them: commas in strings and structures do not part them."""
    parts: list[bytes] = []
    depth, start, at = 0, 0, 0
    while at < len(text) and len(parts) < most:
        byte = text[at]
        if byte == 0x22:
            end = closing(text, at + 1)
            if end < 0:
                break
            at = end
        elif byte in b"{[(":
            depth += 1
        elif byte in b"}])":
            depth -= 1
        elif byte == 0x2C and depth <= 0:
            parts.append(text[start:at].strip())
            start = at + 1
        at += 1
    parts.append(text[start:].strip())
    return parts[:most]


def number(text: bytes) -> int | None:
    """Return a number, decimal or hexadecimal, or None."""
    try:
        return int(text, 0) if len(text) < 20 else None
    except ValueError:
        return None


def address(text: bytes) -> bytes | None:
    """Return a socket address of IPv4 or IPv6 as bytes: the address, then two for the port; None for any other."""
    port = _PORT.search(text)
    if port is None:
        return None
    found = _INET.search(text)
    if found is not None:
        return packed(unescape(found[1]), int(port[1]))
    found = _INET6.search(text)
    return None if found is None else packed(unescape(found[1] or found[2]), int(port[1]))


def packed(host: bytes, port: int) -> bytes | None:
    """Return an address in text and a port as bytes."""
    if port > 0xFFFF:
        return None
    family = socket.AF_INET6 if b":" in host else socket.AF_INET
    try:
        return socket.inet_pton(family, host.strip(b"[]").decode()) + port.to_bytes(2, "big")
    except (OSError, ValueError):
        return None


def ends(label: bytes) -> tuple[bytes | None, bytes | None]:
    """Return the own end and the other one of what -yy says of a connected socket: TCP:[1.2.3.4:5->6.7.8.9:10]."""
    found = _ENDS.match(label)
    if found is None:
        return None, None
    return packed(found[1], int(found[2])), packed(found[3], int(found[4]))


def one_segment(text: bytes, at: int, size: int) -> list[Segment]:
    """Return what is shown of a call's one buffer, which stands behind ``at``; ``size`` bytes were moved."""
    if not text.startswith(b', "', at):
        return [Segment(b"", size)]
    end = closing(text, at + 3)
    if end < 0:
        return [Segment(b"", size)]
    return [Segment(unescape(text[at + 3 : end]), size)]


def vector(text: bytes, at: int = 0) -> list[Segment]:
    """Return what is shown of an iovec, in all forms that strace has had: {iov_base="…", iov_len=5} and {"…", 5}."""
    segments = []
    while (at := text.find(b"{", at)) >= 0:
        at += 1
        if text.startswith(b"iov_base=", at):
            at += 9
        shown = b""
        if text.startswith(b'"', at):
            end = closing(text, at + 1)
            if end < 0:
                break
            shown = unescape(text[at + 1 : end])
            at = end + 1
        found = _LENGTH.search(text, at, at + 64)
        if found is None:
            continue
        segments.append(Segment(shown, min(int(found[1]), MOST)))
        at = found.end()
        if text.startswith(b"]", at):
            break
    return segments


def _escape(found: re.Match[bytes]) -> bytes:
    said = found[1]
    if said[0] == 0x78 and len(said) > 1:
        return bytes((int(said[1:], 16),))
    if said.isdigit() and not said.startswith((b"8", b"9")):
        return bytes((int(said, 8) & 0xFF,))
    return _LETTERS.get(said, said)
