"""Makes tlsalert/diagnosis/alert_habits.py: which answer each TLS stack gives to which fault, counted.

    python tools/make_knowledge.py ATLAS.json CAUSES.json ALERT_CAUSES.json

ATLAS.json holds one record per server, set-up, version and defect, each run on loopback and read off the
wire; CAUSES.json names the causes that a defect may be told as, the best first; ALERT_CAUSES.json holds
facts read in the sources of TLS libraries. What was measured counts; a fact that was only read fills a gap,
and tells how a client answers a server's certificate, which was not measured.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "tlsalert" / "diagnosis" / "alert_habits.py"

Record = dict[str, Any]
Table = defaultdict[tuple[str, str, str], Counter[int | str]]  # (stack, version class, cause) -> answers

STACK_OF_SERVER = {
    "openssl-0.9.8zh": "openssl<=1.0.2",
    "openssl-1.0.1e": "openssl<=1.0.2",
    "openssl-1.0.2u": "openssl<=1.0.2",
    "s_server-1.0.2u": "openssl<=1.0.2",
    "openssl-1.1.1w": "openssl>=1.1.1",
    "openssl-3.0": "openssl>=1.1.1",
    "openssl-4.0": "openssl>=1.1.1",
    "s_server-1.1.1w": "openssl>=1.1.1",
    "s_server-3.0": "openssl>=1.1.1",
    "haproxy": "openssl>=1.1.1",
    "apache": "openssl>=1.1.1",
    "stunnel-verify2": "openssl>=1.1.1",
    "stunnel-verifyChain": "openssl>=1.1.1",
    "stunnel-verify3": "stunnel-pinned",
    "stunnel-verify4": "stunnel-pinned",
    "stunnel-verifyPeer": "stunnel-pinned",
    "nginx": "nginx",
    "gnutls": "gnutls",
    "gnutls-noalert": "gnutls",
    "gnutls-serv": "gnutls-serv",
    "nss": "nss",
    "mbedtls-2.28": "mbedtls",
    "mbedtls-3.5": "mbedtls",
    "wolfssl": "wolfssl",
    "botan": "botan",
    "go-1.19": "go<=1.19",
    "go-1.27": "go",
    "java-17": "java",
    "node-20": "node",
    "grpcio": "grpc",
    "boringssl": "boringssl",
    "granian": "rustls",
    "workerd": "rustls",
    "erlang": "erlang",
}
STACKS_OF_IMPLEMENTATION = {
    ("OpenSSL", "0.9.8-1.0.1"): ("openssl<=1.0.2",),
    ("OpenSSL", "1.0.2"): ("openssl<=1.0.2",),
    ("OpenSSL", "0.9.8-1.0.2"): ("openssl<=1.0.2",),
    ("OpenSSL", "1.1.1-3.1"): ("openssl>=1.1.1", "stunnel-pinned", "node"),
    ("OpenSSL", "1.1.1-3.1 (3.0 measured)"): ("openssl>=1.1.1", "stunnel-pinned", "node"),
    ("OpenSSL", "0.9.8-3.1"): ("openssl<=1.0.2", "openssl>=1.1.1", "stunnel-pinned", "node"),
    ("Go crypto/tls", "1.19"): ("go<=1.19",),
    ("Go crypto/tls", "1.19 (and older)"): ("go<=1.19",),
    ("BoringSSL", ""): ("boringssl",),
    ("GnuTLS", ""): ("gnutls",),
    ("Go crypto/tls", ""): ("go",),
    ("Java JSSE", ""): ("java",),
    ("NSS", ""): ("nss",),
    ("mbedTLS", ""): ("mbedtls",),
    ("rustls", ""): ("rustls",),
    ("stunnel (on OpenSSL)", ""): ("stunnel-pinned",),
    ("wolfSSL", ""): ("wolfssl",),
}
BEFORE_TLS13 = {"0.9.8-1.0.1", "1.0.2", "0.9.8-1.0.2"}  # of OpenSSL
# Facts about a client of any Go version, and of JSSE where the sentence speaks of several faults at once.
ANY_FAULT = (
    "certificate_not_yet_valid", "certificate_expired", "unknown_ca", "bad_certificate_signature",
    "wrong_certificate_usage", "name_mismatch", "chain_incomplete", "chain_invalid", "weak_certificate",
    "unsupported_certificate",
)  # fmt: skip
# What a sentence of ALERT_CAUSES.json says, as causes; the first pattern that matches counts. No cause: it
# is no fault of the other side's certificate, or too vague.
CAUSES_OF_CONDITION: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"alert RECEIVED|rewritten|renegotiation|default configuration|out of memory|unspecified|callback", ()),
    (r"for any reason|for ANY reason|verifies server chain or name", ANY_FAULT),
    (
        r"everything else: unknown CA",
        ("unknown_ca", "name_mismatch", "wrong_certificate_usage", "chain_incomplete"),
    ),
    (
        r"every other certificate error: bad signature",
        ("bad_certificate_signature", "wrong_certificate_usage", "name_mismatch"),
    ),
    (
        r"not yet valid; signature hash",
        ("certificate_not_yet_valid", "weak_certificate", "revocation_status_unavailable"),
    ),
    (r"expired or not yet valid", ("certificate_expired", "certificate_not_yet_valid")),
    (r"revoked", ("certificate_revoked",)),
    (r"CRL|status (cannot|unknown)|OCSP", ("revocation_status_unavailable",)),
    (r"earlier than notBefore", ("certificate_not_yet_valid",)),
    (r"later than notAfter|expired", ("certificate_expired",)),
    (r"CertificateVerify|\(or ServerKeyExchange\)", ("key_mismatch",)),
    (r"certificate signature (value|does not)", ("bad_certificate_signature",)),
    (r"SubjectPublicKeyInfo|parsed|decoded|lengths disagree|ASN\.1", ("malformed_certificate",)),
    (r"issuer|no path to a trust|self-signed", ("unknown_ca", "chain_incomplete")),
    (r"longer than the configured depth|chain too long", ("chain_too_long",)),
    (r"path ?[Ll]en|not a CA|name constraint", ("chain_invalid",)),
    (r"does not match the configured|name does not match", ("name_mismatch",)),
    (r"[Kk]ey ?[Uu]sage|lacks the role|does not allow the role", ("wrong_certificate_usage",)),
    (r"security level|disabled by policy|not allowed by the profile", ("weak_certificate",)),
    (r"critical extension|key type|type not supported|explicit curve", ("unsupported_certificate",)),
    (r"required but|sent no certificate|empty", ("no_client_certificate",)),
    (r"verifyPeer", ("certificate_not_pinned",)),
)
# Two faults in one certificate: each counts for less, because it may be the other that was answered.
TWO_FAULTS = {"expired_unknown_issuer", "inverted_validity"}
ORDINARY = {"base", "crl", "fresh"}  # set-ups with the CA in the trust store and a right clock
# Set-ups that trust single certificates: whatever the CA issued has an unknown issuer besides its fault.
PINNED_SETUPS = {"pinned", "pinned_leaf", "partial"}
# Ran at OpenSSL's security level 0: by default they refuse what is weak.
LEVEL_0 = {"openssl>=1.1.1", "stunnel-pinned", "nginx", "node"}
WEAK = {"rsa512", "rsa1024", "md5_signed", "sha1_signed", "sha1_intermediate"}
# What hardly any client does; an empty Certificate message is the ordinary way to have none.
ODD = {"certificate_msg_omitted", "certificate_msg_malformed", "cv_omitted", "zero_length_entry"}
NOT_TRUSTED = ("certificate_not_pinned", "unknown_ca")
UNKNOWN_CA = 48  # RFC 8446 §6.2
LESS, LEAST = 0.25, 0.1  # the weights of two faults, and of what is odd
SECOND_CAUSE = 0.25  # a cause that is right as well, but not the best name for the defect
SCALE = 4  # counts are kept as whole numbers of quarters


HEAD = '''"""How TLS stacks answer the faults of a peer: stack, version class, cause, answer and its weight.

Generated by tools/make_knowledge.py from {made}.
An answer is an alert's number, "fin" or "rst" (closed without an alert), "accepted", or "http400" (accepted,
and an HTTP 400 inside). A weight of 4 is one defect that was answered so. Where tls1.3 lacks a cause it is as
in tls1.2.
"""

from __future__ import annotations

Habits = dict[str, dict[str, dict[str, dict[int | str, int]]]]

'''


def main() -> None:
    """Read the three files and writes the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("atlas", "causes", "alert_causes"):
        parser.add_argument(name, type=Path)
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    arguments = parser.parse_args()
    records = json.loads(arguments.atlas.read_text())["records"]
    facts = json.loads(arguments.alert_causes.read_text())
    servers = measured(records, json.loads(arguments.causes.read_text()))
    fill_gaps(servers, facts)
    clients = read_in_sources(facts, "client")
    made = f"{len(records)} measured handshakes and {len(facts)} facts read in sources"
    arguments.output.write_text(module(f"{made}, {datetime.date.today()}", servers, clients))


def measured(records: list[Record], causes: Record) -> Table:
    """Count how each stack answered the defects of each cause."""
    harmless = harmless_defects(records)
    pinless = {record["server"] for record in records if refuses_pins(record)}
    table: Table = defaultdict(Counter)
    for record in records:
        stack = STACK_OF_SERVER[record["server"]]
        answer = answer_of(record)
        if answer is None or (answer == "accepted" and record["defect"] in harmless):
            continue
        if answer == "accepted" and stack in LEVEL_0 and record["defect"] in WEAK:
            continue
        if answer == "accepted" and record["config"] not in ORDINARY:
            continue  # valid at that clock, trusted there, or a control: not a fault that was let pass
        named = causes_of(record, causes, stack)
        if record["config"] in PINNED_SETUPS and named[0][0] not in NOT_TRUSTED and untrusted(record, pinless):
            continue  # two faults, and that it is not trusted is the one that was answered
        for cause, weight in named:
            table[stack, version_class(record["tls_version"]), cause][answer] += weight  # type: ignore[assignment]
    return table


def harmless_defects(records: list[Record]) -> set[str]:
    """Defects that fewer than a third of the servers refuse: to accept them says nothing."""
    seen: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for record in (record for record in records if record["config"] in ORDINARY):
        seen[record["defect"]] += 1
        refused[record["defect"]] += not record["outcome"].startswith("accepted")
    return {defect for defect, count in seen.items() if 3 * refused[defect] < count}


def refuses_pins(record: Record) -> bool:
    """Return whether a server refused the very self-signed certificate that it was given to trust."""
    accepted = record["outcome"].startswith("accepted")
    return record["config"] == "pinned" and record["defect"] == "pinned_exact" and not accepted


def untrusted(record: Record, pinless: set[str]) -> bool:
    """Return whether the certificate is not one that this set-up trusts, whatever else is wrong with it."""
    if record["config"] == "pinned":
        return not record["defect"].startswith("pinned") or record["server"] in pinless
    return not record["defect"].startswith("pinned_ca_issued")


def answer_of(record: Record) -> int | str | None:
    """Return the alert's number, "fin", "rst", "accepted" or "http400"; None where the client gave up."""
    names = {"accepted": "accepted", "accepted_http_400": "http400"}
    closings = {"tcp_fin_no_alert": "fin", "tcp_rst_no_alert": "rst"}
    if record["outcome"] == "alert":
        return int(record["alert_number"])
    return (names | closings).get(record["outcome"])


def causes_of(record: Record, causes: Record, stack: str) -> list[tuple[str, float]]:
    """Return the causes of the record's defect, the best first, each with its weight."""
    special = causes["by_config"].get(record["config"])
    names = causes["causes"][record["defect"]]
    if special is not None:  # a clock that is off: only what the clock explains
        names = special.get(record["defect"], [])
    elif "certificate_not_pinned" in names:  # nothing is wrong with it but that it is not trusted
        names = sorted(NOT_TRUSTED, reverse=stack != "stunnel-pinned")
    elif "unknown_ca" in names and record.get("alert_number") == UNKNOWN_CA:
        names = sorted(names, key="unknown_ca".__ne__)  # a CA of the same name, told apart by its key identifier
    weight = LESS if record["defect"] in TWO_FAULTS else LEAST if record["defect"] in ODD else 1.0
    return [(name, weight if i == 0 else weight * SECOND_CAUSE) for i, name in enumerate(names)]


def version_class(version: str) -> str:
    """Return "ssl3", "tls1.2" (TLS 1.0 to 1.2) or "tls1.3"."""
    return {"SSLv3": "ssl3", "TLSv1.3": "tls1.3"}.get(version, "tls1.2")


def fill_gaps(table: Table, facts: list[Record]) -> None:
    """Add what was read in sources where nothing was measured."""
    for key, answers in read_in_sources(facts, "server").items():
        if key not in table:
            table[key].update(answers)


def read_in_sources(facts: list[Record], side: str) -> Table:
    """Return the facts that hold for ``side`` as a sender of alerts."""
    table: Table = defaultdict(Counter)
    for fact in facts:
        role = fact.get("role") or "either"
        if fact["alert_number"] is None or not (role.startswith(("either", side))):
            continue
        for stack in stacks_of(fact):
            for version in versions_of(fact):
                for cause in conditions(fact["condition"]):
                    table[stack, version, cause][fact["alert_number"]] += 1
    return table


def stacks_of(fact: Record) -> tuple[str, ...]:
    """Return the families that a fact speaks of; none for an implementation that has no family."""
    name = fact["implementation"]
    known = STACKS_OF_IMPLEMENTATION.get((name, fact["versions"]))
    return known or STACKS_OF_IMPLEMENTATION.get((name, ""), ())


def versions_of(fact: Record) -> tuple[str, ...]:
    """Return the version classes that a fact holds for: all but SSLv3 where it names none."""
    text = fact["versions"] + " " + fact["condition"]
    if "SSLv3 session" in text or "on SSLv3" in text:
        return ("ssl3",)
    if "TLS 1.3" in text and "TLS 1.2" not in text:
        return ("tls1.3",)
    if "TLS 1.2" in text and "TLS 1.3" not in text:
        return ("tls1.2",)
    return ("tls1.2",) if fact["versions"] in BEFORE_TLS13 else ("tls1.2", "tls1.3")


def conditions(condition: str) -> tuple[str, ...]:
    """Return the causes that a fact's sentence names."""
    return next((causes for pattern, causes in CAUSES_OF_CONDITION if re.search(pattern, condition)), ())


def module(made: str, servers: Table, clients: Table) -> str:
    """Return the text of the module."""
    lines = HEAD.format(made=made).splitlines()
    return "\n".join([*lines, "", *dictionary("SERVERS", servers), "", *dictionary("CLIENTS", clients), ""])


def dictionary(name: str, table: Table) -> list[str]:
    """Return the lines of one of the two tables; TLS 1.3 is left out where it is as TLS 1.2."""
    lines = [f"{name}: Habits = {{"]
    for stack in sorted({key[0] for key in table}):
        lines.append(f'    "{stack}": {{')
        for version in sorted({key[1] for key in table if key[0] == stack}):
            rows = [
                f'            "{cause}": {{{row(answers)}}},'
                for (_, _, cause), answers in sorted((key, table[key]) for key in table if key[:2] == (stack, version))
                if version != "tls1.3" or row(answers) != row(table.get((stack, "tls1.2", cause), Counter()))
            ]
            if rows:
                lines += [f'        "{version}": {{', *rows, "        },"]
        lines.append("    },")
    return [*lines, "}"]


def row(answers: Counter[int | str]) -> str:
    """Return one cause's answers, the heaviest first: at most seven, none under a fiftieth of all."""
    least = sum(answers.values()) / 50
    pairs = sorted(answers.items(), key=lambda pair: (-pair[1], str(pair[0])))
    pairs = [pair for pair in pairs if pair[1] >= least][:7]
    quoted = ((f'"{answer}"' if isinstance(answer, str) else str(answer), weight) for answer, weight in pairs)
    return ", ".join(f"{answer}: {round(weight * SCALE)}" for answer, weight in quoted if weight * SCALE >= 0.5)


if __name__ == "__main__":
    main()
