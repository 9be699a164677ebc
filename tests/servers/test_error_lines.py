"""What real clients print when a real server refuses them: the lines are understood, and the tables agree.

In CI the server is OpenSSL's; the long suite asks GnuTLS and Java too. Clients that are not installed are left out.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the extra lab")

from tests.servers.peers import OPENSSL, PEERS, Peer, running
from tests.servers.test_real_servers import people
from tlsalert.understanding.causes import rows
from tlsalert.understanding.kinds import Understood
from tlsalert.understanding.line import understand

CAUSES = {
    "early": "certificate_not_yet_valid",
    "expired": "certificate_expired",
    "stranger": "unknown_ca",
    "nothing": "no_client_certificate",
}
#: What each server answers up to TLS 1.2, and the family that it belongs to.
ANSWERS = {
    "openssl": ("openssl>=1.1.1", {"early": 42, "expired": 45, "stranger": 48, "nothing": 40}),
    "gnutls": ("gnutls-serv", {"early": 49, "expired": 49, "stranger": 49}),
    "java": ("java", {"early": 46, "expired": 46, "stranger": 46}),
}
SERVERS = [
    pytest.param(peer, id=peer.name, marks=() if peer is OPENSSL else pytest.mark.long)
    for peer in PEERS
    if peer.name in ANSWERS
]
Command = Callable[[int, Path | None], list[str]]


def _openssl(port: int, shown: Path | None) -> list[str]:
    own = ["-cert", str(shown), "-key", str(shown)] if shown else []
    return ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-state", *own]


def _curl(port: int, shown: Path | None) -> list[str]:
    own = ["--cert", str(shown)] if shown else []
    return ["curl", "-sSkv", "--max-time", "5", "--tls-max", "1.2", f"https://127.0.0.1:{port}/", *own]


def _gnutls(port: int, shown: Path | None) -> list[str]:
    own = [f"--x509certfile={shown}", f"--x509keyfile={shown}"] if shown else []
    return ["gnutls-cli", "--insecure", f"--port={port}", "127.0.0.1", "--priority=NORMAL:-VERS-TLS1.3", *own]


CLIENTS: dict[str, Command] = {"openssl": _openssl, "curl": _curl, "gnutls-cli": _gnutls}


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Peer, int, Path]]:
    peer: Peer = request.param
    if peer.path is None:
        pytest.skip(f"needs {peer.program} (Debian: {peer.package})")
    folder = tmp_path_factory.mktemp("refused")
    for name in ("early", "expired", "stranger"):
        (folder / f"{name}.pem").write_bytes(people()[name].to_pem())
    with running(peer, people()["server"], people()["root"].certificate, "1.2") as port:
        yield peer, port, folder


@pytest.mark.parametrize("program", CLIENTS)
@pytest.mark.parametrize("shown", CAUSES)
def test_the_client_says_what_it_received(server: tuple[Peer, int, Path], program: str, shown: str) -> None:
    peer, port, folder = server
    stack, answers = ANSWERS[peer.name]
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")
    if shown not in answers:
        pytest.skip("this server is known to differ there")
    if program == "gnutls-cli" and shown == "stranger":
        pytest.skip("gnutls-cli shows no certificate whose issuer the server does not name")
    command = CLIENTS[program](port, folder / f"{shown}.pem" if shown != "nothing" else None)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20)
    assert answers[shown] in received(done.stdout + done.stderr)
    assert (CAUSES[shown], stack) in {row[:2] for row in rows(answers[shown])}


def received(output: bytes) -> set[int]:
    """Return the fatal alerts that a program says to have received."""
    lines: list[Understood] = [
        one for line in output.decode("utf-8", "replace").splitlines() for one in understand(line)
    ]
    return {one.alert for one in lines if one.alert and one.certain and one.direction == "received"}
