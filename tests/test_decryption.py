"""Decryption end to end, on the project's own captures: each way to give secrets, and what is said where they fail.

Each tls13-*.pcap here has its key log beside it; tls13-expired.pcapng holds its own in a decryption secrets block.
"""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import tlsalert
from tests.evidence import CAPTURES
from tlsalert.capture import Reader
from tlsalert.diagnosis.proofs import proof
from tlsalert.model import Connection
from tlsalert.secrets.opening import open_with

REFUSED, EMPTY, GOOD = ("tls13-unknown-ca", "tls13-no-certificate", "tls13-success")
RETRIED = "tls13-hello-retry"


def capture(name: str) -> Path:
    return CAPTURES / f"{name}.pcap"


def keys(name: str) -> Path:
    return CAPTURES / f"{name}.keys"


def opened(name: str, log: Path | None = None) -> Connection:
    (connection,) = tlsalert.read(capture(name), keylog=log or keys(name))
    return connection


def only(name: str, *labels: str) -> str:
    """Return the lines of a capture's key log with some labels."""
    lines = keys(name).read_text().splitlines(keepends=True)
    return "".join(line for line in lines if line.split()[:1] and line.split()[0] in labels)


def packets(data: bytes) -> list[tuple[bytes, bytes]]:
    """Take a little-endian pcap apart: each packet's header and bytes."""
    found, at = [], 24
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        found.append((data[at : at + 16], data[at + 16 : at + 16 + size]))
        at += 16 + size
    return found


def block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


def pcapng(name: str, secrets_at: int) -> bytes:
    """Make a pcapng of a capture with its key log in front of packet ``secrets_at`` (from 0)."""
    data = capture(name).read_bytes()
    log = keys(name).read_bytes()
    made = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0))
    told = packets(data)
    for number, (head, packet) in enumerate([*told, (b"", b"")]):
        if number == secrets_at:
            made += block(10, struct.pack("<II", 0x544C534B, len(log)) + log)
        if head:
            seconds, fraction, size, full = struct.unpack("<IIII", head)
            ticks = seconds * 1_000_000 + fraction
            made += block(6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, size, full) + packet)
    return made


# --- what is read ---------------------------------------------------------------------------------------------------


def test_the_alert_of_tls_1_3_is_read_with_a_key_log() -> None:
    connection = opened(REFUSED)
    (alert,) = [alert for alert in connection.alerts if alert.sender == "server"]
    assert (alert.code, alert.encrypted, alert.decrypted, alert.inferred) == (48, True, True, None)
    assert alert.after == "finished"
    assert connection.verdict is not None
    assert (connection.verdict.refused_by, connection.verdict.cause) == ("server", "unknown_ca")


def test_decrypted_messages_stand_in_their_place() -> None:
    said = [(m.sender, m.message) for m in opened(REFUSED).messages if m.message != "change_cipher_spec"]
    assert said == [
        ("client", "client_hello"),
        ("server", "server_hello"),
        *[("server", name) for name in ("encrypted_extensions", "certificate_request", "certificate")],
        *[("server", name) for name in ("certificate_verify", "finished")],
        *[("client", name) for name in ("certificate", "certificate_verify", "finished")],
    ]


def test_the_clients_certificate_of_tls_1_3_is_checked_like_any_other() -> None:
    connection = opened(REFUSED)
    assert connection.certificates.client
    assert connection.certificate_request is not None
    shown = proof(connection, "client")
    assert shown.holds is True


def test_an_empty_certificate_is_seen_to_be_empty() -> None:
    connection = opened(EMPTY)
    assert connection.verdict is not None
    assert (connection.verdict.cause, connection.alerts[-1].code) == ("no_client_certificate", 116)
    assert connection.verdict.confidence > 0.9, "without keys it is only inferred"


@pytest.mark.parametrize("name", [GOOD, RETRIED])
def test_what_went_well_went_well_inside_too(name: str) -> None:
    connection = opened(name)
    assert connection.verdict is not None
    assert connection.verdict.outcome == "established"
    assert connection.verdict.confidence > 0.9
    assert [m.message for m in connection.messages].count("finished") == 2


def test_nothing_changes_without_secrets() -> None:
    (connection,) = tlsalert.read(capture(REFUSED))
    assert not any(m.decrypted for m in connection.messages)
    assert connection.alerts[-1].code is None


# --- how secrets come -----------------------------------------------------------------------------------------------


def test_a_pcapng_brings_its_own() -> None:
    (connection,) = tlsalert.read(CAPTURES / "tls13-expired.pcapng")
    assert connection.alerts[-1].code == 45
    assert connection.verdict is not None
    assert connection.verdict.cause == "certificate_expired"


@pytest.mark.parametrize("place", [0, 1, 5, 8, 10_000], ids=["first", "second", "amid", "late", "last"])
def test_a_block_of_secrets_opens_what_came_before_it_too(tmp_path: Path, place: int) -> None:
    path = tmp_path / "own.pcapng"
    count = len(packets(capture(REFUSED).read_bytes()))
    path.write_bytes(pcapng(REFUSED, min(place, count)))
    (connection,) = tlsalert.read(path)
    assert connection.alerts[-1].code == 48
    assert connection.connection == 0


@pytest.mark.parametrize(
    ("labels", "sees_certificate", "code"),
    [
        pytest.param(("SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"), False, 48, id="the server's"),
        pytest.param(("SERVER_TRAFFIC_SECRET_0",), False, 48, id="the server's 32 bytes, and no more"),
        pytest.param(("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"), True, None, id="the client's"),
    ],
)
def test_one_direction_is_enough_for_that_direction(
    tmp_path: Path, labels: tuple[str, ...], sees_certificate: bool, code: int | None
) -> None:
    log = tmp_path / "some.keys"
    log.write_text(only(REFUSED, *labels))
    connection = opened(REFUSED, log)
    assert bool(connection.certificates.client) == sees_certificate
    assert connection.alerts[-1].code == code
    assert connection.verdict is not None
    assert (connection.verdict.outcome, connection.verdict.refused_by) == ("failed", "server")


def test_several_key_logs_are_one(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text(only(REFUSED, "SERVER_TRAFFIC_SECRET_0"))
    second.write_text(only(REFUSED, "CLIENT_HANDSHAKE_TRAFFIC_SECRET"))
    (connection,) = tlsalert.read(capture(REFUSED), keylog=[first, second])
    assert connection.alerts[-1].code == 48
    assert connection.certificates.client


# --- what is said where they fail -----------------------------------------------------------------------------------


def test_a_key_log_of_another_connection_is_told_as_such() -> None:
    connection = opened(REFUSED, keys(EMPTY))
    assert connection.alerts[-1].code is None
    assert any("no secret for this client random" in note for note in connection.notes)


def test_a_changed_record_is_told_as_such_and_never_shown(tmp_path: Path) -> None:
    data = bytearray(capture(REFUSED).read_bytes())
    (alert,) = [m.position.frame for m in opened(REFUSED).alerts if m.code == 48]
    assert alert is not None
    at = 24 + sum(16 + len(packet) for _, packet in packets(bytes(data))[:alert])
    data[at - 1] ^= 1
    path = tmp_path / "changed.pcap"
    path.write_bytes(data)
    (connection,) = tlsalert.read(path, keylog=keys(REFUSED))
    assert not any(a.decrypted for a in connection.alerts)
    assert any("does not authenticate" in note for note in connection.notes)


def test_no_secret_is_in_what_is_told() -> None:
    secrets = [line.split()[-1] for line in keys(REFUSED).read_text().splitlines() if line and line[0] != "#"]
    opening = open_with([keys(REFUSED)])
    reader = Reader(capture(REFUSED), secrets=opening)
    told = repr(list(reader)) + repr(opening.keyring) + repr(reader.summary)
    assert secrets
    assert not any(secret in told or repr(bytes.fromhex(secret)) in told for secret in secrets)


# --- the command line -----------------------------------------------------------------------------------------------


def run(*arguments: str | Path, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tlsalert", "read", "--format", "jsonl", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


def test_read_takes_key_logs_and_a_pipe() -> None:
    done = run("--keylog", keys(REFUSED), "-", stdin=capture(REFUSED).read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    (alert,) = [a for a in json.loads(done.stdout)["alerts"] if a["from"] == "server"]
    assert (alert["code"], alert["encrypted"], alert["decrypted"]) == (48, True, True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(("--keylog", "/nowhere/keys"), 3, b"No such file", id="no key log"),
        pytest.param(("--psk", "xyz"), 2, b"hexadecimal", id="a PSK that is none"),
        pytest.param(("--rsa-key", str(capture(REFUSED))), 3, b"tls13-unknown-ca.pcap", id="a key that is none"),
    ],
)
def test_secrets_that_cannot_be_read_are_told_in_a_line(arguments: tuple[str, ...], code: int, says: bytes) -> None:
    done = run(*arguments, capture(REFUSED))
    assert done.returncode == code
    assert says in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_key_log_is_not_written_over(tmp_path: Path) -> None:
    there = tmp_path / "keys"
    there.write_text("mine")
    done = run("--write-keylog", there, "--psk", "00ff", capture(REFUSED))
    assert done.returncode == 2
    assert there.read_text() == "mine"


def test_what_was_derived_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "derived.keys"
    done = run("--write-keylog", path, "--psk", "00ff", capture(REFUSED))
    assert done.returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_view_for_people_names_the_alert() -> None:
    from tlsalert.render.text import TextWriter

    out = io.StringIO()
    TextWriter(out, 100).write(opened(REFUSED))
    assert "ALERT fatal unknown_ca (48)" in out.getvalue()
