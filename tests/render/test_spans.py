"""Texts in cells of a terminal: cut, padded, parted, never wider than they may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.render.spans import (
    ASCII,
    DRAWING,
    NO_BREAK,
    Line,
    can_draw,
    cells,
    cut,
    cut_left,
    cut_line,
    join_fitting,
    line_cells,
    merged,
    pad,
    wrap,
)


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("東京", 4), ("e\u0301", 1), ("▶─", 2)])
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    ("text", "room", "result"),
    [("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("東京都", 5, "東京…"), ("東京都", 4, "東…"), ("abc", 0, "")],
)
def test_cut(text: str, room: int, result: str) -> None:
    assert cut(text, room) == result


def test_a_path_keeps_its_end() -> None:
    assert cut_left("/captures/bmc/console.pcap", 13) == "…console.pcap"
    assert cut_left("console.pcap", 12) == "console.pcap"
    assert cut_left("東京都", 4) == "…都"
    assert cut_left("abc", 0) == ""


def test_a_line_is_cut_across_its_spans() -> None:
    assert cut_line([("abc", "dim"), ("defg", "")], 5) == [("abc", "dim"), ("d…", "")]
    assert cut_line([("abc", "dim")], 3) == [("abc", "dim")]


def test_padding_never_cuts() -> None:
    assert pad("ab", 4) == "ab  "
    assert pad("abcde", 4) == "abcde"


def test_lines_are_parted_at_spaces_and_hang() -> None:
    assert wrap("one two three four", 9, hang=2) == ["one two", "  three", "  four"]


def test_a_word_that_is_too_long_is_parted_anywhere() -> None:
    assert wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]


def test_what_belongs_together_stays_together() -> None:
    assert wrap(f"says so (frame{NO_BREAK}6)", 14) == ["says so", "(frame 6)"]


@given(text=st.text(st.characters(categories=["L", "N", "P", "Zs"])), room=st.integers(6, 40), hang=st.integers(0, 3))
def test_no_line_is_too_wide_and_nothing_is_lost(text: str, room: int, hang: int) -> None:
    lines = wrap(text, room, hang)
    assert lines
    assert all(cells(line) <= room for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.replace(NO_BREAK, " ").split())


@given(text=st.text(), room=st.integers(0, 20))
def test_a_cut_text_fits(text: str, room: int) -> None:
    assert cells(cut(text, room)) <= room
    assert cells(cut_left(text, room)) <= room


def test_pieces_are_joined_as_long_as_they_fit() -> None:
    labels: list[Line] = [[("certificate", "")], [("finished", ""), (" ok", "dim")], [("x", "")]]
    between = (" · ", "")
    (line,) = join_fitting(labels, between, 29)
    assert line == [("certificate", ""), between, ("finished", ""), (" ok", "dim"), between, ("x", "")]
    assert join_fitting(labels, between, 16) == [[("certificate", ""), (" ·", "")], line[2:]]
    assert join_fitting([[("a-very-long-label", "")]], between, 8) == [[("a-very-…", "")]]


def test_drawings_have_a_stand_in_of_the_same_width() -> None:
    assert DRAWING.translate(ASCII).isascii()
    assert len(DRAWING.translate(ASCII)) == len(DRAWING)


@pytest.mark.parametrize(
    ("encoding", "draws"), [("utf-8", True), ("ascii", False), ("latin-1", False), (None, True), ("no such", False)]
)
def test_which_encodings_have_arrows(encoding: str | None, draws: bool) -> None:
    assert can_draw(encoding) is draws


def test_a_line_is_as_wide_as_its_spans() -> None:
    assert line_cells([("ab", ""), ("東", "dim")]) == 4


def test_neighbours_of_one_style_are_one_span() -> None:
    line: list[tuple[str, str]] = [("a", ""), (" · ", ""), ("b", "dim"), ("c", "")]
    assert merged(line) == [("a · ", ""), ("b", "dim"), ("c", "")]
    assert merged([]) == []
