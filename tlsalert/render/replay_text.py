"""A replay's result for terminals: the matrix of variants and TLS versions, then what it means.

Each answer has a symbol and words, so that nothing depends on colour. Where the words of all versions do not fit
beside each other the alerts stand there by their numbers, and what the numbers mean stands below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TextIO

from tlsalert.render.spans import ASCII, NO_BREAK, Line, cells, cut, cut_left, line_cells, pad, wrap
from tlsalert.render.story import INDENT, certainty, labelled_rows, verdict_lines
from tlsalert.render.style import escape, painter
from tlsalert.render.text import terminal_width
from tlsalert.replay.compare import Comparison, short_answer
from tlsalert.replay.expectation import Expectation
from tlsalert.replay.result import Result, Row
from tlsalert.replay.tally import BEFORE_ANY

#: What is expected of a row's variant in its version; None: nothing is.
Expected = Callable[[Row], Expectation | None]

SYMBOLS = {"accepted": "✓", "refused": "✗", "closed": "○", "silent": "…", "unreachable": "!", "not_tried": "–"}
STYLES = {"accepted": "good", "refused": "alert", "closed": "warn", "silent": "warn", "unreachable": "warn"}
GAP = 3
MARGIN = 2
NAME = 30  # cells of a variant's name at the most
FEWEST = 12  # cells that a version's column needs to be worth having

_PLAIN = ASCII | str.maketrans({"✓": "+", "✗": "x", "○": "o", "…": "~", "–": "-", "≠": "#", "±": "~"})


class Cell(NamedTuple):
    """One answer: its symbol, in words and in short, what was expected where it is something else."""

    symbol: str
    style: str
    words: str
    short: str
    expected: str = ""

    def line(self, short: bool) -> Line:
        """Return it as spans."""
        line: Line = [(f"{self.symbol} {self.short if short else self.words}".rstrip(), self.style)]
        return [*line, (f" ≠ {self.expected}", "warn")] if self.expected else line


def write_result(
    out: TextIO,
    result: Result,
    expected: Expected | None = None,
    whose: str = "the RFC calls for",
    width: int | None = None,
) -> None:
    """Write a result to ``out``; answers that are not the ``expected`` ones are marked, and ``whose`` says by whom."""
    _put(out, result_lines(result, width or terminal_width(), expected, whose))


def write_comparison(out: TextIO, comparison: Comparison, width: int | None = None) -> None:
    """Write what changed between two results."""
    _put(out, comparison_lines(comparison, width or terminal_width()))


def write_complaints(out: TextIO, sentences: Iterable[str], width: int | None = None) -> None:
    """Write what is not as it was expected, each in a sentence."""
    _put(out, [line for sentence in sentences for line in _differing(sentence, width or terminal_width())])


def result_lines(
    result: Result, width: int, expected: Expected | None = None, whose: str = "the RFC calls for"
) -> list[Line]:
    """Return the heading, the matrix, what was not tried, and the meaning."""
    lines = _heading(result, width)
    body = _matrix(result, width, expected, whose)
    for part in (body, _untried(result, width), _meaning(result, width)):
        if part:
            lines += [[], *part]
    return lines


def comparison_lines(comparison: Comparison, width: int) -> list[Line]:
    """Return the changes, each in a sentence, and how much is as it was."""
    lines: list[Line] = []
    for sentence in comparison.sentences:
        lines += _differing(sentence, width)
    many = comparison.same
    same = f"{many} answer is" if many == 1 else f"{many} answers are"
    lines.append([(f"{same} the same" if lines else f"no difference: {same} the same", "dim" if lines else "good")])
    for remark in comparison.remarks:
        lines += [[(part, "dim")] for part in wrap(escape(remark), width, hang=2)]
    return lines


def _differing(sentence: str, width: int) -> list[Line]:
    """Return a sentence about a difference, with its mark."""
    first, *rest = wrap(escape(sentence), width - 2)
    return [[("≠ ", "alert"), (first, "")], *([("  " + more, "")] for more in rest)]


def _heading(result: Result, width: int) -> list[Line]:
    tried = _answers(result)
    count = f"{tried} answer" if tried == 1 else f"{tried} answers"
    pieces = [f"ClientHello: {escape(result.hello.name)}", count]
    target = cut_left(escape(result.target), width // 2)
    line: Line = [(target, "head")]
    room = width - cells(target)
    for piece in pieces:
        piece = cut(piece, max(room - 3, 0))
        line.append(("   " + piece, ""))
        room -= cells(piece) + 3
    lines = [line]
    for lost in result.hello.lost:
        lines += [[("    " + part, "dim")] for part in wrap("not as it was: " + escape(lost), width - 4, hang=2)]
    return lines


def _answers(result: Result) -> int:
    """Return how many answers there are: what a version got as such counts once, as nothing was sent for the others."""
    made = [row for row in result.rows if row.outcome != "not_tried"]
    inferred = [row.tls_version for row in made if BEFORE_ANY in (row.note or "")]
    return len(made) - len(inferred) + len(set(inferred))


def _matrix(result: Result, width: int, expected: Expected | None, whose: str) -> list[Line]:
    """Return the variants that were tried in any version, a line each."""
    rows = {row.place: row for row in result.rows}
    refused = result.refused_versions
    versions = [one for one in dict.fromkeys(row.tls_version for row in result.rows) if one not in refused]
    above = [_refused_line(version, row) for version, row in refused.items()]
    if not versions:
        return above
    if above:
        above.append([])
    tried = list(dict.fromkeys(row.variant for row in result.rows if row.outcome != "not_tried"))
    if not tried:
        return above
    table = {
        (variant, version): _cell(rows.get((variant, version)), expected) for variant in tried for version in versions
    }
    name_width = min(max(cells(escape(variant)) for variant in [*tried, "variant"]), NAME)
    room = width - MARGIN - name_width
    columns, short = _columns(table, versions, room)
    lines: list[Line] = [*above, _head(versions, columns, name_width)]
    for variant in tried:
        line: Line = [(" " * MARGIN + pad(cut(escape(variant), name_width), name_width), "")]
        for version, column in zip(versions, columns, strict=True):
            line += _fitted(table[variant, version].line(short), column)
        lines.append(_ended(line))
    legend = _legend(table.values(), short, whose, width)
    if expected is not None and (dated := sum(place in result.by_dates for place in table)):
        many = "1 refusal is" if dated == 1 else f"{dated} refusals are"
        told = f"{many} not held against that: the device's clock is outside the dates of what was shown"
        legend += [[(" " * MARGIN + part, "dim")] for part in wrap(told, width - MARGIN, hang=2)]
    return [*lines, *([[]] if legend else []), *legend]


def _refused_line(version: str, row: Row) -> Line:
    said = f"{SYMBOLS[row.outcome]} {escape(short_answer(row))}"
    told = "to the ClientHello, before any certificate"
    return [
        (" " * MARGIN + escape(version) + " " * GAP, ""),
        (said, STYLES.get(row.outcome, "")),
        (f"   {told}", "dim"),
    ]


def _columns(table: dict[tuple[str, str], Cell], versions: Sequence[str], room: int) -> tuple[list[int], bool]:
    """Return the versions' widths with the gap before each, and whether the answers stand there in short."""
    for short in (False, True):
        widths = [
            GAP
            + max(
                [
                    cells(version),
                    *(line_cells(cell.line(short)) for place, cell in table.items() if place[1] == version),
                ]
            )
            for version in versions
        ]
        if sum(widths) <= room:
            return widths, short
    return [max(FEWEST, room // len(versions))] * len(versions), True


def _head(versions: Sequence[str], columns: Sequence[int], name_width: int) -> Line:
    text = " " * MARGIN + pad("variant", name_width)
    for version, column in zip(versions, columns, strict=True):
        text += pad(" " * GAP + cut(escape(version), column - GAP), column)
    return [(text.rstrip(), "dim")]


def _fitted(line: Line, column: int) -> Line:
    """Return a cell's spans in exactly ``column`` cells, the gap first."""
    room = column - GAP
    fitting: Line = [(" " * GAP, "")]
    for text, style in line:
        text = cut(text, room)
        room -= cells(text)
        fitting.append((text, style))
    return [*fitting, (" " * room, "")]


def _cell(row: Row | None, expected: Expected | None) -> Cell:
    if row is None or row.outcome == "not_tried":
        return Cell(SYMBOLS["not_tried"], "dim", "", "")
    wanted = expected(row) if expected is not None else None
    unmet = wanted is not None and row.outcome != "unreachable" and not wanted.met_by(row)
    words = escape(short_answer(row))
    changing = "" if row.note is None or not ("flaky: " in row.note or "depends on the order" in row.note) else " *"
    return Cell(
        SYMBOLS[row.outcome],
        STYLES[row.outcome],
        words + changing,
        _short(row) + changing,
        wanted.short if unmet and wanted is not None else "",
    )


def _short(row: Row) -> str:
    """Return an answer in a few letters: "45", "ok", "FIN"."""
    if row.alert is not None:
        number = "?" if row.alert.code is None else str(row.alert.code)
        return number + ("c" if row.alert.sender == "client" else "")
    if row.outcome == "closed":
        return (row.how or "").upper()
    return {"accepted": "ok", "refused": "inside"}.get(row.outcome, row.outcome)


def _legend(table: Iterable[Cell], short: bool, whose: str, width: int) -> list[Line]:
    """Return what the numbers and marks mean."""
    shown = [*table]
    said: list[str] = []
    if short:
        alerts = {cell.short.rstrip("c *"): cell.words.rstrip(" *") for cell in shown if cell.short[:1].isdigit()}
        plain = {int(code): words.partition(" (")[0] for code, words in alerts.items()}
        named = [f"{code}{NO_BREAK}{words.removeprefix('warning ')}" for code, words in sorted(plain.items())]
        said.append(", ".join(named))
    if any(cell.expected for cell in shown):
        said.append(f"≠ is followed by what {whose}")
    if any(cell.words.endswith(" *") for cell in shown):
        said.append("* not the same each time: see the notes")
    return [[(" " * MARGIN + part, "dim")] for text in said if text for part in wrap(text, width - MARGIN, hang=2)]


def untried(result: Result) -> dict[str, list[str]]:
    """Return what was not tried, by the reason: "expired", or "expired in TLS 1.3" where it was tried in others."""
    by_why: dict[str, dict[str, None]] = {}
    rows: dict[str, list[Row]] = {}
    for row in result.rows:
        rows.setdefault(row.variant, []).append(row)
    for variant, its in rows.items():
        everywhere = all(row.outcome == "not_tried" for row in its)
        for row in its:
            if row.outcome == "not_tried":
                told = variant if everywhere else f"{variant} in {row.tls_version}"
                by_why.setdefault(row.note or "no reason is known", {})[told] = None
    return {why: [*variants] for why, variants in by_why.items()}


def _untried(result: Result, width: int) -> list[Line]:
    """Return what was not tried: one paragraph for each reason."""
    lines: list[Line] = []
    for why, variants in untried(result).items():
        text = f"not tried ({escape(why)}): " + ", ".join(map(escape, variants))
        lines += [[(" " * MARGIN + part, "dim")] for part in wrap(text, width - MARGIN, hang=2)]
    return lines


def _meaning(result: Result, width: int) -> list[Line]:
    """Return the verdict and what it rests on."""
    room = width - INDENT - 11
    lines = verdict_lines(result.verdict, width)
    told = [*facts(result)]
    verdict = result.verdict
    if verdict is not None:
        told.append(("seen", [one.says for one in verdict.evidence]))
        told.append(("do", [*verdict.advice]))
        if verdict.cause not in (None, "normal_close"):
            told.append(("certain", [certainty(verdict)]))
    told.append(("note", [*result.notes]))
    rows = [line for label, texts in told for line in labelled_rows(label, [escape(text) for text in texts], room)]
    return [*lines, *([[]] if lines and rows else []), *rows]


def facts(result: Result) -> Iterator[tuple[str, list[str]]]:
    """Yield whom the device lets in, whom it trusts, what it checks, its clock and its stack."""
    yield "alarming", [finding.says for finding in result.findings if finding.alarming]
    yield "trusts", [*result.trusts]
    yield "checks", [finding.says for finding in result.findings if not finding.alarming]
    if result.clock is not None:
        yield "clock", [result.clock.says]
    if result.stack is not None:
        stack = result.stack
        but = f"; it differs in {', '.join(stack.differs)}" if stack.differs else ""
        yield "stack", [stack.says or f"answers as {stack.name} in {stack.agreement:.0%} of the trials{but}"]


def _ended(line: Line) -> Line:
    """Return the line without blanks at its end."""
    while line and not line[-1][0].strip():
        line = line[:-1]
    return line


def _put(out: TextIO, lines: Iterable[Line]) -> None:
    """Write lines in colour or without, in what the stream's encoding has."""
    paint = painter(out)
    encoding = out.encoding or "utf-8"
    for line in lines:
        text = "".join(paint(span, style) if style and span else span for span, style in line)
        out.write(_encodable(text, encoding) + "\n")


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text
