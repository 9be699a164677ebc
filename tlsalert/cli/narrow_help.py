"""Help on a terminal so narrow that click would write beside it: click's lines have 50 columns at the least."""

from __future__ import annotations

from collections.abc import Iterable

import click

NARROWEST = 30


class NarrowHelp(click.HelpFormatter):
    """Writes what an option says below its names rather than in the few columns beside them."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write names and what they mean; the longer names have a line of their own."""
        super().write_dl([*rows], min(col_max, self.width // 5), col_spacing)


def settle(columns: int) -> int:
    """Let help be written for a terminal of so many columns, and return the width for click."""
    click.Context.formatter_class = NarrowHelp
    return max(columns, NARROWEST) - 2
