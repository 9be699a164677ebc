"""What was found as JSON, one object for each thing; private keys' bytes are in none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO

from tlsalert.pki.found import Damage, Found, Use
from tlsalert.render.encoded import encoded


def thing(one: Found | Damage) -> dict[str, object]:
    """Return one thing as what JSON knows; every key is always there."""
    if isinstance(one, Damage):
        return {"where": one.where, "kind": "damage", "says": one.says}
    return {
        "where": one.where,
        "kind": one.kind,
        "offset": one.offset,
        "label": one.label,
        "sha256": one.sha256,
        "spki_sha256": one.spki_sha256,
        "subject": one.subject,
        "issuer": one.issuer,
        "serial": one.serial,
        "not_before": time_text(one.not_before),
        "not_after": time_text(one.not_after),
        "key": one.key,
        "encrypted": one.encrypted,
        "fits": list(one.fits),
        "issued_by": list(one.issued_by),
        "duplicates": list(one.duplicates),
        "used_by": [_use(use) for use in one.used_by],
        "problems": list(one.problems),
    }


def lines(things: Iterable[Found | Damage]) -> Iterator[bytes]:
    """Yield one line of JSON for each thing."""
    for one in things:
        yield (encoded(thing(one)) + "\n").encode()


def write_json(things: Iterable[Found | Damage], out: BinaryIO) -> None:
    """Write an array of all things, one a line."""
    out.write(b"[")
    between = "\n"
    for one in things:
        out.write((between + encoded(thing(one))).encode())
        between = ",\n"
    out.write(b"\n]\n")


def time_text(moment: datetime | None) -> str | None:
    """Return a time as RFC 3339, in UTC and to the second."""
    return None if moment is None else moment.isoformat()[:19] + "Z"


def _use(use: Use) -> dict[str, object]:
    return {
        "where": use.where,
        "program": use.program,
        "section": use.section or None,
        "as": use.role,
        "settings": dict(use.settings),
    }
