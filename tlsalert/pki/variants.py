"""The client certificates that a device is tried with: each the good one with one thing changed, made afresh.

They have the names of the defects that servers were measured with. What only the server's side can bring about (a CRL
that is missing or stale, an expired root among those it trusts, a pinned certificate of another make) is not among
them. Where an issuer is needed that is not at hand, the CA's key issues one; keys are made when they are first needed
and shared by the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tlsalert.errors import DecodeError, UsageError
from tlsalert.pki import write
from tlsalert.pki.material import Authority, Material, load_material
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.recipes import algorithms, chains, damage, dates, pinned, sound, strangers, usages
from tlsalert.pki.variant import Need, Variant
from tlsalert.pki.workshop import CannotMakeError, Workshop, show

__all__ = [
    "VARIANTS",
    "Authority",
    "CannotMakeError",
    "Material",
    "Need",
    "Unmade",
    "Variant",
    "dated",
    "load_material",
    "prepare",
]

#: Every variant by its name, in the order in which a table shows them: the sound ones first.
VARIANTS: dict[str, Variant] = {
    one.name: one
    for theme in (sound, damage, strangers, dates, usages, algorithms, chains, pinned)
    for one in theme.VARIANTS
}


@dataclass(frozen=True, slots=True)
class Unmade:
    """A variant that cannot be made; ``why`` says what would be needed, or what is wrong with what is there."""

    why: str


def prepare(material: Material, names: Sequence[str] | None = None) -> list[tuple[Variant, Presentation | Unmade]]:
    """Make the variants of these names (or all) from what there is; the others say what would be needed.

    Raises :class:`UsageError` for a name that no variant has.
    """
    unknown = [name for name in names or () if name not in VARIANTS]
    if unknown:
        raise UsageError(f"there is no variant {unknown[0]!r}", mend=_nearest(unknown[0]))
    shop = Workshop(material)
    return [
        (one, _made(one, shop)) for one in (VARIANTS.values() if names is None else map(VARIANTS.__getitem__, names))
    ]


def dated(material: Material, not_before: datetime, not_after: datetime) -> Presentation:
    """Issue the good certificate with another validity, in whole seconds, as a search for a clock needs it.

    Raises :class:`CannotMakeError` without a CA's key.
    """
    return show(Workshop(material).issue(not_before=write.time(not_before), not_after=write.time(not_after)))


def _made(one: Variant, shop: Workshop) -> Presentation | Unmade:
    lacking = one.missing(shop.material)
    if lacking is not None:
        return Unmade(lacking)
    try:
        return one.recipe(shop)
    except CannotMakeError as error:
        return Unmade(str(error))
    except DecodeError as error:
        return Unmade(f"the good certificate or one of its issuers cannot be read ({error})")
    except ValueError as error:  # a key that is too short for the hash it has to sign
        return Unmade(f"cannot be made with these keys: {error}")


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, VARIANTS, 3)
    return f"did you mean {', '.join(close)}?" if close else "tlsalert replay --dry-run lists them"
