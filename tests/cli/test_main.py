"""``python -m tlsalert`` is the command line, too."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from tlsalert.cli import main


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tlsalert", "explain", "48"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("unknown_ca (48)")


def test_an_encoding_without_a_sign_is_no_reason_to_break_off() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "tlsalert", "explain", "48"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "RFC 8446" in done.stdout


def test_who_calls_the_command_finds_the_garbage_collector_at_work_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tlsalert", "explain", "48"])
    main()
    assert gc.isenabled()
