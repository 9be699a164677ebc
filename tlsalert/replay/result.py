"""What a replay found, as plain values: they are written as JSON that git diffs well, read back, and compared.

    result = load_result("firmware-3.90.json")
    for change in result.compare(load_result("firmware-3.88.json")).changes: print(change)

The rows hold no times and nothing random, and stand in the order of the catalogue, whatever order they were tried in.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from tlsalert.model import Alert, Side, Verdict
from tlsalert.replay.outcome import Accepted, Closed, NotTried, Outcome, Refused, Silent, Stage, Unreachable

if TYPE_CHECKING:
    from tlsalert.render.notebook.plain import Page
    from tlsalert.replay.compare import Comparison

Kind = Literal["accepted", "refused", "closed", "silent", "unreachable", "not_tried"]
How = Literal["fin", "rst"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LOST = "an alert was probably sent and lost in the reset"
GAVE_UP = "the client gave up"


@dataclass(frozen=True, slots=True)
class AlertSaid:
    """An alert by its number and names; all three are None where it could not be read."""

    code: int | None
    description: str | None
    level: str | None
    sender: Side

    def __str__(self) -> str:
        if self.code is None:
            return "an unreadable alert"
        name = (self.description or "unlisted").partition("(")[0]
        return f"{name} ({self.code})"


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one variant in one TLS version. ``note`` says what the other fields have no place for."""

    variant: str
    tls_version: str
    outcome: Kind
    alert: AlertSaid | None = None
    how: How | None = None
    stage: Stage = "connect"
    note: str | None = None

    @property
    def place(self) -> tuple[str, str]:
        """What the row is about: the variant and the TLS version."""
        return self.variant, self.tls_version

    @property
    def answer(self) -> tuple[object, ...]:
        """What is compared: everything but the notes, save where only a note tells how it was refused."""
        if self.outcome == "not_tried":
            return ("not_tried",)  # why is no property of the device
        spoken = self.note if self.outcome == "refused" and self.alert is None else None
        return self.outcome, self.alert, self.how, self.stage, spoken


@dataclass(frozen=True, slots=True)
class HelloTold:
    """Which ClientHello was sent, and in words what of it could not be reproduced."""

    name: str
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClockTold:
    """The device's clock: ``time`` is RFC 3339 UTC, or None where it could not be found, which ``says`` explains."""

    time: str | None
    error_seconds: float | None
    says: str
    skew_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class StackTold:
    """The TLS stack that the answers resemble, the share that agrees (0 to 1), and the variants that don't.

    ``says`` tells it in words, and how sure that is.
    """

    name: str
    agreement: float
    differs: tuple[str, ...] = ()
    says: str = ""


@dataclass(frozen=True, slots=True)
class FindingTold:
    """One thing that the device checks or lets pass; ``alarming`` where it lets in whom it should not."""

    topic: str
    says: str
    alarming: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What a replay found. ``notes`` tell of what broke off, was flaky, or depended on the order.

    ``label`` is the name that comparisons use, ``by_dates`` the places of rows that the device's clock refused for
    their dates alone; neither is written.
    """

    target: str
    hello: HelloTold
    rows: tuple[Row, ...] = ()
    verdict: Verdict | None = None
    clock: ClockTold | None = None
    stack: StackTold | None = None
    trusts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[FindingTold, ...] = ()
    label: str | None = None
    by_dates: frozenset[tuple[str, str]] = frozenset()

    def row(self, variant: str, tls_version: str) -> Row | None:
        """Return the row of a variant in a TLS version ("TLS 1.2"), None where there is none."""
        return next((row for row in self.rows if row.place == (variant, tls_version)), None)

    @property
    def refused_versions(self) -> dict[str, Row]:
        """The TLS versions in which all was refused alike before a certificate was shown, each with one row of it."""
        by_version: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.outcome != "not_tried":
                by_version.setdefault(row.tls_version, []).append(row)
        return {
            version: rows[0]
            for version, rows in by_version.items()
            if len(rows) > 1 and rows[0].stage == "client_hello" and len({row.answer for row in rows}) == 1
        }

    @property
    def reached(self) -> bool:
        """Whether the target could be connected to at all, or nothing was to be tried."""
        tried = [row.outcome for row in self.rows if row.outcome != "not_tried"]
        return not tried or any(outcome != "unreachable" for outcome in tried)

    def compare(self, before: Result) -> Comparison:
        """Return what changed since ``before``, in words."""
        from tlsalert.replay.compare import compare

        return compare(before, self)

    def to_json(self) -> str:
        """Return the result as JSON, one row a line."""
        from tlsalert.replay.result_json import write

        return write(self)

    @classmethod
    def from_json(cls, text: str, source: str = "the result") -> Result:
        """Read what :meth:`to_json` wrote. Raises :class:`tlsalert.errors.CaptureError` where it is something else."""
        from tlsalert.replay.result_json import read

        return read(text, source)

    def compared_part(self) -> Result:
        """Return the result without what changes from run to run, and what is inferred from the rows."""
        return replace(self, verdict=None, clock=None, notes=(), findings=())

    def _repr_html_(self) -> str:
        from tlsalert.render.notebook.answers import result_html

        return result_html(self)

    def _repr_pretty_(self, page: Page, cycle: bool) -> None:
        from tlsalert.render.notebook.plain import show_result

        show_result(self, page)


def load_result(path: str | os.PathLike[str], label: str | None = None) -> Result:
    """Read a result that ``tlsalert replay --format json`` wrote; comparisons call it by ``label`` or its file's name.

    Raises :class:`tlsalert.errors.CaptureError` where the file cannot be read or holds something else.
    """
    from tlsalert.replay.result_json import read_file

    return replace(read_file(os.fspath(path)), label=label or _stem(os.fspath(path)))


def row_of(variant: str, tls_version: str, outcome: Outcome, note: str | None = None) -> Row:
    """Return one outcome as a row; what the outcome says in words stands before ``note``."""
    alert: AlertSaid | None = None
    how: How | None = None
    said: str | None = None
    if isinstance(outcome, Refused):
        alert = None if outcome.alert is None else _said(outcome.alert, outcome.sender)
        by_client = outcome.says is not None and outcome.sender == "client"
        said = f"{GAVE_UP}: {outcome.says}" if by_client else outcome.says
    elif isinstance(outcome, Closed):
        how = outcome.how
        said = LOST if outcome.alert_lost else None
    elif isinstance(outcome, Accepted):
        said = "the server raised no objection for as long as was waited" if outcome.proof == "silence" else None
    elif isinstance(outcome, Silent):
        said = outcome.limit or f"nothing came for {_seconds(outcome.timeout)}"
    elif isinstance(outcome, Unreachable | NotTried):
        said = outcome.why
    note = "; ".join(part for part in (said, note) if part) or None
    return Row(variant, tls_version, outcome.kind, alert, how, outcome.stage, note)  # type: ignore[arg-type]


def _said(alert: Alert, sender: Side) -> AlertSaid:
    from tlsalert.render.names import alert_level, alert_name

    return AlertSaid(alert.code, alert_name(alert), alert_level(alert), sender)


def _seconds(seconds: float) -> str:
    """Return a time without what differs from run to run."""
    return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1g} s"


def _stem(path: str) -> str:
    """Return a file's name without its folder and its ending: what a result is called."""
    name = os.path.basename(path)
    return name.removesuffix(".json") or name
