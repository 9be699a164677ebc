"""Link types that scapy dissects and :mod:`tlsalert.wire.links` does not: LoWPAN (RFC 4944, RFC 6282) and infrared.

Scapy and the layers for a link type are imported when its first packet comes. Its link types that cannot hold IP are
left out: to dissect a large capture of USB would take minutes and find nothing.
"""

from __future__ import annotations

import importlib
import warnings
from collections import Counter
from ipaddress import ip_address
from typing import Any

from tlsalert.wire.fragments import Fragments

IEEE802_15_4_WITHFCS = 195
IEEE802_15_4_NOFCS = 230

#: The modules that teach scapy a link type, and where they put it: in scapy's own table of them.
MODULES = {
    144: ("scapy.layers.l2", "scapy.layers.inet", "scapy.layers.inet6"),
    IEEE802_15_4_WITHFCS: ("scapy.layers.dot15d4", "scapy.layers.sixlowpan"),
    IEEE802_15_4_NOFCS: ("scapy.layers.dot15d4", "scapy.layers.sixlowpan"),
}


class ScapyLinks:
    """Finds the IP packet in a captured one. ``failed`` counts, by link type, the packets that scapy could not take."""

    def __init__(self) -> None:
        self.failed: Counter[int] = Counter()
        self.fragments = Fragments()
        self._roots: dict[int, Any] = {}

    def __call__(self, link: int, packet: bytes) -> bytes | None:
        """Return the IP packet in ``packet``, nothing where there is none, or None for a link type unknown to scapy."""
        if link not in self._roots:
            self._roots[link] = _root(link)
        root = self._roots[link]
        if root is None:
            return None
        try:
            return self._inside(link, root, packet)
        except Exception:
            self.failed[link] += 1
            return b""

    def notes(self) -> list[str]:
        """Say what could not be read."""
        from tlsalert.registry.link_types import link_type_name  # a long list that few captures need

        said = [
            f"{packets} packets of link type {link} ({link_type_name(link)}) are broken: scapy cannot take them apart"
            for link, packets in self.failed.items()
        ]
        fragments = self.fragments
        if missing := fragments.incomplete + int(fragments.crowded) + int(fragments.impossible):
            said.append(f"{missing} LoWPAN datagrams in fragments could not be put together")
        return said

    def _inside(self, link: int, root: Any, packet: bytes) -> bytes:
        config = importlib.import_module("scapy.config").conf
        before = config.dot15d4_protocol
        if link != 144:
            config.dot15d4_protocol = "sixlowpan"  # or scapy takes what is in the frame for ZigBee
        try:
            dissected = root(packet)
        finally:
            config.dot15d4_protocol = before
        found = b""
        for name in ("IP", "IPv6"):
            layer = dissected.getlayer(name)
            if layer is not None:
                found = bytes(layer.original or layer)
                break
        fragment = dissected.getlayer("LoWPANFragmentationFirst") or dissected.getlayer("LoWPANFragmentationSubsequent")
        return found if fragment is None else self._whole(dissected, fragment, found)

    def _whole(self, dissected: Any, fragment: Any, first: bytes) -> bytes:
        """Put LoWPAN's fragments together, RFC 4944 §5.3: their offsets count in the datagram as it was before."""
        offset = fragment.datagramOffset * 8 if "datagramOffset" in fragment.fields else 0
        data = bytes(fragment.payload) if offset else first or _decompressed(fragment)
        frame = dissected.getlayer("Dot15d4Data")
        ends = "" if frame is None else f"{frame.src_addr} {frame.dest_addr}"
        size = int(fragment.datagramSize)
        key = f"{ends} {fragment.datagramTag} {size}".encode()
        more = offset + len(data) < size
        whole = self.fragments.add(key, b"6", offset, more, data, 0, len(data), len(data), 0)
        return b"" if whole is None else whole.payload()


def _decompressed(fragment: Any) -> bytes:
    """Return a first fragment as it was before its header was compressed: scapy leaves that to who has all of them.

    Only the header's fields are taken that TCP needs; a compressed next header is UDP's (RFC 6282 §4.3).
    """
    compressed = fragment.getlayer("LoWPAN_IPHC")
    if compressed is None or compressed.nh:
        return b""
    size = (int(fragment.datagramSize) - 40).to_bytes(2, "big")
    ends = ip_address(compressed.src).packed + ip_address(compressed.dst).packed
    return b"\x60\0\0\0" + size + bytes((compressed.nhField, 64)) + ends + bytes(compressed.payload)


def _root(link: int) -> Any:
    """Return scapy's class for packets of a link type; None where it has none, or isn't there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for module in MODULES.get(link, ()):
                importlib.import_module(module)
            return importlib.import_module("scapy.config").conf.l2types.num2layer.get(link) if link in MODULES else None
    except (ImportError, OSError):  # OSError: scapy asks the system for its routes when it is loaded
        return None
