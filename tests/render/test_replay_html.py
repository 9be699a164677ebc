"""Comparisons and results as HTML: whole, self-contained, and with nothing in it that a stranger wrote as markup."""

from __future__ import annotations

from html.parser import HTMLParser

from tests.replay.fake_device import ACCEPTED, FOUNDING, alert
from tlsalert.render.replay_html import page, table
from tlsalert.replay.compare import compare
from tlsalert.replay.result import HelloTold, Result, Row, row_of

BAD = "<script>alert(1)</script>\x1b\" onload='x'"


class Tags(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def result(label: str, row: Row) -> Result:
    return Result("10.0.0.7:5900", HelloTold("x"), (row,), FOUNDING.verdict, label=label)


def test_a_change_is_shown_side_by_side_and_in_words() -> None:
    old, new = (
        result("3.88", row_of("expired", "TLS 1.2", alert(45))),
        result("3.90", row_of("expired", "TLS 1.2", alert(48))),
    )
    seen = Tags(page(compare(old, new)))
    assert seen.open == []
    assert "✗ certificate_expired (45)" in seen.text
    assert "✗ unknown_ca (48)" in seen.text
    assert "3.90 answers unknown_ca (48) to an expired certificate where 3.88" in seen.text


def test_no_difference_is_said() -> None:
    same = result("a", row_of("good", "TLS 1.2", ACCEPTED))
    assert "a (now) answers as a (before) did (1 answer)." in Tags(page(compare(same, same))).text


def test_nothing_is_loaded_and_nothing_runs() -> None:
    bad = Row(BAD, BAD, "refused", note=BAD)
    html = page(compare(result(BAD, bad), result("b", row_of("x", "TLS 1.2", ACCEPTED)))) + table(
        Result(BAD, HelloTold(BAD), (bad,))
    )
    seen = Tags(html)
    assert not set(seen.tags) & {"script", "link", "img", "iframe"}
    assert seen.attributes <= {"lang", "charset", "name", "content", "class", "title"}
    assert "\x1b" not in html
    assert "url(" not in html


def test_a_result_is_a_table_with_its_verdict() -> None:
    seen = Tags(table(result("a", row_of("expired", "TLS 1.2", alert(45)))))
    assert seen.open == []
    assert "its clock is 2015-01-03" in seen.text
    assert "expired" in seen.text
