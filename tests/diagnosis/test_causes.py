"""Why a certificate was refused: what the answer, the chain and the clocks each add to the ranking."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from tests import stories
from tests.diagnosis.handshakes import (
    ANSWER,
    ANSWER_13,
    BMC,
    FLIGHT,
    HELLO,
    HELLO_13,
    IN_2015,
    IPMI,
    NOW,
    by_clock,
    clock_at,
    day,
    replace,
    showing,
    spoken,
    spoken_13,
)
from tests.pki.issuing import AUTHORITY, Holder, issue
from tlsalert.diagnosis.causes import CLIENT_WEIGHTS, SERVER_WEIGHTS, rank
from tlsalert.diagnosis.chain import chain_facts
from tlsalert.diagnosis.ending import ending
from tlsalert.diagnosis.knowledge import STACKS
from tlsalert.diagnosis.proofs import NO_PROOF, Proof
from tlsalert.diagnosis.refused import UNSEEN, Refusal
from tlsalert.model import Certificate, CertificateRequest, Clock, Connection, Side

OLD_OPENSSL, OPENSSL = "openssl<=1.0.2", "openssl>=1.1.1"
ISSUED = replace(IPMI, issuer="CN=Example CA", self_signed=False)
EXPIRED, FUTURE = replace(ISSUED, not_after=day(2020)), replace(ISSUED, not_before=day(2030))
AHEAD = stories.at("2026-07-01 03:12:44")


def refused(last: str = "server alert:42 fin", *chain: Certificate, **fields: Any) -> Connection:
    """Return a handshake in which the server refused what the client sent."""
    return showing(spoken(HELLO, FLIGHT, ANSWER, last, **fields), *(chain or (ISSUED,)))


def refused_by_client(last: str = "client alert:42 fin", **fields: Any) -> Connection:
    return spoken(HELLO, FLIGHT, last, **fields)


def shares(story: Connection, stack: str = OPENSSL, proof: Proof = NO_PROOF) -> dict[str, float]:
    """Return the probability of each cause, likeliest first."""
    end = ending(story)
    assert end.sender is not None
    owner: Side = "client" if end.sender == "server" else "server"
    chain = story.certificates.client if owner == "client" else story.certificates.server
    clock = story.clocks.server if end.sender == "server" else story.clocks.client
    facts = chain_facts(chain or (UNSEEN,), owner == "client")
    ranking = rank(Refusal(story, end, end.sender, owner, chain, facts, clock, {stack: 1.0}, proof))
    assert [share for _, share in ranking] == sorted((share for _, share in ranking), reverse=True)
    return dict(ranking)


def likeliest(story: Connection, stack: str = OPENSSL) -> str:
    return next(iter(shares(story, stack)))


# --- what the answer says, by the stack that gave it ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("stack", "last", "cause"),
    [
        pytest.param(OLD_OPENSSL, "alert:42", "certificate_not_yet_valid", id="OpenSSL: 42 is not yet valid"),
        pytest.param(OPENSSL, "alert:45", "certificate_expired", id="OpenSSL: 45 is expired"),
        pytest.param(OPENSSL, "alert:48", "unknown_ca", id="OpenSSL: 48 is an unknown CA"),
        pytest.param(OPENSSL, "alert:44", "certificate_revoked", id="44 is revoked"),
        pytest.param(OPENSSL, "alert:43", "wrong_certificate_usage", id="OpenSSL: 43 is a wrong usage"),
        pytest.param(OPENSSL, "alert:50", "malformed_certificate", id="OpenSSL: 50 is undecodable DER"),
        pytest.param("stunnel-pinned", "alert:48", "unknown_ca", id="stunnel that pins"),
        pytest.param("mbedtls", "alert:48", "unknown_ca", id="Mbed TLS"),
    ],
)
def test_each_stack_has_its_own_meaning_for_an_alert(stack: str, last: str, cause: str) -> None:
    ranking = shares(refused(f"server {last} fin"), stack)
    assert cause in [*ranking][:2]


def test_42_of_openssl_is_about_a_clock_and_42_of_java_about_anything() -> None:
    by_openssl, by_java = shares(refused(), OPENSSL), shares(refused(), "java")
    assert by_openssl["certificate_not_yet_valid"] > 3 * by_java["certificate_not_yet_valid"]


@pytest.mark.parametrize("stack", ["java", "node", "gnutls-serv", "go<=1.19"])
def test_a_stack_that_answers_all_alike_leaves_what_is_commonest(stack: str) -> None:
    last = {"java": "alert:46", "node": "fin", "gnutls-serv": "alert:49", "go<=1.19": "alert:42"}[stack]
    assert likeliest(refused(f"server {last} fin"), stack) == "unknown_ca"


def test_an_answer_that_could_not_be_read_says_nothing() -> None:
    story = spoken_13(HELLO, HELLO_13, ANSWER_13, "server hidden:fatal fin")
    assert shares(story, OPENSSL) == shares(story, "java") == shares(story, "node")


# --- what the clocks say --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stack", STACKS)
def test_a_proven_clock_before_the_certificate_explains_the_refusal(stack: str) -> None:
    """The founding case, whatever server the device runs."""
    last = {"node": "fin", "grpc": "fin"}.get(stack, "alert:42")
    story = by_clock(refused(f"server {last} fin"), clock_at(IN_2015))
    assert likeliest(story, stack) == "certificate_not_yet_valid"


def test_a_proven_clock_after_the_certificate_explains_the_refusal() -> None:
    assert likeliest(by_clock(refused("server alert:45 fin"), clock_at(AHEAD))) == "certificate_expired"


def test_a_clock_does_not_explain_what_its_stack_says_of_something_else() -> None:
    """OpenSSL looks for the issuer before it looks at dates: 48 is about the issuer even if the clock is wrong."""
    assert likeliest(by_clock(refused("server alert:48 fin"), clock_at(IN_2015)), OLD_OPENSSL) == "unknown_ca"


@pytest.mark.parametrize("cause", ["certificate_not_yet_valid", "certificate_expired"])
def test_a_proven_clock_inside_the_validity_clears_the_dates(cause: str) -> None:
    for code in (42, 45, 46):
        story = refused(f"server alert:{code} fin")
        assert shares(by_clock(story, clock_at(NOW)))[cause] < shares(story)[cause]


@pytest.mark.parametrize(
    ("leaf", "code", "cause"), [(EXPIRED, 45, "certificate_expired"), (FUTURE, 42, "certificate_not_yet_valid")]
)
def test_where_no_clock_shows_the_captures_is_nearly_right(leaf: Certificate, code: int, cause: str) -> None:
    assert shares(refused(f"server alert:{code} fin", leaf))[cause] > shares(refused(f"server alert:{code} fin"))[cause]
    assert likeliest(refused("server alert:46 fin", leaf), "java") == cause


def test_a_clock_weighs_as_much_as_it_is_believed() -> None:
    weights = [
        shares(by_clock(refused("server alert:46 fin"), clock_at(IN_2015, 1, sure)), "java")[
            "certificate_not_yet_valid"
        ]
        for sure in (0.05, 0.3, 0.7, 0.99)
    ]
    assert weights == sorted(weights)
    assert weights[0] < 0.5 < 0.9 < weights[-1]


def test_each_certificate_of_the_chain_is_held_against_the_clock() -> None:
    young = replace(BMC, subject="CN=Example CA", not_before=day(2018))
    story = by_clock(refused("server alert:42 fin", replace(ISSUED, not_before=day(2010)), young), clock_at(IN_2015))
    assert likeliest(story) == "certificate_not_yet_valid"


def test_a_clock_that_is_years_behind_speaks_even_where_the_certificate_was_not_seen() -> None:
    story = by_clock(replace(refused(), certificates=spoken().certificates), clock_at(IN_2015))
    assert likeliest(story) == "certificate_not_yet_valid"


# --- what the chain says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "cause"),
    [
        pytest.param((replace(ISSUED, problems=("not a certificate",)),), "malformed_certificate", id="broken"),
        pytest.param((replace(ISSUED, key="RSA 1024"),), "weak_certificate", id="weak"),
        pytest.param((replace(ISSUED, extended_key_usage=("serverAuth",)),), "wrong_certificate_usage", id="usage"),
        pytest.param((BMC, ISSUED), "chain_out_of_order", id="order"),
    ],
)
def test_what_stands_out_in_the_chain_is_likelier_for_it(chain: tuple[Certificate, ...], cause: str) -> None:
    assert shares(refused("server alert:46 fin", *chain), "java")[cause] > shares(
        refused("server alert:46 fin"), "java"
    ).get(cause, 0.0)


def test_a_certificate_that_signed_itself_lacks_no_intermediate() -> None:
    ranking = shares(refused("server alert:48 fin", IPMI))
    assert ranking["chain_incomplete"] == 0
    assert ranking["certificate_revoked"] < shares(refused("server alert:48 fin"))["certificate_revoked"]


def test_an_intermediate_that_was_sent_is_hardly_missing() -> None:
    whole = shares(refused("server alert:48 fin", ISSUED, replace(BMC, subject="CN=Example CA")))
    assert whole["chain_incomplete"] < shares(refused("server alert:48 fin"))["chain_incomplete"]


def asking(*authorities: str) -> dict[str, float]:
    return shares(refused("server alert:46 fin", certificate_request=CertificateRequest(authorities)), "java")


def test_the_authorities_that_the_server_names_are_those_it_trusts() -> None:
    """RFC 5246 §7.4.4. None named says nothing."""
    trusted, nothing, others = asking("CN=Example CA"), asking(), asking("CN=Other CA")
    assert trusted["unknown_ca"] < nothing["unknown_ca"] < others["unknown_ca"]


# --- what signatures prove ------------------------------------------------------------------------------------------

CA = issue("CN=Example CA", None, AUTHORITY)
SUB = issue("CN=sub", CA, AUTHORITY)
END = issue("CN=end", SUB)


def proven(code: int, *holders: Holder, proof: Proof = NO_PROOF, stack: str = OPENSSL) -> dict[str, float]:
    """Return the probabilities where a chain of real certificates got an alert of a server that names their root."""
    chain = tuple(holder.certificate for holder in holders)
    request = CertificateRequest(("CN=Example CA",))
    return shares(refused(f"server alert:{code} fin", *chain, certificate_request=request), stack, proof)


def test_a_signature_of_another_key_is_the_cause_whatever_the_alert_says() -> None:
    for code in (40, 42, 51):
        assert next(iter(proven(code, END, SUB, proof=Proof(holds=False)))) == "key_mismatch"


def test_a_signature_that_verifies_clears_the_key() -> None:
    """decrypt_error then means a Finished, or a signature in the chain: OpenSSL has one code for all three."""
    open_, cleared = proven(51, END, SUB), proven(51, END, SUB, proof=Proof(holds=True))
    assert next(iter(open_)) == "key_mismatch"
    assert cleared["key_mismatch"] < 0.02
    assert {*[*cleared][:2]} == {"decryption_failed", "protocol_violation"}


def test_a_signature_over_other_words_clears_the_key_as_well() -> None:
    assert proven(51, END, SUB, proof=Proof(altered=True))["key_mismatch"] < 0.05


def test_an_issuer_that_was_not_sent_may_be_a_namesake_unless_a_key_identifier_tells() -> None:
    """RFC 5280 §4.2.1.1: with one, a CA of the same name and another key is simply unknown."""
    identified = issue("CN=end", CA, x509.AuthorityKeyIdentifier(b"a key", None, None))
    alone = proven(51, issue("CN=end", CA), proof=Proof(holds=True))
    told = proven(51, identified, proof=Proof(holds=True))
    assert next(iter(alone)) == "bad_certificate_signature"
    assert told["bad_certificate_signature"] < alone["bad_certificate_signature"]


def test_a_chain_that_verifies_to_its_root_has_no_bad_signature() -> None:
    parts = [proven(51, *chain, proof=Proof(holds=True)) for chain in ((END,), (END, SUB), (END, SUB, CA))]
    weights = [ranking["bad_certificate_signature"] for ranking in parts]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] < 0.1


@pytest.mark.parametrize(
    ("stack", "code"),
    [(OPENSSL, 48), (OLD_OPENSSL, 48), ("java", 46), ("gnutls", 42), ("nss", 48), ("mbedtls", 48), ("go", 48)],
)
def test_an_issuer_that_may_not_issue_explains_what_looks_like_an_unknown_ca(stack: str, code: int) -> None:
    sub = issue("CN=sub", CA, x509.BasicConstraints(ca=False, path_length=None))
    assert next(iter(proven(code, issue("CN=end", sub), sub, stack=stack))) == "chain_invalid"


@pytest.mark.parametrize("stack", ["java", "gnutls", "go<=1.19"])
def test_where_all_is_answered_alike_and_nothing_shows_no_cause_is_likely(stack: str) -> None:
    code = 46 if stack == "java" else 42
    known = refused(f"server alert:{code} fin", certificate_request=CertificateRequest(("CN=Example CA",)))
    ranking = shares(known, stack)
    assert max(ranking.values()) < 0.5
    assert {"unknown_ca", "certificate_not_yet_valid"} == {*[*ranking][:2]}


def test_a_clock_that_runs_ahead_is_rarer_than_one_that_is_behind() -> None:
    ranking = shares(refused("server alert:46 fin"), "java")
    assert ranking["certificate_expired"] < ranking["certificate_not_yet_valid"]


def test_a_small_message_is_not_too_large() -> None:
    assert shares(refused("server rst"), "rustls")["resource_limit"] < 0.2


def test_in_sslv3_stacks_answer_otherwise() -> None:
    """RFC 6101 §5.4.2 has no unknown_ca and no decrypt_error: OpenSSL says 42 and 40 there."""
    old = shares(refused("server alert:42 fin", tls_version="SSLv3"), OLD_OPENSSL)
    new = shares(refused("server alert:42 fin"), OLD_OPENSSL)
    assert old["unknown_ca"] > 5 * new["unknown_ca"]


# --- what a client refuses ------------------------------------------------------------------------------------------


def test_only_a_client_looks_at_the_name() -> None:
    assert "name_mismatch" not in CLIENT_WEIGHTS
    assert "name_mismatch" in SERVER_WEIGHTS
    assert "name_mismatch" not in shares(refused())


def test_a_name_that_does_not_fit_is_likelier_to_be_the_reason() -> None:
    leaf = replace(BMC, subject_alt_names=("DNS:bmc.example.net",))
    ranked = {
        name: shares(showing(refused_by_client(server_name=name), leaf, side="server"))["name_mismatch"]
        for name in ("other.example", "bmc.example.net", None)
    }
    assert ranked["bmc.example.net"] < 0.05 < ranked["other.example"]
    assert ranked[None] < ranked["other.example"]


def test_the_clients_own_clock_judges_the_servers_certificate() -> None:
    story = refused_by_client()
    assert likeliest(by_clock(story, clock_at(IN_2015), "client")) == "certificate_not_yet_valid"
    assert likeliest(by_clock(story, clock_at(IN_2015), "server")) == likeliest(story)


# --- any refusal ----------------------------------------------------------------------------------------------------

ANSWERS = st.one_of(st.integers(0, 255).map("alert:{}".format), st.sampled_from(["fin", "rst", "hidden:fatal"]))
CHAINS = st.lists(st.sampled_from([IPMI, ISSUED, EXPIRED, FUTURE, BMC, UNSEEN]), max_size=3)
CLOCKS = st.one_of(
    st.none(),
    st.builds(clock_at, st.integers(0, 2**32 * 10**9), st.integers(1, 3), st.floats(0, 0.999)),
)


@given(ANSWERS, CHAINS, CLOCKS, st.sampled_from(STACKS), st.booleans())
def test_it_is_a_probability_whatever_was_refused(
    last: str, chain: list[Certificate], clock: Clock | None, stack: str, tls13: bool
) -> None:
    flights = (HELLO, HELLO_13, ANSWER_13) if tls13 else (HELLO, FLIGHT, ANSWER)
    story = showing(spoken(*flights, f"server {last} fin", version="TLS 1.3" if tls13 else "TLS 1.2"), *chain)
    end = ending(story)
    refusal = Refusal(
        story, end, "server", "client", tuple(chain), chain_facts(tuple(chain) or (UNSEEN,), True), clock, {stack: 1.0}
    )
    ranking = rank(refusal)
    assert sum(share for _, share in ranking) == pytest.approx(1)
    assert min(share for _, share in ranking) >= 0
    assert {cause for cause, _ in ranking} - {"chain_out_of_order"} == {*CLIENT_WEIGHTS}
