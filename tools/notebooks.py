"""Runs the notebooks and stores what they show; with --check says only whether that is still what is stored.

    python tools/notebooks.py
    python tools/notebooks.py --check notebooks/01-from-capture-to-verdict.ipynb

Needs the extra ``notebook``. What is stored shall look good on a page that shows a repository's files: such pages take
drawings out of HTML, so where a cell gives a picture as well its HTML is left out. Nothing that changes from run to run
is stored, save in cells with the tag "varies".
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
TIMEOUT = 600  # seconds that a cell may take
PORT = re.compile(r"127\.0\.0\.1:\d+")


def main() -> int:
    """Run those that the command line names, or all; return 1 where --check finds another output than is stored."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all")
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 where an output differs")
    arguments = parser.parse_args()
    nbformat: Any = import_module("nbformat")  # it has no types
    stale = False
    for path in arguments.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
        fresh = executed(path)
        if not arguments.check:
            path.write_text(nbformat.writes(fresh) + "\n", encoding="utf-8")
            continue
        for cell in differing(nbformat.read(path, as_version=4), fresh):
            stale = True
            print(f"{path.name}: {cell} shows something else than is stored")
    return int(stale)


def executed(path: Path) -> Any:
    """Return the notebook with the outputs of a run, as they are to be stored. Raises CellExecutionError."""
    nbformat: Any = import_module("nbformat")
    NotebookClient: Any = import_module("nbclient").NotebookClient  # noqa: N806

    book = nbformat.read(path, as_version=4)
    # The kernel imports this checkout, whatever is installed.
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    client = NotebookClient(book, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    client.execute()
    book.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in book.cells:
        _tidy(cell)
    return book


def differing(stored: Any, fresh: Any) -> list[str]:
    """Return the ids of the cells whose outputs differ; those that may are only looked at for having some."""
    differ = []
    for old, new in zip(stored.cells, fresh.cells, strict=True):
        if old.cell_type != "code":
            continue
        may = "varies" in old.metadata.get("tags", ())
        if bool(old.outputs) != bool(new.outputs) if may else old.outputs != new.outputs:
            differ.append(old.id)
    return differ


def _tidy(cell: Any) -> None:
    """Take out of a cell what changes from run to run, and what a page would only spoil."""
    cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
    if cell.cell_type != "code":
        return
    kept: list[Any] = []
    for output in cell.outputs:
        data = output.get("data")
        if data is not None:
            if "image/svg+xml" in data:
                data.pop("text/html", None)
            if data.get("text/html") == "":  # where a bar was
                continue
            for kind, text in data.items():
                data[kind] = _steady(text)
        if "text" in output:
            output["text"] = _steady(output["text"])
        output.get("transient", {}).clear()
        if kept and output.output_type == kept[-1].output_type == "stream" and output.name == kept[-1].name:
            kept[-1].text += output.text  # a kernel that is slow sends what it prints in several pieces
            continue
        kept.append(output)
    cell.outputs = kept


def _steady(text: Any) -> Any:
    """Return text with the one port that is another each time by a steady one."""
    return PORT.sub("127.0.0.1:5900", text) if isinstance(text, str) else text


if __name__ == "__main__":
    sys.exit(main())
