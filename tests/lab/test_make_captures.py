"""captures/make.py makes the stories that captures/README.md tells, and the captures there are such."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from tests.lab.packets import capture_of, records, streams
from tlsalert.lab import faketime

CAPTURES = Path(__file__).parents[2] / "captures"
BMC = 5900

#: For each capture the alert of each connection, and the clock in its ServerHello, or "" where it shows none.
STORIES = {
    "no-client-certificate": [(40, "2015-03-12 05:41:50")],
    "unknown-ca": [(48, "2015-03-12 05:41:50")],
    "not-yet-valid": [(42, f"2015-03-12 05:41:{second}") for second in (50, 54, 58)],
    "not-yet-valid-no-clock": [(42, "")],
    "expired": [(45, "2026-07-01 08:51:03")],
    "success": [(None, "2021-06-17 08:51:03")],
    "console": [(40, "2015-03-12 05:41:09"), (48, "2015-03-12 05:41:26"), (42, "2015-03-12 05:41:50")],
}


def run_maker(directory: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(CAPTURES.parent)}
    command = [sys.executable, str(CAPTURES / "make.py"), str(directory)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def story(path: Path) -> list[tuple[int | None, str]]:
    """Return what :data:`STORIES` holds, read from a capture."""
    found: list[tuple[int | None, str]] = []
    for ((_, port), _), stream in streams(capture_of(path)).items():
        if port == BMC:
            alerts = [body[1] for kind, body in records(stream) if kind == 21]
            seconds = int.from_bytes(stream[11:15], "big")
            shown = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
            found.append((alerts[0] if alerts else None, shown if seconds < 2**31 else ""))
    return found


@pytest.mark.parametrize("name", STORIES)
def test_the_captures_tell_their_stories(name: str) -> None:
    path = CAPTURES / f"{name}.pcap"
    packets = capture_of(path)
    assert story(path) == STORIES[name]
    assert packets[0].time == (1_782_895_863_217_000 if name == "expired" else 1_623_919_863_217_000)
    assert all(packet.checksums == (0xFFFF, 0xFFFF) for packet in packets)
    assert path.stat().st_size < 30_000


def test_the_readme_names_every_capture() -> None:
    told = (CAPTURES / "README.md").read_text()
    assert [path.name for path in CAPTURES.glob("*.pcap") if f"| {path.name} |" not in told] == []
    assert {path.stem for path in CAPTURES.glob("*.pcap")} >= set(STORIES)


@pytest.mark.skipif(faketime.library() is None, reason="needs libfaketime")
def test_the_maker_makes_them_again(tmp_path: Path) -> None:
    done = run_maker(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.stem: story(path) for path in tmp_path.glob("*.pcap")} == STORIES
    assert "not-yet-valid.pcap: client shows ipmi, server clock 2015-03-12 05:41:50: alert 42" in done.stdout
    assert b"Super" not in b"".join(path.read_bytes() for path in tmp_path.glob("*.pcap"))
