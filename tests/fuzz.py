"""Looks for bytes that break reading: ``python -m tests.fuzz --seconds 60 [--seed N] [--keep DIR] [FILE ...]``.

Captures (the project's own, the public ones where there are any, or the FILEs) and lines of logs are broken at random
and read; what is said of them is made in every form. Nothing but a TlsalertError may come out. What breaks it is left
in a file whose name is printed, and with ``--replay FILE`` that is all that is read. A seed makes the same cases again.
Ends with 0 where nothing was found in the time given, and with 1 where something was.

For a fuzzer that is led by coverage, give it :func:`fuzz_one_input`, which takes any bytes::

    atheris.Setup(sys.argv, tests.fuzz.fuzz_one_input); atheris.Fuzz()
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from random import Random, SystemRandom

from tests.evidence import CAPTURES, CORPUS, captures_under
from tests.wire.mutation import mutated
from tlsalert.capture import Reader
from tlsalert.errors import TlsalertError
from tlsalert.explain import explain
from tlsalert.render import csv
from tlsalert.render.json import jsonl
from tlsalert.render.text import TextWriter
from tlsalert.sources.files import ByteSource

#: Seconds after which one case counts as one that never ends.
PATIENCE = 30.0
#: Captures above this size leave too little time for others.
LARGEST = 300_000
#: What engineers paste: as OpenSSL, strace and stunnel print it.
LOGS = (
    b"1407:error:14094412:SSL routines:ssl3_read_bytes:alert bad certificate:s3_pkt.c:1493:SSL alert number 42\n",
    b'read(3, "\\25\\3\\3\\0\\2", 5) = 5\nread(3, "\\2*", 2) = 2\nwrite(3, "\\26\\3\\1\\0\\275\\1\\0", 7) = 7\n',
    b"2021.06.17 08:51:03 LOG3[0]: SSL_connect: s3_pkt.c:1493: error:14094412:SSL routines: alert bad certificate\n",
    b"<<< TLS 1.2, Alert [length 0002], fatal bad_certificate\n    02 2a\nread from 0x5581 (7 bytes => 7 (0x7))\n",
)


def fuzz_one_input(data: bytes) -> None:
    """Read bytes as a capture and as a line of a log, and say all there is to say. Raises what must not be raised."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        read_one(Path(file.name))


def read_one(path: Path) -> None:
    """Do what :func:`fuzz_one_input` does with a file's bytes."""
    with path.open("rb") as file:
        text = file.read(1000).decode("utf-8", "replace")
    for line in text.splitlines():
        with contextlib.suppress(TlsalertError):  # a line that nobody understands is told as such
            explain(line)
    with contextlib.suppress(TlsalertError):  # no capture
        say_all(Reader(path))


def say_all(reader: Reader) -> None:
    """Read a capture and make every form of what is said."""
    said = io.StringIO()
    writer = TextWriter(said, 100, full=True)
    for connection in reader:
        jsonl(connection)
        csv.line(connection)
        writer.write(connection)
    writer.finish(reader.summary)
    if "\x1b" in said.getvalue():
        raise AssertionError("text from the capture reached the terminal with its control characters")


def seeds(files: Sequence[Path]) -> list[bytes]:
    """Return what is broken: captures, those that are compressed both as they are and open, and lines of logs."""
    found = [] if files else list(LOGS)
    for path in files or [*captures_under(CAPTURES, CORPUS)]:
        if path.stat().st_size <= LARGEST:
            found.append(path.read_bytes())
            with ByteSource(path) as source:
                opened = b"".join(source.chunks())
            if opened != found[-1] and len(opened) <= LARGEST:
                found.append(opened)
    return found


def case(sources: Sequence[bytes], seed: int, number: int) -> bytes:
    """Return the bytes of one case: one source broken, now and then with a part of another in it."""
    random = Random(f"{seed}:{number}")
    data = random.choice(sources)
    if random.random() < 0.2:
        other = random.choice(sources)
        at, start = random.randrange(len(data) + 1), random.randrange(len(other) + 1)
        data = data[:at] + other[start : start + random.choice((40, 400, 4000))] + data[at:]
    return mutated(data, random)


def hunt(sources: Sequence[bytes], seed: int, seconds: float, keep: Path) -> int:
    """Read cases until the time is over or one breaks the reading; return how many passed, or -1 where one did not."""
    end = time.monotonic() + seconds
    number = 0
    path = keep / f"fuzz-{seed}.case"
    while time.monotonic() < end:
        path.write_bytes(case(sources, seed, number))
        faulthandler.dump_traceback_later(PATIENCE, exit=True, file=2)  # then the file with the case is left
        try:
            read_one(path)
        except Exception:  # whatever it is, it is what is looked for
            traceback.print_exc()
            kept = path.rename(keep / f"fuzz-{seed}-{number}.case")
            print(f"case {number} of seed {seed} breaks the reading: {kept}", file=sys.stderr)
            return -1
        finally:
            faulthandler.cancel_dump_traceback_later()
        number += 1
    path.unlink(missing_ok=True)
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Hunt for the time given, or read one case again."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__, formatter_class=layout)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="captures to break")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to hunt (default: 60)")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(2**31), help="default: any")
    parser.add_argument("--keep", type=Path, default=Path(), help="where cases are left (default: here)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="read this case and nothing else")
    asked = parser.parse_args(arguments)
    if asked.replay is not None:
        read_one(asked.replay)
        print("it is read without trouble")
        return 0
    passed = hunt(seeds(asked.files), asked.seed, asked.seconds, asked.keep)
    if passed < 0:
        return 1
    print(f"{passed} cases of seed {asked.seed}: nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
