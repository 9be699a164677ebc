"""Python's cycle collector, told to wait while very many values are made that have no cycles.

It looks through all that lives each time that much was made: reading 78,000 connections took twice the time with it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Let the collector wait; who had it off keeps it off."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
