"""One connection in the making: what is told twice counts once, and names become IANA's."""

from __future__ import annotations

import pytest

from tlsalert.model import Endpoint
from tlsalert.registry.alerts import AlertDescription
from tlsalert.sources.teller import MOST, Teller, told_suite, told_version


@pytest.mark.parametrize(
    ("name", "suite"),
    [
        ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
        ("ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("ECDHE-RSA-RC4-SHA", "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
        ("AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("DHE-RSA-AES256-SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
        ("DES-CBC3-SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
        ("AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
        ("(NONE)", None),
        ("", None),
    ],
)
def test_openssls_names_of_cipher_suites(name: str, suite: str | None) -> None:
    assert told_suite(name) == suite


def test_names_of_versions() -> None:
    assert told_version("TLSv1") == "TLS 1.0"
    assert told_version("TLSv1/SSLv3") is None  # stunnel 4 says so of any


def test_what_is_said_twice_is_one() -> None:
    talk = Teller("a", 0, 1, None, "client")
    for _ in range(3):
        talk.alert(False, AlertDescription(42))
        talk.step("SSLv3 read server hello A")
    one = talk.build("log")
    assert len(one.alerts) == len(one.messages) == 1


def test_who_is_who_is_settled_at_the_end() -> None:
    talk = Teller("a", 0, 1, None)
    talk.alert(True, AlertDescription(48))
    talk.gone("rst")
    talk.side = "server"
    talk.peer("client", "192.0.2.5", 1)
    talk.peer("client", "192.0.2.6", 2)
    one = talk.build("log")
    assert one.alerts[0].sender == "server"
    assert (one.closed.how, one.closed.sender) == ("rst", "client")
    assert one.client == Endpoint("192.0.2.5", 1)


def test_version_1_3_shows_by_its_messages() -> None:
    talk = Teller("a", 0, 1, None, "client")
    talk.step("TLSv1.3 read encrypted extensions")
    assert talk.build("log").tls_version == "TLS 1.3"


def test_a_step_that_is_none_is_left_alone() -> None:
    talk = Teller("a", 0, 1, None, "client")
    assert not talk.step("SSLv3 flush data")
    assert not talk.news


def test_it_keeps_no_more_than_a_handshake_has() -> None:
    talk = Teller("a", 0, 1, None, "server")
    for number in range(10 * MOST):
        talk.verify_error(None, f"words {number}")
    account = talk.build("log").account
    assert account is not None
    assert len(account.objections) == MOST
