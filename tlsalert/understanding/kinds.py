"""What a line of a log says about TLS, as a value."""

from __future__ import annotations

from typing import Literal, NamedTuple

Direction = Literal["received", "sent"]


class Understood(NamedTuple):
    """One thing that a line says.

    ``program`` is who printed the line, ``stack`` the family of its TLS library, as
    :data:`tlsalert.diagnosis.knowledge.STACKS` names them; None where the line does not show it.
    ``direction`` says whether that program received the alert or sent it. ``certain`` tells an alert that the line
    names from one that follows: a program that logs this error of its own will have sent that alert.
    ``error_code`` is the program's own code or name of the error, ``cause`` one of the causes of a verdict, and
    ``also`` holds other alerts that it may have been, each with when.
    """

    meaning: str
    program: str | None = None
    stack: str | None = None
    direction: Direction | None = None
    alert: int | None = None
    certain: bool = True
    error_code: str | None = None
    cause: str | None = None
    also: tuple[tuple[int, str], ...] = ()
    next: tuple[str, ...] = ()
