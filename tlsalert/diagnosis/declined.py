"""A server that was asked for TLS inside another protocol and said no, or a proxy that opened no way: what to do."""

from __future__ import annotations

from typing import Final

from tlsalert.model import Connection, Evidence, Fault, Verdict

#: Protocols in which a proxy is asked for a tunnel: not the server that the client wants to reach.
TUNNELS: Final = ("http-connect", "socks4", "socks5")
#: Protocols by the names that people use, where those are not just in capitals.
NAMES: Final = {
    "managesieve": "ManageSieve",
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "http-upgrade": "HTTP",
    "http-connect": "HTTP proxy",
    "socks4": "SOCKS proxy",
    "socks5": "SOCKS proxy",
    "tds": "SQL Server",
}
#: What lets a server accept it, by protocol.
_DO: Final = {
    "postgresql": "set ssl = on with a certificate and key in postgresql.conf, and reload the server; "
    "without TLS a client connects only with sslmode=disable, allow or prefer",
    "ldap": "give the LDAP server a certificate and key, or use ldaps (port 636) where it speaks that",
    "rdp": "look at the server's security layer and certificate, and at what the client allows (TLS, NLA)",
    "http-upgrade": "use https on its own port: hardly any server upgrades to TLS inside HTTP (RFC 2817)",
    "amqp": "use amqps (port 5671), or switch TLS on for this port",
}
_SWITCH_ON: Final = (
    "give the server a certificate and key and switch {command} on, or use the port with implicit TLS; "
    "check what the server offers: openssl s_client -starttls {name} -connect HOST:PORT"
)
_PASSING: Final = "the refusal is for the time being (a reply of 4yz): try again, and look into the server's log"
_CREDENTIALS: Final = "give the client the proxy's user name and password"
_RULES: Final = "look at the proxy's rules and its log: it does not let the client reach that host and port"
_BEYOND: Final = "the proxy does not reach the server: check the host, the port, and the way from the proxy to it"


def declined(connection: Connection) -> Verdict | None:
    """Return the verdict on a connection in which the server declined to begin TLS; None where it did not."""
    preamble, protocol = connection.preamble, connection.protocol
    if preamble is None or preamble.refusal is None or protocol is None:
        return None
    seen = Evidence(preamble.refused, f"the {_who(protocol)} answers {preamble.refusal!r}")
    if protocol in TUNNELS:
        fault, do = _of_proxy(protocol, preamble.refusal)
        asks = Evidence(preamble.asked, f"the client asks the {NAMES[protocol]} for a tunnel")
        summary = f"The proxy opened no tunnel, so TLS did not begin: {preamble.refusal}."
        cause, sure = "tunnel_refused", 0.95
    else:
        fault, do = "server", _advice(protocol, preamble.command, preamble.refusal)
        name = NAMES.get(protocol, protocol.upper())
        asks = Evidence(preamble.asked, f"the client asks for TLS inside {name}{_by(preamble.command)}")
        summary = f"The {name} server declined to begin TLS: {preamble.refusal}."
        cause, sure = "starttls_refused", 0.97
    advice = (do[0].upper() + do[1:] + ".",)
    return Verdict("failed", summary, "server", cause, sure, fault, evidence=(asks, seen), advice=advice)


def _who(protocol: str) -> str:
    return "proxy" if protocol in TUNNELS else "server"


def _by(command: str) -> str:
    return f" ({command})" if command else ""


def _advice(protocol: str, command: str, refusal: str) -> str:
    if protocol in ("smtp", "lmtp", "ftp") and refusal.startswith("4"):
        return f"{_PASSING}; {_SWITCH_ON.format(command=command, name=protocol)}"
    if protocol == "managesieve":
        return _SWITCH_ON.format(command=command, name="sieve")
    return _DO.get(protocol) or _SWITCH_ON.format(command=command, name=protocol)


def _of_proxy(protocol: str, refusal: str) -> tuple[Fault, str]:
    """Return where the mend belongs, by the proxy's words: RFC 9110 §15, RFC 1928 §6, RFC 1929 §2."""
    if protocol == "http-connect":
        status = refusal.split(" ")[1:2]
        if status == ["407"]:
            return "client", _CREDENTIALS
        return "network", _BEYOND if status and status[0] in ("502", "503", "504") else _RULES
    if "authentication" in refusal or "password" in refusal or refusal.endswith(("(92)", "(93)")):
        return "client", _CREDENTIALS
    return "network", _RULES if "ruleset" in refusal else _BEYOND
