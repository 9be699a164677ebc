"""Records the ClientHello of programs that are installed, and prints it as tlsalert/replay/profiles.py holds it.

    python tools/make_profiles.py openssl-3.0 "openssl s_client -connect {host}:{port} -servername {name}"

``{host}``, ``{port}`` and ``{name}`` (a server name) are filled in; the program talks to a listener on loopback, which
reads its first flight and hangs up. What is fresh in every hello is left out: key shares keep their groups alone, and
the server's name leaves its place.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys

from tlsalert.model import Extension
from tlsalert.replay.hello_parts import KEY_SHARE, PADDING, SERVER_NAME, read_shares, write_shares
from tlsalert.wire.hello import read_client_hello

NAME = "replay.example"


def first_flight(command: str) -> bytes:
    """Run a program against a listener, and return what it sends first."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        filled = command.format(host="127.0.0.1", port=listener.getsockname()[1], name=NAME)
        quiet = subprocess.DEVNULL
        with subprocess.Popen(shlex.split(filled), stdin=subprocess.PIPE, stdout=quiet, stderr=quiet) as client:  # noqa: S603
            peer, _ = listener.accept()
            with peer:
                flight = peer.recv(5, socket.MSG_WAITALL)
                flight += peer.recv(int.from_bytes(flight[3:5], "big"), socket.MSG_WAITALL)
            client.terminate()
    return flight


def emptied(extension: Extension) -> Extension:
    """Return an extension without what is fresh in every hello."""
    if extension.type == SERVER_NAME:
        return Extension(SERVER_NAME, b"")
    if extension.type == PADDING:
        return Extension(PADDING, b"")
    shares = read_shares(extension.data) if extension.type == KEY_SHARE else None
    if shares is not None:
        return Extension(KEY_SHARE, write_shares(tuple((group, b"") for group, _ in shares)))
    return extension


def told(name: str, command: str) -> str:
    """Return the entry of a profile."""
    flight = first_flight(command)
    hello = read_client_hello(flight[9:])
    suites = " ".join(f"{suite:04x}" for suite in hello.cipher_suites)
    padded = len(flight) - 5 if any(one.type == PADDING for one in hello.extensions) else 0
    lines = [
        f'"{name}",',
        f'"{command.split()[0]}, recorded",',
        f'"{suites}",',
        "(",
        *(f'({one.type}, "{one.data.hex()}"),' for one in map(emptied, hello.extensions)),
        "),",
        f"legacy_version=0x{hello.legacy_version:04X},",
        f"record_version=0x{int.from_bytes(flight[1:3], 'big'):04X},",
        f"session_id_length={len(hello.session_id)},",
        f"compression_methods={hello.compression_methods},",
        f"size={padded},",
    ]
    return "_profile(" + "\n    ".join(lines) + "\n)"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(told(*sys.argv[1:]))
