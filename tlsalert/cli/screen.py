"""Standard output where that is a terminal: what is longer than the screen goes through a pager, as git does it.

:func:`pages` is the decorator of the verbs whose text may be long. Nothing of this happens in a pipe or a file.
"""

from __future__ import annotations

import functools
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, cast

import click

if TYPE_CHECKING:  # loaded where a pager is started: most runs need none
    import subprocess

#: What less is told where the user has no wishes of his own: leave colours, keep the text, end where all fits.
LESS = "FRX"


def pages(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the option --no-pager, and without it a pager where its text is longer than the screen.

    What comes from a pipe ("-" as evidence) is shown as it comes: it may go on for ever.
    """

    @functools.wraps(verb)
    def paged(*arguments: Any, no_pager: bool, **options: Any) -> None:
        endless = any(isinstance(value, tuple) and "-" in value for value in options.values())
        with screen(None if no_pager or endless else pager()):
            verb(*arguments, **options)

    return click.option("--no-pager", is_flag=True, help="Show text longer than the screen without $PAGER.")(paged)


def pager() -> list[str] | None:
    """Return the pager's command: $PAGER, or less; None where there is none, or it is "cat"."""
    if os.environ.get("TERM") == "dumb":
        return None
    import shlex

    words = shlex.split(os.environ.get("PAGER", "less"))
    return words if words and words[0] != "cat" and shutil.which(words[0]) else None


@contextmanager
def screen(command: list[str] | None) -> Iterator[None]:
    """Put a :class:`Screen` in the place of standard output, where that is a terminal."""
    terminal, errors = sys.stdout, sys.stderr
    if not isinstance(terminal, io.TextIOWrapper) or not terminal.isatty():
        yield
        return
    shown = Screen(terminal, command)
    sys.stdout = cast("TextIO", shown)
    try:
        yield
    except BrokenPipeError:
        if not shown.taken:
            raise
        sys.exit(0)  # who leaves the pager has seen enough
    finally:
        shown.close()
        sys.stdout = terminal
        if sys.stderr is not errors:  # a remark amid the pager's page would be lost
            held, sys.stderr = sys.stderr, errors
            held.flush()
            errors.write(cast("io.BytesIO", held.buffer).getvalue().decode())


class Screen:
    """A terminal that text is written to: held until it is longer than the screen, then handed to the pager.

    ``clear``, where it is set, is called before anything shows: a progress bar makes room. ``taken`` says that the
    pager has the terminal.
    """

    def __init__(self, terminal: io.TextIOWrapper, command: list[str] | None) -> None:
        self.encoding, self.errors = terminal.encoding, terminal.errors
        self.clear: Callable[[], None] | None = None
        self.taken = False
        self.closed = False
        self._terminal = terminal
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._out: TextIO = terminal
        self._held: list[str] = []
        self._room = shutil.get_terminal_size().lines - 1
        self._holds = command is not None

    @property
    def buffer(self) -> BinaryIO:
        """The terminal's bytes: who writes those writes for programs, and is not paged."""
        self._release()
        return cast("BinaryIO", self._terminal.buffer)

    def write(self, text: str) -> int:
        """Write text; it may be held back for a while. Bytes raise TypeError, by which click knows text streams."""
        text = str.__add__("", text)
        if not self._holds:
            self._clear()
            return self._out.write(text)
        self._held.append(text)
        self._room -= text.count("\n")
        if self._room < 0:
            self._page()
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several pieces of text."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Bring what is not held back to the terminal."""
        if not self._holds:
            self._out.flush()

    def isatty(self) -> bool:
        """A terminal it is: colours and tables as there."""
        return True

    def fileno(self) -> int:
        """Return the terminal's own number."""
        return self._terminal.fileno()

    def close(self) -> None:
        """Show what is held, and wait until the pager has been left."""
        process, self._process = self._process, None
        if process is None:
            self._release()
            self._terminal.flush()
        elif process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
            while process.returncode is None:
                with suppress(KeyboardInterrupt):  # Ctrl-C in a pager is the pager's
                    process.wait()
        self.closed = True

    def _page(self) -> None:
        """Start the pager with what is held; where that can't be, the terminal shows it."""
        if self._command is None:
            self._release()
            return
        import subprocess

        environment = {"LESS": LESS, "LV": "-c"} | os.environ
        if self.encoding.lower().replace("-", "") == "utf8":
            environment = {"LESSCHARSET": "utf-8"} | environment
        self._clear()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own choice of a pager
                self._command,
                stdin=subprocess.PIPE,
                env=environment,
                encoding=self.encoding,
                errors=self.errors,
                bufsize=1,
            )
        except OSError:
            self._release()
            return
        self.taken = True
        if sys.stderr.isatty():
            sys.stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
        self._out = cast("TextIO", self._process.stdin)
        self._release()

    def _release(self) -> None:
        """Write what is held, and hold nothing any more."""
        self._holds = False
        held, self._held = self._held, []
        if held:
            self._clear()
            self._out.write("".join(held))

    def _clear(self) -> None:
        if self.clear is not None:
            self.clear()
