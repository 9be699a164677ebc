"""The case that tlsalert began with, end to end: three probes of the device itself, its clock found, and set on.

The device is the lab's, in this process; the ClientHello is the one that a capture of the case holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from click.testing import CliRunner

import tlsalert
from tests.evidence import CAPTURES
from tlsalert.cli.replay import command
from tlsalert.lab.cases import make_case
from tlsalert.lab.server import RunningDevice, serve
from tlsalert.replay.result import Result

CONSOLE = CAPTURES / "console.pcap"
PROBES = ("good", "none_sent", "self_signed_unknown")
#: The console spoke TLS 1.2.
VERSION = "TLS 1.2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "case"


@pytest.fixture
def running(folder: Path) -> Iterator[RunningDevice]:
    # Without libfaketime the device cannot show its clock in ServerHello.random, and here it shall not: it is found.
    with serve(replace(make_case("bmc-2015", folder).device, shows_clock=False)) as made:
        yield made


def probe(running: RunningDevice, folder: Path, find_clock: bool = True) -> Result:
    """Ask the device as the engineer of the case did, with a CA's key besides."""
    return tlsalert.replay(
        "{}:{}".format(*running.address),
        hello=CONSOLE,
        certificate=folder / "client.crt",
        key=folder / "client.key",
        ca_certificate=folder / "ca.crt",
        ca_key=folder / "ca.key",
        variants=PROBES,
        versions=[VERSION],
        find_clock=find_clock,
    )


def answers(result: Result) -> list[int | str | None]:
    """Return what each probe got: an alert's number, or the kind of outcome."""
    rows = [result.row(name, VERSION) for name in PROBES]
    return [None if row is None else row.outcome if row.alert is None else row.alert.code for row in rows]


def test_the_founding_case(running: RunningDevice, folder: Path) -> None:
    in_2015 = probe(running, folder)
    own = running.clock
    assert in_2015.hello.name == f"{CONSOLE} #0"
    assert answers(in_2015) == [42, 40, 48]
    verdict = in_2015.verdict
    assert verdict is not None
    assert (verdict.cause, verdict.refused_by, verdict.at_fault) == ("certificate_not_yet_valid", "server", "server")
    assert verdict.confidence >= 0.95
    assert "The device trusts your CA and its clock is 2015-03-12 " in verdict.summary
    assert "the certificate begins on 2016-05-19" in verdict.summary
    assert any(advice.startswith("Set the device's clock: it says 2015-03-12") for advice in verdict.advice)
    assert clock_error(in_2015, own) <= 2

    running.clock = datetime(2021, 6, 17, 8, 51, tzinfo=UTC)
    in_2021 = probe(running, folder)
    assert answers(in_2021) == ["accepted", 40, 48]
    assert in_2021.verdict is not None
    assert (in_2021.verdict.outcome, in_2021.verdict.cause) == ("established", None)
    assert clock_error(in_2021, running.clock) <= 2

    running.clock = datetime(2026, 11, 1, tzinfo=UTC)
    in_2026 = probe(running, folder)
    assert answers(in_2026) == [45, 40, 48]
    assert in_2026.verdict is not None
    assert in_2026.verdict.cause == "certificate_expired"
    assert "the certificate ended on 2026-05-17" in in_2026.verdict.summary


def clock_error(result: Result, own: datetime) -> float:
    """Return by how many seconds the clock that was found is off the device's own, as far as it says."""
    assert result.clock is not None
    assert result.clock.time is not None
    return abs((datetime.fromisoformat(result.clock.time) - own).total_seconds())


def test_the_same_from_the_command_line(running: RunningDevice, folder: Path) -> None:
    options = {"--cert": "client.crt", "--key": "client.key", "--ca-cert": "ca.crt", "--ca-key": "ca.key"}
    words = [word for option, name in options.items() for word in (option, str(folder / name))]
    words += [word for name in PROBES for word in ("--variant", name)]
    words += ["--from", f"{CONSOLE}:0", "--find-clock"]
    at = "{}:{}".format(*running.address)
    told = CliRunner().invoke(command, [at, *words, "--format", "json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert [row["alert"]["code"] for row in found["results"] if row["tls_version"] == VERSION] == [42, 40, 48]
    assert found["verdict"]["cause"] == "certificate_not_yet_valid"
    assert found["verdict"]["at_fault"] == "server"
    assert found["clock"]["time"].startswith("2015-03-12T05:4")
    shown = CliRunner().invoke(command, [at, *words])
    assert "The device trusts your CA and its clock is 2015-03-12 05:4" in shown.stdout
    assert "certificate_not_yet_valid   at fault: server" in shown.stdout
