"""The table for spreadsheets: documented columns, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pytest

from tests import stories
from tlsalert.model import Connection
from tlsalert.render.csv import COLUMNS, cell, header, line, write_csv


def table(*connections: Connection) -> list[dict[str, str]]:
    out = io.BytesIO()
    write_csv(connections, out)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))


def test_the_header_names_the_documented_columns() -> None:
    assert header() == (
        b"source,connection,start,client,server,server_name,tls_version,cipher_suite,outcome,refused_by,alert,"
        b"cause,confidence,at_fault,summary\n"
    )
    assert len(COLUMNS) == 15


def test_the_founding_case() -> None:
    assert table(stories.console()) == [
        {
            "source": "console.pcap",
            "connection": "2",
            "start": "2021-06-17T08:51:09.123456Z",
            "client": "10.0.0.5:40112",
            "server": "10.0.0.7:5900",
            "server_name": "",
            "tls_version": "TLS 1.2",
            "cipher_suite": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "outcome": "failed",
            "refused_by": "server",
            "alert": "fatal bad_certificate (42)",
            "cause": "certificate_not_yet_valid",
            "confidence": "0.99",
            "at_fault": "server",
            "summary": "The server refused the client's certificate: by the server's clock it is not valid yet.",
        }
    ]


def test_what_is_unknown_is_an_empty_cell() -> None:
    (bare,) = table(stories.bare())
    assert {key for key, value in bare.items() if value} == {"source", "connection"}


def test_an_alert_that_was_not_read_is_told_by_its_shape() -> None:
    (unread,) = table(stories.unread())
    assert unread["alert"] == "encrypted (fatal, by its shape)"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("＝1", "'＝1"),
        ("a=b", "a=b"),
        ("two\nlines", "two\\nlines"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_cell_is_never_a_formula_nor_steers_a_terminal(text: str | None, safe: str) -> None:
    assert cell(text) == safe


def test_hostile_names_stay_in_their_cells() -> None:
    said = line(stories.hostile()).decode()
    assert said.count("\n") == 1
    assert said[:-1].isprintable()
    (hostile,) = table(stories.hostile())
    assert hostile["source"].startswith("'=cmd")
    assert hostile["server_name"].startswith("'=cmd")
    assert None not in hostile  # no cell broke out into one too many


def test_a_file_name_that_is_not_utf_8_is_spelled_out() -> None:
    name = b"caf\xe9.pcap".decode("utf-8", "surrogateescape")
    assert b"caf\\udce9.pcap" in line(Connection(source=name, connection=0))
