"""The device's clock for people: a row for each way, what they say together, and a picture for each certificate."""

from __future__ import annotations

from typing import TextIO

from tlsalert.clockways.ask import Readings
from tlsalert.clockways.effects import Effect
from tlsalert.clockways.reading import SECOND, Reading
from tlsalert.diagnosis.words import short_name
from tlsalert.model import rfc3339
from tlsalert.render.spans import ASCII, Line, can_draw, cells, cut, cut_left, wrap
from tlsalert.render.story import outdented, spared_at
from tlsalert.render.style import escape, painter
from tlsalert.render.text import terminal_width
from tlsalert.render.timeline import INDENT, Mark, picture

PLAIN = ASCII | str.maketrans({"±": "~"})
#: The columns of a row: the way, the time, the skew, its error; what it says has the rest.
WAY, TIME, SKEW, ERROR = 14, 20, 14, 9
ROOM = 20  # columns that what a row says needs beside the others
BESIDE = 2 + WAY + TIME + SKEW + ERROR + 1 + ROOM  # columns in all; with fewer the skew and the words stand below
NAMES = {
    "random": "random",
    "https": "HTTPS Date",
    "http": "HTTP Date",
    "redfish": "Redfish",
    "ipmi": "IPMI SEL",
    "ntp": "NTP",
    "certificates": "certificates",
}


def write_readings(out: TextIO, told: Readings, width: int | None = None) -> None:
    """Write all that was learned; in ASCII where the output's encoding has no more."""
    paint = painter(out)
    table = {} if can_draw(getattr(out, "encoding", None)) else PLAIN
    for line in lines(told, width or terminal_width()):
        drawn = [(text.translate(table), style) for text, style in line if text]
        out.write("".join(paint(text, style) if style else text for text, style in drawn).rstrip() + "\n")


def lines(told: Readings, width: int) -> list[Line]:
    """Return the page."""
    shown = [one for one in told if one.skew_seconds is not None]
    page: list[Line] = [[(escape(told.target), "head"), ("   the device's clock", "dim")], []]
    if shown:
        page.append([("  " + "way".ljust(WAY) + "its time (UTC)", "dim")])
        if width >= BESIDE:
            page[-1].append((" " * (TIME - len("its time (UTC)")) + "skew".rjust(SKEW - 2), "dim"))
            page[-1].append(("  " + "±".rjust(ERROR - 4), "dim"))
    for one in told:
        page += _row(one, one.way in told.joint.differing, width)
    page.append([])
    for sentence in told.joint.says:
        page += _wrapped(sentence, 2, width, "head" if sentence is told.joint.says[0] and shown else "")
    for effect in told.effects:
        page += _effect(effect, told.joint.judge, width)
    return page


def skew_said(seconds: float) -> str:
    """Return a skew as in a column: "-6.27 years", "+2.0 s"."""
    sign = "-" if seconds < 0 else "+"
    size = abs(seconds)
    for unit, length in (("years", 365.25 * 86_400), ("days", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if size >= 2 * length:
            return f"{sign}{size / length:.2f} {unit}"
    return f"{sign}{size:.2f} s"


def _row(one: Reading, differs: bool, width: int) -> list[Line]:
    head: Line = [("  " + NAMES[one.way].ljust(WAY), "" if one.asked else "dim")]
    skew = one.skew_seconds
    if one.time is None or skew is None:
        style = "" if one.reached else "dim"
        room = width - 2 - WAY
        return _beside(head, 2 + WAY, one.says, room, style)
    error = one.error_seconds or 0.0
    off = "alert" if differs else "warn" if abs(skew) > error + 1 else "good"
    time = rfc3339(one.time, 0)[:-1].replace("T", " ")
    if width < BESIDE:
        start = 2 + WAY
        below: Line = [(" " * start + skew_said(skew), off), (f" ± {error:.2f} s", "dim")]
        told = [[(" " * start + line, "dim")] for line in wrap(escape(one.says), max(width - start, 20))]
        return [[*head, (time, "")], below, *told]
    head.append((time.ljust(TIME), ""))
    head.append((skew_said(skew).rjust(SKEW - 2), off))
    head.append(("  " + f"{error:.2f} s".rjust(ERROR - 2) + "   ", "dim"))
    start = BESIDE - ROOM
    return _beside(head, start, one.says, width - start, "dim")


def _beside(head: Line, start: int, says: str, room: int, style: str) -> list[Line]:
    """Return a row with what it says in the rest of its lines."""
    used = sum(cells(text) for text, _ in head)
    first, *more = wrap(escape(says), max(room, 20)) or [""]
    page: list[Line] = [[*head, (" " * (start - used) + first, style)]]
    page += [[(" " * start + line, style)] for line in more]
    return page


def _wrapped(text: str, indent: int, width: int, style: str = "") -> list[Line]:
    return [[(" " * indent + line, style)] for line in wrap(escape(text), width - indent)]


def _effect(effect: Effect, judge: Reading | None, width: int) -> list[Line]:
    """Return a certificate's picture with both clocks, and what happens to it."""
    name = escape(f"{short_name(effect.certificate)}")
    where = escape(effect.where)
    page: list[Line] = [[], [(f"  {name}", "head"), (f"   {where}", "dim")]]
    if cells(name) + cells(where) + 5 > width:
        page[1:] = [[(f"  {cut(name, width - 2)}", "head")], [(f"  {cut_left(where, width - 2)}", "dim")]]
    if judge is not None and judge.time is not None and judge.at is not None:
        close = abs(judge.time - judge.at) < 60 * SECOND
        marks = [Mark("both clocks", judge.at)] if close else [Mark("its clock", judge.time), Mark("ours", judge.at)]
        spared = spared_at(width)
        page += [outdented(line, spared) for line in picture(effect.certificate, marks, width + spared)]
    style = "alert" if effect.theirs in ("not_yet_valid", "expired") else ""
    return page + _wrapped(effect.says[:1].upper() + effect.says[1:] + ".", INDENT - spared_at(width), width, style)
