"""Numbers of things in good English."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """Return a number with what it counts: "1 packet", "12,000 packets"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
