"""Connections as tables: real types, the same rows in each library, and a sentence where a library is missing."""

from __future__ import annotations

import io
import sys
from typing import Any, cast, get_args

import pytest

from tests import stories
from tests.evidence import CAPTURES
from tlsalert import read
from tlsalert.connections import Connections, Kind
from tlsalert.errors import UsageError
from tlsalert.render import tables
from tlsalert.render.columns import COLUMNS

pyarrow = pytest.importorskip("pyarrow")
KINDS: tuple[Kind, ...] = get_args(Kind)
TYPES = {
    "text": "string",
    "category": "dictionary<values=string, indices=int32, ordered=0>",
    "time": "timestamp[ns, tz=UTC]",
    "date": "timestamp[ms, tz=UTC]",
    "duration": "duration[ns]",
    "bool": "bool",
    "count": "uint32",
    "number": "double",
    "texts": "list<item: string>",
}


def console() -> Connections:
    return read(CAPTURES / "console.pcap")


@pytest.mark.parametrize("kind", KINDS)
def test_the_columns_have_the_types_that_are_told(kind: Kind) -> None:
    table = console().to_arrow(kind)
    assert table.schema.names == [column.name for column in COLUMNS[kind]]
    assert [str(field.type) for field in table.schema] == [TYPES[column.type] for column in COLUMNS[kind]]
    assert [field.metadata[b"says"].decode() for field in table.schema] == [column.says for column in COLUMNS[kind]]
    table.validate(full=True)


@pytest.mark.parametrize("kind", KINDS)
def test_no_connections_are_an_empty_table_with_all_columns(kind: Kind) -> None:
    table = Connections().to_arrow(kind)
    assert table.num_rows == 0
    assert table.schema == console().to_arrow(kind).schema


def test_pandas_gets_zones_categoricals_and_whole_numbers() -> None:
    pytest.importorskip("pandas")
    frame = console().to_pandas()
    assert str(frame.dtypes["start"]) == "datetime64[ns, UTC]"
    assert str(frame.dtypes["cause"]) == "category"
    assert str(frame.dtypes["alert_code"]) == "Int64"
    assert list(frame.cause) == ["no_client_certificate", "unknown_ca", "certificate_not_yet_valid"]
    assert frame.start.iloc[2].isoformat() == "2021-06-17T08:51:43.617000+00:00"
    late = console().to_pandas("certificates").not_after.max()
    assert late.isoformat() == "2026-05-17T09:46:36+00:00"


def test_a_certificate_without_an_end_and_unread_ones_have_a_row() -> None:
    pytest.importorskip("pandas")
    frame = Connections([stories.hostile(), stories.unread()]).to_pandas("certificates")
    assert len(frame) == sum(
        len(one.certificates.client) + len(one.certificates.server) for one in (stories.hostile(), stories.unread())
    )


def test_polars_gets_the_same() -> None:
    polars = pytest.importorskip("polars")
    frame = console().to_polars("alerts")
    assert frame["code"].to_list() == [40, 48, 42]
    assert frame.schema["time"] == polars.Datetime("ns", "UTC")
    assert frame.schema["alert"] == polars.Categorical


def test_many_batches_are_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = console().to_arrow("messages")
    monkeypatch.setattr(tables, "BATCH", 5)
    parts = console().to_arrow("messages")
    assert parts.num_rows == whole.num_rows
    assert parts.to_pylist() == whole.to_pylist()


@pytest.mark.parametrize("kind", KINDS)
def test_parquet_gives_the_table_back(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import parquet

    monkeypatch.setattr(tables, "BATCH", 2)
    out = io.BytesIO()
    tables.write_parquet(console(), out, kind)
    again = parquet.read_table(io.BytesIO(out.getvalue()))
    assert again.to_pylist() == console().to_arrow(kind).to_pylist()
    told = [str(field.type).replace("<element:", "<item:") for field in again.schema]  # Parquet's name for it
    assert told == [TYPES[column.type] for column in COLUMNS[kind]]


def test_hostile_text_is_escaped_and_lone_surrogates_do_no_harm() -> None:
    from msgspec.structs import replace

    odd = replace(stories.hostile(), source="\udcff\x1b.pcap")
    row = Connections([odd]).to_arrow().to_pylist()[0]
    assert row["source"] == "\\udcff\\x1b.pcap"
    assert all(value.isprintable() for value in row.values() if isinstance(value, str))


def test_a_time_that_no_calendar_has_is_kept_or_null() -> None:
    from msgspec.structs import replace

    ends = Connections([replace(stories.good(), start=0, end=1 << 70)]).to_arrow().to_pylist()[0]
    assert ends["end"] is None
    assert ends["duration"] is None


def test_another_kind_of_table_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="packets: there is no such table; take one of connections, messages"):
        console().to_arrow(cast("Any", "packets"))


@pytest.mark.parametrize(
    ("missing", "call", "says"),
    [
        ("pyarrow", "to_arrow", "this needs pyarrow, which is not installed; pip install 'tlsalert[tables]'"),
        ("pandas", "to_pandas", "this needs pandas, which is not installed; pip install 'tlsalert[notebook]'"),
        ("polars", "to_polars", "this needs polars, which is not installed; pip install 'tlsalert[notebook]'"),
    ],
)
def test_a_library_that_is_missing_is_named_with_its_extra(
    missing: str, call: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError) as raised:
        getattr(console(), call)()
    assert str(raised.value) == says
