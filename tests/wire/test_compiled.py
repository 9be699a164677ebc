"""The compiled wire and the interpreted one say the same: of the project's captures, and of broken ones.

The interpreted one is a copy of the package without its compiled files, read by another process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

import tlsalert
import tlsalert.wire.tcp
from tests.evidence import CAPTURES as FOLDER
from tests.evidence import CORPUS, captures_under, needs_corpus
from tests.talks import Talk, write
from tests.wire import dialogues, tls
from tests.wire.mutation import mutated
from tests.wire.packets import enhanced, ethernet, interface, ipv4, pcap, section, segment
from tests.wire.wrapped import every

CAPTURES = list(captures_under(FOLDER))
PACKAGE = Path(tlsalert.__file__).parent
COMPILED = not tlsalert.wire.tcp.__file__.endswith(".py")

#: Prints where wire comes from, then all that the captures say.
SCRIPT = """
import sys
import tlsalert.wire.tcp
from pathlib import Path
from tlsalert.capture import Reader
from tlsalert.errors import TlsalertError
from tlsalert.secrets.opening import open_with
from tlsalert.render.fields import message_fields
from tlsalert.render.json import jsonl
from tlsalert.render.values import extension_row

print(tlsalert.wire.tcp.__file__, flush=True)
for path in sys.argv[1:]:
    try:
        keys = Path(path).with_suffix(".keys")
        reader = Reader(path, secrets=open_with([keys]) if keys.exists() else None)
        for connection in reader:
            sys.stdout.buffer.write(jsonl(connection))
            for message in connection.messages:
                print(message_fields(message, connection))
            for code, hello in ((1, connection.client_hello), (2, connection.server_hello)):
                print([extension_row(one, code) for one in hello.extensions] if hello else None)
            sys.stdout.flush()
        print(path, reader.summary, flush=True)
    except TlsalertError as error:
        print(path, error, flush=True)
"""


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    if not COMPILED:
        says = "the wire that is installed is not compiled"
        if os.environ.get("TLSALERT_REQUIRE_COMPILED") == "1":
            pytest.fail(f"{says}, and TLSALERT_REQUIRE_COMPILED=1 asks for it")
        pytest.skip(says)


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a copy of the package that has nothing compiled in it."""
    folder = tmp_path_factory.mktemp("pure")
    shutil.copytree(PACKAGE, folder / "tlsalert", ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    return folder


def said_by(root: Path, paths: list[Path]) -> tuple[str, str]:
    """Return which file wire's TCP came from, and what is said of the captures, with the package found in ``root``."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", "-c", SCRIPT, *map(str, paths)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    origin, _, rest = done.stdout.partition("\n")
    return origin, rest


def assert_same(pure: Path, paths: list[Path]) -> None:
    compiled_from, compiled = said_by(PACKAGE.parent, paths)
    pure_from, interpreted = said_by(pure, paths)
    assert not compiled_from.endswith(".py")
    assert pure_from == str(pure / "tlsalert" / "wire" / "tcp.py")
    assert interpreted.count("\n") >= len(paths)
    assert compiled == interpreted


def test_the_projects_captures_read_the_same(pure: Path) -> None:
    assert_same(pure, CAPTURES)


@pytest.mark.long
@needs_corpus
def test_captures_that_others_made_read_the_same(pure: Path) -> None:
    files = [path for path in captures_under(CORPUS) if path.stat().st_size < 500_000]
    assert_same(pure, Random(11).sample(files, 150))


def test_broken_captures_read_the_same(pure: Path, tmp_path: Path) -> None:
    random = Random(7)
    paths = []
    for number in range(150):
        path = tmp_path / f"{number:03}.pcap"
        path.write_bytes(mutated(CAPTURES[number % len(CAPTURES)].read_bytes(), random))
        paths.append(path)
    assert_same(pure, paths)


def test_broken_captures_and_key_logs_read_the_same(pure: Path, tmp_path: Path) -> None:
    random = Random(9)
    paths = []
    keyed = sorted(FOLDER.glob("*.keys"))
    for number in range(120):
        keys, path = keyed[number % len(keyed)], tmp_path / f"{number:03}.pcap"
        capture, log = keys.with_suffix(".pcap").read_bytes(), keys.read_bytes()
        path.write_bytes(mutated(capture, random) if number % 3 else capture)
        path.with_suffix(".keys").write_bytes(log if number % 3 == 1 else mutated(log, random))
        paths.append(path)
    assert_same(pure, paths)


def test_wrapped_and_broken_packets_read_the_same(pure: Path, tmp_path: Path) -> None:
    """Of every link type and tunnel: whole, cut and changed."""
    random = Random(8)
    paths = []
    for number, (link, packet) in enumerate(every()):
        changed = [bytearray(packet) for _ in range(10)]
        for one in changed:
            one[random.randrange(min(len(one), 90))] = random.randrange(256)
        cut = [packet[: random.randrange(len(packet))] for _ in range(4)]
        path = tmp_path / f"{number:03}.pcap"
        path.write_bytes(pcap([packet, *map(bytes, changed), *cut], link))
        paths.append(path)
    assert_same(pure, paths)


def test_what_comes_before_tls_reads_the_same(pure: Path, tmp_path: Path) -> None:
    """Every way to TLS and every refusal: whole, and broken."""
    random = Random(9)
    talks = [*dialogues.every().values(), *(dialogue.declined for dialogue in dialogues.DIALOGUES.values())]
    paths = []
    for number, turns in enumerate(talks):
        paths.append(write(tmp_path / f"{number:03}.pcap", Talk(tuple(turns))))
        for copy in range(6):
            path = tmp_path / f"{number:03}-{copy}.pcap"
            path.write_bytes(mutated(paths[-1 - copy].read_bytes(), random))
            paths.append(path)
    assert_same(pure, paths)


def test_numbers_that_leave_64_bits_read_the_same(pure: Path, tmp_path: Path) -> None:
    """Machine integers wrap where Python's grow: times that no capture can mean must not tell the two apart."""
    packet = ethernet(ipv4(segment(tls.said(tls.message(tls.CLIENT_HELLO, tls.client_hello())))))
    path = tmp_path / "times.pcapng"
    blocks = [section()]
    for resolution in (0, 6, 9, 12, 19, 127, 0x80, 0xA0, 0xBE, 0xFF):
        for offset in (b"\0" * 8, b"\xff" * 8, b"\0" * 7 + b"\x80", b"\xff" * 7 + b"\x7f"):
            blocks.append(section() + interface(options=[(9, bytes([resolution])), (14, offset)]))
            blocks += [enhanced(packet, ticks) for ticks in (0, 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)]
    path.write_bytes(b"".join(blocks))
    assert_same(pure, [path])
