"""A baseline: the answers that a device is known to give, in a file beside the tests, reviewed like code."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from tempfile import NamedTemporaryFile

from tlsalert.errors import CaptureError, UsageError
from tlsalert.replay.compare import Comparison, compare
from tlsalert.replay.result import Result, load_result

Cell = tuple[str, str]


def check(result: Result, path: str, among: Collection[Cell] | None = None) -> Comparison:
    """Hold a result against the baseline in ``path``; with ``among`` only those cells, where only they were asked for.

    Raises :class:`UsageError` where there is no such file, :class:`CaptureError` where it is something else.
    """
    must_be_there(path)
    return compare(load_result(path), result, among)


def must_be_there(path: str | None) -> None:
    """Raise :class:`UsageError` where there is no such file, before anybody is asked; None: there is to be none."""
    if path is not None and not os.path.exists(path):
        raise UsageError("there is no such baseline", path, "make it with --update-baseline")


def update(result: Result, path: str) -> bool:
    """Write the result as the new baseline; return whether the file changed.

    Answers of cells that were not asked for this time stay, and so do those that could not be had: a device that was
    away for a moment must not empty its baseline. Raises :class:`CaptureError` where the file cannot be written.
    """
    old = load_result(path) if os.path.exists(path) else None
    text = merged(old, result).to_json()
    if old is not None and old.to_json() == text:
        return False
    _write(path, text)
    return True


def merged(old: Result | None, new: Result) -> Result:
    """Return the compared part of ``new``, with the rows of ``old`` that it has no answer for."""
    new = new.compared_part()
    if old is None:
        return new
    rows = {row.place: row for row in old.rows}
    for row in new.rows:
        if row.outcome not in ("not_tried", "unreachable") or row.place not in rows:
            rows[row.place] = row
    return replace(new, rows=tuple(rows.values()), trusts=new.trusts or old.trusts, stack=new.stack or old.stack)


def _write(path: str, text: str) -> None:
    """Write the whole file or none of it: an interrupted run must not leave half a baseline."""
    folder = os.path.dirname(path) or "."
    try:
        with NamedTemporaryFile("w", encoding="utf-8", dir=folder, suffix=".new", delete=False) as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                os.chmod(file.name, _mode(path))
                os.replace(file.name, path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(file.name)
                raise
    except OSError as error:
        raise CaptureError(f"cannot be written: {error.strerror}", path) from None


def _mode(path: str) -> int:
    """Return the rights of the file that is replaced, or those of any new file."""
    try:
        return os.stat(path).st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
