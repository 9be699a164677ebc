"""Why a certificate was refused: what the answer, the chain and the clocks each add to the ranking."""

from __future__ import annotations

from typing import Any

import pytest
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
from tlsalert.diagnosis.causes import CLIENT_WEIGHTS, SERVER_WEIGHTS, rank
from tlsalert.diagnosis.chain import chain_facts
from tlsalert.diagnosis.ending import ending
from tlsalert.diagnosis.knowledge import STACKS
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


def shares(story: Connection, stack: str = OPENSSL) -> dict[str, float]:
    """Return the probability of each cause, likeliest first."""
    end = ending(story)
    assert end.sender is not None
    owner: Side = "client" if end.sender == "server" else "server"
    chain = story.certificates.client if owner == "client" else story.certificates.server
    clock = story.clocks.server if end.sender == "server" else story.clocks.client
    facts = chain_facts(chain or (UNSEEN,), owner == "client")
    ranking = rank(Refusal(story, end, end.sender, owner, chain, facts, clock, {stack: 1.0}))
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
