"""Gives a child process a clock of its own, by libfaketime (Debian: package faketime; no root needed).

The lab's device shows the clock of its process in ServerHello.random; OpenSSL has no other one.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from tlsalert.errors import UsageError

#: Where distributions put it: Debian and Ubuntu, Fedora and SUSE, a build from source.
PLACES = ("/usr/lib/*/faketime", "/usr/lib64/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime")


def library() -> Path | None:
    """Return the path of libfaketime, or None where it is not installed."""
    for place in PLACES:
        found = sorted(Path("/").glob(place.removeprefix("/") + "/libfaketime.so.1"))
        if found:
            return found[0]
    return None


def environment(clock: datetime, *, frozen: bool = False) -> dict[str, str]:
    """Return this process's environment, changed so that a child's clock starts at ``clock``.

    The clock runs on from there, or stands still if ``frozen``. The child's time zone is UTC.
    Raises UsageError where libfaketime is not installed.
    """
    path = library()
    if path is None:
        raise UsageError("libfaketime is not installed", mend="install it (Debian: apt install faketime)")
    preload = " ".join(filter(None, (str(path), os.environ.get("LD_PRELOAD"))))
    start = clock.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return os.environ | {
        "LD_PRELOAD": preload,
        "FAKETIME": start if frozen else f"@{start}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }
