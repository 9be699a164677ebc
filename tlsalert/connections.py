"""Some connections of one capture, or of several: a sequence that can be asked, counted, drawn and made into tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, overload

from tlsalert.model import Connection

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from tlsalert.filters import Test
    from tlsalert.render.notebook.plain import Page
    from tlsalert.render.plots import Plots

#: What a table has a row for.
Kind = Literal["connections", "messages", "alerts", "certificates"]


class Connections(Sequence[Connection]):
    """A sequence of connections. A slice, ``failed`` and ``where`` give such a sequence again."""

    def __init__(self, connections: Iterable[Connection] = ()) -> None:
        self._connections: Sequence[Connection] = tuple(connections)

    @property
    def failed(self) -> Connections:
        """The connections whose handshake failed."""
        return Connections(c for c in self if c.verdict is not None and c.verdict.outcome == "failed")

    def where(self, predicate: Test | None = None, **filters: object) -> Connections:
        """Return those that pass all filters: ``capture.where(alert="unknown_ca", server="10.0.0.7:443")``.

        Several values in a list mean that any of them will do. The filters are ``alert`` (name or number),
        ``alert_from``, ``cause``, ``outcome``, ``refused_by``, ``at_fault``, ``server`` and ``client`` (an address,
        address:port, :port, or a network as 10.0.0.0/24), ``server_name`` (also a whole domain, as ``*.example.org``),
        ``tls_version``, ``cipher_suite``, ``alpn``, ``protocol`` and ``certificate`` (its SHA-256, or a part of its
        subject); None asks for those where the thing is missing. ``predicate`` is a function of a connection that says
        whether it is wanted.

        Raises :class:`tlsalert.errors.UsageError`, with a suggestion, for a filter, alert or cause that there is not.
        """
        from tlsalert.filters import matcher

        wanted = matcher(predicate, filters)
        return Connections(connection for connection in self if wanted(connection))

    def to_arrow(self, kind: Kind = "connections") -> pa.Table:
        """Return a table with one row for each connection, message, alert or certificate.

        The columns are those of :data:`tlsalert.render.columns.COLUMNS`: times are timestamps in UTC, names that repeat
        are dictionaries. Raises :class:`tlsalert.errors.UsageError` where pyarrow is missing (extra ``tables``).
        """
        from tlsalert.render.tables import arrow_table

        return arrow_table(self, kind)

    def to_pandas(self, kind: Kind = "connections") -> pd.DataFrame:
        """Return the table of :meth:`to_arrow` as pandas knows it: dictionaries are categoricals.

        Raises :class:`tlsalert.errors.UsageError` where pandas is missing (extra ``notebook``).
        """
        from tlsalert.render.tables import pandas_table

        return pandas_table(self, kind)

    def to_polars(self, kind: Kind = "connections") -> pl.DataFrame:
        """Return the table of :meth:`to_arrow` as polars knows it.

        Raises :class:`tlsalert.errors.UsageError` where polars is missing.
        """
        from tlsalert.render.tables import polars_table

        return polars_table(self, kind)

    @property
    def plot(self) -> Plots:
        """Pictures of all of them: ``plot.alerts_over_time()``, ``plot.timeline()``, ``plot.matrix()``."""
        from tlsalert.render.plots import Plots

        return Plots(self)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._connections)

    def __len__(self) -> int:
        return len(self._connections)

    @overload
    def __getitem__(self, place: int) -> Connection: ...
    @overload
    def __getitem__(self, place: slice) -> Connections: ...
    def __getitem__(self, place: int | slice) -> Connection | Connections:
        if isinstance(place, slice):
            return Connections(self._connections[place])
        return self._connections[place]

    def __eq__(self, other: object) -> bool:
        """Two sequences are equal where their connections are; a tuple will do as well."""
        if not isinstance(other, Connections | tuple):
            return NotImplemented
        return len(self) == len(other) and all(mine == yours for mine, yours in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as a list has none: hashing thousands of handshakes is never meant

    def __repr__(self) -> str:
        many = len(self)
        return f"<{many} connection{'' if many == 1 else 's'}>"

    def _repr_html_(self) -> str:
        from tlsalert.render.notebook.cells import connections_html

        return connections_html(self)

    def _repr_pretty_(self, page: Page, cycle: bool) -> None:
        from tlsalert.render.notebook.plain import show_connections

        show_connections(self, page)
