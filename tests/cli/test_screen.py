"""What is longer than the screen is paged, on a terminal alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.evidence import CAPTURES, ROOT
from tests.terminal import PROGRAM, on_terminal
from tlsalert.cli import screen

CONSOLE, SUCCESS = CAPTURES / "console.pcap", CAPTURES / "success.pcap"


@pytest.fixture
def pager(tmp_path: Path) -> Path:
    """A pager that keeps what it is given, and says that it ran."""
    script = tmp_path / "pager"
    script.write_text(f'#!/bin/sh\necho "PAGER $LESS"\ncat > {tmp_path}/kept\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def test_what_is_longer_than_the_screen_goes_through_the_pager(pager: Path) -> None:
    code, shown = on_terminal(["read", CONSOLE], PAGER=str(pager))
    assert (code, shown) == (0, "PAGER FRX\n")
    kept = (pager.parent / "kept").read_text(encoding="utf-8")
    assert kept.startswith(str(CONSOLE))
    assert "3 connections, 3 refused by the server" in kept


@pytest.mark.parametrize(
    ("arguments", "rows", "why"),
    [
        pytest.param(["read", SUCCESS], 60, "ok", id="what fits"),
        pytest.param(["read", CONSOLE, "--no-pager"], 24, "bad_certificate", id="--no-pager"),
        pytest.param(["read", CONSOLE, "--format", "json"], 24, '"verdict"', id="what is for programs"),
    ],
)
def test_no_pager_for(arguments: list[str], rows: int, why: str, pager: Path) -> None:
    code, shown = on_terminal(arguments, rows=rows, PAGER=str(pager))
    assert code == 0
    assert "PAGER" not in shown
    assert why in shown


def test_a_pipe_and_a_file_are_never_paged(pager: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PAGER": str(pager)}
    done = subprocess.run([*PROGRAM, "read", CONSOLE], capture_output=True, text=True, env=environment, check=True)
    assert "PAGER" not in done.stdout
    code, shown = on_terminal(["read", CONSOLE, "-o", tmp_path / "out"], PAGER=str(pager))
    assert (code, shown) == (0, "")


def test_the_exit_code_is_the_verbs_own(pager: Path) -> None:
    assert on_terminal(["read", CONSOLE, "--fail-on", "fatal"], PAGER=str(pager)) == (1, "PAGER FRX\n")


def test_remarks_come_after_the_page(pager: Path, tmp_path: Path) -> None:
    code, shown = on_terminal(["read", CONSOLE, tmp_path / "nowhere"], PAGER=str(pager), columns=200)
    assert code == 3
    assert shown.startswith("PAGER FRX\ntlsalert: ")
    assert "nowhere" in shown


def test_a_pager_that_is_left_ends_the_work_quietly(tmp_path: Path) -> None:
    assert on_terminal(["explain", "--list"], PAGER="true") == (0, "")


@pytest.mark.parametrize("wish", ["", "cat", "no-such-pager-anywhere"])
def test_without_a_pager_all_is_shown(wish: str) -> None:
    code, shown = on_terminal(["read", CONSOLE], PAGER=wish)
    assert code == 0
    assert "3 connections, 3 refused by the server" in shown


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
def test_less_shows_colours_and_what_is_drawn() -> None:
    code, shown = on_terminal(["read", CONSOLE], typed=b"q", NO_COLOR="", LC_ALL="C.UTF-8")
    assert code == 0
    assert "\x1b[1m" in shown
    assert " → 10.0.0.7:5900" in shown


@pytest.mark.parametrize(
    ("setting", "command"),
    [
        ({"PAGER": "less -S"}, ["less", "-S"] if shutil.which("less") else None),
        ({"PAGER": "cat"}, None),
        ({"PAGER": "cat", "TERM": "xterm"}, None),
        ({"PAGER": "sh", "TERM": "dumb"}, None),
        ({"PAGER": "sh -c 'cat > x'", "TERM": "xterm"}, ["sh", "-c", "cat > x"]),
    ],
)
def test_which_pager(monkeypatch: pytest.MonkeyPatch, setting: dict[str, str], command: list[str] | None) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    assert screen.pager() == command
