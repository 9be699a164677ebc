"""Reads captures whole, cut off and broken, in a process that has limits: ``python -m tests.corpus.trial``.

The limits are on work, not on time: a machine that is busy with something else must not fail a test. One reading may
take :data:`SECONDS` of processor time (the aim is 2; slower machines and interpreted code need room), and the process
:data:`MEMORY` of memory at its peak. A reading that takes longer is ended by the kernel with a signal that no handler
catches, because compiled code would not come round to run one.

Jobs come on standard input, one JSON object a line; for each a line goes out before it begins and one when it is done.
:func:`tried` starts such a process, begins another where one died, and returns what went wrong.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from tests.wire.mutation import mutated
from tlsalert.capture import Reader
from tlsalert.errors import TlsalertError
from tlsalert.render.json import jsonl

#: Processor time for one reading, in seconds.
SECONDS = 5.0
#: Resident memory at its peak, in bytes; and what may be asked of the kernel at all, which counts libraries as well.
MEMORY, ADDRESSES = 300 << 20, 2 << 30
#: A broken capture may be read with many notes, but what is said stays in proportion to what was read.
PER_BYTE, AT_LEAST = 60, 50_000


@dataclass(frozen=True)
class Job:
    """One reading of a capture: whole, or only its first ``cut`` bytes, or broken by the random number ``seed``."""

    path: str
    cut: int | None = None
    seed: int | None = None

    def __str__(self) -> str:
        how = f" cut after {self.cut} bytes" if self.cut is not None else ""
        return self.path + how + (f" broken with Random({self.seed})" if self.seed is not None else "")


def tried(jobs: Sequence[Job], command: Sequence[str] = ("-m", "tests.corpus.trial")) -> list[str]:
    """Return what went wrong: one line for each job that raised, took too long or took too much.

    ``command`` is what Python is to run.
    """
    wrong: list[str] = []
    left = list(jobs)
    while left:
        done, troubles = _process(left, command)
        wrong += troubles
        left = left[done:]
    return wrong


def _process(jobs: list[Job], command: Sequence[str]) -> tuple[int, list[str]]:
    """Let one process do jobs until it has done all or dies; return how many it began, and what went wrong."""
    lines = "".join(json.dumps(asdict(job)) + "\n" for job in jobs)
    whole = [sys.executable, *command]
    root = Path(__file__).parents[2]
    done = subprocess.run(whole, input=lines, stdout=subprocess.PIPE, text=True, cwd=root, check=False)
    begun, ended, wrong = 0, 0, []
    for line in done.stdout.splitlines():
        begun += line == "begin"
        ended += line.startswith("end ")
        if line.removeprefix("end ") not in ("", "begin"):
            wrong.append(f"{jobs[ended - 1]}: {line.removeprefix('end ')}")
    if ended < len(jobs):
        if begun == 0:
            raise RuntimeError(f"the process did not begin, and ended with {done.returncode}")
        if begun > ended:
            wrong.append(f"{jobs[ended]}: {_death(done.returncode)}")
    return begun, wrong


def _death(code: int) -> str:
    if code == -signal.SIGPROF:
        return f"took more than {SECONDS:.0f} s of processor time"
    return f"the process died with {code}"


def main() -> int:
    """Do the jobs on standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / "changed"
        for job in _jobs(sys.stdin):
            print("begin", flush=True)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            trouble = _trouble(job, changed)
            signal.setitimer(signal.ITIMER_PROF, 0)
            peak = _peak()
            if not trouble and peak > MEMORY:
                trouble = f"took the process to {peak >> 20} MB"
            print(f"end {trouble}", flush=True)
            if peak > MEMORY:
                return 1  # those that come after it must not be blamed for it
    return 0


def _peak() -> int:
    """Return the most memory that this process had, in bytes; ru_maxrss would count its parent's as well (proc(5))."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def _jobs(lines: Iterable[str]) -> Iterator[Job]:
    for line in lines:
        yield Job(**json.loads(line))


def _trouble(job: Job, changed: Path) -> str:
    """Do one job; return what went wrong in one line, or nothing."""
    path = Path(job.path)
    if job.cut is not None or job.seed is not None:
        data = path.read_bytes()[: job.cut]
        changed.write_bytes(data if job.seed is None else mutated(data, Random(job.seed)))
        path = changed
    try:
        said = read(path)
    except TlsalertError:
        return ""
    except Exception as error:  # which one it is stands in the report
        return f"{type(error).__name__}: {error}".replace("\n", " ")
    allowed = AT_LEAST + PER_BYTE * path.stat().st_size
    return f"said {said} bytes, more than {allowed}" if said > allowed and job.seed is not None else ""


def read(path: Path) -> int:
    """Read a capture and say everything about it; return how many bytes were said. Raises what reading raises."""
    reader = Reader(path)
    return sum(len(jsonl(connection)) for connection in reader) + len(str(reader.summary))


if __name__ == "__main__":
    sys.exit(main())
