"""A progress bar on standard error, for work that takes more than a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def bar(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar for ``total`` bytes; call what it gives with the number of bytes that were done."""
    progress = Progress(
        BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
    )
    with progress:
        task = progress.add_task("read", total=total)
        yield lambda done: progress.advance(task, done)


@contextmanager
def steps(total: int) -> Iterator[Callable[[str], None]]:
    """Show a bar for ``total`` steps; call what it gives after each step, with a few words about it."""
    progress = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
    with progress:
        task = progress.add_task("", total=total)

        def done(words: str) -> None:
            progress.update(task, advance=1, description=words)

        yield done
