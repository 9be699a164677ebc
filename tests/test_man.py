"""The manual page: made from the help, up to date, and read without a complaint."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.evidence import ROOT
from tlsalert.cli import VERBS

PAGE = ROOT / "man" / "tlsalert.1"


def test_it_says_what_the_help_says() -> None:
    # In an interpreter of its own: click remembers how a command's help was first asked for.
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "tools" / "make_man.py"), "-"]
    made = subprocess.run(command, capture_output=True, env=environment, check=True, timeout=60).stdout.decode()
    assert PAGE.read_text(encoding="utf-8") == made, "the help has changed: run python tools/make_man.py"


def test_it_is_installed_with_the_package() -> None:
    settings = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert f"share/man/man1 =\n    {PAGE.relative_to(ROOT)}\n" in settings


def rendered() -> str:
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    done = subprocess.run(["mandoc", "-T", "utf8", PAGE], capture_output=True, check=True, timeout=60)
    text = done.stdout.decode()
    while "\b" in text:  # bold and underlined, as typewriters did it
        at = text.index("\b")
        text = text[: at - 1] + text[at + 1 :]
    return text


def test_every_verb_and_its_examples_can_be_read_and_copied() -> None:
    text = rendered()
    for verb in VERBS:
        assert f"\n{verb.upper()}\n" in text
        assert f"tlsalert {verb}" in text
    assert "tlsalert read --only failed --format jsonl big.pcapng | jq .verdict.summary" in text
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PAGER", "EXIT STATUS"):
        assert name in text


def test_mandoc_has_nothing_to_complain_about() -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", PAGE], capture_output=True, text=True, timeout=60)
    assert done.stdout == ""


def test_groff_has_nothing_to_complain_about() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed (Debian: groff-base)")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-z", PAGE], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
