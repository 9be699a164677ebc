"""``read`` says of real servers what they did: whether they accepted, who refused, by which alert, and why.

The client is Python's ssl, which names the alert that it received: so the alert is known from elsewhere. In CI that is
OpenSSL's own server; the long suite asks all that are installed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="needs the extra lab")

from tests.servers.peers import OPENSSL, PEERS, Peer, Version, running
from tests.servers.tap import PATIENCE, Tap
from tlsalert.capture import read
from tlsalert.lab.certificates import Identity, issued, self_signed
from tlsalert.model import Connection
from tlsalert.registry.alerts import AlertDescription

DAY = timedelta(days=1)
#: Not of 18 bytes: in TLS 1.3 that would be as long as an alert of Java's, and nobody could tell the two apart.
REQUEST = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True)
class Shown:
    """What the client shows, and the cause for which that is refused; None where it is right."""

    name: str
    cause: str | None


SHOWN = (
    Shown("right", None),
    Shown("nothing", "no_client_certificate"),
    Shown("stranger", "unknown_ca"),
    Shown("expired", "certificate_expired"),
    Shown("early", "certificate_not_yet_valid"),
)


@cache
def people() -> dict[str, Identity]:
    """Return the certificates: real servers know no other clock than today's."""
    now = datetime.now(UTC).replace(microsecond=0)
    long = now - 400 * DAY, now + 400 * DAY
    root = self_signed("CN=Example Root,O=Example Works", *long, "p256")
    other = self_signed("CN=Other Root,O=Somebody Else", *long, "p256")
    return {
        "root": root,
        "server": issued("CN=localhost", root, *long, "p256", names=("localhost",)),
        "right": issued("CN=probe", root, *long, "p256"),
        "stranger": issued("CN=stranger", other, *long, "p256"),
        "expired": issued("CN=probe", root, now - 300 * DAY, now - 30 * DAY, "p256"),
        "early": issued("CN=probe", root, now + 30 * DAY, now + 300 * DAY, "p256"),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


Running = Callable[[Peer, Version], int]


@pytest.fixture(scope="module")
def servers() -> Iterator[Running]:
    """A function that returns the port of a server, which is started when it is asked for and runs on."""
    ports: dict[tuple[Peer, Version], int] = {}
    served = people()["server"], people()["root"].certificate
    with contextlib.ExitStack() as stack:

        def port(peer: Peer, version: Version) -> int:
            if peer.path is None:
                pytest.skip(f"needs {peer.program} (Debian: {peer.package})")
            if (peer, version) not in ports:
                ports[peer, version] = stack.enter_context(running(peer, *served, version))
            return ports[peer, version]

        yield port


def ask(address: tuple[str, int], shown: str, version: Version, folder: Path) -> str | None:
    """Shake hands and ask for a page; return the name of the alert that came, in OpenSSL's words."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = {
        "1.2": ssl.TLSVersion.TLSv1_2,
        "1.3": ssl.TLSVersion.TLSv1_3,
    }[version]
    if shown != "nothing":
        path = folder / f"{shown}.pem"
        path.touch(0o600)
        path.write_bytes(people()[shown].to_pem())
        context.load_cert_chain(path)
    try:
        with (
            socket.create_connection(address, PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as wrapped,
        ):
            wrapped.sendall(REQUEST)
            wrapped.recv(1000)  # TLS 1.3: only now does a refusal come
    except ssl.SSLError as error:
        return error.reason
    except OSError:
        return None
    return None


def named(reason: str | None) -> int | None:
    """Return the number of the alert in OpenSSL's words, "SSLV3_ALERT_BAD_CERTIFICATE"; None where it is none."""
    if reason is None or "_ALERT_" not in reason:
        return None
    return int(AlertDescription[reason.partition("_ALERT_")[2].lower()])


def asked(port: int, shown: str, version: Version, folder: Path) -> tuple[Connection, int | None]:
    """Return what is read of one attempt, and the alert that the client received."""
    with Tap(port) as tap:
        received = named(ask(tap.address, shown, version, folder))
        path = folder / "asked.pcap"
        path.write_bytes(tap.capture())
    (connection,) = read(path)
    return connection, received


def each() -> list[object]:
    """Every server with both versions and all that can be shown; but for OpenSSL's only in the long suite."""
    return [
        pytest.param(
            peer,
            version,
            shown,
            id=f"{peer.name} TLS {version} {shown.name}",
            marks=() if peer is OPENSSL else (pytest.mark.long,),
        )
        for peer in PEERS
        for version in ("1.2", "1.3")
        for shown in SHOWN
    ]


@pytest.mark.parametrize(("peer", "version", "shown"), each())
def test_what_a_server_did_is_told(servers: Running, peer: Peer, version: Version, shown: Shown, folder: Path) -> None:
    connection, received = asked(servers(peer, version), shown.name, version, folder)
    verdict = connection.verdict
    assert verdict is not None
    assert connection.tls_version == f"TLS {version}"
    if shown.cause is None or peer.inside:
        assert (verdict.outcome, received) == ("established", None)
        return
    assert (verdict.outcome, verdict.refused_by) == ("failed", "server")
    fatal = [alert for alert in connection.alerts if alert.fatal]
    assert {alert.sender for alert in fatal} == (set() if peer.silent and received is None else {"server"})
    if received is not None and version == "1.2":
        assert fatal[0].code == received  # gnutls-serv sends 42 after its 49
    ranked = [verdict.cause, *(other.cause for other in verdict.alternatives)]
    assert shown.cause in (ranked[:3] if version == "1.2" else ranked)  # TLS 1.3 without keys hides the certificate
    assert verdict.cause == shown.cause or verdict.confidence < 0.9
