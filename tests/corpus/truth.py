"""What Wireshark sees in the public captures, and how what ``read`` says compares with it, figure by figure.

``python -m tests.corpus.truth`` prints how many agree, and the differences that differences.json does not explain; with
``--keys`` the same of what is decrypted with the keys beside the captures, and how much of it only we read.
``truth.jsonl`` has one line for each capture, made by tshark; its README says how. A connection of ours is the one for
a stream if it has the same addresses and ports. Numbers are compared as numbers where tshark has no name for them.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.evidence import CORPUS
from tlsalert.capture import read
from tlsalert.model import Connection

FIGURES = ("found", "messages", "version", "cipher_suite", "server_name", "serials", "alerts")
#: One name for one version: tshark's spelling, and the one that DESIGN.md promises.
SPELLINGS = {"SSL 2.0": "SSLv2", "SSL 3.0": "SSLv3"}

#: The least share of agreement in each figure, over all streams that tshark finds.
FLOOR = 0.99
#: What is known to differ: capture, stream and figure, what both say, and why.
DIFFERENCES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("differences.json").read_text(encoding="utf-8")
)["differences"]

Row = dict[str, Any]
#: Direction and name of a message, as in truth.jsonl.
Message = tuple[str, str]
DIRECTIONS = {"client": "c2s", "server": "s2c"}


@dataclass(frozen=True)
class Compared:
    """One figure of one stream: what tshark says and what we say, as text. ``equal`` is the verdict."""

    path: str
    stream: int
    figure: str
    theirs: str
    ours: str
    equal: bool

    @property
    def key(self) -> tuple[str, int, str]:
        return self.path, self.stream, self.figure


def main() -> int:
    """Print the figures and what differs without a reason; end with 1 where something does."""
    if "--keys" in sys.argv[1:]:
        return _with_keys()
    everything = [one for capture in captures() for one in compared(capture)]
    for figure in FIGURES:
        equal, total = agreement(everything, figure)
        print(f"{figure:13} {equal:5} of {total:5}  {equal / total:8.2%}")
    for text in unexplained(everything) + stale(everything):
        print(text)
    return 1 if unexplained(everything) or stale(everything) else 0


def _with_keys() -> int:
    """Print the figures of the captures that come with keys; end with 1 where one is below the floor."""
    everything = [one for capture in keyed() for one in compared(capture, keys=True)]
    short = False
    for figure in FIGURES:
        equal, total = agreement(everything, figure)
        short = short or equal < FLOOR * total
        print(f"{figure:13} {equal:5} of {total:5}  {equal / total:8.2%}")
    for one in everything:
        if not one.equal:
            print(one)
    print(f"streams of which only tlsalert decrypts something: {len(only_ours())}")
    return 1 if short else 0


def keyed() -> Iterator[Row]:
    """Go through the captures that tshark decrypts: their lines, with what it sees then in the place of ``streams``."""
    for capture in captures():
        if capture.get("with_keys"):
            seen = {(one["kind"], one["id"]): one for one in capture["with_keys"]["streams"]}
            yield capture | {"streams": list(seen.values())}


def only_ours() -> list[tuple[str, int]]:
    """Return the streams of captures with keys of which tshark decrypts nothing, and we do."""
    found = []
    for capture in captures():
        if not capture.get("keylog") and not capture.get("rsa_key") and not capture["dsb"]:
            continue
        theirs = {one["id"] for one in (capture.get("with_keys") or {"streams": ()})["streams"] if one["kind"] == "tcp"}
        ends = {
            frozenset((one["client"], one["server"])): one["id"]
            for one in capture["streams"]
            if one["kind"] == "tcp" and one.get("client")
        }
        for connection in _read(capture, keys=True):
            if connection.client is None or connection.server is None:
                continue
            pair = frozenset(f"{end.address} {end.port}" for end in (connection.client, connection.server))
            opened = any(m.decrypted for m in connection.messages) or any(a.decrypted for a in connection.alerts)
            if opened and pair in ends and ends[pair] not in theirs:
                found.append((capture["path"], ends[pair]))
    return found


def _read(capture: Row, keys: bool) -> Iterable[Connection]:
    """Read a capture; ``keys`` adds those that lie beside it."""
    given = {name: CORPUS / capture[name] for name in ("keylog", "rsa_key") if keys and capture.get(name)}
    return read(CORPUS / capture["path"], keylog=given.get("keylog"), rsa_key=given.get("rsa_key"))


def agreement(everything: list[Compared], figure: str) -> tuple[int, int]:
    """Return how many streams agree in a figure, and how many have it."""
    ours = [one.equal for one in everything if one.figure == figure]
    return sum(ours), len(ours)


def unexplained(everything: list[Compared]) -> list[str]:
    """Return the differences that are not in differences.json."""
    known = {(one["path"], one["stream"], one["figure"]) for one in DIFFERENCES}
    return [f"not listed: {one}" for one in everything if not one.equal and one.key not in known]


def stale(everything: list[Compared]) -> list[str]:
    """Return the entries of differences.json that are no differences any more, or that say something else."""
    differ = {one.key: (one.theirs, one.ours) for one in everything if not one.equal}
    return [
        f"listed, but no longer so: {one['path']} stream {one['stream']}, {one['figure']}"
        for one in DIFFERENCES
        if differ.get((one["path"], one["stream"], one["figure"])) != (one["theirs"], one["ours"])
    ]


def captures() -> Iterator[Row]:
    """Go through the lines of truth.jsonl."""
    with (CORPUS / "truth.jsonl").open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def compared(capture: Row, keys: bool = False) -> Iterator[Compared]:
    """Compare every TCP stream of one capture that has a message or an alert."""
    ours: dict[tuple[str, str], list[Connection]] = defaultdict(list)
    for connection in _read(capture, keys):
        if connection.client is not None and connection.server is not None:
            ends = [f"{end.address} {end.port}" for end in (connection.client, connection.server)]
            ours[ends[0], ends[1]].append(connection)
    for stream in capture["streams"]:
        if stream["kind"] != "tcp" or not stream.get("client") or not (stream["messages"] or stream["alerts"]):
            continue
        client, server = stream["client"], stream["server"]
        yield from _stream(capture["path"], stream, ours.get((client, server)) or ours.get((server, client)) or [])


def _stream(path: str, stream: Row, candidates: list[Connection]) -> Iterator[Compared]:
    number = stream["id"]
    ends = f"{stream['client']} → {stream['server']}"
    yield Compared(path, number, "found", ends, ends if candidates else "", bool(candidates))
    if not candidates:
        return
    wanted = [(message[1], message[3]) for message in stream["messages"]]
    best = min(candidates, key=lambda one: (_messages(one) != wanted, abs(len(_messages(one)) - len(wanted))))
    candidates.remove(best)  # ports that are used again: each connection stands for one stream
    for figure, theirs, ours, equal in _figures(stream, wanted, best):
        yield Compared(path, number, figure, theirs, ours, equal)


def _figures(stream: Row, wanted: list[Message], best: Connection) -> Iterator[tuple[str, str, str, bool]]:
    told = _messages(best)
    yield "messages", _line(wanted), _line(told), _holds(told, wanted)
    if stream["version"]:
        version = str(SPELLINGS.get(stream["version"], stream["version"]))
        yield "version", version, str(best.tls_version), version == best.tls_version
    if stream.get("cipher_name"):
        number = None if best.server_hello is None else best.server_hello.cipher_suite
        theirs = str(stream["cipher_name"] if stream["cipher_name"] != "Unknown" else stream["cipher"])
        same = best.cipher_suite == theirs or number == int(stream["cipher"], 16)
        yield "cipher_suite", theirs, str(best.cipher_suite), same
    if stream["sni"]:
        yield "server_name", str(stream["sni"]), str(best.server_name), best.server_name == stream["sni"]
    serials = {int(serial.replace(":", ""), 16) for serial in _serials(stream)}
    if serials:
        sent = [*best.certificates.client, *best.certificates.server]
        found = {int(certificate.serial, 16) for certificate in sent if certificate.serial}
        yield "serials", _line(sorted(serials)), _line(sorted(found)), serials <= found
    if stream["alerts"]:
        theirs_sent = sorted((alert["dir"], int(alert["desc"])) for alert in stream["alerts"])
        ours_sent = sorted((DIRECTIONS[alert.sender], alert.code) for alert in best.alerts if alert.code is not None)
        yield "alerts", _line(theirs_sent), _line(ours_sent), _subsequence(theirs_sent, ours_sent)


def _messages(connection: Connection) -> list[Message]:
    return [(DIRECTIONS[one.sender], one.message) for one in connection.messages if one.type is not None]


def _holds(told: list[Message], wanted: list[Message]) -> bool:
    """Whether all that is wanted was told, in each direction in this order; more may have been read."""
    sides = DIRECTIONS.values()
    return all(_subsequence([m for m in wanted if m[0] == s], [m for m in told if m[0] == s]) for s in sides)


def _subsequence(short: Iterable[object], long: Iterable[object]) -> bool:
    rest = iter(long)
    return all(item in rest for item in short)


def _serials(stream: Row) -> Iterator[str]:
    for message in stream.get("certificates", ()):
        for certificate in message.get("certs") or message.get("certificates") or ():
            if certificate.get("serial"):
                yield str(certificate["serial"])


def _line(items: Iterable[object]) -> str:
    return " ".join("/".join(map(str, item)) if isinstance(item, tuple) else str(item) for item in items)


if __name__ == "__main__":
    sys.exit(main())
