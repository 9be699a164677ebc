"""One handshake with a server over TCP: what is sent, what is waited for, and when it is enough.

The rules are those by which no alert is lost:

- the client's flight, from Certificate to Finished, goes out in one send;
- nothing is written after it until the server closed, proved that it accepts (its Finished; in TLS 1.3 a ticket or
  data), or kept silent for as long as is waited;
- what the server sends is read while a long flight is still going out;
- at the end comes close_notify, then the own half is closed, then what the server still has to say is read.
"""

from __future__ import annotations

import time
from random import Random
from typing import Final

from tlsalert.errors import UsageError
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.channel import Channel, Stopped, connect
from tlsalert.replay.exchange import Ending, Exchange
from tlsalert.replay.greeting import Hello
from tlsalert.replay.handshake import Handshake
from tlsalert.replay.hello import VERSIONS
from tlsalert.replay.outcome import Stage
from tlsalert.replay.target import Limits, Target
from tlsalert.starttls import Declined, begin_tls, protocol_named

DEFAULTS: Final = Limits()


def exchange(
    target: Target,
    hello: Hello,
    presentation: Presentation,
    version: str,
    limits: Limits = DEFAULTS,
    *,
    request: bytes | None = None,
    random: Random | None = None,
) -> Exchange:
    """Try one handshake with ``target`` and return what passed; nothing that the server does raises an error.

    ``version`` is written as in the model ("SSLv3", "TLS 1.0" … "TLS 1.3"). ``request`` is sent inside TLS when the
    server has accepted, and its answer is read: some servers refuse a certificate only there, or ask for it then.
    ``random`` makes the hello's fresh parts repeatable. Raises :class:`UsageError` for a version or a protocol that is
    not known, and for a server's name that can be none.
    """
    if version not in VERSIONS:
        raise UsageError("is no version that can be spoken", version, f"one of: {', '.join(VERSIONS)}")
    if target.starttls is not None:
        protocol_named(target.starttls)
    started = time.time_ns()
    try:
        peer = connect(target.place, limits)
    except (OSError, UnicodeError) as error:
        return Exchange(ending="unreachable", says=_reason(error), started=started, ended=time.time_ns())
    with Channel(peer, limits) as channel:
        made = _Try(channel, target, limits, request)
        handshake = Handshake(
            hello, version, presentation, server_name=target.server_name, random=random, limits=limits
        )
        return made.run(handshake)


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, UnicodeError):
        return "the name of the host is none"
    return (error.strerror or str(error)).lower()


class _Try:
    """One try's way through its phases."""

    def __init__(self, channel: Channel, target: Target, limits: Limits, request: bytes | None) -> None:
        self.channel = channel
        self.target = target
        self.limits = limits
        self.request = request
        self.ending: Ending = "stopped"
        self.limit: str | None = None
        self.says: str | None = None
        self.quiet = False
        self.asked = False
        self.accepted_at: float | None = None
        self.addresses = channel.addresses()

    def run(self, handshake: Handshake) -> Exchange:
        """Go through the whole try."""
        try:
            early = self._begin()
        except Stopped as stop:
            return self._over(stop, "starttls")
        except Declined as error:
            self.says = error.says
            self.channel.finish(self.limits.settle)
            return self._told("starttls")
        try:
            self._talk(handshake, early)
        except Stopped as stop:
            self._note(stop)
        self._leave(handshake)
        return self._told(handshake.stage, handshake)

    def _begin(self) -> bytes:
        """Ask for TLS inside another protocol, if the target says in which; return what came too early."""
        target = self.target
        if target.starttls is None:
            return b""
        return begin_tls(self.channel, target.starttls, target.host, target.port, target.server_name)

    def _talk(self, handshake: Handshake, early: bytes) -> None:
        """Carry bytes to and fro until there is nothing more to learn."""
        self.channel.send(handshake.output())
        data = early
        while True:
            if data:
                handshake.feed(data)
                self.channel.send(handshake.output())
            if handshake.ended:
                return
            try:
                data = self.channel.receive(self._patience(handshake))
            except Stopped as stop:
                if stop.how != "timeout" or stop.limit is not None or not handshake.finished:
                    raise
                if not self._goes_on(handshake):
                    return
                data = b""

    def _patience(self, handshake: Handshake) -> float:
        """Return how many seconds the server has for its next word."""
        if not handshake.finished:
            return self.limits.read
        if self.asked:  # the answer has its time, and may pause
            return self.limits.linger if handshake.received else self.limits.read
        if not handshake.accepted:
            return self.limits.linger
        if self.accepted_at is None:
            self.accepted_at = time.monotonic()
        return self.accepted_at + self.limits.settle - time.monotonic()  # whatever it may chat about

    def _goes_on(self, handshake: Handshake) -> bool:
        """After a silence: send the request, if there is one that was not; say whether more is to be waited for."""
        if not handshake.accepted:
            self.quiet = True
        if self.request is None or self.asked:
            return False
        handshake.request(self.request)
        self.asked = True
        self.channel.send(handshake.output())
        return True

    def _leave(self, handshake: Handshake) -> None:
        """Part from the server without losing what it may still send."""
        if self.ending in ("fin", "rst"):
            return
        if handshake.limit is not None:
            self.ending, self.limit = "limit", handshake.limit
        if handshake.alerts:  # it will close now
            self._await_close()
        elif handshake.failure is not None:
            self.says = handshake.failure
            self.channel.send(handshake.output())
            self.channel.finish(self.limits.settle)
        elif self.ending == "stopped":
            handshake.close()
            self.channel.send(handshake.output())
            self.channel.finish(self.limits.linger)

    def _await_close(self) -> None:
        end = time.monotonic() + self.limits.linger
        try:
            while (left := end - time.monotonic()) > 0:
                self.channel.receive(left)
        except Stopped as stop:
            if stop.how in ("fin", "rst"):
                self._note(stop)

    def _note(self, stop: Stopped) -> None:
        self.ending, self.limit = stop.how, stop.limit

    def _over(self, stop: Stopped, stage: Stage) -> Exchange:
        self._note(stop)
        return self._told(stage)

    def _told(self, stage: Stage, handshake: Handshake | None = None) -> Exchange:
        by_server = self.ending in ("fin", "rst")
        left_open = self.ending == "timeout"
        return Exchange(
            segments=self.channel.taken(),
            secrets=() if handshake is None else handshake.secrets,
            ending=self.ending,
            sender="server" if by_server else None if left_open else "client",
            stage=stage,
            notes=() if handshake is None else handshake.notes,
            addresses=self.addresses,
            says=self.says,
            limit=self.limit,
            waited=self.channel.waited,
            quiet=self.quiet,
            farewell=handshake is not None and handshake.farewell,
            proof=None if handshake is None else handshake.proof,
            started=self.channel.started,
            ended=self.channel.now,
        )
