"""What a reader of captures needs of the place its bytes come from: a file, a pipe, an interface, a forwarder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Self


class Source(Protocol):
    """The bytes of one capture. ``name`` is what it is told by, ``head`` its first bytes, ``damage`` what is broken.

    ``size`` is the number of bytes where that is known. ``pipe`` says that they come as they are made: connections are
    told as they end, and an empty chunk says that nothing has come for a while.
    """

    name: str
    head: bytes
    damage: str | None
    size: int | None
    pipe: bool

    def __enter__(self) -> Self:
        """Hold it open."""

    def __exit__(self, *_: object) -> None:
        """Close it."""

    def close(self) -> None:
        """Give up what it holds."""

    def advanced(self) -> int:
        """Return how many of the ``size`` bytes were taken since this was asked before; 0 where that is not known."""

    def chunks(self) -> Iterator[bytes]:
        """Go through the bytes, once, ``head`` among them."""

    def notes(self) -> list[str]:
        """Say at the end what was lost on the way."""
