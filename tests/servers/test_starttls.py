"""TLS that begins inside another protocol, against real servers: named, read, and told where the server declines.

The client is ``openssl s_client -starttls``; what a server without a certificate is asked, it is asked in its words.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the extra lab")

from tests.servers.mailers import SERVERS, Server, listening
from tests.servers.peers import prepare
from tests.servers.tap import PATIENCE, Tap
from tests.wire.dialogues import LDAP, POSTGRESQL
from tlsalert.capture import read
from tlsalert.lab.certificates import issued, self_signed
from tlsalert.model import Connection

pytestmark = pytest.mark.long

#: What asks for TLS, by protocol, and where the server does not greet first.
ASKS = {
    "smtp": (b"EHLO probe\r\n", b"STARTTLS\r\n"),
    "imap": (b"a1 STARTTLS\r\n",),
    "pop3": (b"STLS\r\n",),
    "managesieve": (b"STARTTLS\r\n",),
    "ftp": (b"AUTH TLS\r\n",),
    "ldap": (LDAP,),
    "postgresql": (POSTGRESQL,),
}
SILENT = ("ldap", "postgresql")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("starttls")
    now = datetime.now(UTC).replace(microsecond=0)
    span = now - timedelta(days=400), now + timedelta(days=400)
    root = self_signed("CN=Example Root,O=Example Works", *span, "p256")
    prepare(made, issued("CN=localhost", root, *span, "p256", names=("localhost",)), root.certificate)
    return made


@contextlib.contextmanager
def started(server: Server, folder: Path, secure: bool) -> Iterator[int]:
    if server.path is None:
        pytest.skip(f"needs {server.program} (Debian: {server.package})")
    if server.rooted and os.geteuid() != 0:
        pytest.skip(f"{server.program} runs only as root")
    try:
        with listening(server, folder, secure) as port:
            yield port
    except RuntimeError as error:
        if "Unknown protocol" in str(error) or "not found" in str(error):
            pytest.skip(f"needs {server.package}: {error}")
        raise


def connected(port: int, folder: Path, server: Server, *trust: str) -> Connection:
    """Return what is read of openssl s_client's way to TLS."""
    with Tap(port) as tap:
        host, at = tap.address
        command = ["openssl", "s_client", "-connect", f"{host}:{at}", "-starttls", server.openssl, "-tls1_2", *trust]
        subprocess.run(command, input=b"", timeout=2 * PATIENCE, capture_output=True, check=False, cwd=folder)
        return told(tap, folder)


def told(tap: Tap, folder: Path) -> Connection:
    path = folder / "told.pcap"
    path.write_bytes(tap.capture())
    (connection,) = read(path)
    return connection


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.protocol)
def test_tls_inside_a_real_servers_protocol_is_read(server: Server, folder: Path) -> None:
    with started(server, folder, secure=True) as port:
        connection = connected(port, folder, server, "-CAfile", "ca.pem", "-verify_return_error")
    assert connection.protocol == server.protocol
    assert [message.message for message in connection.messages[:2]] == ["client_hello", "server_hello"]
    assert connection.preamble is not None
    assert connection.preamble.asked is not None
    assert connection.verdict is not None
    assert connection.verdict.outcome == "established"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.protocol)
def test_a_client_that_does_not_trust_a_real_server_is_told(server: Server, folder: Path) -> None:
    with started(server, folder, secure=True) as port:
        connection = connected(port, folder, server, "-no-CAfile", "-no-CApath", "-verify_return_error")
    verdict = connection.verdict
    assert verdict is not None
    assert (verdict.outcome, verdict.refused_by, verdict.cause) == ("failed", "client", "unknown_ca")
    assert connection.protocol == server.protocol


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.protocol)
def test_a_real_server_without_a_certificate_declines(server: Server, folder: Path) -> None:
    with started(server, folder, secure=False) as port, Tap(port) as tap:
        with socket.create_connection(tap.address, PATIENCE) as plain:
            if server.protocol not in SILENT:
                plain.recv(1000)
            for command in ASKS[server.protocol]:
                plain.sendall(command)
                answer = plain.recv(1000)
        connection = told(tap, folder)
    verdict = connection.verdict
    assert verdict is not None
    assert (verdict.outcome, verdict.refused_by, verdict.cause) == ("failed", "server", "starttls_refused")
    assert connection.protocol == server.protocol
    assert connection.preamble is not None
    said = connection.preamble.refusal
    assert said is not None
    if server.protocol != "ldap":  # whose result is a number, told by its name
        assert said in answer.decode()
