"""Real servers run with the lab's certificates and clock, and answer as the atlas of their alerts says.

In CI that is OpenSSL's own server; the long suite asks all that are installed.
"""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.lab.talking import BEHIND, LONG, Answer, ask, people
from tlsalert.errors import UsageError
from tlsalert.lab import faketime
from tlsalert.lab.device import Version
from tlsalert.lab.stacks import STACKS, StackConfig, StackName, available, start

#: By stack: what it answers in TLS 1.2 to a certificate that is not valid yet by its clock, to a stranger's and to
#: none; None where it closes without an alert. HTTP's 400 inside is no alert either.
ALERTS: dict[StackName, tuple[int | None, int | None, int | None]] = {
    "stunnel": (42, 48, 40),
    "openssl": (42, 48, 40),
    "gnutls": (49, 49, 50),
    "nginx": (None, None, None),
    "haproxy": (42, 48, 40),
    "nss": (45, 48, 42),
    "java": (46, 46, 42),
    "node": (None, None, 40),
}
REQUEST = b"GET / HTTP/1.0\r\n\r\n"
LONG_ONES = [pytest.param(name, marks=() if name == "openssl" else (pytest.mark.long,), id=name) for name in STACKS]


def config(clock: datetime | None = None, versions: tuple[Version, Version] = ("TLS 1.2", "TLS 1.2")) -> StackConfig:
    """Return settings with the root trusted."""
    return StackConfig(people()["device"], (people()["root"].certificate,), versions, clock)


def need(name: StackName) -> None:
    """Skip the test where a stack is not installed."""
    if missing := available()[name]:
        pytest.skip(f"needs {missing}")


@pytest.mark.parametrize("name", LONG_ONES)
def test_its_clock_decides(name: StackName) -> None:
    need(name)
    if faketime.library() is None:
        pytest.skip("needs libfaketime")
    with start(name, config(BEHIND)) as running:
        shown = ("ipmi", "strangers", None)
        assert tuple(ask(running.address, one, says=REQUEST).alert for one in shown) == ALERTS[name]
        right = ask(running.address, "right", says=REQUEST)
        assert right.data
        assert b" 400 " not in right.data


@pytest.mark.parametrize("version", ["TLS 1.0", "TLS 1.3"])
@pytest.mark.parametrize("name", LONG_ONES)
def test_it_speaks_the_versions_that_it_is_told(name: StackName, version: Version) -> None:
    need(name)
    with start(name, config(versions=(version, version))) as running:
        assert ask(running.address, "right", version, says=REQUEST).data
        assert ask(running.address, "right", "TLS 1.2", says=REQUEST).data == b""


def test_a_revocation_list_and_ciphers_are_passed_on() -> None:
    need("openssl")
    root = people()["root"]
    builder = x509.CertificateRevocationListBuilder(root.certificate.subject, *LONG)
    revoked = x509.RevokedCertificateBuilder(people()["second"].certificate.serial_number, LONG[0]).build()
    crl = builder.add_revoked_certificate(revoked).sign(root.key, hashes.SHA256())
    with start("openssl", replace(config(), crls=(crl,), ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")) as running:
        assert ask(running.address, "right", says=REQUEST).data
        assert ask(running.address, "second", says=REQUEST).alert == 44
    with start("openssl", replace(config(), ciphers="ECDHE-RSA-AES128-GCM-SHA256")) as running:
        assert ask(running.address, "right").alert == 40


def test_who_may_come_without_a_certificate() -> None:
    need("openssl")
    for asks, alert in (("required", 40), ("optional", None), ("no", None)):
        with start("openssl", replace(config(), asks=asks)) as running:  # type: ignore[arg-type]
            assert ask(running.address, says=REQUEST).alert == alert


def test_it_ends_and_its_files_go_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    need("openssl")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with start("openssl", config()) as running:
        (folder,) = tmp_path.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(os.stat(folder / name).st_mode) for name in ("key.pem", "server.p12")} == {0o600}
    assert list(tmp_path.iterdir()) == []
    assert ask(running.address) == Answer(error="ConnectionRefusedError")


def test_what_is_not_installed_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlsalert.lab.stacks.shutil.which", lambda *_, **__: None)
    assert available()["nss"] == "libnss3-tools"
    with pytest.raises(UsageError, match=r"selfserv: is not installed; install it \(Debian: apt install libnss3-tools"):
        start("nss", config())


def test_what_does_not_come_up_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    need("openssl")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(UsageError, match=r"openssl: does not come up: .*cipher"):
        start("openssl", replace(config(), ciphers="NONSENSE"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "setting"), [("java", "ciphers"), ("nss", "ciphers"), ("openssl", "verify")])
def test_what_a_stack_cannot_do_is_a_usage_error(name: StackName, setting: str) -> None:
    need(name)
    with pytest.raises(UsageError, match=f"{name}: the lab cannot set its {setting}"):
        start(name, replace(config(), **{setting: "x"}))  # type: ignore[arg-type]
