"""The case that tlsalert began with, from the three probes to the verdict, and the clock set right."""

from __future__ import annotations

import shlex
import shutil
import socket
import ssl
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.lab.talking import LATER, RIGHT, ask, context
from tlsalert.errors import UsageError
from tlsalert.lab.cases import CASES, make_case
from tlsalert.lab.server import serve


def alert(address: tuple[str, int], folder: Path) -> int | None:
    """Show the case's certificate and return the alert."""
    client = context(None, "TLS 1.2")
    client.load_cert_chain(folder / "client.crt", folder / "client.key")
    try:
        with socket.create_connection(address, 10) as plain, client.wrap_socket(plain) as tls:
            assert tls.recv(100) == b"RFB 003.008\n"
    except ssl.SSLError as error:
        return {"SSLV3_ALERT_BAD_CERTIFICATE": 42, "SSLV3_ALERT_CERTIFICATE_EXPIRED": 45}[error.reason]
    return None


def test_bmc_2015(tmp_path: Path) -> None:
    case = make_case("bmc-2015", tmp_path)
    with serve(replace(case.device, shows_clock=False)) as running:
        assert ask(running.address).alert == 40
        assert ask(running.address, "stranger").alert == 48
        assert alert(running.address, tmp_path) == 42
        running.clock = RIGHT
        assert alert(running.address, tmp_path) is None
        running.clock = LATER
        assert alert(running.address, tmp_path) == 45


def test_the_files_are_the_clients_and_nobody_elses(tmp_path: Path) -> None:
    case = make_case("bmc-2015", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"client.crt", "client.key", "ca.crt", "ca.key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    client = x509.load_pem_x509_certificate((tmp_path / "client.crt").read_bytes())
    assert (client.not_valid_before_utc, client.not_valid_after_utc) == (
        datetime(2016, 5, 19, tzinfo=UTC),
        datetime(2026, 5, 17, tzinfo=UTC),
    )
    for name in ("client", "ca"):
        certificate = x509.load_pem_x509_certificate((tmp_path / f"{name}.crt").read_bytes())
        key = load_pem_private_key((tmp_path / f"{name}.key").read_bytes(), None)
        assert certificate.public_key() == key.public_key()
    assert x509.load_pem_x509_certificate((tmp_path / "ca.crt").read_bytes()) in case.device.trusted


def test_by_default_the_files_are_in_a_new_folder() -> None:
    case = make_case("bmc-2015")
    try:
        assert stat.S_IMODE(case.folder.stat().st_mode) == 0o700
        assert (case.folder / "client.key").exists()
    finally:
        shutil.rmtree(case.folder)


def test_the_command_names_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "with a space"
    words = shlex.split(make_case("bmc-2015", folder).command("::1", 4433))
    assert words[:3] == ["tlsalert", "replay", "[::1]:4433"]
    assert words[3:] == [
        *("--cert", str(folder / "client.crt"), "--key", str(folder / "client.key")),
        *("--ca-cert", str(folder / "ca.crt"), "--ca-key", str(folder / "ca.key")),
    ]


def test_files_are_never_written_over(tmp_path: Path) -> None:
    make_case("bmc-2015", tmp_path)
    with pytest.raises(UsageError, match=r"client\.crt: cannot write: File exists; give another --dir"):
        make_case("bmc-2015", tmp_path)


def test_an_unknown_case_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=f"bmc-2029: there is no such case; take one of {', '.join(CASES)}"):
        make_case("bmc-2029")
