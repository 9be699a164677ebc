"""What holds the captures to their limits finds out who breaks them. This needs no corpus."""

from __future__ import annotations

import pytest

from tests.corpus.trial import Job, tried
from tests.evidence import CAPTURES

GOOD = Job(str(CAPTURES / "success.pcap"))

#: A trial in whose process reading is something else; it ends well for every file that is not "expired.pcap".
SCRIPT = """
from pathlib import Path
from tests.corpus import trial

def read(path: Path) -> int:
    if path.name == "expired.pcap":
        {}
    return 0

trial.SECONDS = 3.0
trial.read = read
raise SystemExit(trial.main())
"""


@pytest.mark.parametrize(
    ("does", "told"),
    [
        pytest.param('raise KeyError("x")', "KeyError: 'x'", id="raises"),
        pytest.param("while True: pass", "took more than 5 s of processor time", id="never ends"),
        pytest.param("sum([1]*10**10)", "MemoryError: ", id="wants more than there is"),
        pytest.param("b'x' * (320 << 20)", "took the process to ", id="takes too much"),
        pytest.param("import os; os.abort()", "the process died with -6", id="dies"),
    ],
)
def test_who_breaks_a_limit_is_named_and_the_others_are_not(does: str, told: str) -> None:
    bad = Job(str(CAPTURES / "expired.pcap"))
    (wrong,) = tried([GOOD, bad, GOOD], ["-c", SCRIPT.format(does)])
    assert wrong.startswith(f"{bad}: {told}")


def test_captures_are_cut_and_broken_as_the_job_says() -> None:
    jobs = [GOOD, Job(GOOD.path, cut=20), Job(GOOD.path, cut=100), Job(GOOD.path, seed=1)]
    assert tried(jobs) == []
    assert str(jobs[1]).endswith("success.pcap cut after 20 bytes")
    assert str(jobs[3]).endswith("success.pcap broken with Random(1)")
