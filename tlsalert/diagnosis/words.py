"""The sentences of a verdict: what happened, and what to do about each cause."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Final

from tlsalert.model import Certificate, Clock, Side, when

#: The source of a clock that a user gives.
GIVEN: Final = "given"
#: The common name in RFC 4514 text, up to a comma or plus sign that is not escaped.
COMMON_NAME: Final = re.compile(r"(?:^|[,+])(CN=(?:\\.|[^,+\\])*)")

#: Why a certificate was refused, said after "… refused the …'s certificate: ". {refuser} and {owner} are sides.
WHY: Final = {
    "certificate_not_yet_valid": "it is not valid yet by the {refuser}'s clock",
    "certificate_expired": "it has expired by the {refuser}'s clock",
    "unknown_ca": "the {refuser} does not trust who issued it",
    "no_client_certificate": "the client sent none",
    "bad_certificate_signature": "a signature in its chain does not verify",
    "key_mismatch": "the {owner} signed with another key than the certificate's",
    "wrong_certificate_usage": "its key usage does not allow what it is used for",
    "certificate_revoked": "it is revoked",
    "unsupported_certificate": "the {refuser} cannot use a certificate of this kind",
    "malformed_certificate": "the {refuser} could not decode it",
    "weak_certificate": "its key or signature is too weak for the {refuser}",
    "chain_incomplete": "an intermediate certificate is missing from the chain that the {owner} sent",
    "chain_out_of_order": "the {owner} sent its chain in the wrong order",
    "chain_invalid": "an issuer in its chain may not issue it",
    "chain_too_long": "its chain is longer than the {refuser} accepts",
    "revocation_status_unavailable": "the {refuser} could not find out whether it is revoked",
    "certificate_not_pinned": "it is not the one that the {refuser} pins",
    "name_mismatch": "it is for another name than the {refuser} asked for",
    "internal_error": "the {refuser} failed while it looked at it",
    "protocol_violation": "the {refuser} found the message to break the protocol",
    "access_denied": "the {refuser} does not let its holder in",
    "decryption_failed": "a record or a Finished after it did not verify",
    "resource_limit": "it is larger than the {refuser} accepts",
    "no_shared_signature_scheme": "its key is of a kind that the {refuser} did not offer to verify",
}

#: What to do, by cause, when a certificate was refused.
DO: Final = {
    "certificate_not_yet_valid": "compare the {refuser}'s clock with the certificate's notBefore",
    "certificate_expired": "renew the certificate, if the {refuser}'s clock is right",
    "unknown_ca": "give the {refuser} the CA that issued the {owner}'s certificate, "
    "or present a certificate of a CA that it trusts",
    "no_client_certificate": "give the client a certificate and key that the server trusts; "
    "where it has one, look whether its issuer is among the authorities that the server names",
    "bad_certificate_signature": "check the {owner}'s chain: a CA of the same name with another key, or a damaged file",
    "key_mismatch": "check that the {owner}'s private key belongs to its certificate (compare the public keys of both)",
    "wrong_certificate_usage": "issue the {owner}'s certificate with the extended key usage for its role",
    "access_denied": "look which account the {refuser} takes the certificate for: by its CN, or by its UPN",
    "certificate_revoked": "present a certificate that is not revoked; look at the CRL that the {refuser} uses",
    "unsupported_certificate": "use a key and a signature algorithm that the {refuser} supports",
    "malformed_certificate": "look at the certificate's encoding; issue it again",
    "weak_certificate": "issue the certificate with RSA of at least 2048 bits or P-256, signed with SHA-256",
    "chain_incomplete": "let the {owner} send its intermediate certificates, too",
    "chain_out_of_order": "put the leaf first in the {owner}'s chain file, then each issuer in turn",
    "chain_invalid": "look at the issuers' basic constraints, key usage, path length and name constraints",
    "chain_too_long": "raise the {refuser}'s verify depth, or use a shorter chain",
    "revocation_status_unavailable": "give the {refuser} a current CRL of the issuer",
    "certificate_not_pinned": "put exactly this certificate into the {refuser}'s store",
    "name_mismatch": "ask for a name that the certificate has, or issue it for this name",
    "decryption_failed": "look for something that changes bytes on the way, or for keys that differ",
    "resource_limit": "send fewer or smaller certificates, or raise the {refuser}'s limit",
    "no_shared_signature_scheme": "use a key of a kind that the {refuser} offers to verify, or let it offer more",
}

#: What a refusal that is not about a certificate is about, and what to do.
OTHER: Final = {
    "no_shared_version": ("the two sides have no protocol version in common", "enable a version that both sides speak"),
    "no_shared_cipher_suite": (
        "the two sides have no cipher suite in common",
        "enable a cipher suite that both sides have",
    ),
    "no_shared_group": ("the two sides have no key exchange group in common", "enable a group that both sides have"),
    "no_shared_signature_scheme": (
        "no signature scheme suits both sides and the server's key",
        "enable a signature scheme that both sides have, or give the server another kind of key",
    ),
    "unrecognized_name": (
        "the server does not know the name that was asked for",
        "check the name (SNI) that the client sends",
    ),
    "no_application_protocol": ("the two sides have no application protocol (ALPN) in common", "align the ALPN lists"),
    "inappropriate_fallback": (
        "the client fell back to an older version than both sides speak",
        "find out why its first try failed: that is the real fault",
    ),
    "decryption_failed": (
        "a record or a Finished did not verify",
        "look for something that changes bytes on the way, or for keys that differ",
    ),
    "protocol_violation": (
        "it found the other side to break the protocol",
        "look at the last message before the alert",
    ),
    "internal_error": ("it failed for reasons of its own", "look at its own log"),
    "user_canceled": ("somebody canceled it", "try again"),
    "unknown_psk_identity": (
        "the server does not know the client's PSK identity",
        "check the PSK identity on both sides",
    ),
    "ech_required": (
        "the server wants Encrypted Client Hello with its own keys",
        "let the client fetch the server's ECH keys again",
    ),
    "certificate_unobtainable": ("the certificate URL could not be fetched", "send the certificate itself"),
    "access_denied": ("access control refused the peer", "look at the access rules of the side that refused"),
    "no_client_certificate": ("the client sent no certificate", DO["no_client_certificate"]),
    "normal_close": ("it took leave (close_notify) before the handshake was done", "look at its own log"),
    "closed_without_alert": ("it closed the connection without an alert", "look at the log of the side that closed"),
    "reset_without_alert": (
        "it reset the connection without an alert",
        "look at the log of the side that reset; it may be a firewall",
    ),
    "timed_out": ("the other side did not answer", "look whether it is reachable and what it waits for"),
    "not_tls": (
        "one side does not speak TLS on this port",
        "check the port, and whether TLS begins inside another protocol",
    ),
}


def other(side: Side) -> Side:
    """Return the peer."""
    return "server" if side == "client" else "client"


@lru_cache(maxsize=256)
def day(moment: datetime | None) -> str:
    """Return the day of a time, as in a sentence."""
    return moment.strftime("%Y-%m-%d") if moment is not None else "?"


def moment(time: int) -> str:
    """Return a time (nanoseconds since 1970, UTC) as in a sentence."""
    return when(time).strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """Return a span of time in the unit that suits it: "6 years", "3 days", "12 seconds"."""
    seconds = abs(seconds)
    for unit, size in (("year", 365.25 * 86400), ("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= size * (1 if unit == "year" else 2):
            many = round(seconds / size)
            return f"{many} {unit}{'s' if many != 1 else ''}"
    return f"{round(seconds)} second{'s' if round(seconds) != 1 else ''}"


def skew(clock: Clock) -> str:
    """Return how a clock stands against the capture's: "6 years behind the capture"."""
    seconds = clock.skew_seconds
    if abs(seconds) < 5:
        return "in step with the capture"
    return f"{span(seconds)} {'ahead of' if seconds > 0 else 'behind'} the capture"


def short_name(certificate: Certificate) -> str:
    """Return what a certificate is best called in a sentence: its CN, else its subject."""
    subject = certificate.subject or ""
    found = COMMON_NAME.search(subject)
    if found is not None:
        return found[1]
    return subject or (certificate.subject_alt_names[0] if certificate.subject_alt_names else "without a name")


def short_subject(name: str) -> str:
    """Return what a name (RFC 4514 text) is best called: its CN, else all of it."""
    found = COMMON_NAME.search(name)
    return found[1] if found is not None else name or "a name without parts"


def clock_said(side: Side, clock: Clock) -> str:
    """Say what a side's clock shows, and how sure it is that this is its clock."""
    if clock.source == GIVEN:
        return f"the {side}'s clock as it was given (--server-clock): {moment(clock.time)}, {skew(clock)}"
    said = f"{clock.source} says {moment(clock.time)}, {skew(clock)}"
    if clock.source == "HTTP Date":
        return f"{said}; it stands in an HTTP answer from the {side}'s address"
    if clock.agreeing > 1:
        said += f"; {clock.agreeing} readings agree" if "HTTP" in clock.source else ""
        return said if "HTTP" in clock.source else f"{said}; {clock.agreeing} handshakes of this {side} agree"
    if clock.confidence < 0.95:
        said += f"; one handshake alone does not prove that it is a clock ({clock.confidence:.0%})"
    return said


def validity(certificate: Certificate) -> str:
    """Return a certificate's validity as in a sentence."""
    return f"{short_name(certificate)} is valid from {day(certificate.not_before)} to {day(certificate.not_after)}"


def capital(sentence: str) -> str:
    """Return a sentence with its first letter in upper case."""
    return sentence[:1].upper() + sentence[1:]
