"""The calendar keeps to RFC 5545, and names each certificate once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.render.things import AT, CLIENT, FOUND
from tlsalert.pki.found import Found
from tlsalert.render.calendar import calendar

WARN = timedelta(days=90)


def unfolded(found: tuple[Found, ...]) -> list[str]:
    return calendar(found, AT, WARN).decode().replace("\r\n ", "").split("\r\n")


def test_an_end_is_an_event_with_an_alarm() -> None:
    lines = unfolded((CLIENT,))
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    for said in (
        f"UID:{'86f2' * 16}@tlsalert",
        "DTSTAMP:20210617T000000Z",
        "DTSTART:20260517T094636Z",
        "SUMMARY:Certificate ends: CN=IPMI\\,O=Super Micro Computer",
        "TRIGGER:-P90D",
    ):
        assert said in lines
    assert "stunnel [ikvm] CAfile" in "".join(lines)


def test_a_certificate_in_two_places_is_one_event_and_one_that_ended_is_none() -> None:
    text = calendar((*FOUND, replace(CLIENT, where="elsewhere")), AT, WARN)
    assert text.count(b"BEGIN:VEVENT") == 2
    assert b"CN=old" not in text


def test_names_of_strangers_begin_no_lines_of_their_own() -> None:
    lines = unfolded(FOUND)
    assert all(":" in line for line in lines[:-1])
    assert any('CN=\\\\u202eevil"' in line for line in lines)


@given(st.text(max_size=300))
def test_lines_have_at_most_75_bytes_and_are_utf8(name: str) -> None:
    text = calendar((replace(CLIENT, subject=name),), AT, WARN)
    assert max(map(len, text.split(b"\r\n"))) <= 75
    assert b"\n" not in text.replace(b"\r\n", b"")
    text.decode()
