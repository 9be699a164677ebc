"""Groups are named as IANA names them."""

import pytest

from tlsalert.registry.groups import NamedGroup


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param(23, "secp256r1(23)", id="RFC 8422 §5.1.1"),
        pytest.param(29, "x25519(29)", id="RFC 8422 §5.1.1, x25519"),
        pytest.param(256, "ffdhe2048(256)", id="RFC 7919 §3"),
        pytest.param(512, "MLKEM512(512)", id="ML-KEM-512"),
        pytest.param(514, "MLKEM1024(514)", id="ML-KEM-1024"),
        pytest.param(4587, "SecP256r1MLKEM768(4587)", id="RFC 10024, P-256"),
        pytest.param(4588, "X25519MLKEM768(4588)", id="RFC 10024, X25519"),
        pytest.param(4589, "SecP384r1MLKEM1024(4589)", id="RFC 10024, P-384"),
        pytest.param(0x6399, "X25519Kyber768Draft00(25497)", id="the draft that browsers had before"),
        pytest.param(0x01FC, "private_use(508)", id="RFC 8446 §4.2.7, ffdhe"),
        pytest.param(0xFE00, "private_use(65024)", id="RFC 8446 §4.2.7, ecdhe"),
        pytest.param(0xDADA, "GREASE(56026)", id="RFC 8701 §2"),
        pytest.param(0xFF01, "arbitrary_explicit_prime_curves(65281)", id="RFC 4492 §5.1.1"),
        pytest.param(999, "unlisted(999)", id="unlisted code survives"),
    ],
)
def test_a_code_is_told_by_name_and_number(code: int, told: str) -> None:
    assert str(NamedGroup(code)) == told
