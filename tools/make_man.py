"""Write the manual page ``man/tlsalert.1`` from the help of all verbs: ``python tools/make_man.py``.

With "-" it is printed instead. The page is man(7), mdoc's older sister, which man-db, mandoc and every Unix read. A
test holds it against the help.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from tlsalert._version import VERSION
from tlsalert.cli import VERBS, group

PAGE = Path(__file__).parent.parent / "man" / "tlsalert.1"

#: When the page was last looked at as a whole.
DAY = "2026-11-25"

ENVIRONMENT = {
    "NO_COLOR": "No colours, anywhere.",
    "FORCE_COLOR": "Colours in files and pipes as well.",
    "COLUMNS": "The width of text in cells, instead of the terminal's: from 40 to 120, and to 200 for tables.",
    "PAGER": "What shows text that is longer than the screen, on a terminal: less where it is not set, nothing where it"
    " is empty or cat. See --no-pager.",
    "LESS": "The options of less; where it is not set they are FRX.",
    "TERM": "On a dumb terminal there are neither colours nor a pager.",
}
FILES = {
    "SSLKEYLOGFILE": "Programs write their key logs where this variable says; give them to --keylog.",
}


def page() -> str:
    """Return the whole page."""
    context = click.Context(group, info_name="tlsalert", help_option_names=["-h", "--help"])
    return "\n".join([*_head(), *_verbs(context), *_foot()]) + "\n"


def _head() -> Iterator[str]:
    yield '.\\" Made by tools/make_man.py from the help of the verbs.'
    yield f'.TH TLSALERT 1 "{DAY}" "tlsalert {VERSION}" "User Commands"'
    yield ".SH NAME"
    yield "tlsalert \\- say who refused a TLS handshake, why, and what to change"
    yield ".SH SYNOPSIS"
    yield ".B tlsalert"
    yield ".I VERB"
    yield '.RI [ options ] " " arguments'
    yield ".br"
    yield ".B tlsalert"
    yield ".I VERB"
    yield ".B \\-\\-help"
    yield ".SH DESCRIPTION"
    yield (
        "A TLS handshake failed. From a capture, a log, a live interface or a single error line tlsalert says who "
        "refused what, why, and what to change."
    )
    yield "Data goes to standard output, remarks to standard error."


def _verbs(context: click.Context) -> Iterator[str]:
    yield ".SH VERBS"
    for verb, says in VERBS.items():
        yield ".TP"
        yield f".B {verb}"
        yield _line(says)
    for verb in VERBS:
        command = group.get_command(context, verb)
        if command is not None:
            yield from _verb(verb, command, click.Context(command, info_name=verb, parent=context))


def _verb(verb: str, command: click.Command, context: click.Context) -> Iterator[str]:
    yield f".SH {_text(verb.upper())}"
    pieces = " ".join(f"\\fI{_text(piece)}\\fR" for piece in command.collect_usage_pieces(context))
    yield f"\\fBtlsalert {verb}\\fR {pieces}"
    yield from _paragraphs(command.help or "")
    options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    for names, says in filter(None, (one.get_help_record(context) for one in options)):
        yield ".TP"
        yield _option(names)
        yield _line(says)
    yield from _paragraphs(command.epilog or "")


def _foot() -> Iterator[str]:
    yield ".SH EXIT STATUS"
    said = (group.epilog or "").partition("Ends with\n")[2]
    for number, says in re.findall(r"^ *(\d+) (.*)$", said, re.MULTILINE):
        yield ".TP"
        yield f".B {number}"
        yield _line(says)
    yield ".SH ENVIRONMENT"
    for name, says in (ENVIRONMENT | FILES).items():
        yield ".TP"
        yield f".B {name}"
        yield _line(says)
    yield ".SH SEE ALSO"
    yield ".BR tcpdump (8),"
    yield ".BR tshark (1),"
    yield ".BR openssl\\-s_client (1),"
    yield ".BR strace (1),"
    yield ".BR stunnel (8)"


def _paragraphs(text: str) -> Iterator[str]:
    r"""Yield paragraphs; those that click leaves as they are (after "\b") keep their lines, examples in bold."""
    for paragraph in re.split(r"\n[ \t]*\n", _dedent(text)):
        if not paragraph.strip():
            continue
        verbatim = paragraph.startswith("\b")
        lines = paragraph.removeprefix("\b").strip("\n").splitlines()
        if not verbatim:
            yield ".PP"
            yield _line(" ".join(line.strip() for line in lines))
            continue
        yield ".PP"
        if not lines[0].startswith(" "):
            yield _line(lines.pop(0))
        yield ".RS 2"
        yield ".nf"
        for line in lines:
            yield _line(line.removeprefix("  "))
        yield ".fi"
        yield ".RE"


def _dedent(text: str) -> str:
    """Return a docstring's text without the margin of all lines but the first."""
    import inspect

    return inspect.cleandoc(text)


def _option(names: str) -> str:
    """Return an option's names in bold, what it takes in italics."""
    said = []
    for one in names.split(", "):
        name, space, takes = one.partition(" ")
        said.append(f"\\fB{_text(name)}\\fR" + (f" \\fI{_text(takes)}\\fR" if space else ""))
    return ", ".join(said)


def _line(text: str) -> str:
    """Return a line of text that no request can hide in."""
    safe = _text(text)
    return "\\&" + safe if safe.startswith((".", "'")) else safe


#: What roff would make something else of: backslashes, hyphens that shall stay what is typed, and signs that it draws
#: as others.
ROFF = str.maketrans({"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"})


def _text(text: str) -> str:
    """Return text as roff reads it."""
    return text.translate(ROFF)


if __name__ == "__main__":
    if sys.argv[1:] == ["-"]:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        sys.stdout.write(page())
    else:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(), encoding="utf-8")
