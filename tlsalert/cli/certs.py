"""``tlsalert certs``: every certificate and key, wherever it lies."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO

import click

from tlsalert.cli.output import binary, open_output
from tlsalert.cli.progress import showing
from tlsalert.cli.screen import pages
from tlsalert.errors import TlsalertError, UsageError
from tlsalert.pki.containers import Blob
from tlsalert.pki.found import Damage, Found
from tlsalert.pki.inventory import Inventory, inventory
from tlsalert.pki.keys import Phrases
from tlsalert.pki.places import sizes
from tlsalert.pki.problems import WARN, ends_within
from tlsalert.pki.server import ask, target
from tlsalert.starttls import ALIASES, PROTOCOLS

if TYPE_CHECKING:
    from tlsalert.pki.clues import ClockStart, Library

#: How a span of time is written: a number and one of these.
UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}


def span(said: str) -> timedelta:
    """Return a span of time: "90d", "12h", "6w", "2y"; a number alone is days."""
    number, unit = (said[:-1], said[-1]) if said[-1:] in UNITS else (said, "d")
    try:
        return int(number) * UNITS[unit]
    except (ValueError, OverflowError):
        raise UsageError(f"{said!r} is no span of time: give one like 90d, 6w or 2y") from None


@click.command(
    epilog="""\b
Examples:
  tlsalert certs /etc/stunnel firmware.zip
  tlsalert certs --warn 90d --prometheus certs.prom /etc/ssl/private
  tlsalert certs --at 2026-06-01 --ics ends.ics console.jar
  tlsalert certs --starttls smtp mail.example.net:587
  tlsalert certs --predict client.pem firmware.bin

Ends with 0; with 1 where --warn was given and a certificate has ended or ends within it; with 3 where a path could
not be read, and 4 where a server could not be reached."""
)
@click.argument("places", metavar="PATH|HOST:PORT...", nargs=-1, type=click.Path(allow_dash=True))
@click.option("--at", "when", metavar="TIME", help="Judge dates as of this time (RFC 3339, or a date) instead of now.")
@click.option("--warn", metavar="SPAN", help="End with 1 if a certificate ends within it (90d, 6w, 2y) or has ended.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "jsonl", "csv", "html"]),
    default="text",
    show_default=True,
    help="How to write them: for people, as one JSON array, one JSON object a line, a table, or a page to look at.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), default="-", help="Write to a file.")
@click.option("--ics", type=click.Path(dir_okay=False), metavar="FILE", help="Write a calendar with a reminder each.")
@click.option(
    "--prometheus", type=click.Path(dir_okay=False), metavar="FILE", help="Write metrics for node_exporter's textfiles."
)
@click.option(
    "--extract-public", type=click.Path(file_okay=False), metavar="DIR", help="Write all but private keys there as PEM."
)
@click.option(
    "--extract-private", type=click.Path(file_okay=False), metavar="DIR", help="Write private keys there, mode 0600."
)
@click.option(
    "--predict",
    type=click.Path(exists=True, dir_okay=False),
    metavar="CLIENT.pem",
    help="Say instead what the servers found will answer to this client certificate, and when that changes.",
)
@click.option("--system", is_flag=True, help="Look through what this system trusts, too.")
@click.option(
    "--starttls",
    type=click.Choice([*PROTOCOLS, *ALIASES]),
    metavar="PROTOCOL",
    help="Ask a server for TLS in this protocol first: smtp, imap, ldap …",
)
@click.option("--server-name", metavar="NAME", help="The name to ask a server for (SNI), instead of HOST.")
@click.option(
    "--passphrase-file",
    type=click.File("rb"),
    metavar="FILE",
    help="Passphrases of key stores and keys, one a line. Without it you are asked, on a terminal.",
)
@pages
def command(
    places: tuple[str, ...],
    when: str | None,
    warn: str | None,
    form: str,
    output: str,
    ics: str | None,
    prometheus: str | None,
    extract_public: str | None,
    extract_private: str | None,
    predict: str | None,
    system: bool,
    starttls: str | None,
    server_name: str | None,
    passphrase_file: BinaryIO | None,
) -> None:
    """List every certificate, request, revocation list and key, with what fits, who signed whom, and what is wrong.

    PATH is a file or a folder: PEM, DER, PKCS #7, PKCS #12, JKS, JCEKS, BKS and OpenSSH keys, archives (zip, jar, tar,
    cpio, ar, deb; gzip, xz, bzip2, zstd), captures, strace and other logs, and any other file, in which certificates
    and keys are found by their content: firmware images, too, down to the files in their file systems (with the extra
    'firmware'). What is inside of a file is told as "FILE!/member". "-" is standard input. HOST:PORT is a server, whose
    chain is asked for.
    """
    if not places and not system:
        raise click.UsageError("name a file, a folder or HOST:PORT, or give --system")
    at = _time(when)
    ends = WARN if warn is None else span(warn)
    paths, servers = _sorted(places)
    if system:
        from tlsalert.pki.places import trust_stores

        paths += trust_stores()
    unreached: list[TlsalertError] = []
    if predict is not None and form in ("csv", "html"):
        raise click.UsageError("--predict is told as text, json or jsonl")
    told: list[Library | ClockStart] = []
    with _waiting(paths) as (pause, done):
        asked = _servers(servers, starttls, server_name, unreached)
        phrases = _phrases(passphrase_file, pause)
        watch = None if predict is None else _clues(told)
        taken = inventory(paths, at, ends, phrases, extra=asked, watch=watch, done=done)
    if predict is None:
        _write(taken, form, output, at)
    else:
        _predict(predict, taken, told, phrases, form, output, at)
    for error in (*taken.unread, *unreached):
        click.echo(f"tlsalert: {error}", err=True)
    if ics is not None:
        from tlsalert.render.calendar import calendar

        replace(ics, calendar(taken.found, at, ends))
    if prometheus is not None:
        from tlsalert.render.prometheus import metrics

        replace(prometheus, metrics(taken.found, taken.damage, at))
    _extract(taken.found, extract_public, extract_private)
    if taken.unread:
        sys.exit(3)
    if unreached:
        sys.exit(4)
    sys.exit(1 if warn is not None and any(ends_within(one, at, ends) for one in taken.found) else 0)


def _time(said: str | None) -> datetime:
    if said is None:
        return datetime.now(UTC)
    from tlsalert.given import read_time
    from tlsalert.model import when

    return when(read_time(said))


def _sorted(places: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return paths and servers apart: what is there as a file is one, whatever its name."""
    paths: list[str] = []
    servers: list[str] = []
    for place in places:
        (servers if place != "-" and not os.path.lexists(place) and target(place) else paths).append(place)
    return paths, servers


def _servers(
    servers: list[str], starttls: str | None, name: str | None, unreached: list[TlsalertError]
) -> Callable[[], Iterator[Found | Damage]]:
    def asked() -> Iterator[Found | Damage]:
        for server in servers:
            try:
                yield from ask(server, starttls, name)
            except UsageError:
                raise
            except TlsalertError as error:
                unreached.append(error)

    return asked


Pause = Callable[[], AbstractContextManager[object]]


@contextmanager
def _waiting(paths: list[str]) -> Iterator[tuple[Pause, Callable[[int], None] | None]]:
    """Show on a terminal how far the work is; what it gives makes room for a question, and counts bytes.

    One file, as a firmware image, has no parts to be counted: there it is shown that work goes on.
    """
    if not sys.stderr.isatty():
        yield nullcontext, None
        return
    if len(counted := sizes(paths)) > 1:
        with showing(sum(counted)) as shown:

            def aside() -> AbstractContextManager[object]:
                shown.erase()
                return nullcontext()

            yield aside, shown.advance
        return
    from rich.console import Console

    status = Console(stderr=True).status("looking for certificates and keys")

    @contextmanager
    def pause() -> Iterator[None]:
        status.stop()
        yield
        status.start()

    with status:
        yield pause, None


def _phrases(file: BinaryIO | None, pause: Callable[[], AbstractContextManager[object]]) -> Phrases:
    """Return the passphrases of a file, or a prompt where somebody is there to answer it."""
    if file is not None:
        return Phrases(tuple(line.rstrip(b"\r\n") for line in file.read(1 << 20).splitlines()))
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        return Phrases()

    def prompt(where: str) -> bytes | None:
        from tlsalert.render.style import escape

        question = f"Passphrase of {escape(where)} (empty: leave it)"
        with pause():
            said: str = click.prompt(question, hide_input=True, err=True, default="", show_default=False)
        return said.encode()

    return Phrases((), prompt)


def _write(taken: Inventory, form: str, output: str, at: datetime) -> None:
    things: tuple[Found | Damage, ...] = (*taken.found, *taken.damage)
    with open_output(output) as out:
        if form == "text":
            from tlsalert.render.inventory import InventoryText

            InventoryText(out, at).write(taken.found, taken.damage)
        elif form == "csv":
            from tlsalert.render.inventory_csv import write_csv

            write_csv(things, binary(out))
        elif form == "html":
            from tlsalert.render.html.certs import inventory_page

            binary(out).write(inventory_page(taken.found, taken.damage, at).encode("utf-8", "backslashreplace"))
        elif form == "json":
            from tlsalert.render.inventory_json import write_json

            write_json(things, binary(out))
        else:
            from tlsalert.render.inventory_json import lines

            binary(out).writelines(lines(things))


def _clues(told: list[Library | ClockStart]) -> Callable[[Blob], None]:
    """Return what collects the clues in the files that are looked through."""
    from tlsalert.pki.clues import clues

    return lambda blob: told.extend(clues(blob))


def _predict(
    client: str,
    taken: Inventory,
    told: list[Library | ClockStart],
    phrases: Phrases,
    form: str,
    output: str,
    at: datetime,
) -> None:
    """Tell what the servers in ``taken`` will answer to a client's certificate."""
    from tlsalert.pki.predict import predict
    from tlsalert.render.encoded import encoded
    from tlsalert.render.prediction import facts, lines

    shown = next((one for one in inventory([client], at, phrases=phrases).found if one.kind == "certificate"), None)
    if shown is None:
        raise UsageError(f"{client}: no certificate is in it")
    prediction = predict(shown, os.path.basename(client), taken.found, told)
    with open_output(output) as out:
        if form == "text":
            out.writelines(f"{line}\n" for line in lines(prediction, at))
        else:
            said = encoded(facts(prediction, at))
            out.write(f"[{said}]\n" if form == "json" else f"{said}\n")
    for damage in taken.damage:
        click.echo(f"tlsalert: {damage.where}: {damage.says}", err=True)


def _extract(found: tuple[Found, ...], public: str | None, private: str | None) -> None:
    from tlsalert.pki.extract import extract_private, extract_public

    if public is not None:
        click.echo(f"tlsalert: {public}: {extract_public(found, public)} files", err=True)
    if private is not None:
        many = extract_private(found, private)
        click.echo(f"tlsalert: {private}: {many} private keys, readable by you alone", err=True)


def replace(path: str, text: bytes) -> None:
    """Write a file so that whoever reads it meets the old one or the new one, never a part."""
    try:
        handle, name = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=f".{os.path.basename(path)}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
            os.chmod(name, 0o644)  # mkstemp's 0600 would keep the collector out
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
