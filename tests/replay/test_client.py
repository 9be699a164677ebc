"""The client against real TLS servers: what it shows is judged by OpenSSL and tlslite-ng, and no alert is lost."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

import socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from tests.replay.devices import AFTER, BEFORE, QUICK, authority, device, leaf, listening, pump, serving, shown
from tests.replay.plain_hello import PlainHello
from tests.replay.tlslite_peer import SMALL_GROUP, peer
from tlsalert.errors import UsageError
from tlsalert.lab.certificates import Identity, issued, self_signed
from tlsalert.lab.device import Device, Version
from tlsalert.pki.presentation import Presentation, PrivateKey
from tlsalert.registry.cipher_suites import NAMES
from tlsalert.replay.client import exchange
from tlsalert.replay.hello import from_profile
from tlsalert.replay.outcome import Accepted, Closed, Outcome, Refused, Unreachable
from tlsalert.replay.profiles import PROFILES
from tlsalert.replay.target import Limits, Target
from tlsalert.replay.trial import Trial, trial_of

VERSIONS: tuple[Version, ...] = ("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
CODES = {name: code for code, name in NAMES.items()}


@pytest.fixture(scope="module")
def ca() -> Identity:
    return authority()


@pytest.fixture(scope="module")
def good(ca: Identity) -> Identity:
    return leaf(ca)


@pytest.fixture(scope="module")
def stranger() -> Identity:
    return self_signed("CN=stranger", BEFORE, AFTER)


@pytest.fixture(scope="module")
def server(ca: Identity) -> Identity:
    return issued("CN=device", ca, BEFORE, AFTER)


@pytest.fixture(scope="module")
def curved(ca: Identity) -> Identity:
    return issued("CN=device", ca, BEFORE, AFTER, key="p256")


def tried(
    target: Target,
    version: str,
    presentation: Presentation,
    hello: PlainHello | None = None,
    limits: Limits = QUICK,
    request: bytes | None = None,
) -> Trial:
    told = exchange(target, hello or PlainHello(), presentation, version, limits, request=request)
    return trial_of("x", version, told)


def code(outcome: Outcome) -> int | None:
    """The alert of a refusal by the server; None where it accepted."""
    if isinstance(outcome, Accepted):
        return None
    assert isinstance(outcome, Refused), outcome
    assert outcome.sender == "server"
    assert outcome.alert is not None
    return outcome.alert.code


@pytest.mark.parametrize("version", VERSIONS)
def test_each_way_to_fail_has_its_alert(
    version: Version, ca: Identity, good: Identity, stranger: Identity, server: Identity
) -> None:
    right = shown(good).certificates
    none = 116 if version == "TLS 1.3" else 40
    cases: tuple[tuple[Presentation, int | None], ...] = (
        (shown(good), None),
        (Presentation(), none),
        (shown(stranger), 48),
        (Presentation(right, stranger.key), 51),
        (Presentation(right, good.key, proof="broken_signature"), 51),
        (Presentation(right, good.key, proof="omitted"), 10),
        (Presentation(right, good.key, finished="broken"), 51),
        (Presentation(message=False), 10),
        (Presentation(key=good.key, raw=b"\0\0\5\0\0\7abc"), 50),
        (Presentation((b"x" * 700,), good.key), 50),
        (Presentation((b"x" * 300_000,), good.key), 47),
        (Presentation(right * 100, good.key), None),
    )
    made = Device(identity=server, trusted=(ca.certificate,), versions=(version, version))
    with listening(device(made)) as target:
        for presentation, alert in cases:
            trial = tried(target, version, presentation)
            assert code(trial.outcome) == alert, presentation
            assert trial.connection is not None
            assert trial.connection.tls_version == version
            assert trial.connection.verdict is not None
            assert trial.connection.verdict.outcome == ("established" if alert is None else "failed")
            if alert is not None:
                assert trial.outcome.stage == "client_certificate"
                assert trial.connection.verdict.refused_by == "server"


@pytest.mark.parametrize("version", ["TLS 1.2", "TLS 1.3"])
def test_a_scheme_that_was_not_offered(version: Version, ca: Identity, good: Identity, server: Identity) -> None:
    made = Device(identity=server, trusted=(ca.certificate,), versions=(version, version))
    with listening(device(made)) as target:
        trial = tried(target, version, Presentation(shown(good).certificates, good.key, proof="unoffered_scheme"))
    assert code(trial.outcome) == 47


SUITES = (
    ("AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS 1.0"),
    ("CAMELLIA256-SHA", "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA", "TLS 1.1"),
    ("SEED-SHA", "TLS_RSA_WITH_SEED_CBC_SHA", "TLS 1.0"),
    ("NULL-SHA256", "TLS_RSA_WITH_NULL_SHA256", "TLS 1.2"),
    ("AES256-SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS 1.2"),
    ("AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384", "TLS 1.2"),
    ("AES128-CCM8", "TLS_RSA_WITH_AES_128_CCM_8", "TLS 1.2"),
    ("ARIA128-GCM-SHA256", "TLS_RSA_WITH_ARIA_128_GCM_SHA256", "TLS 1.2"),
    ("ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS 1.0"),
    ("ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "TLS 1.2"),
    ("ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "TLS 1.2"),
    ("ECDHE-ECDSA-AES256-CCM", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", "TLS 1.2"),
    ("ECDHE-ECDSA-AES128-SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS 1.1"),
)


@pytest.mark.parametrize(("openssl", "name", "version"), SUITES, ids=[f"{s[1]} {s[2]}" for s in SUITES])
def test_suites_of_openssl(
    openssl: str,
    name: str,
    version: Version,
    ca: Identity,
    good: Identity,
    stranger: Identity,
    server: Identity,
    curved: Identity,
) -> None:
    identity = curved if "ECDSA" in name else server
    ciphers = f"{openssl}:@SECLEVEL=0"
    made = Device(identity=identity, trusted=(ca.certificate,), versions=(version, version), ciphers=ciphers)
    hello = PlainHello(suites=(CODES[name],))
    with listening(device(made)) as target:
        accepted, refused = (tried(target, version, shown(one), hello) for one in (good, stranger))
    assert accepted.outcome == Accepted("finished")
    assert code(refused.outcome) == 48
    assert accepted.connection is not None
    assert accepted.connection.cipher_suite == name


OLD = (
    ("SSLv3", "TLS_RSA_WITH_RC4_128_MD5"),
    ("SSLv3", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    ("SSLv3", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    ("TLS 1.0", "TLS_RSA_WITH_RC4_128_SHA"),
    ("TLS 1.1", "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    ("TLS 1.2", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("TLS 1.2", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    ("TLS 1.3", "TLS_AES_128_CCM_8_SHA256"),
)


@pytest.mark.parametrize(("version", "name"), OLD, ids=[" ".join(one) for one in OLD])
def test_what_openssl_has_given_up(
    version: str, name: str, good: Identity, stranger: Identity, server: Identity
) -> None:
    seen: list[bytes | None] = []
    hello = PlainHello(suites=(CODES[name],))
    right = shown(good)
    with listening(peer(server, version, group=SMALL_GROUP, seen=seen)) as target:
        assert isinstance(tried(target, version, right, hello).outcome, Accepted)
        assert isinstance(tried(target, version, Presentation(), hello).outcome, Accepted)  # SSLv3: a warning, 41
        wrong = tried(target, version, Presentation(right.certificates, stranger.key), hello)
        broken = tried(target, version, Presentation(right.certificates, good.key, finished="broken"), hello)
    assert code(wrong.outcome) == 51
    assert code(broken.outcome) == 51
    assert seen == [right.certificates[0], None]


KEYS: dict[str, Callable[[], PrivateKey]] = {
    "RSA 1024": lambda: rsa.generate_private_key(65537, 1024),
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "DSA": lambda: dsa.generate_private_key(1024),
}


def own(ca: Identity, key: PrivateKey) -> Presentation:
    name = x509.Name.from_rfc4514_string("CN=own")
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(ca.certificate.subject)
    builder = builder.public_key(key.public_key()).serial_number(7).not_valid_before(BEFORE).not_valid_after(AFTER)
    return Presentation((builder.sign(ca.key, hashes.SHA256()).public_bytes(Encoding.DER),), key)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KEYS)
def test_every_kind_of_key_signs(kind: str, version: Version, ca: Identity, server: Identity) -> None:
    made = Device(identity=server, trusted=(ca.certificate,), versions=(version, version), ciphers="ALL:@SECLEVEL=0")
    with listening(device(made)) as target:
        trial = tried(target, version, own(ca, KEYS[kind]()))
    assert trial.connection is not None
    assert len(trial.connection.certificates.client) == 1  # it is never dropped without a word
    impossible = (kind[:2] == "Ed" and version < "TLS 1.2") or (kind == "DSA" and version == "TLS 1.3")
    if impossible:
        assert isinstance(trial.outcome, Refused)
        assert trial.note is not None
    else:
        assert isinstance(trial.outcome, Accepted)
        assert trial.note is None


@pytest.mark.parametrize("shares", [(29,), (23,), (24,)])
def test_a_second_hello_where_the_server_asks_for_it(
    shares: tuple[int, ...], ca: Identity, good: Identity, server: Identity
) -> None:
    made = Device(identity=server, trusted=(ca.certificate,), versions=("TLS 1.3", "TLS 1.3"), curve=ec.SECP384R1())
    with listening(device(made)) as target:
        trial = tried(target, "TLS 1.3", shown(good), PlainHello(shares=shares))
    assert trial.outcome == Accepted("new_session_ticket")
    assert trial.connection is not None
    hellos = [m for m in trial.connection.messages if m.message == "client_hello"]
    assert len(hellos) == (1 if shares == (24,) else 2)


@pytest.mark.parametrize("version", ["TLS 1.2", "TLS 1.3"])
def test_records_are_as_small_as_the_server_asks(
    version: Version, ca: Identity, good: Identity, server: Identity
) -> None:
    made = Device(identity=server, trusted=(ca.certificate,), versions=(version, version))
    with listening(device(made)) as target:
        trial = tried(target, version, shown(good), PlainHello(extra=((1, b"\1"),)))
    assert isinstance(trial.outcome, Accepted)
    sent = b"".join(s.data for s in trial.exchange.segments if s.sender == "client")
    longest = 0
    while sent:
        size = int.from_bytes(sent[3:5], "big")
        longest, sent = max(longest, size), sent[5 + size :]
    assert longest <= 512 + 64


def test_the_flight_goes_out_in_one_piece(ca: Identity, good: Identity, server: Identity) -> None:
    for version in VERSIONS:
        made = Device(identity=server, trusted=(ca.certificate,), versions=(version, version))
        with listening(device(made)) as target:
            trial = tried(target, version, Presentation(shown(good).certificates, good.key, finished="broken"))
        assert len([s for s in trial.exchange.segments if s.sender == "client"]) == 2  # ClientHello, and all the rest


def asks_again(made: Device) -> Callable[[socket.socket], None]:
    """Serve as IIS does: no certificate is asked for until a request is there; then the handshake is done anew."""

    def serve(sock: socket.socket) -> None:
        connection = serving(made)
        pump(connection, sock, connection.do_handshake)
        pump(connection, sock, lambda: connection.recv(100))
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
        connection.renegotiate()
        pump(connection, sock, connection.do_handshake)
        pump(connection, sock, lambda: connection.recv(100))

    return serve


@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.2"])
def test_a_renegotiation_is_gone_along_with(
    version: Version, ca: Identity, good: Identity, stranger: Identity, server: Identity
) -> None:
    made = Device(identity=server, trusted=(ca.certificate,), versions=(version, version), asks="no")
    limits = Limits(read=1, linger=0.3, settle=0.02)
    with listening(asks_again(made)) as target:
        trials = [
            tried(target, version, one, limits=limits, request=b"GET / HTTP/1.0\r\n\r\n")
            for one in (shown(good), shown(stranger), Presentation())
        ]
    assert trials[0].outcome == Accepted("finished")
    assert [code(trial.outcome) for trial in trials] == [None, 48, 40]
    assert trials[1].connection is not None
    assert [c.subject for c in trials[1].connection.certificates.client] == ["CN=stranger"]
    assert trials[1].note == "the server asked for another handshake inside the connection (renegotiation)"


def asks_later(server: Identity, ca: Identity, folder: Path) -> Callable[[socket.socket], None]:
    """Serve TLS 1.3 and ask for a certificate after the handshake, RFC 8446 §4.6.2."""
    (folder / "server.pem").write_bytes(server.to_pem())
    (folder / "ca.pem").write_bytes(ca.certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(folder / "server.pem")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.post_handshake_auth = True

    def serve(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as wrapped:
            wrapped.recv(100)
            wrapped.verify_client_post_handshake()
            wrapped.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            wrapped.recv(100)
            wrapped.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
            wrapped.unwrap()

    return serve


def test_a_certificate_after_the_handshake(
    ca: Identity, good: Identity, stranger: Identity, server: Identity, tmp_path: Path
) -> None:
    hello = PlainHello(extra=((49, b""),))
    wrong = Presentation(shown(good).certificates, stranger.key)
    with listening(asks_later(server, ca, tmp_path)) as target:
        outcomes = [
            tried(target, "TLS 1.3", one, hello, request=b"GET / HTTP/1.0\r\n\r\n").outcome
            for one in (shown(good), shown(stranger), Presentation(), wrong)
        ]
    assert isinstance(outcomes[0], Accepted)
    assert [code(outcome) for outcome in outcomes] == [None, 48, 116, 51]


def test_a_server_that_never_asks_gets_no_certificate(ca: Identity, good: Identity, server: Identity) -> None:
    made = Device(identity=server, versions=("TLS 1.2", "TLS 1.2"), asks="no")
    with listening(device(made)) as target:
        trial = tried(target, "TLS 1.2", shown(good))
    assert trial.outcome == Accepted("finished")
    assert trial.note == "the server did not ask for a certificate: none was sent"


def test_a_reset_after_the_flight_may_have_lost_an_alert(ca: Identity, good: Identity, server: Identity) -> None:
    made = Device(identity=server, trusted=(ca.certificate,), versions=("TLS 1.2", "TLS 1.2"))

    def serve(sock: socket.socket) -> None:
        connection = serving(made)
        connection.bio_write(sock.recv(65536))
        with pytest.raises(SSL.WantReadError):
            connection.do_handshake()
        sock.sendall(connection.bio_read(65536))
        sock.recv(10)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with listening(serve) as target:
        trial = tried(target, "TLS 1.2", shown(good))
    assert trial.outcome == Closed("rst", "client_certificate", alert_lost=True)
    assert trial.connection is not None
    assert trial.connection.verdict is not None
    assert trial.connection.verdict.refused_by == "server"


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    trial = tried(Target("127.0.0.1", port), "TLS 1.2", Presentation())
    assert trial.outcome == Unreachable("connection refused")
    assert trial.connection is None


def test_a_host_that_does_not_exist() -> None:
    assert isinstance(tried(Target("a" * 70, 1), "TLS 1.2", Presentation()).outcome, Unreachable)


def test_a_version_from_nowhere() -> None:
    with pytest.raises(UsageError, match=r"TLS 1\.4: is no version that can be spoken; one of: SSLv3, TLS 1\.0"):
        tried(Target("127.0.0.1", 1), "TLS 1.4", Presentation())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("profile", PROFILES)
def test_hellos_of_real_clients(
    profile: str, version: Version, ca: Identity, good: Identity, stranger: Identity, server: Identity
) -> None:
    made = Device(identity=server, trusted=(ca.certificate,), versions=(version, version), ciphers="ALL:@SECLEVEL=0")
    hello = from_profile(profile)
    with listening(device(made)) as target:
        told = [exchange(target, hello, shown(one), version, QUICK) for one in (good, stranger)]
    outcomes = [trial_of("x", version, one).outcome for one in told]
    assert isinstance(outcomes[0], Accepted)
    assert code(outcomes[1]) == 48


@pytest.mark.parametrize("piece", [b"x", bytes(16000)], ids=["a drip", "a flood"])
def test_a_server_that_talks_on_after_it_accepted_is_left(
    piece: bytes, ca: Identity, good: Identity, server: Identity
) -> None:
    made = Device(identity=server, trusted=(ca.certificate,), versions=("TLS 1.3", "TLS 1.3"))

    def serve(sock: socket.socket) -> None:
        connection = serving(made)
        pump(connection, sock, connection.do_handshake)
        for _ in range(2_000):
            connection.send(piece)
            sock.sendall(connection.bio_read(65536))
            if len(piece) == 1:
                threading.Event().wait(0.01)

    with listening(serve) as target:
        limits = Limits(read=5, total=20, linger=0.2, settle=0.02, bytes=1 << 20)
        trial = tried(target, "TLS 1.3", shown(good), limits=limits)
    assert isinstance(trial.outcome, Accepted)
    assert trial.exchange.sizes[1] < 2_000 * (len(piece) + 22)  # it did not hear the end of it
