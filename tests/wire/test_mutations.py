"""Broken captures are read and shown as far as they go: no other exception than a TlsalertError, and no flood."""

from __future__ import annotations

import io
from pathlib import Path
from random import Random

import pytest

from tests.evidence import CAPTURES as FOLDER
from tests.evidence import captures_under
from tests.wire.mutation import mutated
from tlsalert.capture import Reader
from tlsalert.errors import TlsalertError
from tlsalert.render.json import jsonl
from tlsalert.render.text import TextWriter

CAPTURES = list(captures_under(FOLDER))
PCAPS = [path for path in CAPTURES if path.suffix == ".pcap"]
#: What one byte of a capture may make of output at most, and what any capture may: headings, keys, notes.
PER_BYTE, AT_LEAST = 60, 20_000


def shown(path: Path) -> int:
    """Read a capture and show it in every form; return how much was written. Raises what reading raises."""
    reader = Reader(path)
    text = io.StringIO()
    writer = TextWriter(text, 100, full=True)
    size = 0
    for connection in reader:
        size += len(jsonl(connection))
        writer.write(connection)
    writer.finish(reader.summary)
    assert "\x1b" not in text.getvalue()
    return size + len(text.getvalue())


def hold(data: bytes, path: Path, seed: str) -> bool:
    """Read one broken capture; say whether it was one at all."""
    path.write_bytes(data)
    try:
        size = shown(path)
    except TlsalertError:
        return False
    except Exception as error:
        error.add_note(f"the broken capture came from {seed}")
        raise
    assert size <= AT_LEAST + PER_BYTE * len(data), f"{size} bytes of output for {len(data)}, from {seed}"
    return True


def broken(sources: list[Path], count: int, path: Path) -> int:
    """Hold ``count`` broken captures, each with a seed of its own; return how many could still be read."""
    readable = 0
    for number in range(count):
        source = sources[number % len(sources)]
        seed = f"{source.name} with Random({number})"
        readable += hold(mutated(source.read_bytes(), Random(number)), path, seed)
    return readable


def test_two_thousand_broken_captures_are_read(tmp_path: Path) -> None:
    assert broken(CAPTURES, 2000, tmp_path / "broken.pcap") > 1500


def test_every_place_to_cut_one_is_read(tmp_path: Path) -> None:
    data = min(PCAPS, key=lambda path: path.stat().st_size).read_bytes()
    path = tmp_path / "cut.pcap"
    readable = [hold(data[:size], path, f"the first {size} bytes") for size in range(0, len(data), 3)]
    assert sum(readable) == len([size for size in range(0, len(data), 3) if size >= 24])


@pytest.mark.long
def test_twenty_thousand_broken_captures_are_read(tmp_path: Path) -> None:
    assert broken(CAPTURES, 20_000, tmp_path / "broken.pcap") > 15_000
