"""The two times that a program tells when it refuses a certificate for its dates: its own clock, and the limit.

They are the best evidence that a line can hold: whether the certificate or the clock is wrong shows at one glance.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

STAMP: Final = r"(\d{4}-\d\d-\d\dt[\d:.]{5,18}(?:z|[+-]\d\d:\d\d))"
#: In a line in lower case: the clock, which side of the limit it is on, and the limit.
PATTERNS: Final = (
    re.compile(rf"current time {STAMP} is (before|after) {STAMP}"),  # Go crypto/x509/verify.go
    re.compile(r"verification time (\d{1,12}) \(unix\), but certificate is not valid (before|after) (\d{1,12})\b"),
)  # the second: rustls rustls/src/error.rs (CertificateError::NotValidYetContext, ExpiredContext)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def times_said(low: str) -> str:
    """Return what the times in a line (in lower case) show, as a sentence; nothing where it tells none."""
    for pattern in PATTERNS:
        if (match := pattern.search(low)) and (clock := _time(match[1])) and (limit := _time(match[3])):
            edge = "is valid from" if match[2] == "before" else "was valid until"
            return f"Its clock says {clock:%Y-%m-%d %H:%M:%S} UTC; the certificate {edge} {limit:%Y-%m-%d %H:%M:%S}."
    return ""


def _time(said: str) -> datetime | None:
    """Return a time in UTC; None for what is none."""
    try:
        if said.isdigit():
            return EPOCH + timedelta(seconds=int(said))
        return datetime.fromisoformat(said.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
