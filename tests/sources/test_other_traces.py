"""Logs of other tracers are known for what they are, and strace's for none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.straces import Script
from tlsalert.capture import read
from tlsalert.errors import CaptureError
from tlsalert.sources.log import kind_of

LINES = {
    "perf trace": "     0.000 ( 0.005 ms): cat/123 read(fd: 3, buf: 0x7ffe5c, count: 832)          = 832",
    "dtruss": 'read(0x3, "\\026\\003\\0", 0x5)\t\t = 5 0',
    "dtruss head": "SYSCALL(args) \t\t = return",
    "truss of FreeBSD": 'read(3,"\\^V\\^C\\^C\\0A",5)\t\t\t = 5 (0x5)',
    "truss of Solaris": 'open("/etc/ssl/x", O_RDONLY)\t\t\tErr#2 ENOENT',
    "ltrace": "[pid 12] __libc_start_main(0x401136, 2, 0x7ffd, 0x4011b0 <unfinished ...>",
    "ltrace of a library": "libssl.so.3->SSL_connect(0x55d5, 0, 0, 0) = -1",
}


@pytest.mark.parametrize("tool", LINES)
def test_other_tracers_are_named_and_what_to_do_is_said(tmp_path: Path, tool: str) -> None:
    log = tmp_path / "log"
    log.write_text(f"a word before\n{LINES[tool]}\n")
    with pytest.raises(CaptureError) as raised:
        list(read(log))
    assert "perf trace, dtruss, truss or ltrace" in str(raised.value)
    assert "strace -f -tt -s 65536" in str(raised.value)


@pytest.mark.parametrize("stamp", ["", "-t", "-tt", "-ttt", "-r"])
@pytest.mark.parametrize("pid", ["", "100   ", "[pid   100] "])
def test_every_line_of_strace_is_known_as_that(stamp: str, pid: str) -> None:
    script = Script(stamp, pid=pid).connect().handshake().call("close(4) = 0 <0.000019>").call("exit_group(0) = ?")
    script.call("<... futex resumed>) = 0").call("+++ exited with 0 +++").call(
        "fcntl(4, F_GETFD) = 0x1 (flags FD_CLOEXEC)"
    )
    script.call("poll([{fd=3, events=POLLIN}], 1, 10) = 1 ([{fd=3, revents=POLLIN}])").call("read(3,  <unfinished ...>")
    kinds = [kind_of(line.encode()) for line in script.lines]
    assert {None if kind is None else kind.name for kind in kinds} == {"strace"}


@pytest.mark.parametrize("line", [b"", b"SSL_connect: error (1) = 5", b"08:51:01 read 5 bytes", b"x = f(1) = 2"])
def test_other_lines_are_not(line: bytes) -> None:
    assert kind_of(line) is None
