"""The pieces of pictures: text stays text, and colours are there for both themes."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsalert.render.picture.svg import CELL, STYLESHEET, element, fitted, label, picture, wide, words


@given(st.text())
def test_any_text_comes_back_as_text(text: str) -> None:
    made = fromstring(element("text", words(text), x=1, class_=text))
    assert (made.text or "").isprintable()
    assert made.get("class") == (made.text or None)


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"class_": "a b", "text_anchor": "end"}, '<g class="a b" text-anchor="end"/>'),
        ({"x": 1.0, "y": 2.345, "d": None, "id": ""}, '<g x="1" y="2.3"/>'),
        ({"x": 0}, '<g x="0"/>'),
        ({"title": '"<&'}, '<g title="&quot;&lt;&amp;"/>'),
    ],
)
def test_attributes(attributes: dict[str, str | float | None], told: str) -> None:
    assert element("g", **attributes) == told


@given(st.text(max_size=80), st.floats(1, 500))
def test_fitted_text_fits(text: str, pixels: float) -> None:
    assert wide(fitted(text, pixels)) <= max(pixels, CELL)


def test_a_label_stands_where_it_is_put() -> None:
    assert label(1, 2, "a<b", "dim", "end") == '<text x="1" y="2" class="dim" text-anchor="end">a&lt;b</text>'


def test_a_picture_has_a_name_and_a_description() -> None:
    made = picture("", 10, 20, "name", "words", "dark", False, "x")
    assert 'viewBox="0 0 10 20"' in made
    assert 'aria-label="name. words"' in made
    assert "<title>name</title><desc>words</desc>" in made


def test_the_stylesheet_loads_nothing_and_knows_both_themes() -> None:
    assert "url(" not in STYLESHEET
    assert "@import" not in STYLESHEET
    for theme in ("prefers-color-scheme:dark", ".light .tlsalert-picture", ".dark .tlsalert-picture", "@media print"):
        assert theme in STYLESHEET
