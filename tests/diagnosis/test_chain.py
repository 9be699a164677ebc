"""What stands out in a chain of certificates by itself, and by a clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.diagnosis.handshakes import BMC, IPMI, day, replace
from tlsalert.diagnosis.chain import chain_facts, names_match, outside, weakness, wrong_usage
from tlsalert.model import Certificate

LEAF = replace(BMC, subject="CN=leaf", issuer="CN=intermediate")
INTERMEDIATE = replace(BMC, subject="CN=intermediate", issuer="CN=root", ca=True)
ROOT = replace(BMC, subject="CN=root", issuer="CN=root", ca=True, self_signed=True)


def leaf(**fields: Any) -> Certificate:
    return replace(LEAF, **fields)


def test_a_chain_in_order_has_nothing_that_stands_out() -> None:
    facts = chain_facts((LEAF, INTERMEDIATE, ROOT), client=False)
    assert facts.leaf is LEAF
    assert (facts.self_signed, facts.issuer_sent, facts.wrong_order) == (False, True, False)
    assert (facts.weak, facts.broken, facts.wrong_usage) == (None, None, None)


def test_a_leaf_that_comes_alone_lacks_its_issuer() -> None:
    facts = chain_facts((LEAF,), client=True)
    assert (facts.issuer_sent, facts.wrong_order) == (False, False)


@pytest.mark.parametrize(
    "chain", [(INTERMEDIATE, LEAF), (LEAF, ROOT, INTERMEDIATE), (ROOT, INTERMEDIATE, LEAF)], ids=len
)
def test_each_certificate_must_be_signed_by_the_next_one(chain: tuple[Certificate, ...]) -> None:
    """RFC 5246 §7.4.2."""
    assert chain_facts(chain, client=True).wrong_order


def test_the_founding_certificate_signed_itself() -> None:
    assert chain_facts((IPMI,), client=True).self_signed


def test_the_first_problem_of_the_leaf_counts_as_broken() -> None:
    assert chain_facts((leaf(problems=("a", "b")),), client=True).broken == "a"
    assert chain_facts((LEAF, replace(INTERMEDIATE, problems=("a",))), client=True).broken is None


@pytest.mark.parametrize(
    ("fields", "weak"),
    [
        ({"key": "RSA 2048"}, None),
        ({"key": "RSA 4096"}, None),
        ({"key": "RSA 2047"}, "its key is RSA 2047"),
        ({"key": "RSA 512"}, "its key is RSA 512"),
        ({"key": "EC P-256"}, None),
        ({"key": "EC P-224"}, None),
        ({"key": "EC P-192"}, "its key is EC P-192"),
        ({"key": "DSA 1024"}, "its key is DSA 1024"),
        ({"key": "Ed25519"}, None),
        ({"key": None}, None),
        ({"signature_algorithm": "sha256WithRSAEncryption"}, None),
        ({"signature_algorithm": "ecdsa-with-SHA512"}, None),
        ({"signature_algorithm": "md5WithRSAEncryption"}, "it is signed with md5WithRSAEncryption"),
        ({"signature_algorithm": "sha1WithRSAEncryption"}, "it is signed with sha1WithRSAEncryption"),
        ({"signature_algorithm": "ecdsa-with-SHA1"}, "it is signed with ecdsa-with-SHA1"),
        ({"signature_algorithm": "dsa-with-sha1"}, "it is signed with dsa-with-sha1"),
        ({"signature_algorithm": "sha1WithRSAEncryption", "self_signed": True}, None),  # nobody checks that signature
        ({"signature_algorithm": None}, None),
    ],
)
def test_what_is_weak_by_todays_measures(fields: dict[str, Any], weak: str | None) -> None:
    assert weakness(leaf(**fields)) == weak


@pytest.mark.parametrize(
    ("purposes", "usages", "client", "lacks"),
    [
        ((), (), True, None),
        (("clientAuth",), ("digitalSignature",), True, None),
        (("serverAuth", "clientAuth"), (), True, None),
        (("anyExtendedKeyUsage",), (), True, None),
        (("serverAuth",), (), True, "without clientAuth"),
        (("serverAuth",), (), False, None),
        (("clientAuth",), (), False, "without serverAuth"),
        ((), ("keyEncipherment",), True, "without digitalSignature"),
        ((), ("keyEncipherment",), False, None),  # the RSA key exchange of RFC 5246 §7.4.3 needs no more
    ],
)
def test_a_leaf_must_be_allowed_its_role(
    purposes: tuple[str, ...], usages: tuple[str, ...], client: bool, lacks: str | None
) -> None:
    """RFC 5280 §4.2.1.3 and §4.2.1.12."""
    said = wrong_usage(leaf(extended_key_usage=purposes, key_usage=usages), client)
    assert (said is None) if lacks is None else (said is not None and said.endswith(lacks))


@pytest.mark.parametrize(
    ("names", "name", "matches"),
    [
        (("DNS:bmc.example.net",), "bmc.example.net", True),
        (("DNS:BMC.example.net",), "bmc.EXAMPLE.net", True),
        (("DNS:bmc.example.net",), "bmc.example.net.", True),
        (("DNS:a.example", "DNS:bmc.example.net"), "bmc.example.net", True),
        (("DNS:*.example.net",), "bmc.example.net", True),
        (("DNS:*.example.net",), "a.bmc.example.net", False),
        (("DNS:*.example.net",), "example.net", False),
        (("DNS:b*.example.net",), "bmc.example.net", False),
        (("DNS:bmc.example.net",), "example.net", False),
        (("email:bmc.example.net",), "bmc.example.net", False),
        (("DNS:other.example",), "leaf.example", False),  # with a subjectAltName the common name says nothing
        ((), "leaf.example", True),
        ((), "other.example", False),
    ],
)
def test_names_match_as_rfc_9525_says(names: tuple[str, ...], name: str, matches: bool) -> None:
    """RFC 9525 §6.3; certificates without a subjectAltName are judged by their common name, RFC 6125 §6.4.4."""
    assert names_match(leaf(subject="CN=leaf.example,O=x", subject_alt_names=names), name) is matches


BEGIN, END = day(2016, 5, 19), day(2026, 5, 17)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("at", "cause"),
    [
        (BEGIN - SECOND, "certificate_not_yet_valid"),
        (BEGIN, None),
        (day(2021), None),
        (END, None),
        (END + SECOND, "certificate_expired"),
    ],
)
def test_both_days_of_the_validity_belong_to_it(at: datetime, cause: str | None) -> None:
    """RFC 5280 §4.1.2.5: inclusive."""
    certificate = leaf(not_before=BEGIN, not_after=END)
    assert list(outside((certificate,), at)) == ([] if cause is None else [(certificate, cause)])


def test_each_certificate_of_the_chain_is_held_against_the_clock() -> None:
    old, new = replace(ROOT, not_after=day(2020)), replace(INTERMEDIATE, not_before=day(2030))
    found = list(outside((LEAF, new, old), day(2021)))
    assert found == [(new, "certificate_not_yet_valid"), (old, "certificate_expired")]


def test_dates_that_could_not_be_read_say_nothing() -> None:
    assert list(outside((leaf(not_before=None, not_after=None),), day(2021))) == []
