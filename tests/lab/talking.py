"""People for the lab's devices, and a client for them: Python's ssl, which names the alert that it received."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from tlsalert.lab.certificates import Identity, issued, self_signed
from tlsalert.recorder import Address
from tlsalert.registry.alerts import AlertDescription

LONG = datetime(2005, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)
IPMI_VALID = datetime(2016, 5, 19, tzinfo=UTC), datetime(2026, 5, 17, tzinfo=UTC)
BEHIND = datetime(2015, 3, 12, 5, 41, 50, tzinfo=UTC)
RIGHT = datetime(2021, 6, 17, 8, 51, tzinfo=UTC)
LATER = datetime(2026, 11, 1, tzinfo=UTC)

VERSIONS = {
    "TLS 1.0": ssl.TLSVersion.TLSv1,
    "TLS 1.1": ssl.TLSVersion.TLSv1_1,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
}


@cache
def people() -> dict[str, Identity]:
    """Return who there is: certificates with keys, the same for all tests of a run."""
    root = self_signed("CN=root", *LONG, "p256")
    stranger = self_signed("CN=other root", *LONG, "p256")
    return {
        "root": root,
        "device": issued("CN=device", root, *LONG, "p256", names=("device.example",)),
        "right": issued("CN=right", root, *LONG, "p256"),
        "second": issued("CN=second", root, *LONG, "p256"),
        "ipmi": issued("CN=IPMI", root, *IPMI_VALID, "p256"),
        "old": issued("CN=old", root, LONG[0], datetime(2012, 1, 1, tzinfo=UTC), "p256"),
        "pinned": self_signed("CN=pinned", *LONG, "p256"),
        "stranger": stranger,
        "strangers": issued("CN=stranger's", stranger, *LONG, "p256"),
    }


@dataclass(frozen=True)
class Answer:
    """What a client got: application data, the code of the alert that refused it, or the name of another error."""

    data: bytes = b""
    alert: int | None = None
    error: str | None = None
    alpn: str | None = None


def ask(
    address: Address,
    shows: str | None = None,
    version: str = "TLS 1.2",
    *,
    says: bytes = b"hello",
    alpn: tuple[str, ...] = (),
    before: Callable[[socket.socket], None] | None = None,
    trusts: str | None = None,
    patience: float = 10.0,
) -> Answer:
    """Shake hands with a server, send it something and read the answer. ``before`` speaks what comes before TLS."""
    try:
        with socket.create_connection(address, patience) as plain:
            if before is not None:
                before(plain)
            made = context(shows, version, alpn, trusts)
            with made.wrap_socket(plain, do_handshake_on_connect=False, server_hostname="device.example") as tls:
                tls.do_handshake()
                return _talk(tls, says)
    except ssl.SSLError as error:
        said = (error.reason or str(error).partition(" (_ssl")[0]).lower().replace(" ", "_")
        name = said.partition("_alert_")[2]
        if name in AlertDescription.__members__:
            return Answer(alert=int(AlertDescription[name]))
        return Answer(error=error.reason or str(error))
    except OSError as error:
        return Answer(error=type(error).__name__)


def context(shows: str | None, version: str, alpn: tuple[str, ...] = (), trusts: str | None = None) -> ssl.SSLContext:
    """Return a client's context; without ``trusts`` it takes any server."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    if trusts is not None:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(cadata=people()[trusts].to_pem().decode("ascii"))
    with warnings.catch_warnings(action="ignore"):  # of versions that are deprecated
        made.minimum_version = made.maximum_version = VERSIONS[version]
    if version in ("TLS 1.0", "TLS 1.1"):
        made.set_ciphers("DEFAULT:@SECLEVEL=0")
    if alpn:
        made.set_alpn_protocols(list(alpn))
    if shows is not None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(people()[shows].to_pem())
            file.flush()
            made.load_cert_chain(file.name)
    return made


def soon(true: Callable[[], object], patience: float = 10.0) -> bool:
    """Wait until something is true; return whether it became so."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.005)
    return False


def _talk(tls: ssl.SSLSocket, says: bytes) -> Answer:
    if says:
        tls.sendall(says)
    data = tls.recv(65536)
    if data and not says.startswith(b"GET"):
        return Answer(data, alpn=tls.selected_alpn_protocol())
    with contextlib.suppress(OSError):
        while more := tls.recv(65536):
            data += more
    return Answer(data, alpn=tls.selected_alpn_protocol())
