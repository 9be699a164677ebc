"""Plays a capture into a veth pair in a network namespace of its own, and counts what each listener took of it.

tcpreplay sends at a fixed rate; beside tlsalert listen tshark, and scapy's own sniff. A run's numbers are the packets
that were sent, those that the listener says it took, and those that the kernel had to drop because it was too slow. The
highest rate at which a listener loses nothing is looked for by halving. Needs root, ip(8) and tcpreplay.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SPACE = f"tlsalert-bench-{os.getpid()}"
SENDER, LISTENER = "bench0", "bench1"
#: Seconds that a listener gets to begin, and to end what it has begun.
START, END = 6.0, 180.0

SCAPY = """
import signal, sys
from scapy.all import AsyncSniffer, TCPSession, load_layer
load_layer("tls")
count = 0
class Counting(TCPSession):
    def process(self, *arguments, **options):
        global count
        count += 1
        return super().process(*arguments, **options)
sniffer = AsyncSniffer(iface=sys.argv[1], store=False, session=Counting)
sniffer.start()
signal.sigwait({signal.SIGINT})
sniffer.stop()
print(count, "packets captured", file=sys.stderr)
"""


@dataclass(frozen=True)
class Listening:
    """A program that listens on an interface until SIGINT, and the patterns of its count of packets and of losses."""

    name: str
    command: tuple[str, ...]
    took: str
    lost: str | None
    top: int = 1_000_000
    """A rate that it cannot reach by far: to try more would only take time."""


@dataclass(frozen=True)
class Taken:
    """What became of the packets of one run."""

    sent: int
    took: int
    lost: int
    rate: float
    cpu: float

    @property
    def whole(self) -> bool:
        """Whether nothing was lost."""
        return self.took >= self.sent


def listeners(interface: str) -> list[Listening]:
    """Return those that are installed."""
    tlsalert = (sys.executable, "-m", "tlsalert", "live", "-i", interface, "--format", "jsonl")
    both = r"([\d,]+) packets in .* ([\d,]+|none) dropped"
    found = [
        Listening("tlsalert live", tlsalert, both, both),
        Listening("tlsalert live --only failed", (*tlsalert, "--only", "failed"), both, both),
    ]
    if shutil.which("tshark"):
        fields = ("-T", "fields", "-e", "frame.number", "-e", "tls.handshake.type", "-e", "tls.alert_message.desc")
        tshark = ("tshark", "-n", "-i", interface, *fields)
        found.append(Listening("tshark -T fields", tshark, r"(\d+) packets? captured", r"(\d+) packets? dropped"))
    found.append(
        Listening(
            "scapy sniff (TCPSession, tls)", (sys.executable, "-c", SCAPY, interface), r"(\d+) packets", None, 10_000
        )
    )
    return found


def main() -> int:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="a capture of make_workloads.py")
    parser.add_argument("--packets", type=int, default=600_000, help="packets of a run (default: 600000)")
    parser.add_argument("--top", type=int, default=400_000, help="the highest rate to try, in packets/s")
    parser.add_argument("--steps", type=int, default=7, help="rates to try for each listener")
    arguments = parser.parse_args()
    for program in ("ip", "tcpreplay"):
        if shutil.which(program) is None:
            parser.error(f"{program} is not installed")
    with namespace():
        print(
            f"| listener | packets/s without a drop | at {arguments.top:,}/s asked: sent/s | took | dropped | CPU s |"
        )
        print("|---|---:|---:|---:|---:|---:|")
        for one in listeners(LISTENER):
            print(row(one, arguments), flush=True)
    return 0


def row(one: Listening, arguments: argparse.Namespace) -> str:
    """Look for the highest rate at which a listener takes all."""
    most = min(one.top, arguments.top)
    top = tried = play(one, arguments.file, min(arguments.packets, 4 * most), most)
    best = top.rate if top.whole else 0.0
    low, high = 0.0, top.rate
    for _ in range(0 if top.whole else arguments.steps):
        rate = (low + high) / 2 if low else high / 4
        packets = max(400, min(arguments.packets, int(rate * 4)))
        tried = play(one, arguments.file, packets, int(rate))
        if tried.whole:
            low, best = rate, max(best, tried.rate)
        else:
            high = rate
    floor = "" if not top.whole else "at least "
    return (
        f"| {one.name} | {floor}{best:,.0f} | {top.rate:,.0f} | {top.took / max(top.sent, 1):.1%} | {top.lost:,} "
        f"| {top.cpu:.1f} |"
    )


def play(one: Listening, file: Path, packets: int, rate: int) -> Taken:
    """Let one listener listen while ``packets`` are sent at ``rate``."""
    with tempfile.TemporaryFile() as complaints:
        before = os.times()
        process = subprocess.Popen(
            inside(*one.command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=complaints
        )
        time.sleep(START)
        sent, took_seconds = send(file, packets, rate)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        after = os.times()
        complaints.seek(0)
        said = complaints.read().decode(errors="replace")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    numbers = re.search(one.took, said)
    took = 0 if numbers is None else _number(numbers.group(1))
    lost = max(0, sent - took)
    if one.lost is not None and (found := re.search(one.lost, said)) is not None:
        lost = _number(found.group(found.re.groups))
    return Taken(sent, took, lost, sent / took_seconds, cpu)


def send(file: Path, packets: int, rate: int) -> tuple[int, float]:
    """Send with tcpreplay; return how many packets it sent, and in how many seconds."""
    command = inside("tcpreplay", "-q", "-K", "-i", SENDER, "--pps", str(rate), "--limit", str(packets), str(file))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"Actual: (\d+) packets .* sent in ([\d.]+) seconds", done.stdout + done.stderr)
    if found is None:
        raise RuntimeError(done.stdout + done.stderr)
    return int(found.group(1)), max(float(found.group(2)), 1e-6)


@contextlib.contextmanager
def namespace() -> Iterator[None]:
    """Make a network namespace with a veth pair in it, and take it away afterwards."""
    subprocess.run(["ip", "netns", "add", SPACE], check=True)
    try:
        subprocess.run(
            inside("ip", "link", "add", SENDER, "mtu", "9000", "type", "veth", "peer", "name", LISTENER, "mtu", "9000"),
            check=True,
        )
        for name in (SENDER, LISTENER):
            subprocess.run(inside("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1"), check=False)
            subprocess.run(inside("ip", "link", "set", name, "up"), check=True)
        yield
    finally:
        subprocess.run(["ip", "netns", "del", SPACE], check=True)


def inside(*command: str) -> list[str]:
    """Return a command that runs in the namespace."""
    return ["ip", "netns", "exec", SPACE, *command]


def _number(text: str) -> int:
    return 0 if text == "none" else int(text.replace(",", ""))


if __name__ == "__main__":
    sys.exit(main())
