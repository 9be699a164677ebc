"""The clock of a machine that answers in plain HTTP: the Date of its response, RFC 9110 §6.6.1.

A cache or a proxy hands on the Date of the machine behind it, at some later time. It says so by Age (RFC 9111 §5.1) or
Via (RFC 9110 §7.6.3), and such an answer tells nothing of the machine that sent it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

#: Headers by which an answer shows that another machine may have made it.
PASSED_ON: Final = (b"age", b"via", b"x-cache", b"x-cache-hits", b"cf-cache-status", b"x-served-by")
MONTHS: Final = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")

#: What NSS's test server always says, "Tue, 26 Aug 1997 22:10:05 GMT" (cmd/selfserv/selfserv.c): fixed text.
SELFSERV: Final = 872_633_405


def response_date(answer: bytes) -> int:
    """Return the Date of a response (its beginning is enough) in seconds since 1970; -1 where there is none."""
    if not answer.startswith(b"HTTP/1."):
        return -1
    head, _, _ = answer.partition(b"\r\n\r\n")
    found = -1
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        field = name.strip().lower()
        if field in PASSED_ON:
            return -1
        if colon and field == b"date" and found < 0:
            found = read_date(value)
    return -1 if found == SELFSERV else found


def read_date(text: bytes) -> int:
    """Return an HTTP-date in seconds since 1970: any of the three forms of RFC 9110 §5.6.7; -1 where it is none."""
    parts = text.replace(b",", b" ").replace(b"-", b" ").lower().split()
    if len(parts) < 5:
        return -1
    if parts[1] in MONTHS:  # asctime: Sun Nov  6 08:49:37 1994
        month, day, clock, year = parts[1], parts[2], parts[3], parts[4]
    else:  # Sun, 06 Nov 1994 08:49:37 GMT and Sunday, 06-Nov-94 08:49:37 GMT
        day, month, year, clock = parts[1], parts[2], parts[3], parts[4]
    times = clock.split(b":")
    if month not in MONTHS or len(times) != 3 or not all(_digits(part) for part in (day, year, *times)):
        return -1
    number = int(year)
    if len(year) == 2:
        number += 1900 if number >= 70 else 2000
    hour, minute, second = int(times[0]), int(times[1]), int(times[2])
    if not 1970 <= number <= 2200:
        return -1
    leap = 1 if second == 60 else 0
    try:
        moment = datetime(number, MONTHS.index(month) + 1, int(day), hour, minute, second - leap, tzinfo=UTC)
    except ValueError:
        return -1
    return int(moment.timestamp()) + leap


def _digits(text: bytes) -> bool:
    return 0 < len(text) <= 4 and text.isdigit()
