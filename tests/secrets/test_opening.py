"""What a user gives to decrypt with is put together, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from tests.secrets import captured
from tests.secrets.peers import Peers, Talk, identity
from tlsalert.capture import read
from tlsalert.errors import CaptureError, UsageError
from tlsalert.lab.certificates import self_signed
from tlsalert.secrets.opening import OpenWith, open_with

PHRASE = b"correct horse"


@pytest.fixture(scope="module")
def static() -> Iterator[Talk]:
    """A handshake of TLS 1.2 with static RSA key exchange."""
    peers = Peers("TLS 1.2", "AES128-SHA")
    yield peers.talk()
    peers.close()


def key_file(folder: Path, form: str, locked: bool) -> Path:
    """Write the server's key in one of its forms."""
    lock: KeySerializationEncryption = BestAvailableEncryption(PHRASE) if locked else NoEncryption()
    key, path = identity("rsa").key, folder / form.replace(" ", "-")
    if form == "PKCS12":
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"me", key, identity("rsa").certificate, None, lock))
        return path
    encoding = Encoding.PEM if "PEM" in form else Encoding.DER
    path.write_bytes(
        key.private_bytes(encoding, PrivateFormat.PKCS8 if "8" in form else PrivateFormat.TraditionalOpenSSL, lock)
    )
    return path


@pytest.mark.parametrize("form", ["PEM", "PEM 8", "DER", "DER 8", "PKCS12"])
@pytest.mark.parametrize("locked", [False, True], ids=["open", "locked"])
def test_a_key_of_every_form_opens_static_rsa(static: Talk, tmp_path: Path, form: str, locked: bool) -> None:
    if form == "DER" and locked:
        pytest.skip("PKCS #1 has no encryption of its own in DER")
    pcap = captured.write(tmp_path / "rsa.pcap", static)
    (connection,) = read(pcap, rsa_key=key_file(tmp_path, form, locked), passphrase=PHRASE if locked else None)
    assert [one.decrypted for one in connection.messages if one.message == "finished"] == [True, True]
    if not locked:
        return
    with pytest.raises(UsageError) as raised:
        read(pcap, rsa_key=key_file(tmp_path, form, locked), passphrase=b"wrong")
    assert "passphrase" in str(raised.value)
    assert "wrong" not in str(raised.value)


def test_another_servers_key_is_told_as_such(static: Talk, tmp_path: Path) -> None:
    other = self_signed("CN=other", datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC), "rsa")
    path = tmp_path / "other.pem"
    path.write_bytes(other.to_pem())
    (connection,) = read(captured.write(tmp_path / "rsa.pcap", static), rsa_key=path)
    assert "finished" not in [one.message for one in connection.messages]
    assert [note for note in connection.notes if note.endswith("the RSA key is not the server's")]


def test_what_is_no_key_or_key_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nothing"
    with pytest.raises(CaptureError, match="cannot be read"):
        open_with([path])
    with pytest.raises(CaptureError, match="cannot be read"):
        open_with([], [path])
    path.write_text("no key")
    with pytest.raises(CaptureError, match="no private key"):
        open_with([], [path])


def test_several_key_logs_are_one(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}").write_text(f"CLIENT_RANDOM {number:064x} {number:096x}\n")
    opened = open_with([tmp_path / "1", tmp_path / "2"], psks=[b"psk"], everything=True)
    assert (len(opened.keyring.keylog), len(opened.keyring.psks), opened.everything) == (2, 1, True)


def test_without_anything_there_is_an_empty_keyring_to_be_filled() -> None:
    opened = OpenWith()
    assert len(opened.keyring.keylog) == 0
    assert opened.keyring is opened.keyring
    assert not opened.everything
