"""Connections as compact data for the report's script, which draws a connection when somebody opens it.

Most connections of a capture resemble others: their certificates, verdicts, the shape of their ladders and the fields
of their messages are told once, in pools, and named by number. What is a connection's own are frames, times and
randoms. A report has limits; what is beyond them is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from tlsalert.model import Certificate, Clock, Connection, Verdict
from tlsalert.render.encoded import encoded
from tlsalert.render.fields import message_remark
from tlsalert.render.html.page import safe, script_json, shown
from tlsalert.render.ladder import Step, opening, steps
from tlsalert.render.names import alert_words, deciding_alert
from tlsalert.render.picture.said import said
from tlsalert.render.picture.timeline import connection_timeline
from tlsalert.render.rows import Row, certificate_row, request_row
from tlsalert.render.timeline import judged_certificate

#: Connections, and bytes of data, that one report holds: a browser still opens it in seconds.
MOST_CONNECTIONS = 100_000
MOST_BYTES = 200 << 20

#: Steps of one ladder, from its beginning and its end.
HEAD, TAIL = 40, 20

#: What of a message's fields is new in each connection.
OWN_FIELDS = ("random", "session_id", "verify_data")

#: A value with a longer text is known by its hash.
LONGEST_KEY = 512

SIDES = {"client": 0, "server": 1}


class Pool:
    """Values that are told once and named by number."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.size = 0
        self._places: dict[object, int] = {}

    def known(self, key: object) -> int | None:
        """Return the number of what was kept under ``key``."""
        return self._places.get(key)

    def keep(self, key: object, value: object) -> int:
        """Keep a value under a key, made safe to show, and return its number."""
        text = script_json(safe(value))
        place = len(self.texts)
        self.texts.append(text)
        self.size += len(text)
        self._places[key] = place
        return place

    def ref(self, value: object) -> int:
        """Return the number of a value, kept by what it says."""
        said = encoded(value)
        key = said if len(said) <= LONGEST_KEY else sha256(said.encode()).digest()
        place = self._places.get(key)
        return self.keep(key, value) if place is None else place


@dataclass
class Pack:
    """All connections of a report as JSON, as far as the limits go; ``left_out`` counts the others."""

    most: int = MOST_CONNECTIONS
    most_bytes: int = MOST_BYTES
    left_out: int = 0
    connections: list[str] = field(default_factory=list)
    _size: int = 0

    def __post_init__(self) -> None:
        self.words, self.certificates, self.fields = Pool(), Pool(), Pool()
        self.ladders, self.verdicts, self.others = Pool(), Pool(), Pool()

    @property
    def size(self) -> int:
        """Characters of JSON so far."""
        pools = (self.words, self.certificates, self.fields, self.ladders, self.verdicts, self.others)
        return self._size + sum(pool.size for pool in pools)

    def add(self, connection: Connection) -> int | None:
        """Take in a connection and return its number in the report, None where there is no more room."""
        if len(self.connections) >= self.most or self.size >= self.most_bytes:
            self.left_out += 1
            return None
        text = script_json(self._row(connection))
        self.connections.append(text)
        self._size += len(text)
        return len(self.connections) - 1

    def chunks(self) -> Iterator[str]:
        """Yield the whole as one JSON object, piece by piece."""
        pools = {
            "words": self.words.texts,
            "certificates": self.certificates.texts,
            "fields": self.fields.texts,
            "ladders": self.ladders.texts,
            "verdicts": self.verdicts.texts,
            "others": self.others.texts,
            "connections": self.connections,
        }
        before = "{"
        for name, texts in pools.items():
            yield f'{before}"{name}":['
            for at in range(0, len(texts), 1000):
                yield (",\n" if at else "") + ",\n".join(texts[at : at + 1000])
            yield "]"
            before = ",\n"
        yield "}"

    def _row(self, connection: Connection) -> list[object]:
        """Return a connection's own values, in the order that the script knows (``FIELDS`` there)."""
        verdict = connection.verdict or Verdict("incomplete", "")
        alert = deciding_alert(connection.alerts)
        ladder, places, times, own, remarks = self._ladder(connection)
        bars, marks = connection_timeline(connection)
        judged = judged_certificate(connection)
        request = connection.certificate_request
        duration = None if connection.start is None or connection.end is None else connection.end - connection.start
        row: list[object] = [
            connection.connection,
            self._word(connection.source),
            self._word(None if connection.client is None else str(connection.client)),
            self._word(None if connection.server is None else str(connection.server)),
            _micros(connection.start),
            _micros(duration),
            self._word(connection.tls_version),
            self._word(connection.cipher_suite),
            self._word(connection.server_name),
            self._word(connection.alpn),
            self._verdict(verdict),
            [_place(one.position) for one in verdict.evidence],
            self._word(None if alert is None else alert_words(alert)),
            ladder,
            places,
            times,
            [self._certificate(one) for one in connection.certificates.client],
            [self._certificate(one) for one in connection.certificates.server],
            [[mark.name, _micros(mark.time), mark.kind, int(mark.judge)] for mark in marks] if bars else [],
            None if judged is None or not bars else self._certificate(judged),
            own,
            remarks,
            None if request is None else self.others.ref(request_row(request)),
            None if not connection.notes else self.others.ref(list(connection.notes)),
            self.others.ref(_facts(connection)),
            _clocks(connection),
        ]
        while row and row[-1] in (None, []):
            row.pop()
        return row

    def _word(self, text: str | None) -> int | None:
        if text is None:
            return None
        place = self.words.known(text)
        return self.words.keep(text, text) if place is None else place

    def _certificate(self, one: Certificate) -> int:
        place = self.certificates.known(one.sha256)
        if place is not None:
            return place
        row = certificate_row(one) | {
            "ca": one.ca,
            "path_length": one.path_length,
            "version": one.version,
            "key_identifier": one.key_identifier,
            "issuer_key_identifier": one.issuer_key_identifier,
        }
        return self.certificates.keep(one.sha256, row)

    def _verdict(self, verdict: Verdict) -> int:
        """Return the number of a verdict, without the places of its evidence."""
        key = (verdict.summary, verdict.cause, verdict.confidence, tuple(one.says for one in verdict.evidence))
        key_all = (key, verdict.outcome, verdict.refused_by, verdict.at_fault, verdict.advice, verdict.alternatives)
        place = self.verdicts.known(key_all)
        if place is not None:
            return place
        row: Row = {
            "outcome": verdict.outcome,
            "refused_by": verdict.refused_by,
            "cause": verdict.cause,
            "confidence": round(verdict.confidence, 3),
            "at_fault": verdict.at_fault,
            "alert_lost": verdict.alert_lost,
            "summary": verdict.summary,
            "says": [one.says for one in verdict.evidence],
            "advice": list(verdict.advice),
            "alternatives": [[one.cause, round(one.confidence, 3)] for one in verdict.alternatives],
        }
        return self.verdicts.keep(key_all, row)

    def _ladder(self, connection: Connection) -> tuple[int, list[object], list[object], list[object], list[object]]:
        """Return the number of the ladder's shape, then what is the connection's own.

        That is the steps' frames and times in microseconds since its start, fields ``[step, label, {…}]`` and remarks
        ``[step, text, style]``.
        """
        every = steps(connection)
        shown_steps = every if len(every) <= HEAD + TAIL else [*every[:HEAD], *every[-TAIL:]]
        shape: list[object] = []
        own: list[object] = []
        remarks: list[object] = []
        for number, step in enumerate(shown_steps):
            labels: list[object] = []
            for place, label in enumerate(step.labels):
                told, mine = self._label(label, step, place, connection)
                labels.append(told)
                if mine:
                    own.append([number, place, mine])
            shape.append([step.kind, SIDES[step.sender], step.style, labels])
            if step.remark[0]:
                remarks.append([number, shown(step.remark[0]), step.remark[1]])
        in_lines = any(step.position and step.position.frame is None for step in shown_steps)
        whole = [shape, len(every) - len(shown_steps), HEAD, "line" if in_lines else "frame"]
        start = connection.start
        times: list[object] = [
            None if step.time is None or start is None else (step.time - start) // 1000 for step in shown_steps
        ]
        return self.ladders.ref(whole), [_place(step.position) for step in shown_steps], times, own, remarks

    def _label(self, label: str, step: Step, place: int, connection: Connection) -> tuple[list[object], Row]:
        """Return a label's shape ``[text, remark, bytes, encrypted, fields]``, and the fields that are its own."""
        messages = step.messages[place] if step.messages else ()
        if not messages:
            return [label, None, None, 0, None], {}
        first = messages[0]
        remark = message_remark(first, connection) if len(messages) == 1 else None
        fields = dict(said(first, connection) or {}) if len(messages) == 1 else {}
        mine = {name: fields.pop(name) for name in OWN_FIELDS if name in fields}
        ref = self.fields.ref(fields) if fields else None
        size = sum(message.length for message in messages)
        told: list[object] = [label, remark, size, int(first.encrypted), ref]
        return told, {name: value for name, value in mine.items() if value}


def _facts(connection: Connection) -> Row:
    """Return what else is known of a connection, as its facts are listed."""
    return {
        "protocol": opening(connection) or connection.protocol,
        "transport": None if connection.transport == "tcp" else connection.transport,
        "resumed": "yes" if connection.resumed else None,
        "ja3": connection.ja3,
        "ja3s": connection.ja3s,
        "ja4": connection.ja4,
    }


def _clocks(connection: Connection) -> list[object]:
    """Return the server's and the client's clock as ``[microseconds, how it is known, skew, confidence]``."""
    clocks = connection.clocks
    return [_clock(clocks.server), _clock(clocks.client)] if clocks.server or clocks.client else []


def _clock(clock: Clock | None) -> list[object] | None:
    if clock is None:
        return None
    return [_micros(clock.time), shown(clock.source), round(clock.skew_seconds), round(clock.confidence, 2)]


def _micros(time: int | None) -> int | None:
    """Return whole microseconds, which a script's numbers hold without a loss."""
    return None if time is None else time // 1000


def _place(position: object) -> int | None:
    frame = getattr(position, "frame", None)
    line: int | None = getattr(position, "line", None)
    return line if frame is None else frame
