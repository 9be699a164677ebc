"""The pytest plugin in pytest: what it collects, when it fails and what it shows then, alone and under xdist."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.evidence import ROOT
from tlsalert.replay.result import load_result

pytest_plugins = ["pytester"]

#: In the place of a device: what each variant is answered, as the tests write it into the folder.
CONFTEST = """
import pathlib
from tests.replay import fake_device
from tests.replay.fake_device import *
from tlsalert.replay import parts
from tlsalert.replay.outcome import *

HERE = pathlib.Path(__file__).parent

def open_bench(asked, ask):
    device = FakeDevice(eval((HERE / "answers").read_text()), {"revoked": NotTried("needs the CA's key")})
    device.connection = console()
    with open(HERE / "opened", "a") as file:
        file.write(asked.address + "\\n")
    return opened(device, asked, ask)

parts.open_bench = open_bench
parts.catalogue = lambda: CATALOGUE
"""

SUITE = """
[suite]
tls = ["1.2"]
variants = ["good", "none_sent", "expired", "revoked"]
[target.console]
address = "bmc:5900"
[expect]
expired = 45
"""

RIGHT = '{"expired": alert(45), "none_sent": alert(40)}'
WRONG = '{"expired": alert(48), "none_sent": alert(40)}'


class Folder:
    """A folder with a suite, and pytest in a process of its own."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # else the plugin may come twice, by two names
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        self.pytester, self.path = pytester, pytester.path
        pytester.makeconftest(CONFTEST)
        (self.path / "fw.tlsalert.toml").write_text(SUITE)
        self.answers(RIGHT)

    def answers(self, text: str) -> None:
        (self.path / "answers").write_text(text)

    def run(self, *arguments: str) -> pytest.RunResult:
        return self.pytester.runpytest_subprocess(
            "-p", "tlsalert.replay.pytest_plugin", "-p", "xdist", "-W", "error", "-p", "no:cacheprovider", *arguments
        )


@pytest.fixture
def folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return Folder(pytester, monkeypatch)


def test_each_variant_and_version_is_a_test_with_a_readable_id(folder: Folder) -> None:
    shown = folder.run("--collect-only", "-q")
    assert [line for line in shown.outlines if "::" in line] == [
        f"fw.tlsalert.toml::console::{name}[TLS 1.2]" for name in ("good", "none_sent", "expired", "revoked")
    ]
    assert not (folder.path / "opened").exists()  # collecting asks nobody


def test_right_answers_pass_and_what_cannot_be_made_is_skipped(folder: Folder) -> None:
    shown = folder.run("-rs")
    shown.assert_outcomes(passed=3, skipped=1)
    shown.stdout.fnmatch_lines(["SKIPPED*needs the CA's key"])
    assert (folder.path / "opened").read_text() == "bmc:5900\n"


def test_a_failure_shows_the_difference_and_the_ladder(folder: Folder) -> None:
    folder.answers(WRONG)
    shown = folder.run()
    shown.assert_outcomes(passed=2, skipped=1, failed=1)
    shown.stdout.fnmatch_lines(
        [
            "*console: expired?TLS 1.2?*",
            "an expired certificate in TLS 1.2: expected certificate_expired (45), got unknown_ca (48)",
            "*client_hello*▶*",
            "*ALERT fatal bad_certificate (42)*",
            "*is not valid yet*",
            "*By this handshake alone*",
        ]
    )
    assert "Traceback" not in shown.stdout.str()


def test_one_of_them_can_be_asked_for(folder: Folder) -> None:
    folder.run("-k", "expired").assert_outcomes(passed=1, deselected=3)
    folder.run("fw.tlsalert.toml::console::good[TLS 1.2]").assert_outcomes(passed=1)


def test_a_baseline_is_written_and_held_against(folder: Folder) -> None:
    folder.answers(WRONG)
    shown = folder.run("--tls-baseline", "fw.json", "--tls-update-baseline")
    shown.assert_outcomes(passed=2, skipped=1, failed=1)  # a new baseline is no answer to what the suite itself expects
    shown.stdout.fnmatch_lines(["*expected certificate_expired (45), got unknown_ca (48)"])
    written = load_result(folder.path / "fw.json")
    assert [(row.variant, row.alert and row.alert.code) for row in written.rows] == [
        ("good", None),
        ("none_sent", 40),
        ("expired", 48),
    ]
    folder.answers('{"expired": alert(45), "none_sent": alert(42)}')
    shown = folder.run("--tls-baseline", "fw.json")
    shown.assert_outcomes(passed=1, skipped=1, failed=2)
    shown.stdout.fnmatch_lines(["the device answers bad_certificate (42) to no certificate where fw answered*"])


def test_a_part_of_the_tests_brings_a_part_of_the_baseline_up_to_date(folder: Folder) -> None:
    folder.run("--tls-baseline", "fw.json", "--tls-update-baseline")
    folder.answers(WRONG)
    folder.run("--tls-baseline", "fw.json", "--tls-update-baseline", "-k", "expired")
    rows = load_result(folder.path / "fw.json").rows
    assert [(row.variant, row.alert and row.alert.code) for row in rows][1:] == [("none_sent", 40), ("expired", 48)]


def test_a_baseline_that_is_missing_is_told(folder: Folder) -> None:
    shown = folder.run("--tls-baseline", "none.json", "-k", "good")
    shown.assert_outcomes(failed=1, deselected=3)
    shown.stdout.fnmatch_lines(["none.json: there is no such baseline; make it with --update-baseline"])


def test_it_works_in_several_processes(folder: Folder) -> None:
    folder.run("-n2", "--tls-baseline", "fw.json", "--tls-update-baseline").assert_outcomes(passed=3, skipped=1)
    assert [row.variant for row in load_result(folder.path / "fw.json").rows] == ["good", "none_sent", "expired"]
    folder.answers(WRONG)
    shown = folder.run("-n2", "--tls-baseline", "fw.json")
    shown.assert_outcomes(passed=2, skipped=1, failed=1)
    shown.stdout.fnmatch_lines(["*expected certificate_expired (45), got unknown_ca (48)"])


def test_junit_xml_has_the_ids_and_the_difference(folder: Folder) -> None:
    folder.answers(WRONG)
    folder.run("--junitxml=out.xml")
    cases = {case.get("name"): case for case in ET.parse(folder.path / "out.xml").getroot().iter("testcase")}
    assert list(cases) == [f"{name}[TLS 1.2]" for name in ("good", "none_sent", "expired", "revoked")]
    failure = cases["expired[TLS 1.2]"].find("failure")
    assert failure is not None
    assert "expected certificate_expired (45), got unknown_ca (48)" in (failure.text or "")


def test_the_target_can_be_named_on_the_command_line(folder: Folder) -> None:
    folder.run("--tls-target", "other:1", "-k", "good")
    assert (folder.path / "opened").read_text() == "other:1\n"
    (folder.path / "fw.tlsalert.toml").write_text(
        SUITE.replace('address = "bmc:5900"', "") + '[target.b]\naddress = "b:1"'
    )
    (folder.path / "opened").unlink()
    shown = folder.run("--tls-target", "console=third:1", "-k", "good")
    shown.assert_outcomes(passed=2, deselected=6)
    assert (folder.path / "opened").read_text() == "third:1\nb:1\n"
    shown = folder.run("-k", "console and good", "-rs")
    shown.assert_outcomes(skipped=1, deselected=7)
    shown.stdout.fnmatch_lines(["*name the device with --tls-target console=HOST:PORT"])


def test_a_device_that_stops_answering_is_left_alone(folder: Folder) -> None:
    folder.answers("dict.fromkeys(CATALOGUE, GONE)")
    (folder.path / "fw.tlsalert.toml").write_text(SUITE.replace('tls = ["1.2"]', 'tls = ["1.1", "1.2"]'))
    shown = folder.run("-rs")
    shown.assert_outcomes(failed=3, skipped=5)
    shown.stdout.fnmatch_lines(["the target could not be reached: connection refused", "*was left alone"])


def test_a_mistake_in_a_suite_is_one_sentence(folder: Folder) -> None:
    (folder.path / "fw.tlsalert.toml").write_text("[suite]\nvariants = ['expird']")
    shown = folder.run()
    shown.assert_outcomes(errors=1)
    shown.stdout.fnmatch_lines(["*[[]suite]: variants: names the variant 'expird', which there is not; did you mean*"])
    assert "Traceback" not in shown.stdout.str()


def test_a_test_asks_a_device_with_the_fixture(folder: Folder) -> None:
    folder.pytester.makepyfile(
        test_it="""
        def test_dates(tls_replay):
            result = tls_replay(variants=["expired"], versions=["1.2"])
            assert result.row("expired", "TLS 1.2").alert.code == 45
            assert result.target == "bmc:1"

        def test_another(tls_replay):
            assert tls_replay(("::1", 5900), variants=["good"]).target == "[::1]:5900"

        def test_target(tls_target):
            assert tls_target == "bmc:1"
        """
    )
    folder.run("--tls-target", "bmc:1", "test_it.py").assert_outcomes(passed=3)
    folder.run("test_it.py").assert_outcomes(passed=1, skipped=2)


def test_in_runs_that_do_not_use_it_it_costs_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, pytest\nbefore = set(sys.modules)\nimport tlsalert.replay.pytest_plugin\n"
        "print(*sorted(name for name in set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == [
        "tlsalert",
        "tlsalert._version",
        "tlsalert.replay",
        "tlsalert.replay.pytest_plugin",
    ]


def test_it_stands_in_pytests_help(folder: Folder) -> None:
    shown = folder.run("--help")
    shown.stdout.fnmatch_lines(["*--tls-target=HOST:PORT*", "*--tls-baseline=FILE*", "*--tls-update-baseline*"])
    fixtures = folder.run("--fixtures")
    for fixture in ("tls_target", "tls_replay", "tls_lab"):
        fixtures.stdout.fnmatch_lines([f"{fixture}*"])
