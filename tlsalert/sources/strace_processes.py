"""Which line of a trace is whose: processes and threads by their numbers, and what forks and clones hand down.

strace names the process of a line where it follows several of them, or writes to a file (-f, -o); the first one has no
name until there is a second one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tlsalert.sources.strace_descriptors import MOST, Call, Open, Process, Table

#: Calls that begin a process.
BIRTHS: Final = frozenset({b"clone", b"clone3", b"fork", b"vfork"})
#: Descriptors that forks hand down, at one time and in all: a damaged trace can tell of any number of them.
MOST_HELD: Final = 500_000
MOST_COPIED: Final = 10_000_000
_SHARES: Final = b"CLONE_FILES"


class Processes:
    """The processes and threads of a trace. ``released`` is told what none of them has open any more.

    ``bearing`` are those whose call for a child has not returned yet; ``doubtful`` children of which it is not known
    whether they are followed.
    """

    def __init__(self, released: Callable[[Open], None]) -> None:
        self.bearing: dict[int, Process] = {}
        self.doubtful: list[Process] = []
        self._released = released
        self._processes: dict[int, Process] = {}
        self._main: Process | None = None
        self._with_pids = False
        self._awaited: set[int] = set()
        self._held = 0
        self._copied = 0

    def known(self, pid: int) -> bool:
        """Whether a process was seen before."""
        return pid in self._processes

    def all(self) -> list[Process]:
        """Return those that have not ended."""
        return list(self._processes.values())

    def exited(self, process: Process) -> None:
        """A process has ended, and with it what it had open."""
        if self._processes.get(process.pid) is process:
            del self._processes[process.pid]
        if process is self._main:
            self._main = None
        self.bearing.pop(process.pid, None)
        self._left(process.table)

    def _left(self, table: Table) -> None:
        table.leave()
        if table.users <= 0:
            self._held -= table.copied

    def attached(self, pid: int) -> None:
        """Take word that strace follows another process."""
        if pid in self._processes or len(self._awaited) > MOST:
            return
        if self.bearing:
            self._born(next(reversed(self.bearing.values())), pid)
        elif self._main is None and not self._processes:
            self._main = self._add(pid, Table(self._released))  # strace -p
        else:
            self._awaited.add(pid)

    def who(self, bracketed: bytes | None, plain: bytes | None) -> Process:
        """Return who made the call of a line: processes are named once there are several, or always in a file (-o)."""
        if bracketed is None and plain is None:
            if self.doubtful:
                self.untraced()
            if len(self._processes) == 1:
                return next(iter(self._processes.values()))  # only one is left: it needs no name any more
            if self._main is None:
                self._main = self._add(-1, Table(self._released))
            return self._main
        self._with_pids = True
        self.doubtful = []
        pid = int(bracketed or plain or b"0")
        known = self._processes.get(pid)
        if known is not None:
            return known
        if self.bearing:
            return self._born(next(reversed(self.bearing.values())), pid)
        if bracketed is not None and pid not in self._awaited and self._main is not None and self._main.pid == -1:
            self._main.pid = pid
            self._processes.pop(-1, None)
            self._processes[pid] = self._main
            return self._main
        return self._add(pid, Table(self._released))

    def _add(self, pid: int, table: Table) -> Process:
        if len(self._processes) >= MOST:
            for gone in self.all():  # no system has so many: the numbers are damaged
                self.exited(gone)
        process = Process(pid, table)
        self._processes[pid] = process
        self._awaited.discard(pid)
        return process

    def _born(self, parent: Process, pid: int) -> Process:
        """Add the child of a call that has not returned yet."""
        begun = parent.begun
        shares = begun is not None and _SHARES in begun.args
        parent.child = pid
        self.bearing.pop(parent.pid, None)
        return self._child(parent, pid, shares)

    def _child(self, parent: Process, pid: int, shares: bool) -> Process:
        if shares:
            parent.table.users += 1
            return self._add(pid, parent.table)
        return self._add(pid, self._copy(parent.table))

    def _copy(self, table: Table) -> Table:
        """Return a copy of a table, or an empty one where there were more copies than any system makes."""
        self._held += len(table.entries)
        self._copied += len(table.entries)
        if self._held > MOST_HELD or self._copied > MOST_COPIED:
            self._held -= len(table.entries)
            return Table(self._released)
        return table.copy()

    def untraced(self) -> None:
        """Forget children that are not followed: nothing that they have open can be seen to be closed."""
        for child in self.doubtful:
            if self._processes.get(child.pid) is child:
                del self._processes[child.pid]
                self._left(child.table)
        self.doubtful = []

    def clone(self, call: Call) -> None:
        """Take fork, vfork, clone and clone3."""
        parent, pid = call.process, call.result
        seen, parent.child = parent.child, None
        if pid is None or pid <= 0 or pid == seen:
            return
        shares = _SHARES in call.args and call.name != b"fork"
        known = self._processes.get(pid)
        if known is not None and known is not parent and known.table.entries:
            return
        if known is not None:
            self._left(known.table)
        child = self._child(parent, pid, shares)
        if not self._with_pids:
            self.doubtful.append(child)

    def execve(self, call: Call) -> None:
        """Another program begins: it has its descriptors for itself, and not all of them."""
        if call.result == 0:
            self.part(call.process)
            call.process.table.execute()

    def unshare(self, call: Call) -> None:
        """Take unshare."""
        if call.result == 0 and _SHARES in call.args:
            self.part(call.process)

    def part(self, process: Process) -> None:
        """Give a process descriptors of its own that it shared before."""
        table = process.table
        if table.users > 1:
            process.table = self._copy(table)
            self._left(table)
