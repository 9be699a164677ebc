"""The report: what ``read --format html`` writes, one page about any number of connections.

The page itself says how all ended and what went wrong; a table of all connections and what is drawn of each come from
compact data when they are looked at (:mod:`tlsalert.render.html.pack`). Where scripts do not run, the first failures
stand there whole.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from markupsafe import Markup

from tlsalert._version import VERSION
from tlsalert.model import Connection, Summary
from tlsalert.render.html import page
from tlsalert.render.html.glance import ENDINGS, FAILURES, MOST_GROUPS, Glance, Group, ending, when_and_how_much
from tlsalert.render.html.pack import Pack
from tlsalert.render.names import alert_words, deciding_alert
from tlsalert.render.picture.ladder import ladder_svg
from tlsalert.render.picture.timeline import connection_timeline, timeline_svg
from tlsalert.render.story import certainty
from tlsalert.render.timeline import DATE_CAUSES

#: Failures that are shown whole to those whose browser runs no scripts.
STATIC = 10
WIDTH, NARROW = 720, 360


def write_report(
    connections: Iterable[Connection], summaries: Sequence[Summary], out: BinaryIO, pack: Pack | None = None
) -> None:
    """Write the report about all connections, in UTF-8; ``summaries`` is looked at when they have been read.

    Of more than a report can hold (:class:`tlsalert.render.html.pack.Pack`) the page says how many it leaves out.
    """
    glance, held = Glance(), pack if pack is not None else Pack()
    failures: list[Connection] = []
    for connection in connections:
        glance.add(connection)
        held.add(connection)
        if ending(connection.verdict) in FAILURES and len(failures) < STATIC:
            failures.append(connection)
    # A file without a connection has been read, too.
    sources = list(dict.fromkeys([*glance.sources, *(summary.source for summary in summaries)]))
    told = page.frame(f"{glance.headline} – {_files(sources)}", "report.js") | {
        "version": VERSION,
        "name": _files(sources),
        "sources": sources,
        "headline": glance.headline,
        "facts": when_and_how_much(glance, summaries),
        "shares": glance.shares,
        "groups": [_group(group) for group in glance.groups[:MOST_GROUPS]],
        "more_groups": max(len(glance.groups) - MOST_GROUPS, 0),
        "notes": [*_notes(summaries), *_left_out(held)],
        "many": len(held.connections),
        "failures": [_failure(connection) for connection in failures],
        "failed": glance.failures,
        "data": (Markup(chunk) for chunk in held.chunks()),  # noqa: S704 - script_json's
    }
    for piece in page.template("report.html.j2").generate(told):
        out.write(piece.encode("utf-8", "backslashreplace"))


def report(connections: Iterable[Connection], summaries: Sequence[Summary] = ()) -> str:
    """Return the report as text, for a few connections."""
    out = io.BytesIO()
    write_report(connections, summaries, out)
    return out.getvalue().decode()


def _files(sources: Sequence[str]) -> str:
    """Return the names of the first sources, and how many there are besides."""
    named = [_file(source) for source in sources[:3]]
    more = len(sources) - len(named)
    return page.shown(", ".join(named) or "nothing") + (f" and {more} more" if more else "")


def _file(source: str) -> str:
    """Return a source's name without its folder."""
    return source.rpartition("/")[2] or source


def _notes(summaries: Sequence[Summary]) -> Iterator[str]:
    for summary in summaries:
        for note in summary.notes:
            yield f"{_file(summary.source)}: {note}" if len(summaries) > 1 else note


def _left_out(pack: Pack) -> Iterator[str]:
    if pack.left_out:
        yield (
            f"{pack.left_out:,} connections are counted above and not in the table: a page does not hold more than"
            f" {len(pack.connections):,} of them; tlsalert read --only failed leaves those out that went well"
        )


def _group(group: Group) -> dict[str, Any]:
    """Return what the page says about one cause, with the dates drawn where they are what was objected to."""
    verdict = group.example.verdict
    assert verdict is not None  # noqa: S101 - failures have one
    alert = deciding_alert(group.example.alerts)
    return {
        "ending": group.ending,
        "words": ENDINGS[group.ending],
        "cause": group.cause or "undecided",
        "many": group.many,
        "where": group.where,
        "summary": verdict.summary,
        "advice": verdict.advice[:2],
        "alert": None if alert is None else alert_words(alert),
        "timeline": _timeline(group.example) if verdict.cause in DATE_CAUSES else None,
    }


def _failure(connection: Connection) -> dict[str, Any]:
    """Return a failure as it is shown without scripts."""
    verdict = connection.verdict
    assert verdict is not None  # noqa: S101 - failures have one
    return {
        "number": connection.connection,
        "source": _file(connection.source),
        "ends": f"{connection.client or '?'} → {connection.server or '?'}",
        "verdict": verdict,
        "certainty": certainty(verdict),
        "ladder": Markup(ladder_svg(connection, width=WIDTH, styled=False)),  # noqa: S704 - escaped there
        "timeline": _timeline(connection),
    }


def _timeline(connection: Connection) -> Markup | None:
    """Return the validity against the clocks in two widths, of which the stylesheet shows one."""
    bars, marks = connection_timeline(connection)
    if not bars:
        return None
    drawn = (
        f'<div class="{name}">{timeline_svg(bars, marks, width=width, styled=False)}</div>'
        for name, width in (("on-wide", WIDTH), ("on-narrow", NARROW))
    )
    return Markup("".join(drawn))  # noqa: S704 - escaped there
