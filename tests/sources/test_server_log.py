"""Logs of servers as a whole: mixed, interleaved, cut, damaged, very long; and what is said of them."""

from __future__ import annotations

import gc
import os
import random
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.test_apache_log import INFO
from tests.sources.test_openvpn_log import CLIENT, SERVER
from tests.sources.test_stunnel_log import CLIENT_4, SERVER_5
from tests.sources.told import told, verdicts
from tlsalert.capture import read
from tlsalert.errors import CaptureError
from tlsalert.sources.log import KINDS, LAST, kind_of
from tlsalert.sources.server_log import ServerLog

PARTS = (SERVER_5, CLIENT_4, INFO, SERVER, CLIENT)
SYSLOG = "Jun 17 08:50:31 gate {}[{}]: {}"


def stunnel(thread: int, words: str) -> list[str]:
    """Return a server's refusal at debug level 7, in a thread of its own."""
    lines = SERVER_5.strip().split("\n")[1:]
    return [line.replace("[0]", f"[{thread}]").replace("certificate is not yet valid", words) for line in lines]


CAUSES = {
    "certificate is not yet valid": "certificate_not_yet_valid",
    "certificate has expired": "certificate_expired",
    "self-signed certificate": "unknown_ca",
    "certificate revoked": "certificate_revoked",
}


@given(
    words=st.lists(st.sampled_from(sorted(CAUSES)), min_size=1, max_size=6),
    seed=st.integers(0, 2**32),
)
def test_however_connections_are_woven_each_is_told_as_if_it_were_alone(words: list[str], seed: int) -> None:
    talks = [stunnel(thread, word) for thread, word in enumerate(words)]
    order = [thread for thread, lines in enumerate(talks) for _ in lines]
    random.Random(seed).shuffle(order)
    left = [iter(lines) for lines in talks]
    woven = [next(left[thread]) for thread in order]
    expected = Counter(verdicts(talks[thread])[0] for thread in range(len(talks)))
    found = told(woven)
    assert (
        Counter(
            (one.verdict.outcome, one.verdict.refused_by, one.verdict.cause, one.verdict.at_fault)
            for one in found
            if one.verdict is not None
        )
        == expected
    )
    assert {cause for _, _, cause, _ in expected} == {CAUSES[word] for word in words}
    assert [one.connection for one in found] == list(range(len(words)))
    firsts = [min(m.position.frame or 0 for m in one.messages) for one in found]
    assert len(set(firsts)) == len(firsts)


@settings(max_examples=150)
@given(
    part=st.sampled_from(PARTS),
    seed=st.integers(0, 2**32),
    many=st.integers(1, 30),
)
def test_no_damage_makes_it_stumble(part: str, seed: int, many: int) -> None:
    chance = random.Random(seed)
    data = bytearray(part.encode())
    for _ in range(many):
        place = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randrange(40)]
            case 2:
                data[place:place] = data[: chance.randrange(80)]
            case _:
                data[place:place] = chance.choice((b"\n", b"[", b"]: ", b":999999999999 ", b"error:", b"depth=9999999"))
        if not data:
            break
    log = ServerLog("no such file.log")
    for number, line in enumerate(bytes(data).split(b"\n"), 1):
        log.line(line, number)
    log.finish()
    from tlsalert.diagnosis.account import judge_account

    for one in log.take():
        assert judge_account(one).verdict is not None


@given(st.lists(st.binary(max_size=120), max_size=20))
def test_any_lines_are_a_log(lines: list[bytes]) -> None:
    log = ServerLog("-")
    for number, line in enumerate(lines, 1):
        log.line(line, number)
    log.finish()
    told = log.take()
    assert sorted(one.connection for one in told) == list(range(len(told)))
    assert all(isinstance(note, str) for note in log.notes())


def test_syslog_holds_many_programs() -> None:
    lines = [
        SYSLOG.format("stunnel", 1, "LOG4[7]: CERT: Pre-verification error: certificate has expired"),
        SYSLOG.format("kernel", 0, "all is well"),
        SYSLOG.format("haproxy", 2, "192.0.2.5:1 [a] f/1: SSL client certificate not trusted"),
        SYSLOG.format("stunnel", 1, "LOG3[7]: SSL_accept: error:0A000086:SSL routines::certificate verify failed"),
        SYSLOG.format("postfix/smtpd", 3, "abort: TLS from a[192.0.2.6]: No client certificate presented"),
        SYSLOG.format("myapp", 4, "remote error: tls: bad certificate"),
    ]
    programs = [one.account.program for one in told(lines) if one.account is not None]
    assert programs == ["stunnel", "HAProxy", "Postfix", "myapp"]


def test_a_log_that_was_cut_tells_what_it_has() -> None:
    lines = SERVER_5.strip().split("\n")
    for begin in range(len(lines)):
        told(lines[begin:])
    for end in range(len(lines)):
        for one in told(lines[:end]):
            assert one.verdict is not None
            assert one.verdict.outcome in ("incomplete", "failed")


@pytest.mark.parametrize(
    "line",
    [
        b"2015.03.12 05:42:07 LOG7[0]: a",
        b"Jun 17 08:50:31 h stunnel: LOG7[108:140069336976960]: a",
        b"2021/06/17 08:50:31 [info] 269#269: *15 a",
        b"[Thu Jun 17 03:22:18 2021] [ssl:error] [pid 1:tid 2] [client 192.0.2.5:1] AH02039: a",
        b"[Thu Jun 17 03:22:18 2021] [error] [client 192.0.2.5] Certificate Verification: Error (20): a",
        b"<134>Nov 25 03:21:24 haproxy[257]: a",
        b"Jun 17 03:38:26 mx postfix/submission/smtpd[200]: a",
        b"Jun 17 03:22:33 imap-login: Info: a",
        b"2021-06-17 03:27:10 192.0.2.5:32864 VERIFY ERROR: depth=0, error=a",
    ],
)
def test_a_kind_is_known_by_one_line(line: bytes) -> None:
    kind = kind_of(line)
    assert kind is not None
    assert kind.name == "server"


def test_error_lines_come_last_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "mixed.log"
    path.write_text("remote error: tls: bad certificate\n" + SERVER_5)
    assert len(read(path)) == 2
    assert LAST not in KINDS


def test_what_tells_nothing_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "poem.txt"
    path.write_text("roses are red\n")
    with pytest.raises(CaptureError, match="not a log that shows a TLS handshake"):
        read(path)


def test_places_are_lines_and_the_log_says_what_it_guessed(tmp_path: Path) -> None:
    path = tmp_path / "syslog"
    path.write_text(
        SYSLOG.format("stunnel", 1, "LOG4[7]: CERT: Pre-verification error: certificate has expired")
        + "\n"
        + SYSLOG.format("stunnel", 1, "LOG3[7]: SSL_accept: error:0A000086:SSL routines::certificate verify failed\n")
    )
    moment = 1_640_995_200  # 2022-01-01: June is that of the year before
    os.utime(path, (moment, moment))
    capture = read(path)
    (one,) = capture
    assert one.verdict is not None
    assert one.verdict.evidence[1].position is not None
    assert one.verdict.evidence[1].position.line == 1
    assert one.start == 1_623_919_831_000_000_000
    assert any("no year" in note for note in capture.summary.notes)
    assert any("no time zone" in note for note in capture.summary.notes)


def test_a_log_without_times_has_no_clock(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("LOG4[7]: CERT: Pre-verification error: certificate is not yet valid\n")
    (one,) = read(path)
    assert (one.start, one.clocks.capture, one.clocks.server) == (None, None, None)
    assert one.verdict is not None
    assert one.verdict.cause == "certificate_not_yet_valid"


def test_a_log_of_any_length_takes_little_memory() -> None:
    """Lines of nothing but connections that never end: what is open is bounded, and said to be."""
    log = ServerLog("no such file.log")
    gc.disable()  # as the command line has it: nothing may need the collector
    tracemalloc.start()
    for number in range(1, 60_000):
        log.line(b"LOG4[%d]: CERT: Pre-verification error: certificate has expired" % number, number)
        log.take()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 << 20
    log.finish()
    assert any("too many were open at once" in note for note in log.notes())


def test_one_connection_of_any_length_takes_little_memory() -> None:
    log = ServerLog("no such file.log")
    tracemalloc.start()
    for number in range(1, 20_000):
        log.line(b"LOG4[7]: CERT: Pre-verification error: certificate has expired %d" % number, number)
        log.line(b"LOG7[7]: TLS state (accept): SSLv3/TLS read client hello", number)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 << 20
