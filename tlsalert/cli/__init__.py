"""The command line: one module for each verb, imported when its verb runs, so that small questions are quick."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

from tlsalert._version import VERSION

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Each verb and what it does, as ``tlsalert --help`` says it.
VERBS = {
    "read": "Decode a capture's TLS handshakes and say why they failed.",
    "live": "Do that on a network interface, as it happens.",
    "tap": "Do that with connections that pass through, without any rights.",
    "certs": "List every certificate and key in files, archives, captures or behind a server.",
    "explain": "Say what an alert means and what to check next.",
    "replay": "Ask a device with many client certificates what it refuses, and why.",
    "clock": "Ask a device for its clock by every way that it shows.",
    "compare": "Say what changed between two replays, in words.",
    "lab": "Run a TLS device on loopback, with a clock and faults of your choice.",
    "completion": "Print the script by which bash, zsh or fish complete all this.",
}


#: Columns below which click's help would not fit: it makes lines of 50, and leaves two free.
USUAL_HELP = 52


class Verbs(click.Group):
    """The verbs, loaded one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs' names."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb's module and return its command."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"tlsalert.cli.{cmd_name}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a verb without importing any."""
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(verb, help=says) for verb, says in VERBS.items() if verb.startswith(incomplete)]
        return verbs or click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Example:
  tlsalert read captures/console.pcap

\b
Ends with
    0 when done
    1 when done and found what it was asked to watch for
    2 for a wrong command line
    3 where evidence could not be read, or the answer not written
    4 where a target could not be reached
  130 when interrupted""",
)
@click.version_option(VERSION, prog_name="tlsalert")
def group() -> None:
    """Say who refused a TLS handshake, why, and what to change."""


def main() -> None:
    """Run the command line; errors are told in one line, and a reader that has gone away ends it quietly."""
    gc.disable()  # modules stay: to look for cycles while they are loaded, and again at the end, took 15 ms
    atexit.register(gc.freeze)
    from tlsalert.errors import TlsalertError

    if asked := os.environ.get("_TLSALERT_COMPLETE"):
        from tlsalert.cli.completion import answer

        sys.exit(answer(asked))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # an encoding without "§" is no reason to break off
    try:
        with group.make_context(
            "tlsalert", sys.argv[1:], terminal_width=_help_width()
        ) as context:  # group.main() would call a broken pipe an error
            group.invoke(context)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except TlsalertError as error:
        click.echo(f"tlsalert: {error}", err=True)
        sys.exit(error.exit_code)
    except (ImportError, AttributeError, TypeError):
        from tlsalert.staleness import told

        if not (said := told()):
            raise
        click.echo(f"tlsalert: {said}", err=True)
        sys.exit(3)
    except BrokenPipeError:
        _hush()
        sys.exit(0)
    except OSError as error:
        _hush()
        click.echo(f"tlsalert: cannot write: {error.strerror or error}", err=True)
        sys.exit(3)
    finally:
        gc.enable()


def _help_width() -> int | None:
    """Return the width of help where the terminal has fewer columns than click believes; None elsewhere."""
    from shutil import get_terminal_size

    if (columns := get_terminal_size().columns) >= USUAL_HELP:
        return None
    from tlsalert.cli.narrow_help import settle

    return settle(columns)


def _hush() -> None:
    """Let the interpreter's last flush go nowhere: the reader of the pipe has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
