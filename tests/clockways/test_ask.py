"""All ways together, as Python asks for them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

import tlsalert
from tests.clockways.servers import BEHIND, HASTY, closed_port, http_date, response, web
from tests.replay.devices import AFTER, BEFORE
from tlsalert.clockways.ask import PORTS, WAYS, Device, Readings, ask_each, chosen, device_at, held_together
from tlsalert.errors import CaptureError, UsageError
from tlsalert.lab.certificates import self_signed


@pytest.mark.parametrize(
    ("target", "host", "port"),
    [
        ("bmc", "bmc", None),
        ("10.0.0.7", "10.0.0.7", None),
        ("10.0.0.7:5900", "10.0.0.7", 5900),
        ("2001:db8::7", "2001:db8::7", None),
        ("[2001:db8::7]", "2001:db8::7", None),
        ("[2001:db8::7]:443", "2001:db8::7", 443),
    ],
)
def test_a_target_is_a_host_with_a_port_or_without(target: str, host: str, port: int | None) -> None:
    found = device_at(target, {})
    assert (found.host, found.port) == (host, port)


@pytest.mark.parametrize("target", ["", "a b", "bmc:", "bmc:0", "bmc:70000", "http://bmc", "bmc:x", "[::1", "::1]:5"])
def test_what_is_no_target_is_refused(target: str) -> None:
    with pytest.raises(UsageError):
        device_at(target, {})


def test_a_port_in_the_target_is_for_tls_and_the_usual_one_for_the_rest() -> None:
    device = Device("bmc", 5900, {"ntp": 1123})
    assert {way: device.ports_of(way) for way in WAYS} == {
        "random": (5900,),
        "https": (5900, 443),
        "http": (5900, 80),
        "redfish": (443,),
        "ipmi": (623,),
        "ntp": (1123,),
        "certificates": (5900,),
    }
    assert all(Device("bmc").ports_of(way) == (PORTS[way],) for way in WAYS)


def test_ways_are_asked_in_their_own_order_and_a_wrong_one_is_refused() -> None:
    assert chosen(["http", "random"]) == ("random", "http")
    assert chosen(None) == tuple(WAYS)
    with pytest.raises(UsageError, match=r"there is no such way; the ways are random, .*") as raised:
        chosen(["snmp"])
    assert raised.value.where == "snmp"


@pytest.mark.parametrize("ports", [{"snmp": 161}, {"http": 0}, {"http": 65536}])
def test_ports_that_there_are_not_are_refused(ports: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        device_at("bmc", ports)


def test_a_starttls_that_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError):
        device_at("bmc", {}, "gopher")


def test_python_asks_and_gets_a_sequence_that_does_not_change(tmp_path: Path) -> None:
    identity = self_signed("CN=IPMI", BEFORE, AFTER)
    file = tmp_path / "client.crt"
    file.write_bytes(identity.certificate.public_bytes(Encoding.PEM))
    with web(lambda *_: response(Date=http_date(BEHIND))) as target:
        found = tlsalert.clock(
            "127.0.0.1",
            ways=["http", "ntp", "ipmi"],
            ports={"http": target.port, "ntp": closed_port()},
            certificates=[file],
        )
    assert isinstance(found, Readings)
    assert [one.way for one in found] == ["http", "ipmi", "ntp"]
    assert len(found) == 3
    assert found[0].way == "http"
    assert found.skew_seconds == pytest.approx(BEHIND, abs=2)
    assert found.reached
    assert found.joint.agreeing == ("http",)
    assert [(one.ours, one.theirs) for one in found.effects] == [("valid", "not_yet_valid")]
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.target = "another"  # type: ignore[misc]


def test_the_json_is_a_list_of_ways_and_a_last_object_for_all() -> None:
    with web(lambda *_: response(Date=http_date(0))) as target:
        device = Device("127.0.0.1", ports={"http": target.port})
        found = held_together(device, ask_each(device, ["http", "ipmi"], HASTY))
    first, second, last = found.as_json()
    assert list(first) == list(second) == ["way", "time", "skew_seconds", "error_seconds", "says"]
    assert (second["way"], second["time"]) == ("ipmi", None)
    assert last["way"] == "joint"
    assert (last["judge"], last["agreeing"], last["differing"], last["certificates"]) == ("http", ["http"], [], [])
    assert last["time"] == first["time"]


def test_each_reading_is_there_before_the_next_way_is_asked() -> None:
    device = Device("127.0.0.1", ports={"http": closed_port()})
    each = ask_each(device, ["http", "certificates"], HASTY)
    first = next(each)
    found = held_together(device, [first])
    assert [one.way for one in found] == ["http"]
    assert not found.reached
    assert found.skew_seconds is None
    assert [one.way for one in each] == ["certificates"]


def test_files_that_cannot_be_read_are_told_before_anybody_is_asked(tmp_path: Path) -> None:
    with pytest.raises(CaptureError):
        tlsalert.clock("127.0.0.1", certificates=[tmp_path / "missing.crt"])
