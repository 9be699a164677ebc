"""The lab's stacks as the peers of tests: real TLS servers on loopback that ask for a client certificate."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from cryptography import x509

from tlsalert.lab import stacks
from tlsalert.lab.certificates import Identity
from tlsalert.lab.device import Version as FullVersion
from tlsalert.lab.stacks import STACKS, StackConfig
from tlsalert.lab.stacks import Stack as Peer

__all__ = ["OPENSSL", "PEERS", "START", "Peer", "Version", "prepare", "running"]

Version = Literal["1.2", "1.3"]
#: Seconds that a server may take until it listens.
START = stacks.START
OPENSSL = STACKS["openssl"]
PEERS = tuple(STACKS.values())
_FULL: dict[Version, FullVersion] = {"1.2": "TLS 1.2", "1.3": "TLS 1.3"}


def prepare(folder: Path, server: Identity, authority: x509.Certificate) -> None:
    """Write the files that servers read. The keys are made for this run and go with the folder."""
    stacks.prepare(folder, StackConfig(server, (authority,)))


@contextlib.contextmanager
def running(peer: Peer, server: Identity, authority: x509.Certificate, version: Version) -> Iterator[int]:
    """Run a server; give the port on which it listens. Raises UsageError where it does not come up."""
    config = StackConfig(server, (authority,), (_FULL[version], _FULL[version]))
    with stacks.start(peer.name, config) as made:
        yield made.address[1]
