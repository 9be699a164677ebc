"""Handshakes of real peers are opened: every version and cipher suite that OpenSSL has in common with us."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from collections.abc import Iterator

import pytest
from OpenSSL import SSL

from tests.secrets.peers import NO_ENCRYPT_THEN_MAC, NO_EXTENDED_MASTER_SECRET, VERSIONS, Peers, Talk, identity
from tlsalert.lab.certificates import KeyKind
from tlsalert.model import Side
from tlsalert.secrets.handshake import CERTIFICATE_REQUEST, FINISHED
from tlsalert.secrets.keylog import CLIENT_TRAFFIC, KeyLog
from tlsalert.secrets.keyring import Keyring
from tlsalert.secrets.private_keys import RsaKey, load_keys
from tlsalert.secrets.stream import Decryptor, Failure, Plaintext, decrypt

HANDSHAKE, ALERT, DATA = 22, 21, 23


def offered() -> Iterator[object]:
    """Go through the versions and suites that the local OpenSSL can do with RSA or ECDSA certificates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:COMPLEMENTOFALL:eNULL:@SECLEVEL=0")
    for cipher in context.get_ciphers():
        name = cipher["name"]
        if "PSK" in name or "SRP" in name or "DSS" in name:
            continue  # Python 3.11 cannot speak these
        kind: KeyKind = "p256" if "ECDSA" in name else "rsa"
        if cipher["protocol"] == "TLSv1.3":
            continue  # nor choose among these; they have a test of their own
        if cipher["protocol"] == "TLSv1.2":
            yield pytest.param("TLS 1.2", name, kind, id=f"TLS 1.2 {name}")
        else:
            for version in ("TLS 1.0", "TLS 1.1", "TLS 1.2"):
                yield pytest.param(version, name, kind, id=f"{version} {name}")


def shaken(version: int, suites: bytes, renegotiate: bool = False) -> Talk:
    """Shake hands by pyOpenSSL, which can choose suites of TLS 1.3 and renegotiate."""
    talk, sides = Talk(), ("client", "server")
    contexts = {side: SSL.Context(SSL.TLS_METHOD) for side in sides}
    for context in contexts.values():
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
        context.set_cipher_list(b"ALL:@SECLEVEL=0" if version == SSL.TLS1_3_VERSION else suites)
        if version == SSL.TLS1_3_VERSION:
            context.set_tls13_ciphersuites(suites)
    lines: list[bytes] = []
    contexts["client"].set_keylog_callback(lambda connection, line: lines.append(line))
    contexts["server"].use_certificate(identity("rsa").certificate)
    contexts["server"].use_privatekey(identity("rsa").key)
    client, server = (SSL.Connection(contexts[side], None) for side in sides)
    client.set_connect_state()
    server.set_accept_state()

    def carry() -> None:
        for side, peer, other in (("client", client, server), ("server", server, client)):
            with contextlib.suppress(SSL.WantReadError):
                while True:
                    data = peer.bio_read(65536)
                    talk.take("client" if side == "client" else "server", data)
                    other.bio_write(data)

    def shake() -> None:
        for _ in range(6):
            for peer in (client, server):
                with contextlib.suppress(SSL.WantReadError):
                    peer.do_handshake()
                carry()

    shake()
    if renegotiate:
        server.renegotiate()
        for _ in range(4):
            for peer in (server, client):
                with contextlib.suppress(SSL.WantReadError):
                    peer.do_handshake()
                with contextlib.suppress(SSL.WantReadError):
                    peer.recv(1)
                carry()
        assert server.total_renegotiations() == 1
    client.send(b"question")
    carry()
    server.recv(100)
    server.send(b"answer" * 1000)
    client.shutdown()
    carry()
    talk.keylog = b"\n".join(lines)
    return talk


SUITES_13 = [
    b"TLS_AES_128_GCM_SHA256",
    b"TLS_AES_256_GCM_SHA384",
    b"TLS_CHACHA20_POLY1305_SHA256",
    b"TLS_AES_128_CCM_SHA256",
    b"TLS_AES_128_CCM_8_SHA256",
]


@pytest.mark.parametrize("suite", SUITES_13, ids=bytes.decode)
def test_every_suite_of_tls13_opens(suite: bytes) -> None:
    talk = shaken(SSL.TLS1_3_VERSION, suite)
    assert complete(read(talk, logged(talk)))


def test_a_renegotiation_opens_under_its_own_secret() -> None:
    """RFC 5246 §7.4.1: the hellos, and with them the new randoms, are encrypted under the old keys."""
    talk = shaken(SSL.TLS1_2_VERSION, b"ECDHE-RSA-AES128-GCM-SHA256", renegotiate=True)
    plain = read(talk, logged(talk))
    assert complete(plain)
    assert [one.epoch for one in plain if one.content_type == 20] == ["1", "1"]
    assert {one.epoch for one in plain if one.content_type == DATA} == {"2"}


def logged(talk: Talk) -> Keyring:
    keylog = KeyLog()
    keylog.add(talk.keylog)
    return Keyring(keylog)


def server_key() -> RsaKey:
    return load_keys(identity("rsa").to_pem(), "server.key")[0]


def read(talk: Talk, keyring: Keyring) -> list[Plaintext]:
    """Open everything; nothing may fail."""
    told = list(decrypt(talk.records, keyring))
    assert [str(one) for one in told if isinstance(one, Failure)] == []
    return [one for one in told if isinstance(one, Plaintext)]


def said(plain: list[Plaintext], side: Side, kind: int = DATA) -> bytes:
    return b"".join(one.data for one in plain if one.side == side and one.content_type == kind)


def complete(plain: list[Plaintext]) -> bool:
    """Whether the whole talk is there: data both ways and the closing alert of the client."""
    return (
        said(plain, "client") == b"question"
        and said(plain, "server") == b"answer" * 1000
        and said(plain, "client", ALERT) == b"\x01\x00"
    )


@pytest.mark.parametrize(("version", "cipher", "kind"), list(offered()))
def test_every_record_of_every_suite_opens(version: str, cipher: str, kind: KeyKind) -> None:
    peers = Peers(version, cipher, kind, client_certificate="ADH" not in cipher and "AECDH" not in cipher)
    try:
        talk = peers.talk()
    except ssl.SSLError as error:
        pytest.skip(f"this OpenSSL does not: {error.reason}")
    finally:
        peers.close()
    assert complete(read(talk, logged(talk)))


@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.1", "TLS 1.2"])
@pytest.mark.parametrize("options", [0, NO_EXTENDED_MASTER_SECRET, NO_ENCRYPT_THEN_MAC], ids=["", "no EMS", "no EtM"])
@pytest.mark.parametrize("cipher", ["AES128-SHA", "AES256-GCM-SHA384"])
def test_the_servers_rsa_key_opens_static_rsa(version: str, options: int, cipher: str) -> None:
    if "GCM" in cipher and version != "TLS 1.2":
        return
    peers = Peers(version, cipher, options=options, client_certificate=True)
    talk = peers.talk()
    peers.close()
    keyring = Keyring(rsa_keys=[server_key()])
    assert complete(read(talk, keyring))
    assert [f"{label} {random.hex()} {secret.hex()}" for label, random, secret in keyring.derived] == [
        line for line in talk.keylog.decode().splitlines() if line.startswith("CLIENT_RANDOM")
    ]


def test_a_logged_premaster_secret_opens_static_rsa() -> None:
    """OpenSSL logs it beside the master secret, under the beginning of the encrypted premaster."""
    peers = Peers("TLS 1.2", "AES128-SHA")
    talk = peers.talk()
    peers.close()
    talk.keylog = b"".join(line for line in talk.keylog.splitlines(keepends=True) if line.startswith(b"RSA "))
    assert complete(read(talk, logged(talk)))


@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.2"])
@pytest.mark.parametrize("tickets", [True, False], ids=["ticket", "session ID"])
def test_a_resumed_session_opens_with_the_rsa_key_of_the_first(version: str, tickets: bool) -> None:
    peers = Peers(version, "AES128-SHA", options=0 if tickets else int(ssl.OP_NO_TICKET))
    first = peers.talk()
    second = peers.talk(resume=first)
    peers.close()
    assert second.resumed
    keyring = Keyring(rsa_keys=[server_key()])
    assert complete(read(first, keyring))
    assert complete(read(second, keyring))
    told = list(decrypt(second.records, Keyring(rsa_keys=[server_key()])))
    assert {str(one) for one in told} == {
        "there is no secret for this client random, and the session it resumes was not captured"
    }


def test_a_hello_that_had_to_be_sent_again_opens() -> None:
    """RFC 8446 §4.1.4: the server has a group that the client had no share for."""
    peers = Peers("TLS 1.3", "ALL")
    peers.server.set_ecdh_curve("secp521r1")
    talk = peers.talk()
    peers.close()
    assert sum(record.content_type == HANDSHAKE for record in talk.records) == 4
    assert complete(read(talk, logged(talk)))


def test_a_resumed_session_of_tls13_opens_with_the_key_log() -> None:
    peers = Peers("TLS 1.3", "ALL")
    first = peers.talk()
    second = peers.talk(resume=first)
    peers.close()
    assert second.resumed
    assert complete(read(second, logged(second)))


def test_a_client_certificate_that_is_asked_for_later_is_read() -> None:
    """RFC 8446 §4.6.2."""
    peers = Peers("TLS 1.3", "ALL", client_certificate=True)
    peers.client.post_handshake_auth = True
    peers.server.verify_mode = ssl.CERT_OPTIONAL
    talk = peers.talk(client_auth_later=True)
    peers.close()
    plain = read(talk, logged(talk))
    asked = [
        one.data[0] for one in plain if one.side == "server" and one.epoch == "application" and one.content_type == 22
    ]
    assert CERTIFICATE_REQUEST in asked
    answered = b"".join(
        one.data for one in plain if one.side == "client" and one.epoch == "application" and one.content_type == 22
    )
    assert answered[0] == 11
    assert bytes((FINISHED, 0, 0)) in answered


@pytest.mark.parametrize("version", VERSIONS)
def test_one_direction_alone_opens_as_well(version: str) -> None:
    peers = Peers(version)
    talk = peers.talk()
    peers.close()
    lines = [line for line in talk.keylog.splitlines(keepends=True) if not line.startswith((b"CLIENT_T", b"CLIENT_H"))]
    talk.keylog = b"".join(lines)
    plain = [one for one in decrypt(talk.records, logged(talk)) if isinstance(one, Plaintext)]
    assert said(plain, "server") == b"answer" * 1000


def test_application_secrets_alone_open_what_is_under_them() -> None:
    peers = Peers("TLS 1.3", "ALL", client_certificate=True)
    talk = peers.talk()
    peers.close()
    talk.keylog = b"".join(line for line in talk.keylog.splitlines(keepends=True) if b"HANDSHAKE" not in line)
    decryptor = Decryptor(logged(talk))
    told = [one for record in talk.records if (one := decryptor.feed(record)) is not None]
    assert complete([one for one in told if isinstance(one, Plaintext)])
    assert {(failure.kind, failure.epoch, str(failure)) for failure in decryptor.failures} == {
        (
            "no_secret",
            "handshake",
            f"the key log has secrets for this client random, but not {side}_HANDSHAKE_TRAFFIC_SECRET",
        )
        for side in ("CLIENT", "SERVER")
    }


def test_secrets_of_another_connection_are_told_as_wrong_ones() -> None:
    peers = Peers("TLS 1.2", "ECDHE-RSA-AES128-GCM-SHA256")
    talk, other = peers.talk(), peers.talk()
    peers.close()
    words = other.keylog.split()
    random = talk.records[0].fragment
    assert random is not None
    talk.keylog = b" ".join((b"CLIENT_RANDOM", random[6:38].hex().encode(), words[-1]))
    told = list(decrypt(talk.records, logged(talk)))
    assert told
    assert str(told[0]) == "secret found, record 0 of the client does not authenticate"
    assert {one.kind for one in told if isinstance(one, Failure)} == {"not_authentic"}


@pytest.mark.parametrize(
    ("version", "cipher", "says"),
    [
        ("TLS 1.2", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE key exchange"),
        ("TLS 1.2", "DHE-RSA-AES128-GCM-SHA256", "DHE key exchange"),
        ("TLS 1.3", "ALL", "TLS 1.3's key exchange"),
    ],
)
def test_an_rsa_key_that_cannot_help_is_told_so(version: str, cipher: str, says: str) -> None:
    peers = Peers(version, cipher)
    talk = peers.talk()
    peers.close()
    told = {str(one) for one in decrypt(talk.records, Keyring(rsa_keys=[server_key()]))}
    assert told == {f"there is no secret for this client random, and an RSA key does not open {says}"}


def test_secrets_that_come_late_open_what_comes_after_them() -> None:
    peers = Peers("TLS 1.0", "AES128-SHA")
    talk = peers.talk()
    peers.close()
    keyring = Keyring()
    decryptor = Decryptor(keyring)
    data = [record for record in talk.records if record.content_type == DATA]
    told = []
    for record in talk.records:
        if record is data[0]:
            keyring.keylog.add(talk.keylog)
        told.append(decryptor.feed(record))
    assert complete([one for one in told if isinstance(one, Plaintext)])


def test_a_generation_of_keys_that_is_logged_but_not_used_does_no_harm() -> None:
    peers = Peers("TLS 1.3", "ALL")
    talk = peers.talk()
    peers.close()
    random = talk.keylog.split(b"SECRET ")[1][:64]
    talk.keylog += CLIENT_TRAFFIC[:-1].encode() + b"1 " + random + b" " + b"ab" * 48 + b"\n"
    assert complete(read(talk, logged(talk)))
