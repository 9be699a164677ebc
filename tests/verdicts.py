"""How often the verdict is right, as a table: ``python -m tests.verdicts``.

Every connection whose truth is known is read and judged: the project's own captures (captures/labels.json), recorded
cases and the captures of real servers, the last two where they lie beside the checkout. Counted are who refused, and
why: the first cause, and the first three. A cause counts where it is known; "decided" are those where the evidence
shows it (the refuser's clock, or a fault that shows by itself). Ends with 1 where a figure is below its floor.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.evidence import ATLAS, CAPTURES, CASES
from tlsalert.capture import read
from tlsalert.model import Connection, Verdict

CONFIDENT = 0.9

#: Evidence whose alert is encrypted: who refused must be right without keys, the rest is for the reading with keys.
NEED_KEYS = {
    *(f"tls13-{how}/{file}" for how in ("expired", "fixed", "no-client-cert", "not-yet-valid", "unknown-ca")
      for file in ("capture.pcap", "capture-dsb.pcapng")),
    "alert-encrypted-renegotiation/capture.pcap",
}  # fmt: skip
#: What the stories of the cases without a verdict of their own are about.
CAUSES = {
    "no-client-cert": "no_client_certificate",
    "unknown-ca": "unknown_ca",
    "not-yet-valid": "certificate_not_yet_valid",
    "expired": "certificate_expired",
}
#: nginx lets the handshake succeed and refuses inside it, with HTTP 400.
REFUSES_INSIDE = ("nginx",)
#: Causes that show whatever the refuser's clock says.
SHOWN_ANYWAY = ("no_client_certificate", "certificate_expired")

#: What each collection must reach: the shares of refusers, of first causes, of causes among the first three, and of
#: decided first causes; and the most that may be wrong with confidence, as a share of those with a known cause.
FLOORS: dict[str, tuple[float, float, float, float, float]] = {
    "own": (1.0, 0.9, 1.0, 0.9, 0.0),
    "cases": (1.0, 0.7, 0.9, 0.95, 0.0),
    "atlas": (0.99, 0.55, 0.74, 0.0, 0.01),
    "own, with keys": (1.0, 1.0, 1.0, 1.0, 0.0),
    "cases, with keys": (1.0, 0.9, 1.0, 1.0, 0.0),
    "atlas, with keys": (1.0, 0.88, 0.96, 0.0, 0.0),
}


@dataclass(frozen=True)
class Labelled:
    """What is known of one connection. ``find`` is the client's endpoint, or the ports of both ends.

    ``causes`` are right answers, best first; none are known where it is empty. ``never`` are causes that must not be
    claimed with confidence. ``place`` is its place among the connections that ``find`` fits, or in the file.
    """

    collection: str
    stack: str
    path: Path
    place: int
    find: str | tuple[int, int] | None
    outcome: str | None
    refused_by: str | None
    causes: tuple[str, ...]
    faults: tuple[str | None, ...] = ()
    decided: bool = False
    never: tuple[str, ...] = ()
    alerts: tuple[tuple[int, str], ...] | None = None
    also_established: bool = False
    keylog: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}#{self.find if isinstance(self.find, tuple) else self.place}"

    @property
    def needs_keys(self) -> bool:
        return self.collection == "cases" and str(self.path.relative_to(CASES)) in NEED_KEYS

    @property
    def cause(self) -> str | None:
        return self.causes[0] if self.causes else None

    @property
    def told(self) -> Connection | None:
        """The connection as it was read; None where it was not found."""
        connections = connections_of(self.path, self.keylog)
        if isinstance(self.find, tuple):
            found = [c for c in connections if c.client and c.server and (c.client.port, c.server.port) == self.find]
            return found[self.place] if self.place < len(found) else None
        by_client = (c for c in connections if c.client is not None and str(c.client) == self.find)
        return next(by_client, connections[min(self.place, len(connections) - 1)] if connections else None)

    @property
    def verdict(self) -> Verdict:
        told = self.told
        assert told is not None
        assert told.verdict is not None
        return told.verdict

    @property
    def tls13(self) -> bool:
        told = self.told
        return told is not None and told.tls13

    @property
    def who_is_right(self) -> bool:
        if self.told is None:
            return False
        verdict = self.verdict
        if self.also_established:
            return True
        return verdict.outcome == self.outcome and verdict.refused_by == self.refused_by

    @property
    def named(self) -> tuple[str | None, ...]:
        """The causes of the verdict, likeliest first."""
        if self.told is None:
            return ()
        return (self.verdict.cause, *(other.cause for other in self.verdict.alternatives))

    @property
    def first_is_right(self) -> bool:
        return bool(self.causes) and self.named[:1] != () and self.named[0] in self.causes

    @property
    def three_are_right(self) -> bool:
        return any(cause in self.causes for cause in self.named[:3])

    @property
    def confidently_wrong(self) -> bool:
        if self.told is None or self.outcome != "failed" or self.verdict.confidence < CONFIDENT:
            return False
        return self.verdict.cause in self.never or (bool(self.causes) and not self.first_is_right)


@cache
def connections_of(path: Path, keylog: Path | None = None) -> tuple[Connection, ...]:
    return tuple(read(path, keylog=keylog))


# --- the collections ------------------------------------------------------------------------------------------------


def labelled() -> list[Labelled]:
    """Return all connections whose truth is known, as far as the folders are there."""
    return [*own(), *cases(), *atlas()]


def keyed() -> Iterator[Labelled]:
    """Go through those that have a key log beside them (or in them), to be read with it."""
    for one in labelled():
        beside = one.path.with_suffix(".keys")
        log = one.path.parent / "keys.log" if one.needs_keys else beside if beside.is_file() else None
        inside = one.path.name == "tls13-expired.pcapng"
        if (log is not None and log.is_file()) or inside:
            decided = one.outcome == "failed" and bool(one.causes) and one.collection == "own"
            yield replace(one, collection=f"{one.collection}, with keys", keylog=log, decided=decided)


def own() -> Iterator[Labelled]:
    """Go through the project's own captures."""
    labels = json.loads((CAPTURES / "labels.json").read_text(encoding="utf-8"))["captures"]
    for name, capture in sorted(labels.items()):
        for place, entry in enumerate(capture["connections"]):
            yield Labelled(
                "own",
                "OpenSSL (lab)",
                CAPTURES / name,
                place,
                None,
                entry["outcome"],
                entry["refused_by"],
                tuple(entry["causes"]),
                tuple(entry["at_fault"]),
                entry["decided"] and entry["outcome"] == "failed",
            )


def cases() -> Iterator[Labelled]:
    """Go through what is known of the captures of all recorded cases."""
    for file in sorted(CASES.glob("*/expected.json")):
        case = json.loads(file.read_text())
        entries: dict[str, list[dict[str, Any]]] = {}
        for entry in case["evidence"]:
            keyed = "keys.log" in entry.get("note", "") and "with keys.log" in entry["note"]
            if entry.get("kind") == "capture" and not entry.get("same_as") and not keyed:
                entries.setdefault(entry["file"], []).append(entry)
        for name, ours in entries.items():
            alone = len(ours) == 1
            yield from (_case(file.parent / name, n, one, case, alone) for n, one in enumerate(ours))


def _case(path: Path, place: int, entry: dict[str, Any], case: dict[str, Any], alone: bool) -> Labelled:
    truth = entry.get("verdict") or (case["truth"].get("verdict") if alone else None) or _by_scenario(entry)
    listed = entry.get("alerts")
    cause = truth.get("cause")
    shown = entry.get("server_random_is_clock", "server" not in entry or ":" in entry["server"])
    stack = entry.get("server_software") or (entry["server"] if ":" not in entry.get("server", ":") else "OpenSSL")
    return Labelled(
        "cases",
        stack,
        path,
        place,
        entry.get("client"),
        truth.get("outcome"),
        truth.get("refused_by"),
        () if cause is None else (cause,),
        tuple(truth.get("at_fault", ())),
        cause is not None and (shown or cause in SHOWN_ANYWAY),
        tuple(truth.get("never_confident", ())),
        None if listed is None else tuple((alert["code"], alert["from"]) for alert in listed),
    )


def _by_scenario(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the verdict that a story's name stands for."""
    story = entry.get("scenario")
    if story is None:
        return {}
    if story == "fixed" or entry.get("server") in REFUSES_INSIDE:
        return {"outcome": "established"}
    at_fault = {"no-client-cert": ["client"], "unknown-ca": ["client"], "not-yet-valid": ["server"]}
    return {
        "outcome": "failed",
        "refused_by": "server",
        "cause": CAUSES[story] if entry["alerts"] or story == "no-client-cert" else None,  # a close says no more
        "at_fault": at_fault.get(story, ["client", "server"]),
    }


def atlas() -> Iterator[Labelled]:
    """Go through the captures of real servers; what the client's own library broke off is left out."""
    causes = ATLAS.parent / "causes.json"
    if not causes.is_file():
        return
    right = json.loads(causes.read_text())
    for file in sorted(ATLAS.glob("*.labels.json")):
        stack = file.name.removesuffix(".labels.json")
        met: dict[tuple[int, int], int] = defaultdict(int)
        for stream in json.loads(file.read_text())["streams"]:
            ports = (stream["tcp_client_port"], stream["tcp_server_port"])
            place, met[ports] = met[ports], met[ports] + 1
            if stream["outcome"] != "client_error":
                yield _stream(file.with_name(f"{stack}.pcap"), stack, ports, place, stream, right)


def _stream(
    path: Path, stack: str, ports: tuple[int, int], place: int, stream: dict[str, Any], right: dict[str, Any]
) -> Labelled:
    if stream["outcome"].startswith("accepted"):
        inside = "400" in stream.get("http_first_line", "")  # refused, but within the connection
        return Labelled("atlas", stack, path, place, ports, "established", None, (), also_established=inside)
    wanted = right["by_config"].get(stream["config"], {}).get(stream["defect"]) or right["causes"][stream["defect"]]
    return Labelled("atlas", stack, path, place, ports, "failed", stream.get("sent_by", "server"), tuple(wanted))


# --- the table ------------------------------------------------------------------------------------------------------


@dataclass
class Score:
    """The figures of some connections."""

    connections: int = 0
    who: int = 0
    why: int = 0
    first: int = 0
    three: int = 0
    decided: int = 0
    decided_first: int = 0
    confidently_wrong: int = 0

    def add(self, one: Labelled) -> None:
        """Count a connection; one without a known outcome is no part of any figure."""
        if one.outcome is None:
            return
        self.connections += 1
        self.who += one.who_is_right
        self.confidently_wrong += one.confidently_wrong
        if one.outcome == "failed" and one.causes:
            self.why += 1
            self.first += one.first_is_right
            self.three += one.three_are_right
            if one.decided and not one.needs_keys:
                self.decided += 1
                self.decided_first += one.first_is_right

    def short_of(self, floors: tuple[float, float, float, float, float]) -> list[str]:
        """Return the figures that are below their floors."""
        figures = (
            ("who", self.who, self.connections),
            ("first cause", self.first, self.why),
            ("first three", self.three, self.why),
            ("first cause where decided", self.decided_first, self.decided),
        )
        short = [
            f"{name} {many} of {among}"
            for (name, many, among), floor in zip(figures, floors[:4], strict=True)
            if many < floor * among
        ]
        if self.confidently_wrong > floors[4] * self.why:
            short.append(f"{self.confidently_wrong} wrong with confidence")
        return short


def scores(connections: Iterable[Labelled]) -> dict[tuple[str, str, str], Score]:
    """Return the figures by collection, stack and version; "" stands for all stacks, or all versions."""
    found: dict[tuple[str, str, str], Score] = {}
    for one in connections:
        version = "1.3" if one.tls13 else "≤ 1.2"
        for key in ((one.collection, one.stack, version), (one.collection, "", version), (one.collection, "", "")):
            found.setdefault(key, Score()).add(one)
    return {key: score for key, score in found.items() if score.connections}


def table(figures: dict[tuple[str, str, str], Score]) -> str:
    """Return the figures as a Markdown table, the sums of a collection below its stacks."""
    lines = [
        "| collection | server | TLS | connections | who | why: first | first three | where decided |"
        " wrong with confidence ≥ 0.9 |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (collection, stack, version), score in sorted(figures.items(), key=_order):
        cells = [
            collection,
            stack or "**all**",
            version or "all",
            str(score.connections),
            _of(score.who, score.connections),
            _of(score.first, score.why),
            _of(score.three, score.why),
            _of(score.decided_first, score.decided),
            str(score.confidently_wrong),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _order(entry: tuple[tuple[str, str, str], Score]) -> tuple[int, bool, str, bool, str]:
    collection, stack, version = entry[0]
    return list(FLOORS).index(collection), not stack, stack.lower(), not version, version.replace("≤", "")


def _of(many: int, among: int) -> str:
    return f"{many} of {among}" if among else "–"


def main() -> int:
    """Print the table, what was skipped, and what is below its floor; return the exit status."""
    figures = scores([*labelled(), *keyed()])
    print(table(figures))
    for folder in (CASES, ATLAS):
        if not folder.is_dir():
            print(f"\nSkipped: there is no {folder} (TLSALERT_EVIDENCE says where such folders lie).")
    short = [
        f"{collection}: {what}"
        for collection, floors in FLOORS.items()
        for what in figures.get((collection, "", ""), Score()).short_of(floors)
    ]
    if "--misses" in sys.argv[1:]:
        for one in [*labelled(), *keyed()]:
            if one.outcome is not None and not (one.who_is_right and (one.first_is_right or not one.causes)):
                verdict = one.verdict if one.told else None
                said = (verdict.outcome, verdict.refused_by, verdict.confidence) if verdict else None
                print(f"{one.stack} {one.name}: {said} {one.named[:3]}, wanted {one.refused_by} {one.causes}")
    print("\nBelow the floor: " + "; ".join(short) if short else "\nAll floors reached.")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
