"""Where a command writes to: standard output, or a file."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO, TextIO

import click


def open_output(path: str) -> AbstractContextManager[TextIO]:
    """Open the output: standard output as it is, or a file in UTF-8."""
    if path == "-":
        return nullcontext(sys.stdout)
    try:
        return open(path, "w", encoding="utf-8", newline="")
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from error


def binary(out: TextIO) -> BinaryIO:
    """Return the bytes' file under an output, for what is no text."""
    out.flush()
    return out.buffer
