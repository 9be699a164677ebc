"""Every variant against the real servers: the replay gets the answers that were measured with another client.

A difference counts as explained only by its line in :data:`EXPLAINED`, which holds the answer that is got instead. In
CI these are OpenSSL's own server, stunnel, nginx and gnutls-serv; the long suite asks all that are installed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from tests.servers.measured import measured
from tests.servers.peers import PEERS, Peer
from tlsalert.lab import stacks
from tlsalert.lab.certificates import Identity, PrivateKey, issued, make_key, self_signed
from tlsalert.lab.device import Version
from tlsalert.lab.stacks import StackConfig
from tlsalert.pki.material import Authority, Material
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.variants import prepare
from tlsalert.replay.answers import answer_of
from tlsalert.replay.client import exchange
from tlsalert.replay.hello import from_profile
from tlsalert.replay.runner import MORE_TRIES
from tlsalert.replay.target import Limits, Target
from tlsalert.replay.trial import trial_of

#: The servers by their names in the measurements.
MEASURED: Final = {
    "openssl": "s_server-3.0",
    "stunnel": "stunnel-verify2",
    "nginx": "nginx",
    "gnutls": "gnutls-serv",
    "haproxy": "haproxy",
    "nss": "nss",
    "java": "java-17",
    "node": "node-20",
}
#: OpenSSL's own server was not measured with CRLs; its library was.
WITH_CRLS: Final = MEASURED | {"openssl": "openssl-3.0"}
#: They were measured at OpenSSL's security level 0, all but its own server.
LEVEL: Final = dict.fromkeys(("stunnel", "nginx", "haproxy", "node"), "DEFAULT:@SECLEVEL=0")
IN_CI: Final = ("openssl", "stunnel", "nginx", "gnutls")
VERSIONS: Final[tuple[Version, ...]] = ("TLS 1.2", "TLS 1.3")
REQUEST = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
#: The share of the measured answers that must be got.
ENOUGH: Final = 0.98


class Reason(NamedTuple):
    """A variant, the servers and versions in which another answer is got, that answer, and why."""

    variant: str
    servers: str
    versions: tuple[str, ...]
    got: str
    why: str


EXPLAINED: Final = (
    Reason(
        "ed448",
        "openssl stunnel nginx gnutls haproxy java node",
        VERSIONS,
        "ok",
        "the measuring client could not sign with Ed448 and made the CertificateVerify up; with a true one it is taken",
    ),
    Reason("p224", "gnutls", ("TLS 1.2",), "ok", "the same for P-224, for which TLS 1.3 has no scheme"),
    Reason(
        "rsa512",
        "stunnel nginx gnutls haproxy nss node",
        ("TLS 1.3",),
        "47",
        "512 bits are too few for any RSA-PSS of TLS 1.3 (RFC 8017 §9.1.1 step 3), so whatever is sent is wrong: the"
        " measuring client named a PSS scheme with bytes that are none (51), the replay signs under"
        " rsa_pkcs1_sha256, which TLS 1.3 has for certificates only (RFC 8446 §4.2.3: 47)",
    ),
    *(
        Reason(
            variant,
            "gnutls",
            ("TLS 1.3",),
            "ok",
            "the measuring client gave up on a ticket that holds the certificate and overflows; the replay's does not",
        )
        for variant in ("huge_70k", "huge_120k")
    ),
)


class Party(NamedTuple):
    """What the clients of one set-up have, and what the server trusts."""

    material: Material
    trusted: x509.Certificate
    server: Identity


def der(one: Identity) -> bytes:
    return one.certificate.public_bytes(Encoding.DER)


@cache
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@cache
def window() -> tuple[datetime, datetime]:
    return now() - timedelta(days=3000), now() + timedelta(days=3000)


@cache
def by_ca() -> Party:
    """A CA that the server trusts, an intermediate, and the client's certificate under it."""
    root = self_signed("CN=Example Root,O=Example Works", *window())
    middle = intermediate(root)
    client = issued("CN=client,O=Example Works", middle, *window(), usage=("client",))
    material = Material(
        now(), der(client), (der(middle), der(root)), client.key, Authority(der(root), root.key), der(root)
    )
    return Party(material, root.certificate, issued("CN=localhost", root, *window(), names=("localhost",)))


@cache
def by_pin() -> Party:
    """A self-signed certificate that the server trusts by itself, and that is no CA's."""
    client = pinned()
    server = self_signed("CN=localhost", *window())
    return Party(Material(now(), der(client), (), client.key), client.certificate, server)


def intermediate(root: Identity) -> Identity:
    """Return a CA whose key usage is a CA's alone: servers that get it in the leaf's place shall see that it is."""
    key = make_key("rsa")
    builder = _builder("CN=Example Intermediate,O=Example Works", root.certificate.subject, key)
    builder = builder.add_extension(x509.BasicConstraints(True, 0), True)
    builder = builder.add_extension(_usage(signs_certificates=True), True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key())
    return Identity(builder.add_extension(identifier, False).sign(root.key, hashes.SHA256()), key)


def pinned() -> Identity:
    """Return a client's self-signed certificate."""
    key = make_key("rsa")
    subject = "CN=pinned client,O=Example Works"
    builder = _builder(subject, x509.Name.from_rfc4514_string(subject), key)
    builder = builder.add_extension(x509.BasicConstraints(False, None), True)
    builder = builder.add_extension(_usage(signs_certificates=False), True)
    return Identity(builder.sign(key, hashes.SHA256()), key)


def _builder(subject: str, issuer: x509.Name, key: PrivateKey) -> x509.CertificateBuilder:
    began, ends = window()
    builder = x509.CertificateBuilder(issuer, x509.Name.from_rfc4514_string(subject), key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(began).not_valid_after(ends)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    signs = signs_certificates
    return x509.KeyUsage(not signs, False, False, False, False, signs, signs, False, False)


@cache
def made(setup: str) -> dict[str, Presentation]:
    """Return the variants of a set-up; those that are of another one are left out.

    What needs the CRLs of two CAs is of none: the lab gives a server one list.
    """
    party = by_pin() if setup == "pinned" else by_ca()
    ready = {one.name: shown for one, shown in prepare(party.material) if isinstance(shown, Presentation)}
    if setup == "pinned":
        return {name: shown for name, shown in ready.items() if name.startswith("pinned_")}
    lists = 1 if setup == "trust store and CRLs" else 0
    return {name: shown for name, shown in ready.items() if len(shown.crls) == lists}


Answers = dict[str, tuple[str, str | None]]  # by variant: the one that was measured, and the one that is got


@cache
def answers(peer: Peer, version: Version, setup: str) -> Answers:
    """Try all variants of a set-up that were measured with this server in this version."""
    party = by_pin() if setup == "pinned" else by_ca()
    shown = made(setup)
    servers = MEASURED
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    if setup == "trust store and CRLs":
        servers = WITH_CRLS
        crls = (x509.load_der_x509_crl(shown["revoked"].crls[0]),)
    config = StackConfig(party.server, (party.trusted,), (version, version), ciphers=LEVEL.get(peer.name), crls=crls)
    known = measured(servers[peer.name], setup, version)
    limits = Limits(settle=0.2) if peer.silent else Limits()
    request = REQUEST if peer.inside else None
    hello = from_profile("openssl-3.0")
    found: Answers = {}
    with stacks.start(peer.name, config) as running:
        target = Target(*running.address, server_name="localhost")
        for name in shown.keys() & known.keys():
            for _ in range(1 + MORE_TRIES):
                told = exchange(target, hello, shown[name], version, limits, request=request)
                got = answer_of(trial_of(name, version, told).outcome)
                if got != "lost":
                    break
            found[name] = known[name], got
    return found


def explained(peer: Peer, version: str) -> dict[str, str]:
    """Return the answers that are got instead, by variant."""
    return {one.variant: one.got for one in EXPLAINED if peer.name in one.servers.split() and version in one.versions}


def matrix(*setups: str) -> list[object]:
    return [
        pytest.param(peer, version, setup, id=f"{peer.name} {version} {setup}", marks=marks)
        for peer in PEERS
        for version in VERSIONS
        for setup in setups
        if setup != "trust store and CRLs" or "crl" in peer.can
        for marks in [() if peer.name in IN_CI else (pytest.mark.long,)]
    ]


def must_be_installed(peer: Peer) -> None:
    if peer.path is None:
        pytest.skip(f"{peer.program} is not installed (Debian: {peer.package})")


@pytest.mark.parametrize(("peer", "version", "setup"), matrix("trust store", "pinned", "trust store and CRLs"))
def test_each_answer_is_the_measured_one_or_its_difference_is_explained(
    peer: Peer, version: Version, setup: str
) -> None:
    must_be_installed(peer)
    found = answers(peer, version, setup)
    assert found, "nothing was compared"
    differing = {name: got for name, (known, got) in found.items() if got != known}
    known_reasons = explained(peer, version) if setup == "trust store" else {}
    assert differing == {name: got for name, got in known_reasons.items() if name in found}


@pytest.mark.parametrize(
    "names", [pytest.param(IN_CI, id="in CI"), pytest.param(tuple(MEASURED), id="all", marks=pytest.mark.long)]
)
def test_nearly_all_answers_are_the_measured_ones(names: tuple[str, ...]) -> None:
    pairs = [
        pair
        for peer in PEERS
        if peer.name in names and peer.path is not None
        for version in VERSIONS
        for pair in answers(peer, version, "trust store").values()
    ]
    if not pairs:
        pytest.skip("none of the servers is installed")
    assert sum(known == got for known, got in pairs) >= ENOUGH * len(pairs)
