"""A connection as one picture, for places that take nothing else."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from tests import stories
from tests.evidence import CAPTURES
from tests.render.notebook.pages import assert_harmless
from tlsalert import read
from tlsalert.model import Connection, Verdict
from tlsalert.render.picture.card import card_svg

SVG = "{http://www.w3.org/2000/svg}"
STORIES = [stories.console(), stories.good(), stories.unread(), stories.hostile(), stories.bare()]


def texts(drawing: str) -> str:
    return "\n".join("".join(text.itertext()) for text in ElementTree.fromstring(drawing).iter(f"{SVG}text"))


def test_it_holds_ends_verdict_ladder_timeline_and_advice() -> None:
    said = texts(card_svg(stories.console()))
    for part in (
        "#2  10.0.0.5:40112 → 10.0.0.7:5900",
        "The server refused the client's certificate",
        "ALERT fatal bad_certificate (42)",
        "server’s clock 2015-03-12",
        "do",
    ):
        assert part in said


@pytest.mark.parametrize("one", STORIES, ids=lambda one: one.source)
def test_it_is_one_picture_with_one_stylesheet_and_its_own_ground(one: Connection) -> None:
    drawing = card_svg(one)
    root = ElementTree.fromstring(drawing)
    assert drawing.count("<svg") == drawing.count("<style") == 1
    assert root[3].attrib["style"] == "fill:var(--tp-back)"
    assert root[3].attrib["height"] == root.attrib["height"]
    assert_harmless(drawing)


def test_each_part_begins_below_the_one_before() -> None:
    for path in sorted(CAPTURES.glob("*.pcap*")):
        for one in read(path):
            root = ElementTree.fromstring(card_svg(one))
            tops = [float(g.attrib["transform"][12:-1]) for g in root if "transform" in g.attrib]
            assert tops == sorted(tops)
            assert tops[-1] < float(root.attrib["height"])


def test_long_words_from_anybody_stay_inside_and_are_text() -> None:
    enemy = replace(stories.hostile(), verdict=Verdict("failed", "<b>" * 200, advice=("<i>" * 300,)))
    assert "<b>" not in card_svg(enemy)
    assert_harmless(card_svg(enemy))
