"""Pages about what a device answered: one replay's matrix, or two firmwares side by side. They need no script."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tlsalert._version import VERSION
from tlsalert.render.html import page
from tlsalert.render.replay_text import SYMBOLS, facts, untried
from tlsalert.render.story import certainty
from tlsalert.replay.compare import Comparison, short_answer
from tlsalert.replay.expectation import Expectation
from tlsalert.replay.result import Result, Row
from tlsalert.replay.words import phrase

#: What is expected of a row's variant in its version; None: nothing is.
Expected = Callable[[Row], Expectation | None]

#: The symbols in words, in the order of the legend.
WORDS = {
    "accepted": "accepted",
    "refused": "refused",
    "closed": "closed without an alert",
    "silent": "no answer",
    "unreachable": "not reached",
    "not_tried": "not tried",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One cell of a matrix: what was answered, and what should have been."""

    kind: str
    symbol: str
    words: str
    note: str | None = None
    expected: str | None = None
    changed: bool = False
    with_all: bool = False
    """Whether it changed because its TLS version did, which is told once and not for each variant."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a matrix: a variant, what it shows in words, and its answers."""

    variant: str
    meaning: str
    answers: tuple[Answer, ...]

    @property
    def changed(self) -> bool:
        """Whether any answer is another than before, for itself."""
        return any(answer.changed and not answer.with_all for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Shown:
    """One result and what was expected of it; ``complaints`` are what is not as it was expected."""

    result: Result
    expected: Expected | None = None
    whose: str = "the RFC calls for"
    complaints: Sequence[str] = ()


def replay_page(shown: Sequence[Shown]) -> str:
    """Return the page about the results of one run: matrix, verdict and what it rests on, for each target."""
    targets = ", ".join(one.result.target for one in shown[:3])
    told = page.frame(f"TLS answers of {targets}") | {
        "version": VERSION,
        "targets": [_target(one) for one in shown],
        "symbols": [(kind, SYMBOLS[kind], words) for kind, words in WORDS.items()],
    }
    return page.template("replay.html.j2").render(told)


def comparison_page(comparison: Comparison, before: Result, after: Result) -> str:
    """Return the page about two results: what changed in words, and every answer of both side by side."""
    lines = _both(before, after, comparison.versions)
    told = page.frame(f"TLS answers: {comparison.before} and {comparison.after}") | {
        "version": VERSION,
        "comparison": comparison,
        "target": after.target if after.target == before.target else f"{before.target} and {after.target}",
        "headline": _headline(comparison),
        "versions": _versions(before, after),
        "changed": [line for line in lines if line.changed],
        "same": [line for line in lines if not line.changed],
        "symbols": [(kind, SYMBOLS[kind], words) for kind, words in WORDS.items()],
    }
    return page.template("compare.html.j2").render(told)


def _target(shown: Shown) -> dict[str, object]:
    """Return what the page says about one result."""
    result = shown.result
    tried = [row for row in result.rows if row.outcome != "not_tried"]
    as_such = result.refused_versions
    versions = [version for version in _versions(result) if version not in as_such]
    lines = _matrix(result, versions, shown.expected)
    verdict = result.verdict
    known = [(label, texts) for label, texts in facts(result) if texts]
    if verdict is not None:
        known += [("seen", [one.says for one in verdict.evidence]), ("do", [*verdict.advice])]
        if verdict.cause not in (None, "normal_close"):
            known.append(("certain", [certainty(verdict)]))
    known.append(("note", [*result.notes]))
    return {
        "result": result,
        "hello": result.hello,
        "headline": verdict.summary if verdict is not None else f"{len(tried)} answers of {result.target}",
        "tried": len(tried),
        "as_such": [(version, _answer(row)) for version, row in as_such.items()],
        "versions": versions,
        "lines": [line for line in lines if any(answer.kind != "not_tried" for answer in line.answers)],
        "untried": untried(result),
        "facts": [(label, texts) for label, texts in known if texts],
        "unmet": any(answer.expected for line in lines for answer in line.answers),
        "whose": shown.whose,
        "complaints": shown.complaints,
    }


def _versions(*results: Result) -> list[str]:
    return list(dict.fromkeys(row.tls_version for result in results for row in result.rows))


def _matrix(result: Result, versions: Sequence[str], expected: Expected | None = None) -> list[Line]:
    """Return the variants in their order, each with its answer in each of the versions."""
    rows = {row.place: row for row in result.rows}
    variants = dict.fromkeys(row.variant for row in result.rows)
    return [
        Line(one, phrase(one), tuple(_answer(rows.get((one, version)), expected) for version in versions))
        for one in variants
    ]


def _both(before: Result, after: Result, with_all: Collection[str]) -> list[Line]:
    """Return the variants of either, each with two answers in every version: before and after.

    In the versions ``with_all`` everything changed at once.
    """
    old, new = ({row.place: row for row in one.rows} for one in (before, after))
    lines: list[Line] = []
    for variant in dict.fromkeys(row.variant for result in (after, before) for row in result.rows):
        answers: list[Answer] = []
        for version in _versions(before, after):
            was, now = old.get((variant, version)), new.get((variant, version))
            differs = (None if was is None else was.answer) != (None if now is None else now.answer)
            answers += [_answer(was), _answer(now, changed=differs, with_all=version in with_all)]
        if any(answer.kind != "not_tried" or answer.changed for answer in answers):
            lines.append(Line(variant, phrase(variant), tuple(answers)))
    return lines


def _answer(row: Row | None, expected: Expected | None = None, changed: bool = False, with_all: bool = False) -> Answer:
    """Return an answer with its symbol, which also tells it without colour."""
    if row is None:
        return Answer("not_tried", SYMBOLS["not_tried"], "none", changed=changed, with_all=with_all)
    wanted = expected(row) if expected is not None and row.outcome not in ("not_tried", "unreachable") else None
    unmet = wanted.short if wanted is not None and not wanted.met_by(row) else None
    return Answer(row.outcome, SYMBOLS[row.outcome], short_answer(row), row.note, unmet, changed, with_all)


def _headline(comparison: Comparison) -> str:
    many = len(comparison.sentences)
    if not many:
        return str(comparison)
    changes = "1 change" if many == 1 else f"{many} changes"
    return f"{changes} from {comparison.before} to {comparison.after}"
