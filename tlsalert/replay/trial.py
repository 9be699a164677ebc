"""From what passed to what it means: a try's bytes go the way of any capture, and its outcome is read off the result.

told = exchange(target, hello, presentation, "TLS 1.3")
seen = connection_of(told)
outcome = outcome_of(told, seen)
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Literal, NamedTuple

from tlsalert.diagnosis.ending import CLOSE_NOTIFY, DECODE_ERROR, HARMLESS, USER_CANCELED, decisive, ending, established
from tlsalert.diagnosis.inside import refused_inside
from tlsalert.errors import UsageError
from tlsalert.model import Alert, Connection
from tlsalert.packet_reader import Reader
from tlsalert.recorder import Conversation, Recorder
from tlsalert.replay.exchange import Address, Exchange
from tlsalert.replay.outcome import Accepted, Closed, Outcome, Refused, Silent, Unreachable
from tlsalert.secrets.keylog import KeyLog
from tlsalert.secrets.keylog import write_keylog as write_entries
from tlsalert.secrets.keyring import Keyring
from tlsalert.secrets.opening import OpenWith
from tlsalert.sources.files import ByteSource

#: The addresses in a capture where a connection had none of IP's (RFC 5737's block for documentation).
NOWHERE: Final[tuple[Address, Address]] = (("192.0.2.1", 49152), ("192.0.2.2", 443))
#: Alerts that are no refusal once the handshake was accepted: Java's farewell, OpenSSL 3's word for a hasty close.
_AFTERWARDS: Final = (CLOSE_NOTIFY, USER_CANCELED, DECODE_ERROR)


@dataclass(frozen=True, slots=True)
class Trial:
    """One try of a variant in one version. ``connection`` is None where nothing passed that is one."""

    variant: str
    tls_version: str
    exchange: Exchange
    connection: Connection | None
    outcome: Outcome
    note: str | None = None


def trial_of(variant: str, tls_version: str, told: Exchange, note: str | None = None) -> Trial:
    """Return what an exchange comes to; what was odd about it is added to ``note``."""
    seen = connection_of(told)
    remarks = "; ".join(said for said in (note, *told.notes) if said)
    return Trial(variant, tls_version, told, seen, outcome_of(told, seen), remarks or None)


def connection_of(told: Exchange, source: str = "replay") -> Connection | None:
    """Decode what passed as a capture is decoded, with the try's own secrets; None where there was no connection."""
    if not told.segments:
        return None
    file = BytesIO()
    _record([told], file)
    file.seek(0)
    log = KeyLog()
    log.add("\n".join(told.secrets).encode(), "the client's own secrets")
    secrets = OpenWith(Keyring(log), everything=True) if told.secrets else None
    return next(iter(Reader(source, secrets=secrets, source=ByteSource(source, file))), None)


def outcome_of(told: Exchange, connection: Connection | None) -> Outcome:
    """Return what came of a try.

    An alert counts as a refusal wherever the handshake was not over before it; after that only an answer inside TLS
    does (nginx), or a server that closes at once without a close_notify and without having said anything (Node.js).
    Where the client gave up, since it could not make sense of the server, that is a refusal by the client: ``says`` is
    why.
    """
    if told.ending == "unreachable":
        return Unreachable(told.says or "no connection")
    if told.stage == "starttls":
        return _before_tls(told)
    alert = None if connection is None else _refusal(told, connection)
    if alert is not None and alert.sender == "server":
        return Refused("server", told.stage, alert)
    if told.says is not None:
        own = None if connection is None else _client_alert(connection)
        return Refused("client", told.stage, own, told.says)
    answer = None if connection is None else refused_inside(connection)
    if answer is not None:
        return Refused("server", "established", None, answer.quote)
    return _without_refusal(told)


def write_pcap(trials: Iterable[Trial], path: str | os.PathLike[str]) -> int:
    """Write what passed in all tries to a new capture; return how many connections it holds. Raises UsageError."""
    told = [trial.exchange for trial in trials if trial.exchange.segments]
    with open(_new(path), "wb") as file:
        _record(told, file)
    return len(told)


def write_keylog(trials: Iterable[Trial], path: str | os.PathLike[str]) -> int:
    """Write the secrets of all tries to a new file of mode 0600; return how many lines. Raises UsageError."""
    lines = (line.split() for trial in trials for line in trial.exchange.secrets)
    return write_entries(
        path, ((label, bytes.fromhex(random), bytes.fromhex(secret)) for label, random, secret in lines)
    )


def write_new(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file that does not exist yet. Raises UsageError."""
    with open(_new(path), "wb") as file:
        file.write(data)


# outcomes ---------------------------------------------------------------------------------------------------


def _before_tls(told: Exchange) -> Outcome:
    if told.says is not None:
        return Refused("server", "starttls", None, told.says)
    if told.ending in ("fin", "rst"):
        return Closed("fin" if told.ending == "fin" else "rst", "starttls")
    return Silent(told.waited, "starttls", told.limit)


def _refusal(told: Exchange, connection: Connection) -> Alert | None:
    """Return the alert that refused, or None.

    In TLS 1.3 it may follow a silence that was taken for acceptance, or data that the server sent before it had ended
    its part (RFC 8446 §4.4.4): Node.js answers at once, and fails then over the ticket for a large certificate.
    """
    if told.proof is not None:
        found = decisive(connection, established(connection) and not connection.tls13)
        return None if found is None or found.code in _AFTERWARDS else found
    fatal = decisive(connection, False)
    if fatal is not None:
        return fatal
    last = ending(connection).alert  # RFC 5246 §7.2.2 lets a server refuse by a warning, and close
    return None if last is None or last.code in HARMLESS else last


def _client_alert(connection: Connection) -> Alert | None:
    return next((alert for alert in connection.alerts if alert.sender == "client" and alert.code != CLOSE_NOTIFY), None)


def _without_refusal(told: Exchange) -> Outcome:
    """Return the outcome where nobody said no."""
    gone = told.ending in ("fin", "rst")
    how: Literal["fin", "rst"] = "rst" if told.ending == "rst" else "fin"
    if told.proof == "application_data" or (told.proof is not None and (told.farewell or not gone)):
        return Accepted(told.proof)
    if told.proof is not None:
        return Closed(how, "established")
    if told.quiet and not gone:
        return Accepted("silence")
    if gone or told.farewell:
        # a reset after the client's flight has likely destroyed an alert: it is to be tried again
        return Closed(how, told.stage, alert_lost=how == "rst" and told.stage == "client_certificate")
    return Silent(told.waited, told.stage, told.limit)


# captures ---------------------------------------------------------------------------------------------------


class _Moment(NamedTuple):
    """Something that happens in one of several conversations; ``place`` keeps those of one instant in order."""

    time: int
    exchange: int
    place: int


def _record(told: Sequence[Exchange], file: BytesIO | object) -> None:
    """Write exchanges as a capture, in the order of time."""
    moments = [
        _Moment(time, number, place)
        for number, one in enumerate(told)
        for place, time in enumerate((one.started, *(segment.time for segment in one.segments), one.ended))
    ]
    conversations: dict[int, Conversation] = {}
    with Recorder(file) as recorder:  # type: ignore[arg-type]
        for moment in sorted(moments):
            one = told[moment.exchange]
            if moment.place == 0:
                conversations[moment.exchange] = recorder.open(*(one.addresses or NOWHERE), moment.time)
            elif moment.place <= len(one.segments):
                segment = one.segments[moment.place - 1]
                conversations[moment.exchange].send(segment.sender, segment.data, moment.time)
            elif one.sender is not None:
                how: Literal["fin", "rst"] = "rst" if one.ending == "rst" else "fin"
                conversations[moment.exchange].close(one.sender, moment.time, how)


def _new(path: str | os.PathLike[str]) -> int:
    """Open a file that does not exist yet: evidence is not overwritten."""
    name = os.fspath(path)
    try:
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        raise UsageError("is there already", name, "name a file that does not exist yet") from None
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", name) from None
