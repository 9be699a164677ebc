"""The replay's parts together, against the lab's device: the catalogue, the bench, a whole replay, and pytest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import tlsalert
from tests.evidence import CAPTURES, ROOT
from tlsalert.capture import read
from tlsalert.cli.replay import command
from tlsalert.errors import UsageError
from tlsalert.lab.certificates import Identity, issued, self_signed
from tlsalert.lab.faults import Fault
from tlsalert.lab.server import LabDevice, RunningDevice, serve
from tlsalert.replay.bench import Asked
from tlsalert.replay.parts import catalogue, open_bench
from tlsalert.replay.words import phrase

pytest_plugins = ["pytester"]

NOW = datetime.now(UTC).replace(microsecond=0)
VALID = NOW - timedelta(days=30), NOW + timedelta(days=365)
FEW = ("good", "none_sent", "self_signed_unknown", "expired")


class Folder:
    """A client's files, and a device that trusts their CA."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.authority = self_signed("CN=test CA", datetime(2000, 1, 1, tzinfo=UTC), VALID[1])
        self.write("client", issued("CN=client", self.authority, *VALID, usage=("client",)))
        self.write("ca", self.authority)
        device = issued("CN=device", self.authority, *VALID, names=("device.example",))
        self.device = LabDevice(device, trusted=(self.authority.certificate,), versions=("TLS 1.2", "TLS 1.3"))

    def write(self, name: str, identity: Identity) -> None:
        (self.path / f"{name}.crt").write_bytes(identity.certificate.public_bytes(Encoding.PEM))
        key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.path / f"{name}.key").write_bytes(key)

    def file(self, name: str) -> str:
        return str(self.path / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module")
def running(folder: Folder) -> Iterator[RunningDevice]:
    with serve(folder.device) as device:
        yield device


def address(device: RunningDevice) -> str:
    host, port = device.address
    return f"{host}:{port}"


@pytest.mark.parametrize("name", catalogue())
def test_every_variant_has_its_words_and_the_rfcs_expectation(name: str) -> None:
    facts = catalogue()[name]
    assert facts.why
    assert not phrase(name).startswith("the certificate of variant")
    assert {"TLS 1.2", "TLS 1.3"} <= facts.calls_for.keys()


def test_nothing_is_sent_before_it_is_asked_for(folder: Folder, running: RunningDevice) -> None:
    before = sum(running.counts.values())
    bench = open_bench(Asked(address(running), hello=f"{CAPTURES / 'console.pcap'}:0"), lambda _: None)
    assert bench.versions == ("TLS 1.2",)
    assert "console.pcap #0" in bench.hello_for(bench.versions).name
    assert "needs the good certificate" in bench.not_tried["good"].why
    assert "none_sent" not in bench.not_tried
    assert sum(running.counts.values()) == before


def test_a_whole_replay_from_python(folder: Folder, running: RunningDevice) -> None:
    result = tlsalert.replay(
        address(running),
        hello=read(CAPTURES / "console.pcap")[0],
        certificate=folder.file("client.crt"),
        key=folder.file("client.key"),
        ca_certificate=folder.file("ca.crt"),
        ca_key=folder.file("ca.key"),
        variants=FEW,
    )
    assert {row.variant: row.alert.code if row.alert else row.outcome for row in result.rows} == {
        "good": "accepted",
        "none_sent": 40,
        "self_signed_unknown": 48,
        "expired": 45,
    }
    assert result.verdict is not None
    assert result.verdict.outcome == "established"
    assert tlsalert.load_result is not None
    assert not result.compare(type(result).from_json(result.to_json())).differs


def test_a_device_that_takes_no_hello_is_not_asked_for_a_certificate(folder: Folder) -> None:
    with serve(replace(folder.device, fault=Fault("close", "hello"))) as device:
        result = tlsalert.replay(
            address(device),
            certificate=folder.file("client.crt"),
            key=folder.file("client.key"),
            variants=("good", "none_sent"),
            versions=("TLS 1.2",),
        )
    assert result.verdict is not None
    assert "before the client could show a certificate" in result.verdict.summary


def test_a_clock_in_the_past_is_found(folder: Folder) -> None:
    with serve(replace(folder.device, clock=datetime(2015, 3, 12, tzinfo=UTC))) as running:
        result = tlsalert.replay(
            address(running),
            certificate=folder.file("client.crt"),
            key=folder.file("client.key"),
            ca_certificate=folder.file("ca.crt"),
            ca_key=folder.file("ca.key"),
            variants=FEW,
            versions=["1.2"],
            find_clock=True,
        )
    row = result.row("good", "TLS 1.2")
    assert row is not None
    assert row.alert is not None
    assert row.alert.code == 42
    assert result.clock is not None
    assert result.clock.time is not None
    assert result.clock.time.startswith("2015-03-12T00:0")


def test_the_command_line_writes_what_wireshark_and_we_can_read(
    folder: Folder, running: RunningDevice, tmp_path: Path
) -> None:
    capture, keys = tmp_path / "a.pcap", tmp_path / "a.keys"
    options = ("--cert", folder.file("client.crt"), "--key", folder.file("client.key"), "--tls", "1.2,1.3")
    chosen = [word for name in FEW[:3] for word in ("--variant", name)]
    shown = CliRunner().invoke(
        command, [address(running), *options, *chosen, "--pcap", str(capture), "--keylog", str(keys)]
    )
    assert shown.exit_code == 0, shown.output
    assert keys.stat().st_mode & 0o777 == 0o600
    seen = read(capture, keylog=keys)
    assert len(seen) == 6
    assert sorted(alert.code or 0 for one in seen for alert in one.alerts if alert.fatal) == [40, 48, 48, 116]


def test_a_target_that_is_not_there_ends_with_4() -> None:
    shown = CliRunner().invoke(command, ["127.0.0.1:1", "--timeout", "5"])
    assert shown.exit_code == 4
    assert "was left alone" in " ".join(shown.output.split())


def test_an_http_path_is_only_a_path() -> None:
    with pytest.raises(UsageError, match="is no path for an HTTP request"):
        open_bench(Asked("127.0.0.1:1", http="/ HTTP/1.1\r\nX: y"), lambda _: None)


def test_pytest_asks_a_device_of_the_lab(
    folder: Folder, running: RunningDevice, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (pytester.path / "bmc.tlsalert.toml").write_text(
        f"""
        [suite]
        variants = ["good", "none_sent", "expired"]
        tls = ["1.2", "1.3"]
        [identity.me]
        cert = "{folder.file("client.crt")}"
        key = "{folder.file("client.key")}"
        [expect]
        none_sent = 41
        """
    )
    shown = pytester.runpytest_subprocess(
        "-p", "tlsalert.replay.pytest_plugin", "-W", "error", "--tls-target", address(running)
    )
    shown.assert_outcomes(passed=2, failed=2, skipped=2)
    shown.stdout.fnmatch_lines(["*expected no_certificate (41), got handshake_failure (40)", "*ALERT*"])
