"""What passed becomes a connection, an outcome and a capture that other tools read."""

from __future__ import annotations

import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from tests.replay.devices import AFTER, BEFORE, QUICK, authority, device, leaf, listening, shown
from tests.replay.plain_hello import PlainHello
from tlsalert.capture import read
from tlsalert.errors import UsageError
from tlsalert.lab.certificates import issued
from tlsalert.lab.device import Device, Version
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.client import exchange
from tlsalert.replay.exchange import Exchange
from tlsalert.replay.outcome import Accepted, Closed, Outcome, Refused, Silent, Unreachable
from tlsalert.replay.trial import Trial, connection_of, outcome_of, trial_of, write_keylog, write_pcap

VERSIONS: tuple[Version, ...] = ("TLS 1.0", "TLS 1.2", "TLS 1.3")


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    ca = authority()
    server, client = issued("CN=device", ca, BEFORE, AFTER), leaf(ca)
    found = []
    for version in VERSIONS:
        made = Device(identity=server, trusted=(ca.certificate,), versions=(version, version))
        with listening(device(made)) as target:
            for name, one in (("good", shown(client)), ("none_sent", Presentation())):
                found.append(trial_of(name, version, exchange(target, PlainHello(), one, version, QUICK)))
    return found


def test_outcomes(trials: list[Trial]) -> None:
    kinds = [trial.outcome.kind for trial in trials]
    assert kinds == ["accepted", "refused"] * 3


def test_a_capture_of_all_tries_reads_as_they_did(trials: list[Trial], tmp_path: Path) -> None:
    assert write_pcap(trials, tmp_path / "all.pcap") == 6
    assert write_keylog(trials, tmp_path / "keys") == 2 * (1 + 1 + 4)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600
    seen = read(tmp_path / "all.pcap", keylog=tmp_path / "keys")
    assert [[a.code for a in c.alerts if a.sender == "server" and a.code] for c in seen] == [
        [trial.outcome.alert.code] if isinstance(trial.outcome, Refused) and trial.outcome.alert else []
        for trial in trials
    ]
    assert [c.tls_version for c in seen] == [trial.tls_version for trial in trials]


def test_wireshark_reads_it_too(trials: list[Trial], tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed (Debian: tshark)")
    write_pcap(trials, tmp_path / "all.pcap")
    write_keylog(trials, tmp_path / "keys")
    command = ["tshark", "-r", "all.pcap", "-o", f"tls.keylog_file:{tmp_path / 'keys'}"]
    told = subprocess.run(
        [*command, "-Y", "tls.alert_message.level == 2", "-T", "fields", "-e", "tls.alert_message.desc"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["40", "40", "116"]


def test_what_exists_is_not_overwritten(trials: list[Trial], tmp_path: Path) -> None:
    for write in (write_pcap, write_keylog):
        with pytest.raises(UsageError, match="is there already"):
            write(trials, trials_file(tmp_path))
    with pytest.raises(UsageError, match="cannot be written"):
        write_pcap(trials, tmp_path / "nowhere" / "all.pcap")


def trials_file(folder: Path) -> Path:
    path = folder / "there"
    path.touch()
    return path


def test_tries_at_the_same_time_become_one_capture(trials: list[Trial], tmp_path: Path) -> None:
    first = trials[0]
    twin = replace(first.exchange, addresses=(("127.0.0.1", 1), ("127.0.0.1", 2)))
    both = [first, replace(first, exchange=twin)]
    write_pcap(both, tmp_path / "both.pcap")
    seen = list(read(tmp_path / "both.pcap"))
    assert len(seen) == 2
    assert all(c.verdict is not None and c.verdict.outcome == "established" for c in seen)


def test_secrets_and_bytes_stay_out_of_what_is_printed(trials: list[Trial]) -> None:
    for trial in trials:
        for line in trial.exchange.secrets:
            assert line.split()[2] not in repr(trial.exchange)
            assert line.split()[2] not in repr(trial.connection)


def test_the_notes_of_both_are_kept(trials: list[Trial]) -> None:
    told = replace(trials[0].exchange, notes=("one", "two"))
    assert trial_of("x", "TLS 1.0", told, "zero").note == "zero; one; two"
    assert trial_of("x", "TLS 1.0", replace(told, notes=())).note is None


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        pytest.param(Exchange(ending="unreachable", says="no route"), Unreachable("no route"), id="unreachable"),
        pytest.param(Exchange(ending="fin", stage="client_hello"), Closed("fin", "client_hello"), id="closed"),
        pytest.param(
            Exchange(ending="rst", stage="client_certificate"), Closed("rst", "client_certificate", True), id="lost"
        ),
        pytest.param(Exchange(ending="rst", stage="server_hello"), Closed("rst", "server_hello"), id="reset before"),
        pytest.param(
            Exchange(ending="timeout", stage="server_hello", waited=5.0), Silent(5.0, "server_hello"), id="silent"
        ),
        pytest.param(
            Exchange(ending="limit", stage="server_hello", limit="9 bytes"),
            Silent(0.0, "server_hello", "9 bytes"),
            id="limit",
        ),
        pytest.param(
            Exchange(stage="client_certificate", quiet=True), Accepted("silence"), id="silence after the flight"
        ),
        pytest.param(
            Exchange(ending="fin", stage="established", proof="finished"),
            Closed("fin", "established"),
            id="Node: closed at once after its Finished",
        ),
        pytest.param(
            Exchange(ending="fin", stage="established", proof="new_session_ticket", farewell=True),
            Accepted("new_session_ticket"),
            id="a polite close is no refusal",
        ),
        pytest.param(
            Exchange(ending="fin", stage="established", proof="application_data"),
            Accepted("application_data"),
            id="data, then a close",
        ),
        pytest.param(
            Exchange(stage="starttls", says="454 no"), Refused("server", "starttls", None, "454 no"), id="declined"
        ),
        pytest.param(Exchange(ending="rst", stage="starttls"), Closed("rst", "starttls"), id="closed before TLS"),
        pytest.param(
            Exchange(ending="timeout", stage="starttls", waited=1), Silent(1, "starttls"), id="mute before TLS"
        ),
        pytest.param(
            Exchange(stage="client_hello", says="it is not TLS"),
            Refused("client", "client_hello", None, "it is not TLS"),
            id="the client gave up",
        ),
    ],
)
def test_what_an_exchange_comes_to(told: Exchange, outcome: Outcome) -> None:
    assert connection_of(told) is None
    assert outcome_of(told, None) == outcome
