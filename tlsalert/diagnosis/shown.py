"""What is plainly wrong with a certificate that was refused: each thing a cause, how much it weighs, and in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tlsalert.diagnosis.chain import SERIAL
from tlsalert.diagnosis.offered import not_offered
from tlsalert.diagnosis.refused import Refusal
from tlsalert.diagnosis.words import short_name
from tlsalert.model import Certificate, Position

#: How much a defect weighs by how surely a verifier minds it: one that nobody can accept (a signature that does not
#: verify), one that the RFCs tell verifiers to refuse, one that some refuse, and one that hardly any does.
PROOF, PLAIN, ODD, FAINT = 3.0, 1.5, 0.4, 0.1
#: What is left of all other causes' weight beside such a defect: they would have to be there as well.
BESIDE: Final = {PROOF: 0.03, PLAIN: 0.15}

#: Bytes of a Certificate message beyond which stacks refuse: a record (RFC 5246 §6.2.1) and about the session in a
#: ticket (64 KiB, RFC 5077 §4), and OpenSSL's max_cert_list (100 KiB).
LARGE, VERY_LARGE, HUGE = 1 << 14, 1 << 16, 100 << 10
#: Certificates in a chain: more than the usual, than stacks that limit it take (8 to 10), than any (100).
LONG, VERY_LONG, ENDLESS = 5, 9, 100
#: RSA keys under this can be broken by anybody.
BROKEN_RSA: Final = 1024


class Shown(Struct, frozen=True):
    """One thing that is wrong. ``says`` is a sentence about it, ``position`` where it was seen.

    ``do`` is what mends it, where that can be said more exactly than by the cause alone.
    """

    cause: str
    weight: float
    says: str
    position: Position | None = None
    do: str | None = None

    @property
    def proven(self) -> bool:
        """Whether arithmetic proves it."""
        return self.weight >= PROOF


def shown(refusal: Refusal) -> tuple[Shown, ...]:
    """Return what is wrong with a refused chain as far as the capture shows it, the gravest first."""
    if not refusal.chain:
        return ()
    found = [*_signature(refusal), *_chain(refusal), *_usage(refusal), *_size(refusal)]
    return tuple(sorted(found, key=lambda one: -one.weight))


def _signature(refusal: Refusal) -> Iterator[Shown]:
    """What the owner's signature in the handshake shows."""
    proof, owner, facts = refusal.proof, refusal.owner, refusal.facts
    message = "CertificateVerify" if proof.message == "certificate_verify" else "ServerKeyExchange"
    if proof.holds is False:
        if proof.signer:
            other = short_name(refusal.chain[proof.signer])
            says = f"the {message} was signed with the key of {other}, which the {owner} did not send first"
            yield Shown("chain_out_of_order", PROOF, says, proof.position)
            yield Shown("key_mismatch", ODD, says, proof.position)
        elif facts.garbage is None:
            name = short_name(facts.leaf)
            says = f"the {message} does not verify with the key of {name}: another key signed, or other messages"
            yield Shown("key_mismatch", PROOF, says, proof.position)
    elif proof.altered:
        says = f"the {message} was made over other messages than those of this capture"
        yield Shown("decryption_failed", FAINT, says, proof.position)
    elif proof.missing:
        says = f"the {owner} sent a certificate and no CertificateVerify that proves its key"
        yield Shown("protocol_violation", PLAIN, says)
        yield Shown("key_mismatch", ODD, says)


def _chain(refusal: Refusal) -> Iterator[Shown]:
    """What the chain shows by itself."""
    facts, place = refusal.facts, refusal.certificate_position
    if facts.garbage is not None:
        says = f"the {refusal.owner}'s first certificate cannot be decoded: {facts.garbage}"
        yield Shown("malformed_certificate", PROOF, says, place)
    elif facts.broken is not None:
        yield Shown("malformed_certificate", _oddness(facts.broken), _about(refusal, facts.broken), place)
    if facts.path.forged is not None:
        yield _forged(refusal, *facts.path.forged)
    if facts.misplaced is not None:
        says = f"{short_name(facts.leaf)}, a CA, stands before {short_name(facts.misplaced)}, which it issued"
        yield Shown("chain_out_of_order", PLAIN, says, place)
    elif facts.wrong_order:
        says = "not each certificate of the chain is followed by its issuer"
        yield Shown("chain_out_of_order", FAINT, says, place)
    if facts.invalid is not None:
        replace = f"replace the issuer that may not issue it: nothing on the {refusal.refuser} can mend that"
        yield Shown("chain_invalid", PLAIN, _about(refusal, facts.invalid), place, replace)
    if facts.unsupported is not None:
        yield from _unsupported(refusal, facts.unsupported)
    if facts.weak is not None:
        yield Shown("weak_certificate", _weak(refusal), _about(refusal, facts.weak), place)


def _oddness(problem: str) -> float:
    """How much a problem of a certificate weighs: of a serial number hardly any verifier makes one, of a date many."""
    if problem.startswith(SERIAL):
        return FAINT
    return 2 * ODD if problem.startswith(("notBefore", "notAfter:")) else ODD


def _forged(refusal: Refusal, below: Certificate, issuer: Certificate) -> Shown:
    """A certificate that the key of its issuer did not sign."""
    name, by = short_name(below), short_name(issuer)
    if below is issuer:
        says = f"{name} names itself as its issuer, but its signature does not verify with its own key"
        do = f"issue {name} again, or look for what damaged the file"
    else:
        link = f"was not signed by the key of {by} that stands in the chain"
        says = f"the certificate of {name} {link}, though the names match"
        do = f"send the certificate of {by} whose key signed {name}, or issue {name} again with the key that is sent"
    # Bytes that the capture lost, or that were changed after the owner had signed them, prove nothing.
    damaged = refusal.connection.lossy or refusal.proof.altered or refusal.proof.holds is False
    weight = 2 * ODD if damaged else PROOF
    return Shown("bad_certificate_signature", weight, says, refusal.certificate_position, do)


def _unsupported(refusal: Refusal, remark: str) -> Iterator[Shown]:
    """Something that not every verifier knows; a critical extension it must know, RFC 5280 §4.2."""
    says, place = _about(refusal, remark), refusal.certificate_position
    if "critical" in remark:
        do = "issue the certificate without that extension, or not as critical"
        yield Shown("unsupported_certificate", PLAIN, says, place, do)
        return
    yield Shown("unsupported_certificate", ODD, says, place)
    if "signed with" in remark:  # who does not know the algorithm cannot read it, or not verify it
        yield Shown("malformed_certificate", ODD, says, place)


def _usage(refusal: Refusal) -> Iterator[Shown]:
    """What the certificate may not be used for, by what it says and by what the other side offered."""
    facts, place = refusal.facts, refusal.certificate_position
    if facts.wrong_usage is not None and facts.misplaced is None:
        yield Shown("wrong_certificate_usage", PLAIN, _about(refusal, facts.wrong_usage), place)
    elif facts.authority and facts.misplaced is None:
        says = _about(refusal, "it is a CA certificate, used as a leaf")
        yield Shown("wrong_certificate_usage", ODD, says, place, "use a certificate that is not a CA's")
    unfit = not_offered(refusal.connection, refusal.owner, facts.leaf, refusal.proof.scheme)
    if unfit is not None:
        says = unfit if unfit.startswith("the ") else _about(refusal, unfit)
        yield Shown("unsupported_certificate", PLAIN, says, place)
        yield Shown("no_shared_signature_scheme", PLAIN * 0.8, says, place)


def _size(refusal: Refusal) -> Iterator[Shown]:
    """How long the chain is, and how large its message."""
    many, place = len(refusal.chain), refusal.certificate_position
    if many > LONG:
        weight = PLAIN if many > ENDLESS else 2 * ODD if many > VERY_LONG else FAINT
        yield Shown("chain_too_long", weight, f"the {refusal.owner} sent {many} certificates", place)
    size = refusal.message_length
    if size > LARGE:
        weight = PLAIN if size > HUGE else 2 * ODD if size > VERY_LARGE else ODD
        yield Shown("resource_limit", weight, f"the {refusal.owner}'s Certificate message has {size} bytes", place)


def _weak(refusal: Refusal) -> float:
    kind, _, size = (refusal.facts.leaf.key or "").partition(" ")
    broken = kind == "RSA" and size.isdigit() and int(size) < BROKEN_RSA
    return 2 * ODD if broken or "md5" in (refusal.facts.weak or "") else ODD


def _about(refusal: Refusal, remark: str) -> str:
    return f"the certificate of the {refusal.owner}: {remark}"
