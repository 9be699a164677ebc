"""OpenSSL, GnuTLS and Java talk to each other in every version and suite that they share, and all of it is read.

The key log is that of one side: Java writes none, so it is its peer's. In CI OpenSSL talks to itself in the oldest and
the newest version (the others stand in test_decrypted.py and among the peers in memory); the rest is the long suite.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the extra lab")

from tests.servers.peers import prepare
from tests.servers.programs import found, serving
from tests.servers.tap import PATIENCE, Tap
from tests.servers.test_decrypted import assert_all_is_read
from tests.servers.test_real_servers import REQUEST
from tlsalert.capture import read
from tlsalert.lab.certificates import KeyKind, self_signed
from tlsalert.model import Connection

VERSIONS = ("1.0", "1.1", "1.2", "1.3")
KINDS: tuple[KeyKind, ...] = ("rsa", "p256")
#: How long Java may take for all suites of one version.
LONG = 120.0

JAVA = """
import java.io.*;
import java.net.*;
import java.security.*;
import java.security.cert.X509Certificate;
import javax.net.ssl.*;

public class Peer {
    static final TrustManager EVERYBODY = new X509ExtendedTrustManager() {
        public void checkClientTrusted(X509Certificate[] chain, String kind) {}
        public void checkServerTrusted(X509Certificate[] chain, String kind) {}
        public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket) {}
        public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket) {}
        public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}
        public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}
        public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    };

    public static void main(String[] given) throws Exception {
        Security.setProperty("jdk.tls.disabledAlgorithms", "");
        Security.setProperty("jdk.certpath.disabledAlgorithms", "");
        char[] password = "changeit".toCharArray();
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(KeyStore.getInstance(new File("server.p12"), password), password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), new TrustManager[] {EVERYBODY}, null);
        String[] versions = {"TLSv" + (given[1].equals("1.0") ? "1" : given[1])};
        if (given[0].equals("suites")) {
            for (String suite : context.getSupportedSSLParameters().getCipherSuites()) System.out.println(suite);
        } else if (given[0].equals("server")) {
            serve(context, versions, Integer.parseInt(given[2]));
        } else {
            for (int at = 2; at + 1 < given.length; at += 2)
                ask(context.getSocketFactory(), versions, Integer.parseInt(given[at]), given[at + 1]);
        }
    }

    static void serve(SSLContext context, String[] versions, int port) throws Exception {
        InetAddress here = InetAddress.getByName("127.0.0.1");
        SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(port, 9, here);
        listener.setEnabledProtocols(versions);
        listener.setEnabledCipherSuites(listener.getSupportedCipherSuites());
        while (true) {
            try (Socket socket = listener.accept()) {
                socket.getInputStream().read(new byte[1024]);
                socket.getOutputStream().write("HTTP/1.0 204 No Content\\r\\n\\r\\n".getBytes());
            } catch (IOException refused) {
            }
        }
    }

    static void ask(SSLSocketFactory factory, String[] versions, int port, String suite) throws Exception {
        try (Socket plain = new Socket("127.0.0.1", port);
             SSLSocket socket = (SSLSocket) factory.createSocket(plain, "127.0.0.1", port, true)) {
            socket.setEnabledProtocols(versions);
            socket.setEnabledCipherSuites(new String[] {suite});
            socket.getOutputStream().write("GET / HTTP/1.0\\r\\n\\r\\n".getBytes());
            while (socket.getInputStream().read(new byte[1024]) > 0);
        } catch (Exception refused) {
            System.out.println(suite + " " + refused);
        }
    }
}
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[KeyKind, Path]:
    """A folder for each kind of certificate that a server may have."""
    now, made = datetime.now(UTC), {}
    for kind in KINDS:
        made[kind] = tmp_path_factory.mktemp(kind)
        server = self_signed("CN=localhost", now - timedelta(days=9), now + timedelta(days=9), kind)
        prepare(made[kind], server, server.certificate)
        (made[kind] / "Peer.java").write_text(JAVA)
    return made


# --- the servers: words for a version and a port --------------------------------------------------------------------


def openssl_server(version: str, port: int) -> Sequence[str]:
    given = ["-cert", "cert.pem", "-key", "key.pem", "-keylogfile", "server.keys", "-cipher", "ALL:eNULL:@SECLEVEL=0"]
    suites = ":".join(OPENSSL_13)
    return [
        *(found("openssl", "openssl"), "s_server", "-accept", f"127.0.0.1:{port}", *given, "-ciphersuites", suites),
        *(openssl_version(version), "-www"),
    ]


def gnutls_server(version: str, port: int) -> Sequence[str]:
    given = ["--x509certfile=cert.pem", "--x509keyfile=key.pem", "--http", "--disable-client-cert"]
    program = found("gnutls-serv", "gnutls-bin")
    ciphers = "AES-128-CCM-8" if version == "1.3" else ":+".join(gnutls_ciphers())  # for 1.3 it takes no old ones
    every = f"NORMAL:+{ciphers}:+RSA:+DHE-RSA:+SHA1:+SHA256:+SHA384:+SIGN-ALL:+SIGN-RSA-SHA1:-VERS-ALL"
    return [program, f"--port={port}", f"--priority={every}:+VERS-TLS{version}", *given]


def java_server(version: str, port: int) -> Sequence[str]:
    return [found("java", "default-jdk-headless"), "Peer.java", "server", version, str(port)]


# --- the clients: each goes through its suites ----------------------------------------------------------------------

OPENSSL_13 = (
    *("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"),
    *("TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"),
)
Said = Iterator[tuple[str, bytes]]


def openssl_version(version: str) -> str:
    return {"1.0": "-tls1"}.get(version, f"-tls{version.replace('.', '_')}")


def openssl_client(version: str, folder: Path, port: int, kind: KeyKind) -> Said:
    """Talk in each of OpenSSL's suites; give its name and the capture."""
    for suite in openssl_suites(version, kind):
        with Tap(port) as tap:
            chosen = ["-ciphersuites", suite] if version == "1.3" else ["-cipher", f"{suite}:@SECLEVEL=0"]
            words = ["s_client", "-connect", "{}:{}".format(*tap.address), "-keylogfile", "client.keys", "-ign_eof"]
            run([found("openssl", "openssl"), *words, openssl_version(version), *chosen], folder)
        yield suite, tap.capture()


def openssl_suites(version: str, kind: KeyKind) -> list[str]:
    """Return the suites of a version for a kind of certificate."""
    if version == "1.3":
        return list(OPENSSL_13)
    keys = "aECDSA" if kind == "p256" else "aRSA"
    words = ["ciphers", "-s", openssl_version(version), f"ALL:eNULL:!aNULL:!PSK:!SRP:+{keys}:@SECLEVEL=0"]
    told = run([found("openssl", "openssl"), *words], Path("/"))
    every = [name for name in told.strip().split(":") if not name.startswith("TLS_")]
    return [name for name in every if ("ECDSA" in name) == (kind == "p256")]


def gnutls_client(version: str, folder: Path, port: int, kind: KeyKind) -> Said:
    """Talk in each of GnuTLS's suites; give what it is made of and the capture."""
    program = found("gnutls-cli", "gnutls-bin")
    exchanges = ["ECDHE-ECDSA"] if kind == "p256" else ["RSA", "DHE-RSA", "ECDHE-RSA"]
    if version == "1.3":
        exchanges = ["ECDHE-ECDSA" if kind == "p256" else "ECDHE-RSA"]
    for exchange in exchanges:
        for cipher in gnutls_ciphers():
            aead = any(word in cipher for word in ("GCM", "CCM", "CHACHA"))
            for mac in ("AEAD",) if aead else ("SHA1", "SHA256", "SHA384"):
                suite = f"+{exchange}:+{cipher}:+{mac}"
                priority = f"NONE:+VERS-TLS{version}:{suite}:+SIGN-ALL:+SIGN-RSA-SHA1:+GROUP-ALL:+CTYPE-ALL"
                if not re.search(r"^TLS_", run([program, "--list", "--priority", priority], folder), re.MULTILINE):
                    continue
                with Tap(port) as tap:
                    words = [program, "--insecure", "-p", str(tap.address[1]), "--priority", priority, "127.0.0.1"]
                    run(words, folder, {"SSLKEYLOGFILE": "client.keys"})
                yield suite, tap.capture()


@cache
def gnutls_ciphers() -> list[str]:
    """Return all ciphers that GnuTLS has: those that are too old or too rare for its groups have to be named."""
    listed = run([found("gnutls-cli", "gnutls-bin"), "--list"], Path("/"))
    ciphers = re.search(r"^Ciphers: (.*)$", listed, re.MULTILINE)
    return [] if ciphers is None else ciphers[1].split(", ")


def java_client(version: str, folder: Path, port: int, kind: KeyKind) -> Said:
    """Talk in each of Java's suites, all in one run of it: that takes a second to start."""
    program = found("java", "default-jdk-headless")
    every = run([program, "Peer.java", "suites", version], folder, patience=LONG).split()
    wanted = [name for name in every if name.startswith(("TLS_", "SSL_")) and "anon" not in name and "SCSV" not in name]
    wanted = [name for name in wanted if ("_WITH_" not in name) == (version == "1.3") and "KRB5" not in name]
    suites = [name for name in wanted if version == "1.3" or ("_ECDSA_" in name) == (kind == "p256")]
    with contextlib.ExitStack() as stack:
        taps = [stack.enter_context(Tap(port)) for _ in suites]
        words = [word for tap, suite in zip(taps, suites, strict=True) for word in (str(tap.address[1]), suite)]
        run([program, "Peer.java", "client", version, *words], folder, patience=LONG)
        yield from ((suite, tap.capture()) for tap, suite in zip(taps, suites, strict=True))


def run(
    words: Sequence[str], folder: Path, environment: dict[str, str] | None = None, patience: float = PATIENCE
) -> str:
    """Run a program to its end, or for as long as patience lasts; return what it printed."""
    given = os.environ | (environment or {})
    try:
        done = subprocess.run(
            words, input=REQUEST, env=given, cwd=folder, capture_output=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.decode(errors="replace")


# --- the matrix -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """A client and a server; ``keys`` is the file that one of them logs its keys to."""

    name: str
    client: Callable[[str, Path, int, KeyKind], Said]
    server: Callable[[str, int], Sequence[str]]
    keys: str


PAIRS = (
    Pair("OpenSSL to OpenSSL", openssl_client, openssl_server, "client.keys"),
    Pair("OpenSSL to GnuTLS", openssl_client, gnutls_server, "client.keys"),
    Pair("OpenSSL to Java", openssl_client, java_server, "client.keys"),
    Pair("GnuTLS to OpenSSL", gnutls_client, openssl_server, "server.keys"),
    Pair("GnuTLS to GnuTLS", gnutls_client, gnutls_server, "client.keys"),
    Pair("GnuTLS to Java", gnutls_client, java_server, "client.keys"),
    Pair("Java to OpenSSL", java_client, openssl_server, "server.keys"),
    Pair("Java to GnuTLS", java_client, gnutls_server, "server.keys"),
)


def each() -> Iterator[object]:
    for pair in PAIRS:
        for version in VERSIONS:
            for kind in KINDS:
                short = pair is PAIRS[0] and (version, kind) in (("1.0", "rsa"), ("1.3", "p256"))
                marks = () if short else (pytest.mark.long,)
                yield pytest.param(pair, version, kind, id=f"{pair.name} TLS {version} {kind}", marks=marks)


@pytest.mark.parametrize(("pair", "version", "kind"), list(each()))
def test_all_that_is_said_is_read(
    pair: Pair,
    version: str,
    kind: KeyKind,
    folders: dict[KeyKind, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = folders[kind]
    for name in ("client.keys", "server.keys"):
        (folder / name).unlink(missing_ok=True)
    monkeypatch.setenv("SSLKEYLOGFILE", "server.keys")  # GnuTLS's server; its client is given another
    shared: set[str] = set()
    with serving(folder, lambda port: pair.server(version, port)) as (_, port):
        for _, capture in pair.client(version, folder, port, kind):
            path = folder / "talk.pcap"
            path.write_bytes(capture)
            for connection in read(path, keylog=folder / pair.keys):
                if connection.server_hello is not None and connection.cipher_suite is not None:
                    shared.add(connection.cipher_suite)
                    assert_read(connection, version)
    assert shared
    print(f"{pair.name} TLS {version} {kind}: {len(shared)} suites")  # seen with pytest's -s


def assert_read(connection: Connection, version: str) -> None:
    assert connection.tls_version == f"TLS {version}"
    assert_all_is_read(connection)
    assert {one.sender for one in connection.messages if one.message == "finished"} == {"client", "server"}
    assert connection.alerts  # who ends it says so
    assert connection.verdict is not None
    assert connection.verdict.outcome == "established"
