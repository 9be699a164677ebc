"""System calls that open, name, copy, shut and close what has a descriptor."""

from __future__ import annotations

from typing import Final

from tlsalert.sources import strace_values as values
from tlsalert.sources.strace_descriptors import Call, What
from tlsalert.sources.strace_files import Draft
from tlsalert.sources.strace_processes import Processes
from tlsalert.sources.strace_talks import Talks

_CONNECTING: Final = frozenset({b"EINPROGRESS", b"EINTR", b"EALREADY", b"EISCONN", b"EAGAIN"})


class DescriptorCalls:
    """What each of these calls does. ``odd`` counts what is worth a remark, by its words."""

    def __init__(self, talks: Talks, processes: Processes, everything: bool) -> None:
        self.odd: dict[str, int] = {}
        self._talks = talks
        self._processes = processes
        self._everything = everything

    def socket(self, call: Call) -> None:
        """Take socket."""
        args = values.arguments(call.args, 3)
        if call.result is None or call.result < 0 or len(args) < 2:
            return
        if b"SOCK_STREAM" in args[1] or args[1] == b"1":
            inet = args[0] in (b"AF_INET", b"AF_INET6", b"PF_INET", b"PF_INET6", b"0x2", b"0xa")
            opened = self._talks.stream("stream" if inet else "local")
        else:
            opened = self._talks.begin("datagram")
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
            call.process.table.put(number, self._talks.stream(what), b"CLOEXEC" in call.args)

    def connect(self, call: Call) -> None:
        """Take connect."""
        found = self._talks.found(call)
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
        elif (
            opened.what in ("stream", "socket", "unknown") and far is not None and call.errno and far[-2:] != b"\0\x35"
        ):
            self._remark(f"connections could not be made ({call.errno.decode()})")

    def accept(self, call: Call) -> None:
        """Take accept and accept4."""
        if call.result is None or call.result < 0:
            return
        listening = self._talks.found(call)
        far = values.address(call.args)
        inet = far is not None or (listening is not None and listening[0].what in ("stream", "unknown", "socket"))
        local = b"AF_UNIX" in call.args or (listening is not None and listening[0].what == "local")
        opened = self._talks.stream("local" if local or not inet else "stream")
        opened.far = far
        opened.opener = 1
        if listening is not None and listening[0].near is not None and any(listening[0].near[:-2]):
            opened.near = listening[0].near
        call.process.table.put(call.result, opened, b"SOCK_CLOEXEC" in call.args)

    def bind(self, call: Call) -> None:
        """Take bind and getsockname: they tell the own end."""
        found = self._talks.found(call)
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
            self._talks.between(opened)

    def getpeername(self, call: Call) -> None:
        """Take getpeername: it tells the other end, or that there is none any more."""
        found = self._talks.found(call)
        if found is None:
            return
        opened = found[0]
        far = values.address(call.args[found[1] :])
        if call.result == 0 and far is not None and opened.what != "datagram":
            if opened.what in ("unknown", "socket"):
                opened.what = "stream"
            if opened.far != far:
                opened.far = far
                self._talks.between(opened)
        elif call.errno == b"ENOTCONN":
            self._talks.reset(opened, call)

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
            self._processes.part(call.process)
        table = call.process.table
        inside = [number for number in table.entries if first <= number <= last]
        if b"CLOSE_RANGE_CLOEXEC" in call.args:
            for number in inside:
                table.entries[number].cloexec = True
        else:
            table.close_all(inside)

    def dup(self, call: Call) -> None:
        """Take dup, dup2 and dup3."""
        found = self._talks.found(call)
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
            found = self._talks.found(call)
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
        opened = self._talks.begin("file")
        opened.path = path
        flags = call.args[end:] if end >= 0 else b""
        opened.append = b"O_APPEND" in flags
        if opened.append and self._everything:
            before = self._talks.files.before(path)
            if before:
                opened.draft = Draft(path, call.place, before)
        call.process.table.put(call.result, opened, b"O_CLOEXEC" in flags)

    def other(self, call: Call) -> None:
        """Take epoll_create, eventfd and others whose descriptor carries no bytes of a connection."""
        if call.result is not None and call.result >= 0:
            call.process.table.put(call.result, self._talks.begin("other"), b"CLOEXEC" in call.args)

    def option(self, call: Call) -> None:
        """Take setsockopt and getsockopt: how it will end, that it was reset, and that the kernel does the TLS."""
        found = self._talks.found(call)
        if found is None or call.result != 0:
            return
        opened = found[0]
        if opened.what == "unknown":
            opened.what = "socket"
        if b"SO_LINGER" in call.args and call.name == b"setsockopt":
            opened.linger = b"l_onoff=1" in call.args and b"l_linger=0" in call.args
        elif b"SO_ERROR" in call.args and b"[ECONNRESET]" in call.args:
            self._talks.reset(opened, call)
        elif b"SOL_TLS" in call.args:
            for side, name in enumerate((b"TLS_TX", b"TLS_RX")):
                if name in call.args and not opened.sealed[side]:
                    opened.sealed[side] = True
                    if opened.conversation is not None:
                        done = ("encrypts", "decrypts")[side]
                        opened.conversation.note(
                            f"from frame {call.place} on the kernel {done}: the trace shows no records"
                        )

    def shutdown(self, call: Call) -> None:
        """Take shutdown."""
        found = self._talks.found(call)
        if found is None:
            return
        opened = found[0]
        if call.result == 0 and (b"WR" in call.args or call.args.rstrip().endswith((b"1", b"2"))):
            opened.shut = True
            if opened.conversation is not None:
                opened.conversation.closed(0, False, call.place, call.time)
        elif call.errno == b"ENOTCONN":
            self._talks.reset(opened, call)

    def ring(self, _: Call) -> None:
        """Take io_uring's calls: what goes through the ring is in no call."""
        self.odd.setdefault("the program uses io_uring: strace shows nothing of what is read and written by it", 1)

    def _remark(self, what: str) -> None:
        if what in self.odd or len(self.odd) < 20:
            self.odd[what] = self.odd.get(what, 0) + 1
