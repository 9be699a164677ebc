"""``tlsalert compare``: two results of ``replay`` in, what changed out."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TextIO

import click

from tlsalert.cli.screen import pages
from tlsalert.replay.compare import Change, Comparison
from tlsalert.replay.result import load_result
from tlsalert.replay.result_json import row_json


@click.command(
    epilog="""\b
Examples:
  tlsalert compare firmware-3.88.json firmware-3.90.json
  tlsalert compare old.json new.json --label 3.88 --label 3.90 --format html

Ends with 0 where the answers are the same, with 1 where they differ."""
)
@click.argument("before", metavar="A.json", type=click.Path(dir_okay=False))
@click.argument("after", metavar="B.json", type=click.Path(dir_okay=False))
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME",
    help="What to call A, and again for B. Default: the files' names.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="Sentences, JSON, or a page.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), default="-", help="Write to a file.")
@pages
def command(before: str, after: str, labels: tuple[str, ...], form: str, output: str) -> None:
    """Say in words what B answers otherwise than A: two firmwares of one device, or two devices.

    A.json and B.json are what tlsalert replay --format json wrote.
    """
    if len(labels) > 2:
        raise click.UsageError("there are two results, and so at most two labels")
    names = [*labels, None, None]
    old, new = load_result(before, names[0]), load_result(after, names[1])
    comparison = new.compare(old)
    with _output(output, (before, after)) as out:
        if form == "text":
            from tlsalert.render.replay_text import write_comparison

            write_comparison(out, comparison)
        elif form == "html":
            from tlsalert.render.html.replay import comparison_page

            out.write(comparison_page(comparison, old, new))
        else:
            out.write(json.dumps(comparison_json(comparison), indent=1, ensure_ascii=False) + "\n")
    sys.exit(1 if comparison.differs else 0)


def comparison_json(comparison: Comparison) -> dict[str, object]:
    """Return a comparison as values that JSON knows."""
    return {
        "before": comparison.before,
        "after": comparison.after,
        "differs": comparison.differs,
        "changes": [_change_json(change) for change in comparison.changes],
        "same": comparison.same,
        "remarks": list(comparison.remarks),
    }


def _change_json(change: Change) -> dict[str, object]:
    return {
        "variant": change.variant,
        "tls_versions": list(change.tls_versions),
        "before": change.before and row_json(change.before),
        "after": change.after and row_json(change.after),
        "says": change.sentence,
    }


def _output(path: str, read: tuple[str, ...]) -> AbstractContextManager[TextIO]:
    """Open the output; not over what was read."""
    if path == "-":
        return nullcontext(sys.stdout)
    if path in read:
        raise click.UsageError(f"{path} is read: it would be lost; write to another file")
    try:
        return open(path, "w", encoding="utf-8", newline="")
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from error
