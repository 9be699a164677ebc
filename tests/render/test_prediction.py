"""A prediction as text and JSON: the founding case's firmware."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from tests.pki.certificates import NOT_AFTER
from tests.pki.firmware.images import cramfs
from tests.pki.test_predict import OLD, ROOT, SELF, SERVER, pem
from tlsalert.cli.certs import command


def image(folder: Path) -> tuple[str, str]:
    conf = b"cert = /etc/server.pem\nverify = 3\nCAfile = /etc/client.pem\n[ikvm]\naccept = 5900\nconnect = 5901\n"
    files = {
        "/etc/server.pem": pem(SERVER),
        "/etc/client.pem": pem(SELF),
        "/etc/stunnel.conf": conf,
        "/etc/rcS": b"#!/bin/sh\ndate -s '2015-01-01 00:00:00'\n",
        "/lib/libssl.so.1.0.0": b"\x7fELF" + bytes(100) + OLD + bytes(100),
    }
    firmware, client = folder / "firmware.bin", folder / "client.crt"
    firmware.write_bytes(b"\xff" * 512 + cramfs(files))
    client.write_bytes(pem(SELF))
    return str(firmware), str(client)


def test_the_text_says_when_it_fails(tmp_path: Path) -> None:
    firmware, client = image(tmp_path)
    done = CliRunner().invoke(command, ["--predict", client, firmware])
    assert done.exit_code == 0, done.output
    last = done.stdout.splitlines()[-2:]
    assert last == [
        "client.crt: valid 2016-05-19 to 2026-05-17; from then on ikvm through stunnel fails",
        "client.crt: while the device's clock is not set, which cramfs@0x200:/etc/rcS starts at 2015-01-01, "
        "ikvm through stunnel fails (refused, bad_certificate (42))",
    ]
    assert "from 2026-05-17 09:46:36 UTC on    refused, certificate_expired (45)" in done.stdout


def test_the_json_has_the_same(tmp_path: Path) -> None:
    firmware, client = image(tmp_path)
    done = CliRunner().invoke(command, ["--predict", client, "--format", "json", "--at", "2020-01-01", firmware])
    (said,) = json.loads(done.stdout)
    (service,) = said["services"]
    assert [spell["cause"] for spell in service["spells"]] == ["certificate_not_yet_valid", None, "certificate_expired"]
    assert service["spells"][2] == {
        "from": f"{NOT_AFTER:%Y-%m-%dT%H:%M:%SZ}",
        "until": None,
        "outcome": "refused",
        "cause": "certificate_expired",
        "answers": [{"code": 45, "description": "certificate_expired", "how": "alert"}],
    }
    assert service["now"]["outcome"] == "accepted"
    assert service["at_start"][0]["answers"][0]["code"] == 42
    assert said["libraries"][0]["version"] == "1.0.1e"


def test_a_file_without_a_certificate_is_a_wrong_call(tmp_path: Path) -> None:
    firmware, _ = image(tmp_path)
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    done = CliRunner().invoke(command, ["--predict", str(empty), firmware])
    assert "no certificate is in it" in str(done.exception)


def test_a_stranger_is_refused_at_any_time(tmp_path: Path) -> None:
    firmware, _ = image(tmp_path)
    other = tmp_path / "other.crt"
    other.write_bytes(pem(ROOT))
    done = CliRunner().invoke(command, ["--predict", str(other), firmware])
    assert "refuses it at any time: the server does not trust who issued it (refused, unknown_ca (48))" in done.stdout
