"""Extensions are named as IANA names them."""

import pytest

from tlsalert.registry.extensions import ExtensionType


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param(0, "server_name(0)", id="RFC 6066 §3"),
        pytest.param(16, "application_layer_protocol_negotiation(16)", id="RFC 7301 §3.1"),
        pytest.param(43, "supported_versions(43)", id="RFC 8446 §4.2.1"),
        pytest.param(51, "key_share(51)", id="RFC 8446 §4.2.8"),
        pytest.param(57, "quic_transport_parameters(57)", id="RFC 9001 §8.2"),
        pytest.param(0xFE0D, "encrypted_client_hello(65037)", id="RFC 9849 §5"),
        pytest.param(0xFF01, "renegotiation_info(65281)", id="RFC 5746 §3.2"),
        pytest.param(0x0A0A, "GREASE(2570)", id="RFC 8701 §2"),
        pytest.param(0xFF02, "private_use(65282)", id="RFC 8447 §7"),
        pytest.param(1234, "unlisted(1234)", id="unlisted code survives"),
    ],
)
def test_a_code_is_told_by_name_and_number(code: int, told: str) -> None:
    assert str(ExtensionType(code)) == told
