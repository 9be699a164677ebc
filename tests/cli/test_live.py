"""``tlsalert live`` from its command line: a real run on loopback, and what it says when it cannot run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.sources.test_forwarder import connect, everything, server
from tests.sources.test_interface import needs_rights
from tests.talks import refused_hello
from tlsalert.capture import read
from tlsalert.cli import group
from tlsalert.errors import UsageError
from tlsalert.sources import interface

SAID, ALERT = [data for _, data in refused_hello(40).flights]


def refuse(plain: socket.socket) -> None:
    plain.recv(4096)
    plain.sendall(ALERT)


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tlsalert", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def handshake(place: tuple[str, int] | str) -> None:
    with connect(place) as client:
        client.sendall(SAID)
        assert everything(client) == ALERT


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for a process; return what it has written besides the lines that were read already."""
    assert process.stdout is not None
    assert process.stderr is not None
    found = process.stdout.read(), process.stderr.read()
    process.wait(30)
    return found


def keep_asking(process: subprocess.Popen[str], place: tuple[str, int]) -> str:
    """Shake hands again and again until the process, which may not listen yet, shows one; return its first line."""
    stopped = threading.Event()

    def ask() -> None:
        while not stopped.is_set():
            handshake(place)
            time.sleep(0.05)

    thread = threading.Thread(target=ask)
    thread.start()
    assert process.stdout is not None
    line = process.stdout.readline()
    stopped.set()
    thread.join()
    return line


@needs_rights
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_shows_connections_as_they_end_and_a_signal_ends_it_with_the_sums(number: int, tmp_path: Path) -> None:
    with server(refuse) as place:
        assert isinstance(place, tuple)
        written = tmp_path / "live.pcapng"
        options = ("--bpf", f"tcp port {place[1]}", "--format", "jsonl", "--write", str(written))
        with running("live", "-i", "lo", *options) as process:
            first = json.loads(keep_asking(process, place))
            process.send_signal(number)
            out, err = finish(process)
    assert process.returncode == 0
    shown = [first, *map(json.loads, out.splitlines())]
    assert [row["connection"] for row in shown] == list(range(len(shown)))
    assert {row["alerts"][0]["description"] for row in shown} == {"handshake_failure"}
    assert err.startswith("tlsalert: listening on lo\n")
    assert f"none dropped; {len(shown)} connection{'s' * (len(shown) > 1)}, {len(shown)} failed" in err
    assert [c.alerts[0].code for c in read(written)] == [40] * len(shown)
    assert written.stat().st_mode & 0o077 == 0


@needs_rights
def test_count_ends_it_and_fail_on_gives_the_exit_code() -> None:
    with server(refuse) as place:
        assert isinstance(place, tuple)
        options = ("--bpf", f"tcp port {place[1]}", "--count", "1", "--fail-on", "fatal", "--follow")
        with running("live", "-i", "lo", *options) as process:
            first = keep_asking(process, place)
            out, _ = finish(process)
    assert process.returncode == 1
    assert "client   client_hello" in first
    assert "server   ALERT fatal(2) handshake_failure(40)" in out
    assert out.count("The server refused the handshake") == 1


@needs_rights
def test_duration_ends_it() -> None:
    done = CliRunner().invoke(group, ["live", "-i", "lo", "--bpf", "port 9", "--duration", "0.1", "--format", "jsonl"])
    assert (done.exit_code, done.stdout) == (0, "")
    assert "0 packets in" in done.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "Missing option '-i'"),
        (["-i", "lo", "--follow", "--format", "jsonl"], "--follow goes with --format text"),
        (["-i", "lo", "--write", __file__], "is there already"),
        (["-i", "lo", "--write", "/nowhere/x"], "/nowhere/x: No such file"),
        (["-i", "lo", "--count", "0"], "0 is not in the range"),
    ],
)
def test_a_wrong_command_line_is_told(options: list[str], says: str) -> None:
    done = CliRunner().invoke(group, ["live", *options])
    assert done.exit_code == 2
    assert says in done.output


def test_missing_rights_and_interfaces_are_told_by_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_all(name: str, bpf: str | None) -> None:
        raise interface.rights_missing(name, bpf)

    monkeypatch.setattr(interface, "_open", refuse_all)
    done = CliRunner().invoke(group, ["live", "-i", "lo"])
    assert "setcap cap_net_raw+ep" in str(done.exception)
    done = CliRunner().invoke(group, ["live", "-i", "nothing0"])
    assert "nothing0: there is no such interface" in str(done.exception)
    assert not isinstance(done.exception, UsageError)
