"""Logs of strace → connections: whose system calls moved which bytes over which socket, per process and thread.

All forms of strace's options are read that keep the arguments of calls: -f, -ff, -t, -tt, -ttt, -r, -T, -s, -x, -xx, -y,
-yy, -e read=, -e write=. What the strings leave out (-s) is a gap of known length. The formats are those of strace(1),
4.5 to 6; what calls do to descriptors is in the Linux manual pages, sections 2 and 7.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from tlsalert.model import Certificate, Connection
from tlsalert.sources import strace_values as values
from tlsalert.sources.strace_descriptors import MOST, Open, Process, Table, What
from tlsalert.sources.strace_files import Draft, Files
from tlsalert.sources.strace_keys import Keys
from tlsalert.sources.strace_times import Times, date_of
from tlsalert.sources.strace_values import Segment
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
_ATTACHED = re.compile(rb"Process (\d{1,9})(?:<[^>]*>)? attached")
_RESULT = re.compile(rb"(-?\d{1,19}|0x[0-9a-f]{1,16}|\?)(?:<[^\n]*?>)?(?: ([A-Z][A-Z0-9_]+))?")
_DUMPED = re.compile(rb" \| [0-9a-f]{5,} ((?: [ 0-9a-f]{2}){1,8} ?(?: [ 0-9a-f]{2}){0,8})")
_MESSAGE = re.compile(rb"msg_iov(?:\(\d+\))?=")
_MESSAGE_LENGTH = re.compile(rb"\}, (?:msg_len=)?(\d{1,10})\}")
_RIGHTS = re.compile(rb"SCM_RIGHTS, (?:cmsg_data=)?\{?\[([^\]]{1,2000})\]")
#: A file of which so little is read at once may be read on: its beginning does not say yet what it is.
_SMALL: Final = 256
#: How PEM and DER look in strace's strings.
_BEGINS: Final = (b"-----BEGIN ", rb"\x2d\x2d\x2d\x42\x45\x47\x49\x4e", rb"\x2d\x2d\x2dBEGIN ")
_DER_SHOWN: Final = re.compile(rb', "(?:0|\\x30)(?:\\20[0-3]|\\x8[0-3])')
_CHILD_SHARES: Final = b"CLONE_FILES"
#: Failures that say that the other side reset the connection, or had closed it when more was said (RFC 9293 §3.5).
_RESET: Final = frozenset({b"ECONNRESET", b"EPIPE", b"ENOTCONN"})
_CONNECTING: Final = frozenset({b"EINPROGRESS", b"EINTR", b"EALREADY", b"EISCONN", b"EAGAIN"})
_WRITES: Final = frozenset({b"write", b"send", b"sendto", b"writev", b"sendmsg", b"sendmmsg", b"pwritev", b"pwrite64"})


class Call:
    """One system call that has returned: who made it, its arguments as text, what it returned.

    ``place`` and ``time`` are those of its first line where that held what it wrote, else of its last one.
    """

    __slots__ = ("args", "errno", "name", "place", "process", "result", "time")

    def __init__(self, process: Process, name: bytes, args: bytes, place: int, time: int) -> None:
        self.process = process
        self.name = name
        self.args = args
        self.place = place
        self.time = time
        self.result: int | None = None
        self.errno = b""


class Moved:
    """Bytes that a call moved, held back until it is clear that no dump of them follows (-e read=, -e write=)."""

    __slots__ = ("call", "dump", "opened", "segments", "side", "total")

    def __init__(self, opened: Open, side: int, call: Call, segments: list[Segment], total: int) -> None:
        self.opened = opened
        self.side = side
        self.call = call
        self.segments = segments
        self.total = total
        self.dump = bytearray()


class Trace:
    """One log of strace; see :class:`tlsalert.sources.log.Log`. ``files`` are what it shows of files.

    With ``everything`` all files are kept that the trace shows, else those with certificates or keys, to learn which
    belong together.
    """

    def __init__(self, source: str, keeping: Keeping, everything: bool = False) -> None:
        self.files = Files(everything)
        self._everything = everything
        self._keys = Keys()
        self._keeping = keeping
        self._times = Times(date_of(source))
        self._processes: dict[int, Process] = {}
        self._main: Process | None = None
        self._with_pids = False
        self._children: list[Process] = []
        self._doubtful: list[Process] = []
        self._awaited: set[int] = set()
        self._moved: Moved | None = None
        self._passed: deque[Open] = deque(maxlen=256)
        self._number = 0
        self._unknown = 0
        self._live: dict[int, Open] = {}
        self._ended: list[Conversation] = []
        self._short = 0
        self._odd: dict[str, int] = {}
        self._place = 0
        self._time = 0
        self._client_only: bool | None = None
        self._moved_at = 0
        self._calls = _calls(self)

    @property
    def timed(self) -> bool:
        """Whether its lines carry times."""
        return self._times.timed

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
        return self._keys.chain() if self._client_only else ()

    def line(self, text: bytes, number: int) -> None:
        """Take one line."""
        if self._moved is not None:
            if text.startswith(b" | "):
                self._dumped(text)
                return
            if text.startswith(b" * "):
                return
            self._settle()
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
                if bracketed is not None and int(bracketed) not in self._processes:
                    self._process(bracketed, plain)
                elif self._doubtful and bracketed is None and plain is None:
                    self._untraced()
                return
        elif resumed is not None:
            if resumed not in self._calls:
                return
        self._place = number
        self._time = self._times.at(stamp, delta, number)
        if other is not None:
            self._happened(other, text, found.end(), bracketed, plain)
            return
        process = self._process(bracketed, plain)
        if name is not None:
            self._begun(process, name, text, found.end())
        else:
            self._resumed(process, resumed, text, found.end())

    def take(self) -> Sequence[Conversation | Connection]:
        """Return the connections that have ended."""
        if not self._everything:
            self._keys.learn(self.files.take())
        ended, self._ended = self._ended, []
        return ended

    def finish(self) -> None:
        """End what is open."""
        self._settle()
        for opened in list(self._live.values()):
            self._end(opened)
        for process in list(self._processes.values()):
            for entry in process.table.entries.values():
                self._shelve(entry.open)
        if not self._everything:
            self._keys.learn(self.files.take())

    def notes(self) -> Sequence[str]:
        """Return what is to be said of the log."""
        said = self._times.notes()
        if self._short:
            said.append(
                f"the bytes of {self._short} calls were cut short when they were recorded: use strace -s 65536, "
                "or -e read=all -e write=all"
            )
        said += [f"{many} {what}" if many > 1 else what for what, many in self._odd.items()]
        if self.files.left_out:
            said.append(f"{self.files.left_out} files were too many to be looked at")
        return [*said, *self._keys.notes()]

    # lines

    def _dumped(self, text: bytes) -> None:
        """Take one line of a dump: " | 00000  16 03 01 01 …"."""
        found = _DUMPED.match(text)
        moved = self._moved
        if found is not None and moved is not None and len(moved.dump) < moved.total:
            try:
                moved.dump += bytes.fromhex(found[1].decode())
            except ValueError:
                return

    def _happened(self, kind: bytes, text: bytes, at: int, bracketed: bytes | None, plain: bytes | None) -> None:
        """Take a line that is no call: a process ended, or was attached."""
        if kind == b"+++ ":
            if text.startswith((b"exited", b"killed"), at):
                process = self._process(bracketed, plain)
                self._processes = {pid: one for pid, one in self._processes.items() if one is not process}
                if process is self._main:
                    self._main = None
                process.table.leave()
        elif kind != b"--- " and (found := _ATTACHED.search(text, at - len(kind))) is not None:
            self._attached(int(found[1]))

    def _attached(self, pid: int) -> None:
        if pid in self._processes or len(self._awaited) > MOST:
            return
        if self._children:
            self._born(self._children[-1], pid)
        elif self._main is None and not self._processes:
            self._main = self._add(pid, Table(self._released))  # strace -p
        else:
            self._awaited.add(pid)

    def _begun(self, process: Process, name: bytes, text: bytes, at: int) -> None:
        """Take a call's line from behind its opening parenthesis on."""
        if text.endswith(b"<unfinished ...>"):
            call = Call(process, name, text[at:-16].rstrip(), self._place, self._time)
            process.begun = call
            if name in _BIRTHS:
                self._children.append(process)
            elif name in _WRITES and (number := values.descriptor(call.args)) is not None:
                opened = process.table.get(number.number)
                if opened is not None:
                    opened.writing = call
            return
        self._return(Call(process, name, b"", self._place, self._time), text, at)

    def _resumed(self, process: Process, name: bytes, text: bytes, at: int) -> None:
        call = process.begun
        process.begun = None
        if name in _BIRTHS and process in self._children:
            self._children.remove(process)
        if not isinstance(call, Call) or call.name != name:
            call = Call(process, name, b"", self._place, self._time)  # its beginning was not recorded
        if name not in _WRITES:
            call.place, call.time = self._place, self._time
        if text.startswith(b" ", at) and call.args.endswith((b",", b"(", b"")) and text.startswith(b' "', at):
            at += 1
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
        opened = self._writing(call)
        if opened is not None and opened.writing is None:
            return  # it was believed before it returned
        if opened is not None:
            opened.writing = None
        self._calls[call.name](call)

    def _writing(self, call: Call) -> Open | None:
        """Return what a call was writing to when another one was seen in between."""
        if call.place == self._place or call.name not in _WRITES:
            return None
        number = values.descriptor(call.args)
        opened = None if number is None else call.process.table.get(number.number)
        return opened if opened is not None and opened.writing in (None, call) else None

    # processes

    def _process(self, bracketed: bytes | None, plain: bytes | None) -> Process:
        """Return who made the call of a line: processes are named once there are several, or always in a file (-o)."""
        if bracketed is None and plain is None:
            if self._doubtful:
                self._untraced()
            if self._main is None:
                self._main = next(iter(self._processes.values())) if len(self._processes) == 1 else None
            if self._main is None:
                self._main = self._add(-1, Table(self._released))
            return self._main
        self._with_pids = True
        self._doubtful = []
        pid = int(bracketed or plain or b"0")
        known = self._processes.get(pid)
        if known is not None:
            return known
        if self._children:
            return self._born(self._children[-1], pid)
        if bracketed is not None and pid not in self._awaited and self._main is not None and self._main.pid == -1:
            self._main.pid = pid
            self._processes.pop(-1, None)
            self._processes[pid] = self._main
            main, self._main = self._main, None
            return main
        return self._add(pid, Table(self._released))

    def _add(self, pid: int, table: Table) -> Process:
        if len(self._processes) >= MOST:
            gone = self._processes.pop(next(iter(self._processes)))
            gone.table.leave()
        process = Process(pid, table)
        self._processes[pid] = process
        self._awaited.discard(pid)
        return process

    def _born(self, parent: Process, pid: int) -> Process:
        """Add the child of a call that has not returned yet."""
        begun = parent.begun
        shares = isinstance(begun, Call) and _CHILD_SHARES in begun.args
        parent.child = pid
        if parent in self._children:
            self._children.remove(parent)
        return self._child(parent, pid, shares)

    def _child(self, parent: Process, pid: int, shares: bool) -> Process:
        if shares:
            parent.table.users += 1
            return self._add(pid, parent.table)
        return self._add(pid, parent.table.copy())

    def _untraced(self) -> None:
        """Forget children that are not followed: nothing that they have open can be seen to be closed."""
        for child in self._doubtful:
            if self._processes.get(child.pid) is child:
                del self._processes[child.pid]
                child.table.leave()
        self._doubtful = []

    def clone(self, call: Call) -> None:
        """Take fork, vfork, clone and clone3."""
        parent, pid = call.process, call.result
        seen, parent.child = parent.child, None
        if pid is None or pid <= 0 or pid == seen:
            return
        shares = _CHILD_SHARES in call.args and call.name != b"fork"
        known = self._processes.get(pid)
        if known is not None and known is not parent and known.table.entries:
            return
        if known is not None:
            known.table.leave()
        child = self._child(parent, pid, shares)
        if not self._with_pids:
            self._doubtful.append(child)

    def execve(self, call: Call) -> None:
        """Another program begins: it has its descriptors for itself, and not all of them."""
        if call.result == 0:
            self._unshare(call.process)
            call.process.table.execute()

    def unshare(self, call: Call) -> None:
        """Take unshare."""
        if call.result == 0 and _CHILD_SHARES in call.args:
            self._unshare(call.process)

    def _unshare(self, process: Process) -> None:
        table = process.table
        if table.users > 1:
            process.table = table.copy()
            table.leave()

    # descriptors

    def _open(self, what: What) -> Open:
        return Open(what, self._place, self._time)

    def _stream(self, what: What = "stream") -> Open:
        opened = self._open(what)
        opened.number = self._number
        self._number += 1
        return opened

    def _found(self, call: Call) -> tuple[Open, int] | None:
        """Return what a call's first argument stands for, and where in the arguments it ends."""
        named = values.descriptor(call.args)
        if named is None or named.number < 0:
            return None
        table = call.process.table
        opened = table.get(named.number)
        if opened is None or (named.label and named.label != opened.label):
            opened = self._labelled(table, named.number, opened, named.label)
        return opened, named.end

    def _labelled(self, table: Table, number: int, opened: Open | None, label: bytes) -> Open:
        """Return what a descriptor stands for by what -y and -yy say of it."""
        what = _what(label)
        near, far = values.ends(label)
        if opened is not None and opened.label and (what != _what(opened.label) or _other_ends(opened, near, far)):
            opened = None  # it was closed and opened again where the trace does not look
        if opened is None:
            opened = self._stream(what) if what in ("stream", "local", "socket", "unknown") else self._open(what)
            table.put(number, opened)
            if what == "file":
                opened.path = label
        elif opened.what in ("unknown", "socket") and what != "unknown":
            opened.what = what
        if near is not None and opened.near != near:
            opened.near = near
            opened.far = far
            self._between(opened)
        opened.label = label
        return opened

    def socket(self, call: Call) -> None:
        """Take socket."""
        args = values.arguments(call.args, 3)
        if call.result is None or call.result < 0 or len(args) < 2:
            return
        if b"SOCK_STREAM" in args[1] or args[1] == b"1":
            inet = args[0] in (b"AF_INET", b"AF_INET6", b"PF_INET", b"PF_INET6", b"0x2", b"0xa")
            opened = self._stream("stream" if inet else "local")
        else:
            opened = self._open("datagram")
        call.process.table.put(call.result, opened, b"CLOEXEC" in args[1])

    def pair(self, call: Call) -> None:
        """Take socketpair, pipe and pipe2."""
        if call.result != 0:
            return
        start = call.args.find(b"[")
        numbers = values.descriptors(call.args[start : call.args.find(b"]", start) + 1])
        if start < 0 or len(numbers) < 2:
            return
        stream = call.name != b"socketpair" or b"SOCK_STREAM" in call.args
        what: What = "pipe" if call.name != b"socketpair" else "local" if stream else "datagram"
        for number in (numbers[0], numbers[-1]):
            call.process.table.put(number, self._stream(what), b"CLOEXEC" in call.args)

    def connect(self, call: Call) -> None:
        """Take connect."""
        found = self._found(call)
        if found is None:
            return
        opened, end = found
        far = values.address(call.args[end:])
        if call.result == 0 or call.errno in _CONNECTING:
            if opened.what in ("unknown", "socket"):
                opened.what = "stream" if far is not None else "local"
            opened.opener = 0
            if far is not None and opened.what == "stream":
                opened.far = far
                if opened.conversation is None:
                    opened.place, opened.time = call.place, call.time
        elif opened.what in ("stream", "socket", "unknown") and far is not None and call.errno and far[-2:] != b"\0\x35":
            self._remark(f"connections could not be made ({call.errno.decode()})")

    def accept(self, call: Call) -> None:
        """Take accept and accept4."""
        if call.result is None or call.result < 0:
            return
        listening = self._found(call)
        far = values.address(call.args)
        inet = far is not None or (listening is not None and listening[0].what in ("stream", "unknown", "socket"))
        local = b"AF_UNIX" in call.args or (listening is not None and listening[0].what == "local")
        opened = self._stream("local" if local or not inet else "stream")
        opened.far = far
        opened.opener = 1
        if listening is not None and listening[0].near is not None and any(listening[0].near[:-2]):
            opened.near = listening[0].near
        call.process.table.put(call.result, opened, b"SOCK_CLOEXEC" in call.args)

    def bind(self, call: Call) -> None:
        """Take bind and getsockname: they tell the own end."""
        found = self._found(call)
        near = values.address(call.args[found[1] :]) if found is not None else None
        if found is None or near is None or call.result != 0 or found[0].what == "datagram":
            return
        opened = found[0]
        if opened.what in ("unknown", "socket"):
            opened.what = "stream"
        if call.name == b"bind" and not any(near[-2:]):
            return
        if opened.near != near:
            opened.near = near
            self._between(opened)

    def getpeername(self, call: Call) -> None:
        """Take getpeername: it tells the other end, or that there is none any more."""
        found = self._found(call)
        if found is None:
            return
        opened = found[0]
        far = values.address(call.args[found[1] :])
        if call.result == 0 and far is not None and opened.what != "datagram":
            if opened.what in ("unknown", "socket"):
                opened.what = "stream"
            if opened.far != far:
                opened.far = far
                self._between(opened)
        elif call.errno == b"ENOTCONN":
            self._reset(opened, call)

    def close(self, call: Call) -> None:
        """Take close: whatever it returns, the descriptor is gone (close(2)), but for one that was none."""
        number = values.descriptor(call.args)
        if number is not None and call.errno != b"EBADF" and (call.result is not None or call.errno):
            call.process.table.close(number.number)

    def close_range(self, call: Call) -> None:
        """Take close_range."""
        args = values.arguments(call.args, 3)
        if call.result != 0 or len(args) < 2:
            return
        first, last = values.number(args[0]), values.number(args[1])
        if first is None or last is None:
            return
        if b"UNSHARE" in call.args:
            self._unshare(call.process)
        table = call.process.table
        inside = [number for number in table.entries if first <= number <= last]
        if b"CLOSE_RANGE_CLOEXEC" in call.args:
            for number in inside:
                table.entries[number].cloexec = True
        else:
            table.close_all(inside)

    def dup(self, call: Call) -> None:
        """Take dup, dup2 and dup3."""
        found = self._found(call)
        old = values.descriptor(call.args)
        if found is None or old is None or call.result is None or call.result < 0 or call.result == old.number:
            return
        call.process.table.put(call.result, found[0], b"O_CLOEXEC" in call.args)

    def fcntl(self, call: Call) -> None:
        """Take fcntl: duplicates, and whether a descriptor outlives exec."""
        args = values.arguments(call.args, 3)
        if len(args) < 2 or call.result is None or call.result < 0:
            return
        number = values.descriptor(args[0])
        if number is None:
            return
        if args[1].startswith(b"F_DUPFD"):
            found = self._found(call)
            if found is not None and call.result != number.number:
                call.process.table.put(call.result, found[0], args[1] == b"F_DUPFD_CLOEXEC")
        elif args[1] == b"F_SETFD":
            entry = call.process.table.entries.get(number.number)
            if entry is not None:
                entry.cloexec = len(args) > 2 and (b"FD_CLOEXEC" in args[2] or args[2] == b"1")

    def ioctl(self, call: Call) -> None:
        """Take ioctl, which sets the flag that fcntl sets as well."""
        if b"FIOCLEX" in call.args or b"FIONCLEX" in call.args:
            number = values.descriptor(call.args)
            entry = None if number is None else call.process.table.entries.get(number.number)
            if entry is not None and call.result == 0:
                entry.cloexec = b"FIOCLEX" in call.args

    def openat(self, call: Call) -> None:
        """Take open, openat, openat2 and creat."""
        if call.result is None or call.result < 0:
            return
        path, end = values.quoted(call.args, 0)
        opened = self._open("file")
        opened.path = path
        flags = call.args[end:] if end >= 0 else b""
        opened.append = b"O_APPEND" in flags
        if opened.append and self._everything:
            before = self.files.before(path)
            if before:
                opened.draft = Draft(path, call.place, before)
        call.process.table.put(call.result, opened, b"O_CLOEXEC" in flags)

    def other(self, call: Call) -> None:
        """Take calls whose descriptor carries no bytes: epoll_create, eventfd, timerfd_create, signalfd, inotify_init."""
        if call.result is not None and call.result >= 0:
            call.process.table.put(call.result, self._open("other"), b"CLOEXEC" in call.args)

    def option(self, call: Call) -> None:
        """Take setsockopt and getsockopt: how it will be closed, that it was reset, and that the kernel does the TLS."""
        found = self._found(call)
        if found is None or call.result != 0:
            return
        opened = found[0]
        if opened.what == "unknown":
            opened.what = "socket"
        if b"SO_LINGER" in call.args and call.name == b"setsockopt":
            opened.linger = b"l_onoff=1" in call.args and b"l_linger=0" in call.args
        elif b"SO_ERROR" in call.args and b"[ECONNRESET]" in call.args:
            self._reset(opened, call)
        elif b"SOL_TLS" in call.args:
            for side, name in enumerate((b"TLS_TX", b"TLS_RX")):
                if name in call.args and not opened.sealed[side]:
                    opened.sealed[side] = True
                    if opened.conversation is not None:
                        done = ("encrypts", "decrypts")[side]
                        opened.conversation.note(f"from frame {call.place} on the kernel {done}: the trace shows no records")

    def shutdown(self, call: Call) -> None:
        """Take shutdown."""
        found = self._found(call)
        if found is None:
            return
        opened = found[0]
        if call.result == 0 and (b"WR" in call.args or call.args.rstrip().endswith((b"1", b"2"))):
            opened.shut = True
            if opened.conversation is not None:
                opened.conversation.closed(0, False, call.place, call.time)
        elif call.errno == b"ENOTCONN":
            self._reset(opened, call)

    def ring(self, _: Call) -> None:
        """Take io_uring's calls: what goes through the ring is in no call."""
        self._odd.setdefault("the program uses io_uring: strace shows nothing of what is read and written by it", 1)

    # bytes

    def read(self, call: Call) -> None:
        """Take read, recv and recvfrom."""
        self._one_buffer(call, 1)

    def write(self, call: Call) -> None:
        """Take write, send and sendto."""
        self._one_buffer(call, 0)

    def _one_buffer(self, call: Call, side: int) -> None:
        found = self._found(call)
        if found is None:
            return
        opened, end = found
        if call.result is None or call.result <= 0:
            self._nothing(opened, side, call)
            return
        total = min(call.result, values.MOST)
        if opened.what in ("file", "other"):
            if opened.what == "file" and self._worth_keeping(opened, call.args, end, total):
                self._file(opened, side, call, values.one_segment(call.args, end, total), total)
            return
        if opened.what == "datagram" or (side == 1 and b"MSG_PEEK" in call.args[-200:]) or b"MSG_OOB" in call.args[-200:]:
            return
        if call.name in (b"recv", b"recvfrom", b"recvmsg", b"send", b"sendto", b"sendmsg") and opened.what == "unknown":
            opened.what = "socket"
        if opened.conversation is None and not self._worth(opened, call.args, end):
            return
        self._move(opened, side, call, values.one_segment(call.args, end, total), total)

    def at_offset(self, call: Call) -> None:
        """Take pread64 and pwrite64: they leave the file's offset where it is."""
        found = self._found(call)
        args = values.arguments(call.args, 4)
        if found is None or found[0].what not in ("file", "unknown") or call.result is None or call.result <= 0:
            return
        offset = values.number(args[-1]) if len(args) == 4 else None
        if offset is not None and found[0].path:
            side = 0 if call.name == b"pwrite64" else 1
            total = min(call.result, values.MOST)
            self._in_file(found[0], side, call, values.one_segment(call.args, found[1], total), total, offset)

    def readv(self, call: Call) -> None:
        """Take readv."""
        self._vectors(call, 1, 0)

    def writev(self, call: Call) -> None:
        """Take writev."""
        self._vectors(call, 0, 0)

    def recvmsg(self, call: Call) -> None:
        """Take recvmsg, and the descriptors that come with it."""
        found = _RIGHTS.search(call.args) if b"SCM_RIGHTS" in call.args else None
        if found is not None and call.result is not None and call.result >= 0:
            for number in values.descriptors(found[1]):
                opened = self._passed.popleft() if self._passed else self._stream("unknown")
                opened.refs -= 1 if opened.refs else 0
                call.process.table.put(number, opened, b"MSG_CMSG_CLOEXEC" in call.args)
        self._message(call, 1)

    def sendmsg(self, call: Call) -> None:
        """Take sendmsg, and the descriptors that go with it: on their way they are open, too."""
        found = _RIGHTS.search(call.args) if b"SCM_RIGHTS" in call.args else None
        if found is not None and call.result is not None and call.result >= 0:
            for number in values.descriptors(found[1]):
                opened = call.process.table.get(number)
                if opened is not None and len(self._passed) < 256:
                    opened.refs += 1
                    self._passed.append(opened)
        self._message(call, 0)

    def _message(self, call: Call, side: int) -> None:
        found = _MESSAGE.search(call.args)
        if found is not None:
            self._vectors(call, side, found.end())
        elif call.result is None or call.result <= 0:
            self._vectors(call, side, len(call.args))

    def _vectors(self, call: Call, side: int, at: int) -> None:
        found = self._found(call)
        if found is None:
            return
        opened, end = found
        if call.result is None or call.result <= 0:
            self._nothing(opened, side, call)
            return
        if opened.what in ("datagram", "other") or (side == 1 and b"MSG_PEEK" in call.args[-200:]):
            return
        total = min(call.result, values.MOST)
        segments = values.vector(call.args, max(at, end))
        if opened.what == "file":
            self._file(opened, side, call, segments, total)
            return
        if opened.what == "unknown" and call.name in (b"recvmsg", b"sendmsg"):
            opened.what = "socket"
        if opened.conversation is None and not self._worth_bytes(opened, segments[0].shown if segments else b""):
            return
        self._move(opened, side, call, segments, total)

    def many(self, call: Call) -> None:
        """Take recvmmsg and sendmmsg: several messages, each with its length."""
        found = self._found(call)
        side = 1 if call.name == b"recvmmsg" else 0
        if found is None or found[0].what in ("datagram", "file", "other"):
            return
        opened = found[0]
        if call.result is None or call.result <= 0:
            self._nothing(opened, side, call)
            return
        at = 0
        for _ in range(min(call.result, 1024)):
            begins = _MESSAGE.search(call.args, at)
            if begins is None:
                break
            length = _MESSAGE_LENGTH.search(call.args, begins.end())
            following = _MESSAGE.search(call.args, begins.end())
            stop = following.start() if following is not None else len(call.args)
            segments = values.vector(call.args[begins.end() : stop])
            total = sum(segment.size for segment in segments)
            if length is not None and length.start() < stop:
                total = min(int(length[1]), values.MOST)
            if opened.conversation is None and not self._worth_bytes(opened, segments[0].shown if segments else b""):
                return
            self._move(opened, side, call, segments, total)
            at = stop

    def sendfile(self, call: Call) -> None:
        """Take sendfile: the file's bytes go out unseen."""
        self._unseen(call, 0, None)

    def splice(self, call: Call) -> None:
        """Take splice: what comes from one descriptor and goes to another is not seen."""
        args = values.arguments(call.args, 4)
        if len(args) > 2:
            self._unseen(call, 1, args[2])

    def _unseen(self, call: Call, side: int, other: bytes | None) -> None:
        if call.result is None or call.result <= 0:
            return
        total = min(call.result, values.MOST)
        table = call.process.table
        named = [(values.descriptor(call.args), side)]
        if other is not None:
            named.append((values.descriptor(other), 0))
        for number, at_side in named:
            opened = None if number is None else table.get(number.number)
            if opened is not None and opened.carries and opened.conversation is not None:
                self._move(opened, at_side, call, [Segment(b"", total)], total)

    def seek(self, call: Call) -> None:
        """Take lseek."""
        number = values.descriptor(call.args)
        opened = None if number is None else call.process.table.get(number.number)
        if opened is not None and call.result is not None and call.result >= 0:
            opened.offset = call.result

    def _file(self, opened: Open, side: int, call: Call, segments: list[Segment], total: int) -> None:
        """Take what is read from or written to a file at its offset."""
        at = opened.offset
        if side == 0 and opened.append and opened.draft is not None:
            at = max(at, len(opened.draft.data))
        opened.offset = at + total
        if opened.path:
            self._in_file(opened, side, call, segments, total, at)

    def _in_file(self, opened: Open, side: int, call: Call, segments: list[Segment], total: int, at: int) -> None:
        if opened.draft is None:
            opened.draft = Draft(opened.path, opened.place)
        if segments and self.files.wanted(opened.draft, at, segments[0].shown):
            self._move(opened, side, call, segments, total)
            self._moved_at = at

    def _worth_keeping(self, opened: Open, args: bytes, end: int, total: int) -> bool:
        """Whether a file may hold certificates or keys, by how what is shown of it looks before it is unescaped."""
        draft = opened.draft
        if draft is not None:
            return not draft.given_up
        if self._everything or total < _SMALL or any(sign in args for sign in _BEGINS) or _DER_SHOWN.match(args, end):
            return True
        opened.draft = Draft(opened.path, opened.place)
        opened.draft.given_up = True
        return False

    def _worth(self, opened: Open, args: bytes, end: int) -> bool:
        """Whether a descriptor may carry TLS, by the first bytes on it: of sockets of the Internet all may."""
        if opened.what == "stream":
            return True
        return self._worth_bytes(opened, values.unescape(args[end + 3 : end + 27]) if args.startswith(b', "', end) else b"")

    def _worth_bytes(self, opened: Open, shown: bytes) -> bool:
        """Whether what else may carry TLS does, by how its first bytes look: RFC 8446 §5.1, and SSLv2's hello."""
        if opened.what == "stream":
            return True
        if len(shown) < 3:
            return False
        record = 20 <= shown[0] <= 23 and shown[1] == 3 and shown[2] <= 4
        return record or (shown[0] & 0x80 != 0 and shown[2] == 1 and shown[3:4] in (b"\0", b"\3"))

    def _move(self, opened: Open, side: int, call: Call, segments: list[Segment], total: int) -> None:
        """Hold what a call moved until the next line shows that no dump follows."""
        if self._moved is not None:
            self._settle()
        self._moved = Moved(opened, side, call, segments, total)

    def _settle(self) -> None:
        """Hand on what the last call moved."""
        moved, self._moved = self._moved, None
        if moved is None:
            return
        segments = moved.segments
        if moved.dump:
            segments = [Segment(bytes(moved.dump), moved.total)]
        if moved.opened.what == "file":
            draft = moved.opened.draft
            if draft is not None:
                at, left = self._moved_at, moved.total
                for shown, size in segments:
                    take = min(size, left)
                    self.files.put(draft, at, shown[:take], take, moved.side == 0)
                    at, left = at + take, left - take
            return
        self._spoken(moved, segments)

    def _spoken(self, moved: Moved, segments: list[Segment]) -> None:
        """Hand bytes to their conversation."""
        opened, side, call = moved.opened, moved.side, moved.call
        if opened.sealed[side]:
            return
        begun = opened.writing
        if side == 1 and isinstance(begun, Call):
            self._believe(opened, begun)  # the answer is there: what was being written has been sent
        left = moved.total
        short = False
        for shown, size in segments:
            take = min(size, left)
            if take <= 0:
                break
            self._say(opened, side, shown[:take], take, call)
            short = short or len(shown) < take
            left -= take
        if left > 0:
            self._say(opened, side, b"", left, call)
        if short or left > 0:
            self._short += 1

    def _believe(self, opened: Open, begun: Call) -> None:
        """Take what a call is writing as written before it has returned: all of it, as far as it is told how much."""
        opened.writing = None
        found = values.descriptor(begun.args)
        if found is None or begun.name not in (b"write", b"send", b"sendto", b"writev"):
            return
        if begun.name == b"writev":
            segments = values.vector(begun.args, found.end)
        else:
            text, end = values.quoted(begun.args, found.end)
            size = re.match(rb"(?:\.\.\.)?, (\d{1,10})", begun.args[end:]) if end >= 0 else None
            segments = [Segment(text, int(size[1]))] if size is not None else []
        total = sum(segment.size for segment in segments)
        if total:
            self._spoken(Moved(opened, 0, begun, segments, total), segments)

    def _say(self, opened: Open, side: int, shown: bytes, size: int, call: Call) -> None:
        if opened.ended:
            return
        if shown[:1] == b"\x16" and len(shown) > 5 and opened.what == "unknown" and shown[5] == 1 and opened.late:
            self._again(opened)
        talk = opened.conversation
        if talk is None:
            talk = self._talk(opened, side, shown, call)
        side = side if opened.draft is None else side
        opened.spoke[side] = True
        opened.late = opened.late or shown[:2] in (b"\x15\x03", b"\x17\x03")
        if shown:
            talk.said(side, shown, call.place, call.time)
        if size > len(shown):
            talk.missing(side, size - len(shown), call.place, call.time)

    def _again(self, opened: Open) -> None:
        """Begin another connection on a descriptor that was closed and opened again where the trace does not look."""
        self._end(opened)
        opened.ended = False
        opened.late = False
        opened.number = self._number
        self._number += 1
        opened.spoke = [False, False]
        opened.near = opened.far = None
        opened.opener = -1

    def _talk(self, opened: Open, side: int, shown: bytes, call: Call) -> Conversation:
        """Return the conversation of a description on which nothing was said before."""
        table = call.process.table
        half = table.half
        if opened.what in ("pipe", "unknown") and half is not None and half is not opened:
            other = half.conversation
            if other is not None and not half.ended and half.spoke[1 - side] and not half.spoke[side]:
                opened.conversation = other  # one descriptor to read from, another to write to
                half.spoke[side] = True
                opened.number = half.number
                opened.refs += 0
                return other
        if opened.number < 0:
            opened.number = self._number
            self._number += 1
        if opened.far is None and opened.what in ("stream", "local", "socket", "pipe", "unknown"):
            self._unknown = self._unknown % 0xFFFFFF + 1
        near, far = self._ends(opened)
        place, time = (call.place, call.time) if opened.opener < 0 else (opened.place, opened.time)
        talk = Conversation(opened.number, near, far, opened.opener, place, time, self._keeping)
        if opened.what == "unknown" and shown[:1] != b"\x16" and shown[:1] < b"\x80":
            talk.begin_anywhere(0)
            talk.begin_anywhere(1)
        opened.conversation = talk
        self._live[id(opened)] = opened
        if opened.what in ("pipe", "unknown"):
            table.half = opened
        if shown[:1] == b"\x16" and (shown[5:6] == b"\x01" or len(shown) == 5):
            self._client_only = side == 0 and self._client_only is not False
        return talk

    def _ends(self, opened: Open) -> tuple[bytes, bytes]:
        """Return both ends as a conversation wants them: an end that is not known has port 0 (and a number)."""
        near, far = opened.near, opened.far
        if far is None:
            far = b"\0" + self._unknown.to_bytes(3, "big") + b"\0\0"
        if near is None:
            near = bytes(len(far))
        if len(near) != len(far):
            near, far = _long(near), _long(far)
        return near, far

    def _between(self, opened: Open) -> None:
        if opened.conversation is not None and not opened.ended:
            opened.conversation.between(*self._ends(opened))

    def _nothing(self, opened: Open, side: int, call: Call) -> None:
        """Take a call that moved nothing: the end of a stream, a failure, or no time for it."""
        if opened.writing is not None and opened.writing is call:
            opened.writing = None
        if not opened.carries:
            return
        if call.errno in _RESET:
            self._reset(opened, call)
        elif call.errno == b"ETIMEDOUT" and opened.conversation is not None and not opened.ended:
            opened.conversation.note(f"the connection timed out (frame {call.place})")
        elif call.result == 0 and side == 1 and call.name not in (b"sendfile", b"splice") and not _asked_for_none(call):
            self._far_closed(opened, call)

    def _far_closed(self, opened: Open, call: Call) -> None:
        if opened.conversation is not None and not opened.ended and not opened.far_ended:
            opened.far_ended = True
            opened.conversation.closed(1, False, call.place, call.time)

    def _reset(self, opened: Open, call: Call) -> None:
        """The other side has reset the connection: it had ended when more was read or written."""
        if call.errno == b"EPIPE" and opened.shut:
            return
        if opened.conversation is not None and not opened.ended:
            opened.far_ended = True
            opened.conversation.closed(1, True, call.place, call.time)

    def _released(self, opened: Open) -> None:
        """Nobody has it open any more."""
        self._shelve(opened)
        talk = opened.conversation
        if talk is not None and not opened.ended and id(opened) in self._live:
            if self._moved is not None and self._moved.opened is opened:
                self._settle()
            talk.closed(0, opened.linger, self._place, self._time)
            self._end(opened)

    def _shelve(self, opened: Open) -> None:
        draft, opened.draft = opened.draft, None
        if draft is not None:
            if self._moved is not None and self._moved.opened is opened:
                opened.draft = draft
                self._settle()
                opened.draft = None
            self.files.close(draft)

    def _end(self, opened: Open) -> None:
        """A conversation is over."""
        if self._live.pop(id(opened), None) is not None and opened.conversation is not None and not opened.ended:
            opened.ended = True
            self._ended.append(opened.conversation)
            opened.conversation = None

    def _remark(self, what: str) -> None:
        if what in self._odd or len(self._odd) < 20:
            self._odd[what] = self._odd.get(what, 0) + 1


def open_log(source: str, keeping: Keeping) -> Trace:
    """Return a trace that is to be read."""
    return Trace(source, keeping)


def _asked_for_none(call: Call) -> bool:
    """Whether a read was of nothing: it returns 0 and tells nothing."""
    return re.search(rb", 0(?:, |$)", call.args) is not None and call.name == b"read"


def _what(label: bytes) -> What:
    """Return what a descriptor is by what -y and -yy say of it."""
    for begins, what in _LABELS:
        if label.startswith(begins):
            return what
    return "other" if label else "unknown"


def _other_ends(opened: Open, near: bytes | None, far: bytes | None) -> bool:
    return near is not None and opened.near is not None and opened.far is not None and (near, far) != (opened.near, opened.far)


def _long(end: bytes) -> bytes:
    """Return an address of IPv4 as one of IPv6, RFC 4291 §2.5.5.2."""
    return end if len(end) == 18 else bytes(10) + b"\xff\xff" + end


_LABELS: tuple[tuple[bytes, What], ...] = (
    (b"TCP", "stream"),
    (b"socket:", "socket"),
    (b"UNIX-DGRAM", "datagram"),
    (b"UNIX", "local"),
    (b"pipe:", "pipe"),
    (b"UDP", "datagram"),
    (b"/", "file"),
)
_BIRTHS: Final = frozenset({b"clone", b"clone3", b"fork", b"vfork"})
_OTHERS: Final = (
    *("epoll_create", "epoll_create1", "eventfd", "eventfd2", "timerfd_create", "signalfd", "signalfd4"),
    *("inotify_init", "inotify_init1", "memfd_create", "pidfd_open", "userfaultfd", "perf_event_open"),
)


def _calls(trace: Trace) -> dict[bytes, Callable[[Call], None]]:
    """Return what is done for which system call; all others do not matter."""
    named: dict[str, Callable[[Call], None]] = dict.fromkeys(_OTHERS, trace.other)
    named |= dict.fromkeys(("clone", "clone3", "fork", "vfork"), trace.clone)
    named |= {"execve": trace.execve, "execveat": trace.execve, "unshare": trace.unshare}
    named |= {"socket": trace.socket, "connect": trace.connect, "accept": trace.accept, "accept4": trace.accept}
    named |= dict.fromkeys(("socketpair", "pipe", "pipe2"), trace.pair)
    named |= {"bind": trace.bind, "getsockname": trace.bind, "getpeername": trace.getpeername}
    named |= {"close": trace.close, "close_range": trace.close_range, "shutdown": trace.shutdown}
    named |= {"dup": trace.dup, "dup2": trace.dup, "dup3": trace.dup, "fcntl": trace.fcntl, "fcntl64": trace.fcntl}
    named |= {"ioctl": trace.ioctl, "setsockopt": trace.option, "getsockopt": trace.option}
    named |= dict.fromkeys(("open", "openat", "openat2", "creat"), trace.openat)
    named |= {"read": trace.read, "recv": trace.read, "recvfrom": trace.read, "readv": trace.readv}
    named |= {"write": trace.write, "send": trace.write, "sendto": trace.write, "writev": trace.writev}
    named |= {"recvmsg": trace.recvmsg, "sendmsg": trace.sendmsg, "recvmmsg": trace.many, "sendmmsg": trace.many}
    named |= {"pread64": trace.at_offset, "pwrite64": trace.at_offset, "pread": trace.at_offset, "pwrite": trace.at_offset}
    named |= {"sendfile": trace.sendfile, "sendfile64": trace.sendfile, "splice": trace.splice}
    named |= {"lseek": trace.seek, "_llseek": trace.seek}
    named |= dict.fromkeys(("io_uring_setup", "io_uring_enter", "io_uring_register"), trace.ring)
    return {name.encode(): act for name, act in named.items()}
