"""Colours for terminals, and text from strangers made safe to show on one.

Colour follows the stream and the environment: NO_COLOR (https://no-color.org) takes it away everywhere,
FORCE_COLOR gives it to files and pipes as well. A terminal that calls itself "dumb" gets none.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO

# Parameters of ECMA-48's SGR. Only the sixteen basic colours, which follow the terminal's own theme; of those only
# red, magenta and bright blue, which can be read on black and on white (green, yellow and cyan fade on white, blue on
# black). Bright blue and red differ for the colour-blind, too, and what a colour says stands in words as well.
STYLES: dict[str, str] = {
    "alert": "1;31",
    "warn": "35",
    "good": "94",
    "head": "1",
    "dim": "2",
}


def painter(stream: TextIO) -> Callable[[str, str], str]:
    """Return a function of (text, style name) that gives the text in that style where ``stream`` can show it.

    The names are those of STYLES; another one raises KeyError.
    """
    return _paint if _shows_colour(stream) else _leave


def escape(text: str) -> str:
    r"""Return ``text`` with everything that does not print as visible escapes: ``\x1b``, ``\u202e``, ``\n``.

    That covers control characters, bidirectional overrides, invisible and odd spaces, unassigned codes:
    none of them may steer a terminal or dress up a name.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _shows_colour(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (
        not stream.closed and stream.isatty() and os.environ.get("TERM") != "dumb"
    )


def _paint(text: str, style: str) -> str:
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def _leave(text: str, style: str) -> str:
    _ = STYLES[style]  # a wrong name shall fail without colours too
    return text
