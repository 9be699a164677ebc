"""Connections as tables of Arrow, and with those as pandas' and polars' and as Parquet; only this module needs pyarrow.

    capture.to_pandas("alerts").groupby(["server_address", "alert"], observed=True).size()

The columns are told in :mod:`tlsalert.render.columns`; each has what it holds as its field's metadata too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from tlsalert.collector import paused
from tlsalert.connections import Kind
from tlsalert.errors import UsageError
from tlsalert.model import EPOCH, Connection
from tlsalert.render.columns import COLUMNS, Type, rows

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

#: Rows of one batch: few enough to hold, many enough to be quick.
BATCH = 10_000


def arrow_table(connections: Iterable[Connection], kind: Kind = "connections") -> pa.Table:
    """Return the table. Raises :class:`UsageError` for another kind of table, and where pyarrow is missing."""
    wanted = schema(kind)
    arrow = _arrow()
    # Each batch has dictionaries of its own; with one for all, pandas and polars need not look for that.
    with paused():
        return arrow.Table.from_batches(_batches(connections, kind), wanted).unify_dictionaries()


def pandas_table(connections: Iterable[Connection], kind: Kind = "connections") -> pd.DataFrame:
    """Return the table of pandas; a whole number that may be missing is Int64. Raises as :func:`arrow_table`."""
    pandas = library("pandas", "notebook")
    whole = {_arrow().uint32(): pandas.Int64Dtype(), _arrow().bool_(): pandas.BooleanDtype()}
    table: pd.DataFrame = arrow_table(connections, kind).to_pandas(types_mapper=whole.get)
    return table


def polars_table(connections: Iterable[Connection], kind: Kind = "connections") -> pl.DataFrame:
    """Return the table of polars. Raises as :func:`arrow_table`."""
    polars = library("polars", "notebook")
    table: pl.DataFrame = polars.from_arrow(arrow_table(connections, kind))
    return table


def write_parquet(connections: Iterable[Connection], out: BinaryIO, kind: Kind = "connections") -> None:
    """Write the table to ``out`` as Parquet, batch by batch: its memory does not grow with what is read."""
    parquet = library("pyarrow.parquet", "tables")
    with parquet.ParquetWriter(out, schema(kind), compression="zstd") as writer:
        for batch in _batches(connections, kind):
            writer.write_batch(batch)


def schema(kind: Kind) -> pa.Schema:
    """Return the columns of a kind of table. Raises :class:`UsageError` as :func:`arrow_table`."""
    if kind not in COLUMNS:
        raise UsageError("there is no such table", str(kind), f"take one of {', '.join(COLUMNS)}")
    arrow = _arrow()
    types: dict[Type, Any] = {
        "text": arrow.string(),
        "category": arrow.dictionary(arrow.int32(), arrow.string()),
        "time": arrow.timestamp("ns", "UTC"),
        "date": arrow.timestamp("ms", "UTC"),
        "duration": arrow.duration("ns"),
        "bool": arrow.bool_(),
        "count": arrow.uint32(),
        "number": arrow.float64(),
        "texts": arrow.list_(arrow.string()),
    }
    return arrow.schema([arrow.field(c.name, types[c.type], metadata={"says": c.says}) for c in COLUMNS[kind]])


def library(name: str, extra: str) -> Any:
    """Return a library that not everybody has. Raises :class:`UsageError` where it is missing: how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        missing = name.partition(".")[0]
        raise UsageError(
            f"this needs {missing}, which is not installed", None, f"pip install 'tlsalert[{extra}]'"
        ) from error


def _arrow() -> Any:
    return library("pyarrow", "tables")


def _batches(connections: Iterable[Connection], kind: Kind) -> Iterator[pa.RecordBatch]:
    arrow = _arrow()
    wanted = schema(kind)
    dates = [column.type == "date" for column in COLUMNS[kind]]
    every = (row for connection in connections for row in rows(connection, kind))
    while some := list(islice(every, BATCH)):
        arrays = []
        for field, values, date in zip(wanted, zip(*some, strict=True), dates, strict=True):
            arrays.append(arrow.array(map(_milliseconds, values) if date else values, field.type))
        yield arrow.RecordBatch.from_arrays(arrays, schema=wanted)


def _milliseconds(moment: datetime | None) -> int | None:
    """Return a certificate's date in milliseconds since 1970: Parquet knows no coarser unit."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=EPOCH.tzinfo)
    return int((moment - EPOCH).total_seconds()) * 1000
