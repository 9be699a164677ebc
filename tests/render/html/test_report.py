"""The report as a file: whole, self-contained, what it says without a script, and nothing that a stranger can run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests import stories
from tests.evidence import CAPTURES
from tests.render.html.pages import SCRIPT, Page, hostile_capture, loads_nothing, many
from tlsalert.capture import read
from tlsalert.model import Summary
from tlsalert.render.html.pack import Pack
from tlsalert.render.html.page import digest
from tlsalert.render.html.report import STATIC, report, write_report


def test_the_founding_case_is_told_without_a_script() -> None:
    capture = read(CAPTURES / "console.pcap")
    html = report(capture, [capture.summary])
    seen = Page(html)
    assert loads_nothing(html)
    assert "3 connections, all refused by the server" in seen.text
    assert "console.pcap" in seen.text
    assert "it is not valid yet by the server's clock." in seen.text
    assert "Set the server's clock: it says 2015-03-12" in seen.text
    assert "not valid for another 434 days" in seen.text
    assert "ALERT fatal bad_certificate (42)" in seen.text


def test_the_policy_fits_the_page() -> None:
    seen = Page(report([stories.console()]))
    (style,) = seen.texts["style"]
    data, script = seen.texts["script"]
    assert f"style-src '{digest(style)}'" in seen.policy
    assert f"script-src '{digest(script)}'" in seen.policy
    assert data.startswith("{")
    kinds = [attributes.get("type") for tag, attributes in seen.elements if tag == "script"]
    assert kinds == ["application/json", None]


def test_names_that_are_markup_are_text(tmp_path: Path) -> None:
    capture = read(hostile_capture(tmp_path / "hostile.pcap"))
    assert capture[0].server_name == SCRIPT
    html = report(capture, [capture.summary])
    assert loads_nothing(html)
    assert html.count("<script") == 2
    assert html.count("</script") == 2
    assert "<img" not in html
    assert SCRIPT in Page(html).data["words"]


def test_what_steers_a_terminal_or_turns_text_is_spelled_out() -> None:
    html = report([stories.hostile()], [Summary("x\x1b[2J\u202e<b>", notes=("\x1b<i>",))])
    assert loads_nothing(html)
    assert not {"\x1b", "\u202e", "\x9b"} & set(html)


def test_without_scripts_the_first_failures_are_there_and_the_others_are_counted() -> None:
    seen = Page(report(many(60)))
    ladders = [one for tag, one in seen.elements if tag == "svg" and "ladder" in (one.get("class") or "")]
    assert len(ladders) == STATIC
    assert f"the first {STATIC} of 40 failures" in seen.text


def test_what_does_not_fit_is_told() -> None:
    out = io.BytesIO()
    write_report(many(9), [], out, Pack(most=5))
    seen = Page(out.getvalue().decode())
    assert len(seen.data["connections"]) == 5
    assert "4 connections are counted above and not in the table" in seen.text
    assert "9 connections, 6 refused by the server" in seen.text


@pytest.mark.parametrize("summaries", [[], [Summary("empty.pcap", packets=7, notes=("it ends early",))]])
def test_nothing_is_a_page_too(summaries: list[Summary]) -> None:
    seen = Page(report([], summaries))
    assert "No TLS connection" in seen.text
    assert "No connection failed" in seen.text
    assert ("it ends early" in seen.text) == bool(summaries)


def test_a_file_without_a_connection_is_named_all_the_same() -> None:
    seen = Page(report([], [Summary("empty.pcap", packets=7)]))
    assert "empty.pcap" in seen.text
    assert "nothing" not in seen.text


def test_the_buttons_of_the_causes_are_told_apart_by_name() -> None:
    capture = read(CAPTURES / "console.pcap")
    buttons = [
        attributes
        for tag, attributes in Page(report(capture, [capture.summary])).elements
        if tag == "button" and attributes.get("class") == "show"
    ]
    names = {attributes["aria-label"] for attributes in buttons}
    assert len(buttons) == len(names) == 3
    assert "Show it in the table: unknown_ca, refused by the server" in names
