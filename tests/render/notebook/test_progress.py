"""The bar in a notebook: only for large evidence and where a kernel runs, and it goes when all is read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence import CAPTURES
from tlsalert.capture import open_evidence
from tlsalert.render.notebook import progress

IPython = pytest.importorskip("IPython")


def test_a_small_capture_and_a_terminal_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = open_evidence(CAPTURES / "console.pcap")
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    progress.watch(reader)
    assert reader.progress is None
    monkeypatch.setattr(progress, "in_notebook", lambda: False)
    monkeypatch.setattr(progress, "WORTH_IT", 1)
    progress.watch(reader)
    assert reader.progress is None
    list(reader)


def test_without_a_kernel_this_is_no_notebook() -> None:
    assert not progress.in_notebook()


def test_the_bar_follows_the_reader_and_goes_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Handle:
        def update(self, shown: Any) -> None:
            said.append(shown.data)

    def display(shown: Any, display_id: bool) -> Handle:
        said.append(shown.data)
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "WORTH_IT", 1)
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    reader = open_evidence(CAPTURES / "console.pcap")
    progress.watch(reader)
    list(reader)
    assert said[0].startswith("<progress")
    assert said[-1] == ""


@pytest.mark.parametrize(
    ("done", "seconds", "says"),
    [
        (0, 0.0, "0 of 500 MB"),
        (100_000_000, 2.0, "100 of 500 MB, 50 MB/s, 8 s left"),
        (500_000_000, 10.0, "500 of 500 MB, 50 MB/s, 0 s left"),
    ],
)
def test_it_tells_how_much_how_fast_and_how_long(done: int, seconds: float, says: str) -> None:
    assert f"<small>{says}</small>" in progress.bar_html(done, 500_000_000, seconds)
