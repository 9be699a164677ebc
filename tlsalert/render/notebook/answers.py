"""A replay's result and a comparison of two, as HTML for one cell of a notebook."""

from __future__ import annotations

from tlsalert.render.notebook.cells import cell, verdict_html
from tlsalert.render.picture.svg import words
from tlsalert.render.replay_text import SYMBOLS
from tlsalert.replay.compare import Change, Comparison, short_answer
from tlsalert.replay.result import Result, Row

#: How an answer looks; a page has no colour but these, and each has its symbol.
LOOKS = {"accepted": "good", "refused": "bad", "not_tried": "dim"}


def result_html(result: Result) -> str:
    """Return the matrix of variants and TLS versions, what it means, and what was learnt of the device."""
    tried = [row for row in result.rows if row.outcome != "not_tried"]
    versions = list(dict.fromkeys(row.tls_version for row in tried))
    rows = {row.place: row for row in tried}
    heads = "".join(f"<th>{words(version)}</th>" for version in versions)
    lines = []
    for variant in dict.fromkeys(row.variant for row in tried):
        cells = "".join(f"<td>{_answer(rows.get((variant, version)))}</td>" for version in versions)
        lines.append(f"<tr><td><code>{words(variant)}</code></td>{cells}</tr>")
    left = dict.fromkeys(row.variant for row in result.rows if row.outcome == "not_tried")
    untried = f'<p class="dim">not tried: {words(", ".join(left))}</p>' if left else ""
    table = (
        f'<table class="answers"><thead><tr><th>variant</th>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
        if lines
        else ""
    )
    head = f"<p><b>{words(result.target)}</b> <span class='dim'>ClientHello: {words(result.hello.name)}</span></p>"
    meaning = "" if result.verdict is None else verdict_html(result.verdict)
    return cell(head, meaning, _learnt(result), table, untried)


def comparison_html(comparison: Comparison) -> str:
    """Return what changed from one result to the other, a line each, and how much did not."""
    before, after = words(comparison.before), words(comparison.after)
    changed = "".join(map(_change, comparison.apart))
    versions = "".join(f"<li>{words(sentence)}</li>" for sentence in comparison.versions.values())
    heads = f"<tr><th>variant</th><th>TLS</th><th>{before}</th><th>{after}</th><th>in words</th></tr>"
    table = f"<table><thead>{heads}</thead><tbody>{changed}</tbody></table>" if changed else ""
    many = len(comparison.versions) + len(comparison.apart)
    counted = f"{many} change{'' if many == 1 else 's'}, {comparison.same} the same" if many else str(comparison)
    remarks = "".join(f"<li>{words(remark)}</li>" for remark in comparison.remarks)
    return cell(
        f"<p><b>{before} → {after}</b> <span class='dim'>{words(counted)}</span></p>",
        f"<ul>{versions}</ul>" if versions else "",
        table,
        f"<ul>{remarks}</ul>" if remarks else "",
    )


def _learnt(result: Result) -> str:
    """Return clock, stack, trust and findings, a line each."""
    told: list[tuple[str, str]] = []
    if result.clock is not None:
        told.append(("clock", words(result.clock.says)))
    if result.stack is not None:
        told.append(("stack", words(result.stack.says or result.stack.name)))
    if result.trusts:
        told.append(("trusts", words(", ".join(result.trusts))))
    for finding in result.findings:
        look = ' class="bad"' if finding.alarming else ""
        told.append((words(finding.topic), f"<span{look}>{words(finding.says)}</span>"))
    told += [("note", words(note)) for note in result.notes]
    told += [("not as it was", words(lost)) for lost in result.hello.lost]
    lines = "".join(f"<tr><th>{name}</th><td>{text}</td></tr>" for name, text in told)
    return f'<table class="facts">{lines}</table>' if lines else ""


def _change(change: Change) -> str:
    cells = (_answer(change.before), _answer(change.after), words(change.sentence))
    told = "".join(f"<td>{text}</td>" for text in cells)
    versions = words(", ".join(change.tls_versions))
    return f"<tr><td><code>{words(change.variant)}</code></td><td>{versions}</td>{told}</tr>\n"


def _answer(row: Row | None) -> str:
    """Return an answer with its symbol, which tells it without colour as well."""
    if row is None:
        return "none"
    note = f' title="{words(row.note)}"' if row.note else ""
    look = LOOKS.get(row.outcome, "warn")
    return f'<span class="{look}"{note}>{SYMBOLS[row.outcome]} {words(short_answer(row))}</span>'
