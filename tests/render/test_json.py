"""JSON lines and arrays: they hold the row, and nothing in them steers a terminal."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import msgspec

from tests import stories
from tlsalert.model import Connection
from tlsalert.render.json import jsonl, write_json
from tlsalert.render.rows import row

STORIES = (stories.console(), stories.good(), stories.unread(), stories.hostile(), stories.bare())


def test_a_line_is_the_row() -> None:
    for story in STORIES:
        line = jsonl(story)
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert json.loads(line) == row(story)


def test_an_array_holds_all_rows() -> None:
    out = io.BytesIO()
    write_json(iter(STORIES), out)
    assert json.loads(out.getvalue()) == [row(story) for story in STORIES]


def test_an_array_of_nothing_is_an_array() -> None:
    out = io.BytesIO()
    write_json((), out)
    assert json.loads(out.getvalue()) == []


def test_an_array_is_written_while_its_connections_come() -> None:
    out = io.BytesIO()
    seen: list[int] = []

    def coming() -> Iterator[Connection]:
        for story in STORIES:
            seen.append(len(out.getvalue()))
            yield story

    write_json(coming(), out)
    assert seen == sorted(set(seen))


def test_control_characters_are_escaped_and_come_back_unchanged() -> None:
    line = jsonl(stories.hostile())
    text = line.decode()[:-1]
    assert not [character for character in text if not character.isprintable()]
    assert json.loads(line)["server_name"] == stories.HOSTILE


def test_other_characters_are_left_to_be_read() -> None:
    line = jsonl(Connection(source="Prüfstand-東京.pcap", connection=0, server_name="a\x7fb"))
    assert "Prüfstand-東京.pcap" in line.decode()
    assert b"a\\u007fb" in line


def test_a_file_name_that_is_not_utf_8_is_spelled_out() -> None:
    name = b"caf\xe9.pcap".decode("utf-8", "surrogateescape")
    connection = msgspec.structs.replace(stories.console(), source=name, notes=(name,))
    assert json.loads(jsonl(connection))["source"] == "caf\\udce9.pcap"
