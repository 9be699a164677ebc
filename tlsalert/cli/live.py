"""``tlsalert live``: what passes on an interface, as it happens."""

from __future__ import annotations

from typing import Any

import click

from tlsalert.cli.watching import Asked, options, prepare
from tlsalert.render.style import escape
from tlsalert.sources.live import listen


@click.command(
    epilog="""\b
Examples:
  tlsalert live -i eth0 --only failed
  tlsalert live -i eth0 --bpf "host 10.0.0.7" --write bmc.pcapng --count 1
  tlsalert live -i lo --follow --keylog keys.log

Ends with Ctrl-C, SIGTERM, --duration or --count, and tells the sums. Ends with 0, with 1 where --fail-on found a
failure, with 3 where it may not listen or the interface has gone."""
)
@click.option(
    "-i",
    "--interface",
    "interfaces",
    multiple=True,
    required=True,
    metavar="IFACE",
    help='Repeat for several; "any": all.',
)
@click.option("--bpf", metavar="FILTER", help="Take only packets that pass a filter of libpcap, as tcpdump's.")
@options
def command(interfaces: tuple[str, ...], bpf: str | None, **given: Any) -> None:
    """Decode the TLS handshakes on a network interface and say who refused what, why, and what to change.

    Connections are shown as they end. To listen takes the right to (root, or the capability CAP_NET_RAW); without it
    pass the connections through "tlsalert tap".
    """
    show = prepare(Asked(**given))
    source = listen(interfaces, bpf)
    show(source, f"listening on {escape(source.name)}")
