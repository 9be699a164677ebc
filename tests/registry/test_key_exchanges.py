"""What the key exchange messages hold follows from the cipher suite's name."""

from __future__ import annotations

import pytest

from tlsalert.registry.cipher_suites import CipherSuite
from tlsalert.registry.key_exchanges import KeyExchange, key_exchange


@pytest.mark.parametrize(
    ("suite", "expected"),
    [
        pytest.param(0xC02F, ("ECDHE_RSA", "ec", True, False, "ec"), id="RFC 8422 §5.4"),
        pytest.param(0xC018, ("ECDH_anon", "ec", False, False, "ec"), id="RFC 4492 §2.5"),
        pytest.param(0xC004, ("ECDH_ECDSA", "", False, False, "ec"), id="RFC 4492 §2.1"),
        pytest.param(0x009E, ("DHE_RSA", "dh", True, False, "dh"), id="RFC 5246 §7.4.3"),
        pytest.param(0x0014, ("DHE_RSA_EXPORT", "dh", True, False, "dh"), id="RFC 2246 §7.4.3"),
        pytest.param(0x0018, ("DH_anon", "dh", False, False, "dh"), id="anonymous"),
        pytest.param(0x002F, ("RSA", "", False, False, "rsa"), id="RSA"),
        pytest.param(0x0003, ("RSA_EXPORT", "rsa", True, False, "rsa"), id="export"),
        pytest.param(0x0062, ("RSA_EXPORT1024", "rsa", True, False, "rsa"), id="export 1024"),
        pytest.param(0x008C, ("PSK", "", False, True, "psk"), id="RFC 4279 §2"),
        pytest.param(0x0090, ("DHE_PSK", "dh", False, True, "dh"), id="RFC 4279 §3"),
        pytest.param(0x0094, ("RSA_PSK", "", False, True, "rsa"), id="RFC 4279 §4"),
        pytest.param(0xC035, ("ECDHE_PSK", "ec", False, True, "ec"), id="RFC 5489 §2"),
        pytest.param(0xC01D, ("SRP_SHA", "srp", False, False, "srp"), id="RFC 5054 §2.5"),
        pytest.param(0xC01E, ("SRP_SHA_RSA", "srp", True, False, "srp"), id="RFC 5054, signed"),
        pytest.param(0x001E, ("KRB5", "", False, False, "krb5"), id="RFC 2712 §3"),
        pytest.param(0xE013, ("ECC", "", True, False, "opaque"), id="GB/T 38636-2020"),
    ],
)
def test_the_form_of_both_messages(suite: int, expected: tuple[str, str, bool, bool, str]) -> None:
    assert key_exchange(suite) == KeyExchange(*expected)


@pytest.mark.parametrize("suite", [0xC100, 0x0081, 0x001C, 0xC0B0, 0xC0FF])
def test_a_key_exchange_that_is_not_read_any_further(suite: int) -> None:
    """GOST, Fortezza, ECC with a password, EC J-PAKE."""
    found = key_exchange(suite)
    assert found is not None
    assert found[1:] == ("opaque", False, False, "opaque")


@pytest.mark.parametrize("suite", [-1, 0, 0x00FF, 0x1301, 0x5600, 0xEEEE, 0x0A0A, 0x010080])
def test_there_is_none_in_tls_1_3_or_where_the_suite_says_nothing(suite: int) -> None:
    assert key_exchange(suite) is None


def test_every_suite_up_to_tls_1_2_that_is_listed_has_one() -> None:
    without = {suite.name for suite in CipherSuite if "_WITH_" in suite.name and key_exchange(suite) is None}
    assert without == {"TLS_NULL_WITH_NULL_NULL"}
