"""Revoked variants, against the lab's device without the CRL and with it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("OpenSSL", reason="needs the extra lab")

from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.lab.talking import people
from tlsalert.cli.replay import command
from tlsalert.lab.server import LabDevice, serve
from tlsalert.replay.result import Result as Replayed

REVOKED = ("revoked", "revoked_hold", "revoked_intermediate")


@pytest.fixture
def authority(tmp_path: Path) -> list[str]:
    """Return the words that name the CA's files."""
    root = people()["root"]
    (tmp_path / "ca.crt").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "ca.key").write_bytes(root.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return ["--ca-cert", str(tmp_path / "ca.crt"), "--ca-key", str(tmp_path / "ca.key")]


def replay(device: LabDevice, *words: str) -> Result:
    with serve(device) as running:
        variants = [word for name in ("good", *REVOKED) for word in ("--variant", name)]
        done = CliRunner().invoke(command, ["{}:{}".format(*running.address), *variants, "--tls", "1.2", *words])
    assert done.exit_code == 0, done.output
    return done


def test_without_the_crl_an_acceptance_says_nothing_and_says_so(authority: list[str]) -> None:
    device = LabDevice(people()["device"], trusted=(people()["root"].certificate,))
    shown = replay(device, *authority).stdout
    assert "≠" not in shown
    told = " ".join(shown.split())
    assert f"{', '.join(REVOKED)} are accepted, which means nothing unless the device has the CA's CRL" in told
    assert "--crl-out FILE writes it" in told
    result = Replayed.from_json(replay(device, *authority, "--format", "json").stdout)
    rows = [result.row(name, "TLS 1.2") for name in REVOKED]
    assert all(row is not None and "means nothing unless it has the CA's CRL" in (row.note or "") for row in rows)


def test_with_the_crl_that_was_written_they_are_refused(authority: list[str], tmp_path: Path) -> None:
    device = LabDevice(people()["device"], trusted=(people()["root"].certificate,))
    path = tmp_path / "crl.pem"
    told = " ".join(replay(device, *authority, "--crl-out", str(path)).stdout.split())
    assert "it was written to " in told
    mark = b"-----BEGIN"
    crls = tuple(x509.load_pem_x509_crl(mark + one) for one in path.read_bytes().split(mark)[1:])
    assert len({one.issuer for one in crls}) == len(crls) == 2
    knowing = LabDevice(people()["device"], trusted=(people()["root"].certificate,), crls=crls)
    shown = replay(knowing, *authority).stdout
    assert shown.count("✗ certificate_revoked (44)") >= 2
    assert "means nothing" not in shown
    # OpenSSL looks at the client's own certificate only, unless it is told to look at the whole chain.
    assert "revoked_intermediate is accepted although the device has the CA's CRL" in " ".join(shown.split())
