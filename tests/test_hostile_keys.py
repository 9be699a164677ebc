"""Key logs come from strangers, too: none breaks the reading or fills the memory, and no secret comes out anywhere.

What is said is made in every form, as in tests/fuzz.py, and searched for the secrets that were in the key log.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evidence import CAPTURES
from tests.secrets import captured
from tests.wire.mutation import mutated
from tlsalert.capture import Reader
from tlsalert.errors import TlsalertError
from tlsalert.model import Connection
from tlsalert.render import csv
from tlsalert.render.json import jsonl
from tlsalert.render.text import TextWriter
from tlsalert.secrets.keylog import KeyLog
from tlsalert.secrets.opening import open_with

NAME = "tls13-unknown-ca"
CAPTURE, KEYS = CAPTURES / f"{NAME}.pcap", (CAPTURES / f"{NAME}.keys").read_bytes()
LINES = [line for line in KEYS.splitlines() if line and not line.startswith(b"#")]
SECRETS = [line.split()[2] for line in LINES]
RANDOM = LINES[0].split()[1]
#: Bytes: what reading takes at most without keys, and how long the key log is; memory may grow by half of that again.
ROOM, LONG = 100 << 20, 50 << 20
FORMS = ("text", "json", "jsonl", "csv")


def shown(text: str) -> list[str]:
    """Return the secrets of which something is in a text: in hexadecimal, any case, or as bytes."""
    small = text.lower()
    halves = [half for secret in SECRETS for half in (secret[:32].decode(), secret[-32:].decode())]
    return [half for half in halves if half in small or repr(bytes.fromhex(half))[2:-1] in text]


def said(path: Path, keylog: Path) -> tuple[list[Connection], str]:
    """Read a capture with a key log; return what is read, and all that is said of it in every form."""
    opening = open_with([keylog])
    reader = Reader(path, secrets=opening)
    out = io.StringIO()
    writer = TextWriter(out, 100, full=True)
    connections = []
    for connection in reader:
        connections.append(connection)
        out.write(jsonl(connection).decode() + csv.line(connection).decode() + repr(connection))
        writer.write(connection)
    writer.finish(reader.summary)
    return connections, out.getvalue() + repr((reader.summary, opening.keyring, opening.keyring.keylog.problems))


# --- what lies in the key log ---------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), both=st.booleans())
def test_no_change_breaks_the_reading_or_shows_a_secret(seed: int, both: bool) -> None:
    """The key log is changed anywhere, and the capture with it or not."""
    random = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        keys, capture = Path(folder, "keys"), Path(folder, "capture")
        keys.write_bytes(mutated(KEYS, random))
        capture.write_bytes(mutated(CAPTURE.read_bytes(), random) if both else CAPTURE.read_bytes())
        try:
            connections, text = said(capture, keys)
        except TlsalertError as error:
            assert both
            connections, text = [], f"{error} {error!r}"
        assert shown(text) == []
        if not both:
            (connection,) = connections
            assert {alert.code for alert in connection.alerts if alert.sender == "server"} <= {48, None}


def lines() -> st.SearchStrategy[bytes]:
    """Lines that are nearly right: one field of three is of another kind or length."""
    odd = st.one_of(
        st.binary(max_size=80),
        st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.integers(0, 200).map(lambda size: b"0" * size),
        st.sampled_from([b"", b"\xff\xfe", b"Session-ID:", b"Master-Key:", b"-" * 64, b"\x1b[2J", b"A" * 20_000]),
    )
    labels = [line.split()[0] for line in LINES] + [b"CLIENT_RANDOM", b"RSA", b"PMS_CLIENT_RANDOM", b"ECH_CONFIG"]
    fields = st.tuples(st.sampled_from(labels) | odd, st.just(RANDOM) | odd, st.sampled_from(SECRETS) | odd)
    return fields.map(b" ".join)


@settings(max_examples=150, deadline=None)
@given(before=st.lists(lines(), max_size=12), end=st.sampled_from([b"\n", b"\r\n", b"\r", b"\0", b""]))
def test_lines_that_are_nearly_right_are_told_and_show_nothing(before: list[bytes], end: bytes) -> None:
    keylog = KeyLog()
    keylog.add(end.join(before) + b"\n" + KEYS, "some.keys")
    told = repr(keylog.problems) + repr(keylog)
    assert shown(told) == []
    assert all(problem.isprintable() for problem in keylog.problems)
    present = {bytes(secret).hex().encode() for _, _, secret in keylog.entries()}
    assert present >= set(SECRETS)  # one bad line costs the good ones nothing


@cache
def hostile() -> dict[str, bytes]:
    """Key logs that nobody would write by accident. The right lines stand in each: at the beginning, or at the end."""
    some = Random(4)
    other = b"".join(b"%s %s %s\n" % (line.split()[0], RANDOM, some.randbytes(48).hex().encode()) for line in LINES)
    thousands = b"".join(
        b"%s %s %s\n" % (line.split()[0], RANDOM, some.randbytes(len(secret) // 2).hex().encode())
        for _ in range(2000)
        for line, secret in zip(LINES, SECRETS, strict=True)
    )
    return {
        "thousands of secrets for one client random": KEYS + thousands,
        "a wrong secret first": other + KEYS,
        "a line without end": b"CLIENT_RANDOM " + b"0" * 300_000 + b"\n" + KEYS,
        "binary": some.randbytes(300_000) + b"\n" + KEYS,
        "not ASCII": "Schlüssel — ключи\u202e\u0007\n".encode() * 50 + KEYS,
        "UTF-16": KEYS.decode().encode("utf-16"),
        "wrong lengths": b"".join(line[:-2] + b"\n" + line + b"00\n" for line in LINES) + KEYS,
        "every line a thousand times": KEYS * 1000,
        "generations of traffic secrets": KEYS
        + b"".join(b"SERVER_TRAFFIC_SECRET_%d %s %s\n" % (n, RANDOM, SECRETS[0]) for n in range(1, 999)),
    }


@pytest.mark.parametrize("name", hostile())
def test_the_right_secrets_are_found_among_them(name: str, tmp_path: Path) -> None:
    keys = tmp_path / "hostile.keys"
    keys.write_bytes(hostile()[name])
    (connection,), text = said(CAPTURE, keys)
    (alert,) = [alert for alert in connection.alerts if alert.sender == "server"]
    assert (alert.code, alert.decrypted) == (48, True)
    assert shown(text) == []


@pytest.mark.parametrize("name", hostile())
@pytest.mark.parametrize("place", [0.0, 1.0], ids=["before the packets", "after them"])
def test_a_capture_may_bring_them_itself(name: str, place: float, tmp_path: Path) -> None:
    """What is odd about a block of secrets is told with the capture, as nobody gave a file that could be named."""
    path = captured.with_secrets(tmp_path / "own.pcapng", CAPTURE, hostile()[name], place)
    reader = Reader(path)
    (connection,) = reader
    assert [alert.code for alert in connection.alerts if alert.sender == "server"] == [48]
    opening = open_with([])
    opening.keyring.keylog.add(hostile()[name], "its decryption secrets")
    assert list(reader.summary.notes) == opening.keyring.keylog.problems
    assert shown(repr((connection, reader.summary))) == []


# --- the command line -----------------------------------------------------------------------------------------------


def run(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tlsalert", "read", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False)


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_the_output_shows_a_secret(form: str, tmp_path: Path) -> None:
    keys = tmp_path / "hostile.keys"
    keys.write_bytes(hostile()["wrong lengths"])
    done = run("--format", form, "--decrypt", "all", "--keylog", keys, CAPTURE)
    assert done.returncode == 0
    assert done.stdout
    assert re.fullmatch(rb"tlsalert: \S+: \d+ lines were left out, the first is line 1: [ \w]+\n", done.stderr)
    assert shown((done.stdout + done.stderr).decode()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--psk", SECRETS[0].decode() + "xy"), id="a PSK that is none"),
        pytest.param(("--rsa-key", "{keys}"), id="a key log for a key"),
        pytest.param(("--keylog", "{keys}", "--write-keylog", "{keys}"), id="a key log to be written over"),
        pytest.param(("--keylog", "{keys}", "--connection", "7"), id="a connection that is not there"),
    ],
)
def test_no_error_shows_a_secret(arguments: tuple[str, ...], tmp_path: Path) -> None:
    keys = tmp_path / "some.keys"
    keys.write_bytes(KEYS)
    done = run(*(word.format(keys=keys) for word in arguments), CAPTURE)
    assert done.returncode in (2, 3)
    assert done.stderr
    assert b"Traceback" not in done.stderr
    assert shown((done.stdout + done.stderr).decode()) == []


# --- 50 MB of it ----------------------------------------------------------------------------------------------------


def distinct(random: Random) -> Iterator[bytes]:
    """Go through lines that all have another client random: what a busy server logs in a day."""
    while True:
        yield b"CLIENT_RANDOM %s %s\n" % (random.randbytes(32).hex().encode(), random.randbytes(48).hex().encode())


def same(random: Random) -> Iterator[bytes]:
    """Go through lines that all have one client random, under all labels that there are."""
    number = 0
    while True:
        number += 1
        secret = random.randbytes(32).hex().encode()
        yield b"SERVER_TRAFFIC_SECRET_%d %s %s\n" % (number % 300, RANDOM, secret)


def rubbish(random: Random) -> Iterator[bytes]:
    while True:
        yield random.randbytes(1 << 16) + b"\n"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc, as Linux has it")
@pytest.mark.parametrize("content", [distinct, same, rubbish], ids=["distinct", "one client random", "rubbish"])
def test_a_key_log_of_50_mb_is_read_in_memory_like_its_own(
    content: Callable[[Random], Iterator[bytes]], tmp_path: Path
) -> None:
    keys, written = tmp_path / "long.keys", 0
    with keys.open("wb") as file:
        file.write(KEYS if content is same else b"")
        for line in content(Random(1)):
            written += file.write(line)
            if written > LONG:
                break
        file.write(b"\n" + KEYS)
    watched = (
        "import sys; from tlsalert.cli import main; sys.argv[0] = 'tlsalert'\n"
        "try: main()\n"
        "finally: print(open('/proc/self/status').read(), file=sys.stderr)\n"
    )
    words = [sys.executable, "-c", watched, "read", "--format", "jsonl", "--keylog", str(keys), str(CAPTURE)]
    done = subprocess.run(words, capture_output=True, check=False, text=True)
    assert [alert["code"] for alert in json.loads(done.stdout)["alerts"] if alert["from"] == "server"] == [48]
    assert shown(done.stdout + done.stderr) == []
    peak = re.search(r"^VmHWM:\s+(\d+) kB$", done.stderr, re.MULTILINE)  # ru_maxrss would count this process's as well
    assert peak is not None
    assert int(peak[1]) << 10 < ROOM + 3 * LONG // 2
