"""Results and comparisons as HTML: one table, everything from the wire escaped, nothing loaded from anywhere."""

from __future__ import annotations

from html import escape

from tlsalert.render import style
from tlsalert.render.replay_text import SYMBOLS
from tlsalert.replay.compare import Change, Comparison, short_answer
from tlsalert.replay.result import Result, Row

_CSS = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .3em .8em; border-bottom: 1px solid #8884; }
.accepted { color: #176b2c; } .refused { color: #b3261e; } .closed, .silent, .unreachable { color: #7a5500; }
.not_tried, footer { color: #767676; }
@media (prefers-color-scheme: dark) {
  body { background: #16181c; color: #e6e6e6; }
  .accepted { color: #7fd491; } .refused { color: #ff8a80; } .closed, .silent, .unreachable { color: #e5c07b; }
}
"""


def page(comparison: Comparison) -> str:
    """Return a comparison as a whole page."""
    before, after = _text(comparison.before), _text(comparison.after)
    title = f"TLS answers: {before} and {after}"
    changed = "".join(map(_change, comparison.changes))
    heads = f"<tr><th>variant</th><th>TLS</th><th>{before}</th><th>{after}</th><th>in words</th></tr>"
    body = f"<table>\n{heads}\n{changed}</table>" if changed else f"<p>{_text(str(comparison))}.</p>"
    remarks = "".join(f"<li>{_text(remark)}</li>" for remark in comparison.remarks)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}\n"
        + (f"<ul>{remarks}</ul>\n" if remarks else "")
        + f"<footer>{comparison.same} the same</footer>\n</body>\n</html>\n"
    )


def table(result: Result) -> str:
    """Return a result as a table for notebooks."""
    versions = list(dict.fromkeys(row.tls_version for row in result.rows))
    rows = {row.place: row for row in result.rows}
    heads = "".join(f"<th>{_text(version)}</th>" for version in versions)
    lines = [f"<table><caption>{_text(result.target)}</caption>", f"<tr><th>variant</th>{heads}</tr>"]
    for variant in dict.fromkeys(row.variant for row in result.rows):
        cells = "".join(f"<td>{_answer(rows.get((variant, version)))}</td>" for version in versions)
        lines.append(f"<tr><th>{_text(variant)}</th>{cells}</tr>")
    lines.append("</table>")
    if result.verdict is not None:
        lines.append(f"<p>{_text(result.verdict.summary)}</p>")
    return "\n".join(lines)


def _change(change: Change) -> str:
    cells = [", ".join(change.tls_versions), change.sentence]
    version, sentence = map(_text, cells)
    before, after = _answer(change.before), _answer(change.after)
    return (
        f"<tr><td><code>{_text(change.variant)}</code></td><td>{version}</td>"
        f"<td>{before}</td><td>{after}</td><td>{sentence}</td></tr>\n"
    )


def _answer(row: Row | None) -> str:
    """Return an answer with its symbol, which also tells it without colour."""
    if row is None:
        return "none"
    note = f' title="{_text(row.note)}"' if row.note else ""
    return f'<span class="{row.outcome}"{note}>{SYMBOLS[row.outcome]} {_text(short_answer(row))}</span>'


def _text(text: str) -> str:
    return escape(style.escape(text))
