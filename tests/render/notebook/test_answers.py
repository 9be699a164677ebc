"""Results and comparisons in a cell: the matrix, what was learnt, and the changes in words."""

from __future__ import annotations

from tests.render.notebook.pages import assert_harmless
from tests.replay.fake_device import ACCEPTED, FOUNDING, alert
from tlsalert.replay.compare import compare
from tlsalert.replay.result import ClockTold, FindingTold, HelloTold, Result, Row, StackTold, row_of

BAD = "<script>alert(1)</script>\x1b\" onload='x'"


def test_a_result_is_a_matrix_with_its_verdict() -> None:
    rows = (row_of("expired", "TLS 1.2", alert(45)), row_of("expired", "TLS 1.3", ACCEPTED))
    seen = assert_harmless(Result("10.0.0.7:5900", HelloTold("x"), rows, FOUNDING.verdict)._repr_html_())
    assert "its clock is 2015-01-03" in seen.text
    assert "TLS 1.2TLS 1.3" in seen.text
    assert "✗ certificate_expired (45)✓ accepted" in seen.text


def test_what_was_learnt_of_the_device_is_told() -> None:
    result = Result(
        "a:1",
        HelloTold("x", ("no psk",)),
        clock=ClockTold("2015-01-03T00:00:00Z", 1.0, "its clock is early"),
        stack=StackTold("OpenSSL", 0.9),
        trusts=("CN=one", "CN=two"),
        notes=("it was flaky",),
        findings=(FindingTold("demand", "it lets in anybody", alarming=True),),
    )
    seen = assert_harmless(result._repr_html_())
    for said in ("its clock is early", "OpenSSL", "CN=one, CN=two", "it was flaky", "it lets in anybody", "no psk"):
        assert said in seen.text


def test_what_was_not_tried_stands_below_and_not_in_the_matrix() -> None:
    rows = (row_of("good", "TLS 1.2", ACCEPTED), Row("revoked", "TLS 1.2", "not_tried", note="no CA"))
    seen = assert_harmless(Result("a:1", HelloTold("x"), rows)._repr_html_())
    assert "not tried: revoked" in seen.text
    assert seen.text.count("revoked") == 1


def test_a_comparison_is_the_changes_side_by_side_and_in_words() -> None:
    old, new = (
        Result("a:1", HelloTold("x"), (row_of("expired", "TLS 1.2", alert(code)),), label=label)
        for code, label in ((45, "3.88"), (48, "3.90"))
    )
    seen = assert_harmless(compare(old, new)._repr_html_())
    assert "3.88 → 3.90" in seen.text
    assert "1 change, 0 the same" in seen.text
    assert "3.90 answers unknown_ca (48) to an expired certificate where 3.88" in seen.text
    assert "answers as" in compare(old, old)._repr_html_()


def test_markup_is_text() -> None:
    bad = Result(BAD, HelloTold(BAD, (BAD,)), (Row(BAD, BAD, "refused", note=BAD),), trusts=(BAD,), label=BAD)
    good = Result("b", HelloTold("x"), (row_of("x", "TLS 1.2", ACCEPTED),))
    for html in (bad._repr_html_(), compare(good, bad)._repr_html_()):
        assert "<script" not in html
        assert_harmless(html)
