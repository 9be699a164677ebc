"""strace on real programs: clients that show a certificate which is not valid yet, in whichever way strace writes.

The server is openssl's own, on loopback; what it sends is known from the clients that print it. Where strace is not
installed, or may trace nobody, these are skipped.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the extra lab")

from tests.servers.peers import OPENSSL, running
from tlsalert.capture import read
from tlsalert.lab.certificates import issued, self_signed
from tlsalert.model import Connection

DAY = timedelta(days=1)
PYTHON = """
import socket, ssl, sys, threading
port, cert = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.load_cert_chain(cert)
def talk():
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port))) as talk:
            talk.recv(1)
    except OSError as error:
        print(error)
one = threading.Thread(target=talk)
one.start()
one.join()
"""
#: With a memory BIO, and data over sendmsg and recvmsg_into: the program moves the bytes itself.
MEMORY = """
import socket, ssl, sys
port, cert = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.load_cert_chain(cert)
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
talk = context.wrap_bio(incoming, outgoing)
peer = socket.create_connection(("127.0.0.1", port))
while True:
    try:
        talk.do_handshake()
        break
    except ssl.SSLWantReadError:
        said = outgoing.read()
        if said:
            peer.sendmsg([said[:3], said[3:]])
        head, body = bytearray(5), bytearray(4096)
        many = peer.recvmsg_into([head, body])[0]
        incoming.write((head + body)[:many])
    except ssl.SSLError as error:
        print(error)
        break
"""
GNUTLS = (
    "gnutls-cli --insecure --priority NORMAL:-VERS-TLS1.3 --x509certfile @CERT --x509keyfile @CERT -p @PORT 127.0.0.1"
)
WGET = (
    "wget -qt1 --no-check-certificate --certificate=@CERT --private-key=@CERT -O- --secure-protocol=TLSv1_2 "
    "https://127.0.0.1:@PORT/"
)


@dataclass(frozen=True)
class Program:
    """A client: its name, and its command with the port and the file of its certificate and key."""

    name: str
    command: tuple[str, ...]

    def filled(self, port: int, cert: Path) -> list[str]:
        """Return the command."""
        return [part.replace("@PORT", str(port)).replace("@CERT", str(cert)) for part in self.command]


PROGRAMS = (
    Program(
        "openssl", ("openssl", "s_client", "-connect", "127.0.0.1:@PORT", "-cert", "@CERT", "-key", "@CERT", "-tls1_2")
    ),
    Program("curl", ("curl", "-sk", "--tls-max", "1.2", "--cert", "@CERT", "https://127.0.0.1:@PORT/")),
    Program("python", (sys.executable, "-c", PYTHON, "@PORT", "@CERT")),
    Program("memory", (sys.executable, "-c", MEMORY, "@PORT", "@CERT")),
    Program("gnutls-cli", tuple(GNUTLS.split())),
    Program("wget", tuple(WGET.split())),
)
MANNERS = (
    ("-f", "-tt", "-s", "65536"),
    ("-f", "-ttt", "-s", "65536", "-x", "-y"),
    ("-f", "-r", "-s", "65536", "-xx", "-yy"),
    ("-f", "-t", "-T", "-s", "65536", "-e", "trace=network,desc"),
    ("-f", "-s", "16", "-e", "read=all", "-e", "write=all"),
)


def _may_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _may_trace(), reason="strace is not installed (Debian: strace), or may not trace")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """Run openssl s_server that asks for a certificate; give its port, and a file with one that is not valid yet."""
    if OPENSSL.path is None:
        pytest.skip(f"{OPENSSL.program} is not installed (Debian: {OPENSSL.package})")
    now = datetime.now(UTC).replace(microsecond=0)
    root = self_signed("CN=Example Root", now - DAY, now + 400 * DAY, "p256")
    own = issued("CN=localhost", root, now - DAY, now + 400 * DAY, "p256", names=("localhost",))
    client = issued("CN=too early", root, now + 100 * DAY, now + 400 * DAY, "p256")
    file = tmp_path_factory.mktemp("client") / "client.pem"
    file.touch(0o600)
    file.write_bytes(client.to_pem())
    with running(OPENSSL, own, root.certificate, "1.2") as port:
        yield port, file


def traced(command: list[str], manner: tuple[str, ...], log: Path) -> list[Connection]:
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            ["strace", *manner, "-o", str(log), *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
    return list(read(log))


@pytest.mark.parametrize("manner", MANNERS, ids=" ".join)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_the_refusal_is_read_out_of_every_clients_trace(
    tmp_path: Path, server: tuple[int, Path], program: Program, manner: tuple[str, ...]
) -> None:
    if shutil.which(program.command[0]) is None:
        pytest.skip(f"{program.command[0]} is not installed")
    port, cert = server
    found = [
        one for one in traced(program.filled(port, cert), manner, tmp_path / "trace.log") if one.server is not None
    ]
    assert found
    refused = found[0]
    assert str(refused.server) == f"127.0.0.1:{port}"
    assert [(alert.sender, alert.code) for alert in refused.alerts][:1] == [("server", 42)]
    assert [one.subject for one in refused.certificates.client] == ["CN=too early"]
    assert refused.verdict is not None
    assert (refused.verdict.outcome, refused.verdict.refused_by) == ("failed", "server")
    assert refused.verdict.cause == "certificate_not_yet_valid"


def test_stunnel_is_followed_into_its_threads_and_its_files_are_one_trace(
    tmp_path: Path, server: tuple[int, Path]
) -> None:
    stunnel = shutil.which("stunnel4") or shutil.which("stunnel")
    if stunnel is None:
        pytest.skip("stunnel is not installed (Debian: stunnel4)")
    port, cert = server
    with socket.create_server(("127.0.0.1", 0)) as free:
        local = free.getsockname()[1]
    conf = tmp_path / "stunnel.conf"
    service = f"[device]\nclient = yes\naccept = 127.0.0.1:{local}\nconnect = 127.0.0.1:{port}\n"
    conf.write_text(f"foreground = yes\npid =\n{service}cert = {cert}\nsslVersionMax = TLSv1.2\n")
    tracer = subprocess.Popen(
        ["strace", "-ff", "-tt", "-s", "65536", "-o", str(tmp_path / "trace"), stunnel, str(conf)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _ask(local)
    finally:
        for child in Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split():
            subprocess.run(["kill", child], check=False)
        tracer.wait(20)
    first = min(tmp_path.glob("trace.*"), key=lambda path: int(path.suffix[1:]))
    capture = read(first)
    refused = [one for one in capture if one.server is not None and one.server.port == port]
    assert [(alert.sender, alert.code) for alert in refused[0].alerts][:1] == [("server", 42)]
    assert refused[0].verdict is not None
    assert refused[0].verdict.cause == "certificate_not_yet_valid"
    assert any("fits the certificate in" in note for note in capture.summary.notes)


def _ask(port: int) -> None:
    """Say something through stunnel, which connects for it then."""
    for _ in range(100):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as talk:
                talk.settimeout(10)
                talk.sendall(b"hello")
                talk.recv(1)
                return
        except ConnectionResetError:
            return
        except OSError:
            time.sleep(0.1)
