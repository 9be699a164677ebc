"""What people see of a log: lines for frames, no capture where there was none, and what the log's files tell."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_der_x509_certificate

from tests import talks
from tests.pki.certificates import KEY
from tests.sources.straces import Script, string
from tests.wire import tls
from tlsalert.capture import read
from tlsalert.render.text import TextWriter

Golden = Callable[[str, str], None]


def founding(stamp: str, limit: int = 65_536) -> Script:
    """Return how a launcher writes a certificate and its key and connects, and how the device refuses it twice."""
    certificate = load_der_x509_certificate(talks.CERTIFICATE).public_bytes(Encoding.PEM)
    key = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    script = Script(stamp, limit=limit, pid="59    ", second=2)
    script.call('execve("/usr/bin/kvm", ["kvm", "10.0.0.7", "5900"], 0x7ffd /* 11 vars */) = 0')
    for name, data in (("client.crt", certificate), ("client.key", key)):
        script.call(f'openat(AT_FDCWD, "/tmp/1623919863200/{name}", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0600) = 3')
        script.call(f"write(3, {string(data, limit)}, {len(data)}) = {len(data)}").call("close(3) = 0")
    for port in (40112, 40114):
        script.connect(near=("10.0.0.5", port))
        clock = talks.IN_2015 + script.second
        for side, data in (talks.hello(port), talks.flight(port, clock), talks.answer(talks.CERTIFICATE)):
            (script.write if side == "client" else script.read)(data)
        script.read(tls.alert(2, 42)).call('read(4, "", 8192) = 0').call("close(4) = 0")
    return script.call("+++ exited with 1 +++")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(script: Script) -> str:
    file = Path("trace.log")
    file.write_bytes(script.bytes())
    out = io.StringIO()
    writer = TextWriter(out, 100)
    capture = read(file)
    for connection in capture:
        writer.write(connection)
    writer.finish(capture.summary)
    return out.getvalue()


def test_a_trace_is_told_by_its_lines(golden: Golden) -> None:
    golden("strace.txt", shown(founding("-tt")))


def test_a_trace_without_times_and_with_short_strings(golden: Golden) -> None:
    text = shown(founding("", 64))
    golden("strace-short.txt", re.sub(r"\d+ bytes", "N bytes", text))  # signatures differ in length


def test_nothing_speaks_of_packets() -> None:
    for stamp, limit in (("-tt", 65_536), ("", 64)):
        text = shown(founding(stamp, limit))
        assert "frame" not in text
        assert "capture" not in text
        assert "PRIVATE KEY" not in text
