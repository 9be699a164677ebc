"""The notebooks are executed, and show what is stored in them; what is stored suits a page that shows files."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.evidence import ROOT

TOOL = runpy.run_path(str(ROOT / "tools" / "notebooks.py"))
PICTURES = re.compile(r"<(svg|style)\b.*?</\1>|<[^>]*>", re.DOTALL)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def stored(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")  # Jupyter's own
def test_each_cell_shows_what_is_stored(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    for needed in ("nbclient", "ipykernel", "pandas", "matplotlib", "pyarrow", "OpenSSL"):
        pytest.importorskip(needed)
    monkeypatch.setenv("PYTHONPATH", "")  # set back when this ends: executed() changes it
    fresh = TOOL["executed"](path)
    assert TOOL["differing"](nbformat.read(path, as_version=4), fresh) == []


def test_there_are_notebooks_for_each_thing_that_people_do() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_stored_can_be_read_where_drawings_in_html_are_taken_away(path: Path) -> None:
    for cell in stored(path):
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "image/svg+xml" in data:
                assert "text/html" not in data
                assert "".join(data["text/plain"]).strip()
            if "text/html" in data:
                assert PICTURES.sub("", "".join(data["text/html"])).strip()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_of_the_machine_it_ran_on_is_stored(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "/tmp/" not in text
    assert str(Path.home()) + "/" not in text
    assert "Traceback" not in text


def test_what_a_slow_kernel_prints_in_pieces_is_one_output() -> None:
    v4 = pytest.importorskip("nbformat.v4")
    pieces = [v4.new_output("stream", name=name, text=text) for name, text in (("stdout", "a\n"), ("stdout", "b\n"))]
    apart = [v4.new_output("stream", name="stderr", text="c\n"), v4.new_output("stream", name="stdout", text="d\n")]
    cell = v4.new_code_cell("print()", outputs=[*pieces, *apart])
    TOOL["_tidy"](cell)
    assert [(one.name, one.text) for one in cell.outputs] == [
        ("stdout", "a\nb\n"),
        ("stderr", "c\n"),
        ("stdout", "d\n"),
    ]
