"""The files of strace -ff: whichever is given, the whole trace is read, in the order of its times."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.sources.straces import FAR, Script, address, said, string
from tests.wire import dialogues
from tlsalert.capture import read
from tlsalert.cli.read import command
from tlsalert.sources.files import ByteSource
from tlsalert.sources.strace_parts import parts_of, with_parts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a trace of a process that connects and a child that speaks, and with other files."""
    hello, flight, alert = dialogues.HELLO, dialogues.FLIGHT, dialogues.ALERT
    parent = Script(pid="").call("socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 4")
    parent.call(f"connect(4, {address(FAR)}, 16) = 0").call("clone(child_stack=NULL, flags=SIGCHLD) = 12")
    parent.second = 20
    parent.call("wait4(12, NULL, 0, NULL) = 12").call("+++ exited with 0 +++")
    child = (
        Script(pid="", second=5).call("gettid() = 12").call(f"write(4, {string(hello)}, {len(hello)}) = {len(hello)}")
    )
    child.call(f"read(4, {string(flight)}, 9000) = {len(flight)}")
    child.call(f"write(4, {string(alert)}, 7) = 7").call("+++ exited with 0 +++")
    (tmp_path / "trace.7").write_bytes(parent.bytes())
    (tmp_path / "trace.12").write_bytes(child.bytes())
    (tmp_path / "trace.99").write_bytes(Script(pid="").call("getpid() = 99").handshake().bytes())
    (tmp_path / "trace.txt").write_bytes(parent.bytes())
    (tmp_path / "other.12").write_bytes(child.bytes())
    (tmp_path / "trace.13").mkdir()
    return tmp_path


@pytest.mark.parametrize("given", ["trace.7", "trace.12"])
def test_either_file_tells_the_whole_trace(folder: Path, given: str) -> None:
    found = read(folder / given)
    assert [said(one) for one in found] == [dialogues.TOLD]
    assert str(found[0].server) == "10.0.0.7:5900"
    assert found[0].messages[0].position.line == 5
    assert any("strace-log-merge" in note for note in found.summary.notes)


def test_lines_come_in_the_order_of_their_times_each_with_its_process(folder: Path) -> None:
    source = with_parts(ByteSource(folder / "trace.12"))
    lines = b"".join(source.chunks()).split(b"\n")
    assert [line[:11] for line in lines[:5]] == [
        b"7 08:51:01.",
        b"7 08:51:02.",
        b"7 08:51:03.",
        b"12 08:51:06",
        b"12 08:51:07",
    ]


@pytest.mark.parametrize(
    ("given", "count"), [("trace.7", 2), ("trace.12", 2), ("trace.99", 1), ("trace.txt", 1), ("other.12", 1)]
)
def test_only_what_tells_of_each_other_belongs_together(folder: Path, given: str, count: int) -> None:
    path = folder / given
    assert len(parts_of(str(path), path.read_bytes())) == count


def test_without_times_each_file_stands_for_itself(tmp_path: Path) -> None:
    for pid, text in ((7, "fork() = 8\n"), (8, "getpid() = 8\n")):
        (tmp_path / f"trace.{pid}").write_text(text)
    assert parts_of(str(tmp_path / "trace.7"), b"fork() = 8\n") == [str(tmp_path / "trace.7")]


def test_a_trace_is_told_once_when_all_its_files_are_given(folder: Path) -> None:
    paths = [str(folder / name) for name in ("trace.12", "trace.7", "trace.99")]
    result = CliRunner().invoke(command, [*paths, "--format", "jsonl"])
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 2
    assert "trace.7 was read already" in result.stderr
