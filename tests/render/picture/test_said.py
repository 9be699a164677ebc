"""What a message says, as a dict and as lines to hover over a picture."""

from __future__ import annotations

import pytest

from tests.evidence import CAPTURES
from tlsalert.capture import read
from tlsalert.model import HandshakeMessage, Position
from tlsalert.render.picture.said import LONGEST_LINE, MOST_LINES, said, told

CONSOLE = read(CAPTURES / "console.pcap")[2]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("client_hello", "cipher_suites"),
        ("server_hello", "cipher_suite"),
        ("certificate", "chain"),
        ("certificate_request", "authorities"),
        ("server_key_exchange", "group"),
        ("certificate_verify", "signature_scheme"),
    ],
)
def test_each_message_says_its_fields(name: str, key: str) -> None:
    message = next(one for one in CONSOLE.messages if one.message == name)
    row = said(message, CONSOLE)
    assert row is not None
    assert row[key]


def test_the_chain_is_that_of_the_sender() -> None:
    chains = [said(one, CONSOLE) for one in CONSOLE.messages if one.message == "certificate"]
    assert ["CN=bmc.example" in str(chains[0]), "CN=IPMI" in str(chains[1])] == [True, True]


def test_what_was_not_read_says_nothing() -> None:
    assert said(HandshakeMessage("client_hello", 1, "client", Position(1), None, 9), CONSOLE) is None
    assert told(None) == ""


def test_lines_are_few_and_short_and_leave_out_what_is_not_there() -> None:
    assert told({"a": 1, "b": None, "c": [], "d": "", "e": [{"name": "x", "type": 3}, {"q": 1, "z": None}]}) == (
        "a: 1\ne: x, (q 1)"
    )
    lines = told({f"k{number}": "x" * 500 for number in range(99)}).split("\n")
    assert len(lines) == MOST_LINES + 1
    assert max(map(len, lines)) == LONGEST_LINE
