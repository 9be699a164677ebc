"""Many connections on a terminal: a table; few: a ladder each. ``pytest --rewrite-golden`` writes golden/ anew."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import cycle, islice, pairwise

import msgspec
import pytest

from tests import stories
from tlsalert.model import Connection, Endpoint, Summary
from tlsalert.render.spans import cells
from tlsalert.render.table import COLUMNS, MOST_BLOCKS, MOST_LINES, ManyWriter, layout
from tlsalert.render.text import TextWriter

replace = msgspec.structs.replace
Golden = Callable[[str, str], None]
STORIES = (stories.console(), stories.good(), stories.unread(), stories.bare())
SUMMARY = Summary("a capture.pcap", connections=20, failed_by_server=10)


@pytest.fixture(autouse=True)
def no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)


def several(number: int, *kinds: Connection) -> list[Connection]:
    """So many connections of these kinds, from ports of their own."""
    some = islice(cycle(kinds or STORIES), number)
    return [
        replace(one, connection=place, source=SUMMARY.source, client=Endpoint("10.0.0.5", 40112 + place))
        for place, one in enumerate(some)
    ]


def shown(connections: list[Connection], width: int = 100, writer: type[TextWriter] = ManyWriter) -> str:
    out = io.StringIO()
    one = writer(out, width)
    for connection in connections:
        one.write(connection)
    one.finish(SUMMARY)
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_many_are_a_table(width: int, golden: Golden) -> None:
    golden(f"table-{width}.txt", shown(several(30, *STORIES, stories.hostile()), width))


def test_few_are_shown_as_they_were() -> None:
    few = several(MOST_BLOCKS, stories.console())
    assert shown(few) == shown(few, writer=TextWriter)


def test_one_more_is_a_table_with_a_row_each() -> None:
    text = shown(several(MOST_BLOCKS + 1, stories.console()))
    assert "client_hello" not in text
    assert text.count("\n#") == 1 + MOST_BLOCKS + 1  # the heads and the rows
    assert "tlsalert read 'a capture.pcap' --connection N  shows one in full" in text


def test_a_line_each_is_enough_for_good_ones_until_they_are_very_many() -> None:
    many = several(MOST_LINES, stories.good())
    assert shown(many) == shown(many, writer=TextWriter)
    assert "when" in shown([*many, *several(1, stories.good())])


def test_rows_after_the_first_are_not_held_back() -> None:
    out = io.StringIO()
    writer = ManyWriter(out, 100)
    for number, connection in enumerate(several(50, stories.console())):
        writer.write(connection)
        assert (f"#{number} " in out.getvalue()) == (number >= MOST_BLOCKS)


def test_each_source_is_judged_by_itself() -> None:
    out = io.StringIO()
    writer = ManyWriter(out, 100)
    for number in (MOST_BLOCKS + 1, 1, MOST_BLOCKS + 1):
        for connection in several(number, stories.console()):
            writer.write(connection)
        writer.finish(SUMMARY)
    assert out.getvalue().count("shows one in full") == 2
    assert out.getvalue().count("client_hello") == 1


def test_no_row_is_wider_than_the_terminal() -> None:
    for width in range(40, 201):
        for line in shown(several(30, *STORIES, stories.hostile()), width).splitlines():
            assert cells(line) <= width
            assert line == line.rstrip()
            assert line.isprintable()


def test_what_matters_most_stays_on_a_narrow_terminal() -> None:
    heads = [[column.head for column, _ in layout(several(30), width)] for width in range(40, 201)]
    for narrow, wide in pairwise(heads):
        assert set(narrow) <= set(wide)
    assert {"#", "server", "alert", "cause"} <= set(heads[0])
    assert heads[-1] == [column.head for column in COLUMNS]
