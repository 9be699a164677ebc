"""Compression methods are named as the RFCs name them."""

import pytest

from tlsalert.registry.compression import CompressionMethod


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param(0, "null(0)", id="RFC 5246 §7.4.1.2"),
        pytest.param(1, "DEFLATE(1)", id="RFC 3749 §2.1"),
        pytest.param(64, "LZS(64)", id="RFC 3943 §3"),
        pytest.param(224, "private_use(224)", id="RFC 3749 §2"),
        pytest.param(2, "unlisted(2)", id="unlisted code survives"),
    ],
)
def test_a_code_is_told_by_name_and_number(code: int, told: str) -> None:
    assert str(CompressionMethod(code)) == told
