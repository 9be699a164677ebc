"""``tlsalert tap``: a forwarder that decodes what passes."""

from __future__ import annotations

import contextlib
import resource
import sys
from typing import Any

import click

from tlsalert.cli.watching import Asked, options, prepare
from tlsalert.sources.forwarder import Place
from tlsalert.sources.tapped import TapSource


@click.command(
    epilog="""\b
Examples:
  tlsalert tap --listen 127.0.0.1:8443 --to 10.0.0.7:5900
  tlsalert tap --listen [::]:8443 --to bmc.example:443 --write bmc.pcap
  tlsalert tap --listen unix:/run/user/1000/tap --to unix:/run/server.sock

Ends with Ctrl-C, SIGTERM, --duration or --count, and tells the sums. Ends with 0, with 1 where --fail-on found a
failure, with 4 where no connection reached the server."""
)
@click.option(
    "--listen", metavar="ADDRESS:PORT", required=True, help="Where clients connect; port 0: any. Or unix:PATH."
)
@click.option("--to", "target", metavar="HOST:PORT", required=True, help="The server. Or unix:PATH.")
@options
def command(listen: str, target: str, **given: Any) -> None:
    """Pass connections on to a server and say who refused what, why, and what to change.

    No rights are needed, and nothing is changed: bytes, half-closes and resets pass as they come. Let the client
    connect to ADDRESS:PORT. Connections are shown as they end; in the capture of --write packets and their headers are
    made up around the bytes that passed.
    """
    near, far = _place(listen, "--listen"), _place(target, "--to")
    asked = Asked(**given)
    show = prepare(asked)
    _more_descriptors()
    source = TapSource(near, far, checksums=asked.write is not None)
    where = source.address if isinstance(source.address, str) else _shown(*source.address)
    show(source, f"listening on {where}")
    if source.unreached and not source.connections:
        sys.exit(4)


def _place(text: str, option: str) -> Place:
    """Read ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH."""
    if text.startswith("unix:") and len(text) > len("unix:"):
        return text.removeprefix("unix:")
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 0xFFFF or (":" in host) != host.startswith("["):
        raise click.UsageError(f"{option}: {text!r} is no address: give HOST:PORT, [IPV6]:PORT or unix:PATH")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _more_descriptors() -> None:
    """Allow as many connections as the system does: each takes two descriptors."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
