"""Runs tlsalert and its peers on the same captures, side by side, and prints a Markdown table for each.

Measured is the whole process: wall-clock time (the best of several runs, taken in turns) and peak memory,
with the capture in the page cache and the output thrown away. A peer that is too slow for the whole file
runs once on its beginning, and its time is scaled; the table says so.

With --keylog all of them decrypt with the same key log, and those that cannot read one are left out; tshark tells
once the types of messages and alerts, and once all that it decodes, as tlsalert does of what it tells.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PCAP_HEADER = 24
RECORD_HEADER = 16
#: The magic numbers of pcap in little-endian order, with micro- and nanoseconds.
MAGICS = (bytes.fromhex("d4c3b2a1"), bytes.fromhex("4d3cb2a1"))
#: A slow peer's speed is tried out on so many bytes, and on ever more until the run says something.
PROBE = 200_000

FIELDS = ("frame.number", "tls.handshake.type", "tls.alert_message.desc")

SCAPY = """
import sys
from scapy.all import TCPSession, load_layer, sniff
load_layer("tls")
sniff(offline=sys.argv[1], session=TCPSession, store=False, prn=lambda packet: None)
"""
PYSHARK = """
import sys, pyshark
for packet in pyshark.FileCapture(sys.argv[1], display_filter="tls", keep_packets=False):
    pass
"""
DPKT = """
import sys, dpkt
for _, frame in dpkt.pcap.Reader(open(sys.argv[1], "rb")):
    try:
        dpkt.ssl.tls_multi_factory(dpkt.ethernet.Ethernet(frame).data.data.data)
    except (dpkt.Error, dpkt.ssl.SSL3Exception, AttributeError):
        pass
"""


@dataclass(frozen=True)
class Peer:
    """A program to measure. ``command`` goes before the file's name, ``after`` behind it."""

    name: str
    command: tuple[str, ...] | None
    """None where it is not installed."""
    after: tuple[str, ...] = ()
    slow: bool = False

    def on(self, file: Path) -> list[str]:
        """Return the command line that reads ``file``."""
        return [*(self.command or ()), str(file), *self.after]


@dataclass(frozen=True)
class Run:
    """One run: seconds, peak memory in KiB, and what went wrong, if anything did."""

    seconds: float
    peak: int
    trouble: str | None = None


@dataclass(frozen=True)
class Result:
    """A peer's best run, and the share of the file's bytes that it was measured on."""

    peer: Peer
    run: Run
    share: float = 1.0


def main() -> int:
    """Measure each capture that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a capture of make_workloads.py")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each peer (default: 3)")
    parser.add_argument("--keylog", type=Path, metavar="FILE", help="decrypt with this key log (SSLKEYLOGFILE)")
    parser.add_argument("--slow-limit", type=float, default=60.0, metavar="SECONDS", help="for one run of a slow peer")
    arguments = parser.parse_args()
    if arguments.repeat < 1 or arguments.slow_limit <= 0:
        parser.error("--repeat and --slow-limit must be more than 0")
    for file in arguments.files:
        if trouble := _trouble_with(file):
            parser.error(f"{file}: {trouble}")
    if arguments.keylog is not None and not arguments.keylog.is_file():
        parser.error(f"{arguments.keylog}: no such file")
    candidates = peers() if arguments.keylog is None else peers_with(arguments.keylog)
    for file in arguments.files:
        print(measure(file, candidates, arguments.repeat, arguments.slow_limit), flush=True)
    return 0


def peers() -> list[Peer]:
    """Return all that could be measured, installed or not. The second one is what the ratios refer to."""
    tlsalert = _tlsalert()
    read = (*tlsalert, "read", "--format", "jsonl") if tlsalert else None
    return [
        Peer("tcpdump 'tcp port 1' (the floor)", _program("tcpdump", "-n", "-r"), ("tcp port 1",)),
        Peer("tlsalert read --only failed", (*read, "--only", "failed") if read else None),
        Peer("tlsalert read (every connection)", read),
        Peer("ssldump", _program("ssldump", "-n", "-r")),
        Peer("tshark -Y tls -T fields", _program("tshark", "-n", "-r"), _tshark_fields(), slow=True),
        Peer("dpkt (packet by packet)", _library("dpkt", DPKT), slow=True),
        Peer("pyshark", _library("pyshark", PYSHARK), slow=True),
        Peer("scapy", _library("scapy", SCAPY), slow=True),
    ]


def peers_with(keylog: Path) -> list[Peer]:
    """Return those that decrypt with a key log, beside the floor."""
    tlsalert = _tlsalert()
    read = (*tlsalert, "read", "--keylog", str(keylog), "--format", "jsonl") if tlsalert else None
    tshark = _program("tshark", "-n", "-o", f"tls.keylog_file:{keylog}", "-r")
    return [
        Peer("tcpdump 'tcp port 1' (the floor)", _program("tcpdump", "-n", "-r"), ("tcp port 1",)),
        Peer("tlsalert read --keylog --only failed", (*read, "--only", "failed") if read else None),
        Peer("tlsalert read --keylog (every connection)", read),
        Peer("tshark with keys, -Y tls -T fields", tshark, _tshark_fields(), slow=True),
        Peer("tshark with keys, -Y tls -T json", tshark, ("-Y", "tls", "-T", "json"), slow=True),
    ]


def measure(file: Path, candidates: list[Peer], repeat: int, slow_limit: float) -> str:
    """Run all installed peers on ``file`` and return the table."""
    installed = [peer for peer in candidates if peer.command is not None]
    _warm(file)
    runs: dict[Peer, list[Run]] = {peer: [] for peer in installed}
    for _ in range(repeat):  # in turns, so that a busy moment of the machine meets them all
        for peer in installed:
            if not peer.slow:
                runs[peer].append(run(peer.on(file)))
    results = [
        measure_slow(peer, file, repeat, slow_limit) if peer.slow else Result(peer, best(runs[peer]))
        for peer in installed
    ]
    missing = [peer.name for peer in candidates if peer.command is None]
    return table(file, results, missing, candidates[1].name)


def measure_slow(peer: Peer, file: Path, repeat: int, limit: float) -> Result:
    """Run ``peer`` on the whole file if ``limit`` allows it, else once on as much as it can read by then.

    The time for a part is scaled without the peer's start-up, which is that of a capture without packets.
    """
    start, _ = _run_on_part(peer, file, 0.0)
    share = PROBE / file.stat().st_size
    while True:
        tried, tried_share = _run_on_part(peer, file, min(share, 1.0))
        whole = max(tried.seconds - start.seconds, 0.001) / tried_share
        if tried.trouble or tried_share == 1 or tried.seconds - start.seconds > limit / 20:
            break
        share *= 4
    if tried.trouble is None and start.seconds + whole <= limit:
        return Result(peer, best([run(peer.on(file)) for _ in range(repeat)]))
    share = max((limit - start.seconds) / whole, tried_share)
    if tried.trouble is None and share > tried_share:
        tried, tried_share = _run_on_part(peer, file, share)
        whole = max(tried.seconds - start.seconds, 0.001) / tried_share
    return Result(peer, Run(start.seconds + whole, tried.peak, tried.trouble), tried_share)


def best(runs: list[Run]) -> Run:
    """Return the quickest run, or one that failed if any did."""
    return next((one for one in runs if one.trouble), min(runs, key=lambda one: one.seconds))


def run(command: list[str]) -> Run:
    """Run ``command`` to its end, its output and its complaints thrown away."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    started = time.perf_counter()
    try:
        child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    except OSError as error:
        return Run(0.0, 0, f"could not be started: {error.strerror}")
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    return Run(seconds, usage.ru_maxrss, None if code == 0 else f"exit {code}{_complaint(command)}")


def _complaint(command: list[str]) -> str:
    """Run a command that failed once more, and return the last line of what it says about that."""
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return f": {said[-1]}" if said else ""


def table(file: Path, results: list[Result], missing: list[str], reference: str) -> str:
    """Return the results as Markdown, the notes below."""
    size = file.stat().st_size / 1e6
    base = next((r.run.seconds for r in results if r.peer.name == reference and not r.run.trouble), None)
    lines = [f"### {file.name}, {size:.1f} MB", ""]
    lines += ["| | seconds | MB/s | MB peak | time / tlsalert's |", "|---|---:|---:|---:|---:|"]
    notes = []
    for result in results:
        name, done = result.peer.name, result.run
        if done.trouble:
            lines.append(f"| {name} | failed | | | |")
            notes.append(f"- {name} failed: {_cell(done.trouble)}")
            continue
        ratio = f"{done.seconds / base:.2f}" if base else "–"
        mark = "" if result.share == 1 else "~"
        figures = f"{mark}{done.seconds:.2f} | {size / done.seconds:.1f} | {_peak(done.peak)} | {mark}{ratio}"
        lines.append(f"| {name} | {figures} |")
        if mark:
            notes.append(f"- {name}: scaled from the first {result.share:.2%} of the file; the peak is that part's.")
    notes += [f"- {name}: not installed." for name in missing]
    return "\n".join([*lines, "", *notes, ""])


def _run_on_part(peer: Peer, file: Path, share: float) -> tuple[Run, float]:
    """Run ``peer`` on the first whole packets of ``file``; return the share of its bytes that they are."""
    size = file.stat().st_size
    with tempfile.TemporaryDirectory() as directory, file.open("rb") as source:
        part = Path(directory) / "part.pcap"
        left = end = _packet_end(source.fileno(), int(size * share), size)
        with part.open("wb") as target:
            while left > 0 and (chunk := source.read(min(left, 1 << 20))):
                target.write(chunk)
                left -= len(chunk)
        return run(peer.on(part)), end / size


def _packet_end(file: int, octets: int, size: int) -> int:
    """Return where the last packet ends that begins before ``octets``."""
    end = PCAP_HEADER
    while end < octets and end + RECORD_HEADER <= size:
        (length,) = struct.unpack("<I", os.pread(file, 4, end + 8))
        end += RECORD_HEADER + length
    return min(end, size)


def _trouble_with(file: Path) -> str | None:
    """Return why ``file`` can't be measured, or None."""
    try:
        with file.open("rb") as opened:
            readable = opened.read(4) in MAGICS
    except OSError as error:
        return error.strerror
    return None if readable else "not a little-endian pcap file, as make_workloads.py makes them"


def _warm(file: Path) -> None:
    """Read the file once, so that all peers find it in the page cache."""
    with file.open("rb") as source:
        while source.read(1 << 20):
            pass


def _peak(kibibytes: int) -> str:
    """Return MB. A child starts as a copy of this process, so what is smaller than that can't be told."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"≤ {own * 1024 / 1e6:.0f}" if kibibytes <= own else f"{kibibytes * 1024 / 1e6:.0f}"


def _cell(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text).replace("|", "\\|")[:200]


def _program(name: str, *arguments: str) -> tuple[str, ...] | None:
    path = shutil.which(name)
    return None if path is None else (path, *arguments)


def _library(name: str, script: str) -> tuple[str, ...] | None:
    return None if find_spec(name) is None else (sys.executable, "-c", script)


def _tlsalert() -> tuple[str, ...] | None:
    """Return how to call tlsalert: as installed beside this Python, on the path, or as a library."""
    beside = Path(sys.executable).with_name("tlsalert")
    if beside.exists():
        return (str(beside),)
    return _program("tlsalert") or _library("tlsalert", "from tlsalert.cli import main; main()")


def _tshark_fields() -> tuple[str, ...]:
    return ("-Y", "tls", "-T", "fields", *(part for field in FIELDS for part in ("-e", field)))


if __name__ == "__main__":
    sys.exit(main())
