"""PEM blocks (RFC 7468) wherever they stand: in files, quoted mail, program sources, JSON, or between binary bytes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tlsalert.pki.containers import Data

BEGIN, END, DASHES = b"-----BEGIN ", b"-----END ", b"-----"
LONGEST_LABEL: Final = 64
#: Bytes of one block; revocation lists are the longest.
LONGEST: Final = 32 << 20
#: Fewer characters of base64 are no block: libraries hold these markers as plain strings.
FEWEST: Final = 16

_LABEL: Final = re.compile(rb"[A-Z0-9][A-Z0-9 #]*")
#: How a line's end is written inside of a string, in C, JSON, logs and dumps.
_LINE_ENDS: Final = re.compile(rb"\\r|\\n|\\t|\\x0[aAdD]|\\01[25]|\\u000[aAdD]")
_ESCAPED: Final = re.compile(rb"\\u00(2[bBfF]|3[dD])")
_HEADER: Final = re.compile(rb"\s*([A-Za-z][A-Za-z0-9-]*): ?([^\r\n]*)\r?\n")
_OTHER: Final = re.compile(rb"[^A-Za-z0-9+/=]+")


class Block(NamedTuple):
    """One block: its label, its bytes decoded (None: they are no base64, or cut off), and where it begins and ends."""

    label: str
    data: bytes | None
    start: int
    stop: int
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def encrypted(self) -> bool:
        """Whether it is encrypted in the old form, RFC 1421 §4.6.1.1."""
        return any(name == "Proc-Type" and "ENCRYPTED" in value for name, value in self.headers)

    def text(self) -> bytes:
        """Return the block in the form that every library reads."""
        body = base64.b64encode(self.data or b"")
        lines = b"\n".join(body[at : at + 64] for at in range(0, len(body), 64))
        head = b"".join(f"{name}: {value}\n".encode() for name, value in self.headers)
        label = self.label.encode()
        return b"-----BEGIN %s-----\n%s%s%s\n-----END %s-----\n" % (label, head, b"\n" if head else b"", lines, label)


def blocks(data: Data) -> Iterator[Block]:
    """Go through the blocks in order; one without its end is told with ``data`` None if base64 follows its beginning.

    The time taken grows with the length alone: a block ends before the next one begins.
    """
    at = data.find(BEGIN)
    while at >= 0:
        following = data.find(BEGIN, at + len(BEGIN))
        limit = min(len(data) if following < 0 else following, at + LONGEST)
        block = _block(data, at, limit)
        if block is not None:
            yield block
        at = following


def _block(data: Data, at: int, limit: int) -> Block | None:
    start = at + len(BEGIN)
    stop = data.find(DASHES, start, min(start + LONGEST_LABEL, limit))
    if stop < 0 or not _LABEL.fullmatch(label := data[start:stop]):
        return None
    begin = stop + len(DASHES)
    end = data.find(END, begin, limit)
    if end < 0:
        body = _OTHER.sub(b"", _LINE_ENDS.sub(b"\n", data[begin : min(begin + 256, limit)]))
        return Block(label.decode(), None, at, limit) if len(body) >= 4 * FEWEST else None
    text = _LINE_ENDS.sub(b"\n", data[begin:end])
    headers, text = _headers(text)
    body = _OTHER.sub(b"", _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text))
    if len(body) < FEWEST:
        return None
    stop = data.find(DASHES, end + len(END), end + len(END) + LONGEST_LABEL)
    return Block(label.decode(), _decoded(body), at, stop + len(DASHES) if stop >= 0 else end, headers)


def _headers(text: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Return the headers before the base64, RFC 1421 §4.4, and what follows them."""
    found: list[tuple[str, str]] = []
    at = 0
    while len(found) < 16 and (match := _HEADER.match(text, at)):
        found.append((match[1].decode(), match[2].decode("utf-8", "replace").strip()))
        at = match.end()
    return tuple(found), text[at:]


def _decoded(body: bytes) -> bytes | None:
    """Return the bytes; what follows the padding, as a checksum of PGP does, is left out."""
    kept = body.split(b"=", 1)[0]
    try:
        return base64.b64decode(kept + b"=" * (-len(kept) % 4))
    except binascii.Error:
        return None
