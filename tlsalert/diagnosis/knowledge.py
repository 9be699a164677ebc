"""What TLS stacks answer to what is wrong: how likely an alert, or a close without one, is for a cause.

The numbers come from :mod:`tlsalert.diagnosis.alert_habits`: real servers on loopback, their answers read
off the wire. One defect has many answers: a certificate that is not yet valid gets 42 from OpenSSL, 45 from
NSS, Go, rustls and BoringSSL, 46 from Java and Mbed TLS, and nothing but a FIN from Node. So an alert is
weighed by the stack that sent it, which :mod:`tlsalert.diagnosis.stacks` tells from the handshake.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal

from tlsalert.diagnosis.alert_habits import CLIENTS, SERVERS

# The model's own Side would bring msgspec with it, and to explain a bare number must not wait for that.
Side = Literal["client", "server"]
#: The versions in which a stack answers alike; "tls1.2" is TLS 1.0 to 1.2.
Era = Literal["ssl3", "tls1.2", "tls1.3"]
Answer = int | str  # an alert's number, "fin", "rst", "none", "accepted" or "http400"

#: The families of stacks that answer alike. "schannel" is known by its hellos but not by its answers;
#: "other" is whatever is none of these. Both are taken to answer as stacks do on average.
STACKS: Final[tuple[str, ...]] = (
    "openssl<=1.0.2",
    "openssl>=1.1.1",
    "stunnel-pinned",
    "nginx",
    "gnutls",
    "gnutls-serv",
    "nss",
    "mbedtls",
    "wolfssl",
    "botan",
    "go<=1.19",
    "go",
    "java",
    "node",
    "grpc",
    "boringssl",
    "rustls",
    "erlang",
    "schannel",
    "other",
)

#: Stacks that give one answer to nearly all that can be wrong with a certificate.
SILENT_ON_CAUSE: Final = frozenset({"gnutls", "gnutls-serv", "java", "go<=1.19", "node", "grpc", "botan"})

#: What the RFCs foresee where no stack was measured, the likeliest first.
FORESEEN: Final[dict[str, tuple[Answer, ...]]] = {
    "name_mismatch": (42, 46),  # RFC 8446 §6.2 has no code for it
    "certificate_not_pinned": (42, 46, 48),
    "no_shared_version": (70, 40),  # RFC 8446 §4.1.2; 40 is RFC 6101 §5.4.2's
    "no_shared_cipher_suite": (40, 71, 47),  # RFC 8446 §4.1.1
    "no_shared_group": (40, 47),  # RFC 8446 §4.1.1, §4.2.8
    "no_shared_signature_scheme": (40, 47),  # RFC 8446 §4.4.2.2
    "unrecognized_name": (112,),  # RFC 6066 §3
    "no_application_protocol": (120,),  # RFC 7301 §3.2
    "inappropriate_fallback": (86,),  # RFC 7507 §3
    "decryption_failed": (20, 51, 21),  # RFC 8446 §5.2, RFC 5246 §7.2.2
    "protocol_violation": (10, 47, 50, 109, 110),  # RFC 8446 §6.2
    "resource_limit": (80, 22, 47),  # RFC 8446 §6.2
    "internal_error": (80,),  # RFC 8446 §6.2
    "user_canceled": (90,),  # RFC 8446 §6.1
    "normal_close": (0, "fin"),  # RFC 8446 §6.1
    "not_tls": ("fin", "rst", 70, 10),
    "closed_without_alert": ("fin",),
    "reset_without_alert": ("rst",),
    "timed_out": ("none", "fin"),
}

FLOOR: Final = 0.003  # no answer is impossible: applications may send any alert
_PRIOR_WEIGHT: Final = 2.0  # how much the average of all stacks counts: half a defect
_USUAL: Final = 0.15  # an answer with a smaller share is no habit
_NO_TLS13: Final = frozenset({"openssl<=1.0.2", "botan"})  # OpenSSL before 1.1.1, Botan 2
_NO_ALERT: Final = ("fin", "rst")


@cache
def likelihood(stack: str, era: Era, cause: str, answer: Answer, sender: Side = "server") -> float:
    """Return how likely ``stack`` answers ``cause`` with ``answer``: never 0, at most 1.

    ``answer`` is an alert's number, "fin" or "rst" (closed without an alert), or "none" (no alert, and how
    it closed is not known). ``sender`` is the side that refused: clients differ where their sources show it.
    """
    row = _row(stack, era, cause, sender)
    share = sum([row.get(closing, 0.0) for closing in _NO_ALERT]) if answer == "none" else 0.0
    return min(1.0, FLOOR + (1 - FLOOR) * (share + row.get(answer, 0.0)))


def habit(stack: str, era: Era, cause: str, sender: Side = "server") -> tuple[Answer, ...]:
    """Return the usual answers of ``stack`` to ``cause``, most frequent first; none where it is not known.

    Two answers mean that it depends on the defect. "accepted" and "http400" are answers, too.
    """
    counts = _counts(stack, era, cause, sender)
    least = _USUAL * sum(counts.values())
    usual = [(weight, answer) for answer, weight in counts.items() if weight >= least]
    return tuple(answer for _, answer in sorted(usual, key=lambda pair: -pair[0]))


def informative(stack: str) -> bool:
    """Return whether the stack's alert tells one fault of a certificate from another."""
    return stack not in SILENT_ON_CAUSE


def senders(code: int) -> list[tuple[str, str, tuple[bool, ...]]]:
    """Return who sends alert ``code`` for what: (stack, cause, where: False up to TLS 1.2, True in TLS 1.3).

    Only usual answers count; the stacks stand in the order of :data:`STACKS`, their causes by how often the
    code was seen for them.
    """
    found = []
    for stack, versions in SERVERS.items():
        for cause in {cause: None for rows in versions.values() for cause in rows}:
            spoken = (False,) if stack in _NO_TLS13 else (False, True)
            eras: dict[bool, Era] = {False: "tls1.2", True: "tls1.3"}
            where = tuple(tls13 for tls13 in spoken if code in habit(stack, eras[tls13], cause))
            seen = sum(rows.get(cause, {}).get(code, 0) for rows in versions.values())
            if where:
                found.append((STACKS.index(stack), -seen, cause, where))
    return [(STACKS[place], cause, where) for place, _, cause, where in sorted(found)]


@cache
def _counts(stack: str, version: str, cause: str, sender: Side) -> Mapping[Answer, int]:
    """Return the answers of one stack to one cause, with their weights; empty where nothing is known."""
    tables = (CLIENTS, SERVERS) if sender == "client" else (SERVERS,)
    for table in tables:
        versions = table.get(stack, {})
        counts = versions.get(version, {}).get(cause) or versions.get("tls1.2", {}).get(cause)
        if counts:
            return counts
    return {}


@cache
def _row(stack: str, version: str, cause: str, sender: Side) -> Mapping[Answer, float]:
    """Return the shares of the answers: what was measured, drawn towards the average where that is little."""
    counts = _counts(stack, version, cause, sender)
    average = _average(version, cause, sender)
    total = sum(counts.values()) + _PRIOR_WEIGHT
    answers = [*counts, *(answer for answer in average if answer not in counts)]
    weights = {answer: counts.get(answer, 0) + _PRIOR_WEIGHT * average.get(answer, 0.0) for answer in answers}
    return {answer: weight / total for answer, weight in weights.items()}


@cache
def _average(version: str, cause: str, sender: Side) -> Mapping[Answer, float]:
    """Return how all stacks answer a cause, each counting alike, and what the RFCs foresee as one of them."""
    known = [counts for stack in STACKS if (counts := _counts(stack, version, cause, sender))]
    foreseen = FORESEEN.get(cause, ())
    voices: list[Mapping[Answer, float]] = [*known]
    if foreseen:
        voices.append({answer: 1 / (i + 1) for i, answer in enumerate(foreseen)})
    shares: dict[Answer, float] = {}
    for voice in voices:
        total = sum(voice.values()) * len(voices)
        for answer, weight in voice.items():
            shares[answer] = shares.get(answer, 0.0) + weight / total
    return shares
