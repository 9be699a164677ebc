"""``tlsalert completion``: the script by which a shell completes verbs, options, files and names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # only a shell that asks needs it
    from click.shell_completion import CompletionItem

#: By this a shell's script asks the program what fits.
VARIABLE = "_TLSALERT_COMPLETE"

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


@click.command(
    epilog="""\b
Examples:
  source <(tlsalert completion bash)
  tlsalert completion bash >> ~/.bash_completion
  tlsalert completion zsh > "${fpath[1]}/_tlsalert"
  tlsalert completion fish > ~/.config/fish/completions/tlsalert.fish

The first is for this shell alone, the others for every new one. Ends with 0."""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script by which SHELL completes tlsalert's verbs, options, files, variants, stacks and faults."""
    from click.shell_completion import get_completion_class

    from tlsalert.cli import group

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"{shell} is not known to click")
    script = kind(group, {}, "tlsalert", VARIABLE)
    click.echo((kind.source_template % script.source_vars()).strip())


def names(known: Callable[[], Iterable[tuple[str, str]]], *, after: str = "") -> Completer:
    """Return a completer of names with what they are, which are looked up when somebody asks.

    With ``after`` it completes the last part of a list, as "1.0,1.2" is one with ",".
    """

    def complete(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        before, comma, last = begun.rpartition(after) if after else ("", "", begun)
        return [
            CompletionItem(before + comma + name, help=says or None)
            for name, says in known()
            if name.startswith(last.lower())
        ]

    return complete


def answer(instruction: str) -> int:
    """Answer what a shell's script asks; return the exit code."""
    from click.shell_completion import shell_complete

    from tlsalert.cli import group

    return shell_complete(group, {"help_option_names": ["-h", "--help"]}, "tlsalert", VARIABLE, instruction)
