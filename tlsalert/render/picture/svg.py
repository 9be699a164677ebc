"""The pieces that pictures are made of: elements with escaped text, and one stylesheet for both themes.

Pictures follow the reader's theme (``prefers-color-scheme``), or the one of the class ``light`` or ``dark``
on the picture or on anything around it. The colour-blind can tell the colours apart (blue, vermilion), and nothing
is told by colour alone.
"""

from __future__ import annotations

from html import escape as escape_markup
from typing import Literal

from tlsalert.render.spans import cells, cut
from tlsalert.render.style import escape

Theme = Literal["auto", "light", "dark"]

#: Pixels that a cell of text takes in the pictures' sizes, on the safe side: fonts differ.
CELL = 7.4
SMALL_CELL = 6.8
BOLD_CELL = 8.4

_LIGHT = (
    "--tp-ink:#1b1f24;--tp-dim:#59636e;--tp-line:#c4ccd4;--tp-good:#0b6e99;--tp-soft:#d3e7f1;"
    "--tp-bad:#b3380b;--tp-bad-soft:#fbe4d9;--tp-warn:#8a5a00;--tp-on:#fff;--tp-back:#fff"
)
_DARK = (
    "--tp-ink:#e4e8ed;--tp-dim:#9aa6b2;--tp-line:#424b56;--tp-good:#6cbfe6;--tp-soft:#1d4256;"
    "--tp-bad:#ff9166;--tp-bad-soft:#4a2413;--tp-warn:#e6b450;--tp-on:#1a0d06;--tp-back:#14181d"
)

#: The stylesheet of all pictures. Each carries it, but for those in a page that has it once.
STYLESHEET = (
    f".tlsalert-picture{{{_LIGHT};color:var(--tp-ink);max-width:100%;height:auto;"
    "font:13px/1.3 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif}"
    f"@media(prefers-color-scheme:dark){{.tlsalert-picture{{{_DARK}}}}}"
    f".light .tlsalert-picture,.tlsalert-picture.light{{{_LIGHT}}}"
    f".dark .tlsalert-picture,.tlsalert-picture.dark{{{_DARK}}}"
    # Paper is light, whatever the screen is.
    f"@media print{{.tlsalert-picture.tlsalert-picture{{{_LIGHT}}}}}"
    ".tlsalert-picture text{fill:var(--tp-ink);font-variant-numeric:tabular-nums;white-space:pre}"
    ".tlsalert-picture .small{font-size:12px}"
    ".tlsalert-picture .head{font-weight:600}"
    ".tlsalert-picture .dim{fill:var(--tp-dim)}"
    ".tlsalert-picture .warn{fill:var(--tp-warn)}"
    ".tlsalert-picture .bad{fill:var(--tp-bad)}"
    ".tlsalert-picture .good{fill:var(--tp-good)}"
    ".tlsalert-picture .on{fill:var(--tp-on);font-weight:600}"
    ".tlsalert-picture .rail{stroke:var(--tp-line);stroke-width:2;fill:none}"
    ".tlsalert-picture .tick{stroke:var(--tp-line);fill:none}"
    ".tlsalert-picture .arrow{stroke:var(--tp-dim);stroke-width:1.5;fill:none}"
    ".tlsalert-picture .tip{fill:var(--tp-dim)}"
    ".tlsalert-picture .quiet .arrow{stroke-dasharray:4 4}"
    ".tlsalert-picture .alert .arrow{stroke:var(--tp-bad);stroke-width:3.5}"
    ".tlsalert-picture .alert .tip,.tlsalert-picture .alert .plate{fill:var(--tp-bad)}"
    ".tlsalert-picture .caution .arrow{stroke:var(--tp-warn);stroke-width:2.5}"
    ".tlsalert-picture .caution .tip{fill:var(--tp-warn)}"
    ".tlsalert-picture .valid{fill:var(--tp-soft);stroke:var(--tp-good)}"
    ".tlsalert-picture .judged .valid{fill:var(--tp-good)}"
    ".tlsalert-picture .missed{fill:var(--tp-bad-soft);stroke:var(--tp-bad);stroke-dasharray:3 3}"
    ".tlsalert-picture .mark{stroke:var(--tp-ink);stroke-width:1.5;fill:none}"
    ".tlsalert-picture .mark.out{stroke:var(--tp-bad);stroke-width:2.5}"
    # A line may pass behind a name, not through it.
    ".tlsalert-picture .halo{paint-order:stroke;stroke:var(--tp-back);stroke-width:4px;stroke-linejoin:round}"
    ".tlsalert-picture .point{fill:var(--tp-ink);stroke:none}"
    ".tlsalert-picture .point.out{fill:var(--tp-bad)}"
)


def element(name: str, *inside: str, **attributes: str | float | None) -> str:
    """Return an element around markup; attributes are escaped, ``class_`` is class, ``text_anchor`` is text-anchor."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None and value != ""
    )
    return f"<{name}{told}>{''.join(inside)}</{name}>" if inside else f"<{name}{told}/>"


def words(text: str) -> str:
    """Return text from anybody as markup that says just that: nothing in it is read as an element or a control."""
    return escape_markup(escape(text))


def lines_of(text: str) -> str:
    """Return :func:`words` of a text whose line ends are meant."""
    return "\n".join(map(words, text.split("\n")))


def label(x: float, y: float, text: str, class_: str = "", anchor: Literal["start", "middle", "end"] = "start") -> str:
    """Return text at its baseline."""
    return element("text", words(text), x=x, y=y, class_=class_, text_anchor=None if anchor == "start" else anchor)


def fitted(text: str, pixels: float, cell: float = CELL) -> str:
    """Return as much of the text as surely fits into so many pixels."""
    return cut(escape(text), max(int(pixels / cell), 1))


def wide(text: str, cell: float = CELL) -> float:
    """Return how many pixels a text takes at the most."""
    return cells(text) * cell


def picture(
    inside: str, width: float, height: float, title: str, description: str, theme: Theme, styled: bool, class_: str
) -> str:
    """Return a whole SVG: named and described for those who do not see it."""
    themed = "" if theme == "auto" else f" {theme}"
    return element(
        "svg",
        element("title", words(title)),
        element("desc", words(description)),
        element("style", STYLESHEET) if styled else "",
        inside,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        width=width,
        height=height,
        role="img",
        aria_label=f"{title}. {description}",
        class_=f"tlsalert-picture {class_}{themed}",
    )


def _value(value: str | float | None) -> str:
    """Return an attribute's value; pixels with one decimal at the most."""
    return words(value) if isinstance(value, str) else f"{value or 0:.1f}".removesuffix(".0")
