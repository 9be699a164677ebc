"""Content types are named as the RFCs name them."""

import pytest

from tlsalert.registry.content_types import ContentType


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param(20, "change_cipher_spec(20)", id="RFC 8446 §5.1"),
        pytest.param(21, "alert(21)", id="RFC 8446 §5.1, alert"),
        pytest.param(22, "handshake(22)", id="RFC 8446 §5.1, handshake"),
        pytest.param(23, "application_data(23)", id="RFC 8446 §5.1, data"),
        pytest.param(24, "heartbeat(24)", id="RFC 6520 §3"),
        pytest.param(25, "tls12_cid(25)", id="RFC 9146 §4"),
        pytest.param(26, "ack(26)", id="RFC 9147 §7"),
        pytest.param(72, "unlisted(72)", id="the H of an HTTP answer"),
    ],
)
def test_a_code_is_told_by_name_and_number(code: int, told: str) -> None:
    assert str(ContentType(code)) == told
