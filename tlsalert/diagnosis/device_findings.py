"""What a device checks and what it lets pass, told by what it accepts, and by what it refuses beside the good one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tlsalert.diagnosis.device_look import STRANGERS, Look
from tlsalert.diagnosis.tried import ACCEPTED, refused

Topic = Literal["trust", "dates", "usage", "possession", "signatures", "strength", "chain", "encoding", "demand"]
Dates = Literal["both", "start", "end", "none"]

#: Certificates of nobody whom the device knows, and others of the CA that issued the good one.
SAME_CA = ("good_p256", "good_p384", "good_rsa4096", "good_no_eku", "good_root_issued", "good_ed25519")
OPEN_IN_TLS = (
    "In TLS it lets in anybody, with any certificate or none. Unless it refuses them inside (as nginx does, in HTTP), "
    "it is open to all."
)
_FORGED = ("sig_tampered", "tbs_tampered", "same_name_ca_no_keyid", "same_name_ca_keyid", "same_name_inter_no_keyid")
_UNPROVEN_KEYS = ("key_mismatch", "cv_corrupted", "cv_omitted")
_WEAK = {"rsa512": "RSA 512", "rsa1024": "RSA 1024", "md5_signed": "MD5", "sha1_signed": "SHA-1"}
_ISSUERS = {
    "intermediate_not_ca": "an issuer that is not a CA",
    "intermediate_no_bc": "an issuer without basic constraints",
    "intermediate_no_certsign": "an issuer that may not sign certificates",
    "pathlen_exceeded": "a path that is longer than its CA allows",
    "name_constraints_violated": "a name that its CA may not issue",
    "v1_intermediate": "an issuer of version 1",
}
_USAGES = {
    "eku_server_only": "serverAuth alone",
    "eku_code_signing": "codeSigning alone",
    "eku_any_only": "anyExtendedKeyUsage alone",
}
_KEY_USAGES = ("ku_key_encipherment_only", "ku_certsign_only")
_ODD_BYTES = ("garbage_der", "truncated_der", "trailing_garbage", "bad_extension_der", "bad_time_encoding")
_CHAINS = {"chain_5_cas": 5, "chain_9_cas": 9, "chain_12_cas": 12, "chain_25_cas": 25, "chain_110_cas": 110}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the trials show of the device, as a sentence; ``alarming`` where it lets in whom it should not."""

    topic: Topic
    says: str
    alarming: bool = False


def findings(look: Look) -> Iterable[Finding]:
    """Go through what the trials show of what the device checks, what is alarming first."""
    if look.open_in_tls:  # what else it "accepts" in TLS says nothing
        yield Finding("demand", OPEN_IN_TLS, True)
        yield from (finding for finding in _possession(look) if not finding.alarming)
        return
    found = [
        *_demand(look), *_strangers(look), *_possession(look), *_signatures(look), *_issuers(look), *_dates(look),
        *_usages(look), *_strength(look), *_chains(look), *_encoding(look),
    ]  # fmt: skip
    yield from sorted(found, key=lambda finding: not finding.alarming)


def _demand(look: Look) -> Iterable[Finding]:
    answers = set(look.answers("none_sent").values())
    if ACCEPTED in answers:
        yield Finding("demand", "It does not demand a certificate: a client that has none is let in.", True)
    elif "400" in answers:
        yield Finding("demand", "It lets the handshake end without a certificate, and answers HTTP 400 inside.")


def _strangers(look: Look) -> Iterable[Finding]:
    taken = look.accepted(*STRANGERS)
    if taken:
        yield Finding("trust", f"It accepts certificates of anybody ({', '.join(taken)}).", True)


def _possession(look: Look) -> Iterable[Finding]:
    taken = look.accepted(*_UNPROVEN_KEYS)
    if taken:
        says = "It does not check that the client has the key: whoever has a copy of the certificate is let in"
        yield Finding("possession", f"{says} ({', '.join(taken)}).", True)
    elif look.refused_beside_good("key_mismatch"):
        yield Finding("possession", "It checks that the client has the certificate's key.")


def _signatures(look: Look) -> Iterable[Finding]:
    taken = look.accepted(*_FORGED)
    if taken:
        yield Finding("signatures", f"It accepts certificates that its CA did not sign ({', '.join(taken)}).", True)
    elif look.refused_beside_good(*_FORGED):
        yield Finding("signatures", "It checks the signatures on certificates.")


def _issuers(look: Look) -> Iterable[Finding]:
    for variant in look.accepted(*_ISSUERS):
        yield Finding("chain", f"It accepts {_ISSUERS[variant]} ({variant}).", variant != "v1_intermediate")


def checks_dates(look: Look) -> Dates | None:
    """Return which ends of a validity the device looks at, where both were tried beside an accepted certificate."""
    start = _checked(look, "not_yet_valid")
    end = _checked(look, "expired")
    if start is None or end is None:
        return "start" if start else "end" if end else None
    return {(True, True): "both", (True, False): "start", (False, True): "end", (False, False): "none"}[start, end]  # type: ignore[return-value]


def _checked(look: Look, variant: str) -> bool | None:
    if look.accepted(variant):
        # A clock that is off may stand within this one's dates: only beside the good one it is not looked at.
        return False if look.accepting else None
    return True if look.refused_beside_good(variant) else None


def _dates(look: Look) -> Iterable[Finding]:
    checks = checks_dates(look)
    start, end = look.accepted("not_yet_valid"), look.accepted("expired")
    if checks == "none":
        yield Finding("dates", "It does not check dates: expired certificates are accepted.", True)
    elif end and look.accepting:
        yield Finding(
            "dates", "It accepts expired certificates: their end is not checked, or its clock is behind.", True
        )
    elif start and look.accepting:
        yield Finding("dates", "It accepts certificates that are not valid yet.", True)
    elif checks == "both":
        yield Finding("dates", "It checks both ends of a certificate's validity.")
    elif end and look.refusing:
        yield Finding(
            "dates", "It accepts the expired certificate and not the good one: by its clock that one is valid."
        )
    elif start and look.refusing:
        yield Finding("dates", "It accepts the certificate of the future and not the good one: its clock is ahead.")
    if look.accepted("expired_intermediate") and look.accepting:
        yield Finding("dates", "It does not check the dates of intermediate certificates.", True)


def _usages(look: Look) -> Iterable[Finding]:
    demanded = look.refused_beside_good(*_USAGES)
    taken = look.accepted(*_USAGES)
    if "eku_server_only" in demanded or "eku_code_signing" in demanded:
        besides = "; anyExtendedKeyUsage alone will do" if "eku_any_only" in taken else ""
        besides = "; anyExtendedKeyUsage alone is refused" if "eku_any_only" in demanded else besides
        yield Finding("usage", f"It demands clientAuth where a certificate names extended key usages{besides}.")
    wrong = [v for v in taken if v != "eku_any_only"]
    if wrong:
        says = " and ".join(_USAGES[v] for v in wrong)
        yield Finding(
            "usage", f"It does not look at the extended key usage: {says} {'are' if len(wrong) > 1 else 'is'} accepted."
        )
    if look.refused_beside_good(*_KEY_USAGES):
        yield Finding("usage", "It demands digitalSignature where a certificate names key usages.")
    elif look.accepted(*_KEY_USAGES):
        yield Finding("usage", "It does not look at the key usage.")
    if look.refused_beside_good("good_no_eku"):
        yield Finding("usage", "It refuses a certificate that names no usages at all.")


def _strength(look: Look) -> Iterable[Finding]:
    taken = look.accepted(*_WEAK)
    if taken:
        broken = any(v in ("rsa512", "md5_signed") for v in taken)
        yield Finding("strength", f"It accepts what is weak: {', '.join(_WEAK[v] for v in taken)}.", broken)
    kept = [v for v in look.refused_beside_good(*_WEAK) if v not in taken]
    if kept:
        yield Finding("strength", f"It refuses {', '.join(_WEAK[v] for v in kept)}.")


def _chains(look: Look) -> Iterable[Finding]:
    if look.accepted("missing_intermediate"):
        yield Finding("chain", "It knows the intermediate certificate, or remembers it from an earlier connection.")
    elif look.refused_beside_good("missing_intermediate"):
        yield Finding("chain", "The client must send its intermediate certificates.")
    longest = max((_CHAINS[v] for v in look.accepted(*_CHAINS)), default=0)
    shortest = min((_CHAINS[v] for v in look.refused_beside_good(*_CHAINS)), default=0)
    if shortest:
        taken = f"It accepts {longest} CAs in a chain and refuses" if longest else "It refuses a chain with"
        yield Finding("chain", f"{taken} {shortest}{'' if longest else ' CAs'}.")
    order = look.refused_beside_good("wrong_order_inter_first", "wrong_order_root_before_inter")
    if order:
        yield Finding("chain", f"It minds the order of the chain ({', '.join(order)}).")


def _encoding(look: Look) -> Iterable[Finding]:
    alerts = [a for cell in look.told if refused(a := cell.answer) and cell.variant not in _ODD_BYTES]
    closed = [v for v in _ODD_BYTES if any(a in ("fin", "rst") for a in look.answers(v).values())]
    if closed and any(answer.isdigit() for answer in alerts):
        yield Finding("encoding", f"It closes without an alert, or falls over, at {', '.join(closed)}.")
    if look.accepted("unknown_critical_ext"):
        yield Finding("encoding", "It passes over critical extensions that it does not know.", True)
