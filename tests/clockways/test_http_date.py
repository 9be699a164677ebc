"""The Date of HTTP as a clock."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clockways.servers import BEHIND, HASTY, PATIENT, closed_port, http_date, response, secure_web, web
from tests.replay.devices import AFTER, BEFORE, listening
from tlsalert.clockways.http import Place
from tlsalert.clockways.http_date import by_date
from tlsalert.clockways.reading import Reading
from tlsalert.lab.certificates import self_signed
from tlsalert.lab.device import Version
from tlsalert.lab.server import LabDevice, serve
from tlsalert.replay.target import Target


def place(target: Target, secure: bool = False) -> Place:
    return Place(target.host, target.port, secure)


def near(reading: Reading, skew: float) -> bool:
    return reading.bounds is not None and reading.bounds[0] - 0.1 <= skew <= reading.bounds[1] + 0.1


def test_a_date_that_goes_on_is_the_devices_clock() -> None:
    with web(lambda *_: response(Date=http_date(BEHIND))) as target:
        told = by_date("http", [place(target)], PATIENT)
    assert near(told, BEHIND)
    assert told.says == "2 answers agree"
    assert told.error_seconds is not None
    assert 0 < told.error_seconds < 0.6


def test_it_is_read_inside_tls_as_well() -> None:
    with secure_web(lambda *_: response(Date=http_date(3600))) as target:
        assert near(by_date("https", [place(target, secure=True)], HASTY), 3600)


@pytest.mark.parametrize("versions", [("TLS 1.0", "TLS 1.0"), ("TLS 1.2", "TLS 1.3")], ids=["old", "new"])
def test_a_device_of_2015_tells_it_by_https(versions: tuple[Version, Version]) -> None:
    identity = self_signed("CN=BMC", BEFORE, AFTER)
    clock = datetime(2015, 3, 12, 5, 41, 50, tzinfo=UTC)
    device = LabDevice(identity=identity, asks="no", clock=clock, versions=versions, after="http")
    with serve(device) as served:
        told = by_date("https", [Place(*served.address, secure=True)], HASTY)
        assert near(told, (served.clock - datetime.now(UTC)).total_seconds())


def test_the_date_of_a_redirect_counts_and_nobody_follows_it() -> None:
    asked: list[str] = []

    def respond(method: str, path: str, _: dict[str, str]) -> bytes:
        asked.append(path)
        return response(status="302 Found", Location="http://192.0.2.1/elsewhere", Date=http_date(0))

    with web(respond) as target:
        assert near(by_date("http", [place(target)], HASTY), 0)
    assert asked == ["/"] * HASTY.samples


def test_a_server_that_does_not_know_head_is_asked_with_get() -> None:
    def serve(peer: socket.socket) -> None:
        if peer.recv(65536).startswith(b"GET"):
            peer.sendall(response(Date=http_date(60)))

    with listening(serve) as target:
        assert near(by_date("http", [place(target)], HASTY), 60)


def test_one_that_stops_answering_is_believed_by_what_it_said() -> None:
    answers = [response(Date=http_date(60)), response(Date=http_date(60)), b""]

    with web(lambda *_: answers.pop(0) if answers else b"") as target:
        told = by_date("http", [place(target)], HASTY)
    assert near(told, 60)
    assert told.says == "2 answers agree"


def test_a_date_that_stands_still_is_no_clock() -> None:
    fixed = http_date(0)
    with web(lambda *_: response(Date=fixed)) as target:
        told = by_date("http", [place(target)], PATIENT)
    assert told.time is None
    assert "its Date stood still" in told.says


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "answers without a Date"),
        ({"Date": "yesterday"}, "its Date tells no time: 'yesterday'"),
        ({"Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Age": "60"}, "handed the answer on (age)"),
        ({"Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Via": "1.1 cache"}, "handed the answer on (via)"),
        ({"Date": "Tue, 26 Aug 1997 22:10:05 GMT"}, "its Date tells no time"),
    ],
)
def test_why_there_is_no_time_is_said(fields: dict[str, str], says: str) -> None:
    with web(lambda *_: response(**fields)) as target:
        told = by_date("http", [place(target)], HASTY)
    assert told.time is None
    assert says in told.says
    assert told.reached


def test_the_next_place_is_tried_where_the_first_one_speaks_no_http() -> None:
    with web(lambda *_: response(Date=http_date(0))) as target:
        told = by_date("http", [Place("127.0.0.1", closed_port(), False), place(target)], HASTY)
    assert near(told, 0)


def test_a_host_where_nothing_listens_was_not_reached() -> None:
    told = by_date("http", [Place("127.0.0.1", closed_port(), False)], HASTY)
    assert not told.reached
    assert "nothing listens there" in told.says


@settings(max_examples=30)
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_any_date_is_read_or_told(said: str) -> None:
    raw = b"HTTP/1.1 200 OK\r\nDate: " + said.encode("latin-1") + b"\r\n\r\n"

    def serve(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(raw)

    with listening(serve) as target:
        assert by_date("http", [place(target)], HASTY).says
