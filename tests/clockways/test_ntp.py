"""NTP as a clock: a client's packet out, a server's in, and nothing else believed."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clockways.servers import BEHIND, BRIEF, HASTY, PATIENT, closed_port, datagrams, now
from tlsalert.clockways.ntp import TO_1970, by_ntp, read_packet, timestamp
from tlsalert.clockways.reading import SECOND, Reading


def stamp(time: int) -> bytes:
    seconds, rest = divmod(time, SECOND)
    return ((seconds + TO_1970) % 2**32).to_bytes(4, "big") + ((rest << 32) // SECOND).to_bytes(4, "big")


def packet(
    request: bytes, time: int, *, leap: int = 0, mode: int = 4, stratum: int = 2, reference: bytes = b"\x0a\0\0\1"
) -> bytes:
    head = bytes((leap << 6 | 4 << 3 | mode, stratum, 6, 0xEC)) + (6554).to_bytes(4, "big") + (3277).to_bytes(4, "big")
    return head + reference + stamp(time) + request[40:48] + stamp(time) + stamp(time)


def near(reading: Reading, skew: float) -> bool:
    return reading.bounds is not None and reading.bounds[0] - 0.1 <= skew <= reading.bounds[1] + 0.1


def test_the_request_is_a_clients_and_says_nothing_of_us() -> None:
    seen: list[bytes] = []

    def answer(data: bytes) -> list[bytes]:
        seen.append(data)
        return [packet(data, now())]

    with datagrams(answer) as place:
        by_ntp(*place, HASTY)
    first, second, *_ = seen
    assert len(first) == 48
    assert first[0] == 0b00_100_011  # no leap second, version 4, client: RFC 5905 §7.3
    assert first[1:40] == bytes(39)
    assert first[40:] != second[40:]


@pytest.mark.parametrize("skew", [0.0, 2.5, BEHIND, 400_000_000.0], ids=["right", "ahead", "2015", "after 2036"])
def test_a_server_shows_its_clock(skew: float) -> None:
    with datagrams(lambda data: [packet(data, now() + round(skew * SECOND))]) as place:
        told = by_ntp(*place, HASTY)
    assert near(told, skew)
    assert told.says == "stratum 2; by its own word up to 0.1 s from its source"
    assert told.error_seconds is not None
    assert told.error_seconds < 0.5


def test_a_server_whose_clock_was_never_set_says_so() -> None:
    with datagrams(lambda data: [packet(data, now() - 86400 * SECOND, leap=3, stratum=0, reference=b"INIT")]) as place:
        told = by_ntp(*place, HASTY)
    assert near(told, -86400)
    assert "never set" in told.says


def test_a_kiss_of_death_ends_the_questions() -> None:
    asked: list[bytes] = []

    def answer(data: bytes) -> list[bytes]:
        asked.append(data)
        return [packet(data, now(), stratum=0, reference=b"RATE")]

    with datagrams(answer) as place:
        told = by_ntp(*place, HASTY)
        assert len(asked) == 1
    assert told.says == "it declines to serve us (kiss code RATE)"


def test_a_time_that_stands_still_is_no_clock() -> None:
    fixed = now()
    with datagrams(lambda data: [packet(data, fixed)]) as place:
        assert by_ntp(*place, PATIENT).says == "no clock: its transmit timestamp stands still"


@pytest.mark.parametrize(
    "answer",
    [
        lambda data: [],
        lambda data: [packet(bytes(48), now())],
        lambda data: [packet(data, now(), mode=3)],
        lambda data: [packet(data, now())[:47]],
        lambda data: [b"garbage"] * 100,
        lambda data: [b""],
    ],
    ids=["silence", "another's answer", "a client's", "short", "a flood", "empty"],
)
def test_what_is_no_answer_to_us_is_not_believed(answer: object) -> None:
    with datagrams(answer) as place:  # type: ignore[arg-type]
        told = by_ntp(*place, BRIEF)
    assert told.time is None
    assert "no answer in time" in told.says


def test_an_answer_without_a_time_is_told() -> None:
    with datagrams(lambda data: [packet(data, now())[:40] + bytes(8)]) as place:
        assert by_ntp(*place, BRIEF).says == "its answer holds no time"


def test_a_strangers_datagram_before_the_answer_does_no_harm() -> None:
    with datagrams(lambda data: [b"garbage", packet(data, now())]) as place:
        assert near(by_ntp(*place, HASTY), 0)


def test_nothing_listens() -> None:
    told = by_ntp("127.0.0.1", closed_port(socket.SOCK_DGRAM), BRIEF)
    assert not told.reached
    assert "nothing listens there" in told.says


@given(st.binary(max_size=100))
def test_any_bytes_are_a_packet_or_none(data: bytes) -> None:
    assert (read_packet(data) is None) == (len(data) < 48)


@given(st.integers(0, 2**31 * SECOND))
def test_a_timestamp_of_1970_to_2038_comes_back(time: int) -> None:
    assert abs(timestamp(stamp(time)) - time) <= 1


@settings(max_examples=20)
@given(st.binary(min_size=24, max_size=24), st.binary(min_size=16, max_size=16))
def test_any_answer_to_us_is_told(head: bytes, times: bytes) -> None:
    with datagrams(lambda data: [bytes((head[0] & ~7 | 4,)) + head[1:] + data[40:48] + times]) as place:
        assert by_ntp(*place, BRIEF).says
