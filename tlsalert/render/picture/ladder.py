"""The handshake as a picture: two lifelines, an arrow for each flight, the alert standing out.

It shows the steps of :mod:`tlsalert.render.ladder`. Whoever points at a message sees its decoded fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tlsalert.model import Connection, HandshakeMessage
from tlsalert.render.fields import message_remark
from tlsalert.render.ladder import HEAD, MOST_STEPS, TAIL, Step, steps
from tlsalert.render.names import alert_words, deciding_alert
from tlsalert.render.picture.said import said, told
from tlsalert.render.picture.svg import (
    BOLD_CELL,
    CELL,
    SMALL_CELL,
    Theme,
    element,
    fitted,
    label,
    lines_of,
    picture,
    wide,
)

Scale = Literal["even", "time"]

LINE = 18  # pixels from one line of text to the next
GUTTER = 108  # frame and time, left of the client's lifeline
MARGIN = 22  # right of the server's
TOP = 44
BEFORE = 12  # above a step
NARROWEST = 360
#: Height of the axis where time is to scale, for each step.
STRETCH = 90

CLASSES = {"alert": "alert", "warn": "caution", "dim": "quiet", "": ""}


def ladder_svg(
    connection: Connection,
    *,
    width: int = 720,
    theme: Theme = "auto",
    scale: Scale = "even",
    styled: bool = True,
) -> str:
    """Return the ladder as an SVG, ``width`` pixels wide; with ``scale="time"`` distances are those in time.

    Steps never overlap: where they come too close in time they are moved apart. ``styled=False`` leaves the stylesheet
    to the page around it. A connection without messages has a picture that says so.
    """
    width = max(width, NARROWEST)
    every = steps(connection)
    shown = every if len(every) <= MOST_STEPS else [*every[:HEAD], *every[-TAIL:]]
    sheet = _Sheet(connection, shown, width)
    places, height = _places(shown, connection, [sheet.lines(step) for step in shown], scale)
    drawn = [sheet.rails(height)]
    for number, (step, place) in enumerate(zip(shown, places, strict=True)):
        if number == HEAD and len(shown) < len(every):
            drawn.append(sheet.left_out(len(every) - len(shown), place.top))
        drawn.append(sheet.step(step, place))
    if not shown:
        drawn.append(label(sheet.middle, TOP + LINE, "no handshake message was seen", "dim", "middle"))
    return picture(
        "".join(drawn), width, height, title(connection), description(connection, every), theme, styled, "ladder"
    )


def title(connection: Connection) -> str:
    """Return the picture's name: "TLS handshake of 10.0.0.5:40112 with 10.0.0.7:5900"."""
    return f"TLS handshake of {connection.client or 'a client'} with {connection.server or 'a server'}"


def description(connection: Connection, shown: Sequence[Step]) -> str:
    """Return the picture in words: who sent what in order, or how it ended where that is much."""
    ended = "" if connection.verdict is None else connection.verdict.summary
    if not shown:
        return ended
    if len(shown) > 12:
        alert = deciding_alert(connection.alerts)
        told_alert = "" if alert is None else f" The {alert.sender} sent {alert_words(alert)}."
        return f"{len(shown)} steps.{told_alert} {ended}".strip()
    sent = "; ".join(f"{step.sender}: {', '.join(step.labels)}" for step in shown)
    return f"{sent}. {ended}".strip()


class _Place(NamedTuple):
    """Where a step stands: the top of its first line, and its arrow."""

    top: float
    arrow: float


class _Text(NamedTuple):
    """One label of a step in one line: the message's name, and a remark behind it."""

    words: str
    remark: str
    fields: str


def _places(
    shown: Sequence[Step], connection: Connection, texts: Sequence[Sequence[_Text]], scale: Scale
) -> tuple[list[_Place], float]:
    """Return where the steps stand, and the picture's height."""
    start = connection.start
    times = [step.time for step in shown if step.time is not None]
    begins = min(times) if start is None and times else start or 0
    span = max((time - begins for time in times), default=0)
    places: list[_Place] = []
    at = float(TOP)
    for number, (step, lines) in enumerate(zip(shown, texts, strict=True)):
        height = BEFORE + LINE * len(lines)
        if number == HEAD and len(shown) == HEAD + TAIL:
            at += LINE
        if scale == "time" and span and step.time is not None:
            at = max(at, TOP + STRETCH * len(shown) * (step.time - begins) / span - height)
        places.append(_Place(at + BEFORE, at + height))
        at += height + (LINE if step.remark[0] else 0)
    return places, at + 18


class _Sheet:
    """The columns of one picture, and how a step is drawn between them."""

    def __init__(self, connection: Connection, shown: Sequence[Step], width: int) -> None:
        self.connection = connection
        self.client, self.server = float(GUTTER), float(width - MARGIN)
        self.middle = (self.client + self.server) / 2
        self.room = self.server - self.client - 28
        times = [step.time for step in shown if step.time is not None]
        start = connection.start
        self.fine = bool(times) and start is not None and max(times) - start < 10_000_000
        self.unit = "line" if any(step.position and step.position.frame is None for step in shown) else "frame"

    def rails(self, height: float) -> str:
        """Return the lifelines and what stands over them."""
        client, server = (str(end or "") for end in (self.connection.client, self.connection.server))
        half = self.room / 2 - 8
        return (
            label(self.client - 58, 26, self.unit, "dim small", "end")
            + label(self.client - 14, 26, "+ms", "dim small", "end")
            + self._end(self.client - 6, "client", client, half, "start")
            + self._end(self.server + 6, "server", server, half, "end")
            + element("path", d=f"M{self.client} 34V{height - 8:.1f}M{self.server} 34V{height - 8:.1f}", class_="rail")
        )

    def lines(self, step: Step) -> list[_Text]:
        """Return the labels of a step, one a line; without a word about messages what was seen is said alone."""
        if not any(step.messages):
            cell = BOLD_CELL if step.style == "alert" else CELL
            return [_Text(fitted(" · ".join(step.labels), self.room - 14, cell), "", "")]
        return [self._text(words, messages) for words, messages in zip(step.labels, step.messages, strict=True)]

    def step(self, step: Step, place: _Place) -> str:
        """Return a step: its labels, its arrow, and what stands beside it."""
        drawn = [self._gutter(step, place)]
        for number, line in enumerate(self.lines(step)):
            drawn.append(self._line(step, line, place.top + LINE * number + 10))
        drawn.append(self._arrow(step, place.arrow))
        if step.remark[0]:
            drawn.append(self._remark(step, place.arrow + 15))
        return element("g", *drawn, class_=f"step {CLASSES.get(step.style, '')}".rstrip())

    def left_out(self, many: int, top: float) -> str:
        """Return the line that says how many steps are not shown."""
        return label(self.middle, top - 12, f"… {many} more steps …", "dim small", "middle")

    def _end(self, x: float, side: str, address: str, room: float, anchor: Literal["start", "end"]) -> str:
        address = fitted(address, room - wide(side), CELL)
        return element(
            "text",
            element("tspan", side, class_="head"),
            element("tspan", lines_of(" " + address), class_="dim"),
            x=x,
            y=26,
            text_anchor=None if anchor == "start" else anchor,
        )

    def _text(self, name: str, messages: Sequence[HandshakeMessage]) -> _Text:
        first = messages[0]
        remark = message_remark(first, self.connection) if len(messages) == 1 else None
        name = fitted(name, self.room)
        room = self.room - wide(name) - CELL
        remark = fitted(remark, room, SMALL_CELL) if remark and room > 60 else ""
        size = sum(message.length for message in messages)
        head = f"{name}\n{size} bytes, {first.position}" + (", encrypted" if first.encrypted else "")
        fields = told(said(first, self.connection)) if len(messages) == 1 else ""
        return _Text(name, remark, f"{head}\n{fields}".rstrip())

    def _gutter(self, step: Step, place: _Place) -> str:
        number = step.position and (step.position.frame or step.position.line)
        drawn = label(self.client - 58, place.arrow + 4, str(number), "dim small", "end") if number else ""
        start = self.connection.start
        if step.time is not None and start is not None:
            time = f"{(step.time - start) / 1e6:.{1 if self.fine else 0}f}"
            drawn += label(self.client - 14, place.arrow + 4, time, "dim small", "end")
        return drawn

    def _line(self, step: Step, line: _Text, y: float) -> str:
        """Return one label, on its sender's side; an alert's on a plate of its own."""
        left = step.sender == "client"
        x = self.client + 14 if left else self.server - 14
        anchor: Literal["start", "end"] = "start" if left else "end"
        if step.kind == "alert" and step.style == "alert":
            size = min(wide(line.words, BOLD_CELL) + 14, self.room)
            plate = element(
                "rect", x=x - 2 if left else x + 2 - size, y=y - 14, width=size, height=19, rx=4, class_="plate"
            )
            return plate + label(x + 5 if left else x - 5, y, line.words, "on", anchor)
        look = {"alert": "bad", "warn": "warn", "dim": "dim"}.get(step.style, "")
        inside = [element("title", lines_of(line.fields))] if line.fields else []
        inside.append(element("tspan", lines_of(line.words), class_=look))
        if line.remark:
            inside.append(element("tspan", lines_of(" " + line.remark), class_="dim small"))
        return element("text", *inside, x=x, y=y, text_anchor=None if left else "end")

    def _arrow(self, step: Step, y: float) -> str:
        """Return the arrow from the sender's lifeline to the peer's."""
        size = 7 if step.style == "alert" else 5
        begins, ends, back = (
            (self.client, self.server, -1) if step.sender == "client" else (self.server, self.client, 1)
        )
        tip = ends + back * 2
        neck = tip + back * size * 1.8
        shaft = element("path", d=f"M{begins:.1f} {y:.1f}H{neck:.1f}", class_="arrow")
        head = f"M{tip:.1f} {y:.1f}L{neck:.1f} {y - size:.1f}V{y + size:.1f}Z"
        return shaft + element("path", d=head, class_="tip")

    def _remark(self, step: Step, y: float) -> str:
        """Return what is odd about the sender, below its arrow."""
        left = step.sender == "client"
        x = self.client + 14 if left else self.server - 14
        look = "warn small" if step.remark[1] in ("warn", "alert") else "dim small"
        return label(x, y, fitted(step.remark[0], self.room, SMALL_CELL), look, "start" if left else "end")
