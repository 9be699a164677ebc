"""OpenSSL's and GnuTLS's own programs as both peers, recorded by a tap: for what Python's ssl module cannot say.

Each side says a line, the other waits for it; so what is asked for in between has happened when the talk ends.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.tap import PATIENCE, Tap

#: What the sides say to each other. Neither begins with a letter that s_client or s_server takes for a command.
QUESTION, ANSWER = "how are you\n", "very well\n"


@dataclass
class Program:
    """One running program: what is said to it goes to its standard input, what it prints into ``printed``."""

    process: subprocess.Popen[bytes]
    log: Path

    def say(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()

    @property
    def printed(self) -> str:
        """What the program has printed up to now."""
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, times: int = 1) -> bool:
        """Wait until the program has printed ``text``; False where it ended before, or took too long."""
        return until(lambda: self.printed.count(text) >= times, self.process)


@contextlib.contextmanager
def running(
    words: Sequence[str], folder: Path, name: str, environment: dict[str, str] | None = None
) -> Iterator[Program]:
    """Run a program in ``folder``, and end it in the end."""
    path = folder / f"{name}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            words, cwd=folder, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, bufsize=0
        )
        try:
            yield Program(process, path)
        finally:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


@contextlib.contextmanager
def serving(folder: Path, words: Callable[[int], Sequence[str]]) -> Iterator[tuple[Program, int]]:
    """Run a server, given the words for a port; wait until it listens there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with running(words(port), folder, "server") as server:

        def listens() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        if not until(listens, server.process):
            pytest.skip(f"the server does not come up: {server.printed[-300:]}")
        yield server, port


@contextlib.contextmanager
def s_server(folder: Path, *options: str) -> Iterator[tuple[Program, int]]:
    """Run OpenSSL's server."""
    program = found("openssl", "openssl")
    with serving(folder, lambda port: [program, "s_server", "-accept", f"127.0.0.1:{port}", *options]) as served:
        yield served


def s_client(server: Program, port: int, folder: Path, *options: str, asks: Callable[[], None] | None = None) -> Path:
    """Talk to OpenSSL's server by OpenSSL's client, whose key log is client.keys; return the capture.

    ``asks`` is called once both have heard each other, and then they say something once more.
    """
    with Tap(port) as tap:
        address = "{}:{}".format(*tap.address)
        words = [found("openssl", "openssl"), "s_client", "-connect", address, "-keylogfile", "client.keys", *options]
        heard = server.printed.count(QUESTION)
        with running(words, folder, "client") as client:
            for turn in (1, 2):
                client.say(QUESTION)
                if not server.wait_for(QUESTION, heard + turn):
                    break
                server.say(ANSWER)
                if not client.wait_for(ANSWER, turn) or asks is None:
                    break
                if turn == 1:
                    asks()
            client.say("Q\n")
            with contextlib.suppress(subprocess.TimeoutExpired):
                client.process.wait(PATIENCE)
        path = folder / "talk.pcap"
        path.write_bytes(tap.capture())
    return path


def found(program: str, package: str) -> str:
    """Return where a program is; skip the test where it is not installed."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"needs {program} (Debian: {package})")
    return path


def until(done: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> bool:
    """Wait until something is done; False where a process that should do it has ended, or took too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if done():
            return True
        if process is not None and process.poll() is not None:
            return done()
        time.sleep(0.02)
    return False
