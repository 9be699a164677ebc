"""Apache's error log: what mod_ssl says of its clients, and of the servers that it is a proxy for.

The lines come from modules/ssl (ssl_engine_io.c, ssl_engine_kernel.c, ssl_engine_log.c); 2.4 numbers them AH…, 2.2 does
not. A thread tells one connection at a time, and the errors of OpenSSL follow without the client's address.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from tlsalert.model import Certificate, Objection, Side
from tlsalert.registry.verify_errors import by_code
from tlsalert.sources.stamps import Entry
from tlsalert.sources.talks import Talks, endpoint
from tlsalert.sources.teller import Teller, told_suite, told_version

SIGN: Final = re.compile(
    r"\[(?:[a-z0-9_]+:)?(?:emerg|alert|crit|error|warn|notice|info|debug|trace[1-8])\] (?=\[|AH\d|SSL|mod_ssl|\(\d)"
)

_FIELD: Final = re.compile(r"\[(pid|client|remote) ([^\]]*)\] ?")
_STATUS: Final = re.compile(r"\(\d+\)[^:\[]*: ")
_SOURCE: Final = re.compile(r"[\w/]+\.c\(\d+\): ")
_VERIFY: Final = re.compile(r"Certificate Verification: Error \((\d+)\): ([^\[]*)(?:\[(.*)\])?")
_DEPTH: Final = re.compile(r"Certificate Verification, depth (\d+)")
_ESTABLISHED: Final = re.compile(r"(?:AH01964: )?Connection to child \S+ established(?: \(server ([^)]*)\))?")
_CLOSED: Final = re.compile(r"Connection (?:to child \S+ )?closed to child")
_STOPPED: Final = re.compile(r"SSL handshake (?:stopped|interrupted by system)")
_FAILED: Final = re.compile(r"SSL library error \d+ in (?:proxy )?handshake|SSL Proxy connect failed")
_PLAIN: Final = re.compile(r"HTTP spoken on HTTPS port|speaking HTTP to HTTPS port")
_NAME: Final = re.compile(
    r"SSL Proxy: Peer certificate (?:CN )?(?:mismatch|does not match)|Peer certificate does not match for hostname"
)
_EXPIRED: Final = re.compile(r"SSL Proxy: Peer certificate is expired")
_STEP: Final = re.compile(r"OpenSSL: (?:Loop|Handshake: done|Exit|Read|Write)(?:: )?(.*)$")
_CIPHER: Final = re.compile(r"Protocol: (\S+), Cipher: (\S+) ")
_NONE_SENT: Final = re.compile(r"Re-negotiation handshake failed|No acceptable peer certificate available")
_SUBJECT: Final = re.compile(
    r"subject: (.*?) / issuer: (.*?) / serial: ([0-9A-Fa-f]+)(?: / notbefore: (.*?) / notafter: (.*))?$"
)
_TLS: Final = re.compile(r"SSL|TLS|Certificate|AH0(?:1964|1998)")
#: How Apache prints a certificate's dates: ASN1_TIME_print.
_DATE: Final = "%b %d %H:%M:%S %Y GMT"


class ApacheLog:
    """Takes Apache's lines: those of clients are told by the server, those of proxied servers by the client."""

    name = "Apache"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks
        self._last: dict[str, str] = {}

    def takes(self, entry: Entry) -> bool:
        """Whether a line is one of Apache's."""
        return SIGN.match(entry.text) is not None

    def line(self, entry: Entry, number: int) -> None:
        """Take a line."""
        sign = SIGN.match(entry.text)
        if sign is None or _TLS.search(entry.text) is None:
            return
        place, fields = sign.end(), {}
        while place < len(entry.text):
            found = (
                _FIELD.match(entry.text, place) or _STATUS.match(entry.text, place) or _SOURCE.match(entry.text, place)
            )
            if found is None:
                break
            if found.re is _FIELD:
                fields[found[1]] = found[2]
            place = found.end()
        said = re.sub(r"^AH\d{5}: ", "", entry.text[place:])
        thread = f"apache {entry.host} {fields.get('pid', '')}"
        side: Side = "client" if "remote" in fields else "server"
        who = fields.get("remote") or fields.get("client")
        key = f"{thread} {who}" if who is not None else self._last.get(thread, "")
        if who is not None:
            if len(self._last) > 4096:
                self._last.clear()
            self._last[thread] = key
        self._say(key, who, side, said, entry, number)

    def _say(self, key: str, who: str | None, side: Side, said: str, entry: Entry, number: int) -> None:
        if who is not None and _ESTABLISHED.match(said) is not None:
            talk = self._talks.begin(key, "Apache", number, entry.time, side)
        elif not key or not self._tells(said):
            return
        else:
            talk = self._talks.reach(key, "Apache", number, entry.time, side)
        talk.spoke = True
        if who is not None and (peer := endpoint(who)) is not None:
            talk.peer("client" if side == "server" else "server", *peer)
        if _CLOSED.match(said) is not None:
            self._talks.end(key)
            return
        self._tell(talk, said)
        talk.over = talk.over or talk.refused  # at the default level nothing tells its end

    def _tells(self, said: str) -> bool:
        told = (_VERIFY, _STOPPED, _FAILED, _PLAIN, _NAME, _EXPIRED, _STEP, _CIPHER, _CLOSED, _NONE_SENT)
        return "error:" in said or any(pattern.search(said) is not None for pattern in told)

    def _tell(self, talk: Teller, said: str) -> None:
        if (found := _VERIFY.search(said)) is not None:
            talk.verify_error(by_code(int(found[1][:4])), found[2].strip())
            shown = None if found[3] is None else _certificate(found[3])
            if shown is not None:
                talk.certificate(0, shown)
        elif (found := _STOPPED.search(said)) is not None:
            talk.gone("fin")
        elif _PLAIN.search(said) is not None:
            talk.object(Objection("HTTP spoken on HTTPS port", talk.here, "not_tls"))
        elif (found := _NAME.search(said)) is not None:
            talk.object(Objection(found[0], talk.here, "name_mismatch", True))
        elif _EXPIRED.search(said) is not None:
            talk.object(Objection("Peer certificate is expired", talk.here, "certificate_expired", True))
        elif (found := _CIPHER.search(said)) is not None:
            talk.version, talk.suite = told_version(found[1]), told_suite(found[2])
            talk.done()
        elif (found := _STEP.search(said)) is not None:
            talk.step(found[1])
        else:
            talk.errors(said)


def _certificate(said: str) -> Certificate | None:
    """Return the certificate that a line names: its subject, issuer, serial number and dates."""
    found = _SUBJECT.match(said)
    if found is None:
        return None
    return Certificate(
        b"", "", found[1], found[2], found[3].lower().lstrip("0") or "0", _date(found[4]), _date(found[5])
    )


def _date(said: str | None) -> datetime | None:
    try:
        return None if said is None else datetime.strptime(" ".join(said.split()), _DATE).replace(tzinfo=UTC)
    except ValueError:
        return None
