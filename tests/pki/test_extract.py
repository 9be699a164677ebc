"""What was found is written as PEM: public things, and private ones where that was asked for."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, load_pem_private_key

from tests.pki.stores import PASSPHRASE, leaf, look, make, run
from tlsalert.pki.extract import ExtractError, extract_private, extract_public

MANY = look(leaf().pem + leaf().private(encoding=Encoding.PEM))


def test_certificates_are_written_once_and_no_private_key_among_them(tmp_path: Path) -> None:
    assert extract_public([*MANY, *MANY], str(tmp_path / "out")) == 1
    (file,) = (tmp_path / "out").iterdir()
    assert file.name.startswith("leaf-")
    assert file.read_bytes() == leaf().pem
    assert stat.S_IMODE(file.stat().st_mode) & 0o022 == 0


def test_private_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    assert extract_private(MANY, str(tmp_path / "out")) == 1
    (file,) = (tmp_path / "out").iterdir()
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    key = load_pem_private_key(file.read_bytes(), None)
    assert key.private_numbers() == leaf().key.private_numbers()  # type: ignore[union-attr]


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key_is_written_as_it_is(form: PrivateFormat, tmp_path: Path) -> None:
    extract_private(look(leaf().locked(form)), str(tmp_path))
    (file,) = tmp_path.iterdir()
    assert load_pem_private_key(file.read_bytes(), PASSPHRASE)


def test_openssl_reads_what_was_written(tmp_path: Path) -> None:
    extract_private(look(make("CN=a").private(PrivateFormat.TraditionalOpenSSL)), str(tmp_path))
    (file,) = tmp_path.iterdir()
    assert b"read EC key" in run("sh", "-c", f"openssl ec -in {file.name} -noout 2>&1", folder=tmp_path)


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    extract_public(look(make("CN=../../etc/passwd,O=x").der), str(tmp_path / "out"))
    (file,) = (tmp_path / "out").iterdir()
    assert file.name.startswith("etc_passwd-")


def test_nothing_is_written_over_and_no_link_followed(tmp_path: Path) -> None:
    extract_private(MANY, str(tmp_path / "out"))
    (file,) = (tmp_path / "out").iterdir()
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    extract_private(MANY, str(tmp_path / "out"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExtractError, match="file"):
        extract_public(MANY, str(tmp_path / "file"))
