"""tlsalert says who refused a TLS handshake, why, and what to change.

    import tlsalert
    for connection in tlsalert.read("captures/console.pcap").failed:
        print(connection.verdict.summary)

The public names are loaded when they are first used, so that a small question gets a quick answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlsalert import _version

if TYPE_CHECKING:
    from tlsalert.capture import Capture, read
    from tlsalert.clockways.ask import clock
    from tlsalert.connections import Connections
    from tlsalert.decode import contents
    from tlsalert.errors import TlsalertError
    from tlsalert.explain import explain
    from tlsalert.live_reader import live
    from tlsalert.model import Connection, Verdict
    from tlsalert.pki.found import Found
    from tlsalert.pki.inventory import certs
    from tlsalert.replay.replay import replay
    from tlsalert.replay.result import load_result

__version__ = _version.VERSION

#: Where each public name lives; "" for the package of that name, which can be called.
_HOMES = {
    "Capture": "capture",
    "Connection": "model",
    "Connections": "connections",
    "Found": "pki.found",
    "TlsalertError": "errors",
    "Verdict": "model",
    "certs": "pki.inventory",
    "clock": "clockways.ask",
    "contents": "decode",
    "explain": "explain",
    "live": "live_reader",
    "load_result": "replay.result",
    "read": "capture",
    "replay": "",
}

__all__ = [
    "Capture",
    "Connection",
    "Connections",
    "Found",
    "TlsalertError",
    "Verdict",
    "__version__",
    "certs",
    "clock",
    "contents",
    "explain",
    "live",
    "load_result",
    "read",
    "replay",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'tlsalert' has no attribute {name!r}")
    from importlib import import_module

    home = _HOMES[name]
    try:
        value: object = getattr(import_module(f"tlsalert.{home}"), name) if home else import_module(f"tlsalert.{name}")
    except (ImportError, AttributeError) as error:
        from tlsalert.staleness import told

        if said := told():
            raise ImportError(said) from error
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
