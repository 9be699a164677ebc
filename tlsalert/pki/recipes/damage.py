"""Certificates that were damaged after they were signed, bytes that are none, and messages that break the grammar."""

from __future__ import annotations

import secrets

from tlsalert.pki import der
from tlsalert.pki.presentation import Presentation, Proof
from tlsalert.pki.recipes.words import CORRUPT
from tlsalert.pki.variant import Need, Recipe, variant
from tlsalert.pki.workshop import CannotMakeError, Workshop, body_of_any, show

_GOOD = (Need.CERTIFICATE, Need.KEY)
#: Bytes that a truncated certificate lacks, and those that follow a certificate.
CUT, TRAILING = 100, 16
GARBAGE = 700
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def with_broken_signature(certificate: bytes) -> bytes:
    """Return a certificate with the last byte of its signature changed, and all else as it is.

    Raises :class:`DecodeError` for what is no certificate.
    """
    body_of_any(certificate)
    return certificate[:-1] + bytes((certificate[-1] ^ 1,))


def with_changed_subject(certificate: bytes) -> bytes:
    """Return a certificate with the last letter of its subject changed.

    Raises :class:`CannotMakeError` where there is no letter, and :class:`DecodeError` for what is no certificate.
    """
    body_of_any(certificate)
    fields = der.first_of(der.first(der.element(certificate)), 7)
    subject = fields[5 if fields[0].tag == 0xA0 else 4]
    for place in range(subject.stop - 1, subject.start, -1):
        if certificate[place] in _LETTERS:
            other = ord("x") if certificate[place] != ord("x") else ord("y")
            return certificate[:place] + bytes((other,)) + certificate[place + 1 :]
    raise CannotMakeError("needs a certificate whose subject has a letter to change")


def _broken_signature(shop: Workshop) -> Presentation:
    return show(shop.good, with_broken_signature(shop.good.certificate), *shop.good.intermediates)


def _changed_subject(shop: Workshop) -> Presentation:
    return show(shop.good, with_changed_subject(shop.good.certificate), *shop.good.intermediates)


def _truncated(shop: Workshop) -> Presentation:
    return show(shop.good, shop.good.certificate[:-CUT], *shop.good.intermediates)


def _trailing(shop: Workshop) -> Presentation:
    return show(shop.good, shop.good.certificate + secrets.token_bytes(TRAILING), *shop.good.intermediates)


def _garbage(shop: Workshop) -> Presentation:
    return Presentation((b"\xff" + secrets.token_bytes(GARBAGE - 1),), shop.key)


def _empty_entry(shop: Workshop) -> Presentation:
    return Presentation((b"",), shop.key)


def _none(shop: Workshop) -> Presentation:
    return Presentation()


def _no_message(shop: Workshop) -> Presentation:
    return Presentation(message=False)


def _malformed(shop: Workshop) -> Presentation:
    # TLS 1.2 reads a list of 255 bytes of which there are two; TLS 1.3 no context and a list of 65,280 and more.
    return Presentation(key=shop.key, raw=b"\x00\x00\xff\xff\xff")


def _mismatch(shop: Workshop) -> Presentation:
    certificate = shop.material.certificate
    other = shop.material.keys.key(shop.kind, "stranger")
    if certificate is None:
        return Presentation(shop.good.sent, other)
    return Presentation((certificate, *shop.material.intermediates), other)


def _proof(proof: Proof) -> Recipe:
    return lambda shop: show(shop.good, proof=proof)


def _finished(shop: Workshop) -> Presentation:
    return show(shop.good, finished="broken")


VARIANTS = (
    variant("none_sent", "an empty list of certificates", _none, ("handshake_failure", "certificate_required")),
    variant("certificate_msg_omitted", "no Certificate message at all", _no_message, "unexpected_message"),
    variant(
        "certificate_msg_malformed", "lengths in the Certificate message that do not add up", _malformed, "decode_error"
    ),
    variant("zero_length_entry", "an entry without a byte in it", _empty_entry, "decode_error"),
    variant("garbage_der", "random bytes in the place of a certificate", _garbage, CORRUPT),
    variant("truncated_der", f"the certificate without its last {CUT} bytes", _truncated, CORRUPT, *_GOOD),
    variant("trailing_garbage", f"{TRAILING} bytes after the certificate", _trailing, CORRUPT, *_GOOD),
    variant("sig_tampered", "a byte of the signature changed", _broken_signature, CORRUPT, *_GOOD),
    variant("tbs_tampered", "a letter of the subject changed after it was signed", _changed_subject, CORRUPT, *_GOOD),
    variant("key_mismatch", "CertificateVerify by another key", _mismatch, "decrypt_error", Need.CERTIFICATE),
    variant(
        "cv_corrupted", "CertificateVerify with a byte changed", _proof("broken_signature"), "decrypt_error", *_GOOD
    ),
    variant(
        "cv_omitted", "no CertificateVerify after the certificate", _proof("omitted"), "unexpected_message", *_GOOD
    ),
    variant(
        "cv_bad_scheme",
        "CertificateVerify by a scheme that was not offered",
        _proof("unoffered_scheme"),
        "illegal_parameter",
        *_GOOD,
    ),
    variant("finished_corrupted", "a Finished with a byte changed", _finished, "decrypt_error", *_GOOD),
)
