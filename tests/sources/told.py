"""What a log's lines tell, without a file around them: the connections, judged, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from tlsalert.diagnosis.account import judge_account
from tlsalert.model import Connection
from tlsalert.sources.server_log import ServerLog

#: A log without a file was written last when it is read.
THIS_YEAR = datetime.now(UTC).year


def told(lines: str | Iterable[str], name: str = "no such file.log") -> list[Connection]:
    """Return what a log of servers tells in some lines."""
    log = ServerLog(name)
    for number, line in enumerate(lines.strip("\n").split("\n") if isinstance(lines, str) else lines, 1):
        log.line(line.encode(), number)
    log.finish()
    return sorted((judge_account(one) for one in log.take()), key=lambda one: one.connection)


def verdicts(lines: str | Iterable[str]) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return outcome, who refused, the cause and who is at fault, of each connection."""
    found: list[tuple[str, str | None, str | None, str | None]] = []
    for one in told(lines):
        assert one.verdict is not None
        found.append((one.verdict.outcome, one.verdict.refused_by, one.verdict.cause, one.verdict.at_fault))
    return found


def alerts(connection: Connection) -> list[tuple[int | None, str]]:
    """Return the alerts of a connection: number and sender."""
    return [(alert.code, alert.sender) for alert in connection.alerts]
