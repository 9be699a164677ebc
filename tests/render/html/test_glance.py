"""A report at one glance: counts, and alike failures together."""

from __future__ import annotations

import msgspec
import pytest

from tests import stories
from tests.render.html.pages import many
from tlsalert.model import Connection, Endpoint, Summary, Verdict
from tlsalert.render.html.glance import MOST_SERVERS, Ending, Glance, ending, when_and_how_much

replace = msgspec.structs.replace


def glance(*connections: Connection) -> Glance:
    made = Glance()
    for connection in connections:
        made.add(connection)
    return made


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (Verdict("failed", "", refused_by="server"), "server"),
        (Verdict("failed", "", refused_by="client"), "client"),
        (Verdict("failed", ""), "failed"),
        (Verdict("established", ""), "established"),
        (Verdict("not_tls", ""), "not_tls"),
        (None, "incomplete"),
    ],
)
def test_how_a_connection_ended_is_who_refused_or_the_outcome(verdict: Verdict | None, told: Ending) -> None:
    assert ending(verdict) == told


@pytest.mark.parametrize(
    ("connections", "headline"),
    [
        ([], "No TLS connection"),
        ([stories.console()], "1 connection, refused by the server"),
        ([stories.console()] * 3, "3 connections, all refused by the server"),
        (many(3), "3 connections, 2 refused by the server"),
        ([stories.good()] * 2, "2 connections, all established"),
    ],
)
def test_the_headline_counts(connections: list[Connection], headline: str) -> None:
    assert glance(*connections).headline == headline


def test_alike_failures_are_one_group_with_its_servers_and_the_surest_example() -> None:
    unsure = replace(stories.console(), verdict=replace(stories.console().verdict, confidence=0.5))  # type: ignore[type-var]
    elsewhere = replace(stories.console(), server=Endpoint("10.0.0.9", 443))
    (group,) = glance(unsure, elsewhere, stories.console(), stories.good()).groups
    assert (group.many, group.cause) == (3, "certificate_not_yet_valid")
    assert group.where == "10.0.0.7:5900, 10.0.0.9:443"
    assert group.example == elsewhere


def test_a_flood_of_servers_takes_no_memory() -> None:
    made = Glance()
    for number in range(MOST_SERVERS + 50):
        made.add(replace(stories.console(), server=Endpoint("10.0.0.7", number)))
    (group,) = made.groups
    assert (group.many, len(group.servers)) == (MOST_SERVERS + 50, MOST_SERVERS)


def test_what_was_read_is_told_of_one_file_with_its_time() -> None:
    second = 1_000_000_000
    one = Summary("a.pcap", start=stories.START, end=stories.START + 41 * second, packets=36, other_streams=1)
    assert when_and_how_much(Glance(), [one]) == [
        "2021-06-17 08:51 UTC",
        "41 s",
        "36 packets",
        "1 stream without TLS",
    ]
    told = when_and_how_much(Glance(), [one, one])
    assert told == ["2 files", "from 2021-06-17 08:51 UTC", "72 packets", "2 streams without TLS"]
