"""``tlsalert read``: captures in, connections and verdicts out."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

import click

from tlsalert.capture import Reader, Wanted, open_evidence
from tlsalert.cli.output import binary, open_output
from tlsalert.cli.screen import pages
from tlsalert.errors import TlsalertError
from tlsalert.given import Given, given
from tlsalert.model import Connection, Summary
from tlsalert.secrets.opening import OpenWith

if TYPE_CHECKING:
    from tlsalert.cli.wireshark import ForWireshark
    from tlsalert.log_reader import LogReader
    from tlsalert.render.text import TextWriter


@click.command(
    epilog="""\b
Examples:
  tlsalert read captures/console.pcap
  tlsalert read --only failed --format jsonl big.pcapng | jq .verdict.summary
  tcpdump -w - port 443 | tlsalert read -
  strace -f -tt -s 65536 -o t.log curl https://device/ ; tlsalert read t.log
  tlsalert read console.pcap --format html -o report.html

Ends with 0, with 1 where --fail-on found a failure, with 3 where a file could not be read."""
)
@click.argument("evidence", metavar="EVIDENCE...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option(
    "--only",
    type=click.Choice(["all", "failed", "alerts"]),
    default="all",
    show_default=True,
    help="Which connections to show: all, those that failed, or those with an alert.",
)
@click.option(
    "--connection", "number", type=click.IntRange(0), metavar="N", help="Show only connection N (from 0), in full."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "jsonl", "csv", "parquet", "html"]),
    default="text",
    show_default=True,
    help="How to write them: for people, as one JSON array, one JSON object a line, a table (CSV, or Parquet: extra "
    "'tables'), or a page to look at.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), default="-", help="Write to a file.")
@click.option(
    "--keylog",
    "keylogs",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Decrypt with a key log (SSLKEYLOGFILE). Repeat for several.",
)
@click.option(
    "--rsa-key",
    "rsa_keys",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Decrypt static RSA key exchange with the server's private key: PEM, DER or PKCS #12.",
)
@click.option(
    "--passphrase-file",
    type=click.File("rb"),
    metavar="FILE",
    help="The passphrase of --rsa-key, the file's first line. Without it you are asked.",
)
@click.option("--psk", "psks", multiple=True, metavar="HEX", help="Decrypt with a pre-shared key.")
@click.option(
    "--decrypt",
    type=click.Choice(["handshake", "all"]),
    default="handshake",
    show_default=True,
    help="What to open with those secrets: handshake and alerts, or all application data as well.",
)
@click.option(
    "--write-keylog",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the secrets that --rsa-key and --psk gave to a new key log (mode 0600).",
)
@click.option("--server-clock", metavar="TIME", help="The server's clock when the capture began: RFC 3339, or a date.")
@click.option(
    "--client-cert",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The client's certificate (PEM or DER), where it sent one that the capture does not show.",
)
@click.option(
    "--annotate",
    type=click.Path(dir_okay=False),
    metavar="OUT.pcapng",
    help="Write the capture with comments for Wireshark: at hello, refused certificate and alert.",
)
@click.option(
    "--extract",
    type=click.Path(dir_okay=False),
    metavar="OUT.pcapng",
    help="Write the packets of the connections shown (see --only, --connection) to a capture of their own.",
)
@click.option("--with-secrets", is_flag=True, help="Put the secrets that open them into what --extract writes.")
@click.option("--cross-check", is_flag=True, help="Compare with what Wireshark's tshark sees in the same file.")
@pages
@click.option("--full", is_flag=True, help="Show every connection in full: those that went well, too, and many.")
@click.option("--fail-on", type=click.Choice(["fatal"]), help="End with 1 if a handshake failed.")
def command(
    evidence: tuple[str, ...],
    only: str,
    number: int | None,
    form: str,
    output: str,
    keylogs: tuple[str, ...],
    rsa_keys: tuple[str, ...],
    passphrase_file: BinaryIO | None,
    psks: tuple[str, ...],
    decrypt: str,
    write_keylog: str | None,
    server_clock: str | None,
    client_cert: str | None,
    annotate: str | None,
    extract: str | None,
    with_secrets: bool,
    cross_check: bool,
    full: bool,
    fail_on: str | None,
) -> None:
    """Decode the TLS handshakes in captures and logs and say who refused what, why, and what to change.

    EVIDENCE is a pcap or pcapng file or a log, plain or compressed (gzip, zstd, xz, bzip2), or "-" for a pipe.
    Connections come in the order of their first packets; from a pipe, and where very many failed, as they end. On a
    terminal more than twelve that failed, or 500 in all, are a table with a row for each.

    \b
    Logs are known by their content:
      strace, with any of its options for time, strings and descriptors; of
      the files of -ff any one stands for the whole trace;
      the texts of openssl s_client and s_server (-debug, -msg, -trace,
      -state or none), of curl's verbose and trace output, of gnutls-cli and
      gnutls-serv (best with -d 4), and of Java's
      -Djavax.net.debug=ssl,handshake or all;
      stunnel, client or server, of any debug level; nginx, Apache, HAProxy,
      Postfix, Dovecot, OpenVPN; from files, syslog or journalctl, and mixed
      as in /var/log/syslog; as last resort any text with lines that tell of
      an alert.
    """  # noqa: D301
    gc.enable()
    gc.set_threshold(1_000_000, 50, 50)  # what reading makes has no cycles: looking for them took a third of the time
    if form == "parquet":
        _parquet(output)
    inputs = (*evidence, *keylogs, *rsa_keys, *([client_cert] if client_cert else []))
    for written in (output, annotate, extract):
        _spare(written or "", inputs)
    _apart(*(os.path.realpath(one) for one in (output, annotate, extract) if one and one != "-"))
    wireshark = None
    if annotate or extract or with_secrets or cross_check:
        from tlsalert.cli.wireshark import ForWireshark, checking

        check = checking(keylogs, only != "all" or number is not None) if cross_check else None
        wireshark = ForWireshark(evidence, annotate, extract, with_secrets, check)
    secrets = _secrets(keylogs, rsa_keys, passphrase_file, psks, decrypt == "all", write_keylog)
    session = _Session(cast("Wanted", only), number, secrets, given(server_clock, client_cert), wireshark)
    with open_output(output) as out:
        if form == "text":
            session.text(evidence, out, full or number is not None)
        else:
            session.data(evidence, out, form)
    if secrets is not None:
        _tell_of(secrets, write_keylog)
    if session.unread:
        sys.exit(3)
    if not session.found:
        sys.exit(2)
    differs = wireshark is not None and wireshark.compare(
        sys.stdout if form == "text" and output == "-" else sys.stderr
    )
    sys.exit(1 if differs or (fail_on and session.failed) else 0)


class _Session:
    """One run over all evidence: it remembers what failed."""

    def __init__(
        self,
        wanted: Wanted,
        number: int | None,
        secrets: OpenWith | None,
        given: Given | None = None,
        wireshark: ForWireshark | None = None,
    ) -> None:
        self.wanted: Wanted = wanted
        self.secrets = secrets
        self.given = given
        self.number = number
        self.wireshark = wireshark
        self.unread = False
        self.failed = False
        self.found = number is None
        self.parts: set[str] = set()
        self.summaries: list[Summary] = []

    def text(self, evidence: tuple[str, ...], out: TextIO, full: bool) -> None:
        """Write for people."""
        writer = _writer(out, full, "-" in evidence)
        for path in evidence:
            reader = self._open(path)
            if reader is None:
                continue
            for connection in self._connections(reader):
                writer.write(connection)
                if reader.live:
                    out.flush()
            writer.finish(reader.summary)

    def data(self, evidence: tuple[str, ...], out: TextIO, form: str) -> None:
        """Write for programs; what is odd about a file goes to standard error."""
        connections = self._all(evidence)
        if form == "csv":
            from tlsalert.render.csv import write_csv

            write_csv(connections, binary(out))
        elif form == "parquet":
            from tlsalert.render.tables import write_parquet

            write_parquet(connections, binary(out))
        elif form == "json":
            from tlsalert.render.json import write_json

            write_json(connections, binary(out))
        elif form == "html":
            from tlsalert.render.html.report import write_report

            write_report(connections, self.summaries, binary(out))
        else:
            from tlsalert.render.json import jsonl

            raw = binary(out)
            for connection in connections:
                raw.write(jsonl(connection))
                if connection.source == "-":
                    raw.flush()

    def _all(self, evidence: tuple[str, ...]) -> Iterator[Connection]:
        for path in evidence:
            reader = self._open(path)
            if reader is None:
                continue
            yield from self._connections(reader)
            self.summaries.append(reader.summary)
            for note in reader.summary.notes:
                click.echo(f"tlsalert: {path}: {note}", err=True)

    def _open(self, path: str) -> Reader | LogReader | None:
        if os.path.realpath(path) in self.parts:
            click.echo(f"tlsalert: {path} was read already: it is a part of a trace that was given before it", err=True)
            return None
        try:
            reader = open_evidence(path, "all" if self.number is not None else self.wanted, self.secrets, self.given)
        except TlsalertError as error:
            self._tell(error)
            return None
        if not isinstance(reader, Reader):
            self.parts.update(map(os.path.realpath, reader.parts))
        return reader

    def _connections(self, reader: Reader | LogReader) -> Iterator[Connection]:
        """Go through one file's connections; where it breaks off that is told, and the other files are still read."""
        try:
            with _progress(reader) as reader.progress:
                for connection in reader:
                    if self.number is None or connection.connection == self.number:
                        if self.wireshark is not None:
                            self.wireshark.take(connection, reader)
                        yield connection
            if self.wireshark is not None:
                self.wireshark.finish(reader)
        except TlsalertError as error:
            self._tell(error)
        summary = reader.summary
        self.found = self.found or self.number is None or self.number < summary.connections
        if self.number is not None and self.number >= summary.connections:
            click.echo(
                f"tlsalert: {summary.source} has no connection {self.number}: it has {summary.connections}", err=True
            )
        if summary.failed_by_server + summary.failed_by_client + summary.failed_other:
            self.failed = True

    def _tell(self, error: TlsalertError) -> None:
        self.unread = True
        click.echo(f"tlsalert: {error}", err=True)


def _writer(out: TextIO, full: bool, piped: bool) -> TextWriter:
    """Return what writes for people; many connections are a table on a terminal, not where they come as they end."""
    if out.isatty() and not full and not piped:
        from tlsalert.render.table import ManyWriter

        return ManyWriter(out)
    from tlsalert.render.text import TextWriter

    return TextWriter(out, full=full)


def _secrets(
    keylogs: tuple[str, ...],
    rsa_keys: tuple[str, ...],
    passphrase_file: BinaryIO | None,
    psks: tuple[str, ...],
    everything: bool,
    write_keylog: str | None,
) -> OpenWith | None:
    """Read what the user gives to decrypt with; None where that is nothing."""
    if not (keylogs or rsa_keys or psks or everything or write_keylog):
        return None
    from tlsalert.secrets.opening import open_with

    if write_keylog is not None and os.path.lexists(write_keylog):
        raise click.UsageError(f"{write_keylog} is there already: secrets are written to a new file only")

    def ask(name: str) -> bytes | None:
        if passphrase_file is not None:
            return passphrase_file.readline().rstrip(b"\r\n")
        if not sys.stdin.isatty():
            return None
        phrase: str = click.prompt(f"Passphrase of {name}", hide_input=True, err=True)
        return phrase.encode()

    return open_with(keylogs, rsa_keys, ask, [_psk(text) for text in psks], everything)


def _psk(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise click.UsageError("--psk takes hexadecimal digits, two for a byte") from None


def _tell_of(secrets: OpenWith, write_keylog: str | None) -> None:
    """Say what was odd about the key logs, and write what was derived, if that was asked for."""
    for problem in secrets.keyring.keylog.problems:
        click.echo(f"tlsalert: {problem}", err=True)
    if write_keylog is None:
        return
    from tlsalert.secrets.keylog import write_keylog as write

    many = write(write_keylog, secrets.keyring.derived)
    click.echo(f"tlsalert: {write_keylog}: {many} secrets of this capture, readable by you alone", err=True)


def _spare(output: str, evidence: tuple[str, ...]) -> None:
    """Refuse to write over what is to be read."""
    for path in evidence:
        if "-" in (output, path):
            continue  # standard output or input, whatever files have that name
        if os.path.exists(output) and os.path.exists(path) and os.path.samefile(output, path):
            raise click.UsageError(f"{output} is evidence: it would be lost; write to another file")


def _apart(*outputs: str) -> None:
    """Refuse to write two things to one file."""
    for path in outputs:
        if outputs.count(path) > 1 and path != os.devnull:
            raise click.UsageError(f"{path} is named for two outputs: one would be lost; name two files")


def _parquet(output: str) -> None:
    """Refuse what Parquet cannot do, before a file is made."""
    from tlsalert.render.tables import library

    if output == "-" and sys.stdout.isatty():
        raise click.UsageError("Parquet is nothing for a terminal: write it to a file with -o")
    library("pyarrow.parquet", "tables")


def _progress(reader: Reader | LogReader) -> AbstractContextManager[Callable[[int], None] | None]:
    """Show a bar on standard error where that is a terminal, the size is known and reading takes over a second."""
    if not sys.stderr.isatty() or not reader.size or reader.size < 1 << 20:
        return nullcontext(None)
    from tlsalert.cli.progress import bar

    return bar(reader.size)
