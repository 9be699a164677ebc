"""Logs of strace → connections: whose system calls moved which bytes over which socket, per process and thread.

All forms are read that strace's options make: -f, -ff, -t, -tt, -ttt, -r, -T, -s, -x, -xx, -y, -yy, -e read=,
-e write=. What the strings leave out (-s) is a gap of known length. The formats are those of strace(1), 4.5 to 6; what
calls do to descriptors is in the Linux manual pages, sections 2 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from tlsalert.model import Certificate, Connection
from tlsalert.sources import strace_values as values
from tlsalert.sources.strace_bytes import ByteCalls
from tlsalert.sources.strace_calls import DescriptorCalls
from tlsalert.sources.strace_descriptors import Call, Process
from tlsalert.sources.strace_files import Files
from tlsalert.sources.strace_keys import Keys
from tlsalert.sources.strace_processes import BIRTHS, Processes
from tlsalert.sources.strace_talks import Talks
from tlsalert.sources.strace_times import Times, date_of
from tlsalert.wire.conversation import Conversation
from tlsalert.wire.transcript import Keeping

#: Where a line begins: process, time, time since the line before, what -i and -n say; then what the line is.
_LINE = re.compile(
    rb"(?:\[pid +(\d{1,9})(?:<[^>]*>)?\] +|(\d{1,7})(?:<[^>]*>)? +)?"
    rb"(?:(\d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{9,11}(?:\.\d{1,9})?) +)?"
    rb" *(?:\(?\+? *(\d{1,9}\.\d{3,9})\)? +)?"
    rb"(?:\[[ \da-f?]{1,20}\] +){0,2}"
    rb"(?:([a-z_]\w{0,30})\(|<\.\.\. (\w{1,30}) resumed>|(\+\+\+ |--- |strace: |Process ))"
)
#: The same where a program's own words stand before it: then it must have a process or a time.
_WITHIN = re.compile(rb"(?:\[pid +\d{1,9}\] +|\d\d:\d\d:\d\d\.\d{6} +)(?:\d\d:\d\d:\d\d|[a-z_]\w{0,30}\(|<\.\.\. \w)")
#: strace's own word, which may stand in the middle of a line: the rest of that comes on the next one.
_ATTACHED = re.compile(rb"(?:strace: )?Process (\d{1,9})(?:<[^>]*>)? attached$")
#: A longer first part of a line is not waited for to go on.
_LONGEST_PARTED: Final = 65_536
_RESULT = re.compile(rb"(-?\d{1,19}|0x[0-9a-f]{1,16}|\?)(?:<[^\n]*?>)?(?: ([A-Z][A-Z0-9_]+))?")
_WRITES: Final = frozenset({b"write", b"send", b"sendto", b"writev", b"sendmsg", b"sendmmsg", b"pwritev", b"pwrite64"})
_OTHERS: Final = (
    *("epoll_create", "epoll_create1", "eventfd", "eventfd2", "timerfd_create", "signalfd", "signalfd4"),
    *("inotify_init", "inotify_init1", "memfd_create", "pidfd_open", "userfaultfd", "perf_event_open"),
)


class Trace:
    """One log of strace; see :class:`tlsalert.sources.log.Log`. ``files`` are what it shows of files.

    With ``everything`` all files are kept that the trace shows, else those with certificates or keys, to learn which
    belong together.
    """

    def __init__(self, source: str, keeping: Keeping, everything: bool = False) -> None:
        self.files = Files(everything)
        self._everything = everything
        self._keys = Keys()
        self._times = Times(date_of(source))
        self._talks = Talks(keeping, self.files)
        self._processes = Processes(self._talks.released)
        self._descriptor_calls = DescriptorCalls(self._talks, self._processes, everything)
        self._parted = b""
        self._calls = _calls(self._descriptor_calls, ByteCalls(self._talks, everything), self._processes)

    @property
    def timed(self) -> bool:
        """Whether its lines carry times."""
        return self._times.timed

    @property
    def dated(self) -> bool:
        """Whether it is known on which day its times were."""
        return self._times.dated

    @property
    def began(self) -> int | None:
        """The first time in it."""
        return self._times.began

    @property
    def ended(self) -> int | None:
        """The last time in it."""
        return self._times.ended

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """The certificate, and those behind it in its file, whose private key the program had, if it was a client."""
        return self._keys.chain() if self._talks.client_only else ()

    def line(self, text: bytes, number: int) -> None:
        """Take one line."""
        if self._talks.moved is not None:
            if text.startswith(b" | "):
                self._talks.dumped(text)
                return
            if text.startswith(b" * "):
                return
            self._talks.settle()
        if text.endswith(b" attached") and (word := _ATTACHED.search(text, len(text) - 80 if len(text) > 80 else 0)):
            self._interrupted(text[: word.start()], int(word[1]))
            return
        if self._parted:
            text, self._parted = self._parted + text, b""
        found = _LINE.match(text)
        if found is None:
            if len(text) > 12 and (within := _WITHIN.search(text, 1)) is not None:
                found = _LINE.match(text, within.start())
            if found is None:
                return
        bracketed, plain, stamp, delta, name, resumed, other = found.groups()
        if delta is not None and stamp is None:
            self._times.pass_by(delta)
        if name is not None:
            if name not in self._calls:
                if self.began is None:
                    self._times.at(stamp, delta, number)
                if bracketed is not None and not self._processes.known(int(bracketed)):
                    self._processes.who(bracketed, plain)
                elif self._processes.doubtful and bracketed is None and plain is None:
                    self._processes.untraced()
                return
        elif resumed is not None and resumed not in self._calls:
            return
        self._talks.place = number
        self._talks.time = self._times.at(stamp, delta, number)
        if other is not None:
            self._happened(other, text, found.end(), bracketed, plain)
            return
        process = self._processes.who(bracketed, plain)
        if name is not None:
            self._begun(process, name, text, found.end())
        else:
            self._resumed(process, resumed, text, found.end())

    def take(self) -> Sequence[Conversation | Connection]:
        """Return the connections that have ended."""
        if not self._everything:
            self._keys.learn(self.files.take())
        ended, self._talks.over = self._talks.over, []
        return ended

    def finish(self) -> None:
        """End what is open."""
        self._talks.settle()
        for opened in list(self._talks.live.values()):
            self._talks.end(opened)
        for process in self._processes.all():
            for entry in process.table.entries.values():
                self._talks.shelve(entry.open)
        if not self._everything:
            self._keys.learn(self.files.take())

    def notes(self) -> Sequence[str]:
        """Return what is to be said of the log."""
        said = self._times.notes()
        if self._talks.short:
            said.append(
                f"the bytes of {self._talks.short} calls were cut short when they were recorded: use strace -s 65536, "
                "or -e read=all -e write=all"
            )
        said += [f"{many} {what}" if many > 1 else what for what, many in self._descriptor_calls.odd.items()]
        if self.files.left_out:
            said.append(f"{self.files.left_out} files were too many to be looked at")
        return [*said, *self._keys.notes()]

    def _happened(self, kind: bytes, text: bytes, at: int, bracketed: bytes | None, plain: bytes | None) -> None:
        """Take a line that is no call: a process ended, or got a signal, or strace says something."""
        if kind == b"+++ " and text.startswith((b"exited", b"killed"), at):
            self._processes.exited(self._processes.who(bracketed, plain))

    def _interrupted(self, text: bytes, pid: int) -> None:
        """Take what stands before strace's word that it follows another process: a line's first part, or nothing."""
        if text:
            self._parted = text if len(text) < _LONGEST_PARTED else b""
        found = _LINE.match(text)
        if found is not None and found[5] in BIRTHS:
            process = self._processes.who(found[1], found[2])
            process.begun = Call(process, found[5], text[found.end() :], self._talks.place, self._talks.time)
            self._processes.bearing[process.pid] = process
        self._processes.attached(pid)

    def _begun(self, process: Process, name: bytes, text: bytes, at: int) -> None:
        """Take a call's line from behind its opening parenthesis on."""
        if text.endswith(b"<unfinished ...>"):
            call = Call(process, name, text[at:-16].rstrip(), self._talks.place, self._talks.time)
            process.begun = call
            if name in BIRTHS and process.child is None:
                self._processes.bearing[process.pid] = process
            elif name in _WRITES and (number := values.descriptor(call.args)) is not None:
                call.writes = process.table.get(number.number)
                if call.writes is not None:
                    call.writes.writing = call
            return
        self._return(Call(process, name, b"", self._talks.place, self._talks.time), text, at)

    def _resumed(self, process: Process, name: bytes, text: bytes, at: int) -> None:
        call = process.begun
        process.begun = None
        self._processes.bearing.pop(process.pid, None)
        if call is None or call.name != name:
            call = Call(process, name, b"", self._talks.place, self._talks.time)  # its beginning was not recorded
        if name not in _WRITES:
            call.place, call.time = self._talks.place, self._talks.time
        if text.startswith(b" ", at):
            at += 1  # as strace wrote it before version 5
        if call.args.endswith(b","):
            call.args += b" "
        self._return(call, text, at)

    def _return(self, call: Call, text: bytes, at: int) -> None:
        """Find where a call's arguments end and what it returned, and do what it did."""
        end = len(text)
        while (end := text.rfind(b"= ", at, end)) >= 0:
            close = end
            while close > at and text[close - 1] == 0x20:
                close -= 1
            if close > at and text[close - 1] == 0x29:
                found = _RESULT.match(text, end + 2)
                if found is None:
                    return
                call.args += text[at : close - 1]
                call.errno = found[2] or b""
                result = values.number(found[1])
                call.result = None if found[1] == b"?" else result
                break
        else:
            return
        if call.writes is not None and call.writes.writing is call:
            call.writes.writing = None
        if not call.believed:
            self._calls[call.name](call)


def open_log(source: str, keeping: Keeping) -> Trace:
    """Return a trace that is to be read."""
    return Trace(source, keeping)


def _calls(opens: DescriptorCalls, moves: ByteCalls, family: Processes) -> dict[bytes, Callable[[Call], None]]:
    """Return what is done for which system call; all others do not matter."""
    named: dict[str, Callable[[Call], None]] = dict.fromkeys(_OTHERS, opens.other)
    named |= dict.fromkeys(("clone", "clone3", "fork", "vfork"), family.clone)
    named |= {"execve": family.execve, "execveat": family.execve, "unshare": family.unshare}
    named |= {"socket": opens.socket, "connect": opens.connect, "accept": opens.accept, "accept4": opens.accept}
    named |= dict.fromkeys(("socketpair", "pipe", "pipe2"), opens.pair)
    named |= {"bind": opens.bind, "getsockname": opens.bind, "getpeername": opens.getpeername}
    named |= {"close": opens.close, "close_range": opens.close_range, "shutdown": opens.shutdown}
    named |= {"dup": opens.dup, "dup2": opens.dup, "dup3": opens.dup, "fcntl": opens.fcntl, "fcntl64": opens.fcntl}
    named |= {"ioctl": opens.ioctl, "setsockopt": opens.option, "getsockopt": opens.option}
    named |= dict.fromkeys(("open", "openat", "openat2", "creat"), opens.openat)
    named |= {"read": moves.read, "recv": moves.read, "recvfrom": moves.read, "readv": moves.readv}
    named |= {"write": moves.write, "send": moves.write, "sendto": moves.write, "writev": moves.writev}
    named |= {"recvmsg": moves.recvmsg, "sendmsg": moves.sendmsg, "recvmmsg": moves.many, "sendmmsg": moves.many}
    named |= {
        "pread64": moves.at_offset,
        "pwrite64": moves.at_offset,
        "pread": moves.at_offset,
        "pwrite": moves.at_offset,
    }
    named |= {"sendfile": moves.sendfile, "sendfile64": moves.sendfile, "splice": moves.splice}
    named |= {"lseek": moves.seek, "_llseek": moves.seek}
    named |= dict.fromkeys(("io_uring_setup", "io_uring_enter", "io_uring_register"), opens.ring)
    return {name.encode(): act for name, act in named.items()}
