"""The progress bar: it goes to standard error, and counts what was done."""

from __future__ import annotations

import pytest

from tlsalert.cli.progress import bar, steps


def test_progress_is_shown_on_standard_error_only(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(1000) as advance:
        advance(250)
        advance(750)
    assert capsys.readouterr().out == ""


def test_steps_are_shown_there_too_whatever_their_names_hold(capsys: pytest.CaptureFixture[str]) -> None:
    with steps(2) as done:
        done("expired TLS 1.2")
        done("[bold]not markup[/]")
    assert capsys.readouterr().out == ""
