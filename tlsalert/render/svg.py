"""A picture of the terminal's text as SVG, for READMEs and reports; only this module of render needs rich.

The picture names no font from the network: it shows the reader's own monospaced one, with the cells kept
in place by the SVG itself.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from tlsalert.model import Connection
from tlsalert.render.spans import Line, line_cells
from tlsalert.render.story import block

#: The styles of :data:`tlsalert.render.style.STYLES` in rich's words.
STYLES = {"": "", "alert": "bold red", "warn": "yellow", "good": "green", "head": "bold", "dim": "dim"}

#: rich fills this in; its own template fetches a font from the network.
TEMPLATE = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
    font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
    font-size: {char_height}px;
    line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture(lines: Sequence[Line], title: str, width: int | None = None) -> str:
    """Return the lines as an SVG of a terminal window; ``width`` in cells, by default what the lines need."""
    columns = width or max((line_cells(line) for line in lines), default=80)
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, color_system="standard")
    for line in lines:
        spans = ((text, STYLES[style]) for text, style in line)
        console.print(Text.assemble(*spans), soft_wrap=True, highlight=False)
    return console.export_svg(title=title, theme=SVG_EXPORT_THEME, code_format=TEMPLATE, unique_id="tlsalert")


def connection_picture(connection: Connection, command: str, width: int = 100) -> str:
    """Return the picture of one connection's block as ``command`` would have shown it."""
    prompt: list[Line] = [[("$ ", "dim"), (command, "head")], []]
    return picture([*prompt, *block(connection, width)], command, width)
