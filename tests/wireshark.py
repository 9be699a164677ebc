"""Wireshark's own tools as witnesses of the captures that are written; tests that need them are left out without."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="needs Wireshark's tshark")


def tshark(path: Path, *words: str) -> list[str]:
    """Return what tshark prints of a capture, line by line. It shall have no complaint."""
    done = subprocess.run(
        ["tshark", "-n", "-r", str(path), *words], capture_output=True, text=True, timeout=120, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("Running as user")]
    assert (done.returncode, complaints) == (0, [])
    return done.stdout.splitlines()


def comments(path: Path) -> dict[int, str]:
    """Return the comments of a capture's packets by frame; those of one packet are joined by a bar."""
    words = ["-Y", "frame.comment", "-T", "fields", "-E", "aggregator=|", "-e", "frame.number", "-e", "frame.comment"]
    lines = [line.split("\t", 1) for line in tshark(path, *words)]
    return {int(frame): text for frame, text in lines}
