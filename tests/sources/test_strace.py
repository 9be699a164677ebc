"""Logs of strace: in whichever way a program moves its bytes, they are what a capture would have shown."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence import CASES, needs_cases
from tests.sources.straces import FAR, NEAR, Script, address, said, string, told
from tests.wire import dialogues, tls
from tests.wire.mutation import mutated
from tlsalert.capture import read
from tlsalert.model import Endpoint
from tlsalert.sources.strace import open_log
from tlsalert.wire.transcript import Keeping

HELLO, FLIGHT, ALERT = dialogues.HELLO, dialogues.FLIGHT, dialogues.ALERT


def notes(path: Path) -> tuple[str, ...]:
    return read(path / "trace.log").summary.notes


@pytest.mark.parametrize("pid", ["", "100   ", "[pid   100] ", "100<curl> "])
@pytest.mark.parametrize("manner", ["", "-x", "-xx"])
@pytest.mark.parametrize("stamp", ["", "-t", "-tt", "-ttt", "-r"])
def test_all_manners_of_strace_tell_the_same(tmp_path: Path, stamp: str, manner: str, pid: str) -> None:
    script = Script(stamp, manner, pid=pid).connect().handshake().call("close(4) = 0")
    (found,) = told(script, tmp_path)
    assert said(found) == dialogues.TOLD
    assert (str(found.client), str(found.server)) == ("10.0.0.5:40112", "10.0.0.7:5900")
    assert [one.position.line for one in found.messages] == [4, 6, 6, 6]
    assert (found.closed.how, found.closed.sender) == ("fin", "client")
    assert (found.start is None) == (stamp == "")
    assert found.verdict is not None
    assert (found.verdict.outcome, found.verdict.refused_by) == ("failed", "client")


@pytest.mark.parametrize("tail", [" <0.000019>", "", "  "])
def test_what_t_and_padding_add_changes_nothing(tmp_path: Path, tail: str) -> None:
    log = Script().connect().handshake().bytes().replace(b"\n", tail.encode() + b"\n").replace(b") = ", b")      = ")
    assert said(told(log, tmp_path)[0]) == dialogues.TOLD


@given(cuts=st.sets(st.integers(1, len(FLIGHT) - 1), max_size=8), interrupted=st.booleans())
def test_slicing_changes_nothing(tmp_path_factory: pytest.TempPathFactory, cuts: set[int], interrupted: bool) -> None:
    script = Script().connect().write(HELLO)
    for start, end in pairwise([0, *sorted(cuts), len(FLIGHT)]):
        script.read(FLIGHT[start:end])
        if interrupted:
            script.call("read(4, 0x55d0, 8192) = -1 EAGAIN (Resource temporarily unavailable)")
            script.call("read(4, 0x55d0, 8192) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)")
            script.call("--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---")
            script.call('write(4, "x", 1) = -1 EINTR (Interrupted system call)')
            script.call('recvfrom(4, "\\25\\3", 2, MSG_PEEK, NULL, NULL) = 2')
    assert said(told(script.write(ALERT), tmp_path_factory.mktemp("log"))[0]) == dialogues.TOLD


def test_what_a_string_leaves_out_is_a_gap_of_known_length(tmp_path: Path) -> None:
    (found,) = told(Script(limit=32).connect().handshake(), tmp_path)
    assert [one.code for one in found.alerts] == [48]
    assert any("missing" in note for note in found.notes)
    assert any("strace -s 65536" in note for note in notes(tmp_path))


def dump(data: bytes) -> list[str]:
    rows = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        rows.append(f" | {at:05x}  {left}{'  ' if right else ' '}{right}".ljust(59) + f"  {text.ljust(16)} |")
    return rows


def test_a_dump_takes_the_place_of_a_string_that_was_cut(tmp_path: Path) -> None:
    script = Script(limit=8).connect()
    for side, data in dialogues.TLS:
        (script.write if side == "client" else script.read)(data)
        script.lines += dump(data)
    assert said(told(script, tmp_path)[0]) == dialogues.TOLD
    assert not any("strace -s" in note for note in notes(tmp_path))


def vectors(*parts: bytes, old: bool = False) -> str:
    if old:
        return "[" + ", ".join(f"{{{string(part)}, {len(part)}}}" for part in parts) + "]"
    return "[" + ", ".join(f"{{iov_base={string(part)}, iov_len={len(part)}}}" for part in parts) + "]"


def message(*parts: bytes, old: bool = False) -> str:
    if old:
        return f"{{msg_name(0)=NULL, msg_iov({len(parts)})={vectors(*parts, old=True)}, msg_controllen=0, msg_flags=0}}"
    return f"{{msg_name=NULL, msg_namelen=0, msg_iov={vectors(*parts)}, msg_iovlen={len(parts)}, msg_flags=0}}"


@pytest.mark.parametrize("old", [False, True], ids=["now", "strace 4"])
@pytest.mark.parametrize("how", ["writev", "sendmsg", "sendto", "send", "sendmmsg"])
def test_every_call_that_moves_bytes_is_known(tmp_path: Path, how: str, old: bool) -> None:
    script = Script().connect()
    for side, data in dialogues.TLS:
        name = how if side == "client" else how.replace("write", "read").replace("send", "recv").replace("to", "from")
        size = len(data)
        parts = data[:5], data[5:]
        head = "" if old else "msg_len="
        body = {
            "v": f"{name}(4, {vectors(*parts, old=old)}, 2) = {size}",
            "g": f"{name}(4, {message(*parts, old=old)}, 0) = {size}",
            "o": f"{name}(4, {string(data)}, {size}, MSG_NOSIGNAL, NULL, 0) = {size}",
            "m": f"{name}(4, {string(data)}, {size}, 0, {address(FAR)}, [16]) = {size}",
            "d": f"{name}(4, {string(data)}, {size}, 0) = {size}",
        }
        many = f"{name}(4, [{{{'' if old else 'msg_hdr='}{message(*parts, old=old)}, {head}{size}}}], 1, 0) = 1"
        script.call(many if "mmsg" in name else body["d" if name == "recv" else name[-1]])
    assert said(told(script, tmp_path)[0]) == dialogues.TOLD


def test_a_vector_that_was_not_filled_counts_as_far_as_it_was(tmp_path: Path) -> None:
    script = Script().connect().write(HELLO)
    script.call(f"readv(4, {vectors(FLIGHT, bytes(50))}, 2) = {len(FLIGHT)}")
    assert said(told(script.write(ALERT), tmp_path)[0]) == dialogues.TOLD


@pytest.mark.parametrize("space", ["", " "], ids=["now", "strace 4"])
def test_calls_of_several_threads_are_put_together(tmp_path: Path, space: str) -> None:
    """A read whose first part another thread's line follows, and a write that returns after its answer was read."""
    size = len(HELLO)
    script = Script(pid="").call("socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 4", "7 ")
    script.call(f"connect(4, {address(FAR)}, 16 <unfinished ...>", "7 ")
    script.call("clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FILES|CLONE_THREAD) = 8", "7 ")
    script.call("<... connect resumed>) = 0", "7 ")
    script.call("read(4, <unfinished ...>", "8 ")
    script.call(f"write(4, {string(HELLO)}, {size} <unfinished ...>", "7 ")
    script.call(f"<... read resumed>{space}{string(FLIGHT)}, 9000) = {len(FLIGHT)}", "8 ")
    script.call(f"<... write resumed>) = {size}", "7 ")
    script.call(f"write(4, {string(ALERT)}, {len(ALERT)}) = {len(ALERT)}", "8 ")
    script.call("+++ exited with 0 +++", "8 ").call("+++ exited with 0 +++", "7 ")
    (found,) = told(script, tmp_path)
    assert said(found) == dialogues.TOLD
    assert [one.position.line for one in found.messages] == [6, 7, 7, 7]
    assert (found.closed.how, found.closed.position and found.closed.position.line) == ("fin", 11)


@pytest.mark.parametrize(
    ("lines", "how", "sender"),
    [
        (['read(4, "", 5) = 0', "close(4) = 0"], "fin", "server"),
        (["read(4, 0x55d684ee1940, 8192) = -1 ECONNRESET (Connection reset by peer)", "close(4) = 0"], "rst", "server"),
        (['write(4, "x", 1) = -1 EPIPE (Broken pipe)', "--- SIGPIPE {si_signo=SIGPIPE} ---"], "rst", "server"),
        (["shutdown(4, SHUT_WR) = -1 ENOTCONN (Transport endpoint is not connected)"], "rst", "server"),
        (["getpeername(4, 0x7fff, [16]) = -1 ENOTCONN (Transport endpoint is not connected)"], "rst", "server"),
        (["getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0"], "rst", "server"),
        (["shutdown(4, SHUT_RDWR) = 0", 'read(4, "", 5) = 0'], "fin", "client"),
        (["close(4) = 0"], "fin", "client"),
        (["close(4) = -1 EIO (Input/output error)"], "fin", "client"),
        (["setsockopt(4, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0", "close(4) = 0"], "rst", "client"),
        (["exit_group(1) = ?", "+++ exited with 1 +++"], "fin", "client"),
        (["+++ killed by SIGKILL +++"], "fin", "client"),
        (["close_range(3, 4294967295, 0) = 0"], "fin", "client"),
        (['execve("/bin/true", ["true"], 0x7ff /* 9 vars */) = 0'], "fin", "client"),
        (["fcntl(4, F_SETFD, 0) = 0", 'execve("/bin/true", ["true"], 0x7ff /* 9 vars */) = 0'], "open", None),
        (['read(4, "", 0) = 0'], "open", None),
        (["read(4, 0x55d684ee1940, 8192) = -1 EAGAIN (Resource temporarily unavailable)"], "open", None),
        (["dup(4) = 5", "close(4) = 0"], "open", None),
        (["dup(4) = 5", "close(4) = 0", "close(5) = 0"], "fin", "client"),
        (["dup2(4, 0) = 0", "close(4) = 0", "dup3(0, 9, O_CLOEXEC) = 9", "close(0) = 0"], "open", None),
        (["fcntl(4, F_DUPFD_CLOEXEC, 3) = 10", "close(4) = 0"], "open", None),
        (["close(7) = 0", "close(4) = -1 EBADF (Bad file descriptor)"], "open", None),
        (["fork() = 101", "close(4) = 0"], "open", None),
        (["fork() = -1 EAGAIN (Resource temporarily unavailable)", "close(4) = 0"], "fin", "client"),
    ],
)
def test_how_it_ended_and_by_whom(tmp_path: Path, lines: list[str], how: str, sender: str | None) -> None:
    script = Script().connect().handshake()
    for line in lines:
        script.call(line)
    (found,) = told(script, tmp_path)
    assert (found.closed.how, found.closed.sender) == (how, sender)
    assert said(found) == dialogues.TOLD


def test_an_alert_that_the_program_read_is_not_lost(tmp_path: Path) -> None:
    script = Script().connect().write(HELLO).read(FLIGHT).read(tls.alert(2, 40))
    script.call("read(4, 0x55d6, 8192) = -1 ECONNRESET (Connection reset by peer)")
    (found,) = told(script, tmp_path)
    assert (found.closed.how, found.closed.sender) == ("rst", "server")
    assert found.verdict is not None
    assert not found.verdict.alert_lost


def test_a_child_that_is_not_followed_keeps_nothing_open(tmp_path: Path) -> None:
    """Without -f lines name no process, and what a child does is not seen: the parent's close is what counts."""
    script = Script(pid="").connect().handshake().call("clone(child_stack=NULL, flags=SIGCHLD) = 101")
    (found,) = told(script.call("close(4) = 0"), tmp_path)
    assert (found.closed.how, found.closed.sender) == ("fin", "client")


def test_a_descriptor_goes_to_a_child_and_to_another_program(tmp_path: Path) -> None:
    """As inetd and forking servers do: accepted here, spoken over there, under another number."""
    script = Script(pid="1 ").call("socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3")
    script.call(f"bind(3, {address(FAR)}, 16) = 0").call("listen(3, 5) = 0")
    script.call(f"accept4(3, {address(NEAR)}, [128 => 16], SOCK_CLOEXEC) = 4").call("vfork( <unfinished ...>")
    script.call("dup2(4, 0) = 0", "2 ").call('execve("/bin/server", ["server"], 0x7f /* 9 vars */) = 0', "2 ")
    script.call("<... vfork resumed>) = 2").call("close(4) = 0")
    script.call(f"read(0, {string(HELLO)}, 9000) = {len(HELLO)}", "2 ")
    script.call(f"write(0, {string(FLIGHT)}, {len(FLIGHT)}) = {len(FLIGHT)}", "2 ")
    script.call(f"read(0, {string(ALERT)}, 9000) = {len(ALERT)}", "2 ").call("+++ exited with 0 +++", "2 ")
    (found,) = told(script, tmp_path)
    assert said(found) == dialogues.TOLD
    assert (str(found.client), str(found.server)) == ("10.0.0.5:40112", "10.0.0.7:5900")
    assert (found.closed.how, found.closed.sender) == ("fin", "server")


def test_a_descriptor_is_passed_on_over_a_socket(tmp_path: Path) -> None:
    control = "msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[%d]}]"
    body = '{msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="x", iov_len=1}], msg_iovlen=1, ' + control + "}"
    script = Script(pid="1 ").connect().call("socketpair(AF_UNIX, SOCK_STREAM, 0, [5, 6]) = 0").call("fork() = 2")
    script.call(f"sendmsg(5, {body % 4}, 0) = 1").call("close(4) = 0")
    script.call(f"recvmsg(6, {body % 9}, 0) = 1", "2 ")
    script.pid, script.fd = "2 ", "9"
    (found,) = told(script.handshake(), tmp_path)
    assert said(found) == dialogues.TOLD
    assert str(found.server) == "10.0.0.7:5900"
    assert found.closed.how == "open"


def test_addresses_of_ipv6(tmp_path: Path) -> None:
    (found,) = told(Script().connect(("2001:db8::7", 443), ("2001:db8::5", 40112)).handshake(), tmp_path)
    assert (str(found.client), str(found.server)) == ("[2001:db8::5]:40112", "[2001:db8::7]:443")


def test_the_own_end_may_show_late(tmp_path: Path) -> None:
    script = Script().connect(near=None).handshake().call(f"getsockname(4, {address(NEAR)}, [16]) = 0")
    assert told(script, tmp_path)[0].client == Endpoint("10.0.0.5", 40112)


def test_an_end_that_does_not_show_is_unknown(tmp_path: Path) -> None:
    (found,) = told(Script().connect(near=None).handshake(), tmp_path)
    assert (found.client, str(found.server)) == (None, "10.0.0.7:5900")


@pytest.mark.parametrize(
    ("label", "ends"),
    [
        ("TCP:[10.0.0.5:40112->10.0.0.7:5900]", ("10.0.0.5:40112", "10.0.0.7:5900")),
        ("TCPv6:[[2001:db8::5]:40112->[2001:db8::7]:443]", ("[2001:db8::5]:40112", "[2001:db8::7]:443")),
        ("socket:[194487]", ("None", "None")),
        ('UNIX-STREAM:[12->34, "/run/x"]', ("None", "None")),
        ("", ("None", "None")),
    ],
    ids=["-yy", "-yy IPv6", "-y", "-yy AF_UNIX", "nothing"],
)
def test_what_was_opened_before_is_known_by_its_label_or_its_bytes(
    tmp_path: Path, label: str, ends: tuple[str, str]
) -> None:
    """With -p, or -e trace=read,write: nothing says what the descriptor is, but for -y and -yy."""
    (found,) = told(Script(fd=f"4<{label}>" if label else "4").handshake(), tmp_path)
    assert said(found) == dialogues.TOLD
    assert (str(found.client), str(found.server)) == ends


def test_a_number_that_is_used_again_is_another_connection(tmp_path: Path) -> None:
    script = Script().handshake().handshake().connect().handshake().connect().handshake()
    found = told(script, tmp_path)
    assert [said(one) for one in found] == [dialogues.TOLD] * 4
    assert [one.connection for one in found] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "opened",
    [
        "socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, [4, 5]) = 0",
        "socket(AF_UNIX, SOCK_STREAM, 0) = 4",
        "socket(AF_VSOCK, SOCK_STREAM, 0) = 4",
    ],
)
def test_tls_over_local_sockets_has_unknown_ends(tmp_path: Path, opened: str) -> None:
    script = Script().call(opened).call('connect(4, {sa_family=AF_UNIX, sun_path="/run/proxy"}, 110) = 0')
    (found,) = told(script.handshake(), tmp_path)
    assert said(found) == dialogues.TOLD
    assert (found.client, found.server) == (None, None)


def test_tls_over_two_pipes_is_one_connection(tmp_path: Path) -> None:
    script = Script().call("pipe2([3, 4], O_CLOEXEC) = 0").call("pipe([5, 6]) = 0")
    script.write(HELLO)
    script.fd = "5"
    script.read(FLIGHT)
    script.fd = "4"
    (found,) = told(script.write(ALERT), tmp_path)
    assert said(found) == dialogues.TOLD


def test_what_sendfile_and_splice_move_is_a_gap(tmp_path: Path) -> None:
    script = Script().connect().handshake().call("sendfile(4, 5, [0] => [700], 700) = 700")
    script.call("splice(4, NULL, 7, NULL, 65536, SPLICE_F_MOVE) = 300")
    (found,) = told(script, tmp_path)
    assert any("1000 bytes" in note for note in found.notes)


def test_files_and_datagrams_are_no_connections(tmp_path: Path) -> None:
    script = Script().call('openat(AT_FDCWD, "/tmp/record", O_RDONLY) = 4').handshake().call("close(4) = 0")
    script.call("socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP) = 4").handshake()
    assert told(script, tmp_path) == []


def test_a_programs_own_words_may_stand_in_the_log(tmp_path: Path) -> None:
    script = Script(pid="").connect().raw("connected, I say").write(HELLO)
    script.raw("Retry =1").call('write(2, "Retry\\n", 6Retry').raw(") = 6").read(FLIGHT)
    script.lines[-1] = "no line end" + script.lines[-1]
    assert said(told(script.write(ALERT), tmp_path)[0]) == dialogues.TOLD


def test_a_line_that_strace_interrupts_itself_goes_on(tmp_path: Path) -> None:
    script = Script(pid="").connect()
    script.call("clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLDstrace: Process 92 attached")
    script.raw(", child_tidptr=0x7fb199e2aa10) = 92").call("close(4) = 0", "[pid    91] ")
    script.pid = "[pid    92] "
    (found,) = told(script.handshake(), tmp_path)
    assert said(found) == dialogues.TOLD
    assert str(found.server) == "10.0.0.7:5900"


def test_what_the_log_cannot_show_is_said(tmp_path: Path) -> None:
    script = Script().connect().handshake().call("setsockopt(4, SOL_TLS, TLS_TX, {tls_version=0x303}, 40) = 0")
    script.write(b"not a record").call("io_uring_enter(5, 1, 0, 0, NULL, 8) = 1")
    script.call("socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 6")
    script.call(f"connect(6, {address(FAR)}, 16) = -1 ECONNREFUSED (Connection refused)")
    (found,) = told(script, tmp_path)
    assert "from line 8 on the kernel encrypts: the trace shows no records" in found.notes
    assert any("io_uring" in note for note in notes(tmp_path))
    assert "connections could not be made (ECONNREFUSED)" in notes(tmp_path)


def test_a_timeout_is_said(tmp_path: Path) -> None:
    script = Script().connect().write(HELLO).call("read(4, 0x5, 5) = -1 ETIMEDOUT (Connection timed out)")
    assert "the connection timed out (line 5)" in told(script, tmp_path)[0].notes


def test_a_log_from_a_pipe_tells_what_has_ended() -> None:
    log = open_log("-", Keeping())
    script = Script().connect().handshake().call("close(4) = 0")
    for number, line in enumerate(script.lines, 1):
        log.line(line.encode(), number)
    assert [one.number for one in log.take()] == [0]  # type: ignore[union-attr]
    assert not log.take()


def mixed() -> bytes:
    """Return a log with a little of everything."""
    script = Script().call('openat(AT_FDCWD, "/tmp/1623919829200/client.crt", O_RDWR|O_CREAT|O_APPEND, 0600) = 3')
    script.call('write(3, "-----BEGIN CERTIFICATE-----\\nMIIB", 32) = 32').call('pread64(3, "0\\202", 2, 0) = 2')
    script.call("clone(child_stack=NULL, flags=CLONE_FILES <unfinished ...>").call("gettid() = 101", "101   ")
    script.call("<... clone resumed>) = 101").connect().handshake().call("dup2(4, 9) = 9", "101   ")
    script.lines += dump(FLIGHT)
    script.call(f"recvmsg(9, {message(tls.alert(1, 0))}, 0) = 7").call(f"writev(9, {vectors(HELLO, ALERT)}, 2) = 300")
    script.call("close(4) = 0").call("splice(9, NULL, 4, NULL, 99, 0) = 12").call("+++ exited with 0 +++")
    return script.bytes()


@pytest.mark.parametrize("seed", range(150))
def test_no_mutation_of_a_log_is_an_error(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    lines = mixed().split(b"\n")
    for _ in range(random.randrange(4)):
        one, other = random.randrange(len(lines)), random.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one][: random.randrange(len(lines[one]) + 1)]
    log = open_log("-", Keeping())
    for number, line in enumerate(mutated(b"\n".join(lines), random).split(b"\n"), 1):
        log.line(line, number)
    log.finish()
    log.notes()
    for talk in log.take():
        assert talk.finish().last_frame <= number  # type: ignore[union-attr]


@given(line=st.from_regex(rb"(\[pid +\d{1,9}\] )?[0-9:.]{0,15} ?[a-z_0-9]{1,9}\([^\n]{0,80}", fullmatch=True))
def test_no_line_is_an_error(line: bytes) -> None:
    log = open_log("-", Keeping())
    for number, text in enumerate((b"7 socket(AF_INET, SOCK_STREAM, 0) = 4", line, line + b") = 7"), 1):
        log.line(text, number)
    log.finish()


@needs_cases
@pytest.mark.parametrize("case", ["strace-client-curl", "strace-py-mixed-stderr", "strace-format-e-read-write-dump"])
def test_recorded_traces_show_the_refusal(case: str) -> None:
    found = [one for one in read(CASES / case / "trace.log") if one.alerts]
    assert {one.alerts[0].code for one in found} == {42}
    assert {one.verdict.cause for one in found if one.verdict is not None} == {"certificate_not_yet_valid"}
