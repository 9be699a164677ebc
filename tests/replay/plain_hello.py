"""A ClientHello of our own, with the interface of tlsalert.replay.greeting: for tests of the client alone."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from random import Random

from tlsalert.errors import UsageError
from tlsalert.replay.hello import VERSIONS
from tlsalert.replay.key_shares import KeyShare, make_share

SCHEMES = (0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)
SUITES_13 = (0x1301, 0x1302, 0x1303, 0x1304)
SUITES = (
    *(0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC0AC, 0xC09C, 0x009E, 0x009F, 0xCCAA, 0xC023, 0xC027),
    *(0xC009, 0xC013, 0xC00A, 0xC014, 0x0067, 0x0033, 0x0039, 0x009C, 0x009D, 0x003C, 0x002F, 0x0035, 0x000A, 0x0005),
)
GROUPS = (29, 23, 24, 25)


def made(group: int) -> KeyShare:
    share = make_share(group)
    if share is None:
        raise UsageError(f"no share of group {group} can be made")
    return share


def vector(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width, "big") + data


def numbers(codes: tuple[int, ...]) -> bytes:
    return b"".join(code.to_bytes(2, "big") for code in codes)


@dataclass(frozen=True)
class PlainHello:
    """``extra`` are extensions to add, by their numbers."""

    version: str = "TLS 1.2"
    suites: tuple[int, ...] = ()
    groups: tuple[int, ...] = GROUPS
    shares: tuple[int, ...] = (29,)
    extra: tuple[tuple[int, bytes], ...] = ()
    session: int = 32
    compression: bytes = b"\0"
    extensions: bool = True

    def for_version(self, version: str) -> PlainHello:
        suites = self.suites or (SUITES_13 if version == "TLS 1.3" else SUITES)
        return replace(self, version=version, suites=suites)

    def fresh(self, random: Random | None = None, server_name: str | None = None) -> FreshPlainHello:
        draw = os.urandom if random is None else random.randbytes
        shares = {group: made(group) for group in self.shares}
        session = draw(self.session) if self.version == "TLS 1.3" else b""
        return FreshPlainHello(self, draw(32), session, shares, server_name)


@dataclass(frozen=True)
class FreshPlainHello:
    hello: PlainHello
    random: bytes
    session: bytes
    shares: dict[int, KeyShare]
    server_name: str | None
    cookie: bytes = b""
    message: bytes = field(init=False)
    records: tuple[bytes, ...] = field(init=False)

    def __post_init__(self) -> None:
        message = self._message()
        object.__setattr__(self, "message", message)
        version = min(VERSIONS[self.hello.version], 0x0301)
        object.__setattr__(self, "records", (b"\x16" + version.to_bytes(2, "big") + vector(2, message),))

    def retry(self, server_hello: bytes) -> FreshPlainHello:
        """Take the group of a HelloRetryRequest, which stands in its key_share, and the cookie."""
        at = 4 + 34 + 1 + server_hello[38] + 3 + 2
        group, cookie = 0, b""
        while at < len(server_hello):
            kind, size = (int.from_bytes(server_hello[at + x : at + x + 2], "big") for x in (0, 2))
            data = server_hello[at + 4 : at + 4 + size]
            group = int.from_bytes(data, "big") if kind == 51 else group
            cookie = data if kind == 44 else cookie
            at += 4 + size
        return replace(self, shares={group: made(group)}, cookie=cookie)

    def _message(self) -> bytes:
        hello = self.hello
        version = VERSIONS[hello.version]
        legacy = min(version, 0x0303)
        body = legacy.to_bytes(2, "big") + self.random + vector(1, self.session)
        signal = () if version == 0x0304 else (0x00FF,)
        body += vector(2, numbers((*hello.suites, *signal))) + vector(1, hello.compression)
        if version > 0x0300 and hello.extensions:
            body += vector(2, b"".join(kind.to_bytes(2, "big") + vector(2, data) for kind, data in self._extensions()))
        return b"\x01" + vector(3, body)

    def _extensions(self) -> list[tuple[int, bytes]]:
        hello = self.hello
        found = [(10, vector(2, numbers(hello.groups))), (11, b"\x01\x00"), *hello.extra]
        if self.server_name:
            found.append((0, vector(2, b"\0" + vector(2, self.server_name.encode()))))
        if VERSIONS[hello.version] >= 0x0303:
            found.append((13, vector(2, numbers(SCHEMES))))
        if hello.version == "TLS 1.3":
            entries = b"".join(numbers((group,)) + vector(2, share.public) for group, share in self.shares.items())
            found += [(43, b"\x02\x03\x04"), (51, vector(2, entries))]
            if self.cookie:
                found.append((44, self.cookie))
        return found
