"""A running device does what its settings say, tells what it did, and can be changed while it runs."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.lab.talking import BEHIND, LATER, LONG, RIGHT, Answer, ask, context, people, soon
from tlsalert.capture import read
from tlsalert.errors import UsageError
from tlsalert.lab.device import Version
from tlsalert.lab.server import LabDevice, Limits, RunningDevice, Served, serve


def device(**settings: object) -> LabDevice:
    """Return a device that trusts the root, with TLS 1.2 and 1.3."""
    plain = LabDevice(people()["device"], trusted=(people()["root"].certificate,), versions=("TLS 1.2", "TLS 1.3"))
    return replace(plain, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningDevice]:
    with serve(device()) as made:
        yield made


def last(running: RunningDevice, number: int) -> Served:
    """Wait for the connection of that number and return what was told of it."""
    assert soon(lambda: any(one.number == number for one in running.served))
    return next(one for one in running.served if one.number == number)


@pytest.mark.parametrize("version", ["TLS 1.2", "TLS 1.3"])
@pytest.mark.parametrize(
    ("clock", "alert"), [(BEHIND, 42), (RIGHT, None), (LATER, 45)], ids=["behind", "right", "later"]
)
def test_the_founding_case(running: RunningDevice, version: Version, clock: datetime, alert: int | None) -> None:
    running.clock = clock
    assert ask(running.address, "ipmi", version).alert == alert
    assert ask(running.address, "stranger", version).alert == 48
    assert ask(running.address, None, version).alert == (40 if version == "TLS 1.2" else 116)


def test_the_clock_runs_on_when_other_settings_change() -> None:
    with serve(device(clock=BEHIND)) as running:
        time.sleep(0.02)
        running.trusted = ()
        assert BEHIND < running.clock < BEHIND + timedelta(minutes=5)
        running.clock = None
        assert abs(running.clock - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_certificate_that_begins_in_a_moment_is_accepted_then(running: RunningDevice) -> None:
    running.clock = datetime(2016, 5, 18, 23, 59, 59, tzinfo=UTC)
    assert soon(lambda: ask(running.address, "ipmi").alert is None)


def test_trust_and_pins_can_be_changed() -> None:
    with serve(device(clock=RIGHT)) as running:
        assert ask(running.address, "strangers").alert == 48
        running.trusted = (people()["stranger"].certificate,)
        assert ask(running.address, "strangers") == Answer(b"hello")
        running.trusted = ()
        running.pinned = (people()["pinned"].certificate,)
        assert ask(running.address, "pinned") == Answer(b"hello")
        assert running.pinned == (people()["pinned"].certificate,)


def test_settings_that_openssl_does_not_take_are_a_usage_error(running: RunningDevice) -> None:
    with pytest.raises(UsageError, match="OpenSSL takes no such settings: no cipher match"):
        running.change(ciphers="NONSENSE")
    assert running.device.ciphers == "DEFAULT"


@pytest.mark.parametrize(
    ("lowest", "highest", "without", "speaks"),
    [
        ("TLS 1.0", "TLS 1.0", (), {"TLS 1.0"}),
        ("TLS 1.0", "TLS 1.2", ("TLS 1.1",), {"TLS 1.0", "TLS 1.2"}),
        ("TLS 1.1", "TLS 1.3", (), {"TLS 1.1", "TLS 1.2", "TLS 1.3"}),
        ("TLS 1.3", "TLS 1.3", (), {"TLS 1.3"}),
    ],
)
def test_the_versions_are_those_asked_for(
    lowest: Version, highest: Version, without: tuple[Version, ...], speaks: set[str]
) -> None:
    with serve(device(asks="no", versions=(lowest, highest), without=without)) as running:
        answers = {
            version: ask(running.address, None, version) for version in ("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
        }
    assert {version for version, answer in answers.items() if answer.data} == speaks


def test_the_cipher_suite_is_the_one_asked_for() -> None:
    with serve(device(asks="no", ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")) as running:
        assert ask(running.address).data
        assert last(running, 1).cipher_suite == "ECDHE-ECDSA-AES128-GCM-SHA256"
        running.change(ciphers="ECDHE-RSA-AES128-GCM-SHA256")  # its key is not RSA
        assert ask(running.address).alert == 40


def test_who_shares_no_application_protocol_is_refused() -> None:
    with serve(device(asks="no", alpn=("h2", "http/1.1"))) as running:
        assert ask(running.address, alpn=("http/1.1",)).alpn == "http/1.1"
        assert ask(running.address, alpn=("spdy/3",)).alert == 120
        assert last(running, 2).alert_sent == 120


@pytest.mark.parametrize(("lists", "alert"), [("right", 44), ("second", None), ("later", 42), ("old", 45)], ids=str)
def test_a_revocation_list_counts(lists: str, alert: int | None) -> None:
    root = people()["root"]
    this, following = {
        "later": (LATER, LONG[1]),
        "old": (LONG[0], datetime(2012, 1, 1, tzinfo=UTC)),
    }.get(lists, LONG)
    builder = x509.CertificateRevocationListBuilder(root.certificate.subject, this, following)
    if lists in ("right", "second"):
        revoked = x509.RevokedCertificateBuilder(people()[lists].certificate.serial_number, LONG[0])
        builder = builder.add_revoked_certificate(revoked.build())
    with serve(device(clock=RIGHT, crls=(builder.sign(root.key, hashes.SHA256()),))) as running:
        assert ask(running.address, "right").alert == alert


def test_what_happened_is_told() -> None:
    told: list[Served] = []
    with serve(device(clock=BEHIND), told=told.append) as running:
        ask(running.address, "right")
        ask(running.address, "ipmi", "TLS 1.3")
        ask(running.address, "right", trusts="stranger")
        with socket.create_connection(running.address, 5) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            plain.recv(100)
        with socket.create_connection(running.address, 5):
            pass
        assert soon(lambda: len(told) == 5)
    by_number = {one.number: one for one in told}
    assert (by_number[1].happened, by_number[1].client, by_number[1].tls_version) == ("accepted", "CN=right", "TLS 1.2")
    assert (by_number[2].happened, by_number[2].alert_sent, by_number[2].tls_version) == ("refused", 42, "TLS 1.3")
    assert by_number[2].says.startswith("bad_certificate (42): certificate is not yet valid")
    assert (by_number[3].happened, by_number[3].alert_received) == ("client_refused", 48)
    assert by_number[4].happened == "refused"
    assert by_number[5].happened == "left"
    assert running.counts == {"accepted": 1, "refused": 2, "client_refused": 1, "left": 1}


@pytest.mark.parametrize("version", ["TLS 1.2", "TLS 1.3"])
def test_what_is_recorded_is_read_with_its_secrets(version: Version, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "for it"
    with serve(device(clock=BEHIND), record=folder) as running:
        ask(running.address, "ipmi", version)
        ask(running.address, "right", version)
    refused, accepted = read(folder / "lab.pcap", keylog=str(folder / "keys.log"))
    assert [alert.code for alert in refused.alerts if alert.sender == "server"] == [42]
    assert refused.tls_version == version
    assert refused.verdict is not None
    assert (refused.verdict.outcome, refused.verdict.refused_by) == ("failed", "server")
    assert accepted.verdict is not None
    assert accepted.verdict.outcome == "established"
    for name in ("keys.log", "lab.pcap"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    with serve(device(), record=tmp_path):
        pass
    with pytest.raises(UsageError, match=r"keys\.log: it is there already; give another folder"):
        serve(device(), record=tmp_path)


def test_real_time_is_the_captures() -> None:
    with serve(device(asks="no"), real_time=lambda: 1_234_567_890_000_000_000) as running:
        ask(running.address)
        assert last(running, 1).time == 1_234_567_890_000_000_000


def test_who_is_silent_or_says_too_much_is_sent_away() -> None:
    with serve(device(asks="no"), limits=Limits(idle=0.1, bytes=20_000)) as running:
        with socket.create_connection(running.address, 5) as plain:
            assert plain.recv(1) == b""
        assert last(running, 1).happened == "timeout"
        with socket.create_connection(running.address, 5) as plain, contextlib.suppress(OSError):
            plain.sendall(b"\x16\x03\x01\x40\x00\x01\x00\xff\xff" + bytes(100_000))
            while plain.recv(1000):
                pass
        assert last(running, 2).happened in ("limit", "refused")


def test_more_connections_than_it_takes_wait_for_their_turn() -> None:
    with serve(device(asks="no"), connections=2) as running:
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(socket.create_connection(running.address, 5))
            assert soon(lambda: threading.active_count() >= 3)
            assert ask(running.address, patience=0.3).error == "TimeoutError"
        assert soon(lambda: ask(running.address).data == b"hello")


def test_it_stops_with_connections_open_and_leaves_no_thread_or_socket_behind() -> None:
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    with serve(device(asks="no")) as running, socket.create_connection(running.address, 5) as plain:
        assert soon(lambda: threading.active_count() == before[0] + 2)
        running.stop()
        assert plain.recv(1) == b""
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", plain.getpeername()[1]), 5)
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_many_at_a_time_are_served_rightly() -> None:
    answers: list[int | None] = []
    with serve(device(clock=BEHIND)) as running:

        def client(shows: str) -> None:
            answers.extend(ask(running.address, shows).alert for _ in range(10))

        threads = [threading.Thread(target=client, args=(shows,)) for shows in ("right", "ipmi", "stranger") * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert soon(lambda: running.counts.total() == 60)
        assert running.counts == {"accepted": 20, "refused": 40}
    assert sorted(answers, key=str) == [42] * 20 + [48] * 20 + [None] * 20


def test_it_listens_on_ipv6_too() -> None:
    try:
        running = serve(device(asks="no"), "::1")
    except UsageError:
        pytest.skip("needs IPv6")
    with running:
        assert ask(running.address) == Answer(b"hello")


@pytest.mark.parametrize(
    ("host", "says"),
    [("localhost", "localhost: that is no address"), ("203.0.113.1", "203.0.113.1 port 0: cannot listen: ")],
)
def test_where_it_cannot_listen_is_told(host: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        serve(device(), host)


def test_resumption_works() -> None:
    with serve(device(clock=RIGHT)) as running:
        client = context("right", "TLS 1.2")
        with socket.create_connection(running.address, 5) as plain, client.wrap_socket(plain) as first:
            session = first.session
        with (
            socket.create_connection(running.address, 5) as plain,
            client.wrap_socket(plain, session=session) as second,
        ):
            assert second.session_reused


def test_keys_open_what_was_said() -> None:
    with serve(device(asks="no")) as running:
        ask(running.address, None, "TLS 1.3")
        last(running, 1)
        labels = {line.split()[0] for line in running.secrets}
    assert {b"CLIENT_TRAFFIC_SECRET_0", b"SERVER_TRAFFIC_SECRET_0"} <= labels


def test_what_is_too_long_is_recorded_in_part_and_that_is_told(tmp_path: Path) -> None:
    with serve(device(asks="no"), record=tmp_path) as running:
        for _ in range(2):
            with (
                socket.create_connection(running.address, 5) as plain,
                context(None, "TLS 1.2").wrap_socket(plain) as tls,
            ):
                for _ in range(40):
                    tls.sendall(bytes(16_384))
                    left = 16_384
                    while left:
                        left -= len(tls.recv(left))
        assert last(running, 2).says.endswith("bytes came back; recorded in part: it was too long")
    assert len(list(read(tmp_path / "lab.pcap"))) == 2
    assert (tmp_path / "lab.pcap").stat().st_size < 4 << 20
