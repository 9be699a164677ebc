"""The report's data: what is alike is told once, what is a connection's own each time, and there are limits."""

from __future__ import annotations

import json
from typing import Any

from tests import stories
from tests.evidence import CAPTURES
from tests.render.html.pages import many
from tlsalert.capture import read
from tlsalert.model import Connection
from tlsalert.render.html.pack import Pack

# The places in a row, as report.js names them.
NUMBER, VERDICT, EVIDENCE, LADDER, PLACES, TIMES, CHAIN, MARKS, JUDGED, OWN = 0, 10, 11, 13, 14, 15, 16, 18, 19, 20


def packed(*connections: Connection) -> dict[str, Any]:
    pack = Pack()
    for connection in connections:
        pack.add(connection)
    told: dict[str, Any] = json.loads("".join(pack.chunks()))
    return told


def test_the_founding_case_is_whole() -> None:
    third = read(CAPTURES / "console.pcap")[2]
    data = packed(third)
    (row,) = data["connections"]
    steps, skipped, _, unit = data["ladders"][row[LADDER]]
    assert (skipped, unit, len(steps)) == (0, "frame", len(row[PLACES]))
    assert [label[0] for label in steps[-2][3]] == ["ALERT fatal bad_certificate (42)"]
    assert row[PLACES][-2] == 33
    assert row[TIMES][-2] == 265_000
    assert data["verdicts"][row[VERDICT]]["cause"] == "certificate_not_yet_valid"
    assert row[EVIDENCE][0] == 30
    assert data["certificates"][row[JUDGED]]["subject"].startswith("CN=IPMI")
    assert row[CHAIN] == [row[JUDGED]]
    assert [(mark[0], mark[3]) for mark in row[MARKS]] == [("server’s clock", 1), ("capture", 0)]
    assert third.server_hello is not None
    assert third.server_hello.random.hex() in json.dumps(row[OWN])


def test_what_is_alike_is_told_once() -> None:
    data = packed(*many(300))
    assert len(data["connections"]) == 300
    assert len(data["ladders"]) == len(data["verdicts"]) == 2
    assert len(data["certificates"]) <= 2


def test_a_connection_without_anything_has_a_row() -> None:
    data = packed(Connection(source="x", connection=0))
    assert data["connections"][0][NUMBER] == 0
    assert data["verdicts"][0]["outcome"] == "incomplete"


def test_what_is_beyond_the_limits_is_counted() -> None:
    few = Pack(most=2)
    assert [few.add(connection) for connection in many(4)] == [0, 1, None, None]
    assert few.left_out == 2
    small = Pack(most_bytes=1)
    assert [small.add(connection) for connection in many(3)] == [0, None, None]
    assert small.size > 1


def test_what_does_not_print_is_spelled_out() -> None:
    text = "".join(json.dumps(packed(stories.hostile()), ensure_ascii=False))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "root" in text
