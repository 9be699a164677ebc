"""Help on narrow terminals: every line that may be broken fits."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tlsalert.cli import VERBS


def help_of(verb: str, columns: int) -> str:
    environment = {**os.environ, "COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "tlsalert", *([verb] if verb else []), "--help"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout


@pytest.mark.parametrize("verb", ["", "read", "replay", "clock"])
def test_at_forty_columns_only_what_is_laid_out_is_wider(verb: str) -> None:
    text = help_of(verb, 40)
    flowing = text[: text.index("Example")] if "Example" in text else text
    laid_out = flowing.find("Logs are known by their content")
    options = flowing[flowing.index("Options:") :]
    for line in (flowing[:laid_out] if laid_out > 0 else flowing).splitlines() + options.splitlines():
        assert len(line) <= 40 or len(line.split()) <= 2  # an option's names with what it takes are not parted


@pytest.mark.parametrize("verb", VERBS)
def test_at_eighty_columns_every_line_fits(verb: str) -> None:
    assert max(len(line) for line in help_of(verb, 80).splitlines()) <= 80


def test_what_options_say_has_room_on_a_narrow_terminal() -> None:
    assert "--connection N\n           Show only connection N\n" in help_of("read", 40)
