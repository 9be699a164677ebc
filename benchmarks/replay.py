"""How quickly a device is asked with all variants, beside one ``openssl s_client`` process for each of them.

    python benchmarks/replay.py [--repeat 3] [--variant NAME…]

The device is the lab's and runs in this process, which, with all its children, keeps to one core. Both clients show
the same certificates; what s_client cannot be made to show is told and left out of its row. The run that finished first
of ``--repeat`` counts. tlsalert's time holds the making of the variants (but for their keys), the decoding of
each handshake and its outcome; s_client's holds a process for each, which quits without waiting for a late alert.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tlsalert.lab.certificates import Identity, issued, self_signed
from tlsalert.lab.server import LabDevice, RunningDevice, serve
from tlsalert.pki.material import Authority, Material
from tlsalert.pki.presentation import Presentation
from tlsalert.pki.variants import prepare
from tlsalert.replay.client import exchange
from tlsalert.replay.hello import from_profile
from tlsalert.replay.outcome import Refused
from tlsalert.replay.target import Target
from tlsalert.replay.trial import trial_of

VERSIONS = {"TLS 1.2": "-tls1_2", "TLS 1.3": "-tls1_3"}
#: Seconds that a process of s_client gets.
PATIENCE = 10.0


@dataclass(frozen=True)
class Timed:
    """One row: how many handshakes in how many seconds, and how many alerts of the server were told."""

    name: str
    handshakes: int
    seconds: float
    alerts: int

    @property
    def rate(self) -> float:
        """Handshakes per second."""
        return self.handshakes / self.seconds


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Time replays beside one s_client process per variant.")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, which take turns (default: %(default)s)")
    parser.add_argument("--variant", nargs="*", help="only these variants")
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    program = shutil.which("openssl")
    material, device = world()
    shown = variants(material, asked.variant)  # makes the keys, which the process keeps
    with serve(device) as running, tempfile.TemporaryDirectory() as folder:
        files = {} if program is None else written(Path(folder), shown)
        if program is not None:
            files = {name: words for name, words in files.items() if loads(program, running, words)}
        common = [name for name in shown if name in files]
        rows: list[list[Timed]] = []
        for _ in range(asked.repeat):
            turn = [replayed("tlsalert, all variants", running, material, [*shown])]
            if program is not None:
                turn.append(replayed("tlsalert, those that s_client can show", running, material, common))
                turn.append(by_processes(program, running, [files[name] for name in common]))
            rows.append(turn)
    print_table([min(runs, key=lambda one: one.seconds) for runs in zip(*rows, strict=True)])
    left_out = [name for name in shown if name not in files]
    if program is None:
        print("\n- openssl is not installed.")
    elif left_out:
        print(f"\n- s_client cannot show {len(left_out)} of {len(shown)} variants: {', '.join(left_out)}.")


def world() -> tuple[Material, LabDevice]:
    """Return what the client has, and a device that trusts its CA."""
    now = datetime.now(UTC).replace(microsecond=0)
    window = now - timedelta(days=3000), now + timedelta(days=3000)
    root = self_signed("CN=Example Root,O=Example Works", *window)
    middle = issued("CN=Example Intermediate,O=Example Works", root, *window, authority=True)
    client = issued("CN=client,O=Example Works", middle, *window, usage=("client",))
    encoded = der(root)
    material = Material(now, der(client), (der(middle), encoded), client.key, Authority(encoded, root.key), encoded)
    server = issued("CN=localhost", root, *window, names=("localhost",))
    return material, LabDevice(server, trusted=(root.certificate,), versions=("TLS 1.2", "TLS 1.3"))


def der(one: Identity) -> bytes:
    """Return a certificate's bytes."""
    return one.certificate.public_bytes(Encoding.DER)


def variants(material: Material, names: Sequence[str] | None) -> dict[str, Presentation]:
    """Return the variants that can be made."""
    made = {one.name: shown for one, shown in prepare(material, names)}
    return {name: shown for name, shown in made.items() if isinstance(shown, Presentation)}


def replayed(name: str, running: RunningDevice, material: Material, names: Sequence[str]) -> Timed:
    """Make the variants and try them all, as ``tlsalert replay`` does."""
    target, hello = Target(*running.address), from_profile("openssl-3.0")
    started = time.perf_counter()
    outcomes = [
        trial_of(variant, version, exchange(target, hello, shown, version)).outcome
        for variant, shown in variants(material, names).items()
        for version in VERSIONS
    ]
    seconds = time.perf_counter() - started
    alerts = sum(isinstance(one, Refused) and one.alert is not None for one in outcomes)
    return Timed(name, len(outcomes), seconds, alerts)


def written(folder: Path, shown: dict[str, Presentation]) -> dict[str, list[str]]:
    """Write what s_client can be given: the words for its command line, by variant.

    It always sends a Certificate message and a right proof, or neither.
    """
    words: dict[str, list[str]] = {}
    for name, one in shown.items():
        if not one.message or one.raw is not None or one.proof != "right" or one.finished != "right":
            continue
        if not one.certificates:
            words[name] = []
            continue
        if one.key is None:
            continue
        leaf, chain, key = (folder / f"{name}.{end}" for end in ("crt", "chain", "key"))
        leaf.write_text(armoured(one.certificates[:1]))
        chain.write_text(armoured(one.certificates[1:]))
        key.write_bytes(one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        words[name] = ["-cert", str(leaf), "-key", str(key)]
        if one.certificates[1:]:
            words[name] += ["-cert_chain", str(chain)]
    return words


def armoured(certificates: Sequence[bytes]) -> str:
    """Return certificates as PEM, whatever they hold."""
    return "".join(
        f"-----BEGIN CERTIFICATE-----\n{encodebytes(one).decode()}-----END CERTIFICATE-----\n" for one in certificates
    )


def s_client(program: str, running: RunningDevice, words: Sequence[str], version: str) -> str:
    """Run one process; return what it printed."""
    at = "{}:{}".format(*running.address)
    command = [program, "s_client", "-connect", at, VERSIONS[version], "-cipher", "DEFAULT:@SECLEVEL=0", *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def loads(program: str, running: RunningDevice, words: Sequence[str]) -> bool:
    """Whether s_client takes the files and connects with them."""
    return "CONNECTED" in s_client(program, running, words, "TLS 1.2")


def by_processes(program: str, running: RunningDevice, commands: Sequence[Sequence[str]]) -> Timed:
    """Run one process for each variant and version."""
    started = time.perf_counter()
    told = [s_client(program, running, words, version) for words in commands for version in VERSIONS]
    seconds = time.perf_counter() - started
    return Timed("openssl s_client, a process each", len(told), seconds, sum("SSL alert number" in one for one in told))


def print_table(rows: Sequence[Timed]) -> None:
    """Print the rows as Markdown; the last column refers to s_client's row, where there is one."""
    print("| | handshakes | seconds | handshakes/s | alerts told | rate / s_client's |")
    print("|---|---:|---:|---:|---:|---:|")
    base = rows[-1].rate if len(rows) > 1 else None
    for row in rows:
        ratio = "" if base is None else f"{row.rate / base:.2f}"
        print(f"| {row.name} | {row.handshakes} | {row.seconds:.2f} | {row.rate:.1f} | {row.alerts} | {ratio} |")


if __name__ == "__main__":
    main()
