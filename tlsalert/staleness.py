"""Compiled modules that are older than their source, as after a ``git pull`` into an editable installation.

Python takes the compiled one all the same, and what is new in the source is missing in it: then something ends in an
ImportError or an AttributeError. Only then is it looked for here: at each start it would cost time for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

PACKAGE = Path(__file__).parent
NAMED = 3  # modules in the sentence


def told(package: Path = PACKAGE) -> str:
    """Return in a sentence which compiled modules are older than their source and what to do; nothing where none is."""
    stale = sorted(_stale(package))
    if not stale:
        return ""
    more = f" and {len(stale) - NAMED} more" if len(stale) > NAMED else ""
    return (
        f"the compiled modules are older than their source ({', '.join(stale[:NAMED])}{more}): "
        "compile them again with `pip install -e .`"
    )


def _stale(package: Path) -> Iterator[str]:
    for folder, _, files in os.walk(package):
        there = set(files)
        for name in files:
            stem, dot, ending = name.partition(".")
            source = f"{stem}.py"
            if dot + ending not in EXTENSION_SUFFIXES or source not in there:
                continue
            compiled, written = Path(folder, name), Path(folder, source)
            if written.stat().st_mtime > compiled.stat().st_mtime:
                yield written.relative_to(package.parent).as_posix()
