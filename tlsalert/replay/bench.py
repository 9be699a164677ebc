"""What a replay stands on: a device, a ClientHello, an identity, and the variants made from it, as one thing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tlsalert.errors import UsageError
from tlsalert.model import Connection, Verdict
from tlsalert.replay.expectation import Expectation
from tlsalert.replay.outcome import NotTried
from tlsalert.replay.result import ClockTold, FindingTold, HelloTold, Row, StackTold
from tlsalert.replay.runner import Run, Tried
from tlsalert.replay.suite import NOBODY, IdentityFiles

#: Asks for the passphrase of what it is told the name of; None: there is none to be had.
AskPassphrase = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to ask, and as whom.

    ``hello`` is "FILE[:N]", the name of a profile, or a connection whose ClientHello is repeated; ``timeout`` is in
    seconds, None for what is usual; ``http`` is a path that is asked for once a client was accepted, since some servers
    refuse only inside.
    """

    address: str
    identity: IdentityFiles = NOBODY
    hello: str | Connection | None = None
    starttls: str | None = None
    sni: str | None = None
    timeout: float | None = None
    http: str | None = None


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """What is known of a variant before it is made: why there is one, what it needs, what the RFCs call for.

    ``must_know`` says what the device must have been given, or its taking of the variant means nothing.
    """

    name: str
    why: str
    needs: str = ""
    calls_for: Mapping[str, Expectation] = field(default_factory=dict)
    must_know: str | None = None

    def expected(self, row: Row) -> Expectation | None:
        """Return what the RFC calls for in a row's version; None where an acceptance tells nothing."""
        if self.must_know is not None and row.outcome == "accepted":
            return None
        return self.calls_for.get(row.tls_version)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the answers mean as a whole."""

    verdict: Verdict | None = None
    clock: ClockTold | None = None
    stack: StackTold | None = None
    trusts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[FindingTold, ...] = ()
    by_dates: frozenset[tuple[str, str]] = frozenset()


class Bench(Protocol):
    """A device with everything made ready that is to be shown to it. Nothing was sent yet."""

    @property
    def target(self) -> str:
        """The device's address."""

    def hello_for(self, versions: Sequence[str]) -> HelloTold:
        """Return which ClientHello is sent in these TLS versions, and what of it is not as it was."""

    @property
    def versions(self) -> tuple[str, ...]:
        """The TLS versions to try where the user names none."""

    @property
    def not_tried(self) -> Mapping[str, NotTried]:
        """The variants that cannot be made, and why."""

    def try_one(self, variant: str, tls_version: str) -> Tried:
        """Make one handshake."""

    def meaning(self, run: Run, rows: tuple[Row, ...], find_clock: bool | None) -> Meaning:
        """Return what a run means; with ``find_clock`` the clock is bisected, with some thirty more handshakes.

        None: where a CA's key is there to do it with.
        """

    def write_crls(self, variants: Iterable[str], path: str) -> int:
        """Write the CRLs that the device must have for these variants, in PEM, to a new file; return how many."""

    def write_pcap(self, trials: Iterable[Tried], path: str) -> None:
        """Write what passed, with its secrets inside, so that Wireshark opens it."""

    def write_keylog(self, trials: Iterable[Tried], path: str) -> None:
        """Write the secrets of what passed (mode 0600)."""


def passphrases(files: IdentityFiles, ask: AskPassphrase) -> AskPassphrase:
    """Return what is asked for the passphrase of one of these files: the environment, where it is named, else ``ask``.

    Raises :class:`UsageError`, when asked, where the environment has no such variable.
    """

    def answer(path: str) -> bytes | None:
        name = files.ca_passphrase_env if path == files.ca_key else files.passphrase_env if path == files.key else None
        if name is None:
            return ask(path)
        if name not in os.environ:
            raise UsageError(f"the environment has no {name}, which holds its passphrase", path)
        return os.fsencode(os.environ[name])

    return answer
