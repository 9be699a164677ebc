"""Redfish's DateTime as a clock, with and without an account."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clockways.servers import BEHIND, HASTY, closed_port, its_time, response, secure_web, web
from tlsalert.clockways.http import Place
from tlsalert.clockways.manners import Login
from tlsalert.clockways.reading import SECOND, Reading
from tlsalert.clockways.redfish import by_redfish, read_date_time

ADMIN = Login("ADMIN", "s3cret:é")
PAIR = "Basic " + b64encode("ADMIN:s3cret:é".encode()).decode()
BMC = "/redfish/v1/Managers/1"

Say = Callable[[], object]


def written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")


class Service:
    """A Redfish service; ``asked`` are its requests, with whether they had the account."""

    def __init__(self, skew: float = BEHIND, locked: bool = True) -> None:
        self.asked: list[tuple[str, bool]] = []
        self.locked = locked
        self.pages: dict[str, Say] = {
            "/redfish/v1/": lambda: {"RedfishVersion": "1.6.0", "Managers": {"@odata.id": "/redfish/v1/Managers"}},
            "/redfish/v1/Managers": lambda: {"Members": [{"@odata.id": BMC}]},
            BMC: lambda: {"DateTime": written(its_time(skew)), "DateTimeLocalOffset": "+00:00"},
        }

    def __call__(self, method: str, path: str, fields: dict[str, str]) -> bytes:
        known = fields.get("authorization") == PAIR
        self.asked.append((path, known))
        if self.locked and path != "/redfish/v1/" and not known:
            return response(b"{}", status="401 Unauthorized")
        if path not in self.pages:
            return response(b"not found", status="404 Not Found")
        said = self.pages[path]()
        return said if isinstance(said, bytes) else response(json.dumps(said).encode())

    def read(self, login: Login | None = ADMIN) -> Reading:
        with secure_web(self) as target:
            return by_redfish(Place(target.host, target.port, True), login, HASTY)


def test_the_managers_clock_is_read_with_an_account() -> None:
    service = Service()
    told = service.read()
    assert told.bounds is not None
    assert told.bounds[0] - 0.1 <= BEHIND <= told.bounds[1] + 0.1
    assert told.says == f"4 answers agree ({BMC})"
    assert service.asked[0] == ("/redfish/v1/", False)  # the root is open: the account is not sent to it


def test_one_that_is_open_needs_no_account() -> None:
    assert Service(locked=False).read(None).time is not None


def test_without_an_account_it_says_what_it_wants() -> None:
    told = Service().read(None)
    assert told.time is None
    assert told.says == "/redfish/v1/Managers wants an account (HTTP 401): give --user"


def test_a_wrong_account_is_told_without_its_password() -> None:
    told = Service().read(Login("ADMIN", "wrong"))
    assert told.says == "/redfish/v1/Managers does not let ADMIN in (HTTP 401)"


def test_the_account_is_not_sent_in_clear() -> None:
    service = Service()
    with web(service) as target:
        by_redfish(Place(target.host, target.port, False), ADMIN, HASTY)
    assert not any(known for _, known in service.asked)


@pytest.mark.parametrize(
    "link",
    [
        "https://192.0.2.1/redfish/v1/Managers/1",
        "//192.0.2.1/x",
        "/elsewhere",
        "/redfish/v1/a b",
        "/redfish/\r\nX: y",
        7,
    ],
)
def test_links_that_lead_elsewhere_are_not_followed(link: object) -> None:
    service = Service()
    service.pages["/redfish/v1/Managers"] = lambda: {"Members": [{"@odata.id": link}]}
    told = service.read()
    assert told.says == "its service lists no managers"
    assert [path for path, _ in service.asked] == ["/redfish/v1/", "/redfish/v1/Managers"]


def test_redirects_are_not_followed() -> None:
    service = Service()
    service.pages[BMC] = lambda: response(status="301 Moved Permanently", Location="https://192.0.2.1/")
    assert "redirects are not followed" in service.read().says


@pytest.mark.parametrize(
    ("page", "said", "says"),
    [
        ("/redfish/v1/", {"hello": 1}, "no Redfish service there"),
        ("/redfish/v1/", b"garbage", "not answer in HTTP"),
        ("/redfish/v1/", [1], "no Redfish service there"),
        ("/redfish/v1/Managers", response(b"<html>"), "is no JSON object"),
        ("/redfish/v1/Managers", {"Members": {}}, "lists no managers"),
        (BMC, {"DateTime": "soon"}, "its managers have no DateTime"),
        (BMC, {"DateTime": 7}, "its managers have no DateTime"),
        (BMC, response(b"[" * 10_000), "its managers have no DateTime"),
    ],
)
def test_what_is_odd_is_told(page: str, said: object, says: str) -> None:
    service = Service()
    service.pages[page] = lambda: said
    told = service.read()
    assert told.time is None
    assert says in told.says


def test_nothing_listens() -> None:
    assert not by_redfish(Place("127.0.0.1", closed_port(), True), ADMIN, HASTY).reached


@pytest.mark.parametrize(
    ("said", "seconds", "resolution", "zoned"),
    [
        ("1970-01-01T01:00:10+01:00", 10.0, 1.0, True),
        ("1970-01-01T00:00:10Z", 10.0, 1.0, True),
        ("1970-01-01T00:00:10.250Z", 10.25, 0.001, True),
        ("1970-01-01T00:00:10", 10.0, 1.0, False),
    ],
)
def test_a_date_time_in_its_forms(said: str, seconds: float, resolution: float, zoned: bool) -> None:
    assert read_date_time(said) == (round(seconds * SECOND), resolution, zoned)


def test_a_time_without_a_zone_is_told_so() -> None:
    service = Service()
    service.pages[BMC] = lambda: {"DateTime": its_time(0).strftime("%Y-%m-%dT%H:%M:%S")}
    assert service.read().says.endswith("names no time zone, and is taken for UTC")


@given(st.text(max_size=40) | st.integers() | st.none() | st.datetimes().map(str))
def test_any_date_time_is_read_or_none(said: object) -> None:
    found = read_date_time(said)
    assert found is None or isinstance(found[0], int)


def test_the_first_and_last_times_are_no_trouble() -> None:
    assert read_date_time("0001-01-01T00:00:00+14:00") is not None
    assert read_date_time("9999-12-31T23:59:59-14:00") is not None
