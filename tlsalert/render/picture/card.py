"""A connection as one picture: who and what, the verdict, its ladder and its timeline, what to do.

For places that take a picture and nothing else: a page of a code host that shows a notebook, a ticket, a mail.
"""

from __future__ import annotations

from tlsalert.model import Connection
from tlsalert.render.picture.ladder import ladder_svg, title
from tlsalert.render.picture.svg import BOLD_CELL, CELL, Theme, element, fitted, label, picture
from tlsalert.render.picture.timeline import connection_timeline, timeline_svg
from tlsalert.render.spans import wrap
from tlsalert.render.story import is_quiet
from tlsalert.render.style import escape

EDGE = 14
LINE = 19
NARROWEST = 420


def card_svg(connection: Connection, *, width: int = 760, theme: Theme = "auto") -> str:
    """Return the picture, ``width`` pixels wide."""
    width = max(width, NARROWEST)
    verdict = connection.verdict
    room = width - 2 * EDGE
    drawn: list[str] = []
    y = 20.0
    facts = " · ".join(fact for fact in (connection.tls_version, connection.cipher_suite) if fact)
    ends = f"#{connection.connection}  {connection.client or '?'} → {connection.server or '?'}"
    drawn.append(label(EDGE, y, fitted(ends, room, BOLD_CELL), "head"))
    if facts:
        y += LINE
        drawn.append(label(EDGE, y, fitted(facts, room), "dim"))
    y += LINE / 2
    if verdict is not None:
        top = y + 4
        for text in wrap(escape(verdict.summary), int((room - 12) / BOLD_CELL)):
            y += LINE
            drawn.append(label(EDGE + 12, y, text, "head"))
        look = {"failed": "bad", "established": "good"}.get(verdict.outcome, "dim")
        drawn.append(element("rect", x=EDGE, y=top, width=4, height=y - top + 6, class_=look))
        y += LINE / 2
    pictures = [ladder_svg(connection, width=width, styled=False)]
    bars, marks = connection_timeline(connection)
    if bars and not is_quiet(connection):
        pictures.append(timeline_svg(bars, marks, width=width, styled=False))
    for one in pictures:
        inside, height = _opened(one)
        drawn.append(element("g", inside, transform=f"translate(0,{y + 6:.1f})"))
        y += height + 12
    for number, text in enumerate(() if verdict is None else verdict.advice):
        if not number:
            drawn.append(label(EDGE, y + LINE, "do", "dim"))
        for part in wrap(escape(text), int((room - 28) / CELL)):
            y += LINE
            drawn.append(label(EDGE + 28, y, part))
    said = "" if verdict is None else verdict.summary
    # Its own ground: a page can be light where the reader's system is dark.
    ground = element("rect", width=width, height=y + 14, rx=6, style="fill:var(--tp-back)")
    return picture(ground + "".join(drawn), width, y + 14, title(connection), said, theme, True, "card")


def _opened(drawing: str) -> tuple[str, float]:
    """Return what is inside of a picture without its own name, and its height."""
    head, _, rest = drawing.partition("</desc>")
    height = float(head.partition(' height="')[2].partition('"')[0])
    return rest.removesuffix("</svg>"), height
