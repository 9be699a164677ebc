"""What a shell can complete after an option: the names that the package knows, looked up when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable

from tlsalert.cli.completion import names


def _variants() -> Iterable[tuple[str, str]]:
    from tlsalert.pki.variants import VARIANTS

    return ((name, one.why) for name, one in VARIANTS.items())


def _stacks() -> Iterable[tuple[str, str]]:
    from tlsalert.understanding.causes import STACKS

    return STACKS.items()


def _alerts() -> Iterable[tuple[str, str]]:
    from tlsalert.registry.alert_facts import FACTS

    return ((alert._name_, str(int(alert))) for alert in FACTS)


def _faults() -> Iterable[tuple[str, str]]:
    from tlsalert.lab.faults import FAULTS, STAGES

    plain = ((str(name), says) for name, says in FAULTS.items())
    staged = ((f"{name}@{stage}", says) for name, says in FAULTS.items() for stage in STAGES if name != "drip")
    return (*plain, *staged)


def _ways() -> Iterable[tuple[str, str]]:
    from tlsalert.clockways.ask import WAYS

    return WAYS.items()


def _protocols() -> Iterable[tuple[str, str]]:
    from tlsalert.starttls import PROTOCOLS

    return ((name, "") for name in PROTOCOLS)


def _versions() -> Iterable[tuple[str, str]]:
    return (("1.0", "TLS 1.0"), ("1.1", "TLS 1.1"), ("1.2", "TLS 1.2"), ("1.3", "TLS 1.3"))


variants = names(_variants)
stacks = names(_stacks)
alerts = names(_alerts)
faults = names(_faults)
ways = names(_ways, after=",")
protocols = names(_protocols)
versions = names(_versions, after=",")
