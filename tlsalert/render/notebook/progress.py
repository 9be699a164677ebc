"""A bar in the notebook while a large capture is read. It needs nothing but IPython, which is there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlsalert.log_reader import LogReader
    from tlsalert.packet_reader import Reader

#: Smaller evidence is read before anybody could look at a bar.
WORTH_IT = 30 << 20
#: Seconds between two looks: a kernel has better things to do than to draw bars.
PAUSE = 0.2
MEGABYTE = 1e6


def watch(reader: Reader | LogReader) -> None:
    """Let a bar show how far ``reader`` is, where this is a notebook and the evidence large; else do nothing."""
    if reader.progress is None and reader.size is not None and reader.size >= WORTH_IT and in_notebook():
        reader.progress = Bar(reader.size)


def in_notebook() -> bool:
    """Whether a kernel runs this for a page that can show HTML; IPython in a terminal has no kernel."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    shell: Any = get_ipython()  # type: ignore[no-untyped-call, unused-ignore]
    return getattr(shell, "kernel", None) is not None


class Bar:
    """A bar for ``total`` bytes. It goes when all are read."""

    def __init__(self, total: int) -> None:
        from IPython import display as shown

        show: Any = shown  # IPython's own functions have no types
        self._total, self._done = total, 0
        self._html = show.HTML
        self._began = self._looked = time.monotonic()
        self._handle: Any = show.display(show.HTML(bar_html(0, total, 0.0)), display_id=True)

    def __call__(self, done: int) -> None:
        """Count ``done`` more bytes."""
        self._done = min(self._done + done, self._total)
        now = time.monotonic()
        if self._handle is None or (now - self._looked < PAUSE and self._done < self._total):
            return
        self._looked = now
        text = "" if self._done == self._total else bar_html(self._done, self._total, now - self._began)
        self._handle.update(self._html(text))


def bar_html(done: int, total: int, seconds: float) -> str:
    """Return the bar: how much is read of how much, how fast, and how long it may still take."""
    said = f"{done / MEGABYTE:.0f} of {total / MEGABYTE:.0f} MB"
    if seconds > 0 and done > 0:
        rate = done / seconds
        said += f", {rate / MEGABYTE:.0f} MB/s, {(total - done) / rate:.0f} s left"
    return f'<progress value="{done}" max="{total}"></progress> <small>{said}</small>'
