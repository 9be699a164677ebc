r"""JSON: one line per connection, or one array of them that is written as it grows.

Beyond what JSON asks for, characters that could steer a terminal or turn text around (C1 controls,
bidirectional controls) are written as \uXXXX: the values stay the same, and looking at them is safe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import BinaryIO

from msgspec.json import Encoder

from tlsalert.model import Connection
from tlsalert.render.rows import row

#: DEL, U+0080 to U+009F, U+061C, U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F, U+FEFF: in UTF-8.
_UNSAFE = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf")
_ENCODER = Encoder()


def jsonl(connection: Connection) -> bytes:
    """Return the connection as one line of JSON, with the newline."""
    return _encode(row(connection)) + b"\n"


def write_json(connections: Iterable[Connection], out: BinaryIO) -> None:
    """Write an array of all connections to ``out``, one connection a line, each as soon as it comes."""
    out.write(b"[")
    between = b"\n"
    for connection in connections:
        out.write(between + _encode(row(connection)))
        between = b",\n"
    out.write(b"\n]\n")


def _encode(value: object) -> bytes:
    """Return ``value`` as JSON in UTF-8."""
    try:
        line = _ENCODER.encode(value)
    except UnicodeEncodeError:  # a file's name that is not UTF-8 comes as lone surrogates
        line = _ENCODER.encode(_without_surrogates(value))
    if line.isascii() and b"\x7f" not in line:
        return line
    return _UNSAFE.sub(_escaped, line)


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found[0].decode())


def _without_surrogates(value: object) -> object:
    r"""Return ``value`` with each lone surrogate spelled out as ``\udcXX``."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _without_surrogates(one) for key, one in value.items()}
    return [_without_surrogates(one) for one in value] if isinstance(value, list) else value
