"""A line's beginning: when, where and by whom, in all forms that logs of servers have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tlsalert.model import rfc3339
from tlsalert.sources.stamps import Stamps, written_last


def nanoseconds(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000_000  # type: ignore[arg-type, misc]


#: The log was written last on the last day of 2021.
LAST = nanoseconds(2021, 12, 31)


@pytest.mark.parametrize(
    ("line", "time", "who", "text"),
    [
        pytest.param(
            "2021.06.17 08:50:31 LOG7[0]: a", "2021-06-17T08:50:31Z", ("", "", ""), "LOG7[0]: a", id="stunnel"
        ),
        pytest.param("LOG5[0]: a", None, ("", "", ""), "LOG5[0]: a", id="stunnel without time"),
        pytest.param(
            "Jun 17 08:50:31 bmc stunnel[59]: LOG5[0]: a",
            "2021-06-17T08:50:31Z",
            ("bmc", "stunnel", "59"),
            "LOG5[0]: a",
            id="RFC 3164",
        ),
        pytest.param(
            "Jun  7 08:50:31 bmc stunnel: LOG5[5:6]: a",
            "2021-06-07T08:50:31Z",
            ("bmc", "stunnel", ""),
            "LOG5[5:6]: a",
            id="RFC 3164 without a process",
        ),
        pytest.param(
            "<134>Nov 25 03:21:24 haproxy[257]: a", "2021-11-25T03:21:24Z", ("", "haproxy", "257"), "a", id="no host"
        ),
        pytest.param(
            '<29>1 2021-06-17T08:50:31.5Z bmc stunnel 59 ID47 [a@1 b="c]"] a',
            "2021-06-17T08:50:31.5Z",
            ("bmc", "stunnel", "59"),
            "a",
            id="RFC 5424",
        ),
        pytest.param("<29>1 - bmc stunnel 59 - - a", None, ("bmc", "stunnel", "59"), "a", id="RFC 5424 without a time"),
        pytest.param(
            "2021-06-17T08:50:31.123456+02:00 bmc postfix/smtpd[7]: a",
            "2021-06-17T06:50:31.123456Z",
            ("bmc", "postfix/smtpd", "7"),
            "a",
            id="rsyslog",
        ),
        pytest.param(
            "2021-06-17T08:50:31-0130 bmc a[7]: b", "2021-06-17T10:20:31Z", ("bmc", "a", "7"), "b", id="short-iso"
        ),
        pytest.param(
            "Jun 17 08:50:31.25 bmc a[7]: b", "2021-06-17T08:50:31.25Z", ("bmc", "a", "7"), "b", id="short-precise"
        ),
        pytest.param(
            "1623919831.250000 bmc a[7]: b", "2021-06-17T08:50:31.25Z", ("bmc", "a", "7"), "b", id="short-unix"
        ),
        pytest.param(
            "Thu 2021-06-17 08:50:31 CEST bmc a[7]: b", "2021-06-17T08:50:31Z", ("bmc", "a", "7"), "b", id="short-full"
        ),
        pytest.param(
            "2021/06/17 08:50:31 [info] 7#8: *1 a", "2021-06-17T08:50:31Z", ("", "", ""), "[info] 7#8: *1 a", id="nginx"
        ),
        pytest.param(
            "[Thu Jun 17 08:50:31.5 2021] [ssl:info] a",
            "2021-06-17T08:50:31.5Z",
            ("", "", ""),
            "[ssl:info] a",
            id="Apache",
        ),
        pytest.param(
            "2021-06-17 08:50:31 us=5 VERIFY ERROR: a",
            "2021-06-17T08:50:31.000005Z",
            ("", "", ""),
            "VERIFY ERROR: a",
            id="OpenVPN",
        ),
        pytest.param(
            "Thu Jun 17 08:50:31 2021 us=5 TLS Error: a",
            "2021-06-17T08:50:31.000005Z",
            ("", "", ""),
            "TLS Error: a",
            id="older OpenVPN",
        ),
        pytest.param(
            "Jun 17 08:50:31 imap-login: Info: a",
            "2021-06-17T08:50:31Z",
            ("", "imap-login", ""),
            "Info: a",
            id="Dovecot",
        ),
        pytest.param("web_1  | 2021-06-17 08:50:31 a", "2021-06-17T08:50:31Z", ("", "", ""), "a", id="docker compose"),
        pytest.param("Xyz 17 08:50:31 bmc a[7]: b", None, ("", "", ""), "Xyz 17 08:50:31 bmc a[7]: b", id="no month"),
        pytest.param("2021-02-30 08:50:31 a", None, ("", "", ""), "a", id="no such day"),
        pytest.param("[info] 7#8: *1 a", None, ("", "", ""), "[info] 7#8: *1 a", id="nginx without a time"),
    ],
)
def test_a_beginning_is_understood(line: str, time: str | None, who: tuple[str, str, str], text: str) -> None:
    entry = Stamps(LAST).read(line.encode())
    shown = None if entry.time is None else rfc3339(entry.time, 9)[:-1].rstrip("0").rstrip(".") + "Z"
    assert (shown, (entry.host, entry.program, entry.process), entry.text) == (time, who, text)


@pytest.mark.parametrize(
    ("line", "last", "year"),
    [
        ("Jun 17 08:50:31 h a: b", (2021, 6, 17), 2021),
        ("Jun 17 23:30:00 h a: b", (2021, 6, 17), 2021),  # another time zone
        ("Dec 31 23:59:59 h a: b", (2021, 1, 2), 2020),
        ("Feb 29 12:00:00 h a: b", (2021, 6, 17), 2020),
        ("Feb 29 12:00:00 h a: b", (1903, 6, 17), 1896),  # 1900 was no leap year
    ],
)
def test_a_year_that_is_missing_is_the_latest_that_can_be(line: str, last: tuple[int, int, int], year: int) -> None:
    stamps = Stamps(nanoseconds(*last))
    entry = stamps.read(line.encode())
    assert entry.time is not None
    assert rfc3339(entry.time).startswith(str(year))
    assert stamps.yearless
    assert stamps.zoneless


def test_a_time_with_year_and_zone_is_no_guess() -> None:
    stamps = Stamps(LAST)
    stamps.read(b"2021-06-17T08:50:31Z h a[1]: b")
    assert not stamps.yearless
    assert not stamps.zoneless


def test_a_leap_second_is_a_time() -> None:
    assert Stamps(LAST).read(b"2016-12-31T23:59:60Z h a[1]: b").time == nanoseconds(2016, 12, 31, 23, 59, 59)


def test_what_is_no_file_was_written_now() -> None:
    assert abs(written_last("-") - written_last("no such file")) < 10**10


@given(line=st.binary(max_size=200))
@example(b"<1>1 ")
@example(b"[")
@example("２０２１-06-17 08:50:31 a".encode())
def test_any_bytes_are_a_line(line: bytes) -> None:
    entry = Stamps(LAST).read(line)
    assert len(entry.text) <= 200
