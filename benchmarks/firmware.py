"""Makes a firmware image and runs tlsalert and binwalk on it, side by side; prints a Markdown table.

The image is random bytes, erased flash (0xff), and file systems and archives that hold this Python's own library and
a few certificates: as many of SquashFS, CramFS, ext4, JFFS2 and UBI as there are tools for, a tar archive in gzip and
a zip archive always. Both programs look everywhere for everything; tlsalert also reads all files in it.

Measured is the whole process: wall-clock time (the best of several runs, taken in turns) and peak memory, with the
image in the page cache and the output thrown away.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

MIB = 1 << 20
#: Files of so many bytes go into each file system; the random bytes are the same each time.
SHARE = 12 * MIB
SEED = 1


@dataclass(frozen=True)
class Run:
    """One run: seconds and peak memory in MiB."""

    seconds: float
    peak: int


def main() -> int:
    """Make the image and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=64, metavar="MIB", help="of the image (default: 64)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each program (default: 3)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="leave the image here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        image = arguments.keep or Path(folder) / "firmware.bin"
        held = make(image, Path(folder), arguments.size * MIB)
        print(f"{arguments.size} MiB with {', '.join(held)}\n")
        print(measure(image, arguments.repeat), flush=True)
    return 0


def make(image: Path, folder: Path, size: int) -> list[str]:
    """Write the image; return the names of what it holds."""
    tree = _tree(folder / "tree", min(SHARE, size // 8))
    random, held = Random(SEED), []  # noqa: S311
    with image.open("wb") as out:
        for name, part in _parts(tree, folder):
            if out.tell() + len(part) > size * 7 // 8:
                continue
            held.append(name)
            out.write(part)
            out.write(b"\xff" * (-out.tell() % MIB))
            out.write(random.randbytes(size // 64))
        left = size - out.tell()
        out.write(random.randbytes(left // 2))
        out.write(b"\xff" * (left - left // 2))
    return held


def _tree(tree: Path, size: int) -> Path:
    """Copy files of the standard library, up to ``size`` bytes of them."""
    library = Path(sysconfig.get_path("stdlib"))
    for path in (
        sorted(library.glob("*.py")) + sorted(library.glob("lib-dynload/*.so")) + sorted(library.glob("*/*.py"))
    ):
        if size < 0:
            break
        target = tree / "lib" / path.relative_to(library)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        size -= path.stat().st_size
    return tree


def _parts(tree: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the parts of the image with their names."""
    made = folder / "part"
    tools: tuple[tuple[str, list[str | Path]], ...] = (
        ("SquashFS (gzip)", ["mksquashfs", tree, made, "-comp", "gzip", "-noappend", "-quiet", "-no-progress"]),
        ("SquashFS (xz)", ["mksquashfs", tree, made, "-comp", "xz", "-noappend", "-quiet", "-no-progress"]),
        ("CramFS", ["mkfs.cramfs", tree, made]),
        ("JFFS2", ["mkfs.jffs2", "-r", tree, "-o", made, "-e", "64"]),
        ("ext4", ["mkfs.ext4", "-q", "-d", tree, made, f"{3 * SHARE // 2 >> 10}k"]),
    )
    for name, command in tools:
        made.unlink(missing_ok=True)
        program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if program is None:
            continue
        done = subprocess.run([program, *command[1:]], capture_output=True, check=False)
        if done.returncode == 0 and made.is_file():
            yield name, made.read_bytes()
    with tarfile.open(made, "w:gz") as archive:
        archive.add(tree, "tree")
    yield "tar.gz", made.read_bytes()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(tree.rglob("*.py")):
            packed.write(path, str(path.relative_to(tree)))
    yield "zip", made.read_bytes()


def measure(image: Path, repeat: int) -> str:
    """Run both programs in turns and return the table."""
    programs: dict[str, tuple[list[str | None], list[Path]]] = {
        "binwalk": ([shutil.which("binwalk")], [image]),
        "tlsalert certs": ([sys.executable, "-m", "tlsalert", "certs", "--format", "jsonl"], [image]),
    }
    best: dict[str, Run] = {}
    for _ in range(repeat):
        for name, (command, files) in programs.items():
            if command[0] is None:
                continue
            run = _run([*map(str, command), *map(str, files)])
            best[name] = min(best.get(name, run), run, key=lambda one: one.seconds)
    floor = best.get("binwalk")
    rows = ["| program | seconds | of binwalk's | memory, MiB |", "|---|---|---|---|"]
    for name, run in best.items():
        share = f"{run.seconds / floor.seconds:.2f}" if floor else "not installed"
        rows.append(f"| {name} | {run.seconds:.2f} | {share} | {run.peak} |")
    return "\n".join(rows)


def _run(command: list[str]) -> Run:
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0  # it was waited for
    return Run(time.perf_counter() - began, usage.ru_maxrss >> 10)


if __name__ == "__main__":
    sys.exit(main())
