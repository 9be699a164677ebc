"""``tlsalert lab``: a device on loopback to try things on."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

import click

from tlsalert.cli import known
from tlsalert.errors import UsageError
from tlsalert.render.style import escape

if TYPE_CHECKING:
    from cryptography import x509

    from tlsalert.lab.cases import Case
    from tlsalert.lab.certificates import Identity
    from tlsalert.lab.device import Version
    from tlsalert.lab.levels import LabDevice
    from tlsalert.lab.relay import Relay
    from tlsalert.lab.served import Served
    from tlsalert.lab.server import RunningDevice
    from tlsalert.lab.stacks import StackConfig, StackName

#: Set in the process that libfaketime gives another clock: what to add to the monotonic clock to get the real time.
REAL_TIME = "TLSALERT_LAB_REAL_TIME"
MISSING = "the lab needs pyOpenSSL; install it with: pip install 'tlsalert[lab]'"
STACK_NAMES = ("stunnel", "openssl", "gnutls", "nginx", "haproxy", "nss", "java", "node")
CASE_NAMES = ("bmc-2015",)
#: A certificate's longest subject on a line of output.
SUBJECT_WIDTH = 80


@click.command(
    epilog="""\b
Examples:
  tlsalert lab --case bmc-2015
  tlsalert lab --clock 2015-03-12 --trust ca.pem --port 4433 --record captures
  tlsalert lab --stack nginx --trust ca.pem
  tlsalert lab --fault alert:bad_certificate@certificate

Faults: reset, close, silence, drip[:SECONDS], alert[:NAME or NUMBER], garbage, plain, huge-record; all but drip
with @connect (at once), @hello (in place of the answer to the ClientHello) or @certificate (in place of the
answer to the client's second flight) behind it.

Ends with 0 when it is stopped by Ctrl-C or SIGTERM, and with 2 where it can't run as it was asked to."""
)
@click.option("--clock", metavar="TIME", help="The device's clock when it starts: RFC 3339, or a date. It runs on.")
@click.option(
    "--show-clock", is_flag=True, help="Show the clock in ServerHello.random as old OpenSSL did; needs libfaketime."
)
@click.option(
    "--trust",
    "trusts",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Trust the CAs in a PEM file and name them in the CertificateRequest. Repeat for several.",
)
@click.option(
    "--pin",
    "pins",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="A client's own certificate to trust. Repeat for several.",
)
@click.option(
    "--verify",
    type=click.IntRange(0, 4),
    metavar="N",
    help="What to demand of the client's certificate, as stunnel: 0 ignore it, 1 right if shown, 2 a right chain, "
    "3 that and pinned, 4 pinned. Default: 2 with --trust, 4 with --pin, 3 with both; else it asks for none.",
)
@click.option("--cert", type=click.Path(dir_okay=False), metavar="FILE", help="The device's certificate and chain.")
@click.option("--key", type=click.Path(dir_okay=False), metavar="FILE", help="Its private key; default: in --cert.")
@click.option(
    "--tls",
    "versions",
    metavar="LIST",
    shell_complete=known.versions,
    help="The versions: of 1.0, 1.1, 1.2 and 1.3. Default: 1.2,1.3.",
)
@click.option("--ciphers", metavar="LIST", help="Cipher suites up to TLS 1.2, as OpenSSL lists them.")
@click.option("--alpn", metavar="LIST", help="Application protocols, best first, such as h2,http/1.1.")
@click.option("--crl", "crls", multiple=True, type=click.Path(dir_okay=False), metavar="FILE", help="A CRL in PEM.")
@click.option(
    "--after",
    type=click.Choice(["echo", "http", "console", "close"]),
    default=None,
    help="What to do after the handshake: send everything back (default), answer a request with the clock's Date, "
    "greet like a remote console, or close.",
)
@click.option("--starttls", type=click.Choice(["smtp", "imap", "pop3"]), help="Begin in clear, with this protocol.")
@click.option("--fault", metavar="NAME", shell_complete=known.faults, help="Fail in a certain way; see below.")
@click.option("--stack", type=click.Choice(STACK_NAMES), help="Run this server, where it is installed, instead.")
@click.option("--case", "case_name", type=click.Choice(CASE_NAMES), help="Play a case that is known.")
@click.option(
    "--dir", "folder", type=click.Path(file_okay=False), metavar="DIR", help="Where --case writes the client's files."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen: an IP address."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0: any that is free.")
@click.option(
    "--record",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write the connections to DIR/lab.pcap, their secrets to DIR/keys.log.",
)
def command(**given: Any) -> None:
    """Run a TLS device on loopback, with a clock and faults of your choice, until Ctrl-C.

    It prints one line for each connection: when, from where, which version, what happened.
    """
    asked = _Asked(**given)
    try:
        import OpenSSL  # noqa: F401 - an extra
    except ImportError:
        raise UsageError(MISSING) from None
    if asked.stack is not None:
        _run_stack(asked)
    else:
        _run_device(asked)


@dataclass(frozen=True)
class _Asked:
    """The options, by the names of their parameters."""

    clock: str | None
    show_clock: bool
    trusts: tuple[str, ...]
    pins: tuple[str, ...]
    verify: int | None
    cert: str | None
    key: str | None
    versions: str | None
    ciphers: str | None
    alpn: str | None
    crls: tuple[str, ...]
    after: str | None
    starttls: str | None
    fault: str | None
    stack: str | None
    case_name: str | None
    folder: str | None
    host: str
    port: int
    record: str | None


def _run_device(asked: _Asked) -> None:
    from tlsalert.lab.server import serve

    case = _case(asked)
    device = case.device if case else _device(asked)
    if device.shows_clock and device.clock is not None:
        device = _shown(device)
    running = serve(
        device,
        asked.host,
        asked.port,
        record=None if asked.record is None else Path(asked.record),
        told=_tell,
        real_time=_real_time(),
    )
    with running, _until_stopped() as stopped:
        _say(f"listening on {_where(*running.address)}   {_describe(device, running.clock)}")
        if case is not None:
            _say(f"In a second terminal:\n  {case.command(*running.address)}")
        stopped.wait()
        running.stop()
        _sum_up(running)


def _case(asked: _Asked) -> Case | None:
    """Return the case that is to be played. In the process under libfaketime its folder and keys are made anew."""
    if asked.case_name is None:
        if asked.folder is not None:
            raise click.UsageError("--dir goes with --case")
        return None
    own = (asked.clock, asked.cert, asked.key, asked.versions, asked.ciphers, asked.alpn, asked.starttls, asked.verify)
    if any(one is not None for one in own) or asked.trusts or asked.pins or asked.crls:
        raise click.UsageError("--case has a clock, certificates and versions of its own; leave those options out")
    _become_faked(_bmc_clock())
    from tlsalert.lab.cases import make_case
    from tlsalert.lab.faults import Fault

    case = make_case(asked.case_name, None if asked.folder is None else Path(asked.folder))
    fault = None if asked.fault is None else Fault.parse(asked.fault)
    after = cast("Any", asked.after or case.device.after)
    return replace(case, device=replace(case.device, fault=fault, after=after))


def _bmc_clock() -> datetime:
    from tlsalert.lab.cases import BMC_CLOCK

    return BMC_CLOCK


def _device(asked: _Asked) -> LabDevice:
    """Return the device that the options describe."""
    from tlsalert.lab.faults import Fault
    from tlsalert.lab.levels import LabDevice

    clock = _time(asked.clock)
    if asked.show_clock and clock is not None:
        _become_faked(clock)
    versions, without = _versions(asked.versions or "1.2,1.3")
    trusted, pinned = _certificates(asked.trusts), _certificates(asked.pins)
    level = asked.verify
    if level is None and (trusted or pinned):
        level = 4 if not trusted else 3 if pinned else 2
    if level is not None and level > 0 and not (trusted or pinned):
        raise click.UsageError(f"--verify {level} needs --trust or --pin")
    return LabDevice(
        _identity(asked.cert, asked.key),
        trusted=trusted,
        pinned=pinned,
        verify=cast("Any", level),
        asks="no" if level is None else "required",
        clock=clock,
        shows_clock=asked.show_clock,
        versions=versions,
        without=without,
        ciphers=asked.ciphers or "DEFAULT",
        alpn=tuple(filter(None, (asked.alpn or "").split(","))),
        crls=tuple(crl for path in asked.crls for crl in _crls(path)),
        after=cast("Any", asked.after or "echo"),
        starttls=cast("Any", asked.starttls),
        fault=None if asked.fault is None else Fault.parse(asked.fault),
    )


def _run_stack(asked: _Asked) -> None:
    from tlsalert.lab.relay import Relay
    from tlsalert.lab.stacks import STACKS, start

    refused = {
        "--case": asked.case_name,
        "--pin": asked.pins if asked.stack != "stunnel" else (),
        "--after": asked.after,
        "--alpn": asked.alpn,
        "--starttls": asked.starttls,
        "--fault": asked.fault,
        "--show-clock": asked.show_clock,
        "--dir": asked.folder,
    }
    for option, value in refused.items():
        if value:
            raise click.UsageError(f"{option} does not go with --stack {asked.stack}")
    name = cast("StackName", asked.stack)
    config = _stack_config(asked)
    with (
        start(name, config) as server,
        Relay(
            server.address,
            asked.host,
            asked.port,
            record=None if asked.record is None else Path(asked.record),
            told=_tell,
        ).start() as relay,
        _until_stopped() as stopped,
    ):
        clock = "" if config.clock is None else f", its clock started at {config.clock:%Y-%m-%d %H:%M:%S}"
        program = f"{STACKS[name].program} behind it, on port {server.address[1]}"
        _say(f"listening on {_where(*relay.address)}   {program}{clock}")
        while not stopped.wait(0.5):
            if not server.running:
                raise UsageError("has ended by itself", STACKS[name].program, "look at the settings")
        relay.stop()
        _sum_up(relay)


def _stack_config(asked: _Asked) -> StackConfig:
    from tlsalert.lab.stacks import StackConfig

    versions, without = _versions(asked.versions or "1.2,1.3")
    if without:
        raise click.UsageError("--stack takes versions without a gap between them")
    trusted = (*_certificates(asked.trusts), *_certificates(asked.pins))
    return StackConfig(
        _identity(asked.cert, asked.key),
        trusted,
        versions,
        _time(asked.clock),
        "required" if trusted else "no",
        cast("Any", asked.verify),
        asked.ciphers,
        tuple(crl for path in asked.crls for crl in _crls(path)),
    )


def _become_faked(clock: datetime) -> None:
    """Start this program again under libfaketime, so that the whole process has the device's clock.

    Where that is not installed it goes on, and says what that means. The real time, which captures need, is handed
    down as its distance from the monotonic clock, which libfaketime leaves alone.
    """
    from tlsalert.lab import faketime

    if REAL_TIME in os.environ:
        return
    if faketime.library() is None:
        click.echo(
            "tlsalert: libfaketime is not installed (Debian: apt install faketime): the device judges by its clock, "
            "but ServerHello.random won't show it",
            err=True,
        )
        return
    real = {REAL_TIME: str(time.time_ns() - time.monotonic_ns())}
    sys.stdout.flush()
    command = [sys.executable, "-m", "tlsalert", *sys.argv[1:]]
    os.execve(sys.executable, command, faketime.environment(clock) | real)  # noqa: S606 - this very program


def _shown(device: LabDevice) -> LabDevice:
    """Let the clock by which a device judges be that of the process, where libfaketime has set it."""
    if REAL_TIME in os.environ:
        return replace(device, clock=datetime.now(UTC))
    return replace(device, shows_clock=False)


def _real_time() -> Callable[[], int]:
    """Return what tells the real time, in nanoseconds, whatever clock this process has been given."""
    distance = os.environ.get(REAL_TIME, "")
    if not distance.isdecimal():
        return time.time_ns
    add = int(distance)
    return lambda: time.monotonic_ns() + add


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    from tlsalert.given import SECOND, read_time

    return datetime.fromtimestamp(read_time(text) // SECOND, UTC)


def _versions(text: str) -> tuple[tuple[Version, Version], tuple[Version, ...]]:
    """Return the lowest and the highest version of a list such as "1.0,1.2", and those between that it lacks."""
    from tlsalert.lab.device import VERSIONS

    names = list(VERSIONS)
    wanted = {f"TLS {part.strip()}" for part in text.split(",") if part.strip()}
    if unknown := sorted(wanted - set(names)):
        raise click.UsageError(f"--tls: the lab has no {', '.join(unknown)}; take of 1.0, 1.1, 1.2, 1.3")
    if not wanted:
        raise click.UsageError("--tls: name one version at least")
    places = [place for place, name in enumerate(names) if name in wanted]
    between = names[places[0] : places[-1] + 1]
    return (between[0], between[-1]), tuple(name for name in between if name not in wanted)


def _identity(cert: str | None, key: str | None) -> Identity:
    """Return what the device shows: the files that were given, or a certificate made for this run."""
    from tlsalert.lab.certificates import Identity, self_signed

    if cert is None:
        if key is not None:
            raise click.UsageError("--key goes with --cert")
        return self_signed(
            "CN=device of tlsalert's lab", datetime(2000, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)
        )
    pem = (b"" if key is None else _read(key) + b"\n") + _read(cert)
    try:
        return Identity.from_pem(pem)
    except (ValueError, TypeError) as error:
        where = cert if key is None else f"{key}, {cert}"
        raise UsageError(
            f"no certificate with its key: {error}", where, "give PEM, the key RSA or elliptic-curve and not encrypted"
        ) from error


def _certificates(paths: tuple[str, ...]) -> tuple[x509.Certificate, ...]:
    from cryptography import x509

    found: list[x509.Certificate] = []
    for path in paths:
        try:
            found += x509.load_pem_x509_certificates(_read(path))
        except ValueError as error:
            raise UsageError("no certificates in it", path, "give a file in PEM") from error
    return tuple(found)


def _crls(path: str) -> list[x509.CertificateRevocationList]:
    """Read all revocation lists in a file."""
    from cryptography import x509

    mark = b"-----BEGIN X509 CRL-----"
    try:
        found = [x509.load_pem_x509_crl(mark + one) for one in _read(path).split(mark)[1:]]
    except ValueError as error:
        raise UsageError(f"a revocation list in it cannot be read: {error}", path) from error
    if not found:
        raise UsageError("no revocation list in it", path, "give a file in PEM")
    return found


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", path) from error


def _until_stopped() -> AbstractContextManager[threading.Event]:
    """Return an event that Ctrl-C and SIGTERM set, from now on."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return nullcontext(stopped)


def _tell(served: Served) -> None:
    """Print one line about a connection."""
    when = datetime.fromtimestamp(served.time / 1e9, UTC)
    parts = [
        f"#{served.number}",
        f"{when:%H:%M:%S}",
        _where(*served.peer),
        served.tls_version or "-",
        "accepted" if served.happened == "accepted" else served.happened.replace("_", " "),
    ]
    if served.client is not None:
        parts.append(escape(served.client)[:SUBJECT_WIDTH])
    if served.says:
        parts.append(escape(served.says))
    _say("   ".join(parts))


def _describe(device: LabDevice, clock: datetime) -> str:
    """Return a device's settings in a few words."""
    versions = " to ".join(dict.fromkeys(device.versions))
    said = [versions, f"clock {clock:%Y-%m-%d %H:%M:%S}"]
    if device.verify is not None:
        said.append(f"verify {device.verify}")
    if device.starttls is not None:
        said.append(f"STARTTLS of {device.starttls}")
    said.append(f"fault {device.fault}" if device.fault is not None else f"then {device.after}")
    return ", ".join(said)


def _sum_up(running: RunningDevice | Relay) -> None:
    """Tell on standard error what there was."""
    total = sum(running.counts.values())
    ways = ", ".join(f"{many} {name.replace('_', ' ')}" for name, many in running.counts.most_common())
    many = "1 connection" if total == 1 else f"{total} connections"
    click.echo(f"tlsalert: {many}{': ' if ways else ''}{ways}", err=True)


def _where(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _say(text: str) -> None:
    """Print at once, also into a pipe; lines of several threads do not mix."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
