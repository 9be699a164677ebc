"""Bytes that must not be shown."""

from __future__ import annotations


class Secret(bytes):
    """Bytes that do not print: neither ``repr`` nor ``str`` nor an f-string shows them; a slice is plain bytes."""

    def __repr__(self) -> str:
        return f"<secret of {len(self)} bytes>"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)
