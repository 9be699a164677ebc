"""``tlsalert compare`` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.evidence import ROOT
from tests.replay.fake_device import ACCEPTED, alert
from tlsalert.cli.compare import command
from tlsalert.replay.outcome import Outcome
from tlsalert.replay.result import HelloTold, Result, row_of

PROGRAM = [sys.executable, "-c", "from tlsalert.cli import main; main()"]


def write(path: Path, expired: Outcome) -> Path:
    rows = (row_of("good", "TLS 1.2", ACCEPTED), row_of("expired", "TLS 1.2", expired))
    path.write_text(Result("bmc:5900", HelloTold("x"), rows).to_json(), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return [str(write(tmp_path / "3.88.json", alert(45))), str(write(tmp_path / "3.90.json", alert(48)))]


def test_a_difference_is_told_in_words_and_ends_with_1(files: list[str]) -> None:
    shown = CliRunner().invoke(command, [*files, "--label", "3.88", "--label", "firmware 3.90"])
    assert shown.exit_code == 1
    assert " ".join(shown.stdout.split()) == (
        "≠ firmware 3.90 answers unknown_ca (48) to an expired certificate where 3.88 answered certificate_expired (45)"
        " 1 answer is the same"
    )


def test_the_files_names_are_the_labels(files: list[str]) -> None:
    assert "3.90 answers" in CliRunner().invoke(command, files).stdout


def test_no_difference_ends_with_0(files: list[str]) -> None:
    shown = CliRunner().invoke(command, [files[0], files[0]])
    assert (shown.exit_code, shown.stdout) == (0, "no difference: 2 answers are the same\n")


def test_json_has_the_rows_and_the_sentence(files: list[str]) -> None:
    shown = CliRunner().invoke(command, [*files, "--format", "json"])
    value = json.loads(shown.stdout)
    (change,) = value["changes"]
    assert (value["before"], value["after"], value["differs"], value["same"]) == ("3.88", "3.90", True, 1)
    assert (change["variant"], change["tls_versions"]) == ("expired", ["TLS 1.2"])
    assert (change["before"]["alert"]["code"], change["after"]["alert"]["code"]) == (45, 48)
    assert change["says"].startswith("3.90 answers unknown_ca (48)")
    assert shown.exit_code == 1


def test_html_goes_to_a_file(files: list[str], tmp_path: Path) -> None:
    page = tmp_path / "changes.html"
    shown = CliRunner().invoke(command, [*files, "--format", "html", "-o", str(page)])
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_results_are_not_written_over(files: list[str]) -> None:
    shown = CliRunner().invoke(command, [*files, "-o", files[0]])
    assert shown.exit_code == 2
    assert Path(files[0]).read_text(encoding="utf-8").startswith("{")


def test_more_than_two_labels_are_too_many(files: list[str]) -> None:
    assert CliRunner().invoke(command, [*files, *["--label", "x"] * 3]).exit_code == 2


def test_as_a_program_what_is_no_result_is_told_in_a_line(files: list[str]) -> None:
    done = subprocess.run(
        [*PROGRAM, "compare", files[0], "README.md"], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert done.returncode == 3
    assert done.stderr.startswith("tlsalert: README.md: is no JSON")
    assert done.stdout == ""
