"""The pictures' colours by their names."""

from __future__ import annotations

import re

from tlsalert.render.picture.svg import STYLESHEET
from tlsalert.render.themes import COLOURS, LIGHT


def test_the_colours_are_those_of_the_stylesheet_with_six_digits() -> None:
    assert set(re.findall(r"var\(--tp-([a-z-]+)\)", STYLESHEET)) <= set(LIGHT)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in LIGHT.values())


def test_each_colour_has_a_name_the_first_where_two_share_it() -> None:
    assert set(COLOURS) == set(LIGHT.values())
    assert all(LIGHT[name] == colour for colour, name in COLOURS.items())
