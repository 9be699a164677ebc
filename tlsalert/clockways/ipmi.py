"""IPMI's Get SEL Time over LAN: the clock by which a BMC dates its event log.

python-ipmi (extra ``ipmi``) speaks RMCP+ here, as a user with the least privilege. IPMI 1.5, which could send the
password as it is, is not spoken. The clock counts seconds, of which IPMI 2.0 (§37) says that they are since 1970, in
the BMC's local time as far as it is not told otherwise (Get SEL Time UTC Offset).
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Final

from tlsalert.clockways.manners import Login, Manners, port_said, why
from tlsalert.clockways.reading import SECOND, Reading, Sample, judged, not_asked, unreached
from tlsalert.diagnosis.words import span

WAY: Final = "ipmi"
PORT: Final = 623
MISSING: Final = "not asked: it needs python-ipmi (pip install 'tlsalert[ipmi]')"
#: IPMI 2.0 §37.1: up to here a timestamp counts from the start of the BMC, and all ones are no time at all.
SINCE_START: Final = 0x2000_0000
NO_TIME: Final = 0xFFFF_FFFF
#: The BMC's own address (IPMI 2.0 §5.2: 20h), the network function Storage, and Get SEL Time UTC Offset (§31.11a).
BMC, STORAGE, UTC_OFFSET = 0x20, 0x0A, 0x5C
#: An offset that was not set.
NO_OFFSET: Final = 0x07FF
#: Datagrams of one conversation: each takes one answer, and a stranger's flood shall end.
MOST: Final = 200


def by_ipmi(host: str, port: int, login: Login | None, manners: Manners) -> Reading:
    """Ask a BMC for its SEL's time. Nothing that it answers raises an error."""
    if login is None:
        return not_asked(WAY, "not asked: it wants an account (--user)")
    try:
        from pyipmi import Target, create_connection
        from pyipmi.interfaces.rmcpplus import RmcpPlus
    except ImportError:
        return not_asked(WAY, MISSING)
    interface = RmcpPlus(keep_alive_interval=0)
    interface.open = lambda: None  # its own socket knows IPv4 only, and no end
    bmc = create_connection(interface)
    bmc.session.set_session_type_rmcp(host, port)
    bmc.session.set_auth_type_user(login.user, login.password)
    bmc.session.set_priv_level("user")
    bmc.target = Target(BMC)
    wire = _Wire(manners.timeout)
    interface._sock = wire
    interface._timeout = manners.timeout
    try:
        bmc.open()
        return _asked(bmc, manners)
    except OSError as error:
        said = f"{port_said(host, port)}: {why(error)}"
        return Reading(WAY, said) if wire.heard else unreached(WAY, said)
    except Exception as error:  # the library has no base of its errors, and lets others out where bytes are odd
        said = f"{port_said(host, port)}: {_words(error)}"
        return Reading(WAY, said) if wire.heard else unreached(WAY, said)
    finally:
        _leave(bmc, wire)


def _asked(bmc: object, manners: Manners) -> Reading:
    samples: list[Sample] = []
    for number in range(manners.samples):
        if number:
            manners.rest(manners.pause)
        sent = time.time_ns()
        answer = bmc.send_message_by_name("GetSelTime")  # type: ignore[attr-defined]
        came = time.time_ns()
        seconds = int(answer.timestamp)
        if seconds == NO_TIME:
            return Reading(WAY, "its event log has no time")
        if seconds <= SINCE_START:
            said = f"{span(seconds)} from the BMC's start, as one that was not set since (IPMI 2.0 §37.1)"
            return Reading(WAY, f"no time of day: it counts {said}")
        samples.append(Sample(seconds * SECOND, sent, came))
    offset = _offset(bmc)
    if offset:
        samples = [Sample(one.time - offset * 60 * SECOND, one.sent, one.came) for one in samples]
    told = judged(WAY, samples, "SEL time")
    return Reading(WAY, f"{told.says}{_remark(offset)}", told.time, told.at, told.error_seconds)


def _remark(offset: int | None) -> str:
    if offset is None:
        return "; it may be the BMC's local time: it tells no offset from UTC"
    return f"; its offset from UTC ({offset:+} minutes) is taken off" if offset else ""


def _offset(bmc: object) -> int | None:
    """Return what the BMC's time is ahead of UTC, in minutes; None where it does not say so."""
    try:
        answer = bytes(bmc.send_raw(0, STORAGE, bytes((UTC_OFFSET,))))  # type: ignore[attr-defined]
    except Exception:  # as above; not all have this command
        return None
    if len(answer) < 3 or answer[0] != 0:
        return None
    minutes = int.from_bytes(answer[1:3], "little", signed=True)
    return minutes if minutes != NO_OFFSET and abs(minutes) <= 24 * 60 else None


def _words(error: Exception) -> str:
    if type(error).__name__ in ("RetryError", "IpmiConnectionError"):
        return "no answer in time"
    said = " ".join(str(error).split())[:120]
    return f"{said or type(error).__name__} ({type(error).__name__})" if said else type(error).__name__


def _leave(bmc: object, wire: _Wire) -> None:
    with contextlib.suppress(Exception):  # it may have gone
        bmc.close()  # type: ignore[attr-defined]
    wire.close()


class _Wire:
    """The socket that the library talks through: any family of addresses, one peer, an end to all waiting.

    ``heard`` says that something came from there.
    """

    def __init__(self, timeout: float) -> None:
        self.heard = False
        self._timeout = timeout
        self._end = 0.0
        self._left = MOST
        self._socket: socket.socket | None = None

    def connect(self, place: tuple[str, int]) -> None:
        """Find the peer."""
        family, kind, protocol, _, address = socket.getaddrinfo(*place, type=socket.SOCK_DGRAM)[0]
        self._socket = socket.socket(family, kind, protocol)
        self._socket.connect(address)

    def send(self, data: bytes) -> int:
        """Send a question; its answer may take the timeout."""
        if self._socket is None:
            raise OSError("it was not connected")
        self._end = time.monotonic() + self._timeout
        return self._socket.send(data)

    def recv(self, size: int) -> bytes:
        """Return the next datagram, as long as one may come."""
        self._left -= 1
        left = self._end - time.monotonic()
        if self._socket is None or left <= 0 or self._left < 0:
            raise TimeoutError
        self._socket.settimeout(left)
        data = self._socket.recv(size)
        self.heard = True
        return data

    def settimeout(self, timeout: float) -> None:
        """Waiting has its end already."""

    def close(self) -> None:
        """Close it."""
        if self._socket is not None:
            self._socket.close()
