"""A tape becomes a capture in which what each side did stands in its order, and it never grows past its limit."""

from __future__ import annotations

from itertools import count

import pytest

from tests.lab.packets import read_packets, streams
from tlsalert.lab.tape import Tape, What
from tlsalert.model import Side
from tlsalert.recorder import ACK, FIN, RST

CLIENT, SERVER = ("127.0.0.1", 40000), ("127.0.0.1", 443)


def tape(*events: tuple[Side, What], limit: int = 10_000) -> Tape:
    """Return a tape with events a millisecond apart."""
    times = count(1_700_000_000_000_000_000, 1_000_000)
    made = Tape(lambda: next(times), limit)
    for side, what in events:
        made.note(side, what)
    return made


def ends(made: Tape) -> list[tuple[str, int]]:
    """Return who ended the conversation, and how, in the order of the packets."""
    packets = read_packets(made.pcap(CLIENT, SERVER))
    return [
        ("client" if packet.source[1] == CLIENT[1] else "server", packet.flags & (FIN | RST))
        for packet in packets
        if packet.flags & (FIN | RST)
    ]


def test_the_bytes_of_both_sides_are_in_the_capture() -> None:
    made = tape(("client", b"hello"), ("server", b"x" * 5000), ("client", b"bye"), ("client", "fin"), ("server", "fin"))
    sent = list(streams(read_packets(made.pcap(CLIENT, SERVER))).values())
    assert sent == [b"hellobye", b"x" * 5000]
    assert ends(made) == [("client", FIN), ("server", FIN)]


def test_who_has_ended_still_hears_the_other() -> None:
    made = tape(("client", b"hello"), ("client", "fin"), ("server", b"alert"), ("server", "fin"))
    packets = read_packets(made.pcap(CLIENT, SERVER))
    fins = [at for at, packet in enumerate(packets) if packet.flags & FIN]
    (alert,) = (at for at, packet in enumerate(packets) if packet.payload == b"alert")
    assert fins[0] < alert < fins[1]
    assert all(packet.flags & ACK for packet in packets[1:])


def test_a_reset_is_the_end() -> None:
    assert ends(tape(("client", b"hello"), ("server", "rst"), ("client", "fin"))) == [("server", RST)]


def test_what_a_side_does_after_its_end_is_left_out() -> None:
    made = tape(("client", "fin"), ("client", b"more"), ("client", "fin"), ("server", b"hello"))
    assert list(streams(read_packets(made.pcap(CLIENT, SERVER))).values())[-1] == b"hello"
    assert ends(made) == [("client", FIN)]


def test_nothing_at_all_is_a_connection_that_was_opened() -> None:
    assert len(read_packets(tape().pcap(CLIENT, SERVER))) == 3


@pytest.mark.parametrize("size", [1, 1000])
def test_it_is_full_at_its_limit(size: int) -> None:
    events: list[tuple[Side, What]] = [("client", b"x" * size)] * 1000
    made = tape(*events)
    assert made.full
    assert sum(len(what) for _, _, what in made.events) < 10_000
    assert len(made.events) < 100
