"""``tlsalert certs`` as it is typed."""

from __future__ import annotations

import io
import json
import stat
import sys
import time
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding

from tests.pki.stores import PASSPHRASE, leaf
from tlsalert.cli.certs import _phrases, _waiting, command, span
from tlsalert.cli.progress import ERASE
from tlsalert.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.crt").write_bytes(leaf().pem)
    (tmp_path / "a.key").write_bytes(leaf().private(encoding=Encoding.PEM))
    (tmp_path / "a.key").chmod(0o600)
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments])


def rows(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_people_get_a_short_text(folder: Path) -> None:
    result = run("--at", "2026-01-01", folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2025-09-23 ├───────▲" in result.stdout
    assert "key        a.key" in result.stdout
    assert result.stdout.endswith("1 certificate, 1 private key\n")


def test_programs_get_an_object_a_line(folder: Path) -> None:
    result = run("--format", "jsonl", folder)
    assert [row["kind"] for row in rows(result)] == ["certificate", "private_key"]
    assert rows(result)[1]["fits"] == [str(folder / "a.crt")]
    assert json.loads(run("--format", "json", folder).stdout) == rows(result)
    assert run("--format", "csv", folder).stdout.count("\n") == 3


@pytest.mark.parametrize(
    ("at", "warn", "code"),
    [
        ("2026-01-01", None, 0),
        ("2027-01-01", None, 0),
        ("2026-01-01", "90d", 0),
        ("2026-06-01", "90d", 1),
        ("2026-06-01", "1w", 0),
        ("2027-01-01", "0d", 1),
    ],
)
def test_an_end_within_the_span_that_was_asked_for_ends_with_1(
    folder: Path, at: str, warn: str | None, code: int
) -> None:
    assert run("--at", at, *(["--warn", warn] if warn else []), folder).exit_code == code


def test_a_path_that_cannot_be_read_ends_with_3_after_the_others_are_told(folder: Path) -> None:
    result = run(folder / "none", folder)
    assert result.exit_code == 3
    assert "none: there is no such file" in result.stderr
    assert "1 certificate, 1 private key" in result.stdout


def test_a_server_that_is_not_there_ends_with_4(folder: Path) -> None:
    result = run("127.0.0.1:1", folder)
    assert result.exit_code == 4
    assert "127.0.0.1:1: " in result.stderr
    assert "1 certificate, 1 private key" in result.stdout


@pytest.mark.parametrize(
    "arguments", [[], ["--at", "yesterday", "."], ["--warn", "soon", "."], ["--starttls", "x", "."]]
)
def test_a_wrong_command_line_ends_with_2(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2 or isinstance(result.exception, UsageError)


def test_calendar_and_metrics_are_written_whole_and_readable_by_others(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "m.prom").write_text("old")
    result = run("--at", "2026-01-01", "--ics", out / "c.ics", "--prometheus", out / "m.prom", folder / "a.crt")
    assert result.exit_code == 0
    assert sorted(one.name for one in out.iterdir()) == ["c.ics", "m.prom"]
    assert b"BEGIN:VEVENT" in (out / "c.ics").read_bytes()
    assert "tlsalert_certificate_not_after_seconds{" in (out / "m.prom").read_text()
    assert stat.S_IMODE((out / "m.prom").stat().st_mode) == 0o644


def test_a_file_that_cannot_be_written_is_an_error(folder: Path) -> None:
    result = run("--ics", folder / "none" / "c.ics", folder)
    assert isinstance(result.exception, UsageError)


def test_private_keys_leave_only_when_asked_for_by_name(folder: Path, tmp_path: Path) -> None:
    public, private = tmp_path / "public", tmp_path / "private"
    for form in ("text", "json", "jsonl", "csv", "html"):
        shown = run("--format", form, "--extract-public", public, folder).output
        assert "PRIVATE" not in shown
        assert leaf().private(encoding=Encoding.PEM).decode().splitlines()[3] not in shown
    assert [one.suffix for one in public.iterdir()] == [".crt"]
    assert "1 private keys, readable by you alone" in run("--extract-private", private, folder / "a.key").stderr
    (file,) = private.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_passphrases_come_from_a_file(folder: Path) -> None:
    (folder / "locked.key").write_bytes(leaf().locked())
    (folder / "words").write_bytes(b"wrong\n" + PASSPHRASE + b"\n")
    result = run("--format", "jsonl", "--passphrase-file", folder / "words", folder / "locked.key", folder / "a.crt")
    assert rows(result)[0]["fits"] == [str(folder / "a.crt")]


def test_on_a_terminal_a_passphrase_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def prompt(question: str, **_: object) -> str:
        asked.append(question)
        return "typed"

    monkeypatch.setattr("click.prompt", prompt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert list(_phrases(None, nullcontext).of("a\x1b.p12"))[-1] == b"typed"
    assert asked == ["Passphrase of a\\x1b.p12 (empty: leave it)"]


def test_what_the_system_trusts_is_asked_for(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("tlsalert.pki.places.trust_stores", lambda: [str(folder / "a.crt")])
    assert rows(run("--system", "--format", "jsonl"))[0]["subject"] == "CN=leaf,O=Board"


@pytest.mark.parametrize(("said", "days"), [("90d", 90), ("90", 90), ("6w", 42), ("2y", 730), ("48h", 2)])
def test_a_span_is_a_number_and_a_unit(said: str, days: int) -> None:
    assert span(said) == timedelta(days=days)


@pytest.mark.parametrize("said", ["", "d", "soon", "99999999999999y"])
def test_what_is_no_span_is_an_error(said: str) -> None:
    with pytest.raises(UsageError, match="no span"):
        span(said)


def test_many_files_have_a_bar_and_one_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        (tmp_path / f"{number}.bin").write_bytes(b"\x30" * 200_000)
    monkeypatch.setattr("tlsalert.cli.progress.PATIENCE", 0.0)
    monkeypatch.setattr("tlsalert.cli.progress.A_MOMENT", 0.0)
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", shown)
    with _waiting([str(tmp_path)]) as (aside, done):
        assert done is not None
        time.sleep(0.01)
        done(200_000)
        assert "/8000 kB" in shown.getvalue()
        aside()
        assert shown.getvalue().endswith(ERASE)
    with _waiting([str(tmp_path / "1.bin")]) as (_, done):
        assert done is None
