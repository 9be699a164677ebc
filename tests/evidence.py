"""Where evidence lies: the project's own captures, and the corpora beside the checkout where there are any."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CAPTURES = ROOT / "captures"
#: Beside the checkout, or where TLSALERT_EVIDENCE says.
SHARED = Path(os.environ.get("TLSALERT_EVIDENCE", ROOT.parent / "shared"))
CASES, CORPUS, ATLAS = SHARED / "cases", SHARED / "corpus", SHARED / "atlas" / "captures"

needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="no folder of recorded cases beside the checkout")
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="no folder of public captures beside the checkout")
needs_atlas = pytest.mark.skipif(not ATLAS.is_dir(), reason="no folder of the atlas's captures beside the checkout")


def captures_under(*folders: Path) -> Iterator[Path]:
    """Go through the captures in some folders, those that are missing left out."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and any(end in path.name for end in (".pcap", ".cap", ".dmp", ".trace")):
                yield path
