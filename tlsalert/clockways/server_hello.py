"""ServerHello.random, RFC 5246 §7.4.1.2: its first four bytes are the time in stacks that follow that to the letter.

Many do no more and send random bytes (OpenSSL since 1.0.2 by default); TLS 1.3 has no time there (RFC 8446 §4.1.3). So
several handshakes are made, in TLS 1.2 or older, with hellos of well-known clients: only times that agree with each
other, and go on as our clock does, are a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tlsalert.clockways.manners import Manners
from tlsalert.clockways.reading import SECOND, Reading, Sample, largest_agreement, read, stands_still, unreached
from tlsalert.model import Connection
from tlsalert.pki.presentation import Presentation
from tlsalert.replay.client import exchange
from tlsalert.replay.hello import from_profile
from tlsalert.replay.target import Target
from tlsalert.replay.trial import connection_of

WAY: Final = "random"
#: What is tried until the server answers with a ServerHello: the version, and whose hello.
OFFERS: Final = (
    ("TLS 1.2", "openssl-3.0"),
    ("TLS 1.2", "java-8"),
    ("TLS 1.1", "openssl-1.0.2"),
    ("TLS 1.0", "openssl-1.0.2"),
    ("SSLv3", "openssl-1.0.2"),
)
#: What shows that a server speaks, but nothing as old as those.
NEW: Final = ("TLS 1.3", "openssl-3.0")
NO_TIME: Final = "it speaks TLS 1.3 only, whose random holds no time (RFC 8446 §4.1.3)"
#: No presentation: the server is asked for its hello, and what it thinks of a client without a certificate is its own.
NOTHING: Final = Presentation()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came of one handshake; ``version`` is the one that the server chose, ``silent`` that it did not answer."""

    reached: bool
    sample: Sample | None
    says: str
    version: str = ""
    silent: bool = False


def by_random(target: Target, manners: Manners) -> Reading:
    """Make a few handshakes and hold their randoms against each other. Nothing that comes back raises an error."""
    first = last = _Seen(False, None, "")
    offer = OFFERS[0]
    for offer in OFFERS:
        last = _handshake(target, *offer, manners)
        first = first if first.says else last
        if last.sample is not None or not last.reached or last.silent:
            break  # who is silent now is silent to other hellos, and each would take as long
    if last.sample is None:
        if not last.reached:
            return unreached(WAY, f"{target}: {last.says}")
        if not last.silent and _handshake(target, *NEW, manners).sample is not None:
            return Reading(WAY, NO_TIME)
        return Reading(WAY, f"{target}: no ServerHello ({first.says})")
    samples = [last.sample]
    for _ in range(manners.samples - 1):
        manners.rest(manners.pause)
        seen = _handshake(target, *offer, manners)
        if seen.sample is not None:
            samples.append(seen.sample)
    return judged_randoms(samples, last.version)


def judged_randoms(samples: list[Sample], version: str) -> Reading:
    """Return what the randoms of several handshakes say."""
    if len(samples) < 2:
        return Reading(WAY, "no clock that could be proved: only one handshake gave a ServerHello")
    if stands_still(samples):
        return Reading(WAY, "no clock: the random begins with the same four bytes each time")
    agreeing = largest_agreement(samples)
    if len(agreeing) < 2:
        return Reading(WAY, f"no clock: it sends random bytes ({len(samples)} handshakes in {version} disagree)")
    if len(agreeing) == len(samples):
        return read(WAY, agreeing, f"{len(samples)} handshakes in {version} agree")
    says = f"{len(agreeing)} of {len(samples)} handshakes in {version} agree; the others are another machine's, or"
    return read(WAY, agreeing, f"{says} the clock was set in between")


def _handshake(target: Target, version: str, profile: str, manners: Manners) -> _Seen:
    told = exchange(target, from_profile(profile), NOTHING, version, manners.limits)
    if told.ending == "unreachable":
        return _Seen(False, None, told.says or "no connection")
    connection = connection_of(told)
    sample = None if connection is None else sample_of(connection)
    silent = told.ending in ("timeout", "limit")
    says = told.says or ("it did not answer" if silent else "it closed or refused")
    chosen = None if connection is None else connection.tls_version
    return _Seen(True, sample, says, chosen or version, silent)


def sample_of(connection: Connection) -> Sample | None:
    """Return what a connection's ServerHello may say of the time, None where there is none."""
    hello = connection.server_hello
    if hello is None or len(hello.random) < 4:
        return None
    sent = next((one.time for one in connection.messages if one.message == "client_hello"), None)
    came = next((one.time for one in connection.messages if one.message == "server_hello"), None)
    if sent is None or came is None:
        return None
    return Sample(int.from_bytes(hello.random[:4], "big") * SECOND, sent, came)
