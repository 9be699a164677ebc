"""What a signature in the handshake proves about the key of the certificate beside it."""

from __future__ import annotations

from hashlib import md5, sha1, sha256, sha384
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from hypothesis import given
from hypothesis import strategies as st

from tests import stories
from tests.diagnosis.handshakes import replace, showing, spoken
from tests.pki.issuing import AUTHORITY, Holder, issue
from tlsalert.diagnosis.proofs import NO_PROOF, Proof, proof
from tlsalert.model import Certificates, Connection, HandshakeMessage, Position, Side

RSA, OTHER = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
CA = issue("CN=CA", None, AUTHORITY, key=OTHER)
LEAF, CURVE = issue("CN=leaf", CA, key=RSA), issue("CN=leaf", CA)
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
CODES = {
    "hello_request": 0, "client_hello": 1, "server_hello": 2, "new_session_ticket": 4, "encrypted_extensions": 8,
    "certificate": 11, "server_key_exchange": 12, "certificate_request": 13, "server_hello_done": 14,
    "certificate_verify": 15, "client_key_exchange": 16, "hello_retry_request": 2, "finished": 20,
}  # fmt: skip

CLIENT_FLIGHTS = (
    "client client_hello",
    "server server_hello certificate server_key_exchange certificate_request server_hello_done",
    "client certificate client_key_exchange",
)
FLIGHTS_13 = (
    "client client_hello",
    "server server_hello encrypted_extensions certificate_request certificate certificate_verify finished",
    "client certificate",
)


def said(*lines: str) -> list[HandshakeMessage]:
    """Return these messages with some body for each, as :func:`spoken` has them without."""
    found: list[HandshakeMessage] = []
    for frame, line in enumerate(lines, 1):
        sender, *names = line.split()
        side: Side = "client" if sender == "client" else "server"
        for name in names:
            body = f"{name} of the {sender}, number {len(found)}".encode()
            found.append(HandshakeMessage(name, CODES[name], side, Position(frame), None, len(body), body=body))
    return found


def wire(messages: list[HandshakeMessage]) -> bytes:
    """Return handshake messages as they are hashed: type, length and body, RFC 5246 §7.4."""
    return b"".join(bytes([m.type or 0]) + m.length.to_bytes(3, "big") + (m.body or b"") for m in messages)


def told(
    messages: list[HandshakeMessage],
    body: bytes,
    *chain: Holder,
    version: str = "TLS 1.2",
    side: Side = "client",
    **fields: Any,
) -> Connection:
    """Return the connection in which ``side`` showed a chain and a CertificateVerify with this body came last."""
    verify = HandshakeMessage("certificate_verify", 15, side, Position(9), None, len(body), body=body)
    shown = tuple(holder.certificate for holder in chain)
    certificates = Certificates(client=shown) if side == "client" else Certificates(server=shown)
    return spoken(version=version, messages=(*messages, verify), certificates=certificates, **fields)


def vector(signature: bytes, scheme: int | None = None) -> bytes:
    """Return a DigitallySigned, RFC 5246 §4.7."""
    return (b"" if scheme is None else scheme.to_bytes(2, "big")) + len(signature).to_bytes(2, "big") + signature


def rsa_by_hand(private: rsa.RSAPrivateKey, content: bytes) -> bytes:
    numbers = private.private_numbers()
    size = private.key_size // 8
    block = b"\0\1" + b"\xff" * (size - 3 - len(content)) + b"\0" + content
    return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")


HELLOS = said(*CLIENT_FLIGHTS)
GOOD = vector(RSA.sign(wire(HELLOS), PSS, hashes.SHA256()), 0x0804)


def test_a_signature_over_all_messages_so_far_proves_the_key() -> None:
    """RFC 5246 §7.4.8."""
    assert proof(told(HELLOS, GOOD, LEAF, CA), "client") == Proof(
        "certificate_verify", True, 0, Position(9), scheme=0x0804
    )


@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.1"])
def test_before_tls_1_2_it_has_no_scheme(version: str) -> None:
    """RFC 4346 §7.4.8: RSA over MD5 and SHA-1, ECDSA over SHA-1."""
    words = wire(HELLOS)
    old = vector(rsa_by_hand(RSA, md5(words).digest() + sha1(words).digest()))
    assert proof(told(HELLOS, old, LEAF, version=version), "client").holds is True
    curve = vector(CURVE.key.sign(sha1(words).digest(), ec.ECDSA(Prehashed(hashes.SHA1()))))
    assert proof(told(HELLOS, curve, CURVE, version=version), "client").holds is True
    assert proof(told(HELLOS, GOOD, LEAF, version=version), "client").holds is None  # lengths that don't fit


def test_in_sslv3_only_who_has_the_master_secret_can_tell() -> None:
    """RFC 6101 §5.6.8."""
    found = proof(told(HELLOS, vector(b"x" * 256), LEAF, version="SSLv3"), "client")
    assert (found.holds, found.position) == (None, Position(9))


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize(
    ("suite", "hash_"), [("TLS_AES_128_GCM_SHA256", sha256), ("TLS_AES_256_GCM_SHA384", sha384)], ids=["256", "384"]
)
def test_in_tls_1_3_both_sides_sign_a_hash_with_their_role_before_it(side: Side, suite: str, hash_: Any) -> None:
    """RFC 8446 §4.4.3."""
    messages = said(*FLIGHTS_13)
    words = b" " * 64 + f"TLS 1.3, {side} CertificateVerify".encode() + b"\0" + hash_(wire(messages)).digest()
    body = vector(CURVE.key.sign(words, ec.ECDSA(hashes.SHA256())), 0x0403)
    assert proof(told(messages, body, CURVE, version="TLS 1.3", side=side, cipher_suite=suite), side).holds is True
    other: Side = "server" if side == "client" else "client"
    assert proof(told(messages, body, CURVE, version="TLS 1.3", side=other, cipher_suite=suite), other).holds is False


def test_after_a_hello_retry_request_the_first_hello_is_its_hash() -> None:
    """RFC 8446 §4.4.1; tickets (§4.6.1) are no part of the handshake."""
    first = said("client client_hello")
    rest = said("server hello_retry_request", "client client_hello", *FLIGHTS_13[1:])
    ticket = said("server new_session_ticket")
    digest = sha256(wire(first)).digest()
    words = b"\xfe\0\0\x20" + digest + wire(rest)
    content = b" " * 64 + b"TLS 1.3, client CertificateVerify\0" + sha256(words).digest()
    body = vector(CURVE.key.sign(content, ec.ECDSA(hashes.SHA256())), 0x0403)
    told_ = told([*first, *rest, *ticket], body, CURVE, version="TLS 1.3", cipher_suite="TLS_CHACHA20_POLY1305_SHA256")
    assert proof(told_, "client").holds is True


def test_what_is_no_part_of_the_handshake_is_not_signed() -> None:
    """RFC 5246 §7.4.1.1: a HelloRequest is left out, and ChangeCipherSpec is no handshake message."""
    extra = said("server hello_request")
    ccs = HandshakeMessage("change_cipher_spec", None, "client", Position(3), None, 1)
    assert proof(told([*extra, *HELLOS, ccs], GOOD, LEAF), "client").holds is True


def test_a_renegotiation_is_a_handshake_of_its_own() -> None:
    before = said(*CLIENT_FLIGHTS)
    assert proof(told([*before, *HELLOS], GOOD, LEAF), "client").holds is True


def test_an_sslv2_hello_is_signed_without_its_length() -> None:
    """RFC 5246 §E.2."""
    hello = HandshakeMessage("sslv2_client_hello", 1, "client", Position(1), None, 9, body=b"\x01\3\0any\0\0\0")
    words = b"\x01\3\0any\0\0\0" + wire(HELLOS[1:])
    body = vector(RSA.sign(words, PSS, hashes.SHA256()), 0x0804)
    assert proof(told([hello, *HELLOS[1:]], body, LEAF), "client").holds is True


# --- signatures that do not verify ----------------------------------------------------------------------------------


def test_another_key_did_not_make_it() -> None:
    wrong = vector(OTHER.sign(wire(HELLOS), PSS, hashes.SHA256()), 0x0804)
    found = proof(told(HELLOS, wrong, LEAF), "client")
    assert (found.holds, found.signer, found.altered) == (False, None, False)


def test_the_chains_other_key_did() -> None:
    """The chain is in the wrong order: the client has the second certificate's key."""
    found = proof(told(HELLOS, GOOD, CA, LEAF), "client")
    assert (found.holds, found.signer) == (False, 1)


@pytest.mark.parametrize("scheme", [0x0804, 0x0401], ids=["PSS", "PKCS #1"])
def test_the_right_key_over_other_words_is_no_other_key(scheme: int) -> None:
    """RSA's padding shows it: then what was signed was changed, on the way or in the capture."""
    way: Any = PSS if scheme == 0x0804 else padding.PKCS1v15()
    body = vector(RSA.sign(b"other words", way, hashes.SHA256()), scheme)
    found = proof(told(HELLOS, body, LEAF), "client")
    assert (found.holds, found.altered) == (None, True)


def test_where_the_capture_lost_or_mixed_up_something_nothing_is_disproved() -> None:
    wrong = vector(OTHER.sign(wire(HELLOS), PSS, hashes.SHA256()), 0x0804)
    assert proof(told(HELLOS, wrong, LEAF, notes=("3 bytes are missing",)), "client").holds is None
    assert proof(told(HELLOS, GOOD, LEAF, notes=("3 bytes are missing",)), "client").holds is True


@pytest.mark.parametrize("place", range(len(HELLOS)))
def test_a_message_that_was_not_kept_whole_leaves_it_open(place: int) -> None:
    for broken in (
        replace(HELLOS[place], body=None),
        replace(HELLOS[place], cut=True),
        replace(HELLOS[place], length=HELLOS[place].length + 1),
        replace(HELLOS[place], message="encrypted_handshake", type=None, body=None),
    ):
        messages = [*HELLOS[:place], broken, *HELLOS[place + 1 :]]
        assert proof(told(messages, GOOD, LEAF), "client").holds is None


def test_without_its_beginning_it_is_left_open() -> None:
    assert proof(told(HELLOS[1:], GOOD, LEAF), "client").holds is None
    assert proof(told([HELLOS[0], *HELLOS[2:]], GOOD, LEAF), "client").holds is None


def test_a_leaf_without_a_key_leaves_it_open() -> None:
    garbage = Holder(None, b"certainly no certificate")
    assert proof(told(HELLOS, GOOD, garbage, LEAF), "client").holds is None


def test_who_sent_no_chain_has_nothing_to_prove() -> None:
    assert proof(told(HELLOS, GOOD), "client") == NO_PROOF


def test_a_certificate_verify_that_was_due_and_left_out() -> None:
    """RFC 5246 §7.4.8: it follows every client certificate with a key that can sign."""
    ccs = HandshakeMessage("change_cipher_spec", None, "client", Position(3), None, 1)
    story = showing(spoken(messages=(*HELLOS, ccs)), LEAF.certificate)
    assert proof(story, "client").missing
    assert not proof(replace(story, messages=tuple(HELLOS)), "client").missing  # it may still come
    assert not proof(replace(story, notes=("a gap",)), "client").missing
    assert not proof(showing(story, replace(LEAF.certificate, key="DH")), "client").missing  # RFC 5246 §7.4.8
    assert not proof(told([*HELLOS], GOOD, LEAF), "client").missing


# --- a server's key exchange ----------------------------------------------------------------------------------------

CLIENT_RANDOM, SERVER_RANDOM = stories.HELLO.random, stories.ANSWER.random
POINT = b"\3\0\x1d\x20" + bytes(range(32))
FINITE = b"\0\2pp\0\1g\0\2Ys"


def exchanged(parameters: bytes, signature: bytes, *chain: Holder, **fields: Any) -> Connection:
    """Return a connection with this ServerKeyExchange."""
    body = parameters + signature
    message = HandshakeMessage("server_key_exchange", 12, "server", Position(2), None, len(body), body=body)
    messages = (HELLOS[0], HELLOS[1], message)
    shown = tuple(holder.certificate for holder in chain)
    filled: dict[str, Any] = {"client_hello": stories.HELLO, "server_hello": stories.ANSWER}
    return spoken(messages=messages, certificates=Certificates(server=shown), **{**filled, **fields})


@pytest.mark.parametrize(
    ("suite", "parameters"),
    [
        pytest.param("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", POINT, id="RFC 8422 §5.4"),
        pytest.param("TLS_DHE_RSA_WITH_AES_128_CBC_SHA", FINITE, id="RFC 5246 §7.4.3"),
    ],
)
def test_a_server_signs_its_parameters_and_both_randoms(suite: str, parameters: bytes) -> None:
    words = CLIENT_RANDOM + SERVER_RANDOM + parameters
    good = vector(RSA.sign(words, PSS, hashes.SHA256()), 0x0804)
    found = proof(exchanged(parameters, good, LEAF, cipher_suite=suite), "server")
    assert (found.message, found.holds, found.position) == ("server_key_exchange", True, Position(2))
    wrong = vector(OTHER.sign(words, PSS, hashes.SHA256()), 0x0804)
    assert proof(exchanged(parameters, wrong, LEAF, cipher_suite=suite), "server").holds is False


@pytest.mark.parametrize("version", ["SSLv3", "TLS 1.0", "TLS 1.1"])
def test_an_old_server_signs_two_hashes(version: str) -> None:
    """RFC 6101 §5.6.3 and RFC 4346 §7.4.3 alike."""
    words = CLIENT_RANDOM + SERVER_RANDOM + FINITE
    good = vector(rsa_by_hand(RSA, md5(words).digest() + sha1(words).digest()))
    fields = {"tls_version": version, "cipher_suite": "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"}
    assert proof(exchanged(FINITE, good, LEAF, **fields), "server").holds is True


@pytest.mark.parametrize(
    "suite", ["TLS_DH_anon_WITH_AES_128_CBC_SHA", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"]
)
def test_an_exchange_that_is_not_signed_proves_nothing(suite: str) -> None:
    assert proof(exchanged(POINT, b"", LEAF, cipher_suite=suite), "server").holds is None


@given(st.binary(max_size=400), st.sampled_from(["TLS_ECDHE_RSA_WITH_X", "TLS_DHE_DSS_WITH_X", None]), st.booleans())
def test_any_bytes_prove_nothing(body: bytes, suite: str | None, old: bool) -> None:
    version = "TLS 1.1" if old else "TLS 1.2"
    story = exchanged(body, b"", LEAF, cipher_suite=suite, tls_version=version)
    assert proof(story, "server").holds in (None, False)
    assert proof(told(HELLOS, body, LEAF, version=version), "client").holds in (None, False)
