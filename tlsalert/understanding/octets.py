r"""Alerts given as bytes: a record or its body in hexadecimal, in C escapes as strace prints them, or in a dump.

An alert's record is ``15 03 vv 00 02 ll nn`` (RFC 8446 §5.1, §6): content type 21, version, length 2, level,
number. A longer record of that type is encrypted.
"""

from __future__ import annotations

import re
from typing import NamedTuple

ESCAPED = re.compile(r'(?:[^\\"]|\\.)*', re.S)
SIMPLE = {"n": 10, "t": 9, "r": 13, "v": 11, "f": 12, "a": 7, "b": 8, "e": 27, "\\": 92, '"': 34, "'": 39}
_GAP = "[ :,]*(?:0x)?"
HEX_RECORD = re.compile(
    rf"(?<![0-9a-f])15{_GAP}03{_GAP}0[0-4]{_GAP}([0-9a-f]{{2}}){_GAP}([0-9a-f]{{2}})((?:{_GAP}[0-9a-f]{{2}}){{0,2}})",
    re.I,
)
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
LEVELS = {1: "warning", 2: "fatal"}


class Octets(NamedTuple):
    """An alert found as bytes. ``code`` is None where the record is encrypted or cut."""

    code: int | None
    level: str | None
    encrypted: bool = False


def in_text(text: str) -> Octets | None:
    """Return the alert that a whole text is: hexadecimal or escaped, a record or a body alone."""
    bare = text.strip().strip('"')
    if "\\" in bare and ESCAPED.fullmatch(bare):
        data = unescape(bare)
        if re.fullmatch(r"(?:\\x?[0-9a-fA-F]{1,3}|[ -~])+", bare):
            return of_bytes(data)
    digits = re.sub(r"0x|[\s:,]", "", bare)
    if re.fullmatch(r"(?:[0-9a-fA-F]{2}){2,40}", digits) and (len(digits) == 4) <= bool(re.search(r"[\s:,]", bare)):
        return of_bytes(bytes.fromhex(digits))
    return None


def in_line(line: str, low: str) -> Octets | None:
    """Return the alert whose record stands somewhere in a line: in quotes with escapes, or in hexadecimal."""
    if "\\25\\3" in line or "\\x15\\x03" in low:
        for quoted in QUOTED.findall(line):
            data = unescape(quoted)
            if data[:2] == b"\x15\x03" and (found := of_bytes(data)):
                return found
    if "15" in low and (hexadecimal := HEX_RECORD.search(low)):
        length = int(hexadecimal[1] + hexadecimal[2], 16)
        body = bytes.fromhex(re.sub(r"0x|[ :,]", "", hexadecimal[3]))
        return _of_record(length, body)
    return None


def of_bytes(data: bytes) -> Octets | None:
    """Return the alert in bytes: a record, or a body of level and number; one byte is a number alone."""
    if len(data) >= 5 and data[0] == 0x15 and data[1] == 3:
        return _of_record(int.from_bytes(data[3:5], "big"), data[5:7])
    if len(data) == 2 and data[0] in LEVELS:
        return Octets(data[1], LEVELS[data[0]])
    return None


def _of_record(length: int, body: bytes) -> Octets | None:
    if length == 2 and len(body) == 2 and body[0] in LEVELS:
        return Octets(body[1], LEVELS[body[0]])
    if length == 2 and len(body) < 2:
        return Octets(None, None)
    return Octets(None, None, encrypted=True) if 2 < length <= 0x4800 else None


def unescape(text: str) -> bytes:
    r"""Return the bytes of a C string's inside: ``\25``, ``\x15``, ``\n``, and letters as they are."""
    data = bytearray()
    for token in re.finditer(r"\\x([0-9a-fA-F]{1,2})|\\([0-7]{1,3})|\\(.)|(.)", text[:4000], re.S):
        if token[1]:
            data.append(int(token[1], 16))
        elif token[2]:
            data.append(int(token[2], 8) & 0xFF)
        elif token[3]:
            data += bytes([SIMPLE[token[3]]]) if token[3] in SIMPLE else token[3].encode("utf-8", "replace")
        else:
            data += token[4].encode("utf-8", "replace")
    return bytes(data)
