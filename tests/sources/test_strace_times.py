"""When a line of strace was: what its options leave out is taken from what else is known, and that is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.sources.straces import Script
from tlsalert.capture import read
from tlsalert.model import rfc3339
from tlsalert.sources.strace_times import Date, Times, date_of

#: 2021-06-17 08:51:03 UTC.
MOMENT = 1_623_919_863
SECOND = 1_000_000_000
HELLO = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + MOMENT.to_bytes(4, "big") + bytes(28)


def dated(tmp_path: Path, line: str, modified: int = MOMENT + 400 * 86_400 + 100, name: str = "trace.log") -> Date:
    file = tmp_path / name
    file.write_text(f'7 08:51:02.5 openat(AT_FDCWD, "/etc/x", O_RDONLY) = 3\n{line}\n')
    os.utime(file, (modified, modified))
    return date_of(str(file))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"7 08:51:03.1 clock_gettime(CLOCK_REALTIME, {{tv_sec={MOMENT}, tv_nsec=5}}) = 0", "clock"),
        (f"7 08:51:03.1 gettimeofday({{tv_sec={MOMENT}, tv_usec=5}}, NULL) = 0", "clock"),
        (f"7 08:51:03.1 time(NULL)        = {MOMENT} (2021-06-17T08:51:03+0000)", "clock"),
        (f'7 08:51:44.1 openat(AT_FDCWD, "/tmp/{MOMENT}123/client.crt", O_RDONLY) = 3', "the name of a file"),
        (f'7 08:51:44.1 mkdir("/tmp/{MOMENT}", 0700) = 0', "the name of a file"),
        (
            '7 08:51:04.1 read(4, "HTTP/1.1 200 OK\\r\\nDate: Thu, 17 Jun 2021 08:51:03 GMT\\r\\n", 99) = 50',
            "HTTP Date",
        ),
        ('7 08:51:03.1 write(4, "' + "".join(f"\\x{byte:02x}" for byte in HELLO) + '", 43) = 43', "ClientHello"),
    ],
)
def test_the_day_is_told_by_what_agrees_with_the_time_of_day(tmp_path: Path, line: str, says: str) -> None:
    date = dated(tmp_path, line)
    assert (rfc3339(date.start, 0), date.sure) == ("2021-06-17T00:00:00Z", True)
    assert says in date.says
    assert "(line 2)" in date.says


@pytest.mark.parametrize("hours", [2, -5, 5.5, 12.75])
def test_so_is_the_time_zone(tmp_path: Path, hours: float) -> None:
    there = MOMENT + round(hours * 3600)
    clock = f"clock_gettime(CLOCK_REALTIME, {{tv_sec={MOMENT}, tv_nsec=5}}) = 0"
    file = tmp_path / "trace.log"
    file.write_text(f"{there // 3600 % 24:02}:{there // 60 % 60:02}:{there % 60:02} {clock}\n")
    times = Times(date_of(str(file)))
    stamp = file.read_bytes()[:8]
    assert times.at(stamp, None, 1) == MOMENT * SECOND


@pytest.mark.parametrize(
    "line",
    [
        f"7 08:58:03.1 clock_gettime(CLOCK_REALTIME, {{tv_sec={MOMENT}, tv_nsec=5}}) = 0",
        '7 08:51:03.1 openat(AT_FDCWD, "/proc/4102444900/stat", O_RDONLY) = 3',
        f'7 08:51:03.1 openat(AT_FDCWD, "/var/mail/{MOMENT}.M1", O_RDONLY) = 3',
        "7 08:51:03.1 clock_gettime(CLOCK_REALTIME, {tv_sec=4099999863, tv_nsec=5}) = 0",
        f"7 08:51:03.1 clock_gettime(CLOCK_MONOTONIC, {{tv_sec={MOMENT}, tv_nsec=5}}) = 0",
    ],
)
def test_what_does_not_agree_is_no_date(tmp_path: Path, line: str) -> None:
    assert not dated(tmp_path, line).sure


def test_relative_times_are_dated_by_clocks_alone(tmp_path: Path) -> None:
    hello = 'write(4, "' + "".join(f"\\x{byte:02x}" for byte in HELLO) + '", 43) = 43'
    clock = f"clock_gettime(CLOCK_REALTIME, {{tv_sec={MOMENT}, tv_nsec=5}}) = 0"
    for line, sure in ((hello, False), (clock, True)):
        file = tmp_path / "trace.log"
        file.write_text(f"7      0.000000 getpid() = 7\n7      2.500000 {line}\n")
        date = date_of(str(file))
        assert date.sure == sure
    assert date.start == MOMENT * SECOND - 2_500_000_000


def test_the_name_of_the_log_may_tell_the_day(tmp_path: Path) -> None:
    date = dated(tmp_path, "", name="trace-2020-02-29.log")
    assert (rfc3339(date.start, 0), date.says) == ("2020-02-29T00:00:00Z", "the log's name")


def test_the_files_own_time_counts_last_and_is_believed_where_it_fits_the_last_line(tmp_path: Path) -> None:
    fits = dated(tmp_path, "7 08:51:04.1 close(3) = 0", MOMENT + 1)
    assert (rfc3339(fits.start, 0), fits.sure) == ("2021-06-17T00:00:00Z", True)
    copied = dated(tmp_path, "7 08:51:04.1 close(3) = 0", MOMENT + 100)
    assert (rfc3339(copied.start, 0), copied.sure) == ("2021-06-17T00:00:00Z", False)
    earlier = dated(tmp_path, "7 23:41:10.1 close(3) = 0", MOMENT)
    assert (rfc3339(earlier.start, 0), earlier.sure) == ("2021-06-16T00:00:00Z", False)
    zoned = dated(tmp_path, "7 23:51:02.1 close(3) = 0", MOMENT)
    assert (rfc3339(zoned.start, 0), zoned.sure) == ("2021-06-16T09:00:00Z", True)


def test_midnight_passes_and_late_lines_are_still_before_it() -> None:
    times = Times(Date(0, ""))
    stamps = (b"23:59:59", b"00:00:01", b"23:59:59.5", b"00:00:02")
    told = [times.at(stamp, None, 1) // SECOND for stamp in stamps]
    assert told == [86_399, 86_401, 86_399, 86_402]


def test_relative_times_add_up() -> None:
    times = Times(Date(MOMENT * SECOND, ""))
    for delta in (b"0.000000", b"0.500000", b"1.250000"):
        times.pass_by(delta)
        told = times.at(None, delta, 1)
    assert told == (MOMENT + 1) * SECOND + 750_000_000


def test_without_times_there_are_none(tmp_path: Path) -> None:
    times = Times(Date(0, ""))
    assert times.at(None, None, 5) < times.at(None, None, 6)
    assert (times.timed, times.began, times.ended, times.notes()) == (False, None, None, [])


def test_a_guessed_day_is_said_and_nothing_is_concluded_from_it(tmp_path: Path) -> None:
    file = tmp_path / "trace.log"
    file.write_bytes(Script().connect().handshake().bytes())
    os.utime(file, (MOMENT + 5000, MOMENT + 5000))
    found = read(file)
    assert found[0].start is not None
    assert found[0].clocks.capture is None
    assert "and may be wrong" in found.summary.notes[0]


def test_seconds_since_1970_need_no_date(tmp_path: Path) -> None:
    file = tmp_path / "trace.log"
    file.write_bytes(Script("-ttt").connect().handshake().bytes())
    found = read(file)
    assert found[0].clocks.capture == found[0].start == (MOMENT - 1) * SECOND + 250_000
    assert not found.summary.notes
