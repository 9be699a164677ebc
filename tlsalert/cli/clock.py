"""``tlsalert clock``: a device is asked for its clock by every way that it shows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import click

from tlsalert.cli import known
from tlsalert.cli.screen import pages
from tlsalert.clockways.ask import WAYS, Readings, ask_each, chosen, device_at, held_together
from tlsalert.clockways.joint import beyond
from tlsalert.clockways.manners import Login, Manners
from tlsalert.clockways.reading import Reading
from tlsalert.diagnosis.device_look import against_ours
from tlsalert.errors import UsageError
from tlsalert.given import read_chain
from tlsalert.model import when
from tlsalert.pki.material import Material, load_material

File = click.Path(dir_okay=False)


def _ways(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else chosen(one.strip() for one in value.split(","))


def _ports(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for said in value:
        way, equals, port = said.partition("=")
        if way not in WAYS or not equals or not port.isascii() or not port.isdigit() or len(port) > 5:
            raise click.BadParameter(f"{said!r} is not WAY=PORT, with one of {', '.join(WAYS)}", ctx, param)
        found[way] = int(port)
    return found


@click.command(
    epilog="""\b
Examples:
  tlsalert clock 10.0.0.7 --cert client.crt
  tlsalert clock bmc:5900 --user ADMIN --ways random,redfish,ipmi
  tlsalert clock bmc:5900 --ca-cert ca.crt --ca-key ca.key --format json
  tlsalert clock 10.0.0.7 --fail-on-skew 300

\b
The ways, in the order in which they are asked; --port names others:
  random        ServerHello.random of handshakes up to TLS 1.2   443 or PORT
  https         HTTP Date over TLS                               PORT, 443
  http          HTTP Date                                        PORT, 80
  redfish       /redfish/v1/Managers/*; most want --user         443
  ipmi          Get SEL Time over LAN (IPMI 2.0); wants --user   623/udp
  ntp           NTP, where the device serves it                  123/udp
  certificates  bisection by certificates; wants --ca-key        443 or PORT

TCP timestamps are not asked: they count from a start that nobody tells (RFC 7323 §5.4), so they show how fast a
clock runs, and not what time it tells. An error bar is half the round trip and what a clock leaves out of a second.
Nobody but HOST is contacted, no redirect is followed, and no certificate is verified: --user's password goes by TLS
to whoever answers at HOST. --format json is a list with an object for each way, and a last one, "joint".

Ends with 0; with 1 where a clock is surely farther off than --fail-on-skew; with 4 where nothing could be reached,
or --fail-on-skew was given and no way shows a clock; with 130 when interrupted (what was learned is shown)."""
)
@click.argument("target", metavar="HOST[:PORT]")
@click.option(
    "--ways",
    callback=_ways,
    metavar="LIST",
    shell_complete=known.ways,
    help="Ask these ways only, as random,https. Default: all.",
)
@click.option(
    "--port", "ports", multiple=True, callback=_ports, metavar="WAY=PORT", help="Ask a way at this port. Repeat."
)
@click.option("--user", metavar="NAME", help="An account of the device, for Redfish and IPMI; asks for its password.")
@click.option("--password-env", metavar="NAME", help="The environment variable with the password of --user.")
@click.option(
    "--cert", "certs", multiple=True, type=File, metavar="FILE", help="A certificate to hold the skew against. Repeat."
)
@click.option("--ca-cert", type=File, metavar="FILE", help="A CA that the device trusts, for bisection.")
@click.option("--ca-key", type=File, metavar="FILE", help="That CA's private key. You are asked for its passphrase.")
@click.option("--ca-passphrase-env", metavar="NAME", help="The environment variable with the passphrase of --ca-key.")
@click.option(
    "--starttls",
    metavar="PROTOCOL",
    shell_complete=known.protocols,
    help="Ask for TLS in this protocol first: smtp, imap, ldap …",
)
@click.option("--sni", metavar="NAME", help="The server name to send.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3600, min_open=True),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long each answer may take.",
)
@click.option(
    "--fail-on-skew",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="End with 1 where a clock is surely farther off.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
@pages
def command(
    target: str,
    ways: tuple[str, ...] | None,
    ports: dict[str, int],
    user: str | None,
    password_env: str | None,
    certs: tuple[str, ...],
    ca_cert: str | None,
    ca_key: str | None,
    ca_passphrase_env: str | None,
    starttls: str | None,
    sni: str | None,
    timeout: float,
    fail_on_skew: float | None,
    form: str,
) -> None:
    """Ask a device for its clock by every way that it shows, and say how far it is off.

    Each way is asked a few times, and believed only where its answers agree and go on as our clock does. With --cert
    you are told what the device makes of each certificate's dates, and when that changes.
    """
    asked = chosen(ways)
    shown = [(path, read_chain(path)) for path in certs]
    device = device_at(target, ports, starttls, sni, None, _material(certs, ca_cert, ca_key, ca_passphrase_env))
    if user is not None and {"redfish", "ipmi"} & set(asked):
        device = device_at(target, ports, starttls, sni, _login(user, password_env), device.material)
    readings: list[Reading] = []
    interrupted = False
    try:
        with _bar(len(asked)) as told:
            for reading in ask_each(device, asked, Manners(timeout=timeout)):
                readings.append(reading)
                told(reading)
    except KeyboardInterrupt:  # what was learned is shown
        interrupted = True
    found = held_together(device, readings, shown)
    if form == "json":
        click.echo(json.dumps(found.as_json(), indent=1, ensure_ascii=False))
    else:
        from tlsalert.render.clock_text import write_readings

        write_readings(sys.stdout, found)
    sys.exit(130 if interrupted else _code(found, fail_on_skew))


def _code(found: Readings, limit: float | None) -> int:
    """Return what it ends with, and say on standard error why that is not 0."""
    if not found.reached:
        click.echo("tlsalert: nothing answers there", err=True)
        return 4
    if limit is None:
        return 0
    if found.joint.judge is None:
        click.echo("tlsalert: no way shows the clock, so its skew could not be watched", err=True)
        return 4
    off = beyond(found, limit)
    for one in off:
        says = against_ours(one.skew_seconds or 0.0)
        click.echo(f"tlsalert: {one.way}: the clock is more than {limit:g} s off: {says}", err=True)
    return 1 if off else 0


def _material(
    certs: tuple[str, ...], ca_cert: str | None, ca_key: str | None, passphrase_env: str | None
) -> Material | None:
    """Return what certificates are made from: the CA, and the first --cert, which they are to be like."""
    if ca_cert is None and ca_key is None:
        return None
    if ca_cert is None or ca_key is None:
        raise click.UsageError("bisection needs both of --ca-cert and --ca-key")

    def ask(name: str) -> bytes | None:
        if passphrase_env is not None:
            return os.fsencode(_environment(passphrase_env))
        return _prompted(f"Passphrase of {name}")

    return load_material(when(_now()), next(iter(certs), None), ca_certificate=ca_cert, ca_key=ca_key, ask=ask)


def _now() -> int:
    import time

    return time.time_ns()


def _login(user: str, password_env: str | None) -> Login:
    if password_env is not None:
        return Login(user, _environment(password_env))
    password = _prompted(f"Password of {user}")
    if password is None:
        raise UsageError("there is nobody to ask for its password", user, "name a variable with --password-env")
    return Login(user, password.decode())


def _prompted(words: str) -> bytes | None:
    if not sys.stdin.isatty():
        return None
    said: str = click.prompt(words, hide_input=True, err=True)
    return said.encode()


def _environment(name: str) -> str:
    if name not in os.environ:
        raise UsageError(f"the environment has no {name}")
    return os.environ[name]


def _bar(total: int) -> AbstractContextManager[Callable[[Reading], None]]:
    if not sys.stderr.isatty():
        return nullcontext(lambda _: None)
    from tlsalert.cli.progress import steps

    return _Bar(steps(total))


class _Bar(AbstractContextManager["Callable[[Reading], None]"]):
    """A bar that names the way that was just asked."""

    def __init__(self, steps: AbstractContextManager[Callable[[str], None]]) -> None:
        self._steps = steps

    def __enter__(self) -> Callable[[Reading], None]:
        told = self._steps.__enter__()
        return lambda reading: told(reading.way)

    def __exit__(self, *error: object) -> None:
        self._steps.__exit__(None, None, None)
