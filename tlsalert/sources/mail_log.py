"""The logs of mail servers: Postfix (smtpd, smtp) and Dovecot.

Postfix's words are in src/tls/tls_server.c, tls_client.c, tls_verify.c and tls_misc.c, one process tells one connection
at a time; Dovecot's are in src/lib-ssl-iostream and src/login-common: one line at a connection's end, and with
verbose_ssl the steps of the handshake, which do not say of which connection they are.
"""

from __future__ import annotations

import re
from typing import Final

from tlsalert.model import Certificate, Objection, Side
from tlsalert.pki.names import name_from_words
from tlsalert.registry.verify_errors import by_code, by_words
from tlsalert.sources.openssl_words import alert_named
from tlsalert.sources.stamps import Entry
from tlsalert.sources.talks import Talks
from tlsalert.sources.teller import Teller, told_suite, told_version

_POSTFIX: Final = re.compile(r"postfix[\w-]*/(?:[\w-]+/)*(smtpd|smtp|lmtp|postscreen|tlsproxy|posttls-finger)$")
_PEER: Final = re.compile(r"(\S+)\[([0-9A-Fa-f.:]+)\](?::(\d+))?")
_CONNECT: Final = re.compile(
    r"(?:connect from|setting up TLS connection (?:from|to)|SSL_(?:accept|connect) error (?:from|to)) "
)
_ERROR: Final = re.compile(r"SSL_(accept|connect) error (?:from|to) (\S+): (.*)$")
_STEP: Final = re.compile(r"SSL_(accept|connect):\s?(?:error in )?(.*)$")
_ALERT: Final = re.compile(r"SSL3 alert (read|write):(fatal|warning):(.+)$")
_VERIFY: Final = re.compile(r"certificate verification failed for (\S+): (?:num=(\d+):)?(.*)$")
#: How Postfix words what OpenSSL's verifier objects to (src/tls/tls_verify.c), and the verifier's number.
_IN_OTHER_WORDS: Final = {"not designated for use as": 26, "certificate chain longer than": 22, "untrusted issuer": 20}
_DEPTH: Final = re.compile(r": depth=(\d+) verify=\d+ subject=(.*)$")
_ESTABLISHED: Final = re.compile(r"TLS connection established (from|to) (\S+): (\S+) with cipher (\S+)")
_ABORT: Final = re.compile(
    r"abort: TLS from \S+: (.*)$|(No client certificate presented|Client certificate not trusted)"
)
_NOT_VERIFIED: Final = re.compile(r"[Ss]erver certificate not (?:verified|trusted)")
_ENDS: Final = re.compile(r"(?:dis)?connect (?:from|to) |lost connection")

_DOVECOT: Final = re.compile(r"(?:dovecot|(?:imap|pop3|submission|managesieve|sieve|lmtp)(?:-login)?)$")
_LOGIN: Final = re.compile(
    r"(?:Info: |Warning: )?(?:Disconnected|Aborted login|Login|Connection closed)\b.*?(?:: user=|, rip=)"
)
_RIP: Final = re.compile(r"rip=([0-9A-Fa-f.:]+)(?:, rport=(\d+))?")
_LIP: Final = re.compile(r"lip=([0-9A-Fa-f.:]+)(?:, lport=(\d+))?")
_DOVECOT_STEP: Final = re.compile(r"SSL: where=0x([0-9a-f]+), ret=-?\d+: (.*)$")
_DOVECOT_ALERT: Final = re.compile(r"SSL alert: (?:where=0x([0-9a-f]+), ret=(\d+): (\w+) )?(.*?)(?: \[.*\])?$")
_INVALID: Final = re.compile(r"(?:Received i|I)nvalid SSL certificate: ([^:]*): (.*)$")
_VALID: Final = re.compile(r"Received valid SSL certificate: (.*)$|Valid certificate: (.*)$")


class PostfixLog:
    """Takes the lines of Postfix's processes that speak TLS."""

    name = "Postfix"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks

    def takes(self, entry: Entry) -> bool:
        """Whether a line is one of theirs."""
        return _POSTFIX.match(entry.program) is not None

    def line(self, entry: Entry, number: int) -> None:
        """Take a line."""
        program, said = entry.program, entry.text
        side: Side = "client" if program.endswith(("/smtp", "/lmtp", "/posttls-finger")) else "server"
        key = f"postfix {entry.host} {program} {entry.process}"
        if _ENDS.match(said) is not None:
            self._talks.end(key)
            return
        if not self._tells(said):
            return
        talk = self._talks.get(key)
        if talk is not None and (
            said.startswith("setting up TLS") or (talk.over and "TLS library problem" not in said)
        ):
            self._talks.end(key)
        talk = self._talks.reach(key, "Postfix", number, entry.time, side)
        talk.protocol = "smtp"
        talk.spoke = True
        if "TLS library problem" not in said and (found := _PEER.search(said)) is not None:
            self._peer(talk, side, found)
        self._say(talk, said)

    def _tells(self, said: str) -> bool:
        told = (_CONNECT, _ERROR, _STEP, _ALERT, _VERIFY, _ESTABLISHED, _ABORT, _NOT_VERIFIED, _DEPTH)
        if said.startswith("connect from"):
            return False
        return "TLS library problem" in said or any(pattern.search(said) is not None for pattern in told)

    def _peer(self, talk: Teller, side: Side, found: re.Match[str]) -> None:
        if found[3] is not None:
            talk.peer("client" if side == "server" else "server", found[2], int(found[3][:5]) & 0xFFFF)
        elif not talk.notes:
            talk.notes.append(f"the other side is {found[1]} [{found[2]}]; its port is not in the log")

    def _say(self, talk: Teller, said: str) -> None:
        if (found := _ALERT.search(said)) is not None:
            description = alert_named(found[3])
            if description is not None:
                talk.alert(found[1] == "write", description, found[2] == "fatal")
        elif (found := _ERROR.search(said)) is not None:
            talk.over = True
            if "lost connection" in found[3] or "reset by peer" in found[3]:
                talk.gone("rst" if "reset" in found[3] else "fin")
            elif "timed out" in found[3]:
                talk.notes.append("the other side did not answer in time, says the log")
            else:
                talk.failed()
        elif "TLS library problem" in said:
            talk.errors(said)
        elif (found := _VERIFY.search(said)) is not None:
            known = by_code(int(found[2][:4])) if found[2] else None
            for words, code in _IN_OTHER_WORDS.items():
                if words in found[3]:
                    known = by_code(code)
            talk.verify_error(known, found[3].strip(), soft=True)
        elif (found := _DEPTH.search(said)) is not None:
            talk.certificate(int(found[1][:3]), Certificate(b"", "", name_from_words(found[2])))
        elif (found := _ESTABLISHED.search(said)) is not None:
            talk.version, talk.suite = told_version(found[3]), told_suite(found[4])
            talk.done()
            if said.startswith("Anonymous") and found[1] == "from":
                talk.notes.append("the client showed no certificate (Postfix calls that anonymous)")
        elif (found := _ABORT.search(said)) is not None:
            words = found[1] or found[2]
            if "No client certificate" in words:
                talk.none_sent()
                talk.object(Objection(words, talk.here, "no_client_certificate", inside=True))
            else:
                talk.object(Objection(words, talk.here, None, True, inside=True))
        elif (found := _NOT_VERIFIED.search(said)) is not None:
            talk.object(Objection(found[0], talk.here, None, True, inside=True))
        elif (found := _STEP.search(said)) is not None:
            talk.step(found[2])


class DovecotLog:
    """Takes Dovecot's lines: the one at the end of each connection, and before it what verbose_ssl says."""

    name = "Dovecot"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks

    def takes(self, entry: Entry) -> bool:
        """Whether a line is one of Dovecot's."""
        return _DOVECOT.match(entry.program) is not None

    def line(self, entry: Entry, number: int) -> None:
        """Take a line."""
        said, program = entry.text, entry.program
        if program == "dovecot":
            inner = re.match(r"(\w+(?:-login)?)(?:\(.*?\))?(?:<.*?>)*: ", said)
            if inner is not None:
                program, said = inner[1], said[inner.end() :]
        key = f"dovecot {entry.host} {program} {entry.process}"
        if (found := _DOVECOT_STEP.search(said)) is not None:
            if found[1] == "10":
                self._talks.end(key)
            talk = self._reach(key, program, entry, number)
            if found[1] == "2001":
                talk.step(found[2])
            elif found[1] == "20":
                talk.done()
        elif (found := _INVALID.search(said)) is not None:
            talk = self._reach(key, program, entry, number)
            talk.verify_error(by_words(found[1]), found[1], inside=True)
            subject = re.sub(r" \(check .*$", "", found[2])
            talk.certificate(0, Certificate(b"", "", name_from_words(subject)))
        elif (found := _VALID.search(said)) is not None:
            talk = self._reach(key, program, entry, number)
            talk.certificate(0, Certificate(b"", "", name_from_words(found[1] or found[2])))
        elif (found := _DOVECOT_ALERT.search(said)) is not None:
            if (open_one := self._talks.get(key)) is not None:
                open_one.at(number, entry.time)
                self._alert(open_one, found)
        elif _LOGIN.search(said) is not None and ("TLS" in said or "SSL" in said):
            talk = self._reach(key, program, entry, number)
            self._ended(talk, said)
            self._talks.end(key)

    def _reach(self, key: str, program: str, entry: Entry, number: int) -> Teller:
        talk = self._talks.reach(key, "Dovecot", number, entry.time, "server")
        talk.protocol = {"imap": "imap", "pop3": "pop3"}.get(program.split("-")[0])
        talk.spoke = True
        return talk

    def _alert(self, talk: Teller, found: re.Match[str]) -> None:
        description = alert_named(found[4])
        if description is not None:  # SSL_CB_READ is 0x4, SSL_CB_WRITE 0x8
            sent = found[1] is not None and bool(int(found[1], 16) & 8)
            talk.alert(sent, description, found[3] == "fatal")

    def _ended(self, talk: Teller, said: str) -> None:
        """Take the line at a connection's end: where from, and why."""
        if (own := _LIP.search(said)) is not None and own[2] is not None:
            talk.peer("server", own[1], int(own[2][:5]) & 0xFFFF)
        if (peer := _RIP.search(said)) is not None:
            if peer[2] is not None:
                talk.peer("client", peer[1], int(peer[2][:5]) & 0xFFFF)
            else:
                talk.notes.append(f"the client is {peer[1]}; its port is not in the log")
        if talk.errors(said):
            return
        if "TLS handshaking" in said:
            talk.gone("fin")
            return
        talk.done()
        if "client sent an invalid cert" in said:
            if not talk.refused:
                talk.object(Objection("client sent an invalid cert", talk.here, None, True, inside=True))
                talk.notes.append("Dovecot says what is wrong with the certificate with verbose_ssl = yes")
        elif "client didn't send a cert" in said:
            talk.none_sent()
            talk.object(Objection("client didn't send a cert", talk.here, "no_client_certificate", inside=True))
