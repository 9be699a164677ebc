"""stunnel's log, client and server, of any debug level: 4.x and 5.x, as a file, on the terminal, or through syslog.

What the lines look like is in stunnel's src/log.c, src/client.c and src/verify.c. A connection is told in one thread:
"LOG7[0]:" counts them in 5.x, "LOG7[251:139858825209536]:" is process and thread in 4.x, and threads are used again.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from tlsalert.model import Certificate, Objection, Side
from tlsalert.pki.names import name_from_words
from tlsalert.sources.openssl_words import alert_named
from tlsalert.sources.stamps import Entry
from tlsalert.sources.talks import Talks, endpoint
from tlsalert.sources.teller import Teller, told_suite, told_version

SIGN: Final = re.compile(r"LOG([0-7])\[([^\]]*)\]: ")
#: What is said before any connection, or beside them.
_ASIDE: Final = frozenset(("ui", "main", "cron", "per-second", "per-day"))

_ACCEPTED: Final = re.compile(r"Service \[([^\]]*)\] accepted connection from (\S+)$")
_CONNECTED: Final = re.compile(r"Service \[([^\]]*)\] connected remote server from (\S+)$")
_STARTED: Final = re.compile(r"Service \[([^\]]*)\] started$")
_FINISHED: Final = re.compile(r"Service \[[^\]]*\] finished")
_BOUND: Final = re.compile(r"Service \[([^\]]*)\] \(FD=\d+\) bound to (\S+)$")
_REACHING: Final = re.compile(r"(?:connect_blocking|s_connect): connect")
_REMOTE: Final = re.compile(r"(?:connect_blocking|s_connect): connected (\S+)$")
_STATE: Final = re.compile(r"(?:SSL|TLS) state \((connect|accept)\): (.*)$")
_ALERT: Final = re.compile(r"(?:SSL|TLS) alert \((read|write)\): (fatal|warning): (.+)$")
_FATAL: Final = re.compile(r"(?:SSL|TLS) alert \((?:read|write)\): fatal")
_VERIFY: Final = re.compile(
    r"(?:CERT: )?(?:Pre-verification error|Verification error|VERIFY ERROR): (?:depth=\d+, error=)?(.+?)(?:: (/.*))?$"
)
_CHECKED: Final = re.compile(
    r"(?:Certificate accepted|Certificate check failed|Rejected by \w+|Starting certificate verification|"
    r"Verification started|VERIFY OK|VERIFY ERROR)(?: at|:)? ?depth=(\d+)[,:] (.+)$"
)
_PINNED: Final = re.compile(
    r"CERT: (?:Certificate not found in local repository|No matching local certificate|"
    r"Public keys do not match|Certificate not found)"
)
_SUBJECT: Final = re.compile(
    r"CERT: (?:No matching (?:host name|IP address|email address) found|Subject checks failed|Host name .* mismatch)",
    re.I,
)
_REVOKED: Final = re.compile(
    r"(?:CERT: )?(?:CRL: )?(?:Certificate with serial .* revoked|OCSP: Rejected|CERT: OCSP.*revoked)", re.I
)
_ROLE: Final = re.compile(r"SSL_(connect|accept)\b")
_DONE: Final = re.compile(r"(?:SSL|TLS) (connected|accepted): (.*)$")
_SUITE: Final = re.compile(r"(?:Negotiated )?(\S+) ciphersuite: (\S+)")
_NAME: Final = re.compile(r"SNI: sending servername: (\S+)$")
_CLOSED: Final = re.compile(
    r"Connection (reset|closed|reset/closed|closed/reset)(?: due to [^:]*)?: (\d+) byte\(?s?\)? sent to (?:SSL|TLS)"
)
_BANNER: Final = re.compile(r"stunnel \d+\.\d+\S* on ")

#: More services are not remembered; nobody has as many.
MOST_SERVICES: Final = 4096


class StunnelLog:
    """Takes stunnel's lines. One log may hold several services, some of them clients and some servers."""

    name = "stunnel"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks
        self._bound: dict[str, str] = {}
        self._sides: dict[str, Side | None] = {}
        self._services: dict[str, str] = {}
        self._ends: dict[str, tuple[str, str, str]] = {}

    def takes(self, entry: Entry) -> bool:
        """Whether a line is one of stunnel's."""
        return SIGN.match(entry.text) is not None

    def line(self, entry: Entry, number: int) -> None:
        """Take a line."""
        sign = SIGN.match(entry.text)
        if sign is None:
            return
        said = entry.text[sign.end() :]
        thread = sign[2]
        if thread in _ASIDE or _BANNER.match(said) is not None:
            self._beside(entry, said)
            return
        if _BOUND.match(said) is not None:
            self._beside(entry, said)
            return
        key = f"stunnel {entry.host} {entry.process} {thread}"
        talk = self._talks.get(key)
        if talk is not None and _STARTED.match(said):
            self._talks.end(key)
            talk = None
        if talk is None:
            if not self._tells(said):
                return
            talk = self._talks.begin(key, "stunnel", number, entry.time)
            talk.settle = partial(self._settle, key)
        talk.at(number, entry.time)
        self._say(key, talk, said)
        if talk.over or _FINISHED.match(said) is not None:
            self._talks.end(key)  # what its thread still says is about sockets

    def _beside(self, entry: Entry, said: str) -> None:
        """Take what is said of a whole stunnel: where it listens, and that it began anew."""
        if (bound := _BOUND.match(said)) is not None:
            self._bound[bound[1]] = bound[2]
        elif _BANNER.match(said) is not None:
            for key in self._talks.keys(f"stunnel {entry.host} {entry.process} "):
                self._talks.end(key)

    def _tells(self, said: str) -> bool:
        """Whether a line can be the first of a connection: others of its thread are about the program."""
        begins = _STARTED.match(said) or _ACCEPTED.match(said) or _STATE.match(said) or _VERIFY.match(said)
        more = _CHECKED.match(said) or _FATAL.match(said) or _REMOTE.match(said) or _DONE.match(said)
        return begins is not None or more is not None or "error:" in said or _PINNED.match(said) is not None

    def _settle(self, key: str, talk: Teller) -> None:
        """Tell the ends of a connection, now that it is known which side this stunnel was."""
        service = self._services.pop(key, None)
        plain, remote, local = self._ends.pop(key, ("", "", ""))
        if talk.side is None and service is not None:
            talk.side = self._sides.get(service)
        elif service is not None and len(self._sides) < MOST_SERVICES:
            self._sides[service] = talk.side
        if talk.side == "server":
            _peer(talk, "client", plain)
            _peer(talk, "server", self._bound.get(service or "", ""))
        elif talk.side == "client":
            _peer(talk, "client", local)
            _peer(talk, "server", remote)

    def _say(self, key: str, talk: Teller, said: str) -> None:
        if (found := _STATE.match(said)) is not None:
            talk.side = "client" if found[1] == "connect" else "server"
            talk.spoke = True
            talk.step(found[2])
        elif (found := _ALERT.match(said)) is not None:
            description = alert_named(found[3])
            if description is not None:
                talk.alert(found[1] == "write", description, found[2] == "fatal")
        elif (found := _ACCEPTED.match(said)) is not None:
            self._services[key] = found[1]
            self._ends[key] = (found[2], "", "")
        elif (found := _STARTED.match(said)) is not None:
            self._services[key] = found[1]
        elif _REACHING.match(said) is not None or _CONNECTED.match(said) is not None:
            self._reaching(key, talk, said)
        elif (found := _NAME.match(said)) is not None:
            talk.side = "client"
            talk.server_name = found[1]
        else:
            self._verdicts(talk, said)

    def _reaching(self, key: str, talk: Teller, said: str) -> None:
        """Take what is said of the other connection: a client makes it before TLS, a server when TLS is done."""
        plain, remote, local = self._ends.get(key, ("", "", ""))
        if talk.news and not remote:
            talk.side = talk.side or "server"
            if talk.side == "server" and not talk.refused:
                talk.done()
        elif (found := _REMOTE.match(said)) is not None:
            talk.reached = True
            self._ends[key] = (plain, found[1], local)
        elif (found := _CONNECTED.match(said)) is not None:
            self._ends[key] = (plain, remote, found[2])

    def _verdicts(self, talk: Teller, said: str) -> None:
        """Take what is said of certificates, of errors and of the end."""
        if (found := _VERIFY.match(said)) is not None:
            talk.verify_error(None, found[1])
        elif _PINNED.match(said) is not None or said.startswith("VERIFY ERROR ONLY MY"):
            talk.object(Objection(said, talk.here, "certificate_not_pinned", True, alert=42))
        elif _SUBJECT.match(said) is not None:
            talk.object(Objection(said, talk.here, "name_mismatch", True, alert=42))
        elif _REVOKED.search(said) is not None:
            talk.object(Objection(said, talk.here, "certificate_revoked", True, alert=44))
        elif (found := _CHECKED.match(said)) is not None:
            talk.spoke = True
            if talk.reached and talk.side is None:
                talk.side = "client"
            talk.certificate(int(found[1][:3]), Certificate(b"", "", name_from_words(found[2])))
        elif (found := _DONE.match(said)) is not None:
            talk.side = "client" if found[1] == "connected" else "server"
            talk.done()
        elif (found := _SUITE.match(said)) is not None:
            talk.version = told_version(found[1]) or talk.version
            talk.suite = told_suite(found[2])
            talk.done()
        elif (found := _CLOSED.match(said)) is not None:
            if found[2] != "0" and not talk.refused:
                talk.done()
            talk.over = True
        else:
            role = _ROLE.match(said)
            if role is not None:
                talk.side = "client" if role[1] == "connect" else "server"
            if talk.errors(said):
                talk.over = not said.startswith("error queue: ")  # the last of them follows
            elif role is not None and "reset by peer" in said:
                talk.gone("rst")
                talk.over = True
            elif role is not None and ("Peer suddenly disconnected" in said or "closed" in said):
                talk.gone("fin")
                talk.over = True


def _peer(talk: Teller, side: Side, said: str) -> None:
    ends = endpoint(said)
    if ends is not None:
        talk.peer(side, *ends)
