"""What lines of logs say: a table of real lines, and what no line may do."""

import json
import string
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence import CASES, needs_cases
from tlsalert.understanding.kinds import Understood
from tlsalert.understanding.line import understand

TABLE = Path(__file__).with_name("error_lines.jsonl")


@cache
def table() -> list[dict[str, Any]]:
    """Real error lines, each with its source, the program, the alert, its direction and the cause."""
    return [json.loads(line) for line in TABLE.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("row", table(), ids=lambda row: row["line"][:60])
def test_a_real_line_is_understood(row: dict[str, Any]) -> None:
    first = understand(row["line"])[0]
    assert (first.alert, first.direction, first.cause) == (row["alert"], row["direction"], row["cause"])
    assert first.program == row["program"]
    assert first.meaning


def test_the_table_has_many_programs_and_a_source_for_each_line() -> None:
    assert len(table()) >= 150
    assert len({row["program"] for row in table()} - {None}) >= 12
    assert all(row["source"] for row in table())
    assert len({row["line"] for row in table()}) == len(table())


@needs_cases
def test_every_recorded_line_is_understood() -> None:
    lines = [json.loads(line) for line in (CASES / "error-lines" / "lines.jsonl").read_text().splitlines()]
    for known in lines:
        found = understand(known["line"])
        codes = {one.alert for one in found} | {code for one in found for code, _ in one.also}
        assert found, known["line"]
        if known["alert"] is not None:
            assert known["alert"] in codes, known["line"]
        if known["alert"] is None:
            assert not any(one.alert is not None and one.certain for one in found), known["line"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "kernel: [1.23] usb 1-1: new high-speed device number 2 using xhci_hcd",
        "2021.06.17 08:50:29 LOG5[0]: Service [ikvm] accepted connection from 127.0.0.1:40112",
        "2021.06.17 08:50:29 LOG7[0]: TLS state (accept): SSLv3/TLS write certificate request",
        "*  SSL certificate verify ok.",
        "|<5>| REC[0x55df]: Received Packet Alert(21) with length: 2",
        "GET /alerts/42 HTTP/1.1",
    ],
)
def test_a_line_about_something_else_says_nothing(line: str) -> None:
    assert understand(line) == []


@pytest.mark.parametrize(
    "words",
    ["sslv3 alert bad certificate", "ssl/tls alert bad certificate", "tls alert bad certificate", "reason(1042)"],
)
def test_openssls_reasons_are_known_by_each_of_their_names(words: str) -> None:
    (one,) = understand(f"error:0A000412:SSL routines::{words}")
    assert (one.alert, one.direction, one.certain) == (42, "received", True)
    (one,) = understand(f"SSL routines: {words}")
    assert (one.alert, one.direction) == (42, "received")


@pytest.mark.parametrize(
    ("line", "direction"),
    [
        ("<<< TLS 1.3, Alert [length 0002], fatal unknown_ca", "received"),
        (">>> TLS 1.3, Alert [length 0002], fatal unknown_ca", "sent"),
        ("* TLSv1.3 (IN), TLS alert, unknown CA (560):", "received"),
        ("* TLSv1.3 (OUT), TLS alert, unknown CA (560):", "sent"),
        ("LOG7[0]: TLS alert (read): fatal: unknown CA", "received"),
        ("LOG7[0]: TLS alert (write): fatal: unknown CA", "sent"),
        ("device: got TLS alert unknown_ca from server", "received"),
        ("device: sending TLS alert unknown_ca", "sent"),
        ("device: TLS alert unknown_ca", None),
    ],
)
def test_the_direction_is_part_of_what_a_line_says(line: str, direction: str | None) -> None:
    first = understand(line)[0]
    assert (first.alert, first.direction) == (48, direction)


def test_an_alert_that_follows_from_an_error_is_told_as_such() -> None:
    (one,) = understand("verify error:num=9:certificate is not yet valid")
    assert (one.alert, one.certain, one.cause) == (42, False, "certificate_not_yet_valid")
    (one,) = understand("verify error:num=10:certificate has expired")
    assert (one.alert, one.certain, one.cause) == (45, False, "certificate_expired")


def test_one_error_has_another_alert_in_tls_1_3() -> None:
    (one,) = understand("error:0A0000C7:SSL routines::peer did not return a certificate")
    assert (one.alert, one.also) == (40, ((116, "in TLS 1.3"),))


def test_the_same_alert_said_in_several_ways_is_one() -> None:
    line = "curl: (35) OpenSSL/3.0.22: error:0A000412:SSL routines::sslv3 alert bad certificate:SSL alert number 42"
    (one,) = understand(line)
    assert (one.program, one.alert, one.error_code) == ("curl", 42, "0A000412; curl 35")


def test_two_alerts_in_one_line_are_two() -> None:
    found = understand("error:14094412:SSL routines: x; error:14094418:SSL routines: y")
    assert [one.alert for one in found] == [42, 48]


@given(line=st.text(max_size=400))
def test_any_text_is_answered(line: str) -> None:
    assert all(isinstance(one, Understood) for one in understand(line))


@given(row=st.sampled_from(table()), data=st.data())
def test_a_damaged_line_is_answered(row: dict[str, Any], data: st.DataObject) -> None:
    line = row["line"]
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    put = data.draw(st.text(st.sampled_from(string.printable + "\x00\u202e…"), max_size=8))
    for one in understand(line[:start] + put + line[end:]):
        assert one.alert is None or 0 <= one.alert <= 255
        assert one.meaning


@pytest.mark.parametrize(
    "piece", ["alert ", "ssl verify error ", "(", "error:14094412:", "15 03 03 ", "\\25\\3", '"\\25\\3']
)
def test_a_long_line_is_cut_and_not_gone_through(piece: str) -> None:
    understand(piece * 100_000)
