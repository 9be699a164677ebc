"""What each stack answers: facts that were measured on loopback against the server named beside them."""

from __future__ import annotations

import subprocess
import sys
from typing import Final, get_args

import pytest

from tlsalert.diagnosis.alert_habits import CLIENTS, SERVERS
from tlsalert.diagnosis.knowledge import FLOOR, STACKS, Answer, Side, habit, informative, likelihood, senders
from tlsalert.model import Side as ModelSide

UP_TO_TLS12: Final = "tls1.2"
TLS13: Final = "tls1.3"


@pytest.mark.parametrize(
    ("stack", "cause", "answer"),
    [
        pytest.param("openssl<=1.0.2", "certificate_not_yet_valid", 42, id="OpenSSL 0.9.8zh, 1.0.1e, 1.0.2u"),
        pytest.param("openssl>=1.1.1", "certificate_not_yet_valid", 42, id="OpenSSL 1.1.1w, 3.0.22, 4.0.3"),
        pytest.param("nss", "certificate_not_yet_valid", 45, id="NSS 3.87 has one error for both ends"),
        pytest.param("go", "certificate_not_yet_valid", 45, id="Go 1.27 as well"),
        pytest.param("java", "certificate_not_yet_valid", 46, id="Java 17 says 46 to nearly all"),
        pytest.param("mbedtls", "certificate_not_yet_valid", 46, id="Mbed TLS 2.28.3"),
        pytest.param("node", "certificate_not_yet_valid", "fin", id="Node 20 closes without an alert"),
        pytest.param("nginx", "certificate_not_yet_valid", "http400", id="nginx 1.22 answers inside"),
        pytest.param("openssl>=1.1.1", "certificate_expired", 45, id="OpenSSL tells expired from not yet valid"),
        pytest.param("openssl>=1.1.1", "unknown_ca", 48, id="OpenSSL, wrong CA"),
        pytest.param("gnutls-serv", "unknown_ca", 49, id="gnutls-serv 3.7.9 says access_denied"),
        pytest.param("botan", "unknown_ca", 42, id="Botan 2.19.3"),
        pytest.param("stunnel-pinned", "certificate_not_pinned", 42, id="stunnel 5.68, verify = 3"),
        pytest.param("openssl>=1.1.1", "key_mismatch", 51, id="CertificateVerify by another key"),
        pytest.param("java", "key_mismatch", 40, id="Java 17, CertificateVerify by another key"),
        pytest.param("openssl<=1.0.2", "no_client_certificate", 40, id="OpenSSL, empty certificate list"),
        pytest.param("gnutls", "no_client_certificate", 50, id="GnuTLS 3.7.9, empty certificate list"),
        pytest.param("rustls", "no_client_certificate", 116, id="rustls 0.23: 116 before TLS 1.3"),
        pytest.param("mbedtls", "no_client_certificate", "fin", id="Mbed TLS closes without an alert"),
    ],
)
def test_each_stack_has_its_own_answer_up_to_tls12(stack: str, cause: str, answer: Answer) -> None:
    assert habit(stack, UP_TO_TLS12, cause)[0] == answer
    assert likelihood(stack, UP_TO_TLS12, cause, answer) > 0.5


@pytest.mark.parametrize(
    ("stack", "answer"),
    [("openssl>=1.1.1", 116), ("go", 116), ("gnutls", 116), ("java", 42), ("go<=1.19", 42), ("mbedtls", 41)],
)
def test_no_certificate_is_answered_otherwise_in_tls13(stack: str, answer: int) -> None:
    assert habit(stack, TLS13, "no_client_certificate")[0] == answer


def test_42_from_openssl_speaks_for_a_certificate_that_is_not_yet_valid_and_45_for_an_expired_one() -> None:
    def ratio(stack: str, code: int) -> float:
        not_yet = likelihood(stack, UP_TO_TLS12, "certificate_not_yet_valid", code)
        return not_yet / likelihood(stack, UP_TO_TLS12, "certificate_expired", code)

    assert ratio("openssl<=1.0.2", 42) > 10
    assert ratio("openssl<=1.0.2", 45) < 0.05
    assert 0.5 < ratio("go<=1.19", 42) < 2  # Go 1.19 says 42 to whatever its verifier finds


def test_42_is_no_answer_of_openssl_to_an_unknown_ca_but_is_one_of_a_pinned_stunnel() -> None:
    assert likelihood("openssl>=1.1.1", UP_TO_TLS12, "unknown_ca", 42) < 0.02
    assert likelihood("stunnel-pinned", UP_TO_TLS12, "unknown_ca", 42) > 0.1


def test_what_is_weak_is_answered_at_openssls_default_security_level() -> None:
    # s_server 3.0 answers 42 to SHA-1, MD5 and RSA-1024; at level 0 it would accept them.
    assert habit("openssl>=1.1.1", UP_TO_TLS12, "weak_certificate") == (42,)


def test_a_close_of_any_kind_is_as_likely_as_all_kinds_together() -> None:
    either = likelihood("wolfssl", UP_TO_TLS12, "resource_limit", "none")
    fin = likelihood("wolfssl", UP_TO_TLS12, "resource_limit", "fin")
    rst = likelihood("wolfssl", UP_TO_TLS12, "resource_limit", "rst")
    assert either == pytest.approx(fin + rst - FLOOR)


@pytest.mark.parametrize("side", get_args(Side))
def test_nothing_is_impossible_and_the_measured_answers_add_up(side: Side) -> None:
    causes = {cause for versions in SERVERS.values() for rows in versions.values() for cause in rows}
    answers: list[Answer] = [*range(256), "fin", "rst", "accepted", "http400"]
    for stack in STACKS:
        for cause in causes:
            chances = [likelihood(stack, TLS13, cause, answer, side) for answer in answers]
            assert min(chances) >= FLOOR
            assert sum(chances) == pytest.approx(1 - FLOOR + FLOOR * len(answers))


def test_sslv3_has_fewer_codes() -> None:
    """RFC 6101 §5.4.2: OpenSSL 0.9.8zh to 1.0.2u say 42 to an unknown CA there, and 48 from TLS 1.0 on."""
    assert habit("openssl<=1.0.2", "ssl3", "unknown_ca") == (42,)
    assert habit("openssl<=1.0.2", UP_TO_TLS12, "unknown_ca")[0] == 48
    assert habit("java", "ssl3", "unknown_ca") == habit("java", UP_TO_TLS12, "unknown_ca")  # not measured there


def test_what_no_one_measured_has_the_floor_and_no_habit() -> None:
    assert likelihood("openssl>=1.1.1", UP_TO_TLS12, "no such cause", 42) == FLOOR
    assert habit("openssl>=1.1.1", UP_TO_TLS12, "no such cause") == ()


def test_an_unknown_stack_answers_as_stacks_do_on_average() -> None:
    # Of the stacks 7 say 42 to a certificate that is not yet valid, 6 say 45.
    assert 0.2 < likelihood("other", UP_TO_TLS12, "certificate_not_yet_valid", 42) < 0.5
    assert likelihood("schannel", TLS13, "unknown_ca", 48) == likelihood("other", TLS13, "unknown_ca", 48)


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        pytest.param("unrecognized_name", 112, id="RFC 6066 §3"),
        pytest.param("no_application_protocol", 120, id="RFC 7301 §3.2"),
        pytest.param("inappropriate_fallback", 86, id="RFC 7507 §3"),
        pytest.param("user_canceled", 90, id="RFC 8446 §6.1"),
    ],
)
def test_where_nothing_was_measured_the_rfc_speaks(cause: str, code: int) -> None:
    assert likelihood("java", TLS13, cause, code) > 0.9


def test_a_client_may_answer_otherwise_than_a_server_of_the_same_library() -> None:
    # JSSE as a client tells the faults of a server's certificate apart up to TLS 1.2, as a server it does not.
    assert habit("java", UP_TO_TLS12, "certificate_expired", "client") == (45,)
    assert habit("java", UP_TO_TLS12, "certificate_expired", "server")[0] == 46
    assert habit("openssl>=1.1.1", UP_TO_TLS12, "name_mismatch", "client") == (42,)


def test_six_libraries_and_gnutls_serv_put_no_information_in_the_number() -> None:
    assert [stack for stack in STACKS if not informative(stack)] == [
        "gnutls", "gnutls-serv", "botan", "go<=1.19", "java", "node", "grpc",
    ]  # fmt: skip


def test_senders_tell_who_sends_a_code_for_what_and_in_which_versions() -> None:
    of_116 = senders(116)
    assert ("openssl>=1.1.1", "no_client_certificate", (True,)) in of_116
    assert ("rustls", "no_client_certificate", (False, True)) in of_116
    assert all(cause == "no_client_certificate" for _, cause, _ in of_116)
    assert senders(42)[0] == ("openssl<=1.0.2", "certificate_not_yet_valid", (False,))
    assert senders(255) == []


def test_senders_stand_in_the_order_of_the_stacks() -> None:
    places = [STACKS.index(stack) for stack, _, _ in senders(48)]
    assert places == sorted(places)


def test_every_measured_stack_has_a_family_and_the_sides_are_the_models() -> None:
    assert set(SERVERS) | set(CLIENTS) <= set(STACKS)
    assert get_args(Side) == get_args(ModelSide)


def test_to_explain_a_number_does_not_load_the_model() -> None:
    code = "import sys, tlsalert.diagnosis.knowledge; sys.exit('msgspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
