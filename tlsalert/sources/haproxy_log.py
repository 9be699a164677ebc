"""HAProxy's log: the short line of a failed handshake, and log formats that print what TLS says.

"SSL handshake failure" and "SSL client certificate not trusted" are words of src/connection.c; a format with
error-log-format or option httpslog has OpenSSL's number (ssl_fc_err), its words (ssl_fc_err_str) and the verifier's
numbers (ssl_c_err, ssl_c_ca_err), configuration manual §8.2.
"""

from __future__ import annotations

import re
from typing import Final

from tlsalert.model import Objection
from tlsalert.registry.verify_errors import by_code
from tlsalert.sources.openssl_words import library_errors
from tlsalert.sources.stamps import Entry
from tlsalert.sources.talks import Talks, endpoint
from tlsalert.sources.teller import Teller, told_suite, told_version

_LINE: Final = re.compile(r"(\S+:\d+) \[([^\]]*)\] (\S+?)(~)?(?:/(\d+))?(:)? (.*)$")
_SERVER: Final = re.compile(
    r"(?:Server|Health check for (?:backup )?server) (\S+)/(\S+) .*(SSL handshake failure[^\"]*)"
)
_NAMED: Final = re.compile(r"ssl_(f?c)_(?:hs_)?(err|ca_err|verify)(?:_str)?[=:/ ]+(0x[0-9A-Fa-f]+|\d+)")
#: option httpslog and the format of the errors: fc_err/ssl_fc_err in hex/ssl_c_err/ssl_c_ca_err/ssl_fc_is_resumed.
_HTTPS: Final = re.compile(r"(?<!\S)(\d+)/([0-9A-Fa-f]{16})/(\d+)/(\d+)/([01]) (\S+)/(\S+)/(\S+)")
#: An error of OpenSSL in hex, its words, and the verifier's two numbers behind it.
_WORDED: Final = re.compile(r"(?:^|\s)(?:0{8})?([0-9A-Fa-f]{8}) (error:\S.*?) (\d{1,3}) (\d{1,3})(?= |$)")
_PROTOCOL: Final = re.compile(r"(?<![\w.])((?:TLSv1(?:\.[0-3])?|SSLv3))[ /]([A-Za-z0-9_-]+|\(NONE\))")
_STATUS: Final = re.compile(r"(?:^|\s)\S+/\S+ (?:[\d/+-]+ )?(\d{3}) ")


#: So many clients are remembered, whose next requests are no new connections.
MOST_ANSWERED: Final = 4096


class HaproxyLog:
    """Takes HAProxy's lines; each tells a whole connection, and its program is the server."""

    name = "HAProxy"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks
        self._answered: dict[str, None] = {}

    def takes(self, entry: Entry) -> bool:
        """Whether a line is one of HAProxy's."""
        return entry.program.rsplit("/", 1)[-1] == "haproxy"

    def line(self, entry: Entry, number: int) -> None:
        """Take a line."""
        if (found := _SERVER.search(entry.text)) is not None:
            self._backend(entry, number, found)
            return
        found = _LINE.match(entry.text)
        if found is None:
            return
        said = found[7]
        short = found[6] is not None and ("SSL" in said or "TLS" in said)
        numbers = _numbers(said)
        if not short and found[4] is None and not numbers and "error:" not in said:
            return  # not a connection of TLS: its frontend has no "~"
        key = f"haproxy {entry.host} {entry.process} {found[1]}"
        if not short and not numbers and _answered(said):
            if self._answered.pop(key, key) is None:
                self._answered[key] = None
                return  # one more request on a connection that was told
            self._answered[key] = None
            if len(self._answered) > MOST_ANSWERED:
                self._answered.pop(next(iter(self._answered)))
        talk = self._talks.begin(key, "HAProxy", number, entry.time, "server")
        if (peer := endpoint(found[1])) is not None:
            talk.peer("client", *peer)
        talk.spoke = True
        if short:
            self._short(talk, said)
        else:
            self._long(talk, said, numbers)
        self._talks.end(key)

    def _backend(self, entry: Entry, number: int, found: re.Match[str]) -> None:
        key = f"haproxy {entry.host} {entry.process} {found[1]}/{found[2]}"
        talk = self._talks.begin(key, "HAProxy", number, entry.time, "client")
        talk.notes.append(f"the server is {found[1]}/{found[2]} of HAProxy's settings; its address is not in the log")
        talk.failed()
        self._talks.end(key)

    def _short(self, talk: Teller, said: str) -> None:
        """Take the line of a failed handshake, which has few words for many causes."""
        talk.notes.append("HAProxy says more with error-log-format: %[ssl_fc_err_str] and %[ssl_c_err]")
        if "certificate not trusted" in said:
            talk.object(Objection("SSL client certificate not trusted", talk.here, None, True))
        elif "CA chain cannot be verified" in said:
            talk.object(Objection("SSL client CA chain cannot be verified", talk.here, None, True))
        elif "losed during SSL" in said or "closed" in said:
            talk.gone("fin")
        elif "onnection error during SSL" in said:
            talk.gone("rst")
        elif "imeout" in said:
            talk.notes.append("the client did not answer in time, says the log")
        else:
            talk.notes.append("the words of the log do not tell who refused")
            talk.failed()

    def _long(self, talk: Teller, said: str, numbers: dict[str, int]) -> None:
        """Take a line whose format says what TLS found."""
        if (shown := _PROTOCOL.search(said)) is not None:
            talk.version, talk.suite = told_version(shown[1]), told_suite(shown[2])
        verified = next((numbers[name] for name in ("c_err", "ca_err", "c_verify") if numbers.get(name)), 0)
        error = numbers.get("fc_err", 0)
        words = said if library_errors(said) else f"error:{error:08X}:SSL routines::reason({error & 0xFFF})"
        soft = (not error and "error:" not in said) or _answered(said)
        if verified:
            known = by_code(verified)
            talk.verify_error(known, f"{verified}: {known.words[0]}" if known else str(verified), soft=soft)
        if not soft:
            talk.errors(words)
        elif _answered(said):
            talk.done()
        else:
            talk.gone("fin")


def _answered(said: str) -> bool:
    """Whether the format shows an answer in HTTP: then the handshake was done."""
    found = _STATUS.search(said)
    return found is not None and 100 <= int(found[1]) <= 599


def _numbers(said: str) -> dict[str, int]:
    """Return what a format says in numbers: "fc_err" of OpenSSL, "c_err", "ca_err" and "c_verify" of its verifier."""
    numbers: dict[str, int] = {}
    for found in _NAMED.finditer(said):
        name = "fc_err" if found[1] == "fc" else "ca_err" if found[2] == "ca_err" else f"c_{found[2]}"
        numbers[name] = int(found[3][:20], 0) if found[3].startswith("0x") else int(found[3][:20])
    if (https := _HTTPS.search(said)) is not None:
        numbers.update(fc_err=int(https[2], 16), c_err=int(https[3][:6]), ca_err=int(https[4][:6]))
    elif (worded := _WORDED.search(said)) is not None:
        numbers.setdefault("c_err", int(worded[3]))
        numbers.setdefault("ca_err", int(worded[4]))
        numbers.setdefault("fc_err", int(worded[1], 16))
    return numbers
