"""The page about certificates and keys: which are valid when, what belongs together, and what is wrong.

A certificate that lies at many places has one row, which names the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from tlsalert._version import VERSION
from tlsalert.model import rfc3339
from tlsalert.pki.found import Damage, Found
from tlsalert.render.html import page
from tlsalert.render.ladder import common_name
from tlsalert.render.picture.timeline import Bar, Mark, nanoseconds, timeline_svg

#: Things that the table shows, and bars of the picture: those that end first.
MOST = 2000
MOST_BARS = 24
WIDTH = 900
#: Places that are named of those of one kind; of more it is said how many.
MOST_PLACES = 3

PLURALS = {"private_key": "private keys", "public_key": "public keys", "csr": "requests", "crl": "revocation lists"}
WORDS = {"private_key": "private key", "public_key": "public key", "csr": "request", "crl": "revocation list"}


def inventory_page(found: Sequence[Found], damage: Sequence[Damage], at: datetime) -> str:
    """Return the page; dates are judged as of ``at``. Of private keys it tells that they are there, as all outputs."""
    certificates = _once([one for one in found if one.kind == "certificate"])
    rows = _rows(found)
    told = page.frame("Certificates and keys") | {
        "version": VERSION,
        "headline": _headline(found),
        "at": rfc3339(nanoseconds(at), 0)[:16].replace("T", " ") + " UTC",
        "troubled": sum(bool(one.problems) for one in found),
        "timeline": _timeline(certificates, at),
        "bars": min(len([one for one in certificates if one.not_before and one.not_after]), MOST_BARS),
        "things": [_thing(one, at) for one in rows[:MOST]],
        "more": max(len(rows) - MOST, 0),
        "different": sum(one.kind == "certificate" for one in rows),
        "same": len(found) - len(rows),
        "damage": damage[:MOST],
    }
    return page.template("certs.html.j2").render(told)


def _once(certificates: Sequence[Found]) -> list[Found]:
    """Return each certificate once, wherever it lies; those that end first stand first."""
    by_hash = {one.sha256: one for one in reversed(certificates)}
    ends = [(nanoseconds(one.not_after), one) for one in by_hash.values() if one.not_after is not None]
    return [one for _, one in sorted(ends, key=lambda pair: (pair[0], pair[1].where))]


def _rows(found: Sequence[Found]) -> list[Found]:
    """Return all things in their order, a certificate where it was found first."""
    seen: set[str] = set()
    rows: list[Found] = []
    for one in found:
        if one.kind != "certificate" or one.sha256 is None or one.sha256 not in seen:
            rows.append(one)
        if one.kind == "certificate" and one.sha256 is not None:
            seen.add(one.sha256)
    return rows


def _headline(found: Sequence[Found]) -> str:
    """Return what was found, counted: "3 certificates, 1 private key"."""
    counts = Counter(one.kind for one in found)
    told = [
        f"{many:,} {PLURALS.get(kind, kind + 's') if many > 1 else WORDS.get(kind, kind)}"
        for kind, many in counts.most_common()
    ]
    return ", ".join(told) or "No certificate and no key"


def _timeline(certificates: Sequence[Found], at: datetime) -> Markup | None:
    """Return the validity of all certificates against the time at which they are judged."""
    now = nanoseconds(at)
    bars: list[Bar] = []
    for one in certificates:
        if one.not_before is None or one.not_after is None:
            continue
        first, last = nanoseconds(one.not_before), nanoseconds(one.not_after)
        bars.append(Bar(common_name(one.subject) or "(no name)", first, last, judged=not first <= now <= last))
    if not bars:
        return None
    marks = [Mark("judged at", now, "capture", judge=True)]
    svg = timeline_svg(bars, marks, width=WIDTH, styled=False, most=MOST_BARS)
    return Markup(svg)  # noqa: S704 - escaped there


def _thing(one: Found, at: datetime) -> dict[str, Any]:
    """Return what the table says about one thing."""
    dates = [(None if date is None else rfc3339(nanoseconds(date), 0)[:10]) for date in (one.not_before, one.not_after)]
    return {
        "where": one.where,
        "kind": WORDS.get(one.kind, one.kind),
        "name": common_name(one.subject) or one.label or "",
        "valid": f"{dates[0] or '?'} to {dates[1] or '?'}" if any(dates) else "",
        "out": one.not_after is not None and nanoseconds(one.not_after) < nanoseconds(at),
        "key": one.key or ("encrypted" if one.encrypted else ""),
        "relations": [
            (label, _places(places))
            for label, places in (("also in", one.duplicates), ("fits", one.fits), ("issued by", _issuers(one)))
            if places
        ],
        "problems": one.problems,
    }


def _issuers(one: Found) -> Sequence[str]:
    """Return the places of the issuer; of a certificate that signed itself just that."""
    own = one.certificate is not None and one.certificate.self_signed and one.where in one.issued_by
    return ("itself",) if own else one.issued_by


def _places(places: Sequence[str]) -> str:
    """Return the first places, and how many there are besides."""
    more = len(places) - MOST_PLACES
    return ", ".join(places[:MOST_PLACES]) + (f" and {more:,} more" if more > 0 else "")
