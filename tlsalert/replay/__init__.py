"""The replay engine: it asks the device itself, with many certificates, and compares what the device answers.

``tlsalert.replay("10.0.0.7:5900", certificate="client.crt", key="client.key")`` calls
:func:`tlsalert.replay.replay.replay`: the package can be called, since it and the function share their name.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tlsalert.replay.result import Result


class _Callable(ModuleType):
    """The package, which is called as the function of its name."""

    def __call__(self, *args: object, **options: object) -> Result:
        """Ask a device: see :func:`tlsalert.replay.replay.replay`."""
        from tlsalert.replay.replay import replay

        return replay(*args, **options)  # type: ignore[arg-type]

    @property
    def __signature__(self) -> object:  # for help() and notebooks
        from inspect import signature

        from tlsalert.replay.replay import replay

        return signature(replay)


sys.modules[__name__].__class__ = _Callable
