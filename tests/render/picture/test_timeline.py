"""The validity timeline: bars and clocks at the right places, the gap measured, in words for those who don't see."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import stories
from tests.evidence import CAPTURES
from tlsalert.capture import read
from tlsalert.model import Connection
from tlsalert.render.picture.timeline import Bar, Mark, connection_timeline, miss, nanoseconds, span, timeline_svg

SVG = "{http://www.w3.org/2000/svg}"
DAY = 86_400 * 1_000_000_000


def date(text: str) -> int:
    return nanoseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))


def drawn(bars: list[Bar], marks: list[Mark], width: int = 720) -> Element:
    return fromstring(timeline_svg(bars, marks, width=width))


def xs(picture: Element, class_: str) -> list[float]:
    """Where the vertical lines of a class stand."""
    found = (one.get("d", "") for one in picture.iter(SVG + "path") if class_ in (one.get("class") or "").split())
    return [float(match[1]) for match in (re.match(r"M([\d.]+) ", d) for d in found) if match]


def test_the_founding_case() -> None:
    bars, marks = connection_timeline(read(CAPTURES / "console.pcap")[2])
    assert [(bar.name, bar.side, bar.judged) for bar in bars] == [
        ("CN=IPMI", "client", True),
        ("CN=bmc.example", "server", False),
    ]
    assert [(mark.name, mark.kind, mark.judge) for mark in marks] == [
        ("server’s clock", "server", True),
        ("capture", "capture", False),
    ]
    gap = miss(bars[0], marks[0])
    assert gap == (marks[0].time, bars[0].first, "not valid for another 434 days")
    picture = drawn(bars, marks)
    (clock, capture) = xs(picture, "mark")
    valid = next(one for one in picture.iter(SVG + "rect") if one.get("class") == "valid")
    begins = float(valid.get("x", ""))
    ends = begins + float(valid.get("width", ""))
    assert clock < begins < capture < ends
    # The calendar: the capture is 5.08 of 10 years into the validity.
    assert (capture - begins) / (ends - begins) == pytest.approx(0.508, abs=0.02)
    told = "".join(picture.itertext())
    assert "server’s clock 2015-03-12" in told
    assert "not valid for another 434 days" in told


def test_a_clocks_line_leaves_out_the_words_in_its_way() -> None:
    picture = drawn(*connection_timeline(read(CAPTURES / "console.pcap")[2]))
    _, capture = (one for one in picture.iter(SVG + "path") if (one.get("class") or "").startswith("mark"))
    drawn_parts = [tuple(map(float, part)) for part in re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)", capture.get("d", ""))]
    names = [float(one.get("y", "")) for one in picture.iter(SVG + "text") if "bmc.example" in "".join(one.itertext())]
    assert len(names) == 1
    assert not any(top < names[0] and names[0] - 10 < bottom for top, bottom in drawn_parts)
    # No stub of it is left above the first name.
    assert min(bottom - top for top, bottom in drawn_parts) > 4
    # Before and behind them it goes on: through the bars, to its own sign.
    valid = [float(one.get("y", "")) for one in picture.iter(SVG + "rect") if one.get("class") == "valid"]
    assert all(any(top <= y and y + 14 <= bottom for top, bottom in drawn_parts) for y in valid)


def test_the_picture_is_told_in_words() -> None:
    picture = drawn(*connection_timeline(read(CAPTURES / "console.pcap")[2]))
    assert picture.get("role") == "img"
    assert picture.findtext(SVG + "title") == "Validity of the certificates against the clocks"
    assert picture.findtext(SVG + "desc") == (
        "client: CN=IPMI is valid from 2016-05-19 to 2026-05-17; server: CN=bmc.example is valid from 2016-05-19 to "
        "2026-05-17; server’s clock: 2015-03-12, by which client: CN=IPMI is not valid for another 434 days; "
        "capture: 2021-06-17"
    )


@pytest.mark.parametrize(
    ("clock", "told"),
    [
        ("2019-12-31", "not valid for another 1 days"),
        ("2020-01-01", None),
        ("2021-01-01", None),
        ("2021-01-03", "expired 2 days ago"),
        ("2030-01-01", "expired 9 years ago"),
    ],
)
def test_the_gap_is_measured_outside_the_bar_alone(clock: str, told: str | None) -> None:
    found = miss(Bar("a", date("2020-01-01"), date("2021-01-01")), Mark("c", date(clock)))
    expected = None if told is None else told.replace("1 days", "24 hours")
    assert (None if found is None else found[2]) == expected


@pytest.mark.parametrize(
    ("duration", "told"),
    [
        (DAY * 434 + 5, "434 days"),
        (DAY * 3653, "10 years"),
        (DAY, "24 hours"),
        (DAY // 24, "60 minutes"),
        (0, "0 minutes"),
    ],
)
def test_durations_are_told_as_people_do(duration: int, told: str) -> None:
    assert span(duration) == told


def test_a_clock_that_judges_nothing_is_drawn_calmly() -> None:
    bar = Bar("a", date("2020-01-01"), date("2021-01-01"), judged=True)
    assert xs(drawn([bar], [Mark("c", date("2015-01-01"))]), "out") == []
    assert len(xs(drawn([bar], [Mark("c", date("2015-01-01"), judge=True)]), "mark")) == 1


def test_of_many_certificates_the_judged_and_some_others_are_drawn() -> None:
    bars = [Bar(f"n{number}", number * DAY, (number + 9) * DAY, judged=number == 19) for number in range(20)]
    picture = drawn(bars, [])
    assert len(list(picture.iter(SVG + "rect"))) == 8
    told = "".join(picture.itertext())
    assert "n19" in told
    assert "… 12 more certificates" in told


TIMES = st.integers(-62_000_000_000, 250_000_000_000).map(lambda second: second * 1_000_000_000)
BARS = st.builds(
    lambda name, ends, judged: Bar(name, min(ends), max(ends), "client", judged),
    st.text(max_size=40),
    st.tuples(TIMES, TIMES),
    st.booleans(),
)
MARKS = st.builds(Mark, st.text(max_size=20), TIMES, st.sampled_from(["capture", "server", "client"]), st.booleans())


@given(st.lists(BARS, max_size=10), st.lists(MARKS, max_size=4), st.integers(0, 1200))
def test_any_dates_and_names_are_a_picture_inside_its_frame(bars: list[Bar], marks: list[Mark], width: int) -> None:
    picture = drawn(bars, marks, width)
    wide = float(picture.get("width", ""))
    for one in picture.iter(SVG + "rect"):
        assert 0 <= float(one.get("x", "")) <= float(one.get("x", "")) + float(one.get("width", "")) <= wide + 2
    assert all(0 <= x <= wide for x in xs(picture, "mark"))


@pytest.mark.parametrize("story", [stories.hostile(), stories.bare(), stories.good()], ids=["hostile", "bare", "good"])
def test_any_story_has_a_picture(story: Connection) -> None:
    html = timeline_svg(*connection_timeline(story))
    fromstring(html)
    assert not {"\x1b", "\u202e"} & set(html)


def test_certificates_that_look_the_same_each_have_a_bar() -> None:
    bar = Bar("twin", date("2020-01-01"), date("2021-01-01"))
    tops = [one.get("y") for one in drawn([bar, bar], []).iter(SVG + "rect")]
    assert len(set(tops)) == 2


def test_certificates_of_one_day_begin_at_one_place_and_a_clock_between_them_still_shows() -> None:
    year = 365 * DAY
    bars = [Bar("a", 0, 10 * year), Bar("b", DAY // 2, 10 * year)]
    first, second = beginnings(drawn(bars, [Mark("capture", 5 * year)]))
    assert abs(second - first) < 1
    first, second = beginnings(drawn(bars, [Mark("capture", DAY // 4)]))
    assert second - first > 20


def beginnings(picture: Element) -> list[float]:
    """Where the bars begin, in the order in which they are drawn."""
    return [float(one.get("x", "")) for one in picture.iter(SVG + "rect") if one.get("class") == "valid"]
