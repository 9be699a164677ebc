"""The ladder as a picture: all in order, the alert standing out, fields for whoever points, words for who can't see."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

import msgspec
import pytest

from tests import stories
from tests.evidence import CAPTURES, captures_under
from tlsalert.capture import read
from tlsalert.model import Connection, HandshakeMessage, Position
from tlsalert.render.picture.ladder import ladder_svg
from tlsalert.render.picture.said import said, told
from tlsalert.render.picture.timeline import connection_timeline, timeline_svg

SVG = "{http://www.w3.org/2000/svg}"
CONSOLE = read(CAPTURES / "console.pcap")[2]


def drawn(svg: str) -> Element:
    return fromstring(svg)


def groups(picture: Element) -> list[Element]:
    return [one for one in picture.iter(SVG + "g") if "step" in (one.get("class") or "").split()]


def heights(picture: Element) -> list[float]:
    arrows = [one.get("d", "") for one in picture.iter(SVG + "path") if one.get("class") == "arrow"]
    return [float(match[1]) for match in (re.search(r" ([\d.]+)H", d) for d in arrows) if match]


def test_the_founding_case_is_drawn_in_order_with_its_alert_standing_out() -> None:
    picture = drawn(ladder_svg(CONSOLE))
    steps = groups(picture)
    assert [step.get("class") for step in steps] == ["step"] * 4 + ["step alert", "step quiet"]
    assert "ALERT fatal bad_certificate (42)" in "".join(steps[4].itertext())
    assert any(one.get("class") == "plate" for one in steps[4].iter(SVG + "rect"))
    assert heights(picture) == sorted(heights(picture))
    assert "clock in random 2015-03-12 05:41:50" in "".join(picture.itertext())


def test_the_projects_own_pictures_are_what_is_drawn_now() -> None:
    drawings = {"ladder": ladder_svg(CONSOLE), "timeline": timeline_svg(*connection_timeline(CONSOLE))}
    for name, svg in drawings.items():
        path = CAPTURES / f"console-{name}.svg"
        assert path.read_text(encoding="utf-8") == svg, (
            "python tools/make_pictures.py captures/console.pcap -o captures"
        )


def test_it_is_told_in_words() -> None:
    picture = drawn(ladder_svg(CONSOLE))
    assert picture.get("role") == "img"
    assert picture.findtext(SVG + "title") == "TLS handshake of 10.0.0.5:40112 with 10.0.0.7:5900"
    described = picture.findtext(SVG + "desc") or ""
    assert described.startswith("client: client_hello; server: server_hello")
    assert described.endswith("it is not valid yet by the server's clock.")


def test_who_points_at_a_message_reads_its_fields() -> None:
    titles = [one.text or "" for one in drawn(ladder_svg(CONSOLE)).iter(SVG + "title")]
    (hello,) = [title for title in titles if title.startswith("client_hello\n")]
    assert "128 bytes, frame 28" in hello
    assert "cipher_suites: TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" in hello


def test_time_is_to_scale_where_asked_for() -> None:
    even, timed = (heights(drawn(ladder_svg(CONSOLE, scale=scale))) for scale in ("even", "time"))
    gaps = [after - before for before, after in pairwise(timed)]
    assert max(gaps) == gaps[-2]  # 206 ms of 266 before the alert
    assert timed[-1] - timed[0] > even[-1] - even[0]
    assert timed == sorted(timed)


@pytest.mark.parametrize(("theme", "class_"), [("auto", "ladder"), ("light", "ladder light"), ("dark", "ladder dark")])
def test_the_theme_is_a_class(theme: str, class_: str) -> None:
    picture = drawn(ladder_svg(CONSOLE, theme=theme))  # type: ignore[arg-type]
    assert picture.get("class") == f"tlsalert-picture {class_}"


def test_the_stylesheet_can_be_the_pages() -> None:
    assert "<style>" in ladder_svg(CONSOLE)
    assert "<style>" not in ladder_svg(CONSOLE, styled=False)


@pytest.mark.parametrize("width", [0, 360, 1200])
def test_it_is_as_wide_as_asked_for_but_never_unreadable(width: int) -> None:
    assert drawn(ladder_svg(CONSOLE, width=width)).get("width") == str(max(width, 360))


def test_of_a_very_long_ladder_the_ends_are_drawn() -> None:
    message = HandshakeMessage("hello_request", 0, "server", Position(frame=1), None, 0)
    messages = tuple(msgspec.structs.replace(message, position=Position(frame=number)) for number in range(1, 90))
    picture = drawn(ladder_svg(Connection(source="x", connection=0, messages=messages)))
    assert len(groups(picture)) == 38
    assert "… 51 more steps …" in "".join(picture.itertext())


@pytest.mark.parametrize("story", [stories.hostile(), stories.bare(), stories.good(), stories.unread()])
def test_any_story_is_a_picture_without_anything_to_run_or_load(story: Connection) -> None:
    svg = ladder_svg(story)
    names = {one.tag.removeprefix(SVG) for one in drawn(svg).iter()}
    assert names <= {"svg", "title", "desc", "style", "g", "text", "tspan", "path", "rect"}
    assert not re.search(r"\son\w+=|href|url\(|@import", svg)
    assert not {"\x1b", "\u202e", "\x9b"} & set(svg)


def test_every_capture_of_our_own_has_pictures() -> None:
    for path in captures_under(CAPTURES):
        for connection in read(path):
            drawn(ladder_svg(connection))
            for message in connection.messages:
                told(said(message, connection))
