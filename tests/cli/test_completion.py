"""What bash, zsh and fish complete, asked as their scripts ask."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.evidence import ROOT
from tests.terminal import PROGRAM
from tlsalert.cli import VERBS
from tlsalert.cli.known import ways
from tlsalert.lab.faults import FAULTS
from tlsalert.pki.variants import VARIANTS


def run(*words: str, **environment: str) -> str:
    everything = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(
        [*PROGRAM, *words], capture_output=True, text=True, env=everything, cwd=ROOT, timeout=60, check=True
    )
    return done.stdout


def completed(*words: str) -> dict[str, str]:
    """What fits the last of the words, and of what kind it is."""
    line = " ".join(("tlsalert", *words))
    told = run(COMP_WORDS=line, COMP_CWORD=str(len(words)), _TLSALERT_COMPLETE="bash_complete")
    return {value: kind for kind, _, value in (one.partition(",") for one in told.splitlines())}


def test_every_verb() -> None:
    assert [*completed("")] == [*VERBS]
    assert [*completed("com")] == [verb for verb in VERBS if verb.startswith("com")]


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        (("read", "--fo"), ["--format"]),
        (("read", "--only", "f"), ["failed"]),
        (("replay", "--variant", "exp"), [name for name in VARIANTS if name.startswith("exp")]),
        (("explain", "--stack", "mbed"), ["mbedtls"]),
        (("explain", "bad_cert"), ["bad_certificate", "bad_certificate_status_response", "bad_certificate_hash_value"]),
        (("lab", "--stack", "st"), ["stunnel"]),
        (("lab", "--fault", "si"), ["silence", "silence@connect", "silence@hello", "silence@certificate"]),
        (("clock", "--ways", "random,ht"), ["random,https", "random,http"]),
        (("clock", "--starttls", "im"), ["imap"]),
        (("replay", "--tls", "1.0,1.2,1.3"), ["1.0,1.2,1.3"]),
        (("completion", "z"), ["zsh"]),
    ],
)
def test_options_and_names(words: tuple[str, ...], fits: list[str]) -> None:
    found = completed(*words)
    assert sorted(found) == sorted(fits)
    assert set(found.values()) == {"plain"}


@pytest.mark.parametrize(
    "words", [("read", "captures/c"), ("certs", "cap"), ("read", "--keylog", "k"), ("replay", "--cert", "c")]
)
def test_files_are_left_to_the_shell(words: tuple[str, ...]) -> None:
    assert set(completed(*words).values()) == {"file"}


def test_every_fault_is_known() -> None:
    assert set(FAULTS) <= set(completed("lab", "--fault", ""))


def test_a_list_is_completed_at_its_end() -> None:
    import click

    from tlsalert.cli.clock import command

    context = click.Context(command)
    assert [item.value for item in ways(context, command.params[0], "ntp,ip")] == ["ntp,ipmi"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_can_read(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(run("completion", shell))
    subprocess.run([shell, "-n", script], check=True, timeout=60)


def test_bash_itself_completes(tmp_path: Path) -> None:
    program = tmp_path / "tlsalert"
    program.write_text(f"#!/bin/sh\nexec {PROGRAM[0]} -c '{PROGRAM[2]}' \"$@\"\n")
    program.chmod(0o755)
    typed = f"""
        eval "$({program} completion bash)"
        COMP_WORDS=({program} replay --variant not_y) COMP_CWORD=3
        _tlsalert_completion {program}
        echo "${{COMPREPLY[@]}}"
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", typed], capture_output=True, text=True, env=environment, timeout=60, check=True
    )
    assert done.stdout.split() == [name for name in VARIANTS if name.startswith("not_y")] != []


def test_a_shell_that_is_not_known_is_a_usage_error() -> None:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        run("completion", "cmd")
    assert raised.value.returncode == 2
