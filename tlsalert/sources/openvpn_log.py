"""OpenVPN's log, of servers and clients: its TLS is inside its own protocol, and its words are those of OpenSSL.

The lines come from src/openvpn/ssl_verify.c, ssl_verify_openssl.c, ssl.c, ssl_openssl.c and socket.c. A server of many
clients puts "10.0.0.5:1194 " or "name/10.0.0.5:1194 " before what it says of one.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from tlsalert.model import Certificate, Objection
from tlsalert.pki.names import name_from_words
from tlsalert.registry.verify_errors import by_code
from tlsalert.sources.openssl_words import alert_named
from tlsalert.sources.stamps import Entry
from tlsalert.sources.talks import Talks, endpoint
from tlsalert.sources.teller import Teller, told_suite, told_version

SIGN: Final = re.compile(
    r"VERIFY (?:OK|ERROR|EKU|KU|X509NAME|nsCertType)|TLS Error: |TLS_ERROR: |OpenVPN \d\.\d|TLS: Initial packet from|"
    r"Control Channel: TLS|Peer Connection Initiated with|OpenSSL: error:|"
    r"\w+v[46](?:_SERVER|_CLIENT)? link (?:local|remote)|"
    r"(?:Sent|Received) (?:fatal|warning) SSL alert|"
    r"TLS handshake failed|SIG\w+\[soft,|MANAGEMENT: |Data Channel|peer info: IV_"
)
_PREFIX: Final = re.compile(
    r"(?:([^\s/\[\]]+)/)?((?:\d{1,3}\.){3}\d{1,3}:\d{1,5}|\[[0-9A-Fa-f:.]+\]:\d{1,5}|[0-9A-Fa-f:]{6,}:\d{1,5}) "
)
_VERIFY_ERROR: Final = re.compile(r"VERIFY ERROR: depth=(\d+), (?:error=)?([^:]+): (.*?)(?:, serial=(\w+))?$")
#: How mbed TLS words it (library/x509_crt.c, mbedtls_x509_crt_verify_info), and OpenSSL's number for the same.
_MBEDTLS: Final = {
    "validity has expired": 10,
    "validity starts in the future": 9,
    "not correctly signed by the trusted CA": 20,
    "certificate has been revoked": 23,
    "Usage does not match": 26,
}
_VERIFY_OK: Final = re.compile(r"VERIFY OK: depth=(\d+), (.*?)(?:, serial=\w+)?$")
_USAGE: Final = re.compile(
    r"VERIFY (?:K|EK)U ERROR|VERIFY nsCertType ERROR|Certificate does not have (?:extended )?key usage"
)
_NAME: Final = re.compile(r"VERIFY X509NAME ERROR: (.*)$")
_SCRIPT: Final = re.compile(r"VERIFY SCRIPT ERROR|VERIFY PLUGIN ERROR")
_CRL: Final = re.compile(r"VERIFY CRL: .*REVOKED|CRL CHECK FAILED: .*is REVOKED")
_CONTROL: Final = re.compile(r"Control Channel: (TLSv[\d.]+), cipher \S+ (\S+?)(?:,|$)")
_INITIATED: Final = re.compile(r"Peer Connection Initiated with (?:\[AF_INET6?\])?(\S+)")
_REMOTE: Final = re.compile(r"(UDP|TCP)\S* link remote: (?:\[AF_INET6?\])?(\S+)")
_PEER: Final = re.compile(r"(?:TLS: Initial packet from|TCP connection established with) (?:\[AF_INET6?\])?([^\s,]+)")
_SERVER: Final = re.compile(
    r"(?:TCP\w*_SERVER|MULTI|UDP\S* link remote: \[AF_UNSPEC\]|Listening for incoming|--mode server)|"
    r"SSL3_GET_CLIENT|tls_process_client"
)
_CLIENT: Final = re.compile(
    r"(?:TCP\w*_CLIENT|SSL3_GET_SERVER|tls_process_server|Attempting to establish TCP|"
    r"No server certificate verification|"
    r"Preserving recently used remote address|link local: \(not bound\))"
)
_NO_ANSWER: Final = re.compile(r"TLS key negotiation failed to occur within")
_FAILED: Final = re.compile(r"TLS Error: TLS handshake failed")
_ALERT: Final = re.compile(r"(Sent|Received) (fatal|warning) SSL alert: ([A-Za-z_ ]+)")
_BANNER: Final = re.compile(r"OpenVPN \d\.\d")
_BEGINS: Final = re.compile(r"TLS: Initial packet from|TCP connection established with")
_RESTART: Final = re.compile(r"SIG(?:USR1|TERM|HUP|INT)\[|process (?:restarting|exiting)|client-instance restarting")


class OpenvpnLog:
    """Takes OpenVPN's lines."""

    name = "OpenVPN"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks
        self._server: dict[str, bool] = {}
        self._remote: dict[str, tuple[str, str]] = {}

    def takes(self, entry: Entry) -> bool:
        """Whether a line is one of OpenVPN's."""
        return "openvpn" in entry.program or SIGN.search(entry.text) is not None

    def line(self, entry: Entry, number: int) -> None:
        """Take a line."""
        process = f"openvpn {entry.host} {entry.program} {entry.process} "
        prefix = _PREFIX.match(entry.text)
        said = entry.text if prefix is None else entry.text[prefix.end() :]
        key = process + ("" if prefix is None else prefix[2])
        talk = self._talks.get(key)
        if _RESTART.search(said) is not None or _BEGINS.search(said) is not None:
            self._talks.end(key)
            self._learn(process, prefix, said)
            return
        if _BANNER.match(said) is not None:
            for open_one in self._talks.keys(process):
                self._talks.end(open_one)
            self._server.pop(process, None)
            self._remote.pop(process, None)
            return
        self._learn(process, prefix, said)
        if not self._tells(said):
            return
        if talk is not None and (talk.over and not said.startswith(("TLS", "OpenSSL"))):
            self._talks.end(key)
            talk = None
        if talk is None:
            talk = self._talks.begin(key, "OpenVPN", number, entry.time)
            talk.settle = partial(self._settle, process, key)
        talk.at(number, entry.time)
        talk.protocol = "openvpn"
        talk.spoke = True
        if prefix is not None and (peer := endpoint(prefix[2])) is not None:
            talk.peer("client", *peer)
        self._say(talk, said)

    def _learn(self, process: str, prefix: re.Match[str] | None, said: str) -> None:
        """Note which side this OpenVPN is, and with whom it speaks."""
        if prefix is not None or _SERVER.search(said) is not None:
            self._server[process] = True
        elif _CLIENT.search(said) is not None:
            self._server[process] = False
        if (found := _REMOTE.search(said)) is not None:
            self._remote[process] = (found[1].lower(), found[2])
        elif (found := _PEER.search(said)) is not None and prefix is None:
            self._remote[process] = (self._remote.get(process, ("", ""))[0], found[1])

    def _tells(self, said: str) -> bool:
        told = (
            _VERIFY_ERROR,
            _VERIFY_OK,
            _USAGE,
            _NAME,
            _SCRIPT,
            _CRL,
            _CONTROL,
            _INITIATED,
            _NO_ANSWER,
            _FAILED,
            _ALERT,
        )
        return "error:" in said or any(pattern.search(said) is not None for pattern in told)

    def _settle(self, process: str, key: str, talk: Teller) -> None:
        """Tell which side this OpenVPN is, and with whom it speaks."""
        side = self._server.get(process)
        if side is not None:
            talk.side = "server" if side else "client"
        kind, remote = self._remote.get(process, ("", ""))
        talk.transport = "udp" if kind == "udp" else "tcp"
        if (peer := endpoint(remote)) is not None and talk.side is not None and key == process:
            talk.peer("client" if talk.side == "server" else "server", *peer)

    def _say(self, talk: Teller, said: str) -> None:
        if (found := _VERIFY_ERROR.search(said)) is not None:
            words, subject = found[2], found[3]
            if words.startswith("subject="):  # built with mbed TLS
                words, subject = found[3], words.removeprefix("subject=")
            known = next((by_code(code) for said_so, code in _MBEDTLS.items() if said_so in words), None)
            talk.verify_error(known, words)
            talk.certificate(int(found[1][:3]), Certificate(b"", "", name_from_words(subject), None, found[4]))
        elif (found := _VERIFY_OK.search(said)) is not None:
            talk.certificate(int(found[1][:3]), Certificate(b"", "", name_from_words(found[2])))
        elif (found := _ALERT.search(said)) is not None:
            description = alert_named(found[3])
            if description is not None:
                talk.alert(found[1] == "Sent", description, found[2] == "fatal")
        elif (found := _USAGE.search(said)) is not None:
            talk.object(Objection(found[0], talk.here, "wrong_certificate_usage", True))
        elif (found := _NAME.search(said)) is not None:
            talk.object(Objection(found[0], talk.here, "name_mismatch", True))
        elif (found := _SCRIPT.search(said)) is not None:
            talk.object(Objection(found[0], talk.here, "access_denied", True))
        elif (found := _CRL.search(said)) is not None:
            talk.object(Objection(found[0], talk.here, "certificate_revoked", True))
        elif (found := _CONTROL.search(said)) is not None:
            talk.version, talk.suite = told_version(found[1]), told_suite(found[2])
            talk.done()
        elif _INITIATED.search(said) is not None:
            talk.done()
        elif _NO_ANSWER.search(said) is not None:
            talk.notes.append("the other side did not answer in time, says the log")
            talk.over = True
        elif not talk.errors(said):
            talk.failed()
            talk.over = True
