"""``tlsalert replay`` as it is typed: what it prints where, what it writes, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest
from click.testing import CliRunner, Result

from tests.evidence import ROOT
from tests.replay.fake_device import ACCEPTED, CATALOGUE, FOUNDING, GONE, FakeDevice, alert, opened
from tlsalert.cli.replay import command
from tlsalert.errors import TlsalertError
from tlsalert.replay import parts
from tlsalert.replay.bench import Asked, AskPassphrase, Bench
from tlsalert.replay.outcome import NotTried
from tlsalert.replay.profiles import PROFILES
from tlsalert.replay.result import load_result

PROGRAM = [sys.executable, "-c", "from tlsalert.cli import main; main()"]
AT = "10.0.0.7:5900"

Run = Callable[..., Result]


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice(
        {"expired": alert(45), "none_sent": alert(40)}, {"revoked": NotTried("needs the CA's key")}, means=FOUNDING
    )


@pytest.fixture
def asked(device: FakeDevice, monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """Put the fake device in the place of the real parts; gives what they were asked for."""
    seen: list[Asked] = []

    def open_bench(asked: Asked, ask: AskPassphrase) -> Bench:
        seen.append(asked)
        if asked.identity.key is not None:
            ask(asked.identity.key)
        return opened(device, asked, ask)

    monkeypatch.setattr(parts, "open_bench", open_bench)
    monkeypatch.setattr(parts, "catalogue", lambda: CATALOGUE)
    return seen


@pytest.fixture
def run(asked: list[Asked]) -> Run:
    def invoke(*arguments: str | Path) -> Result:
        result = CliRunner().invoke(command, [str(one) for one in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit | TlsalertError):
            raise result.exception
        return result

    return invoke


FEW = ("--variant", "good", "--variant", "expired", "--variant", "none_sent")


def test_the_matrix_and_its_meaning_are_shown(run: Run) -> None:
    shown = run(AT, *FEW, "--tls", "1.2,1.3")
    assert shown.exit_code == 0
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["good", "✓", "ok", "✓", "ok"] in lines or ["good", "✓", "accepted", "✓", "accepted"] in lines
    assert "its clock is 2015-01-03 ± 1 s." in shown.stdout
    assert shown.stderr == ""


def test_the_rfcs_word_is_beside_an_answer_that_is_another(run: Run, device: FakeDevice) -> None:
    device.answers = {"expired": alert(42)}
    shown = run(AT, *FEW)
    assert "✗ bad_certificate (42) ≠ 45" in shown.stdout
    assert shown.exit_code == 0  # the RFC's word is told and not enforced


def test_json_is_a_result(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    assert run(AT, *FEW, "--format", "json", "-o", path).exit_code == 0
    result = load_result(path)
    assert [row.variant for row in result.rows] == ["good", "none_sent", "expired"]
    assert result.verdict == FOUNDING.verdict
    assert json.loads(run(AT, *FEW, "--format", "json").stdout)["target"] == AT


def test_html_is_a_page_with_the_matrix(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "answers.html"
    assert run(AT, *FEW, "--format", "html", "-o", page).exit_code == 0
    told = page.read_text(encoding="utf-8")
    assert told.startswith("<!DOCTYPE html>")
    assert AT in told
    assert "the client shows" in told


def test_options_reach_the_parts(run: Run, asked: list[Asked], tmp_path: Path) -> None:
    run(
        AT, *FEW, "--from", "captures/console.pcap:1", "--cert", "c.crt", "--key", "c.key", "--chain", "i.crt",
        "--ca-cert", "ca.crt", "--ca-key", "ca.key", "--starttls", "smtp", "--sni", "bmc", "--timeout", "3",
        "--http", "/status",
    )  # fmt: skip
    (one,) = asked
    files = one.identity
    assert (files.cert, files.key, files.chain, files.ca_cert, files.ca_key) == (
        "c.crt",
        "c.key",
        "i.crt",
        "ca.crt",
        "ca.key",
    )
    assert (one.address, one.hello, one.starttls, one.sni, one.timeout, one.http) == (
        AT,
        "captures/console.pcap:1",
        "smtp",
        "bmc",
        3.0,
        "/status",
    )


def test_orders_repeats_and_seed_make_the_trials(run: Run, device: FakeDevice) -> None:
    run(AT, *FEW, "--orders", "2", "--repeat", "3", "--seed", "7")
    assert len(device.asked) == 3 * 2 * 3
    first = [*device.asked]
    device.asked.clear()
    run(AT, *FEW, "--orders", "2", "--repeat", "3", "--seed", "7")
    assert device.asked == first


def test_a_dry_run_sends_nothing(run: Run, device: FakeDevice) -> None:
    shown = run(AT, *FEW, "--variant", "revoked", "--dry-run")
    assert (shown.exit_code, device.asked) == (0, [])
    assert shown.stdout.splitlines() == [
        f"{AT}: 3 handshakes in TLS 1.2; nothing was sent",
        "  good",
        "  none_sent",
        "  expired",
        "  revoked   left out: needs the CA's key",
    ]
    told = json.loads(run(AT, *FEW, "--dry-run", "--format", "json").stdout)
    assert told["handshakes"] == len(told["would_send"]) == 3


def test_the_variants_are_listed(run: Run) -> None:
    shown = run("--list-variants")
    assert shown.exit_code == 0
    assert any(line.startswith("expired ") for line in shown.stdout.splitlines())
    assert {"variant", "needs", "why", "calls_for"} == json.loads(run("--list-variants", "--format", "json").stdout)[
        0
    ].keys()


def test_a_baseline_is_made_and_then_held_against(run: Run, device: FakeDevice, tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    missing = run(AT, *FEW, "--baseline", path)
    assert (missing.exit_code, device.asked) == (1, [])  # CliRunner's 1 for a TlsalertError: the verb ends with 2
    assert "make it with --update-baseline" in str(missing.exception)
    made = run(AT, *FEW, "--baseline", path, "--update-baseline")
    assert (made.exit_code, made.stderr) == (0, f"tlsalert: {path}: written\n")
    assert "no difference: 3 answers are the same" in run(AT, *FEW, "--baseline", path).stdout
    assert run(AT, "--variant", "good", "--baseline", path).exit_code == 0  # the others were not asked for
    device.answers = {**device.answers, "expired": alert(48)}
    differs = run(AT, *FEW, "--baseline", path)
    assert differs.exit_code == 1
    sentence = "answers unknown_ca (48) to an expired certificate where console answered certificate_expired (45)"
    assert sentence in " ".join(differs.stdout.split())
    assert differs.stderr == ""
    assert run(AT, *FEW, "--baseline", path, "--update-baseline").exit_code == 0
    assert run(AT, *FEW, "--baseline", path).exit_code == 0


def test_junit_is_written_as_well(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    run(AT, *FEW, "--junit", path)
    assert [case.get("name") for case in ET.parse(path).getroot().iter("testcase")] == [
        "good [TLS 1.2]",
        "none_sent [TLS 1.2]",
        "expired [TLS 1.2]",
    ]


def test_what_passed_is_written(run: Run, tmp_path: Path) -> None:
    run(AT, *FEW, "--pcap", tmp_path / "a.pcap", "--keylog", tmp_path / "a.keys")
    assert sorted((tmp_path / "a.pcap").read_text().split()) == ["expired", "good", "none_sent"]
    assert (tmp_path / "a.keys").exists()
    again = run(AT, *FEW, "--keylog", tmp_path / "a.keys")
    assert again.exit_code == 2
    assert "secrets are written to a new file only" in again.stderr


SUITE = """
[suite]
variants = ["good", "expired", "none_sent"]
tls = ["1.2"]
[target.console]
address = "bmc:5900"
[expect]
expired = "certificate_expired"
"""


def test_a_suite_says_all_that_the_command_line_would(
    run: Run, asked: list[Asked], device: FakeDevice, tmp_path: Path
) -> None:
    suite = tmp_path / "a.tlsalert.toml"
    suite.write_text(SUITE)
    good = run("--suite", suite)
    assert (good.exit_code, asked[0].address, len(device.asked)) == (0, "bmc:5900", 3)
    device.answers = {"expired": alert(48), "none_sent": ACCEPTED}
    bad = run("--suite", suite)
    assert bad.exit_code == 1
    told = " ".join(bad.stdout.split())
    assert "≠ no certificate in TLS 1.2: expected refused, got accepted" in told
    assert "≠ an expired certificate in TLS 1.2: expected certificate_expired (45), got unknown_ca (48)" in told
    assert bad.stderr == ""
    as_json = run("--suite", suite, "--format", "json")
    json.loads(as_json.stdout)
    assert "no certificate in TLS 1.2: expected refused, got accepted\n" in as_json.stderr
    assert "≠ is followed by what is expected" in bad.stdout


def test_a_new_baseline_does_not_excuse_what_the_suite_itself_expects(
    run: Run, device: FakeDevice, tmp_path: Path
) -> None:
    suite, path = tmp_path / "a.tlsalert.toml", tmp_path / "console.json"
    suite.write_text(SUITE.replace("[expect]", f'baseline = "{path}"\n[expect]'))
    assert run("--suite", suite, "--update-baseline").exit_code == 0
    device.answers = {"expired": alert(48), "none_sent": ACCEPTED}
    told = run("--suite", suite, "--update-baseline")
    assert (told.exit_code, told.stderr) == (1, f"tlsalert: {path}: written\n")
    assert "expected certificate_expired (45), got unknown_ca (48)" in " ".join(told.stdout.split())
    assert "no certificate in TLS 1.2" not in told.stdout  # that is the baseline's to say, and the baseline is new
    assert run("--suite", suite).exit_code == 1
    suite.write_text(suite.read_text().replace('"certificate_expired"', "48"))
    assert run("--suite", suite).exit_code == 0


def test_the_command_line_goes_before_the_suite(
    run: Run, asked: list[Asked], device: FakeDevice, tmp_path: Path
) -> None:
    suite = tmp_path / "a.tlsalert.toml"
    suite.write_text(SUITE)
    run(AT, "--suite", suite, "--variant", "good", "--tls", "1.3", "--sni", "x")
    assert (asked[0].address, asked[0].sni, device.asked) == (AT, "x", [("good", "TLS 1.3")])
    suite.write_text(SUITE + '[target.other]\naddress = "b:1"\n')
    two = run("--suite", suite, "--sni", "x")
    assert two.exit_code == 2
    assert "has several targets" in two.stderr
    assert len(json.loads(run("--suite", suite, "--format", "json").stdout)) == 2


def test_a_target_that_cannot_be_reached_ends_it_with_4_and_what_was_learned(run: Run, device: FakeDevice) -> None:
    device.answers = dict.fromkeys(parts.catalogue(), GONE)
    shown = run(AT)
    assert shown.exit_code == 4
    assert len(device.asked) == 3
    assert "was left alone" in " ".join(shown.stdout.split())


def test_ctrl_c_shows_what_was_learned(run: Run, device: FakeDevice) -> None:
    device.answers = {"none_sent": KeyboardInterrupt()}
    shown = run(AT, "--variant", "none_sent")
    assert shown.exit_code == 130
    assert "interrupted after 0 of 1 handshakes" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name the device, HOST:PORT, or a suite"),
        ((AT, "--tls", "1.7"), "'1.7' is no TLS version that can be tried"),
        ((AT, "--update-baseline"), "--update-baseline needs to know the file"),
        ((AT, "--key", "c.key"), "give it with --cert"),
        ((AT, "--ca-key", "c.key"), "give it with --ca-cert"),
        ((AT, "--jobs", "0"), "--jobs"),
        ((AT, "--delay", "-1"), "--delay"),
    ],
)
def test_a_wrong_command_line_is_told(run: Run, device: FakeDevice, arguments: tuple[str, ...], says: str) -> None:
    shown = run(*arguments)
    assert (shown.exit_code, device.asked) == (2, [])
    assert says in " ".join(shown.stderr.split())


def test_a_wrong_variant_is_told_with_a_better_one(run: Run, asked: list[Asked]) -> None:
    assert "did you mean 'expired'?" in str(run(AT, "--variant", "expird").exception)
    assert asked == []


def test_what_is_read_is_not_written_over(run: Run, tmp_path: Path) -> None:
    cert = tmp_path / "client.crt"
    cert.write_text("mine")
    shown = run(AT, "--cert", cert, "-o", cert)
    assert shown.exit_code == 2
    assert cert.read_text() == "mine"


def test_a_passphrase_comes_from_the_environment_and_is_never_shown(
    run: Run, device: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[bytes | None] = []

    def open_bench(asked: Asked, ask: AskPassphrase) -> Bench:
        got.extend((ask("c.key"), ask("ca.key")))
        return device

    monkeypatch.setattr(parts, "open_bench", open_bench)
    monkeypatch.setenv("KEY_WORD", "hunter2")
    options = ("--cert", "c", "--key", "c.key", "--ca-cert", "ca", "--ca-key", "ca.key")
    shown = run(AT, *FEW, *options, "--passphrase-env", "KEY_WORD")
    assert got == [b"hunter2", None]  # nobody is there to be asked
    assert "hunter2" not in shown.output
    assert "the environment has no NONE" in str(run(AT, *options, "--ca-passphrase-env", "NONE").exception)


def test_every_option_of_the_contract_is_there() -> None:
    with click.Context(command) as context:
        options = {name for one in command.get_params(context) for name in one.opts}
    assert options >= {
        "--from", "--cert", "--key", "--chain", "--ca-cert", "--ca-key", "--variant", "--tls", "--starttls", "--sni",
        "--baseline", "--update-baseline", "--junit", "--pcap", "--keylog", "--delay", "--timeout", "--jobs", "--suite",
        "--orders", "--repeat", "--seed", "--dry-run", "--format", "-o", "--find-clock", "--http", "--list-variants",
    }  # fmt: skip


def test_the_help_names_every_profile(run: Run) -> None:
    told = " ".join(run("--help").output.split())
    assert [name for name in PROFILES if name not in told] == []


def test_as_a_program_errors_are_one_line_and_have_their_exit_codes(tmp_path: Path) -> None:
    def ended(*arguments: str) -> tuple[int, str]:
        done = subprocess.run([*PROGRAM, "replay", *arguments], capture_output=True, text=True, timeout=60, cwd=ROOT)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    assert ended(AT, "--variant", "expird")[0] == 2
    assert ended(AT, "--baseline", str(tmp_path / "none.json")) == (
        2,
        f"tlsalert: {tmp_path / 'none.json'}: there is no such baseline; make it with --update-baseline\n",
    )
    assert ended("--suite", str(tmp_path / "none.toml"))[0] == 2
    assert ended("--help")[0] == 0


def test_the_suite_in_the_help_is_one(tmp_path: Path) -> None:
    from tlsalert.replay.suite import load_suite

    assert command.epilog is not None
    lines = command.epilog.splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == "[suite]")
    end = next(number for number, line in enumerate(lines) if number > start and not line.strip())
    (tmp_path / "a.toml").write_text("\n".join(lines[start:end]))
    assert load_suite(tmp_path / "a.toml", parts.catalogue()).targets[0].address == AT


def test_the_crls_for_the_device_are_written_before_it_is_asked(run: Run, device: FakeDevice, tmp_path: Path) -> None:
    told = run(AT, *FEW, "--dry-run", "--crl-out", tmp_path / "crl.pem")
    assert (tmp_path / "crl.pem").read_text() == "revoked\n"
    assert told.stderr == f"tlsalert: {tmp_path / 'crl.pem'}: 1 CRL for the device\n"
    assert device.asked == []
    again = run(AT, *FEW, "--crl-out", tmp_path / "crl.pem")
    assert again.exit_code == 2
    assert "is there already: CRLs are written to a new file only" in again.stderr


def test_an_accepted_variant_that_the_device_cannot_know_is_not_held_against_it(run: Run, device: FakeDevice) -> None:
    device.not_tried, device.answers = {}, {}
    assert "≠" not in run(AT, "--variant", "revoked").stdout
    device.answers = {"revoked": alert(42)}
    assert "✗ bad_certificate (42) ≠ 44" in run(AT, "--variant", "revoked").stdout
