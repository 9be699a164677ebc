"""``read --annotate``, ``--extract``, ``--with-secrets`` and ``--cross-check`` as they are typed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from click.testing import CliRunner, Result

from tests.evidence import CAPTURES
from tests.wireshark import needs_tshark
from tlsalert.cli.read import command
from tlsalert.cli.wireshark import ForWireshark
from tlsalert.errors import CaptureError, TlsalertError
from tlsalert.log_reader import LogReader
from tlsalert.model import Summary
from tlsalert.sources.packets import packets

CONSOLE = CAPTURES / "console.pcap"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def frames(path: Path) -> int:
    return len(list(packets([path.read_bytes()])))


def test_one_run_annotates_and_extracts_what_it_shows(tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.pcapng", tmp_path / "part.pcapng"
    result = run(CONSOLE, "--connection", 2, "--annotate", whole, "--extract", part)
    assert result.exit_code == 0
    assert (frames(whole), frames(part)) == (36, 12)
    assert b"tlsalert #2: " in whole.read_bytes()
    assert b"tlsalert #1: " not in whole.read_bytes()
    assert f"tlsalert: {part}: 12 packets of 1 connection" in result.stderr
    assert str(part) not in result.stdout


def test_only_what_failed_is_extracted(tmp_path: Path) -> None:
    part = tmp_path / "part.pcapng"
    assert run(CAPTURES / "success.pcap", "--only", "failed", "--extract", part).exit_code == 0
    assert frames(part) == 0
    assert run(CONSOLE, "--only", "failed", "--extract", part, "--format", "jsonl").exit_code == 0
    assert frames(part) == 36


def test_each_verdict_names_the_display_filter() -> None:
    wanted = "tcp.port == 40112 && tcp.port == 5900 && frame.number in {28..34}"
    assert wanted in " ".join(run(CONSOLE).stdout.split())
    rows = json.loads(run(CONSOLE, "--format", "json").stdout)
    assert rows[2]["verdict"]["display_filter"].endswith(wanted)
    (well,) = json.loads(run(CAPTURES / "success.pcap", "--format", "json").stdout)
    assert well["verdict"]["display_filter"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param((CONSOLE, "--with-secrets"), 2, "--with-secrets goes with --extract", id="secrets of nothing"),
        pytest.param((CONSOLE, CONSOLE, "--annotate", "OUT"), 2, "one capture at a time", id="two captures"),
        pytest.param(("-", "--extract", "OUT"), 2, "read the capture twice; save the pipe to a file", id="a pipe"),
        pytest.param((CONSOLE, "--annotate", "-"), 2, "standard output has the report", id="to standard output"),
        pytest.param((CONSOLE, "--annotate", "OUT", "--extract", "OUT"), 2, "for two outputs", id="both to one file"),
        pytest.param((CONSOLE, "-o", "OUT", "--extract", "OUT"), 2, "for two outputs", id="the report and the packets"),
        pytest.param(("/nowhere/x.pcap", "--annotate", "OUT"), 3, "there is no such file", id="no evidence"),
        pytest.param(("/dev/null", "--annotate", "OUT"), 2, "save the pipe to a file", id="a device"),
        pytest.param((CONSOLE, "--annotate", CONSOLE), 2, "it would be lost", id="over the evidence"),
        pytest.param((CONSOLE, "--extract", "/nowhere/x"), 3, "cannot be written: No such file", id="nowhere"),
        pytest.param((CONSOLE, "--cross-check", "--only", "failed"), 2, "leave out --only", id="a part compared"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[object, ...], code: int, says: str) -> None:
    result = run(*(tmp_path / "out.pcapng" if one == "OUT" else one for one in arguments))
    if isinstance(result.exception, TlsalertError):  # main() says it
        assert (result.exception.exit_code, says in str(result.exception)) == (code, True)
    else:
        assert (result.exit_code, says in result.stderr) == (code, True)
    assert CONSOLE.stat().st_size > 5000
    assert not list(tmp_path.iterdir())


def test_a_file_named_like_standard_input_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-").write_bytes(b"")
    result = CliRunner().invoke(command, ["-"], input=CONSOLE.read_bytes())
    assert (result.exit_code, "3 refused by the server" in result.stdout) == (0, True)


def test_a_log_has_no_packets_to_write(tmp_path: Path) -> None:
    wireshark = ForWireshark((str(CONSOLE),), str(tmp_path / "out.pcapng"), None, False, None)
    log = cast("LogReader", SimpleNamespace(summary=Summary("client.log")))
    with pytest.raises(CaptureError, match=r"client\.log: that is a log: it has no packets for Wireshark"):
        wireshark.finish(log)


def test_without_pyshark_or_tshark_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyshark", None)
    result = run(CONSOLE, "--cross-check")
    assert str(result.exception) == "--cross-check needs pyshark; pip install 'tlsalert[wireshark]'"


@needs_tshark
def test_the_comparison_stands_below_the_text_and_on_standard_error_beside_data() -> None:
    pytest.importorskip("pyshark", reason="needs the extra wireshark")
    wanted = f"{CONSOLE}: 3 streams with TLS in Wireshark, 0 differences, 0 more that are known\n"
    text = run(CONSOLE, "--cross-check")
    assert (text.exit_code, text.stderr) == (0, "")
    assert text.stdout.endswith(wanted)
    data = run(CONSOLE, "--cross-check", "--format", "jsonl")
    assert (data.exit_code, data.stderr) == (0, wanted)
    assert len(data.stdout.splitlines()) == 3
