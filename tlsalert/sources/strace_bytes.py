"""System calls that move bytes: over sockets and pipes, from and to files."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from tlsalert.sources import strace_values as values
from tlsalert.sources.strace_descriptors import Call, Open
from tlsalert.sources.strace_files import Draft
from tlsalert.sources.strace_talks import Talks
from tlsalert.sources.strace_values import Segment

_MESSAGE = re.compile(rb"msg_iov(?:\(\d+\))?=")
_MESSAGE_LENGTH = re.compile(rb"\}, (?:msg_len=)?(\d{1,10})\}")
_RIGHTS = re.compile(rb"SCM_RIGHTS, (?:cmsg_data=)?\{?\[([^\]]{1,2000})\]")
#: A file of which so little is read at once may be read on: its beginning does not say yet what it is.
_SMALL: Final = 256
#: How PEM and DER look in strace's strings.
_BEGINS: Final = (b"-----BEGIN ", rb"\x2d\x2d\x2d\x42\x45\x47\x49\x4e", rb"\x2d\x2d\x2dBEGIN ")
_DER_SHOWN: Final = re.compile(rb', "(?:0|\\x30)(?:\\20[0-3]|\\x8[0-3])')


class ByteCalls:
    """What each of these calls moves. With ``everything`` all files are kept."""

    def __init__(self, talks: Talks, everything: bool) -> None:
        self._talks = talks
        self._everything = everything
        self._passed: deque[Open] = deque(maxlen=256)

    def read(self, call: Call) -> None:
        """Take read, recv and recvfrom."""
        self._one_buffer(call, 1)

    def write(self, call: Call) -> None:
        """Take write, send and sendto."""
        self._one_buffer(call, 0)

    def _one_buffer(self, call: Call, side: int) -> None:
        found = self._talks.found(call)
        if found is None:
            return
        opened, end = found
        if call.result is None or call.result <= 0:
            self._talks.nothing(opened, side, call)
            return
        total = min(call.result, values.MOST)
        if opened.what in ("file", "other"):
            if opened.what == "file" and self._worth_keeping(opened, call.args, end, total):
                self._file(opened, side, call, values.one_segment(call.args, end, total), total)
            return
        if (
            opened.what == "datagram"
            or (side == 1 and b"MSG_PEEK" in call.args[-200:])
            or b"MSG_OOB" in call.args[-200:]
        ):
            return
        if call.name in (b"recv", b"recvfrom", b"recvmsg", b"send", b"sendto", b"sendmsg") and opened.what == "unknown":
            opened.what = "socket"
        if opened.conversation is None and not self._worth(opened, call.args, end):
            return
        self._talks.move(opened, side, call, values.one_segment(call.args, end, total), total)

    def at_offset(self, call: Call) -> None:
        """Take pread64 and pwrite64: they leave the file's offset where it is."""
        found = self._talks.found(call)
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
                opened = self._passed.popleft() if self._passed else self._talks.stream("unknown")
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
        found = self._talks.found(call)
        if found is None:
            return
        opened, end = found
        if call.result is None or call.result <= 0:
            self._talks.nothing(opened, side, call)
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
        self._talks.move(opened, side, call, segments, total)

    def many(self, call: Call) -> None:
        """Take recvmmsg and sendmmsg: several messages, each with its length."""
        found = self._talks.found(call)
        side = 1 if call.name == b"recvmmsg" else 0
        if found is None or found[0].what in ("datagram", "file", "other"):
            return
        opened = found[0]
        if call.result is None or call.result <= 0:
            self._talks.nothing(opened, side, call)
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
            self._talks.move(opened, side, call, segments, total)
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
                self._talks.move(opened, at_side, call, [Segment(b"", total)], total)

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
        if segments and self._talks.files.wanted(opened.draft, at, segments[0].shown):
            self._talks.move(opened, side, call, segments, total)
            self._talks.moved_at = at

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
        return self._worth_bytes(
            opened, values.unescape(args[end + 3 : end + 27]) if args.startswith(b', "', end) else b""
        )

    def _worth_bytes(self, opened: Open, shown: bytes) -> bool:
        """Whether what else may carry TLS does, by how its first bytes look: RFC 8446 §5.1, and SSLv2's hello."""
        if opened.what == "stream":
            return True
        if len(shown) < 3:
            return False
        record = 20 <= shown[0] <= 23 and shown[1] == 3 and shown[2] <= 4
        return record or (shown[0] & 0x80 != 0 and shown[2] == 1 and shown[3:4] in (b"\0", b"\3"))
