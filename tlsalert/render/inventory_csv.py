"""What was found as CSV: one line for each thing, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO

from tlsalert.pki.found import Damage, Found
from tlsalert.render.csv import cell
from tlsalert.render.inventory_json import time_text

COLUMNS = (
    *("where", "kind", "subject", "issuer", "serial", "not_before", "not_after", "key", "encrypted"),
    *("sha256", "spki_sha256", "fits", "issued_by", "used_by", "problems"),
)


def write_csv(things: Iterable[Found | Damage], out: BinaryIO) -> None:
    """Write the header and one line for each thing; several values in a cell are parted by "; "."""
    out.write(_line(COLUMNS))
    for one in things:
        out.write(_line([cell(text) for text in _cells(one)]))


def _cells(one: Found | Damage) -> Iterable[str | None]:
    if isinstance(one, Damage):
        return (one.where, "damage", *[None] * (len(COLUMNS) - 3), one.says)
    return (
        *(one.where, one.kind, one.subject, one.issuer, one.serial),
        *(time_text(one.not_before), time_text(one.not_after), one.key, "yes" if one.encrypted else None),
        *(one.sha256, one.spki_sha256, "; ".join(one.fits), "; ".join(one.issued_by)),
        *("; ".join(map(str, one.used_by)), "; ".join(one.problems)),
    )


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "backslashreplace")
