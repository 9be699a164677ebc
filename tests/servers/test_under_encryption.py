"""What OpenSSL and GnuTLS do once they are under encryption is read: early data, PSKs, updates, later requests.

The secrets are the client's key log, or the PSK alone. What the programs lack skips with the reason.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the extra lab")

from tests.secrets.peers import identity
from tests.servers.peers import prepare
from tests.servers.programs import ANSWER, QUESTION, Program, found, running, s_client, s_server, serving, until
from tests.servers.tap import PATIENCE, Tap
from tests.servers.test_decrypted import assert_all_is_read
from tests.servers.test_real_servers import people
from tlsalert.capture import Reader
from tlsalert.model import Connection
from tlsalert.secrets.keylog import KeyLog
from tlsalert.secrets.opening import open_with

PSK = "0123456789abcdef0123456789abcdef"
CERTIFICATE = ("-cert", "cert.pem", "-key", "key.pem")
EARLY = b"GET /early HTTP/1.0\r\n\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepare(tmp_path, people()["server"], people()["root"].certificate)
    for name in ("right", "stranger"):
        path = tmp_path / f"{name}.pem"
        path.touch(0o600)
        path.write_bytes(people()[name].to_pem())
    return tmp_path


def told(pcap: Path, *keylogs: Path, psk: str | None = None, everything: bool = False) -> Connection:
    psks = [] if psk is None else [bytes.fromhex(psk)]
    (connection,) = Reader(pcap, secrets=open_with(keylogs, psks=psks, everything=everything))
    return connection


def names(connection: Connection, sender: str | None = None) -> list[str]:
    said = [one for one in connection.messages if sender in (None, one.sender)]
    return [one.message for one in said if one.message != "change_cipher_spec"]


# --- early data -----------------------------------------------------------------------------------------------------


@pytest.fixture
def early(folder: Path) -> Callable[..., Path]:
    """A function that resumes a session with early data, which the server takes or not; it returns the capture.

    Who does not take it is another server, with options of its own.
    """

    def talk(taken: bool, *options: str) -> Path:
        (folder / "early.txt").write_bytes(EARLY)
        with s_server(folder, *CERTIFICATE, "-tls1_3", "-early_data") as (server, port):
            s_client(server, port, folder, "-tls1_3", "-sess_out", "session.pem")
            (folder / "client.keys").unlink()
            if taken:
                return s_client(server, port, folder, "-sess_in", "session.pem", "-early_data", "early.txt")
        with s_server(folder, *CERTIFICATE, "-tls1_3", *options) as (server, port):
            return s_client(server, port, folder, "-sess_in", "session.pem", "-early_data", "early.txt")

    return talk


def test_early_data_is_read(early: Callable[..., Path], folder: Path) -> None:
    """RFC 8446 §2.3: it comes with the ClientHello, before the server has said a word."""
    connection = told(early(True), folder / "client.keys")
    assert_all_is_read(connection)
    assert connection.inside[0].startswith(EARLY)
    assert names(connection, "client")[:3] == ["client_hello", "end_of_early_data", "finished"]
    assert connection.resumed
    assert connection.verdict is not None
    assert connection.verdict.outcome == "established"


def test_early_data_needs_its_own_secret_alone(early: Callable[..., Path], folder: Path) -> None:
    pcap = early(True)
    lines = (folder / "client.keys").read_text().splitlines(keepends=True)
    alone = folder / "alone.keys"
    alone.write_text("".join(line for line in lines if line.startswith("CLIENT_EARLY_TRAFFIC_SECRET ")))
    connection = told(pcap, alone)
    assert connection.inside == (EARLY, b"")
    assert any("but not SERVER_HANDSHAKE_TRAFFIC_SECRET" in note for note in connection.notes)


@pytest.mark.parametrize(
    "options", [(), ("-groups", "P-521")], ids=["full handshake", "after a request for another hello"]
)
def test_early_data_that_the_server_passes_over_is_read_too(
    early: Callable[..., Path], folder: Path, options: tuple[str, ...]
) -> None:
    """RFC 8446 §4.2.10: it goes on with the handshake as if the early data had not been there."""
    connection = told(early(False, *options), folder / "client.keys")
    assert_all_is_read(connection)
    assert connection.inside[0].startswith(EARLY)
    assert "end_of_early_data" not in names(connection)
    assert names(connection).count("finished") == 2
    assert connection.verdict is not None
    assert connection.verdict.outcome == "established"


# --- pre-shared keys ------------------------------------------------------------------------------------------------

KINDS = (
    "PSK-AES128-GCM-SHA256",
    "PSK-AES256-CCM8",
    "PSK-CHACHA20-POLY1305",
    "PSK-AES128-CBC-SHA256",
    "PSK-AES256-CBC-SHA",
)


def suites() -> list[object]:
    """Return OpenSSL's suites that a PSK alone opens, in short one of each kind; under NULL is nothing to open."""
    try:
        words = ["openssl", "ciphers", "-s", "-tls1_2", "-psk", "kPSK:@SECLEVEL=0"]
        told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    except OSError:
        told = ""
    every = [name for name in told.strip().split(":") if name.startswith("PSK-") and "NULL" not in name]
    return [pytest.param(name, marks=() if name in KINDS else (pytest.mark.long,)) for name in every or KINDS]


@pytest.mark.parametrize("suite", suites())
def test_a_psk_opens_tls12_and_is_written_as_a_key_log(folder: Path, suite: str) -> None:
    """RFC 4279 §2. What was derived is what the client itself logged, and opens the capture as well."""
    given = ("-psk", PSK, "-cipher", f"{suite}:@SECLEVEL=0")
    with s_server(folder, "-nocert", "-tls1_2", *given) as (server, port):
        pcap = s_client(server, port, folder, "-tls1_2", *given)
    derived = folder / "derived.keys"
    words = [sys.executable, "-m", "tlsalert", "read", "--psk", PSK, "--write-keylog", str(derived), str(pcap)]
    subprocess.run(words, capture_output=True, check=True)
    client = KeyLog()
    client.follow(folder / "client.keys")
    written = KeyLog()
    written.follow(derived)
    assert [*written.entries()] == [one for one in client.entries() if one[0] == "CLIENT_RANDOM"] != []
    for connection in (told(pcap, psk=PSK), told(pcap, derived)):
        assert_all_is_read(connection)
        assert names(connection).count("finished") == 2
        assert {alert.code for alert in connection.alerts} == {0}


def test_another_psk_is_told_as_another(folder: Path) -> None:
    given = ("-psk", PSK, "-cipher", "PSK-AES128-GCM-SHA256")
    with s_server(folder, "-nocert", "-tls1_2", *given) as (server, port):
        pcap = s_client(server, port, folder, "-tls1_2", *given)
    connection = told(pcap, psk="ff" * 16)
    assert not any(message.decrypted for message in connection.messages)
    assert [note for note in connection.notes if "does not authenticate" in note]


def test_a_psk_and_the_servers_rsa_key_open_what_needs_both(folder: Path) -> None:
    """RFC 4279 §4."""
    key = folder / "rsa.pem"
    key.touch(0o600)
    key.write_bytes(identity("rsa").to_pem())
    given = ("-psk", PSK, "-cipher", "RSA-PSK-AES128-GCM-SHA256:@SECLEVEL=0")
    with s_server(folder, "-cert", "rsa.pem", "-tls1_2", *given) as (server, port):
        pcap = s_client(server, port, folder, "-tls1_2", *given)
    (connection,) = Reader(pcap, secrets=open_with((), [key], psks=[bytes.fromhex(PSK)]))
    assert_all_is_read(connection)
    assert names(connection).count("finished") == 2
    for rsa_keys, psks in (([key], []), ([], [bytes.fromhex(PSK)])):
        (connection,) = Reader(pcap, secrets=open_with((), rsa_keys, psks=psks))
        assert not any(message.decrypted for message in connection.messages)
        assert any("there is no secret for this client random" in note for note in connection.notes)


def test_a_psk_with_diffie_hellman_is_told_not_to_be_enough(folder: Path) -> None:
    given = ("-psk", PSK, "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256")
    with s_server(folder, "-nocert", *given) as (server, port):
        pcap = s_client(server, port, folder, *given)
    connection = told(pcap, psk=PSK)
    assert not any(message.decrypted for message in connection.messages)
    assert any("a PSK does not open a key exchange that adds Diffie-Hellman to it" in one for one in connection.notes)
    assert_all_is_read(told(pcap, folder / "client.keys"))


def test_a_psk_opens_tls13_that_uses_it_alone(folder: Path) -> None:
    """RFC 8446 §4.2.9, psk_ke: GnuTLS does so where it is told to."""
    server_program, client_program = found("gnutls-serv", "gnutls-bin"), found("gnutls-cli", "gnutls-bin")
    (folder / "psk.txt").write_text(f"me:{PSK}\n")
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+PSK"

    def words(port: int) -> list[str]:
        return [server_program, f"--port={port}", "--pskpasswd=psk.txt", f"--priority={priority}", "--echo"]

    with serving(folder, words) as (_, port), Tap(port) as tap:
        asks = [client_program, "-p", str(tap.address[1]), "--pskusername=me", f"--pskkey={PSK}"]
        asks += [f"--priority={priority}", "127.0.0.1"]
        with running(asks, folder, "client", os.environ | {"SSLKEYLOGFILE": "client.keys"}) as client:
            client.say(QUESTION)
            assert client.wait_for(QUESTION), client.printed
            assert client.process.stdin is not None
            client.process.stdin.close()
            client.process.wait(PATIENCE)
            client.process.stdin = None
        pcap = folder / "talk.pcap"
        pcap.write_bytes(tap.capture())
    derived = folder / "derived.keys"
    command = [sys.executable, "-m", "tlsalert", "read", "--psk", PSK, "--write-keylog", str(derived), str(pcap)]
    subprocess.run(command, capture_output=True, check=True)
    for connection in (told(pcap, psk=PSK), told(pcap, derived), told(pcap, folder / "client.keys")):
        assert_all_is_read(connection)
        assert names(connection).count("finished") == 2
        assert connection.inside[0] == QUESTION.encode()


# --- what is asked for later ----------------------------------------------------------------------------------------


def talk(folder: Path, version: ssl.TLSVersion, shown: str, server: Program, port: int, command: str) -> Path:
    """Talk to s_server by Python's client, which shows a certificate; ``command`` is typed to the server in between."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.post_handshake_auth = version == ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(folder / f"{shown}.pem")
    context.keylog_filename = str(folder / "client.keys")
    with Tap(port) as tap:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(tap.address, PATIENCE) as plain,
            context.wrap_socket(plain) as wrapped,
        ):
            wrapped.sendall(QUESTION.encode())
            assert server.wait_for(QUESTION)
            sent = tap.sent("server")
            server.say(command + "\n")
            assert until(lambda: tap.sent("server") > sent)  # of what is typed together the rest is lost
            server.say(ANSWER)
            wrapped.recv(1000)
            if shown != "right":
                wrapped.recv(1000)  # the alert, if it has not come before
            wrapped.sendall(QUESTION.encode())
            assert server.wait_for(QUESTION, 2)
            server.say(ANSWER)
            wrapped.recv(1000)
            wrapped.unwrap()
        server.process.terminate()  # after a refusal it would not close
        pcap = folder / "talk.pcap"
        pcap.write_bytes(tap.capture())
    return pcap


@pytest.mark.parametrize("command", ["K", "k"], ids=["both sides", "the server alone"])
def test_what_comes_after_a_key_update_is_read(folder: Path, command: str) -> None:
    """RFC 8446 §4.6.3: K asks the client to update its keys too."""
    with s_server(folder, *CERTIFICATE, "-tls1_3") as (server, port):
        pcap = talk(folder, ssl.TLSVersion.TLSv1_3, "right", server, port, command)
    connection = told(pcap, folder / "client.keys", everything=True)
    assert_all_is_read(connection)
    assert ("key_update" in names(connection, "server"), "key_update" in names(connection, "client")) == (
        True, command == "K")  # fmt: skip
    assert connection.inside == (2 * QUESTION.encode(), 2 * ANSWER.encode())
    assert {(alert.sender, alert.code) for alert in connection.alerts} >= {("client", 0)}


#: A renegotiation that resumed the session would ask for nothing.
ASKS = ("-CAfile", "ca.pem", "-verify_return_error", "-no_resumption_on_reneg")
LATER = [
    pytest.param(ssl.TLSVersion.TLSv1_3, "c", id="TLS 1.3, after the handshake"),
    pytest.param(ssl.TLSVersion.TLSv1_2, "R", id="TLS 1.2, renegotiation"),
]


@pytest.mark.parametrize(("version", "command"), LATER)
def test_a_certificate_that_is_asked_for_later_is_read(folder: Path, version: ssl.TLSVersion, command: str) -> None:
    """RFC 8446 §4.6.2, and RFC 5246 §7.4.1.1: so IIS asks."""
    with s_server(folder, *CERTIFICATE, *ASKS) as (server, port):
        pcap = talk(folder, version, "right", server, port, command)
    connection = told(pcap, folder / "client.keys", everything=True)
    assert_all_is_read(connection)
    (certificate,) = connection.certificates.client
    assert certificate.subject == "CN=probe"
    assert connection.certificate_request is not None
    assert connection.inside == (2 * QUESTION.encode(), 2 * ANSWER.encode())
    assert connection.verdict is not None
    assert connection.verdict.outcome == "established"


@pytest.mark.parametrize(("version", "command"), LATER)
def test_a_certificate_that_is_refused_later_is_told(folder: Path, version: ssl.TLSVersion, command: str) -> None:
    with s_server(folder, *CERTIFICATE, *ASKS) as (server, port):
        pcap = talk(folder, version, "stranger", server, port, command)
    connection = told(pcap, folder / "client.keys")
    assert_all_is_read(connection)
    assert [(one.sender, one.code, one.decrypted) for one in connection.alerts if one.fatal] == [("server", 48, True)]
    assert connection.verdict is not None
    assert (connection.verdict.refused_by, connection.verdict.cause) == ("server", "unknown_ca")
