"""A device's mind as text: short, in lines that fit, and safe to show."""

from __future__ import annotations

from tests.diagnosis.devices import FACTS, replayed, rows
from tests.diagnosis.test_device_causes import FOUNDING
from tlsalert.diagnosis.device_mind import mind
from tlsalert.model import CertificateRequest
from tlsalert.render.mind_text import mind_lines, mind_text


def test_the_founding_case_reads_well() -> None:
    assert mind_text(mind(rows(FOUNDING), FACTS, CertificateRequest(("CN=Client CA,O=Example",)))) == FOUNDING_TEXT


def test_every_line_fits() -> None:
    for width in (60, 80, 120):
        told = mind(replayed("openssl-3.0", ("TLS 1.2", "TLS 1.3"), key_mismatch="ok"), FACTS)
        assert all(len(line) <= width for line in mind_text(told, width).splitlines())


def test_what_is_alarming_stands_under_its_own_label_and_style() -> None:
    lines = mind_lines(mind(replayed("mbedtls-3.5", key_mismatch="ok"), FACTS))
    shown = [line for line in lines if any(style == "alert" for _, style in line)]
    assert "alarming" in shown[0][1][0]
    assert "whoever has a copy" in "".join(text for text, _ in shown[0])


def test_names_of_strangers_are_escaped() -> None:
    told = mind(rows(FOUNDING), FACTS, CertificateRequest(("CN=\x1b[31mred",)))
    assert "\x1b" not in mind_text(told)
    assert "\\x1b[31mred" in mind_text(told)


def test_of_many_names_a_few_are_shown() -> None:
    told = mind(rows(FOUNDING), FACTS, CertificateRequest(tuple(f"CN=CA {n}" for n in range(40))))
    assert "CN=CA 3 and 36 more" in mind_text(told, 200)


FOUNDING_TEXT = """\
        The device refuses the good certificate with bad_certificate(42): probably the certificate
        is not valid yet by its clock, so that it stands before 2016-05-19.

        seen       TLS 1.2: good → 42, none_sent → 40, self_signed_unknown → 48
                   CN=IPMI is valid from 2016-05-19 to 2026-05-17
                   CertificateRequest names an issuer of the certificate
                   its answers are those of OpenSSL 1.1.1 or newer and OpenSSL 1.0.2 or older, which
                     answer a certificate that is not valid yet with 42
        trusts     asks for certificates of CN=Client CA,O=Example
        clock      before 2016-05-19, if dates are what it minds (certificates accepted and refused)
        stack      It answers exactly as OpenSSL or stunnel with pinned certificates (3 of 3 answers
                     agree).
                   To tell these apart, try garbage_der, good_ed25519, sig_alg_unknown.
        do         Check the device's clock; the certificate is valid from 2016-05-19.
                   It ends on 2026-05-17: from then on a right clock refuses it, too.
                   With the CA's key (--ca-cert, --ca-key) the device's clock can be found by
                     certificates.
                   Try garbage_der, unknown_issuer as well: they tell what this stack's answers
                     mean.
        certain    0.76   certificate_not_yet_valid   at fault: server
        or         revocation_status_unavailable 0.12
"""
