"""IPMI's SEL time as a clock: against OpenIPMI's simulator, and against what is no BMC."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clockways.servers import BRIEF, HASTY, closed_port, datagrams
from tlsalert.clockways.ipmi import MISSING, by_ipmi
from tlsalert.clockways.manners import Login

pyipmi = pytest.importorskip("pyipmi", reason="python-ipmi is not installed")
interfaces = pytest.importorskip("pyipmi.interfaces")

USER, ADMIN = Login("viewer", "look"), Login("boss", "set")
IN_2015 = datetime(2015, 3, 12, 5, 41, 50, tzinfo=UTC)

LAN = """name "lab"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "viewer" "look" user 10 none md2 md5 straight
  user 3 true "boss" "set" admin 10 none md2 md5 straight
"""
BMC = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A BMC's port; its clock counts from its start until it is set."""
    program = shutil.which("ipmi_sim")
    if program is None:
        pytest.skip("ipmi_sim is not installed (Debian: openipmi)")
    folder = tmp_path_factory.mktemp("bmc")
    port = closed_port(socket.SOCK_DGRAM)
    (folder / "lan.conf").write_text(LAN.format(port=port))
    (folder / "bmc.emu").write_text(BMC)
    (folder / "state").mkdir()
    line = [program, "-c", "lan.conf", "-f", "bmc.emu", "-s", "state", "-n"]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(line, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait(port, folder / "log")
        yield port
    finally:
        running.terminate()
        running.wait(10)


def _wait(port: int, log: Path) -> None:
    """Wait until it answers an RMCP ping (ASF 2.0 §3.2.4.2)."""
    ping = bytes.fromhex("0600ff06 000011be 80000000")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(0.2)
        peer.connect(("127.0.0.1", port))
        for _ in range(100):
            with contextlib.suppress(OSError):
                peer.send(ping)
                if peer.recv(4096):
                    return
            time.sleep(0.1)
    pytest.fail(f"ipmi_sim does not answer: {log.read_text()}")


def set_clock(port: int, moment: datetime) -> None:
    interface = interfaces.create_interface("rmcpplus", keep_alive_interval=0)
    bmc = pyipmi.create_connection(interface)
    bmc.session.set_session_type_rmcp("127.0.0.1", port)
    bmc.session.set_auth_type_user(ADMIN.user, ADMIN.password)
    bmc.target = pyipmi.Target(0x20)
    bmc.open()
    try:
        bmc.send_message_by_name("SetSelTime", timestamp=int(moment.timestamp()))
    finally:
        bmc.close()


def test_a_bmc_whose_clock_was_set_wrong_shows_it_to_a_user(simulator: int) -> None:
    set_clock(simulator, IN_2015)
    skew = (IN_2015 - datetime.now(UTC)).total_seconds()
    told = by_ipmi("127.0.0.1", simulator, USER, HASTY)
    assert told.bounds is not None, told.says
    assert told.bounds[0] - 1.5 <= skew <= told.bounds[1] + 1.5
    assert told.error_seconds is not None
    assert 0 < told.error_seconds < 1
    assert told.says == "4 answers agree; it may be the BMC's local time: it tells no offset from UTC"


def test_one_that_counts_from_its_start_is_told_so(simulator: int) -> None:
    set_clock(simulator, datetime(1970, 1, 2, tzinfo=UTC))
    told = by_ipmi("127.0.0.1", simulator, USER, HASTY)
    assert told.time is None
    assert told.says.startswith("no time of day: it counts 24 hours from the BMC's start")


def test_a_wrong_password_is_told_and_not_shown(simulator: int) -> None:
    told = by_ipmi("127.0.0.1", simulator, Login("viewer", "guess"), HASTY)
    assert told.time is None
    assert told.reached
    assert "AuthenticationError" in told.says
    assert "guess" not in told.says


def test_an_account_that_there_is_not_is_told(simulator: int) -> None:
    told = by_ipmi("127.0.0.1", simulator, Login("nobody", "guess"), HASTY)
    assert told.time is None
    assert told.reached


def test_nothing_is_sent_without_an_account() -> None:
    told = by_ipmi("127.0.0.1", 1, None, BRIEF)
    assert not told.asked
    assert "--user" in told.says


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyipmi", None)
    told = by_ipmi("127.0.0.1", 1, USER, BRIEF)
    assert told.says == MISSING
    assert not told.asked


def test_nothing_listens() -> None:
    told = by_ipmi("127.0.0.1", closed_port(socket.SOCK_DGRAM), USER, BRIEF)
    assert not told.reached
    assert told.time is None


def test_a_host_that_is_silent_is_left_in_time() -> None:
    with datagrams(lambda _: []) as place:
        told = by_ipmi(*place, USER, BRIEF)
    assert not told.reached
    assert "no answer in time" in told.says


PONG = bytes.fromhex("0600ff06 000011be 40000010 000011be 00000000 81000000 00000000")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=4), st.booleans())
def test_any_datagrams_are_told(answers: list[bytes], first_a_pong: bool) -> None:
    left = [PONG] if first_a_pong else []

    def answer(_: bytes) -> list[bytes]:
        return [left.pop()] if left else answers

    with datagrams(answer) as place:
        told = by_ipmi(*place, USER, BRIEF)
    assert told.time is None
    assert told.says


def test_a_flood_ends() -> None:
    left = [PONG]
    with datagrams(lambda _: [left.pop()] if left else [bytes.fromhex("0600ff07") + bytes(60)] * 400) as place:
        assert by_ipmi(*place, USER, BRIEF).time is None
