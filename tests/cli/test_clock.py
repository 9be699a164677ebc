"""``tlsalert clock`` as it is typed."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding

from tests.cli.test_lab import running
from tests.clockways.servers import BEHIND, closed_port, http_date, response, web
from tests.clockways.test_redfish import Service
from tests.replay.devices import AFTER, BEFORE
from tlsalert.cli import clock as clock_verb
from tlsalert.cli.clock import command
from tlsalert.clockways import ntp
from tlsalert.clockways.manners import Manners
from tlsalert.clockways.reading import Reading
from tlsalert.errors import TlsalertError, UsageError
from tlsalert.lab import faketime
from tlsalert.lab.certificates import self_signed

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the verb without its pauses."""
    monkeypatch.setattr(clock_verb, "Manners", lambda timeout: Manners(timeout=timeout, pause=0.0))

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(command, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit | TlsalertError):
            raise result.exception
        return result

    return invoke


def test_help_names_the_ways_and_why_tcp_timestamps_are_none(run: Run) -> None:
    said = run("--help").stdout
    for word in ("random", "https", "redfish", "ipmi", "ntp", "certificates", "TCP timestamps are not asked"):
        assert word in said


def test_text_has_a_row_for_each_way_and_the_certificates_fate(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "client.crt"
    file.write_bytes(self_signed("CN=IPMI", BEFORE, AFTER).certificate.public_bytes(Encoding.PEM))
    with web(lambda *_: response(Date=http_date(BEHIND))) as target:
        result = run("127.0.0.1", "--ways", "http,ipmi", "--port", f"http={target.port}", "--cert", str(file))
    assert result.exit_code == 0
    assert "HTTP Date     2015-03-12 05:4" in result.stdout
    assert "years   " in result.stdout
    assert "not asked: it wants an account (--user)" in result.stdout
    assert "behind ours, by the Date of HTTP." in result.stdout
    assert "▲ its clock 2015-03-12" in result.stdout
    assert "Not valid yet by the device's clock, valid by ours" in result.stdout


def test_json_is_a_list(run: Run) -> None:
    with web(lambda *_: response(Date=http_date(0))) as target:
        told = json.loads(
            run("127.0.0.1", "--ways", "http", "--port", f"http={target.port}", "--format", "json").stdout
        )
    assert [one["way"] for one in told] == ["http", "joint"]
    assert abs(told[0]["skew_seconds"]) < 2


@pytest.mark.parametrize(("limit", "code"), [("60", 1), ("1e9", 0)])
def test_a_skew_beyond_the_limit_ends_with_1(run: Run, limit: str, code: int) -> None:
    with web(lambda *_: response(Date=http_date(BEHIND))) as target:
        result = run("127.0.0.1", "--ways", "http", "--port", f"http={target.port}", "--fail-on-skew", limit)
    assert result.exit_code == code
    assert ("is more than 60 s off: " in result.stderr) == (code == 1)
    assert ("behind ours" in result.stderr) == (code == 1)


def test_nobody_there_ends_with_4(run: Run) -> None:
    result = run("127.0.0.1", "--ways", "http", "--port", f"http={closed_port()}")
    assert result.exit_code == 4
    assert "nothing listens there" in result.stdout
    assert "nothing answers there" in result.stderr


def test_a_watch_that_sees_no_clock_does_not_pass(run: Run) -> None:
    with web(lambda *_: response()) as target:
        arguments = ("127.0.0.1", "--ways", "http", "--port", f"http={target.port}")
        assert run(*arguments).exit_code == 0
        result = run(*arguments, "--fail-on-skew", "60")
    assert result.exit_code == 4
    assert "could not be watched" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("bmc:70000",),
        ("bmc", "--ways", "snmp"),
        ("bmc", "--port", "http"),
        ("bmc", "--port", "snmp=161"),
        ("bmc", "--port", "http=0"),
        ("bmc", "--ca-cert", "ca.crt"),
        ("bmc", "--user", "ADMIN"),
        ("bmc", "--user", "ADMIN", "--password-env", "TLSALERT_THERE_IS_NO_SUCH"),
        ("bmc", "--starttls", "gopher"),
    ],
    ids=" ".join,
)
def test_wrong_command_lines_end_with_2_and_send_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    result = run(*arguments)
    assert result.exit_code == 2 or isinstance(result.exception, UsageError)


def test_a_password_comes_from_the_environment_and_shows_nowhere(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.clockways.servers import secure_web

    monkeypatch.setenv("BMC_PASSWORD", "s3cret:é")
    with secure_web(Service()) as target:
        result = run(
            "127.0.0.1", "--ways", "redfish", "--port", f"redfish={target.port}", "--user", "ADMIN",
            "--password-env", "BMC_PASSWORD",
        )  # fmt: skip
    assert result.exit_code == 0
    assert "Redfish       2015-03-12" in result.stdout
    assert "s3cret" not in result.output


def test_what_was_learned_is_shown_when_it_is_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> Reading:
        raise KeyboardInterrupt

    monkeypatch.setattr(ntp, "by_ntp", interrupted)
    with web(lambda *_: response(Date=http_date(BEHIND))) as target:
        result = run("127.0.0.1", "--ways", "http,ntp", "--port", f"http={target.port}")
    assert result.exit_code == 130
    assert "HTTP Date     2015-03-12" in result.stdout


@pytest.mark.skipif(faketime.library() is None, reason="libfaketime is not installed (Debian: faketime)")
def test_a_device_whose_every_clock_stands_in_2015(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    with running("--case", "bmc-2015", "--show-clock", "--after", "http", "--dir", str(folder)) as device:
        arguments = [
            f"127.0.0.1:{device.address[1]}", "--ways", "random,certificates", "--cert", str(folder / "client.crt"),
            "--ca-cert", str(folder / "ca.crt"), "--ca-key", str(folder / "ca.key"), "--format", "json",
        ]  # fmt: skip
        result = CliRunner().invoke(command, arguments)
    random, asked, joint = json.loads(result.stdout)
    assert random["time"].startswith("2015-03-12T05:4")
    assert asked["time"].startswith("2015-03-12T05:4")
    assert (joint["judge"], joint["agreeing"], joint["differing"]) == ("certificates", ["random", "certificates"], [])
    assert joint["certificates"][0]["by_device_clock"] == "not_yet_valid"
