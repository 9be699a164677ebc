"""The replay's client against real servers: each answer is the one that the server is known for, and none is lost.

In CI that is OpenSSL's own server; the long suite asks all that are installed.
"""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.replay.plain_hello import PlainHello
from tests.servers.peers import OPENSSL, PEERS, Peer, Version, prepare, running
from tlsalert.lab.certificates import Identity, issued, self_signed
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.client import exchange
from tlsalert.replay.outcome import Accepted, Closed, Outcome, Refused
from tlsalert.replay.target import Limits, Target
from tlsalert.replay.trial import trial_of

VERSIONS: tuple[Version, ...] = ("1.2", "1.3")
LIMITS = Limits(connect=5, read=20, total=60, linger=2, settle=0.2)
REQUEST = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"

#: The alerts for: no certificate, a stranger's, one that is no DER, another key, no CertificateVerify, a wrong
#: Finished, and a certificate of 300 KB. "fin" is a close without an alert, "400" an answer inside TLS.
Row = tuple[int | str, ...]
COMMON: Row = (48, 50, 51, 10, 51, 47)
ROWS: dict[str, dict[Version, Row]] = {
    "openssl": {"1.2": (40, *COMMON), "1.3": (116, *COMMON)},
    "stunnel": {"1.2": (40, *COMMON), "1.3": (116, *COMMON)},
    "haproxy": {"1.2": (40, *COMMON), "1.3": (116, *COMMON)},
    "gnutls": {"1.2": (50, 49, 42, 51, 10, 51, 50), "1.3": (116, 49, 42, 51, 10, 51, 50)},
    "nginx": {"1.2": ("400", "400", *COMMON[1:]), "1.3": ("400", "400", *COMMON[1:])},
    "nss": {"1.2": (42, 48, 42, 51, 10, 51, 50), "1.3": (116, 48, 42, 51, 10, 51, 50)},
    "node": {"1.2": (40, "fin", *COMMON[1:]), "1.3": (116, "fin", *COMMON[1:])},
    "java": {"1.2": (42, 46, 42, 40, 10, 51, 10), "1.3": (42, 46, 42, 40, 10, 51, 10)},
}


@cache
def people() -> dict[str, Identity]:
    now = datetime.now(UTC).replace(microsecond=0)
    long = now - timedelta(days=40), now + timedelta(days=400)
    root = self_signed("CN=Example Root,O=Example Works", *long)
    return {
        "root": root,
        "server": issued("CN=localhost", root, *long, names=("localhost",)),
        "client": issued("CN=client", root, *long, usage=("client",)),
        "stranger": self_signed("CN=stranger", *long),
    }


def presentations() -> tuple[Presentation, ...]:
    right, stranger = people()["client"], people()["stranger"]
    own = (right.certificate.public_bytes(Encoding.DER),)
    return (
        Presentation(),
        Presentation((stranger.certificate.public_bytes(Encoding.DER),), stranger.key),
        Presentation((b"x" * 700,), right.key),
        Presentation(own, stranger.key),
        Presentation(own, right.key, proof="omitted"),
        Presentation(own, right.key, finished="broken"),
        Presentation((b"x" * 300_000,), right.key),
    )


def word(outcome: Outcome) -> int | str:
    if isinstance(outcome, Closed):
        return outcome.how
    assert isinstance(outcome, Refused), outcome
    assert outcome.sender == "server"
    if outcome.alert is None:
        assert outcome.says is not None
        return "400" if "400" in outcome.says else outcome.says
    return -1 if outcome.alert.code is None else outcome.alert.code


MATRIX = [
    pytest.param(peer, version, id=f"{peer.name} {version}", marks=[] if peer is OPENSSL else pytest.mark.long)
    for peer in PEERS
    for version in VERSIONS
]


@pytest.mark.parametrize(("peer", "version"), MATRIX)
def test_each_server_answers_as_it_is_known_for(peer: Peer, version: Version) -> None:
    if peer.path is None:
        pytest.skip(f"{peer.program} is not installed (Debian: {peer.package})")
    right = people()["client"]
    request = REQUEST if peer.inside else None
    with running(peer, people()["server"], people()["root"].certificate, version) as port:
        target = Target("127.0.0.1", port, server_name="localhost")

        def tried(shown: Presentation) -> Outcome:
            told = exchange(target, PlainHello(), shown, f"TLS {version}", LIMITS, request=request)
            return trial_of("x", f"TLS {version}", told).outcome

        good = tried(Presentation((right.certificate.public_bytes(Encoding.DER),), right.key))
        assert isinstance(good, Accepted), good
        assert tuple(word(tried(one)) for one in presentations()) == ROWS[peer.name][version]


EXPORT = (0x0008, 0x0014, 0x0003, 0x0009, 0x0015, 0x0004, 0x000A)


@pytest.mark.long
def test_export_suites_and_sslv3_against_java(tmp_path: Path) -> None:
    """Nothing else that is installed still speaks them: RSA keys of 512 bits made for the day, keys of 40 bits."""
    java = shutil.which("java")
    if java is None:
        pytest.skip("java is not installed (Debian: default-jdk-headless)")
    prepare(tmp_path, people()["server"], people()["root"].certificate)
    source = Path(__file__).with_name("OldSuites.java")
    nobody, stranger, _, mismatch, *_ = presentations()
    right = Presentation(mismatch.certificates, people()["client"].key)
    with subprocess.Popen(
        [java, str(source)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            target = Target("127.0.0.1", int(process.stdout.readline()))
            for version, none in (("SSLv3", 40), ("TLS 1.0", 42)):
                for code in EXPORT:
                    hello = PlainHello(suites=(code,))
                    outcomes = [
                        trial_of("x", version, exchange(target, hello, one, version, LIMITS)).outcome
                        for one in (right, nobody, stranger, mismatch)
                    ]
                    assert outcomes[0] == Accepted("finished"), (version, code)
                    assert [word(outcome) for outcome in outcomes[1:]] == [none, 46, 40], (version, code)
        finally:
            process.kill()
