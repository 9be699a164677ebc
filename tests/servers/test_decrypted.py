"""Every message and alert of real peers is decrypted with the key log of one of them, whatever suite they agree on.

In CI that is OpenSSL's server with one suite of each kind; the long suite asks all that are installed, with every suite
that the client has. Java cannot write a key log itself; here the client's is enough.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the extra lab")

from tests.servers.peers import OPENSSL, PEERS, Peer, Version
from tests.servers.tap import PATIENCE, Tap
from tests.servers.test_real_servers import REQUEST, Running, folder, named, people, servers
from tlsalert.capture import read
from tlsalert.model import Connection

__all__ = ["folder", "servers"]  # the fixtures

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
#: One of each kind of protection that TLS 1.2 has left.
SOME = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES256-CCM8",
    "ECDHE-ECDSA-AES128-SHA256",
)


def suites() -> list[str]:
    """Return the suites of TLS 1.2 that the client has for the servers' ECDSA certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ECDHE+aECDSA:@SECLEVEL=0")
    return [cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] != "TLSv1.3"]


def each() -> list[object]:
    return list(_each())


def _each() -> Iterator[object]:
    for peer in PEERS:
        for version, names in (("1.3", ["any"]), ("1.2", suites())):
            for name in names:
                short = peer is OPENSSL and (version == "1.3" or name in SOME)
                marks = () if short else (pytest.mark.long,)
                yield pytest.param(peer, version, name, id=f"{peer.name} TLS {version} {name}", marks=marks)


def asked(port: int, shown: str, version: Version, suite: str, folder: Path) -> tuple[Connection, str | None]:
    """Shake hands with one suite, ask for a page; return what is read with the key log, and OpenSSL's complaint."""
    keys, pem, path = folder / "asked.keys", folder / f"{shown}.pem", folder / "asked.pcap"
    keys.unlink(missing_ok=True)
    pem.touch(0o600)
    pem.write_bytes(people()[shown].to_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = VERSIONS[version]
    if version == "1.2":
        context.set_ciphers(f"{suite}:@SECLEVEL=0")
    context.load_cert_chain(pem)
    context.keylog_filename = str(keys)
    complaint = None
    with Tap(port) as tap:
        try:
            with (
                socket.create_connection(tap.address, PATIENCE) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as wrapped,
            ):
                wrapped.sendall(REQUEST)
                wrapped.recv(1000)
        except ssl.SSLError as error:
            complaint = error.reason
        except OSError:
            complaint = "it was closed"
        path.write_bytes(tap.capture())
    (connection,) = read(path, keylog=keys)
    return connection, complaint


def assert_all_is_read(connection: Connection) -> None:
    assert [note for note in connection.notes if "secret" in note or "authenticate" in note] == []
    assert [one.message for one in connection.messages if one.encrypted and not one.decrypted] == []
    assert "encrypted_handshake" not in [one.message for one in connection.messages]
    assert [one for one in connection.alerts if one.code is None] == []


@pytest.mark.parametrize(("peer", "version", "suite"), each())
def test_all_that_was_said_is_read(servers: Running, peer: Peer, version: Version, suite: str, folder: Path) -> None:
    connection, complaint = asked(servers(peer, version), "right", version, suite, folder)
    if connection.server_hello is None:
        pytest.skip(f"{peer.name} does not have {suite}: {complaint}")
    assert complaint is None
    assert_all_is_read(connection)
    assert {one.sender for one in connection.messages if one.message == "finished"} == {"client", "server"}
    assert connection.verdict is not None
    assert connection.verdict.outcome == "established"


@pytest.mark.parametrize(("peer", "version", "suite"), each())
def test_a_refusal_is_read(servers: Running, peer: Peer, version: Version, suite: str, folder: Path) -> None:
    connection, complaint = asked(servers(peer, version), "stranger", version, suite, folder)
    if connection.server_hello is None:
        pytest.skip(f"{peer.name} does not have {suite}: {complaint}")
    assert_all_is_read(connection)
    received = named(complaint)
    if received is not None:
        assert received in [alert.code for alert in connection.alerts if alert.sender == "server"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_gnutls_as_the_client_is_read_by_its_own_key_log(servers: Running, version: Version, folder: Path) -> None:
    program = shutil.which("gnutls-cli")
    if program is None:
        pytest.skip("needs gnutls-cli (Debian: gnutls-bin)")
    keys, pem, path = folder / "gnutls.keys", folder / "right.pem", folder / "gnutls.pcap"
    keys.unlink(missing_ok=True)
    pem.touch(0o600)
    pem.write_bytes(people()["right"].to_pem())
    with Tap(servers(OPENSSL, version)) as tap:
        words = [program, "--insecure", "-p", str(tap.address[1]), "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}"]
        words += ["--x509certfile", str(pem), "--x509keyfile", str(pem), "127.0.0.1"]
        environment = os.environ | {"SSLKEYLOGFILE": str(keys)}
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(words, input=REQUEST, env=environment, capture_output=True, timeout=PATIENCE, check=False)
        path.write_bytes(tap.capture())
    (connection,) = read(path, keylog=keys)
    assert_all_is_read(connection)
    assert {one.sender for one in connection.messages if one.message == "finished"} == {"client", "server"}
