"""The beginning of a log's line: when, on which machine, by which program; what remains is what was said.

Known are the forms of syslog (RFC 3164, RFC 5424, ISO 8601 of rsyslog, the short forms of journalctl), and those of
stunnel's, nginx's, Apache's, dovecot's and OpenVPN's own files.
"""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

#: What is looked at of a line; error lines are shorter, and nobody needs the rest of one that is not.
LONGEST: Final = 8192
SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}

_PRIORITY: Final = re.compile(r"<\d{1,3}>(?:1 (?=\d{4}-|- ))?")
_ISO: Final = re.compile(
    r"(\d{4})[-./](\d\d)[-./](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:\s?(Z|[+-]\d\d:?\d\d(?!\d)))?"
    r"(?: us=(\d{1,6}))?"
)
_BSD: Final = re.compile(
    r"(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
    r"(?: (\d{4})\b)?"
)
#: journalctl -o short-full begins with the weekday and names the zone; only UTC is known by its name.
_FULL: Final = re.compile(r"[A-Z][a-z]{2} (?=\d{4}-\d\d-\d\d )")
_ZONE: Final = re.compile(r" ([A-Z]{2,5})(?= )")
#: docker compose puts the container's name and a bar before each line.
_CONTAINER: Final = re.compile(r"[\w.-]+ +\| ")
_UNIX: Final = re.compile(r"(\d{9,10})\.(\d{3,9})(?= )")
_MICROSECONDS: Final = re.compile(r" us=(\d{1,6})")
#: A program's name and its process, after the machine's name or without it.
_TAG: Final = re.compile(r"(?!LOG[0-7]\[)([A-Za-z][\w./-]*)(?:\[(\d+)\])?: ?")
_HOST_AND_TAG: Final = re.compile(r"(\S+) +(?!LOG[0-7]\[)([A-Za-z][\w./-]*)(?:\[(\d+)\])?: ?")
#: RFC 5424: host, program, process, message's kind, structured data.
_FIELDS: Final = re.compile(
    r"(\S+) (\S+) (\S+) (\S+) (-|(?:\[(?:\\.|\"(?:\\.|[^\"\\])*\"|[^\]\"\\])*\])+) ?(?:\ufeff)?"
)


class Entry(NamedTuple):
    """One line: ``time`` in nanoseconds since 1970, or None; ``text`` is what was said.

    ``yearless`` says that its year is a guess, ``zoneless`` that its zone is: such times are taken as UTC.
    """

    time: int | None
    host: str
    program: str
    process: str
    text: str
    yearless: bool = False
    zoneless: bool = False


class Stamps:
    """Reads the beginnings of one log's lines; it knows the years that the lines leave out.

    ``last`` is when the log was written last (nanoseconds since 1970): a later date is one of the year before.
    """

    def __init__(self, last: int) -> None:
        self.last = last
        self.yearless = False
        self.zoneless = False

    def read(self, line: bytes) -> Entry:
        """Return what a line begins with and what it says. Never raises."""
        text = line[:LONGEST].decode("utf-8", "replace").lstrip("\ufeff").replace("\0", " ")
        container = _CONTAINER.match(text)
        place = 0 if container is None else container.end()
        modern = False
        if (found := _PRIORITY.match(text)) is not None:
            place = found.end()
            modern = found[0].endswith("1 ")
        bracket = text.startswith("[", place)
        begun = place
        moment, place, yearless, zoneless, tags = self._time(text, place + bracket)
        if place == begun + bracket:
            place = begun  # the bracket was no time's
        if moment is None:
            if modern and (fields := _FIELDS.match(text, place + 2)) is not None:  # RFC 5424 allows "-" for the time
                return Entry(None, fields[1], fields[2], fields[3], text[fields.end() :])
            return self._tagged(text, place + text.startswith(" ", place), None, False, False, False)
        self.yearless |= yearless
        self.zoneless |= zoneless
        if bracket and text.startswith("]", place):
            place += 1
        while text.startswith(" ", place):
            place += 1
        if modern and (fields := _FIELDS.match(text, place)) is not None:
            return Entry(moment, fields[1], fields[2], fields[3], text[fields.end() :], yearless, zoneless)
        return self._tagged(text, place, moment, yearless, zoneless, not bracket, tags)

    def _tagged(
        self,
        text: str,
        place: int,
        moment: int | None,
        yearless: bool,
        zoneless: bool,
        tagged: bool,
        syslog: bool = False,
    ) -> Entry:
        """Read the names of machine and program, where syslog put some there."""
        if tagged and syslog:
            found = _HOST_AND_TAG.match(text, place)
            if found is not None and not found[1].endswith(":") and found[1][0] != "[":
                return Entry(moment, found[1], found[2], found[3] or "", text[found.end() :], yearless, zoneless)
        found = _TAG.match(text, place)
        if found is not None and (syslog or found[2] is not None or found[1].endswith("-login")):
            return Entry(moment, "", found[1], found[2] or "", text[found.end() :], yearless, zoneless)
        return Entry(moment, "", "", "", text[place:], yearless, zoneless)

    def _time(self, text: str, place: int) -> tuple[int | None, int, bool, bool, bool]:
        """Return the time at a place, what follows it, whether year and zone are missing, and if it is syslog's."""
        full = _FULL.match(text, place)
        if full is not None:
            place = full.end()
        if (found := _ISO.match(text, place)) is not None:
            fraction = found[7] or (found[9] or "").rjust(6, "0") if found[9] else found[7]
            moment = _moment(int(found[1]), int(found[2]), int(found[3]), found, 4, fraction, found[8])
            end, zoneless = found.end(), found[8] is None
            if full is not None and (zone := _ZONE.match(text, end)) is not None:
                end, zoneless = zone.end(), zone[1] not in ("UTC", "GMT")
            return moment, end, False, zoneless, "T" in found[0] or found[8] is not None or full is not None
        if (found := _BSD.match(text, place)) is not None and found[1].lower() in MONTHS:
            month, day, year = MONTHS[found[1].lower()], int(found[2]), found[7]
            end, fraction = found.end(), found[6]
            if (more := _MICROSECONDS.match(text, end)) is not None:
                end, fraction = more.end(), more[1].rjust(6, "0")
            if year is not None:
                return _moment(int(year), month, day, found, 3, fraction, None), end, False, True, False
            return self._guessed(month, day, found, fraction), end, True, True, True
        if (found := _UNIX.match(text, place)) is not None:
            return int(found[1]) * SECOND + int(found[2].ljust(9, "0")), found.end(), False, False, True
        return None, place, False, False, False

    def _guessed(self, month: int, day: int, found: re.Match[str], fraction: str | None) -> int | None:
        """Return the latest such day that is not after the log was written; a day is left for time zones."""
        year = datetime.fromtimestamp(self.last // SECOND, UTC).year
        for candidate in (year, *range(year - 1, year - 9, -1)):  # 29 February is in one of eight years at least
            moment = _moment(candidate, month, day, found, 3, fraction, None)
            if moment is not None and moment <= self.last + DAY:
                return moment
        return None


def written_last(path: str) -> int:
    """Return when a file was written last, in nanoseconds since 1970; now for what is no file."""
    try:
        return os.stat(path).st_mtime_ns if path != "-" else time.time_ns()
    except OSError:
        return time.time_ns()


def _moment(
    year: int, month: int, day: int, found: re.Match[str], clock: int, fraction: str | None, zone: str | None
) -> int | None:
    """Return a time in nanoseconds since 1970, or None where there is no such time."""
    offset: timezone = UTC
    try:
        if zone is not None and zone != "Z":
            hours, minutes = int(zone[1:3]), int(zone[-2:])
            offset = timezone((-1 if zone[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
        second = min(int(found[clock + 2]), 59)  # a leap second
        whole = datetime(year, month, day, int(found[clock]), int(found[clock + 1]), second, tzinfo=offset)
        return round(whole.timestamp()) * SECOND + int((fraction or "").ljust(9, "0")[:9] or 0)
    except (ValueError, OverflowError):
        return None
