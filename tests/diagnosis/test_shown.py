"""What is plainly wrong with a certificate that was refused: how gravely, in words, and what mends it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.diagnosis.handshakes import ANSWER, BMC, FLIGHT, HELLO, IPMI, replace, showing, spoken
from tests.pki.issuing import AUTHORITY, issue
from tlsalert.diagnosis.chain import chain_facts
from tlsalert.diagnosis.ending import ending
from tlsalert.diagnosis.proofs import NO_PROOF, Proof
from tlsalert.diagnosis.refused import UNSEEN, Refusal
from tlsalert.diagnosis.shown import BESIDE, FAINT, ODD, PLAIN, PROOF, Shown, shown
from tlsalert.model import Certificate, CertificateRequest, Position
from tlsalert.pki.certificate import read_certificate

ISSUED = replace(IPMI, issuer="CN=Example CA", self_signed=False, problems=())
CA = issue("CN=CA", None, AUTHORITY)
SUB, NAMESAKE = issue("CN=sub", CA, AUTHORITY), issue("CN=sub", CA, AUTHORITY)
END = issue("CN=end", SUB)


def refusal(*chain: Certificate, proof: Proof = NO_PROOF, length: int | None = None, **fields: Any) -> Refusal:
    """Return a client's chain that was refused."""
    asked = {"certificate_request": None, **fields}
    story = showing(spoken(HELLO, FLIGHT, ANSWER, "server alert:42 fin", **asked), *chain)
    if length is not None:
        messages = tuple(replace(m, length=length) if m.message == "certificate" else m for m in story.messages)
        story = replace(story, messages=messages)
    facts = chain_facts(chain or (UNSEEN,), client=True)
    return Refusal(story, ending(story), "server", "client", chain, facts, None, {"other": 1.0}, proof)


def found(*chain: Certificate, **fields: Any) -> dict[str, Shown]:
    """Return the gravest defect of each cause."""
    by_cause: dict[str, Shown] = {}
    for defect in shown(refusal(*chain, **fields)):
        by_cause.setdefault(defect.cause, defect)
    return by_cause


def test_a_good_chain_shows_nothing_and_neither_does_one_that_was_not_seen() -> None:
    assert found(END.certificate, SUB.certificate, CA.certificate) == {}
    assert shown(refusal()) == ()


def test_another_key_signed_the_handshake() -> None:
    proof = Proof(holds=False, position=Position(7))
    (defect,) = shown(refusal(END.certificate, proof=proof))
    assert (defect.cause, defect.weight, defect.position) == ("key_mismatch", PROOF, Position(7))
    assert "CN=end" in defect.says
    assert defect.proven


def test_the_key_of_another_certificate_signed_so_the_order_is_wrong() -> None:
    chain = SUB.certificate, END.certificate
    defects = found(*chain, proof=Proof(holds=False, signer=1))
    assert defects["chain_out_of_order"].weight == PROOF
    assert "CN=end" in defects["chain_out_of_order"].says
    assert defects["key_mismatch"].weight < PLAIN


def test_the_right_key_over_other_words_is_hardly_a_cause() -> None:
    defects = found(END.certificate, proof=Proof(altered=True))
    assert {cause: defect.weight for cause, defect in defects.items()} == {"decryption_failed": FAINT}


def test_a_signature_that_was_due_and_not_sent() -> None:
    assert [d.cause for d in shown(refusal(END.certificate, proof=Proof(missing=True)))] == [
        "protocol_violation",
        "key_mismatch",
    ]


def test_a_forged_link_names_both_ends_and_what_to_do() -> None:
    defect = found(END.certificate, NAMESAKE.certificate)["bad_certificate_signature"]
    assert defect.proven
    assert "CN=end" in defect.says
    assert "CN=sub" in defect.says
    assert "CN=sub" in str(defect.do)


@pytest.mark.parametrize(
    "fields",
    [{"notes": ("a gap",)}, {"proof": Proof(altered=True)}, {"proof": Proof(holds=False)}],
    ids=["gap", "altered", "both"],
)
def test_bytes_that_were_changed_after_they_were_signed_prove_nothing(fields: dict[str, Any]) -> None:
    """Who sends a forged certificate signs its handshake rightly: if that fails, too, the capture is the suspect."""
    assert not found(END.certificate, NAMESAKE.certificate, **fields)["bad_certificate_signature"].proven


GARBAGE = read_certificate(b"certainly no certificate" * 4)
LARGE = 20_000


@pytest.mark.parametrize(
    ("chain", "fields", "cause", "weight"),
    [
        pytest.param((GARBAGE,), {}, "malformed_certificate", PROOF, id="no certificate at all"),
        pytest.param((replace(ISSUED, problems=("keyUsage: a",)),), {}, "malformed_certificate", ODD, id="a flaw"),
        pytest.param((replace(ISSUED, problems=("notBefore: a",)),), {}, "malformed_certificate", 2 * ODD, id="a date"),
        pytest.param((replace(ISSUED, problems=("the serial number is zero",)),), {}, "malformed_certificate", FAINT,
                     id="a serial number"),
        pytest.param((SUB.certificate, END.certificate), {}, "chain_out_of_order", PLAIN, id="CA first"),
        pytest.param((ISSUED, BMC), {}, "chain_out_of_order", FAINT, id="not in order"),
        pytest.param((END.certificate, replace(SUB.certificate, ca=False)), {}, "chain_invalid", PLAIN, id="no CA"),
        pytest.param((replace(ISSUED, unknown_critical=("1.2.3",)),), {}, "unsupported_certificate", PLAIN,
                     id="critical"),
        pytest.param((replace(ISSUED, key="EC P-224"),), {}, "unsupported_certificate", ODD, id="a rare curve"),
        pytest.param((replace(ISSUED, signature_algorithm="1.2.3"),), {}, "malformed_certificate", ODD,
                     id="a signature nobody knows"),
        pytest.param((replace(ISSUED, key="RSA 1024"),), {}, "weak_certificate", ODD, id="weak"),
        pytest.param((replace(ISSUED, key="RSA 512"),), {}, "weak_certificate", 2 * ODD, id="broken"),
        pytest.param((replace(ISSUED, extended_key_usage=("serverAuth",)),), {}, "wrong_certificate_usage", PLAIN,
                     id="usage"),
        pytest.param((replace(ISSUED, ca=True),), {}, "wrong_certificate_usage", ODD, id="a CA's certificate"),
        pytest.param((replace(ISSUED, key="Ed448"),),
                     {"certificate_request": CertificateRequest((), ("rsa_pkcs1_sha256",))},
                     "no_shared_signature_scheme", PLAIN * 0.8, id="a key that was not asked for"),
        pytest.param((END.certificate,), {"length": 1 << 14}, "resource_limit", None, id="as large as a record"),
        pytest.param((END.certificate,), {"length": LARGE}, "resource_limit", ODD, id="larger"),
        pytest.param((END.certificate,), {"length": 70_000}, "resource_limit", 2 * ODD, id="over 64 KiB"),
        pytest.param((END.certificate,), {"length": 120_000}, "resource_limit", PLAIN, id="over 100 KiB"),
        pytest.param((END.certificate, *[BMC] * 4), {}, "chain_too_long", None, id="five certificates"),
        pytest.param((END.certificate, *[BMC] * 5), {}, "chain_too_long", FAINT, id="six certificates"),
        pytest.param((END.certificate, *[BMC] * 9), {}, "chain_too_long", 2 * ODD, id="ten"),
        pytest.param((END.certificate, *[BMC] * 110), {}, "chain_too_long", PLAIN, id="over a hundred"),
    ],
)  # fmt: skip
def test_each_defect_has_its_cause_and_its_weight(
    chain: tuple[Certificate, ...], fields: dict[str, Any], cause: str, weight: float | None
) -> None:
    defect = found(*chain, **fields).get(cause)
    assert (None if defect is None else defect.weight) == weight
    assert defect is None or defect.says


def test_what_needs_a_reader_of_the_certificate_is_not_said_of_garbage() -> None:
    assert set(found(GARBAGE)) == {"malformed_certificate"}
    assert set(found(GARBAGE, proof=Proof(holds=False))) == {"malformed_certificate"}


def test_the_gravest_comes_first_and_only_the_grave_push_others_aside() -> None:
    weights = [d.weight for d in shown(refusal(replace(ISSUED, key="RSA 512", extended_key_usage=("serverAuth",))))]
    assert weights == sorted(weights, reverse=True)
    assert set(BESIDE) == {PROOF, PLAIN}
