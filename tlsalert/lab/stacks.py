"""Starts real TLS servers on this machine, where they are installed, with the lab's certificates and clock.

    config = StackConfig(identity, trusted=(authority,), clock=datetime(2015, 3, 12, tzinfo=UTC))
    with start("stunnel", config) as running:
        connect(running.address)

Their clock comes from libfaketime (:mod:`tlsalert.lab.faketime`). gnutls-serv and NSS's selfserv have no option for
an address: they listen on all interfaces.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from tlsalert.errors import UsageError
from tlsalert.lab import faketime
from tlsalert.lab.certificates import Identity
from tlsalert.lab.device import VERSIONS, Version
from tlsalert.lab.levels import Level
from tlsalert.lab.stack_programs import JAVA, NODE
from tlsalert.recorder import Address

StackName = Literal["stunnel", "openssl", "gnutls", "nginx", "haproxy", "nss", "java", "node"]
Setting = Literal["ciphers", "crl", "verify"]

#: Seconds that a server may take until it listens: Java compiles its program first, which is slow under libfaketime.
START = 60.0
#: Seconds that a server gets to end by itself.
_END = 2.0
#: The key stores' password, which Java does not do without: the stores lie in a folder that only their owner opens.
PASSWORD = "changeit"  # noqa: S105
#: How much of a server's log is read, in bytes.
_LOG_BYTES = 65536


@dataclass(frozen=True, slots=True)
class StackConfig:
    """What a server is started with. ``versions`` are the lowest and the highest, ``ciphers`` OpenSSL's list.

    ``clock`` None is the machine's. ``verify`` is stunnel's level (:mod:`tlsalert.lab.levels`), ``crls`` are
    ``trusted``'s. ``host`` is an IPv4 address.
    """

    identity: Identity
    trusted: tuple[x509.Certificate, ...]
    versions: tuple[Version, Version] = ("TLS 1.2", "TLS 1.3")
    clock: datetime | None = None
    asks: Literal["required", "optional", "no"] = "required"
    verify: Level | None = None
    ciphers: str | None = None
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True, slots=True)
class Stack:
    """One server program: ``package`` is Debian's, ``can`` the settings that it takes besides the common ones.

    ``silent`` says that it refuses without a word where others send an alert, ``inside`` that it lets the handshake
    succeed and refuses in HTTP.
    """

    name: StackName
    program: str
    package: str
    command: Callable[[_Place], Sequence[str]]
    can: frozenset[Setting] = frozenset()
    silent: bool = False
    inside: bool = False

    @property
    def path(self) -> str | None:
        """Where the program is, also outside of PATH where Debian puts servers; None where it is not installed."""
        return shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder with the files that servers read, the port, and the settings."""

    folder: Path
    port: int
    config: StackConfig

    @property
    def span(self) -> tuple[str, str]:
        """The lowest and the highest version as "1.2"."""
        lowest, highest = self.config.versions
        return lowest.removeprefix("TLS "), highest.removeprefix("TLS ")

    @property
    def every(self) -> list[str]:
        """Each version as "1.2"."""
        names = list(VERSIONS)
        lowest, highest = (names.index(version) for version in self.config.versions)
        return [name.removeprefix("TLS ") for name in names[lowest : highest + 1]]

    @property
    def ciphers(self) -> str | None:
        """OpenSSL's list; below TLS 1.2 with the security level that allows such versions."""
        old = self.span[0] in ("1.0", "1.1")
        given = self.config.ciphers or ("DEFAULT" if old else None)
        return f"{given}:@SECLEVEL=0" if old and given and "@SECLEVEL" not in given else given


def available() -> dict[StackName, str | None]:
    """Return for each stack None where it is installed, or the name of the Debian package that is missing."""
    return {name: None if stack.path else stack.package for name, stack in STACKS.items()}


def start(name: StackName, config: StackConfig) -> RunningStack:
    """Start a server and wait until it listens.

    Raises UsageError where it is not installed, can't do what ``config`` asks for, or does not come up.
    """
    stack = STACKS[name]
    if stack.path is None:
        raise UsageError("is not installed", stack.program, f"install it (Debian: apt install {stack.package})")
    wanted: dict[Setting, object] = {"ciphers": config.ciphers, "crl": config.crls or None, "verify": config.verify}
    for setting, value in wanted.items():
        if value is not None and setting not in stack.can:
            raise UsageError(f"the lab cannot set its {setting}", name, f"leave {setting} out, or take another stack")
    folder = tempfile.TemporaryDirectory(prefix="tlsalert-lab-")  # mode 0700
    try:
        return RunningStack(stack, config, folder)
    except BaseException:
        folder.cleanup()
        raise


class RunningStack:
    """A server that listens on ``address``. Leaving its ``with`` block ends it and removes its files."""

    def __init__(self, stack: Stack, config: StackConfig, folder: tempfile.TemporaryDirectory[str]) -> None:
        self.stack = stack
        self.config = config
        self._folder = folder
        path = Path(folder.name)
        self._log = path / "log"
        prepare(path, config)
        place = _Place(path, config.port or _free_port(config.host), config)
        self.address: Address = (config.host, place.port)
        environment = None if config.clock is None else faketime.environment(config.clock)
        command = [str(stack.path), *stack.command(place)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a program of STACKS, with arguments made here
                command, cwd=path, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment
            )
        try:
            self._wait()
        except BaseException:
            self._end()
            raise

    @property
    def log(self) -> str:
        """The end of what it has printed so far."""
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - _LOG_BYTES))
            return file.read().decode("utf-8", "replace")

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the server and remove its files."""
        self._end()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait(self) -> None:
        end = time.monotonic() + START
        while time.monotonic() < end and self.running:
            with contextlib.suppress(OSError), socket.create_connection(self.address, 1):
                return
            time.sleep(0.05)
        said = " ".join(self.log.split())[-500:] or "it says nothing"
        raise UsageError(f"does not come up: {said}", self.stack.program, "look at the settings")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def prepare(folder: Path, config: StackConfig) -> None:
    """Write the files that servers read, mode 0600: key and certificates in PEM, and both key stores of Java."""
    pem = config.identity.to_pem()
    marker = b"-----BEGIN CERTIFICATE-----"
    key, certificate = pem[: pem.index(marker)], pem[pem.index(marker) :]
    encryption = BestAvailableEncryption(PASSWORD.encode("ascii"))
    identity = config.identity
    trusted = [pkcs12.PKCS12Certificate(one, f"ca{number}".encode()) for number, one in enumerate(config.trusted)]
    files = {
        "server.pem": certificate + key,
        "key.pem": key,
        "cert.pem": certificate,
        "ca.pem": b"".join(one.public_bytes(Encoding.PEM) for one in config.trusted),
        "server.p12": pkcs12.serialize_key_and_certificates(
            b"server", identity.key, identity.certificate, identity.chain, encryption
        ),
        "trust.p12": pkcs12.serialize_java_truststore(trusted, encryption),
    }
    if config.crls:
        files["crl.pem"] = b"".join(one.public_bytes(Encoding.PEM) for one in config.crls)
    for name, data in files.items():
        with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _openssl(place: _Place) -> Sequence[str]:
    config = place.config
    asks = {"required": ["-Verify", "8", "-verify_return_error"], "optional": ["-verify", "8"], "no": []}[config.asks]
    crl = ["-CRL", "crl.pem", "-crl_check"] if config.crls else []
    ciphers = ["-cipher", place.ciphers] if place.ciphers else []
    given = ["-cert", "cert.pem", "-cert_chain", "cert.pem", "-key", "key.pem", "-CAfile", "ca.pem"]
    left_out = [f"-no_tls{'1' if one == '1.0' else one.replace('.', '_')}" for one in _others(place)]
    accept = f"{config.host}:{place.port}"
    return ["s_server", "-accept", accept, *given, *asks, *left_out, *ciphers, *crl, "-www", "-quiet"]


def _others(place: _Place) -> list[str]:
    """Return the versions that the server shall not speak."""
    every = place.every
    return [name.removeprefix("TLS ") for name in VERSIONS if name.removeprefix("TLS ") not in every]


def _gnutls(place: _Place) -> Sequence[str]:
    asks = {
        "required": ["--require-client-cert", "--verify-client-cert"],
        "optional": ["--verify-client-cert"],
        "no": ["--disable-client-cert"],
    }[place.config.asks]
    given = ["--x509certfile=cert.pem", "--x509keyfile=key.pem", "--x509cafile=ca.pem"]
    crl = ["--x509crlfile=crl.pem"] if place.config.crls else []
    versions = "".join(f":+VERS-TLS{one}" for one in place.every)
    return [f"--port={place.port}", *given, *crl, *asks, f"--priority=NORMAL:-VERS-ALL{versions}", "--http"]


def _stunnel(place: _Place) -> Sequence[str]:
    config = place.config
    lowest, highest = (f"TLSv{one}" if one != "1.0" else "TLSv1" for one in place.span)
    level = config.verify if config.verify is not None else {"required": 2, "optional": 1, "no": None}[config.asks]
    lines = [
        *("foreground = yes", "pid =", "syslog = no", "[tls]"),
        f"accept = {config.host}:{place.port}",
        *("exec = /bin/cat", "execArgs = cat", "cert = server.pem", "CAfile = ca.pem"),
        f"sslVersionMin = {lowest}",
        f"sslVersionMax = {highest}",
        *([f"verify = {level}"] if level is not None else []),
        *([f"ciphers = {place.ciphers}"] if place.ciphers else []),
        *(["securityLevel = 0"] if lowest in ("TLSv1", "TLSv1.1") else []),
        *(["CRLfile = crl.pem"] if config.crls else []),
    ]
    path = place.folder / "stunnel.conf"
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return [str(path)]


def _nginx(place: _Place) -> Sequence[str]:
    config = place.config
    temporary = "".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    versions = " ".join(f"TLSv{one}" if one != "1.0" else "TLSv1" for one in place.every)
    asks = {"required": "on", "optional": "optional", "no": "off"}[config.asks]
    ciphers = f"ssl_ciphers {place.ciphers};" if place.ciphers else ""
    crl = "ssl_crl crl.pem;" if config.crls else ""
    path = place.folder / "nginx.conf"
    path.write_text(
        "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {}\nhttp {\n"
        f"access_log off; {temporary}\nserver {{ listen {config.host}:{place.port} ssl;\n"
        "ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_client_certificate ca.pem;\n"
        f"ssl_verify_client {asks}; ssl_verify_depth 10; ssl_protocols {versions}; {ciphers} {crl}\n"
        "return 204;\n}\n}\n",
        encoding="ascii",
    )
    return ["-p", str(place.folder), "-c", str(path), "-e", "stderr"]


def _haproxy(place: _Place) -> Sequence[str]:
    config = place.config
    lowest, highest = place.span
    asks = {"required": "required", "optional": "optional", "no": "none"}[config.asks]
    ciphers = f" ciphers {place.ciphers}" if place.ciphers else ""
    crl = " crl-file crl.pem" if config.crls else ""
    path = place.folder / "haproxy.cfg"
    path.write_text(
        "defaults\n mode http\n timeout client 10s\n timeout connect 1s\n timeout server 10s\n"
        f"frontend tls\n bind {config.host}:{place.port} ssl crt server.pem ca-file ca.pem verify {asks}"
        f" ssl-min-ver TLSv{lowest} ssl-max-ver TLSv{highest}{ciphers}{crl}\n http-request return status 204\n",
        encoding="ascii",
    )
    return ["-db", "-f", str(path)]


def _nss(place: _Place) -> Sequence[str]:
    database = f"sql:{place.folder}"
    (place.folder / "password").write_text("\n", encoding="ascii")
    _run(place, "certutil", "-N", "-d", database, "--empty-password")
    _run(place, "pk12util", "-i", "server.p12", "-d", database, "-W", PASSWORD, "-k", "password")
    for number, authority in enumerate(place.config.trusted):
        path = place.folder / f"ca{number}.pem"
        path.write_bytes(authority.public_bytes(Encoding.PEM))
        # T: trusted to issue clients' certificates; P: trusted itself, which is what a pinned one is
        trust = "TC,," if _may_issue(authority) else "P,,"
        _run(place, "certutil", "-A", "-d", database, "-n", f"ca{number}", "-t", trust, "-i", str(path))
    asks = {"required": ["-r", "-r"], "optional": ["-r"], "no": []}[place.config.asks]
    versions = ":".join(f"tls{one}" for one in place.span)
    elliptic = "EC" in type(place.config.identity.key).__name__
    nickname = ["-e" if elliptic else "-n", "server"]
    return ["-d", database, *nickname, "-p", str(place.port), "-V", versions, *asks, "-f", "password"]


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _run(place: _Place, program: str, *arguments: str) -> None:
    """Run a tool of NSS's. Raises UsageError where it is missing or fails."""
    path = shutil.which(program)
    if path is None:
        raise UsageError("is not installed", program, "install it (Debian: apt install libnss3-tools)")
    done = subprocess.run(  # noqa: S603 - certutil or pk12util
        [path, *arguments], cwd=place.folder, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=START
    )
    if done.returncode:
        raise UsageError(f"fails: {done.stderr.decode('utf-8', 'replace').strip()[:300]}", program)


def _java(place: _Place) -> Sequence[str]:
    (place.folder / "Server.java").write_text(JAVA, encoding="ascii")
    # Java's own list forbids TLS 1.0 and 1.1; what else is on it stays forbidden.
    security = place.folder / "java.security"
    security.write_text("jdk.tls.disabledAlgorithms=SSLv3, RC4, DES, MD5withRSA, NULL, anon\n", encoding="ascii")
    old = [f"-Djava.security.properties={security}"] if place.span[0] in ("1.0", "1.1") else []
    versions = ",".join(f"TLSv{one}" if one != "1.0" else "TLSv1" for one in place.every)
    return [*old, "Server.java", versions, place.config.host, str(place.port), place.config.asks]


def _node(place: _Place) -> Sequence[str]:
    lowest, highest = (f"TLSv{one}" if one != "1.0" else "TLSv1" for one in place.span)
    crl = "crl.pem" if place.config.crls else ""
    given = [lowest, highest, place.config.host, str(place.port), place.config.asks, place.ciphers or "", crl]
    return ["-e", NODE, *given]


_OPENSSL_CAN: frozenset[Setting] = frozenset({"ciphers", "crl"})

STACKS: dict[StackName, Stack] = {
    "stunnel": Stack("stunnel", "stunnel4", "stunnel4", _stunnel, _OPENSSL_CAN | {"verify"}),
    "openssl": Stack("openssl", "openssl", "openssl", _openssl, _OPENSSL_CAN),
    "gnutls": Stack("gnutls", "gnutls-serv", "gnutls-bin", _gnutls, frozenset({"crl"})),
    "nginx": Stack("nginx", "nginx", "nginx-light", _nginx, _OPENSSL_CAN, inside=True),
    "haproxy": Stack("haproxy", "haproxy", "haproxy", _haproxy, _OPENSSL_CAN),
    "nss": Stack("nss", "selfserv", "libnss3-tools", _nss),
    "java": Stack("java", "java", "default-jdk-headless", _java),
    "node": Stack("node", "node", "nodejs", _node, _OPENSSL_CAN, silent=True),
}
