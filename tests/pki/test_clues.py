"""What files tell of a device's TLS and clock."""

from __future__ import annotations

import pytest

from tlsalert.pki.clues import ClockStart, Library, clues
from tlsalert.pki.containers import Blob


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\0OpenSSL 1.0.1e 11 Feb 2013\0", "OpenSSL 1.0.1e"),
        (b"\0OpenSSL 1.0.2k-fips  26 Jan 2017\0", "OpenSSL 1.0.2k"),
        (b"\0OpenSSL 3.0.11 19 Sep 2023\0", "OpenSSL 3.0.11"),
        (b"\0LibreSSL 2.8.3\0", "LibreSSL 2.8.3"),
        (b"\0Enabled GnuTLS 3.6.13 logging...\0", "GnuTLS 3.6.13"),
        (b"\0mbed TLS 2.16.5\0", "Mbed TLS 2.16.5"),
        (b"\0PolarSSL 1.2.8\0", "Mbed TLS 1.2.8"),
        (b"\xff Go buildinf:\x08\x02\0\0\x08go1.19.8\0", "Go 1.19.8"),
        (b"stunnel 4.53 on arm-unknown-linux-gnu platform", "stunnel 4.53"),
    ],
)
def test_a_binary_tells_its_library(data: bytes, told: str) -> None:
    assert [str(clue) for clue in clues(Blob("F!/lib/x", b"\x7fELF\0\0" + data))] == [told]


def test_a_librarys_name_tells_where_its_bytes_do_not() -> None:
    (library,) = clues(Blob("F!cramfs@0x0:/usr/lib/libssl.so.1.0.0", b"\x7fELF\0" * 20))
    assert library == Library("F!cramfs@0x0:/usr/lib/libssl.so.1.0.0", "OpenSSL", "1.0")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"date -s '2015-01-01 00:00:00'", "2015-01-01 00:00:00"),
        (b'\tdate -u -s "2013.06.01-12:30"', "2013-06-01 12:30:00"),
        (b"/bin/date --set=2012/02/29", "2012-02-29 00:00:00"),
        (b"date 010112302014", "2014-01-01 12:30:00"),
        (b"hwclock --set --date='2010-01-01 00:00:00'", "2010-01-01 00:00:00"),
    ],
)
def test_a_script_tells_what_time_the_clock_starts_with(line: bytes, told: str) -> None:
    (start,) = clues(Blob("F", b"#!/bin/sh\n" + line + b"\necho done\n"))
    assert isinstance(start, ClockStart)
    assert f"{start.time:%Y-%m-%d %H:%M:%S}" == told


@pytest.mark.parametrize(
    "line", [b"date -s '2015-13-01'", b"date +%Y-%m-%d", b"update -s 2015-01-01", b"date 999999992014"]
)
def test_what_sets_no_clock_is_passed(line: bytes) -> None:
    assert list(clues(Blob("F", b"#!/bin/sh\n" + line + b"\n"))) == []
