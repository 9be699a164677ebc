"""Metrics for the textfile collector of Prometheus' node_exporter: when certificates begin and end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from tlsalert.pki.found import Damage, Found
from tlsalert.render.style import escape

METRICS: Final[tuple[tuple[str, str, Callable[[Found], int | None]], ...]] = (
    (
        "not_before",
        "Time at which the certificate begins, in seconds since 1970.",
        lambda one: _seconds(one.not_before),
    ),
    ("not_after", "Time at which the certificate ends, in seconds since 1970.", lambda one: _seconds(one.not_after)),
    ("problems", "What is wrong with the certificate: the number of its problems.", lambda one: len(one.problems)),
)


def metrics(found: Iterable[Found], damage: Iterable[Damage], at: datetime) -> bytes:
    """Return the text format, version 0.0.4: a series for each certificate at each place."""
    certificates = list(_once(found))
    lines: list[str] = []
    for name, help_text, value in METRICS:
        full = f"tlsalert_certificate_{name}" + ("" if name == "problems" else "_seconds")
        lines += [f"# HELP {full} {help_text}", f"# TYPE {full} gauge"]
        lines += [f"{full}{{{_labels(one)}}} {said}" for one in certificates if (said := value(one)) is not None]
    for full, help_text, number in (
        ("tlsalert_certs_damaged", "Places that could not be read.", len(list(damage))),
        ("tlsalert_certs_time_seconds", "Time at which this was looked at, in seconds since 1970.", _seconds(at)),
    ):
        lines += [f"# HELP {full} {help_text}", f"# TYPE {full} gauge", f"{full} {number}"]
    return "".join(line + "\n" for line in lines).encode("utf-8", "backslashreplace")


def _once(found: Iterable[Found]) -> Iterator[Found]:
    """Yield the certificates; one that stands twice at one place would be the same series twice."""
    told: set[tuple[str, str | None]] = set()
    for one in found:
        if one.kind == "certificate" and (one.where, one.sha256) not in told:
            told.add((one.where, one.sha256))
            yield one


def _labels(one: Found) -> str:
    labels = (
        *(("where", one.where), ("subject", one.subject), ("issuer", one.issuer)),
        *(("serial", one.serial), ("sha256", one.sha256)),
    )
    return ",".join(f'{name}="{_value(said or "")}"' for name, said in labels)


def _value(said: str) -> str:
    r"""Return a label's value with \, " and the end of a line escaped, after what could steer a terminal."""
    return escape(said).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
