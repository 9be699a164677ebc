"""Who has what open: the descriptors of processes and threads, inherited, duplicated, passed on and closed.

A descriptor is a number in a table; tables are shared by threads (CLONE_FILES) and copied by forks. What it stands for
is an open file description (open(2)), which is closed when no table has it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from tlsalert.sources.strace_files import Draft
from tlsalert.wire.conversation import Conversation

#: What a description can be. "socket" is one of which nothing more is known; "unknown" was opened before the trace
#: began, or where it does not look.
What = Literal["stream", "local", "pipe", "datagram", "file", "other", "socket", "unknown"]
#: Descriptors of one process, and processes, that are followed: a damaged trace can name any number of them.
MOST = 65_536


class Open:
    """An open file description.

    ``near`` and ``far`` are its ends where they are known, ``opener`` 0 where it connected and 1 where it was accepted.
    ``place`` and ``time`` are where it began.
    """

    __slots__ = (
        "append",
        "conversation",
        "draft",
        "ended",
        "far",
        "far_ended",
        "hellos",
        "label",
        "late",
        "linger",
        "near",
        "number",
        "offset",
        "opener",
        "path",
        "place",
        "refs",
        "sealed",
        "shut",
        "spoke",
        "time",
        "what",
        "writing",
    )

    def __init__(self, what: What, place: int, time: int) -> None:
        self.what: What = what
        self.place = place
        self.time = time
        self.near: bytes | None = None
        self.far: bytes | None = None
        self.opener = -1
        self.number = -1
        self.refs = 0
        self.label = b""
        self.conversation: Conversation | None = None
        self.ended = False
        self.far_ended = False
        self.shut = False
        self.linger = False
        self.spoke = [False, False]
        self.sealed = [False, False]
        self.hellos = 0
        self.late = False
        self.path = b""
        self.offset = 0
        self.append = False
        self.draft: Draft | None = None
        self.writing: Call | None = None

    @property
    def carries(self) -> bool:
        """Whether it may carry a connection."""
        return self.what not in ("datagram", "file", "other")


class Entry:
    """One descriptor: what it stands for, and whether it is closed when another program is started."""

    __slots__ = ("cloexec", "open")

    def __init__(self, opened: Open, cloexec: bool) -> None:
        self.open = opened
        self.cloexec = cloexec


class Table:
    """The descriptors of a process and of the threads that share them. ``released`` is told what nobody has open."""

    def __init__(self, released: Callable[[Open], None]) -> None:
        self.entries: dict[int, Entry] = {}
        self.users = 1
        self.copied = 0
        self.half: Open | None = None
        self._released = released

    def get(self, number: int) -> Open | None:
        """Return what a descriptor stands for."""
        entry = self.entries.get(number)
        return None if entry is None else entry.open

    def put(self, number: int, opened: Open, cloexec: bool = False) -> None:
        """Let a descriptor stand for something; what it stood for before was closed without being seen."""
        opened.refs += 1
        if number in self.entries:
            self.close(number)
        elif len(self.entries) >= MOST:
            self.close_all(self.entries)
        self.entries[number] = Entry(opened, cloexec)

    def close(self, number: int) -> None:
        """Close a descriptor."""
        entry = self.entries.pop(number, None)
        if entry is not None:
            self._release(entry.open)

    def close_all(self, which: Iterable[int]) -> None:
        """Close several descriptors."""
        for number in list(which):
            self.close(number)

    def copy(self) -> Table:
        """Return a table of its own with the same descriptors, as fork makes it."""
        table = Table(self._released)
        for number, entry in self.entries.items():
            table.put(number, entry.open, entry.cloexec)
        table.copied = len(table.entries)
        return table

    def execute(self) -> None:
        """Close what does not stay open for another program."""
        self.close_all(number for number, entry in self.entries.items() if entry.cloexec)

    def leave(self) -> None:
        """Say that one of those who share it is gone; the last one closes everything."""
        self.users -= 1
        if self.users <= 0:
            self.close_all(self.entries)

    def _release(self, opened: Open) -> None:
        opened.refs -= 1
        if opened.refs == 0:
            self._released(opened)


class Call:
    """One system call that has returned: who made it, its arguments as text, what it returned.

    ``place`` and ``time`` are those of its first line where that held what it wrote, else of its last one. ``writes``
    is what it is writing to while it has not returned; it is ``believed`` where that was taken as written already.
    """

    __slots__ = ("args", "believed", "errno", "name", "place", "process", "result", "time", "writes")

    def __init__(self, process: Process, name: bytes, args: bytes, place: int, time: int) -> None:
        self.process = process
        self.name = name
        self.args = args
        self.place = place
        self.time = time
        self.result: int | None = None
        self.errno = b""
        self.writes: Open | None = None
        self.believed = False


class Process:
    """A process or thread: its descriptors, and the beginning of a call that has not returned yet."""

    __slots__ = ("begun", "child", "pid", "table")

    def __init__(self, pid: int, table: Table) -> None:
        self.pid = pid
        self.table = table
        self.begun: Call | None = None
        self.child: int | None = None
