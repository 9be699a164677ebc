"""captures/make.py makes the stories that captures/README.md and labels.json tell, and the captures there are such."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from tests.lab.packets import capture_of, records, streams
from tlsalert.lab import faketime
from tlsalert.sources.files import ByteSource

CAPTURES = Path(__file__).parents[2] / "captures"
LABELS: dict[str, Any] = json.loads((CAPTURES / "labels.json").read_text())["captures"]
KINDS = (".pcap", ".pcapng", ".gz", ".zst")
CONSOLE = 5900

#: For each capture of the console the alert of each connection, and the clock in its ServerHello, or "".
STORIES = {
    "no-client-certificate": [(40, "2015-03-12 05:41:50")],
    "unknown-ca": [(48, "2015-03-12 05:41:50")],
    "not-yet-valid": [(42, f"2015-03-12 05:41:{second}") for second in (50, 54, 58)],
    "not-yet-valid-no-clock": [(42, "")],
    "expired": [(45, "2026-07-01 08:51:03")],
    "success": [(None, "2021-06-17 08:51:03")],
    "console": [(40, "2015-03-12 05:41:09"), (48, "2015-03-12 05:41:26"), (42, "2015-03-12 05:41:50")],
    "two-clocks": [
        (42, "2015-03-12 05:41:50"),
        (45, "2031-11-02 22:08:20"),
        (42, "2015-03-12 05:41:55"),
        (45, "2031-11-02 22:08:25"),
    ],
    "clock-reset": [(42, "2015-03-12 05:41:50"), (None, "2021-06-17 08:51:20")],
    "http-date": [(42, "")],
}


def run_maker(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(CAPTURES.parent)}
    command = [sys.executable, str(CAPTURES / "make.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def story(path: Path) -> list[tuple[int | None, str]]:
    """Return what :data:`STORIES` holds, read from a capture."""
    found: list[tuple[int | None, str]] = []
    for ((_, port), _), stream in streams(capture_of(path)).items():
        if port == CONSOLE:
            alerts = [body[1] for kind, body in records(stream) if kind == 21]
            seconds = int.from_bytes(stream[11:15], "big")
            shown = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
            found.append((alerts[0] if alerts else None, shown if seconds < 2**31 else ""))
    return found


def files(folder: Path) -> set[str]:
    """Return the names of the captures in a folder."""
    return {path.name for path in folder.iterdir() if path.suffix in KINDS}


@pytest.mark.parametrize("name", STORIES)
def test_the_console_tells_its_stories(name: str) -> None:
    path = CAPTURES / f"{name}.pcap"
    packets = capture_of(path)
    assert story(path) == STORIES[name]
    assert packets[0].time == (1_782_895_863_217_000 if name == "expired" else 1_623_919_863_217_000)
    assert all(packet.checksums == (0xFFFF, 0xFFFF) for packet in packets)
    assert path.stat().st_size < 30_000


def test_every_capture_has_a_label_and_stands_in_the_readme() -> None:
    told = (CAPTURES / "README.md").read_text()
    assert files(CAPTURES) == {*LABELS}
    assert [name for name in sorted(LABELS) if f"| {name} |" not in told] == []


def test_the_captures_stay_small() -> None:
    everything = [path for path in CAPTURES.iterdir() if path.suffix in (*KINDS, ".keys")]
    assert sum(path.stat().st_size for path in everything) < 300_000


def test_each_key_log_opens_the_capture_beside_it() -> None:
    logs = {one["keys"] for capture in LABELS.values() for one in capture["connections"] if one["keys"]}
    assert logs == {path.name for path in CAPTURES.glob("*.keys")}
    for log in sorted(logs):
        capture = (CAPTURES / log).with_suffix(".pcap").read_bytes()
        for line in (CAPTURES / log).read_text().splitlines():
            label, random, _ = line.split()
            assert bytes.fromhex(random) in capture, label


def test_no_private_key_was_left() -> None:
    for path in sorted(CAPTURES.iterdir()):
        if path.is_file() and path.suffix not in (".py", ".md", ".svg"):
            with ByteSource(path) as source:
                data = b"".join(source.chunks())
            assert b"PRIVATE KEY" not in data, path


@pytest.mark.skipif(faketime.library() is None, reason="needs libfaketime (Debian: faketime)")
def test_the_maker_makes_them_again(tmp_path: Path) -> None:
    done = run_maker(str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert {name: story(tmp_path / f"{name}.pcap") for name in STORIES} == STORIES
    assert "not-yet-valid.pcap: client shows ipmi, server clock 2015-03-12 05:41:50: alert 42" in done.stdout
    assert b"Super" not in b"".join(path.read_bytes() for path in tmp_path.glob("*.pcap"))
    assert files(tmp_path) == {*LABELS}
    assert (tmp_path / "labels.json").read_text() == (CAPTURES / "labels.json").read_text()


@pytest.mark.skipif(faketime.library() is None, reason="needs libfaketime (Debian: faketime)")
def test_the_maker_makes_one_and_leaves_the_others(tmp_path: Path) -> None:
    assert run_maker(str(tmp_path), "--only", "key-mismatch").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"key-mismatch.pcap", "labels.json"}


def test_the_maker_knows_its_stories() -> None:
    done = run_maker("--only", "nobody")
    assert (done.returncode, done.stderr) == (2, "make.py: there is no story of the name nobody\n")


def test_the_maker_says_what_it_needs(tmp_path: Path) -> None:
    """A module of this name that is empty stands for pyOpenSSL that is not installed."""
    (tmp_path / "OpenSSL.py").touch()
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{CAPTURES.parent}"}
    command = [sys.executable, str(CAPTURES / "make.py"), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("(pip install 'tlsalert[lab]')\n")
