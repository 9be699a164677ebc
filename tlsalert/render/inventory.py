"""What was found, for terminals: grouped by the file it lies in, each certificate with its validity as a bar."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, takewhile
from typing import Final, TextIO

from tlsalert.pki.found import Damage, Found
from tlsalert.render.ladder import common_name
from tlsalert.render.spans import ASCII, Line, can_draw, cells, cut, cut_left, join_fitting, wrap
from tlsalert.render.style import escape, painter
from tlsalert.render.text import terminal_width

INDENT: Final = "    "
NAMES: Final = {
    "certificate": ("certificate", "certificates"),
    "private_key": ("private key", "private keys"),
    "public_key": ("public key", "public keys"),
    "csr": ("request", "requests"),
    "crl": ("revocation list", "revocation lists"),
    "keystore": ("key store", "key stores"),
    "config": ("configuration", "configurations"),
}
#: Cells of the bar between a certificate's two dates.
BAR: Final = 24
DATES: Final = 32  # cells of its line that are not the bar: the dates, the margins and a mark
#: More certificates of one file, without problems, are shown in a line each: a trust store.
MANY: Final = 6
#: Places that a line lists.
LISTED: Final = 3


class InventoryText:
    """Writes an inventory to ``out``; ``width`` is in cells, and ``at`` the time at which things were judged."""

    def __init__(self, out: TextIO, at: datetime, width: int | None = None) -> None:
        self._out = out
        self._at = at
        self._width = width or terminal_width()
        self._paint = painter(out)
        self._draws = can_draw(out.encoding)

    def write(self, found: Sequence[Found], damage: Sequence[Damage]) -> None:
        """Write all of it, damage last, then the sums."""
        stores = {one.where for one in found if one.kind == "keystore"}

        def place(one: Found) -> str:
            outer = one.where.rpartition("!")[0]
            return outer if outer in stores else one.where

        for file, inside in groupby(found, lambda one: one.where.partition("!")[0]):
            self._put([[(cut_left(escape(file), self._width), "head")]])
            for where, things in groupby(inside, place):
                self._put(self._group(where.removeprefix(file).lstrip("!"), list(things)))
            self._put([[]])
        if damage:
            self._put([[("not read", "head")]])
            for one in damage:
                self._put(self._wrapped(f"{escape(one.where)}: {escape(one.says)}", INDENT, "warn"))
            self._put([[]])
        self._put(self._sums(found, damage))

    def _group(self, place: str, things: list[Found]) -> Iterator[Line]:
        """Return what lies at one place; ``place`` is told from the file on, "" is the file itself."""
        if place:
            yield [("  ", ""), (cut_left(escape(place), self._width - 2), "head")]
        many = sum(one.kind == "certificate" for one in things) > MANY
        for one in things:
            lines = [self._short(one)] if many and one.kind == "certificate" and not one.problems else self._thing(one)
            yield from ([("  ", ""), *line] if place else line for line in lines)

    def _short(self, one: Found) -> Line:
        dates = f"{_day(one.not_before)} – {_day(one.not_after)}"
        room = self._width - 2 * len(INDENT) + 2 - len(dates)
        name = cut(_name(one), room - 2)
        return [(f"{INDENT}{name}{' ' * (room - cells(name))}", ""), (dates, "dim")]

    def _thing(self, one: Found) -> Iterator[Line]:
        kind = NAMES[one.kind][0]
        alias = f'"{one.label}"' if one.label and one.kind in ("certificate", "private_key") else ""
        facts = [one.key or "", "encrypted" if one.encrypted else "", cut(alias, 24)]
        said = "   ".join(escape(fact) for fact in facts if fact)
        name = _name(one) if one.kind in ("certificate", "csr", "crl") else escape(one.label or "")
        room = self._width - 6 - cells(kind) - 3 - (cells(said) + 3 if said else 0)
        yield [
            (f"  {kind}", "good" if not one.problems else ""),
            (f"   {cut(name, room)}" if name else "", ""),
            (f"   {said}" if said else "", "dim"),
        ]
        if one.not_before is not None or one.not_after is not None:
            yield self._bar(one)
        for label, text in self._relations(one):
            yield from self._labelled(label, text)
        for problem in one.problems:
            yield from self._wrapped(f"! {escape(problem)}", INDENT, "alert")

    def _bar(self, one: Found) -> Line:
        """Return the validity as a bar with the time that was asked for on it, or beside it."""
        first, last = one.not_before, one.not_after
        bar = max(min(BAR, self._width - DATES), 1)
        line: Line = [(f"{INDENT}{_day(first):>10} ", "dim")]
        if first is not None and last is not None and first < last:
            if self._at < first:
                return [
                    (INDENT, ""),
                    ("▲ ", "alert"),
                    (f"{_day(first)} ", "dim"),
                    (f"├{'─' * bar}┤", "good"),
                    (f" {_day(last)}", "dim"),
                ]
            if self._at <= last:
                place = int((bar - 1) * ((self._at - first) / (last - first)))
                line += [(f"├{'─' * place}", "good"), ("▲", ""), (f"{'─' * (bar - 1 - place)}┤", "good")]
                return [*line, (f" {_day(last)}", "dim")]
        return [*line, (f"├{'─' * bar}┤", "good"), (f" {_day(last)}", "dim"), (" ▲", "alert")]

    def _relations(self, one: Found) -> Iterator[tuple[str, str]]:
        if one.fits:
            yield ("fits" if one.kind == "private_key" else "key"), self._places(one.fits, one.where)
        elif one.kind == "private_key" and one.spki_sha256:
            yield "fits", "nothing that is here"
        if one.kind == "certificate" and one.issued_by:
            own = one.where in one.issued_by and one.certificate is not None and one.certificate.self_signed
            yield "signed by", "itself" if own else self._places(one.issued_by, one.where)
        elif one.kind == "certificate" and one.issuer:
            yield "signed by", f"{_common(one.issuer)}, which is not here"
        elif one.kind == "crl" and one.issued_by:
            yield "signed by", self._places(one.issued_by, one.where)
        if one.duplicates:
            yield "also in", self._places(one.duplicates, one.where)
        for use in one.used_by[:LISTED]:
            yield "used by", escape(str(use))
        if len(one.used_by) > LISTED:
            yield "used by", f"{len(one.used_by) - LISTED} others"

    def _places(self, places: Sequence[str], beside: str) -> str:
        """Return places as a person reads them: what they share with the thing's own place is left out."""
        shown = ["the same file" if place == beside else escape(_short_place(place, beside)) for place in places]
        more = f" and {len(shown) - LISTED} more" if len(shown) > LISTED else ""
        return ", ".join(shown[:LISTED]) + more

    def _labelled(self, label: str, text: str) -> Iterator[Line]:
        room = self._width - len(INDENT) - 13
        for number, line in enumerate(wrap(text, room)):
            yield [(f"{INDENT}{label if not number else '':<11}", "dim"), (line, "")]

    def _wrapped(self, text: str, indent: str, style: str) -> Iterator[Line]:
        for line in wrap(text, self._width - len(indent) - 2, 2):
            yield [(indent, ""), (line, style)]

    def _sums(self, found: Sequence[Found], damage: Sequence[Damage]) -> Iterator[Line]:
        counted = Counter(one.kind for one in found)
        said = [(f"{count} {NAMES[kind][count != 1]}", "head") for kind, count in counted.items()]
        said = said or [("no certificates and no keys", "head")]
        troubled = sum(1 for one in found if one.problems)
        if troubled:
            said.append((f"{troubled} with problems", "alert"))
        if damage:
            said.append((f"{len(damage)} {'place' if len(damage) == 1 else 'places'} not read", "warn"))
        yield from join_fitting([[one] for one in said], (", ", "head"), self._width)

    def _put(self, lines: Iterable[Line]) -> None:
        for line in lines:
            text = "".join(self._paint(span, style) if style and span else span for span, style in line)
            self._out.write(self._encodable(text).rstrip() + "\n")

    def _encodable(self, text: str) -> str:
        if text.isascii():
            return text
        encoding = self._out.encoding or "utf-8"
        drawn = text if self._draws else text.translate(ASCII)
        return drawn.encode(encoding, "backslashreplace").decode(encoding)


def _short_place(place: str, beside: str) -> str:
    """Return a place as told from its neighbour: without the file, archive, image or folder that both lie in."""
    if place.partition("!")[0] == beside.partition("!")[0]:
        same = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(place, beside, strict=False)))
        start = max(same.rfind("/"), same.rfind("!")) + 1
        return place[start - 1 if same[:start].endswith(("!/", ":/")) else start :]  # the root's slash stays
    folder = os.path.dirname(beside.partition("!")[0])
    return place.removeprefix(f"{folder}/") if os.path.dirname(place.partition("!")[0]) == folder else place


def _name(one: Found) -> str:
    """Return who it is for: the common name and, where there is one, the organisation."""
    subject = one.subject if one.kind != "crl" else one.issuer
    if not subject:
        names = one.certificate.subject_alt_names if one.certificate is not None else ()
        return escape(names[0]) if names else "without a subject"
    return _common(subject)


def _common(name: str) -> str:
    common = common_name(name)
    return escape(name) if common is None else common


def _day(moment: datetime | None) -> str:
    return "unknown" if moment is None else moment.isoformat()[:10]
