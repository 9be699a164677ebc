"""What is wrong with a thing depends on the time, on what it is, and on where it lies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.pki.stores import AT, DAY, Made, leaf, look, make
from tlsalert.pki.found import Found
from tlsalert.pki.problems import ends_within, judged, weak_key
from tlsalert.pki.relations import related

ROOT = make("CN=root", ca=True)


def problems(found: list[Found], at: datetime = AT, warn: timedelta = 90 * DAY) -> tuple[str, ...]:
    return judged(related(found, (), ()), at, warn)[0].problems


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (-101, "not valid yet: it begins on 2025-09-23, in 1 day"),
        (0, None),
        (150, "ends on 2026-07-20, in 50 days"),
        (200, "ends on 2026-07-20, in 0 days"),
        (202, "expired on 2026-07-20, 2 days ago"),
    ],
)
def test_dates_are_held_against_the_time_that_was_asked_for(days: int, says: str | None) -> None:
    assert problems(look(leaf().der), AT + days * DAY) == (() if says is None else (says,))


def test_how_early_an_end_is_told_is_asked_for() -> None:
    (one,) = look(leaf().der)
    assert problems([one], warn=199 * DAY) == ()
    assert problems([one], warn=201 * DAY) == ("ends on 2026-07-20, in 200 days",)
    assert (ends_within(one, AT, 199 * DAY), ends_within(one, AT, 200 * DAY)) == (False, True)
    assert ends_within(one, AT + 300 * DAY, timedelta(0))


@given(at=st.datetimes(timezones=st.just(UTC)), warn=st.timedeltas(timedelta(0), timedelta(days=999_999)))
def test_any_time_can_be_asked_for(at: datetime, warn: timedelta) -> None:
    problems(look(leaf().der), at, warn)


@pytest.mark.parametrize(
    ("key", "weak"),
    [
        ("RSA 1024", True),
        ("RSA 2048", False),
        ("RSA 2047", True),
        ("EC P-192", True),
        ("EC P-256", False),
        ("DSA 2048", True),
        ("Ed25519", False),
        (None, False),
    ],
)
def test_keys_that_are_too_short_are_weak(key: str | None, weak: bool) -> None:
    assert (weak_key(key) is not None) is weak


def test_a_weak_key_is_told_wherever_it_is() -> None:
    key = rsa.generate_private_key(65537, 1024)
    assert "weak key: RSA of 1024 bits" in problems(look(make("CN=a", key).der))


def test_a_signature_with_sha1_can_be_forged_but_for_a_roots_own() -> None:
    root = make("CN=old", rsa.generate_private_key(65537, 2048), ca=True)
    below = make("CN=below", by=root)
    (one,) = look(below.der)
    assert one.certificate is not None
    from msgspec import structs

    old = replace(one, certificate=structs.replace(one.certificate, signature_algorithm="sha1WithRSAEncryption"))
    own = replace(old, certificate=structs.replace(one.certificate, signature_algorithm="sha1", self_signed=True))
    assert problems([old]) == ("its signature (sha1WithRSAEncryption) can be forged",)
    assert problems([own]) == ()


@pytest.mark.parametrize(("ca", "says"), [(None, "has no basicConstraints"), (False, "is no CA"), (True, None)])
def test_who_signs_others_must_be_a_ca(ca: bool | None, says: str | None) -> None:
    top = make("CN=top", by=ROOT, ca=ca)
    builder_usage = _with_usage(top, ca)
    told = problems(look(builder_usage.der))
    assert (told == ()) if says is None else (says in told[0])


def _with_usage(holder: Made, ca: bool | None) -> Made:
    """Return a certificate like ``holder``'s that may sign certificates by its key usage."""
    usage = x509.KeyUsage(False, False, False, False, False, True, False, False, False)
    builder = x509.CertificateBuilder().subject_name(holder.certificate.subject).public_key(holder.key.public_key())
    builder = builder.issuer_name(ROOT.certificate.subject).serial_number(5).add_extension(usage, True)
    builder = builder.not_valid_before(AT - DAY).not_valid_after(AT + 300 * DAY)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), True)
    key: Any = ROOT.key
    return Made(holder.key, builder.sign(key, hashes.SHA256()))


def test_a_certificate_without_constraints_that_signed_another_is_told() -> None:
    top = make("CN=top", by=ROOT, ca=None)
    found = [*look(top.der, where="top"), *look(make("CN=below", by=top).der, where="below")]
    assert "it signs certificates, but has no basicConstraints (RFC 5280 §4.2.1.9)" in problems(found)


@pytest.mark.parametrize(
    ("where", "mode", "says"),
    [
        ("/etc/a.key", 0o600, None),
        ("/etc/a.key", 0o640, None),
        ("/etc/a.key", 0o644, "everybody on this machine can read the private key (mode 0644)"),
        ("fw.bin!/etc/a.key", 0o600, "the private key comes with fw.bin: who has that file has the key"),
        ("fw.bin!raw@0x10", None, "the private key comes with fw.bin: who has that file has the key"),
    ],
)
def test_a_key_that_others_can_have_is_told(where: str, mode: int | None, says: str | None) -> None:
    (one,) = look(ec_key(), where=where)
    assert problems([replace(one, mode=mode)]) == (() if says is None else (says,))
    assert problems([replace(one, mode=mode, encrypted=True)]) == ()


def ec_key() -> bytes:
    return make("CN=a", ec.generate_private_key(ec.SECP256R1())).private()


def test_a_key_in_a_key_store_is_not_shipped_but_one_in_an_archive_around_it_is() -> None:
    (key,) = look(ec_key())
    for store, many in (("s.bks", 0), ("fw.zip!/s.bks", 1)):
        found = [replace(key, where=f"{store}!/me"), Found(store, "keystore")]
        assert len(problems(found)) == many


def test_a_revocation_list_whose_successor_was_due_is_out_of_date() -> None:
    one = Found("a.crl", "crl", not_before=AT - 9 * DAY, not_after=AT - 2 * DAY)
    assert problems([one]) == ("out of date since 2025-12-30: the next one was due",)
