"""The picture of dates: when it is drawn, and that it tells the truth about before and after."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from tests import stories
from tlsalert.model import Certificates, Clock, Clocks, Connection, Verdict
from tlsalert.render.spans import line_cells
from tlsalert.render.timeline import Mark, judged_certificate, picture, timeline

replace = msgspec.structs.replace
FAILED = Verdict("failed", "No.", "server", "unknown_ca")


def drawn(connection: Connection, width: int = 100) -> list[str]:
    return ["".join(text for text, _ in line) for line in timeline(connection, width)]


def with_clock(said: str, verdict: Verdict = FAILED, capture: int = stories.START) -> Connection:
    clock = Clock(stories.at(said), capture, "ServerHello.random", 0.9)
    return replace(stories.console(), clocks=Clocks(capture, clock), verdict=verdict)


def test_the_founding_case() -> None:
    bar, marks = drawn(stories.console(), 120)
    assert "2016-05-19 ├" in bar
    assert bar.endswith("┤ 2026-05-17   CN=IPMI")
    server, capture = marks.index("▲ server's clock 2015-03-12"), marks.index("▲ capture 2021-06-17")
    assert server < bar.index("├") < capture < bar.index("┤")


def test_a_clock_outside_the_validity_stands_out() -> None:
    styles = {text: style for line in timeline(stories.console(), 120) for text, style in line}
    assert styles["▲ server's clock 2015-03-12"] == "alert"
    assert styles["▲ capture 2021-06-17"] == "good"


def test_no_picture_where_no_date_matters() -> None:
    assert drawn(with_clock("2021-06-17 08:51:09")) == []
    assert drawn(replace(stories.console(), clocks=Clocks(None))) == []
    assert drawn(replace(stories.console(), certificates=Certificates())) == []
    assert drawn(stories.bare()) == []


def test_a_clock_that_is_days_off_is_shown_even_where_the_certificate_is_valid_by_it() -> None:
    assert drawn(with_clock("2021-06-10 08:51:09"))


@pytest.mark.parametrize(("confidence", "says"), [(0.01, ""), (0.3, "perhaps server's clock"), (0.9, "server's clock")])
def test_a_doubtful_clock_is_called_doubtful_and_an_incredible_one_left_out(confidence: float, says: str) -> None:
    clock = replace(stories.BEHIND, confidence=confidence)
    text = "\n".join(drawn(replace(stories.console(), clocks=Clocks(stories.START, clock)), 120))
    assert ("perhaps" in text) is says.startswith("perhaps")
    assert ("clock" in text) is bool(says)


def test_a_verdict_about_dates_is_shown_even_without_a_clock() -> None:
    expired = Verdict("failed", "Expired.", "server", "certificate_expired")
    story = replace(stories.console(), clocks=Clocks(stories.at("2026-08-01 00:00:00")), verdict=expired)
    bar, marks = drawn(story)
    assert marks.index("▲ capture 2026-08-01") > bar.index("┤")


def test_clocks_that_agree_share_a_mark() -> None:
    expired = Verdict("failed", "Expired.", "server", "certificate_expired")
    lines = drawn(with_clock("2021-06-17 08:51:10", expired))
    assert [line.strip() for line in lines[1:]] == ["▲ capture and server's clock 2021-06-17"]


def test_dates_of_one_day_tell_the_minute() -> None:
    text = "\n".join(drawn(with_clock("2016-05-19 09:40:00")))
    assert "2016-05-19 09:46 ├" in text
    assert "server's clock 2016-05-19 09:40" in text
    assert "2026-05-17   CN=IPMI" in text


def test_a_mark_at_the_end_of_the_line_has_its_words_before_it() -> None:
    story = with_clock("2090-01-01 00:00:00", capture=stories.at("2089-01-01 00:00:00"))
    nameless = replace(stories.IPMI, subject=None)
    text = drawn(replace(story, certificates=Certificates(client=(nameless,))), 80)
    assert any(line.endswith("server's clock 2090-01-01 ▲") for line in text)


def test_ninety_days_stay_visible_beside_a_clock_in_1970() -> None:
    short = replace(
        stories.IPMI, not_before=datetime(2021, 5, 1, tzinfo=UTC), not_after=datetime(2021, 8, 1, tzinfo=UTC)
    )
    story = replace(with_clock("1970-01-01 00:02:03"), certificates=Certificates(client=(short,)))
    bar, *marks = drawn(story, 80)
    assert bar.count("─") >= 6
    capture = next(line for line in marks if "capture" in line)
    assert bar.index("├") < capture.index("▲", capture.index("capture") - 2) < bar.index("┤")


def test_the_certificate_of_the_side_that_was_refused_is_shown() -> None:
    story = stories.console()
    assert judged_certificate(story) is stories.IPMI
    by_client = Verdict("failed", "No.", "client", "certificate_expired")
    assert judged_certificate(replace(story, verdict=by_client)) is stories.BMC
    assert (
        judged_certificate(replace(story, verdict=None, certificates=Certificates((), (stories.BMC,)))) is stories.BMC
    )


def test_of_a_chain_the_one_that_is_out_of_date_is_shown() -> None:
    stale = replace(stories.BMC, not_before=datetime(2000, 1, 1), not_after=datetime(2010, 1, 1))
    undated = replace(stories.BMC, not_before=None)
    chain = Certificates(client=(undated, stories.IPMI, stale))
    story = replace(stories.console(), certificates=chain, clocks=Clocks(stories.START))
    assert judged_certificate(story) is stale


@pytest.mark.parametrize(
    "clock", ["1970-01-01 00:00:00", "2015-03-12 05:41:50", "2021-06-17 08:51:09", "2106-02-07 06:28:15"]
)
def test_no_line_is_wider_than_the_terminal(clock: str) -> None:
    expired = Verdict("failed", "Expired.", "server", "certificate_expired")
    for width in range(80, 121):
        lines = timeline(with_clock(clock, expired), width)
        assert lines
        assert max(line_cells(line) for line in lines) <= width


def test_a_certificate_alone_is_drawn_with_any_clocks() -> None:
    certificate = stories.console().certificates.client[0]
    marks = [Mark("ours", stories.START), Mark("its clock", stories.at("2015-03-12 05:41:50"))]
    bar, clocks = ["".join(text for text, _ in line) for line in picture(certificate, marks, 100)]
    assert "2016-05-19 ├" in bar
    assert clocks.index("▲ its clock 2015-03-12") < clocks.index("▲ ours 2021-06-17")


def test_without_dates_or_clocks_there_is_no_picture() -> None:
    certificate = stories.console().certificates.client[0]
    assert picture(certificate, [], 100) == []
    assert picture(replace(certificate, not_after=None), [Mark("ours", 0)], 100) == []
