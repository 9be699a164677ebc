"""A real pseudo-terminal for tests: what a program shows there, of any size."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence

from tests.evidence import ROOT

PROGRAM = [sys.executable, "-c", "from tlsalert.cli import main; main()"]


def on_terminal(
    arguments: Sequence[object], *, columns: int = 80, rows: int = 24, typed: bytes = b"", **environment: str
) -> tuple[int, str]:
    """Run the program with a terminal as stdin, stdout and stderr; return its exit code and all that it showed."""
    shown, process = _started(arguments, columns, rows, environment)
    if typed:
        os.write(shown, typed)
    text = b""
    while True:
        try:
            more = os.read(shown, 1 << 16)
        except OSError:  # Linux's way to say that nobody holds the other end any more
            break
        if not more:
            break
        text += more
    os.close(shown)
    return process.wait(60), text.decode("utf-8", "replace").replace("\r\n", "\n")


def _started(
    arguments: Sequence[object], columns: int, rows: int, extra: Mapping[str, str]
) -> tuple[int, subprocess.Popen[bytes]]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "LESS", "PAGER")}
    environment = plain | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "NO_COLOR": "1"} | dict(extra)
    process = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=ROOT
    )
    os.close(theirs)
    return ours, process
