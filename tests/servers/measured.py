"""What servers answered when they were measured: the atlas beside the checkout, or the facts shipped from it."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from typing import Final

from tests.evidence import ATLAS
from tlsalert.diagnosis import stack_vectors

#: The set-ups, by their names in ``stack_vectors`` and in the atlas.
SETUPS: Final = {"trust store": "base", "pinned": "pinned", "trust store and CRLs": "crl"}
_OUTCOMES: Final = {
    "accepted": "ok",
    "accepted_http_400": "400",
    "tcp_fin_no_alert": "fin",
    "tcp_rst_no_alert": "rst",
    "client_error": "the client gave up",
}
_FILE: Final = ATLAS.parent / "atlas.json"

Place = tuple[str, str, str]  # server, set-up, version


def measured(server: str, setup: str, version: str) -> dict[str, str]:
    """Return a server's answers by variant, written as in :class:`tlsalert.diagnosis.tried.Tried`."""
    return _atlas()[server, SETUPS[setup], version] if _FILE.is_file() else _shipped(server, setup, version)


@cache
def _atlas() -> defaultdict[Place, dict[str, str]]:
    found: defaultdict[Place, dict[str, str]] = defaultdict(dict)
    for one in json.loads(_FILE.read_text(encoding="utf-8"))["records"]:
        place = one["server"], one["config"], one["tls_version"].replace("TLSv", "TLS ")
        answer = str(one["alert_number"]) if one["outcome"] == "alert" else _OUTCOMES[one["outcome"]]
        found[place][one["defect"]] = answer
    return found


def _shipped(server: str, setup: str, version: str) -> dict[str, str]:
    for its_setup, its_version, servers, answers in stack_vectors.VECTORS:
        if (its_setup, its_version) == (setup, version) and server in servers.split():
            pairs = zip(stack_vectors.VARIANTS[setup].split(), answers.split(), strict=True)
            return {variant: answer for variant, answer in pairs if answer != "-"}
    return {}
