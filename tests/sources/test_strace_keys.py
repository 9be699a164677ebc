"""Certificates and keys that a traced program had: which fits which is told, and keys are never shown."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_der_x509_certificate

from tests.pki.certificates import KEY, made
from tests.sources.straces import Script, string
from tlsalert.capture import read
from tlsalert.sources.strace_files import Piece
from tlsalert.sources.strace_keys import Keys

DER = made()
CERTIFICATE = load_der_x509_certificate(DER).public_bytes(Encoding.PEM)
PRIVATE = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
OTHER = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def keys(**files: bytes) -> Keys:
    kept = Keys()
    kept.learn(Piece(name, data, line, written=False) for line, (name, data) in enumerate(files.items(), 1))
    return kept


def test_a_key_that_fits_is_told_with_its_certificate() -> None:
    kept = keys(cert=CERTIFICATE, key=PRIVATE)
    (note,) = kept.notes()
    assert note.startswith("the private key in key (line 2) fits the certificate in cert (line 1): ")
    assert [one.sha256 for one in kept.chain()] == [load_der_x509_certificate(DER).fingerprint(SHA256()).hex()]


def test_der_and_one_file_with_both_are_read() -> None:
    assert keys(cert=DER, key=KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).chain()
    assert keys(both=b"some words\n" + PRIVATE + CERTIFICATE).chain()


def test_a_key_that_fits_none_is_told() -> None:
    kept = keys(cert=CERTIFICATE, key=OTHER)
    assert kept.notes() == ["the private key in key (line 2) fits none of the certificates in this log"]
    assert kept.chain() == ()


def test_what_cannot_be_known_is_not_said() -> None:
    locked = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    assert keys(cert=CERTIFICATE, key=locked).notes() == []
    assert keys(key=PRIVATE).notes() == []
    assert keys(broken=CERTIFICATE[:90] + CERTIFICATE[-30:], junk=b"0\x82").notes() == []


def test_of_two_that_fit_neither_is_the_clients() -> None:
    kept = keys(one=CERTIFICATE, key=PRIVATE, two=load_der_x509_certificate(made(serial=7)).public_bytes(Encoding.PEM))
    assert kept.chain() == ()


def test_keys_are_not_kept() -> None:
    kept = keys(cert=CERTIFICATE, key=PRIVATE)
    assert PRIVATE[40:80] not in repr((kept._keys, kept._chains)).encode()


def test_a_log_tells_it_and_shows_no_key(tmp_path: Path) -> None:
    script = Script()
    for name, data in (("client.crt", CERTIFICATE), ("client.key", PRIVATE)):
        script.call(f'openat(AT_FDCWD, "/etc/{name}", O_RDONLY) = 3')
        script.call(f"read(3, {string(data)}, 4096) = {len(data)}").call("close(3) = 0")
    file = tmp_path / "trace.log"
    file.write_bytes(script.connect().handshake().bytes())
    found = read(file)
    notes = " ".join(found.summary.notes)
    assert "the private key in /etc/client.key (line 4) fits the certificate in /etc/client.crt (line 1)" in notes
    assert "PRIVATE KEY" not in notes + repr(list(found))
