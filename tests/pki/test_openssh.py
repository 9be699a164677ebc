"""OpenSSH's keys, as ssh-keygen makes them."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

from tests.pki.stores import leaf, look, look_at_all, run
from tlsalert.pki.containers import Damage
from tlsalert.pki.extract import pem

PUBLIC = leaf().key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


@pytest.mark.parametrize("passphrase", ["", "open sesame"])
def test_the_public_half_shows_even_where_the_key_is_encrypted(passphrase: str, tmp_path: Path) -> None:
    (tmp_path / "id").write_bytes(leaf().private(PrivateFormat.OpenSSH, Encoding.PEM))
    (tmp_path / "id").chmod(0o600)
    run("ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", "id", folder=tmp_path)
    (one,) = look((tmp_path / "id").read_bytes())
    assert (one.kind, one.key, one.encrypted) == ("private_key", "RSA 2048", passphrase != "")
    assert one.spki_sha256 == sha256(leaf().spki).hexdigest()


def test_public_keys_are_found_in_lines() -> None:
    text = b'# hosts\nfrom="10.0.0.0/8" ' + PUBLIC + b" root@board\nssh-rsa AAAA not a key\n"
    (one,) = look(text)
    assert (one.kind, one.key, one.label) == ("public_key", "RSA 2048", "root@board")
    assert one.spki_sha256 == sha256(leaf().spki).hexdigest()


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_what_ssh_keygen_makes_is_read_and_fits(kind: str, tmp_path: Path) -> None:
    run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", "id", folder=tmp_path)
    (private,), (public,) = look((tmp_path / "id").read_bytes()), look((tmp_path / "id.pub").read_bytes())
    assert private.spki_sha256 == public.spki_sha256
    assert not private.encrypted


@pytest.mark.parametrize("size", [10, 30, 60, 200])
def test_a_key_that_is_cut_off_is_told(size: int) -> None:
    data = b"openssh-key-v1\0" + b"\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\1\0\0\1\x17" + bytes(50)
    (one,) = look_at_all(pem("OPENSSH PRIVATE KEY", data[:size] + b"\xff" * 4))
    assert isinstance(one, Damage)
