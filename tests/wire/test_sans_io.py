"""The core of wire opens nothing: it does not even import what could."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tlsalert

CORE = [
    "capfile",
    "network",
    "headers",
    "links",
    "wlan",
    "tunnels",
    "fragments",
    "tcp",
    "flow",
    "flowmap",
    "reassembly",
    "records",
    "transcript",
    "readings",
    "cursor",
]
#: What opens sockets, speaks TLS itself, or takes long to load; and what knows files.
KEPT_OUT = [
    *("socket", "ssl", "click", "rich", "asyncio", "subprocess", "cryptography", "scapy", "tlsalert.sources.files"),
]


def loaded_by(*modules: str) -> set[str]:
    """Return the names of all modules that a fresh interpreter has loaded after importing these."""
    script = f"import sys, {', '.join(modules)}; print(*sys.modules, sep='\\n')"
    environment = {**os.environ, "PYTHONPATH": str(Path(tlsalert.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def core() -> set[str]:
    return loaded_by(*[f"tlsalert.wire.{module}" for module in CORE])


def test_the_core_is_loaded(core: set[str]) -> None:
    assert {f"tlsalert.wire.{module}" for module in CORE} <= core


@pytest.mark.parametrize("module", KEPT_OUT)
def test_the_core_leaves_out(core: set[str], module: str) -> None:
    assert module not in core


def test_the_core_knows_neither_diagnosis_nor_what_shows_it(core: set[str]) -> None:
    """The arrows point one way: sources, diagnosis, render and cli know wire, not wire them."""
    rooms = {name.split(".")[1] for name in core if name.startswith("tlsalert.")}
    assert rooms <= {"wire", "errors", "registry", "model", "_version"}


def test_neither_does_all_of_wire() -> None:
    everything = sorted(path.stem for path in (Path(tlsalert.__file__).parent / "wire").glob("[a-z]*.py"))
    loaded = loaded_by(*[f"tlsalert.wire.{module}" for module in everything])
    rooms = {name.split(".")[1] for name in loaded if name.startswith("tlsalert.")}
    assert rooms <= {"wire", "errors", "registry", "model", "messages", "extensions", "_version", "pki"}
    assert not {"socket", "ssl", "click", "rich"} & loaded
