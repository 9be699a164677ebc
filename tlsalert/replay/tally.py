"""From the attempts of a run to its rows: what was stable, what was flaky, and where the order mattered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from tlsalert.replay.compare import short_answer
from tlsalert.replay.outcome import NotTried
from tlsalert.replay.result import Row, row_of
from tlsalert.replay.runner import GIVE_UP, Attempt, Cell, Run

#: The note of rows that a few handshakes stand for.
BEFORE_ANY = "refused before any certificate: a few handshakes stand for all"


def rows(run: Run) -> tuple[Row, ...]:
    """Return one row for each variant and version of the plan, in its order; what was not tried says why."""
    made = _by_cell(run)
    return tuple(_row(run, cell, made.get(cell, ())) for cell in run.plan.cells())


def notes(run: Run) -> tuple[str, ...]:
    """Return what is to be told of the run as a whole."""
    return tuple(_notes(run))


def order_matters(run: Run) -> tuple[Cell, ...]:
    """Return the cells that are stable within each order and differ between them."""
    return tuple(cell for cell, attempts in _by_cell(run).items() if _by_order(attempts) is not None)


def flaky(run: Run) -> tuple[Cell, ...]:
    """Return the cells that were answered in more than one way within one order."""
    return tuple(
        cell
        for cell, attempts in _by_cell(run).items()
        if _by_order(attempts) is None and len({_seen(one).answer for one in attempts}) > 1
    )


def _notes(run: Run) -> Iterator[str]:
    made = len(run.attempts)
    if run.ended == "interrupted":
        yield f"interrupted after {made} of {len(run.plan)} handshakes"
    if run.ended == "unreachable":
        yield f"the target could not be reached {GIVE_UP} times in a row and was left alone"
    for name, cells in (("answered in more than one way", flaky(run)), ("the order matters for", order_matters(run))):
        if cells:
            yield f"{name}: " + ", ".join(_places(cells))


def _places(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield each variant with its versions: "expired (TLS 1.2, TLS 1.3)"."""
    for variant, group in groupby(sorted(cells), lambda cell: cell[0]):
        yield f"{variant} ({', '.join(version for _, version in group)})"


def _by_cell(run: Run) -> dict[Cell, list[Attempt]]:
    """Return each cell's attempts, in the order of the plan's steps: threads end in another one each time."""
    found: dict[Cell, list[Attempt]] = {}
    for attempt in sorted(run.attempts, key=lambda one: (one.step.order, one.step.repetition)):
        found.setdefault(attempt.step.cell, []).append(attempt)
    return found


def _row(run: Run, cell: Cell, attempts: Sequence[Attempt]) -> Row:
    variant, version = cell
    if version in run.unspoken and variant not in run.plan.not_tried:
        trial = run.unspoken[version]
        return row_of(variant, version, trial.outcome, BEFORE_ANY)
    if not attempts:
        return row_of(variant, version, run.plan.not_tried.get(variant) or NotTried(_why(run)))
    seen = [_seen(one) for one in attempts]
    counted = Counter(row.answer for row in seen)
    if len(counted) == 1:
        return seen[0]
    most = max(counted.values())
    chosen = next(row for row in seen if counted[row.answer] == most)  # the earliest of the most frequent
    by_order = _by_order(attempts)
    told = _in_orders(by_order) if by_order is not None else _in_numbers(seen)
    return replace(chosen, note="; ".join(part for part in (chosen.note, told) if part))


def _why(run: Run) -> str:
    if run.ended == "unreachable":
        return "the target could not be reached any more"
    return "the run was interrupted" if run.ended == "interrupted" else "it was not asked for"


def _seen(attempt: Attempt) -> Row:
    trial = attempt.trial
    note = f"alert lost in {attempt.tries} tries" if attempt.tries > 1 and trial.outcome.kind == "closed" else None
    note = "; ".join(part for part in (trial.note, note) if part) or None
    return row_of(trial.variant, trial.tls_version, trial.outcome, note)


def _by_order(attempts: Sequence[Attempt]) -> dict[int, Row] | None:
    """Return each order's answer where each order has one of its own and they differ."""
    answers: dict[int, Row] = {}
    for attempt in attempts:
        row = _seen(attempt)
        if answers.setdefault(attempt.step.order, row).answer != row.answer:
            return None
    return answers if len({row.answer for row in answers.values()}) > 1 else None


def _in_orders(answers: dict[int, Row]) -> str:
    return "depends on the order: " + ", ".join(f"{short_answer(row)} in order {n}" for n, row in answers.items())


def _in_numbers(seen: Sequence[Row]) -> str:
    """Return how often each answer came, the most frequent first."""
    first = {row.answer: short_answer(row) for row in reversed(seen)}
    told = ", ".join(f"{first[answer]} {many}×" for answer, many in Counter(row.answer for row in seen).most_common())
    return f"flaky: {told}"
