"""``tlsalert tap`` from its command line: it forwards, shows, records, and ends on signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.test_live import finish, handshake, refuse, running
from tests.lab.talking import context, people
from tests.sources.test_forwarder import connect, server
from tlsalert.capture import read
from tlsalert.cli import group
from tlsalert.cli.tap import _place
from tlsalert.lab.server import LabDevice, serve


def listening(process: subprocess.Popen[str]) -> tuple[str, int]:
    """Return where a tap listens, as it says itself."""
    assert process.stderr is not None
    said = process.stderr.readline()
    assert said.startswith("tlsalert: listening on 127.0.0.1:")
    return "127.0.0.1", int(said.rpartition(":")[2])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_passes_is_shown_and_recorded_and_a_signal_ends_it_with_the_sums(number: int, tmp_path: Path) -> None:
    written = tmp_path / "tap.pcap"
    with server(refuse) as target:
        to = "{}:{}".format(*target)
        options = ("--listen", "127.0.0.1:0", "--to", to, "--format", "jsonl", "--write", str(written))
        with running("tap", *options) as process:
            place = listening(process)
            for _ in range(20):
                handshake(place)
            process.send_signal(number)
            out, err = finish(process)
    assert process.returncode == 0
    shown = [json.loads(line) for line in out.splitlines()]
    assert [row["alerts"][0]["code"] for row in shown] == [40] * 20
    assert {row["source"] for row in shown} == {f"tap to {to}"}
    assert "20 connections, 20 failed" in err
    places = [row["alerts"][0]["position"]["frame"] for row in shown]
    assert [connection.alerts[0].position.frame for connection in read(written)] == places


def test_a_connection_is_shown_while_the_tap_goes_on() -> None:
    with (
        server(refuse) as target,
        running("tap", "--listen", "127.0.0.1:0", "--to", "{}:{}".format(*target)) as process,
    ):
        handshake(listening(process))
        assert process.stdout is not None
        assert process.stdout.readline().startswith("tap to 127.0.0.1:")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert finish(process)[1].rstrip().endswith("none dropped; 1 connection, 1 failed")


def test_a_key_log_that_grows_opens_what_passes(tmp_path: Path) -> None:
    keys = tmp_path / "keys.log"
    keys.touch()
    device = LabDevice(
        people()["device"], trusted=(people()["root"].certificate,), asks="required", versions=("TLS 1.2", "TLS 1.3")
    )
    with serve(device) as running_device:
        options = ("--listen", "127.0.0.1:0", "--to", "{}:{}".format(*running_device.address), "--keylog", str(keys))
        with running("tap", *options, "--format", "jsonl") as process:
            made = context("strangers", "TLS 1.3")
            made.keylog_filename = str(keys)
            with (
                connect(listening(process)) as plain,
                made.wrap_socket(plain, server_hostname="device.example") as tls,
                pytest.raises(ssl.SSLError),
            ):
                tls.recv(1)
            assert process.stdout is not None
            row = json.loads(process.stdout.readline())
    assert ("unknown_ca", True) in [(alert["description"], alert["decrypted"]) for alert in row["alerts"]]


def test_where_no_connection_reaches_the_server_it_ends_with_4() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        target = free.getsockname()[:2]
    with running("tap", "--listen", "127.0.0.1:0", "--to", "{}:{}".format(*target)) as process:
        with connect(listening(process)) as client, pytest.raises(ConnectionResetError):
            client.recv(1)
        process.send_signal(signal.SIGINT)
        out, _ = finish(process)
    assert process.returncode == 4
    assert "the server could not be reached (Connection refused)" in " ".join(out.split())


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:8443", ("127.0.0.1", 8443)),
        ("[::1]:0", ("::1", 0)),
        ("bmc.example:443", ("bmc.example", 443)),
        ("unix:/run/tap", "/run/tap"),
    ],
)
def test_places_are_read(text: str, place: object) -> None:
    assert _place(text, "--to") == place


@pytest.mark.parametrize("text", ["127.0.0.1", ":443", "::1:443", "[1.2.3.4]:443", "host:65536", "host:x", "unix:", ""])
def test_what_is_no_place_is_a_usage_error(text: str) -> None:
    done = CliRunner().invoke(group, ["tap", "--listen", "127.0.0.1:0", "--to", text])
    assert done.exit_code == 2
    assert "is no address: give HOST:PORT" in done.output


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CliRunner().invoke(group, ["tap", "--listen", f"127.0.0.1:{port}", "--to", "127.0.0.1:9"])
    assert f"127.0.0.1 port {port}: cannot listen: {os.strerror(98)}" in str(done.exception)
