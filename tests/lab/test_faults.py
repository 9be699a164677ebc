"""Each fault does to a client what it says, at the stage at which it says so."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.talking import Answer, ask, context, people, soon
from tlsalert.capture import read
from tlsalert.errors import UsageError
from tlsalert.lab.faults import FAULTS, STAGES, Fault, FaultName, Stage
from tlsalert.lab.server import LabDevice, Limits, serve

#: Python's wrap_socket() leaves a socket open that was reset before it began.
leaks = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
PLAYED = [name for name in FAULTS if name != "drip"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("reset", Fault("reset", "connect")),
        ("reset@hello", Fault("reset", "hello")),
        ("close", Fault("close", "hello")),
        ("alert", Fault("alert", "hello", 40)),
        ("alert:48@certificate", Fault("alert", "certificate", 48)),
        ("alert:bad_certificate", Fault("alert", "hello", 42)),
        ("drip:0.2", Fault("drip", seconds=0.2)),
    ],
)
def test_a_fault_is_written_as_a_word(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault


@given(st.sampled_from(sorted(FAULTS)), st.sampled_from(STAGES), st.integers(0, 255))
def test_what_a_fault_prints_is_read_back(name: FaultName, stage: Stage, code: int) -> None:
    fault = Fault(name, "hello" if name == "drip" else stage, code if name == "alert" else 40)
    assert Fault.parse(str(fault)) == fault


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("explode", "explode: there is no such fault; take one of reset, close,"),
        ("reset@noon", "there is no such stage; take one of connect, hello, certificate"),
        ("reset:3", "reset takes no value"),
        ("alert:256", "there is no such alert"),
        ("alert:²", "there is no such alert"),
        ("alert:unlucky", "there is no such alert"),
        ("drip:nan", "that is no pause"),
        ("drip:-1", "that is no pause"),
        ("drip:soon", "that is no pause"),
    ],
)
def test_what_is_no_fault_is_a_usage_error(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        Fault.parse(text)
    assert says in str(caught.value)


def device(fault: str) -> LabDevice:
    """Return a device with a fault, TLS 1.2."""
    plain = LabDevice(people()["device"], trusted=(people()["root"].certificate,))
    return replace(plain, fault=Fault.parse(fault))


#: What Python's client makes of each fault in place of the answer to its ClientHello.
FELT = {
    "reset@connect": Answer(error="ConnectionResetError"),
    "reset@hello": Answer(error="ConnectionResetError"),
    "close@connect": Answer(error="UNEXPECTED_EOF_WHILE_READING"),
    "close@hello": Answer(error="UNEXPECTED_EOF_WHILE_READING"),
    "close@certificate": Answer(error="UNEXPECTED_EOF_WHILE_READING"),
    "alert:40@hello": Answer(alert=40),
    "alert:44@certificate": Answer(alert=44),
    "plain@hello": Answer(error="WRONG_VERSION_NUMBER"),
    "silence@connect": Answer(error="TimeoutError"),
    "silence@hello": Answer(error="TimeoutError"),
    "silence@certificate": Answer(error="TimeoutError"),
}


@leaks
@pytest.mark.parametrize("fault", FELT)
def test_what_a_client_feels(fault: str) -> None:
    patience = 0.3 if fault.startswith("silence") else 10.0
    with serve(device(fault)) as running:
        felt = ask(running.address, "right", patience=patience)
        assert soon(lambda: running.served)
    if fault.endswith("@connect") and "silence" not in fault:  # how far the client has come by then is a matter of luck
        assert felt.error is not None
    else:
        assert felt == FELT[fault]
    assert running.counts == {"fault": 1}
    assert running.served[0].says.startswith(f"played {fault}")


@leaks
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", PLAYED)
def test_every_fault_can_be_played_at_every_stage_and_is_recorded(name: str, stage: str, tmp_path: Path) -> None:
    with serve(device(f"{name}@{stage}"), record=tmp_path, limits=Limits(idle=0.2, linger=0.2)) as running:
        assert ask(running.address, "right").data == b""
        assert soon(lambda: running.counts == {"fault": 1})
    found = list(read(tmp_path / "lab.pcap"))
    if stage == "certificate":
        (connection,) = found
        assert {"client_hello", "server_hello"} <= {message.message for message in connection.messages}


def test_a_wrong_alert_is_read_from_the_recording(tmp_path: Path) -> None:
    with serve(device("alert:access_denied@certificate"), record=tmp_path) as running:
        assert ask(running.address, "right").alert == 49
    (connection,) = read(tmp_path / "lab.pcap")
    assert [(alert.code, alert.sender) for alert in connection.alerts] == [(49, "server")]
    assert connection.verdict is not None
    assert connection.verdict.refused_by == "server"


def test_garbage_is_the_same_at_each_run_and_differs_between_connections() -> None:
    fault = Fault("garbage")
    assert fault.answer(0x0303, 1) == fault.answer(0x0303, 1)
    assert fault.answer(0x0303, 1) != fault.answer(0x0303, 2)


def test_a_huge_record_claims_more_than_tls_allows() -> None:
    with serve(device("huge-record")) as running, socket.create_connection(running.address, 5) as plain:
        plain.sendall(client_hello())
        data = b""
        while piece := plain.recv(65536):
            data += piece
    assert (data[:5], len(data)) == (b"\x16\x03\x03\xff\xff", 5 + 65535)


def test_dripping_is_slow_and_right() -> None:
    with serve(replace(device("drip:0.0001"), asks="no")) as running:
        assert ask(running.address, version="TLS 1.2") == Answer(b"hello")
        assert soon(lambda: running.counts == {"accepted": 1})
    with serve(device("drip:60")) as running, socket.create_connection(running.address, 5) as plain:
        plain.sendall(client_hello())
        assert len(plain.recv(100)) == 1
        before = time.monotonic()
        running.stop()
        assert time.monotonic() - before < 30  # stopping does not wait for the next byte


def client_hello() -> bytes:
    """Return the first flight of a client."""
    outgoing = ssl.MemoryBIO()
    tls = context(None, "TLS 1.2").wrap_bio(ssl.MemoryBIO(), outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()
