"""A whole replay: make ready, try, tally, judge. The command line, the pytest plugin and Python call this.

result = tlsalert.replay("10.0.0.7:5900", hello=capture[0], certificate="client.crt", key="client.key")
print(result.verdict.summary)
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from tlsalert.errors import UsageError
from tlsalert.model import Connection
from tlsalert.replay import tally
from tlsalert.replay.bench import Asked, Bench, Meaning
from tlsalert.replay.result import Result
from tlsalert.replay.runner import Attempt, Plan, Run, run_plan
from tlsalert.replay.suite import IdentityFiles, read_version


@dataclass(frozen=True, slots=True)
class Replayed:
    """A result, and the run that it was made from: its trials hold what passed."""

    result: Result
    run: Run


def replay(
    target: str,
    *,
    hello: str | os.PathLike[str] | Connection | None = None,
    certificate: str | os.PathLike[str] | None = None,
    key: str | os.PathLike[str] | None = None,
    chain: str | os.PathLike[str] | None = None,
    ca_certificate: str | os.PathLike[str] | None = None,
    ca_key: str | os.PathLike[str] | None = None,
    passphrase: bytes | None = None,
    variants: Iterable[str] | None = None,
    versions: Iterable[str] | None = None,
    starttls: str | None = None,
    server_name: str | None = None,
    orders: int = 1,
    repeat: int = 1,
    seed: int = 0,
    delay: float = 0.0,
    timeout: float | None = None,
    jobs: int = 1,
    http: str | None = None,
    find_clock: bool | None = None,
    progress: Callable[[Attempt], None] | None = None,
) -> Result:
    """Ask the device at ``target`` ("HOST:PORT") with many certificates, and return what it answered and what it means.

    ``hello`` is a Connection or a capture ("FILE[:N]") whose ClientHello is sent again, or the name of a profile.
    ``certificate`` and ``key`` are files of the client's own; with the CA's as well, signed variants are made.
    ``variants`` and ``versions`` ("1.2", "TLS 1.3") default to all that can be made and to those of the hello.
    ``delay`` and ``timeout`` are in seconds. ``passphrase`` opens encrypted keys; nobody is asked for one.
    ``find_clock`` bisects the device's clock with certificates of chosen dates; by default where all variants are tried
    and the CA's key is there.

    Raises :class:`UsageError` for an address, variant or version that there is not, :class:`CaptureError` where a file
    cannot be read. A device that cannot be reached is told in the result's rows.
    """
    files = IdentityFiles(
        "the arguments",
        *(None if path is None else os.fspath(path) for path in (certificate, key, chain, ca_certificate, ca_key)),
    )
    said = hello if hello is None or isinstance(hello, Connection) else os.fspath(hello)
    asked = Asked(target, files, said, starttls, server_name, timeout, http)
    wanted = None if versions is None else [_version(one) for one in versions]
    from tlsalert.replay.parts import open_bench

    bench = open_bench(asked, lambda _: passphrase)
    plan = plan_for(bench, variants, wanted, orders=orders, repeat=repeat, seed=seed, delay=delay, jobs=jobs)
    if find_clock is None and variants is not None:
        find_clock = False
    return replay_plan(bench, plan, progress, find_clock).result


def plan_for(
    bench: Bench,
    variants: Iterable[str] | None = None,
    versions: Sequence[str] | None = None,
    *,
    orders: int = 1,
    repeat: int = 1,
    seed: int = 0,
    delay: float = 0.0,
    jobs: int = 1,
) -> Plan:
    """Return the plan of what was asked for; variants stand in the catalogue's order.

    Raises :class:`UsageError` for a variant that there is not, or a number that makes no sense.
    """
    for name, value, least in (("orders", orders, 1), ("repeat", repeat, 1), ("jobs", jobs, 1), ("delay", delay, 0)):
        if value < least:
            raise UsageError(f"{name} is {value}", None, f"give at least {least}")
    from tlsalert.replay.parts import catalogue

    names = chosen(variants, catalogue())
    return Plan(names, tuple(versions or bench.versions), orders, repeat, seed, delay, jobs, dict(bench.not_tried))


def chosen(variants: Iterable[str] | None, known: Collection[str]) -> tuple[str, ...]:
    """Return the variants that were asked for in the catalogue's order, or all. Raises :class:`UsageError`."""
    if variants is None:
        return tuple(known)
    asked = set()
    for name in variants:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            mend = f"did you mean {near[0]!r}?" if near else "tlsalert replay --list-variants lists them"
            raise UsageError("there is no such variant", name, mend)
        asked.add(name)
    return tuple(name for name in known if name in asked)


def replay_plan(
    bench: Bench, plan: Plan, progress: Callable[[Attempt], None] | None = None, find_clock: bool | None = None
) -> Replayed:
    """Carry a plan out, tally what came, and say what it means."""
    run = run_plan(plan, bench.try_one, progress)
    rows = tally.rows(run)
    result = Result(bench.target, bench.hello_for(plan.versions), rows, notes=tally.notes(run))
    try:
        meaning = bench.meaning(run, rows, find_clock if run.ended is None else False)
    except KeyboardInterrupt:  # while it looked for the clock
        run = replace(run, ended="interrupted")
        meaning = Meaning(notes=("interrupted while the answers were judged",))
    return Replayed(
        replace(
            result,
            verdict=meaning.verdict,
            clock=meaning.clock,
            stack=meaning.stack,
            trusts=meaning.trusts,
            notes=(*result.notes, *meaning.notes),
            findings=meaning.findings,
            by_dates=meaning.by_dates,
        ),
        run,
    )


def _version(said: str) -> str:
    try:
        return read_version(said)
    except ValueError as error:
        raise UsageError(str(error)) from None
