"""Results as JSON: written with one row a line, so that git shows a changed answer as one changed line; read back.

What is read may come from strangers: it is checked field by field, and an error says which field is wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar, cast

from tlsalert.errors import CaptureError
from tlsalert.model import Alternative, Evidence, Position, Side, Verdict
from tlsalert.replay.outcome import STAGES, Stage
from tlsalert.replay.result import (
    KINDS,
    AlertSaid,
    ClockTold,
    FindingTold,
    HelloTold,
    How,
    Kind,
    Result,
    Row,
    StackTold,
)

#: The first key of every result. The number after the slash grows when a reader of the older form would be misled.
SCHEMA = "tlsalert.replay/1"
_FAMILY = SCHEMA.partition("/")[0]

MAX_BYTES = 64 << 20
MAX_ROWS = 100_000

Object = Mapping[str, object]
_Word = TypeVar("_Word", bound=str)
_SIDES: tuple[Side, ...] = ("client", "server")
_OUTCOMES: tuple[Literal["established", "failed", "incomplete", "not_tls"], ...] = (
    "established",
    "failed",
    "incomplete",
    "not_tls",
)
_FAULTS: tuple[Literal["client", "server", "network"], ...] = ("client", "server", "network")
_HOWS: tuple[How, ...] = ("fin", "rst")


def write(result: Result) -> str:
    """Return the result as JSON that ends in a newline."""
    from tlsalert.render.rows import verdict_row

    hello = {"name": result.hello.name, "lost": list(result.hello.lost)}
    clock, stack = result.clock, result.stack
    fields: list[tuple[str, object]] = [
        ("schema", SCHEMA),
        ("target", result.target),
        ("hello", hello),
        ("results", [row_json(row) for row in result.rows]),
        ("trusts", list(result.trusts)),
        ("stack", stack and _stack_json(stack)),
        ("findings", [{"topic": one.topic, "says": one.says, "alarming": one.alarming} for one in result.findings]),
        ("notes", list(result.notes)),
        ("clock", clock and _clock_json(clock)),
        ("verdict", verdict_row(result.verdict)),
    ]
    return "{\n" + ",\n".join(f' "{name}": {_value(value)}' for name, value in fields) + "\n}\n"


def row_json(row: Row) -> dict[str, object]:
    """Return one row with DESIGN's keys."""
    alert = row.alert
    return {
        "variant": row.variant,
        "tls_version": row.tls_version,
        "outcome": row.outcome,
        "alert": alert
        and {"code": alert.code, "description": alert.description, "level": alert.level, "from": alert.sender},
        "how": row.how,
        "stage": row.stage,
        "note": row.note,
    }


def read_file(path: str) -> Result:
    """Read a result's file. Raises :class:`CaptureError`, with the file's name in it."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CaptureError(f"cannot be read: {error.strerror}", path) from None
    if len(data) > MAX_BYTES:
        raise CaptureError("is too long for a replay's result", path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CaptureError("is no text: a replay's result is JSON in UTF-8", path) from None
    return read(text, path)


def read(text: str, source: str) -> Result:
    """Read a result. Raises :class:`CaptureError` where ``text`` is no JSON, no result, or of a newer form."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CaptureError(f"is no JSON: {error}", source, "it may be cut off: write it again") from None
    except RecursionError:
        raise CaptureError("is JSON nested deeper than any result", source) from None
    return _Reading(source).result(value)


def read_row(value: object, source: str) -> Row:
    """Read what :func:`row_json` gave. Raises as :func:`read`."""
    return _Reading(source).row(value, "row")


def _value(value: object) -> str:
    """Return a value on one line, a list of objects with each on a line of its own."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join("  " + _line(one) for one in value) + "\n ]"
    return _line(value)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\u2028", "\\u2028")


def _clock_json(clock: ClockTold) -> dict[str, object]:
    return {
        "time": clock.time,
        "error_seconds": clock.error_seconds,
        "skew_seconds": clock.skew_seconds,
        "says": clock.says,
    }


def _stack_json(stack: StackTold) -> dict[str, object]:
    differs = list(stack.differs)
    return {"name": stack.name, "agreement": stack.agreement, "differs": differs, "says": stack.says}


class _Reading:
    """Reads one result; each method raises with the name of the field that is wrong."""

    def __init__(self, source: str) -> None:
        self._source = source

    def result(self, value: object) -> Result:
        """Read the whole. What is not needed for comparing may be missing: other programs write results too."""
        if not isinstance(value, dict) or not _is_result(value):
            mend = "write one with tlsalert replay --format json -o FILE"
            raise CaptureError("is no result of tlsalert replay", self._source, mend)
        if value.get("schema", SCHEMA) != SCHEMA:
            raise CaptureError(f"has the form {value['schema']!r}, this is for {SCHEMA!r}", self._source, "update it")
        value = {"notes": [], "findings": [], "trusts": [], **value}
        hello = self._object(value, "hello")
        rows = self._list(value, "results")
        if len(rows) > MAX_ROWS:
            raise self._wrong("results", f"has more than {MAX_ROWS} entries")
        read_rows = tuple(self.row(one, f"results[{number}]") for number, one in enumerate(rows))
        seen: set[tuple[str, str]] = set()
        for number, row in enumerate(read_rows):
            if row.place in seen:
                raise self._wrong(f"results[{number}]", f"is {row.variant} in {row.tls_version} for the second time")
            seen.add(row.place)
        return Result(
            self._text(value, "target"),
            HelloTold(self._text(hello, "name", "hello"), self._texts(hello, "lost", "hello")),
            read_rows,
            self._verdict(value),
            self._clock(value),
            self._stack(value),
            self._texts(value, "trusts"),
            self._texts(value, "notes"),
            self._findings(value),
        )

    def row(self, value: object, at: str) -> Row:
        """Read one row."""
        if not isinstance(value, dict):
            raise self._wrong(at, "is no object")
        alert = None
        if value.get("alert") is not None:
            said = self._object(value, "alert", at)
            inner = f"{at}.alert"
            code = said.get("code")
            if code is not None and (not isinstance(code, int) or isinstance(code, bool) or not 0 <= code <= 255):
                raise self._wrong(f"{inner}.code", "is no number from 0 to 255")
            sender = self._word(said, "from", _SIDES, inner)
            alert = AlertSaid(code, self._maybe(said, "description", inner), self._maybe(said, "level", inner), sender)
        kind: Kind = self._word(value, "outcome", KINDS, at)
        stage: Stage = self._word(value, "stage", STAGES, at)
        how: How | None = None if value.get("how") is None else self._word(value, "how", _HOWS, at)
        variant, version = self._text(value, "variant", at), self._text(value, "tls_version", at)
        return Row(variant, version, kind, alert, how, stage, self._maybe(value, "note", at))

    def _verdict(self, value: Object) -> Verdict | None:
        if value.get("verdict") is None:
            return None
        at = "verdict"
        said = self._object(value, at)
        side = None if said.get("refused_by") is None else self._word(said, "refused_by", _SIDES, at)
        fault = None if said.get("at_fault") is None else self._word(said, "at_fault", _FAULTS, at)
        evidence = [one for one in self._list(said, "evidence", at) if isinstance(one, dict)]
        others = [one for one in self._list(said, "alternatives", at) if isinstance(one, dict)]
        return Verdict(
            self._word(said, "outcome", _OUTCOMES, at),
            self._text(said, "summary", at),
            side,
            self._maybe(said, "cause", at),
            self._number(said, "confidence", at),
            fault,
            said.get("alert_lost") is True,
            tuple(Evidence(_position(one.get("position")), self._text(one, "says", at)) for one in evidence),
            self._texts(said, "advice", at),
            tuple(Alternative(self._text(one, "cause", at), self._number(one, "confidence", at)) for one in others),
        )

    def _clock(self, value: Object) -> ClockTold | None:
        if value.get("clock") is None:
            return None
        at = "clock"
        said = self._object(value, at)
        error = None if said.get("error_seconds") is None else self._number(said, "error_seconds", at)
        skew = None if said.get("skew_seconds") is None else self._number(said, "skew_seconds", at)
        return ClockTold(self._maybe(said, "time", at), error, self._text(said, "says", at), skew)

    def _stack(self, value: Object) -> StackTold | None:
        if value.get("stack") is None:
            return None
        said = self._object(value, "stack")
        return StackTold(
            self._text(said, "name", "stack"),
            self._number(said, "agreement", "stack"),
            self._texts(said, "differs", "stack"),
            self._text(said, "says", "stack"),
        )

    def _findings(self, value: Object) -> tuple[FindingTold, ...]:
        found = [one for one in self._list(value, "findings") if isinstance(one, dict)]
        at = "findings"
        return tuple(
            FindingTold(self._text(one, "topic", at), self._text(one, "says", at), one.get("alarming") is True)
            for one in found
        )

    def _object(self, holder: Object, name: str, at: str = "") -> dict[str, object]:
        value = holder.get(name)
        if not isinstance(value, dict):
            raise self._wrong(_path(at, name), "is missing or no object")
        return value

    def _list(self, holder: Object, name: str, at: str = "") -> Sequence[object]:
        value = holder.get(name)
        if not isinstance(value, list):
            raise self._wrong(_path(at, name), "is missing or no list")
        return value

    def _text(self, holder: Object, name: str, at: str = "") -> str:
        value = holder.get(name)
        if not isinstance(value, str):
            raise self._wrong(_path(at, name), "is missing or no text")
        return value

    def _maybe(self, holder: Object, name: str, at: str) -> str | None:
        return None if holder.get(name) is None else self._text(holder, name, at)

    def _texts(self, holder: Object, name: str, at: str = "") -> tuple[str, ...]:
        values = self._list(holder, name, at)
        if not all(isinstance(one, str) for one in values):
            raise self._wrong(_path(at, name), "is no list of texts")
        return tuple(cast("Sequence[str]", values))

    def _number(self, holder: Object, name: str, at: str) -> float:
        value = holder.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._wrong(_path(at, name), "is missing or no number")
        return float(value)

    def _word(self, holder: Object, name: str, words: tuple[_Word, ...], at: str) -> _Word:
        value = holder.get(name)
        for word in words:
            if value == word:
                return word
        raise self._wrong(_path(at, name), "is not one of " + ", ".join(words))

    def _wrong(self, at: str, what: str) -> CaptureError:
        return CaptureError(f"{at} {what}", self._source, "it is damaged, or no result of tlsalert replay")


def _is_result(value: Object) -> bool:
    """Whether it says that it is a result, or looks like one."""
    said = value.get("schema")
    return str(said).startswith(_FAMILY + "/") if said is not None else {"target", "results"} <= value.keys()


def _path(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _position(value: object) -> Position | None:
    if not isinstance(value, dict):
        return None
    frame, line = value.get("frame"), value.get("line")
    return Position(frame if isinstance(frame, int) else None, line if isinstance(line, int) else None)
