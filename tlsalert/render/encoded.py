r"""Any value as JSON text that is safe to look at.

Beyond what JSON asks for, characters that could steer a terminal or turn text around (C1 controls,
bidirectional controls) are written as \uXXXX: the values stay the same.
"""

from __future__ import annotations

import re

from msgspec.json import Encoder

#: DEL, U+0080 to U+009F, U+061C, U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F, U+FEFF.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_ENCODER = Encoder()


def encoded(value: object) -> str:
    """Return ``value`` (what JSON knows: dicts, lists, text, numbers, None) as JSON."""
    try:
        line = _ENCODER.encode(value)
    except UnicodeEncodeError:  # a file's name that is not UTF-8 comes as lone surrogates
        line = _ENCODER.encode(_without_surrogates(value))
    text = line.decode()
    if text.isascii() and "\x7f" not in text:
        return text
    return _UNSAFE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _without_surrogates(value: object) -> object:
    r"""Return ``value`` with each lone surrogate spelled out as ``\udcXX``."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _without_surrogates(one) for key, one in value.items()}
    return [_without_surrogates(one) for one in value] if isinstance(value, list) else value
