"""What stands out in a chain of certificates by itself, and by a clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from tests.diagnosis.handshakes import BMC, IPMI, day, replace
from tests.pki.issuing import AUTHORITY, Holder, issue, usage
from tlsalert.diagnosis import chain as chain_module
from tlsalert.diagnosis.chain import chain_facts, names_match, outside, weakness, wrong_usage
from tlsalert.model import Certificate
from tlsalert.pki.certificate import read_certificate

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


BEGIN, ENDING = day(2016, 5, 19), day(2026, 5, 17)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("at", "cause"),
    [
        (BEGIN - SECOND, "certificate_not_yet_valid"),
        (BEGIN, None),
        (day(2021), None),
        (ENDING, None),
        (ENDING + SECOND, "certificate_expired"),
    ],
)
def test_both_days_of_the_validity_belong_to_it(at: datetime, cause: str | None) -> None:
    """RFC 5280 §4.1.2.5: inclusive."""
    certificate = leaf(not_before=BEGIN, not_after=ENDING)
    assert list(outside((certificate,), at)) == ([] if cause is None else [(certificate, cause)])


def test_each_certificate_of_the_chain_is_held_against_the_clock() -> None:
    old, new = replace(ROOT, not_after=day(2020)), replace(INTERMEDIATE, not_before=day(2030))
    found = list(outside((LEAF, new, old), day(2021)))
    assert found == [(new, "certificate_not_yet_valid"), (old, "certificate_expired")]


def test_dates_that_could_not_be_read_say_nothing() -> None:
    assert list(outside((leaf(not_before=None, not_after=None),), day(2021))) == []


# --- what the certificates prove about each other ---------------------------------------------------------------------


def chain(*holders: Holder) -> tuple[Certificate, ...]:
    return tuple(holder.certificate for holder in holders)


CA = issue("CN=CA", None, AUTHORITY)
SUB = issue("CN=sub", CA, AUTHORITY)
END = issue("CN=end", SUB)
NAMESAKE = issue("CN=sub", CA, AUTHORITY)


def test_a_chain_whose_signatures_verify_is_proven_as_far_as_it_goes() -> None:
    whole = chain_facts(chain(END, SUB, CA), client=True).path
    assert (whole.proven, whole.whole, whole.forged) == (True, True, None)
    assert [c.subject for c in whole.certificates] == ["CN=end", "CN=sub", "CN=CA"]
    part = chain_facts(chain(END, SUB), client=True).path
    assert (part.proven, part.whole, part.top.subject) == (True, False, "CN=sub")


def test_an_issuer_by_name_whose_key_did_not_sign_is_told_with_what_it_did_not_sign() -> None:
    path = chain_facts(chain(END, NAMESAKE, CA), client=True).path
    assert path.forged == chain(END, NAMESAKE)
    assert not path.proven


def test_of_several_namesakes_the_one_that_signed_is_the_issuer() -> None:
    path = chain_facts(chain(END, NAMESAKE, SUB, CA), client=True).path
    assert (path.forged, path.proven, path.certificates[1]) == (None, True, SUB.certificate)


def test_who_names_itself_has_to_have_signed_itself() -> None:
    stranger = issue("CN=a", issue("CN=b"), issuer="CN=a").certificate
    assert chain_facts((stranger,), client=True).path.forged == (stranger, stranger)


def test_a_signature_that_cannot_be_checked_leaves_it_open() -> None:
    path = chain_facts((LEAF, INTERMEDIATE, ROOT), client=False).path
    assert (path.proven, path.forged, path.top) == (False, None, ROOT)


def test_a_hostile_chain_takes_no_time_out_of_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of namesakes, none of which signed another: signatures and names that are looked at are counted."""
    asked = []
    monkeypatch.setattr(chain_module, "signed_by", lambda one, other: asked.append((one, other)))
    names = tuple(f"DNS:{n}" for n in range(300))
    alike = [
        leaf(serial=str(n), subject="CN=a", issuer="CN=a", ca=True, permitted_names=names, subject_alt_names=names)
        for n in range(3000)
    ]
    facts = chain_facts((leaf(issuer="CN=a"), *alike), client=True)
    assert len(facts.path.certificates) == chain_module.LONGEST_PATH + 1
    assert len(asked) == chain_module.VERIFIED
    assert facts.invalid is None


def test_certificates_that_issue_each_other_end() -> None:
    one, other = leaf(subject="CN=a", issuer="CN=b"), leaf(subject="CN=b", issuer="CN=a")
    assert len(chain_facts((one, other), client=True).path.certificates) == 2


@pytest.mark.parametrize(
    ("issuer", "says"),
    [
        pytest.param((), "is not a CA", id="no basicConstraints"),
        pytest.param((x509.BasicConstraints(ca=False, path_length=None),), "is not a CA", id="cA false"),
        pytest.param((AUTHORITY, usage("crl_sign")), "may not sign certificates", id="no keyCertSign"),
        pytest.param((AUTHORITY, usage("key_cert_sign")), None, id="keyCertSign"),
        pytest.param((AUTHORITY, x509.NameConstraints([x509.DNSName("example.net")], None)), "broken: DNS:a.example",
                     id="outside of what is permitted"),
        pytest.param((AUTHORITY, x509.NameConstraints(None, [x509.DNSName("example")])), "broken: DNS:a.example",
                     id="inside of what is excluded"),
        pytest.param((AUTHORITY, x509.NameConstraints([x509.DNSName("example")], None)), None, id="inside"),
    ],
)  # fmt: skip
def test_an_issuer_may_issue_or_not(issuer: tuple[x509.ExtensionType, ...], says: str | None) -> None:
    """RFC 5280 §6.1.4 (k) to (n) and §4.2.1.10."""
    sub = issue("CN=sub", CA, *issuer)
    end = issue("CN=end", sub, x509.SubjectAlternativeName([x509.DNSName("a.example")]))
    invalid = chain_facts(chain(end, sub, CA), client=True).invalid
    assert (invalid is None) if says is None else (invalid is not None and says in invalid and "CN=sub" in invalid)


@pytest.mark.parametrize(("length", "valid"), [(0, False), (1, True), (None, True)])
def test_a_path_may_be_too_long_for_its_ca(length: int | None, valid: bool) -> None:
    """RFC 5280 §4.2.1.9: the CAs between it and the leaf count, the leaf does not."""
    top = issue("CN=top", None, x509.BasicConstraints(ca=True, path_length=length))
    middle = issue("CN=middle", top, AUTHORITY)
    facts = chain_facts(chain(issue("CN=end", middle), middle, top), client=True)
    assert (facts.invalid is None) is valid


def test_a_version_1_certificate_may_issue_only_as_a_root() -> None:
    old = replace(SUB.certificate, version=1, ca=None)
    assert "version 1" in str(chain_facts((END.certificate, old), client=True).invalid)
    root = replace(CA.certificate, version=1, ca=None)
    assert chain_facts((END.certificate, SUB.certificate, root), client=True).invalid is None


def test_what_a_verifier_may_not_know() -> None:
    """RFC 5280 §4.2."""
    poison = issue("CN=end", SUB, critical=(x509.PrecertPoison(),))
    assert "1.3.6.1.4.1.11129.2.4.3" in str(chain_facts(chain(poison, SUB), client=True).unsupported)
    assert "1.2.3.4" in str(chain_facts((leaf(signature_algorithm="1.2.3.4"),), client=True).unsupported)
    assert "1.2.3.5" in str(chain_facts((leaf(key="1.2.3.5"),), client=True).unsupported)
    assert "secp256k1" in str(chain_facts((leaf(key="EC secp256k1"),), client=True).unsupported)
    for key in ("EC P-256", "RSA 2048", "Ed25519", None):
        assert chain_facts((leaf(key=key),), client=True).unsupported is None


def test_a_ca_before_its_leaf_is_out_of_place() -> None:
    facts = chain_facts(chain(SUB, END, CA), client=True)
    assert facts.misplaced == END.certificate
    assert chain_facts(chain(END, CA, SUB), client=True).misplaced is None
    assert chain_facts(chain(SUB, CA), client=True).misplaced is None


def test_a_weak_issuer_and_one_with_another_usage_are_named() -> None:
    weak = chain_facts((LEAF, replace(INTERMEDIATE, signature_algorithm="sha1WithRSAEncryption")), client=True).weak
    assert weak == "CN=intermediate in its chain: it is signed with sha1WithRSAEncryption"
    lacking = replace(INTERMEDIATE, extended_key_usage=("serverAuth",))
    assert "CN=intermediate" in str(chain_facts((LEAF, lacking), client=True).wrong_usage)
    assert chain_facts((LEAF, lacking), client=False).wrong_usage is None


def test_what_is_no_certificate_at_all_is_told_from_one_with_a_flaw() -> None:
    garbage = read_certificate(b"certainly not DER" * 9)
    assert str(chain_facts((garbage,), client=True).garbage).startswith("not a certificate")
    assert chain_facts((leaf(problems=("a",)),), client=True).garbage is None


def test_a_serial_number_is_the_least_of_problems() -> None:
    facts = chain_facts((leaf(problems=("the serial number is zero", "notBefore: 'x' is no time")),), client=True)
    assert facts.broken == "notBefore: 'x' is no time"


@given(st.lists(st.sampled_from([CA, SUB, END, NAMESAKE]), min_size=1, max_size=6), st.booleans())
def test_any_order_of_any_certificates_has_its_facts(holders: list[Holder], client: bool) -> None:
    facts = chain_facts(chain(*holders), client)
    assert facts.leaf is facts.path.certificates[0]
    assert not (facts.path.proven and facts.path.forged)
