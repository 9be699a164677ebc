"""The inventory as a table that a spreadsheet may open."""

from __future__ import annotations

import csv
import io

from tests.render.things import DAMAGE, FOUND
from tlsalert.render.inventory_csv import COLUMNS, write_csv


def rows() -> list[dict[str, str]]:
    out = io.BytesIO()
    write_csv((*FOUND, *DAMAGE), out)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode())))


def test_each_thing_is_a_line_with_all_columns() -> None:
    told = rows()
    assert len(told) == len(FOUND) + len(DAMAGE)
    assert all(tuple(row) == COLUMNS and None not in row.values() for row in told)
    assert told[0]["used_by"] == "stunnel [ikvm] CAfile (accept 5900, verify 3)"
    assert (told[-1]["kind"], told[-1]["problems"]) == ("damage", "the member is damaged")


def test_no_cell_is_a_formula_or_steers_anything() -> None:
    assert rows()[2]["issuer"] == "'=HYPERLINK()"
    assert all(value.isprintable() for row in rows() for value in row.values())


def test_nothing_secret_is_in_it() -> None:
    assert "secret" not in str(rows())
