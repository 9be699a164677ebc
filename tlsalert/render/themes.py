"""The colours of :mod:`tlsalert.render.picture.svg` by their names, for what is drawn by others."""

from __future__ import annotations

from tlsalert.render.picture import svg


def _read(declared: str) -> dict[str, str]:
    """Return the colours of a piece of CSS, "--tp-ink:#1b1f24;…", by their names; each with six digits."""
    pairs = (one.split(":") for one in declared.split(";"))
    return {name.removeprefix("--tp-"): _long(colour) for name, colour in pairs}


def _long(colour: str) -> str:
    return colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])


#: The declarations of both themes as CSS.
LIGHT_CSS, DARK_CSS = svg._LIGHT, svg._DARK
#: The colours of the light theme, in which plots are drawn.
LIGHT = _read(LIGHT_CSS)
#: The name of each of those; where two share a colour, of the first.
COLOURS = {colour: name for name, colour in reversed(LIGHT.items())}
