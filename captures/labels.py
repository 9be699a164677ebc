"""What is true of a capture: how it was made, and how each of its connections ended and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tlsalert.model import Fault, Outcome, Side


@dataclass(frozen=True)
class Label:
    """The truth about one connection, known because it was planned and then checked in the bytes.

    ``causes`` are the causes that count as right, best first. ``at_fault`` are the sides at which the mend can be
    sought. ``stage`` is what the side that refused had last seen: "client_hello", "server_flight", "client_flight".
    ``decided`` says whether the packets show the cause to somebody who knows all there is to know, ``encrypted`` that
    nobody can read the alert without the key log, ``keys`` where that lies.
    """

    outcome: Outcome
    refused_by: Side | None = None
    causes: tuple[str, ...] = ()
    alert: int | None = None
    alert_from: Side | None = None
    at_fault: tuple[Fault, ...] = ()
    stage: Literal["client_hello", "server_flight", "client_flight"] | None = None
    decided: bool = True
    encrypted: bool = False
    keys: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what labels.json holds."""
        return asdict(self)


def refused(by: Side, alert: int | None, cause: str, *fault: Fault, stage: str = "client_flight") -> Label:
    """Return the label of a handshake that ``by`` refused, with an alert of its own or without one."""
    sender = None if alert is None else by
    at = next(one for one in ("client_hello", "server_flight", "client_flight") if one == stage)
    return Label("failed", by, (cause,), alert, sender, fault, at)


ESTABLISHED = Label("established")
