"""Bytes of any kind are looked through: where things are told to lie, and what strangers can make of it."""

from __future__ import annotations

import base64
import os
import random
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pki.stores import leaf, look, look_at_all, make, told
from tlsalert.pki.containers import Blob, Covered, Damage
from tlsalert.pki.found import Found
from tlsalert.pki.keys import Phrases
from tlsalert.pki.scan import scan

NOISE = random.Random(7).randbytes(5000)
SMALL = make("CN=small")


def test_der_and_pem_between_other_bytes_are_told_by_their_offset() -> None:
    data = NOISE + leaf().der + NOISE + leaf().private(encoding=Encoding.PEM) + NOISE + SMALL.der
    second = len(NOISE) * 2 + len(leaf().der)
    third = second + len(leaf().private(encoding=Encoding.PEM)) + len(NOISE)
    found = sorted(look(data), key=lambda one: one.offset)
    assert told(found) == [
        (f"FILE!raw@{len(NOISE):#x}", "certificate", "RSA 2048", False),
        (f"FILE!raw@{second:#x}", "private_key", "RSA 2048", False),
        (f"FILE!raw@{third:#x}", "certificate", "EC P-256", False),
    ]


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("made", [leaf(), SMALL])
def test_private_keys_are_carved_in_every_form(made: object, form: PrivateFormat) -> None:
    key = made.private(form)  # type: ignore[attr-defined]
    (one,) = look(NOISE + key + NOISE)
    assert (one.kind, one.offset) == ("private_key", len(NOISE))


def test_what_lies_in_a_text_is_told_under_the_texts_name() -> None:
    text = b"# both\r\n" + leaf().pem + leaf().private(encoding=Encoding.PEM)
    assert [one.where for one in look(text)] == ["FILE", "FILE"]


def test_what_a_container_told_of_is_not_carved_again() -> None:
    blob = Blob("FILE", NOISE + leaf().der + NOISE + SMALL.der)
    covered = [Covered(len(NOISE) - 5, len(NOISE) + len(leaf().der))]
    assert [one.offset for one in scan(blob, Phrases(), covered) if isinstance(one, Found)] == [
        2 * len(NOISE) + len(leaf().der)
    ]


def test_pem_that_was_put_into_base64_once_more_is_found() -> None:
    text = b"client-certificate-data: " + base64.b64encode(leaf().pem) + b"\n"
    assert [one.subject for one in look(text)] == ["CN=leaf,O=Board"]


def test_a_certificate_that_is_cut_off_is_told() -> None:
    (one,) = (one for one in look_at_all(NOISE + leaf().der[:-100]) if isinstance(one, Damage))
    assert f"a certificate at byte {len(NOISE)} is cut off" in one.says


def test_parameters_and_keys_of_others_are_passed_over() -> None:
    text = b"".join(
        b"-----BEGIN %s-----\nAAAABBBBCCCCDDDDEEEE\n-----END %s-----\n" % (one, one)
        for one in (b"EC PARAMETERS", b"PGP PUBLIC KEY BLOCK")
    )
    assert look(text) == []


def test_what_looks_like_der_everywhere_is_given_up_with_a_sentence() -> None:
    head = b"\x30\x82\xff\xff\x30\x82\xff\x00\xa0\x03\x02\x01\x02\x02\x08"
    things = look_at_all(head * 20_000)
    assert len(things) == 1
    assert isinstance(things[0], Damage)
    assert "too much looks like DER" in things[0].says


def test_random_bytes_hold_nothing() -> None:
    assert look(os.urandom(1 << 20)) == []


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(leaf().der) - 1), byte=st.integers(0, 255), before=st.booleans())
def test_a_changed_byte_ends_in_a_thing_or_in_damage(at: int, byte: int, before: bool) -> None:
    data = bytearray(leaf().der)
    data[at] = byte
    for one in look_at_all((NOISE if before else b"") + bytes(data) + leaf().private()):
        assert isinstance(one, Found | Damage)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_are_looked_through(data: bytes) -> None:
    look_at_all(data)


def test_a_key_of_pkcs1_that_stands_alone_is_a_public_key() -> None:
    from cryptography.hazmat.primitives.serialization import PublicFormat

    text = leaf().key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    assert [(one.kind, one.spki_sha256) for one in look(text)] == [("public_key", sha256(leaf().spki).hexdigest())]
