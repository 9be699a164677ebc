"""FIT images of U-Boot: a device tree (Devicetree Specification, chapter 5) whose /images hold kernels and disks.

A plain device tree holds none, and is passed.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import Final

from tlsalert.errors import DecodeError
from tlsalert.pki.containers import Budget, Data
from tlsalert.pki.firmware.layers import layers
from tlsalert.pki.firmware.parts import BROKEN, DEEPEST, Broken, Content, Part, View, name_of

MAGIC: Final = b"\xd0\x0d\xfe\xed"
BEGIN, END, PROPERTY, NOTHING, LAST = 1, 2, 3, 4, 9
#: The properties that are kept; ``data`` may be the whole of a disk.
KEPT: Final = frozenset({"data", "data-offset", "data-position", "data-size", "algo", "value"})
MOST_TOKENS: Final = 100_000

Node = dict[str, bytes]


def part_at(data: Data, at: int, budget: Budget) -> Part | None:
    """Return the FIT image whose header is here."""
    head = View(data, at, 40, "big")
    if head.present < 40 or head.take(0, 4) != MAGIC:
        return None
    size, structure, strings, _, version, _ = (head.number(4 * i) for i in range(1, 7))
    if not (40 <= structure < size and 40 <= strings <= size and 16 <= version <= 17):
        return None
    view = View(data, at, size, "big")
    try:
        nodes = _nodes(view, structure, strings)
    except BROKEN:
        return None
    images = {path.split("/")[2]: node for path, node in nodes.items() if _is_image(path)}
    if not images:
        return None
    stop = max([view.stop, *(sum(place) for node in images.values() if (place := _place(view, node)))])
    return Part("fit", at, min(stop, len(data)), _contents(view, images, nodes, budget))


def _is_image(path: str) -> bool:
    return path.startswith("/images/") and path.count("/") == 2


def _nodes(view: View, at: int, strings: int) -> dict[str, Node]:
    """Return the tree's nodes by their paths, with the properties that are kept."""
    nodes: dict[str, Node] = {}
    path: list[str] = []
    for _ in range(MOST_TOKENS):
        token = view.number(at)
        at += 4
        if token == BEGIN:
            raw = view.take(at, min(256, view.present - at))
            end = raw.index(b"\0")
            path.append(name_of(raw[:end]))
            at += end + 4 & ~3
            if len(path) > DEEPEST:
                raise DecodeError("it is too deep")
            nodes["/".join(path) or "/"] = {}
        elif token == END:
            if not path:
                raise DecodeError("a node ends that never began")
            path.pop()
        elif token == PROPERTY:
            size, name = view.number(at), view.number(at + 4)
            raw = view.take(strings + name, min(32, max(view.present - strings - name, 0)))
            key = name_of(raw)
            if key in KEPT and path:
                nodes["/".join(path)][key] = view.take(at + 8, size)
            at += 8 + size + 3 & ~3
        elif token == LAST:
            return nodes
        elif token != NOTHING:
            raise DecodeError(f"its token {token} makes no sense")
    raise DecodeError("it has too many nodes")


def _place(view: View, node: Node) -> tuple[int, int] | None:
    """Return where data lies that is behind the tree (mkimage -E): its place in the image, and its size."""
    size = int.from_bytes(node.get("data-size", b"")[:4], "big")
    if size and "data-position" in node:
        return view.start + int.from_bytes(node["data-position"][:4], "big"), size
    if size and "data-offset" in node:
        return view.start + (view.size + 3 & ~3) + int.from_bytes(node["data-offset"][:4], "big"), size
    return None


def _contents(view: View, images: dict[str, Node], nodes: dict[str, Node], budget: Budget) -> Iterator[Content]:
    for name, node in images.items():
        place = _place(view, node)
        payload = node.get("data", b"")
        if place is not None:
            payload = view.data[place[0] : place[0] + place[1]]
            if len(payload) < place[1]:
                yield Broken(name, f"it is cut: {place[1]} bytes by its header, {len(payload)} of them are there")
        for path, inner in nodes.items():
            if path.startswith(f"/images/{name}/hash") and (says := _differs(payload, inner)):
                yield Broken(name, says)
        if payload:
            yield from layers(f"{name}:", payload, budget)


def _differs(payload: bytes, stated: Node) -> str:
    """Compare a payload with a node that states its hash."""
    algorithm, value = name_of(stated.get("algo", b"")), stated.get("value", b"")
    if algorithm == "crc32":
        found = zlib.crc32(payload).to_bytes(4, "big")
    elif algorithm in ("md5", "sha1", "sha256", "sha384", "sha512"):
        found = hashlib.new(algorithm, payload, usedforsecurity=False).digest()
    else:
        return ""
    return "" if found == value else f"its {algorithm} is not the one that is stated: it was changed or broken"
