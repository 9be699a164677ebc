"""What system calls moved → conversations and files: held until no dump of it can follow, then handed on."""

from __future__ import annotations

import re
from typing import Final

from tlsalert.sources import strace_values as values
from tlsalert.sources.strace_descriptors import Call, Open, Table, What
from tlsalert.sources.strace_files import Files
from tlsalert.sources.strace_values import Segment
from tlsalert.wire.conversation import Conversation
from tlsalert.wire.transcript import Keeping

_DUMPED = re.compile(rb" \| [0-9a-f]{5,} ((?: [ 0-9a-f]{2}){1,8} ?(?: [ 0-9a-f]{2}){0,8})")
#: Failures that say that the other side reset the connection, or had closed it when more was said (RFC 9293 §3.5).
_RESET: Final = frozenset({b"ECONNRESET", b"EPIPE", b"ENOTCONN"})
_LABELS: tuple[tuple[bytes, What], ...] = (
    (b"TCP", "stream"),
    (b"socket:", "socket"),
    (b"UNIX-DGRAM", "datagram"),
    (b"UNIX", "local"),
    (b"pipe:", "pipe"),
    (b"UDP", "datagram"),
    (b"/", "file"),
)


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


class Talks:
    """The conversations of a trace. ``place`` and ``time`` are those of the line that is being read.

    ``over`` are those that have ended; ``short`` counts the calls of which not all bytes are shown; ``client_only``
    says whether the traced programs were the clients of all TLS so far.
    """

    def __init__(self, keeping: Keeping, files: Files) -> None:
        self.files = files
        self.place = 0
        self.time = 0
        self.over: list[Conversation] = []
        self.live: dict[int, Open] = {}
        self.short = 0
        self.client_only: bool | None = None
        self.moved: Moved | None = None
        self.moved_at = 0
        self._keeping = keeping
        self._number = 0
        self._unknown = 0

    def begin(self, what: What) -> Open:
        """Return an open file description that begins at this line."""
        return Open(what, self.place, self.time)

    def stream(self, what: What = "stream") -> Open:
        """Return one that may carry a connection."""
        opened = self.begin(what)
        opened.number = self._number
        self._number += 1
        return opened

    def found(self, call: Call) -> tuple[Open, int] | None:
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
            opened = self.stream(what) if what in ("stream", "local", "socket", "unknown") else self.begin(what)
            table.put(number, opened)
            if what == "file":
                opened.path = label
        elif opened.what in ("unknown", "socket") and what != "unknown":
            opened.what = what
        if near is not None and opened.near != near:
            opened.near = near
            opened.far = far
            self.between(opened)
        opened.label = label
        return opened

    def move(self, opened: Open, side: int, call: Call, segments: list[Segment], total: int) -> None:
        """Hold what a call moved until the next line shows that no dump follows."""
        if self.moved is not None:
            self.settle()
        self.moved = Moved(opened, side, call, segments, total)

    def dumped(self, text: bytes) -> None:
        """Take one line of a dump: " | 00000  16 03 01 01 …"."""
        found = _DUMPED.match(text)
        moved = self.moved
        if found is not None and moved is not None and len(moved.dump) < moved.total:
            try:
                moved.dump += bytes.fromhex(found[1].decode())
            except ValueError:
                return

    def settle(self) -> None:
        """Hand on what the last call moved."""
        moved, self.moved = self.moved, None
        if moved is None:
            return
        segments = moved.segments
        if moved.dump:
            segments = [Segment(bytes(moved.dump), moved.total)]
        if moved.opened.what == "file":
            draft = moved.opened.draft
            if draft is not None:
                at, left = self.moved_at, moved.total
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
        if side == 1 and begun is not None:
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
            self.short += 1

    def _believe(self, opened: Open, begun: Call) -> None:
        """Take what a call is writing as written before it has returned: all of it, as far as it is told how much."""
        opened.writing = None
        begun.believed = True
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
        opened.spoke[side] = True
        opened.late = opened.late or shown[:2] in (b"\x15\x03", b"\x17\x03")
        if shown:
            talk.said(side, shown, call.place, call.time)
        if size > len(shown):
            talk.missing(side, size - len(shown), call.place, call.time)

    def _again(self, opened: Open) -> None:
        """Begin another connection on a descriptor that was closed and opened again where the trace does not look."""
        self.end(opened)
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
        self.live[id(opened)] = opened
        if opened.what in ("pipe", "unknown"):
            table.half = opened
        if shown[:1] == b"\x16" and (shown[5:6] == b"\x01" or len(shown) == 5):
            self.client_only = side == 0 and self.client_only is not False
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

    def between(self, opened: Open) -> None:
        """Say to a conversation which its ends are, as far as that is known by now."""
        if opened.conversation is not None and not opened.ended:
            opened.conversation.between(*self._ends(opened))

    def nothing(self, opened: Open, side: int, call: Call) -> None:
        """Take a call that moved nothing: the end of a stream, a failure, or no time for it."""
        if opened.writing is not None and opened.writing is call:
            opened.writing = None
        if not opened.carries:
            return
        if call.errno in _RESET:
            self.reset(opened, call)
        elif call.errno == b"ETIMEDOUT" and opened.conversation is not None and not opened.ended:
            opened.conversation.note(f"the connection timed out (frame {call.place})")
        elif call.result == 0 and side == 1 and call.name not in (b"sendfile", b"splice") and not _asked_for_none(call):
            self._far_closed(opened, call)

    def _far_closed(self, opened: Open, call: Call) -> None:
        if opened.conversation is not None and not opened.ended and not opened.far_ended:
            opened.far_ended = True
            opened.conversation.closed(1, False, call.place, call.time)

    def reset(self, opened: Open, call: Call) -> None:
        """The other side has reset the connection: it had ended when more was read or written."""
        if call.errno == b"EPIPE" and opened.shut:
            return
        if opened.conversation is not None and not opened.ended:
            opened.far_ended = True
            opened.conversation.closed(1, True, call.place, call.time, True)  # all that is told of it was read

    def released(self, opened: Open) -> None:
        """Nobody has it open any more."""
        self.shelve(opened)
        talk = opened.conversation
        if talk is not None and not opened.ended and id(opened) in self.live:
            if self.moved is not None and self.moved.opened is opened:
                self.settle()
            talk.closed(0, opened.linger, self.place, self.time)
            self.end(opened)

    def shelve(self, opened: Open) -> None:
        """Put away the file that was read or written."""
        draft, opened.draft = opened.draft, None
        if draft is not None:
            if self.moved is not None and self.moved.opened is opened:
                opened.draft = draft
                self.settle()
                opened.draft = None
            self.files.close(draft)

    def end(self, opened: Open) -> None:
        """A conversation is over."""
        if self.live.pop(id(opened), None) is not None and opened.conversation is not None and not opened.ended:
            opened.ended = True
            self.over.append(opened.conversation)
            opened.conversation = None


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
    return (
        near is not None
        and opened.near is not None
        and opened.far is not None
        and (near, far) != (opened.near, opened.far)
    )


def _long(end: bytes) -> bytes:
    """Return an address of IPv4 as one of IPv6, RFC 4291 §2.5.5.2."""
    return end if len(end) == 18 else bytes(10) + b"\xff\xff" + end
