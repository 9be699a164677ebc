"""Measures TLS through ``tlsalert tap``, beside socat and no forwarder at all: handshakes per second, and throughput.

The server is Python's ssl with a thread for each connection and an ECDSA certificate of P-256, the clients are
OpenSSL's s_time; the download is so many zeros through one connection, read by Python's ssl. All on loopback; the best
of several runs, taken in turns.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Seconds that a program gets to listen.
START = 20.0

SERVER = """
import contextlib, socket, ssl, sys, threading
port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
zeros = bytes(1 << 18)
def serve(plain):
    with contextlib.suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as tls:
        wanted = tls.recv(100)
        for _ in range(int(wanted or b"0") >> 18):
            tls.sendall(zeros)
listener = socket.create_server(("127.0.0.1", port), backlog=1024)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


@dataclass
class Way:
    """A way to the server, and the best that was measured on it."""

    name: str
    command: tuple[str, ...] | None
    port: int
    handshakes: float = 0.0
    throughput: float = 0.0


def main() -> int:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="for one run of handshakes (default: 5)")
    parser.add_argument("--clients", type=int, default=2, help="that shake hands at the same time (default: 2)")
    parser.add_argument("--megabytes", type=int, default=1000, help="of the download (default: 1000)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default: 3)")
    arguments = parser.parse_args()
    if shutil.which("openssl") is None:
        parser.error("openssl is not installed")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), arguments)
    return 0


def measure(folder: Path, arguments: argparse.Namespace) -> None:
    """Measure all ways in turns."""
    size = arguments.megabytes << 20
    with server(folder) as port:
        ways = list(ways_to(port))
        for _ in range(arguments.repeat):
            for way in ways:
                with forwarding(way):
                    way.handshakes = max(way.handshakes, handshakes(way.port, arguments.clients, arguments.seconds))
                with forwarding(way):
                    way.throughput = max(way.throughput, size / download(way.port, size) / 1e6)
    print("| way | handshakes/s | MB/s |")
    print("|---|---:|---:|")
    for way in ways:
        print(f"| {way.name} | {way.handshakes:,.0f} | {way.throughput:,.0f} |")


def ways_to(port: int) -> Iterator[Way]:
    """Return the ways to the server, those that are installed."""
    yield Way("direct", None, port)
    if shutil.which("socat"):
        own = free_port()
        listen = f"TCP-LISTEN:{own},bind=127.0.0.1,fork,reuseaddr,backlog=1024"
        yield Way("socat", ("socat", listen, f"TCP:127.0.0.1:{port}"), own)
        own = free_port()
        listen = f"TCP-LISTEN:{own},bind=127.0.0.1,fork,reuseaddr,backlog=1024"
        yield Way("socat -b 262144", ("socat", "-b", "262144", listen, f"TCP:127.0.0.1:{port}"), own)
    own = free_port()
    tap = (sys.executable, "-m", "tlsalert", "tap", "--to", f"127.0.0.1:{port}", "--format", "jsonl")
    yield Way("tlsalert tap", (*tap, "--listen", f"127.0.0.1:{own}"), own)
    own = free_port()
    yield Way("tlsalert tap --only failed", (*tap, "--only", "failed", "--listen", f"127.0.0.1:{own}"), own)


@contextlib.contextmanager
def server(folder: Path) -> Iterator[int]:
    """Run a TLS server that sends as many bytes as it is asked for."""
    key, certificate, port = folder / "key.pem", folder / "certificate.pem", free_port()
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=bench"]
    subprocess.run([*made, *files], check=True, capture_output=True)
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(port), str(certificate), str(key)])
    try:
        wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def forwarding(way: Way) -> Iterator[None]:
    """Run a way's forwarder and show what it says last."""
    if way.command is None:
        yield
        return
    process = subprocess.Popen(way.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_for(way.port)
        yield
    finally:
        process.terminate()
        process.wait()  # not for the pipe's end: socat's children hold it
        if process.stderr is not None:
            os.set_blocking(process.stderr.fileno(), False)
            said = (process.stderr.read() or b"").decode().splitlines()
            print(f"{way.name}: {said[-1] if said else ''}", file=sys.stderr)


def handshakes(port: int, clients: int, seconds: int) -> float:
    """Return how many full handshakes a second several clients finish, each after the other."""
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new", "-time", str(seconds)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(clients)
    ]
    total = 0.0
    for process in running:
        said, _ = process.communicate()
        found = re.search(r"(\d+) connections in (\d+) real seconds", said)
        if found is None:
            raise RuntimeError(said)
        total += int(found.group(1)) / max(int(found.group(2)), 1)
    return total


def download(port: int, size: int) -> float:
    """Return how many seconds it takes to fetch so many bytes."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    buffer = bytearray(1 << 18)
    started = time.perf_counter()
    got = 0
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as tls:
        tls.sendall(str(size).encode())
        while got < size and (more := tls.recv_into(buffer)):
            got += more
    if got < size:
        raise RuntimeError(f"{got} bytes of {size}")
    return time.perf_counter() - started


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until something listens on a port."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


if __name__ == "__main__":
    sys.exit(main())
