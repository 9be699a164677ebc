"""Outcomes of trials as the answers that a device's mind is read from (:mod:`tlsalert.diagnosis.tried`)."""

from __future__ import annotations

from datetime import datetime

from tlsalert.diagnosis.tried import ACCEPTED, LOST, SILENT, UNREAD, Tried
from tlsalert.replay.outcome import Accepted, Closed, Outcome, Refused, Silent

#: Stages before the client has shown anything: what ends there is no answer to a certificate.
BEFORE = ("connect", "starttls", "client_hello", "server_hello")


def answer_of(outcome: Outcome) -> str | None:
    """Return what the device answered to the certificate, or None where it never came to that.

    A client that refuses (the device's certificate, or what it chose) says nothing about the device's mind.
    """
    if outcome.stage in BEFORE:
        return None
    if isinstance(outcome, Accepted):
        return ACCEPTED
    if isinstance(outcome, Refused):
        return _refusal(outcome)
    if isinstance(outcome, Closed):
        return LOST if outcome.alert_lost else outcome.how
    return SILENT if isinstance(outcome, Silent) else None


def _refusal(outcome: Refused) -> str | None:
    if outcome.sender == "client":
        return None
    if outcome.alert is not None:
        return UNREAD if outcome.alert.code is None else str(outcome.alert.code)
    return "400" if outcome.says is not None else UNREAD


def tried(
    variant: str,
    tls_version: str,
    outcome: Outcome,
    order: int = 0,
    repeat: int = 0,
    validity: tuple[datetime, datetime] | None = None,
) -> Tried | None:
    """Return a trial as a row for :func:`tlsalert.diagnosis.device_mind.mind`; None where it tells nothing."""
    answer = answer_of(outcome)
    if answer is None:
        return None
    not_before, not_after = validity or (None, None)
    return Tried(variant, tls_version, answer, order, repeat, not_before, not_after)
