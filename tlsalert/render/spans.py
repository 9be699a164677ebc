"""Styled text as plain values: lines made of spans, which the terminal and the picture both show.

A span is a text and the name of a style ("" for none). Texts are already escaped; widths are in
cells of a terminal: East Asian wide characters take two, combining ones none (Unicode UAX #11).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import groupby

Span = tuple[str, str]
Line = list[Span]

#: What stands in for the drawing characters where the output's encoding lacks them: cell for cell.
ASCII = str.maketrans("─━▶◀├┤▲·→…×—’", "-=><||^+>~x-'")
#: A space where :func:`wrap` parts no lines.
NO_BREAK = "\xa0"
DRAWING = "─━▶◀├┤▲·→…×"


def cells(text: str) -> int:
    """Return how many cells of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def line_cells(line: Line) -> int:
    """Return how many cells a whole line takes."""
    return sum(cells(text) for text, _ in line)


def cut(text: str, room: int) -> str:
    """Return ``text``, or as much of its beginning as fits into ``room`` cells, ending with "…"."""
    if cells(text) <= room:
        return text
    kept = text[: max(room - 1, 0)]
    while kept and cells(kept) > room - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…" if room > 0 else ""


def cut_left(text: str, room: int) -> str:
    """Return ``text``, or as much of its end as fits: the name of a file matters more than its folder."""
    if cells(text) <= room:
        return text
    kept = text[max(len(text) - room + 1, 0) :]
    while kept and cells(kept) > room - 1:
        kept = kept[1:]
    return "…" + kept if room > 0 else ""


def cut_line(line: Line, room: int) -> Line:
    """Return ``line``, or its beginning where it is wider than ``room`` cells."""
    fitting: Line = []
    for text, style in line:
        if cells(text) > room:
            return [*fitting, (cut(text, room), style)]
        fitting.append((text, style))
        room -= cells(text)
    return fitting


def merged(line: Line) -> Line:
    """Return the line with neighbours of one style as one span."""
    return [("".join(text for text, _ in spans), style) for style, spans in groupby(line, lambda span: span[1])]


def pad(text: str, width: int) -> str:
    """Return ``text`` filled with spaces to ``width`` cells; a longer one stays as it is."""
    return text + " " * (width - cells(text))


def wrap(text: str, room: int, hang: int = 0) -> list[str]:
    """Return ``text`` in lines of at most ``room`` cells, the second and later ones set in by ``hang``.

    It is parted at spaces, not at no-break spaces; a word that is longer than a line is parted anywhere.
    """
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        if current.strip() and cells(current) + 1 + cells(word) > room:
            lines.append(current)
            current = " " * hang + word
        else:
            current = f"{current} {word}" if current.strip() else current + word
        while cells(current) > room:
            head = _head(current, room)
            lines.append(head)
            current = " " * hang + current[len(head) :]
    if current.strip() or not lines:
        lines.append(current)
    return [line.replace(NO_BREAK, " ") for line in lines]


def join_fitting(pieces: Sequence[Line], between: Span, room: int) -> list[Line]:
    """Return the pieces joined by ``between`` in lines of at most ``room`` cells; one alone may be cut."""
    gap, style = between
    lines: list[Line] = []
    for number, piece in enumerate(pieces):
        piece = cut_line(piece, room)
        mark = 0 if number + 1 == len(pieces) else cells(gap.rstrip())  # ends the line if the next won't fit
        if lines and line_cells(lines[-1]) + cells(gap) + line_cells(piece) + mark <= room:
            lines[-1] += [between, *piece]
        else:
            if lines:
                lines[-1].append((gap.rstrip(), style))
            lines.append([*piece])
    return lines


def can_draw(encoding: str | None) -> bool:
    """Return whether ``encoding`` has the arrows and lines that are drawn with; text in memory (None) has all."""
    try:
        DRAWING.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _head(text: str, room: int) -> str:
    """Return the longest beginning of ``text`` that fits, at least one character."""
    end = 1
    while end < len(text) and cells(text[: end + 1]) <= room:
        end += 1
    return text[:end]


def _cells_of(character: str) -> int:
    """Return the cells of one character."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
