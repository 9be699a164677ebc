"""Compiled modules that are older than their source: one sentence in the place of a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import tlsalert
from tlsalert import staleness
from tlsalert.cli import main


def module(folder: Path, name: str, written: int, compiled: int | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").touch()
    os.utime(folder / f"{name}.py", (written, written))
    if compiled is not None:
        made = folder / f"{name}{EXTENSION_SUFFIXES[0]}"
        made.touch()
        os.utime(made, (compiled, compiled))


def test_modules_older_than_their_source_are_named(tmp_path: Path) -> None:
    package = tmp_path / "tlsalert"
    module(package / "wire", "tcp", 2000, 1000)
    module(package / "wire", "records", 1000, 2000)
    module(package, "capture", 2000, None)
    assert staleness.told(package) == (
        "the compiled modules are older than their source (tlsalert/wire/tcp.py): "
        "compile them again with `pip install -e .`"
    )
    for name in ("a", "b", "c"):
        module(package / "wire", name, 2000, 1000)
    assert "(tlsalert/wire/a.py, tlsalert/wire/b.py, tlsalert/wire/c.py and 1 more)" in staleness.told(package)


def test_nothing_is_said_of_an_installation_in_order(tmp_path: Path) -> None:
    module(tmp_path / "tlsalert", "wire", 1000, 1000)
    module(tmp_path / "tlsalert", "capture", 1000, None)
    assert staleness.told(tmp_path / "tlsalert") == ""


@pytest.mark.parametrize("said", ["compile them again", ""])
def test_the_command_line_says_so_only_where_it_is_so(
    said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(staleness, "told", lambda: said)
    monkeypatch.setattr("tlsalert.cli.VERBS", {"read": ""})
    monkeypatch.setitem(sys.modules, "tlsalert.cli.read", None)  # importing it is an ImportError
    monkeypatch.setattr(sys, "argv", ["tlsalert", "read", "x"])
    with pytest.raises(SystemExit if said else ImportError) as ended:
        main()
    if isinstance(ended.value, SystemExit):
        assert (ended.value.code, capsys.readouterr().err) == (3, f"tlsalert: {said}\n")


def test_so_does_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staleness, "told", lambda: "compile them again")
    monkeypatch.setitem(sys.modules, "tlsalert.capture", None)
    monkeypatch.delitem(vars(tlsalert), "read", raising=False)
    with pytest.raises(ImportError, match="compile them again"):
        tlsalert.read  # noqa: B018


def test_it_is_not_looked_for_at_each_start() -> None:
    code = "import sys, tlsalert.cli, tlsalert.cli.explain; sys.exit('tlsalert.staleness' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
