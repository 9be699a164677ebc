"""The tables' columns: each is told, each row fits them, and nothing in them steers a terminal."""

from __future__ import annotations

from typing import get_args

import pytest

from tests import stories
from tests.evidence import CAPTURES
from tlsalert import read
from tlsalert.connections import Kind
from tlsalert.render.columns import COLUMNS, rows

KINDS: tuple[Kind, ...] = get_args(Kind)
STORIES = [stories.console(), stories.good(), stories.unread(), stories.hostile(), stories.bare()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_has_a_name_of_its_own_and_says_what_it_holds(kind: Kind) -> None:
    names = [column.name for column in COLUMNS[kind]]
    assert len(set(names)) == len(names)
    assert all(column.says for column in COLUMNS[kind])
    assert names[:2] == ["source", "connection"]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_have_a_value_for_each_column(kind: Kind) -> None:
    for one in STORIES:
        for row in rows(one, kind):
            assert len(row) == len(COLUMNS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_from_the_wire_has_no_control_characters(kind: Kind) -> None:
    texts = [text for row in rows(stories.hostile(), kind) for text in _texts(row)]
    assert texts
    assert all(text.isprintable() for text in texts)


def test_there_is_one_row_for_each_thing() -> None:
    capture = read(CAPTURES / "console.pcap")
    for kind, many in (
        ("connections", lambda one: 1),
        ("messages", lambda one: len(one.messages)),
        ("alerts", lambda one: len(one.alerts)),
        ("certificates", lambda one: len(one.certificates.client) + len(one.certificates.server)),
    ):
        for one in capture:
            assert len(list(rows(one, kind))) == many(one)  # type: ignore[arg-type, no-untyped-call]


def test_the_founding_case_is_told_in_its_row() -> None:
    (row,) = rows(read(CAPTURES / "console.pcap")[2], "connections")
    told = dict(zip([column.name for column in COLUMNS["connections"]], row, strict=True))
    assert told["alert"] == "bad_certificate"
    assert told["alert_code"] == 42
    assert told["cause"] == "certificate_not_yet_valid"
    assert told["server_port"] == 5900
    assert told["client_certificate"] == "CN=IPMI,O=Example BMC Works,ST=California,C=US"
    assert told["server_skew"] == pytest.approx(-197_780_993.659)
    assert told["duration"] == told["end"] - told["start"] == 266_200_000


def _texts(row: tuple[object, ...]) -> list[str]:
    return [one for value in row for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
