"""Real servers refuse real clients, and their own logs are read: each refusal with its cause, at each level."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the extra lab")

from cryptography.hazmat.primitives.serialization import Encoding

from tests.servers.tap import PATIENCE
from tests.servers.test_real_servers import SHOWN, ask, people
from tlsalert.capture import read
from tlsalert.model import Connection

SHOWABLE = [shown.name for shown in SHOWN]
CAUSES = {shown.name: shown.cause for shown in SHOWN}


@dataclass(frozen=True)
class Logger:
    """A server that keeps a log: its program, how it is set up, and from which level on it says why."""

    program: str
    setup: Callable[[Path, int, str, Path], Sequence[str]]
    levels: tuple[str, ...]

    @property
    def path(self) -> str | None:
        return shutil.which(self.program) or shutil.which(self.program, path="/usr/sbin:/sbin")


def _stunnel(folder: Path, port: int, level: str, log: Path) -> Sequence[str]:
    (folder / "stunnel.conf").write_text(
        f"foreground = yes\npid =\noutput = {log}\ndebug = {level}\n"
        f"[a]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:9\n"
        f"cert = {folder}/server.pem\nCAfile = {folder}/root.pem\nverify = 2\n"
    )
    return [str(folder / "stunnel.conf")]


def _nginx(folder: Path, port: int, level: str, log: Path) -> Sequence[str]:
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {log} {level}; events {{}} http {{ access_log off; "
        + "".join(f"{kind}_temp_path {folder}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/server.pem; "
        f"ssl_certificate_key {folder}/server.pem; ssl_protocols TLSv1.2 TLSv1.3; "
        f"ssl_client_certificate {folder}/root.pem; ssl_verify_client on; "
        "location / { return 200; } } }"
    )
    return ["-c", str(folder / "nginx.conf"), "-e", str(log)]


def _haproxy(folder: Path, port: int, level: str, log: Path) -> Sequence[str]:
    """Write syslog's lines to standard output; without a format of its own HAProxy does not say why it refused."""
    (folder / "haproxy.cfg").write_text(
        "global\n log stdout format rfc3164 local0 debug\ndefaults\n mode http\n log global\n option httplog\n"
        " timeout client 5s\n timeout server 5s\n timeout connect 1s\nfrontend a\n"
        f" bind 127.0.0.1:{port} ssl crt {folder}/server.pem ca-file {folder}/root.pem verify required\n"
        ' error-log-format "%ci:%cp [%tr] %ft %[ssl_fc_err,hex] %[ssl_fc_err_str] %[ssl_c_err] %[ssl_c_ca_err]"\n'
        " http-request return status 200\n"
    )
    return ["-db", "-f", str(folder / "haproxy.cfg")]


LOGGERS = (
    Logger("stunnel", _stunnel, ("4", "5", "7")),
    Logger("nginx", _nginx, ("info", "debug")),
    Logger("haproxy", _haproxy, ("errors",)),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The server's certificate with its key, and the authority that it trusts."""
    (tmp_path / "server.pem").touch(0o600)
    (tmp_path / "server.pem").write_bytes(people()["server"].to_pem())
    (tmp_path / "root.pem").write_bytes(people()["root"].certificate.public_bytes(Encoding.PEM))
    return tmp_path


@contextlib.contextmanager
def serving(command: Sequence[str], port: int, said: Path) -> Iterator[None]:
    """Run a server until the block ends; ``said`` gets what it writes to its standard output."""
    with said.open("ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        else:
            pytest.skip("the server did not start")
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def each() -> list[object]:
    return [
        pytest.param(
            logger, level, marks=() if level == logger.levels[0] else pytest.mark.long, id=f"{logger.program}-{level}"
        )
        for logger in LOGGERS
        for level in logger.levels
    ]


def refusals(path: Path) -> list[Connection]:
    """Return the connections of a log, without the attempt that found the server ready."""
    return [one for one in read(path) if one.verdict is not None and one.verdict.refused_by != "client"]


@pytest.mark.parametrize(("logger", "level"), each())
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_servers_log_tells_each_refusal(logger: Logger, level: str, version: str, folder: Path) -> None:
    if logger.path is None:
        pytest.skip(f"needs {logger.program}")
    log, port = folder / "server.log", free_port()
    with serving([logger.path, *logger.setup(folder, port, level, log)], port, log):
        for name in SHOWABLE:
            ask(("127.0.0.1", port), name, version, folder)  # type: ignore[arg-type]
        time.sleep(0.2)
    found = [one.verdict.cause for one in refusals(log) if one.verdict is not None and one.verdict.outcome == "failed"]
    assert found == [CAUSES[name] for name in SHOWABLE if CAUSES[name] is not None]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_stunnels_log_as_a_client_tells_the_alert(version: str, folder: Path) -> None:
    """The server is Python's, and its alert is what the client's log has to name."""
    program = shutil.which("stunnel")
    if program is None:
        pytest.skip("needs stunnel")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[
        version
    ]
    context.load_cert_chain(folder / "server.pem")
    context.load_verify_locations(folder / "root.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    (folder / "shown.pem").touch(0o600)
    (folder / "shown.pem").write_bytes(people()["expired"].to_pem())
    plain, log = free_port(), folder / "client.log"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        (folder / "client.conf").write_text(
            f"foreground = yes\npid =\noutput = {log}\ndebug = 7\nclient = yes\n[a]\naccept = 127.0.0.1:{plain}\n"
            f"connect = 127.0.0.1:{listening.getsockname()[1]}\ncert = {folder}/shown.pem\n"
        )
        process = subprocess.Popen([program, str(folder / "client.conf")], stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    asking = socket.create_connection(("127.0.0.1", plain), 1)
                    break
                time.sleep(0.05)
            with asking:
                accepted, _ = listening.accept()
                with contextlib.suppress(OSError), context.wrap_socket(accepted, server_side=True):
                    pytest.fail("the server was to refuse")
                asking.settimeout(PATIENCE)
                with contextlib.suppress(OSError):
                    asking.recv(1)
            time.sleep(0.2)
        finally:
            process.terminate()
            process.wait(PATIENCE)
    one = read(log)[0]
    assert [(alert.code, alert.sender) for alert in one.alerts] == [(45, "server")]
    assert one.verdict is not None
    assert (one.verdict.refused_by, one.verdict.cause) == ("server", "certificate_expired")
    assert one.server is not None
