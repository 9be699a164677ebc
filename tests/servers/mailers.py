"""Real servers in which TLS begins inside another protocol, on loopback: with a certificate, or without one.

Each says which program it needs, and from which package of Debian's. Those that change to a user of their own do so
only where root runs them.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.peers import START

#: Where Debian puts servers.
PLACES = ":/usr/sbin:/sbin:" + ":".join(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))


@dataclass(frozen=True)
class Spot:
    """A folder with cert.pem and key.pem, a port, and whether the server shall have TLS."""

    folder: Path
    port: int
    secure: bool


@dataclass(frozen=True)
class Server:
    """One server: the protocol's name here and in ``openssl s_client -starttls``, its program and Debian's package.

    ``user`` is who runs it in place of root, ``rooted`` says that it needs root.
    """

    protocol: str
    openssl: str
    program: str
    package: str
    command: Callable[[Spot], Sequence[str]]
    user: str | None = None
    rooted: bool = False

    @property
    def path(self) -> str | None:
        """Where the program is, or None."""
        return shutil.which(self.program, path=os.environ.get("PATH", "") + PLACES)


@contextlib.contextmanager
def listening(server: Server, source: Path, secure: bool) -> Iterator[int]:
    """Run a server with the certificate and key in ``source``; give its port. Raises RuntimeError if it fails."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="starttls") as made:
        folder = Path(made)
        folder.chmod(0o755)  # who serves may be another user
        for name in ("cert.pem", "key.pem"):
            shutil.copy(source / name, folder / name)
            (folder / name).chmod(0o600)
        user = server.user if os.geteuid() == 0 else None
        if user is not None:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, user)
        command = [str(server.path), *server.command(Spot(folder, port, secure))]
        with (source / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user)
            try:
                _wait(process, port, source / "log")
                yield port
            finally:
                process.terminate()
                process.wait(START)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"the server does not listen: {log.read_text(errors='replace')[-2000:]}")


def _dovecot(protocol: str, service: str) -> Callable[[Spot], Sequence[str]]:
    def command(spot: Spot) -> Sequence[str]:
        me = getpass.getuser()
        users = "" if os.geteuid() == 0 else f"default_internal_user = {me}\ndefault_login_user = {me}\n"
        tls = f"ssl = yes\nssl_cert = <{spot.folder}/cert.pem\nssl_key = <{spot.folder}/key.pem\n"
        listeners = f"inet_listener {service} {{\n port = {spot.port}\n }}\n"
        if service != "sieve":  # the others have a port for implicit TLS as well
            listeners += f"inet_listener {service}s {{\n port = 0\n }}\n"
        config = spot.folder / "dovecot.conf"
        config.write_text(
            f"base_dir = {spot.folder}/run\nstate_dir = {spot.folder}/state\nlog_path = /dev/stderr\n{users}"
            f"listen = 127.0.0.1\nprotocols = {service}\n{tls if spot.secure else 'ssl = no'}\n"
            f"service {protocol}-login {{\n chroot =\n {listeners}\n}}\n"
            "service anvil {\n chroot =\n}\npassdb {\n driver = static\n args = password=x\n}\n"
            f"userdb {{\n driver = static\n args = uid=1000 gid=1000 home={spot.folder}\n}}\n"
        )
        return ["-F", "-c", str(config)]

    return command


def _vsftpd(spot: Spot) -> Sequence[str]:
    config = spot.folder / "vsftpd.conf"
    (spot.folder / "empty").mkdir()
    files = f"rsa_cert_file={spot.folder}/cert.pem\nrsa_private_key_file={spot.folder}/key.pem\n"
    secure = f"ssl_enable=YES\nssl_ciphers=HIGH\n{files}"  # by default it wants a certificate for RSA
    config.write_text(
        f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={spot.port}\nbackground=NO\nanonymous_enable=YES\n"
        f"secure_chroot_dir={spot.folder}/empty\nseccomp_sandbox=NO\nallow_anon_ssl=YES\n"
        f"{secure if spot.secure else ''}"
        f"{'' if os.geteuid() == 0 else 'run_as_launching_user=YES'}\n"
    )
    config.chmod(0o600)
    return [str(config)]


def _slapd(spot: Spot) -> Sequence[str]:
    config = spot.folder / "slapd.conf"
    secure = f"TLSCertificateFile {spot.folder}/cert.pem\nTLSCertificateKeyFile {spot.folder}/key.pem\n"
    config.write_text(f"pidfile {spot.folder}/pid\n{secure if spot.secure else ''}")
    return ["-d", "0", "-h", f"ldap://127.0.0.1:{spot.port}/", "-f", str(config)]


def _postgres(spot: Spot) -> Sequence[str]:
    data = spot.folder / "data"
    initdb = shutil.which("initdb", path=os.environ.get("PATH", "") + PLACES)
    user = "postgres" if os.geteuid() == 0 else None
    subprocess.run([str(initdb), "-D", str(data), "-A", "trust", "-N"], check=True, capture_output=True, user=user)
    given = [f"ssl_cert_file={spot.folder}/cert.pem", f"ssl_key_file={spot.folder}/key.pem"]
    options = ["listen_addresses=127.0.0.1", f"unix_socket_directories={spot.folder}"]
    options += [f"ssl={'on' if spot.secure else 'off'}", *(given if spot.secure else [])]
    return ["-D", str(data), "-p", str(spot.port), *(part for option in options for part in ("-c", option))]


def _postfix(spot: Spot) -> Sequence[str]:
    config = spot.folder / "etc"
    config.mkdir()
    for name in ("queue", "data"):
        (spot.folder / name).mkdir()
    shutil.chown(spot.folder / "data", "postfix")
    tls = f"smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {spot.folder}/key.pem, {spot.folder}/cert.pem\n"
    (config / "main.cf").write_text(
        f"compatibility_level = 3.6\nqueue_directory = {spot.folder}/queue\ndata_directory = {spot.folder}/data\n"
        f"inet_interfaces = 127.0.0.1\nmyhostname = mail.example.com\nmaillog_file = /dev/stdout\n"
        f"{tls if spot.secure else ''}"
    )
    (config / "master.cf").write_text(
        f"127.0.0.1:{spot.port} inet n - n - - smtpd\nrewrite unix - - n - - trivial-rewrite\n"
        "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nanvil unix - - n - 1 anvil\n"
        "tlsmgr unix - - n 1000? 1 tlsmgr\npostlog unix-dgram n - n - 1 postlogd\n"
        "proxymap unix - - n - - proxymap\nbounce unix - - n - 0 bounce\n"
    )
    return ["-c", str(config), "start-fg"]


SERVERS = (
    Server("smtp", "smtp", "postfix", "postfix", _postfix, rooted=True),
    Server("imap", "imap", "dovecot", "dovecot-imapd", _dovecot("imap", "imap")),
    Server("pop3", "pop3", "dovecot", "dovecot-pop3d", _dovecot("pop3", "pop3")),
    Server("managesieve", "sieve", "dovecot", "dovecot-managesieved", _dovecot("managesieve", "sieve")),
    Server("ftp", "ftp", "vsftpd", "vsftpd", _vsftpd),
    Server("ldap", "ldap", "slapd", "slapd", _slapd),
    Server("postgresql", "postgres", "postgres", "postgresql", _postgres, "postgres"),
)
