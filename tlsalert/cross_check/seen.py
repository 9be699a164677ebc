"""What Wireshark sees: a capture dissected by tshark, through pyshark, as plain facts of each TCP stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tlsalert.errors import UsageError

#: What makes tshark see as much as it can: segments in any order, TLS on any port.
PREFERENCES = {
    "tcp.reassemble_out_of_order": "TRUE",
    "tcp.desegment_tcp_streams": "TRUE",
    "tls.desegment_ssl_records": "TRUE",
    "tls.desegment_ssl_application_data": "TRUE",
    "tcp.no_subdissector_on_error": "TRUE",
}
PARAMETERS = ["-2", "--enable-heuristic", "tls_tcp", "-J", "frame ip ipv6 tcp tls"]

Fields = dict[str, Any]


@dataclass
class Stream:
    """One TCP stream with TLS. A sender is "address port"; numbers are IANA's, and None where Wireshark shows none."""

    number: int
    ends: frozenset[str]
    messages: list[tuple[str, int]] = field(default_factory=list)
    alerts: list[tuple[str, int]] = field(default_factory=list)
    version: int | None = None
    cipher_suite: int | None = None
    server_name: str | None = None
    serials: set[int] = field(default_factory=set)


def streams_of(path: str, ports: Collection[int] = (), keylog: str | None = None) -> tuple[list[Stream], str | None]:
    """Return what Wireshark sees in a capture, and what tshark complains of, as of a file that is cut short.

    TLS is looked for on ``ports`` as well. Raises :class:`tlsalert.errors.UsageError` where pyshark or tshark is
    missing.
    """
    pyshark, crashed = _tools()
    streams: dict[int, Stream] = {}
    with _event_loop() as loop:
        capture = pyshark.FileCapture(
            path,
            display_filter="tls",
            use_json=True,
            keep_packets=False,
            eventloop=loop,
            override_prefs=PREFERENCES | ({} if keylog is None else {"tls.keylog_file": keylog}),
            decode_as={f"tcp.port=={port}": "tls" for port in sorted(ports)},
            custom_parameters=PARAMETERS,
        )
        try:
            for packet in capture:
                _take(packet, streams)
        except crashed:
            pass  # it said all that it could read; why it stopped is told below
        finally:
            with suppress(crashed):
                capture.close()
            capture._running_processes.clear()  # or it closes once more when it is let go, without its loop
        complaint = capture._last_error_line
    return list(streams.values()), complaint if complaint and "as user" not in complaint else None


def _tools() -> tuple[Any, type[Exception]]:
    """Return pyshark, and the error it raises when tshark ends with one."""
    try:
        import pyshark
        from pyshark.capture.capture import TSharkCrashException
        from pyshark.tshark.tshark import TSharkNotFoundException, get_process_path
    except ImportError:
        raise UsageError("--cross-check needs pyshark", None, "pip install 'tlsalert[wireshark]'") from None
    try:
        get_process_path()
    except TSharkNotFoundException:
        raise UsageError(
            "--cross-check needs tshark, Wireshark's program for terminals", None, "install the package tshark"
        ) from None
    return pyshark, TSharkCrashException


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Make an event loop for pyshark, which needs one of its own.

    asyncio warns where pyshark ends a process that has ended: nobody needs to know.
    """
    log = logging.getLogger("asyncio")
    before, log.disabled = log.disabled, True
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        log.disabled = before


def _take(packet: Any, streams: dict[int, Stream]) -> None:
    """Note what one packet completes."""
    protocols = str(_fields(packet.frame_info)[0]["frame.protocols"]).split(":")
    network = next((name for name in reversed(protocols) if name in ("ip", "ipv6")), None)
    layers: dict[str, list[Fields]] = {}
    for layer in packet.layers:
        layers.setdefault(layer.layer_name, []).extend(_fields(layer))
    if network is None or not layers.get("tcp") or not layers.get(network):
        return  # TLS over something else, such as EAP
    tcp, address = layers["tcp"][-1], layers[network][-1]
    sender = f"{address[network + '.src']} {tcp['tcp.srcport']}"
    peer = f"{address[network + '.dst']} {tcp['tcp.dstport']}"
    number = int(tcp["tcp.stream"])
    stream = streams.setdefault(number, Stream(number, frozenset((sender, peer))))
    for layer in layers.get("tls", ()):
        for found in _within(layer, "tls.handshake.type"):
            _message(found, sender, stream)
        for found in _within(layer, "tls.alert_message.desc"):
            stream.alerts.extend((sender, code) for code in _numbers(found["tls.alert_message.desc"]))


def _message(found: Fields, sender: str, stream: Stream) -> None:
    for kind in _numbers(found["tls.handshake.type"]):
        stream.messages.append((sender, kind))
        if kind == 1:
            asked = next(_values(found, "tls.handshake.extensions_server_name"), None)
            stream.server_name = stream.server_name or (None if asked is None else str(asked))
        elif kind == 2:
            versions = [
                *_values(found, "tls.handshake.extensions.supported_version"),
                *_values(found, "tls.handshake.version"),
            ]
            suites = list(_values(found, "tls.handshake.ciphersuite"))
            stream.version = _number(versions[0]) if versions else stream.version
            stream.cipher_suite = _number(suites[0]) if suites else stream.cipher_suite
        elif kind == 11:
            stream.serials.update(int(str(one).replace(":", ""), 16) for one in _values(found, "x509af.serialNumber"))


def _fields(layer: Any) -> list[Fields]:
    """Return the fields of a layer, and of others of its name: trees as tshark's JSON has them."""
    return [one._all_fields for one in (layer, *getattr(layer, "duplicate_layers", ()))]


def _within(tree: object, name: str) -> Iterator[Fields]:
    """Go through the groups of fields that have a field of this name, in their order."""
    if isinstance(tree, list):
        for item in tree:
            yield from _within(item, name)
    elif isinstance(tree, dict):
        if name in tree:
            yield tree
            return
        for value in tree.values():
            yield from _within(value, name)


def _values(tree: object, name: str) -> Iterator[object]:
    """Go through the values of all fields of this name."""
    if isinstance(tree, list):
        for item in tree:
            yield from _values(item, name)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key == name:
                yield from value if isinstance(value, list) else [value]
            else:
                yield from _values(value, name)


def _numbers(value: object) -> list[int]:
    return [_number(one) for one in (value if isinstance(value, list) else [value])]


def _number(value: object) -> int:
    return int(str(value), 0)
