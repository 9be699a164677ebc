"""Replays and comparisons as pages: whole, without scripts, and what a stranger wrote is text in them."""

from __future__ import annotations

from tests.render.html.pages import SCRIPT, Page, loads_nothing
from tests.replay.fake_device import ACCEPTED, FOUNDING, alert, refused_hello
from tlsalert.render.html.page import digest
from tlsalert.render.html.replay import Shown, comparison_page, replay_page
from tlsalert.replay.compare import compare
from tlsalert.replay.expectation import expectation
from tlsalert.replay.outcome import NotTried
from tlsalert.replay.result import HelloTold, Result, Row, row_of


def result(label: str, *rows: Row) -> Result:
    return Result("10.0.0.7:5900", HelloTold("profile python"), rows, FOUNDING.verdict, label=label)


def page_of(before: Result, after: Result) -> str:
    return comparison_page(compare(before, after), before, after)


def test_a_change_is_shown_side_by_side_and_in_words() -> None:
    old = result("3.88", row_of("expired", "TLS 1.2", alert(45)), row_of("good", "TLS 1.2", ACCEPTED))
    new = result("3.90", row_of("expired", "TLS 1.2", alert(48)), row_of("good", "TLS 1.2", ACCEPTED))
    html = page_of(old, new)
    seen = Page(html)
    assert loads_nothing(html)
    assert "1 change from 3.88 to 3.90" in seen.text
    assert "certificate_expired (45)" in seen.text
    assert "unknown_ca (48)" in seen.text
    assert "3.90 answers unknown_ca (48) to an expired certificate where 3.88" in seen.text
    assert "1 variant is answered as before" in seen.text
    # Under each firmware stands its answer: no column is empty where nothing changed.
    cells = [attributes for tag, attributes in seen.elements if tag == "td"]
    assert len(cells) == 2 * 3
    assert not any("colspan" in attributes for attributes in cells)
    assert "the same" in seen.text.partition("answered as before")[2]


def test_a_tls_version_that_is_new_is_one_change() -> None:
    names = ("good", "expired")
    same = [row_of(name, "TLS 1.2", ACCEPTED) for name in names]
    old = result("3.88", *same, *(row_of(name, "TLS 1.3", refused_hello(70)) for name in names))
    new = result("3.90", *same, *(row_of(name, "TLS 1.3", ACCEPTED) for name in names))
    seen = Page(page_of(old, new)).text
    assert "1 change from 3.88 to 3.90" in seen
    assert "3.90 speaks TLS 1.3" in seen
    assert "2 variants are answered as before, but for TLS 1.3" in seen
    assert seen.count("protocol_version (70)") == 3


def test_no_difference_is_said() -> None:
    same = result("a", row_of("good", "TLS 1.2", ACCEPTED))
    assert "a (now) answers as a (before) did (1 answer)" in Page(page_of(same, same)).text


def test_a_replay_is_its_verdict_and_the_matrix_with_what_was_expected() -> None:
    rows = (
        row_of("expired", "TLS 1.2", alert(42)),
        row_of("good", "TLS 1.2", ACCEPTED),
        row_of("revoked", "TLS 1.2", NotTried("no CA key")),
        row_of("expired", "TLS 1.3", refused_hello(70)),
        row_of("good", "TLS 1.3", refused_hello(70)),
    )
    wanted = {"expired": expectation(45)}
    html = replay_page([Shown(result("x", *rows), lambda row: wanted.get(row.variant), complaints=["it is not so"])])
    seen = Page(html)
    assert loads_nothing(html)
    assert FOUNDING.verdict is not None
    assert FOUNDING.verdict.summary in seen.text
    assert "bad_certificate (42)" in seen.text
    assert "≠ 45" in seen.text
    assert "it is not so" in seen.text
    assert "protocol_version (70) whatever the client shows" in " ".join(seen.text.split())
    assert "not tried (no CA key): revoked" in seen.text
    assert f"style-src '{digest(seen.texts['style'][0])}'; script-src 'none'" in seen.policy


def test_a_replay_of_nothing_is_a_page_too() -> None:
    assert "Nothing was tried." in Page(replay_page([Shown(Result("x:1", HelloTold("y")))])).text


def test_names_that_are_markup_are_text() -> None:
    bad = SCRIPT + "\x1b\" onload='x'"
    row = Row(bad, bad, "refused", note=bad)
    evil = Result(bad, HelloTold(bad, (bad,)), (row,), trusts=(bad,), notes=(bad,), label=bad)
    for html in (page_of(evil, result("b", row_of("x", "TLS 1.2", ACCEPTED))), replay_page([Shown(evil)])):
        assert loads_nothing(html)
        assert "<script" not in html
        assert "\x1b" not in html
