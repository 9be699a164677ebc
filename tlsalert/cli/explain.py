"""``tlsalert explain``: what an alert means."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

import click

from tlsalert.explain import ExplainedAlert, Explanation, explain
from tlsalert.render.style import escape, painter

Painter = Callable[[str, str], str]

WIDTH = 100  # columns of text output, on any terminal: the same text everywhere
LONGEST_LINE = 0x10000  # bytes; a longer line of stdin is taken in pieces


@click.command(
    epilog="""\b
Examples:
  tlsalert explain 42
  tlsalert explain bad_certificate 0x30 SSL_AD_DECRYPT_ERROR
  echo "certificate unknown" | tlsalert explain - --format json

Ends with 0, or with 2 where nothing could be understood."""
)
@click.argument("texts", metavar="TEXT...", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it; json is a list with one object per TEXT.",
)
def command(texts: tuple[str, ...], form: str) -> None:
    """Say what an alert means and what to check next.

    TEXT is an alert's number (42, 0x2a) or its name in any spelling; "-" reads one per line from stdin.
    """
    explanations = map(explain, _inputs(texts))
    understood = _print_json(explanations) if form == "json" else _print_text(explanations)
    if not understood:
        raise SystemExit(2)


def _inputs(texts: tuple[str, ...]) -> Iterator[str]:
    """Give each text, and in the place of "-" each line of stdin that is not blank.

    Words that are a name only together ("unknown ca", without quotes) are given together.
    """
    if len(texts) > 1 and "-" not in texts and explain(" ".join(texts)).alert:
        texts = (" ".join(texts),)
    for text in texts:
        if text == "-":
            yield from _stdin_lines()
        else:
            yield _decoded(text.encode("utf-8", "surrogateescape"))


def _stdin_lines() -> Iterator[str]:
    """Give the lines of stdin that are not blank; none at all is a usage error."""
    empty = True
    for line in iter(lambda: sys.stdin.buffer.readline(LONGEST_LINE), b""):
        if line.strip():
            empty = False
            yield _decoded(line)
    if empty:
        raise click.UsageError("stdin holds nothing to explain")


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip()


def _print_json(explanations: Iterable[Explanation]) -> bool:
    """Print the list and return whether anything in it was understood."""
    import json  # only here: text is what most people ask for, and it shall be quick

    told = list(explanations)
    click.echo(json.dumps([one.as_json() for one in told], indent=2))
    return any(one.alert for one in told)


def _print_text(explanations: Iterable[Explanation]) -> bool:
    """Print to stdout what was understood and to stderr what was not. Return whether anything was."""
    understood = False
    for number, one in enumerate(explanations):
        stream = sys.stdout if one.alert else sys.stderr
        click.echo(("\n" if number else "") + "\n".join(_lines(one, painter(stream))), stream, color=True)
        understood = understood or one.alert is not None
    return understood


def _lines(one: Explanation, paint: Painter) -> Iterator[str]:
    yield _headline(one.alert, paint) if one.alert else paint(escape(one.input[:WIDTH]), "head")
    yield from _wrapped(one.meaning, WIDTH)
    if one.alert and one.alert.note:
        yield from _labelled("note", one.alert.note, paint)
    for index, hint in enumerate(one.next):
        yield from _labelled("    " if index else "next", hint, paint)


def _labelled(label: str, text: str, paint: Painter) -> Iterator[str]:
    """Give the lines of ``text`` with ``label`` before the first, wrapped and indented behind it."""
    for index, line in enumerate(_wrapped(text, WIDTH - len(label) - 2)):
        yield f"{' ' * len(label) if index else paint(label, 'dim')}  {line}"


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Give the lines of ``text``, filled with whole words."""
    line = ""
    for word in text.split():
        if line and len(line) + len(word) >= width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _headline(alert: ExplainedAlert, paint: Painter) -> str:
    """Return the alert's facts in one line."""
    if alert.rfc is None:
        return f"{paint(f'{alert.description} ({alert.code})', 'warn')}   unassigned"
    mild = alert.severity == "warning"
    parts = [
        paint(f"{alert.description} ({alert.code})", "warn" if mild else "alert"),
        paint(alert.severity or "", "head"),
        _versions_text(alert.versions),
        paint(alert.rfc, "dim"),
    ]
    return "   ".join(part for part in parts if part)


def _versions_text(versions: tuple[str, ...]) -> str:
    """Return the versions with those of TLS as one span: "TLS 1.0 to 1.3, SSLv3, DTLS"."""
    tls = [version.removeprefix("TLS ") for version in versions if version.startswith("TLS ")]
    joint = " and " if len(tls) == 2 else " to "
    span = "TLS " + joint.join(dict.fromkeys([tls[0], tls[-1]])) if tls else ""
    others = [version for version in versions if not version.startswith("TLS ")]
    return ", ".join(filter(None, [span, *others]))
