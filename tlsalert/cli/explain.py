"""``tlsalert explain``: what an alert, an error code or a line of a log means."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator

import click

from tlsalert.cli import known
from tlsalert.cli.screen import pages
from tlsalert.explain import Cause, ExplainedAlert, Explanation, explain
from tlsalert.render.style import escape, painter

Painter = Callable[[str, str], str]

NARROWEST, WIDEST = 40, 100  # columns of text: longer lines are hard to read
LONGEST_LINE = 0x10000  # bytes; a longer line of stdin is taken in pieces
STACK_COLUMN = 22  # columns for the name of a TLS stack
ROOM = 30  # columns that text beside a label needs: where it has fewer it stands below
BELOW = "    "  # before text that stands below its label
MANY = 8  # causes: a stack that gives one answer to most faults sends an alert for nearly anything
# What the first line says already.
PLAIN = (
    "The peer sent this alert;",
    "The program that printed the line sent",
    "NSS received this",
    "Secure Transport received",
)


@click.command(
    epilog="""\b
Examples:
  tlsalert explain 42
  tlsalert explain bad_certificate 0x30 SSL_AD_DECRYPT_ERROR
  tlsalert explain 14094412 --stack openssl
  echo "certificate unknown" | tlsalert explain - --format json

Ends with 0, or with 2 where nothing could be understood."""
)
@click.argument("texts", metavar="TEXT...", nargs=-1, shell_complete=known.alerts)
@click.option(
    "--stack",
    "stack",
    metavar="NAME",
    shell_complete=known.stacks,
    help="The TLS library that sent the alert: all that it sends it for.",
)
@click.option("--list", "listing", is_flag=True, help="List every alert, and the stacks that --stack knows.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it; json is a list with one object per TEXT.",
)
@pages
def command(texts: tuple[str, ...], stack: str | None, listing: bool, form: str) -> None:
    r"""Say what an alert or an error means, who sends it for what, and what to check next.

    TEXT is an alert's number (42, 0x2a) or name in any spelling, its bytes ("\2*", "02 2a"), an error code of a TLS
    library (14094412, GNUTLS_E_…, -12271, 0x80090326), or a line of any program's log; "-" reads lines from stdin
    and tells of those that say anything.
    """
    stacks = _stacks(stack)
    if listing:
        _print_list(form)
        return
    if not texts:
        raise click.UsageError("Missing argument 'TEXT...'.")
    inputs = _Inputs(texts, stacks)
    understood = _print_json(inputs) if form == "json" else _print_text(inputs, stacks)
    inputs.say_what_said_nothing()
    if not understood:
        raise SystemExit(2)


def _stacks(name: str | None) -> tuple[str, ...]:
    """Return the families that --stack means; a name that is not known is a usage error."""
    if name is None:
        return ()
    from tlsalert.understanding.causes import STACKS, stack_named

    if found := stack_named(name):
        return found
    raise click.UsageError(f"no TLS stack is called {escape(name)}; known are: {', '.join(STACKS.values())}")


class _Inputs:
    """The explanations of each text, and in the place of "-" of each line of stdin that says something.

    Words that are a name only together ("unknown ca", without quotes) are given together.
    """

    def __init__(self, texts: tuple[str, ...], stacks: tuple[str, ...]) -> None:
        if len(texts) > 1 and "-" not in texts and _joined_mean_more(texts):
            texts = (" ".join(texts),)
        self._texts, self._stacks = texts, stacks
        self._silent = self._lines = 0

    def __iter__(self) -> Iterator[Explanation]:
        for text in self._texts:
            if text == "-":
                yield from self._stdin()
            else:
                yield explain(_decoded(text.encode("utf-8", "surrogateescape")), self._stacks)

    def _stdin(self) -> Iterator[Explanation]:
        """Explain the lines of stdin that say something; none that is not blank is a usage error."""
        for line in iter(lambda: sys.stdin.buffer.readline(LONGEST_LINE), b""):
            if text := _decoded(line):
                self._lines += 1
                found = explain(text, self._stacks, in_log=True)
                if found.understood:
                    yield found
                else:
                    self._silent += 1
        if not self._lines:
            raise click.UsageError("stdin holds nothing to explain")

    def say_what_said_nothing(self) -> None:
        """Say on stderr how many lines of stdin said nothing."""
        if self._silent:
            lines = "1 line" if self._silent == 1 else f"{self._silent} lines"
            click.echo(f"{lines} of {self._lines} said nothing that is understood here", err=True)


def _joined_mean_more(texts: tuple[str, ...]) -> bool:
    """Return whether texts that are nothing alone are one text that lost its quotes; one with a blank has them."""
    if any(" " in text.strip() for text in texts):
        return False
    alone = [explain(text) for text in texts]
    return not all(one.alert for one in alone) and explain(" ".join(texts)).understood


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip()


def _print_json(explanations: Iterable[Explanation]) -> bool:
    """Print the list as it grows and return whether anything in it was understood."""
    import json  # only here: text is what most people ask for, and it shall be quick

    understood = False
    separator = "["
    for one in explanations:
        text = json.dumps(one.as_json(), indent=2)
        click.echo(f"{separator}\n  " + text.replace("\n", "\n  "), nl=False)
        separator = ","
        understood = understood or one.understood
    click.echo("[]" if separator == "[" else "\n]")
    return understood


def _print_text(explanations: Iterable[Explanation], stacks: tuple[str, ...]) -> bool:
    """Print to stdout what was understood and to stderr what was not. Return whether anything was."""
    understood = False
    for number, one in enumerate(explanations):
        stream = sys.stdout if one.understood else sys.stderr
        lines = _lines(one, painter(stream), detailed=bool(stacks))
        click.echo(("\n" if number else "") + "\n".join(lines), stream, color=True)
        understood = understood or one.understood
    return understood


def _print_list(form: str) -> None:
    """Print every alert, one a line, and the names of the stacks."""
    from tlsalert.registry.alert_facts import FACTS
    from tlsalert.understanding.causes import STACKS

    known = [explain(str(int(alert))) for alert in FACTS]
    if form == "json":
        _print_json(known)
        return
    paint = painter(sys.stdout)
    for one in known:
        if one.alert:
            name = f"{one.alert.code:>3}  {one.alert.description:<32}"
            click.echo(
                f"{paint(name, 'head')} {one.alert.severity or '':<17} {_versions_text(one.alert.versions)}", color=True
            )
    click.echo("\n" + "\n".join(_labelled("--stack", ", ".join(STACKS.values()), paint)), color=True)


def _lines(one: Explanation, paint: Painter, *, detailed: bool) -> Iterator[str]:
    """Give the answer's lines: what it is, what it means, who sends it for what, what to look at next."""
    if not one.understood:
        yield paint(escape(one.input[: _width()]), "head")
        yield from _wrapped(one.meaning, _width())
        yield from _numbered(one.next, paint)
        return
    yield from _headline(one, paint)
    if one.alert:
        yield from _facts(one.alert, paint)
    yield ""
    if one.said and one.alert and not one.said.startswith(PLAIN):
        yield from _wrapped(escape(one.said), _width())
    if one.certain or one.alert is None:  # else the line itself has said what is wrong
        yield from _wrapped(escape(one.meaning), _width())
    if one.alert and one.alert.note:
        yield from _labelled("note", one.alert.note, paint)
    for other in one.others:
        yield from _labelled("or", f"{other.description} ({other.code}): {other.when}", paint)
    if any(cause.condition != one.said for cause in one.causes):  # else that is what was said just now
        yield ""
        yield from _by_stack(one, paint, detailed=detailed)
    if one.next:
        yield ""
        yield from _numbered(one.next, paint)


def _headline(one: Explanation, paint: Painter) -> Iterator[str]:
    """Give the sentence that says most: the alert, its direction, and who says so."""
    if one.alert is None:
        from tlsalert.understanding.remedies import SHORT

        yield paint(SHORT.get(one.found or "", "no alert named"), "warn")
    else:
        name = f"{one.alert.description} ({one.alert.code})"
        style = "warn" if one.alert.rfc is None or one.alert.severity == "warning" else "alert"
        which = _direction(one)
        if len(name + which) <= _width():
            yield paint(name, style) + which
        else:
            yield paint(name, style) + which[:1]
            yield from _wrapped(which[1:], _width())
    if one.program or one.error_code:
        code = "" if (one.error_code or "") in one.said else one.error_code
        parts = [escape(one.program or ""), escape(code or "")]
        yield from (paint(line, "dim") for line in _wrapped(": ".join(filter(None, parts)), _width()))


def _direction(one: Explanation) -> str:
    """Return which way the alert went, as a piece of a sentence."""
    if one.direction == "received":
        return ", received: the peer sent it." if one.certain else ", received, or one that is told alike."
    if one.direction == "sent":
        who = escape(one.program or "the program")
        return f", sent by {who}." if one.certain else f", sent: {who} answers with it."
    return ""


def _facts(alert: ExplainedAlert, paint: Painter) -> Iterator[str]:
    """Give the alert's facts in one line."""
    if alert.rfc is None:
        yield "unassigned"
        return
    parts = [alert.severity or "", _versions_text(alert.versions), f"by {alert.sent_by}", alert.rfc]
    line = ""
    for part in filter(None, parts):
        if line and len(line) + 3 + len(part) > _width():
            yield paint(line, "dim")
            line = ""
        line += f"   {part}" if line else part
    yield paint(line, "dim")


def _by_stack(one: Explanation, paint: Painter, *, detailed: bool) -> Iterator[str]:
    """Give who sends the alert for what: a line for each stack, or each condition with its source."""
    from tlsalert.understanding.causes import STACKS

    if one.alert is None:  # a fault: who answers it with what
        for cause in one.causes:
            name, _, answer = cause.condition.partition(": ")
            yield from _labelled(f"{name:<{STACK_COLUMN}}", answer, paint)
        return
    stacks: dict[str, list[Cause]] = {}
    for cause in one.causes:
        stacks.setdefault(cause.stack, []).append(cause)
    if detailed or (one.direction == "sent" and one.found):
        for stack, causes in stacks.items():
            yield paint(f"{STACKS.get(stack, stack)} sends it for", "head")
            for cause in causes:
                yield from _hanging("  - ", escape(cause.condition))
                yield from (paint(line, "dim") for line in _hanging("    ", escape(cause.source)))
        return
    head, more = "who sends it for what", "   (with sources: --stack NAME, --format json)"
    if len(head + more) <= _width():
        yield paint(head, "head") + paint(more, "dim")
    else:
        yield paint(head, "head")
        yield from (paint(line, "dim") for line in _wrapped(more, _width()))
    for stack, causes in stacks.items():
        label = f"  {STACKS.get(stack, stack):<{STACK_COLUMN}}"
        room = _width() - (len(label) if _beside(label) else len(BELOW))
        yield from _labelled(label, _fitted(_short(causes), 2 * (room - 8), stack), paint)
    if surprise := _surprise(one):
        yield from _labelled("  mind", surprise, paint)


def _short(causes: list[Cause]) -> list[str]:
    """Return the causes of one stack in few words, the likeliest first; those of SSLv3 only where it has no other."""
    from tlsalert.understanding.remedies import SHORT

    words = dict.fromkeys(SHORT.get(cause.cause, cause.cause) for cause in causes if not _old(cause))
    return list(words) or [f"{SHORT.get(causes[0].cause, causes[0].cause)} (in SSLv3)"]


def _fitted(words: list[str], width: int, stack: str) -> str:
    """Return as many of the words as fit into ``width``, and how many more there are."""
    from tlsalert.understanding.causes import ONE_ANSWER

    start = "nearly anything: " if len(words) >= MANY and stack in ONE_ANSWER else ""
    for count in range(len(words), 0, -1):
        more = f", {len(words) - count} more" if count < len(words) else ""
        text = f"{start}{', '.join(words[:count])}{more}"
        if len(text) <= width:
            return text
    return f"{start}{len(words)} causes"


def _old(cause: Cause) -> bool:
    return "in SSLv3" in cause.condition


def _surprise(one: Explanation) -> str:
    """Return the entry about certificates that are not yet valid, where the alert is one of the two it is about."""
    return next((cause.condition for cause in one.causes if cause.condition.startswith("every OpenSSL")), "")


def _numbered(hints: tuple[str, ...], paint: Painter) -> Iterator[str]:
    """Give what to look at next, the likeliest first."""
    for number, hint in enumerate(hints):
        yield from _labelled("    " if number else "next", hint, paint)


def _width() -> int:
    """Return the terminal's columns (or $COLUMNS) within reason; 80 where there is no terminal."""
    return min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)


def _beside(label: str) -> bool:
    """Return whether the line has room for text beside a label of this length."""
    return len(label) <= len(BELOW) or _width() - len(label) - 2 >= ROOM


def _labelled(label: str, text: str, paint: Painter) -> Iterator[str]:
    """Give the lines of ``text`` with ``label`` before the first, wrapped and indented behind it, or below it."""
    if not _beside(label):
        yield paint(label.rstrip(), "dim")
        yield from (BELOW + line for line in _wrapped(text, _width() - len(BELOW)))
        return
    for index, line in enumerate(_wrapped(text, _width() - len(label) - 2)):
        yield f"{' ' * len(label) if index else paint(label, 'dim')}  {line}"


def _hanging(mark: str, text: str) -> Iterator[str]:
    """Give the lines of ``text`` behind a mark, the others indented as far."""
    for index, line in enumerate(_wrapped(text, _width() - len(mark))):
        yield f"{' ' * len(mark) if index else mark}{line}"


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Give the lines of ``text``, filled with whole words; a word that is longer than a line is cut into lines."""
    line = ""
    for word in text.split():
        while len(word) > width:
            if line:
                yield line
                line = ""
            yield word[:width]
            word = word[width:]
        if line and len(line) + len(word) >= width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _versions_text(versions: tuple[str, ...]) -> str:
    """Return the versions with those of TLS as one span: "TLS 1.0 to 1.3, SSLv3, DTLS"."""
    tls = [version.removeprefix("TLS ") for version in versions if version.startswith("TLS ")]
    joint = " and " if len(tls) == 2 else " to "
    span = "TLS " + joint.join(dict.fromkeys([tls[0], tls[-1]])) if tls else ""
    others = [version for version in versions if not version.startswith("TLS ")]
    return ", ".join(filter(None, [span, *others]))
