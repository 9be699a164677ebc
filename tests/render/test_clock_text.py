"""The clock's page for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO, StringIO, TextIOWrapper

import pytest

from tlsalert.clockways.ask import WAYS, Readings
from tlsalert.clockways.effects import effects
from tlsalert.clockways.joint import joint
from tlsalert.clockways.reading import SECOND, Reading, not_asked, unreached
from tlsalert.model import EPOCH, Certificate
from tlsalert.render.clock_text import NAMES, skew_said, write_readings

WIDTH = 100
NOW = int((datetime(2021, 6, 17, 8, 51, tzinfo=UTC) - EPOCH).total_seconds()) * SECOND
BEHIND = -197_867_350.0
IPMI = Certificate(
    b"",
    "",
    subject="CN=IPMI",
    not_before=datetime(2016, 5, 19, tzinfo=UTC),
    not_after=datetime(2026, 5, 17, tzinfo=UTC),
)


def reading(way: str, skew: float, says: str = "4 answers agree", error: float = 0.25) -> Reading:
    return Reading(way, says, NOW + round(skew * SECOND), NOW, error)


def page(*readings: Reading, certificate: Certificate = IPMI, width: int = WIDTH, where: str = "client.crt") -> str:
    together = joint(readings)
    shown = effects([(where, [certificate])], together.judge, NOW)
    out = StringIO()
    write_readings(out, Readings("10.0.0.7", readings, together, shown), width)
    return out.getvalue()


def test_the_founding_case(golden: Callable[[str, str], None]) -> None:
    golden(
        "clock.txt",
        page(
            reading("random", BEHIND, "4 handshakes in TLS 1.2 agree"),
            reading("https", BEHIND + 0.1),
            unreached("http", "10.0.0.7:80: nothing listens there"),
            reading("redfish", BEHIND + 3600, "4 answers agree (/redfish/v1/Managers/1)"),
            not_asked("ipmi", "not asked: it wants an account (--user)"),
            Reading("ntp", "it declines to serve us (kiss code RATE)"),
        ),
    )


def test_a_clock_that_is_right(golden: Callable[[str, str], None]) -> None:
    golden("clock_right.txt", page(reading("https", 0.1)))


def test_no_clock_at_all(golden: Callable[[str, str], None]) -> None:
    golden("clock_none.txt", page(unreached("ntp", "10.0.0.7:123: no answer in time")))


def test_what_strangers_say_steers_no_terminal_and_stays_in_its_column() -> None:
    evil = "\x1b[2J\u202e" + "x" * 300
    said = page(Reading("redfish", evil), reading("http", 5, evil))
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert max(map(len, said.splitlines())) <= WIDTH + 20


def test_where_the_encoding_has_no_more_it_is_ascii() -> None:
    file = BytesIO()
    out = TextIOWrapper(file, encoding="ascii")
    together = joint([reading("http", BEHIND)])
    shown = effects([("client.crt", [IPMI])], together.judge, NOW)
    write_readings(out, Readings("10.0.0.7", (reading("http", BEHIND),), together, shown), WIDTH)
    out.flush()
    assert b"^ its clock 2015" in file.getvalue()


def test_every_way_has_a_name() -> None:
    assert set(NAMES) == set(WAYS)


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0.004, "+0.00 s"),
        (-1.5, "-1.50 s"),
        (7200, "+2.00 h"),
        (-600, "-10.00 min"),
        (BEHIND, "-6.27 years"),
        (86400 * 9, "+9.00 days"),
    ],
)
def test_a_skew_in_the_unit_that_suits_it(seconds: float, says: str) -> None:
    assert skew_said(seconds) == says


@pytest.mark.parametrize("width", [40, 60, 79, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    told = page(
        reading("random", BEHIND, "4 handshakes in TLS 1.2 agree"),
        reading("https", BEHIND + 3600),
        unreached("http", "10.0.0.7:80: nothing listens there"),
        width=width,
        where="/a/very/long/folder/of/certificates/client.crt",
    )
    assert max(len(line) for line in told.splitlines()) <= width
    assert "client.crt" in told
    assert "-6.27 years" in told
