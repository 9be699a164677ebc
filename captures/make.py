"""Makes the captures in this directory and labels.json: ``python captures/make.py [DIRECTORY] [--only NAME ...]``.

Each handshake is a real one, between two endpoints in memory; the lab's recorder gives the bytes packets, addresses
and times. What is true of each capture is planned in console.py and stories.py, checked in the bytes, and written to
labels.json. Keys are made anew in each run and thrown away; the key logs (NAME.keys) open their own captures only.

Needs the extra ``lab`` and libfaketime (Debian: package faketime). Exits with 2 where that is missing.
"""

from __future__ import annotations

import argparse
import json
import ssl
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

try:
    from console import SCENES, START, make_capture, make_people
    from cryptography.hazmat.backends.openssl import backend
    from stories import STORIES
except ImportError as error:
    print(f"make.py: {error} (pip install 'tlsalert[lab]')", file=sys.stderr)
    sys.exit(2)

from tlsalert.errors import UsageError
from tlsalert.lab import faketime


def main() -> int:
    """Make captures, print what each of them holds, and write what is true of all."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("directory", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="make these and leave the others as they are")
    arguments = parser.parse_args()
    wanted = None if arguments.only is None else set(arguments.only)
    if unknown := (wanted or set()) - set(names()):
        print(f"make.py: there is no story of the name {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    try:
        faketime.environment(START)
    except UsageError as error:
        print(f"make.py: {error}", file=sys.stderr)
        return error.exit_code
    stacks = f"pyOpenSSL {version('pyOpenSSL')} with {backend.openssl_version_text()}, Python's {ssl.OPENSSL_VERSION}"
    print(f"{stacks}, {faketime.library()}")
    make(arguments.directory, wanted)
    text = json.dumps(labels(), indent=1) + "\n"
    (arguments.directory / "labels.json").write_text(text, encoding="utf-8")
    return 0


def names() -> list[str]:
    """Return the names of all stories."""
    return [*SCENES, *(stem(story.file) for story in STORIES)]


def make(directory: Path, wanted: set[str] | None) -> None:
    """Write the captures whose names are wanted, or all."""
    people = make_people()
    for name, scene in SCENES.items():
        if wanted is None or name in wanted:
            make_capture(directory / f"{name}.pcap", scene, people)
    for story in STORIES:
        if wanted is not None and stem(story.file) not in wanted:
            continue
        for ending, data in story.make().items():
            path = directory / f"{stem(story.file)}.{ending}"
            path.write_bytes(data)
            print(f"{path.name}: {len(data)} bytes")


def labels() -> dict[str, Any]:
    """Return what is true of every capture, for labels.json."""
    scenes = [(f"{name}.pcap", scene.why, scene.labels) for name, scene in SCENES.items()]
    told = scenes + [(story.file, story.why, story.labels) for story in STORIES]
    return {
        "captures": {
            file: {"made": why, "connections": [label.as_json() for label in truths]} for file, why, truths in told
        }
    }


def stem(file: str) -> str:
    """Return the name of a capture without its ends."""
    return file.partition(".")[0]


if __name__ == "__main__":
    sys.exit(main())
