"""The inventory as a whole: from paths to related and judged things."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

import tlsalert
from tests.evidence import CASES, needs_cases
from tests.pki.stores import AT, PASSPHRASE, leaf, look_at_all
from tests.pki.test_archives import tarred, zipped
from tlsalert.pki.containers import Damage, Limits
from tlsalert.pki.inventory import inventory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "server.crt").write_bytes(leaf().pem)
    (tmp_path / "etc" / "server.key").write_bytes(leaf().private(encoding=Encoding.PEM))
    (tmp_path / "etc" / "stunnel.conf").write_text("cert = server.crt\nkey=server.key\n[kvm]\naccept = 5900\n")
    (tmp_path / "fw.zip").write_bytes(zipped({"rootfs.tar": tarred({"./etc/server.crt": leaf().der})}))
    return tmp_path


def test_things_in_files_and_archives_are_related(folder: Path) -> None:
    found = {one.where.removeprefix(f"{folder}/"): one for one in tlsalert.certs(folder, at=AT)}
    assert list(found) == ["fw.zip!/rootfs.tar!/etc/server.crt", "etc/server.crt", "etc/server.key", "etc/stunnel.conf"]
    inside, certificate, key, config = found.values()
    assert inside.duplicates == (certificate.where,)
    assert key.fits == (inside.where, certificate.where)
    assert [str(use) for use in key.used_by] == ["stunnel [kvm] key (accept 5900)"]
    assert (config.kind, config.key) == ("config", "stunnel")


def test_several_paths_are_one_inventory(folder: Path) -> None:
    found = tlsalert.certs(folder / "etc" / "server.crt", str(folder / "etc" / "server.key"))
    assert found[0].fits == (str(folder / "etc" / "server.key"),)


def test_passphrases_open_keys(tmp_path: Path) -> None:
    (tmp_path / "a.key").write_bytes(leaf().locked())
    assert tlsalert.certs(tmp_path)[0].spki_sha256 is None
    assert tlsalert.certs(tmp_path, passphrases=[PASSPHRASE])[0].spki_sha256 is not None


def test_a_path_that_is_not_there_is_an_error() -> None:
    with pytest.raises(tlsalert.TlsalertError, match="no such file"):
        tlsalert.certs("there is no such file")


def test_one_path_of_many_that_cannot_be_read_is_told_beside_the_others(folder: Path) -> None:
    taken = inventory([str(folder / "none"), str(folder / "etc")])
    assert len(taken.unread) == 1
    assert len(taken.found) == 3


def test_what_is_refused_is_told_and_the_rest_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"bomb": bytes(4 << 20), "a.crt": leaf().pem}))
    taken = inventory([str(tmp_path)], limits=Limits(member_bytes=1 << 20))
    assert [one.where for one in taken.found] == [f"{tmp_path}/a.zip!/a.crt"]
    assert taken.damage == (Damage(f"{tmp_path}/a.zip!/bomb", "4 MiB unpacked, more than 1 MiB: not read"),)


def test_a_capture_inside_an_archive_is_told_as_such() -> None:
    (damage,) = look_at_all(zipped({"a.pcap": b"\xd4\xc3\xb2\xa1" + bytes(100)}))
    assert isinstance(damage, Damage)
    assert "a capture inside of an archive" in damage.says


@needs_cases
def test_recorded_certificates_are_told_as_they_are() -> None:
    folder = CASES / "certs"
    found: dict[str, tlsalert.Found] = {}
    for thing in tlsalert.certs(folder, at=AT):
        found.setdefault(Path(thing.where).name, thing)
    for said in json.loads((folder / "expected.json").read_text())["evidence"]:
        one = found[said["file"]]
        assert (one.sha256, one.spki_sha256, one.serial) == (said["sha256"], said["spki_sha256"], said["serial"])
        assert set(one.issued_by) == {one.where, *one.duplicates}
    assert found["client.der"].sha256 == found["client.crt"].sha256
    for name in ("client", "server", "selfmade", "otherserver"):
        assert f"{folder}/{name}.crt" in found[f"{name}.key"].fits
    assert found["client-enc.key"].encrypted
    assert found["client-enc-trad.key"].encrypted
    assert (found["client.p12"].kind, found["client.p12"].encrypted) == ("keystore", True)


@needs_cases
def test_the_passphrase_of_recorded_keys_opens_them_all() -> None:
    phrase = json.loads((CASES / "certs" / "expected.json").read_text())["password"].encode()
    found = tlsalert.certs(CASES / "certs", passphrases=[phrase])
    keys = [one for one in found if one.kind == "private_key" and "client" in one.where]
    assert len({one.spki_sha256 for one in keys}) == 1
    assert len(keys) == 4
