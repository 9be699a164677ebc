"""Logs as strace writes them, in all its manners: one program speaks, and each call becomes a line."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.wire import dialogues
from tlsalert.capture import read
from tlsalert.model import Connection

#: What strace's strings have for bytes that are no letters.
LETTERS = {0x22: '\\"', 0x5C: "\\\\", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
NEAR, FAR = ("10.0.0.5", 40112), ("10.0.0.7", 5900)


def string(data: bytes, limit: int = 65_536, manner: str = "") -> str:
    """Return bytes as a string of strace: -x writes what is no text in hexadecimal, -xx everything."""
    shown = data[:limit]
    plain = all(32 <= byte < 127 or byte in LETTERS for byte in shown)
    if manner == "-xx" or (manner == "-x" and not plain):
        text = "".join(f"\\x{byte:02x}" for byte in shown)
    else:
        text = "".join(_octal(byte, shown[place + 1 : place + 2]) for place, byte in enumerate(shown))
    return f'"{text}"' + ("..." if len(data) > limit else "")


def _octal(byte: int, following: bytes) -> str:
    if byte in LETTERS:
        return LETTERS[byte]
    if 32 <= byte < 127:
        return chr(byte)
    return f"\\{byte:03o}" if following.isdigit() else f"\\{byte:o}"


def address(end: tuple[str, int]) -> str:
    """Return a socket address as strace prints it."""
    host, port = end
    if ":" in host:
        scope = f'inet_pton(AF_INET6, "{host}", &sin6_addr), sin6_scope_id=0'
        return f"{{sa_family=AF_INET6, sin6_port=htons({port}), sin6_flowinfo=htonl(0), {scope}}}"
    return f'{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr("{host}")}}'


@dataclass
class Script:
    """A log in the making. ``stamp`` is one of -t, -tt, -ttt, -r or nothing; ``pid`` is what names the process."""

    stamp: str = "-tt"
    manner: str = ""
    limit: int = 65_536
    pid: str = "100   "
    fd: str = "4"
    second: int = 0
    lines: list[str] = field(default_factory=list)

    def call(self, text: str, pid: str | None = None) -> Script:
        """Add a line."""
        self.second += 1
        second = self.second
        stamps = {
            "-t": f"08:51:{second % 60:02} ",
            "-tt": f"08:51:{second % 60:02}.000250 ",
            "-ttt": f"{1_623_919_860 + second}.000250 ",
            "-r": "     1.000000 ",
            "": "",
        }
        self.lines.append(f"{self.pid if pid is None else pid}{stamps[self.stamp]}{text}")
        return self

    def raw(self, text: str) -> Script:
        """Add a line as it is."""
        self.lines.append(text)
        return self

    def connect(self, far: tuple[str, int] = FAR, near: tuple[str, int] | None = NEAR) -> Script:
        """Open a connection, and ask which its ends are."""
        family = "AF_INET6" if ":" in far[0] else "AF_INET"
        self.call(f"socket({family}, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = {self.fd}")
        self.call(f"connect({self.fd}, {address(far)}, 16) = -1 EINPROGRESS (Operation now in progress)")
        if near is not None:
            self.call(f"getsockname({self.fd}, {address(near)}, [128 => 16]) = 0")
        return self

    def write(self, data: bytes) -> Script:
        """Write to the connection."""
        said = string(data, self.limit, self.manner)
        return self.call(f"write({self.fd}, {said}, {len(data)}) = {len(data)}")

    def read(self, data: bytes, asked: int = 16_384) -> Script:
        """Read from the connection."""
        return self.call(f"read({self.fd}, {string(data, self.limit, self.manner)}, {asked}) = {len(data)}")

    def handshake(self) -> Script:
        """Say what :data:`tests.wire.dialogues.TLS` has: the client refuses the server's certificate."""
        for side, data in dialogues.TLS:
            if side == "client":
                self.write(data)
            else:
                self.read(data[:5], 5).read(data[5:])
        return self

    def bytes(self) -> bytes:
        """Return the log."""
        return ("\n".join(self.lines) + "\n").encode()


def told(log: Script | bytes, path: object) -> list[Connection]:
    """Return the connections of a log, read as a file."""
    from pathlib import Path

    file = Path(str(path)) / "trace.log"
    file.write_bytes(log if isinstance(log, bytes) else log.bytes())
    return list(read(file))


def said(found: Connection) -> list[str]:
    """Return what was said, in few words."""
    messages = [f"{one.sender} {one.message}" for one in found.messages]
    return messages + [f"{one.sender} alert {int(one.level or 0)} {one.code}" for one in found.alerts]
