"""What every registry is made of: names for codes, and a code without a name is kept all the same.

GREASE values are those of RFC 8701 §2: offered by clients so that peers learn to ignore the unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, Self

LIMIT = 0xFFFFFF  # SSLv2's cipher kinds are three bytes long; every other code is shorter
KEPT = 0x1FFFF  # of codes over 0xFFFF only so many are kept: a hostile hello could name millions


class Registry(IntEnum):
    """An IANA registry read as an open set: an unlisted code is kept, never refused.

    One code is one object (for all codes up to 0xFFFF), so members compare with ``is``. A code without
    an entry of its own is named "GREASE", "private_use" or "unlisted"; negative ones raise ValueError.
    """

    @classmethod
    def _missing_(cls, code: object) -> Self | None:
        if not isinstance(code, int) or not 0 <= code <= LIMIT:
            return None  # enum makes this a ValueError
        member = int.__new__(cls, code)
        member._name_, member._value_ = cls._name_of(int(code)), int(code)
        known: dict[int, Any] = cls._value2member_map_
        return member if code > 0xFFFF and len(known) > KEPT else known.setdefault(int(code), member)

    @classmethod
    def _name_of(cls, code: int) -> str:
        """Return the name of a code that has no entry. A registry with ranges of its own overrides this."""
        return "unlisted"

    def __str__(self) -> str:
        """Return the RFC's own form: ``unknown_ca(48)``."""
        return f"{self._name_}({self._value_})"

    def __format__(self, spec: str) -> str:
        """Format the name and number; an f-string would else print a bare 48."""
        return format(str(self), spec)

    def __reduce_ex__(self, protocol: object) -> tuple[Callable[[int], Self], tuple[int]]:
        """Pickle by value: an unlisted code has no name to be found by."""
        return type(self), (self._value_,)


class HexRegistry(Registry):
    """A registry of two-byte codes that are listed in hexadecimal: ``TLS_AES_128_GCM_SHA256(0x1301)``."""

    def __str__(self) -> str:
        """Return the name and the code in hexadecimal."""
        return f"{self._name_}(0x{self._value_:04X})"


def is_grease(code: int) -> bool:
    """Whether ``code`` is one of the sixteen two-byte GREASE values 0x0A0A to 0xFAFA, RFC 8701 §2."""
    return code <= 0xFFFF and code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF


def name_in_ranges(code: int, *private: range, grease: bool = True) -> str:
    """Return "GREASE", "private_use" for a code in one of the ``private`` ranges, else "unlisted"."""
    if grease and is_grease(code):
        return "GREASE"
    return "private_use" if any(code in part for part in private) else "unlisted"
