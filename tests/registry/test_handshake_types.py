"""Handshake messages are named as the RFCs name them."""

import pytest

from tlsalert.registry.handshake_types import HandshakeType


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param(0, "hello_request(0)", id="RFC 5246 §7.4"),
        pytest.param(1, "client_hello(1)", id="RFC 8446 §4"),
        pytest.param(3, "hello_verify_request(3)", id="RFC 6347 §4.2.1"),
        pytest.param(6, "hello_retry_request(6)", id="drafts of TLS 1.3"),
        pytest.param(8, "encrypted_extensions(8)", id="RFC 8446 §4.3.1"),
        pytest.param(21, "certificate_url(21)", id="RFC 6066 §5"),
        pytest.param(22, "certificate_status(22)", id="RFC 6066 §8"),
        pytest.param(23, "supplemental_data(23)", id="RFC 4680 §2"),
        pytest.param(24, "key_update(24)", id="RFC 8446 §4.6.3"),
        pytest.param(25, "compressed_certificate(25)", id="RFC 8879 §4"),
        pytest.param(26, "ekt_key(26)", id="RFC 8870 §5.2.2"),
        pytest.param(254, "message_hash(254)", id="RFC 8446 §4.4.1"),
        pytest.param(7, "unlisted(7)", id="unlisted code survives"),
    ],
)
def test_a_code_is_told_by_name_and_number(code: int, told: str) -> None:
    assert str(HandshakeType(code)) == told
