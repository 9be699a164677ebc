"""``tlsalert lab`` as a process: it tells where it listens and what happens, and ends by a signal with a summary."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding

from tests.lab.talking import Answer, ask, context, people
from tlsalert.capture import read
from tlsalert.cli import group, lab
from tlsalert.cli.lab import CASE_NAMES, STACK_NAMES
from tlsalert.errors import UsageError
from tlsalert.lab import faketime
from tlsalert.lab.cases import CASES
from tlsalert.lab.stacks import STACKS


@dataclass
class Running:
    """A lab that runs: where it listens, and its first lines."""

    process: subprocess.Popen[str]
    first: str
    address: tuple[str, int]

    def line(self) -> str:
        """Wait for the next line."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Send a signal; return the exit code and what was said on standard error."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@contextlib.contextmanager
def running(*options: str) -> Iterator[Running]:
    """Start ``tlsalert lab`` with these options."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tlsalert", "lab", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != lab.REAL_TIME},
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.match(r"listening on (\S+):(\d+)", first)
        assert found is not None, first + (process.communicate(timeout=60)[1] if not first else "")
        yield Running(process, first, (found[1].strip("[]"), int(found[2])))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with a CA, a certificate of its own, and the device's identity."""
    for name in ("root", "right", "pinned"):
        (tmp_path / f"{name}.pem").write_bytes(people()[name].certificate.public_bytes(Encoding.PEM))
    (tmp_path / "device.pem").write_bytes(people()["device"].to_pem())
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_of_each_connection_and_sums_up_at_the_end(files: Path, number: int) -> None:
    with running("--clock", "2015-03-12", "--trust", str(files / "root.pem"), "--tls", "1.2") as device:
        assert "TLS 1.2, clock 2015-03-12 00:00:0" in device.first
        assert "verify 2, then echo" in device.first
        assert ask(device.address, "ipmi").alert == 42
        refused = device.line()
        assert ask(device.address, "right") == Answer(b"hello")
        accepted = device.line()
        assert device.end(number) == (0, "tlsalert: 2 connections: 1 refused, 1 accepted\n")
    assert re.fullmatch(
        r"#1   \d\d:\d\d:\d\d   127\.0\.0\.1:\d+   TLS 1\.2   refused   bad_certificate \(42\): .+", refused
    )
    assert accepted.endswith("TLS 1.2   accepted   CN=right   5 bytes came back")


def test_bmc_2015_ends_in_the_founding_verdict(tmp_path: Path) -> None:
    folder, record = tmp_path / "files", tmp_path / "captures"
    with running("--case", "bmc-2015", "--dir", str(folder), "--record", str(record)) as device:
        assert device.line() == "In a second terminal:"
        host, port = device.address
        assert device.line().startswith(f"  tlsalert replay {host}:{port} --cert {folder}/client.crt ")
        for _ in range(3):
            assert shown(device.address, folder) == 42
            device.line()
        code, said = device.end()
    assert (code, said.splitlines()[-1]) == (0, "tlsalert: 3 connections: 3 refused")
    connections = list(read(record / "lab.pcap"))
    assert [[alert.code for alert in one.alerts] for one in connections] == [[42]] * 3
    start = connections[0].start
    assert start is not None
    assert abs(start / 1e9 - datetime.now(UTC).timestamp()) < 600  # captures have the real time
    if faketime.library() is None:
        assert "libfaketime is not installed" in said
        return
    for one in connections:
        clock = one.clocks.server
        assert clock is not None
        assert datetime.fromtimestamp(clock.time / 1e9, UTC).strftime("%Y-%m-%d %H") == "2015-03-12 05"
        assert one.verdict is not None
        assert (one.verdict.cause, one.verdict.at_fault) == ("certificate_not_yet_valid", "server")


def shown(address: tuple[str, int], folder: Path) -> int | None:
    """Show the case's certificate and return the alert."""
    client = context(None, "TLS 1.2")
    client.load_cert_chain(folder / "client.crt", folder / "client.key")
    try:
        with socket.create_connection(address, 10) as plain, client.wrap_socket(plain):
            return None
    except ssl.SSLError as error:
        return {"SSLV3_ALERT_BAD_CERTIFICATE": 42}.get(error.reason)


@pytest.mark.parametrize(
    ("options", "shows", "answer"),
    [
        (("--pin", "pinned.pem"), "pinned", Answer(b"hello")),
        (("--pin", "right.pem"), "right", Answer(b"hello")),
        (("--pin", "right.pem"), "second", Answer(alert=42)),
        (("--pin", "right.pem", "--verify", "2"), "right", Answer(alert=48)),
        (("--trust", "root.pem", "--pin", "right.pem"), "second", Answer(alert=42)),
        (("--trust", "root.pem", "--verify", "1"), None, Answer(b"hello")),
        (("--verify", "0"), "stranger", Answer(b"hello")),
        (("--cert", "device.pem", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"), None, Answer(alert=40)),
        (("--tls", "1.3"), None, Answer(alert=70)),
        (("--after", "console"), None, Answer(b"RFB 003.008\n")),
        (("--fault", "alert:insufficient_security"), None, Answer(alert=71)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_options(files: Path, options: tuple[str, ...], shows: str | None, answer: Answer) -> None:
    given = [str(files / option) if option.endswith(".pem") else option for option in options]
    with running(*given) as device:
        assert ask(device.address, shows) == answer
        assert device.line().startswith("#1 ")


def test_a_stack_runs_behind_a_recorder(files: Path, tmp_path: Path) -> None:
    record = tmp_path / "captures"
    with running("--stack", "openssl", "--trust", str(files / "root.pem"), "--record", str(record)) as server:
        assert "openssl behind it, on port" in server.first
        assert ask(server.address, "strangers").alert == 48
        assert re.search(r"TLS 1\.2   refused   The server refused", server.line())
        assert server.end() == (0, "tlsalert: 1 connection: 1 refused\n")
    (connection,) = read(record / "lab.pcap")
    assert [alert.code for alert in connection.alerts] == [48]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--verify", "3"], "--verify 3 needs --trust or --pin"),
        (["--key", "x"], "--key goes with --cert"),
        (["--dir", "x"], "--dir goes with --case"),
        (["--tls", "1.4"], "the lab has no TLS 1.4"),
        (["--tls", ","], "name one version at least"),
        (["--case", "bmc-2015", "--clock", "2015-01-01"], "--case has a clock, certificates and versions of its own"),
        (["--case", "bmc-2015", "--verify", "0"], "--case has a clock, certificates and versions of its own"),
        (["--stack", "openssl", "--fault", "reset"], "--fault does not go with --stack openssl"),
        (["--stack", "openssl", "--tls", "1.0,1.2"], "versions without a gap"),
        (["--stack", "apache"], "'apache' is not one of"),
    ],
)
def test_what_cannot_be_asked_for(options: list[str], says: str) -> None:
    done = CliRunner().invoke(group, ["lab", *options])
    assert done.exit_code == 2
    assert says in done.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--fault", "x"], "x: there is no such fault"),
        (["--clock", "x"], "'x' is no time"),
        (["--host", "x"], "x: that is no address"),
        (["--ciphers", "x"], "OpenSSL takes no such settings: no cipher match"),
        (["--trust", "/nowhere"], "/nowhere: cannot be read: No such file or directory"),
        (["--trust", "/dev/null"], "/dev/null: no certificates in it"),
        (["--crl", "/dev/null"], "/dev/null: no revocation list in it"),
        (["--cert", "/dev/null"], "/dev/null: no certificate with its key"),
    ],
)
def test_errors_are_sentences(options: list[str], says: str) -> None:
    done = CliRunner().invoke(group, ["lab", *options])
    assert isinstance(done.exception, UsageError)
    assert says in str(done.exception)


def test_without_pyopenssl_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "OpenSSL", None)
    done = CliRunner().invoke(group, ["lab"])
    assert isinstance(done.exception, UsageError)
    assert "pip install 'tlsalert[lab]'" in str(done.exception)


def test_a_private_key_never_reaches_an_error(files: Path) -> None:
    wrong = files / "wrong.pem"
    wrong.write_bytes(people()["device"].to_pem().replace(b"BEGIN CERTIFICATE", b"BEGIN CERTIFICATION"))
    done = CliRunner().invoke(group, ["lab", "--cert", str(wrong)])
    assert isinstance(done.exception, UsageError)
    secret = wrong.read_text().splitlines()[1]
    assert secret not in str(done.exception)


def test_the_help_lists_what_there_is() -> None:
    assert set(STACK_NAMES) == set(STACKS)
    assert set(CASE_NAMES) == set(CASES)
    done = CliRunner().invoke(group, ["lab", "--help"])
    assert "tlsalert lab --case bmc-2015" in done.output
    assert "reset, close, silence, drip[:SECONDS]" in done.output
