"""Decryption end to end on handshakes of real peers: resumed, cut short, with each option of the record layer.

The peers are OpenSSL's in memory; what they said is written as a capture and read as a user reads it.
"""

from __future__ import annotations

import json
import ssl
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.secrets import captured
from tests.secrets.peers import NO_ENCRYPT_THEN_MAC, NO_EXTENDED_MASTER_SECRET, VERSIONS, Peers, Talk, identity
from tlsalert.capture import Reader, read
from tlsalert.model import Connection
from tlsalert.secrets.opening import open_with


def names(connection: Connection) -> list[str]:
    return [message.message for message in connection.messages if message.message != "change_cipher_spec"]


def log(folder: Path, text: bytes, name: str = "client.keys") -> Path:
    path = folder / name
    path.write_bytes(text)
    return path


def assert_all_is_read(connection: Connection) -> None:
    assert connection.notes == ()
    assert [one.message for one in connection.messages if one.encrypted and not one.decrypted] == []
    assert names(connection).count("finished") == 2
    assert {(one.sender, one.code, one.decrypted) for one in connection.alerts} >= {("client", 0, True)}


def spoken(version: str, **fields: object) -> list[Talk]:
    """Talk, and once more in the session of the first time."""
    peers = Peers(version, **fields)  # type: ignore[arg-type]
    try:
        first = peers.talk()
        second = peers.talk(resume=first)
    finally:
        peers.close()
    assert second.resumed
    return [first, second]


# --- resumption -----------------------------------------------------------------------------------------------------

OLD = [version for version in VERSIONS if version != "TLS 1.3"]
NAMED = pytest.mark.parametrize("tickets", [True, False], ids=["ticket", "session ID"])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_session_is_read_with_the_key_log(tmp_path: Path, version: str) -> None:
    talks = spoken(version, ciphers="ALL")
    pcap = captured.write(tmp_path / "twice.pcap", *talks)
    first, second = read(pcap, keylog=log(tmp_path, talks[-1].keylog))
    assert (first.resumed, second.resumed) == (False, True)
    for connection in (first, second):
        assert_all_is_read(connection)


@NAMED
@pytest.mark.parametrize("version", OLD)
def test_the_rsa_key_opens_a_session_that_is_resumed_in_the_same_capture(
    tmp_path: Path, version: str, tickets: bool
) -> None:
    """RFC 5246 §7.3, RFC 5077: it goes on with the master secret of the first time."""
    talks = spoken(version, ciphers="AES128-SHA", options=0 if tickets else int(ssl.OP_NO_TICKET))
    pcap = captured.write(tmp_path / "twice.pcap", *talks)
    key = log(tmp_path, identity("rsa").to_pem(), "server.key")
    for connection in read(pcap, rsa_key=key):
        assert_all_is_read(connection)


@NAMED
def test_the_log_of_the_first_opens_the_session_that_is_resumed(tmp_path: Path, tickets: bool) -> None:
    talks = spoken("TLS 1.2", ciphers="ECDHE+AESGCM", options=0 if tickets else int(ssl.OP_NO_TICKET))
    pcap = captured.write(tmp_path / "twice.pcap", *talks)
    for connection in read(pcap, keylog=log(tmp_path, talks[0].keylog)):
        assert_all_is_read(connection)


def test_a_session_whose_first_handshake_is_elsewhere_is_told_so(tmp_path: Path) -> None:
    _, second = spoken("TLS 1.2", ciphers="AES128-SHA")
    pcap = captured.write(tmp_path / "second.pcap", second)
    (connection,) = read(pcap, rsa_key=log(tmp_path, identity("rsa").to_pem(), "server.key"))
    assert not any(one.decrypted for one in connection.messages)
    assert any(note.endswith("and the session it resumes was not captured") for note in connection.notes)


# --- options --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-RSA-AES256-SHA"])
@pytest.mark.parametrize(
    "options",
    [0, NO_EXTENDED_MASTER_SECRET, NO_ENCRYPT_THEN_MAC, NO_EXTENDED_MASTER_SECRET | NO_ENCRYPT_THEN_MAC],
    ids=["both", "no extended master secret", "no encrypt-then-MAC", "neither"],
)
def test_each_option_is_followed(tmp_path: Path, version: str, cipher: str, options: int) -> None:
    """RFC 7627, RFC 7366. The private key has to derive what the key log has."""
    peers = Peers(version, cipher, options=options, client_certificate=True)
    talk = peers.talk()
    peers.close()
    pcap = captured.write(tmp_path / "talk.pcap", talk)
    (connection,) = read(pcap, keylog=log(tmp_path, talk.keylog))
    assert connection.client_hello is not None
    assert_all_is_read(connection)
    if cipher == "AES128-SHA":
        (connection,) = read(pcap, rsa_key=log(tmp_path, identity("rsa").to_pem(), "server.key"))
        assert_all_is_read(connection)


# --- application data -----------------------------------------------------------------------------------------------


def run(*arguments: str | Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tlsalert", "read", "--format", "jsonl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("version", VERSIONS)
def test_application_data_is_opened_where_all_is_asked_for(tmp_path: Path, version: str) -> None:
    """Without it the beginning alone, which may be an HTTP answer that refuses."""
    talk = long_talk(version)
    pcap, keys = captured.write(tmp_path / "talk.pcap", talk), log(tmp_path, talk.keylog)
    for everything in (False, True):
        (connection,) = Reader(pcap, secrets=open_with([keys], everything=everything))
        assert all(record.decrypted for record in connection.encrypted_records) == everything
        assert connection.application_records[1] >= 30
        assert connection.inside[0] == b"question"
        assert connection.inside[1].startswith(b"answer" * 100)


@cache
def long_talk(version: str) -> Talk:
    peers = Peers(version, ciphers="ALL" if version == "TLS 1.3" else "ECDHE-RSA-AES128-SHA")
    talk = peers.talk(answers=30)
    peers.close()
    return talk


# --- captures that were cut -----------------------------------------------------------------------------------------


def packets(data: bytes) -> list[tuple[bytes, bytes]]:
    """Take a pcap apart: each packet's header and bytes."""
    found, at = [], 24
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        found.append((data[at : at + 16], data[at + 16 : at + 16 + size]))
        at += 16 + size
    return found


def cut(pcap: Path, size: int) -> Path:
    """Write a pcap again as if it had been recorded with ``size`` bytes of each packet."""
    data = pcap.read_bytes()
    made = [head[:8] + struct.pack("<I", len(kept[:size])) + head[12:] + kept[:size] for head, kept in packets(data)]
    path = pcap.with_name("cut.pcap")
    path.write_bytes(data[:24] + b"".join(made))
    return path


@cache
def whole(version: str) -> Talk:
    peers = Peers(version, client_certificate=True, ciphers="ALL" if version == "TLS 1.3" else "ECDHE-RSA-AES128-SHA")
    talk = peers.talk()
    peers.close()
    return talk


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(version=st.sampled_from([*VERSIONS]), size=st.integers(54, 1600))
def test_what_was_cut_is_told_and_what_is_read_is_right(tmp_path: Path, version: str, size: int) -> None:
    """A record that is not whole does not authenticate, whatever its beginning decrypts to."""
    talk = whole(version)
    pcap = captured.write(tmp_path / "whole.pcap", talk)
    keys = log(tmp_path, talk.keylog)
    (right,), reader = read(pcap, keylog=keys), Reader(cut(pcap, size), secrets=open_with([keys]))
    told = list(reader)
    assert len(told) <= 1
    true = {(one.sender, one.message, one.length) for one in right.messages}
    for connection in told:
        said = {(one.sender, one.message, one.length) for one in connection.messages if one.decrypted}
        assert said <= true
        assert {one.code for one in connection.alerts if one.decrypted} <= {0}
        assert right.inside[0].startswith(connection.inside[0])
        assert right.inside[1].startswith(connection.inside[1])
    if size < max(len(packet) for _, packet in packets(pcap.read_bytes())):
        assert any("cut short when they were recorded" in note for note in reader.summary.notes)


# --- wrong and missing secrets --------------------------------------------------------------------------------------


def wrong(keylog: bytes) -> bytes:
    """Return a key log with each secret changed in one bit."""
    lines = (line.split() for line in keylog.splitlines() if not line.startswith(b"#"))
    return b"".join(b"%s %s %s%x\n" % (a, b, c[:-1], int(c[-1:], 16) ^ 1) for a, b, c in lines)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_secret_is_told_by_the_record_that_does_not_open(tmp_path: Path, version: str) -> None:
    talk = whole(version)
    pcap = captured.write(tmp_path / "talk.pcap", talk)
    (connection,) = read(pcap, keylog=log(tmp_path, wrong(talk.keylog)))
    assert not any(one.decrypted for one in connection.messages)
    assert not any(one.decrypted for one in connection.alerts)
    notes = [note for note in connection.notes if "secret found, record 0 of the " in note]
    assert {note.partition(" of the ")[2] for note in notes} >= {
        f"{side} does not authenticate" for side in ("client", "server")
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_missing_secret_is_told_for_this_client_random(tmp_path: Path, version: str) -> None:
    pcap = captured.write(tmp_path / "talk.pcap", whole(version))
    (connection,) = read(pcap, keylog=log(tmp_path, long_talk(version).keylog))
    assert not any(one.decrypted for one in connection.messages)
    assert not any(one.decrypted for one in connection.alerts)
    assert "the key log has no secret for this client random" in connection.notes


@pytest.mark.parametrize("version", VERSIONS)
def test_the_command_line_says_the_same(tmp_path: Path, version: str) -> None:
    pcap = captured.write(tmp_path / "talk.pcap", whole(version))
    (told,) = run("--keylog", log(tmp_path, wrong(whole(version).keylog)), pcap)
    assert any("does not authenticate" in note for note in told["notes"])
