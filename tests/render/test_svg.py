"""The picture for READMEs: a well-formed SVG that shows the terminal's text and fetches nothing."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests import stories
from tlsalert.render import svg
from tlsalert.render.story import block
from tlsalert.render.style import STYLES

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    return [(text.text or "").replace("\xa0", " ") for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_every_style_of_the_terminal_is_known() -> None:
    assert svg.STYLES.keys() == {"", *STYLES}


def test_the_picture_says_what_the_terminal_says() -> None:
    said = "".join(texts(svg.connection_picture(stories.console(), "tlsalert read console.pcap")))
    assert "$ tlsalert read console.pcap" in said
    for line in block(stories.console(), 100):
        for text, _ in line:
            assert text.strip() in said


def test_the_picture_is_the_same_each_time_and_fetches_nothing() -> None:
    picture = svg.connection_picture(stories.console(), "tlsalert read console.pcap")
    assert picture == svg.connection_picture(stories.console(), "tlsalert read console.pcap")
    assert "url(http" not in picture
    assert "@font-face" not in picture


def test_the_alert_is_bold() -> None:
    root = ElementTree.fromstring(svg.connection_picture(stories.console(), "x"))
    (alert,) = [text for text in root.iter(f"{SVG}text") if "ALERT" in (text.text or "")]
    (style,) = [style.text or "" for style in root.iter(f"{SVG}style")]
    rule = next(rule for rule in style.splitlines() if rule.startswith(f".{alert.get('class')} "))
    assert "font-weight: bold" in rule


@pytest.mark.parametrize("width", [80, 100, 120])
def test_nothing_is_drawn_outside_the_window(width: int) -> None:
    root = ElementTree.fromstring(svg.connection_picture(stories.console(), "x", width))
    room = float(root.get("viewBox", "").split()[2])
    for text in root.iter(f"{SVG}text"):
        assert float(text.get("x", "0")) + float(text.get("textLength", "0")) <= room


def test_hostile_names_stay_text() -> None:
    hostile = svg.picture([[("<script>alert(1)</script> [bold]&amp;", "")]], "<title>")
    assert "<script>" not in hostile
    assert "<script>alert(1)</script> [bold]&amp;" in texts(hostile)
    said = texts(svg.connection_picture(stories.hostile(), "x"))
    assert all(text.isprintable() for text in said if text != "\n")  # rich ends its lines so


def test_rich_is_loaded_only_for_a_picture() -> None:
    check = "import sys, tlsalert.render.text, tlsalert.render.json, tlsalert.render.csv; print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
