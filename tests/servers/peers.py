"""Real TLS servers on loopback that ask for a client certificate. Each says which program it needs, and from where."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from tlsalert.lab.certificates import Identity

Version = Literal["1.2", "1.3"]
#: Seconds that a server may take until it listens: Java compiles its program first.
START = 30.0
PASSWORD = b"changeit"


@dataclass(frozen=True)
class Place:
    """What a server is given: a folder with its files, a port, the version of TLS that it shall speak.

    In the folder lie server.pem (key and certificate), key.pem, cert.pem, ca.pem, server.p12 and trust.p12.
    """

    folder: Path
    port: int
    version: Version


@dataclass(frozen=True)
class Peer:
    """One server program. ``silent`` says that it refuses without a word where others send an alert.

    ``inside`` says that it lets the handshake succeed and refuses in HTTP; ``package`` is Debian's.
    """

    name: str
    program: str
    package: str
    command: Callable[[Place], Sequence[str]]
    silent: bool = False
    inside: bool = False

    @property
    def path(self) -> str | None:
        """Where the program is, also outside of PATH where Debian puts servers; None where it is not installed."""
        return shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def prepare(folder: Path, server: Identity, authority: x509.Certificate) -> None:
    """Write the files that servers read. The keys are made for this run and go with the folder."""
    pem = server.to_pem()
    marker = b"-----BEGIN CERTIFICATE-----"
    key, certificate = pem[: pem.index(marker)], pem[pem.index(marker) :]
    encryption = BestAvailableEncryption(PASSWORD)
    files = {
        "server.pem": certificate + key,
        "key.pem": key,
        "cert.pem": certificate,
        "ca.pem": authority.public_bytes(Encoding.PEM),
        "server.p12": pkcs12.serialize_key_and_certificates(
            b"server", server.key, server.certificate, None, encryption
        ),
        "trust.p12": pkcs12.serialize_java_truststore([pkcs12.PKCS12Certificate(authority, b"ca")], encryption),
    }
    for name, data in files.items():
        with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(data)


@contextlib.contextmanager
def running(peer: Peer, folder: Path, version: Version) -> Iterator[int]:
    """Run a server; give the port on which it listens. Raises RuntimeError where it does not come up."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [str(peer.path), *peer.command(Place(folder, port, version))]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            _wait(process, port, folder / "log")
            yield port
        finally:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server does not listen: {log.read_text(errors='replace')[-2000:]}")


def _openssl(place: Place) -> Sequence[str]:
    given = ["-cert", "cert.pem", "-key", "key.pem", "-CAfile", "ca.pem"]
    asks = ["-Verify", "2", "-verify_return_error"]
    version = "-tls1_2" if place.version == "1.2" else "-tls1_3"
    return ["s_server", "-accept", f"127.0.0.1:{place.port}", *given, *asks, version, "-www", "-quiet"]


def _gnutls(place: Place) -> Sequence[str]:
    given = ["--x509certfile=cert.pem", "--x509keyfile=key.pem", "--x509cafile=ca.pem"]
    asks = ["--require-client-cert", "--verify-client-cert"]
    version = f"--priority=NORMAL:-VERS-ALL:+VERS-TLS{place.version}"
    return [f"--port={place.port}", *given, *asks, version, "--http"]


def _stunnel(place: Place) -> Sequence[str]:
    config = place.folder / "stunnel.conf"
    config.write_text(
        f"foreground = yes\npid =\nsyslog = no\n[tls]\naccept = 127.0.0.1:{place.port}\nexec = /bin/cat\n"
        "execArgs = cat\ncert = server.pem\nCAfile = ca.pem\nverifyChain = yes\nrequireCert = yes\n"
        f"sslVersion = TLSv{place.version}\n"
    )
    return [str(config)]


def _nginx(place: Place) -> Sequence[str]:
    temporary = "".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = place.folder / "nginx.conf"
    config.write_text(
        "daemon off; master_process off; pid nginx.pid; error_log stderr;\nevents {}\nhttp {\n"
        f"access_log off; {temporary}\nserver {{ listen 127.0.0.1:{place.port} ssl;\n"
        "ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_client_certificate ca.pem;\n"
        f"ssl_verify_client on; ssl_verify_depth 3; ssl_protocols TLSv{place.version}; return 204;\n}}\n}}\n"
    )
    return ["-p", str(place.folder), "-c", str(config), "-e", "stderr"]


def _haproxy(place: Place) -> Sequence[str]:
    config = place.folder / "haproxy.cfg"
    config.write_text(
        "defaults\n mode http\n timeout client 10s\n timeout connect 1s\n timeout server 10s\n"
        f"frontend tls\n bind 127.0.0.1:{place.port} ssl crt server.pem ca-file ca.pem verify required"
        f" ssl-min-ver TLSv{place.version} ssl-max-ver TLSv{place.version}\n http-request return status 204\n"
    )
    return ["-db", "-f", str(config)]


NODE = """
const tls = require("tls"), fs = require("fs"), version = "TLSv" + process.argv[1];
tls.createServer({
  key: fs.readFileSync("key.pem"), cert: fs.readFileSync("cert.pem"), ca: fs.readFileSync("ca.pem"),
  requestCert: true, rejectUnauthorized: true, minVersion: version, maxVersion: version,
}, (socket) => { socket.on("error", () => {}); socket.end("HTTP/1.0 204 No Content\\r\\n\\r\\n"); })
  .on("tlsClientError", () => {})
  .listen(Number(process.argv[2]), "127.0.0.1");
"""


def _node(place: Place) -> Sequence[str]:
    return ["-e", NODE, place.version, str(place.port)]


JAVA = """
import java.io.*;
import java.net.*;
import java.security.KeyStore;
import javax.net.ssl.*;

public class Server {
    public static void main(String[] given) throws Exception {
        char[] password = "changeit".toCharArray();
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(KeyStore.getInstance(new File("server.p12"), password), password);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(KeyStore.getInstance(new File("trust.p12"), password));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        InetAddress here = InetAddress.getByName("127.0.0.1");
        SSLServerSocketFactory factory = context.getServerSocketFactory();
        SSLServerSocket listener = (SSLServerSocket) factory.createServerSocket(Integer.parseInt(given[1]), 9, here);
        listener.setNeedClientAuth(true);
        listener.setEnabledProtocols(new String[] {"TLSv" + given[0]});
        while (true) {
            try (Socket socket = listener.accept()) {
                socket.getInputStream().read(new byte[1024]);
                socket.getOutputStream().write("HTTP/1.0 204 No Content\\r\\n\\r\\n".getBytes());
            } catch (IOException refused) {
                System.err.println(refused);
            }
        }
    }
}
"""


def _java(place: Place) -> Sequence[str]:
    (place.folder / "Server.java").write_text(JAVA)
    return ["Server.java", place.version, str(place.port)]


OPENSSL = Peer("openssl s_server", "openssl", "openssl", _openssl)
PEERS = (
    OPENSSL,
    Peer("gnutls-serv", "gnutls-serv", "gnutls-bin", _gnutls),
    Peer("stunnel", "stunnel4", "stunnel4", _stunnel),
    Peer("nginx", "nginx", "nginx-light", _nginx, inside=True),
    Peer("haproxy", "haproxy", "haproxy", _haproxy),
    Peer("Node", "node", "nodejs", _node, silent=True),
    Peer("Java", "java", "default-jdk-headless", _java),
)
