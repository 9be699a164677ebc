"""The handshake as a ladder: client left, server right, an arrow for each flight, frame and time beside it.

Messages that one side sent in one frame share an arrow. What is worth telling of a message stands behind its name where
there is room. An alert has an arrow of its own, drawn thick.
Records of application data, and those that could not be read, stand in their place as such or as "encrypted".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import Literal, NamedTuple

from tlsalert.model import (
    Alert,
    Clock,
    Closing,
    Connection,
    EncryptedRecord,
    HandshakeMessage,
    Position,
    Side,
    rfc3339,
)
from tlsalert.render.fields import message_remark
from tlsalert.render.names import alert_words
from tlsalert.render.spans import Line, Span, cells, cut, join_fitting, line_cells, merged
from tlsalert.render.style import escape

INDENT = 8
BETWEEN = " · "
NARROWEST, WIDEST = 44, 76  # cells from one side to the other
UNTIMED = 30  # where times would leave fewer cells they are not shown
MOST_STEPS = 40  # of a longer ladder the two ends are shown
HEAD, TAIL = 26, 12
MOST_WORDS = 48  # cells of what stands behind a message
APPLICATION_DATA = 23
SERVER_KEY_EXCHANGE = 12
A_DAY = 86_400
CREDIBLE = 0.1  # a clock with less confidence is left to the JSON

_CN = re.compile(r"(?:^|[,+])\s*(CN=(?:\\.|[^,+\\])*)", re.IGNORECASE)


class Step(NamedTuple):
    """One arrow: who sent what, and where and when it was seen; ``messages`` are those that each label stands for.

    ``words`` are what may stand behind each label, the longest first.
    """

    kind: Literal["message", "record", "alert", "close"]
    sender: Side
    position: Position | None
    time: int | None
    labels: tuple[str, ...]
    remark: Span = ("", "")
    style: str = ""
    messages: tuple[tuple[HandshakeMessage, ...], ...] = ()
    words: tuple[tuple[str, ...], ...] = ()


def ladder(connection: Connection, width: int) -> list[Line]:
    """Return the ladder in lines of at most ``width`` cells; a connection without messages has none."""
    all_steps = steps(connection)
    if not all_steps:
        return []
    shown = all_steps if len(all_steps) <= MOST_STEPS else [*all_steps[:HEAD], *all_steps[-TAIL:]]
    shown = [step._replace(words=tuple(_words(one, connection) for one in step.messages)) for step in shown]
    sheet = _Sheet(connection, shown, width)
    lines = [sheet.header()]
    before = opening(connection)
    if before:
        lines.append([(" " * sheet.lane_at + cut(before, sheet.lane), "dim")])
    for number, step in enumerate(shown):
        if number == HEAD and len(shown) < len(all_steps):
            lines.append([(" " * sheet.lane_at + f"… {len(all_steps) - len(shown)} more …", "dim")])
        lines += sheet.lines(step)
    return lines


def steps(connection: Connection) -> list[Step]:
    """Return what is drawn, in order: flights of messages, unread records, alerts, the closing."""
    found: list[Step] = []
    for step in _singles(connection):
        last = found[-1] if found else None
        if last is not None and _together(last, step):
            style = last.style if last.style == step.style else ""
            found[-1] = last._replace(
                labels=last.labels + step.labels,
                remark=step.remark,
                style=style,
                messages=last.messages + step.messages,
            )
        else:
            found.append(step)
    return [_counted(step) for step in found]


def common_name(subject: str | None) -> str | None:
    """Return the "CN=…" of a name in RFC 4514 text, or the whole name where it has none."""
    found = _CN.search(subject or "")
    return escape(found[1]) if found else escape(subject) if subject else None


class _Sheet:
    """The columns of one ladder: how wide they are and how a step is put into them."""

    def __init__(self, connection: Connection, shown: Sequence[Step], width: int) -> None:
        self.start = connection.start
        in_lines = any(step.position and step.position.frame is None for step in shown)
        self.unit = "line" if in_lines else "frame"
        self.decimals = _decimals(self.start, shown)
        self.place_width = max([5, *(len(_place(step)) for step in shown)])
        self.time_width = max([6, *(len(self._milliseconds(step.time)) + 3 for step in shown)])
        self.timed = any(self._milliseconds(step.time) for step in shown)
        self.timed &= width - INDENT - self.place_width - self.time_width - 4 >= UNTIMED
        self.lane_at = INDENT + self.place_width + (self.time_width if self.timed else 0) + 4
        self.lane, self.remarks_beside = _lane(shown, width - self.lane_at)

    def header(self) -> Line:
        """Return the line over the columns."""
        time = f"{'+ms':>{self.time_width}}" if self.timed else ""
        sides = "client" + " " * (self.lane - 12) + "server"
        return [(" " * INDENT + f"{self.unit:>{self.place_width}}{time}    {sides}", "dim")]

    def lines(self, step: Step) -> list[Line]:
        """Return the lines of one step: labels that do not fit beside each other stand below each other."""
        labels = _joined(_shortened(step, self.lane), self.lane)
        pointing = len(labels) - 1 if step.sender == "client" else 0
        lines: list[Line] = []
        for number, label in enumerate(labels):
            lines.append(self._gutter(step if number == 0 else None))
            lines[-1] += self._rung(step, label, number == pointing)
        remark, style = step.remark
        if remark and self.remarks_beside:
            lines[pointing].append(("   " + remark, style))
        elif remark:
            lines.append([*self._gutter(None), *self._aside(step)])
        return lines

    def _gutter(self, step: Step | None) -> Line:
        """Return frame and time, or the blanks below them."""
        place = _place(step) if step else ""
        time = self._milliseconds(step.time) if step else ""
        columns = f"{place:>{self.place_width}}" + (f"{time:>{self.time_width}}" if self.timed else "")
        return [(" " * INDENT + columns + " " * 4, "dim")]

    def _rung(self, step: Step, label: Line, pointing: bool) -> Line:
        """Return one line of a step within the lane, with the arrow or without."""
        room = self.lane - line_cells(label)
        if not pointing:
            return merged(label if step.sender == "client" else [(" " * room, step.style), *label])
        shaft = ("━" if step.kind == "alert" else "─") * (room - 2)
        arrow = step.style or "dim"
        if step.sender == "client":
            return [*merged([*label, (" ", step.style)]), (shaft + "▶", arrow)]
        return [("◀" + shaft, arrow), *merged([(" ", step.style), *label])]

    def _aside(self, step: Step) -> Line:
        """Return a remark on a line of its own, below the side it is about."""
        remark = cut(step.remark[0], self.lane)
        blank = " " * (self.lane - cells(remark)) if step.sender == "server" else ""
        return [(blank + remark, step.remark[1])]

    def _milliseconds(self, time: int | None) -> str:
        """Return the time since the connection's start in milliseconds."""
        if time is None or self.start is None:
            return ""
        return f"{(time - self.start) / 1e6:.{self.decimals}f}"


def opening(connection: Connection) -> str:
    """Return what was spoken before TLS and how far: "smtp STARTTLS until frame 12", or that TLS was declined."""
    preamble, protocol = connection.preamble, connection.protocol
    if preamble is None or protocol is None:
        return ""
    asked = f"{escape(protocol)} {preamble.command}".rstrip()
    if preamble.refusal is not None:
        return f"{asked}, declined in frame {_number(preamble.refused)}"
    return f"{asked} until frame {_number(preamble.until)}"


def _lane(shown: Sequence[Step], room: int) -> tuple[int, bool]:
    """Return the lane's width, and whether remarks stand beside it: where that takes no more lines."""
    remarks = [cells(step.remark[0]) for step in shown if step.remark[0]]
    labels = max(cells(BETWEEN.join([*step.labels, *(words[0] for words in step.words if words)])) for step in shown)
    wanted = min(max(NARROWEST, labels + 12), WIDEST)
    below = min(room, wanted)
    beside = min(room - max(remarks, default=-3) - 3, wanted)
    if beside < NARROWEST:
        return below, False
    fewer = _height(shown, below) + len(remarks) < _height(shown, beside)
    return (below, False) if fewer else (beside, True)


def _height(shown: Sequence[Step], lane: int) -> int:
    """Return how many lines the steps take, without their remarks."""
    return sum(len(_joined(step._replace(words=()), lane)) for step in shown)


def _joined(step: Step, lane: int) -> list[Line]:
    """Return a step's labels in lines that leave room for an arrow, with the words that make no more lines of it."""
    room = lane - 4
    between = (BETWEEN, step.style)
    pieces: list[Line] = [[(label, step.style)] for label in step.labels]
    lines = join_fitting(pieces, between, room)
    for place, choices in enumerate(step.words):
        for words in choices:
            told: Line = [*pieces[place], (" " + words, "dim")]
            if line_cells(told) + cells(BETWEEN.rstrip()) > room:
                continue  # it would be cut
            tried = join_fitting([*pieces[:place], told, *pieces[place + 1 :]], between, room)
            if len(tried) == len(lines):
                pieces[place], lines = told, tried
                break
    return lines


def _shortened(step: Step, lane: int) -> Step:
    """Return an alert without its level, or with its name alone, where the lane is too narrow for all."""
    if step.kind != "alert" or len(step.labels) != 1:
        return step
    label = step.labels[0]
    for word in (" fatal", "ALERT "):
        if cells(label) > lane - 4:
            label = label.replace(word, "", 1)
    return step._replace(labels=(label,))


def _words(messages: tuple[HandshakeMessage, ...], connection: Connection) -> tuple[str, ...]:
    """Return what is worth telling of a label's messages, the longest first; nothing where they differ in it."""
    told = {message_remark(message, connection) for message in messages}
    words = told.pop() if len(told) == 1 else None
    if not words:
        return ()
    group = words.partition(", ")[0] if messages[0].type == SERVER_KEY_EXCHANGE else words
    return tuple(cut(one, MOST_WORDS) for one in dict.fromkeys((words, group)))


def _singles(connection: Connection) -> Iterator[Step]:
    """Yield every message, record, alert and the closing as a step of its own, in order.

    Frames order them; within a frame an alert stands after the message that it names as ``after``.
    """
    messages = connection.messages
    keyed: list[tuple[tuple[int, float, int], Step]] = []
    for number, message in enumerate(messages):
        keyed.append(((_number(message.position), number, 0), _of_message(message, connection)))
    taken = {(alert.sender, alert.position) for alert in connection.alerts if alert.encrypted}
    taken |= {(message.sender, message.position) for message in messages if message.encrypted}
    for record in connection.encrypted_records:
        if record.content_type == APPLICATION_DATA and (record.sender, record.position) not in taken:
            keyed.append(((_number(record.position), 1e9, 0), _of_record(record, connection.tls_version)))
    for alert in connection.alerts:
        keyed.append(((_number(alert.position), _rank(alert, messages), 1), _of_alert(alert)))
    closed = connection.closed
    if closed.sender is not None and closed.how != "open":
        keyed.append(((_number(closed.position) or 1 << 62, 1e9, 2), _of_closing(closed)))
    return (step for _, step in sorted(keyed, key=lambda pair: pair[0]))


def _rank(alert: Alert, messages: Sequence[HandshakeMessage]) -> float:
    """Return where an alert stands among the messages of its own frame."""
    if alert.encrypted:
        return 1e9
    place = _number(alert.position)
    for number in range(len(messages) - 1, -1, -1):
        if messages[number].message == alert.after and _number(messages[number].position) <= place:
            return number + 0.5
    return 1e9


def _together(last: Step, step: Step) -> bool:
    """Whether two steps share an arrow: messages of one frame, unread records of any; a remark ends it."""
    if step.kind != last.kind or step.sender != last.sender or last.remark[0]:
        return False
    if step.kind == "record":
        return step.labels[0] == last.labels[0]
    return step.kind == "message" and step.position == last.position


def _counted(step: Step) -> Step:
    """Return the step with equal labels in a row as "label × 3"."""
    labels: list[str] = []
    messages: list[tuple[HandshakeMessage, ...]] = []
    for label, run in groupby(range(len(step.labels)), step.labels.__getitem__):
        places = list(run)
        labels.append(f"{label} × {len(places)}" if len(places) > 1 else label)
        messages.append(tuple(chain.from_iterable(step.messages[places[0] : places[-1] + 1])))
    return step._replace(labels=tuple(labels), messages=tuple(messages))


def _of_message(message: HandshakeMessage, connection: Connection) -> Step:
    label = escape(message.message)
    if message.message in ("certificate", "compressed_certificate"):
        label += _whose(message, connection)
    style = "dim" if message.message == "encrypted_handshake" else ""
    remark = _clock_remark(message, connection)
    return Step("message", message.sender, message.position, message.time, (label,), remark, style, ((message,),))


def _whose(message: HandshakeMessage, connection: Connection) -> str:
    """Return whose certificate it is, or " (empty)" for a message without any.

    An empty certificate_list is three bytes of length, in TLS 1.3 after one of context (RFC 8446 §4.4.2).
    """
    chain = connection.certificates.client if message.sender == "client" else connection.certificates.server
    if not chain:
        return " (empty)" if message.length in (3, 4) and not message.cut else ""
    name = common_name(chain[0].subject)
    return " " + cut(name, 28) if name else ""


def _clock_remark(message: HandshakeMessage, connection: Connection) -> Span:
    """Return what the sender's clock says, at the hello that shows it, in colour where it is a day off."""
    clock = credible(connection.clocks.server if message.sender == "server" else connection.clocks.client)
    hello = message.message == f"{message.sender}_hello"
    if clock is None or not hello or "random" not in clock.source:
        return "", ""
    if clock.position is not None and clock.position != message.position:
        return "", ""
    what = "clock" if clock.confidence >= 0.5 else "perhaps a clock"
    return f"{what} in random {clock_text(clock)}", "warn" if abs(clock.skew_seconds) > A_DAY else "dim"


def credible(clock: Clock | None) -> Clock | None:
    """Return the clock if it is worth showing: any random number reads as some time."""
    return clock if clock is not None and clock.confidence >= CREDIBLE else None


def clock_text(clock: Clock) -> str:
    """Return a clock's time to the second: "2015-03-12 05:41:50"."""
    return rfc3339(clock.time, 0)[:-1].replace("T", " ")


def _of_record(record: EncryptedRecord, version: str | None) -> Step:
    unknown = version is not None and "1.3" in version and not record.decrypted  # there it may be anything
    label = "encrypted" if unknown else "application_data"
    return Step("record", record.sender, record.position, record.time, (label,), style="dim")


def _of_alert(alert: Alert) -> Step:
    goodbye = alert.code == 0 or alert.inferred == "close_notify"
    style = "" if goodbye else "alert" if alert.fatal or alert.description is None else "warn"
    label = "ALERT " + alert_words(alert)
    return Step("alert", alert.sender, alert.position, alert.time, (label,), style=style)


def _of_closing(closed: Closing) -> Step:
    sender: Side = closed.sender or "client"
    style = "warn" if closed.how == "rst" else "dim"
    return Step("close", sender, closed.position, closed.time, (closed.how.upper(),), style=style)


def _decimals(start: int | None, shown: Sequence[Step]) -> int:
    """Return 1 where everything is over within ten milliseconds, else 0."""
    times = [step.time - start for step in shown if step.time is not None and start is not None]
    return 1 if times and max(times) < 10_000_000 else 0


def _place(step: Step) -> str:
    """Return the frame's or line's number as text."""
    number = _number(step.position)
    return str(number) if number else ""


def _number(position: Position | None) -> int:
    """Return a position's number, 0 where there is none."""
    if position is None:
        return 0
    return position.frame or position.line or 0
